/// Where a row of a recording came from: its `c`.
public enum RecordedChannel: Hashable, Sendable {
    /// A line of the market channel: the line's number.
    case line(Int)
    /// The socket with the reference prices: `rtds`.
    case reference
    /// Requests to the REST APIs: `rest`.
    case rest
    /// Commands to the feed and the recorder's own notes: `feed`.
    case feed
}

/// One row of a recording, as it lies in the reader's memory.
///
/// `message` and everything that is read from the row lies in memory that the reader uses again for the next row.
public struct RecordedRow {
    /// What kind of row it is.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// A frame of a socket: `message` is its text.
        case message
        /// Something happened to a connection.
        case connection
        /// A REST exchange: `message` is the answer's body.
        case answer
        /// A command to the feed.
        case command
        /// A note of the recorder about the recording itself.
        case note
    }

    /// What kind of row it is.
    public let kind: Kind
    /// Where it came from; line 0 in tapes that do not say.
    public let channel: RecordedChannel
    /// Nanoseconds since 1970, on a clock that never steps: see `received`. Of a row without a time that of the row
    /// before.
    public let time: Int64
    /// Whether the row has a time of its own: not so in files that are one frame a line.
    public let isTimed: Bool
    /// The connection's number, unique within a run; 0 where none is named.
    public let connection: Int
    /// Whether the row only repeats at a file's beginning what an earlier file has told: markets that are followed,
    /// connections that are open.
    public let isRepeated: Bool
    /// The frame or body; empty when there is none. Valid until the next row is read.
    public let message: UnsafeRawBufferPointer
    /// Both clocks at the row's time, as the feed saw them. In a recording of ours the wall clock is exact to 1 ms, the
    /// monotonic clock to the nanosecond; elsewhere both count from 1970.
    public let received: ReceiveTime
    /// The whole row.
    let line: UnsafeRawBufferPointer
    let shift: Int64

    /// Everything the row says, as values that can be kept. Nil when something that must be there is missing or cannot be
    /// read.
    public func content() -> RecordedContent? { RecordedContent(self) }
}

/// What a row says, as values that can be kept.
public enum RecordedContent: Sendable {
    /// A frame of a socket.
    case message([UInt8])
    /// Something happened to a connection.
    case connection(FeedConnectionEvent)
    /// A REST exchange.
    case answer(RESTExchange)
    /// A command to the feed.
    case command(FeedCommand)
    /// A note of the recorder.
    case note(RecordingNote)
}

/// What a recorder says about its recording.
public enum RecordingNote: Hashable, Sendable {
    /// A file begins.
    case start(RecordingStart)
    /// The clocks: told at the beginning and whenever something has changed by more than 1 ms.
    case clock(RecordingClock)
    /// Rows are missing here.
    case lost(RecordingLoss)
    /// The run ended in good order.
    case end
}

/// What the first row of each file says.
public struct RecordingStart: Hashable, Sendable {
    /// The schema's name.
    public static let schema = "oddstream.recording/1"

    /// The run: the same for all files of one, and no other's.
    public var run: String
    /// The file's number in its run, from 1.
    public var file: Int
    /// The program's version.
    public var program: String
    /// How many lines there are.
    public var lines: Int
    /// The feed's seed; nil when it was not fixed.
    public var seed: UInt64?
    /// How often connections were renewed, zero for never; nil when it is not told.
    public var renewalInterval: Duration?
    /// The settings of the bot that ran beside the recorder, by the names of the program's options and as they are typed
    /// there; nil when there was none, or none is told.
    public var bot: [String: String]?
    /// The moment that the clock is anchored at: the beginning of the run.
    public var anchor: ReceiveTime

    /// A beginning from its parts.
    public init(
        run: String, file: Int, program: String, lines: Int, seed: UInt64? = nil,
        renewalInterval: Duration? = nil, bot: [String: String]? = nil, anchor: ReceiveTime
    ) {
        self.run = run
        self.file = file
        self.program = program
        self.lines = lines
        self.seed = seed
        self.renewalInterval = renewalInterval
        self.bot = bot
        self.anchor = anchor
    }
}

/// The clocks at a moment.
public struct RecordingClock: Hashable, Sendable {
    /// How far the wall clock is ahead of the rows' clock, in nanoseconds: 0 at the beginning of a run.
    public var wallOffset: Int64
    /// How far the exchange's clock is ahead of the wall clock, in nanoseconds; nil when it is not known.
    public var exchangeOffset: Int64?

    /// A state of the clocks from its parts.
    public init(wallOffset: Int64, exchangeOffset: Int64? = nil) {
        self.wallOffset = wallOffset
        self.exchangeOffset = exchangeOffset
    }
}

/// What is missing at a place.
public struct RecordingLoss: Hashable, Sendable {
    /// How many rows.
    public var rows: UInt64
    /// How many bytes of messages.
    public var bytes: UInt64
    /// The last one's time, in nanoseconds since 1970; the row's own time is the first one's.
    public var until: Int64

    /// A loss from its parts.
    public init(rows: UInt64, bytes: UInt64, until: Int64) {
        self.rows = rows
        self.bytes = bytes
        self.until = until
    }
}
