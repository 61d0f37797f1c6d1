/// One sink's signals on their way: signals and answers in, the next thing to do out. Nothing is sent here.
///
/// - The signals of one market go out one after the other, in the order in which they came; so do those of no market.
///   Different markets do not wait for each other; at most `concurrency` attempts are under way.
/// - What fails is tried again with growing pauses. A pause that the receiver asks for holds the whole sink.
/// - No attempt begins `maximumAge` after the signal came: a signal to trade is worth nothing then. It is given up as soon
///   as it is clear that there can be no further attempt.
/// - At most `capacity` signals wait; beyond that the oldest one goes.
/// - Every signal leaves one `SignalDelivery`, whatever became of it.
///
/// It shares nothing with `AlertOutbox` but the shape: alerts are gathered, merged and kept for a day in one line; signals are
/// separate, short-lived and side by side.
///
/// Whoever drives it asks `next(now:)` after every event until the answer is not `send`, and takes the deliveries.
public struct SignalOutbox: Sendable {
    /// How signals are paced and kept.
    public struct Configuration: Sendable, Equatable {
        /// How many signals may wait; at least 1.
        public var capacity = 256
        /// How many attempts may be under way at once; at least 1.
        public var concurrency = 4
        /// How long after it came a signal is still tried.
        public var maximumAge: Duration = .seconds(30)
        /// The pauses after failed attempts at one signal.
        public var backoff = Backoff(delays: [.milliseconds(250)] + [0.5, 1, 2, 4, 8].map { .seconds($0) })

        /// The defaults.
        public init() {}
    }

    /// What is to be done next.
    public enum Action: Sendable {
        /// Try this and report with `answered`; then ask again at once.
        case send(SignalAttempt)
        /// Nothing before this instant; ask again then, or after the next event.
        case wait(until: MonotonicTime)
        /// Nothing before the next event.
        case rest
        /// Nothing more, ever: the outbox was drained as far as it could be.
        case finish
    }

    private struct Entry {
        let ticket: UInt64
        let signal: Signal
        let queued: ReceiveTime
        var attempts = 0
        var first: Timestamp?
        /// Not to be tried again before this.
        var due: MonotonicTime?
        var httpStatus: Int?
        var exitCode: Int?
        var reason: String?
    }

    private let sink: String
    private let configuration: Configuration
    /// In the order in which they came, those to be tried again included.
    private var waiting: [Entry] = []
    private var underWay: [UInt64: Entry] = [:]
    private var deliveries: [SignalDelivery] = []
    private var counters = SignalSinkStatus()
    private var lastTicket: UInt64 = 0
    /// The receiver asked for nothing before this.
    private var pause: MonotonicTime?
    /// When draining: the instant at which waiting is over.
    private var end: MonotonicTime?
    private var isClosed = false

    /// An empty outbox of the sink of that name.
    public init(sink: String, configuration: Configuration = Configuration()) {
        precondition(configuration.capacity > 0, "an outbox has room for at least one signal")
        precondition(configuration.concurrency > 0, "at least one attempt can be under way")
        self.sink = sink
        self.configuration = configuration
    }

    /// What became of the signals so far.
    public var status: SignalSinkStatus {
        var status = self.counters
        status.waiting = self.waiting.count
        status.underWay = self.underWay.count
        return status
    }

    /// What is over since this was asked last, in the order of its end.
    public mutating func takeDeliveries() -> [SignalDelivery] {
        defer { self.deliveries = [] }
        return self.deliveries
    }

    // MARK: Events

    /// A signal is to be delivered.
    public mutating func posted(_ signal: Signal, now: ReceiveTime) {
        self.lastTicket += 1
        let entry = Entry(ticket: self.lastTicket, signal: signal, queued: now)
        guard !self.isClosed else {
            self.give(up: entry, .dropped, "the program had ended", now: now)
            return
        }
        self.waiting.append(entry)
        guard self.waiting.count > self.configuration.capacity else { return }
        self.give(
            up: self.waiting.removeFirst(), .dropped,
            "more than \(self.configuration.capacity) signals were waiting", now: now)
    }

    /// An attempt had this answer.
    public mutating func answered(
        _ attempt: SignalAttempt, _ answer: SignalAnswer, now: ReceiveTime,
        using generator: inout some RandomNumberGenerator
    ) {
        guard var entry = self.underWay.removeValue(forKey: attempt.ticket) else { return }
        entry.httpStatus = answer.httpStatus
        entry.exitCode = answer.exitCode
        switch answer.verdict {
        case .taken:
            entry.reason = nil
            self.counters.delivered += 1
            self.counters.problem = nil
            self.tell(entry, .delivered, nil, now: now)
        case .refused(let reason):
            self.give(up: entry, .failed, reason, now: now)
        case .again(let pause, let reason):
            entry.reason = reason
            let wait =
                pause
                ?? self.configuration.backoff.delay(afterFailures: entry.attempts - 1, using: &generator)
            let due = now.monotonic.advanced(by: max(.zero, wait))
            if pause != nil { self.pause = max(self.pause ?? due, due) }
            self.again(entry, due: due, reason: reason, now: now)
        }
    }

    /// The program is to end: what waits is tried until `end`, and not beyond.
    public mutating func drain(until end: MonotonicTime) {
        self.end = min(self.end ?? end, end)
    }

    /// It is over: what waits or is under way is dropped, and whatever comes from now on.
    public mutating func close(now: ReceiveTime) {
        self.isClosed = true
        let cut = self.underWay.values.sorted { $0.ticket < $1.ticket }
        self.underWay = [:]
        for entry in cut {
            let reason = "the program ended during attempt \(entry.attempts); it may have arrived"
            self.give(up: entry, .dropped, reason, now: now)
        }
        let left = self.waiting
        self.waiting = []
        for entry in left { self.give(up: entry, .dropped, "the program ended", now: now) }
    }

    /// What is to be done next.
    public mutating func next(now: ReceiveTime) -> Action {
        let time = now.monotonic
        self.expire(now)
        if let end = self.end, end <= time || (self.waiting.isEmpty && self.underWay.isEmpty) { return .finish }
        let isFree = self.underWay.count < self.configuration.concurrency
        var taken = Set(self.underWay.values.lazy.map { $0.signal.market })
        /// The next turn, and the next time at which something is to be done.
        var turn: MonotonicTime?
        var wake: MonotonicTime?
        for index in self.waiting.indices {
            let entry = self.waiting[index]
            wake = min(wake ?? .max, self.expiry(entry))
            // The first one of a market that is not under way is the market's turn.
            guard isFree, taken.insert(entry.signal.market).inserted else { continue }
            let due = max(entry.due ?? time, self.pause ?? time)
            if due <= time { return .send(self.begin(index, now)) }
            turn = min(turn ?? .max, due)
            wake = min(wake ?? .max, due)
        }
        if let end = self.end {
            // Nobody's turn comes before the end: no need to wait for it.
            if self.underWay.isEmpty, turn ?? end >= end { return .finish }
            wake = min(wake ?? .max, end)
        }
        return wake.map { .wait(until: $0) } ?? .rest
    }

    // MARK: Turns

    private mutating func begin(_ index: Int, _ now: ReceiveTime) -> SignalAttempt {
        var entry = self.waiting.remove(at: index)
        entry.attempts += 1
        entry.first = entry.first ?? now.wall
        entry.due = nil
        self.underWay[entry.ticket] = entry
        return SignalAttempt(ticket: entry.ticket, signal: entry.signal, number: entry.attempts)
    }

    private mutating func again(_ entry: Entry, due: MonotonicTime, reason: String, now: ReceiveTime) {
        guard due < self.expiry(entry) else {
            self.give(up: entry, .failed, self.tooLate(reason), now: now)
            return
        }
        var entry = entry
        entry.due = due
        // Back to its place: what came after it in its market still waits behind it.
        let place = self.waiting.firstIndex { $0.ticket > entry.ticket } ?? self.waiting.endIndex
        self.waiting.insert(entry, at: place)
        self.counters.retries += 1
        self.counters.problem = reason
    }

    // MARK: Ends

    private func expiry(_ entry: Entry) -> MonotonicTime {
        entry.queued.monotonic.advanced(by: self.configuration.maximumAge)
    }

    private func tooLate(_ reason: String) -> String {
        "given up after \(self.configuration.maximumAge.secondsValue) s: \(reason)"
    }

    private mutating func expire(_ now: ReceiveTime) {
        let queue = self.waiting
        let old = queue.filter { self.expiry($0) <= now.monotonic }
        guard !old.isEmpty else { return }
        self.waiting = queue.filter { self.expiry($0) > now.monotonic }
        for entry in old {
            if let reason = entry.reason {
                self.give(up: entry, .failed, self.tooLate(reason), now: now)
            } else {
                self.give(up: entry, .dropped, self.tooLate("its turn did not come"), now: now)
            }
        }
    }

    private mutating func give(
        up entry: Entry, _ outcome: SignalDelivery.Outcome, _ reason: String, now: ReceiveTime
    ) {
        if outcome == .failed { self.counters.failed += 1 } else { self.counters.dropped += 1 }
        self.counters.problem = reason
        self.tell(entry, outcome, reason, now: now)
    }

    private mutating func tell(
        _ entry: Entry, _ outcome: SignalDelivery.Outcome, _ error: String?, now: ReceiveTime
    ) {
        self.deliveries.append(
            SignalDelivery(
                id: entry.signal.id, kind: entry.signal.kind, market: entry.signal.market, sink: self.sink,
                attempts: entry.attempts, outcome: outcome, httpStatus: entry.httpStatus, exitCode: entry.exitCode,
                queued: entry.queued.wall, first: entry.first, last: now.wall, error: error))
    }
}

extension MonotonicTime {
    fileprivate static var max: MonotonicTime { MonotonicTime(nanoseconds: .max) }
}
