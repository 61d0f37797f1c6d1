public import OddsCore

/// One market at the moment a strategy is asked.
public struct MarketView: Sendable {
    /// The odds.
    public let snapshot: OddsSnapshot
    /// What the venue demands.
    public let terms: MarketTerms
    /// Whether the market was bought before, or an order for it is on its way.
    public let hasTraded: Bool
    /// The time.
    public let now: ReceiveTime

    /// A view from its parts.
    public init(snapshot: OddsSnapshot, terms: MarketTerms, hasTraded: Bool, now: ReceiveTime) {
        self.snapshot = snapshot
        self.terms = terms
        self.hasTraded = hasTraded
        self.now = now
    }
}

/// What a strategy says about a market.
public enum Proposal: Hashable, Sendable {
    /// Buy this; the risk check has the last word.
    case buy(OrderIntent)
    /// There was a signal, and a rule of the strategy speaks against acting on it.
    case pass(Side, RefusalReason)
}

/// Decides what to buy. It sees one market at a time, and cannot tell a live one from a replayed one: time comes in, and
/// nothing else does.
public protocol Strategy: Sendable {
    /// Asked on every change of a market, and as the clock moves on; nothing when there is no signal.
    mutating func evaluate(_ view: MarketView) -> [Proposal]
}
