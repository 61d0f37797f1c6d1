/// Something a person should hear about, as it is said to every destination.
public struct Alert: Sendable, Equatable {
    /// How much it matters, the least first.
    public enum Severity: String, Sendable, Comparable, CaseIterable {
        /// Good news, or a test.
        case info
        /// Trouble that the service handles so far.
        case warning
        /// Odds are missing or cannot be trusted.
        case critical

        /// By how much it matters.
        public static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }

        private var rank: Int {
            switch self {
            case .info: 0
            case .warning: 1
            case .critical: 2
            }
        }
    }

    /// What it is about. The raw values are stable: they are written into webhooks and metric labels.
    public enum Kind: String, Sendable, CaseIterable {
        /// Connections failed several times in a row.
        case feedFailures = "feed_failures"
        /// A market's odds have been stale for too long.
        case stale
        /// Something has contradicted a market's odds for too long.
        case suspect
        /// A market has been served by the poller for too long.
        case fallback
        /// The next market of a series cannot be found.
        case missingMarket = "missing_market"
        /// A side went over the threshold, or came back.
        case spike
        /// A paper trade, or its outcome.
        case trade
        /// The kill switch was turned.
        case killSwitch = "kill_switch"
        /// The incident is over.
        case recovery
        /// Sent by hand, to see whether it arrives.
        case test
    }

    /// Names one incident: every alert about it carries the same key, and its messages form one thread.
    ///
    /// A key may be used again once its incident ended with a `recovery`: that begins a new thread.
    public struct IncidentKey: Hashable, Sendable, CustomStringConvertible {
        /// The key as text.
        public let rawValue: String
        /// A key from text; any text will do.
        public init(_ rawValue: String) { self.rawValue = rawValue }
        /// The key as text.
        public var description: String { self.rawValue }
    }

    /// How much it matters.
    public var severity: Severity
    /// What it is about.
    public var kind: Kind
    /// The incident it belongs to.
    public var incident: IncidentKey
    /// One line, without a full stop.
    public var title: String
    /// What happened and what to do, in sentences; may be empty.
    public var text: String
    /// When it happened, by this machine's wall clock.
    public var time: Timestamp
    /// How long the trouble lasted, on `recovery`; nil elsewhere, or when it is not known.
    public var downtime: Duration?

    /// An alert from its parts.
    public init(
        severity: Severity, kind: Kind, incident: IncidentKey, title: String, text: String, time: Timestamp,
        downtime: Duration? = nil
    ) {
        self.severity = severity
        self.kind = kind
        self.incident = incident
        self.title = title
        self.text = text
        self.time = time
        self.downtime = downtime
    }

    /// Whether another alert says the same, be it at another time.
    public func saysTheSame(as other: Alert) -> Bool {
        var copy = self
        copy.time = other.time
        return copy == other
    }
}
