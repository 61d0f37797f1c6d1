/// Why something was not bought: the strategy's reasons, the risk check's, the broker's, in one closed set.
public enum RefusalReason: String, Hashable, Sendable, Codable, CaseIterable {
    /// The kill switch is on.
    case killSwitch
    /// The record of what is bought cannot be written: nothing is bought that would be forgotten.
    case recordUnavailable
    /// The market is decided, closed, or its window is over.
    case marketClosed
    /// The venue takes no orders for the market.
    case notAcceptingOrders
    /// Nothing is known of the market.
    case unknownMarket
    /// The order was decided before the market's continuity was lost.
    case epochMoved
    /// The odds are not confirmed, and the stale policy forbids to go on with them.
    case staleOdds
    /// The market's price step is not known, or has just changed.
    case tickSizeUnknown
    /// The limit is no price of the market: 0, 1, or between two steps.
    case priceOffTick
    /// The size is not a whole number of lots.
    case sizeOffLot
    /// The size is below the market's smallest order.
    case belowMinimumOrderSize
    /// The window has not reached the entry window, or has left it.
    case outsideEntryWindow
    /// The market was bought before, or an order is on its way.
    case alreadyTraded
    /// The best offer is dearer than the strategy pays.
    case priceAboveCap
    /// Nobody offers, or not at the limit, or there was no book to buy from.
    case nothingOffered
    /// The order could cost more than one order may.
    case stakeLimit
    /// With the order, more would be at risk than may be.
    case exposureLimit
    /// As much as may be lost in a day has been lost today.
    case dailyLossLimit
    /// As many orders as may be sent in a minute have been.
    case orderRateLimit
    /// The account cannot pay for the order at its limit.
    case insufficientFunds
    /// An order of this number was there before.
    case duplicateOrder
    /// The program ended before the order was filled.
    case stopped
    /// The program was restarted before the order was filled.
    case restarted
}
