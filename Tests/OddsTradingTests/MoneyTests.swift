import Foundation
import OddsCore
import OddsTrading
import Testing

@Suite struct MoneyTests {
    @Test func sharesCostExactlyWhatTheyCost() {
        #expect(Money.cost(of: 13.69, at: 0.71) == 9.7199)
        #expect(Money.cost(of: 0.01, at: 0.0001) == Money(rawValue: 1))
        // Finer than a lot: rounded up, so that nobody gains by it.
        #expect(Money.cost(of: Size(rawValue: 1), at: 0.5) == Money(rawValue: 1))
        #expect(Money.cost(of: Size(rawValue: .max), at: .one) == Money(rawValue: .max))
        #expect(Money.payout(of: 13.69) == 13.69)
    }

    @Test(arguments: [
        (0, "0"), (1, "0.000001"), (-1, "-0.000001"), (12_500_000, "12.5"), (-3_000_000, "-3"), (100, "0.0001"),
    ])
    func moneyIsPrintedAsADecimal(raw: Int64, text: String) {
        #expect(Money(rawValue: raw).description == text)
    }

    @Test func affordableIsWholeLots() {
        #expect(Lot.affordable(10, at: 0.73) == 13.69)
        #expect(Lot.affordable(10, at: .zero) == .zero)
        #expect(Lot.affordable(-1, at: 0.5) == .zero)
        #expect(Lot.affordable(Money(rawValue: .max), at: 0.0001).rawValue > 0)
    }

    @Test func theCryptoFeeIsSevenPercentOfTheCurve() {
        // 100 · 0.07 · 0.71 · 0.29 = 1.44130
        #expect(FeeSchedule.crypto.fee(on: 100, at: 0.71) == 1.4413)
        // 0.01 · 0.07 · 0.71 · 0.29 = 0.00014413: up to 145 micro-dollars.
        #expect(FeeSchedule.crypto.fee(on: 0.01, at: 0.71) == Money(rawValue: 145))
        #expect(FeeSchedule.crypto.fee(on: 100, at: .one) == .zero)
        #expect(FeeSchedule.free.fee(on: 100, at: 0.5) == .zero)
        // 100 · 0.25 · (0.5 · 0.5)² = 1.5625
        #expect(FeeSchedule(rate: 250_000, exponent: 2).fee(on: 100, at: 0.5) == 1.5625)
    }

    @Test func partsAreRoundedOnceAndNotOneByOne() {
        let parts = (0..<10).map { _ in Level(price: 0.71, size: 0.01) }
        #expect(FeeSchedule.crypto.fee(on: parts) == Money(rawValue: 1442))
    }

    @Test func storedValuesComeBack() throws {
        struct Stored: Codable, Equatable {
            var price: Price
            var size: Size
            var side: Side
            var market: MarketID
            var asset: AssetID
            var time: Timestamp
            var monotonic: MonotonicTime
            var money: Money
            var fees: FeeSchedule
        }
        let stored = Stored(
            price: 0.0001, size: Size(rawValue: 57_500_001), side: .no, market: "0xa", asset: "1",
            time: Timestamp(milliseconds: -5), monotonic: MonotonicTime(nanoseconds: .max), money: -0.000001,
            fees: FeeSchedule(rate: 1, exponent: 2))
        let data = try JSONEncoder().encode(stored)
        #expect(try JSONDecoder().decode(Stored.self, from: data) == stored)
        #expect(String(decoding: data, as: UTF8.self).contains(#""price":"0.0001""#))
    }

    @Test(arguments: [#"["1.5"]"#, #"["x"]"#, #"["0.00001"]"#])
    func whatIsNoPriceIsRefused(text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([Price].self, from: Data(text.utf8)) }
    }

    @Test(arguments: [#"{"rate":-1,"exponent":1}"#, #"{"rate":1000001,"exponent":1}"#, #"{"rate":1,"exponent":3}"#])
    func aFeeScheduleOutOfRangeIsRefused(text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(FeeSchedule.self, from: Data(text.utf8)) }
    }
}
