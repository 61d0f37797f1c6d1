/// What became of one signal at one sink: a row of the history. Every signal that a sink wants leaves exactly one.
///
/// Times are Unix milliseconds by this machine's wall clock. An absent value is null.
public struct SignalDelivery: Hashable, Sendable, Codable {
    /// How it ended.
    public enum Outcome: String, Hashable, Sendable, Codable, CaseIterable {
        /// The receiver took it.
        case delivered
        /// It was tried and given up: the receiver refused it, or did not take it in time.
        case failed
        /// It was given up without a receiver's word: the queue was full, it was too old before it could be tried, or the
        /// program ended.
        case dropped
    }

    /// The signal's id.
    public var id: String
    /// What the signal told.
    public var kind: Signal.Kind
    /// The signal's market; nil for the kill switch.
    @NullWhenAbsent public var market: MarketID?
    /// The sink: `webhook`, `command`.
    public var sink: String
    /// How many attempts were made.
    public var attempts: Int
    /// How it ended.
    public var outcome: Outcome
    /// The webhook's last answer; nil when there was none.
    @NullWhenAbsent public var httpStatus: Int?
    /// The command's last exit code, 128 and the signal's number when a signal ended it; nil when there was none.
    @NullWhenAbsent public var exitCode: Int?
    /// When the sink got it.
    public var queued: Timestamp
    /// When the first attempt began; nil when there was none.
    @NullWhenAbsent public var first: Timestamp?
    /// When it was over.
    public var last: Timestamp
    /// Why it was not delivered; nil when it was.
    @NullWhenAbsent public var error: String?

    /// A record from its parts.
    public init(
        id: String, kind: Signal.Kind, market: MarketID?, sink: String, attempts: Int, outcome: Outcome,
        httpStatus: Int? = nil, exitCode: Int? = nil, queued: Timestamp, first: Timestamp?, last: Timestamp,
        error: String? = nil
    ) {
        self.id = id
        self.kind = kind
        self.market = market
        self.sink = sink
        self.attempts = attempts
        self.outcome = outcome
        self.httpStatus = httpStatus
        self.exitCode = exitCode
        self.queued = queued
        self.first = first
        self.last = last
        self.error = error
    }

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case id, kind, market, sink, attempts, outcome
        case httpStatus = "http_status"
        case exitCode = "exit_code"
        case queued = "queued_ms"
        case first = "first_ms"
        case last = "last_ms"
        case error
    }
}

/// One try at one signal.
public struct SignalAttempt: Sendable {
    /// Names the signal to its outbox.
    public let ticket: UInt64
    /// What to deliver.
    public let signal: Signal
    /// Which attempt this is, from 1.
    public let number: Int
}

/// What a receiver made of an attempt.
public struct SignalAnswer: Sendable, Equatable {
    /// What is to be done about it.
    public enum Verdict: Sendable, Equatable {
        /// The receiver took it.
        case taken
        /// It can be tried again; not before the pause, when the receiver names one.
        case again(after: Duration?, reason: String)
        /// Trying the same again is of no use; the reason says what to do.
        case refused(reason: String)
    }

    /// What is to be done about it.
    public var verdict: Verdict
    /// The HTTP status, if there was one.
    public var httpStatus: Int?
    /// The exit code, if there was one.
    public var exitCode: Int?

    /// An answer from its parts.
    public init(_ verdict: Verdict, httpStatus: Int? = nil, exitCode: Int? = nil) {
        self.verdict = verdict
        self.httpStatus = httpStatus
        self.exitCode = exitCode
    }
}

/// What became of a sink's signals.
public struct SignalSinkStatus: Sendable, Equatable {
    /// Signals that arrived.
    public var delivered = 0
    /// Signals that were tried and given up.
    public var failed = 0
    /// Signals given up without a receiver's word.
    public var dropped = 0
    /// Signals that wait for their first attempt or the next one.
    public var waiting = 0
    /// Attempts under way.
    public var underWay = 0
    /// Attempts that failed and were, or will be, made again.
    public var retries = 0
    /// What kept the last signal from arriving; nil when it did arrive.
    public var problem: String?

    /// The status of a sink nothing was sent to.
    public init() {}
}
