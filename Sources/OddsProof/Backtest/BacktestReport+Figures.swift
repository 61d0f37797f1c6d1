public import OddsCore
internal import OddsReports
internal import OddsTrading

extension BacktestReport.Figures {
    /// What became of these orders.
    public init(_ trades: [TradeRecord]) {
        let orders = trades.filter { $0.status != .rejected }
        let bought = orders.filter { $0.filled > 0 }
        let settled = bought.filter { $0.status == .settled }
        let arrived = orders.filter { $0.status != .pending }
        let asked = arrived.reduce(0) { $0 + $1.size }
        let profits = settled.map { $0.profit ?? 0 }
        let shares = settled.reduce(0) { $0 + $1.filled }
        let hits = profits.count { $0 > 0 }
        let staked = settled.reduce(0) { $0 + $1.cost + $1.fee }.toMicros
        let profit = profits.reduce(0, +).toMicros
        self.init(
            orders: orders.count, trades: bought.count,
            missed: orders.count {
                $0.status == .cancelled && $0.reason == RefusalReason.nothingOffered.rawValue
            },
            filledShare: asked > 0 ? bought.reduce(0) { $0 + $1.filled } / asked : nil, settled: settled.count,
            unsettled: bought.count - settled.count, hits: hits,
            hitRate: settled.isEmpty ? nil : Double(hits) / Double(settled.count),
            hitRateInterval: SampleStatistics.share(hits, of: settled.count),
            breakEven: shares > 0 ? staked / shares : nil, staked: staked,
            fees: settled.reduce(0) { $0 + $1.fee }.toMicros, profit: profit,
            returnOnStake: staked > 0 ? profit / staked : nil, profitPerTrade: SampleStatistics(profits))
    }

    /// Below this many settled trades, or with fewer won or lost ones than the other, nothing is told of luck and skill: an
    /// interval knows nothing of the rare loss that has not come yet.
    static let enough = (settled: 30, each: 5)

    /// Whether there are enough trades to say anything.
    public var isEnough: Bool {
        self.settled >= Self.enough.settled && Swift.min(self.hits, self.settled - self.hits) >= Self.enough.each
    }
}

extension BacktestReport.ParameterSet {
    /// What it is chosen by: the trades in sample, all where there is no split.
    var judged: BacktestReport.Figures { self.inSample ?? self.all }
}

extension BacktestReport.Selection {
    /// The choice among several sets; nil when there is none.
    init?(_ sets: [BacktestReport.ParameterSet]) {
        guard sets.count > 1 else { return nil }
        var best = 0
        for (index, set) in sets.enumerated() where set.judged.profit > sets[best].judged.profit { best = index }
        self.sets = sets.count
        self.best = best
        self.bestProfit = sets[best].judged.profit
        let outside = sets.compactMap { $0.outOfSample?.profit }
        if outside.count == sets.count {
            self.outOfSampleProfit = outside[best]
            self.outOfSamplePlace = 1 + outside.count { $0 > outside[best] }
            self.rankCorrelation = SampleStatistics.rankCorrelation(sets.map { $0.judged.profit }, outside)
        } else {
            self.outOfSampleProfit = nil
            self.outOfSamplePlace = nil
            self.rankCorrelation = nil
        }
        let sample = sets[best].judged
        let error = sample.profitPerTrade.deviation.map { $0 * Double(sample.settled).squareRoot() }
        self.luck = error.map { ($0 * Self.root(2 * Self.logarithm(Double(sets.count)))).toMicros }
    }

    private static func root(_ value: Double) -> Double { value.squareRoot() }

    /// The natural logarithm of a number of 1 or over, by its series: the same on every machine.
    private static func logarithm(_ value: Double) -> Double {
        var (rest, halvings) = (value, 0.0)
        while rest > 1.5 {
            rest /= 2
            halvings += 1
        }
        let y = (rest - 1) / (rest + 1)
        var (term, sum, n) = (y, 0.0, 1.0)
        while abs(term) > 1e-18 {
            sum += term / n
            term *= y * y
            n += 2
        }
        return 2 * sum + halvings * 0.693_147_180_559_945_3
    }
}

extension BacktestReport {
    /// Says how far the sample carries.
    ///
    /// - Parameter unnamed: how many markets only the feed was known of.
    mutating func judge(unnamed: Int) {
        let set = self.results.sets[self.results.shown]
        let all = set.all
        // What the set was chosen by says nothing of it any more: where there is a split, the rest of the time judges.
        let judged = set.outOfSample ?? all
        let place = set.outOfSample == nil ? "" : " out of sample"
        let losses = judged.settled - judged.hits
        let enough = Figures.enough
        let isEnough = judged.isEnough
        let tooFew = "The sample is too small to tell luck from skill."
        self.header.verdicts = [
            ReportDocument.Verdict(
                name: "sample size",
                demanded:
                    "at least \(enough.settled) settled trades, \(enough.each) of them won and \(enough.each) lost",
                measured: "\(judged.settled) settled\(place): \(judged.hits) won, \(losses) lost", isMet: isEnough,
                note: isEnough ? "" : tooFew),
            ReportDocument.Verdict(
                name: "profit per trade", demanded: "95 % interval above 0",
                measured: judged.profitPerTrade.interval.map {
                    "\(Text.dollars(judged.profitPerTrade.mean))\(place), between \(Text.dollars($0.low)) and \(Text.dollars($0.high))"
                } ?? "not known",
                isMet: isEnough ? judged.profitPerTrade.interval.map { $0.low > 0 } : nil,
                note: isEnough
                    ? (self.results.sets.count > 1 && set.outOfSample == nil
                        ? "Of the best set: the choice is not in the interval." : "")
                    : tooFew),
        ]
        if let selection = self.results.selection { self.judge(selection) }
        if all.unsettled > 0 {
            self.results.notes.append(
                "\(all.unsettled) of \(all.trades) trades are not settled: the recording does not tell how their markets ended. Name a file with Gamma's answers (--outcomes)."
            )
        }
        if unnamed > 0 {
            self.results.notes.append(
                "Of \(unnamed) of \(self.results.markets) markets only the feed is known: they are bought with a price step of 0.01, the smallest order of 5 shares and the fee of the crypto markets, and have no window."
            )
        }
        if self.results.sets.count > 1 {
            self.results.notes.append(
                "The best of \(self.results.sets.count) sets looks better than it is: it was chosen because it was lucky here. Believe what it did out of sample, and try it on another recording."
            )
        }
    }

    private mutating func judge(_ selection: Selection) {
        let chosen = self.results.sets[selection.best]
        if let outside = chosen.outOfSample {
            self.header.verdicts.append(
                ReportDocument.Verdict(
                    name: "best set out of sample", demanded: "profit",
                    measured:
                        "\(Text.dollars(outside.profit)) of \(outside.settled) trades, place \(selection.outOfSamplePlace ?? 0) of \(selection.sets)",
                    isMet: outside.isEnough ? outside.profit > 0 : nil,
                    note: outside.isEnough ? "" : "Too few trades out of sample to tell."))
        }
        self.header.verdicts.append(
            ReportDocument.Verdict(
                name: "best set against luck",
                demanded: selection.luck.map { "over \(Text.dollars($0))" } ?? "more than luck gives",
                measured: Text.dollars(selection.bestProfit),
                isMet: chosen.judged.isEnough ? selection.luck.map { selection.bestProfit > $0 } : nil,
                note:
                    "About what the best of \(selection.sets) worthless sets shows by luck; sets are alike, so it is less."
            ))
    }

    /// Numbers as people read them.
    enum Text {
        /// Dollars and cents; a dash for none.
        static func dollars(_ value: Double?) -> String {
            guard let value else { return "–" }
            let cents = ReportText.whole(abs(value) * 100)
            let fraction = cents % 100
            return "\(value < 0 && cents > 0 ? "−" : "")$\(cents / 100).\(fraction < 10 ? "0" : "")\(fraction)"
        }

        /// A share in per cent with one decimal; a dash for none.
        static func percent(_ value: Double?) -> String {
            guard let value else { return "–" }
            let tenths = ReportText.whole(abs(value) * 1000)
            return "\(value < 0 && tenths > 0 ? "−" : "")\(tenths / 10).\(tenths % 10) %"
        }
    }
}
