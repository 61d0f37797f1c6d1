public import RealtimeOdds

/// Something that market events come from, in virtual time: a recording that is replayed, or a simulated world.
///
/// Played again, it tells the same: back-tests rest on that.
public protocol MarketEventSource: Sendable {
    /// What it is called in reports, such as the recording's path.
    var name: String { get }

    /// Tells the observer everything, from beginning to end, and returns then. Called from any thread, also from several at
    /// once with an observer each.
    ///
    /// - Parameter progress: is told now and then which share is done, 0 to 1.
    /// - Throws: what keeps it from being played to its end.
    func play(
        to observer: any MarketObserver, progress: @escaping @Sendable (Double) -> Void
    ) throws -> MarketEventSummary
}

/// What there was to play.
public struct MarketEventSummary: Hashable, Sendable, Codable {
    /// How many messages of the venue went in.
    public var messages: Int
    /// What was damaged or missing, in a sentence each; empty when all was well.
    public var problems: [String]

    /// A summary from its parts.
    public init(messages: Int = 0, problems: [String] = []) {
        self.messages = messages
        self.problems = problems
    }
}
