import Crypto
import Foundation
import OddsCore
import OddsStore
import OddsTestSupport
import OddsTrading
import Testing

@testable import oddstream

extension BotProgramSuites {
    /// The bot as people run it: the built program against a simulated exchange, looked at from outside.
    @Suite(.timeLimit(.minutes(5))) struct BotProgramTests {
        private func object(_ body: some DataProtocol) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
        }

        // MARK: Signals

        @Test func signalsReachAWebhookSignedAndACommandOnItsInput() async throws {
            try await BotProgram.run { program in
                try await StandIn.run { receiver in
                    let secret = "\(program.directory)/secret.txt"
                    try Data("shared secret\n".utf8).write(to: URL(filePath: secret))
                    let hook = try Hook(in: program.directory)
                    defer { hook.close() }
                    let run = try program.start([
                        "--signal-webhook", receiver.base + "/act", "--signal-secret-file", secret, "--signal-command",
                        "'\(hook.path)'", "--signal-kinds", "order,position",
                    ])
                    for kind in ["order.submitted", "order.filled"] {
                        try await receiver.accepted.wait {
                            $0.contains { $0.request.headers["x-oddstream-kind"] == kind }
                        }
                        try await hook.said.wait { $0.contains { $0.hasPrefix(kind) } }
                    }
                    // Books are sampled four times a second: those of the very first order may not be known yet.
                    try await receiver.accepted.wait { $0.contains { $0.request["microstructure"] is [String: Any] } }
                    let orders = try await run.items("/v1/trades", TradeRecord.self)
                    #expect(await run.stop() == 0)

                    let key = SymmetricKey(data: Data("shared secret".utf8))
                    var ids: Set<String> = []
                    for request in receiver.accepted.entries.map(\.request) {
                        let code = HMAC<SHA256>.authenticationCode(for: request.body, using: key)
                        let expected = "sha256=" + code.map { String(format: "%02x", $0) }.joined()
                        #expect(request.headers["x-oddstream-signature"] == expected)
                        let signal = try self.object(request.body)
                        #expect(signal["kind"] as? String == request.headers["x-oddstream-kind"])
                        #expect(signal["id"] as? String == request.headers["idempotency-key"])
                        let isNew = ids.insert(try #require(signal["id"] as? String)).inserted
                        #expect(
                            isNew || request.headers["x-oddstream-attempt"] != "1", "the same signal was sent twice")
                    }
                    let filled = try #require(
                        receiver.accepted.entries.first { $0.request.headers["x-oddstream-kind"] == "order.filled" })
                    let signal = try self.object(filled.request.body)
                    let data = try #require(signal["data"] as? [String: Any])
                    let order = try #require(orders.first { Int($0.order) == data["order"] as? Int })
                    #expect(data["cost"] as? Double == order.cost && data["fee"] as? Double == order.fee)
                    let shown = try #require(
                        receiver.accepted.entries.map(\.request).first { $0["microstructure"] is [String: Any] })
                    let books = try #require(shown["microstructure"] as? [String: Any])
                    #expect(books["market"] as? String == shown["market"] as? String)
                    #expect(books["yes"] is [String: Any] && books["no"] is [String: Any])

                    let name = try #require(
                        hook.said.entries.first { $0.hasPrefix("order.filled") }?.split(separator: " ").last)
                    let given = try self.object(try Data(contentsOf: URL(filePath: "\(hook.directory)/\(name).json")))
                    #expect(given["kind"] as? String == "order.filled" && given["id"] as? String == String(name))
                }
            }
        }

        /// A script for signals: keeps what it is given in a file, and then says so.
        private struct Hook {
            let path: String
            let directory: String
            let said = Journal<String>()
            private let pipe: FileHandle

            init(in directory: String) throws {
                self.directory = directory
                self.path = "\(directory)/on signal.sh"
                let pipe = "\(directory)/said"
                try #require(mkfifo(pipe, 0o600) == 0)
                let script = """
                    #!/bin/sh
                    cd '\(directory)'
                    cat > "$ODDSTREAM_SIGNAL_ID.json"
                    echo "$ODDSTREAM_SIGNAL_KIND $ODDSTREAM_SIGNAL_ID" > said

                    """
                try Data(script.utf8).write(to: URL(filePath: self.path))
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: self.path)
                // Open for both: it never comes to its end, and nobody waits for a partner.
                self.pipe = try #require(FileHandle(forUpdatingAtPath: pipe))
                self.pipe.readabilityHandler = { [said] handle in
                    for line in String(decoding: handle.availableData, as: UTF8.self).split(separator: "\n") {
                        said.append(String(line))
                    }
                }
            }

            func close() {
                self.pipe.readabilityHandler = nil
                // The test is over: what could go wrong now changes nothing.
                try? self.pipe.close()
            }
        }

        // MARK: The kill switch

        @Test func theKillSwitchIsTurnedByHTTPBySignalsAndByAFile() async throws {
            try await BotProgram.run { program in
                let run = try program.start()
                try await run.wait(for: " Paper trade ")
                func account() async throws -> AccountRecord {
                    try JSONDecoder().decode(AccountRecord.self, from: try await run.get("/v1/account").body)
                }
                #expect(try await account().isKilled == false)

                #expect(try await run.put("/v1/kill-switch", #"{"on":true}"#).status == 200)
                let byHTTP = try await account()
                #expect(byHTTP.isKilled && byHTTP.killedBy == "http")
                #expect(try await run.put("/v1/kill-switch", #"{"on":false}"#).status == 200)
                #expect(try await account().isKilled == false)

                run.program.send(SIGUSR1)
                try await run.wait(for: "Kill switch on: nothing is bought", count: 2)
                let bySignal = try await account()
                #expect(bySignal.isKilled && bySignal.killedBy == "signal")
                run.program.send(SIGUSR2)
                try await run.wait(for: "Kill switch off", count: 2)
                #expect(try await account().isKilled == false)

                let file = "\(program.directory)/KILL"
                try Data().write(to: URL(filePath: file))
                try await run.wait(for: "The kill file appeared")
                let byFile = try await account()
                #expect(byFile.isKilled && byFile.killedBy == "file")
                // Who turns it off by hand is told what keeps it on.
                let answer = try await run.put("/v1/kill-switch", #"{"on":false}"#)
                #expect(
                    answer.status == 409 && String(decoding: answer.body, as: UTF8.self).contains("Remove the file"))
                // What is told is on record, and everything before it: of what came before the file nothing is missing then.
                let refused = run.log.count { $0.contains(" reason=killSwitch") }
                try await run.wait(for: " reason=killSwitch", count: refused + 1)
                func accepted() throws -> Int {
                    try program.record().count { if case .execution(.accepted) = $0 { true } else { false } }
                }
                let before = try accepted()
                try await run.wait(for: " reason=killSwitch", count: refused + 3)
                #expect(try accepted() == before, "an order was accepted although the kill file is there")
                try FileManager.default.removeItem(atPath: file)
                try await run.wait(for: "The kill file is gone")
                #expect(try await account().isKilled == false)
                #expect(await run.stop() == 0)
            }
        }

        // MARK: Restarts

        /// What the history answers. Right after the start it says that it is not open yet and to ask again; the suite's time
        /// limit ends that.
        private func kept(_ path: String, by run: BotRun) async throws -> [[String: Any]] {
            var answer = try await run.get(path)
            while answer.status == 503 { answer = try await run.get(path) }
            #expect(answer.status == 200)
            return try #require(try self.object(answer.body)["items"] as? [[String: Any]])
        }

        @Test func whatHappenedIsThereAfterARestart() async throws {
            try await BotProgram.run { program in
                let first = try program.start()
                try await first.wait(for: " Spike over ")
                try await first.wait(for: "order.status=settled")
                let spikes = try await first.items("/v1/spikes", SpikeRecord.self)
                #expect(spikes.contains { $0.end != nil && $0.peak >= 0.55 && !$0.source.isEmpty })
                #expect(await first.stop() == 0)
                var ledger = TradeLedger()
                for entry in try program.record() { _ = ledger.apply(entry) }
                let settled = ledger.trades.filter { $0.status == .settled }
                try #require(!settled.isEmpty)

                // Nothing new is bought, so that what is there is from before.
                try Data().write(to: URL(filePath: "\(program.directory)/KILL"))
                let second = try program.start()
                let trades = try await second.items("/v1/trades?limit=1000", TradeRecord.self)
                #expect(Set(settled).isSubset(of: Set(trades)))
                #expect(trades.count == ledger.trades.count)
                let account = try JSONDecoder().decode(
                    AccountRecord.self, from: try await second.get("/v1/account").body)
                #expect(account.filledOrders == ledger.trades.count { $0.filled > 0 })
                #expect(account.startingCash == 100_000 && account.killedBy == "file")
                if HistoryStore.isAvailable {
                    let trade = try #require(settled.first)
                    for market in [trade.market.rawValue, trade.slug] {
                        let items = try await self.kept(
                            "/v1/history/\(market)?kind=odds,trade,fill,settlement,market&limit=1000", by: second)
                        let kinds = Set(items.compactMap { $0["record"] as? String })
                        #expect(kinds.isSuperset(of: ["odds", "trade", "fill", "settlement", "market"]), "\(kinds)")
                    }
                    let all = try await self.kept("/v1/history?kind=spike&limit=1000", by: second)
                    let kept = all.compactMap { ($0["begin_ms"] as? NSNumber)?.int64Value }
                    #expect(Set(spikes.map(\.begin.milliseconds)).isSubset(of: Set(kept)))
                }
                #expect(await second.stop() == 0)
            }
        }

        // MARK: Without trading

        @Test func withoutTradingThereIsNoAccountAndNoRecord() async throws {
            try await BotProgram.run { program in
                let run = try program.start(["--no-trading"])
                // Spikes are found all the same.
                try await run.wait(for: " Spike ")
                let (status, body) = try await run.get("/v1/account")
                let problem = try self.object(body)
                #expect(status == 404 && problem["status"] as? Int == 404)
                #expect((problem["detail"] as? String)?.contains("--no-trading") == true)
                #expect(try await run.put("/v1/kill-switch", #"{"on":true}"#).status == 404)
                #expect(try await !run.items("/v1/spikes", SpikeRecord.self).isEmpty)
                run.program.send(SIGUSR1)
                try await run.wait(for: "SIGUSR1 and SIGUSR2 turn the kill switch of a trading loop: there is none")
                #expect(await run.stop() == 0)
                #expect(!FileManager.default.fileExists(atPath: "\(program.directory)/\(TradingJournal.fileName)"))
            }
        }

        // MARK: Damage

        @Test func aDamagedRecordEndsTheProgramAndStaysAsItIs() async throws {
            let directory = FileManager.default.temporaryDirectory.appendingPathComponent("oddstream-\(UUID())").path
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let opened = JournalEntry.opened(startingCash: 1000, at: Timestamp(seconds: 1_800_000_000))
            let turned = JournalEntry.killSwitch(isOn: true, by: .http, at: Timestamp(seconds: 1_800_000_001))
            do {
                let journal = try TradingJournal.open(directory: directory).journal
                // Written apart: each of them was promised.
                for entry in [opened, turned, turned] { try journal.append([Array(try JSONEncoder().encode(entry))]) }
            }
            let path = "\(directory)/\(TradingJournal.fileName)"
            var bytes = try Data(contentsOf: URL(filePath: path))
            let place = try #require(bytes.firstRange(of: Data("1800000001".utf8)))
            bytes[place.lowerBound] = UInt8(ascii: "2")
            try bytes.write(to: URL(filePath: path))

            let arguments = [
                "run", "--http-port", "0", "--data", directory, "--market-ws", "ws://127.0.0.1:9/ws/market",
                "--clob-rest", "http://127.0.0.1:9", "--gamma-rest", "http://127.0.0.1:9", "--rtds-ws",
                "ws://127.0.0.1:9",
            ]
            for command in [arguments, ["trades", "--data", directory]] {
                let outcome = try await ProgramRun.outcome(command)
                #expect(outcome.status == 78, "\(outcome.errors)")
                // The first line names the version, the second opens the account.
                #expect(outcome.errors.contains("Line 3 of the journal \(path) is damaged"), "\(outcome.errors)")
                #expect(outcome.errors.contains("Restore it from a backup"))
            }
            #expect(try Data(contentsOf: URL(filePath: path)) == bytes)
        }

        @Test(.enabled(if: HistoryStore.isAvailable, "this build keeps no history"))
        func aDamagedHistoryIsMovedAsideAndNothingElseSuffers() async throws {
            try await BotProgram.run { program in
                let first = try program.start()
                try await first.wait(for: "order.status=settled")
                #expect(await first.stop() == 0)
                let file = URL(filePath: "\(program.directory)/history.sqlite")
                let damaged = Data("This is no database at all, and was one before.".utf8)
                try damaged.write(to: file)

                let second = try program.start()
                try await second.wait(for: "History was damaged; it was moved aside and a new one is begun")
                try await second.wait(for: " Paper trade ")
                try await second.wait(for: "order.status=settled")
                let odds = try #require(
                    try self.object(try await second.get("/v1/odds").body)["items"] as? [[String: Any]])
                #expect(odds.contains { ($0["source"] as? String)?.isEmpty == false })
                #expect(await second.stop() == 0)
                let names = try FileManager.default.contentsOfDirectory(atPath: program.directory)
                let aside = try #require(names.first { $0.hasPrefix("history.corrupt-") && $0.hasSuffix(".sqlite") })
                #expect(try Data(contentsOf: URL(filePath: "\(program.directory)/\(aside)")) == damaged)

                // The new one knows the trades of before: they are on record elsewhere.
                var ledger = TradeLedger()
                for entry in try program.record() { _ = ledger.apply(entry) }
                let kept = try await HistoryArchive(directory: program.directory).trades(HistoryQuery(limit: 1000))
                    .items
                #expect(Set(kept) == Set(ledger.trades) && kept.contains { $0.status == .settled })
            }
        }
    }
}
