#if SQLite
import GRDB
import OddsCore

/// Where the records of one kind are kept. Columns are named like the keys of the record.
struct HistoryTable: Sendable {
    let kind: HistoryRecord.Kind
    let name: String
    /// The column of the time a record is filed under.
    let time: String
    /// How many nanoseconds one unit of that column is.
    let unit: Int64
    /// Whether records have a market.
    let hasMarket: Bool
    /// Writes one record; a record of the same key takes the earlier one's place.
    let insert: String

    private init(
        _ kind: HistoryRecord.Kind, _ name: String, time: String, unit: Int64 = 1_000_000, hasMarket: Bool = true,
        columns: [String], key: [String] = [], once: Set<String> = [], keepsKnown: Bool = false
    ) {
        self.kind = kind
        self.name = name
        self.time = time
        self.unit = unit
        self.hasMarket = hasMarket
        let names = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        let values = columns.map { ":\($0)" }.joined(separator: ", ")
        var sql = "INSERT INTO \(name) (\(names)) VALUES (\(values))"
        if !key.isEmpty {
            let updates = columns.filter { !key.contains($0) && !once.contains($0) }.map { column in
                let new = "excluded.\"\(column)\""
                return "\"\(column)\" = " + (keepsKnown ? "COALESCE(NULLIF(\(new), ''), \"\(column)\")" : new)
            }
            let keys = key.map { "\"\($0)\"" }.joined(separator: ", ")
            sql += " ON CONFLICT (\(keys)) DO UPDATE SET \(updates.joined(separator: ", "))"
        }
        self.insert = sql
    }

    private static func names<Key: CodingKey & CaseIterable>(_ keys: Key.Type) -> [String] {
        keys.allCases.map(\.stringValue)
    }

    /// Every kind's table, in the order in which records of the same time are told.
    static let all: [HistoryTable] = [
        HistoryTable(
            .market, "markets", time: "seen_ms", columns: names(MarketRecord.CodingKeys.self), key: ["market"],
            once: ["seen_ms"], keepsKnown: true),
        HistoryTable(
            .odds, "odds", time: "receive_time_ns", unit: 1,
            columns: ["market_key"] + names(OddsPoint.CodingKeys.self).filter { $0 != "market" },
            key: ["market_key", "receive_time_ns"]),
        HistoryTable(
            .spike, "spikes", time: "begin_ms", columns: names(SpikeRecord.CodingKeys.self) + ["run_ms"],
            key: ["market", "side", "basis", "begin_ms"]),
        HistoryTable(
            .incident, "incidents", time: "begin_ms", columns: names(IncidentRecord.CodingKeys.self) + ["run_ms"],
            key: ["run_ms", "id"]),
        HistoryTable(
            .trade, "trades", time: "decided_ms", columns: names(TradeRecord.CodingKeys.self),
            key: ["broker", "order", "decided_ms"]),
        HistoryTable(
            .fill, "fills", time: "filled_ms", columns: names(FillRecord.CodingKeys.self),
            key: ["broker", "order", "filled_ms", "fill"]),
        HistoryTable(
            .settlement, "settlements", time: "settled_ms", columns: names(SettlementRecord.CodingKeys.self),
            key: ["broker", "market", "side", "settled_ms"]),
        HistoryTable(.refusal, "refusals", time: "time_ms", columns: names(RefusalRecord.CodingKeys.self)),
        HistoryTable(
            .referencePrice, "reference_prices", time: "received_ms", hasMarket: false,
            columns: names(ReferencePriceRecord.CodingKeys.self), key: ["symbol", "source", "time_ms"],
            once: ["received_ms"]),
        HistoryTable(
            .signal, "signals", time: "time_ms", columns: names(SignalRecord.CodingKeys.self), key: ["id", "sink"]),
    ]

    /// The table of a kind.
    static func of(_ kind: HistoryRecord.Kind) -> HistoryTable {
        // Every kind has its table: `HistorySchemaTests` goes through all of them.
        self.all.first { $0.kind == kind }!
    }
}

/// The versions of the file.
enum HistorySchema {
    /// What marks a file as one of ours: "ODDS".
    static let applicationID: Int32 = 0x4F44_4453

    /// Brings a file from any earlier version to this one. A step is never changed once it was published.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(sql: "PRAGMA application_id = \(HistorySchema.applicationID)")
            try db.execute(sql: HistorySchema.version1)
        }
        return migrator
    }

    private static let version1 = """
        CREATE TABLE markets (
            row_id INTEGER PRIMARY KEY, market TEXT NOT NULL UNIQUE, slug TEXT NOT NULL, seen_ms INTEGER NOT NULL,
            question TEXT, series TEXT, window_start_ms INTEGER, window_end_ms INTEGER, yes_label TEXT NOT NULL,
            yes_asset TEXT NOT NULL, no_label TEXT, no_asset TEXT, previous_market TEXT, first_odds_ms INTEGER,
            winner TEXT, resolved_by TEXT, resolved_ms INTEGER);
        CREATE INDEX markets_slug ON markets (slug);
        CREATE INDEX markets_time ON markets (seen_ms);

        CREATE TABLE market_keys (market_key INTEGER PRIMARY KEY, market TEXT NOT NULL UNIQUE);
        CREATE TABLE odds (
            row_id INTEGER PRIMARY KEY, market_key INTEGER NOT NULL, receive_time_ns INTEGER NOT NULL,
            exchange_time_ms INTEGER NOT NULL, yes_bid REAL, yes_ask REAL, no_bid REAL, no_ask REAL,
            yes_bid_size REAL NOT NULL, yes_ask_size REAL NOT NULL, no_bid_size REAL NOT NULL,
            no_ask_size REAL NOT NULL, displayed_odds REAL, no_displayed_odds REAL, last_trade REAL,
            trust TEXT NOT NULL, reason TEXT, epoch INTEGER NOT NULL, source TEXT NOT NULL, cause TEXT NOT NULL,
            spread REAL, microprice REAL, imbalance REAL, bid_depth REAL, ask_depth REAL, flow REAL,
            flow_acceleration REAL, volatility REAL, UNIQUE (market_key, receive_time_ns));
        CREATE INDEX odds_time ON odds (receive_time_ns);
        CREATE VIEW odds_by_market AS
            SELECT market_keys.market, odds.* FROM odds JOIN market_keys USING (market_key);

        CREATE TABLE spikes (
            row_id INTEGER PRIMARY KEY, number INTEGER NOT NULL, market TEXT NOT NULL, slug TEXT NOT NULL,
            side TEXT NOT NULL, basis TEXT NOT NULL, threshold REAL NOT NULL, begin_ms INTEGER NOT NULL,
            peak REAL NOT NULL, peak_ms INTEGER NOT NULL, end_ms INTEGER, duration_ms REAL, time_over_ms REAL NOT NULL,
            crossings INTEGER NOT NULL, ending TEXT, epoch INTEGER NOT NULL, trust TEXT NOT NULL, source TEXT NOT NULL,
            seen_by_poller INTEGER NOT NULL, run_ms INTEGER NOT NULL, UNIQUE (market, side, basis, begin_ms));
        CREATE INDEX spikes_time ON spikes (begin_ms);

        CREATE TABLE incidents (
            row_id INTEGER PRIMARY KEY, id INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
            title TEXT NOT NULL, summary TEXT NOT NULL, market TEXT, slug TEXT, series TEXT, lines TEXT NOT NULL,
            reason TEXT, detail TEXT, begin_ms INTEGER NOT NULL, detected_ms INTEGER NOT NULL, end_ms INTEGER,
            detection_s REAL NOT NULL, duration_s REAL NOT NULL, ending TEXT, served_s TEXT NOT NULL,
            lost_s REAL NOT NULL, epoch_before INTEGER, epoch_after INTEGER, occurrences INTEGER NOT NULL,
            resyncs INTEGER NOT NULL, attempts INTEGER NOT NULL, run_ms INTEGER NOT NULL, UNIQUE (run_ms, id));
        CREATE INDEX incidents_time ON incidents (begin_ms);
        CREATE INDEX incidents_market ON incidents (market, begin_ms);

        CREATE TABLE trades (
            row_id INTEGER PRIMARY KEY, "order" INTEGER NOT NULL, broker TEXT NOT NULL, market TEXT NOT NULL,
            slug TEXT NOT NULL, side TEXT NOT NULL, status TEXT NOT NULL, reason TEXT, decided_ms INTEGER NOT NULL,
            epoch INTEGER NOT NULL, "limit" REAL NOT NULL, size REAL NOT NULL, filled REAL NOT NULL,
            average_price REAL, cost REAL NOT NULL, fee REAL NOT NULL, filled_ms INTEGER, winner TEXT,
            settled_by TEXT, payout REAL, profit REAL, settled_ms INTEGER, UNIQUE (broker, "order", decided_ms));
        CREATE INDEX trades_time ON trades (decided_ms);
        CREATE INDEX trades_market ON trades (market, decided_ms);

        CREATE TABLE fills (
            row_id INTEGER PRIMARY KEY, "order" INTEGER NOT NULL, fill INTEGER NOT NULL, broker TEXT NOT NULL,
            market TEXT NOT NULL, slug TEXT NOT NULL, side TEXT NOT NULL, price REAL NOT NULL, size REAL NOT NULL,
            filled_ms INTEGER NOT NULL, UNIQUE (broker, "order", filled_ms, fill));
        CREATE INDEX fills_time ON fills (filled_ms);
        CREATE INDEX fills_market ON fills (market, filled_ms);

        CREATE TABLE settlements (
            row_id INTEGER PRIMARY KEY, broker TEXT NOT NULL, market TEXT NOT NULL, slug TEXT NOT NULL,
            side TEXT NOT NULL, winner TEXT NOT NULL, settled_by TEXT NOT NULL, size REAL NOT NULL, cost REAL NOT NULL,
            fees REAL NOT NULL, payout REAL NOT NULL, profit REAL NOT NULL, settled_ms INTEGER NOT NULL,
            UNIQUE (broker, market, side, settled_ms));
        CREATE INDEX settlements_time ON settlements (settled_ms);
        CREATE INDEX settlements_market ON settlements (market, settled_ms);

        CREATE TABLE refusals (
            row_id INTEGER PRIMARY KEY, market TEXT NOT NULL, slug TEXT NOT NULL, side TEXT NOT NULL,
            reason TEXT NOT NULL, "limit" REAL, size REAL, time_ms INTEGER NOT NULL);
        CREATE INDEX refusals_time ON refusals (time_ms);
        CREATE INDEX refusals_market ON refusals (market, time_ms);

        CREATE TABLE reference_prices (
            row_id INTEGER PRIMARY KEY, symbol TEXT NOT NULL, source TEXT NOT NULL, price REAL NOT NULL,
            time_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL, UNIQUE (symbol, source, time_ms));
        CREATE INDEX reference_prices_time ON reference_prices (received_ms);

        CREATE TABLE signals (
            row_id INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, sink TEXT NOT NULL, market TEXT,
            attempts INTEGER NOT NULL, outcome TEXT NOT NULL, detail TEXT, time_ms INTEGER NOT NULL,
            UNIQUE (id, sink));
        CREATE INDEX signals_time ON signals (time_ms);
        CREATE INDEX signals_market ON signals (market, time_ms);
        """
}
#endif
