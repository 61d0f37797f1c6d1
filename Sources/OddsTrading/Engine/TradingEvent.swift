public import OddsCore

/// What the trading loop is told; each event carries the time it happened at.
public enum TradingEvent: Sendable {
    /// A market's values, trust or epoch changed.
    case odds(OddsSnapshot, now: ReceiveTime)
    /// What the venue demands in a market is known, or has changed; before, it follows from the market's discovery.
    case terms(MarketID, MarketTerms, now: ReceiveTime)
    /// Somebody beside the strategy wants to buy: the same risk check, without the strategy's rules.
    case intent(OrderIntent, now: ReceiveTime)
    /// The broker did something.
    case execution(ExecutionEvent)
    /// The kill switch was turned on or off.
    case killSwitch(isOn: Bool, now: ReceiveTime)
    /// The record can be written, or not any more.
    case recordable(Bool, now: ReceiveTime)
    /// Time passed: told once a second or so, because an entry window opens without a word from the market.
    case clock(now: ReceiveTime)
    /// A market is over and will not be asked about again.
    case marketEnded(MarketID)
}

/// What the trading loop wants done, or on record.
public enum Decision: Hashable, Sendable {
    /// Hand this to the broker.
    case submit(RiskApproved)
    /// Take back every order that is not filled.
    case cancelOpenOrders
    /// Nothing was bought, and why.
    case refuse(Refusal)
    /// The order that follows was decided on odds that nothing confirms.
    case warn(StaleWarning)
}

/// A signal that was not acted on.
public struct Refusal: Hashable, Sendable, Codable {
    /// The market.
    public let market: MarketID
    /// The side that would have been bought.
    public let side: Side
    /// Why it was not.
    public let reason: RefusalReason
    /// What was wanted; nil when a rule of the strategy spoke against it before that was worked out.
    public let intent: OrderIntent?
    /// When, by the wall clock.
    public let time: Timestamp
}
