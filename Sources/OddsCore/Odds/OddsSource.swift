/// Anything that can be asked for odds: the streamer, a poller, a replay. The API and the terminal read through it.
public protocol OddsSource: Sendable {
    /// The market's latest odds; nil when it is not followed or has no data yet. Never suspends, never waits for the network.
    func currentOdds(_ market: MarketID) -> OddsSnapshot?
    /// Every market followed now: current ones first, then the next, the fixed, the past.
    var markets: [MarketStatus] { get }
    /// Lines, counters and series, for people and for health checks.
    var status: StreamStatus { get }
    /// Every incident that is remembered, and the uptime since the start, up to now; an empty report by default.
    func incidents() -> IncidentReport
    /// What a market's books and trades look like, sampled four times a second (of the poller: as the last answer has it).
    /// Nil when the market is not followed, has no data yet or is closed; nil by default. Never suspends.
    func microstructure(of market: MarketID) -> Microstructure?
}

extension OddsSource {
    /// Nothing is on record.
    public func incidents() -> IncidentReport { IncidentReport() }

    /// Nothing is known.
    public func microstructure(of market: MarketID) -> Microstructure? { nil }
}

/// A followed market and its place in its series.
public struct MarketStatus: Sendable {
    /// Where the market stands in its series.
    public enum Role: String, Sendable, CaseIterable {
        /// The series' market of this window.
        case current
        /// A later window, subscribed or resolved ahead.
        case next
        /// An earlier window, kept until it is decided.
        case past
        /// Named by slug, condition id or token: it has no series.
        case fixed
    }

    /// The market.
    public let market: Market
    /// Its place.
    public let role: Role
    /// Whether the lines are subscribed to it.
    public let subscribed: Bool
    /// First usable odds relative to the window's start, in milliseconds; nil when none yet, or no window is known.
    public let firstOddsMilliseconds: Int64?
    /// The winning side, once known.
    public let winner: Side?

    /// A status from its parts.
    public init(
        market: Market, role: Role, subscribed: Bool, firstOddsMilliseconds: Int64?, winner: Side?
    ) {
        self.market = market
        self.role = role
        self.subscribed = subscribed
        self.firstOddsMilliseconds = firstOddsMilliseconds
        self.winner = winner
    }
}

/// The state of the whole stream at one moment.
public struct StreamStatus: Sendable {
    /// When the source was started, in Unix time; nil before.
    public var startedAt: Timestamp?
    /// The connections.
    public var lines: [LineStatus]
    /// The series followed and how they fare.
    public var series: [SeriesStatus]
    /// What is wrong with markets that were named by slug or condition id, in sentences for people.
    public var problems: [String]
    /// Named counts since the start; keys are dotted and stable (`frames.malformed`).
    public var counters: [(name: String, value: UInt64)]

    /// Everything that is wrong with what is followed: the series' problems and those of single markets.
    public var allProblems: [String] {
        self.series.compactMap { series in series.problem.map { "\(series.series): \($0)" } } + self.problems
    }

    /// A status from its parts.
    public init(
        startedAt: Timestamp? = nil, lines: [LineStatus] = [], series: [SeriesStatus] = [],
        problems: [String] = [], counters: [(name: String, value: UInt64)] = []
    ) {
        self.startedAt = startedAt
        self.lines = lines
        self.series = series
        self.problems = problems
        self.counters = counters
    }
}

/// One connection to the market channel.
public struct LineStatus: Sendable {
    /// The line's number, from 0.
    public var line: Int
    /// Which of the line's connections this is; more than one when more than 500 assets are followed.
    public var connection: Int
    /// `connecting`, `live`, `waiting` (for the next attempt) or `closed`.
    public var state: String
    /// How many tokens are subscribed on it.
    public var assets: Int
    /// Messages read since the start.
    public var messages: UInt64
    /// Bytes of payload read since the start.
    public var bytes: UInt64
    /// How often the connection was lost since the start.
    public var disconnects: UInt64
    /// Attempts that failed in a row; 0 when connected.
    public var failuresInARow: Int
    /// Time since the last market data was read; nil when none was.
    public var dataAge: Duration?
    /// What ended the last connection or attempt; nil when nothing has.
    public var lastError: String?

    /// A status from its parts.
    public init(
        line: Int, connection: Int, state: String, assets: Int, messages: UInt64, bytes: UInt64, disconnects: UInt64,
        failuresInARow: Int, dataAge: Duration?, lastError: String?
    ) {
        self.line = line
        self.connection = connection
        self.state = state
        self.assets = assets
        self.messages = messages
        self.bytes = bytes
        self.disconnects = disconnects
        self.failuresInARow = failuresInARow
        self.dataAge = dataAge
        self.lastError = lastError
    }
}

/// One followed series of markets.
public struct SeriesStatus: Sendable {
    /// The series' name, such as `btc-updown-15m`.
    public var series: String
    /// The market of this window; nil while it is being looked up.
    public var current: Market?
    /// The market of the next window; nil while it is being looked up.
    public var next: Market?
    /// What is wrong, in a sentence for people; nil when nothing is.
    public var problem: String?

    /// A status from its parts.
    public init(series: String, current: Market?, next: Market?, problem: String?) {
        self.series = series
        self.current = current
        self.next = next
        self.problem = problem
    }
}
