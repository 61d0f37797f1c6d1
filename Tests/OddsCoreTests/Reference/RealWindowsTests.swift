import Foundation
import OddsCore
import OddsTestSupport
import Testing

/// Six hours of real windows and prices: the definition of the price to beat, and the outcomes that follow from it.
@Suite struct RealWindowsTests {
    private static let prices = "BTCUSD-prices-2026-06-08-first6h.csv.gz"
    private static let markets = "BTC-5m-markets-2026-06-08.jsonl.gz"

    private struct Window: Decodable {
        var slug: String
        var start_sec: Int64
        var end_sec: Int64
        var outcome_prices: [String]
        var strike_value: String?
    }

    private static func lines(_ name: String) throws -> [Data] {
        let gzip = Process()
        gzip.executableURL = URL(filePath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-dc", Captures.folder.appending(path: name).path]
        let (output, _) = try ChildProcess.start(gzip)
        let text = try output.readToEnd() ?? Data()
        gzip.waitUntilExit()
        return text.split(separator: UInt8(ascii: "\n")).map { Data($0) }
    }

    @Test(.enabled(if: Captures.has(Self.prices) && Captures.has(Self.markets), "the captures are not there"))
    func realOutcomesFollowFromRealPrices() throws {
        let feed = ReferenceFeed(.chainlink, "btc/usd")
        var book = ReferenceBook(limits: .init(kept: 30_000))
        var now = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0)
        for line in try Self.lines(Self.prices).dropFirst() {
            let fields = String(decoding: line, as: UTF8.self).split(separator: ",")
            let stamp = try #require(Int64(fields[0]))
            let received = try #require(Int64(fields[4].filter(\.isNumber)))
            now = ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: received * 1_000_000), unixNanoseconds: received * 1_000_000)
            let price = try #require(ReferencePrice(scaled: String(fields[2])))
            book.record(ReferenceTick(feed, price: price, time: Timestamp(milliseconds: stamp)), at: now)
        }
        var strikes = 0
        var outcomes = 0
        for line in try Self.lines(Self.markets) {
            let window = try JSONDecoder().decode(Window.self, from: line)
            let market = Market(
                id: MarketID(window.slug), slug: window.slug,
                window: MarketWindow(
                    start: Timestamp(seconds: window.start_sec), end: Timestamp(seconds: window.end_sec)),
                yes: Outcome(label: "Up", asset: "1"), no: Outcome(label: "Down", asset: "2"),
                settlement: ReferenceSettlement(symbol: "btc/usd", rule: .spot))
            let target = book.reading(for: market, at: now).priceToBeat
            if target.mark?.origin == .stamped, let strike = window.strike_value {
                strikes += 1
                #expect(target.price == ReferencePrice(scaled: strike))
            }
            guard let winner = book.outcome(of: market, at: now).winner else { continue }
            outcomes += 1
            #expect(window.outcome_prices == (winner == .yes ? ["1", "0"] : ["0", "1"]), "\(window.slug)")
        }
        #expect(strikes == 68 && outcomes == 66)
    }
}
