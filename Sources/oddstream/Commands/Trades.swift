import ArgumentParser
import OddsCore
import OddsStore
import OddsTrading
import RealtimeOdds

/// `oddstream trades`: the orders and what became of them.
struct Trades: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the orders of the trading loop and what became of them.",
        discussion: """
            Reads the directory of the service, which may be running: the record of trades itself, which loses nothing \
            when the program or the machine dies. Times are UTC, prices dollars a share. As json and csv, rows have the \
            keys of /v1/trades and begin with the newest.
            """)

    @OptionGroup var records: RecordOptions
    @Option(help: ArgumentHelp("Only this market: its slug or condition id.", valueName: "market"))
    var market: String?
    @OptionGroup var general: GeneralOptions

    func run() async throws {
        let settings = try self.general.settings(self.records, self.general)
        if self.general.printConfig {
            Swift.print(settings.report([(.data, default: "")]))
            return
        }
        let directory = try RecordOptions.directory(settings)
        do {
            let source = try Trades.source(of: directory)
            let times = self.records.times(now: SystemClock().now().wall)
            var query = HistoryQuery(kinds: [.trade], from: times.from, until: times.until)
            if let market { query.market = try await source.marketID(named: market) }
            // Rows of `/v1/trades` do not say that they are trades.
            var printer = RecordPrinter(.trade, self.records.format) { record in
                if case .trade(let trade) = record { try RecordLines.json(trade) } else { try RecordLines.json(record) }
            }
            try await printer.print(limit: self.records.rows) { [query] cursor, limit in
                var query = query
                query.cursor = cursor
                query.limit = limit
                let page = try await source.trades(query)
                return HistoryPage(items: page.items.map { .trade($0) }, next: page.next)
            }
        } catch let error as HistoryError {
            throw ProgramFailure(error)
        }
    }

    /// Where the trades of a directory are read from: the record itself, or what the history copied of one that is gone.
    private static func source(of directory: String) throws -> any TradesSource {
        let lines: [[UInt8]]
        do {
            lines = try TradingJournal.entries(in: directory)
        } catch {
            throw ProgramFailure(status: .configuration, message: error.message)
        }
        guard !lines.isEmpty else { return HistoryTrades(reader: try HistoryArchive(directory: directory)) }
        var ledger = TradeLedger(capacity: .max)
        for entry in try TradeRecorder.entries(lines, path: "\(directory)/\(TradingJournal.fileName)") {
            _ = ledger.apply(entry)
        }
        return ListedTrades(records: ledger.trades.reversed())
    }
}

/// Where orders are read from.
protocol TradesSource: Sendable {
    /// Orders that match, the newest first, one page at a time.
    func trades(_ query: HistoryQuery) async throws -> HistoryPage<TradeRecord>
    /// The id of a market that is named by slug or id.
    ///
    /// - Throws: `ProgramFailure` when no such market is known.
    func marketID(named name: String) async throws -> MarketID
}

/// Orders from the history.
struct HistoryTrades: TradesSource {
    let reader: any HistoryReader

    func trades(_ query: HistoryQuery) async throws -> HistoryPage<TradeRecord> { try await self.reader.trades(query) }

    func marketID(named name: String) async throws -> MarketID { try await self.reader.knownMarket(named: name) }
}

/// Orders that are all at hand, such as those of the journal.
struct ListedTrades: TradesSource {
    /// In the order they were decided.
    let records: [TradeRecord]

    func trades(_ query: HistoryQuery) async throws -> HistoryPage<TradeRecord> {
        let matching = self.records.reversed().filter { record in
            query.market.map { $0 == record.market } ?? true && query.from.map { $0 <= record.decided } ?? true
                && query.until.map { record.decided < $0 } ?? true
        }
        // The cursor is how many were told already.
        let start = query.cursor.flatMap { Int($0) } ?? 0
        let page = matching.dropFirst(start).prefix(query.limit)
        let told = start + page.count
        return HistoryPage(items: Array(page), next: told < matching.count ? "\(told)" : nil)
    }

    func marketID(named name: String) async throws -> MarketID {
        if let record = self.records.last(where: { $0.slug == name || $0.market.rawValue == name }) {
            return record.market
        }
        throw ProgramFailure(unknownMarket: name, near: [])
    }
}

extension HistoryReader {
    /// The id of a market of which something was kept, by its slug or id.
    ///
    /// - Throws: `ProgramFailure` with the nearest names when there is none, and `HistoryError`.
    func knownMarket(named name: String) async throws -> MarketID {
        if let market = try await self.market(named: name) { return market.market }
        let id = MarketID(name)
        // What happened in a market may be there when the market itself is not.
        if try await !self.history(of: id, kinds: Set(HistoryRecord.Kind.allCases), limit: 1).items.isEmpty {
            return id
        }
        throw ProgramFailure(unknownMarket: name, near: try await self.slugs(near: name, limit: 3))
    }
}
