import OddsCore

/// An exchange of one market that spells its frames and their hashes on its own, from the YES side's levels.
struct HashedExchange {
    let market: MarketID
    let up: AssetID
    let down: AssetID
    var bids: [Int32: Int64] = [4800: 30_000_000, 4000: 12_500_000]
    var asks: [Int32: Int64] = [5200: 25_000_000, 6000: 7_000_000]
    /// As the books spell it; empty before the first trade.
    var lastTrade = "0.480"
    var tickSize = "0.01"
    var minimumOrderSize = "5"
    var negativeRisk = false
    /// Another recipe than the one that is known: every hash of these kinds is wrong.
    var spoilsBooks = false
    var spoilsChanges = false
    /// The stamp of the last change.
    var time: Int64 = 1_790_000_000_000

    init(_ market: Market, _ down: AssetID) {
        self.market = market.id
        self.up = market.yes.asset
        self.down = down
    }

    init(_ feed: FeedHarness) { self.init(feed.market, feed.down) }

    func asset(_ side: Side) -> AssetID { side == .yes ? self.up : self.down }

    var best: (bid: Price, ask: Price) {
        (Price(rawValue: self.bids.keys.max() ?? 0), Price(rawValue: self.asks.keys.min() ?? 10_000))
    }

    private typealias Levels = [(price: String, size: String)]

    private static func text(_ levels: [Int32: Int64], _ order: (Int32, Int32) -> Bool) -> Levels {
        levels.keys.sorted(by: order).map {
            (price: Price(rawValue: $0).description, size: Size(rawValue: levels[$0] ?? 0).description)
        }
    }

    private static func turned(_ levels: [Int32: Int64]) -> [Int32: Int64] {
        Dictionary(uniqueKeysWithValues: levels.map { (10_000 - $0.key, $0.value) })
    }

    private func levels(_ side: Side) -> (bids: Levels, asks: Levels) {
        let bids = side == .yes ? self.bids : Self.turned(self.asks)
        let asks = side == .yes ? self.asks : Self.turned(self.bids)
        return (Self.text(bids, <), Self.text(asks, >))
    }

    func hash(_ side: Side) -> BookHash {
        var hasher = BookHasher(market: self.market, asset: self.asset(side), negativeRisk: self.negativeRisk)
        let levels = self.levels(side)
        return hasher.hash(
            timestamp: String(self.time), bids: levels.bids, asks: levels.asks,
            minimumOrderSize: self.minimumOrderSize, tickSize: self.tickSize, lastTradePrice: self.lastTrade)
    }

    private func spelled(_ side: Side, spoilt: Bool) -> String {
        let text = self.hash(side).description
        return spoilt ? String(text.reversed()) : text
    }

    // MARK: Frames

    /// One token's whole book; trade-driven books tell neither tick size nor last trade.
    func book(_ side: Side, bare: Bool = false, hash: String? = nil) -> String {
        let levels = self.levels(side)
        func list(_ levels: Levels) -> String {
            "[" + levels.map { #"{"price":"\#($0.price)","size":"\#($0.size)"}"# }.joined(separator: ",") + "]"
        }
        let rest = bare ? "" : #""tick_size":"\#(self.tickSize)","last_trade_price":"\#(self.lastTrade)","#
        return """
            {"market":"\(self.market)","asset_id":"\(self.asset(side))","timestamp":"\(self.time)",\
            "hash":"\(hash ?? self.spelled(side, spoilt: self.spoilsBooks))","bids":\(list(levels.bids)),\
            "asks":\(list(levels.asks)),\(rest)"event_type":"book"}
            """
    }

    var dump: String { "[\(self.book(.yes)),\(self.book(.no))]" }

    mutating func set(_ side: BookSideKind, _ price: Int32, _ size: Int64) {
        if side == .bids {
            self.bids[price] = size == 0 ? nil : size
        } else {
            self.asks[price] = size == 0 ? nil : size
        }
    }

    func size(_ side: BookSideKind, _ price: Int32) -> Int64 {
        (side == .bids ? self.bids[price] : self.asks[price]) ?? 0
    }

    /// The message about a level that has been set; `damaged` is the token whose entry tells one micro-share more.
    func priceChange(_ side: BookSideKind, _ price: Int32, damaged: Side? = nil, wrongHash: Side? = nil) -> String {
        let best = self.best
        let entries = Side.allCases.map { token in
            let buys = (side == .bids) == (token == .yes)
            let size = self.size(side, price) + (damaged == token ? 1 : 0)
            let bid = token == .yes ? best.bid : best.ask.complement
            let ask = token == .yes ? best.ask : best.bid.complement
            return """
                {"asset_id":"\(self.asset(token))", "price":"\(Price(rawValue: token == .yes ? price : 10_000 - price))", \
                "size":"\(Size(rawValue: size))", "side":"\(buys ? "BUY" : "SELL")", \
                "hash":"\(self.spelled(token, spoilt: self.spoilsChanges || wrongHash == token))", \
                "best_bid":"\(bid)", "best_ask":"\(ask)"}
                """
        }
        return """
            {"market":"\(self.market)", "price_changes":[\(entries.joined(separator: ", "))], \
            "timestamp":"\(self.time)", "event_type":"price_change"}
            """
    }

    /// One action that touches one level.
    mutating func change(
        after milliseconds: Int64 = 1, _ side: BookSideKind, _ price: Int32, _ size: Int64, damaged: Side? = nil,
        wrongHash: Side? = nil
    ) -> String {
        self.time += milliseconds
        self.set(side, price, size)
        return self.priceChange(side, price, damaged: damaged, wrongHash: wrongHash)
    }

    func trade(_ side: Side, _ price: String, at time: Int64) -> String {
        """
        {"market":"\(self.market)","asset_id":"\(self.asset(side))","price":"\(price)","size":"1","fee_rate_bps":"0",\
        "side":"BUY","timestamp":"\(time)","event_type":"last_trade_price"}
        """
    }

    func tickSizeChange(_ side: Side, from old: String) -> String {
        """
        {"market":"\(self.market)","asset_id":"\(self.asset(side))","old_tick_size":"\(old)",\
        "new_tick_size":"\(self.tickSize)","timestamp":"\(self.time)","event_type":"tick_size_change"}
        """
    }
}

extension FeedCounters {
    /// Verified, unverifiable, mismatching.
    var bookHashes: [UInt64] { [self.bookHashesVerified, self.bookHashesUnverifiable, self.bookHashesMismatching] }
    /// Verified, unverifiable, mismatching.
    var changeHashes: [UInt64] {
        [self.changeHashesVerified, self.changeHashesUnverifiable, self.changeHashesMismatching]
    }
}
