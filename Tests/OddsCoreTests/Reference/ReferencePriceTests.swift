import Foundation
import OddsCore
import Testing

@Suite struct ReferencePriceTests {
    @Test(
        arguments: [
            ("76568.78", "76568.78", 76_568_780_000_000_000_000_000), ("0", "0", 0),
            ("1", "1", 1_000_000_000_000_000_000),
            ("00012.500", "12.5", 12_500_000_000_000_000_000), ("0.000000000000000001", "0.000000000000000001", 1),
            ("63304.200301195075", "63304.200301195075", 63_304_200_301_195_075_000_000),
            ("1e-05", "0.00001", 10_000_000_000_000), ("1.25E+3", "1250", 1_250_000_000_000_000_000_000),
            ("0.10000000000000000000000", "0.1", 100_000_000_000_000_000),
            ("1000000000000000", "1000000000000000", 1_000_000_000_000_000_000_000_000_000_000_000),
            ("5.", "5", 5_000_000_000_000_000_000), (".5", "0.5", 500_000_000_000_000_000),
        ] as [(String, String, Int128)])
    func decimalsAreRead(text: String, printed: String, units: Int128) {
        #expect(ReferencePrice(text)?.rawValue == units)
        #expect(ReferencePrice(text)?.description == printed)
    }

    @Test(arguments: [
        "", ".", "-1", "+1", "1,5", "1.2.3", "1e", "1e+", "1e9999", "nan", "Infinity", "0x10", " 1", "1 ",
        "0.0000000000000000001", "1000000000000000.1", "1e30", "1e-19", String(repeating: "9", count: 60),
    ])
    func whatIsNoPriceIsRefused(text: String) { #expect(ReferencePrice(text) == nil) }

    @Test func wholeUnitsAreRead() {
        #expect(ReferencePrice(scaled: "76568780000000000000000") == ReferencePrice("76568.78"))
        #expect(ReferencePrice(scaled: "10000000000") == ReferencePrice("0.00000001"))
        for text in ["", "1.5", "-1", "1e5", String(repeating: "9", count: 34), String(repeating: "9", count: 40)] {
            #expect(ReferencePrice(scaled: text) == nil)
        }
    }

    /// Print and read, of as many sizes as there are: the identity, as text, as JSON and as units.
    @Test func whatIsPrintedIsReadBack() throws {
        var random = SplitMix64(seed: 1)
        for _ in 0..<2_000 {
            let digits = Int.random(in: 1...33, using: &random)
            let units = (0..<digits).reduce(Int128(0)) { value, _ in
                value * 10 + Int128(Int.random(in: 0...9, using: &random))
            }
            guard units <= 1_000_000_000_000_000 * ReferencePrice.dollar else { continue }
            let price = ReferencePrice(rawValue: units)
            #expect(ReferencePrice(price.description) == price)
            #expect(ReferencePrice(scaled: String(units)) == price)
            let difference = ReferencePrice(rawValue: -units)
            let coded = try JSONDecoder().decode(ReferencePrice.self, from: JSONEncoder().encode(difference))
            #expect(coded == difference)
            #expect(abs(price.doubleValue - Double(price.description)!) <= price.doubleValue * 1e-15)
        }
    }

    @Test func arithmetic() throws {
        let prices = try ["1", "2", "2"].map { try #require(ReferencePrice($0)) }
        #expect(ReferencePrice.mean(of: prices)?.description == "1.666666666666666666")
        #expect(ReferencePrice.mean(of: [ReferencePrice]()) == nil)
        let distance = try #require(ReferencePrice("99")) - #require(ReferencePrice("100"))
        #expect(distance.description == "-1" && distance.doubleValue == -1)
        #expect(try distance.basisPoints(of: #require(ReferencePrice("100"))) == -100)
        #expect(distance.basisPoints(of: ReferencePrice(rawValue: 0)) == nil)
    }
}
