import OddsCore

/// An exchange with one market, kept in dictionaries: what every rebuilt book has to agree with.
struct ModelExchange {
    /// One message, and the stamp on it.
    struct Message {
        var text: String
        var time: Int64
    }

    static let market = Market(
        id: "0xfeed", slug: "fuzz", yes: Outcome(label: "Up", asset: "1111111111111111111111"),
        no: Outcome(label: "Down", asset: "2222222222222222222222"))

    /// Sizes by price, both in their whole units, from the side of YES.
    private(set) var bids: [Int32: Int64] = [4800: 5_000_000]
    private(set) var asks: [Int32: Int64] = [5200: 5_000_000]
    private(set) var time: Int64 = 1_790_000_000_000

    /// The best prices: what live odds must show. -1 for an empty side.
    struct Top: Hashable {
        var bid: Int32
        var ask: Int32
    }
    var top: Top { Top(bid: self.bids.keys.max() ?? -1, ask: self.asks.keys.min() ?? -1) }

    mutating func pass(_ milliseconds: Int) { self.time += Int64(milliseconds) }

    /// One action that touches some levels, as the messages that tell of it.
    mutating func act(_ choices: inout FuzzBytes) -> [Message] {
        var touched: [(side: BookSideKind, price: Int32)] = []
        for _ in 0...choices.below(5) {
            let side: BookSideKind = choices.below(2) == 0 ? .bids : .asks
            let step: Int32 = [100, 10, 1][choices.below(8) % 3]
            let distance = Int32(choices.below(64)) * step
            let price = side == .bids ? 4990 / step * step - distance : 5010 / step * step + distance
            guard (1..<10_000).contains(price), side == .bids ? price < self.lowestAsk : price > self.highestBid else {
                continue
            }
            let size = choices.below(3) == 0 ? 0 : Int64(choices.below(9) + 1) * 1_000_000
            if side == .bids { self.bids[price] = size == 0 ? nil : size }
            if side == .asks { self.asks[price] = size == 0 ? nil : size }
            if !touched.contains(where: { $0 == (side, price) }) { touched.append((side, price)) }
        }
        return touched.map { self.change($0.side, $0.price, noFirst: choices.below(2) == 0) }
    }

    /// A trade that takes a whole level: both tokens' books, one after the other.
    mutating func trade(_ choices: inout FuzzBytes) -> [Message] {
        if choices.below(2) == 0, let ask = self.asks.keys.min() {
            self.asks[ask] = nil
        } else if let bid = self.bids.keys.max() {
            self.bids[bid] = nil
        }
        let sides: [Side] = choices.below(2) == 0 ? [.yes, .no] : [.no, .yes]
        return sides.map { Message(text: self.book($0), time: self.time) }
    }

    /// What a new subscription is answered with.
    func dump(_ sides: [Side]) -> Message {
        Message(text: "[\(sides.map(self.book).joined(separator: ","))]", time: self.time)
    }

    func tickSizeChange(_ side: Side) -> Message {
        let text = """
            {"market":"0xfeed","asset_id":"\(Self.asset(side))","old_tick_size":"0.01","new_tick_size":"0.001",\
            "timestamp":"\(self.time)","event_type":"tick_size_change"}
            """
        return Message(text: text, time: self.time)
    }

    func bestBidAsk(_ side: Side) -> Message {
        let best = self.best(side)
        let text = """
            {"market":"0xfeed", "asset_id":"\(Self.asset(side))", "best_bid":"\(best.bid)", "best_ask":"\(best.ask)", \
            "timestamp":"\(self.time)", "event_type":"best_bid_ask"}
            """
        return Message(text: text, time: self.time)
    }

    /// One token's levels, as `FeedBooks.levels(of:)` lists them.
    func levels(_ side: Side) -> (bids: [Level], asks: [Level]) {
        func list(_ levels: [Int32: Int64], mirrored: Bool) -> [Level] {
            levels.map {
                Level(
                    price: Price(rawValue: mirrored ? 10_000 - $0.key : $0.key), size: Size(rawValue: $0.value))
            }.sorted { $0.price < $1.price }
        }
        return side == .yes
            ? (list(self.bids, mirrored: false), list(self.asks, mirrored: false).reversed())
            : (list(self.asks, mirrored: true), list(self.bids, mirrored: true).reversed())
    }

    private var lowestAsk: Int32 { self.asks.keys.min() ?? 10_000 }
    private var highestBid: Int32 { self.bids.keys.max() ?? 0 }

    private static func asset(_ side: Side) -> AssetID {
        side == .yes ? self.market.yes.asset : "2222222222222222222222"
    }

    private func best(_ side: Side) -> (bid: Price, ask: Price) {
        let (bid, ask) = (Price(rawValue: self.highestBid), Price(rawValue: self.lowestAsk))
        return side == .yes ? (bid, ask) : (ask.complement, bid.complement)
    }

    private func book(_ side: Side) -> String {
        let levels = self.levels(side)
        func list(_ levels: [Level]) -> String {
            "[" + levels.map { "{\"price\":\"\($0.price)\",\"size\":\"\($0.size)\"}" }.joined(separator: ",") + "]"
        }
        return """
            {"market":"0xfeed","asset_id":"\(Self.asset(side))","timestamp":"\(self.time)","hash":"",\
            "bids":\(list(levels.bids)),"asks":\(list(levels.asks)),"event_type":"book"}
            """
    }

    private func change(_ side: BookSideKind, _ price: Int32, noFirst: Bool) -> Message {
        let size = Size(rawValue: (side == .bids ? self.bids[price] : self.asks[price]) ?? 0)
        let entries = [Side.yes, .no].map { token in
            let isBuy = (side == .bids) == (token == .yes)
            let best = self.best(token)
            return """
                {"asset_id":"\(Self.asset(token))", \
                "price":"\(Price(rawValue: token == .yes ? price : 10_000 - price))", "size":"\(size)", \
                "side":"\(isBuy ? "BUY" : "SELL")", "hash":"", "best_bid":"\(best.bid)", "best_ask":"\(best.ask)"}
                """
        }
        let text = """
            {"market":"0xfeed", "price_changes":[\((noFirst ? entries.reversed() : entries).joined(separator: ", "))], \
            "timestamp":"\(self.time)", "event_type":"price_change"}
            """
        return Message(text: text, time: self.time)
    }
}

/// Choices out of the fuzzer's bytes; zero once they are used up.
struct FuzzBytes {
    private var rest: UnsafeRawBufferPointer
    init(_ bytes: UnsafeRawBufferPointer) { self.rest = bytes }

    var isEmpty: Bool { self.rest.isEmpty }

    mutating func below(_ limit: Int) -> Int {
        guard let byte = self.rest.first else { return 0 }
        self.rest = UnsafeRawBufferPointer(rebasing: self.rest.dropFirst())
        return Int(byte) % limit
    }
}
