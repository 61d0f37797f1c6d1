import Foundation
import PolymarketSimulator
import Testing

/// The program at work against the simulated exchange. Each test waits for what it wants to see and then ends the program.
@Suite(.timeLimit(.minutes(2))) struct LiveProgramTests {
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
        let asked = ContinuousClock.now
        demo.send(SIGTERM)
        #expect(await demo.wait() == 0)
        #expect(asked.duration(to: .now) < .seconds(2), "a signal ends everything within two seconds")
    }

    @Test func aClientThatStaysConnectedDoesNotHoldTheEndUp() async throws {
        let demo = try ProgramRun(["demo", "--http-port", "0", "--log-level", "info", "--format", "none"])
        let port = try #require(await self.port(of: demo))
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(connection) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(isConnected)
        let request = Array("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(send(connection, request, request.count, 0) == request.count)
        var answer = [UInt8](repeating: 0, count: 4096)
        #expect(recv(connection, &answer, answer.count, 0) > 0)
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

    @Test func aReaderThatHasSeenEnoughEndsTheProgramQuietly() async throws {
        let (exchange, endpoints) = try await self.simulate()
        let watch = try ProgramRun(["watch", "--series", "btc-updown-30s", "--format", "jsonl"] + endpoints)
        try watch.reader.close()
        #expect(await watch.wait() == 0)
        #expect(watch.errorText().isEmpty)
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

    @Test func formatNoneSaysNothing() async throws {
        let (exchange, endpoints) = try await self.simulate()
        let outcome = try await ProgramRun.outcome(
            ["watch", "--series", "btc-updown-30s", "--format", "none", "--for", "1s"] + endpoints)
        #expect(outcome.status == 0)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.isEmpty)
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
