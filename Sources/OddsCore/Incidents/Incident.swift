/// One loss of continuity: what went wrong, from when to when, when it was noticed and what was served meanwhile.
///
/// Trouble of one market or one connection is one incident however many symptoms it shows: a connection that is lost,
/// fails to come back four times and is up again is one; a market that turns suspect, then frozen, then is served by the
/// poller and then is live again is another. What ends and begins again within seconds is the same incident, once more.
public struct Incident: Sendable {
    /// What it is; of several, the one that explains the others. The raw values are stable: the API and logs carry them.
    public enum Kind: String, Sendable, CaseIterable {
        /// A connection that was up is gone; on a market: no connection carries it.
        case connectionLost = "connection_lost"
        /// A connection does not come about at all.
        case connectionFailed = "connection_failed"
        /// The connection is up and silent although the exchange has newer odds.
        case frozen
        /// Silence for longer than the market's own rhythm, and no witness could say whether it means anything.
        case silentUnverified = "silent_unverified"
        /// The first book of a token did not come in time.
        case noSnapshot = "no_snapshot"
        /// A book was asked for again, because something contradicted it.
        case resync
        /// Something contradicts the odds, and nothing has been asked for again.
        case suspect
        /// Nothing confirms the odds, for a reason of its own.
        case stale
        /// The poller serves the market, for a reason of its own.
        case fallback
        /// A series' market, or a single one, cannot be found at the venue.
        case missingMarket = "missing_market"

        /// Whether the kind says already what the reason says.
        func says(_ reason: String) -> Bool {
            switch self {
            case .connectionLost, .connectionFailed: reason == StaleReason.disconnected.rawValue
            case .silentUnverified: reason == SuspectReason.silent.rawValue
            case .noSnapshot: reason == StaleReason.awaitingSnapshot.rawValue
            case .frozen: reason == StaleReason.frozen.rawValue
            case .resync, .suspect, .stale, .fallback, .missingMarket: false
            }
        }

        /// How much it explains: a symptom never hides its cause.
        var weight: Int {
            switch self {
            case .fallback: 0
            case .stale: 1
            case .suspect: 2
            case .silentUnverified: 3
            case .resync: 4
            case .noSnapshot: 5
            case .connectionFailed: 6
            case .connectionLost: 7
            case .frozen: 8
            case .missingMarket: 9
            }
        }
    }

    /// Whose trouble it is.
    public enum Subject: Sendable {
        /// A market's odds.
        case market(Market)
        /// One connection of a line.
        case line(Int, connection: Int)
        /// A series, or a market named by slug or condition id, that cannot be found.
        case selection(String)
        /// A token of which no market is known yet.
        case asset(AssetID)
    }

    /// How it ended.
    public enum Ending: String, Sendable, CaseIterable {
        /// All is well again.
        case recovered
        /// The market's window was over, or the market was decided.
        case decided
        /// The market is not followed any more, or the connection not needed.
        case released
    }

    /// Counts all incidents from 1.
    public let id: UInt64
    /// Whose trouble it is.
    public internal(set) var subject: Subject
    /// What it is.
    public internal(set) var kind: Kind
    /// Why, in one word of a closed set (the reasons of `Trust`); nil when the kind says it all.
    public internal(set) var reason: String?
    /// What was said about it last, for people; empty when nothing was.
    public internal(set) var detail: String
    /// The lines it is about, in ascending order; empty when it is about none in particular.
    public internal(set) var lines: [Int]
    /// When the trouble began, as far as can be told: often the last data before it.
    public internal(set) var begin: ReceiveTime
    /// When it was noticed.
    public let detected: ReceiveTime
    /// When it began the last time; later than `begin` when it ended and began again within seconds.
    public internal(set) var latestBegin: ReceiveTime
    /// When it was over; nil while it is open.
    public internal(set) var end: ReceiveTime?
    /// How it ended; nil while it is open.
    public internal(set) var ending: Ending?
    /// From `begin` to `end`, or so far.
    public internal(set) var duration: Duration
    /// What readers were given meanwhile, `begin` to `end`; together `duration`. For a connection or a token it is what
    /// the worst market followed then was given; for a missing market nothing.
    public internal(set) var served = StandingTimes()
    /// The due time that was not served live, nor by the poller where that is all there is.
    public internal(set) var lost = Duration.zero
    /// The market's epoch before; nil when it is no market's or there were no odds.
    public internal(set) var epochBefore: UInt64?
    /// The market's epoch at the end, or now; nil when it is no market's or there are no odds.
    public internal(set) var epochAfter: UInt64?
    /// How often it began; more than 1 when it ended and began again within seconds.
    public internal(set) var occurrences = 1
    /// How many fresh books were asked for.
    public internal(set) var resyncs = 0
    /// How many connection attempts failed.
    public internal(set) var attempts = 0

    /// How long the trouble went unnoticed.
    public var detectionTime: Duration { self.begin.monotonic.duration(to: self.detected.monotonic) }

    /// Whether it lasts.
    public var isOpen: Bool { self.end == nil }

    /// The market; nil when it is no market's.
    public var market: Market? {
        guard case .market(let market) = self.subject else { return nil }
        return market
    }

    /// The series it belongs to; nil when it belongs to none.
    public var series: String? {
        switch self.subject {
        case .market(let market): market.series
        case .selection(let name): name
        case .line, .asset: nil
        }
    }
}

extension Incident {
    /// Whose trouble it is, in a few words.
    public var title: String {
        switch self.subject {
        case .market(let market): market.slug.isEmpty ? "Market \(market.id)" : market.slug
        case .line(let line, connection: 0): "Line \(line)"
        case .line(let line, let connection): "Line \(line), connection \(connection)"
        case .selection(let name): name
        case .asset(let asset): "Token \(asset)"
        }
    }

    /// What happened, in one sentence for people.
    public var summary: String {
        var text = "\(self.title): \(self.what)"
        if let reason = self.reason, !self.kind.says(reason) { text += " (\(reason))" }
        if self.occurrences > 1 {
            text += ", \(self.occurrences) times within \(Self.spoken(self.duration))"
        } else if !self.isOpen {
            text += " for \(Self.spoken(self.duration))"
        } else if self.duration >= .milliseconds(1) {
            text += " for \(Self.spoken(self.duration)) so far"
        }
        if self.occurrences == 1, self.detectionTime >= .milliseconds(1) {
            text += ", noticed after \(Self.spoken(self.detectionTime))"
        }
        let served = self.served.spent.filter { $0.time >= .milliseconds(1) }
            .map { "\($0.standing.rawValue) \(Self.spoken($0.time))" }
        if !served.isEmpty { text += "; served \(served.joined(separator: ", "))" }
        if let ending = self.ending, ending != .recovered { text += "; \(ending.words(for: self.subject))" }
        if !self.detail.isEmpty { text += ": \(self.detail)" }
        return text
    }

    /// In milliseconds below a second, else as in alerts.
    private static func spoken(_ duration: Duration) -> String {
        duration < .seconds(1) ? "\(duration.wholeNanoseconds / 1_000_000) ms" : Alert.spoken(duration)
    }

    private var what: String {
        switch self.kind {
        case .connectionLost:
            if case .line = self.subject { "connection lost" } else { "no connection carried it" }
        case .connectionFailed: "no connection came about"
        case .frozen: "the feed was frozen"
        case .silentUnverified: "silence that nobody could verify"
        case .noSnapshot: "no first book"
        case .resync: "a fresh book was needed"
        case .suspect: "odds contradicted"
        case .stale: "odds unconfirmed"
        case .fallback: "served by the poller"
        case .missingMarket: "not to be found"
        }
    }
}

extension Incident.Ending {
    fileprivate func words(for subject: Incident.Subject) -> String {
        switch self {
        case .recovered: "recovered"
        case .decided: "the market's time was over"
        case .released: if case .line = subject { "not needed any more" } else { "not followed any more" }
        }
    }
}

/// What an event did to the incidents; each is worth one line in a log.
public enum IncidentChange: Sendable {
    /// Trouble began.
    case began(Incident)
    /// Open trouble turned out to be more than it seemed, or readers are given something new.
    case grew(Incident)
    /// Trouble that was over began again within seconds. Told once; what follows is counted.
    case flapping(Incident)
    /// Trouble is over. For trouble that flaps it is told once more when it has stayed away.
    case ended(Incident)

    /// The incident.
    public var incident: Incident {
        switch self {
        case .began(let incident), .grew(let incident), .flapping(let incident), .ended(let incident): incident
        }
    }
}

/// All incidents that are remembered, and the uptime, at one moment.
public struct IncidentReport: Sendable {
    /// Those that last, the newest first.
    public var open: [Incident] = []
    /// Those that are over, the newest first; a bounded number is kept.
    public var finished: [Incident] = []
    /// How many began since the start, by kind, forgotten ones included.
    public var counts: [Incident.Kind: Int] = [:]
    /// How long odds were there and could be believed.
    public var uptime = UptimeLedger()

    /// A report of nothing.
    public init() {}

    /// All, the newest first.
    public var all: [Incident] {
        // Both are in descending order of id or of end; together the order of ids says which is newer.
        (self.open + self.finished).sorted { $0.id > $1.id }
    }
}
