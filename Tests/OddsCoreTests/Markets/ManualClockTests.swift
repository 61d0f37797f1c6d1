import OddsCore
import OddsTestSupport
import Testing

@Suite struct ManualClockTests {
    @Test func sleepersWakeInOrderWhenTheirInstantIsReached() async throws {
        let clock = ManualClock()
        let woken = Journal<Int>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seconds in [3, 1, 2] {
                group.addTask {
                    try await clock.sleep(for: .seconds(seconds))
                    woken.append(seconds)
                }
            }
            try await clock.sleepers(atLeast: 3)
            clock.advance(by: .seconds(1))
            try await group.next()
            #expect(woken.entries == [1])
            #expect(clock.sleeperCount == 2)
            clock.advance(by: .seconds(2))
            try await group.waitForAll()
        }
        #expect(Set(woken.entries) == [1, 2, 3])
        #expect(clock.wall == Timestamp(seconds: 1_767_225_603))
    }

    @Test func cancellationEndsASleepAndAWait() async throws {
        let clock = ManualClock()
        let sleeper = Task { try await clock.sleep(for: .seconds(1)) }
        try await clock.sleepers()
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        #expect(clock.sleeperCount == 0)
        let waiter = Task { try await clock.sleepers(atLeast: 1) }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
    }

    @Test func wallStepsLeaveElapsedTimeAlone() async throws {
        let clock = ManualClock(wall: Timestamp(seconds: 100))
        clock.stepWall(by: .seconds(-50))
        #expect(clock.wall == Timestamp(seconds: 50))
        #expect(clock.now().monotonic == MonotonicTime(nanoseconds: 0))
        try await clock.sleep(until: MonotonicTime(nanoseconds: 0))
        clock.advance(to: Timestamp(seconds: 60))
        #expect(clock.now().monotonic == MonotonicTime(nanoseconds: 10_000_000_000))
    }

    @Test func settlingRunsThroughEverySmallStep() async throws {
        let clock = ManualClock()
        let steps = Journal<Int64>()
        let loop = Task {
            while true {
                try await clock.sleep(for: .seconds(1))
                let now = clock.now().monotonic.nanoseconds
                steps.append(now)
            }
        }
        try await clock.advance(by: .seconds(4), settlingAt: 1)
        loop.cancel()
        _ = await loop.result
        #expect(steps.entries == [1, 2, 3, 4].map { $0 * 1_000_000_000 })
    }
}
