public import Logging
public import OddsCore
public import ServiceLifecycle

#if SQLite
import Dispatch
import Synchronization

/// The history in SQLite: takes records from anywhere, writes them in batches on a queue of its own, and reads them back.
///
/// Whatever happens to the file or the disk, `record(_:)` returns at once and nothing is thrown into the stream: trouble is
/// logged and told by `status`, records wait as long as there is room, and writing goes on when the trouble is over. A
/// damaged file is moved aside as `history.corrupt-<time>.sqlite` and a new one begun.
///
/// Nothing is opened before `run()`. After a graceful shutdown everything taken so far is written and the file is closed
/// before `run()` returns; the same when its task is cancelled. Runs once.
public final class HistoryStore: HistoryRecorder, HistoryReader, Service {
    /// Whether this build can keep a history.
    public static let isAvailable = true

    /// What is shared with those who record.
    private struct Inbox {
        var queue: HistoryQueue
        var thinning: OddsThinning
        /// Records that have left the queue and are not written yet.
        var underWay = 0
        var isClosed = false
        var status = HistoryStatus()

        mutating func append(_ record: HistoryRecord) {
            guard let dropped = self.queue.append(record, reserved: self.underWay) else { return }
            self.status.dropped[dropped, default: 0] += 1
        }
    }

    private let configuration: HistoryStoreConfiguration
    private let clock: any StreamClock
    private let inbox: Mutex<Inbox>
    /// Held while the file is worked on, by the worker's thread alone.
    private let writer: Mutex<HistoryWriter>
    /// What is open for reading; nil while nothing is.
    private let database = Mutex<HistoryDatabase?>(nil)
    private let worker = DispatchQueue(label: "oddstream.history", qos: .utility)

    /// A history of a directory; nothing is opened before `run()`.
    ///
    /// - Throws: `HistoryError` `unavailable` in a build without SQLite, which this is not.
    public init(
        configuration: HistoryStoreConfiguration, clock: any StreamClock, logger: Logger
    ) throws(HistoryError) {
        self.configuration = configuration
        self.clock = clock
        self.inbox = Mutex(
            Inbox(
                queue: HistoryQueue(capacity: configuration.queueCapacity),
                thinning: OddsThinning(interval: configuration.oddsInterval)))
        self.writer = Mutex(HistoryWriter(configuration: configuration, logger: logger))
    }

    /// Takes a record and returns at once. Odds are thinned first; when too many records wait, the least important are
    /// left out and counted. After the end nothing is taken.
    public func record(_ record: HistoryRecord) {
        self.inbox.withLock { inbox in
            guard !inbox.isClosed else { return }
            guard case .odds(let point) = record else { return inbox.append(record) }
            var kept: (OddsPoint?, OddsPoint?) = (nil, nil)
            inbox.thinning.take(point) { if kept.0 == nil { kept.0 = $0 } else { kept.1 = $0 } }
            if let point = kept.0 { inbox.append(.odds(point)) }
            if let point = kept.1 { inbox.append(.odds(point)) }
        }
    }

    /// How the history fares now.
    public var status: HistoryStatus {
        self.inbox.withLock { inbox in
            var status = inbox.status
            status.queued = inbox.queue.count + inbox.underWay
            return status
        }
    }

    /// Writes until a graceful shutdown or the task's cancellation, and then what is left; never throws.
    public func run() async {
        // It throws only when it is cancelled, and then what is left is written all the same.
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.work()
                try await self.clock.sleep(for: self.configuration.batchInterval)
            }
        }
        self.inbox.withLock { $0.isClosed = true }
        await self.onWorker { self.finish() }
    }

    /// Returns when everything taken so far is written, or cannot be written now.
    public func flush() async { await self.work() }

    /// Runs a statement on the connection that writes; for tests of what may be wrong with a file.
    func execute(_ sql: String) async throws { try self.database.withLock { $0 }?.execute(sql) }

    private func work() async { await self.onWorker { self.step(isLast: false) } }

    private func onWorker(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            self.worker.async {
                body()
                continuation.resume()
            }
        }
    }

    // MARK: On the worker

    /// Everything that is due now.
    private func step(isLast: Bool) {
        let now = self.clock.now()
        self.inbox.withLock { inbox in
            var due: [OddsPoint] = []
            if isLast {
                inbox.thinning.finish { due.append($0) }
            } else {
                inbox.thinning.advance(to: now.unixNanoseconds) { due.append($0) }
            }
            for point in due { inbox.append(.odds(point)) }
        }
        self.writer.withLock { writer in
            let report = writer.work(
                now: now, isLast: isLast,
                next: { limit in
                    self.inbox.withLock { inbox in
                        let records = inbox.queue.take(limit)
                        inbox.underWay = records.count
                        return records
                    }
                },
                done: { outcome in
                    self.inbox.withLock { inbox in
                        inbox.underWay = 0
                        inbox.status.written.merge(outcome.written, uniquingKeysWith: +)
                        inbox.status.dropped.merge(outcome.refused, uniquingKeysWith: +)
                        if let refusal = outcome.refusal { inbox.status.lastError = refusal }
                    }
                })
            self.database.withLock { $0 = report.database }
            self.inbox.withLock { inbox in
                inbox.status.state = report.troubledSince.map { .troubled(since: $0) } ?? .writing
                if let error = report.error { inbox.status.lastError = error }
                inbox.status.fileSize = report.fileSize
            }
        }
    }

    private func finish() {
        self.step(isLast: true)
        self.database.withLock { $0 = nil }
        self.writer.withLock { writer in
            let error = writer.close()
            self.inbox.withLock { inbox in
                // What could not be written is lost now, and is told.
                for record in inbox.queue.take(.max) + writer.pending {
                    inbox.status.dropped[record.kind, default: 0] += 1
                }
                inbox.underWay = 0
                if let error { inbox.status.lastError = error }
                inbox.status.state = .stopped
                writer.tellEnd(inbox.status)
            }
        }
    }

    // MARK: Reading

    /// Records that match, one page at a time. What was recorded within the last moments may not be there yet.
    public func history(_ query: HistoryQuery) async throws(HistoryError) -> HistoryPage<HistoryRecord> {
        try await self.read { try HistoryDatabase.page(query, $0) }
    }

    /// The market of a condition id or slug; nil when none was kept.
    public func market(named name: String) async throws(HistoryError) -> MarketRecord? {
        try await self.read { try HistoryDatabase.market(named: name, $0) }
    }

    /// The slugs of kept markets that are most like a name, the nearest first.
    public func slugs(near name: String, limit: Int) async throws(HistoryError) -> [String] {
        try await self.read { try HistoryDatabase.slugs(near: name, limit: limit, $0) }
    }

    private func read<Value: Sendable>(
        _ value: @escaping @Sendable (HistoryDatabase.Connection) throws -> Value
    ) async throws(HistoryError) -> Value {
        guard let database = self.database.withLock({ $0 }) else {
            let status = self.status
            throw HistoryError(
                .inaccessible,
                status.lastError
                    ?? "The history is \(status.state == .stopped ? "closed" : "not open yet"): ask again in a moment.")
        }
        do {
            return try await database.read(value)
        } catch {
            throw HistoryError(error, path: self.configuration.path)
        }
    }
}
#else
/// The history in SQLite, in a build without SQLite: it cannot be made, and says how to build with it.
public final class HistoryStore: HistoryRecorder, HistoryReader, Service {
    /// Whether this build can keep a history.
    public static let isAvailable = false

    /// - Throws: `HistoryError` `unavailable`, always.
    public init(
        configuration: HistoryStoreConfiguration, clock: any StreamClock, logger: Logger
    ) throws(HistoryError) {
        throw HistoryError.withoutSQLite
    }

    /// Lets the record go.
    public func record(_ record: HistoryRecord) {}

    /// Nothing is kept.
    public var status: HistoryStatus { HistoryStatus(state: .stopped) }

    /// Returns at a graceful shutdown, or when the task is cancelled.
    public func run() async { try? await gracefulShutdown() }

    /// Returns at once.
    public func flush() async {}

    /// - Throws: `HistoryError` `unavailable`, always.
    public func history(_ query: HistoryQuery) async throws(HistoryError) -> HistoryPage<HistoryRecord> {
        throw HistoryError.withoutSQLite
    }

    /// - Throws: `HistoryError` `unavailable`, always.
    public func market(named name: String) async throws(HistoryError) -> MarketRecord? {
        throw HistoryError.withoutSQLite
    }

    /// - Throws: `HistoryError` `unavailable`, always.
    public func slugs(near name: String, limit: Int) async throws(HistoryError) -> [String] {
        throw HistoryError.withoutSQLite
    }
}
#endif

extension HistoryError {
    /// What a build without SQLite answers.
    static let withoutSQLite = HistoryError(
        .unavailable,
        "This program was built without SQLite, so it keeps no history. Install libsqlite3-dev and build with "
            + "'swift build --traits SQLite', or with 'make build', which does both.")
}
