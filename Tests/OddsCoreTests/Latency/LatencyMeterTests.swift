import OddsCore
import OddsTestSupport
import Testing

@Suite struct LatencyMeterTests {
    private static let beginning: Int64 = 1_800_000_000_000_000_000
    private static let market = Market.sample("btc")

    private static func time(_ milliseconds: Double) -> ReceiveTime {
        let nanoseconds = Int64((milliseconds * 1_000_000).rounded())
        return ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: nanoseconds), unixNanoseconds: Self.beginning + nanoseconds)
    }

    /// Odds that left the exchange at a time, in milliseconds of its clock, and were read at another.
    private static func odds(
        stamp: Int64, read: Double, sequence: UInt64 = 1, epoch: UInt64 = 1, trust: Trust = .live,
        source: SnapshotSource = .line(0)
    ) -> OddsSnapshot {
        OddsSnapshot(
            market: Self.market, yes: .empty, no: .empty,
            exchangeTime: Timestamp(milliseconds: Self.beginning / 1_000_000 + stamp), receiveTime: Self.time(read),
            trust: trust, epoch: epoch, source: source, sequence: sequence)
    }

    /// A meter that knows the offset of a clock that is ahead by so much, within a millisecond.
    private static func meter(ahead: Int64 = 0) -> LatencyMeter {
        let meter = LatencyMeter(drift: 0)
        Self.confirm(meter, at: 0, ahead: ahead)
        return meter
    }

    /// Answers just before and just after the exchange's second ends, and a third.
    private static func confirm(_ meter: LatencyMeter, at milliseconds: Double, ahead: Int64 = 0) {
        // The end of the exchange's second, on our clock.
        let end = (milliseconds / 1000).rounded(.up) * 1000 - Double(ahead)
        let second = (Self.beginning / 1_000_000 + Int64(end) + ahead) / 1000
        meter.answered(second: second - 1, asked: Self.time(end - 1), received: Self.time(end - 0.5))
        meter.answered(second: second, asked: Self.time(end + 0.5), received: Self.time(end + 1))
        meter.answered(second: second, asked: Self.time(end + 2), received: Self.time(end + 3))
    }

    @Test func eachStageIsMeasured() {
        let meter = Self.meter()
        meter.published(Self.odds(stamp: 100, read: 120), at: Self.time(120.1))
        meter.published(Self.odds(stamp: 200, read: 230, sequence: 2), at: Self.time(230.5))
        meter.decided(on: Self.odds(stamp: 200, read: 230, sequence: 2), at: Self.time(232.5))
        let total = meter.report(at: Self.time(300)).total
        #expect(total[.odds].count == 1)
        #expect(total[.odds].largest == 500_000)
        #expect(abs(total[.wire].largest - 30_000_000) <= 1_000_000)
        #expect(abs(total[.readable].largest - 30_500_000) <= 1_000_000)
        #expect(total[.decision].largest == 2_000_000)
        #expect(abs(total[.total].largest - 32_500_000) <= 1_000_000)
    }

    @Test(arguments: [-1_500, 1_500] as [Int64]) func theOffsetIsTakenOut(ahead: Int64) {
        let meter = Self.meter(ahead: ahead)
        meter.published(Self.odds(stamp: 100 + ahead, read: 120), at: Self.time(120.1))
        meter.published(Self.odds(stamp: 200 + ahead, read: 230, sequence: 2), at: Self.time(230.5))
        let wire = meter.report(at: Self.time(300)).total[.wire]
        #expect(wire.count == 1)
        #expect(abs(wire.largest - 30_000_000) <= 1_000_000)
        #expect(wire.negatives == 0)
    }

    @Test(arguments: [9_223_372_036_855, .max, .min] as [Int64]) func aWildStampNeitherTrapsNorHidesWhatFollows(
        milliseconds: Int64
    ) {
        let wild = Timestamp(milliseconds: milliseconds)
        #expect(wild.unixNanoseconds == (milliseconds < 0 ? .min : .max))
        let meter = Self.meter()
        meter.published(Self.odds(stamp: 100, read: 120), at: Self.time(120.1))
        let odds = OddsSnapshot(
            market: Self.market, yes: .empty, no: .empty, exchangeTime: wild, receiveTime: Self.time(150), trust: .live,
            epoch: 1, source: .line(0), sequence: 2)
        meter.published(odds, at: Self.time(150.1))
        meter.decided(on: odds, at: Self.time(150.2))
        meter.published(Self.odds(stamp: 200, read: 230, sequence: 3), at: Self.time(230.5))
        let report = meter.report(at: Self.time(300))
        #expect(report.total[.wire].count == 1)
        #expect(report.steps == 0)
    }

    @Test func aStepIsForgottenByTheLastMinuteTooAndWhatWaitedIsCounted() {
        let meter = Self.meter()
        for sequence in 1...3 as ClosedRange<UInt64> {
            let stamp = Int64(sequence) * 100
            let read = Double(stamp) + 20
            meter.published(Self.odds(stamp: stamp, read: read, sequence: sequence), at: Self.time(read))
        }
        #expect(meter.report(at: Self.time(400)).minute[.wire].count == 2)
        // The exchange's clock is three seconds ahead at once.
        let second = Self.beginning / 1_000_000_000 + 5
        meter.answered(second: second, asked: Self.time(2_001), received: Self.time(2_002))
        let report = meter.report(at: Self.time(2_100))
        #expect(report.steps == 1)
        #expect(report.dropped == 2)
        #expect(report.minute[.wire].count == 0)
        #expect(report.hour[.readable].count == 0)
        #expect(report.minute[.odds].count == 2)
        // Now what comes waits; a step back drops it.
        meter.published(Self.odds(stamp: 5_200, read: 2_220, sequence: 4), at: Self.time(2_220))
        #expect(meter.report(at: Self.time(2_300)).waiting == 1)
        meter.answered(second: second - 3, asked: Self.time(2_301), received: Self.time(2_302))
        let later = meter.report(at: Self.time(2_400))
        #expect(later.steps == 2)
        #expect(later.waiting == 0)
        #expect(later.dropped == 3)
    }

    @Test func theFirstBookOfASubscriptionCountsForNothing() {
        let meter = Self.meter()
        meter.published(Self.odds(stamp: -60_000, read: 120), at: Self.time(120.1))
        #expect(meter.report(at: Self.time(300)).total[.odds].count == 0)
    }

    @Test func whatComesAfterAnOutageCountsForNothing() {
        let meter = Self.meter()
        meter.published(Self.odds(stamp: 100, read: 120), at: Self.time(120))
        meter.published(
            Self.odds(stamp: 100, read: 120, sequence: 2, trust: .stale(.zero, .disconnected)), at: Self.time(1000))
        meter.published(Self.odds(stamp: 300, read: 9000, sequence: 3), at: Self.time(9000))
        meter.published(Self.odds(stamp: 400, read: 9100, sequence: 4, epoch: 2), at: Self.time(9100))
        #expect(meter.report(at: Self.time(9200)).total[.odds].count == 0)
    }

    @Test func anOlderStampAndOtherSourcesCountForNothing() {
        let meter = Self.meter()
        meter.published(Self.odds(stamp: 100, read: 120), at: Self.time(120))
        meter.published(Self.odds(stamp: 90, read: 130, sequence: 2), at: Self.time(130))
        meter.published(
            Self.odds(stamp: 140, read: 150, sequence: 3, trust: .fallback, source: .poller), at: Self.time(150))
        #expect(meter.report(at: Self.time(200)).total[.odds].count == 0)
    }

    @Test func publicationsWaitUntilTheOffsetIsKnown() {
        let meter = LatencyMeter(drift: 0)
        meter.published(Self.odds(stamp: 100, read: 120), at: Self.time(120))
        meter.published(Self.odds(stamp: 200, read: 230, sequence: 2), at: Self.time(230))
        var report = meter.report(at: Self.time(240))
        #expect(report.waiting == 1)
        #expect(report.total[.wire].count == 0)
        #expect(report.total[.odds].count == 1)
        Self.confirm(meter, at: 500)
        report = meter.report(at: Self.time(2000))
        #expect(report.waiting == 0)
        #expect(report.total[.wire].count == 1)
    }

    @Test func whatAStepSpoiledIsLeftOut() {
        let meter = Self.meter()
        meter.published(Self.odds(stamp: 100, read: 120), at: Self.time(120))
        meter.published(Self.odds(stamp: 200, read: 230, sequence: 2), at: Self.time(230))
        Self.confirm(meter, at: 1500)
        // The exchange's clock falls back by two seconds: all seems late until it is asked.
        meter.published(Self.odds(stamp: 200, read: 2230, sequence: 3), at: Self.time(2230))
        #expect(meter.report(at: Self.time(2300)).late == 1)
        Self.confirm(meter, at: 2500, ahead: -2000)
        let report = meter.report(at: Self.time(4000))
        #expect(report.steps == 1)
        #expect(report.dropped == 1)
        #expect(report.late == 0)
        #expect(report.total[.wire].count == 1)
    }

    @Test func aDecisionOnSomethingElseIsNotMeasured() {
        let meter = Self.meter()
        meter.published(Self.odds(stamp: 100, read: 120), at: Self.time(120))
        meter.decided(on: Self.odds(stamp: 100, read: 120, sequence: 77), at: Self.time(121))
        #expect(meter.report(at: Self.time(200)).total[.decision].count == 0)
        meter.ended(Self.market.id)
        meter.decided(on: Self.odds(stamp: 100, read: 120), at: Self.time(121))
        #expect(meter.report(at: Self.time(200)).total[.decision].count == 0)
    }

    @Test func whatTheExchangeHoldsBackIsMeasuredByItself() {
        let meter = Self.meter()
        meter.published(Self.odds(stamp: 100, read: 120), at: Self.time(120))
        meter.setAside(true)
        meter.published(Self.odds(stamp: 200, read: 3200, sequence: 2), at: Self.time(3200))
        meter.setAside(false)
        meter.published(Self.odds(stamp: 3300, read: 3310, sequence: 3), at: Self.time(3310))
        let report = meter.report(at: Self.time(3400))
        #expect(report.total[.wire].count == 1)
        #expect(report.setAside[.wire].count == 1)
        #expect(report.setAside[.wire].largest > 2_900_000_000)
        #expect(report.late == 0)
        #expect(report.total[.odds].count == 2)
    }

    @Test func withoutTheExchangesTimeTheFastestMessageIsTheMeasure() {
        let meter = LatencyMeter(drift: 0, isRelative: true)
        meter.published(Self.odds(stamp: 5_000, read: 120), at: Self.time(120))
        meter.published(Self.odds(stamp: 5_100, read: 220, sequence: 2), at: Self.time(220))
        meter.published(Self.odds(stamp: 5_200, read: 350, sequence: 3), at: Self.time(350))
        #expect(meter.report(at: Self.time(400)).total[.wire].count == 0)
        meter.finish(at: Self.time(400))
        let wire = meter.report(at: Self.time(400)).total[.wire]
        #expect(wire.count == 2)
        #expect(wire.negatives == 0)
        #expect(wire.largest == 30_000_000)
    }

    @Test func theLastMinuteForgets() {
        let meter = Self.meter()
        meter.published(Self.odds(stamp: 100, read: 120), at: Self.time(120))
        meter.published(Self.odds(stamp: 200, read: 230, sequence: 2), at: Self.time(230))
        #expect(meter.report(at: Self.time(1_000)).minute[.odds].count == 1)
        let later = meter.report(at: Self.time(70_000))
        #expect(later.minute[.odds].count == 0)
        #expect(later.hour[.odds].count == 1)
        #expect(meter.report(at: Self.time(4_000_000)).hour[.odds].count == 0)
        #expect(meter.report(at: Self.time(4_000_000)).total[.odds].count == 1)
    }
}
