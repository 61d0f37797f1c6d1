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
        var waiters: [CheckedContinuation<Void, Never>] = []
        var room: [CheckedContinuation<Void, Never>] = []
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

    /// Returns when less than 1 MiB is waiting, or when writing has failed.
    func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let isRoomy = self.state.withLock { state in
                if state.failure != nil || state.pending.count < ByteSink.roomy || !state.isWriting { return true }
                state.room.append(continuation)
                return false
            }
            if isRoomy { continuation.resume() }
        }
    }

    /// Returns when everything appended so far is written, or when writing has failed.
    func flush() async {
        await withCheckedContinuation { continuation in
            self.state.withLock { state in
                state.waiters.append(continuation)
                state.isWriting = true
            }
            self.queue.async { self.drain() }
        }
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
            let (bytes, waiting) = self.state.withLock { state -> ([UInt8], [CheckedContinuation<Void, Never>]) in
                if state.pending.isEmpty || state.failure != nil {
                    state.pending = []
                    state.isWriting = false
                    defer {
                        state.waiters = []
                        state.room = []
                    }
                    return ([], state.waiters + state.room)
                }
                var bytes: [UInt8] = []
                bytes.reserveCapacity(ByteSink.batch)
                swap(&bytes, &state.pending)
                defer { state.room = [] }
                return (bytes, state.room)
            }
            for continuation in waiting { continuation.resume() }
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
