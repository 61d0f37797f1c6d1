import OddsCore

/// When a poller looks: at fixed instants of the wall clock.
public struct PollSchedule: Hashable, Sendable {
    /// The time from one look to the next; more than zero.
    public let interval: Duration
    /// The first look after 1970-01-01 00:00:00 UTC, and so the shift of all of them: zero looks on the full minute when
    /// the interval is a minute.
    public let phase: Duration

    /// A schedule; by default on every full minute, as the original bot polled. The interval must be more than zero.
    public init(interval: Duration = .seconds(60), phase: Duration = .zero) {
        precondition(interval > .zero, "a poller waits for some time between two looks")
        self.interval = interval
        self.phase = phase
    }

    /// Whether there is a look at or after one moment and before another, in nanoseconds since 1970; false when the wall
    /// clock was set back in between.
    public func looks(from start: Int64, until end: Int64) -> Bool {
        let interval = Int128(self.interval.wholeNanoseconds)
        let since = Int128(start) - Int128(self.phase.wholeNanoseconds)
        let rest = since % interval
        let wait = rest > 0 ? interval - rest : -rest
        return Int128(start) + wait < Int128(end)
    }
}
