package import OddsCore
package import PolymarketSimulator

/// What came of a soak.
package struct SoakReport: Sendable {
    /// Memory and descriptors at a moment.
    package struct Sample: Sendable {
        /// Since the beginning.
        package var time: Duration
        /// What the process held.
        package var gauge: ProcessGauge
    }

    /// What went wrong, as planned.
    package var plan: FaultPlan
    /// How long the beginning and the end are that have no faults.
    package var calm: Duration
    /// How long it took.
    package var duration = Duration.zero
    /// Messages the streamer received.
    package var frames: UInt64 = 0
    /// Changes the follower got.
    package var updates = 0
    /// Changes the follower lost because it was too slow.
    package var overflowed: UInt64 = 0
    /// Windows that began.
    package var rollovers = 0
    /// The markets that were followed.
    package var seen: Set<MarketID> = []
    /// Live connections that were lost.
    package var disconnects: UInt64 = 0
    /// Incidents and uptime.
    package var incidents = IncidentReport()
    /// Faults that hit a connection, a market or a series that was there.
    package var faultsBegun = 0
    /// Connections the exchange let in.
    package var accepted = 0
    /// Connections the exchange turned away.
    package var refused = 0
    /// The longest time that odds were followed as live and were not the exchange's.
    package var longestWrong = Duration.zero
    /// When that began.
    package var wrongAt: Duration?
    /// Of which market.
    package var wrongMarket: String?
    /// The longest time between two checks: what is measured cannot be finer.
    package var longestPause = Duration.zero
    /// Every 10 s.
    package var samples: [Sample] = []
    /// When everything had ended.
    package var after = ProcessGauge()
    /// The series that were not live at the end.
    package var notLive: [String] = []

    package init(plan: FaultPlan, calm: Duration) {
        self.plan = plan
        self.calm = calm
    }

    /// More than this is growth, in bytes a minute.
    private static let allowedGrowth = 64.0 * 1024
    /// So many descriptors may come and go: four idle REST connections, both of whose ends are in this process.
    private static let idleDescriptors = 8

    // MARK: Memory and descriptors

    /// Resident memory over the second half, in bytes a minute; nil when the system does not tell, or the run was short.
    ///
    /// The least of each minute counts: a frame of nine megabytes or a stale answer kept for a minute takes memory and
    /// gives it back, and what grows grows beneath that.
    package var memoryTrend: Trend? {
        let half = self.samples.filter { $0.time >= self.duration / 2 }
        var least: [Int64: Double] = [:]
        for sample in half {
            guard let resident = sample.gauge.resident else { continue }
            let minute = sample.time.components.seconds / 60
            least[minute] = min(least[minute] ?? .infinity, Double(resident))
        }
        return Trend(least.map { (time: Double($0.key), value: $0.value) })
    }

    /// The most descriptors while there were no faults yet.
    package var descriptorsBefore: Int? {
        self.samples.filter { $0.time <= self.calm }.compactMap(\.gauge.descriptors).max()
    }

    /// The fewest descriptors when faults had been over for a while. Not the last value: a renewal is two connections
    /// for a moment.
    package var descriptorsAtEnd: Int? {
        let settled = self.duration - self.calm / 2
        return self.samples.filter { $0.time >= settled }.compactMap(\.gauge.descriptors).min()
    }

    /// What is not as it should be; empty when all is well.
    package var complaints: [String] {
        var complaints: [String] = []
        if !self.notLive.isEmpty { complaints.append("not live at the end: \(self.notLive.joined(separator: ", "))") }
        if let before = self.descriptorsBefore, let end = self.descriptorsAtEnd,
            end > before + Self.idleDescriptors
        {
            complaints.append("\(end) descriptors at the end, at most \(before) before the faults")
        }
        if let trend = self.memoryTrend, trend.lowerBound > Self.allowedGrowth {
            complaints.append("memory grows by \(Self.kilobytes(trend.lowerBound)) kB a minute or more; 64 are allowed")
        }
        return complaints
    }

    // MARK: The table

    /// As a table in Markdown.
    package var table: String {
        let rows = self.rows
        let width = rows.reduce(0) { max($0, $1.0.count) }
        func row(_ name: String, _ value: String) -> String {
            "| \(name)\(String(repeating: " ", count: width - name.count)) | \(value) |"
        }
        return ([row("", "Soak"), "|\(String(repeating: "-", count: width + 2))|---|"] + rows.map { row($0.0, $0.1) })
            .joined(separator: "\n")
    }

    private var rows: [(String, String)] {
        let uptime = self.incidents.uptime.total
        let wrongBegin = self.wrongAt.map { " (\(self.wrongMarket ?? "?"), \(Self.seconds($0)) after the beginning)" }
        var rows = [
            ("duration", Self.seconds(self.duration)),
            ("faults planned, by kind", self.faultsByKind),
            ("faults that hit somebody", "\(self.faultsBegun)"),
            ("messages received", "\(self.frames)"),
            ("changes followed", "\(self.updates), \(self.overflowed) lost"),
            ("markets, rollovers", "\(self.seen.count), \(self.rollovers)"),
            ("connections accepted, refused", "\(self.accepted), \(self.refused)"),
            ("disconnects", "\(self.disconnects)"),
            ("uptime by the ledger", "\(Self.percent(uptime.share)) of \(Self.seconds(uptime.due)) due"),
            ("served", Self.list(uptime.times.spent.map { ($0.standing.rawValue, Self.seconds($0.time)) })),
            ("lost, by cause", Self.list(Self.byKind(uptime.lost) { Self.seconds($0) })),
        ]
        for (series, uptime) in self.incidents.uptime.series.sorted(by: { $0.key < $1.key }) {
            rows.append((series, "\(Self.percent(uptime.share)) of \(Self.seconds(uptime.due)) due"))
        }
        rows += [
            ("incidents, by kind", Self.list(Self.byKind(self.incidents.counts) { "\($0)" })),
            ("incidents open at the end", "\(self.incidents.open.count)"),
            ("longest wrong as live", Self.seconds(self.longestWrong) + (wrongBegin ?? "")),
            ("longest time between checks", Self.seconds(self.longestPause)),
            ("resident memory", self.memory),
            ("its slope, second half", self.slope),
            ("descriptors", self.descriptors),
            ("threads, first/max/last", self.range(\.threads)),
            ("live at the end", self.notLive.isEmpty ? "yes" : "no: \(self.notLive.joined(separator: ", "))"),
            ("verdict", self.complaints.isEmpty ? "as it should be" : self.complaints.joined(separator: "; ")),
        ]
        return rows
    }

    /// The faults in effect around the longest time of wrong odds.
    package var suspects: [PlannedFault] {
        guard let wrongAt = self.wrongAt else { return [] }
        return self.plan.faults.filter { planned in
            planned.at <= wrongAt + self.longestWrong
                && planned.at + (planned.fault.duration ?? .zero) >= wrongAt - .seconds(5)
        }
    }

    private var faultsByKind: String {
        let counts = Dictionary(grouping: self.plan.faults, by: { $0.fault.kind.name.rawValue }).mapValues(\.count)
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return "\(self.plan.faults.count): " + Self.list(sorted.map { ($0.key, "\($0.value)") })
    }

    private var memory: String {
        let values = self.samples.compactMap(\.gauge.resident)
        guard let first = values.first, let last = values.last, let most = values.max() else {
            return "not measured: this system has no /proc/self/statm"
        }
        let middle = self.samples.first { $0.time >= self.duration / 2 }?.gauge.resident
        return "first \(Self.megabytes(first)), half-way \(Self.megabytes(middle)), max \(Self.megabytes(most)), "
            + "last \(Self.megabytes(last)), after the end \(Self.megabytes(self.after.resident))"
    }

    private var slope: String {
        guard let trend = self.memoryTrend else { return "not known: too few samples" }
        return "\(Self.kilobytes(trend.slope)) kB a minute, 95 % within ± \(Self.kilobytes(trend.uncertainty))"
    }

    private var descriptors: String {
        guard let before = self.descriptorsBefore, let end = self.descriptorsAtEnd else {
            return "not measured: this system has neither /proc/self/fd nor /dev/fd"
        }
        return "first/max/last \(self.range(\.descriptors)); at most \(before) before the faults, "
            + "settled at \(end) after them, \(self.after.descriptors ?? 0) after the end"
    }

    private func range(_ value: (ProcessGauge) -> Int?) -> String {
        let values = self.samples.compactMap { value($0.gauge) }
        guard let first = values.first, let last = values.last, let most = values.max() else { return "not measured" }
        return "\(first)/\(most)/\(last)"
    }

    // MARK: Words

    private static func byKind<Value>(
        _ values: [Incident.Kind: Value], _ text: (Value) -> String
    ) -> [(String, String)] {
        Incident.Kind.allCases.compactMap { kind in values[kind].map { (kind.rawValue, text($0)) } }
    }

    private static func list(_ parts: [(String, String)]) -> String {
        parts.isEmpty ? "nothing" : parts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }

    static func percent(_ share: Double?) -> String { share.map { "\(Self.rounded($0 * 100, 1000)) %" } ?? "nothing" }
    static func megabytes(_ bytes: Int?) -> String {
        bytes.map { "\(Self.rounded(Double($0) / 1_048_576, 10)) MB" } ?? "unknown"
    }
    private static func kilobytes(_ bytes: Double) -> String { "\(Self.rounded(bytes / 1024, 10))" }
    private static func seconds(_ duration: Duration) -> String { "\(Self.rounded(duration.secondsValue, 100)) s" }
    private static func rounded(_ value: Double, _ parts: Double) -> Double { (value * parts).rounded() / parts }
}
