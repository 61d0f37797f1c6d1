internal import Dispatch
public import OddsCore
internal import OddsReports
public import OddsTrading
internal import Synchronization

/// A strategy over recordings, by the same desk that trades live: fills from the recorded books after the order's delay,
/// fees, limits, settlement.
///
/// Many sets of parameters share one replay, and replays run side by side on the machine's cores; the result does not depend
/// on how many there are. What it says follows from the recording and the sets alone.
public struct Backtest<Rules: Strategy>: Sendable {
    /// One set of parameters.
    public struct Candidate: Sendable {
        /// What it differs in from the others, for the report; empty for the only one.
        public var parameters: [ParameterSweep.Parameter]
        /// How it trades.
        public var setup: PaperTrader<Rules>.Setup

        /// A candidate from its parts.
        public init(parameters: [ParameterSweep.Parameter] = [], setup: PaperTrader<Rules>.Setup) {
            self.parameters = parameters
            self.setup = setup
        }
    }

    /// Where the events come from.
    public var source: any MarketEventSource
    /// What is tried, in the order in which it is told.
    public var candidates: [Candidate]
    /// The share of the time whose trades are in sample, between 0 and 1; nil does not split.
    public var split: Double?
    /// How many replays run side by side; nil for as many as there are cores, as far as it is worth a replay.
    public var workers: Int?
    /// What stands in the report beside the figures.
    public var program = ""
    /// The settings that are the same for all, for the report.
    public var settings: [ParameterSweep.Parameter] = []
    /// What was swept, for the report.
    public var sweeps: [ParameterSweep] = []

    /// A back-test of several sets.
    public init(_ source: any MarketEventSource, candidates: [Candidate], split: Double? = nil) {
        self.source = source
        self.candidates = candidates
        self.split = split
    }

    /// A back-test of one strategy with the usual limits, cash and delay.
    public init(_ source: any MarketEventSource, makeStrategy: () -> Rules) {
        var setup = PaperTrader<Rules>.Setup(strategy: makeStrategy())
        setup.usualTermsWhereUnknown = true
        self.init(source, candidates: [Candidate(setup: setup)])
    }

    /// A back-test of one strategy over recordings: directories, files of them, tapes.
    ///
    /// - Throws: `RecordingError` when one is not there.
    public init(_ recordings: [String], makeStrategy: () -> Rules) throws {
        self.init(try RecordedEvents(recordings), makeStrategy: makeStrategy)
    }

    /// Plays the source and tells what came of it.
    ///
    /// - Parameters:
    ///   - generatedAt: the time that the report names as its own.
    ///   - progress: is told now and then which share is done, 0 to 1, from any thread.
    /// - Throws: `ProofError` without a candidate or with a split outside of 0 to 1; what the source throws.
    public func run(
        generatedAt: Timestamp, progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws -> BacktestReport {
        guard !self.candidates.isEmpty else { throw ProofError("There is nothing to try: give at least one set.") }
        if let split, !(split > 0 && split < 1) {
            throw ProofError(
                "The split \(split) is not between 0 and 1: 0.7 puts the first 70 % of the time in sample.")
        }
        let rooms = self.rooms()
        let shares = Shares(rooms.count)
        let summaries = try await withThrowingTaskGroup(of: (Int, MarketEventSummary).self) { group in
            for (index, room) in rooms.enumerated() {
                group.addTask {
                    let summary = try await self.play(to: room, number: index) { share in
                        progress(shares.set(index, share))
                    }
                    return (index, summary)
                }
            }
            var first = MarketEventSummary()
            for try await (index, summary) in group where index == 0 { first = summary }
            return first
        }
        return self.report(rooms, summaries, generatedAt)
    }

    /// A thread of its own: a replay keeps it busy for long.
    private func play(
        to room: BacktestRoom<Rules>, number: Int, _ progress: @escaping @Sendable (Double) -> Void
    ) async throws -> MarketEventSummary {
        let source = self.source
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "oddstream.backtest.\(number)").async {
                continuation.resume(
                    with: Result {
                        let summary = try source.play(to: room, progress: progress)
                        room.end()
                        return summary
                    })
            }
        }
    }

    /// The candidates in order, shared out in as equal parts as can be. A replay for less than a few desks is wasted.
    private func rooms() -> [BacktestRoom<Rules>] {
        let cores = Swift.max(1, ProcessorCount.available)
        let count = Swift.max(
            1, Swift.min(self.workers ?? Swift.min(cores, (self.candidates.count + 3) / 4), self.candidates.count))
        return (0..<count).map { number in
            let from = self.candidates.count * number / count
            let until = self.candidates.count * (number + 1) / count
            return BacktestRoom(self.candidates[from..<until].map(\.setup))
        }
    }

    // MARK: What came out

    private func report(
        _ rooms: [BacktestRoom<Rules>], _ summary: MarketEventSummary, _ generatedAt: Timestamp
    ) -> BacktestReport {
        let heard = rooms[0].heard
        let from = heard.first?.wall
        let until = heard.last?.wall
        var boundary: BacktestReport.Split?
        if let split, let from, let until {
            let span = Double(until.milliseconds - from.milliseconds) * split
            boundary = BacktestReport.Split(
                share: split, at: Timestamp(milliseconds: from.milliseconds + Int64(span.rounded())))
        }
        let desks = rooms.flatMap { room in room.desks.map { (room, $0) } }
        var trades: [[TradeRecord]] = []
        var sets: [BacktestReport.ParameterSet] = []
        for (candidate, (room, desk)) in zip(self.candidates, desks) {
            let own = Array(desk.trader.trades.reversed())
            let counts = desk.counts
            sets.append(
                BacktestReport.ParameterSet(
                    parameters: candidate.parameters, all: BacktestReport.Figures(own),
                    inSample: boundary.map { split in BacktestReport.Figures(own.filter { $0.decided < split.at }) },
                    outOfSample: boundary.map { split in BacktestReport.Figures(own.filter { $0.decided >= split.at })
                    },
                    drawdownAtCost: desk.trader.account.maximumDrawdown.doubleValue,
                    drawdownMarked: counts.equity.markedDrawdown.toMicros,
                    maximumExposure: counts.exposure.maximum.doubleValue, meanExposure: counts.exposure.mean?.toMicros,
                    equity: counts.equity.whole, refusals: counts.refusals, failures: counts.failures,
                    unsettled: desk.unsettled { room.bids(of: $0) }))
            trades.append(own)
        }
        let selection = BacktestReport.Selection(sets)
        let shown = selection?.best ?? 0
        let decided = heard.markets.keys.count { market in
            heard.resolved.contains(market) || self.candidates.contains { $0.setup.outcomes[market] != nil }
        }
        var report = BacktestReport(
            header: ReportHeader(
                kind: BacktestReport.kind, program: self.program, generatedAt: generatedAt.milliseconds,
                source: self.source.name, from: from?.milliseconds, until: until?.milliseconds),
            results: BacktestReport.Results(
                notes: summary.problems, messages: summary.messages, publications: heard.publications,
                markets: heard.markets.count, marketsDecided: decided, settings: self.settings, sweeps: self.sweeps,
                split: boundary, selection: selection, sets: sets, shown: shown, trades: trades[shown]))
        report.judge(unnamed: heard.markets.values.count { $0.slug.isEmpty })
        return report
    }
}

/// How far each replay is.
private final class Shares: Sendable {
    private let shares: Mutex<[Double]>

    init(_ count: Int) { self.shares = Mutex(Array(repeating: 0, count: count)) }

    /// How far all are together, now that one is so far.
    func set(_ index: Int, _ share: Double) -> Double {
        self.shares.withLock { shares in
            shares[index] = share
            return shares.reduce(0, +) / Double(shares.count)
        }
    }
}

extension Double {
    /// Rounded to a whole micro-dollar.
    var toMicros: Double { (self * 1_000_000).rounded() / 1_000_000 }
}
