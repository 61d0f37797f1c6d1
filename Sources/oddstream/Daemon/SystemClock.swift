import OddsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// This machine's clocks.
struct SystemClock: StreamClock {
    func now() -> ReceiveTime {
        ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: SystemClock.read(CLOCK_MONOTONIC)),
            unixNanoseconds: SystemClock.read(CLOCK_REALTIME))
    }

    func sleep(until instant: MonotonicTime) async throws {
        let left = self.now().monotonic.duration(to: instant)
        guard left > .zero else { return try Task.checkCancellation() }
        try await Task.sleep(for: left)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
