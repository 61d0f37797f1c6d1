public import OddsCore

/// A clock that runs like another, but began at a wall time of the test's choosing.
///
/// What depends on the minute of the hour (an hour's market is one-sided shortly before its end) is then always the same.
public struct OffsetClock<Base: StreamClock>: StreamClock {
    private let base: Base
    private let nanoseconds: Int64

    /// A clock that shows `wall` now and goes on at the speed of `base`.
    public init(_ base: Base, wall: Timestamp) {
        self.base = base
        self.nanoseconds = wall.milliseconds * 1_000_000 - base.now().unixNanoseconds
    }

    /// Both readings: the monotonic one is the base's own.
    public func now() -> ReceiveTime {
        let now = self.base.now()
        return ReceiveTime(monotonic: now.monotonic, unixNanoseconds: now.unixNanoseconds + self.nanoseconds)
    }

    /// Sleeps on the base; throws `CancellationError` when the task is cancelled first.
    public func sleep(until instant: MonotonicTime) async throws { try await self.base.sleep(until: instant) }
}
