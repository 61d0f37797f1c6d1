#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
public import OddsCore

/// This machine's clocks: `CLOCK_MONOTONIC` and `CLOCK_REALTIME`.
public struct SystemClock: StreamClock {
    /// The one there is.
    public init() {}

    /// Both clocks, read one right after the other.
    public func now() -> ReceiveTime {
        ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: Self.read(CLOCK_MONOTONIC)),
            unixNanoseconds: Self.read(CLOCK_REALTIME))
    }

    /// Returns at or after the instant; throws `CancellationError` when the task is cancelled first.
    public func sleep(until instant: MonotonicTime) async throws {
        let rest = self.now().monotonic.duration(to: instant)
        guard rest > .zero else { return try Task.checkCancellation() }
        try await Task.sleep(for: rest)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        // Cannot fail for these two clocks and a valid pointer (POSIX, clock_gettime).
        _ = clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
