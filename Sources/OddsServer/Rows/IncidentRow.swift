import OddsCore

/// One item of `/v1/incidents`. Times are Unix milliseconds, spans seconds; absent values are null, never left out.
///
/// | key | meaning |
/// | --- | --- |
/// | `id` | counts all incidents from 1 |
/// | `kind` | what it is, one of `Incident.Kind` |
/// | `subject` | whose trouble: `market`, `line`, `selection` (a series or name that is not found) or `asset` |
/// | `title`, `summary` | whose trouble, and the whole story in one sentence, for people |
/// | `market`, `slug`, `series` | condition id, slug and series, where it is a market's |
/// | `lines` | the lines it is about |
/// | `reason`, `detail` | why, in one word of a closed set, and what was said about it |
/// | `begin_ms`, `detected_ms`, `end_ms` | when it began, was noticed and ended; `end_ms` is null while it lasts |
/// | `detection_s`, `duration_s` | how long it went unnoticed, and from begin to end or so far |
/// | `ending` | `recovered`, `decided` or `released`; null while it lasts |
/// | `served_s` | what readers were given meanwhile: seconds by standing |
/// | `lost_s` | due time that was not live |
/// | `epoch_before`, `epoch_after` | the market's epoch before, and at the end or now |
/// | `occurrences`, `resyncs`, `attempts` | how often it began, books asked for, connection attempts that failed |
struct IncidentRow: Encodable, Sendable {
    let incident: Incident

    init(_ incident: Incident) { self.incident = incident }

    private enum CodingKeys: String, CodingKey {
        case id, kind, subject, title, summary, market, slug, series, lines, reason, detail, ending, occurrences
        case resyncs, attempts
        case begin = "begin_ms"
        case detected = "detected_ms"
        case end = "end_ms"
        case detection = "detection_s"
        case duration = "duration_s"
        case served = "served_s"
        case lost = "lost_s"
        case epochBefore = "epoch_before"
        case epochAfter = "epoch_after"
    }

    func encode(to encoder: any Encoder) throws {
        let incident = self.incident
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(incident.id, forKey: .id)
        try row.encode(incident.kind.rawValue, forKey: .kind)
        try row.encode(self.subject, forKey: .subject)
        try row.encode(incident.title, forKey: .title)
        try row.encode(incident.summary, forKey: .summary)
        try row.encode(incident.market?.id.rawValue, forKey: .market)
        try row.encode(incident.market?.slug, forKey: .slug)
        try row.encode(incident.series, forKey: .series)
        try row.encode(incident.lines, forKey: .lines)
        try row.encode(incident.reason, forKey: .reason)
        try row.encode(incident.detail.isEmpty ? nil : incident.detail, forKey: .detail)
        try row.encode(incident.begin.wall.milliseconds, forKey: .begin)
        try row.encode(incident.detected.wall.milliseconds, forKey: .detected)
        try row.encode(incident.end?.wall.milliseconds, forKey: .end)
        try row.encode(incident.detectionTime.secondsValue, forKey: .detection)
        try row.encode(incident.duration.secondsValue, forKey: .duration)
        try row.encode(incident.ending?.rawValue, forKey: .ending)
        try row.encode(incident.served.seconds, forKey: .served)
        try row.encode(incident.lost.secondsValue, forKey: .lost)
        try row.encode(incident.epochBefore, forKey: .epochBefore)
        try row.encode(incident.epochAfter, forKey: .epochAfter)
        try row.encode(incident.occurrences, forKey: .occurrences)
        try row.encode(incident.resyncs, forKey: .resyncs)
        try row.encode(incident.attempts, forKey: .attempts)
    }

    private var subject: String {
        switch self.incident.subject {
        case .market: "market"
        case .line: "line"
        case .selection: "selection"
        case .asset: "asset"
        }
    }
}

/// The `uptime` of `/v1/status`: everything together, by series, and the markets followed now.
struct LedgerRow: Encodable, Sendable {
    let total: UptimeRow
    let series: [String: UptimeRow]
    let markets: [MarketUptimeRow]

    init(_ ledger: UptimeLedger) {
        self.total = UptimeRow(ledger.total)
        self.series = ledger.series.mapValues { UptimeRow($0) }
        self.markets = ledger.markets.map { MarketUptimeRow($0) }
    }
}

/// How long odds were there: the share of the due time that was live, or `fallback` where a poller is the only source
/// (null before any was due), and seconds.
struct UptimeRow: Encodable, Sendable {
    let uptime: Uptime

    init(_ uptime: Uptime) { self.uptime = uptime }

    enum CodingKeys: String, CodingKey {
        case market, slug
        case share = "share_live"
        case elapsed = "elapsed_s"
        case due = "due_s"
        case live = "live_s"
        case times = "times_s"
        case lost = "lost_s"
    }

    func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try self.encode(into: &row)
    }

    func encode(into row: inout KeyedEncodingContainer<CodingKeys>) throws {
        try row.encode(self.uptime.share, forKey: .share)
        try row.encode(self.uptime.elapsed.secondsValue, forKey: .elapsed)
        try row.encode(self.uptime.due.secondsValue, forKey: .due)
        try row.encode(self.uptime.live.secondsValue, forKey: .live)
        try row.encode(self.uptime.times.seconds, forKey: .times)
        let lost = self.uptime.lost.map { ($0.key.rawValue, $0.value.secondsValue) }
        try row.encode(Dictionary(uniqueKeysWithValues: lost), forKey: .lost)
    }
}

/// One market's uptime.
struct MarketUptimeRow: Encodable, Sendable {
    let entry: UptimeLedger.Entry

    init(_ entry: UptimeLedger.Entry) { self.entry = entry }

    func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: UptimeRow.CodingKeys.self)
        try row.encode(self.entry.market.id.rawValue, forKey: .market)
        try row.encode(self.entry.market.slug, forKey: .slug)
        try UptimeRow(self.entry.uptime).encode(into: &row)
    }
}

extension StandingTimes {
    /// Seconds by standing, those with any.
    fileprivate var seconds: [String: Double] {
        Dictionary(uniqueKeysWithValues: self.spent.map { ($0.standing.rawValue, $0.time.secondsValue) })
    }
}
