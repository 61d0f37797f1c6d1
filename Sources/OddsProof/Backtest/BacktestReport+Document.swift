internal import OddsCore
public import OddsReports

extension BacktestReport {
    /// What a person reads.
    public var document: ReportDocument {
        let set = self.results.sets[self.results.shown]
        var document = ReportDocument(kind: Self.kind, title: "Back-test", lead: self.lead(set))
        document.verdicts = self.header.verdicts
        document.figures = Self.figures(set)
        document.sections = [self.equity(set)]
        if self.results.sets.count > 1 { document.sections.append(self.comparison) }
        document.sections += [self.parts(set), self.orders(set)]
        if !self.results.notes.isEmpty {
            document.sections.append(
                ReportDocument.Section("What to know", self.results.notes.map { .text($0) }))
        }
        document.facts = self.facts
        return document
    }

    private func lead(_ set: ParameterSet) -> String {
        let all = set.all
        let markets = "\(self.results.markets) market\(self.results.markets == 1 ? "" : "s")"
        guard all.settled > 0 else {
            let sets = self.results.sets.count > 1 ? ", with \(self.results.sets.count) sets of parameters" : ""
            return
                "A strategy over \(markets)\(sets): \(all.trades == 0 ? "nothing was bought." : "nothing that was bought is paid out, so there is no profit to tell of. The set \(set.name) bought \(ReportText.count(all.trades, "time")).")"
        }
        let opening =
            self.results.sets.count > 1
            ? "Of \(self.results.sets.count) sets of parameters over \(markets), \(set.name) made the most\(self.results.split == nil ? "" : " in sample")"
            : "A strategy over \(markets)"
        return
            "\(opening): \(all.trades) trades, \(all.settled) of them settled, \(Text.dollars(all.profit)) after \(Text.dollars(all.fees)) of fees."
    }

    private static func figures(_ set: ParameterSet) -> [ReportDocument.Figure] {
        let all = set.all
        let interval = all.profitPerTrade.interval.map {
            "95 % between \(Text.dollars($0.low)) and \(Text.dollars($0.high))"
        }
        let hits = all.hitRateInterval.map { "95 % between \(Text.percent($0.low)) and \(Text.percent($0.high))" }
        return [
            ReportDocument.Figure(
                "Profit", Text.dollars(all.profit), note: "settled trades, after fees",
                tone: all.profit > 0 ? .good : all.profit < 0 ? .bad : .neutral),
            ReportDocument.Figure(
                "Return on stake", Text.percent(all.returnOnStake), note: "fees are part of the stake"),
            ReportDocument.Figure("Profit per trade", Text.dollars(all.profitPerTrade.mean), note: interval ?? ""),
            ReportDocument.Figure("Hit rate", Text.percent(all.hitRate), note: hits ?? ""),
            ReportDocument.Figure("Even at", Text.percent(all.breakEven), note: "hit rate at which it comes out even"),
            ReportDocument.Figure("Drawdown at cost", Text.dollars(set.drawdownAtCost)),
            ReportDocument.Figure("Drawdown marked", Text.dollars(set.drawdownMarked), note: "at the best bid"),
            ReportDocument.Figure(
                "Most at risk", Text.dollars(set.maximumExposure), note: "on average \(Text.dollars(set.meanExposure))"),
            ReportDocument.Figure(
                "Price moved away", "\(all.missed) of \(all.orders)", note: "orders that found nothing at their limit"),
        ]
    }

    // MARK: Equity

    private func equity(_ set: ParameterSet) -> ReportDocument.Section {
        typealias Lines = ReportDocument.TimeLines
        var chart = Lines(
            "Equity", axis: "dollars",
            lines: [
                Lines.Line(
                    "At cost", tone: .first, style: .steps,
                    points: set.equity.map { Lines.Point($0.time.milliseconds, $0.cost) }),
                Lines.Line(
                    "Marked at the bid", tone: .second, style: .line,
                    points: set.equity.map { Lines.Point($0.time.milliseconds, $0.marked) }),
            ])
        if let split = self.results.split, let until = self.header.until {
            chart.bands = [
                Lines.Band(from: split.at.milliseconds, until: until, label: "out of sample", tone: .neutral)
            ]
        }
        var peak = (cost: -Double.infinity, marked: -Double.infinity)
        let depths = set.equity.map { point in
            peak = (Swift.max(peak.cost, point.cost), Swift.max(peak.marked, point.marked))
            return (point.time.milliseconds, point.cost - peak.cost, point.marked - peak.marked)
        }
        let drawdown = Lines(
            "Below the highest equity before", axis: "dollars",
            lines: [
                Lines.Line("At cost", tone: .first, style: .steps, points: depths.map { Lines.Point($0.0, $0.1) }),
                Lines.Line(
                    "Marked at the bid", tone: .second, style: .line, points: depths.map { Lines.Point($0.0, $0.2) }),
            ])
        return ReportDocument.Section(
            "Equity over time",
            [
                .text(
                    "At cost counts what is held at what was paid for it: it moves with fees and payouts alone. Marked counts it at the best bid of its side, without the book's depth and the fee of selling, and at nothing where nobody bids."
                ),
                .chart(.timeLines(chart)), .details(title: "Drawdown", [.chart(.timeLines(drawdown))]),
            ])
    }

    // MARK: Sets

    /// More sets than this are folded away.
    private static let openRows = 24
    /// Of more sets than this only the best in sample are told here; the JSON has all.
    private static let mostRows = 400

    private var comparison: ReportDocument.Section {
        let isSplit = self.results.split != nil
        typealias Column = ReportDocument.Table.Column
        var columns = self.results.sweeps.map { Column($0.name) }
        if columns.isEmpty { columns = [Column("set")] }
        columns += [Column("trades", isNumber: true), Column("hit rate", isNumber: true)]
        columns += [Column(isSplit ? "in sample" : "profit", isNumber: true)]
        if isSplit { columns += [Column("out of sample", isNumber: true)] }
        columns += [
            Column("per trade", isNumber: true), Column("95 % from", isNumber: true), Column("to", isNumber: true),
            Column("return", isNumber: true), Column("drawdown", isNumber: true), Column("moved away", isNumber: true),
        ]
        var numbers = Array(self.results.sets.indices)
        let isShortened = numbers.count > Self.mostRows
        if isShortened {
            numbers.sort {
                (self.results.sets[$1].judged.profit, $0) < (self.results.sets[$0].judged.profit, $1)
            }
            numbers = numbers.prefix(Self.mostRows).sorted()
        }
        let table = ReportDocument.Table(
            isShortened
                ? "The \(Self.mostRows) best of \(self.results.sets.count) sets; the JSON has all"
                : "Sets of parameters",
            columns: columns,
            rows: numbers.map { self.row(self.results.sets[$0], isBest: $0 == self.results.shown, isSplit) })
        var blocks: [ReportDocument.Block] = [.text(self.choice)]
        blocks.append(
            numbers.count > Self.openRows
                ? .details(title: "All \(numbers.count) sets", [.table(table)]) : .table(table))
        return ReportDocument.Section("Sets of parameters", blocks)
    }

    private func row(_ set: ParameterSet, isBest: Bool, _ isSplit: Bool) -> [String] {
        let all = set.all
        var cells = self.results.sweeps.map { sweep in
            set.parameters.first { $0.name == sweep.name }?.value ?? ""
        }
        if cells.isEmpty { cells = [set.name] }
        if isBest { cells[0] += " ←" }
        cells += ["\(all.trades)", Text.percent(all.hitRate), Text.dollars(set.judged.profit)]
        if isSplit { cells.append(Text.dollars(set.outOfSample?.profit)) }
        return cells + [
            Text.dollars(all.profitPerTrade.mean), Text.dollars(all.profitPerTrade.interval?.low),
            Text.dollars(all.profitPerTrade.interval?.high), Text.percent(all.returnOnStake),
            Text.dollars(set.drawdownAtCost), "\(all.missed)",
        ]
    }

    private var choice: String {
        guard let selection = self.results.selection else { return "" }
        var text = "The arrow marks the set that made the most\(self.results.split == nil ? "" : " in sample")."
        if let outside = selection.outOfSampleProfit, let place = selection.outOfSamplePlace {
            text += " Out of sample it made \(Text.dollars(outside)), place \(place) of \(selection.sets)."
        }
        if let correlation = selection.rankCorrelation {
            let hundredths = ReportText.whole(abs(correlation) * 100)
            let digits = "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
            text +=
                " The order of the sets in sample and out of sample agrees by \(correlation < 0 && hundredths > 0 ? "−" : "")\(digits) (1 is the same order, 0 none): the nearer to 0, the less the choice is worth."
        }
        if let luck = selection.luck {
            text +=
                " The best of \(selection.sets) worthless sets would show up to about \(Text.dollars(luck)) by luck alone."
        }
        return text
    }

    // MARK: Parts and orders

    private func parts(_ set: ParameterSet) -> ReportDocument.Section {
        typealias Column = ReportDocument.Table.Column
        var parts = [("all", set.all)]
        if let inside = set.inSample { parts.append(("in sample", inside)) }
        if let outside = set.outOfSample { parts.append(("out of sample", outside)) }
        let rows: [(String, (Figures) -> String)] = [
            ("orders", { "\($0.orders)" }), ("that bought something", { "\($0.trades)" }),
            ("that came too late for their price", { "\($0.missed)" }),
            ("shares bought of those asked for", { Text.percent($0.filledShare) }), ("settled", { "\($0.settled)" }),
            ("not settled", { "\($0.unsettled)" }), ("won", { "\($0.hits)" }),
            ("hit rate", { Text.percent($0.hitRate) }), ("even at", { Text.percent($0.breakEven) }),
            ("staked, fees included", { Text.dollars($0.staked) }), ("fees", { Text.dollars($0.fees) }),
            ("profit", { Text.dollars($0.profit) }), ("return on stake", { Text.percent($0.returnOnStake) }),
            ("profit per trade", { Text.dollars($0.profitPerTrade.mean) }),
            ("95 % from", { Text.dollars($0.profitPerTrade.interval?.low) }),
            ("95 % to", { Text.dollars($0.profitPerTrade.interval?.high) }),
        ]
        let table = ReportDocument.Table(
            "Of the set \(set.name)",
            columns: [Column("figure")] + parts.map { Column($0.0, isNumber: true) },
            rows: rows.map { name, value in [name] + parts.map { value($0.1) } })
        return ReportDocument.Section("Figures", [.table(table)])
    }

    private func orders(_ set: ParameterSet) -> ReportDocument.Section {
        typealias Column = ReportDocument.Table.Column
        func reasons(_ caption: String, _ counts: [String: Int]) -> ReportDocument.Table {
            ReportDocument.Table(
                caption, columns: [Column("reason"), Column("times", isNumber: true)],
                rows: counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                    .map { [ReportText.words($0.key), ReportText.count($0.value)] })
        }
        let unsettled = ReportDocument.Table(
            "Held at the end",
            columns: [
                Column("market"), Column("side"), Column("shares", isNumber: true), Column("cost", isNumber: true),
                Column("fees", isNumber: true), Column("at the bid", isNumber: true),
            ],
            rows: set.unsettled.map {
                [
                    ReportText.name($0.slug, or: $0.market.rawValue), $0.side == .yes ? "yes" : "no", "\($0.shares)",
                    Text.dollars($0.cost), Text.dollars($0.fees), Text.dollars($0.value),
                ]
            }, whenEmpty: "Nothing.")
        let trades = ReportDocument.Table(
            "Orders and what became of them",
            columns: [
                Column("decided"), Column("market"), Column("side"), Column("limit", isNumber: true),
                Column("shares", isNumber: true), Column("bought", isNumber: true), Column("price", isNumber: true),
                Column("fee", isNumber: true), Column("outcome"), Column("profit", isNumber: true),
            ],
            rows: self.results.trades.suffix(Self.mostTrades).map { Self.row($0) })
        let surplus = self.results.trades.count - Self.mostTrades
        let title =
            surplus > 0
            ? "The last \(Self.mostTrades) of \(self.results.trades.count) orders; the JSON has all"
            : "\(self.results.trades.count) orders"
        return ReportDocument.Section(
            "Orders",
            [
                .table(reasons("Signals that no order was made of", set.refusals)),
                .table(reasons("Orders that bought nothing", set.failures)), .table(unsettled),
                .details(title: title, [.table(trades)]),
            ])
    }

    private static let mostTrades = 1000

    private static func row(_ trade: TradeRecord) -> [String] {
        func odds(_ value: Double?) -> String {
            guard let value else { return "–" }
            let hundredths = ReportText.whole(value * 10_000)
            let text = String(hundredths % 10_000 + 10_000).dropFirst()
            return "\(hundredths / 10_000).\(text.suffix(4))"
        }
        let outcome =
            switch trade.status {
            case .pending, .open: trade.status.rawValue
            case .rejected, .cancelled: ReportText.words(trade.reason ?? trade.status.rawValue)
            case .settled: trade.winner.map { "\($0) won" } ?? "settled"
            }
        return [
            ReportText.moment(trade.decided.iso8601), ReportText.name(trade.slug, or: trade.market.rawValue),
            trade.side == .yes ? "yes" : "no", odds(trade.limit), "\(trade.size)", "\(trade.filled)",
            odds(trade.averagePrice), Text.dollars(trade.fee), outcome, Text.dollars(trade.profit),
        ]
    }

    private var facts: [ReportDocument.Fact] {
        var facts = [
            ReportDocument.Fact("Source", self.header.source),
            ReportDocument.Fact("Messages", ReportText.count(self.results.messages)),
            ReportDocument.Fact("Changes of odds", ReportText.count(self.results.publications)),
            ReportDocument.Fact(
                "Markets", "\(self.results.markets), of \(self.results.marketsDecided) the end is known"),
        ]
        if let from = self.header.from, let until = self.header.until {
            facts.append(
                ReportDocument.Fact(
                    "Time",
                    "\(ReportText.moment(Timestamp(milliseconds: from).iso8601)) to "
                        + ReportText.moment(Timestamp(milliseconds: until).iso8601)))
        }
        if let split = self.results.split {
            facts.append(
                ReportDocument.Fact(
                    "Split",
                    "\(Text.percent(split.share)) of the time in sample, up to \(ReportText.moment(split.at.iso8601))"))
        }
        facts += self.results.sweeps.map { sweep in
            ReportDocument.Fact("Sweep of \(sweep.name)", Self.shortened(sweep.values))
        }
        facts += self.results.settings.map { ReportDocument.Fact($0.name, $0.value) }
        facts.append(ReportDocument.Fact("Program", "oddstream \(self.header.program)"))
        return facts
    }

    private static func shortened(_ values: [String]) -> String {
        guard values.count > 12 else { return values.joined(separator: ", ") }
        return values.prefix(5).joined(separator: ", ") + " … " + values.suffix(2).joined(separator: ", ")
            + " (\(values.count))"
    }
}
