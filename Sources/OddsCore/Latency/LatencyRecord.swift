/// A distribution of times as it stands in JSON.
public struct LatencyDistribution: Sendable, Codable, Hashable {
    /// Percentiles.
    public var summary: LatencySummary
    /// How many fell into which range.
    public var ranges: [LatencyRange]

    /// What a histogram holds; nil when that is nothing.
    public init?(_ histogram: LatencyHistogram) {
        guard histogram.count > 0 else { return nil }
        self.summary = LatencySummary(histogram)
        self.ranges = histogram.ranges
    }
}

/// What a latency meter has measured, as it stands in JSON.
public struct LatencyRecord: Sendable, Codable {
    /// Since the beginning, by stage.
    public var stages: [String: LatencyDistribution] = [:]
    /// The last hour, by stage.
    public var hour: [String: LatencySummary] = [:]
    /// The last minute, by stage.
    public var minute: [String: LatencySummary] = [:]
    /// From the exchange to the board while the exchange was known to hold messages back, which is in no other number; nil
    /// when it never was.
    public var setAside: LatencySummary?
    /// How many took over a second from the exchange to the board.
    public var late: UInt64
    /// How many are left out because a clock was stepped near them.
    public var dropped: UInt64
    /// The exchange's clock is ahead of this machine's by at least this, in milliseconds; nil when it is not known.
    public var offsetLower: Double?
    /// The exchange's clock is ahead of this machine's by at most this, in milliseconds; nil when it is not known.
    public var offsetUpper: Double?
    /// The lower bound that the feed alone gives, in milliseconds.
    public var feedBound: Double?
    /// Whether times from the exchange are those above the fastest message, as the exchange could not be asked for its time.
    public var isRelative: Bool
    /// The largest uncertainty of a correction, in milliseconds.
    public var widest: Double
    /// By how much the exchange's own clocks disagreed at most, in milliseconds.
    public var disagreement: Double
    /// How often a clock was stepped.
    public var steps: Int
    /// How many answers of `/time` went in.
    public var answers: Int
    /// The shortest way to `/time` and back, in milliseconds.
    public var roundTrip: Double?

    /// What a report says.
    public init(_ report: LatencyReport) {
        func milliseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1_000_000 }
        for stage in LatencyStage.allCases {
            if let distribution = LatencyDistribution(report.total[stage]) {
                self.stages[stage.rawValue] = distribution
            }
            if report.hour[stage].count > 0 { self.hour[stage.rawValue] = LatencySummary(report.hour[stage]) }
            if report.minute[stage].count > 0 { self.minute[stage.rawValue] = LatencySummary(report.minute[stage]) }
        }
        let aside = report.setAside[.readable]
        self.setAside = aside.count > 0 ? LatencySummary(aside) : nil
        self.late = report.late
        self.dropped = report.dropped
        self.offsetLower = report.bounds.map { milliseconds($0.lower) }
        self.offsetUpper = report.bounds.map { milliseconds($0.upper) }
        self.feedBound = report.feedBound.map(milliseconds)
        self.isRelative = report.isRelative
        self.widest = milliseconds(report.widest)
        self.disagreement = milliseconds(report.disagreement)
        self.steps = report.steps
        self.answers = report.answers
        self.roundTrip = report.roundTrip.map(milliseconds)
    }

    private enum CodingKeys: String, CodingKey {
        case stages
        case hour = "last_hour"
        case minute = "last_minute"
        case setAside = "set_aside"
        case late, dropped
        case offsetLower = "offset_lower_ms"
        case offsetUpper = "offset_upper_ms"
        case feedBound = "feed_bound_ms"
        case isRelative = "relative_to_fastest"
        case widest = "widest_uncertainty_ms"
        case disagreement = "disagreement_ms"
        case steps = "clock_steps"
        case answers = "time_answers"
        case roundTrip = "round_trip_ms"
    }
}
