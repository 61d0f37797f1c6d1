@preconcurrency import Dispatch
import OddsCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a running program is told by signals.
///
/// They are heard on a queue of their own, which nothing in the program can hold up: a second signal, or the end of the
/// grace after the first, ends the process whatever its tasks are doing, also when they are past the point of listening.
enum ProgramSignals {
    /// What a signal asks for.
    enum Event: Sendable, Equatable {
        /// SIGTERM or SIGINT, for the first time: end, and tell by which.
        case end(String)
        /// SIGHUP: read the configuration again.
        case reload
        /// SIGUSR1: buy nothing more. SIGUSR2: buy again.
        case killSwitch(Bool)
    }

    /// Hears SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 from now on, for as long as the process lives. Called once.
    ///
    /// - Parameters:
    ///   - grace: how long after the first signal the process may live.
    ///   - overtime: called when the grace is over, a moment before the process is ended.
    static func hear(
        grace: Duration, overtime: @escaping @Sendable () -> Void
    ) -> AsyncStream<Event> {
        let (events, continuation) = AsyncStream<Event>.makeStream()
        let queue = DispatchQueue(label: "oddstream.signals", qos: .userInteractive)
        let isEnding = Ending()
        for (number, name) in [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")] {
            ProgramSignals.on(number, queue) {
                guard isEnding.begin() else { ProgramSignals.endNow(128 + number) }
                continuation.yield(.end(name))
                queue.asyncAfter(deadline: .now() + .nanoseconds(Int(grace.wholeNanoseconds))) {
                    overtime()
                    // The log has a queue of its own; it gets this long to say why.
                    queue.asyncAfter(deadline: .now() + .milliseconds(50)) {
                        ProgramSignals.endNow(ExitStatus.internalError.rawValue)
                    }
                }
            }
        }
        ProgramSignals.on(SIGHUP, queue) { continuation.yield(.reload) }
        ProgramSignals.on(SIGUSR1, queue) { continuation.yield(.killSwitch(true)) }
        ProgramSignals.on(SIGUSR2, queue) { continuation.yield(.killSwitch(false)) }
        return events
    }

    private static func on(_ number: Int32, _ queue: DispatchQueue, _ act: @escaping @Sendable () -> Void) {
        #if canImport(Darwin)
        // There a source hears a signal beside its usual effect, which must not be the end.
        signal(number, SIG_IGN)
        #endif
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler {
            // A source that is let go hears nothing more: its handler holds it, so that it lives as long as the process.
            withExtendedLifetime(source) { act() }
        }
        source.activate()
    }

    private static func endNow(_ status: Int32) -> Never {
        Terminal.restore()
        _exit(status)
    }

    /// Whether the end has begun.
    private final class Ending: Sendable {
        private let hasBegun = Atomic(false)

        /// True for the first caller.
        func begin() -> Bool { !self.hasBegun.exchange(true, ordering: .relaxed) }
    }
}
