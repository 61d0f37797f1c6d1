/// Whoever knows the reference price: the port through which the rest of a program reads it.
public protocol ReferenceSource: Sendable {
    /// Where a market stands now. From any thread, without waiting; what is not known is said with its reason.
    func reading(for market: Market) -> ReferenceReading
    /// How a market ended; unknown unless both of its prices are known without a gap.
    func outcome(of market: Market) -> ReferenceOutcome
    /// The connection and its counters.
    var referenceStatus: ReferenceStatus { get }
}

/// How the reference price fares.
public struct ReferenceStatus: Sendable {
    /// When it was started; nil before.
    public var startedAt: Timestamp?
    /// `idle` (nothing is followed), `connecting`, `live`, `waiting` (for the next attempt) or `closed`.
    public var state: String
    /// What is followed, such as `chainlink btc/usd`.
    public var feeds: [String]
    /// How often the connection was lost since the start.
    public var disconnects: UInt64
    /// Attempts that failed, and connections that brought nothing, in a row.
    public var failuresInARow: Int
    /// Time since the last new price came in; nil when none has.
    public var dataAge: Duration?
    /// What ended the last connection or attempt; nil when nothing has.
    public var lastError: String?
    /// Named counts since the start; keys are dotted and stable (`reference.updates`).
    public var counters: [(name: String, value: UInt64)]

    /// A status from its parts.
    public init(
        startedAt: Timestamp? = nil, state: String = "idle", feeds: [String] = [], disconnects: UInt64 = 0,
        failuresInARow: Int = 0, dataAge: Duration? = nil, lastError: String? = nil,
        counters: [(name: String, value: UInt64)] = []
    ) {
        self.startedAt = startedAt
        self.state = state
        self.feeds = feeds
        self.disconnects = disconnects
        self.failuresInARow = failuresInARow
        self.dataAge = dataAge
        self.lastError = lastError
        self.counters = counters
    }
}
