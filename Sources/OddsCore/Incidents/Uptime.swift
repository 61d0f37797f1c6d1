/// How long odds were there and could be believed.
///
/// A market should be live from its first odds, or from three seconds after it was followed when none have come by then,
/// until its window is over, it is closed, it is not followed any more or the streamer stops. That is its due time.
/// Time counts as what readers were told: odds that were served as `live` count as live, also when it turned out
/// afterwards that something was wrong with them. How long that was is told by the incident (`detectionTime`).
///
/// Up is live. Where odds come from a poller alone, which has no live ones, `fallback` is up too.
public struct Uptime: Sendable, Equatable {
    /// Time by what readers were given; together all the time since the market was followed.
    public internal(set) var times = StandingTimes()
    /// Whether `fallback` counts as up.
    public internal(set) var acceptsFallback = false
    /// The due time that was not up, by the kind of the incident that took it; together `due` less `up`.
    public internal(set) var lost: [Incident.Kind: Duration] = [:]

    /// No time at all.
    public init() {}

    /// All time since the market was followed.
    public var elapsed: Duration { self.times.total }
    /// The time in which the market should have been live.
    public var due: Duration { Standing.byMerit.reduce(.zero) { $0 + self.times[$1] } }
    /// The time in which it was.
    public var live: Duration { self.times[.live] }
    /// The time in which it was up: live, or served by the poller where that is all there is.
    public var up: Duration { self.acceptsFallback ? self.live + self.times[.fallback] : self.live }
    /// Up time as a share of the due time, 0 to 1; nil when nothing was due yet.
    public var share: Double? {
        self.due > .zero ? Double(self.up.wholeNanoseconds) / Double(self.due.wholeNanoseconds) : nil
    }

    init(acceptsFallback: Bool) { self.acceptsFallback = acceptsFallback }

    mutating func lose(_ time: Duration, to kind: Incident.Kind) {
        guard time > .zero else { return }
        self.lost[kind, default: .zero] += time
    }

    static func + (a: Uptime, b: Uptime) -> Uptime {
        var sum = a
        sum += b
        return sum
    }

    static func += (a: inout Uptime, b: Uptime) {
        a.times += b.times
        a.lost.merge(b.lost, uniquingKeysWith: +)
    }
}

/// The uptime of everything that was followed since the start.
public struct UptimeLedger: Sendable {
    /// One market that is followed now.
    public struct Entry: Sendable {
        /// The market.
        public let market: Market
        /// Its time.
        public let uptime: Uptime

        /// An entry from its parts.
        public init(market: Market, uptime: Uptime) {
            self.market = market
            self.uptime = uptime
        }
    }

    /// All markets together, those that are not followed any more included.
    public var total = Uptime()
    /// The same by series; markets without a series are in `total` only.
    public var series: [String: Uptime] = [:]
    /// The markets followed now, by the time since which they are, the newest last.
    public var markets: [Entry] = []

    /// A ledger without entries.
    public init() {}
}
