import OddsCore
import OddsTestSupport
import Testing

@testable import OddsStore

@Suite struct OddsThinningTests {
    /// A point at so many milliseconds, with a best bid in cents.
    private func point(_ time: Int64, _ cents: Int, _ market: MarketID = "0x1", _ cause: OddsPoint.Cause = .change)
        -> OddsPoint
    {
        var point = Sample.point(market, at: Timestamp(milliseconds: time), cause: cause)
        point.yesBid = Double(cents) / 100
        return point
    }

    private func taken(_ thinning: inout OddsThinning, _ point: OddsPoint) -> [String] {
        var kept: [OddsPoint] = []
        thinning.take(point) { kept.append($0) }
        return kept.map(self.text)
    }

    private func passed(_ thinning: inout OddsThinning, _ time: Int64) -> [String] {
        var kept: [OddsPoint] = []
        thinning.advance(to: time * 1_000_000) { kept.append($0) }
        return kept.map(self.text).sorted()
    }

    private func text(_ point: OddsPoint) -> String {
        "\(point.market) \(point.receiveTime / 1_000_000) \(Int(((point.yesBid ?? 0) * 100).rounded())) \(point.cause)"
    }

    @Test func theFirstIsKeptAtOnceAndTheNewestOfTheRestWhenTheIntervalIsOver() {
        var thinning = OddsThinning(interval: .seconds(1))
        #expect(self.taken(&thinning, self.point(0, 50)) == ["0x1 0 50 change"])
        #expect(self.taken(&thinning, self.point(100, 51)) == [])
        #expect(self.taken(&thinning, self.point(900, 52)) == [])
        #expect(self.passed(&thinning, 999) == [])
        #expect(self.passed(&thinning, 1000) == ["0x1 900 52 interval"])
        // The next interval began when the last was over.
        #expect(self.taken(&thinning, self.point(1900, 53)) == [])
        #expect(self.passed(&thinning, 2000) == ["0x1 1900 53 interval"])
        #expect(self.taken(&thinning, self.point(3500, 54)) == ["0x1 3500 54 change"])
    }

    @Test func withoutAnyTimerWhatWasHeldIsKeptBeforeTheNext() {
        var thinning = OddsThinning(interval: .seconds(1))
        _ = self.taken(&thinning, self.point(0, 50))
        _ = self.taken(&thinning, self.point(200, 51))
        #expect(self.taken(&thinning, self.point(5000, 52)) == ["0x1 200 51 interval", "0x1 5000 52 change"])
        _ = self.taken(&thinning, self.point(5200, 53))
        #expect(self.taken(&thinning, self.point(6100, 54)) == ["0x1 5200 53 interval"])
        #expect(self.passed(&thinning, 7000) == ["0x1 6100 54 interval"])
    }

    @Test func whatSaysNothingNewIsNotKept() {
        var thinning = OddsThinning(interval: .seconds(1))
        _ = self.taken(&thinning, self.point(0, 50))
        #expect(self.taken(&thinning, self.point(5000, 50)) == [])
        // A change that was taken back within the interval leaves nothing.
        _ = self.taken(&thinning, self.point(6000, 51))
        _ = self.taken(&thinning, self.point(6100, 52))
        #expect(self.taken(&thinning, self.point(6200, 51)) == [])
        #expect(self.passed(&thinning, 60_000) == [])
        // Trust is news as much as a price is.
        var doubtful = self.point(70_000, 51)
        doubtful.trust = "suspect"
        #expect(self.taken(&thinning, doubtful).count == 1)
    }

    @Test func spikesAreAlwaysKept() {
        var thinning = OddsThinning(interval: .seconds(1))
        _ = self.taken(&thinning, self.point(0, 50))
        _ = self.taken(&thinning, self.point(100, 60))
        #expect(self.taken(&thinning, self.point(150, 71, "0x1", .spike)) == ["0x1 150 71 spike"])
        #expect(self.taken(&thinning, self.point(160, 75, "0x1", .spike)) == ["0x1 160 75 spike"])
        #expect(self.taken(&thinning, self.point(160, 75, "0x1", .spike)) == ["0x1 160 75 spike"])
        // What was held before the spike is old news.
        #expect(self.passed(&thinning, 5000) == [])
    }

    @Test func marketsDoNotDisturbEachOther() {
        var thinning = OddsThinning(interval: .seconds(1))
        #expect(self.taken(&thinning, self.point(0, 50, "a")).count == 1)
        #expect(self.taken(&thinning, self.point(0, 50, "b")).count == 1)
        _ = self.taken(&thinning, self.point(10, 51, "a"))
        _ = self.taken(&thinning, self.point(10, 52, "b"))
        #expect(self.passed(&thinning, 1000) == ["a 10 51 interval", "b 10 52 interval"])
    }

    @Test func aClockThatWasSetBackBeginsAnew() {
        var thinning = OddsThinning(interval: .seconds(1))
        _ = self.taken(&thinning, self.point(1_000_000, 50))
        #expect(self.taken(&thinning, self.point(10, 51)) == ["0x1 10 51 change"])
        #expect(self.taken(&thinning, self.point(20, 52)) == [])
    }

    @Test func theEndKeepsWhatWasHeld() {
        var thinning = OddsThinning(interval: .seconds(1))
        _ = self.taken(&thinning, self.point(0, 50))
        _ = self.taken(&thinning, self.point(10, 51))
        var kept: [OddsPoint] = []
        thinning.finish { kept.append($0) }
        #expect(kept.map(self.text) == ["0x1 10 51 interval"])
        thinning.finish { _ in Issue.record("there is nothing left") }
    }

    @Test func withoutAnIntervalEveryChangeIsKept() {
        var thinning = OddsThinning(interval: .zero)
        #expect((0..<10).flatMap { self.taken(&thinning, self.point(0, 50 + $0)) }.count == 10)
    }

    /// However changes come: never more than one a second but for spikes, and the last one is always there.
    @Test(arguments: 0..<20) func theRateHoldsAndTheLastIsNeverMissing(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var thinning = OddsThinning(interval: .seconds(1))
        var kept: [(at: Int64, point: OddsPoint)] = []
        var time: Int64 = 0
        var last = self.point(0, 0)
        for _ in 0..<500 {
            time += Int64.random(in: 1...400, using: &generator)
            thinning.advance(to: time * 1_000_000) { kept.append((time, $0)) }
            last = self.point(time, Int.random(in: 1...99, using: &generator))
            thinning.take(last) { kept.append((time, $0)) }
        }
        thinning.finish { kept.append((time + 1000, $0)) }
        #expect(kept.last?.point.saysTheSame(as: last) == true)
        for (a, b) in zip(kept, kept.dropFirst()) {
            #expect(b.at - a.at >= 1000)
            #expect(a.point.receiveTime < b.point.receiveTime)
        }
    }
}
