import OddsCore

/// The answer of `/v1/status`. Times are Unix milliseconds, ages and spans seconds; absent values are null.
///
/// `uptime_s` is how long the source has been running, `uptime` how much of the time odds were live.
struct StatusRow: Encodable, Sendable {
    let status: StreamStatus
    let incidents: IncidentReport
    let parts: [PartStatus]
    let version: String
    let now: Timestamp

    init(
        _ status: StreamStatus, _ incidents: IncidentReport, parts: [PartStatus], version: String, now: Timestamp
    ) {
        self.status = status
        self.incidents = incidents
        self.parts = parts
        self.version = version
        self.now = now
    }

    private enum CodingKeys: String, CodingKey {
        case version, lines, series, parts, problems, counters
        case startedAt = "started_at_ms"
        case running = "uptime_s"
        case uptime
        case openIncidents = "open_incidents"
        case incidentCounts = "incidents_total"
        case now = "now_ms"
    }

    func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(self.version, forKey: .version)
        try row.encode(self.now.milliseconds, forKey: .now)
        try row.encode(self.status.startedAt?.milliseconds, forKey: .startedAt)
        try row.encode(
            self.status.startedAt.map { max(0, $0.duration(to: self.now).secondsValue) }, forKey: .running)
        try row.encode(LedgerRow(self.incidents.uptime), forKey: .uptime)
        try row.encode(self.incidents.open.count, forKey: .openIncidents)
        let counts = self.incidents.counts.map { ($0.key.rawValue, $0.value) }
        try row.encode(Dictionary(uniqueKeysWithValues: counts), forKey: .incidentCounts)
        try row.encode(self.status.lines.map(LineRow.init), forKey: .lines)
        try row.encode(self.status.series.map(SeriesRow.init), forKey: .series)
        try row.encode(self.parts.map(PartRow.init), forKey: .parts)
        let problems = self.parts.compactMap { part in part.problem.map { "\(part.name): \($0)" } }
        try row.encode(self.status.problems + problems, forKey: .problems)
        let counters = Dictionary(
            self.status.counters.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
        try row.encode(counters, forKey: .counters)
    }

    private struct LineRow: Encodable {
        let line: LineStatus

        private enum CodingKeys: String, CodingKey {
            case line, connection, state, assets, messages, bytes, disconnects
            case failuresInARow = "failures_in_a_row"
            case dataAge = "data_age_s"
            case lastError = "last_error"
        }

        func encode(to encoder: any Encoder) throws {
            var row = encoder.container(keyedBy: CodingKeys.self)
            try row.encode(self.line.line, forKey: .line)
            try row.encode(self.line.connection, forKey: .connection)
            try row.encode(self.line.state, forKey: .state)
            try row.encode(self.line.assets, forKey: .assets)
            try row.encode(self.line.messages, forKey: .messages)
            try row.encode(self.line.bytes, forKey: .bytes)
            try row.encode(self.line.disconnects, forKey: .disconnects)
            try row.encode(self.line.failuresInARow, forKey: .failuresInARow)
            try row.encode(self.line.dataAge?.secondsValue, forKey: .dataAge)
            try row.encode(self.line.lastError, forKey: .lastError)
        }
    }

    private struct PartRow: Encodable {
        let part: PartStatus

        private enum CodingKeys: String, CodingKey {
            case name, state, problem, counters
        }

        func encode(to encoder: any Encoder) throws {
            var row = encoder.container(keyedBy: CodingKeys.self)
            try row.encode(self.part.name, forKey: .name)
            try row.encode(self.part.state, forKey: .state)
            try row.encode(self.part.problem, forKey: .problem)
            let counters = Dictionary(
                self.part.counters.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
            try row.encode(counters, forKey: .counters)
        }
    }

    private struct SeriesRow: Encodable {
        let series: SeriesStatus

        private enum CodingKeys: String, CodingKey {
            case series, current, next, problem
            case currentSlug = "current_slug"
            case nextSlug = "next_slug"
        }

        func encode(to encoder: any Encoder) throws {
            var row = encoder.container(keyedBy: CodingKeys.self)
            try row.encode(self.series.series, forKey: .series)
            try row.encode(self.series.current?.id.rawValue, forKey: .current)
            try row.encode(self.series.current?.slug, forKey: .currentSlug)
            try row.encode(self.series.next?.id.rawValue, forKey: .next)
            try row.encode(self.series.next?.slug, forKey: .nextSlug)
            try row.encode(self.series.problem, forKey: .problem)
        }
    }
}
