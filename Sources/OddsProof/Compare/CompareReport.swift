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
    /// What was demanded.
    var verdicts: [ReportDocument.Verdict] {
        guard let stream = self.sources.first else { return [] }
        let caught = self.caught(by: stream, .tenth) ?? Caught(length: .tenth)
        let share = "\(CompareText.percent(caught.caught, of: caught.spikes)), \(caught.caught) of \(caught.spikes)"
        func isMet(_ percent: Int) -> Bool? { caught.spikes > 0 ? caught.caught * 100 >= caught.spikes * percent : nil }
        var verdicts = [
            ReportDocument.Verdict(
                name: "spikes caught", demanded: "at least 90 % of those visible",
                measured: caught.spikes > 0 ? share : "no spikes", isMet: isMet(90),
                note: "By the stream, of those that lasted 100 ms or more. \(self.truthNote)")
        ]
        if self.truth == CompareConfiguration.Truth.exchange.rawValue {
            verdicts.append(
                ReportDocument.Verdict(
                    name: self.faults.isEmpty ? "caught without faults" : "caught under faults",
                    demanded: "at least 99 %", measured: caught.spikes > 0 ? share : "no spikes", isMet: isMet(99)))
        }
        if let p99 = caught.delayP99Ms, let p50 = caught.delayP50Ms, let most = caught.delayMaxMs {
            let isBlind = self.isBlind(caught)
            verdicts.append(
                ReportDocument.Verdict(
                    name: "delay of the stream", demanded: "under 1 s for 99 %",
                    measured: isBlind
                        ? "not in the recording"
                        // Of fewer than a hundred the 99th percent is the longest.
                        : CompareText.time(p99)
                            + (caught.caught < 100 ? ", the longest of \(caught.caught)" : ""),
                    // Of a handful nothing can be said of 99 %.
                    isMet: isBlind || caught.caught < 20 ? nil : p99 < 1000,
                    note: isBlind
                        ? "What was visible and what the stream shows are made of the same messages, received when they were "
                            + "stamped: nothing is lost on the way, but how quick it was is not told."
                        : "Half within \(CompareText.time(p50)), the longest \(CompareText.time(most)); of the spikes that were "
                            + "caught and lasted 100 ms or more."))
        }
        let compared = self.agreement.reduce(0) { $0 + $1.compared }
        let raw = self.agreement.reduce(0) { $0 + $1.agreeRaw }
        let aligned = self.agreement.reduce(0) { $0 + $1.agreeAligned }
        if !self.agreement.isEmpty {
            let claimed = self.agreement.reduce(0) { $0 + $1.claimed }
            let agreed = self.agreement.reduce(0) { $0 + $1.claimedAgreed }
            let behind = self.agreement.reduce(0) { $0 + $1.claimedBehind }
            let longest = self.agreement.compactMap(\.behindMaxMs).max()
            let rest = claimed - behind
            verdicts.append(
                ReportDocument.Verdict(
                    name: "stream and REST agree",
                    demanded: "all answers after alignment at which both claim to be right",
                    measured: rest == 0
                        ? "no answers to compare"
                        : "\(CompareText.percent(agreed, of: rest)) (\(agreed) of \(rest))",
                    isMet: rest == 0 ? nil : agreed == rest,
                    note: "Left out: \(compared - claimed) answers at which the stream did not say live or REST was "
                        + "wrong; and \(behind) at which the stream said live and was behind"
                        + (longest.map {
                            ", \(CompareText.time($0)) at most: in an outage of every line, or its message came late"
                        } ?? "")
                        + ". With these \(CompareText.percent(agreed, of: claimed)); of all answers "
                        + "\(CompareText.percent(aligned, of: compared)), at the instant of receipt "
                        + "\(CompareText.percent(raw, of: compared)). All are listed."))
        }
        return verdicts
    }

    /// Whether delays are not told: messages of a recording that are stamped as they came.
    func isBlind(_ caught: Caught) -> Bool {
        self.truth == CompareConfiguration.Truth.recording.rawValue && caught.delayMaxMs == 0
    }

    private var truthNote: String {
        switch CompareConfiguration.Truth(rawValue: self.truth) {
        case .exchange: "What was visible is known from the simulated exchange itself."
        case .recording: "What was visible is known from everything that was recorded, by the exchange's time."
        case .union, nil: "Visible is what any source saw: what none of them saw is not known."
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
            Document.Fact("Faults", ReportText.count(self.figures.faults.count)),
            Document.Fact("Program", "oddstream \(self.header.program)"),
        ]
        if !self.figures.command.isEmpty { document.facts.append(Document.Fact("Command", self.figures.command)) }
        return document
    }

    private var length: String {
        let seconds = (Double(self.figures.endMs) - Double(self.figures.beginMs)) / 1000
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
        let what = "\(self.length) of \(mode), \(ReportText.count(self.figures.markets, "market"))."
        guard !parts.isEmpty else { return what + " No odds rose over the threshold for 100 ms or more." }
        return what + " Of the spikes that lasted 100 ms or more caught: \(parts.joined(separator: ", "))."
    }

    private var headline: [ReportDocument.Figure] {
        var list: [ReportDocument.Figure] = []
        for (index, source) in self.figures.sources.enumerated() {
            guard let caught = self.figures.caught(by: source, .tenth) else { continue }
            list.append(
                Document.Figure(
                    "Caught by \(source.name)", CompareText.percent(caught.caught, of: caught.spikes),
                    note: "\(caught.caught) of \(caught.spikes) spikes of 100 ms or more", tone: self.tone(index)))
        }
        if let stream = self.figures.sources.first, let caught = self.figures.caught(by: stream, .tenth),
            let median = caught.delayP50Ms, !self.figures.isBlind(caught)
        {
            list.append(
                Document.Figure(
                    "Median delay of the stream", CompareText.time(median), note: "from visible to seen"))
        }
        for agreement in self.figures.agreement {
            list.append(
                Document.Figure(
                    "Agreement with \(agreement.source)",
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
                "Displayed odds of YES. Bands are spikes: of YES at \(self.figures.threshold) and over, of NO where YES is at "
                    + "\(CompareText.fixed(1 - self.figures.threshold, 2)) and below. A gap in a line: the source had no odds it believed."
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
        var chart = Document.TimeLines(ReportText.name(plot.market), axis: "odds of YES", lines: lines)
        chart.range = 0...1
        chart.levels = [
            Document.TimeLines.Level(self.figures.threshold, "spike of YES"),
            Document.TimeLines.Level(1 - self.figures.threshold, "spike of NO"),
        ]
        chart.bands = plot.spikes.compactMap { number in
            guard self.figures.spikes.indices.contains(number - 1) else { return nil }
            let spike = self.figures.spikes[number - 1]
            let isCaught = spike.sights.first?.caught == true
            return Document.TimeLines.Band(
                from: ReportText.whole(spike.beginMs),
                until: Swift.max(ReportText.whole(spike.endMs), ReportText.whole(spike.beginMs) + 1),
                label: isCaught ? "spike, caught by the stream" : "spike, missed by the stream",
                tone: isCaught ? .good : .bad)
        }
        return chart
    }

    // MARK: Spikes

    private var catches: ReportDocument.Table {
        let numbers = ["spikes", "caught", "share", "delay p50", "p99", "longest", "ticks shown", "ticks ask"]
        let columns =
            [Document.Table.Column("visible for"), Document.Table.Column("source")]
            + numbers.map { Document.Table.Column($0, isNumber: true) }
        let rows = CompareFigures.Length.allCases.flatMap { length in
            self.figures.sources.enumerated().map { index, source in
                let caught = self.figures.caught(by: source, length) ?? .init(length: length)
                let delays = [caught.delayP50Ms, caught.delayP99Ms, caught.delayMaxMs]
                return [
                    index == 0 ? length.text : "", source.name, ReportText.count(caught.spikes),
                    ReportText.count(caught.caught), CompareText.percent(caught.caught, of: caught.spikes),
                ]
                    + delays.map { $0.map { CompareText.time($0) } ?? "–" }
                    + [caught.paidDisplayedTicks, caught.paidAskTicks].map { Self.ticks($0) }
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
                + "`ticks shown`: displayed odds; `ticks ask`: the best offer really there. Missed spikes have no price."
        )
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
        while !delays.isEmpty, edges.count < 200, (edges.last ?? 0) <= Swift.max(1, delays.max() ?? 0) {
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
                "\(spike.number)", ReportText.name(spike.market), spike.side, self.clock(spike.beginMs),
                CompareText.time(spike.visibleMs), CompareText.fixed(spike.peak, 3),
            ]
                + spike.sights.map { sight in
                    sight.delayMs.map { "+\(CompareText.time($0))" }
                        ?? "missed: \(Self.words(sight.missed ?? "unexplained"))"
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
        let text = Timestamp(milliseconds: ReportText.whole(milliseconds.rounded(.down))).iso8601
        return String((text.split(separator: "T").last ?? "").dropLast())
    }

    // MARK: Pollers

    private var phaseBlocks: [ReportDocument.Block] {
        guard !self.figures.phases.isEmpty else { return [.text("There was no poller.")] }
        let rows = self.figures.phases.filter { $0.spikes > 0 }.map { phases in
            let best = phases.met.max() ?? 0
            let worst = phases.met.min() ?? 0
            let average = phases.met.reduce(0, +)
            return [
                phases.source, phases.length.text, ReportText.count(phases.spikes),
                CompareText.percent(
                    average, of: phases.met.count.multipliedReportingOverflow(by: phases.spikes).partialValue),
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
                agreement.source, ReportText.count(agreement.questions), ReportText.count(agreement.failed),
                ReportText.count(agreement.refused), ReportText.count(agreement.compared),
                CompareText.percent(agreement.agreeRaw, of: agreement.compared),
                CompareText.percent(agreement.agreeExactly, of: agreement.compared),
                CompareText.percent(agreement.agreeAligned, of: agreement.compared),
                CompareText.percent(agreement.liveAligned, of: agreement.live),
            ]
        }
        let reasons = self.figures.agreement.flatMap { agreement in
            agreement.rawReasons.sorted { $0.key < $1.key }.map {
                [agreement.source, Self.words($0.key), ReportText.count($0.value)]
            }
        }
        return [
            .text(
                "Best bid, best ask and displayed odds of both sides. `At receipt`: what the stream showed when the answer "
                    + "was there. `Aligned`: what it had at the exchange's stamp of the answer, received no later than the "
                    + "tolerance after it, or within the tolerance, or while the question was out."),
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
        case "stream_behind":
            "the stream said live and was behind, in an outage of every line that it had not noticed yet"
        case "in_batch": "in the middle of a batch"
        case "ghost": "a ghost book that the poller believed"
        case "stale_answer": "REST was wrong: the answer was no longer true when it was asked for"
        case "both_right": "both were right, at moments that lie closer together than the tolerance"
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
                    ["answers of \(agreement.source)", Self.words($0.key), ReportText.count($0.value)]
                }
            }
            + self.figures.catches.flatMap { catches in
                catches.missed.sorted { $0.key < $1.key }.map {
                    ["spikes missed by \(catches.source)", Self.words($0.key), ReportText.count($0.value)]
                }
            }
        let missedRows = missed.prefix(Self.rows).map { spike in
            [
                self.clock(spike.beginMs), ReportText.name(spike.market), spike.side, CompareText.fixed(spike.peak, 3),
                CompareText.time(spike.visibleMs), spike.sights.first?.explanation ?? "",
            ]
        }
        let listed = self.figures.disagreements.sorted {
            ($0.kind == "unexplained" ? 0 : 1) < ($1.kind == "unexplained" ? 0 : 1)
        }
        let rows = listed.prefix(Self.rows).map {
            [
                self.clock($0.answeredMs), $0.source, ReportText.name($0.market), $0.poller, $0.stream,
                Self.words($0.kind), $0.wrong ?? "–", $0.explanation,
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
                            columns: ["time", "poller", "market", "answer", "stream", "why", "wrong", "explanation"]
                                .map { Document.Table.Column($0) }, rows: Array(rows)))
                ]),
        ]
    }
}
