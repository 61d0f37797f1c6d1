import OddsCore

/// How far something is, how fast it goes and how long it still takes: shares go in, estimates come out.
///
/// The speed is that of the last while, so that a change shows, but no single step makes the estimate jump.
struct ProgressEstimate: Sendable {
    private let began: MonotonicTime
    private var share = 0.0
    private var count = 0.0
    private var measuredAt: MonotonicTime
    private var measuredShare = 0.0
    private var measuredCount = 0.0
    /// Shares and units a second, smoothed; nil until it was measured once.
    private var speed: (share: Double, count: Double)?

    init(now: MonotonicTime) {
        self.began = now
        self.measuredAt = now
    }

    /// What is known at a moment.
    struct State: Equatable {
        /// From 0 to 1.
        var share: Double
        /// Units a second; nil when nothing is counted.
        var rate: Double?
        /// Seconds; nil when it cannot be told yet.
        var left: Double?
        /// Seconds since it began.
        var elapsed: Double
    }

    /// The share that is done now, and how many units when they are counted. Neither goes back.
    mutating func advance(to share: Double, count: Int64?, now: MonotonicTime) {
        if share.isFinite { self.share = min(1, max(self.share, share)) }
        if let count { self.count = max(self.count, Double(count)) }
        let seconds = self.measuredAt.duration(to: now).secondsValue
        guard seconds >= 1 else { return }
        self.measure(seconds, now: now)
    }

    private mutating func measure(_ seconds: Double, now: MonotonicTime) {
        let fresh = (
            share: (self.share - self.measuredShare) / seconds, count: (self.count - self.measuredCount) / seconds
        )
        if let speed {
            // The memory grows with the age: after two minutes the last half minute counts.
            let memory = max(4, min(30, self.began.duration(to: now).secondsValue / 4))
            let weight = seconds / (seconds + memory)
            self.speed = (
                speed.share + (fresh.share - speed.share) * weight, speed.count + (fresh.count - speed.count) * weight
            )
        } else {
            self.speed = fresh
        }
        self.measuredAt = now
        self.measuredShare = self.share
        self.measuredCount = self.count
    }

    /// What is known now. Without news the speed falls, and the time left grows.
    func state(now: MonotonicTime) -> State {
        var current = self
        let silent = current.measuredAt.duration(to: now).secondsValue
        if silent >= 1 { current.measure(silent, now: now) }
        let elapsed = self.began.duration(to: now).secondsValue
        var left: Double?
        if let speed = current.speed, speed.share > 0, elapsed >= 2 { left = (1 - self.share) / speed.share }
        if self.share >= 1 { left = 0 }
        return State(
            share: self.share, rate: self.count > 0 ? current.speed?.count : nil,
            left: left.flatMap { $0 < 86_400 * 366 ? $0 : nil }, elapsed: elapsed)
    }
}
