import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes to a file descriptor on a queue of its own, so that whoever produces the bytes never waits for a disk or a pipe.
///
/// What is appended while a write is under way goes out together with the next one: rows leave one by one when they are
/// rare and in batches when they are many. After an error nothing more is written; `failure` says what happened.
final class ByteSink: Sendable {
    /// When appended bytes go out.
    enum Urgency: Sendable {
        /// As soon as the descriptor takes them.
        case now
        /// When there are 64 KiB, or after a second.
        case batched
    }

    private struct State {
        var pending: [UInt8] = []
        var isWriting = false
        var isFlushPlanned = false
        var failure: Int32?
        var waiters: [Waiter] = []
        var lastWaiter = 0
    }

    /// A task that waits for something to become true.
    private struct Waiter {
        let id: Int
        let isMet: @Sendable (State) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private let state = Mutex(State())
    private let queue: DispatchQueue
    private let descriptor: Int32

    private static let batch = 64 * 1024
    private static let roomy = 1024 * 1024

    /// A sink on an open descriptor, which stays the caller's to close.
    init(descriptor: Int32, label: String) {
        self.descriptor = descriptor
        self.queue = DispatchQueue(label: "oddstream.\(label)")
    }

    /// The system's number for what ended writing; nil while all is well. `EPIPE` means that the reader has gone.
    var failure: Int32? { self.state.withLock { $0.failure } }

    /// Appends bytes and returns at once. `fill` runs under the sink's lock; it returns false to take nothing.
    ///
    /// - Returns: false when `limit` bytes are waiting already or writing has failed, and nothing was taken.
    @discardableResult
    func append(_ urgency: Urgency = .now, limit: Int = .max, _ fill: (inout [UInt8]) -> Void) -> Bool {
        enum Plan { case refused, nothing, write, later }
        let plan: Plan = self.state.withLock { state in
            guard state.failure == nil, state.pending.count < limit else { return .refused }
            fill(&state.pending)
            if state.isWriting { return .nothing }
            if urgency == .now || state.pending.count >= ByteSink.batch {
                state.isWriting = true
                return .write
            }
            if state.isFlushPlanned { return .nothing }
            state.isFlushPlanned = true
            return .later
        }
        switch plan {
        case .refused: return false
        case .nothing: return true
        case .write: self.queue.async { self.drain() }
        case .later: self.queue.asyncAfter(deadline: .now() + 1) { self.flushPlanned() }
        }
        return true
    }

    /// Appends text.
    @discardableResult
    func append(_ text: String) -> Bool { self.append { $0.append(contentsOf: text.utf8) } }

    /// Returns when less than 1 MiB is waiting, when writing has failed, or when the task is cancelled.
    func waitForRoom() async {
        await self.wait { state in
            state.failure != nil || state.pending.count < ByteSink.roomy || !state.isWriting
        }
    }

    /// Returns when writing has failed, or when the task is cancelled.
    func waitForFailure() async { await self.wait { $0.failure != nil } }

    /// Returns when everything appended so far is written, when writing has failed, or after `limit`: a reader that has
    /// stalled must not keep the program from ending.
    ///
    /// - Returns: false when `limit` passed first.
    @discardableResult
    func flush(within limit: Duration = .milliseconds(500)) async -> Bool {
        self.state.withLock { $0.isWriting = true }
        self.queue.async { self.drain() }
        await withTaskGroup(of: Void.self) { race in
            race.addTask { await self.wait { !$0.isWriting } }
            // It throws only when it is cancelled, and then nobody waits for it any more.
            race.addTask { try? await Task.sleep(for: limit) }
            await race.next()
            race.cancelAll()
        }
        return !self.state.withLock { $0.isWriting }
    }

    /// Waits for the sink to be in a certain state, or for the task's cancellation.
    private func wait(until isMet: @escaping @Sendable (State) -> Bool) async {
        let id = self.state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = self.state.withLock { state in
                    if Task.isCancelled || isMet(state) { return true }
                    state.waiters.append(Waiter(id: id, isMet: isMet, continuation: continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            self.resume { waiter, _ in waiter.id == id }
        }
    }

    /// Wakes the waiters that are chosen.
    private func resume(_ isChosen: (Waiter, State) -> Bool) {
        let chosen = self.state.withLock { state -> [Waiter] in
            guard !state.waiters.isEmpty else { return [] }
            let (now, before) = (state, state.waiters)
            state.waiters = before.filter { !isChosen($0, now) }
            return before.filter { isChosen($0, now) }
        }
        for waiter in chosen { waiter.continuation.resume() }
    }

    private func flushPlanned() {
        let isDue = self.state.withLock { state in
            state.isFlushPlanned = false
            guard !state.isWriting, !state.pending.isEmpty else { return false }
            state.isWriting = true
            return true
        }
        if isDue { self.drain() }
    }

    /// Runs on the queue: writes until nothing is left.
    private func drain() {
        while true {
            let bytes = self.state.withLock { state -> [UInt8] in
                if state.pending.isEmpty || state.failure != nil {
                    state.pending = []
                    state.isWriting = false
                    return []
                }
                var bytes: [UInt8] = []
                bytes.reserveCapacity(ByteSink.batch)
                swap(&bytes, &state.pending)
                return bytes
            }
            self.resume { $0.isMet($1) }
            if bytes.isEmpty { return }
            if let failure = self.write(bytes) { self.state.withLock { $0.failure = failure } }
        }
    }

    private func write(_ bytes: [UInt8]) -> Int32? {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = systemWrite(
                    self.descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
                if count > 0 {
                    written += count
                } else if count < 0, errno == EAGAIN {
                    var wanted = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wanted, 1, -1)
                } else if count < 0, errno != EINTR {
                    return errno
                }
            }
            return nil
        }
    }
}

/// What the system says about an error number.
func systemMessage(_ number: Int32) -> String { String(cString: strerror(number)) }

/// The system's `write`, which a method of that name would hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
