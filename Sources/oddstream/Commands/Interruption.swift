import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Whether SIGINT or SIGTERM has come, for what computes in a loop of its own and is no daemon.
///
/// The first signal is noted, so that the loop ends at its next chance; the second one ends the process as usual.
enum Interruption {
    private static let flag = Atomic<Bool>(false)

    /// Whether a signal has come since `listen`.
    static var hasCome: Bool { self.flag.load(ordering: .relaxed) }

    /// What is said of results that were cut short.
    static let note = "Cut short by a signal: what had not been reached by then is not in here."

    /// Ends the process as a shell expects of one that a signal ended.
    static func end() -> Never { exit(130) }

    /// From now on the signals are noted.
    static func listen() {
        // Made here: a handler may not be the first to ask for it.
        self.flag.store(false, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interruption.flag.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }
}
