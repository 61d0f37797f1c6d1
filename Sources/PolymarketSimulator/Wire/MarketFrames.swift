internal import OddsCore

/// Spells one market's events the way the market channel does: key order, spacing and numbers of the real frames.
struct MarketFrames: Sendable {
    private let window: SimulatedWindow
    private let cipher: TokenCipher
    private var hashers: [BookHasher]
    /// How far the venue's clock is ahead: stamps, and the hashes over them.
    var skew = Duration.zero

    init(window: SimulatedWindow, cipher: TokenCipher) {
        self.window = window
        self.cipher = cipher
        self.hashers = Token.allCases.map {
            BookHasher(market: MarketID(window.condition), asset: AssetID(window.asset($0)))
        }
    }

    /// The hash of a token's book as it stands, at a time.
    mutating func hash(_ token: Token, of process: MarketProcess, at time: Timestamp) -> BookHash {
        self.hashers[token.rawValue].hash(
            timestamp: time, bids: process.book.bids(of: token), asks: process.book.asks(of: token),
            tickSize: process.tickSize, lastTradePrice: process.lastTrade?.price)
    }

    /// A token's whole book; in a REST answer the two fields follow that the channel leaves out.
    mutating func book(_ token: Token, of process: MarketProcess, rest: Bool) -> [UInt8] {
        self.book(token, process.book, of: process, at: process.bookTime.advanced(by: self.skew), rest: rest)
    }

    /// A book that was never there, as the REST API tells it at times: 0.01 against 0.99, stamped with the time.
    mutating func ghost(_ token: Token, of process: MarketProcess, at time: Timestamp) -> [UInt8] {
        var book = SimulatedBook()
        book.set(.bids, price: 0.01, size: Size(rawValue: 2_500_000_000))
        book.set(.asks, price: 0.99, size: Size(rawValue: 2_500_000_000))
        return self.book(token, book, of: process, at: time, rest: true)
    }

    private mutating func book(
        _ token: Token, _ book: SimulatedBook, of process: MarketProcess, at time: Timestamp, rest: Bool
    ) -> [UInt8] {
        let hash = self.hashers[token.rawValue].hash(
            timestamp: time, bids: book.bids(of: token), asks: book.asks(of: token), tickSize: process.tickSize,
            lastTradePrice: process.lastTrade?.price)
        var text = Text(reserving: 4096)
        text.add(#"{"market":""#)
        text.add(self.window.condition)
        text.add(#"","asset_id":""#)
        text.add(self.window.asset(token))
        text.add(#"","timestamp":""#)
        text.add(String(time.milliseconds))
        text.add(#"","hash":""#)
        text.add(hash)
        text.add(#"","bids":["#)
        Self.levels(book.bids(of: token), &text)
        text.add(#"],"asks":["#)
        Self.levels(book.asks(of: token), &text)
        text.add(rest ? #"],"min_order_size":"5","tick_size":""# : #"],"tick_size":""#)
        text.add(process.tickSize)
        text.add(rest ? #"","neg_risk":false,"last_trade_price":""# : #"","event_type":"book","last_trade_price":""#)
        text.add(process.lastTrade?.price.lastTradeText ?? "")
        text.add(rest ? "\"}\n" : "\"}")
        return text.bytes
    }

    private static func levels(_ levels: SimulatedBook.Levels, _ text: inout Text) {
        var isFirst = true
        for level in levels {
            text.add(isFirst ? #"{"price":""# : #",{"price":""#)
            isFirst = false
            text.add(level.price)
            text.add(#"","size":""#)
            text.add(level.size)
            text.add(#""}"#)
        }
    }

    /// One action's messages: one per level, each with the hashes and best prices after all of them.
    mutating func priceChanges(_ changes: [LevelChange], of process: MarketProcess, at time: Timestamp) -> [[UInt8]] {
        let time = time.advanced(by: self.skew)
        let hashes = Token.allCases.map { self.hash($0, of: process, at: time).description }
        let tails = Token.allCases.map { token in
            let top = process.book.top(of: token)
            return #"", "best_bid":"\#(top.bid?.price ?? .zero)", "best_ask":"\#(top.ask?.price ?? .one)"}"#
        }
        return changes.map { change in
            var text = Text(reserving: 640)
            text.add(#"{"market":""#)
            text.add(self.window.condition)
            text.add(#"", "price_changes":["#)
            for token in [change.placedOn, change.placedOn.opposite] {
                let buys = (change.side == .bids) == (token == .up)
                if token != change.placedOn { text.add(", ") }
                text.add(#"{"asset_id":""#)
                text.add(self.window.asset(token))
                text.add(#"", "price":""#)
                text.add(token == .up ? change.price : change.price.complement)
                text.add(#"", "size":""#)
                text.add(change.size)
                text.add(buys ? #"", "side":"BUY", "hash":""# : #"", "side":"SELL", "hash":""#)
                text.add(hashes[token.rawValue])
                text.add(tails[token.rawValue])
            }
            text.add(#"], "timestamp":""#)
            text.add(String(time.milliseconds))
            text.add(#"", "event_type":"price_change"}"#)
            return text.bytes
        }
    }

    /// A token's best prices, for those who asked for the custom events.
    func bestBidAsk(_ token: Token, of process: MarketProcess, at time: Timestamp) -> [UInt8] {
        let top = process.book.top(of: token)
        let bid = top.bid?.price ?? .zero
        let ask = top.ask?.price ?? .one
        let spread = Price(rawValue: max(0, ask.rawValue - bid.rawValue))
        return Array(
            (#"{"market":"\#(self.window.condition)", "asset_id":"\#(self.window.asset(token))", "#
                + #""best_bid":"\#(bid)", "best_ask":"\#(ask)", "spread":"\#(spread)", "#
                + #""timestamp":"\#(self.stamp(time))", "event_type":"best_bid_ask"}"#).utf8)
    }

    func trade(_ trade: SimulatedTrade, at time: Timestamp) -> [UInt8] {
        let transaction = self.cipher.identifier(
            series: Deterministic.hash(self.window.slug), number: trade.number, kind: .transaction)
        return Array(
            (#"{"market":"\#(self.window.condition)","asset_id":"\#(self.window.asset(trade.token))","#
                + #""price":"\#(trade.price)","size":"\#(trade.size)","fee_rate_bps":"0","#
                + #""side":"\#(trade.takerBuys ? "BUY" : "SELL")","timestamp":"\#(self.stamp(time))","#
                + #""event_type":"last_trade_price","transaction_hash":"0x\#(transaction.hexadecimal)"}"#).utf8)
    }

    func tickSize(_ token: Token, old: Price, new: Price, at time: Timestamp) -> [UInt8] {
        Array(
            (#"{"market":"\#(self.window.condition)","asset_id":"\#(self.window.asset(token))","#
                + #""old_tick_size":"\#(old)","new_tick_size":"\#(new)","timestamp":"\#(self.stamp(time))","#
                + #""event_type":"tick_size_change"}"#).utf8)
    }

    private func stamp(_ time: Timestamp) -> Int64 { time.advanced(by: self.skew).milliseconds }

    // MARK: Broadcasts

    private static func eventMessage(_ window: SimulatedWindow) -> String {
        #"{"id":"\#(window.eventNumber)", "ticker":"\#(window.slug)", "slug":"\#(window.slug)", "#
            + #""title":\#(Text.quoted(window.title)), "description":\#(Text.quoted(window.rules))}"#
    }

    /// A market has come into being: told to everybody who asked for the custom events, whatever they follow.
    static func newMarket(_ window: SimulatedWindow, at time: Timestamp) -> [UInt8] {
        let tokens = #"["\#(window.up)", "\#(window.down)"]"#
        let head =
            #"{"id":"\#(window.number)", "question":\#(Text.quoted(window.title)), "market":"\#(window.condition)", "#
            + #""slug":"\#(window.slug)", "description":\#(Text.quoted(window.rules)), "assets_ids":\#(tokens), "#
            + #""outcomes":["Up", "Down"], "event_message":\#(Self.eventMessage(window)), "#
        let tail =
            #""timestamp":"\#(time.milliseconds)", "event_type":"new_market", "tags":[], "#
            + #""condition_id":"\#(window.condition)", "active":false, "clob_token_ids":\#(tokens), "#
            + #""sports_market_type":"", "line":"", "game_start_time":"", "order_price_min_tick_size":"0.01", "#
            + #""group_item_title":"", "taker_base_fee":"1000", "fees_enabled":true, "#
            + #""fee_schedule":{"exponent":"1", "rate":"0.07", "taker_only":true, "rebate_rate":"0.2"}}"#
        return Array((head + tail).utf8)
    }

    /// A market is decided.
    static func resolved(_ window: SimulatedWindow, winner: Token, at time: Timestamp) -> [UInt8] {
        Array(
            (#"{"id":"\#(window.number)", "question":\#(Text.quoted(window.title)), "market":"\#(window.condition)", "#
                + #""slug":"\#(window.slug)", "description":\#(Text.quoted(window.rules)), "#
                + #""assets_ids":["\#(window.up)", "\#(window.down)"], "outcomes":["Up", "Down"], "#
                + #""winning_asset_id":"\#(window.asset(winner))", "winning_outcome":"\#(winner.label)", "#
                + #""event_message":\#(Self.eventMessage(window)), "timestamp":"\#(time.milliseconds)", "#
                + #""event_type":"market_resolved", "tags":[]}"#).utf8)
    }
}
