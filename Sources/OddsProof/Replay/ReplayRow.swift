package import OddsCore

/// One row of a recording, as a replay takes it.
package enum ReplayRow {
    /// A message came. Its bytes are valid until the next row is asked for.
    case message(UnsafeRawBufferPointer, line: Int, connection: Int)
    /// Something happened to a connection.
    case connection(FeedConnectionEvent, line: Int, connection: Int)
    /// A server answered, or did not.
    case answer(RESTExchange)
    /// What to follow was told, or something was found out about it.
    case command(FeedCommand)
    /// The wall clock differs from the recording's time by so many nanoseconds from here on.
    case clock(step: Int64)
    /// A tape begins behind a recording: messages, and no word about connections.
    case tape
    /// A run begins: what comes belongs to another process than what came before.
    case start(ReplayRun)
    /// So many rows are missing here.
    case lost(UInt64)
    /// The run ended in good order.
    case end
    /// Nothing that a replay needs. Its time does not count either: prices and notes are stamped by others than the feed.
    case other
}

/// How the run that was recorded was set up, as far as its recording says.
package struct ReplayRun: Sendable, Hashable {
    /// How many lines there were.
    package var lines: Int?
    /// What jitter was drawn from.
    package var seed: UInt64?
    /// How often connections were renewed; zero for never.
    package var renewalInterval: Duration?

    package init(lines: Int? = nil, seed: UInt64? = nil, renewalInterval: Duration? = nil) {
        self.lines = lines
        self.seed = seed
        self.renewalInterval = renewalInterval
    }
}

/// Where rows come from, in their order.
package protocol ReplaySource: AnyObject {
    /// The next row with its time on both clocks; nil at the end.
    func next() throws -> (row: ReplayRow, received: ReceiveTime)?
    /// The share of all rows that were given, 0 to 1, as far as that is known.
    var share: Double { get }
    /// What could not be read, in sentences.
    var damage: [String] { get }
}
