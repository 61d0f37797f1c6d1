/// One incident as it is kept: the values of `Incident` at the time it was recorded. Recorded again when it grows or ends,
/// it takes the place of the earlier record.
///
/// Keys are those of `/v1/incidents`. Times are Unix milliseconds by this machine's wall clock, spans seconds.
public struct IncidentRecord: Hashable, Sendable, Codable {
    /// Counts the incidents of one run from 1.
    public var id: UInt64
    /// What it is: a raw value of `Incident.Kind`.
    public var kind: String
    /// Whose trouble it is: `market`, `line`, `selection` or `asset`.
    public var subject: String
    /// Whose trouble it is, in a few words.
    public var title: String
    /// What happened, in one sentence for people.
    public var summary: String
    /// The market's condition id.
    @NullWhenAbsent public var market: MarketID?
    /// The market's readable name.
    @NullWhenAbsent public var slug: String?
    /// The series it belongs to.
    @NullWhenAbsent public var series: String?
    /// The lines it is about.
    public var lines: [Int]
    /// Why, in one word of a closed set.
    @NullWhenAbsent public var reason: String?
    /// What was said about it last, for people.
    @NullWhenAbsent public var detail: String?
    /// When the trouble began.
    public var begin: Timestamp
    /// When it was noticed.
    public var detected: Timestamp
    /// When it was over; nil while it lasts.
    @NullWhenAbsent public var end: Timestamp?
    /// How long it went unnoticed, in seconds.
    public var detection: Double
    /// From begin to end, or so far, in seconds.
    public var duration: Double
    /// How it ended: a raw value of `Incident.Ending`, or `interrupted` when the program ended first; nil while it lasts.
    @NullWhenAbsent public var ending: String?
    /// What readers were given meanwhile: seconds by standing.
    public var served: [String: Double]
    /// The due time that was not live, in seconds.
    public var lost: Double
    /// The market's epoch before.
    @NullWhenAbsent public var epochBefore: UInt64?
    /// The market's epoch at the end, or when this was recorded.
    @NullWhenAbsent public var epochAfter: UInt64?
    /// How often it began.
    public var occurrences: Int
    /// How many fresh books were asked for.
    public var resyncs: Int
    /// How many connection attempts failed.
    public var attempts: Int

    /// An incident as it is now.
    public init(_ incident: Incident) {
        self.id = incident.id
        self.kind = incident.kind.rawValue
        self.subject =
            switch incident.subject {
            case .market: "market"
            case .line: "line"
            case .selection: "selection"
            case .asset: "asset"
            }
        self.title = incident.title
        self.summary = incident.summary
        self.lines = incident.lines
        self.begin = incident.begin.wall
        self.detected = incident.detected.wall
        self.detection = incident.detectionTime.secondsValue
        self.duration = incident.duration.secondsValue
        self.served = Dictionary(
            uniqueKeysWithValues: incident.served.spent.map { ($0.standing.rawValue, $0.time.secondsValue) })
        self.lost = incident.lost.secondsValue
        self.occurrences = incident.occurrences
        self.resyncs = incident.resyncs
        self.attempts = incident.attempts
        self.market = incident.market?.id
        self.slug = incident.market?.slug
        self.series = incident.series
        self.reason = incident.reason
        self.detail = incident.detail.isEmpty ? nil : incident.detail
        self.end = incident.end?.wall
        self.ending = incident.ending?.rawValue
        self.epochBefore = incident.epochBefore
        self.epochAfter = incident.epochAfter
    }

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case id, kind, subject, title, summary, market, slug, series, lines, reason, detail
        case begin = "begin_ms"
        case detected = "detected_ms"
        case end = "end_ms"
        case detection = "detection_s"
        case duration = "duration_s"
        case ending
        case served = "served_s"
        case lost = "lost_s"
        case epochBefore = "epoch_before"
        case epochAfter = "epoch_after"
        case occurrences, resyncs, attempts
    }
}
