public import OddsCore

/// One entry of the trading loop's durable record. The account, the limits and everything that is told of trades follow
/// from the entries alone, in their order.
public enum JournalEntry: Hashable, Sendable, Codable {
    /// The record begins: the first entry, once.
    case opened(startingCash: Money, at: Timestamp)
    /// The broker did something.
    case execution(event: ExecutionEvent)
    /// A signal was not acted on.
    case refused(refusal: Refusal, slug: String)
    /// The order that follows was decided on odds that nothing confirms.
    case warned(warning: TradeWarning)
    /// The kill switch was turned by hand; the kill file is no entry, it speaks for itself.
    case killSwitch(isOn: Bool, by: KillOrigin, at: Timestamp)
}

/// That an order was decided on odds that nothing confirmed.
public struct TradeWarning: Hashable, Sendable, Codable {
    /// The market.
    public let market: MarketID
    /// What the odds were: the name of their trust.
    public let trust: String
    /// Why, when the trust has a reason.
    public let reason: String?
    /// How long they had not been confirmed, in milliseconds.
    public let age: Int64
    /// When, by the wall clock.
    public let time: Timestamp

    /// A warning from its parts.
    public init(market: MarketID, trust: String, reason: String?, age: Int64, time: Timestamp) {
        self.market = market
        self.trust = trust
        self.reason = reason
        self.age = age
        self.time = time
    }

    init(_ warning: StaleWarning, _ now: Timestamp) {
        let parts = warning.age.components
        self.init(
            market: warning.market, trust: warning.trust.name, reason: warning.trust.reason,
            age: parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000, time: now)
    }
}

/// Who turned the kill switch.
public enum KillOrigin: String, Hashable, Sendable, Codable, CaseIterable {
    /// The kill file exists.
    case file
    /// The HTTP API.
    case http
    /// A signal to the process.
    case signal
}

/// Whether buying is forbidden, and by whom. On as long as the file exists, or somebody turned it on by hand.
public struct KillSwitch: Hashable, Sendable {
    /// Whether the kill file exists.
    public var isFilePresent = false
    /// Who turned it on by hand; nil when nobody did, or it was turned off again.
    public internal(set) var manual: KillOrigin?

    /// A switch that is off.
    public init() {}

    /// Who forbids buying; nil when nobody does.
    public var origin: KillOrigin? { self.isFilePresent ? .file : self.manual }
    /// Whether buying is forbidden.
    public var isOn: Bool { self.origin != nil }
}
