import OddsCore
import Testing

@Suite struct ClockOffsetTests {
    /// Two machines: ours, and an exchange whose clock is ahead and drifts.
    private struct World {
        /// Nanoseconds since the beginning, as they really pass.
        var now: Int64 = 0
        var offset: Int64
        /// In parts per million.
        var drift: Double
        var random: SplitMix64
        /// The least and the most that a message takes, each way by itself.
        var out: ClosedRange<Int64>
        var back: ClosedRange<Int64>

        private static let beginning: Int64 = 1_800_000_000_000_000_000

        var ours: ReceiveTime {
            ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: self.now), unixNanoseconds: Self.beginning + self.now)
        }

        /// How far the exchange's clock is ahead at this moment.
        var truth: Int64 { self.offset + Int64(Double(self.now) * self.drift / 1_000_000) }

        private var theirs: Int64 { Self.beginning + self.now + self.truth }

        mutating func pass(_ range: ClosedRange<Int64>) { self.now += Int64.random(in: range, using: &self.random) }

        mutating func ask(_ estimate: inout ClockOffset) -> Bool {
            let asked = self.ours
            self.pass(self.out)
            let second = self.theirs.flooredQuotient(1_000_000_000)
            self.pass(self.back)
            return estimate.answered(second: second, asked: asked, received: self.ours)
        }

        mutating func receive(_ estimate: inout ClockOffset) -> Bool {
            let stamp = Timestamp(milliseconds: self.theirs.flooredQuotient(1_000_000))
            self.pass(self.back)
            return estimate.received(stamp: stamp, at: self.ours)
        }
    }

    @Test func nothingIsKnownBeforeTheFirstAnswer() {
        var world = World(offset: 0, drift: 0, random: SplitMix64(seed: 1), out: 1...2, back: 1...2)
        var estimate = ClockOffset()
        #expect(estimate.bounds(at: world.ours.monotonic) == nil)
        let agreed = world.receive(&estimate)
        #expect(agreed)
        #expect(estimate.bounds(at: world.ours.monotonic) == nil)
        #expect(estimate.feedBound(at: world.ours.monotonic) != nil)
    }

    @Test func aMessageBoundsTheOffsetFromBelow() {
        var estimate = ClockOffset()
        let time = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 1_000_000_020_000_000)
        estimate.received(stamp: Timestamp(milliseconds: 1_000_000_050), at: time)
        #expect(estimate.feedBound(at: time.monotonic) == 30_000_000)
    }

    @Test func anAnswerBoundsTheOffsetFromBothSides() {
        var estimate = ClockOffset()
        let asked = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 1_000_300_000_000)
        let received = ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: 100_000_000), unixNanoseconds: 1_000_400_000_000)
        estimate.answered(second: 1_000, asked: asked, received: received)
        let bounds = estimate.bounds(at: received.monotonic)
        #expect(bounds == ClockOffset.Bounds(lower: -400_000_000, upper: 700_000_000))
        #expect(estimate.shortestRoundTrip == 100_000_000)
    }

    /// The bounds hold the truth after every step, whatever offset, drift, delay, jitter and asymmetry there is.
    @Test(arguments: 1...200 as ClosedRange<UInt64>) func theBoundsAlwaysHoldTheTruth(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let out = Int64.random(in: 10_000...80_000_000, using: &random)
        let back = Int64.random(in: 10_000...80_000_000, using: &random)
        var world = World(
            offset: Int64.random(in: -5_000_000_000...5_000_000_000, using: &random),
            drift: Double.random(in: -60...60, using: &random), random: random,
            out: out...(out + Int64.random(in: 0...40_000_000, using: &random)),
            back: back...(back + Int64.random(in: 0...40_000_000, using: &random)))
        var estimate = ClockOffset(drift: 60)
        for round in 0..<400 {
            let agreed = round % 5 == 0 ? world.ask(&estimate) : world.receive(&estimate)
            #expect(agreed, "nothing was stepped")
            if let bounds = estimate.bounds(at: world.ours.monotonic) {
                #expect(bounds.lower <= world.truth && world.truth <= bounds.upper, "round \(round)")
                // No message can be corrected to before it was sent.
                if let feed = estimate.feedBound(at: world.ours.monotonic) { #expect(bounds.estimate >= feed) }
            }
            world.pass(0...3_000_000_000)
        }
        #expect(estimate.steps == 0)
        #expect(estimate.disagreement == 0)
    }

    /// Asked when the exchange's second ends, a dozen answers leave little more than the way there and back.
    @Test(arguments: 1...50 as ClosedRange<UInt64>) func aDozenAnswersAtTheRightMomentsAreEnough(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let offset = Int64.random(in: -2_000_000_000...2_000_000_000, using: &random)
        var world = World(
            offset: offset, drift: 20, random: random, out: 8_000_000...9_000_000, back: 10_000_000...12_000_000)
        var estimate = ClockOffset()
        for _ in 0..<14 {
            world.now += 50_000_000
            world.now += estimate.wait(at: world.ours).wholeNanoseconds
            let agreed = world.ask(&estimate)
            #expect(agreed)
        }
        let bounds = try #require(estimate.bounds(at: world.ours.monotonic))
        #expect(bounds.upper - bounds.lower < 35_000_000)
    }

    @Test func aBoundLoosensAsItAges() throws {
        var world = World(offset: 0, drift: 0, random: SplitMix64(seed: 1), out: 1...2, back: 1...2)
        var estimate = ClockOffset(drift: 100)
        _ = world.ask(&estimate)
        let fresh = try #require(estimate.bounds(at: world.ours.monotonic))
        world.now += 100_000_000_000
        let old = try #require(estimate.bounds(at: world.ours.monotonic))
        // 100 parts per million of 100 s, on either side.
        #expect(old.upper - fresh.upper == 10_000_000)
        #expect(fresh.lower - old.lower == 10_000_000)
    }

    @Test(arguments: [3_000_000_000, -3_000_000_000, 200_000_000, -200_000_000] as [Int64]) func aStepIsNoticed(
        by step: Int64
    ) throws {
        var world = World(offset: 0, drift: 0, random: SplitMix64(seed: 3), out: 1_000...2_000, back: 1_000...2_000)
        var estimate = ClockOffset()
        for _ in 0..<14 {
            world.now += 50_000_000 + estimate.wait(at: world.ours).wholeNanoseconds
            _ = world.ask(&estimate)
        }
        world.offset += step
        var agreed = true
        for _ in 0..<14 {
            world.now += 50_000_000 + estimate.wait(at: world.ours).wholeNanoseconds
            if !world.receive(&estimate) { agreed = false }
            if !world.ask(&estimate) { agreed = false }
        }
        #expect(!agreed)
        #expect(estimate.steps >= 1)
        let bounds = try #require(estimate.bounds(at: world.ours.monotonic))
        #expect(bounds.lower <= world.truth && world.truth <= bounds.upper)
    }

    @Test func clocksOfTheExchangeThatDisagreeALittleAreNoStep() throws {
        var world = World(offset: 0, drift: 0, random: SplitMix64(seed: 5), out: 1_000...2_000, back: 1_000...2_000)
        var estimate = ClockOffset()
        for _ in 0..<14 {
            world.now += 50_000_000 + estimate.wait(at: world.ours).wholeNanoseconds
            _ = world.ask(&estimate)
        }
        // The clock that stamps is 20 ms ahead of the one that answers.
        world.offset += 20_000_000
        let agreed = world.receive(&estimate)
        #expect(agreed)
        #expect(estimate.steps == 0)
        #expect(estimate.disagreement > 10_000_000)
        let bounds = try #require(estimate.bounds(at: world.ours.monotonic))
        let feed = try #require(estimate.feedBound(at: world.ours.monotonic))
        #expect(bounds.estimate >= feed)
        #expect(bounds.upper - bounds.lower >= 10_000_000)
    }
}
