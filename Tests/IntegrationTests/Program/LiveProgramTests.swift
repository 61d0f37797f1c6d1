import Foundation
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The program at work against the simulated exchange. Each test waits for what it wants to see and then ends the program.
@Suite(.timeLimit(.minutes(5))) struct LiveProgramTests {
    /// Starts `oddstream simulate` on free ports and returns it with the options that point another command at it.
    private func simulate(_ arguments: String...) async throws -> (exchange: ProgramRun, endpoints: [String]) {
        let exchange = try ProgramRun(
            ["simulate", "--series", "btc-updown-30s", "--log-level", "error"] + arguments)
        var endpoints: [String] = []
        for await line in exchange.lines {
            endpoints += line.split(separator: " ").map(String.init)
            if endpoints.count == 6 { break }
        }
        try #require(endpoints.count == 6)
        return (exchange, endpoints)
    }

    private func object(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }

    @Test func theDemoShowsLiveOddsAndEndsOnASignalWithStatus0() async throws {
        let demo = try ProgramRun(["demo", "--http-port", "0"])
        var sawOdds = false
        for await line in demo.lines where line.contains("  odds ") && line.hasSuffix(", live") {
            sawOdds = true
            break
        }
        #expect(sawOdds)
        demo.send(SIGTERM)
        #expect(await demo.wait() == 0)
    }

    @Test func theServiceAnswersAndOutlivesItsTerminal() async throws {
        let (exchange, endpoints) = try await self.simulate()
        let run = try ProgramRun(["run", "--series", "btc-updown-30s", "--http-port", "0"] + endpoints)
        let port = try #require(await self.port(of: run))
        let url = try #require(URL(string: "http://127.0.0.1:\(port)/v1/status"))
        let (data, response) = try await URLSession.shared.data(from: url)
        #expect((response as? HTTPURLResponse)?.statusCode == 200)
        #expect(try self.object(String(decoding: data, as: UTF8.self))["version"] is String)
        run.send(SIGHUP)
        for await line in run.errorLines where line.contains("SIGHUP: there is no configuration file") { break }
        run.send(SIGTERM)
        #expect(await run.wait() == 0)
        exchange.send(SIGTERM)
        #expect(await exchange.wait() == 0)
    }

    @Test func aClientThatStaysConnectedDoesNotHoldTheEndUp() async throws {
        let demo = try ProgramRun(["demo", "--http-port", "0", "--log-level", "info", "--format", "none"])
        let port = try #require(await self.port(of: demo))
        let url = try #require(URL(string: "http://127.0.0.1:\(port)/healthz"))
        // A session keeps its connection open after the answer.
        let session = URLSession(configuration: .ephemeral)
        defer { session.invalidateAndCancel() }
        let (_, response) = try await session.data(from: url)
        #expect((response as? HTTPURLResponse)?.statusCode == 200)
        demo.send(SIGINT)
        #expect(await demo.wait() == 0)
    }

    /// The API's port, from the log line that tells it.
    private func port(of program: ProgramRun) async -> Int? {
        for await line in program.errorLines {
            if let match = line.firstMatch(of: /http\.url=http:\/\/127\.0\.0\.1:(\d+)\//) { return Int(match.1) }
        }
        return nil
    }

    @Test func jsonlGivesOneRowPerUpdateWithTheDocumentedKeys() async throws {
        let (exchange, endpoints) = try await self.simulate()
        let watch = try ProgramRun(["watch", "--series", "btc-updown-30s", "--format", "jsonl"] + endpoints)
        var rows: [[String: Any]] = []
        for await line in watch.lines {
            rows.append(try self.object(line))
            if rows.count == 20 { break }
        }
        let odds = try #require(rows.first { $0["kind"] as? String == "odds" })
        let documented: Set = [
            "kind", "market", "slug", "yes_bid", "yes_ask", "no_bid", "no_ask", "yes_odds", "no_odds", "displayed_odds",
            "last_trade", "exchange_time_ms", "receive_time_ns", "trust", "reason", "epoch", "source",
        ]
        #expect(documented.isSubset(of: Set(odds.keys)))
        #expect((odds["slug"] as? String)?.hasPrefix("btc-updown-30s-") == true)
        // Interrupting is how people end it; the status must not look like a failure.
        watch.send(SIGINT)
        #expect(await watch.wait() == 0)
        exchange.send(SIGTERM)
        #expect(await exchange.wait() == 0)
    }

    @Test func thePollerCanTakeTheStreamsPlace() async throws {
        let (exchange, endpoints) = try await self.simulate()
        let watch = try ProgramRun(
            [
                "watch", "--series", "btc-updown-30s", "--format", "jsonl", "--source", "poller", "--poll-interval",
                "100ms", "--market-ws", "ws://127.0.0.1:9/ws/market",
            ] + endpoints.suffix(4))
        var rows: [[String: Any]] = []
        for await line in watch.lines {
            rows.append(try self.object(line))
            if rows.count == 5 { break }
        }
        let odds = rows.filter { $0["kind"] as? String == "odds" }
        #expect(!odds.isEmpty)
        #expect(odds.allSatisfy { $0["source"] as? String == "poller" && $0["trust"] as? String == "fallback" })
        watch.send(SIGTERM)
        #expect(await watch.wait() == 0)
        exchange.send(SIGTERM)
        #expect(await exchange.wait() == 0)
    }

    @Test func aReaderThatHasSeenEnoughEndsTheProgramQuietly() async throws {
        let (exchange, endpoints) = try await self.simulate()
        let watch = try ProgramRun(
            ["watch", "--series", "btc-updown-30s", "--format", "jsonl"] + endpoints, listens: false)
        #expect(await watch.wait() == 0)
        #expect(try await watch.errorText().isEmpty)
        exchange.send(SIGTERM)
        #expect(await exchange.wait() == 0)
    }

    @Test func theTraceIsCompleteWhenASignalEndsTheProgram() async throws {
        let (exchange, endpoints) = try await self.simulate()
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("oddstream-\(UUID()).csv").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let watch = try ProgramRun(
            ["watch", "--series", "btc-updown-30s", "--format", "jsonl", "--trace", path] + endpoints)
        var rows = 0
        for await line in watch.lines where line.contains("\"odds\"") {
            rows += 1
            if rows == 50 { break }
        }
        watch.send(SIGTERM)
        #expect(await watch.wait() == 0)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasSuffix("\n"))
        let lines = text.split(separator: "\n")
        #expect(lines.count > 50)
        for (index, line) in lines.dropFirst().enumerated() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            #expect(fields.count == 8)
            #expect(fields.first == "\(index + 1)", "rows are counted without a gap")
        }
        exchange.send(SIGTERM)
        #expect(await exchange.wait() == 0)
    }

    @Test func aLineThatIsDroppedComesBackByItself() async throws {
        let (exchange, endpoints) = try await self.simulate(
            // Whenever the other program is ready, one is still to come.
            "--fault", "drop@2s,drop@4s,drop@8s,drop@16s,drop@32s,drop@64s")
        let watch = try ProgramRun(
            ["watch", "--series", "btc-updown-30s", "--format", "jsonl", "--log-level", "critical"] + endpoints)
        // Trust goes away with the line and comes back with a new epoch.
        var epochs: Set<Int> = []
        for await line in watch.lines {
            let row = try self.object(line)
            if row["trust"] as? String == "live", let epoch = row["epoch"] as? Int { epochs.insert(epoch) }
            if epochs.count == 2 { break }
        }
        #expect(epochs.count == 2)
        watch.send(SIGTERM)
        #expect(await watch.wait() == 0)
        exchange.send(SIGTERM)
        #expect(await exchange.wait() == 0)
    }

    @Test func formatNoneSaysNothing() async throws {
        let (exchange, endpoints) = try await self.simulate()
        // The log tells when it is at work, and goes to the other output.
        let watch = try ProgramRun(
            ["watch", "--series", "btc-updown-30s", "--format", "none", "--log-level", "info"] + endpoints)
        for await line in watch.errorLines where line.contains("Feed connected") { break }
        watch.send(SIGTERM)
        #expect(await watch.wait() == 0)
        #expect(try await watch.outputText().isEmpty)
        let log = try await watch.errorText().split(separator: "\n")
        #expect(log.contains { $0.contains("Feed connected") })
        // A market may just then change its tick size, which is an incident.
        let isQuiet = log.allSatisfy { $0.contains(" info ") || $0.contains(" Incident ") }
        #expect(isQuiet, "above that nothing is logged: \(log)")
        exchange.send(SIGTERM)
        #expect(await exchange.wait() == 0)
    }

    @Test func anExchangeThatIsNotThereEndsWatchWith69() async throws {
        let outcome = try await ProgramRun.outcome([
            "watch", "--market-ws", "ws://127.0.0.1:9/ws/market", "--assets", "1,2", "--format", "none", "--for",
            "500ms",
            "--log-level", "critical",
        ])
        #expect(outcome.status == 69)
        #expect(outcome.errors.contains("`oddstream doctor` checks each step"))
    }

    @Test func theDoctorFindsAHealthyExchangeHealthy() async throws {
        let (exchange, endpoints) = try await self.simulate()
        let outcome = try await ProgramRun.outcome(["doctor", "--series", "btc-updown-30s"] + endpoints)
        #expect(outcome.status == 0, "\(outcome.output)")
        for subject in [
            "configuration", "open files", "disk", "TLS", "CLOB /ok", "clock", "Gamma look-up", "first book",
        ] {
            #expect(outcome.output.contains("ok    \(subject)") || outcome.output.contains("warn  \(subject)"))
        }
        #expect(outcome.output.contains("ok    first book"))
        exchange.send(SIGTERM)
        #expect(await exchange.wait() == 0)
    }

    @Test func theDoctorFindsAMissingExchange() async throws {
        let outcome = try await ProgramRun.outcome([
            "doctor", "--market-ws", "ws://127.0.0.1:9/ws/market", "--clob-rest", "http://127.0.0.1:9", "--gamma-rest",
            "http://127.0.0.1:9",
        ])
        #expect(outcome.status == 69)
        #expect(outcome.output.contains("fail  market channel"))
        #expect(outcome.output.contains("fail  CLOB REST"))
    }

    @Test func aPortInUseEndsRunWith78() async throws {
        let (exchange, endpoints) = try await self.simulate()
        let taken = try #require(endpoints[1].split(separator: ":").last?.prefix { $0.isNumber })
        let outcome = try await ProgramRun.outcome(
            ["run", "--http-port", String(taken), "--log-level", "critical"] + endpoints)
        #expect(outcome.status == 78)
        #expect(outcome.errors.contains("127.0.0.1:\(taken): another program does already"))
        exchange.send(SIGTERM)
        #expect(await exchange.wait() == 0)
    }

    @Test func twoProgramsDoNotShareADataDirectory() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("oddstream-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = try ProgramRun(["demo", "--http-port", "0", "--data", path])
        for await _ in first.lines { break }
        let second = try await ProgramRun.outcome(["demo", "--http-port", "0", "--data", path])
        #expect(second.status == 78)
        #expect(second.errors.contains("in use by another oddstream"))
        first.send(SIGTERM)
        #expect(await first.wait() == 0)
    }
}
