public import OddsCore
import Synchronization

/// A clock that stands still until a test moves it.
///
/// Sleepers wake in the order of their instants when the clock reaches them, and throw `CancellationError` when their
/// task is cancelled. A test waits for `sleepers(atLeast:)` before it moves the clock, so nothing polls and nothing
/// depends on how fast the machine is.
public final class ManualClock: StreamClock {
    private struct Sleeper {
        let id: UInt64
        let instant: MonotonicTime
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct Watcher {
        let id: UInt64
        let count: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: ReceiveTime
        var nextID: UInt64 = 0
        /// In the order in which they wake: by instant, then by arrival.
        var sleepers: [Sleeper] = []
        var watchers: [Watcher] = []

        mutating func makeID() -> UInt64 {
            self.nextID += 1
            return self.nextID
        }

        mutating func wake() -> [CheckedContinuation<Void, any Error>] {
            let due = self.sleepers.prefix { $0.instant <= self.now.monotonic }
            self.sleepers.removeFirst(due.count)
            return due.map(\.continuation)
        }
    }

    private let state: Mutex<State>

    /// A clock that shows the given wall time, with its monotonic reading at `monotonic`.
    ///
    /// - Parameters:
    ///   - wall: the first wall-clock reading; 2026-01-01 00:00 UTC unless told otherwise.
    ///   - monotonic: the first monotonic reading.
    public init(
        wall: Timestamp = Timestamp(seconds: 1_767_225_600), monotonic: MonotonicTime = MonotonicTime(nanoseconds: 0)
    ) {
        self.state = Mutex(
            State(now: ReceiveTime(monotonic: monotonic, unixNanoseconds: wall.milliseconds * 1_000_000)))
    }

    /// Both readings.
    public func now() -> ReceiveTime { self.state.withLock { $0.now } }

    /// The wall-clock reading.
    public var wall: Timestamp { self.now().wall }

    /// How many tasks sleep on this clock now.
    public var sleeperCount: Int { self.state.withLock { $0.sleepers.count } }

    /// The earliest instant a task sleeps for; nil when none sleeps.
    public var nextWake: MonotonicTime? { self.state.withLock { $0.sleepers.first?.instant } }

    /// Returns once the clock has been moved to the instant or beyond; at once when it is there already.
    ///
    /// Throws `CancellationError` when the task is cancelled first.
    public func sleep(until instant: MonotonicTime) async throws {
        let id = self.state.withLock { $0.makeID() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                enum Outcome {
                    case cancelled
                    case past
                    case asleep([CheckedContinuation<Void, any Error>])
                }
                // Cancellation runs `onCancel` before or after this: before, it is seen here; after, it finds the entry.
                let outcome = self.state.withLock { state -> Outcome in
                    if Task.isCancelled { return .cancelled }
                    if instant <= state.now.monotonic { return .past }
                    let place = state.sleepers.firstIndex { $0.instant > instant } ?? state.sleepers.endIndex
                    state.sleepers.insert(Sleeper(id: id, instant: instant, continuation: continuation), at: place)
                    let satisfied = state.watchers.filter { $0.count <= state.sleepers.count }
                    state.watchers.removeAll { $0.count <= state.sleepers.count }
                    return .asleep(satisfied.map(\.continuation))
                }
                switch outcome {
                case .cancelled: continuation.resume(throwing: CancellationError())
                case .past: continuation.resume()
                case .asleep(let watchers): for watcher in watchers { watcher.resume() }
                }
            }
        } onCancel: {
            let continuation = self.state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard let place = state.sleepers.firstIndex(where: { $0.id == id }) else { return nil }
                return state.sleepers.remove(at: place).continuation
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    /// Moves both readings forward and wakes, in order, everyone whose instant is reached.
    public func advance(by duration: Duration) {
        precondition(duration >= .zero, "a monotonic clock never goes back; use stepWall(by:) for the wall clock")
        let woken = self.state.withLock { state in
            state.now = ReceiveTime(
                monotonic: state.now.monotonic.advanced(by: duration),
                unixNanoseconds: state.now.unixNanoseconds + duration.wholeNanoseconds)
            return state.wake()
        }
        for continuation in woken { continuation.resume() }
    }

    /// Moves both readings forward until the monotonic one shows `instant`; does nothing when it already does.
    public func advance(to instant: MonotonicTime) {
        self.advance(by: max(.zero, self.now().monotonic.duration(to: instant)))
    }

    /// Moves both readings forward until the wall clock shows `wall`; does nothing when it already does.
    public func advance(to wall: Timestamp) {
        let now = self.now().unixNanoseconds
        self.advance(by: max(.zero, .nanoseconds(wall.milliseconds * 1_000_000 - now)))
    }

    /// Steps the wall clock alone, forwards or backwards, as a time server or a suspended machine does. Wakes nobody.
    public func stepWall(by duration: Duration) {
        self.state.withLock {
            $0.now = ReceiveTime(
                monotonic: $0.now.monotonic, unixNanoseconds: $0.now.unixNanoseconds + duration.wholeNanoseconds)
        }
    }

    /// Returns when at least `count` tasks sleep on this clock; throws `CancellationError` when cancelled first.
    public func sleepers(atLeast count: Int = 1) async throws {
        let id = self.state.withLock { $0.makeID() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let answer = self.state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.sleepers.count >= count { return .success(()) }
                    state.watchers.append(Watcher(id: id, count: count, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let continuation = self.state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard let place = state.watchers.firstIndex(where: { $0.id == id }) else { return nil }
                return state.watchers.remove(at: place).continuation
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    /// Moves the clock from one sleeper's instant to the next, up to `duration` from now, and lets the woken settle.
    ///
    /// After each step it waits until `sleepers` tasks sleep again; so a loop that sleeps in small steps runs through
    /// all of them, seeing each instant, as it would in real time.
    public func advance(by duration: Duration, settlingAt sleepers: Int) async throws {
        let end = self.now().monotonic.advanced(by: duration)
        try await self.sleepers(atLeast: sleepers)
        while let next = self.nextWake, next <= end {
            self.advance(to: next)
            try await self.sleepers(atLeast: sleepers)
        }
        self.advance(to: end)
    }
}
