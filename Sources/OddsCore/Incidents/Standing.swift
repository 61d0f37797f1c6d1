/// What readers were given for a market: a trust, or nothing at all. The ledger counts time by these.
public enum Standing: String, Sendable, CaseIterable {
    /// Followed, and the first odds are not due yet.
    case pending
    /// The first odds are overdue: there is nothing to serve.
    case missing
    /// Served as `live`.
    case live
    /// Served as `suspect`.
    case suspect
    /// Served as `stale`.
    case stale
    /// Served from the poller, as `fallback`.
    case fallback
    /// The window is over and the venue has not said who won.
    case resolving
    /// Decided, closed, or the streamer was stopped.
    case closed

    /// What a trust counts as.
    init(_ trust: Trust) {
        switch trust {
        case .live: self = .live
        case .suspect: self = .suspect
        case .stale(_, .stopped): self = .closed
        case .stale: self = .stale
        case .fallback: self = .fallback
        case .resolving: self = .resolving
        case .closed: self = .closed
        }
    }

    /// Whether a market in it should have been live.
    public var isDue: Bool {
        switch self {
        case .live, .suspect, .stale, .fallback, .missing: true
        case .pending, .resolving, .closed: false
        }
    }

    /// Whether a market in it should have been up and was not.
    ///
    /// - Parameter acceptsFallback: whether `fallback` is up as well, as it is where odds come from a poller alone.
    public func isLost(acceptingFallback acceptsFallback: Bool = false) -> Bool {
        self.isDue && self != .live && !(acceptsFallback && self == .fallback)
    }

    /// The due ones, the best first.
    static let byMerit: [Standing] = [.live, .suspect, .fallback, .stale, .missing]

    var index: Int {
        switch self {
        case .pending: 0
        case .missing: 1
        case .live: 2
        case .suspect: 3
        case .stale: 4
        case .fallback: 5
        case .resolving: 6
        case .closed: 7
        }
    }
}

/// Time spent in each standing, to the nanosecond.
public struct StandingTimes: Sendable, Equatable {
    private var nanoseconds: [Int64] = Array(repeating: 0, count: Standing.allCases.count)

    /// No time at all.
    public init() {}

    /// The time in one standing.
    public internal(set) subscript(standing: Standing) -> Duration {
        get { .nanoseconds(self.nanoseconds[standing.index]) }
        set { self.nanoseconds[standing.index] = newValue.wholeNanoseconds }
    }

    /// All time together.
    public var total: Duration { .nanoseconds(self.nanoseconds.reduce(0, +)) }

    /// The standings with any time, and how long.
    public var spent: [(standing: Standing, time: Duration)] {
        Standing.allCases.compactMap { self[$0] > .zero ? ($0, self[$0]) : nil }
    }

    static func += (a: inout StandingTimes, b: StandingTimes) {
        for index in a.nanoseconds.indices { a.nanoseconds[index] += b.nanoseconds[index] }
    }
}
