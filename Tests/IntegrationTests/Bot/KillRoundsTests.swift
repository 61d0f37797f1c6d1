import Foundation
import OddsCore
import OddsStore
import OddsTestSupport
import OddsTrading
import RealtimeOdds
import Testing

@testable import oddstream

extension BotProgramSuites {
    /// The service is killed again and again, and what it told of its trades is still there.
    ///
    /// `ODDSTREAM_KILLS` says how often; `make kill9` does it a hundred times.
    @Suite(.timeLimit(.minutes(60))) struct KillRoundsTests {
        private static let environment = ProcessInfo.processInfo.environment
        private static let rounds = environment["ODDSTREAM_KILLS"].flatMap { Int($0) } ?? 5

        /// When one run is killed.
        private enum Moment {
            /// So long after it was started: while it starts, or later.
            case after(Duration)
            /// So long after it told of so many steps of orders: when it is at work on the next.
            case told(Int, Duration)
        }

        private func moment(using generator: inout SplitMix64) -> Moment {
            func upTo(_ milliseconds: Int64) -> Duration {
                .microseconds(Int64.random(in: 0...milliseconds * 1000, using: &generator))
            }
            return Int.random(in: 0..<3, using: &generator) == 0
                ? .after(upTo(1500)) : .told(Int.random(in: 1...12, using: &generator), upTo(30))
        }

        @Test func nothingThatWasToldIsLost() async throws {
            var generator = SplitMix64(seed: 20_261_122)
            let began = ContinuousClock.now
            var told: [String] = []
            var known: [JournalEntry] = []
            try await BotProgram.run { program in
                for round in 1...max(1, Self.rounds) {
                    let run = try program.start()
                    switch self.moment(using: &generator) {
                    case .told(let count, let delay):
                        try await run.wait(for: Self.words, count: count)
                        // The moment is the test's own choice: nothing is waited for.
                        try await SystemClock().sleep(for: delay)
                    case .after(let delay): try await SystemClock().sleep(for: delay)
                    }
                    run.program.send(SIGKILL)
                    #expect(await run.program.wait() == 128 + SIGKILL, "round \(round) ended by itself")
                    let record = try program.record()
                    #expect(record.starts(with: known), "round \(round) changed what was on record")
                    known = record
                    told += Self.told(try await run.program.errorText())
                    try Self.check(told, against: record, "round \(round)")
                }
                // The last run pays out, and ends as it should.
                let run = try program.start()
                try await run.wait(for: "order.status=settled")
                #expect(await run.stop() == 0)
                told += Self.told(try await run.program.errorText())
                let record = try program.record()
                #expect(record.starts(with: known))
                let (audit, lost) = try Self.check(told, against: record, "the end")
                try await self.readable(record, in: program.directory)
                let fills = told.count { $0.contains("order.status=open") }
                let payouts = told.count { $0.contains("order.status=settled") }
                let seconds = (ContinuousClock.now - began).components.seconds
                print(
                    """
                    kill -9: \(Self.rounds) rounds in \(seconds) s; told and on record: \(told.count) steps of orders, \
                    \(fills) fills and \(payouts) payouts among them; on record: \(record.count) entries, \(audit.fills) fills, \
                    \(audit.settlements) payouts; lost: \(lost)
                    """)
                #expect(fills > 0 && payouts > 0)
            }
        }

        // MARK: What was told

        private static let words = " Paper trade "
        private static let keys: Set = [
            "market.slug", "order.id", "order.side", "order.status", "reason", "order.filled", "order.price",
            "order.fee",
            "order.profit",
        ]

        /// The steps of orders that a log tells of, in words that can be compared. What the kill cut off was not told.
        private static func told(_ log: String) -> [String] {
            log.split(separator: "\n", omittingEmptySubsequences: false).dropLast().filter { $0.contains(Self.words) }
                .map {
                    let facts = String($0).components(separatedBy: "  ").filter { fact in
                        fact.split(separator: "=").first.map { Self.keys.contains(String($0)) } ?? false
                    }
                    return facts.sorted().joined(separator: " ")
                }
        }

        /// The same words for a step that is on record.
        private static func words(of trade: TradeRecord) -> String {
            var facts = [
                "market.slug=\(trade.slug)", "order.id=\(trade.order)", "order.side=\(trade.side)",
                "order.status=\(trade.status.rawValue)",
            ]
            if let reason = trade.reason { facts.append("reason=\(reason)") }
            if trade.filled > 0 {
                facts += [
                    "order.filled=\(trade.filled)", "order.price=\(trade.averagePrice ?? 0)", "order.fee=\(trade.fee)",
                ]
            }
            if let profit = trade.profit { facts.append("order.profit=\(profit)") }
            return facts.sorted().joined(separator: " ")
        }

        /// Everything that was told is on record as it was told, and the record's books balance.
        ///
        /// - Returns: the record's sums, and how many steps are not on it.
        @discardableResult
        private static func check(
            _ told: [String], against record: [JournalEntry], _ when: String
        ) throws -> (audit: TradeAudit, lost: Int) {
            var ledger = TradeLedger(capacity: .max)
            var steps: Set<String> = []
            for entry in record {
                for case .trade(let trade) in ledger.apply(entry) { steps.insert(Self.words(of: trade)) }
            }
            let lost = told.filter { !steps.contains($0) }
            #expect(lost.isEmpty, "\(when): told, and not on record: \(lost)")
            #expect(Set(told).count == told.count, "\(when): a step was told twice")
            // A kill before the first entry leaves a record that was not begun.
            let opened = JournalEntry.opened(startingCash: .zero, at: Timestamp(seconds: 0))
            return (try TradeAudit(record.isEmpty ? [opened] : record), lost.count)
        }

        // MARK: The end

        /// `oddstream trades` and the history show every order as the record has it.
        private func readable(_ record: [JournalEntry], in directory: String) async throws {
            var ledger = TradeLedger(capacity: .max)
            for entry in record { _ = ledger.apply(entry) }
            let shown = try await ProgramRun.outcome(["trades", "--format", "json", "--data", directory])
            #expect(shown.status == 0, "\(shown.errors)")
            #expect(try JSONDecoder().decode([TradeRecord].self, from: Data(shown.output.utf8)) == ledger.trades)
            guard HistoryStore.isAvailable else { return }
            let history = try HistoryArchive(directory: directory)
            var kept: [TradeRecord] = []
            var query = HistoryQuery(limit: HistoryQuery.largestLimit)
            repeat {
                let page = try await history.trades(query)
                kept += page.items
                query.cursor = page.next
            } while query.cursor != nil
            #expect(Set(kept) == Set(ledger.trades), "the history differs from the record")
        }
    }
}
