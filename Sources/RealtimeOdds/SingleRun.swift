import ServiceLifecycle
import Synchronization

/// The life of something that runs once: begun by whoever comes first, ended by whoever ends it, and over for good.
final class SingleRun: Sendable {
    private enum State {
        case idle
        case running(Task<Void, Never>)
        /// Ended, or about to: nil when it never ran.
        case stopped(Task<Void, Never>?)
    }

    private let state = Mutex(State.idle)

    /// Begins in the background; nil when it was begun or ended before.
    func begin(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never>? {
        self.state.withLock { state in
            guard case .idle = state else { return nil }
            // The one free-standing task; `end()` cancels it and waits for its end.
            let task = Task { await body() }
            state = .running(task)
            return task
        }
    }

    /// Ends it and returns when it has ended; false when it never ran.
    func end() async -> Bool {
        let task = self.state.withLock { state -> Task<Void, Never>? in
            switch state {
            case .idle:
                state = .stopped(nil)
                return nil
            case .running(let task):
                state = .stopped(task)
                return task
            case .stopped(let task): return task
            }
        }
        guard let task else { return false }
        task.cancel()
        await task.value
        return true
    }

    /// Waits for the end, and ends it when the caller is cancelled or its service group shuts down.
    func wait(for task: Task<Void, Never>) async {
        await cancelWhenGracefulShutdown {
            await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
            }
        }
        self.state.withLock { $0 = .stopped(task) }
    }
}
