public import OddsCore

/// What the venue demands of an order in one market.
public struct MarketTerms: Hashable, Sendable {
    /// The step of prices; nil when it is not known.
    public var tickSize: Price?
    /// The smallest order.
    public var minimumOrderSize: Size
    /// Whether the venue takes orders.
    public var acceptingOrders: Bool
    /// Whether the market is closed.
    public var closed: Bool
    /// The taker's fee.
    public var fees: FeeSchedule

    /// Terms from their parts.
    public init(
        tickSize: Price?, minimumOrderSize: Size, acceptingOrders: Bool = true, closed: Bool = false,
        fees: FeeSchedule = .crypto
    ) {
        self.tickSize = tickSize
        self.minimumOrderSize = minimumOrderSize
        self.acceptingOrders = acceptingOrders
        self.closed = closed
        self.fees = fees
    }

    /// The terms of a market as it was discovered. A market that only the feed is known of (it has no slug) was given the
    /// usual tick size, which nobody has confirmed: its tick size is unknown.
    public init(_ market: Market) {
        self.init(
            tickSize: market.slug.isEmpty ? nil : market.tickSize, minimumOrderSize: market.minimumOrderSize,
            acceptingOrders: market.acceptingOrders, closed: market.closed, fees: FeeSchedule(market))
    }

    /// What in an order the venue would not take; nil when it would.
    func objection(limit: Price, size: Size) -> RefusalReason? {
        if self.closed { return .marketClosed }
        if !self.acceptingOrders { return .notAcceptingOrders }
        guard let tickSize, tickSize > .zero else { return .tickSizeUnknown }
        if limit == .zero || limit == .one || limit.rawValue % tickSize.rawValue != 0 { return .priceOffTick }
        if !Lot.divides(size) { return .sizeOffLot }
        return size < self.minimumOrderSize || size == .zero ? .belowMinimumOrderSize : nil
    }
}
