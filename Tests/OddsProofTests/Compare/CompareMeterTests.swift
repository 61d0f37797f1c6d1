import OddsCore
import OddsReports
import Testing

@testable import OddsProof

/// Transcripts: what goes into the meter, and what comes out.
@Suite struct CompareMeterTests {
    static let market = Market(
        id: MarketID("0x1"), slug: "test",
        window: MarketWindow(start: Timestamp(seconds: 0), end: Timestamp(seconds: 900)),
        yes: Outcome(label: "Up", asset: AssetID("1")), no: Outcome(label: "Down", asset: AssetID("2")))

    /// A meter with a stream and a poller of 10 s, and words for what is told.
    struct Desk {
        private let market = CompareMeterTests.market
        var meter: CompareMeter
        private var sequence: UInt64 = 0

        init(_ truth: CompareConfiguration.Truth = .exchange, change: (inout CompareConfiguration) -> Void = { _ in }) {
            var configuration = CompareConfiguration()
            configuration.truth = truth
            configuration.phases = 10
            change(&configuration)
            self.meter = CompareMeter(configuration, sources: [.stream, .poller(.seconds(10))])
        }

        static func tops(_ bid: Double) -> MarketTops {
            let yes = Quote(bid: Price(rawValue: Int32(bid * 10_000)), ask: Price(rawValue: Int32(bid * 10_000) + 200))
            return MarketTops(yes: yes, no: yes.mirrored)
        }

        mutating func truth(_ bid: Double, at milliseconds: Int64) {
            self.meter.truth(
                Self.tops(bid), of: market, stamp: Timestamp(milliseconds: milliseconds), at: milliseconds * 1_000_000)
        }

        mutating func stream(_ bid: Double, at milliseconds: Int64, stamp: Int64? = nil, _ trust: Trust = .live) {
            self.sequence += 1
            let time = ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: milliseconds * 1_000_000),
                unixNanoseconds: milliseconds * 1_000_000)
            let tops = Self.tops(bid)
            self.meter.showed(
                OddsSnapshot(
                    market: market, yes: tops.quote(.yes), no: tops.quote(.no),
                    exchangeTime: Timestamp(milliseconds: stamp ?? milliseconds), receiveTime: time, trust: trust,
                    epoch: 1, source: .line(0), sequence: self.sequence), at: milliseconds * 1_000_000)
        }

        mutating func poll(
            _ bid: Double?, at milliseconds: Int64, stamp: Int64? = nil, _ verdict: PollAnswer.Verdict = .believed
        ) {
            self.meter.polled(
                PollAnswer(
                    source: 1, market: market, asked: (milliseconds - 20) * 1_000_000,
                    answered: milliseconds * 1_000_000, stamp: bid == nil ? nil : stamp ?? milliseconds,
                    tops: bid.map { Self.tops($0) }, verdict: verdict))
        }

        static func stale(since milliseconds: Int64) -> Trust {
            .stale(
                since: ReceiveTime(
                    monotonic: MonotonicTime(nanoseconds: milliseconds * 1_000_000),
                    unixNanoseconds: milliseconds * 1_000_000), reason: .disconnected)
        }

        mutating func end(at milliseconds: Int64 = 800_000) -> CompareFigures {
            self.meter.finish(at: milliseconds * 1_000_000)
        }
    }

    @Test func aSpikeIsCaughtByTheStreamAndMissedBetweenPolls() throws {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10, stamp: 0)
        desk.poll(0.50, at: 10_000, stamp: 0)
        desk.truth(0.74, at: 12_000)
        desk.stream(0.74, at: 12_010, stamp: 12_000)
        desk.truth(0.50, at: 13_500)
        desk.stream(0.50, at: 13_510, stamp: 13_500)
        desk.poll(0.50, at: 20_000, stamp: 13_500)
        let figures = desk.end()
        let spike = try #require(figures.spikes.first)
        #expect(figures.spikes.count == 1)
        #expect(spike.side == "yes" && spike.visibleMs == 1500 && spike.peak == 0.75)
        #expect(spike.sights[0].caught && spike.sights[0].delayMs == 10 && spike.sights[0].paidAskTicks == 0)
        #expect(!spike.sights[1].caught && spike.sights[1].missed == "between_polls")
        #expect(figures.caught(by: .stream, .second)?.caught == 1)
        #expect(figures.caught(by: .stream, .minute)?.spikes == 0)
        #expect(figures.agreement[0].compared == 2 && figures.agreement[0].agreeExactly == 2)
    }

    @Test func theOtherSideRisesByItsOwnBook() {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10)
        desk.truth(0.20, at: 5_000)
        desk.stream(0.20, at: 5_010, stamp: 5_000)
        desk.truth(0.50, at: 6_000)
        #expect(desk.end().spikes.map(\.side) == ["no"])
    }

    @Test func comingLateCostsTicks() throws {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10)
        desk.truth(0.71, at: 9_000)
        desk.stream(0.71, at: 9_010, stamp: 9_000)
        desk.truth(0.80, at: 9_500)
        desk.stream(0.80, at: 9_510, stamp: 9_500)
        desk.poll(0.80, at: 10_000, stamp: 9_500)
        desk.truth(0.50, at: 12_000)
        desk.stream(0.50, at: 12_010, stamp: 12_000)
        let sight = try #require(desk.end().spikes.first?.sights[1])
        #expect(sight.caught && sight.delayMs == 1000)
        #expect(sight.paidDisplayedTicks == 9 && sight.paidAskTicks == 9)
    }

    @Test func aDipWithinTheHysteresisIsNotVisible() throws {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.truth(0.70, at: 1_000)
        desk.truth(0.68, at: 1_100)
        desk.truth(0.70, at: 1_400)
        desk.truth(0.50, at: 1_500)
        let spike = try #require(desk.end().spikes.first)
        #expect(spike.durationMs == 500 && spike.visibleMs == 200)
    }

    @Test(arguments: [(200, true), (300, false)])
    func whatIsShownAfterwardsCountsWithinTheAllowance(late: Int64, caught: Bool) {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10)
        desk.truth(0.75, at: 1_000)
        desk.truth(0.50, at: 1_150)
        desk.stream(0.75, at: 1_150 + late, stamp: 1_000)
        desk.stream(0.50, at: 1_700, stamp: 1_150)
        let sight = desk.end().spikes.first?.sights[0]
        #expect(sight?.caught == caught)
        #expect(sight?.missed == (caught ? nil : "late"))
    }

    @Test func whatTheStreamStillShowsFromBeforeIsNoSight() {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10)
        desk.truth(0.75, at: 1_000)
        desk.stream(0.75, at: 1_010, stamp: 1_000)
        // The feed stands still from here on.
        desk.truth(0.50, at: 1_500)
        desk.truth(0.76, at: 3_000)
        desk.truth(0.50, at: 4_000)
        desk.stream(0.50, at: 6_000, stamp: 4_000)
        #expect(desk.end().spikes.map { $0.sights[0].caught } == [true, false])
    }

    @Test func staleOddsAreNoSightAndSayWhy() {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10)
        desk.meter.fault(CompareFault(from: 900, until: 900, text: "drop"))
        desk.stream(0.75, at: 1_000, Desk.stale(since: 900))
        desk.truth(0.75, at: 1_000)
        desk.truth(0.50, at: 2_000)
        desk.stream(0.50, at: 2_010, stamp: 2_000)
        let sight = desk.end().spikes.first?.sights[0]
        #expect(sight?.missed == "stream_not_live")
        #expect(sight?.explanation?.contains("stale disconnected") == true)
        #expect(sight?.explanation?.contains("drop") == true)
    }

    @Test func nothingIsASpikeAfterTheWindowsEnd() {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.truth(0.75, at: 890_000)
        desk.truth(0.97, at: 905_000)
        let figures = desk.end(at: 960_000)
        #expect(figures.spikes.map(\.endMs) == [900_000])
    }

    @Test func anAnswerIsAlignedByItsStamp() {
        var desk = Desk()
        for (bid, time) in [(0.50, 0), (0.51, 5_000), (0.52, 9_990)] as [(Double, Int64)] {
            desk.truth(bid, at: time)
            desk.stream(bid, at: time + 10, stamp: time)
        }
        // From before the last change; then one from a copy that is five seconds behind.
        desk.poll(0.51, at: 10_000, stamp: 9_980)
        desk.poll(0.50, at: 20_000, stamp: 4_900)
        let agreement = desk.end().agreement[0]
        #expect(agreement.compared == 2 && agreement.agreeRaw == 0 && agreement.agreeExactly == 2)
        #expect(agreement.rawReasons == ["stream_newer": 1, "stale_rest": 1])
    }

    @Test func aStreamThatIsLaterThanTheToleranceIsAnException() {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10, stamp: 0)
        desk.truth(0.55, at: 9_000)
        desk.poll(0.55, at: 10_000, stamp: 9_000)
        desk.stream(0.55, at: 11_400, stamp: 9_000)
        let agreement = desk.end().agreement[0]
        #expect(agreement.agreeRaw == 0 && agreement.agreeAligned == 0 && agreement.classes == ["stream_late": 1])
        #expect(agreement.claimedBehind == 1 && agreement.behindMaxMs == 1400)
    }

    @Test(arguments: [(true, "stream_behind"), (false, "unexplained")])
    func aStreamThatStandsStillDisagrees(hasFault: Bool, kind: String) {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10, stamp: 0)
        if hasFault { desk.meter.fault(CompareFault(from: 8_000, until: 12_000, text: "freeze")) }
        desk.poll(0.50, at: 8_500, stamp: 0)
        desk.truth(0.55, at: 9_000)
        desk.poll(0.55, at: 10_000, stamp: 9_000)
        let figures = desk.end()
        #expect(figures.agreement[0].classes == [kind: 1])
        #expect(figures.disagreements.map(\.kind) == [kind])
        #expect(figures.disagreements.map(\.wrong) == ["stream"])
        #expect(figures.disagreements.first?.explanation.contains("1.00 s behind") == true)
        #expect(figures.verdicts.first { $0.name == "stream and REST agree" }?.isMet == hasFault)
    }

    @Test func twoStatesOfOneStampAreBothRight() {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10, stamp: 0)
        desk.truth(0.53, at: 9_000)
        desk.truth(0.55, at: 9_002)
        desk.stream(0.53, at: 9_010, stamp: 9_000)
        desk.poll(0.55, at: 9_015, stamp: 9_000)
        let figures = desk.end()
        #expect(figures.agreement[0].classes == ["both_right": 1])
        #expect(figures.verdicts.first { $0.name == "stream and REST agree" }?.isMet == true)
    }

    @Test func anAnswerThatIsNotTrueIsNoDisagreementOfTwoClaims() {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10, stamp: 0)
        desk.poll(0.50, at: 100, stamp: 0)
        desk.truth(0.55, at: 1_000)
        desk.stream(0.55, at: 1_010, stamp: 1_000)
        desk.truth(0.60, at: 5_000)
        desk.stream(0.60, at: 5_010, stamp: 5_000)
        desk.poll(0.65, at: 9_000, stamp: 8_900)
        let figures = desk.end()
        #expect(figures.agreement[0].classes == ["stale_answer": 1])
        #expect(figures.disagreements.map(\.wrong) == ["poller"])
        #expect(figures.agreement[0].claimed == 1 && figures.agreement[0].claimedAgreed == 1)
    }

    @Test func aStreamThatWasNeverRightIsNotExcusedByAFault() {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10, stamp: 0)
        desk.meter.fault(CompareFault(from: 8_000, until: 12_000, text: "freeze"))
        desk.stream(0.40, at: 9_000, stamp: 9_000)
        desk.poll(0.50, at: 10_000, stamp: 9_500)
        let figures = desk.end()
        #expect(figures.agreement[0].classes == ["unexplained": 1])
        #expect(figures.verdicts.first { $0.name == "stream and REST agree" }?.isMet == false)
    }

    @Test func answersThatAreRefusedOrMissingAreCountedApart() {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10, stamp: 0)
        desk.poll(0.01, at: 10_000, .refused("a ghost"))
        desk.poll(nil, at: 20_000, .failed("no answer in time"))
        desk.stream(0.50, at: 25_000, stamp: 0, Desk.stale(since: 24_000))
        desk.truth(0.60, at: 26_000)
        desk.poll(0.60, at: 30_000, stamp: 26_000)
        let figures = desk.end()
        let agreement = figures.agreement[0]
        #expect(agreement.questions == 3 && agreement.failed == 1 && agreement.refused == 1 && agreement.compared == 0)
        #expect(agreement.streamAbsent == 1)
        #expect(figures.disagreements.map(\.kind) == ["refused", "stream_not_live"])
    }

    @Test func withoutATruthWhatAnySourceSawWasVisible() {
        var desk = Desk(.union)
        desk.stream(0.50, at: 10)
        desk.stream(0.75, at: 2_000)
        desk.stream(0.50, at: 3_000)
        // The stream says that it is live, and a poller has something else.
        desk.poll(0.76, at: 10_000, stamp: 9_990)
        desk.poll(0.77, at: 20_000, stamp: 19_990)
        desk.poll(0.50, at: 30_000, stamp: 29_990)
        // The stream is gone, and the poller alone sees one more.
        desk.stream(0.50, at: 35_000, Desk.stale(since: 34_000))
        desk.poll(0.80, at: 40_000, stamp: 39_000)
        desk.poll(0.50, at: 50_000, stamp: 49_000)
        let spikes = desk.end().spikes
        #expect(spikes.map(\.beginMs) == [2_000, 10_000, 40_000])
        #expect(spikes.map { $0.sights[0].caught } == [true, false, false])
        #expect(spikes.map { $0.sights[1].caught } == [false, true, true])
        #expect(spikes.map { $0.sights[0].missed } == [nil, "unexplained", "stream_not_live"])
    }

    @Test func everyPhaseOfAPollersClockIsTried() throws {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.truth(0.75, at: 12_000)
        desk.truth(0.50, at: 15_000)
        let phases = try #require(desk.end().phases.first { $0.length == .second })
        // Of the ten phases of a poller of 10 s those at 2, 3 and 4 s meet it.
        #expect(phases.met == [0, 0, 1, 1, 1, 0, 0, 0, 0, 0] && phases.average == 0.3)
    }

    @Test func aReportIsReadBackFromItsJSON() throws {
        var desk = Desk()
        desk.truth(0.50, at: 0)
        desk.stream(0.50, at: 10)
        desk.truth(0.75, at: 12_000)
        desk.stream(0.75, at: 12_010, stamp: 12_000)
        desk.poll(0.75, at: 13_000, stamp: 12_000)
        desk.truth(0.50, at: 15_000)
        let report = CompareReport(desk.end(), program: "0", generatedAt: 1)
        let json = try report.json()
        let read = try #require(try ReportRegistry([CompareReport.self]).report(from: json) as? CompareReport)
        #expect(try read.json() == json)
        #expect(read.header.schema == "oddstream.compare/1")
        #expect(read.document.lead.contains("stream 100.00 %"))
        let text = String(decoding: json, as: UTF8.self)
        for key in ["begin_ms", "paid_ask_ticks", "raw_reasons", "live_aligned", "tolerance_ms"] {
            #expect(text.contains("\"\(key)\""))
        }
    }

    @Test func sharesAreNeverRoundedUpToAllOfThem() {
        #expect(CompareText.percent(9_999_999, of: 10_000_000) == "99.99 %")
        #expect(CompareText.percent(0, of: 0) == "–")
        #expect(CompareText.fixed(-0.005, 2) == "-0.01" && CompareText.fixed(2.5, 0) == "3")
        #expect(CompareText.duration(.milliseconds(1500)) == "1.50s" && CompareText.duration(.seconds(60)) == "60s")
    }
}
