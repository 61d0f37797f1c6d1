import OddsCore
import OddsProof
import OddsReports
import PolymarketSimulator
import OddsTestSupport
import Testing

/// The real engine, the real rollover and the poller's own machine against the simulated exchange, in compressed time. The
/// whole hour is run by `oddstream compare --simulated --virtual --for 1h --faults-per-minute 6`.
@Suite(.longWork) struct VirtualComparisonTests {
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

    /// Ten minutes have too few spikes for a share to say much, so it is said which of them are missed: the one of the second
    /// seed was over before it could be noticed that both lines had gone dead.
    @Test(arguments: [(1, []), (2, ["no 567 ms fault half-open"])] as [(UInt64, [String])])
    func underFaultsTheseAreMissedAndNoTwoClaimsDiffer(seed: UInt64, missed: [String]) throws {
        let figures = try Self.comparison("btc-updown-15m", .seconds(600), seed: seed, faultsPerMinute: 6).run()
        let stream = try #require(figures.caught(by: .stream, .tenth))
        #expect(stream.spikes > 50)
        let found = figures.missedByStream.map { spike in
            let why = spike.sights[0].explanation?.contains("half-open") == true ? "half-open" : "something else"
            return "\(spike.side) \(CompareText.time(spike.visibleMs)) \(spike.sights[0].missed ?? "nothing") \(why)"
        }
        #expect(found == missed)
        for agreement in figures.agreement {
            #expect(agreement.classes["unexplained"] == nil, "\(agreement)")
            #expect(agreement.claimedAgreed == agreement.claimed - agreement.claimedBehind, "\(agreement)")
            #expect(agreement.behindMaxMs.map { $0 < 3_000 } ?? true, "\(agreement)")
        }
        #expect(figures.agreement.reduce(0) { $0 + $1.claimedAgreed } > 90)
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
