public import OddsCore
public import OddsReports

/// What a replay gave, as `oddstream.replay/1`.
public struct ReplayReport: Report {
    /// The kind of report: `replay`.
    public static let kind = "replay"

    /// A market.
    public struct MarketRow: Hashable, Sendable, Codable {
        /// Its condition id.
        public var id: MarketID
        /// Its readable name; empty when only the feed is known.
        public var slug: String
        /// Its odds over time: Unix milliseconds, what the website showed for YES or null, and whether it could be believed.
        public var points: [Point]
        /// Who won: `yes` or `no`; null when the recording does not tell.
        @NullWhenAbsent public var winner: String?
    }

    /// A market's odds at a moment.
    public struct Point: Hashable, Sendable, Codable {
        /// Unix milliseconds.
        public var time: Int64
        /// What the website showed for YES, 0 to 1; null when it had no answer.
        @NullWhenAbsent public var yes: Double?
        /// Whether it could be believed.
        public var isLive: Bool

        enum CodingKeys: String, CodingKey {
            case time = "t_ms"
            case yes
            case isLive = "live"
        }
    }

    /// Everything but the header.
    public struct Results: Hashable, Sendable, Codable {
        /// SHA-256 over everything that came out, in order.
        public var stateHash: String
        /// Messages of the market channel.
        public var frames: UInt64
        /// Rows of the recording.
        public var rows: UInt64
        /// Versions of markets that were published.
        public var publications: UInt64
        /// Trades that the venue told.
        public var venueTrades: UInt64
        /// How long the replay took, in seconds.
        public var elapsed: Double
        /// Messages per second of the replay.
        public var framesPerSecond: Double
        /// How many runs of the program were recorded.
        public var runs: Int
        /// The share of the due time in which odds could be believed, 0 to 1; null when nothing was due.
        @NullWhenAbsent public var uptime: Double?
        /// The markets.
        public var markets: [MarketRow]
        /// The spikes.
        public var spikes: [SpikeRecord]
        /// The incidents.
        public var incidents: [IncidentRecord]
        /// The orders.
        public var trades: [TradeRecord]
        /// The account at the end; null when nothing was traded.
        @NullWhenAbsent public var account: AccountRecord?
        /// What could not be read.
        public var damage: [String]
        /// Rows that the recorder dropped.
        public var lostRows: UInt64
        /// Rows that were stamped earlier than the one before.
        public var lateRows: UInt64
        /// How often a tape's times jumped, and another session began.
        public var jumps: Int
        /// How the feed behaved differently.
        public var differences: ReplayDifferences
        /// The settings, each with where it came from.
        public var settings: [ParameterSweep.Parameter]
        /// What else is to be known, a sentence each.
        public var notes: [String]
        /// The comparison with the records of the live run; null when there was none.
        @NullWhenAbsent public var comparison: ReplayComparison?

        enum CodingKeys: String, CodingKey {
            case stateHash = "state_hash"
            case frames, rows, publications
            case venueTrades = "venue_trades"
            case elapsed = "elapsed_s"
            case framesPerSecond = "frames_per_second"
            case runs, uptime, markets, spikes, incidents, trades, account, damage
            case lostRows = "lost_rows"
            case lateRows = "late_rows"
            case jumps, differences, settings, notes, comparison
        }
    }

    /// What every report says of itself.
    public var header: ReportHeader
    /// What came out.
    public var results: Results

    /// A report of an outcome.
    ///
    /// - Parameters:
    ///   - source: what was replayed, such as the recording's path.
    ///   - comparison: with the records of the live run, when there was one.
    ///   - settings: how it was replayed, each setting with where it came from.
    ///   - notes: what else is to be known, a sentence each.
    public init(
        _ outcome: ReplayOutcome, source: String, program: String, generatedAt: Timestamp,
        comparison: ReplayComparison? = nil, settings: [ParameterSweep.Parameter] = [], notes: [String] = []
    ) {
        self.header = ReportHeader(
            kind: Self.kind, program: program, generatedAt: generatedAt.milliseconds, source: source,
            from: outcome.first?.milliseconds, until: outcome.last?.milliseconds,
            verdicts: comparison.map { [Self.verdict($0)] } ?? [])
        let winners = Dictionary(outcome.resolutions.map { ($0.market.id, $0.winner) }) { first, last in last ?? first }
        self.results = Results(
            stateHash: outcome.stateHash, frames: outcome.frames, rows: outcome.rows,
            publications: outcome.publications, venueTrades: outcome.venueTrades,
            elapsed: outcome.elapsed.secondsValue, framesPerSecond: outcome.framesPerSecond, runs: outcome.runs,
            uptime: outcome.uptime.total.share,
            markets: outcome.markets.map { market in
                MarketRow(
                    id: market.id, slug: market.slug,
                    points: (outcome.points[market.id] ?? []).map {
                        Point(time: $0.time.milliseconds, yes: $0.yes, isLive: $0.isLive)
                    }, winner: winners[market.id]?.map { $0 == .yes ? "yes" : "no" })
            }, spikes: outcome.spikes, incidents: outcome.incidents, trades: outcome.trades,
            account: outcome.account, damage: outcome.damage, lostRows: outcome.lostRows,
            lateRows: outcome.lateRows, jumps: outcome.jumps, differences: outcome.differences, settings: settings,
            notes: notes, comparison: comparison)
    }

    private static func verdict(_ comparison: ReplayComparison) -> ReportDocument.Verdict {
        let count = comparison.differences.count
        return ReportDocument.Verdict(
            name: "same as live", demanded: "the same spikes, incidents and trades",
            measured: count == 0 ? "the same" : "\(count) difference\(count == 1 ? "" : "s")", isMet: count == 0)
    }

    /// A report from its JSON.
    ///
    /// - Throws: `DecodingError` when something is missing or of another type.
    public init(from decoder: any Decoder) throws {
        self.header = try ReportHeader(from: decoder)
        self.results = try Results(from: decoder)
    }

    /// Puts the header's keys beside the report's own.
    ///
    /// - Throws: `EncodingError` when a number has no JSON.
    public func encode(to encoder: any Encoder) throws {
        try self.header.encode(to: encoder)
        try self.results.encode(to: encoder)
    }
}

extension ReplayReport {
    /// How many markets are drawn: those with spikes or orders first.
    private static let charts = 12

    /// What a person reads.
    public var document: ReportDocument {
        let results = self.results
        let span = zip2(self.header.from, self.header.until).map { (Double($1) - Double($0)) / 1000 } ?? 0
        var document = ReportDocument(
            kind: Self.kind, title: "Replay",
            lead: """
                \(ReportText.count(results.frames, "message")) of \(Self.time(span)) in \
                \(ReportText.count(results.markets.count, "market")), replayed in \(Self.time(results.elapsed)): \
                \(ReportText.count(results.spikes.count, "spike")), \
                \(ReportText.count(results.incidents.count, "incident")), \
                \(ReportText.count(results.trades.count, "order")).\(self.startsOver)
                """)
        document.verdicts = self.header.verdicts
        document.figures = self.figures
        document.sections = [self.odds, self.spikes, self.trades, self.incidents]
        if let comparison = results.comparison { document.sections.insert(Self.section(comparison), at: 0) }
        if !self.notes.isEmpty {
            document.sections.append(ReportDocument.Section("What to know", self.notes.map { .text($0) }))
        }
        document.facts = [
            ReportDocument.Fact("Recording", self.header.source),
            ReportDocument.Fact("Begin", Self.moment(self.header.from)),
            ReportDocument.Fact("End", Self.moment(self.header.until)),
            ReportDocument.Fact("Rows", ReportText.count(results.rows)),
            ReportDocument.Fact("Publications", ReportText.count(results.publications)),
            ReportDocument.Fact("Runs", "\(results.runs)"),
            ReportDocument.Fact("State hash", results.stateHash),
            ReportDocument.Fact("Program", "oddstream \(self.header.program)"),
        ]
        document.facts += results.settings.map { ReportDocument.Fact($0.name, $0.value) }
        return document
    }

    /// Whether a spike has no beginning here: the odds were over the threshold when the market was first seen.
    private func isFromStart(_ spike: SpikeRecord) -> Bool {
        guard let market = self.results.markets.first(where: { $0.id == spike.market }),
            let first = market.points.first(where: { $0.isLive && $0.yes != nil })
        else { return false }
        return spike.begin.milliseconds <= first.time
    }

    /// What is to be said of spikes without a beginning.
    private var startsOver: String {
        let spikes = self.results.spikes
        let count = spikes.count { self.isFromStart($0) }
        guard count > 0 else { return "" }
        let which =
            count == spikes.count
            ? (count == 1 ? "It was" : "All were") : "\(count) of the spikes \(count == 1 ? "was" : "were")"
        return " \(which) over the threshold from the first odds on."
    }

    private var figures: [ReportDocument.Figure] {
        let results = self.results
        var figures = [
            ReportDocument.Figure("Messages", ReportText.count(results.frames)),
            ReportDocument.Figure("Spikes", ReportText.count(results.spikes.count)),
            ReportDocument.Figure(
                "Incidents", ReportText.count(results.incidents.count),
                tone: results.incidents.isEmpty ? .good : .neutral),
            ReportDocument.Figure("Orders", ReportText.count(results.trades.count)),
        ]
        if let account = results.account {
            figures.append(
                ReportDocument.Figure(
                    "Equity", Self.dollars(account.equity), note: "of \(Self.dollars(account.startingCash))",
                    tone: account.equity > account.startingCash
                        ? .good : account.equity < account.startingCash ? .bad : .neutral))
        }
        if let uptime = results.uptime {
            figures.append(ReportDocument.Figure("Live", SoakText.percent(uptime), note: "of the due time"))
        }
        figures.append(
            ReportDocument.Figure(
                "Speed", "\(ReportText.count(ReportText.whole(results.framesPerSecond))) messages/s",
                note: "on one core"))
        return figures
    }

    private var odds: ReportDocument.Section {
        let busy = Set(self.results.spikes.map(\.market) + self.results.trades.map(\.market))
        let drawn = self.results.markets.filter { $0.points.count > 1 }
        let chosen = (drawn.filter { busy.contains($0.id) } + drawn.filter { !busy.contains($0.id) }).prefix(
            Self.charts)
        var blocks: [ReportDocument.Block] = chosen.map { .chart(.timeLines(self.chart($0))) }
        if drawn.count > chosen.count {
            blocks.append(.text("\(drawn.count - chosen.count) more markets are in the JSON."))
        }
        if blocks.isEmpty { blocks.append(.text("No odds came of the recording.")) }
        return ReportDocument.Section("Odds over time", blocks)
    }

    private func chart(_ market: MarketRow) -> ReportDocument.TimeLines {
        typealias Lines = ReportDocument.TimeLines
        let name = ReportText.name(market.slug, or: market.id.rawValue)
        var lines = [
            Lines.Line(
                "YES as displayed", tone: .first, style: .steps,
                points: market.points.map { Lines.Point($0.time, $0.isLive ? $0.yes : nil) })
        ]
        let bought = self.results.trades.filter { $0.market == market.id && $0.filled > 0 }
        if !bought.isEmpty {
            lines.append(
                Lines.Line(
                    "bought", tone: .second, style: .points,
                    points: bought.map {
                        let price = $0.averagePrice ?? $0.limit
                        return Lines.Point(
                            ($0.filledAt ?? $0.decided).milliseconds, $0.side == .yes ? price : 1 - price)
                    }))
        }
        var chart = Lines(name, axis: "odds of YES", lines: lines)
        let until = self.header.until ?? 0
        chart.bands =
            self.results.spikes.filter { $0.market == market.id }.map {
                Lines.Band(
                    from: $0.begin.milliseconds, until: $0.end?.milliseconds ?? until,
                    label: self.isFromStart($0)
                        ? "\($0.side == .yes ? "YES" : "NO") over from the start"
                        : "spike of \($0.side == .yes ? "YES" : "NO")",
                    tone: self.isFromStart($0) ? .neutral : $0.side == .yes ? .third : .fourth)
            }
            + self.results.incidents.filter { $0.market == market.id }.map {
                Lines.Band(
                    from: $0.begin.milliseconds, until: $0.end?.milliseconds ?? until, label: ReportText.words($0.kind),
                    tone: .bad)
            }
        if let threshold = self.results.spikes.first?.threshold {
            chart.levels = [Lines.Level(threshold, "spike of YES"), Lines.Level(1 - threshold, "spike of NO")]
        }
        chart.range = 0...1
        return chart
    }

    private var spikes: ReportDocument.Section {
        typealias Column = ReportDocument.Table.Column
        let rows = self.results.spikes.map { spike in
            [
                Self.moment(spike.begin.milliseconds), self.name(spike.market, spike.slug), "\(spike.side)",
                Self.decimal(spike.peak), spike.duration.map { Self.time($0 / 1000) } ?? "lasts",
                spike.isSeenByPoller ? "yes" : "no", spike.ending.map(ReportText.words) ?? "lasts",
            ]
        }
        return ReportDocument.Section(
            "Spikes",
            [
                .table(
                    ReportDocument.Table(
                        columns: [
                            Column("Begin"), Column("Market"), Column("Side"), Column("Peak", isNumber: true),
                            Column("Duration", isNumber: true), Column("Poller sees it"), Column("Ending"),
                        ], rows: rows, whenEmpty: "No odds reached the threshold."))
            ])
    }

    private var trades: ReportDocument.Section {
        typealias Column = ReportDocument.Table.Column
        let rows = self.results.trades.map { trade in
            [
                Self.moment(trade.decided.milliseconds), self.name(trade.market, trade.slug), "\(trade.side)",
                ReportText.words(trade.status.rawValue), Self.decimal(trade.filled),
                trade.averagePrice.map { Self.decimal($0) } ?? "",
                Self.decimal(trade.fee), trade.profit.map { Self.decimal($0) } ?? "",
                trade.reason.map(ReportText.words) ?? "",
            ]
        }
        return ReportDocument.Section(
            "Orders",
            [
                .table(
                    ReportDocument.Table(
                        columns: [
                            Column("Decided"), Column("Market"), Column("Side"), Column("Status"),
                            Column("Shares", isNumber: true), Column("Price", isNumber: true),
                            Column("Fee", isNumber: true), Column("Profit", isNumber: true), Column("Reason"),
                        ], rows: rows,
                        whenEmpty: self.results.account == nil ? "Nothing was traded." : "Nothing was bought."))
            ])
    }

    private var incidents: ReportDocument.Section {
        typealias Column = ReportDocument.Table.Column
        let rows = self.results.incidents.map { incident in
            [
                Self.moment(incident.begin.milliseconds), ReportText.words(incident.kind),
                ReportText.name(incident.title),
                incident.end == nil ? "lasts" : Self.time(incident.duration), incident.summary,
            ]
        }
        return ReportDocument.Section(
            "Incidents",
            [
                .table(
                    ReportDocument.Table(
                        columns: [
                            Column("Begin"), Column("Kind"), Column("Of"), Column("Duration", isNumber: true),
                            Column("Summary"),
                        ], rows: rows, whenEmpty: "There were none."))
            ])
    }

    private static func section(_ comparison: ReplayComparison) -> ReportDocument.Section {
        typealias Column = ReportDocument.Table.Column
        let kinds: [(String, ReplayComparison.Count)] = [
            ("spikes", comparison.spikes), ("incidents", comparison.incidents), ("orders", comparison.trades),
        ]
        let table = ReportDocument.Table(
            columns: [
                Column("Kind"), Column("Live", isNumber: true), Column("Replay", isNumber: true),
                Column("Same", isNumber: true),
            ], rows: kinds.map { [$0.0, "\($0.1.live)", "\($0.1.replayed)", "\($0.1.same)"] })
        return ReportDocument.Section(
            "Compared with the live run", [.table(table)] + comparison.differences.map { .text($0) })
    }

    /// What is to be known of the recording and of how it was replayed, a sentence each.
    public var notes: [String] {
        var notes = self.results.notes + self.results.damage
        if self.results.jumps > 0 {
            notes.append(
                """
                The times jump \(ReportText.count(self.results.jumps, "time")): in a tape more than a minute back, or more \
                than a minute on to whole books, in a recording more than an hour. Each begins another session, as if \
                the connection had been lost; the time in between is a gap, and is skipped.
                """)
        }
        if self.results.lostRows > 0 {
            notes.append(
                """
                \(self.results.lostRows) rows are missing: the recorder could not keep up, or the disk took nothing, and \
                it says so. The books of then are not believed until they come again.
                """)
        }
        if self.results.lateRows > 0 {
            notes.append(
                "\(self.results.lateRows) rows are stamped earlier than the row before them, and count as of its time.")
        }
        let differences = self.results.differences
        if !differences.areNone {
            notes.append(
                """
                The feed did not do quite what the recorded one did: \(differences.unansweredConnections) connections \
                without a recorded one, \(differences.unusedConnections) recorded ones unused, \(differences.cutConnections) cut, \
                \(differences.unheardMessages) messages unheard, \(differences.unansweredQuestions) questions to the witness \
                without an answer.
                """)
        }
        return notes
    }

    private func name(_ market: MarketID, _ slug: String) -> String { ReportText.name(slug, or: market.rawValue) }

    private static func moment(_ milliseconds: Int64?) -> String {
        milliseconds.map { ReportText.moment(Timestamp(milliseconds: $0).iso8601) } ?? "unknown"
    }

    /// With cents: `$1,000.00`.
    private static func dollars(_ value: Double) -> String {
        let cents = ReportText.whole(abs(value) * 100)
        let sign = value < 0 && cents > 0 ? "−" : ""
        return "\(sign)$\(ReportText.count(cents / 100)).\(String(100 + cents % 100).dropFirst())"
    }

    /// Up to four decimals, without zeros at the end.
    private static func decimal(_ value: Double) -> String {
        let scaled = (abs(value) * 10_000).rounded()
        guard scaled < 9e15 else { return "\(value)" }
        let whole = Int64(scaled)
        var text = String(10_000 + whole % 10_000).dropFirst()
        while text.last == "0" { text.removeLast() }
        return (value < 0 && whole > 0 ? "-" : "") + "\(whole / 10_000)" + (text.isEmpty ? "" : ".\(text)")
    }

    private static func time(_ span: Double) -> String {
        // A wall clock that was set back makes no span shorter than nothing.
        let seconds = max(0, span)
        if seconds < 0.1 { return "\(Self.decimal((seconds * 10_000).rounded() / 10)) ms" }
        if seconds < 120 { return "\(Self.decimal((seconds * 10).rounded() / 10)) s" }
        let whole = ReportText.whole(seconds.rounded(.down))
        if whole < 7200 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}

/// Both, or nothing.
private func zip2<A, B>(_ a: A?, _ b: B?) -> (A, B)? {
    guard let a, let b else { return nil }
    return (a, b)
}
