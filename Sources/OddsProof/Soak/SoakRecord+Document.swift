internal import OddsCore
package import OddsReports

extension SoakRecord: Report {
    package static var kind: String { "soak" }

    package var header: ReportHeader {
        ReportHeader(
            kind: Self.kind, program: self.program, generatedAt: self.generated, source: self.source, from: self.from,
            until: self.until, verdicts: self.verdicts)
    }

    package var document: ReportDocument {
        var document = ReportDocument(kind: Self.kind, title: "Soak", lead: self.lead)
        document.verdicts = self.verdicts
        document.figures = self.figures
        document.sections = [
            self.uptimeSection, self.latencySection, self.processSection, self.recoverySection, self.spikesSection,
            self.incidentsSection, self.conditionsSection,
        ].compactMap { $0 }
        document.facts = self.facts
        return document
    }

    private func moment(_ seconds: Double) -> Int64 {
        self.from.addingReportingOverflow(ReportText.whole(seconds * 1000)).partialValue
    }

    private var lead: String {
        let how: String =
            switch self.ending {
            case "time": "to its end"
            case "interrupted": "and was ended before its time"
            default: "and still runs"
            }
        let met = self.verdicts.count { $0.isMet == true }
        let failed = self.verdicts.count { $0.isMet == false }
        let open = self.verdicts.count - met - failed
        var text =
            "Ran for \(SoakText.span(self.ran)) of the planned \(SoakText.span(self.planned)) \(how), on "
            + "\(self.markets.joined(separator: ", ")) (\(self.source))"
        if let faults = self.faults, faults.planned.values.reduce(0, +) > 0 {
            text += ", with \(ReportText.count(faults.begun, "fault"))"
        }
        text += ". \(met) of \(self.verdicts.count) demands met"
        if failed > 0 { text += ", \(failed) not met" }
        if open > 0 { text += ", \(open) cannot be told" }
        return text + "."
    }

    private var figures: [ReportDocument.Figure] {
        var figures: [ReportDocument.Figure] = [
            .init("Ran for", SoakText.span(self.ran)),
            .init("Uptime", self.uptime.share.map { SoakText.percent($0) } ?? "–", note: "by the ledger"),
            .init(
                "Disconnects", ReportText.count(self.lines.disconnects),
                note: "\(ReportText.count(self.lines.reconnects)) times live again"),
        ]
        if let readable = self.latency?.stages["readable"]?.summary {
            figures.append(.init("Latency p99", SoakText.milliseconds(readable.p99), note: "exchange to odds"))
        }
        if let last = self.process.pieces.last, let resident = last.mostResident {
            figures.append(.init("Memory", SoakText.bytes(Double(resident)), note: "at the end"))
        }
        if let share = self.processorShare {
            figures.append(.init("Processor", SoakText.percent(share), note: "of one core"))
        }
        figures.append(.init("Messages", ReportText.count(self.counters["frames.received"] ?? 0)))
        return figures
    }

    /// Processor time as a share of the time, of one core.
    private var processorShare: Double? {
        guard let first = self.process.pieces.first, let last = self.process.pieces.last,
            let begin = first.processor, let end = last.processor, last.until - first.from > 1
        else { return nil }
        return (end - begin) / (last.until - first.from)
    }

    // MARK: Uptime

    private var uptimeSection: ReportDocument.Section {
        var blocks: [ReportDocument.Block] = [.chart(.strip(self.uptimeStrip))]
        var rows = [Self.uptimeRow("all", self.uptime)]
        if self.series.count > 1 {
            rows += self.series.sorted { $0.key < $1.key }.map { Self.uptimeRow($0.key, $0.value) }
        }
        let served = StandingStrip.order.map { ReportDocument.Table.Column($0, isNumber: true) }
        blocks.append(
            .table(
                .init(
                    "Time that was due, and what readers were given in it",
                    columns: [.init("markets"), .init("uptime", isNumber: true), .init("due", isNumber: true)] + served,
                    rows: rows)))
        if !self.uptime.lost.isEmpty {
            let lost = self.uptime.lost.sorted { $0.value > $1.value }
                .map { "\(ReportText.words($0.key)) \(SoakText.seconds($0.value))" }
            blocks.append(.text("Lost, by what took it: \(lost.joined(separator: ", "))."))
        }
        return .init("Uptime", blocks)
    }

    private static func uptimeRow(_ name: String, _ uptime: Uptime) -> [String] {
        [name, uptime.share.map { SoakText.percent($0) } ?? "–", SoakText.span(uptime.due)]
            + StandingStrip.order.map { standing in
                uptime.served[standing].map { SoakText.seconds($0) } ?? "–"
            }
    }

    /// Neighbours with the same standing are one span.
    private var uptimeStrip: ReportDocument.Strip {
        var spans: [ReportDocument.TimeLines.Band] = []
        for (index, piece) in self.strip.pieces.enumerated() {
            guard let worst = piece.worst else { continue }
            let next = index + 1 < self.strip.pieces.count ? self.strip.pieces[index + 1].from : self.ran
            let until = self.moment(min(piece.from + self.strip.width, next))
            if let last = spans.last, last.label == worst, last.until >= self.moment(piece.from) - 1 {
                spans[spans.count - 1].until = until
            } else {
                spans.append(
                    .init(from: self.moment(piece.from), until: until, label: worst, tone: Self.tone(of: worst)))
            }
        }
        return .init(
            "What readers of the worst market were given", rows: [.init("odds", spans: spans)])
    }

    private static func tone(of standing: String) -> ReportDocument.Tone {
        switch standing {
        case "live": .good
        case "suspect", "fallback": .warning
        case "stale", "missing": .bad
        default: .neutral
        }
    }

    // MARK: Latency

    private var latencySection: ReportDocument.Section? {
        guard let latency = self.latency else { return nil }
        return .init("Latency", latency.blocks)
    }

    // MARK: The process

    private var processSection: ReportDocument.Section {
        let megabyte = 1_048_576.0
        var memory = ReportDocument.TimeLines(
            "Resident memory", axis: "MB",
            lines: [
                self.line("most", .first) { $0.mostResident.map { Double($0) / megabyte } },
                self.line("least", .second) { $0.leastResident.map { Double($0) / megabyte } },
            ])
        if let slope = self.memory { memory.lines.append(self.fit(slope, per: megabyte)) }
        memory.bands = self.warmUpBand
        var descriptors = ReportDocument.TimeLines(
            "Descriptors and threads", axis: "number",
            lines: [
                self.line("descriptors", .first) { $0.mostDescriptors.map(Double.init) },
                self.line("threads", .third) { $0.mostThreads.map(Double.init) },
            ])
        if let slope = self.descriptors { descriptors.lines.append(self.fit(slope, per: 1)) }
        descriptors.bands = self.warmUpBand
        var text =
            "The slope is the median of the slopes between all pairs of the least values of up to \(Trend.mostPoints) equal "
            + "spans, the first \(SoakText.span(self.warmUp)) left out; its bounds (95 %) count only as many points as are "
            + "independent of their neighbours."
        if self.faults != nil { text += " The simulated exchange runs in this process and is in these numbers." }
        return .init(
            "Memory and descriptors", [.chart(.timeLines(memory)), .chart(.timeLines(descriptors)), .text(text)])
    }

    private var warmUpBand: [ReportDocument.TimeLines.Band] {
        guard self.warmUp > 0, self.ran > 0 else { return [] }
        return [
            .init(
                from: self.from, until: self.moment(min(self.warmUp, self.ran)), label: "warm-up", tone: .neutral)
        ]
    }

    private func line(
        _ name: String, _ tone: ReportDocument.Tone, _ value: (SoakSamples.Piece) -> Double?
    ) -> ReportDocument.TimeLines.Line {
        .init(
            name, tone: tone, style: .line, points: self.process.pieces.map { .init(self.moment($0.from), value($0)) })
    }

    private func fit(_ slope: Slope, per unit: Double) -> ReportDocument.TimeLines.Line {
        func value(_ seconds: Double) -> Double { (slope.intercept + slope.slope / 3600 * seconds) / unit }
        return .init(
            "slope", tone: .fourth, style: .line,
            points: [self.warmUp, self.ran].map { .init(self.moment($0), value($0)) })
    }

    // MARK: Recoveries

    private var recoverySection: ReportDocument.Section {
        var blocks: [ReportDocument.Block] = [
            .text(
                "From the last fresh data until odds, or the connection, were live again. What counts against the limit is the "
                    + "time since the exchange could be reached: not while a planned fault was in force, and not "
                    + "before the last attempt that failed. Incidents that cost no due time are left out.")
        ]
        let groups = [
            self.recoveries.durations.map { $0.group("in all", .second) },
            self.recoveries.owns.map { $0.group("own part", .first) },
        ].compactMap { $0 }
        if !groups.isEmpty {
            var plot = ReportDocument.Distribution(
                "Time to recover", axis: "milliseconds", isLogarithmic: true, groups: groups)
            plot.limits = [.init(self.limits.recovery * 1000, "limit")]
            blocks.append(.chart(.distribution(plot)))
        }
        blocks.append(
            .table(
                .init(
                    "The longest, of \(self.recoveries.count)",
                    columns: [
                        .init("ended at (UTC)"), .init("what"), .init("incident"), .init("in all", isNumber: true),
                        .init("own part", isNumber: true), .init("lost", isNumber: true), .init("the exchange"),
                    ],
                    rows: self.recoveries.worst.prefix(20).map { recovery in
                        [
                            Self.time(recovery.end), recovery.subject, recovery.kind,
                            SoakText.seconds(recovery.duration), SoakText.seconds(recovery.own),
                            SoakText.seconds(recovery.lost), recovery.hindrance,
                        ]
                    }, whenEmpty: "Nothing was lost.")))
        return .init("Recoveries", blocks)
    }

    private static func time(_ milliseconds: Int64) -> String {
        let text = Timestamp(milliseconds: milliseconds).iso8601
        return String(text.prefix(19)).replacing("T", with: " ")
    }

    // MARK: Spikes

    private var spikesSection: ReportDocument.Section {
        var blocks: [ReportDocument.Block] = []
        var rows = [["stream", ReportText.count(self.spikes.caught), self.share(self.spikes.caught)]]
        rows += self.spikes.pollers.map {
            ["poller \($0.interval)", ReportText.count($0.caught), self.share($0.caught)]
        }
        blocks.append(
            .table(
                .init(
                    "Times at or over 0.70, of \(ReportText.count(self.spikes.visible)) that were visible",
                    columns: [.init("source"), .init("caught", isNumber: true), .init("share", isNumber: true)],
                    rows: rows)))
        if let delays = self.spikes.delays {
            blocks.append(
                .chart(
                    .distribution(
                        .init(
                            "How long after it became visible", axis: "milliseconds", isLogarithmic: true,
                            groups: [delays.group("stream", .first)]))))
        }
        if !self.spikes.missed.isEmpty {
            blocks.append(
                .details(
                    title: "Missed (\(self.spikes.missed.count))",
                    [
                        .table(
                            .init(
                                columns: [
                                    .init("began at (UTC)"), .init("market"), .init("side"),
                                    .init("lasted", isNumber: true), .init("peak", isNumber: true), .init("faults"),
                                ],
                                rows: self.spikes.missed.map { missed in
                                    [
                                        Self.time(missed.begin), missed.market, missed.side,
                                        SoakText.milliseconds(Double(missed.end - missed.begin)),
                                        SoakText.number(missed.peak, digits: 3), missed.faults.joined(separator: ", "),
                                    ]
                                }))
                    ]))
        }
        return .init("Spikes", blocks)
    }

    private func share(_ caught: Int) -> String {
        self.spikes.visible > 0 ? SoakText.percent(Double(caught) / Double(self.spikes.visible)) : "–"
    }

    // MARK: The rest

    private var incidentsSection: ReportDocument.Section {
        .init(
            "Incidents",
            [
                .table(
                    .init(
                        "By kind",
                        columns: [
                            .init("kind"), .init("began", isNumber: true), .init("longest", isNumber: true),
                            .init("together", isNumber: true), .init("due time lost", isNumber: true),
                        ],
                        rows: self.incidents.map { kind in
                            [
                                ReportText.words(kind.kind), ReportText.count(kind.count),
                                SoakText.seconds(kind.longest), SoakText.span(kind.total),
                                SoakText.seconds(kind.lost),
                            ]
                        }))
            ])
    }

    private var conditionsSection: ReportDocument.Section {
        var rows: [[String]] = [
            ["longest time without a look", SoakText.seconds(self.time.longestPause)],
            ["times without a look for over a second", "\(self.time.pauses)"],
            [
                "wall clock stepped",
                "\(self.time.steps) times, \(SoakText.number(self.time.stepped, digits: 1)) s together",
            ],
            ["machine slept", self.time.slept.map { SoakText.seconds($0) } ?? "not known"],
        ]
        if let wrong = self.wrong, let at = wrong.at {
            rows.append([
                "longest wrong odds",
                "\(SoakText.seconds(wrong.longest)) from \(SoakText.span(at)) on, \(wrong.market ?? "?"); faults then: "
                    + (wrong.suspects.isEmpty ? "none" : wrong.suspects.joined(separator: ", ")),
            ])
        }
        if let faults = self.faults {
            let kinds = faults.planned.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            rows.append(["faults planned", kinds.isEmpty ? "none" : kinds.joined(separator: ", ")])
            rows.append(["connections accepted, refused", "\(faults.accepted), \(faults.refused)"])
        }
        rows += self.counters.sorted { $0.key < $1.key }.filter { $0.value > 0 }.map {
            [$0.key, ReportText.count($0.value)]
        }
        return .init(
            "Conditions",
            [
                .details(
                    title: "Clocks, faults and counters",
                    [.table(.init(columns: [.init("what"), .init("value", isNumber: true)], rows: rows))])
            ])
    }

    private var facts: [ReportDocument.Fact] {
        var facts: [ReportDocument.Fact] = [
            .init("Source", self.source), .init("Markets", self.markets.joined(separator: ", ")),
            .init("Planned", SoakText.span(self.planned)), .init("Really ran", SoakText.span(self.ran)),
            .init("Ended", self.ending),
            .init("Program", "oddstream \(self.program)"),
        ]
        if let faults = self.faults { facts.append(.init("Seed", "\(faults.seed)")) }
        return facts
    }
}

extension LatencyDistribution {
    /// As a group of a plot, in milliseconds.
    func group(_ name: String, _ tone: ReportDocument.Tone) -> ReportDocument.Distribution.Group {
        // A logarithmic axis has no zero: what is shorter than a microsecond is one bucket.
        let shortest: Int64 = 1_000
        let short = self.ranges.filter { $0.until <= shortest }.reduce(0) { $0 + $1.count }
        var buckets: [ReportDocument.Distribution.Bucket] = []
        if short > 0 { buckets.append(.init(from: 0.0008, until: 0.001, count: Int(clamping: short))) }
        for range in self.ranges where range.until > shortest {
            buckets.append(
                .init(
                    from: Double(max(range.from, shortest)) / 1_000_000, until: Double(range.until) / 1_000_000,
                    count: Int(clamping: range.count)))
        }
        return .init(
            name, tone: tone, buckets: buckets,
            marks: [
                (name: "p50", value: self.summary.p50), (name: "p99", value: self.summary.p99),
                (name: "max", value: self.summary.maximum),
            ])
    }
}

extension LatencyRecord {
    /// Table, plots and what is known of the clocks.
    package var blocks: [ReportDocument.Block] {
        // A replay's time does not pass between the read and the board.
        let shown: [LatencyStage] = self.isRelative ? [.wire] : LatencyStage.allCases
        let stages = shown.compactMap { stage in
            self.stages[stage.rawValue].map { (stage: stage, distribution: $0) }
        }
        var blocks: [ReportDocument.Block] = [
            .table(
                .init(
                    "Percentiles",
                    columns: [.init("from … to")]
                        + ["count", "p50", "p90", "p99", "p99.9", "max"].map { .init($0, isNumber: true) },
                    rows: stages.map { stage, distribution in
                        let summary = distribution.summary
                        return [stage.title, ReportText.count(summary.count)]
                            + [summary.p50, summary.p90, summary.p99, summary.p999, summary.maximum]
                            .map { SoakText.milliseconds($0) }
                    }, whenEmpty: "Nothing was measured."))
        ]
        for (title, wanted) in [("From the exchange", true), ("In this process", false)] {
            let groups = stages.filter { $0.stage.needsOffset == wanted }
            guard !groups.isEmpty else { continue }
            let tones: [ReportDocument.Tone] = [.first, .second, .third, .fourth]
            var plot = ReportDocument.Distribution(
                title, axis: "milliseconds", isLogarithmic: true,
                groups: zip(groups, tones).map { $0.distribution.group($0.stage.title, $1) })
            if wanted { plot.limits = [.init(1000, "1 s")] }
            blocks.append(.chart(.distribution(plot)))
        }
        blocks.append(.text(self.clockText))
        return blocks
    }

    private var clockText: String {
        var text =
            "Counted: changes of live odds from a line, of markets that were live before with no later stamp; first books and "
            + "what comes after an outage are not. Fewer are counted from the exchange to the decision: "
            + "what was decided before the offset of the clocks was known is not kept. "
        if let lower = self.offsetLower, let upper = self.offsetUpper {
            let middle = (lower + upper) / 2
            text +=
                "The exchange's clock is ahead of this machine's by \(SoakText.milliseconds(middle)), between "
                + "\(SoakText.milliseconds(lower)) and \(SoakText.milliseconds(upper)), by \(self.answers) answers of /time"
            if let feed = self.feedBound {
                text += " and by the feed, which alone says at least \(SoakText.milliseconds(feed))"
            }
            text += "."
        } else if self.isRelative {
            text +=
                "Times from the exchange are those above the fastest message: a recording does not tell how far the "
                + "exchange's clock was off. From the socket on nothing is told, as a replay has its own time."
        } else {
            text += "The offset of the exchange's clock is not known."
        }
        if self.disagreement > 0.1 {
            text +=
                " The clock that stamps messages and the one that answers /time disagreed by up to "
                + "\(SoakText.milliseconds(self.disagreement))."
        }
        if self.steps > 0 {
            text +=
                " A clock was stepped \(ReportText.count(self.steps, "time")); \(ReportText.count(self.dropped, "change")) near that left out."
        }
        return text
    }
}
