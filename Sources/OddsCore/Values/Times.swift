/// A point on this machine's monotonic clock, in nanoseconds since an arbitrary origin.
///
/// Differences are elapsed time; the origin means nothing. The core never reads a clock: times come in as arguments.
public struct MonotonicTime: InstantProtocol, Hashable, Sendable {
    /// Nanoseconds since the clock's origin.
    public let nanoseconds: Int64

    /// A point from whole nanoseconds.
    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// This point moved by a duration, kept within what 64 bits of nanoseconds can hold.
    @inlinable
    public func advanced(by duration: Duration) -> MonotonicTime {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return MonotonicTime(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    /// The time from this point to another; negative when the other is earlier.
    @inlinable
    public func duration(to other: MonotonicTime) -> Duration {
        .nanoseconds(other.nanoseconds) - .nanoseconds(self.nanoseconds)
    }

    /// By value.
    @inlinable
    public static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// A point in Unix time, in milliseconds since 1970-01-01 UTC: the unit of the venue's stamps.
public struct Timestamp: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// Milliseconds since 1970-01-01 UTC.
    public let milliseconds: Int64

    /// A point from whole milliseconds.
    @inlinable
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// A point from whole seconds.
    @inlinable
    public init(seconds: Int64) { self.milliseconds = seconds * 1000 }

    /// Whole seconds since 1970, rounded down.
    @inlinable
    public var seconds: Int64 { self.milliseconds.flooredQuotient(1000) }

    /// Nanoseconds since 1970-01-01 UTC, kept within what 64 bits can hold (the years 1677 to 2262).
    @inlinable
    public var unixNanoseconds: Int64 {
        let (product, overflow) = self.milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? (self.milliseconds < 0 ? .min : .max) : product
    }

    /// This point moved by a duration, to the millisecond, kept within what 64 bits of milliseconds can hold.
    @inlinable
    public func advanced(by duration: Duration) -> Timestamp {
        let (sum, overflow) = self.milliseconds.addingReportingOverflow(duration.wholeNanoseconds / 1_000_000)
        return Timestamp(milliseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    /// The time from this point to another; negative when the other is earlier.
    @inlinable
    public func duration(to other: Timestamp) -> Duration {
        .milliseconds(other.milliseconds) - .milliseconds(self.milliseconds)
    }

    /// By value.
    @inlinable
    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }
}

/// The moment a message's bytes were read from the socket, on both of this machine's clocks.
public struct ReceiveTime: Hashable, Sendable {
    /// On the monotonic clock: what ages and staleness are measured with.
    public let monotonic: MonotonicTime
    /// Nanoseconds since 1970-01-01 UTC by this machine's wall clock: what is shown and compared across machines.
    public let unixNanoseconds: Int64

    /// A moment from both clocks, read together.
    @inlinable
    public init(monotonic: MonotonicTime, unixNanoseconds: Int64) {
        self.monotonic = monotonic
        self.unixNanoseconds = unixNanoseconds
    }

    /// The wall-clock reading as a `Timestamp`.
    @inlinable
    public var wall: Timestamp { Timestamp(milliseconds: self.unixNanoseconds.flooredQuotient(1_000_000)) }

    /// How long after a stamp this is by the two clocks, in nanoseconds, kept within what 64 bits can hold.
    @inlinable
    public func nanoseconds(since stamp: Timestamp) -> Int64 {
        let (difference, overflow) = self.unixNanoseconds.subtractingReportingOverflow(stamp.unixNanoseconds)
        return overflow ? (stamp.milliseconds < 0 ? .max : .min) : difference
    }
}

extension Duration {
    /// This duration in nanoseconds, rounded towards zero and kept within 64 bits (±292 years).
    @inlinable
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : sum
    }

    /// This duration in seconds, for people and for JSON.
    @inlinable
    public var secondsValue: Double { Double(self.wholeNanoseconds) / 1_000_000_000 }
}

extension Int64 {
    /// The quotient rounded towards negative infinity.
    @inlinable
    public func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return (self % divisor != 0 && (self < 0) != (divisor < 0)) ? quotient - 1 : quotient
    }
}
