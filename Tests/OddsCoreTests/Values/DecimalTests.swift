import OddsCore
import Testing

/// Prices, sizes and odds: what is printed is read back as the same number, and nothing else is read at all.
@Suite struct DecimalTests {
    static let refused = [
        "", ".", "..", "1.2.3", "-1", "-0.5", "+0.5", "1e3", "1E-3", "0.5 ", " 0.5", "0 .5", "0,5", "½", "٠.٥", "0x1",
        "NaN", "null", "0.5\0", "99999999999999999999", "9223372036854775808", "0.00000000000000000001",
    ]

    @Test func everyPriceIsReadBackAsItWasPrinted() {
        for raw in Int32(0)...10_000 {
            let price = Price(rawValue: raw)
            #expect(Price(price.description) == price)
            #expect(price.complement.complement == price)
            #expect(price.odds.rawValue == raw * 100)
        }
    }

    @Test func randomSizesAreReadBackAsTheyWerePrinted() {
        var generator = SplitMix64(seed: 1)
        for _ in 0..<20_000 {
            let raw = Int64.random(in: 0...Int64.max, using: &generator) >> Int64.random(in: 0..<63, using: &generator)
            #expect(Size(Size(rawValue: raw).description) == Size(rawValue: raw))
        }
        #expect(Size(Size(rawValue: .max).description) == Size(rawValue: .max))
    }

    @Test(arguments: Self.refused) func whatIsNoDecimalIsRefused(text: String) {
        #expect(Price(text) == nil)
        #expect(Size(text) == nil)
    }

    @Test(arguments: ["1.0001", "1.00001", "2", "10000", "0.12345", "0.00001", "0.48000000001", "123456789012.5"])
    func whatIsNoPriceIsRefused(text: String) { #expect(Price(text) == nil) }

    @Test(arguments: ["0.0000001", "9223372036854.775808", "9223372036855", "10000000000000"])
    func whatIsNoSizeIsRefused(text: String) { #expect(Size(text) == nil) }

    @Test(arguments: [
        (".48", 4800), ("0.48", 4800), ("0.4800", 4800), ("00.48", 4800), ("0.480000000000000000000", 4800),
        ("1", 10_000),
        ("1.0", 10_000), ("1.", 10_000), ("0", 0), (".0001", 1), ("000000000000000000000.5", 5000),
    ]) func everySpellingOfAPriceIsRead(text: String, raw: Int32) { #expect(Price(text)?.rawValue == raw) }

    @Test(arguments: [
        ("2537", 2_537_000_000), (".25", 250_000), ("57.5", 57_500_000), ("0.000001", 1),
        ("9223372036854.775807", Int64.max), ("1.1000000", 1_100_000),
    ]) func everySpellingOfASizeIsRead(text: String, raw: Int64) { #expect(Size(text)?.rawValue == raw) }

    @Test func substringsAreReadToo() { #expect(Price("a0.5b".dropFirst().dropLast()) == 0.5) }

    @Test func valuesPrintAsTheVenueWritesThem() {
        #expect(Price(0.5).description == "0.5")
        #expect(Price(0.481).description == "0.481")
        #expect(Price(1.0).description == "1")
        #expect(Price.zero.description == "0")
        #expect(Size(2537).description == "2537")
        #expect(Size(57.5).description == "57.5")
        #expect(Odds.midpoint(0.5, 0.51).description == "0.505")
    }

    @Test func literalsAreRoundedToTheUnit() {
        #expect((0.07 as Price).rawValue == 700)
        #expect((0.29 as Price).rawValue == 2900)
        #expect((0.1 as Size).rawValue == 100_000)
        #expect((3 as Size).rawValue == 3_000_000)
        #expect((0.70 as Odds).rawValue == 700_000)
    }

    @Test func theMidpointOfTheFinestTickIsExact() {
        #expect(Odds.midpoint(Price(rawValue: 1), Price(rawValue: 2)).rawValue == 150)
        #expect(Odds.midpoint(.zero, .one) == .half)
    }

    @Test func sizesAddAndNeverFallBelowZero() {
        #expect(Size(2) + Size(0.5) == 2.5)
        #expect(Size(2) - Size(0.5) == 1.5)
        #expect(Size(1) - Size(2) == .zero)
    }

    @Test func doublesAreForPeople() {
        #expect(Price(0.481).doubleValue == 0.481)
        #expect(Size(57.5).doubleValue == 57.5)
        #expect(Odds(rawValue: 505_000).doubleValue == 0.505)
    }
}
