import Synchronization

/// What happened, in order, written from any task; a test can wait for the next entry instead of polling.
public final class Journal<Entry: Sendable>: Sendable {
    private struct Watcher {
        let id: UInt64
        let satisfied: @Sendable ([Entry]) -> Bool
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var entries: [Entry] = []
        var nextID: UInt64 = 0
        var watchers: [Watcher] = []
    }

    private let state = Mutex(State())

    /// An empty journal.
    public init() {}

    /// Everything written so far.
    public var entries: [Entry] { self.state.withLock { $0.entries } }

    /// Writes one entry and wakes whoever waited for it.
    public func append(_ entry: Entry) {
        let woken = self.state.withLock { state in
            state.entries.append(entry)
            let woken = state.watchers.filter { $0.satisfied(state.entries) }
            let ids = Set(woken.map(\.id))
            state.watchers.removeAll { ids.contains($0.id) }
            return woken
        }
        for watcher in woken { watcher.continuation.resume() }
    }

    /// Empties the journal and returns what was in it.
    @discardableResult
    public func takeAll() -> [Entry] {
        self.state.withLock { state in
            defer { state.entries = [] }
            return state.entries
        }
    }

    /// Returns once the entries satisfy the condition; throws `CancellationError` when cancelled first.
    public func wait(until satisfied: @escaping @Sendable ([Entry]) -> Bool) async throws {
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let answer = self.state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if satisfied(state.entries) { return .success(()) }
                    state.watchers.append(Watcher(id: id, satisfied: satisfied, continuation: continuation))
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

    /// Returns once there are at least `count` entries; throws `CancellationError` when cancelled first.
    public func wait(forCount count: Int) async throws { try await self.wait { $0.count >= count } }
}

extension Journal where Entry: Equatable {
    /// Returns once `entry` was written; throws `CancellationError` when cancelled first.
    public func wait(for entry: Entry) async throws { try await self.wait { $0.contains(entry) } }
}
