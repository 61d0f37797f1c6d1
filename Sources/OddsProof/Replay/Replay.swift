internal import Logging
public import OddsCore
public import OddsRecording
public import OddsTrading
public import RealtimeOdds

/// A recording through the pipeline of the live stream, in the recording's own time.
///
/// Engine, ladder from silence to proof, arbiter, books, incidents, microstructure, spike detector and trading desk are the
/// live ones; clocks, sockets and REST answers are the recording's. What comes out follows from the recording and the
/// settings alone, to the bit: `ReplayOutcome.stateHash` is the same each time.
///
/// ```swift
/// let replay = try Replay(["recording"])
/// let outcome = try replay.run()
/// print(outcome.spikes.count, outcome.stateHash)
/// ```
public struct Replay: Sendable {
    /// What is replayed.
    public let recording: Recording
    /// The tokens to follow; empty follows what was followed then, and in a tape every token that it brings. Of a tape's
    /// market the token that is named, or comes, first is YES.
    public var tokens: [AssetID] = []
    /// What counts as a spike.
    public var spikes = SpikeDetectorConfiguration()
    /// How the bot trades; nil for not at all.
    public var trading: PaperTrader<ThresholdStrategy>.Setup?
    /// Whether odds over time are kept for the report, a few thousand points for each market.
    public var keepsPoints = false
    /// How the feed works where the recording does not say: its lines, renewals and seed are taken from the recording.
    public var feed = RealtimeOddsConfiguration()

    /// Recordings, one after the other: directories, files of them, tapes.
    ///
    /// - Throws: `RecordingError` when one is not there.
    public init(_ paths: [String]) throws(RecordingError) { self.recording = try Recording(paths: paths) }

    /// A recording that is open.
    public init(_ recording: Recording) { self.recording = recording }

    /// Goes through the recording; returns at its end.
    ///
    /// - Parameters:
    ///   - observer: sees everything inline, beside what the replay keeps itself.
    ///   - updates: told of every single change, as a lossless reader of the live stream is, with the row's time.
    ///   - pace: called before each row with its time in nanoseconds since 1970; whoever wants a speed waits here. Nil for as
    ///     fast as it goes.
    ///   - progress: is told now and then which share is done, 0 to 1, and how many messages those were; false ends the
    ///     replay there.
    /// - Throws: what keeps it from being read.
    public func run(
        observer: (any MarketObserver)? = nil, updates: ((OddsUpdate, ReceiveTime) -> Void)? = nil,
        pace: ((Int64) -> Void)? = nil, progress: (Double, UInt64) -> Bool = { _, _ in true }
    ) throws -> ReplayOutcome {
        let started = ContinuousClock.now
        let tally = ReplayTally(self, observer: observer, updates: updates)
        var setting = ReplayWorld.Setting()
        setting.feed = self.feed
        setting.tokens = self.tokens
        let world = ReplayWorld(
            setting, observer: tally, logger: Logger(label: "oddstream.replay") { _ in SwiftLogNoOpLogHandler() },
            continuity: { tally.heard($0, at: $1) })
        world.every(.seconds(1)) { tally.passed($0) }
        let rows = RecordingRows(self.recording)
        var count: UInt64 = 0
        var span: (first: Int64, last: Int64)?
        while let (row, received) = try rows.next() {
            if let pace { pace(received.unixNanoseconds) }
            if case .command(.rollover(let receipt)) = row { tally.rolledOver(receipt, at: received) }
            world.take(row, at: received)
            count &+= 1
            span = (span?.first ?? received.unixNanoseconds, received.unixNanoseconds)
            if count & 0xFFF == 0, !progress(rows.share, world.heard) { break }
        }
        world.finish()
        var outcome = tally.finish(world, at: world.clock.now())
        outcome.rows = count
        outcome.frames = world.heard
        outcome.damage = rows.damage
        outcome.lostRows = world.lost
        outcome.lateRows = world.lateRows
        outcome.runs = world.runs
        outcome.first = span.map { Timestamp(milliseconds: $0.first.flooredQuotient(1_000_000)) }
        outcome.last = span.map { Timestamp(milliseconds: $0.last.flooredQuotient(1_000_000)) }
        outcome.differences = ReplayDifferences(world.differences)
        outcome.elapsed = started.duration(to: .now)
        world.end()
        return outcome
    }
}

/// How the feed of a replay and the one that was recorded behaved differently. All zero is the rule; see the documentation
/// of replays for what can lead to other numbers.
public struct ReplayDifferences: Hashable, Sendable, Codable {
    /// Connections that the feed asked for and that the recording has none for.
    public var unansweredConnections = 0
    /// Recorded connections that the feed did not ask for.
    public var unusedConnections = 0
    /// Recorded messages of connections that the feed had given up by then, or never had.
    public var unheardMessages: UInt64 = 0
    /// Connections that the recorded feed gave up, and this one did not.
    public var cutConnections = 0
    /// Questions to the REST witness that the recording has no answer to.
    public var unansweredQuestions = 0

    init() {}

    init(_ differences: ReplayNetwork.Differences) {
        self.unansweredConnections = differences.unanswered
        self.unusedConnections = differences.unused
        self.unheardMessages = differences.unheard
        self.cutConnections = differences.cut
        self.unansweredQuestions = differences.unansweredQuestions
    }

    /// Whether there is none.
    public var areNone: Bool { self == ReplayDifferences() }

    enum CodingKeys: String, CodingKey {
        case unansweredConnections = "unanswered_connections"
        case unusedConnections = "unused_connections"
        case unheardMessages = "unheard_messages"
        case cutConnections = "cut_connections"
        case unansweredQuestions = "unanswered_questions"
    }
}

/// What came out of a replay.
public struct ReplayOutcome: Sendable {
    /// Rows of the recording, of any kind.
    public internal(set) var rows: UInt64 = 0
    /// Messages of the market channel that the feed heard.
    public internal(set) var frames: UInt64 = 0
    /// Versions of markets that were published.
    public internal(set) var publications: UInt64 = 0
    /// The markets there were, in the order in which they came.
    public internal(set) var markets: [Market] = []
    /// The spikes, by number.
    public internal(set) var spikes: [SpikeRecord] = []
    /// The incidents, by number; those that lasted at the end have no end.
    public internal(set) var incidents: [IncidentRecord] = []
    /// How long odds were there and could be believed.
    public internal(set) var uptime = UptimeLedger()
    /// The orders and what became of them, the oldest first; empty when nothing was traded.
    public internal(set) var trades: [TradeRecord] = []
    /// What was not bought and why, the oldest first.
    public internal(set) var refusals: [RefusalRecord] = []
    /// The paper account at the end; nil when nothing was traded.
    public internal(set) var account: AccountRecord?
    /// Trades that the venue told of markets that were followed.
    public internal(set) var venueTrades: UInt64 = 0
    /// How markets ended.
    public internal(set) var resolutions: [Resolution] = []
    /// Odds over time, by market id; empty unless they were wanted.
    public internal(set) var points: [MarketID: [ReplayPoint]] = [:]
    /// SHA-256 over everything that came out, in order.
    public internal(set) var stateHash = ""
    /// What could not be read, in sentences.
    public internal(set) var damage: [String] = []
    /// Rows that the recorder had to drop, by its own word.
    public internal(set) var lostRows: UInt64 = 0
    /// Rows that were stamped earlier than the one before them; they count as later.
    public internal(set) var lateRows: UInt64 = 0
    /// How many runs of the program were recorded.
    public internal(set) var runs = 0
    /// The first row's time; nil when there was none.
    public internal(set) var first: Timestamp?
    /// The last row's time; nil when there was none.
    public internal(set) var last: Timestamp?
    /// How the feed behaved differently from the one that was recorded.
    public internal(set) var differences = ReplayDifferences()
    /// How long the replay took.
    public internal(set) var elapsed = Duration.zero

    /// Messages per second of the replay.
    public var framesPerSecond: Double {
        let seconds = self.elapsed.secondsValue
        return seconds > 0 ? Double(self.frames) / seconds : 0
    }
}

/// A market's odds at a moment.
public struct ReplayPoint: Hashable, Sendable {
    /// When they were published.
    public var time: Timestamp
    /// What the website showed for YES, 0 to 1; nil when it had no answer.
    public var yes: Double?
    /// Whether they could be believed.
    public var isLive: Bool
}
