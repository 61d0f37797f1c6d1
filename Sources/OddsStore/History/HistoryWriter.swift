#if SQLite
import Logging
import OddsCore

/// Owns the file of a history: opens it, writes, deletes what is too old, and copes with trouble. Blocks; lives on the
/// store's worker.
struct HistoryWriter {
    /// How the work went.
    struct Report {
        var database: HistoryDatabase?
        var troubledSince: Timestamp?
        var error: String?
        var fileSize: Int64?
    }

    private let configuration: HistoryStoreConfiguration
    private let logger: Logger
    private var run: Timestamp?
    private var database: HistoryDatabase?
    /// The batch that could not be written yet.
    private(set) var pending: [HistoryRecord] = []
    private var trouble: HistoryTrouble?
    /// What went wrong last; stays when the trouble is over.
    private var lastError: String?
    private var troubledSince: Timestamp?
    private var failures = 0
    private var retryAt: MonotonicTime?
    private var pruneAt: MonotonicTime?
    private var refusals = 0

    /// How many records are written together at most.
    private static let batch = 1000
    /// How many records are deleted together: writers never wait longer than for these.
    private static let pruneStep = 500
    /// How often is looked for what is too old.
    private static let pruneInterval = Duration.seconds(60)
    /// How long to wait after a failure, growing to the last.
    private static let pauses: [Duration] = [
        .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2), .seconds(5),
    ]

    init(configuration: HistoryStoreConfiguration, logger: Logger) {
        self.configuration = configuration
        var logger = logger
        logger[metadataKey: LogKey.path] = "\(configuration.path)"
        self.logger = logger
    }

    /// Writes everything there is and deletes a little of what is too old; after a failure it waits before it tries again.
    ///
    /// - Parameters:
    ///   - isLast: whether there is no later: nothing waits and nothing is deleted.
    ///   - next: takes records out of the queue.
    ///   - done: called for each batch that is written.
    mutating func work(
        now: ReceiveTime, isLast: Bool, next: (Int) -> [HistoryRecord], done: (HistoryDatabase.Outcome) -> Void
    ) -> Report {
        if isLast || self.retryAt.map({ $0 <= now.monotonic }) ?? true {
            // A second time at once where a damaged file has just been replaced.
            if self.attempt(now, isLast, next, done) == .again { _ = self.attempt(now, isLast, next, done) }
        }
        return Report(
            database: self.database, troubledSince: self.troubledSince,
            error: self.lastError,
            fileSize: HistoryDatabase.size(of: self.configuration.path))
    }

    private enum Verdict { case done, later, again }

    private mutating func attempt(
        _ now: ReceiveTime, _ isLast: Bool, _ next: (Int) -> [HistoryRecord], _ done: (HistoryDatabase.Outcome) -> Void
    ) -> Verdict {
        do {
            let database = try self.open(now)
            try self.write(to: database, next, done)
            if !isLast { try self.prune(database, now) }
            self.succeeded(now)
            return .done
        } catch {
            return self.failed(error, now)
        }
    }

    /// Closes the file.
    ///
    /// - Returns: what went wrong; nil when nothing did.
    mutating func close() -> String? {
        defer { self.database = nil }
        do {
            try self.database?.close()
            return nil
        } catch {
            return error.message(path: self.configuration.path)
        }
    }

    /// Logs what became of everything.
    func tellEnd(_ status: HistoryStatus) {
        let lost = status.dropped.values.reduce(0, +)
        guard lost > 0 else { return }
        self.logger.warning("History is closed; some records were left out", metadata: [LogKey.count: "\(lost)"])
    }

    private mutating func open(_ now: ReceiveTime) throws(HistoryTrouble) -> HistoryDatabase {
        if let database {
            // What is written to a file without a name is lost, and no write would say so.
            guard HistoryDatabase.size(of: self.configuration.path) != nil else {
                throw .inaccessible("it was deleted while it was in use; a new one is begun")
            }
            return database
        }
        let run = self.run ?? now.wall
        self.run = run
        let database = try HistoryDatabase(
            path: self.configuration.path, busyTimeout: self.configuration.busyTimeout, run: run)
        self.database = database
        self.logger.info("History is open")
        return database
    }

    private mutating func write(
        to database: HistoryDatabase, _ next: (Int) -> [HistoryRecord], _ done: (HistoryDatabase.Outcome) -> Void
    ) throws(HistoryTrouble) {
        while true {
            if self.pending.isEmpty { self.pending = next(HistoryWriter.batch) }
            guard !self.pending.isEmpty else { return }
            let outcome = try database.write(self.pending)
            self.pending = []
            done(outcome)
            if let refusal = outcome.refusal { self.tellRefusal(refusal, outcome) }
        }
    }

    /// A fault of this program; the first is worth an error, the rest are counted.
    private mutating func tellRefusal(_ refusal: String, _ outcome: HistoryDatabase.Outcome) {
        self.refusals += 1
        self.logger.log(
            level: self.refusals == 1 ? .error : .debug, "Records do not fit into the history and were left out",
            metadata: [LogKey.error: "\(refusal)", LogKey.count: "\(outcome.refused.values.reduce(0, +))"])
    }

    private mutating func prune(_ database: HistoryDatabase, _ now: ReceiveTime) throws(HistoryTrouble) {
        guard self.pruneAt.map({ $0 <= now.monotonic }) ?? true else { return }
        var isMore = false
        let rules: [(HistoryRecord.Kind, Duration?)] = [
            (.odds, self.configuration.oddsRetention), (.referencePrice, self.configuration.referenceRetention),
        ]
        for (kind, retention) in rules {
            guard let retention else { continue }
            let count = try database.prune(
                kind, before: now.wall.advanced(by: .zero - retention), limit: HistoryWriter.pruneStep)
            isMore = isMore || count == HistoryWriter.pruneStep
        }
        // What is left is deleted after the next batch.
        self.pruneAt = isMore ? nil : now.monotonic.advanced(by: HistoryWriter.pruneInterval)
    }

    private mutating func succeeded(_ now: ReceiveTime) {
        if let since = self.troubledSince {
            let length = since.duration(to: now.wall).secondsValue
            self.logger.notice("History is written again", metadata: ["history.trouble.seconds": "\(length)"])
        }
        self.trouble = nil
        self.troubledSince = nil
        self.failures = 0
        self.retryAt = nil
    }

    private mutating func failed(_ trouble: HistoryTrouble, _ now: ReceiveTime) -> Verdict {
        let message = trouble.message(path: self.configuration.path)
        if self.trouble != trouble {
            self.logger.error("History cannot be written; records wait", metadata: [LogKey.error: "\(message)"])
        }
        self.trouble = trouble
        self.lastError = message
        self.troubledSince = self.troubledSince ?? now.wall
        let pause = HistoryWriter.pauses[min(self.failures, HistoryWriter.pauses.count - 1)]
        self.failures += 1
        self.retryAt = now.monotonic.advanced(by: pause)
        if trouble.needsReopening, let error = self.close() {
            self.logger.warning("History did not close well", metadata: [LogKey.error: "\(error)"])
        }
        return trouble.isDamage && self.moveAside(now) ? .again : .later
    }

    /// Moves a damaged file aside, so that a new one is begun by the next attempt.
    private func moveAside(_ now: ReceiveTime) -> Bool {
        do {
            let aside = try HistoryDatabase.moveAside(self.configuration.path, at: now.wall)
            self.logger.error(
                "History was damaged; it was moved aside and a new one is begun",
                metadata: ["file.moved": "\(aside)"])
            return true
        } catch {
            self.logger.error(
                "History is damaged and cannot be moved aside",
                metadata: [LogKey.error: "\(error.message(path: self.configuration.path))"])
            return false
        }
    }
}
#endif
