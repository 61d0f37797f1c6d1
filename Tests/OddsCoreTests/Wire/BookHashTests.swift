import Foundation
import OddsTestSupport
import Testing

@testable import OddsCore

@Suite struct BookHashTests {
    private static let market: MarketID = "0x00000000000000000000000000000000000000000000000000000000000000aa"
    private static let asset: AssetID = "1234567890"

    @Test func theTextIsHashedInTheVenuesOrder() {
        var hasher = BookHasher(market: "0xaa", asset: "77")
        let hash = hasher.hash(
            timestamp: "1800000000000", bids: [(price: "0.01", size: "5"), (price: "0.4", size: "7.25")],
            asks: [(price: "0.6", size: "1")], tickSize: "0.01", lastTradePrice: "0.420")
        // SHA-1 of {"market":"0xaa","asset_id":"77","timestamp":"1800000000000","hash":"","bids":[{"price":"0.01",
        // "size":"5"},{"price":"0.4","size":"7.25"}],"asks":[{"price":"0.6","size":"1"}],"min_order_size":"5",
        // "tick_size":"0.01","neg_risk":false,"last_trade_price":"0.420"}, without the line breaks.
        #expect(hash.description == "40ef1a20cd6417afbd9a7563c7b93666f9df37ed")
    }

    @Test func valuesHashLikeTheirTexts() throws {
        var generator = SplitMix64(seed: 4)
        var hasher = BookHasher(market: Self.market, asset: Self.asset, negativeRisk: true)
        for _ in 0..<200 {
            let bids = (0..<Int.random(in: 0...20, using: &generator)).map { index in
                (
                    price: Price(rawValue: Int32(index * 10 + 1)),
                    size: Size(rawValue: .random(in: 1...9_999_999_999, using: &generator))
                )
            }
            let asks = (0..<Int.random(in: 0...20, using: &generator)).map { index in
                (
                    price: Price(rawValue: Int32(9_999 - index * 7)),
                    size: Size(rawValue: .random(in: 1...9_999, using: &generator) * 10_000)
                )
            }
            let last: Price? =
                Bool.random(using: &generator) ? Price(rawValue: .random(in: 0...10_000, using: &generator)) : nil
            let time = Int64.random(in: 1...4_000_000_000_000, using: &generator)
            let fromValues = hasher.hash(
                timestamp: Timestamp(milliseconds: time), bids: bids, asks: asks, minimumOrderSize: 15, tickSize: 0.001,
                lastTradePrice: last)
            let fromTexts = hasher.hash(
                timestamp: String(time), bids: bids.map { (price: $0.price.description, size: $0.size.description) },
                asks: asks.map { (price: $0.price.description, size: $0.size.description) }, minimumOrderSize: "15",
                tickSize: "0.001", lastTradePrice: last?.lastTradeText ?? "")
            #expect(fromValues == fromTexts)
        }
    }

    @Test func whatIsWrittenCanBeRead() throws {
        var hasher = BookHasher(market: Self.market, asset: Self.asset)
        let none: [(price: Price, size: Size)] = []
        let hash = hasher.hash(timestamp: Timestamp(milliseconds: 1), bids: none, asks: none, lastTradePrice: nil)
        let other = hasher.hash(timestamp: Timestamp(milliseconds: 2), bids: none, asks: none, lastTradePrice: nil)
        #expect(hash != other)
        #expect(hash.description.count == 40)
        #expect(BookHash(hex: hash.description) == hash)
        #expect(BookHash(hex: hash.description.uppercased()) == hash)
        #expect(BookHash(hex: "") == nil)
        #expect(BookHash(hex: String(repeating: "g", count: 40)) == nil)
        #expect(BookHash(hex: hash.description + "0") == nil)
    }

    @Test(arguments: [
        (Int32(0), "0.000"), (4_200, "0.420"), (10_000, "1.000"), (10, "0.001"), (1, "0.0001"), (12, "0.0012"),
    ])
    func lastTradePricesHaveThreeDecimals(_ raw: Int32, _ text: String) {
        #expect(Price(rawValue: raw).lastTradeText == text)
    }

    // MARK: Real books

    private struct Book: Decodable {
        struct Level: Decodable {
            var price: String
            var size: String
        }

        var market: String
        var asset_id: String
        var timestamp: String
        var hash: String
        var bids: [Level]
        var asks: [Level]
        var tick_size: String
        var last_trade_price: String

        func computed() throws -> [String] {
            var hasher = BookHasher(market: MarketID(self.market), asset: AssetID(self.asset_id))
            let texts = hasher.hash(
                timestamp: self.timestamp, bids: self.bids.map { (price: $0.price, size: $0.size) },
                asks: self.asks.map { (price: $0.price, size: $0.size) }, tickSize: self.tick_size,
                lastTradePrice: self.last_trade_price)
            func values(_ levels: [Level]) throws -> [(price: Price, size: Size)] {
                try levels.map { (price: try #require(Price($0.price)), size: try #require(Size($0.size))) }
            }
            let values = hasher.hash(
                timestamp: Timestamp(milliseconds: try #require(Int64(self.timestamp))), bids: try values(self.bids),
                asks: try values(self.asks), tickSize: try #require(Price(self.tick_size)),
                lastTradePrice: Price(self.last_trade_price))
            return [texts.description, values.description]
        }
    }

    private static let recordings = ["updown-15m-ws-verbatim.ndjson.gz", "updown-15m-rest-books.ndjson.gz"]

    @Test(.enabled(if: Self.recordings.allSatisfy(Captures.has), "needs the recordings beside the package"))
    func everyRecordedBookHashesToItsOwnHash() throws {
        var count = 0
        for name in Self.recordings {
            try Captures.frames(name) { recorded in
                let frame = Data(recorded.bytes)
                let books: [Book]
                if frame.first == 0x5B {
                    books = try JSONDecoder().decode([Book].self, from: frame)
                } else if frame.range(of: Data(#""bids""#.utf8)) != nil {
                    books = [try JSONDecoder().decode(Book.self, from: frame)]
                } else {
                    return
                }
                for book in books {
                    #expect(try book.computed() == [book.hash, book.hash])
                    count += 1
                }
            }
        }
        #expect(count > 400)
    }
}
