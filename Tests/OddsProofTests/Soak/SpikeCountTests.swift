import OddsCore
import OddsProof
import OddsTestSupport
import Testing

@Suite struct SpikeCountTests {
    private static let market = Market.sample("btc")

    private static func time(_ milliseconds: Int64) -> ReceiveTime {
        ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: milliseconds * 1_000_000),
            unixNanoseconds: 1_800_000_000_000_000_000 + milliseconds * 1_000_000)
    }

    /// Tells what a source has for YES; NO has nothing to say.
    private static func tell(_ count: SpikeCount, _ odds: Odds?, _ source: SpikeCount.Source, _ milliseconds: Int64) {
        count.observe({ $0 == .yes ? odds : nil }, of: Self.market, by: source, at: Self.time(milliseconds))
    }

    @Test func aSpikeThatTheStreamHadTooIsCaught() throws {
        let count = SpikeCount()
        Self.tell(count, 0.71, .truth, 1_000)
        Self.tell(count, 0.72, .stream, 1_012)
        Self.tell(count, 0.75, .truth, 1_100)
        Self.tell(count, 0.60, .truth, 1_300)
        Self.tell(count, 0.60, .stream, 1_310)
        let closed = count.takeClosed(
            by: .truth, lasting: .milliseconds(100), settledFor: .seconds(3), at: Self.time(5_000))
        let over = try #require(closed.first)
        #expect(closed.count == 1)
        #expect(over.peak == 0.75)
        let first = count.first(like: over, by: .stream, early: .milliseconds(50), late: .seconds(1))
        #expect(first == Self.time(1_012).monotonic)
        #expect(count.first(like: over, by: .poller(0), early: .zero, late: .zero) == nil)
    }

    @Test func itIsJudgedOnceAndNotBeforeOthersHadTheirTime() {
        let count = SpikeCount()
        Self.tell(count, 0.71, .truth, 1_000)
        Self.tell(count, nil, .truth, 1_200)
        func closed(_ milliseconds: Int64) -> Int {
            count.takeClosed(
                by: .truth, lasting: .milliseconds(100), settledFor: .seconds(3), at: Self.time(milliseconds)
            ).count
        }
        #expect(closed(4_100) == 0)
        #expect(closed(4_300) == 1)
        #expect(closed(4_400) == 0)
    }

    @Test func whatIsTooShortCountsForNothing() {
        let count = SpikeCount()
        Self.tell(count, 0.70, .truth, 1_000)
        Self.tell(count, 0.50, .truth, 1_099)
        #expect(
            count.takeClosed(
                by: .truth, lasting: .milliseconds(100), settledFor: .zero, at: Self.time(9_000)
            ).isEmpty)
    }

    @Test func anotherSpikeOfTheStreamIsNotThisOne() throws {
        let count = SpikeCount()
        Self.tell(count, 0.71, .stream, 1_000)
        Self.tell(count, 0.60, .stream, 1_500)
        Self.tell(count, 0.71, .truth, 3_000)
        Self.tell(count, 0.60, .truth, 3_500)
        let over = try #require(
            count.takeClosed(by: .truth, lasting: .zero, settledFor: .zero, at: Self.time(9_000)).first)
        #expect(count.first(like: over, by: .stream, early: .milliseconds(50), late: .seconds(1)) == nil)
        #expect(count.streamed == 1)
    }

    @Test func whatTheStreamWentOnToShowFromEarlierIsNoCatch() throws {
        let count = SpikeCount()
        Self.tell(count, 0.75, .stream, 1_000)
        Self.tell(count, 0.75, .poller(0), 1_000)
        Self.tell(count, 0.75, .truth, 60_000)
        Self.tell(count, 0.50, .truth, 60_500)
        let over = try #require(
            count.takeClosed(by: .truth, lasting: .zero, settledFor: .zero, at: Self.time(61_000)).first)
        func first(_ source: SpikeCount.Source, carriedOver: Bool = false) -> MonotonicTime? {
            count.first(
                like: over, by: source, early: .milliseconds(50), late: .seconds(1), carriedOver: carriedOver)
        }
        #expect(first(.stream) == nil)
        #expect(first(.poller(0), carriedOver: true) != nil)
        // Told anew within the time it is one.
        Self.tell(count, 0.74, .stream, 60_200)
        #expect(first(.stream) == Self.time(60_200).monotonic)
    }

    @Test func aFlickerWithinTheHysteresisIsOneSpike() throws {
        let count = SpikeCount()
        for time in stride(from: 1_000, to: 1_400, by: 100) as StrideTo<Int64> {
            Self.tell(count, 0.70, .truth, time)
            Self.tell(count, 0.69, .truth, time + 50)
        }
        Self.tell(count, 0.67, .truth, 1_500)
        func closed(_ lasting: Int) -> [SpikeCount.Over] {
            count.takeClosed(
                by: .truth, lasting: .milliseconds(lasting), settledFor: .zero, at: Self.time(9_000))
        }
        let over = try #require(closed(200).first)
        #expect(over.begin == Self.time(1_000))
        #expect(over.end == Self.time(1_500))
        #expect(over.visible == .milliseconds(200), "the band below is not visible")
    }

    @Test func oneThatStillLastsIsFoundAndOldOnesAreForgotten() throws {
        let count = SpikeCount()
        Self.tell(count, 0.71, .stream, 1_000)
        Self.tell(count, 0.71, .truth, 1_000)
        Self.tell(count, 0.60, .truth, 1_500)
        let over = try #require(
            count.takeClosed(by: .truth, lasting: .zero, settledFor: .zero, at: Self.time(2_000)).first)
        #expect(count.first(like: over, by: .stream, early: .zero, late: .zero) == Self.time(1_000).monotonic)
        count.ended(Self.market, by: .stream, at: Self.time(3_000))
        count.trim(at: Self.time(400_000))
        #expect(count.first(like: over, by: .stream, early: .zero, late: .zero) == nil)
    }
}
