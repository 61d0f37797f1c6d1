import OddsCore
import OddsReports
import OddsTrading
import PolymarketSimulator
import RealtimeOdds
import Synchronization
import Testing

@testable import OddsProof

@Suite(.timeLimit(.minutes(5))) struct BacktestTests {
    private static func candidate(
        _ threshold: Odds = 0.70, delay: Duration = .milliseconds(250)
    ) -> Backtest<ThresholdStrategy>.Candidate {
        var strategy = ThresholdStrategy(threshold: threshold)
        strategy.entry = EntryWindow(closesBeforeEnd: .seconds(5))
        return .init(
            parameters: [.init(name: "threshold", value: "\(threshold)")],
            setup: .init(
                strategy: strategy, riskCheck: RiskCheck(limits: RiskLimits(maximumOrdersPerMinute: nil)),
                delay: delay))
    }

    private static let time = Timestamp(seconds: 1_800_000_000)

    /// 6.66 shares at 0.73 are 4.8618; the limit is 0.75, so that 5 dollars are enough for 6.66 of them.
    @Test func theFiguresAreThoseOfTheTrades() async throws {
        let events = ScriptedEvents(windows: [
            .init(ask: 0.73, winner: .yes), .init(ask: 0.73, winner: .no), .init(ask: 0.60, winner: .yes),
            .init(ask: 0.73, later: 0.97, winner: .yes), .init(ask: 0.73),
        ])
        // The order gets there when the second price is out.
        let report = try await Backtest(events, candidates: [Self.candidate(delay: .milliseconds(1500))])
            .run(generatedAt: Self.time)
        let set = try #require(report.results.sets.first)
        #expect(set.all.orders == 4 && set.all.trades == 3 && set.all.settled == 2 && set.all.unsettled == 1)
        #expect(set.all.missed == 1 && set.failures == ["nothingOffered": 1])
        #expect(set.all.hits == 1 && set.all.hitRate == 0.5)
        // 0.07 · 0.73 · 0.27 · 6.66 shares, rounded up.
        let fee = 0.091_889
        #expect(set.all.fees == (2 * fee).toMicros && set.all.staked == (2 * (4.8618 + fee)).toMicros)
        #expect(set.all.profit == (6.66 - set.all.staked).toMicros)
        #expect(set.all.filledShare == 0.75)
        #expect(abs((set.all.breakEven ?? 0) - (4.8618 + fee) / 6.66) < 1e-9)
        // The fourth got there too late, the fifth is held at the end: bid 0.72.
        let held = try #require(set.unsettled.first)
        #expect(set.unsettled.count == 1 && held.shares == 6.66 && held.cost == 4.8618 && held.fees == fee)
        #expect(abs(held.value - 6.66 * 0.72) < 1e-6)
        let last = try #require(set.equity.last)
        #expect(abs(last.cost - (1000 + set.all.profit - fee)) < 1e-6)
        #expect(abs(last.marked - (last.cost - 6.66 * 0.01)) < 1e-6)
        // From the first payout on: the second stake, and three fees.
        #expect(set.drawdownAtCost == (4.8618 + 2 * fee).toMicros)
        #expect(set.maximumExposure >= 4.8618 + fee)
        #expect(report.results.markets == 5 && report.results.marketsDecided == 4)
        #expect(report.header.verdicts.first { $0.name == "sample size" }?.isMet == false)
        #expect(report.header.verdicts.first { $0.name == "profit per trade" }?.isMet == nil)
        #expect(report.results.notes.contains { $0.contains("--outcomes") })
        #expect(report.results.trades.map(\.status) == [.settled, .settled, .cancelled, .open])
    }

    @Test func outcomesOfAFileSettleWhatTheFeedDoesNot() async throws {
        let events = ScriptedEvents(windows: [.init(ask: 0.73), .init(ask: 0.73), .init(ask: 0.73)])
        var candidate = Self.candidate()
        let known = Timestamp(seconds: ScriptedEvents.origin + 80)
        candidate.setup.outcomes = KnownOutcomes([
            .init(market: "0x0", winner: .yes, known: known), .init(market: "0x1", winner: nil, known: known),
            // Known only long after the end of the recording.
            .init(market: "0x2", winner: .no, known: known.advanced(by: .seconds(86_400))),
        ])
        let report = try await Backtest(events, candidates: [candidate]).run(generatedAt: Self.time)
        #expect(report.results.trades.map(\.winner) == ["yes", "split", "no"])
        #expect(report.results.trades.last?.settledAt == known.advanced(by: .seconds(86_400)))
        #expect(report.results.sets[0].all.unsettled == 0 && report.results.marketsDecided == 3)
    }

    @Test func marketsOfWhichOnlyTheFeedIsKnownAreBoughtOnlyWhenAsked() async throws {
        let events = ScriptedEvents(windows: [.init(ask: 0.73, winner: .yes, isNamed: false)])
        var candidate = Self.candidate()
        let strict = try await Backtest(events, candidates: [candidate]).run(generatedAt: Self.time)
        #expect(strict.results.sets[0].refusals == ["tickSizeUnknown": 1])
        candidate.setup.usualTermsWhereUnknown = true
        let usual = try await Backtest(events, candidates: [candidate]).run(generatedAt: Self.time)
        #expect(usual.results.sets[0].all.hits == 1)
        #expect(usual.results.notes.contains { $0.contains("only the feed") })
    }

    @Test func theSplitIsByTheTimeOfTheDecision() async throws {
        // At 0.75 the first six pay, at 0.65 the last four: in sample the wrong one looks best.
        let windows =
            (0..<6).map { _ in ScriptedEvents.Window(ask: 0.76, winner: .yes) }
            + (0..<4).map { _ in .init(ask: 0.76, winner: .no) }
            + (0..<3).map { _ in .init(ask: 0.66, winner: .yes) }
        var backtest = Backtest(
            ScriptedEvents(windows: windows),
            candidates: [Self.candidate(0.65), Self.candidate(0.75), Self.candidate(0.9)],
            split: 6.0 / 13)
        backtest.sweeps = [ParameterSweep(name: "threshold", values: ["0.65", "0.75", "0.9"])]
        let report = try await backtest.run(generatedAt: Self.time)
        let sets = report.results.sets
        #expect(sets.map { $0.inSample?.trades } == [6, 6, 0])
        #expect(sets.map { $0.outOfSample?.trades } == [7, 4, 0])
        let selection = try #require(report.results.selection)
        // The first two are alike in sample: the first is named.
        #expect(selection.best == 0 && report.results.shown == 0 && selection.sets == 3)
        #expect((selection.outOfSampleProfit ?? 0) < 0 && selection.outOfSamplePlace == 2)
        // The whole has thirteen settled; seven of them the choice knew nothing of, and they judge it.
        let sample = try #require(report.header.verdicts.first { $0.name == "sample size" })
        #expect(sample.measured == "7 settled out of sample: 3 won, 4 lost")
        #expect(report.results.notes.contains { $0.contains("looks better than it is") })
        // Six thirteenths of the 779 seconds from the first news to the last.
        #expect(report.results.split?.at == Timestamp(milliseconds: ScriptedEvents.origin * 1000 + 359_538))
        await #expect(throws: ProofError.self) {
            backtest.split = 1
            _ = try await backtest.run(generatedAt: Self.time)
        }
        await #expect(throws: ProofError.self) {
            _ = try await Backtest<ThresholdStrategy>(ScriptedEvents(windows: []), candidates: []).run(
                generatedAt: Self.time)
        }
    }

    @Test func aReportIsReadAgainAsItWas() async throws {
        let events = ScriptedEvents(windows: [.init(ask: 0.73, winner: .yes), .init(ask: 0.73)])
        let report = try await Backtest(events, candidates: [Self.candidate(), Self.candidate(0.5)], split: 0.5)
            .run(generatedAt: Self.time)
        let json = try report.json()
        let again = try ReportRegistry([BacktestReport.self]).report(from: json)
        #expect(again as? BacktestReport == report)
        #expect(try again.json() == json)
        #expect(report.header.schema == "oddstream.backtest/1")
        let document = report.document
        #expect(document.sections.map(\.title).contains("Sets of parameters"))
        #expect(!document.figures.isEmpty && document.facts.contains { $0.name == "Source" })
    }

    /// The simulated exchange and the real feed in virtual time: so many workers as one likes give the same bytes.
    @Test func theResultDoesNotDependOnTheWorkers() async throws {
        let candidates = (0..<7).map { Self.candidate(Odds(rawValue: Int32(500_000 + $0 * 50_000))) }
        var backtest = Backtest(VirtualEvents(seed: 5), candidates: candidates, split: 0.5)
        backtest.sweeps = [ParameterSweep(name: "threshold", values: candidates.map { $0.parameters[0].value })]
        var results: [[UInt8]] = []
        for workers in [1, 2] {
            backtest.workers = workers
            let last = Mutex(0.0)
            let report = try await backtest.run(generatedAt: Self.time) { share in last.withLock { $0 = share } }
            #expect(last.withLock { $0 } == 1)
            #expect(report.results.sets.contains { $0.all.settled > 0 })
            results.append(try report.json())
        }
        #expect(results[0] == results[1])
    }

    @Test func aCurveKeepsItsEndsAndItsDepth() {
        var curve = EquityCurve()
        for second in 0..<5_000 {
            let value = second == 3_333 ? 900.0 : 1_000
            curve.add(
                EquityPoint(time: Timestamp(seconds: Int64(second)), cost: 1_000, marked: value), starting: 1_000)
        }
        #expect(curve.markedDrawdown == 100)
        #expect(curve.whole.count <= EquityCurve.capacity + 2 && curve.whole.count >= 500)
        #expect(curve.whole.first?.time == Timestamp(seconds: 0) && curve.whole.last?.time == Timestamp(seconds: 4_999))
    }
}

/// A window of the simulated exchange, followed by the real feed.
struct VirtualEvents: MarketEventSource {
    var seed: UInt64
    var name: String { "virtual, seed \(self.seed)" }

    func play(
        to observer: any MarketObserver, progress: @escaping @Sendable (Double) -> Void
    ) throws -> MarketEventSummary {
        var setting = VirtualWorld.Setting()
        setting.exchange.seed = self.seed
        setting.exchange.series = [try MarketSeries("btc-updown-1m")]
        let world = VirtualWorld(setting, seed: self.seed, observer: observer)
        guard let market = world.exchange.market(slug: "btc-updown-1m-1800000000") else {
            throw ProofError("the simulated exchange does not have its first window")
        }
        world.host.follow(market)
        for part in 1...8 {
            world.pass(.seconds(10))
            progress(Double(part) / 8)
        }
        let summary = MarketEventSummary(messages: world.story.published.count)
        world.end()
        return summary
    }
}
