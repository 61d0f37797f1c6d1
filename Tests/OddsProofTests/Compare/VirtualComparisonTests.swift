import Foundation
import OddsCore
import Testing

@testable import OddsProof

@Suite struct VirtualComparisonTests {
    static let minutes = ProcessInfo.processInfo.environment["M"].flatMap { Int($0) } ?? 10

    @Test func anHour() throws {
        var run = VirtualComparison()
        run.duration = .seconds(Self.minutes * 60)
        run.series = [try MarketSeries("btc-updown-15m")]
        run.pollers = [.seconds(60), .seconds(5)]
        run.seed = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } ?? 1
        run.plan = VirtualComparison.faults(
            seed: run.seed, lasting: run.duration, perMinute: ProcessInfo.processInfo.environment["F"].flatMap { Double($0) } ?? 6, lines: 2)
        let clock = ContinuousClock()
        let begin = clock.now
        let figures = run.run()
        print("took", begin.duration(to: clock.now))
        for c in figures.catches { print(c.source, c.lengths.map { "\($0.length.rawValue): \($0.caught)/\($0.spikes) p50 \($0.delayP50Ms ?? -1) p99 \($0.delayP99Ms ?? -1) paid \($0.paidDisplayedTicks ?? 0) \($0.paidAskTicks ?? 0)" }, c.missed) }
        for a in figures.agreement { print(a) }
        for s in figures.spikes where s.sights[0].caught == false { print("MISS", s.market, s.side, s.beginMs, s.visibleMs, s.peak, s.sights[0].missed!, s.sights[0].explanation!) }
        for d in figures.disagreements.prefix(40) { print("DIS", d.kind, d.source, d.answeredMs, d.poller, "|", d.stream, d.trust, d.explanation) }
    }
}
