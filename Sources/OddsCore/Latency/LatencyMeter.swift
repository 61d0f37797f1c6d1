internal import Synchronization

/// A part of the way from the exchange to a decision.
public enum LatencyStage: String, CaseIterable, Sendable, Codable, CodingKeyRepresentable {
    /// From the exchange's stamp to the read from the socket.
    case wire
    /// From the read from the socket to the odds on the board.
    case odds
    /// From the exchange's stamp to the odds on the board.
    case readable
    /// From the odds on the board to the trading desk's decision on them.
    case decision
    /// From the exchange's stamp to the decision.
    case total

    /// What it is, for people.
    public var title: String {
        switch self {
        case .wire: "exchange to socket"
        case .odds: "socket to odds"
        case .readable: "exchange to odds"
        case .decision: "odds to decision"
        case .total: "exchange to decision"
        }
    }

    /// Whether it begins with the exchange's stamp, and so rests on what is known of the two clocks.
    public var needsOffset: Bool { self == .wire || self == .readable || self == .total }
}

/// A distribution for each stage.
public struct LatencyStages: Sendable {
    private var histograms: [LatencyHistogram]

    /// Distributions of nothing.
    public init() { self.histograms = LatencyStage.allCases.map { _ in LatencyHistogram() } }

    private static func index(_ stage: LatencyStage) -> Int {
        switch stage {
        case .wire: 0
        case .odds: 1
        case .readable: 2
        case .decision: 3
        case .total: 4
        }
    }

    /// One stage's distribution.
    public subscript(stage: LatencyStage) -> LatencyHistogram { self.histograms[Self.index(stage)] }

    /// Records a time in nanoseconds.
    public mutating func record(_ nanoseconds: Int64, _ stage: LatencyStage) {
        self.histograms[Self.index(stage)].record(nanoseconds)
    }

    /// Adds what others have.
    public mutating func add(_ other: LatencyStages) {
        for index in self.histograms.indices { self.histograms[index].add(other.histograms[index]) }
    }

    /// Forgets the stages that rest on the offset of the clocks.
    mutating func resetOffsetStages() {
        for stage in LatencyStage.allCases where stage.needsOffset { self.histograms[Self.index(stage)].reset() }
    }

    /// Forgets everything.
    public mutating func reset() {
        for index in self.histograms.indices { self.histograms[index].reset() }
    }
}

/// Measures how old odds are when they can be read, and when they are decided on: inline, where they are published.
///
/// What counts: each publication of new values that are `live` and come from a line, of a market that was `live` in the
/// same epoch with a stamp no later. So the first book of a subscription counts for nothing, because it carries the stamp of
/// the market's last change, nor does what comes after an outage: that time is an incident's, and in the uptime.
///
/// Publications wait until the offset is known to 10 ms, or fourteen answers of `/time` have not made it better.
/// Stages that begin at the exchange are corrected by the estimated offset of the clocks. They count only when the next
/// three answers of `/time` agree with what was known: when a clock was stepped meanwhile, they are dropped and counted.
/// May be used from any thread.
public final class LatencyMeter: Sendable {
    /// What is known of a market: where it stands, and when its last versions were published.
    fileprivate struct Place {
        var epoch: UInt64
        var stamp: Timestamp
        var sequences = [UInt64](repeating: 0, count: Place.kept)
        var instants = [MonotonicTime](repeating: MonotonicTime(nanoseconds: 0), count: Place.kept)

        /// A decision that is more versions behind is not counted.
        private static let kept = 64

        init(epoch: UInt64, stamp: Timestamp) {
            self.epoch = epoch
            self.stamp = stamp
        }

        mutating func mark(_ sequence: UInt64, at instant: MonotonicTime) {
            let index = Int(sequence % UInt64(Self.kept))
            self.sequences[index] = sequence
            self.instants[index] = instant
        }

        func published(_ sequence: UInt64) -> MonotonicTime? {
            let index = Int(sequence % UInt64(Self.kept))
            return self.sequences[index] == sequence ? self.instants[index] : nil
        }
    }

    fileprivate struct State {
        var offset: ClockOffset
        let isRelative: Bool
        /// Whether the exchange is known to hold messages back, and what came meanwhile.
        var isSetAside = false
        var setAside = LatencyStages()
        /// Whether enough has come to know the fastest message by.
        var knowsFastest = false
        var places: [MarketID: Place] = [:]
        var total = LatencyStages()
        var hour = Ring(slots: 12, width: .seconds(300))
        var minute = Ring(slots: 6, width: .seconds(10))
        /// Since the last answer that agreed.
        var unconfirmed = LatencyStages()
        /// How many answers have agreed since then.
        var agreed = 0
        var dropped: UInt64 = 0
        var widest: Int64 = 0
        var over: UInt64 = 0
        var overUnconfirmed: UInt64 = 0
        /// What came before any offset is known, and when: their number is bounded.
        var early: [(wire: Int64, odds: Int64, time: MonotonicTime)] = []
    }

    /// A ring of distributions: the last so many pieces of time.
    fileprivate struct Ring {
        private var slots: [LatencyStages]
        private var numbers: [Int64]
        private let width: Int64

        init(slots: Int, width: Duration) {
            self.slots = (0..<slots).map { _ in LatencyStages() }
            self.numbers = Array(repeating: .min, count: slots)
            self.width = width.wholeNanoseconds
        }

        mutating func add(_ nanoseconds: Int64, _ stage: LatencyStage, at now: MonotonicTime) {
            let number = now.nanoseconds.flooredQuotient(self.width)
            let index = Int(((number % Int64(self.slots.count)) + Int64(self.slots.count)) % Int64(self.slots.count))
            // What waited for the offset may be older than what the ring still has.
            guard self.numbers[index] <= number else { return }
            if self.numbers[index] != number {
                self.slots[index].reset()
                self.numbers[index] = number
            }
            self.slots[index].record(nanoseconds, stage)
        }

        /// Forgets the stages that rest on the offset of the clocks.
        mutating func forgetOffset() {
            for index in self.slots.indices { self.slots[index].resetOffsetStages() }
        }

        func read(at now: MonotonicTime) -> LatencyStages {
            var sum = LatencyStages()
            let number = now.nanoseconds.flooredQuotient(self.width)
            let oldest = number - Int64(self.slots.count)
            for (index, slot) in self.slots.enumerated() where self.numbers[index] > oldest { sum.add(slot) }
            return sum
        }
    }

    private let state: Mutex<State>

    /// A meter that has seen nothing.
    ///
    /// - Parameters:
    ///   - drift: how fast the clocks may drift apart, in parts per million.
    ///   - isRelative: whether nobody can ask the exchange for its time, as in a recording: the fastest message is taken to
    ///     have needed no time at all, and all others are measured by it.
    public init(drift: Double = 60, isRelative: Bool = false) {
        self.state = Mutex(State(offset: ClockOffset(drift: drift), isRelative: isRelative))
    }

    // MARK: What happens

    /// A market's odds changed on the board.
    ///
    /// - Parameter now: the moment of the publication.
    public func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        self.state.withLock { state in
            guard snapshot.trust == .live, case .line = snapshot.source else {
                state.places[snapshot.marketID] = nil
                return
            }
            let raw = snapshot.receiveTime.nanoseconds(since: snapshot.exchangeTime)
            guard State.isSane(raw), state.follow(snapshot, at: now.monotonic) else { return }
            let odds = snapshot.receiveTime.monotonic.duration(to: now.monotonic).wholeNanoseconds
            state.count(odds, .odds, at: now.monotonic)
            if !state.offset.received(stamp: snapshot.exchangeTime, at: snapshot.receiveTime) { state.drop() }
            state.wire(raw, odds, at: snapshot.receiveTime.monotonic)
            if state.isRelative, !state.knowsFastest, state.early.count >= 1_000 {
                state.knowsFastest = true
                state.takeEarly(at: now.monotonic)
            }
        }
    }

    /// The trading desk has decided on odds.
    ///
    /// - Parameter now: the moment after the decision.
    public func decided(on snapshot: OddsSnapshot, at now: ReceiveTime) {
        guard snapshot.trust == .live, case .line = snapshot.source else { return }
        let raw = snapshot.receiveTime.nanoseconds(since: snapshot.exchangeTime)
        guard State.isSane(raw) else { return }
        let since = snapshot.receiveTime.monotonic.duration(to: now.monotonic).wholeNanoseconds
        self.state.withLock { state in
            // Only odds that count in the other stages as well.
            guard let place = state.places[snapshot.marketID], place.epoch == snapshot.epoch,
                let published = place.published(snapshot.sequence)
            else { return }
            state.count(published.duration(to: now.monotonic).wholeNanoseconds, .decision, at: now.monotonic)
            guard let bounds = state.settledBounds(at: now.monotonic) else { return }
            state.uncertain(raw + bounds.estimate + since, .total, at: now.monotonic)
        }
    }

    /// A market is over.
    public func ended(_ market: MarketID) { self.state.withLock { $0.places[market] = nil } }

    /// The exchange said what second it has.
    public func answered(second: Int64, asked: ReceiveTime, received: ReceiveTime) {
        self.state.withLock { state in
            if state.offset.answered(second: second, asked: asked, received: received) {
                state.agreed += 1
                // One of each kind: see `ClockOffset.wait`.
                if state.agreed >= 3 { state.confirm() }
                state.takeEarly(at: received.monotonic)
            } else {
                state.drop()
            }
        }
    }

    /// How long to wait before asking `/time`, so that the answer tells most; less than a second.
    public func wait(at now: ReceiveTime) -> Duration { self.state.withLock { $0.offset.wait(at: now) } }

    /// Whether the exchange is known to hold messages back, or to have a wrong clock, as when a simulated one was told to:
    /// what comes meanwhile is measured by itself.
    public func setAside(_ isSetAside: Bool) { self.state.withLock { $0.isSetAside = isSetAside } }

    /// Nothing more comes: what waited to know the fastest message is measured by what is known of it.
    public func finish(at now: ReceiveTime) {
        self.state.withLock { state in
            guard state.isRelative else { return }
            state.knowsFastest = true
            state.takeEarly(at: now.monotonic)
        }
    }

    // MARK: Reading

    /// How far the exchange's clock is ahead of this machine's; nil while it is not known to 10 ms, and fourteen answers
    /// have not made it better.
    public func exchangeOffset(at now: MonotonicTime) -> Duration? {
        self.state.withLock { $0.settledBounds(at: now) }.map { .nanoseconds($0.estimate) }
    }

    /// Everything up to now.
    public func report(at now: ReceiveTime) -> LatencyReport {
        // Summed outside the lock: the feed's event loop must not wait for a reader.
        let state = self.state.withLock { $0 }
        var report = LatencyReport()
        report.total = state.total
        report.confirmed = state.total
        report.total.add(state.unconfirmed)
        report.hour = state.hour.read(at: now.monotonic)
        report.minute = state.minute.read(at: now.monotonic)
        report.late = state.over + state.overUnconfirmed
        report.confirmedLate = state.over
        report.dropped = state.dropped
        report.waiting = UInt64(state.early.count)
        report.bounds = state.offset.bounds(at: now.monotonic)
        report.feedBound = state.offset.feedBound(at: now.monotonic)
        report.setAside = state.setAside
        report.isRelative = state.isRelative
        report.widest = state.widest
        report.disagreement = state.offset.disagreement
        report.steps = state.offset.steps
        report.answers = state.offset.answers
        report.roundTrip = state.offset.shortestRoundTrip
        return report
    }
}

extension LatencyMeter.State {
    /// Whether a time from stamp to read can be one of clocks that are only set wrong: no more than a year before the
    /// stamp. A single wild stamp would otherwise be taken for a step of the clock, and hide what the market has later.
    fileprivate static func isSane(_ raw: Int64) -> Bool { raw > -31_557_600_000_000_000 && raw < .max / 2 }

    /// Notes a publication; returns whether it counts.
    fileprivate mutating func follow(_ snapshot: OddsSnapshot, at now: MonotonicTime) -> Bool {
        guard let index = self.places.index(forKey: snapshot.marketID),
            self.places.values[index].epoch == snapshot.epoch
        else {
            // The first of an epoch is the end of an outage, or the beginning.
            self.places[snapshot.marketID] = .init(epoch: snapshot.epoch, stamp: snapshot.exchangeTime)
            return false
        }
        guard self.places.values[index].stamp <= snapshot.exchangeTime else { return false }
        self.places.values[index].stamp = snapshot.exchangeTime
        self.places.values[index].mark(snapshot.sequence, at: now)
        return true
    }

    fileprivate mutating func count(_ nanoseconds: Int64, _ stage: LatencyStage, at now: MonotonicTime) {
        self.total.record(nanoseconds, stage)
        self.hour.add(nanoseconds, stage, at: now)
        self.minute.add(nanoseconds, stage, at: now)
    }

    /// A time that rests on the offset: it counts when the offset is confirmed.
    fileprivate mutating func uncertain(_ nanoseconds: Int64, _ stage: LatencyStage, at now: MonotonicTime) {
        guard !self.isSetAside else { return self.setAside.record(nanoseconds, stage) }
        self.unconfirmed.record(nanoseconds, stage)
        self.hour.add(nanoseconds, stage, at: now)
        self.minute.add(nanoseconds, stage, at: now)
        if stage == .readable, nanoseconds > 1_000_000_000 { self.overUnconfirmed += 1 }
    }

    fileprivate mutating func wire(_ raw: Int64, _ odds: Int64, at now: MonotonicTime) {
        guard let bounds = self.settledBounds(at: now) else {
            if self.isSetAside {
                self.dropped += 1
            } else if self.early.count < 10_000 {
                self.early.append((raw, odds, now))
            } else {
                self.dropped += 1
            }
            return
        }
        self.widest = max(self.widest, bounds.uncertainty)
        self.uncertain(raw + bounds.estimate, .wire, at: now)
        self.uncertain(raw + bounds.estimate + odds, .readable, at: now)
    }

    /// The bounds, once they are as narrow as they get.
    fileprivate func settledBounds(at now: MonotonicTime) -> ClockOffset.Bounds? {
        if self.isRelative {
            guard self.knowsFastest, let bound = self.offset.feedBound(at: now) else { return nil }
            return ClockOffset.Bounds(lower: bound, upper: bound)
        }
        guard let bounds = self.offset.bounds(at: now),
            bounds.uncertainty <= 10_000_000 || self.offset.answersSinceStep >= 14
        else { return nil }
        return bounds
    }

    fileprivate mutating func takeEarly(at now: MonotonicTime) {
        guard !self.early.isEmpty, self.settledBounds(at: now) != nil else { return }
        let early = self.early
        self.early = []
        for (raw, odds, time) in early { self.wire(raw, odds, at: time) }
    }

    fileprivate mutating func confirm() {
        self.agreed = 0
        self.total.add(self.unconfirmed)
        self.over += self.overUnconfirmed
        self.overUnconfirmed = 0
        self.unconfirmed.reset()
    }

    fileprivate mutating func drop() {
        self.agreed = 0
        self.dropped += self.unconfirmed[.wire].count + UInt64(self.early.count)
        self.early = []
        self.overUnconfirmed = 0
        self.unconfirmed.reset()
        // They may hold what was corrected by the wrong offset.
        self.hour.forgetOffset()
        self.minute.forgetOffset()
    }
}

/// What a meter has measured, up to a moment.
public struct LatencyReport: Sendable {
    /// Since the beginning.
    public var total = LatencyStages()
    /// Since the beginning, without what the next answer of `/time` has yet to confirm: this never goes back.
    public var confirmed = LatencyStages()
    /// What came while the exchange was known to hold messages back: in no other number of the stages from the exchange.
    public var setAside = LatencyStages()
    /// In the last hour, to five minutes.
    public var hour = LatencyStages()
    /// In the last minute, to ten seconds.
    public var minute = LatencyStages()
    /// How many publications took over a second from the exchange's stamp to the board.
    public var late: UInt64 = 0
    /// The same without those that are yet to be confirmed: this never goes back.
    public var confirmedLate: UInt64 = 0
    /// How many publications are not counted in the stages from the exchange, because a clock was stepped near them.
    public var dropped: UInt64 = 0
    /// How many publications wait until the offset of the clocks is known.
    public var waiting: UInt64 = 0
    /// How far the exchange's clock is ahead; nil when it is not known.
    public var bounds: ClockOffset.Bounds?
    /// Whether times from the exchange are those above the fastest message.
    public var isRelative = false
    /// The lower bound by the feed alone, in nanoseconds; nil when it is not known.
    public var feedBound: Int64?
    /// The largest uncertainty that any measured time was corrected with, in nanoseconds.
    public var widest: Int64 = 0
    /// By how much the exchange's own clocks disagreed at most, in nanoseconds.
    public var disagreement: Int64 = 0
    /// How often a clock was stepped.
    public var steps = 0
    /// How many answers of `/time` went in.
    public var answers = 0
    /// The shortest way to `/time` and back, in nanoseconds; nil before the first answer.
    public var roundTrip: Int64?

    /// A report of nothing.
    public init() {}
}
