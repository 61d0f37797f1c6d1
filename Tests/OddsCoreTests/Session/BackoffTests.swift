import OddsCore
import Testing

@Suite struct BackoffTests {
    @Test func theNominalDelaysDoubleUpToAMinute() {
        let backoff = Backoff(delays: Backoff.standard.delays, jitter: 0)
        var generator = SplitMix64(seed: 1)
        let delays = (0..<9).map { backoff.delay(afterFailures: $0, using: &generator) }
        #expect(delays == [0, 1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
        #expect(backoff.delay(afterFailures: -1, using: &generator) == .zero)
        #expect(backoff.delay(afterFailures: .max, using: &generator) == .seconds(60))
    }

    @Test func jitterTakesOffAtMostAFifthAndAddsNothing() {
        var generator = SplitMix64(seed: 2)
        var seen: Set<Duration> = []
        for _ in 0..<1000 {
            let delay = Backoff.standard.delay(afterFailures: 4, using: &generator)
            #expect(delay <= .seconds(8) && delay >= .milliseconds(6400))
            seen.insert(delay)
        }
        #expect(seen.count > 900)
        #expect(Backoff.standard.delay(afterFailures: 0, using: &generator) == .zero)
    }

    @Test func theSameSeedGivesTheSameSequence() {
        var a = SplitMix64(seed: 7)
        var b = SplitMix64(seed: 7)
        var c = SplitMix64(seed: 8)
        let first = (0..<10).map { _ in a.next() }
        #expect(first == (0..<10).map { _ in b.next() })
        #expect(first != (0..<10).map { _ in c.next() })
    }
}
