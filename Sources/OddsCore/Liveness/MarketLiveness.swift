/// One market's way from silence to proof: what the lines show and the witness says goes in, actions come out.
///
/// An open socket proves nothing; only data does, and a market may be quiet. So silence is measured against the market's
/// own rhythm, and before anything is done a second witness is asked. The ladder, from the least to the gravest:
///
/// 1. A line that lacks what another line has had for 2 s, of one token or of both, is *behind*: its books are asked for
///    again, and when that does not help its connection is given up. The other line carries the market meanwhile.
/// 2. A market that is silent on every line for longer than its rhythm (2 to 5 s) is looked up over REST. The same book:
///    *quiet, verified*. A newer one that does not come over the lines within 0.5 s: *frozen*; the witness's odds are
///    served at once, the lines are not believed before they have caught up, and their connections are given up in turn.
///    The same is asked when data comes, but later than it used to, and when one token keeps silent on every line while
///    the other does not.
/// 3. While no line delivers, the witness carries the market, asked once a second.
/// 4. When the witness is of no help, the lines are asked for fresh books instead; silence that these do not end either
///    makes the odds suspect, and so does data that keeps coming late.
///
/// Pure: the shell samples the lines a few times a second, so nothing here costs anything per message.
public struct MarketLiveness: Sendable {
    /// The numbers of the rules.
    public struct Limits: Sendable, Equatable {
        /// The least silence after which the witness is asked.
        public var quietAfter = Duration.seconds(2)
        /// The longest silence that is left unverified, however slow the market's rhythm.
        public var quietAtMost = Duration.seconds(5)
        /// Silence is unusual when it is longer than this many of the market's usual gaps.
        public var usualGaps = 4
        /// How long a line may lack what another has.
        public var twinAhead = Duration.seconds(2)
        /// How long something that the witness has may still be on its way over the lines.
        public var onItsWay = Duration.milliseconds(500)
        /// How long asking for fresh books may take to help.
        public var redriveLimit = Duration.seconds(3)
        /// How long after a connection was given up in vain the ladder begins again.
        public var patience = Duration.seconds(30)
        /// How long no line may deliver before the witness carries the market.
        public var carriedAfter = Duration.milliseconds(300)
        /// The same for a market that no line has delivered yet.
        public var firstBookAfter = Duration.seconds(2)
        /// How often the witness is asked while it carries the market.
        public var carryInterval = Duration.milliseconds(500)
        /// How long the witness must contradict lines that are not trusted before they are not served any more.
        public var contradictedAfter = Duration.milliseconds(750)
        /// How much later than usual data may come before the witness is asked whether the exchange is further on.
        public var lateBy = Duration.milliseconds(1500)
        /// How long odds of the witness stand without a new answer.
        public var carriedWithout = Duration.seconds(3)
        /// How soon a witness that did not help is asked again.
        public var askAgain = Duration.seconds(1)
        /// How long asking the lines for fresh books may take, when the witness is of no help, before the odds are suspect.
        public var unverifiedAfter = Duration.seconds(2)
        /// How often the lines are asked for fresh books for lack of another witness, at most.
        public var selfCheck = Duration.seconds(5)
        /// How long an answer of the witness is waited for.
        public var answerLimit = Duration.seconds(2)

        /// The defaults.
        public init() {}
    }

    /// What a line has of a market at a moment.
    public struct Sight: Sendable, Equatable {
        /// The line, by the number it is addressed with.
        public var line: Int
        /// Whether its connection is up.
        public var isUp: Bool
        /// Whether what it has can be believed as far as it knows itself.
        public var isTrusted: Bool
        /// The newest stamp of all that its books have taken in; nil while a book is missing.
        public var newest: Timestamp?
        /// The newest stamp that *each* of its books has: older than `newest` when one token of two keeps silent.
        public var complete: Timestamp?
        /// How many whole books have come.
        public var snapshots: Int

        /// A sight from its parts.
        public init(
            line: Int, isUp: Bool, isTrusted: Bool, newest: Timestamp?, complete: Timestamp?, snapshots: Int
        ) {
            self.line = line
            self.isUp = isUp
            self.isTrusted = isTrusted
            self.newest = newest
            self.complete = complete
            self.snapshots = snapshots
        }
    }

    /// What the witness said about the market.
    public enum Testimony: Sendable, Equatable {
        /// Books that can be believed, when they last changed, and the lines whose books are the same.
        case books(Timestamp, agreeing: [Int])
        /// No answer, or one that cannot be believed; and why.
        case useless(String)
    }

    /// What is to be done, in order.
    public enum Action: Sendable, Equatable {
        /// Ask the witness; its answer goes to `answered`.
        case ask
        /// The line lacks something: do not lead with it, and ask it for fresh books.
        case redrive(line: Int)
        /// The line's connection does not deliver this market: give it up.
        case reconnect(line: Int)
        /// Do not believe what the line has before it has caught up with this stamp, and ask it for fresh books.
        case distrust(line: Int, until: Timestamp)
        /// The witness has confirmed what the line has.
        case confirm(line: Int)
        /// Serve the books that the witness has just given, unless a line can be believed.
        case serve
        /// What was served of the witness is too old now: say so.
        case serveAsStale
        /// A line delivers again: serve nothing of the witness any more.
        case stopServing
        /// Nobody has confirmed the odds for too long: suspect them.
        case doubt
        /// They are confirmed or moving again.
        case believe
        /// Ask the line for a fresh book to confirm what it has, without doubting it.
        case refresh(line: Int)
        /// Tell what has come of the silence.
        case tell(ContinuityEvent.Silence)
    }

    private enum Witness {
        case idle
        case asked(since: MonotonicTime)
        /// It has something that no line has: that may be on its way.
        case contradicts(Timestamp, atComplete: Timestamp?, until: MonotonicTime)
    }

    fileprivate struct Line {
        var sight: Sight
        /// When all of its books last took something in.
        var heard: MonotonicTime
        var lag: Lag?
        /// Stamps up to here are accounted for, although a book never had them: the witness found both books right.
        var excused = Timestamp(milliseconds: .min)

        var complete: Timestamp? { self.sight.complete.map { max($0, self.excused) } }
    }

    fileprivate struct Lag {
        enum Step {
            case waiting
            case redriven(at: MonotonicTime)
            case reconnected(at: MonotonicTime)
        }

        /// What the line should have.
        let target: Timestamp
        let since: MonotonicTime
        var step = Step.waiting
        var snapshotsBefore = 0
    }

    private struct Carrying {
        let since: MonotonicTime
        var lastServed: MonotonicTime?
        var isStale = false
    }

    private let limits: Limits
    private var lines: [Line] = []
    private var newest: Timestamp?
    private var heardAt: MonotonicTime
    private var confirmedAt: MonotonicTime
    /// The usual time between changes, with longer gaps remembered a while.
    private var usualGap = Duration.zero
    private var hasDelivered = false
    private var undeliveredSince: MonotonicTime?
    private var witness = Witness.idle
    private var nextAsk: MonotonicTime
    private var carrying: Carrying?
    private var delay = DelayWatch()
    /// One token lacks what the other has, on every line.
    private var needsProof = false
    private var isDoubted = false
    private var lastSelfCheck: MonotonicTime?
    private var hasTold = false

    /// A market that is followed since `now`.
    public init(limits: Limits = Limits(), now: MonotonicTime) {
        self.limits = limits
        self.heardAt = now
        self.confirmedAt = now
        self.nextAsk = now
    }

    /// The newest stamp that every book of some line has.
    private var complete: Timestamp? { self.lines.compactMap { $0.sight.isUp ? $0.complete : nil }.max() }

    /// How long the market may be silent before the witness is asked.
    public var patience: Duration {
        min(max(self.usualGap * self.limits.usualGaps, self.limits.quietAfter), self.limits.quietAtMost)
    }

    /// Whether the witness carries the market at present.
    public var isCarried: Bool { self.carrying != nil }

    // MARK: The lines

    /// What the lines have now; to be called a few times a second, with every line that carries the market.
    public mutating func sample(_ sights: [Sight], now: MonotonicTime) -> [Action] {
        var actions: [Action] = []
        self.take(sights, now: now, &actions)
        self.watchLags(now: now, &actions)
        self.watchSilence(now: now, &actions)
        if self.hasTold, self.carrying == nil, !self.isDoubted, !self.lines.contains(where: { $0.isCalledBehind }) {
            self.hasTold = false
            actions.append(.tell(.over))
        }
        return actions
    }

    private mutating func take(_ sights: [Sight], now: MonotonicTime, _ actions: inout [Action]) {
        let known = self.lines
        var moved = false
        var refreshed = false
        self.lines = sights.map { sight in
            guard var line = known.first(where: { $0.sight.line == sight.line }) else {
                if sight.newest != nil { moved = true }
                return Line(sight: sight, heard: now)
            }
            if sight.newest != line.sight.newest || sight.complete != line.sight.complete {
                if sight.newest != nil { moved = true }
            }
            if sight.snapshots != line.sight.snapshots { refreshed = true }
            if sight.complete != line.sight.complete || sight.snapshots != line.sight.snapshots { line.heard = now }
            if !sight.isUp || sight.complete == nil { line.lag = nil }
            line.sight = sight
            return line
        }
        let newest = self.lines.compactMap { $0.sight.isUp ? $0.sight.newest : nil }.max()
        self.newest = newest ?? self.newest
        if moved {
            // An outage says nothing about the market's rhythm, and the next one must not be noticed later for it.
            if self.carrying == nil, !self.isDoubted { self.learnGap(self.heardAt.duration(to: now)) }
            if let newest { self.delay.heard(newest, now: now) }
        }
        guard moved || refreshed else { return }
        self.heardAt = now
        if self.isDoubted, !self.delay.isLate(by: self.limits.lateBy) {
            self.isDoubted = false
            actions.append(.believe)
        }
    }

    /// Quick to learn that a market is slow, slow to forget it: one burst does not make a quiet market a busy one.
    private mutating func learnGap(_ gap: Duration) {
        self.usualGap = gap > self.usualGap ? (self.usualGap + gap) / 2 : self.usualGap * 0.98 + gap * 0.02
    }

    private mutating func watchLags(now: MonotonicTime, _ actions: inout [Action]) {
        self.needsProof = false
        guard let newest = self.newest else { return }
        for index in self.lines.indices {
            guard self.lines[index].sight.isUp, let complete = self.lines[index].complete else { continue }
            guard let lag = self.lines[index].lag else {
                if complete < newest { self.lines[index].lag = Lag(target: newest, since: now) }
                continue
            }
            if complete >= lag.target || self.hasFreshBooks(self.lines[index], since: lag) {
                if complete < lag.target { self.lines[index].excused = lag.target }
                let isBehindAgain = (self.lines[index].complete ?? newest) < newest
                self.lines[index].lag = isBehindAgain ? Lag(target: newest, since: now) : nil
                continue
            }
            self.climb(index, lag, now: now, &actions)
        }
    }

    /// Whether both books came anew since they were asked for.
    private func hasFreshBooks(_ line: Line, since lag: Lag) -> Bool {
        if case .waiting = lag.step { return false }
        return line.sight.isTrusted && line.sight.snapshots >= lag.snapshotsBefore + 2
    }

    private mutating func climb(_ index: Int, _ lag: Lag, now: MonotonicTime, _ actions: inout [Action]) {
        let line = self.lines[index].sight.line
        switch lag.step {
        case .waiting:
            guard lag.since.duration(to: now) >= self.limits.twinAhead else { return }
            guard self.lines.contains(where: { $0.complete.map { $0 >= lag.target } ?? false }) else {
                // Only its sibling has it, on every line: that may be the exchange's way, so the witness is asked first.
                self.needsProof = true
                return
            }
            self.tellFrozen(since: self.lines[index].heard, lines: [line], &actions)
            actions.append(.redrive(line: line))
            self.redriven(index, target: lag.target, now: now)
        case .redriven(let at):
            // While no line delivers, one after the other is given up: the freeze may end between the two.
            let turns = self.carrying == nil ? 1 : index + 1
            guard at.duration(to: now) >= self.limits.redriveLimit * turns else { return }
            actions.append(.reconnect(line: line))
            self.lines[index].lag?.step = .reconnected(at: now)
        case .reconnected(let at):
            guard at.duration(to: now) >= self.limits.patience else { return }
            actions.append(.redrive(line: line))
            self.redriven(index, target: lag.target, now: now)
        }
    }

    private mutating func redriven(_ index: Int, target: Timestamp, now: MonotonicTime) {
        var lag = Lag(target: target, since: self.lines[index].lag?.since ?? now)
        lag.step = .redriven(at: now)
        lag.snapshotsBefore = self.lines[index].sight.snapshots
        self.lines[index].lag = lag
    }

    private mutating func tellFrozen(since: MonotonicTime, lines: [Int], _ actions: inout [Action]) {
        self.hasTold = true
        actions.append(.tell(.frozen(since: since, lines: lines)))
    }

    // MARK: Silence

    private mutating func watchSilence(now: MonotonicTime, _ actions: inout [Action]) {
        if self.lines.contains(where: { $0.sight.isUp && $0.sight.isTrusted }) {
            self.hasDelivered = true
            self.undeliveredSince = nil
            if self.carrying != nil {
                self.carrying = nil
                self.witness = .idle
                self.confirmedAt = now
                actions.append(.stopServing)
            }
            self.watchWitness(now: now, &actions)
        } else {
            let since = self.undeliveredSince ?? now
            self.undeliveredSince = since
            let limit = self.hasDelivered ? self.limits.carriedAfter : self.limits.firstBookAfter
            if self.carrying == nil, since.duration(to: now) >= limit {
                self.carrying = Carrying(since: since)
                self.witness = .idle
                self.nextAsk = now
            }
            self.carry(now: now, &actions)
        }
    }

    private mutating func carry(now: MonotonicTime, _ actions: inout [Action]) {
        guard let carrying = self.carrying else { return }
        if let served = carrying.lastServed, !carrying.isStale,
            served.duration(to: now) >= self.limits.carriedWithout
        {
            self.carrying?.isStale = true
            actions.append(.serveAsStale)
        }
        switch self.witness {
        case .asked(let since) where since.duration(to: now) < self.limits.answerLimit: break
        case .asked, .idle, .contradicts:
            self.witness = .idle
            if self.nextAsk <= now { self.ask(now: now, &actions) }
        }
    }

    private mutating func watchWitness(now: MonotonicTime, _ actions: inout [Action]) {
        switch self.witness {
        case .idle:
            let provenAt = max(self.heardAt, self.confirmedAt)
            let isDue =
                provenAt.duration(to: now) >= self.patience || self.delay.isLate(by: self.limits.lateBy)
                || self.needsProof
            if isDue, self.nextAsk <= now { self.ask(now: now, &actions) }
        case .asked(let since):
            self.doubtIfUnproven("no answer yet", now: now, &actions)
            guard since.duration(to: now) >= self.limits.answerLimit else { return }
            self.unconfirmed("no answer within \(self.limits.answerLimit.secondsValue) s", now: now, &actions)
        case .contradicts(let stamp, let atComplete, let until):
            if let complete = self.complete, complete >= stamp, complete != atComplete {
                self.witness = .idle
                self.delay.startOver()
            } else if until <= now {
                self.freeze(until: stamp, now: now, &actions)
            }
        }
    }

    private mutating func ask(now: MonotonicTime, _ actions: inout [Action]) {
        self.witness = .asked(since: now)
        actions.append(.ask)
    }

    private mutating func freeze(until stamp: Timestamp, now: MonotonicTime, _ actions: inout [Action]) {
        self.witness = .idle
        let frozen = self.lines.indices.filter { self.lines[$0].sight.isUp }
        self.tellFrozen(since: self.heardAt, lines: frozen.map { self.lines[$0].sight.line }, &actions)
        // Served first, so that the board goes from the lines' odds straight to the witness's.
        actions.append(.serve)
        for index in frozen {
            actions.append(.distrust(line: self.lines[index].sight.line, until: stamp))
            self.redriven(index, target: stamp, now: now)
        }
        self.carrying = Carrying(since: now, lastServed: now)
        self.undeliveredSince = now
        self.nextAsk = now.advanced(by: self.limits.carryInterval)
    }

    // MARK: The witness

    /// The witness's answer to the last `ask`.
    public mutating func answered(_ testimony: Testimony, now: MonotonicTime) -> [Action] {
        var actions: [Action] = []
        if case .asked = self.witness { self.witness = .idle }
        switch testimony {
        case .useless(let reason):
            if self.carrying == nil {
                self.unconfirmed(reason, now: now, &actions)
            } else {
                self.nextAsk = now.advanced(by: self.limits.askAgain)
                if self.isDoubted { self.checkItself(now: now, &actions) }
            }
        case .books(let stamp, let agreeing):
            self.confirm(agreeing, now: now, &actions)
            if self.carrying != nil {
                self.carried(by: stamp, agreeing: agreeing, now: now, &actions)
            } else if agreeing.isEmpty {
                self.contradicted(by: stamp, now: now, &actions)
            }
        }
        return actions
    }

    private mutating func confirm(_ agreeing: [Int], now: MonotonicTime, _ actions: inout [Action]) {
        guard !agreeing.isEmpty else { return }
        self.confirmedAt = now
        self.delay.startOver()
        for index in self.lines.indices where agreeing.contains(self.lines[index].sight.line) {
            if let newest = self.newest { self.lines[index].excused = newest }
            self.lines[index].lag = nil
        }
        actions += agreeing.map { .confirm(line: $0) }
        if self.isDoubted {
            self.isDoubted = false
            actions.append(.believe)
        }
    }

    private mutating func carried(
        by stamp: Timestamp, agreeing: [Int], now: MonotonicTime, _ actions: inout [Action]
    ) {
        guard let carrying = self.carrying else { return }
        self.carrying?.lastServed = now
        self.carrying?.isStale = false
        self.nextAsk = now.advanced(by: self.limits.carryInterval)
        actions.append(.serve)
        if carrying.since.duration(to: now) >= self.limits.contradictedAfter {
            // Lines that are up and suspect would be served before the witness: they have had their time.
            for line in self.lines where line.sight.isUp && line.sight.complete != nil {
                guard !agreeing.contains(line.sight.line), !line.sight.isTrusted else { continue }
                actions.append(.distrust(line: line.sight.line, until: stamp))
            }
        }
    }

    private mutating func contradicted(by stamp: Timestamp, now: MonotonicTime, _ actions: inout [Action]) {
        if let complete = self.complete, stamp < complete {
            // What a line brought while the witness was asked is newer than the answer, or the witness is behind.
            self.delay.startOver()
            self.nextAsk = now.advanced(by: self.limits.askAgain)
            if self.heardAt.duration(to: now) >= self.patience {
                self.unconfirmed("its book is older than the lines'", now: now, &actions)
            }
            return
        }
        self.witness = .contradicts(stamp, atComplete: self.complete, until: now.advanced(by: self.limits.onItsWay))
    }

    /// The witness is of no help: fresh books of the lines' own are asked for, and when those do not come either, the
    /// silence is one that nobody can explain.
    private mutating func unconfirmed(_ reason: String, now: MonotonicTime, _ actions: inout [Action]) {
        self.witness = .idle
        self.nextAsk = now.advanced(by: self.limits.askAgain)
        if self.delay.unproven(now, by: self.limits.lateBy).duration(to: now) >= self.limits.unverifiedAfter {
            return self.doubt("data comes late, and \(reason)", &actions)
        }
        let provenAt = max(self.heardAt, self.confirmedAt)
        guard provenAt.duration(to: now) >= self.patience else { return }
        self.doubtIfUnproven(reason, now: now, &actions)
        self.checkItself(now: now, &actions)
    }

    /// Fresh books that were asked for as a proof have not come.
    private mutating func doubtIfUnproven(_ reason: String, now: MonotonicTime, _ actions: inout [Action]) {
        guard let check = self.lastSelfCheck, check >= max(self.heardAt, self.confirmedAt),
            check.duration(to: now) >= self.limits.unverifiedAfter
        else { return }
        self.doubt(reason, &actions)
    }

    private mutating func doubt(_ reason: String, _ actions: inout [Action]) {
        guard !self.isDoubted else { return }
        self.isDoubted = true
        self.hasTold = true
        actions.append(.doubt)
        actions.append(.tell(.unverified(reason: reason)))
    }

    private mutating func checkItself(now: MonotonicTime, _ actions: inout [Action]) {
        if let last = self.lastSelfCheck, last.duration(to: now) < self.limits.selfCheck { return }
        self.lastSelfCheck = now
        for line in self.lines where line.sight.isUp && line.sight.complete != nil {
            actions.append(.refresh(line: line.sight.line))
        }
    }

    // MARK: The end

    /// The market has ended or is not followed any more: nothing is expected of it.
    public mutating func end() -> [Action] {
        var actions: [Action] = []
        if self.carrying != nil { actions.append(.stopServing) }
        if self.isDoubted { actions.append(.believe) }
        if self.hasTold { actions.append(.tell(.over)) }
        self.carrying = nil
        self.isDoubted = false
        self.hasTold = false
        return actions
    }
}

extension MarketLiveness.Line {
    /// Whether it was said that the line is behind.
    fileprivate var isCalledBehind: Bool {
        switch self.lag?.step {
        case .redriven, .reconnected: true
        case .waiting, nil: false
        }
    }
}

/// How late data comes, by the exchange's stamps: only differences count, so no clock needs to be right.
private struct DelayWatch: Sendable {
    /// The least distance between our clock and a stamp on arrival, in milliseconds; it may grow slowly, as clocks drift.
    private var least: Double?
    private var lastHeard: MonotonicTime?
    private var excess = 0.0
    private var lateInARow = 0
    /// Since when data is late and the witness is of no help.
    private var unprovenSince: MonotonicTime?

    /// Milliseconds that clocks may drift apart in a second.
    private static let drift = 0.1
    /// Of single rows that come late the venue has some.
    private static let rowsInARow = 3

    mutating func heard(_ newest: Timestamp, now: MonotonicTime) {
        let distance = Double(now.nanoseconds) / 1e6 - Double(newest.milliseconds)
        let elapsed = self.lastHeard?.duration(to: now).secondsValue ?? 0
        self.lastHeard = now
        let least = min(distance, (self.least ?? distance) + elapsed * Self.drift)
        self.least = least
        self.excess = distance - least
        self.lateInARow = self.excess >= 1000 ? self.lateInARow + 1 : 0
    }

    func isLate(by limit: Duration) -> Bool {
        self.lateInARow >= Self.rowsInARow && self.excess >= limit.secondsValue * 1000
    }

    /// The witness is of no help: since when that has been so while data is late; `now` when it is not late.
    mutating func unproven(_ now: MonotonicTime, by limit: Duration) -> MonotonicTime {
        guard self.isLate(by: limit) else {
            self.unprovenSince = nil
            return now
        }
        let since = self.unprovenSince ?? now
        self.unprovenSince = since
        return since
    }

    /// The delay is what it is: the exchange is no further on.
    mutating func startOver() {
        self.least = nil
        self.excess = 0
        self.lateInARow = 0
        self.unprovenSince = nil
    }
}
