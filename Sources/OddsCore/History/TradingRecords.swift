/// Shares that were bought at one price: an order that takes several levels leaves several of these.
public struct FillRecord: Hashable, Sendable, Codable {
    /// The order's number.
    public var order: UInt64
    /// Which of the order's fills it is, from 0.
    public var index: Int
    /// Who filled: `paper`.
    public var broker: String
    /// The market's condition id.
    public var market: MarketID
    /// The market's readable name.
    public var slug: String
    /// The side bought.
    public var side: Side
    /// What was paid for a share, 0 to 1.
    public var price: Double
    /// How many shares.
    public var size: Double
    /// When, by this machine's wall clock.
    public var time: Timestamp

    /// A record from its parts.
    public init(
        order: UInt64, index: Int, broker: String, market: MarketID, slug: String, side: Side, price: Double,
        size: Double, time: Timestamp
    ) {
        self.order = order
        self.index = index
        self.broker = broker
        self.market = market
        self.slug = slug
        self.side = side
        self.price = price
        self.size = size
        self.time = time
    }

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case order
        case index = "fill"
        case broker, market, slug, side, price, size
        case time = "filled_ms"
    }
}

/// The end of a position. Money is dollars to the micro-dollar.
public struct SettlementRecord: Hashable, Sendable, Codable {
    /// Who held it: `paper`.
    public var broker: String
    /// The market's condition id.
    public var market: MarketID
    /// The market's readable name.
    public var slug: String
    /// The side that was held.
    public var side: Side
    /// Who won: `yes`, `no` or `split`.
    public var winner: String
    /// Where the outcome was learned: `market_resolved`, `gamma` or `reference_price`.
    public var settledBy: String
    /// How many shares were held.
    public var size: Double
    /// What they had cost, without fees.
    public var cost: Double
    /// The fees paid on them.
    public var fees: Double
    /// What they paid.
    public var payout: Double
    /// Payout − cost − fees.
    public var profit: Double
    /// When, by this machine's wall clock.
    public var time: Timestamp

    /// A record from its parts.
    public init(
        broker: String, market: MarketID, slug: String, side: Side, winner: String, settledBy: String, size: Double,
        cost: Double, fees: Double, payout: Double, profit: Double, time: Timestamp
    ) {
        self.broker = broker
        self.market = market
        self.slug = slug
        self.side = side
        self.winner = winner
        self.settledBy = settledBy
        self.size = size
        self.cost = cost
        self.fees = fees
        self.payout = payout
        self.profit = profit
        self.time = time
    }

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case broker, market, slug, side, winner
        case settledBy = "settled_by"
        case size, cost, fees, payout, profit
        case time = "settled_ms"
    }
}

/// A price of the thing a market is about, from outside the market.
public struct ReferencePriceRecord: Hashable, Sendable, Codable {
    /// What has the price, such as `btc/usd`.
    public var symbol: String
    /// Who says so, such as `chainlink`.
    public var source: String
    /// The price, in dollars.
    public var price: Double
    /// The source's stamp on it.
    public var time: Timestamp
    /// When this machine read it.
    public var received: Timestamp

    /// A record from its parts.
    public init(symbol: String, source: String, price: Double, time: Timestamp, received: Timestamp) {
        self.symbol = symbol
        self.source = source
        self.price = price
        self.time = time
        self.received = received
    }

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case symbol, source, price
        case time = "time_ms"
        case received = "received_ms"
    }
}

/// What became of one signal at one destination. Recorded again after another attempt, it takes the earlier one's place.
public struct SignalRecord: Hashable, Sendable, Codable {
    /// The signal's id: the idempotency key its receiver sees.
    public var id: String
    /// What it tells, such as `spike.began` or `order.filled`.
    public var kind: String
    /// Where it went, such as `webhook` or `command`.
    public var sink: String
    /// The market's condition id; nil when it is about none.
    @NullWhenAbsent public var market: MarketID?
    /// How many attempts were made.
    public var attempts: Int
    /// How it went, such as `delivered`, `failed` or `dropped`.
    public var outcome: String
    /// What went wrong last, for people; nil when nothing did.
    @NullWhenAbsent public var detail: String?
    /// When the signal was given, by this machine's wall clock.
    public var time: Timestamp

    /// A record from its parts.
    public init(
        id: String, kind: String, sink: String, market: MarketID?, attempts: Int, outcome: String,
        detail: String? = nil, time: Timestamp
    ) {
        self.id = id
        self.kind = kind
        self.sink = sink
        self.attempts = attempts
        self.outcome = outcome
        self.time = time
        self.market = market
        self.detail = detail
    }

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case id, kind, sink, market, attempts, outcome, detail
        case time = "time_ms"
    }
}
