public import Foundation
public import OddsCore

/// Frames of the market channel, written after the protocol reference: the files in `OddsCoreTests/Fixtures`.
public enum WireFixtures {
    /// The condition id in the files.
    public static let market = MarketID("0x" + String(repeating: "5a", count: 32))
    /// The YES token in the files.
    public static let up = AssetID("11" + String(repeating: "2345678901", count: 7) + "23456")
    /// The NO token in the files.
    public static let down = AssetID("98" + String(repeating: "7654321098", count: 7) + "76543")
    /// The stamp in the files.
    public static let time = Timestamp(milliseconds: 1_790_000_000_123)

    /// Where the files lie.
    public static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "OddsCoreTests/Fixtures")

    /// One file's bytes, such as `ws_book.json`.
    public static func bytes(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: self.folder.appending(path: name)))
    }

    /// All files' names, in alphabetical order.
    public static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self.folder.path).filter { $0.hasPrefix("ws_") }.sorted()
    }
}

/// Frames as the venue writes them, from values.
public enum WireFrames {
    /// One level of a book.
    public typealias Line = (price: Price, size: Size)

    /// A `book`: bids ascending and asks descending, as the venue lists them.
    public static func book(
        market: MarketID?, asset: AssetID, time: Int64, bids: [Line], asks: [Line], lastTrade: Price? = nil
    ) -> String {
        let bids = bids.sorted { $0.price < $1.price }
        let asks = asks.sorted { $0.price > $1.price }
        let last = lastTrade.map { "\"\($0)\"" } ?? "\"\""
        return """
            {\(Self.market(market))"asset_id":"\(asset)","timestamp":"\(time)","hash":"","bids":\(Self.list(bids)),\
            "asks":\(Self.list(asks)),"tick_size":"0.01","event_type":"book","last_trade_price":\(last)}
            """
    }

    /// One entry of a `price_change`.
    public struct Entry {
        /// The token.
        public var asset: AssetID
        /// The level's side.
        public var side: BookSideKind
        /// The level's price.
        public var price: Price
        /// The level's new total.
        public var size: Size
        /// The best bid after the batch; nil leaves both best prices out.
        public var best: (bid: Price, ask: Price)?

        /// An entry from its parts.
        public init(
            _ asset: AssetID, _ side: BookSideKind, _ price: Price, _ size: Size, best: (bid: Price, ask: Price)? = nil
        ) {
            self.asset = asset
            self.side = side
            self.price = price
            self.size = size
            self.best = best
        }
    }

    /// A `price_change` in its current form.
    public static func priceChange(market: MarketID?, time: Int64, _ entries: [Entry]) -> String {
        let list = entries.map { entry in
            let best = entry.best.map { ", \"best_bid\":\"\($0.bid)\", \"best_ask\":\"\($0.ask)\"" } ?? ""
            return """
                {"asset_id":"\(entry.asset)", "price":"\(entry.price)", "size":"\(entry.size)", \
                "side":"\(entry.side == .bids ? "BUY" : "SELL")", "hash":""\(best)}
                """
        }
        return """
            {\(Self.market(market))"price_changes":[\(list.joined(separator: ", "))], "timestamp":"\(time)", \
            "event_type":"price_change"}
            """
    }

    /// A `best_bid_ask`.
    public static func bestBidAsk(market: MarketID, asset: AssetID, time: Int64, bid: Price, ask: Price) -> String {
        """
        {"market":"\(market)", "asset_id":"\(asset)", "best_bid":"\(bid)", "best_ask":"\(ask)", "spread":"0", \
        "timestamp":"\(time)", "event_type":"best_bid_ask"}
        """
    }

    /// A `last_trade_price`.
    public static func trade(market: MarketID, asset: AssetID, time: Int64, price: Price) -> String {
        """
        {"market":"\(market)","asset_id":"\(asset)","price":"\(price)","size":"1","fee_rate_bps":"0","side":"BUY",\
        "timestamp":"\(time)","event_type":"last_trade_price"}
        """
    }

    /// A `tick_size_change` from 0.01 to 0.001.
    public static func tickSizeChange(market: MarketID, asset: AssetID, time: Int64) -> String {
        """
        {"market":"\(market)","asset_id":"\(asset)","old_tick_size":"0.01","new_tick_size":"0.001",\
        "timestamp":"\(time)","event_type":"tick_size_change"}
        """
    }

    private static func market(_ market: MarketID?) -> String { market.map { "\"market\":\"\($0)\", " } ?? "" }

    private static func list(_ levels: [Line]) -> String {
        "[" + levels.map { "{\"price\":\"\($0.price)\",\"size\":\"\($0.size)\"}" }.joined(separator: ",") + "]"
    }
}
