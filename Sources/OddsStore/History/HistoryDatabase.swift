#if SQLite
import Dispatch
import GRDB
import OddsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A record in the shape in which the database library reads and writes rows.
private struct Stored<Record: Codable>: Codable, FetchableRecord, EncodableRecord {
    let record: Record

    init(_ record: Record) { self.record = record }
    init(from decoder: any Decoder) throws { self.record = try Record(from: decoder) }
    func encode(to encoder: any Encoder) throws { try self.record.encode(to: encoder) }
}

/// The open file of a history. Every method blocks: none is called from a task.
struct HistoryDatabase: Sendable {
    /// How a batch went.
    struct Outcome {
        var written: [HistoryRecord.Kind: UInt64] = [:]
        /// Records that the database does not take whatever its state is, and why the last of them.
        var refused: [HistoryRecord.Kind: UInt64] = [:]
        var refusal: String?
    }

    private let pool: DatabasePool
    /// When this run began: incidents count from 1 in every run, and spikes where those of before cannot be read.
    private let run: Timestamp

    /// Opens the file for writing and reading, creates it when it is not there, and brings it up to date.
    init(path: String, busyTimeout: Duration, run: Timestamp) throws(HistoryTrouble) {
        self.run = run
        do {
            if try Self.hasContent(path) {
                try Self.openForReading(path: path, busyTimeout: busyTimeout, isBeforeWriting: true).close()
            }
            self.pool = try DatabasePool(path: path, configuration: Self.configuration(busyTimeout, reads: false))
        } catch {
            throw HistoryTrouble(error)
        }
        do {
            try HistorySchema.migrator.migrate(self.pool)
            try self.pool.write { db in try Self.endEarlierRuns(db, run) }
        } catch {
            // Closed now and not some time later: the name of the file may be another's then.
            try? self.pool.close()
            throw HistoryTrouble(error)
        }
    }

    /// What an earlier run left open ended with it.
    private static func endEarlierRuns(_ db: GRDB.Database, _ run: Timestamp) throws {
        for table in ["spikes", "incidents"] {
            try db.execute(
                sql: """
                    UPDATE \(table) SET ending = ?
                    WHERE end_ms IS NULL AND ending IS NULL AND run_ms <> ?
                    """, arguments: [SpikeRecord.interrupted, run.milliseconds])
        }
    }

    private static func configuration(_ busyTimeout: Duration, reads: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = reads
        configuration.busyMode = .timeout(busyTimeout.secondsValue)
        configuration.label = "history"
        configuration.qos = .utility
        configuration.maximumReaderCount = 4
        configuration.foreignKeysEnabled = false
        if !reads {
            configuration.prepareDatabase { db in
                // A write-ahead log loses at most its last moments when the power fails, and is never damaged by it.
                try db.execute(sql: "PRAGMA synchronous = NORMAL")
                try db.execute(sql: "PRAGMA journal_size_limit = 16777216")
            }
        }
        return configuration
    }

    /// Whether there is a file with anything in it.
    private static func hasContent(_ path: String) throws(HistoryTrouble) -> Bool {
        var information = stat()
        guard stat(path, &information) == 0 else {
            if errno == ENOENT { return false }
            throw .inaccessible(String(cString: strerror(errno)))
        }
        return information.st_size > 0
    }

    /// Throws when the file is not one that this version can use.
    private static func examine(_ db: GRDB.Database, isBeforeWriting: Bool) throws {
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
        // A file without tables was created in a moment that its program did not survive.
        guard application == HistorySchema.applicationID || (tables == 0 && isBeforeWriting) else {
            throw HistoryTrouble.foreign
        }
        guard try !HistorySchema.migrator.hasBeenSuperseded(db) else { throw HistoryTrouble.newerVersion }
        guard try isBeforeWriting || HistorySchema.migrator.hasCompletedMigrations(db) else {
            throw HistoryTrouble.olderVersion
        }
    }

    /// Closes the file; waits for those who read.
    func close() throws(HistoryTrouble) {
        // The pool closes its readers last, and those may not empty the log: what is in it goes to the file here, so that
        // the file alone is whole. When it cannot, as while somebody else writes, the log keeps it, and nothing is lost.
        _ = try? self.pool.writeWithoutTransaction { try $0.checkpoint(.passive) }
        do { try self.pool.close() } catch { throw HistoryTrouble(error) }
    }

    /// Keeps all records or none, but for those that the database would never take.
    func write(_ records: [HistoryRecord]) throws(HistoryTrouble) -> Outcome {
        do {
            return try self.pool.write { db in
                var outcome = Outcome()
                for record in records {
                    do {
                        try self.insert(record, db)
                        outcome.written[record.kind, default: 0] += 1
                    } catch {
                        guard Self.isAboutTheRecord(error) else { throw error }
                        outcome.refused[record.kind, default: 0] += 1
                        outcome.refusal = "\(error)"
                    }
                }
                return outcome
            }
        } catch {
            throw HistoryTrouble(error)
        }
    }

    private static func isAboutTheRecord(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return error is EncodingError }
        return [.SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG, .SQLITE_RANGE].contains(
            error.resultCode.primaryResultCode)
    }

    private func insert(_ record: HistoryRecord, _ db: GRDB.Database) throws {
        func put(_ values: some Codable, _ more: [String: DatabaseValue] = [:]) throws {
            let row = try Stored(values).databaseDictionary.merging(more) { _, new in new }
            let statement = try db.cachedStatement(sql: HistoryTable.of(record.kind).insert)
            try statement.execute(arguments: StatementArguments(row))
        }
        let run = ["run_ms": self.run.milliseconds.databaseValue]
        switch record {
        case .market(let record): try put(record)
        case .odds(let record): try put(record, ["market_key": try Self.key(of: record.market, db)])
        case .spike(let record): try put(record, run)
        case .incident(let record): try put(record, run)
        case .trade(let record): try put(record)
        case .fill(let record): try put(record)
        case .settlement(let record): try put(record)
        case .refusal(let record): try put(record)
        case .referencePrice(let record): try put(record)
        case .signal(let record): try put(record)
        }
    }

    /// The number that stands for a market in the rows of its odds.
    private static func key(of market: MarketID, _ db: GRDB.Database) throws -> DatabaseValue {
        let select = try db.cachedStatement(sql: "SELECT market_key FROM market_keys WHERE market = ?")
        if let key = try Int64.fetchOne(select, arguments: [market.rawValue]) { return key.databaseValue }
        try db.cachedStatement(sql: "INSERT INTO market_keys (market) VALUES (?)").execute(arguments: [market.rawValue])
        return db.lastInsertedRowID.databaseValue
    }

    /// Deletes records of a kind that were filed before a time, at most `limit`.
    ///
    /// - Returns: how many were deleted.
    func prune(_ kind: HistoryRecord.Kind, before: Timestamp, limit: Int) throws(HistoryTrouble) -> Int {
        let table = HistoryTable.of(kind)
        do {
            return try self.pool.write { db in
                try db.cachedStatement(
                    sql: """
                        DELETE FROM \(table.name) WHERE row_id IN
                        (SELECT row_id FROM \(table.name) WHERE \(table.time) < ? LIMIT ?)
                        """
                ).execute(arguments: [before.milliseconds * (1_000_000 / table.unit), limit])
                return db.changesCount
            }
        } catch {
            throw HistoryTrouble(error)
        }
    }

    /// Runs a statement on the connection that writes.
    func execute(_ sql: String) throws { try self.pool.writeWithoutTransaction { try $0.execute(sql: sql) } }

    /// The bytes of the file and of its write-ahead log; nil when there is no such file.
    static func size(of path: String) -> Int64? {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        let size = Int64(information.st_size)
        // There is no log when nothing has been written since the file was closed.
        return stat("\(path)-wal", &information) == 0 ? size + Int64(information.st_size) : size
    }

    /// Gives the file and its log other names.
    ///
    /// - Returns: the new name of the file.
    static func moveAside(_ path: String, at time: Timestamp) throws(HistoryTrouble) -> String {
        let stem = path.hasSuffix(".sqlite") ? String(path.dropLast(7)) : path
        let stamp = time.iso8601.replacing(":", with: "").replacing("-", with: "")
        var aside = "\(stem).corrupt-\(stamp).sqlite"
        var number = 2
        while access(aside, F_OK) == 0 {
            aside = "\(stem).corrupt-\(stamp)-\(number).sqlite"
            number += 1
        }
        // The log goes first: without its file it is never read, but a new file must not find an old log.
        for suffix in ["-wal", "-shm", ""] {
            guard rename(path + suffix, aside + suffix) == 0 || errno == ENOENT else {
                throw .inaccessible("\(path + suffix) cannot be moved aside: \(String(cString: strerror(errno)))")
            }
        }
        return aside
    }
}

// MARK: Reading

extension HistoryDatabase {
    /// One page, from any connection to a history.
    static func page(_ query: HistoryQuery, _ db: GRDB.Database) throws -> HistoryPage<HistoryRecord> {
        let limit = min(max(1, query.limit), HistoryQuery.largestLimit)
        let cursor = try query.cursor.map { text in
            guard let cursor = HistoryCursor(text) else {
                throw HistoryError(
                    .badCursor, "'\(text)' is no cursor of a history: use the 'next' of the page before, unchanged.")
            }
            return cursor
        }
        var found: [(place: HistoryCursor, record: HistoryRecord)] = []
        for (rank, table) in HistoryTable.all.enumerated() where query.kinds.contains(table.kind) {
            guard let selection = Selection(table, rank: rank, query, after: cursor, limit: limit + 1) else { continue }
            let rows = try Row.fetchCursor(
                try db.cachedStatement(sql: selection.sql), arguments: StatementArguments(selection.arguments))
            while let row = try rows.next() {
                let record = try self.record(table.kind, row)
                found.append((HistoryCursor(time: record.nanoseconds, rank: rank, row: row["row_id"]), record))
            }
        }
        switch query.order {
        case .oldestFirst: found.sort { $0.place < $1.place }
        case .newestFirst: found.sort { $1.place < $0.place }
        }
        let next = found.count > limit ? found[limit - 1].place.text : nil
        return HistoryPage(items: found.prefix(limit).map(\.record), next: next)
    }

    private static func record(_ kind: HistoryRecord.Kind, _ row: Row) throws -> HistoryRecord {
        func get<Record: Codable>(_ type: Record.Type) throws -> Record { try Stored<Record>(row: row).record }
        return switch kind {
        case .market: .market(try get(MarketRecord.self))
        case .odds: .odds(try get(OddsPoint.self))
        case .spike: .spike(try get(SpikeRecord.self))
        case .incident: .incident(try get(IncidentRecord.self))
        case .trade: .trade(try get(TradeRecord.self))
        case .fill: .fill(try get(FillRecord.self))
        case .settlement: .settlement(try get(SettlementRecord.self))
        case .refusal: .refusal(try get(RefusalRecord.self))
        case .referencePrice: .referencePrice(try get(ReferencePriceRecord.self))
        case .signal: .signal(try get(SignalRecord.self))
        }
    }

    /// What to select from one table.
    private struct Selection {
        var sql: String
        var arguments: [any DatabaseValueConvertible] = []

        /// Nil when nothing of the table can match.
        init?(_ table: HistoryTable, rank: Int, _ query: HistoryQuery, after cursor: HistoryCursor?, limit: Int) {
            if query.market != nil, !table.hasMarket { return nil }
            var conditions: [String] = []
            var arguments: [any DatabaseValueConvertible] = []
            func require(_ condition: String, _ values: any DatabaseValueConvertible...) {
                conditions.append(condition)
                arguments += values
            }
            let isOdds = table.kind == .odds
            if let market = query.market {
                let condition =
                    isOdds ? "odds.market_key = (SELECT market_key FROM market_keys WHERE market = ?)" : "market = ?"
                require(condition, market.rawValue)
            }
            if let symbol = query.symbol, table.kind == .referencePrice { require("symbol = ?", symbol) }
            let perMillisecond = 1_000_000 / table.unit
            if let from = query.from { require("\(table.time) >= ?", from.milliseconds.scaled(by: perMillisecond)) }
            if let until = query.until { require("\(table.time) < ?", until.milliseconds.scaled(by: perMillisecond)) }
            let ascending = query.order == .oldestFirst
            if let cursor {
                // Places are compared by time, then kind, then row.
                let down = cursor.time.flooredQuotient(table.unit)
                let up = cursor.time % table.unit == 0 ? down : down + 1
                if rank == cursor.rank {
                    let sign = ascending ? ">" : "<"
                    require("(\(table.time), row_id) \(sign) (?, ?)", down, cursor.row)
                } else if ascending {
                    rank < cursor.rank
                        ? require("\(table.time) > ?", down) : require("\(table.time) >= ?", up)
                } else {
                    rank < cursor.rank
                        ? require("\(table.time) <= ?", down) : require("\(table.time) < ?", up)
                }
            }
            let direction = ascending ? "ASC" : "DESC"
            let filter = conditions.isEmpty ? "" : "WHERE \(conditions.joined(separator: " AND "))"
            let source =
                isOdds
                ? "SELECT odds.*, market_keys.market FROM odds JOIN market_keys USING (market_key)"
                : "SELECT * FROM \(table.name)"
            self.sql =
                "\(source) \(filter) ORDER BY \(table.time) \(direction), row_id \(direction) LIMIT \(limit)"
            self.arguments = arguments
        }
    }

    /// The market of a condition id or slug, the newest of several.
    static func market(named name: String, _ db: GRDB.Database) throws -> MarketRecord? {
        try Stored<MarketRecord>.fetchOne(
            db, sql: "SELECT * FROM markets WHERE market = :name OR slug = :name ORDER BY seen_ms DESC LIMIT 1",
            arguments: ["name": name])?.record
    }

    /// Slugs like a name, the nearest first.
    static func slugs(near name: String, limit: Int, _ db: GRDB.Database) throws -> [String] {
        let slugs = try String.fetchAll(
            db, sql: "SELECT slug FROM markets WHERE slug <> '' GROUP BY slug ORDER BY MAX(seen_ms) DESC LIMIT 1000")
        return NearNames.nearest(to: name, among: slugs, limit: limit)
    }

    /// Reads from the open file without waiting for those who write.
    @concurrent
    func read<Value: Sendable>(
        _ value: @escaping @Sendable (GRDB.Database) throws -> Value
    ) async throws -> Value {
        try await self.pool.read { db in try value(db) }
    }

    /// Opens a file that this program may not be the writer of, when it is one that this version can use.
    static func openForReading(
        path: String, busyTimeout: Duration, isBeforeWriting: Bool = false
    ) throws(HistoryTrouble) -> DatabaseQueue {
        do {
            let queue = try DatabaseQueue(path: path, configuration: Self.configuration(busyTimeout, reads: true))
            do {
                try queue.read { db in try Self.examine(db, isBeforeWriting: isBeforeWriting) }
                return queue
            } catch {
                try? queue.close()
                throw error
            }
        } catch {
            throw HistoryTrouble(error)
        }
    }
}

/// A place between records: time, then kind, then row.
struct HistoryCursor: Comparable {
    var time: Int64
    var rank: Int
    var row: Int64

    init(time: Int64, rank: Int, row: Int64) {
        self.time = time
        self.rank = rank
        self.row = row
    }

    /// Reads `text`.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let time = Int64(parts[0]), let row = Int64(parts[2]),
            let rank = HistoryTable.all.firstIndex(where: { $0.kind.rawValue == parts[1] })
        else { return nil }
        self.init(time: time, rank: rank, row: row)
    }

    /// The cursor as it is given out.
    var text: String { "\(self.time).\(HistoryTable.all[self.rank].kind.rawValue).\(self.row)" }

    static func < (a: HistoryCursor, b: HistoryCursor) -> Bool {
        (a.time, a.rank, a.row) < (b.time, b.rank, b.row)
    }
}

extension Int64 {
    /// The product, kept within 64 bits.
    fileprivate func scaled(by factor: Int64) -> Int64 {
        let (product, overflow) = self.multipliedReportingOverflow(by: factor)
        return overflow ? (self < 0 ? .min : .max) : product
    }
}

extension HistoryTrouble {
    /// What an error of the database means.
    init(_ error: any Error) {
        switch error {
        case let trouble as HistoryTrouble: self = trouble
        case let error as DatabaseError:
            let what = error.message ?? "\(error.resultCode)"
            switch error.resultCode.primaryResultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy
            case .SQLITE_FULL: self = .full
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged(what)
            default: self = .inaccessible(what)
            }
        default: self = .inaccessible("\(error)")
        }
    }
}

extension HistoryError {
    /// What an error while reading means to the one who asked.
    init(_ error: any Error, path: String) {
        switch error {
        case let error as HistoryError: self = error
        case is CancellationError: self = HistoryError(.cancelled, "The reading was cancelled before it was done.")
        case is DecodingError:
            self = HistoryTrouble.damaged("a row cannot be read: \(error)").error(path: path)
        default: self = HistoryTrouble(error).error(path: path)
        }
    }
}
#endif
