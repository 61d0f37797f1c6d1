import OddsCore
import OddsTestSupport
import Testing

@testable import OddsTrading

@Suite struct SpikeDetectorTests {
    /// A detector that writes down what it tells.
    private struct Witness {
        var detector: SpikeDetector

        init(
            sustain: Duration = .zero, cooldown: Duration = .seconds(30), hysteresis: Odds = 0.02,
            basis: OddsBasis = .displayed, poller: PollSchedule = PollSchedule()
        ) {
            self.detector = SpikeDetector(
                SpikeDetectorConfiguration(
                    basis: basis, hysteresis: hysteresis, sustain: sustain, cooldown: cooldown, poller: poller))
        }

        mutating func yes(
            _ price: Price?, _ seconds: Double, trust: Trust = .live, epoch: UInt64 = 1, market: Market = sample
        ) -> [String] {
            let snapshot = odds(price, market, at: seconds, trust: trust, epoch: epoch)
            return self.detector.observe(snapshot, now: at(seconds)).map(Self.text)
        }

        mutating func wait(_ seconds: Double) -> [String] { self.detector.advance(to: at(seconds)).map(Self.text) }

        mutating func marketEnds(_ seconds: Double, _ market: Market = sample) -> [String] {
            self.detector.marketEnded(market.id, now: at(seconds)).map(Self.text)
        }

        var deadline: Double? { self.detector.nextDeadline.map { Double($0.nanoseconds) / 1_000_000_000 } }

        static func text(_ event: SpikeEvent) -> String {
            let spike = event.spike
            let name = "\(spike.side == .yes ? "yes" : "no") #\(spike.number)"
            switch event {
            case .began: return "began \(name) \(spike.peak) at \(spike.begin.seconds) epoch \(spike.epoch)"
            case .grew: return "grew \(name) \(spike.peak) at \(spike.peakTime.seconds)"
            case .ended(_, let reason):
                let over = Double(spike.timeOver.wholeNanoseconds) / 1_000_000_000
                let poller = spike.isSeenByPoller ? " seen" : ""
                return
                    "ended \(name) \(reason.rawValue) at \(spike.end?.seconds ?? -1) over \(over) "
                    + "crossings \(spike.crossings)\(poller)"
            }
        }
    }

    @Test func aSpikeBeginsAtTheThresholdGrowsAndEndsOneCooldownAfterTheFall() {
        var witness = Witness()
        #expect(witness.yes(0.69, 1) == [])
        #expect(witness.yes(0.70, 2) == ["began yes #1 0.7 at 2.0 epoch 1"])
        #expect(witness.yes(0.75, 3) == ["grew yes #1 0.75 at 3.0"])
        #expect(witness.yes(0.72, 4) == [])
        #expect(witness.deadline == nil)
        #expect(witness.yes(0.5, 5) == [])
        #expect(witness.deadline == 35)
        #expect(witness.wait(34.999) == [])
        #expect(witness.wait(35) == ["ended yes #1 fellBack at 5.0 over 3.0 crossings 1"])
        #expect(witness.deadline == nil)
        #expect(witness.detector.current.isEmpty)
    }

    @Test func theBandBelowTheThresholdHoldsASpikeAndBeginsNone() {
        var witness = Witness()
        #expect(witness.yes(0.69, 1) == [])
        #expect(witness.yes(0.71, 2) == ["began yes #1 0.71 at 2.0 epoch 1"])
        #expect(witness.yes(0.68, 3) == [])
        #expect(witness.deadline == nil)
        #expect(witness.yes(0.70, 5) == [])
        #expect(witness.yes(0.67, 6) == [])
        #expect(witness.yes(0.69, 7) == [])  // in the band: revives nothing
        // Over the threshold from 2 to 3 and from 5 to 6.
        #expect(witness.wait(36) == ["ended yes #1 fellBack at 6.0 over 2.0 crossings 1"])
    }

    @Test func aReturnWithinTheCooldownIsTheSameSpikeAndALaterOneIsNot() {
        var witness = Witness()
        #expect(witness.yes(0.70, 1) == ["began yes #1 0.7 at 1.0 epoch 1"])
        #expect(witness.yes(0.5, 2) == [])
        #expect(witness.yes(0.70, 31.9) == [])
        #expect(witness.yes(0.5, 33) == [])
        #expect(witness.yes(0.8, 40) == ["grew yes #1 0.8 at 40.0"])
        #expect(witness.yes(0.5, 41) == [])
        // Exactly one cooldown later it is over, whether the timer was in time or not.
        #expect(
            witness.yes(0.9, 71) == [
                "ended yes #1 fellBack at 41.0 over 3.1 crossings 3", "began yes #2 0.9 at 71.0 epoch 1",
            ])
    }

    @Test func withoutACooldownEveryFallEndsAtOnce() {
        var witness = Witness(cooldown: .zero, hysteresis: .init(rawValue: 0))
        #expect(witness.yes(0.70, 1) == ["began yes #1 0.7 at 1.0 epoch 1"])
        #expect(witness.yes(0.69, 2) == ["ended yes #1 fellBack at 2.0 over 1.0 crossings 1"])
        #expect(witness.yes(0.70, 2.5) == ["began yes #2 0.7 at 2.5 epoch 1"])
    }

    @Test func bothSidesAreJudgedEachOnItsOwnBook() {
        var witness = Witness(cooldown: .zero)
        #expect(witness.yes(0.25, 1) == ["began no #1 0.75 at 1.0 epoch 1"])
        #expect(
            witness.yes(0.80, 2) == [
                "began yes #2 0.8 at 2.0 epoch 1", "ended no #1 fellBack at 2.0 over 1.0 crossings 1",
            ])
        // By best bid one side can be over without the other being its mirror.
        var bids = Witness(basis: .bestBid)
        #expect(bids.yes(0.70, 1) == [])
        #expect(bids.yes(0.71, 2) == ["began yes #1 0.7 at 2.0 epoch 1"])
        #expect(bids.yes(0.29, 3) == ["began no #2 0.7 at 3.0 epoch 1"])
    }

    @Test func aBasisWithoutAnAnswerHasFallenBack() {
        var witness = Witness(cooldown: .zero)
        #expect(witness.yes(nil, 1) == [])
        #expect(witness.yes(0.70, 2) == ["began yes #1 0.7 at 2.0 epoch 1"])
        #expect(witness.yes(nil, 3) == ["ended yes #1 fellBack at 3.0 over 1.0 crossings 1"])
    }

    @Test func withASustainTimeEveryValueUntilThenIsOver() {
        var witness = Witness(sustain: .seconds(5))
        #expect(witness.yes(0.70, 1) == [])
        #expect(witness.deadline == 6)
        #expect(witness.yes(0.69, 5.9) == [])  // in the band, and yet not over the threshold
        #expect(witness.deadline == nil)
        #expect(witness.yes(0.71, 10) == [])
        #expect(witness.yes(0.74, 12) == [])
        #expect(witness.detector.current.isEmpty)
        #expect(witness.wait(14.999) == [])
        #expect(witness.wait(15) == ["began yes #1 0.74 at 10.0 epoch 1"])
        #expect(witness.yes(0.5, 16) == [])
        #expect(witness.wait(46) == ["ended yes #1 fellBack at 16.0 over 6.0 crossings 1"])
        // A timer that comes late changes nothing that is told.
        #expect(witness.yes(0.71, 100) == [])
        #expect(witness.yes(0.5, 106) == ["began yes #2 0.71 at 100.0 epoch 1"])
        #expect(witness.wait(136) == ["ended yes #2 fellBack at 106.0 over 6.0 crossings 1"])
    }

    @Test func theEndOfTheMarketEndsASpikeAtOnceAndForGood() {
        var witness = Witness()
        #expect(witness.yes(0.9, 1) == ["began yes #1 0.9 at 1.0 epoch 1"])
        #expect(witness.marketEnds(20) == ["ended yes #1 marketEnded at 20.0 over 19.0 crossings 1"])
        #expect(witness.marketEnds(21) == [])
        // The venue goes on quoting for some seconds.
        #expect(witness.yes(0.99, 22) == [])
        #expect(witness.yes(0.99, 3000) == [])
    }

    @Test func aMarketThatIsFollowedAgainIsJudgedAgain() {
        var witness = Witness()
        #expect(witness.yes(0.9, 1, epoch: 3) == ["began yes #1 0.9 at 1.0 epoch 3"])
        #expect(witness.marketEnds(2) == ["ended yes #1 marketEnded at 2.0 over 1.0 crossings 1"])
        // Late words of the life that ended.
        #expect(witness.yes(0.9, 3, epoch: 3) == [])
        #expect(witness.yes(0.9, 3, epoch: 2) == [])
        // The clock was set back, and the window is current again.
        #expect(witness.yes(0.8, 4, epoch: 4) == ["began yes #2 0.8 at 4.0 epoch 4"])
        #expect(witness.marketEnds(5) == ["ended yes #2 marketEnded at 5.0 over 1.0 crossings 1"])
        #expect(witness.yes(0.8, 6, epoch: 4) == [])
        // Nor does the end of a life in which nothing rose mute the next.
        #expect(witness.yes(0.5, 7, epoch: 5) == [])
        #expect(witness.marketEnds(8) == [])
        #expect(witness.yes(0.8, 9, epoch: 5) == [])
        #expect(witness.yes(0.8, 10, epoch: 6) == ["began yes #3 0.8 at 10.0 epoch 6"])
        // A market that nothing was heard of has no life to end.
        #expect(witness.marketEnds(11, .sample("eth")) == [])
        #expect(witness.yes(0.8, 12, market: .sample("eth")) == ["began yes #4 0.8 at 12.0 epoch 1"])
    }

    @Test func aClosedMarketHasEnded() {
        var witness = Witness()
        #expect(witness.yes(0.9, 1, trust: .closed) == [])
        #expect(witness.yes(0.9, 2) == [])
        #expect(witness.marketEnds(3) == [])
        #expect(witness.yes(0.9, 4) == [])
        #expect(witness.yes(0.9, 5, trust: .closed, epoch: 2) == [])
        #expect(witness.yes(0.9, 6, epoch: 3) == ["began yes #1 0.9 at 6.0 epoch 3"])
    }

    @Test func ofEndedMarketsOnlyTheLatestAreRemembered() {
        var witness = Witness()
        for number in 0..<1000 {
            let market = Market.sample("m\(number)")
            _ = witness.yes(0.5, Double(number), market: market)
            _ = witness.marketEnds(Double(number), market)
        }
        #expect(witness.detector.remembered <= 512)
        #expect(witness.yes(0.9, 2000, market: .sample("m999")) == [])
        #expect(witness.yes(0.9, 2000, market: .sample("m744")) == [])
        #expect(witness.yes(0.9, 2000, market: .sample("m0")).count == 1)
    }

    @Test func aSpikeThatHadFallenBackWhenTheMarketEndedFellBack() {
        var witness = Witness()
        #expect(witness.yes(0.9, 1) == ["began yes #1 0.9 at 1.0 epoch 1"])
        #expect(witness.yes(0.5, 10) == [])
        #expect(witness.marketEnds(20) == ["ended yes #1 fellBack at 10.0 over 9.0 crossings 1"])
    }

    @Test(arguments: [Trust.resolving, .closed])
    func trustTellsTheEndOfTheMarketToo(trust: Trust) {
        var witness = Witness()
        #expect(witness.yes(0.9, 1) == ["began yes #1 0.9 at 1.0 epoch 1"])
        #expect(
            witness.yes(0.9, 4, trust: trust) == ["ended yes #1 marketEnded at 4.0 over 3.0 crossings 1"])
        #expect(witness.yes(0.99, 5, trust: trust) == [])
    }

    @Test func aSpikeThatIsNotSustainedAtTheEndWasNone() {
        var witness = Witness(sustain: .seconds(5))
        #expect(witness.yes(0.9, 1) == [])
        #expect(witness.marketEnds(5) == [])
    }

    @Test func staleOddsEndASpikeWhenTheyWereLastConfirmed() {
        var witness = Witness()
        #expect(witness.yes(0.8, 1) == ["began yes #1 0.8 at 1.0 epoch 1"])
        #expect(
            witness.yes(0.8, 9, trust: .stale(since: at(7), reason: .frozen)) == [
                "ended yes #1 stale at 7.0 over 6.0 crossings 1"
            ])
        #expect(witness.yes(0.9, 10, trust: .stale(since: at(7), reason: .frozen)) == [])
        // Back within the cooldown, and yet a new spike: continuity was lost.
        #expect(witness.yes(0.8, 11, epoch: 2) == ["began yes #2 0.8 at 11.0 epoch 2"])
    }

    @Test func aStaleMomentIsNeverBeforeTheLastOddsNorAfterTheNews() {
        var witness = Witness()
        #expect(witness.yes(0.8, 5) == ["began yes #1 0.8 at 5.0 epoch 1"])
        let early = witness.yes(0.8, 9, trust: .stale(since: at(2), reason: .disconnected))
        #expect(early == ["ended yes #1 stale at 5.0 over 0.0 crossings 1"])
        #expect(witness.yes(0.8, 10) == ["began yes #2 0.8 at 10.0 epoch 1"])
        let late = witness.yes(0.8, 11, trust: .stale(since: at(99), reason: .disconnected))
        #expect(late == ["ended yes #2 stale at 11.0 over 1.0 crossings 1"])
    }

    @Test func aSpikeThatHadFallenBackWhenTheOddsWentStaleFellBack() {
        var witness = Witness()
        #expect(witness.yes(0.8, 1) == ["began yes #1 0.8 at 1.0 epoch 1"])
        #expect(witness.yes(0.5, 3) == [])
        #expect(
            witness.yes(0.5, 5, trust: .stale(since: at(4), reason: .frozen)) == [
                "ended yes #1 fellBack at 3.0 over 2.0 crossings 1"
            ])
        #expect(witness.deadline == nil)
    }

    @Test func whatIsToldToBeStaleBeforeItWasSustainedWasNoSpike() {
        var witness = Witness(sustain: .seconds(5))
        #expect(witness.yes(0.8, 1) == [])
        #expect(witness.yes(0.8, 5.999, trust: .stale(since: at(5), reason: .frozen)) == [])
        #expect(witness.deadline == nil)
    }

    @Test(arguments: [true, false])
    func aSustainThatRanOutBeforeAnybodyKnewOfStaleOddsRanOut(isPunctual: Bool) {
        var witness = Witness(sustain: .seconds(5))
        var told = witness.yes(0.8, 1)
        if isPunctual { told += witness.wait(6) }
        told += witness.yes(0.8, 7, trust: .stale(since: at(5), reason: .frozen))
        #expect(
            told == [
                "began yes #1 0.8 at 1.0 epoch 1", "ended yes #1 stale at 5.0 over 4.0 crossings 1",
            ])
        #expect(witness.deadline == nil)
    }

    @Test func aLastingSpikeCanBeAskedForUpToNow() throws {
        var detector = SpikeDetector(SpikeDetectorConfiguration(sustain: .seconds(2)))
        _ = detector.observe(odds(0.8), now: at(30))
        // Not sustained, and no timer has come.
        #expect(detector.current(at: at(31.9)).isEmpty)
        let early = try #require(detector.current(at: at(40)).first)
        #expect(early.timeOver == .seconds(10) && !early.isSeenByPoller && early.number == 1 && early.end == nil)
        let later = try #require(detector.current(at: at(61)).first)
        #expect(later.timeOver == .seconds(31) && later.isSeenByPoller)
        // Asking changes nothing.
        #expect(detector.current.isEmpty && detector.nextDeadline == at(32).monotonic)
        _ = detector.observe(odds(0.5), now: at(62))
        #expect(detector.current(at: at(80)).map(\.timeOver) == [.seconds(32)])
        #expect(detector.current(at: at(92)).isEmpty)
        #expect(detector.current.count == 1)
    }

    @Test func suspectOddsAndThePollersAreOddsAndTheSpikeSaysSo() throws {
        for trust in [Trust.suspect(.silent), .fallback] {
            var detector = SpikeDetector()
            let events = detector.observe(odds(0.8, trust: trust, epoch: 7), now: at(1))
            let spike = try #require(events.first?.spike)
            #expect(spike.trust == trust && spike.epoch == 7 && spike.source == .replay && spike.slug == "btc")
            #expect(detector.current == [spike])
            #expect(detector.observe(odds(0.8, trust: .live, epoch: 8), now: at(2)).isEmpty)
            #expect(detector.current.first?.epoch == 7)
        }
    }

    @Test func aPollerSeesASpikeOnlyWhenItLooksWhileTheOddsAreOver() {
        // The origin is on the full minute: looks at 60, 120 and so on.
        var witness = Witness(cooldown: .zero)
        _ = witness.yes(0.8, 10)
        #expect(witness.yes(0.5, 59.999) == ["ended yes #1 fellBack at 59.999 over 49.999 crossings 1"])
        _ = witness.yes(0.8, 60)
        #expect(witness.yes(0.5, 60.001) == ["ended yes #2 fellBack at 60.001 over 0.001 crossings 1 seen"])
        _ = witness.yes(0.8, 119)
        // At the very look the odds have already fallen.
        #expect(witness.yes(0.5, 120) == ["ended yes #3 fellBack at 120.0 over 1.0 crossings 1"])
        // In the band at the look: a spike, and the poller does not see 70 %.
        _ = witness.yes(0.8, 170)
        _ = witness.yes(0.69, 175)
        _ = witness.yes(0.8, 185)
        #expect(witness.yes(0.5, 190) == ["ended yes #4 fellBack at 190.0 over 10.0 crossings 1"])
    }

    @Test func aPollerThatLooksAtTheWindowsEndLooksAtTheNextMarket() {
        // The end is noticed a little after it, and some markets say it later still.
        var witness = Witness()
        let market = Market.sample(
            "btc", window: MarketWindow(start: at(0).wall, end: at(60).wall))
        _ = witness.yes(0.8, 50, market: market)
        #expect(witness.yes(0.9, 60.01, market: market) == ["grew yes #1 0.9 at 60.01"])
        #expect(
            witness.marketEnds(60.02, market) == ["ended yes #1 marketEnded at 60.02 over 10.02 crossings 1"])
    }

    @Test func aPollerMayLookAtAnyIntervalAndPhase() {
        let schedule = PollSchedule(interval: .seconds(5), phase: .milliseconds(1500))
        func looks(_ from: Double, _ until: Double) -> Bool {
            schedule.looks(from: at(from).unixNanoseconds, until: at(until).unixNanoseconds)
        }
        #expect(looks(1.5, 1.6) && looks(1, 2) && looks(0, 5) && looks(6.4, 6.6))
        #expect(!looks(1.6, 6.5) && !looks(0, 1.5) && !looks(2, 1) && !looks(1.5, 1.5))
        // Before 1970 as after.
        #expect(PollSchedule().looks(from: -60_000_000_000, until: -59_999_999_999))
        #expect(!PollSchedule().looks(from: -59_999_999_999, until: 0))
    }

    @Test func marketsDoNotDisturbEachOtherAndTheTimerServesThemInOrder() {
        var witness = Witness()
        let others = ["eth", "sol", "xrp"].map { Market.sample($0) }
        for (number, market) in others.enumerated() { _ = witness.yes(0.8, Double(number + 1), market: market) }
        for (number, market) in others.enumerated() { _ = witness.yes(0.5, 10 - Double(number), market: market) }
        #expect(witness.deadline == 38)
        #expect(
            witness.wait(60) == [
                "ended yes #3 fellBack at 8.0 over 5.0 crossings 1",
                "ended yes #2 fellBack at 9.0 over 7.0 crossings 1",
                "ended yes #1 fellBack at 10.0 over 9.0 crossings 1",
            ])
    }

    @Test func anotherMarketsNewsDoesNotOvertakeWhatTimeHasDecided() {
        var witness = Witness(sustain: .seconds(5))
        #expect(witness.yes(0.8, 1) == [])
        #expect(witness.yes(0.9, 2, market: .sample("eth")) == [])
        // The timer is late: what was sustained first is told first, and has the lower number.
        #expect(
            witness.yes(0.91, 8, market: .sample("eth")) == [
                "began yes #1 0.8 at 1.0 epoch 1", "began yes #2 0.9 at 2.0 epoch 1", "grew yes #2 0.91 at 8.0",
            ])
        #expect(witness.yes(0.5, 9) == [])
        #expect(
            witness.marketEnds(40, .sample("eth")) == [
                "ended yes #1 fellBack at 9.0 over 8.0 crossings 1",
                "ended yes #2 marketEnded at 40.0 over 38.0 crossings 1",
            ])
    }

    /// A timer that comes late, or never, changes nothing that is told, nor its order.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func whatIsToldDoesNotDependOnTheTimer(seed: UInt64) {
        let markets = (0..<4).map { Market.sample("m\($0)") }
        func tell(_ isTimed: (Int) -> Bool) -> [SpikeEvent] {
            var random = Seeded(seed)
            var detector = SpikeDetector(
                SpikeDetectorConfiguration(
                    sustain: .seconds(Int.random(in: 0...6, using: &random)),
                    cooldown: .seconds(Int.random(in: 0...10, using: &random))))
            var events: [SpikeEvent] = []
            var now = 0.0
            for number in 0..<400 {
                let until = now + Double(Int.random(in: 0...3000, using: &random)) / 1000
                // A punctual timer comes at each deadline.
                while isTimed(number), let due = detector.nextDeadline, due <= at(until).monotonic {
                    events += detector.advance(to: at(Double(due.nanoseconds) / 1_000_000_000))
                }
                now = until
                let market = markets[Int.random(in: markets.indices, using: &random)]
                let price = Price(rawValue: Int32.random(in: 60...80, using: &random) * 100)
                let ago = Double(Int.random(in: 0...4000, using: &random)) / 1000
                switch Int.random(in: 0..<20, using: &random) {
                case 0: events += detector.marketEnded(market.id, now: at(now))
                case 1...2:
                    events += detector.observe(
                        odds(
                            price, market, trust: .stale(since: at(now - ago), reason: .frozen), epoch: UInt64(number)),
                        now: at(now))
                default:
                    events += detector.observe(odds(price, market, epoch: UInt64(number)), now: at(now))
                }
            }
            return events + detector.advance(to: at(now + 100))
        }
        let punctual = tell { _ in true }
        #expect(!punctual.isEmpty)
        #expect(tell { _ in false } == punctual)
        #expect(tell { $0.isMultiple(of: 7) } == punctual)
    }

    /// Whatever comes: events of a side alternate, numbers count up, no moment over the threshold is left out.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func everyMomentOverTheThresholdBelongsToOneSpike(seed: UInt64) {
        var random = Seeded(seed)
        var detector = SpikeDetector(
            SpikeDetectorConfiguration(cooldown: .seconds(Int.random(in: 0...20, using: &random))))
        var events: [SpikeEvent] = []
        var over: Duration = .zero
        var now = 0.0
        var price: Price?
        var wasStale = false
        func isOver(_ price: Price?) -> Bool { price.map { $0 >= 0.70 } ?? false }
        for _ in 0..<300 {
            let step = Double(Int.random(in: 1...8000, using: &random)) / 1000
            if isOver(price) && !wasStale { over += at(now).monotonic.duration(to: at(now + step).monotonic) }
            now += step
            if Bool.random(using: &random) { events += detector.advance(to: at(now)) }
            wasStale = Int.random(in: 0..<10, using: &random) == 0
            price = Price(rawValue: Int32.random(in: 60...80, using: &random) * 100)
            let trust: Trust = wasStale ? .stale(since: at(now), reason: .disconnected) : .live
            events += detector.observe(odds(price, at: now, trust: trust), now: at(now))
        }
        if isOver(price) && !wasStale { over += .seconds(1) }
        events += detector.marketEnded(sample.id, now: at(now + 1))
        var open: Spike?
        var told: Duration = .zero
        var count: UInt64 = 0
        for event in events {
            switch event {
            case .began(let spike):
                count += 1
                #expect(open == nil && spike.number == count && spike.peak >= 0.70)
                open = spike
            case .grew(let spike):
                #expect(open.map { spike.number == $0.number && spike.peak > $0.peak } == true)
                open = spike
            case .ended(let spike, _):
                #expect(open?.number == spike.number && open?.peak == spike.peak)
                #expect(spike.duration.map { $0 >= spike.timeOver } == true)
                told += spike.timeOver
                open = nil
            }
        }
        #expect(open == nil && count > 0)
        #expect(told == over)
    }
}

/// A small generator of numbers that are the same every time (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
