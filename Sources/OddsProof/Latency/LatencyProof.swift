package import OddsCore
package import OddsReports

/// What `oddstream latency` has measured: its JSON, from which its report is made.
package struct LatencyProof: Report {
    package static var kind: String { "latency" }

    package var header: ReportHeader
    /// The markets that were asked for, in words.
    package var markets: [String]
    /// How long it ran, in seconds.
    package var ran: Double
    /// What was measured.
    package var latency: LatencyRecord
    /// Percentiles over time: of the minute before each moment.
    package var course: [Moment]

    /// Percentiles of the minute before a moment.
    package struct Moment: Sendable, Codable, Hashable {
        /// The moment, in Unix milliseconds.
        package var time: Int64
        /// From the exchange to the board; nil when nothing came.
        package var readable: LatencySummary?
        /// From the socket to the board; nil when nothing came.
        package var odds: LatencySummary?

        private enum CodingKeys: String, CodingKey {
            case time = "time_ms"
            case readable, odds
        }
    }

    private enum CodingKeys: String, CodingKey {
        case markets
        case ran = "ran_s"
        case latency, course
    }

    /// What was measured, with its verdict.
    package init(
        program: String, source: String, from: Int64, now: Int64, ran: Double, markets: [String],
        report: LatencyReport, course: [Moment]
    ) {
        self.markets = markets
        self.ran = ran
        self.latency = LatencyRecord(report)
        self.course = course
        self.header = ReportHeader(
            kind: Self.kind, program: program, generatedAt: now, source: source, from: from, until: now)
        self.header.verdicts = [self.verdict]
    }

    package init(from decoder: any Decoder) throws {
        self.header = try ReportHeader(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.markets = try container.decode([String].self, forKey: .markets)
        self.ran = try container.decode(Double.self, forKey: .ran)
        self.latency = try container.decode(LatencyRecord.self, forKey: .latency)
        self.course = try container.decode([Moment].self, forKey: .course)
    }

    package func encode(to encoder: any Encoder) throws {
        try self.header.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.markets, forKey: .markets)
        try container.encode(self.ran, forKey: .ran)
        try container.encode(self.latency, forKey: .latency)
        try container.encode(self.course, forKey: .course)
    }

    /// Whether something that was demanded was not met.
    package var isFailed: Bool { self.header.verdicts.contains { $0.isMet == false } }

    private var verdict: ReportDocument.Verdict { self.latency.verdict(limit: 1, note: "") }

    package var document: ReportDocument {
        var lead =
            "Ran for \(SoakText.span(self.ran)) on \(self.markets.joined(separator: ", ")) (\(self.header.source))."
        if let readable = self.latency.stages[LatencyStage.readable.rawValue]?.summary {
            lead +=
                " Half of all changes could be read \(SoakText.milliseconds(readable.p50)) after the exchange's stamp, 99 % "
                + "after \(SoakText.milliseconds(readable.p99))\(self.latency.isRelative ? ", above the fastest message" : "")."
        }
        if let lower = self.latency.offsetLower, let upper = self.latency.offsetUpper {
            lead +=
                " The exchange's clock was ahead of this machine's by \(SoakText.milliseconds((lower + upper) / 2)), between "
                + "\(SoakText.milliseconds(lower)) and \(SoakText.milliseconds(upper))."
        }
        var document = ReportDocument(kind: Self.kind, title: "Latency", lead: lead)
        document.verdicts = self.header.verdicts
        document.figures = self.figures
        document.sections = [.init("Stages", self.latency.blocks)]
        if self.course.count > 1 { document.sections.append(.init("Over time", [.chart(.timeLines(self.plot))])) }
        document.facts = [
            .init("Source", self.header.source), .init("Markets", self.markets.joined(separator: ", ")),
            .init("Ran", SoakText.span(self.ran)), .init("Program", "oddstream \(self.header.program)"),
        ]
        return document
    }

    private var figures: [ReportDocument.Figure] {
        var figures: [ReportDocument.Figure] = []
        for stage in self.latency.isRelative ? [LatencyStage.readable] : [.readable, .odds, .decision] {
            guard let summary = self.latency.stages[stage.rawValue]?.summary else { continue }
            figures.append(
                .init(
                    "\(stage.title.prefix(1).uppercased())\(stage.title.dropFirst()), p99",
                    SoakText.milliseconds(summary.p99),
                    note: "half within \(SoakText.milliseconds(summary.p50))"))
        }
        if let lower = self.latency.offsetLower, let upper = self.latency.offsetUpper {
            figures.append(
                .init(
                    "Exchange's clock ahead by", SoakText.milliseconds((lower + upper) / 2),
                    note: "± \(SoakText.milliseconds((upper - lower) / 2))"))
        }
        return figures
    }

    private var plot: ReportDocument.TimeLines {
        func line(
            _ name: String, _ tone: ReportDocument.Tone, _ value: (LatencySummary) -> Double
        ) -> ReportDocument.TimeLines.Line {
            .init(name, tone: tone, style: .line, points: self.course.map { .init($0.time, $0.readable.map(value)) })
        }
        return .init(
            "Exchange to odds, over the minute before", axis: "milliseconds",
            lines: [line("p50", .first, \.p50), line("p99", .second, \.p99), line("max", .third, \.maximum)])
    }
}

extension LatencyRecord {
    /// Whether odds could be read soon enough: 99 % of them, whatever the uncertainty of the clocks' offset.
    ///
    /// - Parameter limit: in seconds.
    func verdict(limit: Double, note more: String) -> ReportDocument.Verdict {
        let demanded = "99 % readable within \(SoakText.seconds(limit))"
        guard let readable = self.stages[LatencyStage.readable.rawValue]?.summary, readable.count > 0 else {
            return .init(
                name: "latency", demanded: demanded, measured: "nothing measured", isMet: nil,
                note: "No change of odds came, or the exchange's clock could not be asked.")
        }
        var spread =
            "The longest of \(ReportText.count(readable.count)) took \(SoakText.milliseconds(readable.maximum))"
        spread += self.late > 0 ? ", \(ReportText.count(self.late)) over 1 s." : "."
        guard !self.isRelative else {
            return .init(
                name: "latency", demanded: demanded,
                measured: "99 % within \(SoakText.milliseconds(readable.p99)) of the fastest", isMet: nil,
                note: spread
                    + " A recording does not tell how far the exchange's clock was off, nor how long the way to the board took."
            )
        }
        return .init(
            name: "latency", demanded: demanded, measured: "99 % within \(SoakText.milliseconds(readable.p99))",
            isMet: readable.p99 + self.widest < limit * 1000,
            note: "From the exchange's stamp to readable odds. \(spread) Corrected by the offset of the clocks, off by "
                + "\(SoakText.milliseconds(self.widest)) at most." + more)
    }
}
