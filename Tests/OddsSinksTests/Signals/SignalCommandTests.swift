import Foundation
import Logging
import OddsCore
import OddsTestSupport
import Testing

@testable import OddsSinks

/// Real shell scripts, run by the real hook. They tell what they do by lines into a named pipe, so nothing is polled.
@Suite(.timeLimit(.minutes(2))) struct SignalCommandTests {
    /// A script, what it says, and the dispatcher that runs it.
    private struct Stage: Sendable {
        let desk: SignalDesk
        let directory: URL
        let said: Journal<String>

        func file(_ name: String) throws -> String {
            try String(contentsOf: self.directory.appending(path: name), encoding: .utf8)
        }
    }

    /// Runs `script` for each signal; in it `say` writes a line that the test can wait for.
    private func withScript(
        _ script: String, arguments: [String] = [],
        configure: (inout SignalCommandConfiguration) -> Void = { _ in },
        body: (Stage) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let pipe = directory.appending(path: "say").path
            try #require(mkfifo(pipe, 0o600) == 0)
            let path = directory.appending(path: "hook.sh").path
            let text = "#!/bin/sh\ncd '\(directory.path)'\nsay() { echo \"$*\" > say; }\n\(script)\n"
            try Data(text.utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            // Open for both: it never comes to its end, and nobody waits for a partner.
            let handle = try #require(FileHandle(forUpdatingAtPath: pipe))
            let said = Journal<String>()
            handle.readabilityHandler = { handle in
                for line in String(decoding: handle.availableData, as: UTF8.self).split(separator: "\n") {
                    said.append(String(line))
                }
            }
            defer {
                handle.readabilityHandler = nil
                try? handle.close()
            }
            var command = SignalCommandConfiguration(arguments: [path] + arguments)
            command.outbox.backoff.jitter = 0
            configure(&command)
            var configuration = SignalDispatcherConfiguration()
            configuration.commands = [command]
            try await withDispatcher(configuration) { desk in
                try await body(Stage(desk: desk, directory: directory, said: said))
            }
        }
    }

    /// Returns when a process is gone: what was sent to end it takes its moment. The suite's time limit ends the wait.
    private func gone(_ process: String) async throws {
        while try !self.isGone(process) { await Task.yield() }
    }

    /// Whether a process is gone, or only waits to be reaped by whoever adopted it.
    private func isGone(_ process: String) throws -> Bool {
        let number = try #require(pid_t(process))
        guard kill(number, 0) == 0 else { return errno == ESRCH }
        guard let state = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8) else { return true }
        return state.split(separator: ")").last?.hasPrefix(" Z") == true
    }

    @Test func theCommandGetsTheSignalAndNothingOfOurEnvironment() async throws {
        setenv("ODDSTREAM_TEST_SECRET", "test-token", 1)
        let script = "cat > body.json\nenv > environment\nprintf '%s|' \"$@\" > arguments"
        try await self.withScript(script, arguments: ["two words", "$HOME", "*"]) { stage in
            stage.desk.send("run-1")
            let delivery = try #require(try await stage.desk.deliveries(1).first)
            #expect(delivery.outcome == .delivered)
            #expect(delivery.sink == "command")
            #expect(delivery.exitCode == 0)
            let body = try JSONSerialization.jsonObject(with: Data(try stage.file("body.json").utf8))
            #expect((body as? [String: Any])?["id"] as? String == "run-1")
            #expect(try stage.file("arguments") == "two words|$HOME|*|")
            let lines = try stage.file("environment").split(separator: "\n")
            let names = Set(lines.compactMap { $0.split(separator: "=").first.map(String.init) })
            // PWD, OLDPWD, SHLVL and _ are the shell's own.
            #expect(
                names.subtracting(["PWD", "OLDPWD", "SHLVL", "_"]).subtracting(["HOME"]) == [
                    "PATH", "ODDSTREAM_SIGNAL_ID", "ODDSTREAM_SIGNAL_KIND",
                ])
            #expect(lines.contains("ODDSTREAM_SIGNAL_ID=run-1"))
            #expect(lines.contains("ODDSTREAM_SIGNAL_KIND=spike.began"))
        }
    }

    @Test func exitCode75AsksForAnotherAttempt() async throws {
        try await self.withScript("test -e once && exit 0\n: > once\nexit 75") { stage in
            stage.desk.send("run-1")
            try await stage.desk.attemptsEnded(1)
            try await stage.desk.clock.sleepers(atLeast: 1)
            let pause = stage.desk.clock.now().monotonic.duration(to: try #require(stage.desk.clock.nextWake))
            #expect(pause == .milliseconds(250))
            stage.desk.clock.advance(by: pause)
            let delivery = try #require(try await stage.desk.deliveries(1).first)
            #expect(delivery.outcome == .delivered)
            #expect(delivery.attempts == 2)
        }
    }

    @Test func anyOtherExitCodeRefusesAndItsErrorIsKept() async throws {
        try await self.withScript("echo 'no position limit left' >&2\necho more >&2\nexit 3") { stage in
            stage.desk.send("run-1")
            let delivery = try #require(try await stage.desk.deliveries(1).first)
            #expect(delivery.outcome == .failed)
            #expect(delivery.attempts == 1)
            #expect(delivery.exitCode == 3)
            #expect(delivery.error == "the command ended with exit code 3: no position limit left")
            #expect(stage.desk.log.entries.contains { $0.contains("signal.errors=no position limit left\\nmore") })
        }
    }

    @Test func aSignalThatEndsTheCommandRefuses() async throws {
        try await self.withScript("kill -9 $$") { stage in
            stage.desk.send("run-1")
            let delivery = try #require(try await stage.desk.deliveries(1).first)
            #expect(delivery.outcome == .failed)
            #expect(delivery.exitCode == 137)
        }
    }

    @Test func aCommandThatTakesTooLongIsEndedWithItsGrandchildren() async throws {
        // Both ignore SIGTERM, so that only SIGKILL ends them.
        let script = """
            trap '' TERM
            sh -c 'trap "" TERM; echo "grandchild $$" > say; while :; do sleep 1; done' &
            say "child $$"
            while :; do sleep 1; done
            """
        try await self.withScript(script) { stage in
            stage.desk.send("run-1")
            try await stage.said.wait(forCount: 2)
            let processes = stage.said.entries.compactMap { $0.split(separator: " ").last.map(String.init) }
            for process in processes { try #expect(!self.isGone(process)) }
            try await stage.desk.clock.sleepers(atLeast: 1)
            stage.desk.clock.advance(by: .seconds(10))
            // Asked to end; the rest of a second is theirs.
            try await stage.desk.clock.sleepers(atLeast: 1)
            for process in processes { try #expect(!self.isGone(process)) }
            stage.desk.clock.advance(by: .seconds(1))
            let delivery = try #require(try await stage.desk.deliveries(1).first)
            #expect(delivery.outcome == .failed)
            #expect(delivery.error == "the command had not ended after 10.0 s and was stopped")
            for process in processes { try await self.gone(process) }
        }
    }

    @Test func aGrandchildThatIgnoresTheCallToEndDoesNotOutliveItsParent() async throws {
        let script = """
            sh -c 'trap "" TERM; echo "grandchild $$" > say; while :; do sleep 1; done' &
            exec sleep 1000
            """
        try await self.withScript(script) { stage in
            stage.desk.send("run-1")
            try await stage.said.wait(forCount: 1)
            let process = try #require(stage.said.entries.first?.split(separator: " ").last.map(String.init))
            try await stage.desk.clock.sleepers(atLeast: 1)
            stage.desk.clock.advance(by: .seconds(10))
            let delivery = try #require(try await stage.desk.deliveries(1).first)
            #expect(delivery.exitCode == 128 + 15)
            try await self.gone(process)
        }
    }

    @Test func whatACommandLeavesRunningEndsWithIt() async throws {
        let script =
            "sh -c 'echo \"left $$\" > say; while :; do sleep 1; done' &\nread line < /dev/null\nsay done\nexit 0"
        try await self.withScript(script) { stage in
            stage.desk.send("run-1")
            let delivery = try #require(try await stage.desk.deliveries(1).first)
            #expect(delivery.outcome == .delivered)
            if let left = stage.said.entries.first(where: { $0.hasPrefix("left") }) {
                try await self.gone(String(left.dropFirst("left ".count)))
            }
        }
    }

    @Test func outputThatFloodsIsReadAndCut() async throws {
        let flood = "head -c 3000000 /dev/zero | tr '\\0' 'x'"
        try await self.withScript("\(flood)\n\(flood) >&2\nexit 0") { stage in
            stage.desk.send("run-1")
            let delivery = try #require(try await stage.desk.deliveries(1).first)
            #expect(delivery.outcome == .delivered)
            let line = try #require(stage.desk.log.entries.first { $0.contains("Signal command ended") })
            #expect(line.count { $0 == "x" } <= 2 * 4096 + 10)
            #expect(line.count { $0 == "x" } >= 2 * 4096)
        }
    }

    @Test func aFloodFromOutsideTheGroupDoesNotHoldTheSignal() async throws {
        // It leaves the group and goes on writing into our pipe for as long as that is open.
        try await self.withScript("setsid sh -c 'while echo xxxxxxxx; do :; done' &\nexit 0") { stage in
            stage.desk.send("run-1")
            let delivery = try #require(try await stage.desk.deliveries(1).first)
            #expect(delivery.outcome == .delivered)
        }
    }

    @Test func inputThatNobodyReadsEndsNobody() async throws {
        try await self.withScript("exec < /dev/null\nsay closed\nexit 0") { stage in
            stage.desk.send("run-1", "run-2")
            let told = try await stage.desk.deliveries(2)
            #expect(told.map(\.outcome) == [.delivered, .delivered])
        }
    }

    @Test func aCommandThatClosesItsOutputIsWaitedFor() async throws {
        try await self.withScript("exec >&- 2>&-\nsay waiting\nread answer < go\nexit 4") { stage in
            try #require(mkfifo(stage.directory.appending(path: "go").path, 0o600) == 0)
            stage.desk.send("run-1")
            try await stage.said.wait(for: "waiting")
            #expect(stage.desk.deliveries.entries.isEmpty)
            try Data("go\n".utf8).write(to: stage.directory.appending(path: "go"))
            let told = try await stage.desk.deliveries(1)
            #expect(told.first?.exitCode == 4)
        }
    }

    @Test func noMoreCommandsRunAtOnceThanAllowedAndAMarketsRunInOrder() async throws {
        let script = """
            say "began $ODDSTREAM_SIGNAL_ID"
            mkfifo "go-$ODDSTREAM_SIGNAL_ID"
            say "ready $ODDSTREAM_SIGNAL_ID"
            read answer < "go-$ODDSTREAM_SIGNAL_ID"
            """
        try await self.withScript(script) {
            $0.outbox.concurrency = 2
        } body: { stage in
            stage.desk.send("a-1", "a-2", market: "a")
            stage.desk.send("b-1", market: "b")
            stage.desk.send("c-1", market: "c")
            var running: Set<String> = ["a-1", "b-1"]
            for next in ["c-1", "a-2", nil] as [String?] {
                for id in running { try await stage.said.wait(for: "ready \(id)") }
                let began = stage.said.entries.filter { $0.hasPrefix("began") }
                #expect(began.count == 4 - [next].compactMap { $0 }.count - (next == "c-1" ? 1 : 0))
                #expect(stage.desk.dispatcher.status.first?.status.underWay == running.count)
                // b goes first, then a; so c gets b's place and a's second one gets a's.
                let ending = next == "c-1" ? "b-1" : next == "a-2" ? "a-1" : "c-1"
                try Data("go\n".utf8).write(to: stage.directory.appending(path: "go-\(ending)"))
                try await stage.desk.deliveries.wait { $0.contains { $0.id == ending } }
                running.remove(ending)
                if let next { running.insert(next) }
            }
            try await stage.said.wait(for: "ready a-2")
            try Data("go\n".utf8).write(to: stage.directory.appending(path: "go-a-2"))
            let told = try await stage.desk.deliveries(4)
            #expect(told.map(\.id) == ["b-1", "a-1", "c-1", "a-2"])
        }
    }

    @Test func theEndOfTheProgramEndsWhatRuns() async throws {
        let script = """
            trap 'say "asked"; exit 0' TERM
            say "child $$"
            while :; do read line < go; done
            """
        try await self.withScript(script) { stage in
            try #require(mkfifo(stage.directory.appending(path: "go").path, 0o600) == 0)
            stage.desk.send("a-1", "a-2")
            try await stage.said.wait(forCount: 1)
            let process = try #require(stage.said.entries.first?.split(separator: " ").last.map(String.init))
            await stage.desk.shutdown()
            // The command's limit, the age and the end of draining.
            try await stage.desk.clock.sleepers(atLeast: 3)
            stage.desk.clock.advance(by: .seconds(2))
            let over = try await stage.desk.deliveries(2)
            try await self.gone(process)
            #expect(over.last?.outcome == .dropped)
            #expect(stage.said.entries.contains("asked"))
        }
    }

    @Test func aProgramThatVanishesIsTriedAgainUntilItIsBack() async throws {
        try await self.withScript("exit 0") { stage in
            let path = stage.directory.appending(path: "hook.sh")
            let away = stage.directory.appending(path: "away.sh")
            try FileManager.default.moveItem(at: path, to: away)
            stage.desk.send("run-1")
            try await stage.desk.attemptsEnded(1)
            try await stage.desk.clock.sleepers(atLeast: 1)
            try FileManager.default.moveItem(at: away, to: path)
            stage.desk.clock.advance(by: .milliseconds(250))
            let delivery = try #require(try await stage.desk.deliveries(1).first)
            #expect(delivery.outcome == .delivered)
            #expect(delivery.attempts == 2)
        }
    }

    // MARK: Start-up

    private func refusal(_ arguments: [String]) -> AlertSinkError? {
        var configuration = SignalDispatcherConfiguration()
        configuration.commands = [SignalCommandConfiguration(arguments: arguments)]
        return #expect(throws: AlertSinkError.self) {
            try SignalDispatcher(
                configuration: configuration, clock: ManualClock(),
                logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
        }
    }

    @Test func aProgramThatCannotBeRunIsToldAtTheStart() async throws {
        #expect(self.refusal([])?.code == .invalidConfiguration)
        let missing = self.refusal(["/nowhere/at/all"])
        #expect(missing?.code == .command)
        #expect(missing?.message.contains("there is no file /nowhere/at/all") == true)
        #expect(self.refusal(["oddstream-no-such-program"])?.message.contains("on PATH") == true)
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "plain").path
            try Data("#!/bin/sh\n".utf8).write(to: URL(filePath: path))
            #expect(self.refusal([path])?.message.contains("chmod +x") == true)
            #expect(self.refusal([directory.path])?.code == .command)
        }
    }

    @Test func aNameIsLookedUpOnThePath() throws {
        #expect(try ProgramSearch.locate("sh", path: "relative:/nowhere:/bin") == "/bin/sh")
    }

    @Test(
        arguments: [
            ("act", ["act"]), ("  a  b\tc ", ["a", "b", "c"]), (#"a "b c" 'd "e'"#, ["a", "b c", #"d "e"#]),
            (#"a\ b "c\"d" 'e\f'"#, ["a b", #"c"d"#, #"e\f"#]), (#"a "" ''b"#, ["a", "", "b"]),
            ("a $HOME *|b", ["a", "$HOME", "*|b"]),
        ] as [(String, [String])])
    func aCommandLineBecomesWords(line: String, words: [String]) throws {
        #expect(try SignalCommandConfiguration(commandLine: line).arguments == words)
    }

    @Test(arguments: ["", "  ", "a 'b", "a \"b", "a\\", "'' b"])
    func aCommandLineThatIsNoneIsRefused(line: String) {
        #expect(throws: AlertSinkError.self) { try SignalCommandConfiguration(commandLine: line) }
    }
}
