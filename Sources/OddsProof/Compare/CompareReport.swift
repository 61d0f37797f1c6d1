import OddsCore
public import OddsReports

/// The report of a comparison: its figures as JSON, and as a person reads them.
public struct CompareReport: Report {
    /// `compare`.
    public static let kind = "compare"

    /// What every report says of itself.
    public let header: ReportHeader
    /// What was found.
    package let figures: CompareFigures

    /// A report of some figures.
    ///
    /// - Parameters:
    ///   - program: the program's version.
    ///   - generatedAt: now, in Unix milliseconds.
    package init(_ figures: CompareFigures, program: String, generatedAt: Int64) {
        self.figures = figures
        self.header = ReportHeader(
            kind: Self.kind, program: program, generatedAt: generatedAt,
            source: figures.notes.first ?? figures.mode, from: figures.beginMs, until: figures.endMs,
            verdicts: figures.verdicts)
    }

    /// From the JSON of a report.
    public init(from decoder: any Decoder) throws {
        self.header = try ReportHeader(from: decoder)
        self.figures = try CompareFigures(from: decoder)
    }

    /// As the JSON of a report.
    public func encode(to encoder: any Encoder) throws {
        try self.header.encode(to: encoder)
        try self.figures.encode(to: encoder)
    }

    /// What a person reads.
    public var document: ReportDocument { CompareDocument(self.header, self.figures).document }
}

extension CompareFigures {
    /// How many answers differ from the stream while nothing is known that would explain it.
    var unexplained: Int { self.agreement.reduce(0) { $0 + ($1.classes["unexplained"] ?? 0) } }

    /// What was demanded.
    var verdicts: [ReportDocument.Verdict] {
        guard let stream = self.sources.first else { return [] }
        let caught = self.caught(by: stream, .tenth) ?? Caught(length: .tenth)
        let share =
            "\(CompareText.percent(caught.caught, of: caught.spikes)) (\(caught.caught) of \(caught.spikes)) that lasted "
            + "100 ms or more"
        func isMet(_ percent: Int) -> Bool? { caught.spikes > 0 ? caught.caught * 100 >= caught.spikes * percent : nil }
        var verdicts = [
            ReportDocument.Verdict(
                name: "spikes caught by the stream", demanded: "at least 90 % of those visible on the website",
                measured: caught.spikes > 0 ? share : "no spikes", isMet: isMet(90), note: self.truthNote)
        ]
        if self.truth == CompareConfiguration.Truth.exchange.rawValue {
            verdicts.append(
                ReportDocument.Verdict(
                    name: "the same under faults", demanded: "at least 99 %",
                    measured: caught.spikes > 0 ? share : "no spikes", isMet: isMet(99)))
        }
        if let p99 = caught.delayP99Ms, let p50 = caught.delayP50Ms, let most = caught.delayMaxMs {
            verdicts.append(
                ReportDocument.Verdict(
                    name: "delay of the stream", demanded: "under 1 s",
                    measured: "p99 \(CompareText.time(p99)), p50 \(CompareText.time(p50)), longest "
                        + CompareText.time(most),
                    isMet: p99 < 1000, note: "judged by p99; spikes that were caught, of 100 ms or more"))
        }
        let compared = self.agreement.reduce(0) { $0 + $1.compared }
        let raw = self.agreement.reduce(0) { $0 + $1.agreeRaw }
        let aligned = self.agreement.reduce(0) { $0 + $1.agreeAligned }
        if !self.agreement.isEmpty {
            let others = compared - aligned
            verdicts.append(
                ReportDocument.Verdict(
                    name: "stream and REST agree",
                    demanded: "all answers after alignment, each exception explained",
                    measured: compared == 0
                        ? "no answers to compare"
                        : "\(CompareText.percent(aligned, of: compared)) (\(aligned) of \(compared)); \(others) exceptions, "
                            + "\(self.unexplained) of them unexplained",
                    isMet: compared == 0 ? nil : self.unexplained == 0,
                    note: "at the instant of receipt \(CompareText.percent(raw, of: compared)). "
                        + "Met when no exception is unexplained; they are listed below."))
        }
        return verdicts
    }

    private var truthNote: String {
        switch CompareConfiguration.Truth(rawValue: self.truth) {
        case .exchange: "what was visible is known from the simulated exchange itself"
        case .recording: "what was visible is known from everything that was recorded, by the exchange's time"
        case .union, nil: "what was visible is what any source saw: what none of them saw is not known"
        }
    }
}

/// Makes the document of a comparison.
private struct CompareDocument {
    typealias Document = ReportDocument

    let header: ReportHeader
    let figures: CompareFigures

    init(_ header: ReportHeader, _ figures: CompareFigures) {
        self.header = header
        self.figures = figures
    }

    private static let tones: [ReportDocument.Tone] = [.first, .second, .third, .fourth]
    private func tone(_ index: Int) -> ReportDocument.Tone { Self.tones[Swift.min(index, Self.tones.count - 1)] }

    var document: ReportDocument {
        var document = Document(kind: CompareReport.kind, title: "Streamer against poller", lead: self.lead)
        document.verdicts = self.header.verdicts
        document.figures = self.headline
        document.sections = [
            Document.Section("Odds over time", self.plots),
            Document.Section(
                "Spikes caught", [.table(self.catches), .chart(.distribution(self.delays)), self.paidText]),
            Document.Section("A poller's luck", self.phaseBlocks),
            Document.Section("Agreement at the poll instants", self.agreement),
            Document.Section("Exceptions", self.exceptions),
            Document.Section("Every spike", [.details(title: "Table of spikes", [.table(self.spikes)])]),
        ]
        document.facts = [
            Document.Fact("Compared", self.figures.notes.joined(separator: "; ")),
            Document.Fact("Sources", self.figures.sources.map(\.name).joined(separator: ", ")),
            Document.Fact(
                "A spike",
                "\(self.figures.basis) odds at or over \(self.figures.threshold), until below "
                    + CompareText.fixed(self.figures.threshold - self.figures.hysteresis, 2)),
            Document.Fact("Allowance after a spike", CompareText.time(self.figures.allowanceMs)),
            Document.Fact("Tolerance of stamps", CompareText.time(self.figures.toleranceMs)),
            Document.Fact("Faults", "\(self.figures.faults.count)"),
            Document.Fact("Program", "oddstream \(self.header.program)"),
        ]
        if !self.figures.command.isEmpty { document.facts.append(Document.Fact("Command", self.figures.command)) }
        return document
    }

    private var length: String {
        let seconds = Double(self.figures.endMs - self.figures.beginMs) / 1000
        return seconds < 120 ? "\(CompareText.fixed(seconds, 0)) s" : "\(CompareText.fixed(seconds / 60, 0)) minutes"
    }

    private var lead: String {
        let mode =
            switch self.figures.mode {
            case "virtual": "the simulated exchange in compressed time"
            case "simulated": "the simulated exchange over real sockets"
            case "recording": "a recording"
            default: "the live exchange"
            }
        let parts = self.figures.sources.compactMap { source -> String? in
            guard let caught = self.figures.caught(by: source, .tenth), caught.spikes > 0 else { return nil }
            return "\(source.name) \(CompareText.percent(caught.caught, of: caught.spikes))"
        }
        let what = "\(self.length) of \(mode), \(self.figures.markets) markets."
        guard !parts.isEmpty else { return what + " No odds rose over the threshold for 100 ms or more." }
        return what + " Of the spikes that lasted 100 ms or more caught: \(parts.joined(separator: ", "))."
    }

    private var headline: [ReportDocument.Figure] {
        var list: [ReportDocument.Figure] = []
        for (index, source) in self.figures.sources.enumerated() {
            guard let caught = self.figures.caught(by: source, .tenth) else { continue }
            list.append(
                Document.Figure(
                    "caught by \(source.name)", CompareText.percent(caught.caught, of: caught.spikes),
                    note: "\(caught.caught) of \(caught.spikes) spikes of 100 ms or more", tone: self.tone(index)))
        }
        if let stream = self.figures.sources.first, let caught = self.figures.caught(by: stream, .tenth),
            let median = caught.delayP50Ms
        {
            list.append(Document.Figure("median delay of the stream", CompareText.time(median)))
        }
        for agreement in self.figures.agreement {
            list.append(
                Document.Figure(
                    "agreement with \(agreement.source)",
                    CompareText.percent(agreement.agreeAligned, of: agreement.compared),
                    note:
                        "after alignment; while live \(CompareText.percent(agreement.liveAligned, of: agreement.live))")
            )
        }
        return list
    }

    // MARK: Odds over time

    private var plots: [ReportDocument.Block] {
        guard !self.figures.plots.isEmpty else { return [.text("No market had a spike or a disagreement.")] }
        let charts = self.figures.plots.map { ReportDocument.Block.chart(.timeLines(self.plot($0))) }
        return [
            .text(
                "Displayed odds of YES. Bands are spikes: of YES over \(self.figures.threshold), of NO where YES is below "
                    + "\(CompareText.fixed(1 - self.figures.threshold, 2)). A gap in a line: the source had no odds it believed."
            ),
            charts[0], .details(title: "More markets", Array(charts.dropFirst())),
        ]
    }

    private func plot(_ plot: CompareFigures.Plot) -> ReportDocument.TimeLines {
        let lines = plot.sources.map { line in
            let index = self.figures.sources.firstIndex { $0.name == line.source }
            return Document.TimeLines.Line(
                line.source, tone: index.map { self.tone($0) } ?? .neutral,
                style: index.map { $0 > 0 ? .points : .steps } ?? .steps,
                points: zip(line.timesMs, line.odds).map { Document.TimeLines.Point($0, $1) })
        }
        var chart = Document.TimeLines(plot.market, axis: "odds of YES", lines: lines)
        chart.range = 0...1
        chart.levels = [
            Document.TimeLines.Level(self.figures.threshold, "YES over the threshold"),
            Document.TimeLines.Level(1 - self.figures.threshold, "NO over the threshold"),
        ]
        chart.bands = plot.spikes.compactMap { number in
            guard self.figures.spikes.indices.contains(number - 1) else { return nil }
            let spike = self.figures.spikes[number - 1]
            let seen = spike.sights.filter(\.caught).map(\.source)
            return Document.TimeLines.Band(
                from: Int64(spike.beginMs), until: Swift.max(Int64(spike.endMs), Int64(spike.beginMs) + 1),
                label: "\(spike.side) \(CompareText.fixed(spike.peak, 2)), \(CompareText.time(spike.visibleMs)), "
                    + (seen.isEmpty ? "nobody" : seen.joined(separator: ", ")),
                tone: spike.sights.first?.caught == true ? .good : .bad)
        }
        return chart
    }

    // MARK: Spikes

    private var catches: ReportDocument.Table {
        var columns = [Document.Table.Column("visible for"), Document.Table.Column("spikes", isNumber: true)]
        columns += self.figures.sources.flatMap {
            [
                Document.Table.Column("\($0.name): caught", isNumber: true),
                Document.Table.Column("delay p50 / p99 / longest", isNumber: true),
                Document.Table.Column("ticks: shown / ask", isNumber: true),
            ]
        }
        let rows = CompareFigures.Length.allCases.map { length in
            let all = self.figures.sources.map { self.figures.caught(by: $0, length) ?? .init(length: length) }
            return [length.text, "\(all.first?.spikes ?? 0)"]
                + all.flatMap { caught in
                    let delays = [caught.delayP50Ms, caught.delayP99Ms, caught.delayMaxMs]
                        .map { $0.map { CompareText.time($0) } ?? "–" }
                    let paid = [caught.paidDisplayedTicks, caught.paidAskTicks].map { Self.ticks($0) }
                    return [
                        "\(CompareText.percent(caught.caught, of: caught.spikes)) (\(caught.caught))",
                        delays.joined(separator: " / "), paid.joined(separator: " / "),
                    ]
                }
        }
        return Document.Table(columns: columns, rows: rows)
    }

    private static func ticks(_ value: Double?) -> String {
        value.map { ($0 > 0.005 ? "+" : "") + CompareText.fixed($0, 2) } ?? "–"
    }

    private var paidText: ReportDocument.Block {
        .text(
            "Ticks: what the odds were at the catch minus at the first visible moment, on average over what was caught; "
                + "above zero a buyer paid more for coming late, below zero the spike was already going. "
                + "`shown`: displayed odds; `ask`: the best offer really there. Missed spikes have no price.")
    }

    private var delays: ReportDocument.Distribution {
        let groups = self.figures.catches.enumerated().map { index, catches in
            let delays = catches.delaysMs
            func quantile(_ share: Double) -> Double {
                delays[Swift.max(0, Int((Double(delays.count) * share).rounded(.up)) - 1)]
            }
            return Document.Distribution.Group(
                catches.source, tone: self.tone(index), buckets: Self.buckets(delays),
                marks: delays.isEmpty ? [] : [("p50", quantile(0.5)), ("p99", quantile(0.99))])
        }
        var chart = Document.Distribution(
            "Delay from the first visible moment to the first sight", axis: "ms", isLogarithmic: true,
            groups: groups.filter { !$0.buckets.isEmpty })
        chart.limits = [Document.TimeLines.Level(1000, "1 s")]
        return chart
    }

    /// Four to a power of ten from 1 ms on; what is quicker is in the first.
    private static func buckets(_ delays: [Double]) -> [ReportDocument.Distribution.Bucket] {
        var edges = [1.0]
        let steps = [1.778_279_41, 3.162_277_66, 5.623_413_25, 10]
        while (edges.last ?? 0) <= (delays.last ?? 0) {
            let base = edges.last ?? 1
            edges += steps.map { $0 * base }
        }
        return zip(edges, edges.dropFirst()).compactMap { from, until in
            let count = delays.count { Swift.max($0, 1) >= from && Swift.max($0, 1) < until }
            return count > 0 ? Document.Distribution.Bucket(from: from, until: until, count: count) : nil
        }
    }

    private var spikes: ReportDocument.Table {
        let columns =
            ["#", "market", "side"].map { Document.Table.Column($0) }
            + ["begin", "visible", "peak"].map { Document.Table.Column($0, isNumber: true) }
            + self.figures.sources.map { Document.Table.Column($0.name, isNumber: true) }
        let rows = self.figures.spikes.prefix(Self.rows).map { spike in
            [
                "\(spike.number)", spike.market, spike.side, self.clock(spike.beginMs),
                CompareText.time(spike.visibleMs), CompareText.fixed(spike.peak, 3),
            ]
                + spike.sights.map { sight in
                    sight.delayMs.map { "+\(CompareText.time($0))" } ?? (sight.missed ?? "missed")
                }
        }
        let rest = self.figures.spikes.count - rows.count
        return Document.Table(
            rest > 0 ? "The first \(rows.count); \(rest) more are in the JSON." : "", columns: columns,
            rows: Array(rows))
    }

    /// How many rows a table has at most.
    private static let rows = 400

    /// Time of day, UTC.
    private func clock(_ milliseconds: Double) -> String {
        let text = Timestamp(milliseconds: Int64(milliseconds)).iso8601
        return String(text.split(separator: "T").last ?? "")
    }

    // MARK: Pollers

    private var phaseBlocks: [ReportDocument.Block] {
        guard !self.figures.phases.isEmpty else { return [.text("There was no poller.")] }
        let rows = self.figures.phases.filter { $0.spikes > 0 }.map { phases in
            let best = phases.met.max() ?? 0
            let worst = phases.met.min() ?? 0
            let average = phases.met.reduce(0, +)
            return [
                phases.source, phases.length.text, "\(phases.spikes)",
                CompareText.percent(average, of: phases.met.count * phases.spikes),
                CompareText.percent(best, of: phases.spikes), CompareText.percent(worst, of: phases.spikes),
            ]
        }
        return [
            .text(
                "What a poller meets depends on when its clock strikes. Here every phase was tried, of a poller that answers "
                    + "at once and never fails: the most a poller can do."),
            .table(
                Document.Table(
                    columns: [Document.Table.Column("poller"), Document.Table.Column("visible for")]
                        + ["spikes", "met on average", "best phase", "worst phase"]
                        .map { Document.Table.Column($0, isNumber: true) }, rows: rows)),
        ]
    }

    private var agreement: [ReportDocument.Block] {
        let names = [
            "poller", "questions", "no answer", "not believed", "compared", "at receipt", "at the stamp", "aligned",
            "aligned while live",
        ]
        let rows = self.figures.agreement.map { agreement in
            [
                agreement.source, "\(agreement.questions)", "\(agreement.failed)", "\(agreement.refused)",
                "\(agreement.compared)", CompareText.percent(agreement.agreeRaw, of: agreement.compared),
                CompareText.percent(agreement.agreeExactly, of: agreement.compared),
                CompareText.percent(agreement.agreeAligned, of: agreement.compared),
                CompareText.percent(agreement.liveAligned, of: agreement.live),
            ]
        }
        let reasons = self.figures.agreement.flatMap { agreement in
            agreement.rawReasons.sorted { $0.key < $1.key }.map {
                [agreement.source, Self.words($0.key), "\($0.value)"]
            }
        }
        return [
            .text(
                "Best bid, best ask and displayed odds of both sides. `At receipt`: what the stream showed when the answer "
                    + "was there. `Aligned`: what it had at the exchange's stamp of the answer, however late that came to it, "
                    + "or within the tolerance, or while the question was out."),
            .table(
                Document.Table(
                    columns: names.enumerated().map { Document.Table.Column($1, isNumber: $0 > 0) }, rows: rows,
                    whenEmpty: "No poller was asked.")),
            .table(
                Document.Table(
                    "Why answers that agree after alignment differed at receipt",
                    columns: [
                        Document.Table.Column("poller"), Document.Table.Column("reason"),
                        Document.Table.Column("answers", isNumber: true),
                    ], rows: reasons)),
        ]
    }

    private static func words(_ reason: String) -> String {
        switch reason {
        case "stale_rest": "stale REST: the answer was older than when it was asked for"
        case "stream_newer": "the book moved on before the answer was there"
        case "answer_newer": "the answer was quicker than the stream"
        case "stream_late": "the stream received it later"
        case "stream_not_live": "the stream was not live"
        case "stream_behind": "the stream was behind, and had not noticed yet"
        case "in_batch": "in the middle of a batch"
        case "ghost": "a ghost book that the poller believed; the stream was right"
        case "refused": "the poller did not believe the answer"
        case "between_polls": "between two polls"
        case "no_answer": "no answer"
        case "late": "seen too late"
        case "brief": "under 100 ms"
        case "fault": "a fault was in force"
        case "unexplained": "unexplained"
        default: reason
        }
    }

    private var exceptions: [ReportDocument.Block] {
        let missed = self.figures.missedByStream
        let counts =
            self.figures.agreement.flatMap { agreement in
                agreement.classes.sorted { $0.key < $1.key }.map {
                    ["answers of \(agreement.source)", Self.words($0.key), "\($0.value)"]
                }
            }
            + self.figures.catches.flatMap { catches in
                catches.missed.sorted { $0.key < $1.key }.map {
                    ["spikes missed by \(catches.source)", Self.words($0.key), "\($0.value)"]
                }
            }
        let missedRows = missed.prefix(Self.rows).map { spike in
            [
                self.clock(spike.beginMs), spike.market, spike.side, CompareText.fixed(spike.peak, 3),
                CompareText.time(spike.visibleMs), spike.sights.first?.explanation ?? "",
            ]
        }
        let listed = self.figures.disagreements.sorted {
            ($0.kind == "unexplained" ? 0 : 1) < ($1.kind == "unexplained" ? 0 : 1)
        }
        let rows = listed.prefix(Self.rows).map {
            [
                self.clock($0.answeredMs), $0.source, $0.market, $0.poller, $0.stream, Self.words($0.kind),
                $0.explanation,
            ]
        }
        return [
            .table(
                Document.Table(
                    "By class",
                    columns: [
                        Document.Table.Column("what"), Document.Table.Column("why"),
                        Document.Table.Column("count", isNumber: true),
                    ], rows: counts)),
            .table(
                Document.Table(
                    "Spikes of 100 ms or more that the stream missed",
                    columns: ["begin", "market", "side", "peak", "visible", "explanation"]
                        .map { Document.Table.Column($0) }, rows: Array(missedRows))),
            .details(
                title:
                    "Answers that differ, and answers that were not believed (\(self.figures.disagreements.count) listed)",
                [
                    .table(
                        Document.Table(
                            columns: ["time", "poller", "market", "answer", "stream", "why", "explanation"]
                                .map { Document.Table.Column($0) }, rows: Array(rows)))
                ]),
        ]
    }
}
