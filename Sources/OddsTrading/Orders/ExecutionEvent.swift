public import OddsCore

/// What a broker did: the account and the risk follow from these alone, and can be had again by replaying them.
public enum ExecutionEvent: Hashable, Sendable, Codable {
    /// The broker has the order.
    case accepted(Order)
    /// The broker does not take the order.
    case rejected(Order, RefusalReason)
    /// Shares were bought; what is left of the order is cancelled.
    case filled(Execution)
    /// The order is gone without a share bought.
    case cancelled(OrderID, RefusalReason, at: Timestamp)
    /// A position was paid out.
    case settled(Settlement)
}

/// What became of an order that bought something.
public struct Execution: Hashable, Sendable, Codable {
    /// The order.
    public let order: OrderID
    /// The market.
    public let market: MarketID
    /// The side that was bought.
    public let side: Side
    /// What was bought, the cheapest first.
    public let fills: [Fill]
    /// What the shares cost, without the fee.
    public let cost: Money
    /// The taker's fee.
    public let fee: Money
    /// How many shares of the order were not there at its limit.
    public let unfilled: Size
    /// When, by the wall clock.
    public let time: Timestamp

    /// An execution from its parts.
    public init(
        order: OrderID, market: MarketID, side: Side, fills: [Fill], cost: Money, fee: Money, unfilled: Size,
        time: Timestamp
    ) {
        self.order = order
        self.market = market
        self.side = side
        self.fills = fills
        self.cost = cost
        self.fee = fee
        self.unfilled = unfilled
        self.time = time
    }

    /// How many shares were bought.
    public var size: Size { self.fills.reduce(.zero) { $0 + $1.size } }
}

/// The end of a position.
public struct Settlement: Hashable, Sendable, Codable {
    /// The market.
    public let market: MarketID
    /// The side that was held.
    public let side: Side
    /// The side that won; nil when the payout was split.
    public let winner: Side?
    /// How many shares were held.
    public let size: Size
    /// What they had cost.
    public let cost: Money
    /// The fees paid on them.
    public let fees: Money
    /// What they paid: 1 dollar a share of the winner, half a dollar of each side when split.
    public let payout: Money
    /// Where the outcome was learned.
    public let source: ResolutionSource
    /// When, by the wall clock.
    public let time: Timestamp

    /// A settlement from its parts.
    public init(
        market: MarketID, side: Side, winner: Side?, size: Size, cost: Money, fees: Money, payout: Money,
        source: ResolutionSource, time: Timestamp
    ) {
        self.market = market
        self.side = side
        self.winner = winner
        self.size = size
        self.cost = cost
        self.fees = fees
        self.payout = payout
        self.source = source
        self.time = time
    }

    /// Payout − cost.
    public var profit: Money { self.payout - self.cost }
    /// Payout − cost − fees.
    public var netProfit: Money { self.profit - self.fees }
}
