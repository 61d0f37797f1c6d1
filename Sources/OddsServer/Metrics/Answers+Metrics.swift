import OddsCore

extension Answers {
    /// Everything that can be counted or measured, for Prometheus.
    func metrics() -> String {
        var page = MetricsPage()
        let status = self.source.status
        page.add(
            "oddstream_build_info", .gauge, "The program's version, as a label.", [([("version", self.version)], 1)])
        page.add(
            "oddstream_start_time_seconds", .gauge, "When the source was started, in Unix time.",
            status.startedAt.map { Double($0.milliseconds) / 1000 })
        self.addLines(status, to: &page)
        for counter in status.counters {
            let name = counter.name.replacing(".", with: "_")
            page.add(
                "oddstream_\(name)_total", .counter, "The counter \(counter.name) of /v1/status.", Double(counter.value)
            )
        }
        self.addIncidents(to: &page)
        if let latency = self.latency { Self.add(latency.report(at: self.clock.now()), to: &page) }
        return page.text
    }

    private func addLines(_ status: StreamStatus, to page: inout MetricsPage) {
        func samples(_ value: (LineStatus) -> Double?) -> [(labels: [(String, String)], value: Double)] {
            status.lines.compactMap { line in
                value(line).map { ([("line", "\(line.line)"), ("connection", "\(line.connection)")], $0) }
            }
        }
        page.add(
            "oddstream_line_live", .gauge, "Whether a connection is live.", samples { $0.state == "live" ? 1 : 0 })
        page.add(
            "oddstream_line_disconnects_total", .counter, "How often a live connection was lost.",
            samples { Double($0.disconnects) })
        page.add(
            "oddstream_line_failures_in_a_row", .gauge, "Attempts that failed in a row.",
            samples { Double($0.failuresInARow) })
        page.add(
            "oddstream_line_data_age_seconds", .gauge, "How old a connection's last market data is.",
            samples { $0.dataAge.map(\.secondsValue) })
    }

    private func addIncidents(to page: inout MetricsPage) {
        let report = self.source.incidents()
        let uptime = report.uptime.total
        page.add("oddstream_uptime_ratio", .gauge, "Up time as a share of due time since the start.", uptime.share)
        page.add(
            "oddstream_due_seconds_total", .counter, "The time in which odds should have been live, over all markets.",
            uptime.due.secondsValue)
        page.add("oddstream_up_seconds_total", .counter, "The time in which they were.", uptime.up.secondsValue)
        page.add("oddstream_incidents_open", .gauge, "Incidents that last.", Double(report.open.count))
        page.add(
            "oddstream_incidents_total", .counter, "Incidents that began, by kind.",
            Incident.Kind.allCases.map { ([("kind", $0.rawValue)], Double(report.counts[$0] ?? 0)) })
    }

    private static func add(_ report: LatencyReport, to page: inout MetricsPage) {
        for stage in LatencyStage.allCases {
            page.add(stage.metric, "Time from \(stage.title).", report.confirmed[stage])
        }
        page.add(
            "oddstream_late_odds_total", .counter, "Changes that took over a second from the exchange to the board.",
            Double(report.confirmedLate))
        page.add(
            "oddstream_clock_offset_seconds", .gauge, "How far the exchange's clock is ahead: its two bounds.",
            report.bounds.map { bounds in
                [
                    ([("bound", "lower")], Double(bounds.lower) / 1_000_000_000),
                    ([("bound", "upper")], Double(bounds.upper) / 1_000_000_000),
                ]
            } ?? [])
        page.add(
            "oddstream_clock_steps_total", .counter, "How often one of the two clocks was stepped.",
            Double(report.steps))
    }
}

extension LatencyStage {
    /// Its histogram's name.
    var metric: String {
        switch self {
        case .wire: "oddstream_exchange_to_wire_seconds"
        case .odds: "oddstream_wire_to_odds_seconds"
        case .readable: "oddstream_exchange_to_odds_seconds"
        case .decision: "oddstream_odds_to_decision_seconds"
        case .total: "oddstream_exchange_to_decision_seconds"
        }
    }
}
