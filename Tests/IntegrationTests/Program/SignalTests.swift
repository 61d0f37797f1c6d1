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
        let status = await run.wait()
        let words = try await run.errorText().suffix(800)
        #expect(status == 0, "\(words)")
    }

    @Test(arguments: SignalTests.ending)
    func whileAFreshBookIsAwaited(signal: Int32) async throws {
        try await SilentServer.run(upgrades: true) { server in
            let run = try ProgramRun([
                "run", "--http-port", "0", "--lines", "1", "--assets", "1,2", "--market-ws",
                "ws://\(server.address)/ws/market",
            ])
            // The request, what is subscribed, and after three seconds without a book the same again; a PING is shorter.
            try await server.heard.wait { $0.count { $0.utf8.count > 40 } >= 3 }
            run.send(signal)
            #expect(await run.wait() == 0)
        }
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

    /// Nobody reads its log and there is no room left in the pipe: what it wants to say at the end cannot be said.
    @Test(arguments: [[SIGTERM], [SIGTERM, SIGINT]])
    func whileTheReaderOfItsLogHasStalled(signals: [Int32]) async throws {
        let log = Pipe()
        let writing = log.fileHandleForWriting.fileDescriptor
        let flags = fcntl(writing, F_GETFL)
        #expect(fcntl(writing, F_SETFL, flags | O_NONBLOCK) == 0)
        let filling = [UInt8](repeating: 0x2E, count: 4096)
        for piece in [4096, 1] { while write(writing, filling, piece) > 0 {} }
        #expect(fcntl(writing, F_SETFL, flags) == 0)
        try await SilentServer.run { server in
            let process = Process()
            process.executableURL = URL(filePath: ProgramRun.path)
            process.arguments = [
                "run", "--http-port", "0", "--log-level", "trace", "--assets", "1,2", "--market-ws",
                "ws://\(server.address)/ws/market",
            ]
            process.environment = [:]
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = log
            let ended = Journal<Int32>()
            process.terminationHandler = { ended.append($0.terminationStatus) }
            try process.run()
            try await server.heard.wait(forCount: 1)
            kill(process.processIdentifier, SIGSTOP)
            for signal in signals { kill(process.processIdentifier, signal) }
            kill(process.processIdentifier, SIGCONT)
            try await ended.wait(forCount: 1)
            let wanted = signals.count == 1 ? [0] : signals.map { 128 + $0 }
            #expect(wanted.contains(ended.entries[0]), "\(ended.entries[0])")
        }
        withExtendedLifetime(log) {}
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
