/// What the bot beside the stream can be asked: the API reads through it, and turns its kill switch. Nothing suspends but
/// the switch, which is on record when it returns.
public protocol BotSource: Sendable {
    /// The spikes that are remembered, the newest first, those that still last included.
    func spikes() -> [SpikeRecord]
    /// The orders that are remembered, the newest first; empty without a trading loop.
    func trades() -> [TradeRecord]
    /// The signals that were not acted on, as far as they are remembered, the newest first.
    func refusals() -> [RefusalRecord]
    /// The account now; nil without a trading loop.
    func account() -> AccountRecord?
    /// How the parts beside the stream fare: history, signals, reference price. Empty by default.
    var parts: [PartStatus] { get }
    /// Turns the kill switch, in the name of `origin` (`http`, `signal`). Returns the account after it; nil without a
    /// trading loop. While the kill file exists the switch stays on.
    func setKillSwitch(_ isOn: Bool, by origin: String) async -> AccountRecord?
}

extension BotSource {
    /// There are no such parts.
    public var parts: [PartStatus] { [] }
}

/// How one part of the program fares, in words and counts.
public struct PartStatus: Sendable {
    /// The part: `history`, `signals.webhook`, `reference`, …
    public var name: String
    /// Its state in one word; `ok` where it has no states of its own.
    public var state: String
    /// What is wrong, in a sentence for people; nil when nothing is.
    public var problem: String?
    /// Named counts since the start; keys are dotted and stable.
    public var counters: [(name: String, value: UInt64)]

    /// A status from its parts.
    public init(name: String, state: String, problem: String?, counters: [(name: String, value: UInt64)]) {
        self.name = name
        self.state = state
        self.problem = problem
        self.counters = counters
    }
}
