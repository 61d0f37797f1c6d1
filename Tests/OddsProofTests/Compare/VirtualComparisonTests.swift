import OddsCore
import OddsProof
import OddsReports
import PolymarketSimulator
import Testing

/// The real engine, the real rollover and the poller's own machine against the simulated exchange, in compressed time. The
/// whole hour is run by `oddstream compare --simulated --virtual --for 1h --faults-per-minute 6`.
@Suite struct VirtualComparisonTests {
    private static func comparison(
        _ series: String, _ duration: Duration, seed: UInt64 = 1, faultsPerMinute: Double
    ) throws -> VirtualComparison {
        var comparison = VirtualComparison()
        comparison.duration = duration
        comparison.series = [try MarketSeries(series)]
        comparison.seed = seed
        comparison.pollers = [.seconds(60), .seconds(5)]
        comparison.plan = VirtualComparison.faults(
            seed: seed, lasting: duration, perMinute: faultsPerMinute, lines: comparison.lines)
        return comparison
    }

    @Test func withoutFaultsEverySpikeIsCaughtAtOnceAndEveryAnswerAgrees() throws {
        let figures = try Self.comparison("btc-updown-2m", .seconds(300), faultsPerMinute: 0).run()
        // Two windows have ended, and the third is under way.
        #expect(figures.markets >= 3)
        let stream = try #require(figures.caught(by: .stream, .all))
        #expect(stream.spikes > 5 && stream.caught == stream.spikes)
        #expect(stream.delayMaxMs.map { $0 <= 60 } == true)
        for agreement in figures.agreement {
            #expect(agreement.compared > 0 && agreement.agreeAligned == agreement.compared)
            #expect(agreement.failed == 0 && agreement.refused == 0)
        }
        let minute = try #require(figures.catches.first { $0.source == "poller 60s" }?.lengths.first)
        #expect(minute.caught * 2 < minute.spikes)
    }

    @Test(arguments: [1, 2] as [UInt64])
    func underFaultsNearlyAllAreCaughtAndEveryExceptionIsExplained(seed: UInt64) throws {
        let figures = try Self.comparison("btc-updown-15m", .seconds(600), seed: seed, faultsPerMinute: 6).run()
        let stream = try #require(figures.caught(by: .stream, .tenth))
        // Ten minutes have too few spikes to tell 99 % from 98: one may be missed.
        #expect(stream.spikes > 20 && stream.spikes - stream.caught <= 1, "\(stream)")
        for agreement in figures.agreement { #expect(agreement.classes["unexplained"] == nil, "\(agreement)") }
        #expect(figures.missedByStream.allSatisfy { $0.sights[0].missed != "unexplained" })
        #expect(!figures.faults.isEmpty)
    }

    @Test func theSameSeedGivesTheSameReport() throws {
        let reports = try (0..<2).map { _ in
            CompareReport(
                try Self.comparison("btc-updown-1m", .seconds(150), seed: 3, faultsPerMinute: 12).run(), program: "0",
                generatedAt: 0)
        }
        #expect(try reports[0].json() == reports[1].json())
    }

    @Test func anExchangeThatFreezesForLongIsMissedAndSaysSo() throws {
        var comparison = try Self.comparison("btc-updown-15m", .seconds(180), faultsPerMinute: 0)
        comparison.plan = FaultPlan([
            PlannedFault(at: .seconds(20), .freeze(for: .seconds(150))),
            PlannedFault(
                at: .seconds(20),
                SimulatorFault(.restError(status: 503, retryAfter: nil), on: .clob, for: .seconds(150))),
        ])
        let figures = comparison.run()
        #expect(figures.missedByStream.count > 3)
        #expect(figures.missedByStream.allSatisfy { $0.sights[0].explanation?.contains("freeze") == true })
    }
}
