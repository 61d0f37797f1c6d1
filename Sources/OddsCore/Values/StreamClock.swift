/// The two clocks of this machine and the one timer, behind a port: the core is given times, tests give their own.
public protocol StreamClock: Sendable {
    /// Both clocks, read together.
    func now() -> ReceiveTime
    /// Returns at or after the instant; throws `CancellationError` when the task is cancelled first.
    func sleep(until instant: MonotonicTime) async throws
}

extension StreamClock {
    /// Returns after the duration; throws `CancellationError` when the task is cancelled first.
    public func sleep(for duration: Duration) async throws {
        try await self.sleep(until: self.now().monotonic.advanced(by: duration))
    }
}
