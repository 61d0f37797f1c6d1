import Synchronization

/// Wakes one waiting task. A ring that nobody waits for is kept for the next wait; several rings are one.
final class Alarm: Sendable {
    private enum State {
        case silent
        case rung
        case awaited(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex(State.silent)

    /// Wakes the waiting task, or the next one that waits.
    func ring() {
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            switch state {
            case .awaited(let waiter):
                state = .silent
                return waiter
            case .silent, .rung:
                state = .rung
                return nil
            }
        }
        waiter?.resume()
    }

    /// Returns on the next ring, at once when one is kept, or when the task is cancelled. One task waits at a time.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                // Cancellation runs `onCancel` before or after this: before, it is seen here; after, it finds the waiter.
                let isOver = self.state.withLock { state -> Bool in
                    switch state {
                    case .rung:
                        state = .silent
                        return true
                    case .silent:
                        if Task.isCancelled { return true }
                        state = .awaited(continuation)
                        return false
                    case .awaited:
                        preconditionFailure("an alarm wakes one task at a time; make a second alarm")
                    }
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard case .awaited(let waiter) = state else { return nil }
                state = .silent
                return waiter
            }
            waiter?.resume()
        }
    }
}
