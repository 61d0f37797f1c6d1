import OddsCore

/// Messages of our own, written after the protocol: the shapes, lengths and spacing of the real ones.
enum Frames {
    static let market: MarketID = "0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    static let yes: AssetID = "11100998877665544332211009988776655443322110099887766554433221100998877665544"
    static let no: AssetID = "22200998877665544332211009988776655443322110099887766554433221100998877665533"
    private static let hash = "0123456789abcdef0123456789abcdef01234567"

    static func priceChange(_ index: Int, time: Int, price: Int, size: Int, bid: Int, ask: Int) -> String {
        func cents(_ value: Int) -> String { Price(rawValue: Int32(value * 100)).description }
        return """
            {"market":"\(market)", "price_changes":[{"asset_id":"\(yes)", "price":"\(cents(price))", \
            "size":"\(size)", "side":"BUY", "hash":"\(hash)", "best_bid":"\(cents(bid))", "best_ask":"\(cents(ask))"}, \
            {"asset_id":"\(no)", "price":"\(cents(100 - price))", "size":"\(size)", "side":"SELL", "hash":"\(hash)", \
            "best_bid":"\(cents(100 - ask))", "best_ask":"\(cents(100 - bid))"}], "timestamp":"\(time)", \
            "event_type":"price_change"}
            """
    }

    private static func book(_ asset: AssetID, time: Int, bids: Int, asks: ClosedRange<Int>) -> String {
        func level(_ cents: Int) -> String {
            #"{"price":"\#(Price(rawValue: Int32(cents * 100)))","size":"\#(100 + cents).5"}"#
        }
        let bidText = (1...bids).map(level).joined(separator: ",")
        let askText = asks.reversed().map(level).joined(separator: ",")
        return """
            {"market":"\(market)","asset_id":"\(asset)","timestamp":"\(time)","hash":"\(hash)","bids":[\(bidText)],\
            "asks":[\(askText)],"tick_size":"0.01","event_type":"book","last_trade_price":"0.480"}
            """
    }

    static let start = 1_777_428_000_000
    static let snapshot =
        "[\(book(yes, time: start, bids: 48, asks: 50...99)),\(book(no, time: start, bids: 50, asks: 52...99))]"

    static let all: [(String, String)] = [
        ("price_change", priceChange(0, time: start + 1, price: 30, size: 250, bid: 48, ask: 50)),
        ("book of 98 levels", book(yes, time: start, bids: 48, asks: 50...99)),
        (
            "last_trade_price",
            """
            {"market":"\(market)","asset_id":"\(yes)","price":"0.48","size":"21.276594","fee_rate_bps":"1000",\
            "side":"BUY","timestamp":"\(start)","event_type":"last_trade_price","transaction_hash":"\(market)"}
            """
        ),
        (
            "best_bid_ask",
            """
            {"market":"\(market)", "asset_id":"\(yes)", "best_bid":"0.48", "best_ask":"0.5", "spread":"0.02", \
            "timestamp":"\(start)", "event_type":"best_bid_ask"}
            """
        ),
    ]

    /// Ways in which a busy market moves, as the message of each index.
    static let flows: [(String, @Sendable (Int) -> String)] = [
        (
            "levels behind the top",
            { priceChange($0, time: start + 1 + $0, price: 1 + $0 % 40, size: 100 + $0 % 50, bid: 48, ask: 50) }
        ),
        (
            "the best bid comes and goes",
            {
                $0 % 2 == 0
                    ? priceChange($0, time: start + 1 + $0, price: 49, size: 75, bid: 49, ask: 50)
                    : priceChange($0, time: start + 1 + $0, price: 49, size: 0, bid: 48, ask: 50)
            }
        ),
    ]

    /// One unmasked text frame, as a server sends it.
    static func webSocketBytes(_ text: String) -> [UInt8] {
        let payload = Array(text.utf8)
        let count = payload.count
        let head: [UInt8] =
            count < 126
            ? [0x81, UInt8(count)]
            : count < 65_536
                ? [0x81, 126, UInt8(count >> 8), UInt8(count & 255)]
                : [0x81, 127] + (0..<8).reversed().map { UInt8((count >> ($0 * 8)) & 255) }
        return head + payload
    }
}
