import NIOPosix
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the tasks around one child share.
final class RunState: Sendable {
    /// Whether it has ended.
    let hasEnded = Atomic(false)
    /// Whether its time was up before.
    let isLate = Atomic(false)
}

/// The end of a child, without taking its status from whoever waits for that.
enum ChildExit {
    /// Returns when the child has ended; it stays to be reaped. Takes one thread meanwhile, and is not cancellable.
    static func wait(for child: pid_t, on threads: NIOThreadPool) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            threads.submit { _ in
                // The pool runs as long as its line is lent: the state is always `active`.
                var info = siginfo_t()
                while waitid(P_PID, id_t(child), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
                continuation.resume()
            }
        }
    }
}

/// Writing to a child that does not read.
enum BrokenPipe {
    /// Makes it an error of the write instead of the end of this process: for the whole process and for good, as NIO does
    /// for its sockets. Children get the default back.
    static func ignore() { signal(SIGPIPE, SIG_IGN) }
}
