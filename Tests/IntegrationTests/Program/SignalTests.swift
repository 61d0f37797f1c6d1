import Foundation
import OddsTestSupport
import Testing

/// How the program ends, and reads its configuration again, when it is told to at a bad moment.
///
/// A program that does not end in time ends itself with status 70, so status 0 says that every part of it ended.
@Suite(.timeLimit(.minutes(5))) struct SignalTests {
    private static let ending = [SIGTERM, SIGINT]

    private func waitForError(_ program: ProgramRun, containing text: String, times: Int = 1) async -> Bool {
        var seen = 0
        for await line in program.errorLines where line.contains(text) {
            seen += 1
            if seen == times { return true }
        }
        return false
    }

    @Test(arguments: SignalTests.ending)
    func whileTheExchangeRefusesConnections(signal: Int32) async throws {
        let run = try ProgramRun([
            "run", "--http-port", "0", "--assets", "1,2", "--market-ws", "ws://127.0.0.1:9/ws/market", "--log-level",
            "debug",
        ])
        // After the fourth attempt it waits for a second or more.
        #expect(await self.waitForError(run, containing: "Feed connecting", times: 6))
        run.send(signal)
        #expect(await run.wait() == 0)
    }

    @Test(arguments: SignalTests.ending)
    func whileAFreshBookIsAwaited(signal: Int32) async throws {
        let exchange = try ProgramRun([
            "simulate", "--series", "btc-updown-30s", "--log-level", "error", "--fault", "freeze@1ms:1h",
        ])
        var endpoints: [String] = []
        for await line in exchange.lines {
            endpoints += line.split(separator: " ").map(String.init)
            if endpoints.count == 6 { break }
        }
        let watch = try ProgramRun(
            ["watch", "--series", "btc-updown-30s", "--format", "none", "--log-level", "debug"] + endpoints)
        #expect(await self.waitForError(watch, containing: "Asking for a fresh book"))
        watch.send(signal)
        #expect(await watch.wait() == 0)
        exchange.send(signal)
        #expect(await exchange.wait() == 0)
    }

    @Test(arguments: SignalTests.ending)
    func whileTheMarketChannelSaysNothing(signal: Int32) async throws {
        try await SilentServer.run { server in
            let run = try ProgramRun([
                "run", "--http-port", "0", "--assets", "1,2", "--market-ws", "ws://\(server.address)/ws/market",
            ])
            try await server.heard.wait { $0.contains { $0.hasPrefix("GET /ws/market ") } }
            run.send(signal)
            #expect(await run.wait() == 0)
        }
    }

    @Test(arguments: SignalTests.ending)
    func whileALookUpIsNotAnswered(signal: Int32) async throws {
        try await SilentServer.run { server in
            let run = try ProgramRun([
                "run", "--http-port", "0", "--series", "btc-updown-30s", "--gamma-rest", "http://\(server.address)",
                "--market-ws", "ws://127.0.0.1:9/ws/market",
            ])
            try await server.heard.wait { $0.contains { $0.hasPrefix("GET /markets/slug/") } }
            run.send(signal)
            #expect(await run.wait() == 0)
        }
    }

    @Test(arguments: SignalTests.ending)
    func whileAPollIsNotAnswered(signal: Int32) async throws {
        try await SilentServer.run { server in
            let run = try ProgramRun([
                "run", "--http-port", "0", "--source", "poller", "--assets", "1,2", "--clob-rest",
                "http://\(server.address)",
            ])
            try await server.heard.wait { $0.count { $0.hasPrefix("GET /book?token_id=") } == 2 }
            run.send(signal)
            #expect(await run.wait() == 0)
        }
    }

    @Test func aSecondSignalEndsItAtOnce() async throws {
        try await SilentServer.run { server in
            let run = try ProgramRun([
                "run", "--http-port", "0", "--source", "poller", "--assets", "1,2", "--clob-rest",
                "http://\(server.address)",
            ])
            try await server.heard.wait(forCount: 2)
            // Stopped, it cannot have ended after the first before it hears of the second.
            run.send(SIGSTOP)
            run.send(SIGTERM)
            run.send(SIGINT)
            run.send(SIGCONT)
            let status = await run.wait()
            #expect(status == 128 + SIGTERM || status == 128 + SIGINT)
        }
    }

    @Test func aSecondSignalIsHeardWhenThePartsHaveEnded() async throws {
        // Nobody reads its log, so that its last act, to write it, does not come to an end by itself.
        let log = Pipe()
        defer { withExtendedLifetime(log) {} }
        let process = Process()
        process.executableURL = URL(filePath: ProgramRun.path)
        process.arguments = [
            "watch", "--assets", "1,2", "--market-ws", "ws://127.0.0.1:9/ws/market", "--log-level", "trace", "--for",
            "30m", "--format", "none",
        ]
        process.environment = [:]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = log
        let ended = Journal<Int32>()
        process.terminationHandler = { ended.append($0.terminationStatus) }
        try process.run()
        // Its first line says that it is there to be told.
        _ = log.fileHandleForReading.availableData
        kill(process.processIdentifier, SIGSTOP)
        kill(process.processIdentifier, SIGINT)
        kill(process.processIdentifier, SIGTERM)
        kill(process.processIdentifier, SIGCONT)
        try await ended.wait(forCount: 1)
        #expect([128 + SIGTERM, 128 + SIGINT].contains(ended.entries[0]))
    }

    // MARK: SIGHUP

    @Test func withoutAFileThereIsNothingToReload() async throws {
        try await SilentServer.run { server in
            let run = try ProgramRun([
                "run", "--http-port", "0", "--assets", "1,2", "--market-ws", "ws://\(server.address)/ws/market",
            ])
            try await server.heard.wait(forCount: 1)
            run.send(SIGHUP)
            #expect(await self.waitForError(run, containing: "SIGHUP: there is no configuration file to reload"))
            run.send(SIGTERM)
            #expect(await run.wait() == 0)
        }
    }

    @Test func theFileIsReadAgain() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("oddstream-\(UUID()).json").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path), options: .atomic) }
        try await SilentServer.run { server in
            try write(#"{"http-port": 0, "log-level": "warning"}"#)
            let run = try ProgramRun([
                "run", "--assets", "1,2", "--config", path, "--market-ws", "ws://\(server.address)/ws/market",
            ])
            try await server.heard.wait(forCount: 1)
            try write(#"{"http-port": 1, "log-level": "info"}"#)
            run.send(SIGHUP)
            #expect(await self.waitForError(run, containing: "Configuration reloaded  keys=log-level"))
            #expect(await self.waitForError(run, containing: "Changed settings need a restart  keys=http-port"))
            try write(#"{"http-port": "#)
            run.send(SIGHUP)
            #expect(await self.waitForError(run, containing: "Configuration not reloaded: the old settings stay"))
            run.send(SIGTERM)
            // Said at the level that was read from the file.
            #expect(await self.waitForError(run, containing: "Ending  signal=SIGTERM"))
            #expect(await run.wait() == 0)
        }
    }
}
