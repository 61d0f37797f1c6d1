import OddsCore
import Testing

/// Times and durations, and what happens where 64 bits end.
@Suite struct TimeTests {
    @Test func monotonicTimesMoveAndDiffer() {
        let start = MonotonicTime(nanoseconds: 5)
        #expect(start.advanced(by: .seconds(1)).nanoseconds == 1_000_000_005)
        #expect(start.advanced(by: .nanoseconds(-6)).nanoseconds == -1)
        #expect(start.duration(to: MonotonicTime(nanoseconds: 2)) == .nanoseconds(-3))
        #expect(start < MonotonicTime(nanoseconds: 6))
    }

    @Test func monotonicTimesStopAtTheEnds() {
        let late = MonotonicTime(nanoseconds: .max - 1)
        #expect(late.advanced(by: .seconds(1)).nanoseconds == .max)
        #expect(MonotonicTime(nanoseconds: .min + 1).advanced(by: .seconds(-1)).nanoseconds == .min)
        #expect(late.advanced(by: .seconds(Int64.max)).nanoseconds == .max)
    }

    @Test func wholeNanosecondsStopAtTheEnds() {
        #expect(Duration.seconds(1).wholeNanoseconds == 1_000_000_000)
        #expect(Duration.zero.wholeNanoseconds == 0)
        #expect(Duration(secondsComponent: 0, attosecondsComponent: 1_999_999_999).wholeNanoseconds == 1)
        #expect(Duration(secondsComponent: 0, attosecondsComponent: -1_999_999_999).wholeNanoseconds == -1)
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
        #expect(Duration.nanoseconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.nanoseconds(Int64.min).wholeNanoseconds == .min)
        #expect(Duration.milliseconds(1500).secondsValue == 1.5)
    }

    @Test func timestampsMoveAndDiffer() {
        let stamp = Timestamp(milliseconds: 1_777_428_645_794)
        #expect(stamp.seconds == 1_777_428_645)
        #expect(stamp.advanced(by: .seconds(2)).milliseconds == 1_777_428_647_794)
        #expect(stamp.duration(to: stamp.advanced(by: .milliseconds(-7))) == .milliseconds(-7))
        #expect(Timestamp(milliseconds: -1).seconds == -1)
        #expect(Timestamp(seconds: 2).milliseconds == 2000)
    }

    /// The venue's stamps come off the wire: an absurd one must not end the process.
    @Test func timestampsStopAtTheEnds() {
        let last = Timestamp(milliseconds: .max)
        let first = Timestamp(milliseconds: .min)
        #expect(last.advanced(by: .seconds(1)) == last)
        #expect(first.advanced(by: .seconds(-1)) == first)
        #expect(first.duration(to: last) >= .milliseconds(Int64.max))
        #expect(last.duration(to: first) <= .milliseconds(Int64.min + 1))
        #expect(MonotonicTime(nanoseconds: .min).duration(to: MonotonicTime(nanoseconds: .max)) > .zero)
    }

    @Test func flooredQuotientsRoundDown() {
        #expect(Int64(7).flooredQuotient(2) == 3)
        #expect(Int64(-7).flooredQuotient(2) == -4)
        #expect(Int64(-8).flooredQuotient(2) == -4)
        #expect(Int64(7).flooredQuotient(-2) == -4)
    }

    @Test func receiveTimesShowTheWallClock() {
        let time = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 1_999_999)
        #expect(time.wall == Timestamp(milliseconds: 1))
    }
}
