/// One destination's alerts on their way: posted alerts and answers in, the next thing to do out. Nothing is sent here.
///
/// - Order is kept: one message is under way at a time, and the next begins when it has arrived or was refused.
/// - Alerts that come close together are gathered; those of one incident, or of several incidents at once, go out as
///   one message.
/// - An incident's later messages reply to its first one.
/// - What fails is tried again with growing pauses, what is postponed exactly when the destination allows it. A message
///   that was tried once keeps its content, so that an attempt which arrived unconfirmed can be recognised.
/// - At most `capacity` alerts wait. Beyond that the oldest alert goes whose incident has newer news; only when there
///   is none does the least severe, oldest one. The next message tells how many.
/// - An alert that says what its incident's last one said is not taken.
/// - What could not be delivered within `lifetime` is given up: nobody needs yesterday's alerts before today's.
///
/// Whoever drives it asks `next(now:)` after every event, and does what it says.
public struct AlertOutbox: Sendable {
    /// How alerts are gathered, paced and kept.
    public struct Configuration: Sendable, Equatable {
        /// How long the first waiting alert waits for others to join it.
        public var gathering: Duration = .seconds(1)
        /// The shortest time between two messages.
        public var pace: Duration = .seconds(1)
        /// How many alerts may wait; at least 1.
        public var capacity = 64
        /// From how many waiting incidents on they share a message; with fewer, each gets its own in its own thread.
        public var mergeFrom = 3
        /// How many alerts one message holds at most; at least 1.
        public var mergeAtMost = 16
        /// How many incidents are remembered for their threads; the longest unused are forgotten.
        public var incidents = 256
        /// How long an alert is tried at most.
        public var lifetime: Duration = .seconds(24 * 3600)
        /// The pauses after failed attempts.
        public var backoff = Backoff(delays: [1, 2, 4, 8, 16, 32, 60].map { .seconds($0) })

        /// The defaults.
        public init() {}
    }

    /// What is to be done next.
    public enum Action: Sendable, Equatable {
        /// Send this and report with `answered`.
        case send(AlertMessage)
        /// Nothing before this instant; ask again then, or after the next event.
        case wait(until: MonotonicTime)
        /// Nothing before the next event.
        case rest
        /// Nothing more, ever: the outbox was drained as far as it could be.
        case finish
    }

    /// What somebody should read in a log, once per trouble and not once per attempt.
    public enum Report: Sendable, Equatable {
        /// Alerts do not get through for now; they are kept and tried again.
        case delayed(reason: String)
        /// Alerts are refused for good.
        case refused(reason: String)
        /// Alerts are given up because they did not get through for too long; the reason tells why the last time.
        case expired(reason: String)
        /// Alerts get through again.
        case recovered
    }

    private enum Head {
        case none
        /// The request is under way.
        case out(AlertMessage)
        /// To be tried again. `isOrdered` when the destination itself named the instant.
        case due(AlertMessage, at: MonotonicTime, isOrdered: Bool)
    }

    private struct Entry {
        let alert: Alert
        let posted: MonotonicTime
    }

    private struct Thread {
        /// The destination's id of the first message.
        var root: String?
        /// The incident's last alert, unless it was refused or left out.
        var newest: Alert?
        /// Whether a recovery arrived: what comes next begins a new thread.
        var isOver = false
        var lastUse = 0
    }

    private let configuration: Configuration
    private var queue: [Entry] = []
    private var head = Head.none
    /// When the oldest alert of the message under way was posted.
    private var headPosted: MonotonicTime?
    private var threads: [Alert.IncidentKey: Thread] = [:]
    private var counters = AlertSinkStatus()
    private var serial = 0
    private var uses = 0
    private var leftOut = 0
    /// Failed attempts in a row.
    private var failures = 0
    /// The next message is not sent before this.
    private var earliest: MonotonicTime?
    /// When draining: the instant at which waiting is over.
    private var end: MonotonicTime?
    /// Refusals already reported since a message last arrived.
    private var saidRefusals: Set<String> = []
    private var isDelayReported = false
    /// Whether giving up was reported since a message last arrived.
    private var isExpiryReported = false

    /// An empty outbox.
    public init(configuration: Configuration = Configuration()) {
        precondition(configuration.capacity > 0, "an outbox has room for at least one alert")
        precondition(configuration.mergeAtMost > 0, "a message holds at least one alert")
        self.configuration = configuration
    }

    /// What became of the alerts so far.
    public var status: AlertSinkStatus {
        var status = self.counters
        status.waiting = self.queue.count
        switch self.head {
        case .none: break
        case .out(let message), .due(let message, _, _): status.waiting += message.alerts.count
        }
        return status
    }

    // MARK: Events

    /// An alert is to be delivered.
    public mutating func posted(_ alert: Alert, now: MonotonicTime) {
        if let newest = self.threads[alert.incident]?.newest, newest.saysTheSame(as: alert) {
            self.counters.repeated += 1
            return
        }
        self.touch(alert.incident) { thread in
            if thread.isOver { thread = Thread() }
            thread.newest = alert
        }
        self.queue.append(Entry(alert: alert, posted: now))
        if self.queue.count > self.configuration.capacity { self.leaveOne() }
        self.forgetThreads()
    }

    /// The message that was sent last had this outcome.
    ///
    /// - Returns: what is worth a line in the log; nil when it was said before or is nothing special.
    public mutating func answered(
        _ outcome: AlertOutcome, now: MonotonicTime, using generator: inout some RandomNumberGenerator
    ) -> Report? {
        guard case .out(var message) = self.head else {
            preconditionFailure("an answer belongs to a message that was sent; none is under way")
        }
        switch outcome {
        case .accepted(let id):
            self.accepted(message, id: id)
            return self.settled(now)
        case .postponed(let pause):
            message.attempt += 1
            return self.again(
                message, after: pause ?? self.nextPause(using: &generator), isOrdered: pause != nil,
                reason: "too many requests", now: now)
        case .failed(let reason, let mayHaveArrived):
            message.attempt += 1
            message.mayRepeat = message.mayRepeat || mayHaveArrived
            return self.again(
                message, after: self.nextPause(using: &generator), isOrdered: false, reason: reason, now: now)
        case .refused(let reason):
            return self.refused(message, reason: reason, now: now)
        }
    }

    /// The program ends: nothing is gathered or paced any more, a pause after a failure is over, and at `end` so is
    /// everything. A pause the destination asked for is kept.
    public mutating func drain(until end: MonotonicTime, now: MonotonicTime) {
        self.end = end
        if case .due(let message, let at, isOrdered: false) = self.head {
            self.head = .due(message, at: min(at, now), isOrdered: false)
        }
    }

    /// What is to be done now.
    public mutating func next(now: MonotonicTime) -> Action {
        switch self.head {
        case .out: return .rest
        case .due(let message, let at, _):
            guard at <= now else { return self.waiting(until: at) }
            self.head = .out(message)
            return .send(message)
        case .none:
            guard let first = self.queue.first else { return self.end == nil ? .rest : .finish }
            let at = self.begin(first)
            guard at <= now else { return self.waiting(until: at) }
            let message = self.compose()
            self.head = .out(message)
            return .send(message)
        }
    }

    // MARK: Composing

    private func begin(_ first: Entry) -> MonotonicTime {
        if self.end != nil { return first.posted }
        let gathered = first.posted.advanced(by: self.configuration.gathering)
        return max(gathered, self.earliest ?? gathered)
    }

    private func waiting(until instant: MonotonicTime) -> Action {
        guard let end = self.end, instant >= end else { return .wait(until: instant) }
        return .finish
    }

    private mutating func compose() -> AlertMessage {
        let count = min(self.batch, self.configuration.mergeAtMost)
        self.headPosted = self.queue.first?.posted
        let alerts = self.queue.prefix(count).map(\.alert)
        self.queue.removeFirst(count)
        self.serial += 1
        defer { self.leftOut = 0 }
        return AlertMessage(
            serial: self.serial, alerts: alerts,
            replyTo: alerts.compactMap { self.threads[$0.incident]?.root }.first, leftOut: self.leftOut)
    }

    /// How many of the waiting alerts belong together: all when many incidents wait, else those of the first incident.
    private var batch: Int {
        let incidents = Set(self.queue.lazy.map(\.alert.incident)).count
        if self.end != nil || incidents >= self.configuration.mergeFrom { return self.queue.count }
        let first = self.queue.first?.alert.incident
        return self.queue.prefix { $0.alert.incident == first }.count
    }

    // MARK: Outcomes

    private mutating func accepted(_ message: AlertMessage, id: String?) {
        self.counters.messages += 1
        self.counters.delivered += message.alerts.count
        for alert in message.alerts {
            self.touch(alert.incident) { thread in
                thread.root = thread.root ?? id
                thread.isOver = alert.kind == .recovery && thread.newest == alert
            }
        }
        self.forgetThreads()
    }

    private mutating func settled(_ now: MonotonicTime) -> Report? {
        let hadTrouble = self.isDelayReported || self.isExpiryReported || !self.saidRefusals.isEmpty
        self.head = .none
        self.earliest = now.advanced(by: self.configuration.pace)
        self.failures = 0
        self.isDelayReported = false
        self.isExpiryReported = false
        self.saidRefusals = []
        self.counters.problem = nil
        return hadTrouble ? .recovered : nil
    }

    private mutating func again(
        _ message: AlertMessage, after pause: Duration, isOrdered: Bool, reason: String, now: MonotonicTime
    ) -> Report? {
        if let posted = self.headPosted, posted.duration(to: now) >= self.configuration.lifetime {
            return self.expired(message, reason: reason, now: now)
        }
        self.head = .due(message, at: now.advanced(by: max(.zero, pause)), isOrdered: isOrdered)
        self.counters.retries += 1
        self.counters.problem = reason
        defer { self.isDelayReported = true }
        return self.isDelayReported ? nil : .delayed(reason: reason)
    }

    private mutating func nextPause(using generator: inout some RandomNumberGenerator) -> Duration {
        defer { self.failures += 1 }
        return self.configuration.backoff.delay(afterFailures: self.failures, using: &generator)
    }

    private mutating func refused(_ message: AlertMessage, reason: String, now: MonotonicTime) -> Report? {
        self.head = .none
        self.earliest = now.advanced(by: self.configuration.pace)
        self.failures = 0
        self.counters.refused += message.alerts.count
        self.counters.problem = reason
        // Told again, it is to be tried again: it has not been heard.
        for alert in message.alerts { self.unsay(alert) }
        // A destination that words its refusals ever anew is quoted a few times only.
        guard self.saidRefusals.count < 8, self.saidRefusals.insert(reason).inserted else { return nil }
        return .refused(reason: reason)
    }

    /// Gives the message up, and what has waited behind it for as long.
    private mutating func expired(_ message: AlertMessage, reason: String, now: MonotonicTime) -> Report? {
        let limit = now.advanced(by: .zero - self.configuration.lifetime)
        let old = self.queue.filter { $0.posted <= limit }.map(\.alert)
        self.queue.removeAll { $0.posted <= limit }
        self.head = .none
        self.failures = 0
        self.earliest = now.advanced(by: self.configuration.pace)
        self.counters.expired += message.alerts.count + old.count
        self.counters.problem = reason
        for alert in message.alerts + old { self.unsay(alert) }
        defer { self.isExpiryReported = true }
        return self.isExpiryReported ? nil : .expired(reason: reason)
    }

    // MARK: Bounds

    private mutating func leaveOne() {
        var seen: Set<Alert.IncidentKey> = []
        var superseded: Int?
        for index in self.queue.indices.reversed() where !seen.insert(self.queue[index].alert.incident).inserted {
            superseded = index
        }
        let leastSevere = self.queue.indices.min {
            (self.queue[$0].alert.severity, $0) < (self.queue[$1].alert.severity, $1)
        }
        guard let index = superseded ?? leastSevere else { return }
        self.unsay(self.queue.remove(at: index).alert)
        self.counters.dropped += 1
        self.leftOut += 1
    }

    /// The alert was not heard; when it was its incident's last, the next one is news whatever it says.
    private mutating func unsay(_ alert: Alert) {
        guard self.threads[alert.incident]?.newest == alert else { return }
        self.threads[alert.incident]?.newest = nil
    }

    private mutating func touch(_ incident: Alert.IncidentKey, _ change: (inout Thread) -> Void) {
        self.uses += 1
        change(&self.threads[incident, default: Thread()])
        self.threads[incident]?.lastUse = self.uses
    }

    private mutating func forgetThreads() {
        // Whatever waits or is under way was used last, so it outlives what is forgotten.
        let room = max(
            self.configuration.incidents, self.configuration.capacity + self.configuration.mergeAtMost)
        while self.threads.count > room, let oldest = self.threads.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            self.threads[oldest.key] = nil
        }
    }
}
