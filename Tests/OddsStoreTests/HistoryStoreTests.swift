import Foundation
import Logging
import OddsCore
import OddsTestSupport
import ServiceLifecycle
import Testing

@testable import OddsStore

#if SQLite
import GRDB

/// A store of a temporary directory, on a clock that the test moves.
private struct Harness {
    let directory: TemporaryDirectory
    let clock: ManualClock
    let store: HistoryStore

    init(
        _ directory: TemporaryDirectory? = nil, clock: ManualClock = ManualClock(),
        _ adjust: (inout HistoryStoreConfiguration) -> Void = { _ in }
    ) throws {
        let directory = try directory ?? TemporaryDirectory()
        var configuration = HistoryStoreConfiguration(directory: directory.path)
        configuration.busyTimeout = .milliseconds(5)
        adjust(&configuration)
        self.directory = directory
        self.clock = clock
        self.store = try HistoryStore(
            configuration: configuration, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Runs the store while `body` does; it begins when the first attempt to open the file is over.
    func run(_ body: () async throws -> Void = {}) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.store.run() }
            try await self.clock.sleepers(atLeast: 1)
            do { try await body() } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
        }
    }

    /// Lets the store do what is due after a time.
    func pass(_ duration: Duration = .milliseconds(250)) async throws {
        self.clock.advance(by: duration)
        try await self.clock.sleepers(atLeast: 1)
    }

    /// A second connection, as another program's.
    func intruder() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: self.path, configuration: configuration)
    }

    var path: String { self.directory.file(HistoryStoreConfiguration.fileName) }
    var archive: HistoryArchive {
        get throws { try HistoryArchive(directory: self.directory.path, busyTimeout: .milliseconds(5)) }
    }
}

private func all(_ kinds: Set<HistoryRecord.Kind> = Set(HistoryRecord.Kind.allCases)) -> HistoryQuery {
    HistoryQuery(kinds: kinds, order: .oldestFirst, limit: 1000)
}

private func code<Value>(_ body: () async throws -> Value) async -> HistoryError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? HistoryError)?.code
    }
}

@Suite struct HistoryStoreTests {
    @Test func theFileAloneIsWholeAfterTheEndAlsoWhenItWasRead() async throws {
        let harness = try Harness()
        try await harness.run {
            harness.store.record(Sample.trade(1))
            try await harness.pass()
            #expect(try await harness.store.trades(all()).items.count == 1)
        }
        let alone = try TemporaryDirectory()
        try FileManager.default.copyItem(
            atPath: "\(harness.directory.path)/history.sqlite", toPath: "\(alone.path)/history.sqlite")
        #expect(try await HistoryArchive(directory: alone.path).trades(all()).items.count == 1)
    }

    @Test func everyKindComesBackAsItWas() async throws {
        let harness = try Harness()
        let records = Sample.everything()
        #expect(Set(records.map(\.kind)) == Set(HistoryRecord.Kind.allCases))
        try await harness.run { for record in records { harness.store.record(record) } }
        let page = try await harness.archive.history(all())
        #expect(Set(page.items) == Set(records))
        #expect(page.next == nil)
        #expect(page.items.map(\.nanoseconds) == page.items.map(\.nanoseconds).sorted())
        for kind in HistoryRecord.Kind.allCases {
            #expect(try await harness.archive.history(all([kind])).items == records.filter { $0.kind == kind })
        }
        #expect(harness.store.status.state == .stopped)
        #expect(harness.store.status.written == Dictionary(uniqueKeysWithValues: records.map { ($0.kind, 1) }))
        #expect(harness.store.status.dropped.isEmpty)
    }

    @Test func absentValuesComeBackAbsent() async throws {
        let harness = try Harness()
        let records: [HistoryRecord] = [
            .odds(Sample.point(at: Sample.time(0))), Sample.spike(1), Sample.trade(2),
            .market(Sample.marketRecord(9, at: 3)),
            .refusal(
                RefusalRecord(
                    market: "0x1", slug: "", side: .yes, reason: "killSwitch", limit: nil, size: nil,
                    time: Sample.time(4))),
            .signal(
                SignalRecord(
                    id: "1", kind: "test", sink: "command", market: nil, attempts: 1, outcome: "delivered",
                    time: Sample.time(5))),
        ]
        try await harness.run { for record in records { harness.store.record(record) } }
        #expect(try await harness.archive.history(all()).items == records)
    }

    @Test func recordsAreWrittenTogetherAndCanBeReadMeanwhile() async throws {
        let harness = try Harness()
        try await harness.run {
            for number in 0..<50 { harness.store.record(Sample.trade(number)) }
            #expect(harness.store.status.queued == 50)
            #expect(try await harness.store.trades(all()).items.isEmpty)
            try await harness.pass(.milliseconds(249))
            #expect(harness.store.status.queued == 50)
            try await harness.pass(.milliseconds(1))
            #expect(harness.store.status.queued == 0)
            #expect(harness.store.status.written == [.trade: 50])
            #expect(harness.store.status.state == .writing)
            #expect((harness.store.status.fileSize ?? 0) > 0)
            #expect(try await harness.store.trades(all()).items.count == 50)
            // Others may read while it is open.
            #expect(try await harness.archive.trades(all()).items.count == 50)
        }
    }

    @Test func flushWritesAtOnce() async throws {
        let harness = try Harness()
        try await harness.run {
            harness.store.record(Sample.trade(1))
            await harness.store.flush()
            let trades = try await harness.store.trades().items
            #expect(trades == [Sample.tradeRecord(1)])
        }
    }

    @Test func laterRecordsTakeThePlaceOfEarlierOnes() async throws {
        let harness = try Harness()
        var trade = Sample.tradeRecord(1)
        var spike = Sample.spikeRecord(2)
        try await harness.run {
            harness.store.record(.trade(trade))
            harness.store.record(.spike(spike))
            try await harness.pass()
            trade.status = .open
            trade.filled = 20
            spike.end = Sample.time(8)
            spike.ending = "fellBack"
            harness.store.record(.trade(trade))
            harness.store.record(.spike(spike))
        }
        #expect(try await harness.archive.history(all()).items == [.trade(trade), .spike(spike)])
    }

    @Test func aMarketIsPutTogetherFromWhatIsKnown() async throws {
        let harness = try Harness()
        let market = Market.sample("btc-updown-15m-5")
        let receipt = RolloverReceipt(
            series: "btc-updown-15m", market: market, previous: .sample("before"), boundary: Sample.time(900),
            firstOddsMilliseconds: -50)
        let resolution = Resolution(market: market, winner: .yes, exchangeTime: Sample.time(1801))
        try await harness.run {
            harness.store.record(.market(MarketRecord(market, seen: Sample.time(1))))
            harness.store.record(.market(MarketRecord(receipt, seen: Sample.time(2))))
            try await harness.pass()
            harness.store.record(.market(MarketRecord(resolution, by: "gamma", seen: Sample.time(3))))
            // The feed alone knows less.
            let bare = MarketRecord(
                market: market.id, slug: "", seen: Sample.time(4), yesLabel: "", yesAsset: AssetID(""))
            harness.store.record(.market(bare))
        }
        var expected = MarketRecord(market, seen: Sample.time(1))
        expected.previousMarket = "0x-before"
        expected.firstOdds = -50
        expected.winner = "yes"
        expected.resolvedBy = "gamma"
        expected.resolved = Sample.time(1801)
        #expect(try await harness.archive.markets().items == [expected])
        #expect(try await harness.archive.market(named: "btc-updown-15m-5") == expected)
        #expect(try await harness.archive.market(named: market.id.rawValue) == expected)
        #expect(try await harness.archive.market(named: "") == nil)
        #expect(try await harness.archive.slugs(near: "btc-updown-15m-6", limit: 3) == ["btc-updown-15m-5"])
    }

    @Test func oddsAreThinnedAndSpikesAreAlwaysThere() async throws {
        let harness = try Harness()
        func odds(_ milliseconds: Int64, _ cents: Int, _ cause: OddsPoint.Cause = .change) {
            var point = Sample.point(
                at: Sample.begin.advanced(by: .milliseconds(milliseconds)), cause: cause)
            point.yesBid = Double(cents) / 100
            harness.store.record(.odds(point))
        }
        try await harness.run {
            odds(0, 60)
            odds(10, 61)
            odds(20, 62)
            try await harness.pass()
            #expect(harness.store.status.written == [.odds: 1])
            for _ in 0..<3 { try await harness.pass() }
            #expect(harness.store.status.written == [.odds: 2])
            odds(1010, 71, .spike)
            // The same moment once more is the same row.
            odds(1010, 71, .spike)
            odds(1020, 72)
        }
        let points = try await harness.archive.odds(all()).items
        #expect(points.map { Int((($0.yesBid ?? 0) * 100).rounded()) } == [60, 62, 71, 72])
        #expect(points.map(\.cause) == [.change, .interval, .spike, .interval])
        #expect(harness.store.status.dropped.isEmpty)
    }

    @Test func pagesTogetherAreEverythingOnce() async throws {
        var generator = SeededGenerator(seed: 4)
        let harness = try Harness { $0.oddsInterval = .zero }
        // Many records share a moment, across kinds.
        var records: [HistoryRecord] = []
        for number in 0..<120 {
            let second = Int.random(in: 0..<12, using: &generator)
            switch number % 4 {
            case 0:
                var trade = Sample.tradeRecord(second)
                trade.order = UInt64(number)
                records.append(.trade(trade))
            case 1: records.append(Sample.odds(number, MarketID("0x-\(number % 3)")))
            case 2:
                records.append(
                    .referencePrice(
                        ReferencePriceRecord(
                            symbol: number % 8 == 2 ? "btc/usd" : "eth/usd", source: "chainlink", price: 1,
                            time: Sample.time(number), received: Sample.time(second))))
            default:
                records.append(
                    .refusal(
                        RefusalRecord(
                            market: Sample.market, slug: "", side: .yes, reason: "\(number)", limit: nil, size: nil,
                            time: Sample.time(second))))
            }
        }
        try await harness.run { for record in records { harness.store.record(record) } }
        let archive = try harness.archive
        for order in HistoryQuery.Order.allCases {
            for limit in [1, 7, 50, 119, 120, 121] {
                var query = HistoryQuery(order: order, limit: limit)
                var pages: [HistoryRecord] = []
                repeat {
                    let page = try await archive.history(query)
                    #expect(page.items.count <= limit)
                    pages += page.items
                    query.cursor = page.next
                } while query.cursor != nil
                #expect(pages.count == records.count)
                #expect(Set(pages) == Set(records))
                let times = pages.map(\.nanoseconds)
                #expect(times == (order == .oldestFirst ? times.sorted() : times.sorted(by: >)))
            }
        }
    }

    @Test func queriesChoose() async throws {
        let harness = try Harness { $0.oddsInterval = .zero }
        let price = ReferencePriceRecord(
            symbol: "btc/usd", source: "chainlink", price: 1, time: Sample.time(5), received: Sample.time(5))
        try await harness.run {
            for second in 0..<10 {
                harness.store.record(Sample.trade(second))
                harness.store.record(Sample.odds(second, second < 5 ? "a" : "b"))
            }
            harness.store.record(.referencePrice(price))
        }
        let archive = try harness.archive
        #expect(try await archive.history(HistoryQuery()).items.count == 21)
        #expect(try await archive.history(of: "a").items.count == 5)
        #expect(try await archive.history(of: "a", kinds: [.trade, .odds, .referencePrice]).items.count == 5)
        #expect(try await archive.history(of: "unknown").items.isEmpty)
        #expect(try await archive.history(HistoryQuery(kinds: [])).items.isEmpty)
        let middle = HistoryQuery(from: Sample.time(3), until: Sample.time(6), order: .oldestFirst)
        #expect(try await archive.trades(middle).items == (3..<6).map { Sample.tradeRecord($0) })
        #expect(try await archive.odds(middle).items.map(\.market) == ["a", "a", "b"])
        #expect(try await archive.history(HistoryQuery(kinds: [.referencePrice], symbol: "eth/usd")).items.isEmpty)
        #expect(
            try await archive.history(HistoryQuery(kinds: [.referencePrice], symbol: "btc/usd")).items
                == [.referencePrice(price)])
        // Limits out of range are brought into it.
        #expect(try await archive.trades(HistoryQuery(limit: 0)).items == [Sample.tradeRecord(9)])
        let forever = HistoryQuery(
            from: Timestamp(milliseconds: .min), until: Timestamp(milliseconds: .max), limit: .max)
        #expect(try await archive.history(forever).items.count == 21)
        for cursor in ["", "1", "1.trade", "1.nothing.1", "x.trade.1", "1.trade.1.1"] {
            #expect(await code { try await archive.history(HistoryQuery(cursor: cursor)) } == .badCursor)
        }
        // Places that no page gives are before or behind everything.
        for row in [Int64.min, .max] {
            let (first, last) = ("\(Int64.min).trade.\(row)", "\(Int64.max).trade.\(row)")
            let all = HistoryQuery(kinds: [.trade, .odds, .referencePrice], order: .oldestFirst, limit: 100)
            var query = all
            query.cursor = first
            #expect(try await archive.history(query).items.count == 21)
            query.cursor = last
            #expect(try await archive.history(query).items.isEmpty)
            query.order = .newestFirst
            #expect(try await archive.history(query).items.count == 21)
            query.cursor = first
            #expect(try await archive.history(query).items.isEmpty)
        }
    }

    @Test func oldOddsAndPricesAreDeletedInSmallSteps() async throws {
        let harness = try Harness {
            $0.oddsInterval = .zero
            $0.oddsRetention = .seconds(3600)
            $0.referenceRetention = .seconds(60)
        }
        try await harness.run {
            for second in 0..<1200 { harness.store.record(Sample.odds(second)) }
            harness.store.record(
                .referencePrice(
                    ReferencePriceRecord(
                        symbol: "btc/usd", source: "chainlink", price: 1, time: Sample.time(0), received: Sample.time(0)
                    )))
            harness.store.record(Sample.trade(0))
            try await harness.pass()
            #expect(try await harness.store.history(all()).items.count == 1000)
            // 4199 s after the beginning, what is older than 599 s goes.
            try await harness.pass(.milliseconds(4_199_000 - 250))
            #expect(try await harness.store.odds(all([.odds])).items.first?.receiveTime == self.nanoseconds(500))
            try await harness.pass()
            #expect(try await harness.store.odds(all([.odds])).items.first?.receiveTime == self.nanoseconds(600))
            #expect(try await harness.store.history(all([.referencePrice])).items.isEmpty)
            #expect(try await harness.store.trades().items.count == 1)
        }
    }

    private func nanoseconds(_ second: Int) -> Int64 { Sample.time(second).milliseconds * 1_000_000 }

    @Test func aGracefulShutdownWritesEverything() async throws {
        let harness = try Harness()
        let group = ServiceGroup(
            services: [harness.store], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await harness.clock.sleepers(atLeast: 1)
            for second in 0..<5000 { harness.store.record(Sample.trade(second)) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(harness.store.status.state == .stopped)
        #expect(harness.store.status.written == [.trade: 5000])
        // The log was folded into the file.
        #expect(try harness.directory.names() == [HistoryStoreConfiguration.fileName])
        harness.store.record(Sample.trade(9999))
        #expect(harness.store.status.queued == 0)
        #expect(await code { try await harness.store.trades() } == .inaccessible)
    }

    @Test func whatWasOpenWhenTheProgramEndedIsMarked() async throws {
        let directory = try TemporaryDirectory()
        let incidents = Sample.everything().filter { $0.kind == .incident }
        let first = try Harness(directory)
        try await first.run { for record in incidents + [Sample.spike(1)] { first.store.record(record) } }
        let second = try Harness(directory, clock: ManualClock(wall: Sample.time(3600)))
        // The same numbers again: they count from 1 in every run.
        try await second.run { for record in incidents { second.store.record(record) } }
        #expect(try await second.archive.spikes().items.map(\.ending) == ["interrupted"])
        #expect(Set(try await second.archive.incidents().items.map(\.ending)) == ["interrupted", nil])
    }
}

@Suite struct HistoryFaultTests {
    @Test func aLockedFileIsWaitedFor() async throws {
        let harness = try Harness { $0.queueCapacity = 10 }
        try await harness.run {
            let intruder = try harness.intruder()
            try await intruder.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            for number in 0..<8 { harness.store.record(Sample.trade(number)) }
            try await harness.pass()
            #expect(harness.store.status.state == .troubled(since: harness.clock.wall))
            #expect(harness.store.status.lastError?.contains("locked by another program") == true)
            #expect(harness.store.status.problem == harness.store.status.lastError)
            #expect(harness.store.status.queued == 8)
            // There is room for two more; then odds go first.
            for number in 0..<4 { harness.store.record(Sample.odds(number * 10)) }
            #expect(harness.store.status.dropped == [.odds: 2])
            for number in 8..<11 { harness.store.record(Sample.trade(number)) }
            #expect(harness.store.status.queued == 10)
            try await intruder.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            try await harness.pass(.seconds(5))
            #expect(harness.store.status.state == .writing)
            #expect(harness.store.status.problem == nil)
            #expect(harness.store.status.queued == 0)
            let orders = try await harness.store.trades(all()).items.map(\.order)
            #expect(orders == [1, 2, 3, 4, 5, 6, 7, 8, 10, 11])
            #expect(harness.store.status.dropped == [.odds: 4, .trade: 1])
            // What went wrong is still told.
            #expect(harness.store.status.lastError != nil)
        }
    }

    @Test func aFileThatIsLockedFromTheBeginningIsOpenedLater() async throws {
        let directory = try TemporaryDirectory()
        try await Harness(directory).run()
        let harness = try Harness(directory)
        let intruder = try harness.intruder()
        try await intruder.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try db.execute(sql: "BEGIN EXCLUSIVE")
        }
        try await harness.run {
            harness.store.record(Sample.trade(1))
            try await harness.pass()
            guard case .troubled = harness.store.status.state else {
                Issue.record("\(harness.store.status)")
                return
            }
            #expect(await code { try await harness.store.trades() } == .inaccessible)
            #expect(await code { _ = try harness.archive } == .busy)
            try await intruder.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            try intruder.close()
            try await harness.pass(.seconds(5))
            #expect(try await harness.store.trades().items == [Sample.tradeRecord(1)])
        }
    }

    @Test func aFullDiskIsWaitedOut() async throws {
        let harness = try Harness()
        try await harness.run {
            try await harness.store.execute("PRAGMA max_page_count = 1")
            for number in 0..<3000 { harness.store.record(Sample.trade(number)) }
            try await harness.pass()
            #expect(harness.store.status.state == .troubled(since: harness.clock.wall))
            #expect(harness.store.status.lastError?.contains("no room left") == true)
            #expect(harness.store.status.queued == 3000)
            // Reading goes on.
            #expect(try await harness.store.trades().items.isEmpty)
            try await harness.store.execute("PRAGMA max_page_count = 1000000")
            // It is not tried more often than every few seconds.
            for _ in 0..<5 { try await harness.pass(.seconds(5)) }
            #expect(harness.store.status.state == .writing)
            #expect(harness.store.status.written == [.trade: 3000])
            #expect(harness.store.status.queued == 0)
        }
    }

    @Test(arguments: [0, 4096]) func aDamagedFileIsMovedAsideAndANewOneBegun(offset: Int) async throws {
        let directory = try TemporaryDirectory()
        let before = try Harness(directory)
        try await before.run { for number in 0..<100 { before.store.record(Sample.trade(number)) } }
        var bytes = try directory.bytes(HistoryStoreConfiguration.fileName)
        for index in offset..<bytes.count { bytes[index] = 0xA5 }
        try directory.write(bytes, to: HistoryStoreConfiguration.fileName)
        #expect(await code { _ = try before.archive } == .damaged)

        let harness = try Harness(directory)
        harness.store.record(Sample.trade(7))
        try await harness.run {
            #expect(harness.store.status.state == .writing)
            #expect(harness.store.status.lastError?.contains("damaged") == true)
            let trades = try await harness.store.trades().items
            #expect(trades == [Sample.tradeRecord(7)])
        }
        let aside = try directory.names().filter { $0.contains("corrupt") && $0.hasSuffix(".sqlite") }
        #expect(aside == ["history.corrupt-20260101T000000Z.sqlite"])
        #expect(try directory.bytes(aside[0]) == bytes)
    }

    @Test func damageThatIsFoundWhileWritingIsCopedWithToo() async throws {
        let directory = try TemporaryDirectory()
        let before = try Harness(directory)
        try await before.run { for number in 0..<2000 { before.store.record(Sample.trade(number)) } }
        // The schema stays whole; what lies behind it does not.
        var bytes = try directory.bytes(HistoryStoreConfiguration.fileName)
        let pages = try await self.pages(of: "trades", in: before)
        for page in pages { for index in ((page - 1) * 4096)..<(page * 4096) { bytes[index] = 0xA5 } }
        try directory.write(bytes, to: HistoryStoreConfiguration.fileName)
        let harness = try Harness(directory)
        try await harness.run {
            #expect(harness.store.status.state == .writing)
            harness.store.record(Sample.trade(7))
            try await harness.pass()
            #expect(harness.store.status.state == .writing)
            #expect(try await harness.store.trades().items == [Sample.tradeRecord(7)])
        }
        #expect(try directory.names().filter { $0.contains("corrupt") && $0.hasSuffix(".sqlite") }.count == 1)
    }

    /// The first pages of a table and of its indexes.
    private func pages(of table: String, in harness: Harness) async throws -> [Int] {
        let queue = try harness.intruder()
        let pages = try await queue.read { db in
            try Int.fetchAll(db, sql: "SELECT rootpage FROM sqlite_master WHERE tbl_name = ?", arguments: [table])
        }
        try queue.close()
        return pages
    }

    @Test func aDirectoryThatCannotBeUsedIsWaitedFor() async throws {
        let directory = try TemporaryDirectory()
        let inner = directory.file("later")
        let harness = try Harness(directory) { $0.directory = inner }
        try await harness.run {
            harness.store.record(Sample.trade(1))
            try await harness.pass()
            guard case .troubled = harness.store.status.state else {
                Issue.record("\(harness.store.status)")
                return
            }
            #expect(harness.store.status.lastError?.contains("cannot be used") == true)
            try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
            try await harness.pass(.seconds(5))
            #expect(harness.store.status.state == .writing)
            #expect(try await harness.store.trades().items.count == 1)
        }
    }

    @Test(.enabled(if: getuid() != 0, "the administrator may write anywhere"))
    func aReadOnlyDirectoryIsReportedAndNothingElseHappens() async throws {
        let harness = try Harness()
        chmod(harness.directory.path, 0o555)
        try await harness.run {
            harness.store.record(Sample.trade(1))
            try await harness.pass()
            #expect(harness.store.status.queued == 1)
            #expect(harness.store.status.lastError != nil)
            chmod(harness.directory.path, 0o755)
            try await harness.pass(.seconds(5))
            #expect(harness.store.status.queued == 0)
        }
    }

    @Test func aNewerFileIsRefusedAndLeftUntouched() async throws {
        let directory = try TemporaryDirectory()
        let before = try Harness(directory)
        try await before.run { before.store.record(Sample.trade(1)) }
        let queue = try before.intruder()
        try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('2')") }
        try queue.close()
        let bytes = try directory.bytes(HistoryStoreConfiguration.fileName)
        #expect(await code { _ = try before.archive } == .newerVersion)
        let harness = try Harness(directory)
        try await harness.run {
            harness.store.record(Sample.trade(2))
            try await harness.pass()
            #expect(harness.store.status.lastError?.contains("newer version") == true)
            #expect(harness.store.status.queued == 1)
        }
        // What was lost is told.
        #expect(harness.store.status.dropped == [.trade: 1])
        #expect(try directory.bytes(HistoryStoreConfiguration.fileName) == bytes)
        #expect(!(try directory.names().contains { $0.contains("corrupt") }))
    }

    @Test func anotherProgramsDatabaseIsLeftAlone() async throws {
        let harness = try Harness()
        let other = try harness.intruder()
        try await other.write { try $0.execute(sql: "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)") }
        try other.close()
        let bytes = try harness.directory.bytes(HistoryStoreConfiguration.fileName)
        try await harness.run { #expect(harness.store.status.lastError?.contains("some other program") == true) }
        #expect(try harness.directory.bytes(HistoryStoreConfiguration.fileName) == bytes)
        #expect(await code { _ = try harness.archive } == .damaged)
    }

    @Test func aFileThatIsDeletedIsBegunAnew() async throws {
        let harness = try Harness()
        try await harness.run {
            harness.store.record(Sample.trade(1))
            try await harness.pass()
            for name in try harness.directory.names() {
                try FileManager.default.removeItem(atPath: harness.directory.file(name))
            }
            harness.store.record(Sample.trade(2))
            try await harness.pass()
            #expect(harness.store.status.lastError?.contains("was deleted") == true)
            #expect(harness.store.status.queued == 1)
            try await harness.pass(.seconds(5))
            #expect(harness.store.status.state == .writing)
            #expect(try await harness.archive.trades().items == [Sample.tradeRecord(2)])
        }
    }

    @Test func anEmptyFileIsABeginning() async throws {
        let harness = try Harness()
        try harness.directory.write([], to: HistoryStoreConfiguration.fileName)
        try await harness.run { #expect(harness.store.status.state == .writing) }
    }

    @Test func recordsThatDoNotFitDoNotHoldUpTheOthers() async throws {
        let harness = try Harness()
        try await harness.run {
            try await harness.store.execute(
                "CREATE TRIGGER no BEFORE INSERT ON spikes BEGIN SELECT RAISE(ABORT, 'no spikes here'); END")
            harness.store.record(Sample.trade(1))
            harness.store.record(Sample.spike(1))
            harness.store.record(Sample.odds(1))
            try await harness.pass()
            #expect(harness.store.status.written == [.trade: 1, .odds: 1])
            #expect(harness.store.status.dropped == [.spike: 1])
            #expect(harness.store.status.lastError?.contains("no spikes here") == true)
            #expect(harness.store.status.state == .writing)
        }
    }

    @Test func thereIsNothingToReadWhereNothingWasKept() async throws {
        let directory = try TemporaryDirectory()
        #expect(await code { _ = try HistoryArchive(directory: directory.path) } == .notFound)
        #expect(await code { _ = try HistoryArchive(directory: directory.file("none")) } == .notFound)
    }
}
#else
@Suite struct HistoryWithoutSQLiteTests {
    @Test func itSaysHowToBuildWithSQLite() {
        #expect(!HistoryStore.isAvailable)
        do {
            _ = try HistoryArchive(directory: "/tmp")
            Issue.record("there is no history to open")
        } catch {
            #expect(error.code == .unavailable)
            #expect(error.message.contains("--traits SQLite"))
        }
    }
}
#endif
