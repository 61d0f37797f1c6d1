/// One order and everything that became of it: an item of `/v1/trades`, a row of `oddstream trades` and of the history.
///
/// Prices are JSON numbers from 0 to 1, sizes are shares, money is dollars to the micro-dollar, times are Unix milliseconds
/// by this machine's wall clock. An absent value is null.
public struct TradeRecord: Hashable, Sendable, Codable {
    /// How far an order got.
    public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
        /// On its way to the venue.
        case pending
        /// The broker did not take it; `reason` says why.
        case rejected
        /// Gone without a share bought; `reason` says why.
        case cancelled
        /// Bought, in part or whole; the market is not decided.
        case open
        /// Paid out.
        case settled
    }

    /// The order's number, growing from 1, also over restarts.
    public var order: UInt64
    /// Who fills: `paper`.
    public var broker: String
    /// The market's condition id.
    public var market: MarketID
    /// The market's readable name.
    public var slug: String
    /// The side bought.
    public var side: Side
    /// How far the order got.
    public var status: Status
    /// Why it was rejected or cancelled; nil otherwise.
    @NullWhenAbsent public var reason: String?
    /// When it was decided.
    public var decided: Timestamp
    /// The market's epoch under which it was decided.
    public var epoch: UInt64
    /// The highest price to pay for a share.
    public var limit: Double
    /// Shares asked for.
    public var size: Double
    /// Shares bought.
    public var filled: Double
    /// What was paid for a share on average; nil when nothing was bought.
    @NullWhenAbsent public var averagePrice: Double?
    /// What the shares cost, without the fee, in dollars.
    public var cost: Double
    /// The taker's fee, in dollars.
    public var fee: Double
    /// When they were bought; nil when they were not.
    @NullWhenAbsent public var filledAt: Timestamp?
    /// Who won: `yes`, `no` or `split`; nil while that is not known.
    @NullWhenAbsent public var winner: String?
    /// Where the outcome was learned: `market_resolved`, `gamma` or `reference_price`; nil before.
    @NullWhenAbsent public var settledBy: String?
    /// What the shares paid, in dollars; nil before.
    @NullWhenAbsent public var payout: Double?
    /// Payout − cost − fee, in dollars; nil before.
    @NullWhenAbsent public var profit: Double?
    /// When it was paid out; nil before.
    @NullWhenAbsent public var settledAt: Timestamp?

    /// An order that was just decided.
    public init(
        order: UInt64, broker: String, market: MarketID, slug: String, side: Side, decided: Timestamp, epoch: UInt64,
        limit: Double, size: Double
    ) {
        self.order = order
        self.broker = broker
        self.market = market
        self.slug = slug
        self.side = side
        self.status = .pending
        self.decided = decided
        self.epoch = epoch
        self.limit = limit
        self.size = size
        self.filled = 0
        self.cost = 0
        self.fee = 0
    }

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case order, broker, market, slug, side, status, reason
        case decided = "decided_ms"
        case epoch, limit, size, filled
        case averagePrice = "average_price"
        case cost, fee
        case filledAt = "filled_ms"
        case winner
        case settledBy = "settled_by"
        case payout, profit
        case settledAt = "settled_ms"
    }
}

/// A signal that was not acted on, and why: an item of `/v1/refusals`, a row of the history.
public struct RefusalRecord: Hashable, Sendable, Codable {
    /// The market's condition id.
    public var market: MarketID
    /// The market's readable name; empty when only the feed is known.
    public var slug: String
    /// The side that would have been bought.
    public var side: Side
    /// Why it was not: one of a closed set, such as `epochMoved` or `killSwitch`.
    public var reason: String
    /// The limit that was wanted; nil when a rule spoke against it before that was worked out.
    @NullWhenAbsent public var limit: Double?
    /// The shares that were wanted; nil likewise.
    @NullWhenAbsent public var size: Double?
    /// When, in Unix milliseconds.
    public var time: Timestamp

    /// A record from its parts.
    public init(
        market: MarketID, slug: String, side: Side, reason: String, limit: Double?, size: Double?, time: Timestamp
    ) {
        self.market = market
        self.slug = slug
        self.side = side
        self.reason = reason
        self.limit = limit
        self.size = size
        self.time = time
    }

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case market, slug, side, reason, limit, size
        case time = "time_ms"
    }
}

/// The account and the limits at one moment: `/v1/account`. Money is dollars to the micro-dollar.
public struct AccountRecord: Hashable, Sendable, Codable {
    /// Who fills: `paper`.
    public var broker: String
    /// What the account began with.
    public var startingCash: Double
    /// What is left in cash.
    public var cash: Double
    /// Cash, and what is held at what it cost.
    public var equity: Double
    /// What settled positions paid over what they cost, before fees.
    public var profit: Double
    /// All fees paid.
    public var fees: Double
    /// The deepest that equity fell below its highest before.
    public var maximumDrawdown: Double
    /// How many orders bought something.
    public var filledOrders: Int
    /// How many orders were rejected, or cancelled without a share bought.
    public var failedOrders: Int
    /// How many positions are open.
    public var openPositions: Int
    /// How many positions were settled.
    public var settledPositions: Int
    /// How many of them won money, after fees.
    public var hits: Int
    /// `hits` over `settledPositions`, 0 to 1; nil before the first.
    @NullWhenAbsent public var hitRate: Double?
    /// What open positions have cost and open orders could cost.
    public var exposure: Double
    /// Whether the kill switch is on: nothing is bought.
    public var isKilled: Bool
    /// Who turned the kill switch on: `file`, `http`, `signal`; nil while it is off.
    @NullWhenAbsent public var killedBy: String?

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case broker
        case startingCash = "starting_cash"
        case cash, equity, profit, fees
        case maximumDrawdown = "maximum_drawdown"
        case filledOrders = "filled_orders"
        case failedOrders = "failed_orders"
        case openPositions = "open_positions"
        case settledPositions = "settled_positions"
        case hits
        case hitRate = "hit_rate"
        case exposure
        case isKilled = "killed"
        case killedBy = "killed_by"
    }

    /// A record from its parts.
    public init(
        broker: String, startingCash: Double, cash: Double, equity: Double, profit: Double, fees: Double,
        maximumDrawdown: Double, filledOrders: Int, failedOrders: Int, openPositions: Int, settledPositions: Int,
        hits: Int, hitRate: Double?, exposure: Double, isKilled: Bool, killedBy: String?
    ) {
        self.broker = broker
        self.startingCash = startingCash
        self.cash = cash
        self.equity = equity
        self.profit = profit
        self.fees = fees
        self.maximumDrawdown = maximumDrawdown
        self.filledOrders = filledOrders
        self.failedOrders = failedOrders
        self.openPositions = openPositions
        self.settledPositions = settledPositions
        self.hits = hits
        self.hitRate = hitRate
        self.exposure = exposure
        self.isKilled = isKilled
        self.killedBy = killedBy
    }
}
