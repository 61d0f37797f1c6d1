import Foundation
import Logging
import OddsCore
import OddsStore
import OddsTestSupport
import Testing

/// `oddstream trades` and `oddstream history`, as a stranger would call them.
@Suite(.timeLimit(.minutes(2))) struct RecordCommandTests {
    @Test(arguments: ["trades", "history"]) func aDirectoryIsNeeded(command: String) async throws {
        let none = try await ProgramRun.outcome([command])
        #expect(none.status == 64)
        #expect(none.errors.contains("--data DIR"))
        let missing = try await ProgramRun.outcome([command, "--data", "/nowhere"])
        #expect(missing.status == 78)
        #expect(missing.output.isEmpty)
        #expect(
            missing.errors.contains(HistoryArchive.isAvailable ? "There is no directory /nowhere" : "--traits SQLite"))
    }

    @Test(arguments: [
        ["trades", "--data", ".", "--format", "xml"], ["trades", "--data", ".", "--since", "yesterday"],
        ["history", "--data", ".", "--limit", "0"], ["history", "--data", ".", "--kind", "everything"],
        ["history", "m", "--market", "m", "--data", "."],
        ["history", "m", "--kind", "reference_price", "--data", "."],
    ])
    func usageErrorsEndWith64(arguments: [String]) async throws {
        let outcome = try await ProgramRun.outcome(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.output.isEmpty)
        #expect(!outcome.errors.isEmpty)
    }

    #if SQLite
    /// 2026-11-22 14:00 UTC.
    private static let begin = Timestamp(seconds: 1_795_356_000)
    private static let market = Market.sample("btc-updown-15m-1795356000")

    private static func time(_ seconds: Int) -> Timestamp { self.begin.advanced(by: .seconds(seconds)) }

    private static func trade(_ number: Int) -> TradeRecord {
        var trade = TradeRecord(
            order: UInt64(number), broker: "paper", market: self.market.id, slug: self.market.slug,
            side: number.isMultiple(of: 2) ? .no : .yes, decided: self.time(number * 60), epoch: 1, limit: 0.75,
            size: 20)
        guard number != 3 else {
            trade.status = .rejected
            trade.reason = "epochMoved, \"twice\""
            return trade
        }
        trade.status = .settled
        trade.filled = 20
        trade.averagePrice = 0.715
        trade.cost = 14.3
        trade.fee = 0.285285
        trade.filledAt = self.time(number * 60 + 1)
        trade.winner = "yes"
        trade.settledBy = "market_resolved"
        trade.payout = trade.side == .yes ? 20 : 0
        trade.profit = trade.side == .yes ? 5.414715 : -14.585285
        trade.settledAt = self.time(960)
        return trade
    }

    private static func odds(_ second: Int) -> OddsPoint {
        var point = OddsPoint(
            market: self.market.id, receiveTime: self.time(second).milliseconds * 1_000_000,
            exchangeTime: self.time(second), trust: "live", epoch: 1, source: "line0")
        point.yesBid = Double(second % 90 + 5) / 100
        point.displayedOdds = point.yesBid
        return point
    }

    /// Keeps records in a directory of its own, runs `body` while the history is open, and deletes it.
    private func keeping(_ records: [HistoryRecord], _ body: (String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "oddstream-kept-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var configuration = HistoryStoreConfiguration(directory: directory.path)
        configuration.oddsInterval = .zero
        let clock = ManualClock(wall: Self.begin)
        let store = try HistoryStore(
            configuration: configuration, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await store.run() }
            try await clock.sleepers(atLeast: 1)
            for record in records { store.record(record) }
            await store.flush()
            defer { group.cancelAll() }
            try await body(directory.path)
        }
    }

    private static let sample: [HistoryRecord] =
        [.market(MarketRecord(market, seen: begin))] + (1...4).map { .trade(trade($0)) }
        + (0..<1500).map { .odds(odds($0)) }

    @Test func tradesAreATableForPeople() async throws {
        try await self.keeping(Self.sample) { directory in
            let outcome = try await ProgramRun.outcome(["trades", "--data", directory])
            #expect(outcome.status == 0)
            #expect(outcome.errors.isEmpty)
            let lines = outcome.output.split(separator: "\n").map(String.init)
            #expect(lines.count == 6)
            #expect(lines.allSatisfy { $0.count <= 120 })
            #expect(lines[0].hasPrefix("DECIDED (UTC)   ORDER  MARKET"))
            let first = lines[1].split(separator: " ").joined(separator: " ")
            #expect(
                first.hasPrefix(
                    "11-22 14:01:00 1 btc-updown-15m-1795356000 yes settled 20 0.715 14.30 yes +5.41"))
            #expect(lines[3].hasSuffix("epochMoved, \"twice\""))
            #expect(lines[5] == "4 orders, 3 settled, 1 won; profit -23.76 after fees, fees 0.86")
        }
    }

    @Test func tradesAsJSONAreTheRowsOfTheAPI() async throws {
        try await self.keeping(Self.sample) { directory in
            let outcome = try await ProgramRun.outcome(["trades", "--data", directory, "--format", "json"])
            let rows = try JSONDecoder().decode([TradeRecord].self, from: Data(outcome.output.utf8))
            #expect(rows == (1...4).reversed().map(Self.trade))
            #expect(!outcome.output.contains("\"record\""))
            let none = try await ProgramRun.outcome(
                ["trades", "--data", directory, "--format", "json", "--until", "2020-01-01"])
            #expect(none.output == "[]\n")
            #expect(none.status == 0)
        }
    }

    @Test func tradesAsCSVAreQuoted() async throws {
        try await self.keeping(Self.sample) { directory in
            let outcome = try await ProgramRun.outcome(
                ["trades", "--data", directory, "--format", "csv", "--since", "2026-11-22T14:03:00Z"])
            let lines = outcome.output.components(separatedBy: "\r\n")
            #expect(lines.count == 4)
            #expect(
                lines[0].hasPrefix("order,broker,market,slug,side,status,reason,decided_ms,epoch,limit,size,filled,"))
            #expect(lines[1].hasPrefix("4,paper,0x-btc-updown-15m-1795356000,btc-updown-15m-1795356000,no,settled,,"))
            #expect(lines[1].contains(",-14.585285,"))
            #expect(lines[2].contains(",rejected,\"epochMoved, \"\"twice\"\"\","))
            #expect(lines[3].isEmpty)
        }
    }

    @Test func marketsAreListedAndNamed() async throws {
        try await self.keeping(Self.sample) { directory in
            let list = try await ProgramRun.outcome(["history"], environment: ["ODDSTREAM_DATA": directory])
            #expect(list.status == 0)
            #expect(list.output.contains("btc-updown-15m-1795356000"))
            let unknown = try await ProgramRun.outcome(["history", "btc-updown-15m-1795356001", "--data", directory])
            #expect(unknown.status == 64)
            #expect(unknown.errors.contains("Did you mean btc-updown-15m-1795356000?"))
            let strange = try await ProgramRun.outcome(["trades", "--market", "xyz", "--data", directory])
            #expect(strange.status == 64)
            #expect(strange.errors.contains("lists those that are kept"))
        }
    }

    @Test func aMarketsOddsArePrintedToTheLastPage() async throws {
        try await self.keeping(Self.sample) { directory in
            let table = try await ProgramRun.outcome(["history", Self.market.slug, "--data", directory])
            #expect(table.output.split(separator: "\n").count == 52)
            #expect(table.output.contains("The newest 50 are shown"))
            #expect(table.output.contains("11-22 14:24:59.000"))
            let json = try await ProgramRun.outcome(
                ["history", Self.market.id.rawValue, "--data", directory, "--format", "json"])
            let rows = try JSONDecoder().decode([OddsPoint].self, from: Data(json.output.utf8))
            #expect(rows == (0..<1500).reversed().map(Self.odds))
            let csv = try await ProgramRun.outcome(
                ["history", Self.market.slug, "--data", directory, "--format", "csv", "--limit", "1203"])
            #expect(csv.output.components(separatedBy: "\r\n").count == 1205)
            #expect(csv.output.hasPrefix("market,receive_time_ns,exchange_time_ms,yes_bid,"))
            let trades = try await ProgramRun.outcome(
                ["history", Self.market.slug, "--kind", "trade", "--data", directory, "--format", "json"])
            #expect(trades.output.contains("\"record\":\"trade\""))
        }
    }

    @Test func aReaderThatHasSeenEnoughEndsIt() async throws {
        try await self.keeping(Self.sample) { directory in
            let run = try ProgramRun(
                ["history", Self.market.slug, "--data", directory, "--format", "csv"], listens: false)
            #expect(await run.wait() == 0)
            #expect(try await run.errorText().isEmpty)
        }
    }

    @Test func aDirectoryWithoutAHistoryIsNamed() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "oddstream-empty-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let outcome = try await ProgramRun.outcome(["history", "--data", directory.path])
        #expect(outcome.status == 78)
        #expect(outcome.errors.contains("There is no history in"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }
    #endif
}
