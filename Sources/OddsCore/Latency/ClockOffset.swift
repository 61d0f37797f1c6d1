/// How far the exchange's clock is ahead of this machine's, between two bounds that hold it for certain.
///
/// Two things bound it. The exchange answers `/time` with whole seconds: at some moment between question and answer its
/// clock stood in that second, so that the offset lies in [second − received, second + 1 s − asked]. And no message arrives
/// before it was sent, so that the offset is at least stamp − received for every message of the feed. The bounds are
/// the intersection of all of these. As clocks drift, a bound loosens by `drift` as it ages, so that both hold for as long as
/// the two clocks drift apart no faster. Nothing is assumed about how long the way is, or that it is the same both ways.
///
/// Bounds that contradict each other by little say that the exchange's own clocks do not agree: the one that stamps
/// messages and the one that answers. The feed's bound is kept then, as it is the stamps that latency is measured by, and
/// the distance of the bounds is the contradiction. By more than `tolerance` a clock was stepped, and what was known is
/// dropped.
public struct ClockOffset: Sendable {
    /// How fast the clocks may drift apart, in parts per million.
    public let drift: Double
    /// Bounds that contradict each other by more, in nanoseconds, say that a clock was stepped.
    public let tolerance: Int64
    private var lower: Double?
    private var upper: Double?
    private var time: MonotonicTime?
    /// How often a clock was stepped.
    public private(set) var steps = 0
    /// How many answers of `/time` went in.
    public private(set) var answers = 0
    /// How many of them since a clock was stepped last.
    public private(set) var answersSinceStep = 0
    /// By how much the exchange's own clocks disagreed at most, in nanoseconds.
    public private(set) var disagreement: Int64 = 0
    /// The shortest way there and back, in nanoseconds; nil before the first answer.
    public private(set) var shortestRoundTrip: Int64?
    private var feedLower: Double?

    /// How far before and after the end of a second it is asked, in nanoseconds.
    private static let aside: Int64 = 100_000_000

    /// Nothing is known yet.
    ///
    /// - Parameters:
    ///   - drift: how fast the clocks may drift apart, in parts per million. Crystals drift by up to 50, and a clock that is
    ///     being corrected by up to 500 for a while.
    ///   - tolerance: how far the exchange's own clocks may be apart.
    public init(drift: Double = 60, tolerance: Duration = .milliseconds(50)) {
        self.drift = drift
        self.tolerance = tolerance.wholeNanoseconds
    }

    /// What is known at a moment.
    public struct Bounds: Hashable, Sendable {
        /// The offset is at least this, in nanoseconds: positive when the exchange's clock is ahead.
        public var lower: Int64
        /// The offset is at most this, in nanoseconds.
        public var upper: Int64

        /// Bounds from their parts, in nanoseconds.
        public init(lower: Int64, upper: Int64) {
            self.lower = lower
            self.upper = upper
        }

        /// Halfway between the bounds: off by at most `uncertainty`.
        public var estimate: Int64 { self.lower + (self.upper - self.lower) / 2 }
        /// Half the distance of the bounds, in nanoseconds.
        public var uncertainty: Int64 { (self.upper - self.lower) / 2 }
    }

    /// The bounds at a moment; nil before both sides are known.
    public func bounds(at now: MonotonicTime) -> Bounds? {
        guard let lower = self.lower, let upper = self.upper else { return nil }
        let slack = self.slack(at: now)
        return Bounds(lower: Int64((lower - slack).rounded(.down)), upper: Int64((upper + slack).rounded(.up)))
    }

    /// The lower bound that the feed alone gives: the least of received − stamp, with its sign turned; nil before a message.
    public func feedBound(at now: MonotonicTime) -> Int64? {
        self.feedLower.map { Int64(($0 - self.slack(at: now)).rounded(.down)) }
    }

    private func slack(at now: MonotonicTime) -> Double {
        guard let time = self.time else { return 0 }
        return max(0, Double(time.duration(to: now).wholeNanoseconds)) * self.drift / 1_000_000
    }

    private mutating func age(to now: MonotonicTime) {
        let slack = self.slack(at: now)
        if slack > 0 {
            self.lower = self.lower.map { $0 - slack }
            self.upper = self.upper.map { $0 + slack }
            self.feedLower = self.feedLower.map { $0 - slack }
        }
        if self.time.map({ $0 < now }) ?? true { self.time = now }
    }

    /// The exchange said what second it has.
    ///
    /// - Returns: whether that agrees with what was known; when not, a clock was stepped.
    @discardableResult
    public mutating func answered(second: Int64, asked: ReceiveTime, received: ReceiveTime) -> Bool {
        self.age(to: received.monotonic)
        self.answers += 1
        self.answersSinceStep += 1
        let trip = asked.monotonic.duration(to: received.monotonic).wholeNanoseconds
        self.shortestRoundTrip = min(self.shortestRoundTrip ?? .max, trip)
        // When this machine's clock was stepped in between, only one of its two readings is right: which one is not known,
        // and the monotonic clock says what the other should have been.
        let begin = min(asked.unixNanoseconds, received.unixNanoseconds - trip)
        let end = max(received.unixNanoseconds, asked.unixNanoseconds + trip)
        let lower = Double(second) * 1e9 - Double(end)
        let upper = Double(second + 1) * 1e9 - Double(begin)
        return self.intersect(lower: lower, upper: upper)
    }

    /// A message with a stamp arrived.
    ///
    /// - Returns: whether that agrees with what was known; when not, a clock was stepped.
    @discardableResult
    public mutating func received(stamp: Timestamp, at time: ReceiveTime) -> Bool {
        // The stamp is cut to the millisecond, so the message was sent at it or later.
        let lower = Double(stamp.milliseconds) * 1e6 - Double(time.unixNanoseconds)
        // Nearly every message says nothing new.
        if let known = self.feedLower, let first = self.lower, lower <= known - self.slack(at: time.monotonic),
            lower <= first - self.slack(at: time.monotonic)
        {
            return true
        }
        self.age(to: time.monotonic)
        self.feedLower = max(self.feedLower ?? -.infinity, lower)
        guard lower > self.lower ?? -.infinity else { return true }
        return self.keep(lower: lower, upper: self.upper ?? .infinity) {
            $0.feedLower = lower
            $0.lower = lower
        }
    }

    private mutating func intersect(lower: Double, upper: Double) -> Bool {
        self.keep(
            lower: max(self.lower ?? -.infinity, lower), upper: min(self.upper ?? .infinity, upper)
        ) {
            $0.answersSinceStep = 1
            $0.lower = lower
            $0.upper = upper
        }
    }

    /// Keeps bounds that agree, or nearly; else forgets all and begins anew.
    private mutating func keep(
        lower: Double, upper: Double, orBegin begin: (inout ClockOffset) -> Void
    ) -> Bool {
        let contradiction = lower - upper
        guard contradiction <= Double(self.tolerance) else {
            self.steps += 1
            self.lower = nil
            self.upper = nil
            self.feedLower = nil
            self.answersSinceStep = 0
            begin(&self)
            return false
        }
        self.lower = lower
        if contradiction > 0 {
            self.disagreement = max(self.disagreement, Int64(contradiction))
            self.upper = lower + contradiction
        } else if upper < .infinity {
            self.upper = upper
        }
        return true
    }

    /// When to ask next so that the answer tells most: when by what is known the exchange's second ends while the question
    /// is on its way. Each such answer halves the distance of the bounds. Once they are close, two questions of three are
    /// asked a little before and a little after that: the seconds they must be answered with are known, so that any other
    /// answer tells of a step. At the very end of a second both answers would be right.
    ///
    /// - Returns: the time to wait, less than a second.
    public func wait(at now: ReceiveTime) -> Duration {
        guard let bounds = self.bounds(at: now.monotonic) else { return .zero }
        let way = (self.shortestRoundTrip ?? 0) / 2
        var exchange = now.unixNanoseconds + bounds.estimate + way
        if bounds.uncertainty < Self.aside / 4 {
            switch self.answers % 3 {
            case 1: exchange -= Self.aside
            case 2: exchange += Self.aside
            default: break
            }
        }
        let intoSecond = ((exchange % 1_000_000_000) + 1_000_000_000) % 1_000_000_000
        return .nanoseconds((1_000_000_000 - intoSecond) % 1_000_000_000)
    }
}
