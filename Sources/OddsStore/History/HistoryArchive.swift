public import OddsCore

#if SQLite
import GRDB

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension HistoryDatabase {
    /// A connection to a history, inside a transaction.
    typealias Connection = GRDB.Database
}

/// The history of a directory for those who only read: commands, reports. The service may be writing it meanwhile.
public final class HistoryArchive: HistoryReader {
    /// Whether this build can read a history.
    public static let isAvailable = true

    private let queue: DatabaseQueue
    private let path: String

    /// Opens the history of a directory; nothing is changed there.
    ///
    /// - Throws: `HistoryError`; its message says what to do.
    public convenience init(directory: String) throws(HistoryError) {
        try self.init(directory: directory, busyTimeout: .seconds(2))
    }

    init(directory: String, busyTimeout: Duration) throws(HistoryError) {
        let configuration = HistoryStoreConfiguration(directory: directory)
        self.path = configuration.path
        guard access(directory, F_OK) == 0 else {
            throw HistoryError(
                .notFound, "There is no directory \(directory). Give the one the service uses with --data DIR.")
        }
        guard access(self.path, F_OK) == 0 else {
            throw HistoryError(
                .notFound,
                "There is no history in \(directory). 'oddstream run --data \(directory)' keeps one from its start on.")
        }
        do {
            self.queue = try HistoryDatabase.openForReading(path: self.path, busyTimeout: busyTimeout)
        } catch {
            throw error.error(path: self.path)
        }
    }

    /// Records that match, one page at a time.
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
        do {
            return try await self.queue.read { db in try value(db) }
        } catch {
            throw HistoryError(error, path: self.path)
        }
    }
}
#else
/// The history of a directory for those who only read, in a build without SQLite: it cannot be opened, and says how to
/// build with it.
public final class HistoryArchive: HistoryReader {
    /// Whether this build can read a history.
    public static let isAvailable = false

    /// - Throws: `HistoryError` `unavailable`, always.
    public init(directory: String) throws(HistoryError) { throw HistoryError.withoutSQLite }

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
