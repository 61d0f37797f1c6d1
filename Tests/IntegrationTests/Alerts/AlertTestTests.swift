import Foundation
import OddsCore
import OddsTestSupport
import Testing

@testable import oddstream

/// `oddstream alert-test`, run as a stranger would run it.
@Suite struct AlertTestTests {
    private let token = "123456:not-to-be-seen"

    @Test func bothDestinationsAccept() async throws {
        let token = self.token
        try await AcceptingServer.run { server in
            let outcome = try await ProgramRun.outcome(
                [
                    "alert-test", "--telegram-api", server.base, "--telegram-chat", "4711", "--webhook-url",
                    "\(server.base)/hook/not-to-be-seen", "--log-level", "trace",
                ],
                environment: ["ODDSTREAM_TELEGRAM_TOKEN": token, "ODDSTREAM_WEBHOOK_SECRET": "not-to-be-seen"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains(/ok +telegram +accepted as message 42\n/))
            #expect(outcome.output.contains(/ok +webhook +accepted as message [0-9a-f]+-0\n/))
            #expect(!(outcome.output + outcome.errors).contains("not-to-be-seen"))
        }
    }

    @Test func theTokenComesFromAFileToo() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("oddstream-\(UUID()).token")
        try Data("\(self.token)\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try await AcceptingServer.run { server in
            let outcome = try await ProgramRun.outcome(
                ["alert-test", "--telegram-token-file", file.path],
                environment: ["ODDSTREAM_TELEGRAM_API": server.base, "ODDSTREAM_TELEGRAM_CHAT": "@odds"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(!outcome.output.contains("webhook"))
        }
    }

    @Test func aDestinationThatIsNotThereEndsWith69() async throws {
        let outcome = try await ProgramRun.outcome(
            ["alert-test", "--telegram-api", "http://127.0.0.1:1", "--telegram-chat", "4711", "--log-level", "trace"],
            environment: ["ODDSTREAM_TELEGRAM_TOKEN": self.token])
        #expect(outcome.status == 69)
        #expect(outcome.output.contains(/fail +telegram +.*check/))
        #expect(!(outcome.output + outcome.errors).contains("not-to-be-seen"))
    }

    @Test(
        arguments: [
            ([], [:], "No destination for alerts is configured"),
            ([], ["ODDSTREAM_TELEGRAM_TOKEN": "1:a"], "give --telegram-chat"),
            (["--telegram-chat", "1"], [:], "give --telegram-token-file"),
            (["--telegram-chat", "1", "--telegram-token-file", "/nowhere/t"], [:], "/nowhere/t cannot be read"),
            (["--telegram-chat", "odds"], ["ODDSTREAM_TELEGRAM_TOKEN": "1:a"], "'odds' is no Telegram chat"),
            ([], ["ODDSTREAM_WEBHOOK_SECRET": "s"], "give --webhook-url"),
            (
                [], ["ODDSTREAM_WEBHOOK_URL": "hooks.example/not-to-be-seen"],
                "ODDSTREAM_WEBHOOK_URL: '…' cannot be used"
            ),
        ] as [([String], [String: String], String)])
    func whatIsMissingEndsWith78(arguments: [String], environment: [String: String], message: String) async throws {
        let outcome = try await ProgramRun.outcome(["alert-test"] + arguments, environment: environment)
        #expect(outcome.status == 78)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
        #expect(!(outcome.output + outcome.errors).contains("not-to-be-seen"))
    }

    @Test func printConfigShowsNoSecret() async throws {
        let outcome = try await ProgramRun.outcome(
            ["alert-test", "--print-config", "--telegram-token-file", "/etc/token"],
            environment: [
                "ODDSTREAM_TELEGRAM_TOKEN": self.token,
                "ODDSTREAM_WEBHOOK_URL": "https://hooks.example/services/not-to-be-seen",
            ])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains(/telegram-token +\(set, not shown\) +ODDSTREAM_TELEGRAM_TOKEN\n/))
        #expect(outcome.output.contains(/telegram-token-file +\/etc\/token +--telegram-token-file\n/))
        #expect(outcome.output.contains(/webhook-url +https:\/\/hooks.example\/… +ODDSTREAM_WEBHOOK_URL\n/))
        #expect(outcome.output.contains(/webhook-secret +- +default/))
        #expect(!outcome.output.contains("not-to-be-seen"))
    }

    @Test(arguments: ["run", "demo", "doctor"])
    func noCommandShowsASecret(command: String) async throws {
        let outcome = try await ProgramRun.outcome(
            [command, "--print-config", "--heartbeat-url", "https://switch.example/not-to-be-seen"],
            environment: [
                "ODDSTREAM_TELEGRAM_TOKEN": self.token,
                "ODDSTREAM_WEBHOOK_URL": "https://hooks.example/services/not-to-be-seen",
            ])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains(/heartbeat-url +https:\/\/switch.example\/… +--heartbeat-url\n/))
        #expect(outcome.output.contains(/telegram-token +\(set, not shown\)/))
        #expect(!outcome.output.contains("not-to-be-seen"))
    }

    @Test(
        arguments: [
            (["--heartbeat-url", "not-to-be-seen"], "--heartbeat-url: '…' cannot be used"),
            (["--heartbeat-url-file", "/nowhere/h"], "/nowhere/h cannot be read"),
            (["--heartbeat-url-file", "/etc/hostname"], "/etc/hostname holds no http:// or https:// address"),
            (
                ["--heartbeat-url", "http://switch.example/not-to-be-seen", "--heartbeat-url-file", "/nowhere/h"],
                "not both"
            ),
        ] as [([String], String)])
    func aHeartbeatThatCannotBeUsedEndsTheProgram(arguments: [String], message: String) async throws {
        let outcome = try await ProgramRun.outcome(
            ["run", "--http-port", "0", "--market-ws", "ws://127.0.0.1:1"] + arguments)
        #expect(outcome.status == 78 || outcome.status == 64)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
        #expect(!outcome.errors.contains("not-to-be-seen"))
    }

    @Test func doctorLooksAtDestinationsWithoutPosting() async throws {
        let me = #"{"ok":true,"result":{"id":1,"username":"odds_bot"}}"#
        try await StandIn.run(.status(200, me), .error(400, "Bad Request: chat not found")) { server in
            let outcome = try await ProgramRun.outcome(
                [
                    "doctor", "--market-ws", "ws://127.0.0.1:1", "--clob-rest", "http://127.0.0.1:1", "--gamma-rest",
                    "http://127.0.0.1:1", "--telegram-api", server.base, "--telegram-chat", "4711", "--webhook-url",
                    "\(server.base)/hook/not-to-be-seen", "--heartbeat-url", "http://127.0.0.1:1/not-to-be-seen",
                    "--assets", "1",
                ], environment: ["ODDSTREAM_TELEGRAM_TOKEN": self.token])
            #expect(outcome.output.contains(/ok +Telegram token +accepted, the bot is @odds_bot\n/))
            #expect(outcome.output.contains(/fail +Telegram chat +.*--telegram-chat/))
            #expect(outcome.output.contains(/ok +webhook +127\.0\.0\.1:\d+ .*accepts connections/))
            #expect(outcome.output.contains(/fail +heartbeat +127\.0\.0\.1:1 accepts no connection.*--heartbeat-url/))
            #expect(server.requests.entries.map(\.method) == ["GET", "GET"])
            #expect(!(outcome.output + outcome.errors).contains("not-to-be-seen"))
        }
    }

    @Test func outcomesBecomeFindings() {
        #expect(AlertTest.finding("s", .accepted(messageID: nil)) == (Finding(.ok, "s", "accepted"), .done))
        #expect(
            AlertTest.finding("s", .postponed(.seconds(5)))
                == (Finding(.fail, "s", "too many requests: try again in 5 s"), .unreachable))
        #expect(
            AlertTest.finding("s", .failed(reason: "gone", mayHaveArrived: true))
                == (Finding(.fail, "s", "gone"), .unreachable))
        #expect(
            AlertTest.finding("s", .refused(reason: "no")) == (Finding(.fail, "s", "refused: no"), .configuration))
    }
}
