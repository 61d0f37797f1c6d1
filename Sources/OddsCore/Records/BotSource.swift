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
    /// Turns the kill switch, in the name of `origin` (`http`, `signal`). Returns the account after it; nil without a
    /// trading loop. While the kill file exists the switch stays on.
    func setKillSwitch(_ isOn: Bool, by origin: String) async -> AccountRecord?
}
