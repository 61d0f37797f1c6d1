import OddsCore

/// Keeps the number of requests under a published limit: a burst is let through, then one request per interval.
struct RequestPace {
    private let interval: Duration
    private let burst: Int
    private var next: MonotonicTime?

    /// At most `burst` requests at once, and one more per `interval`.
    init(interval: Duration, burst: Int) {
        precondition(burst > 0 && interval > .zero, "a pace lets at least one request through per interval")
        self.interval = interval
        self.burst = burst
    }

    /// Gamma's `/markets`: 300 requests in any 10 s, so 50 at once and 25 a second. ("protocol reference", rate limits)
    static let gammaMarkets = RequestPace(interval: .milliseconds(40), burst: 50)

    /// The CLOB's `/book`: 1,500 requests in any 10 s, so 100 at once and 50 a second. ("protocol reference", rate limits)
    static let clobBook = RequestPace(interval: .milliseconds(20), burst: 100)

    /// Takes `count` places and returns the moment from which the requests may be made.
    mutating func reserve(_ count: Int = 1, at now: MonotonicTime) -> MonotonicTime {
        let free = max(now, self.next ?? now)
        self.next = free.advanced(by: self.interval * count)
        return max(now, free.advanced(by: self.interval * (count - self.burst)))
    }
}
