import Foundation
import Logging
import OddsCore
import OddsTestSupport
import Testing

@testable import OddsSinks

/// The whole way of an alert to a stand-in for the Bot API; the clock is the test's.
@Suite(.timeLimit(.minutes(1))) struct TelegramSinkTests {
    @Test func anAlertArrivesAsPlainTextInItsThread() async throws {
        try await withTelegram { desk in
            desk.post("a")
            try await desk.attempts(1)
            desk.post("a", "over", .recovery)
            try await desk.attempts(2)
            let requests = desk.server.requests.entries
            #expect(requests.map(\.method) == ["POST", "POST"])
            #expect(requests.map(\.path) == Array(repeating: "/bot\(tokenText)/sendMessage", count: 2))
            #expect(requests[0].headers["content-type"] == "application/json")
            #expect(requests[0]["chat_id"] as? String == "4711")
            #expect(requests[0]["parse_mode"] == nil)
            #expect(requests[0].text == "WARNING: down\nAbout a.\n2026-01-01T00:00:00Z")
            #expect(requests.map(\.replyTo) == [nil, 1])
            let reply = requests[1]["reply_parameters"] as? [String: Any]
            #expect(reply?["allow_sending_without_reply"] as? Bool == true)
            #expect(desk.sink.status.delivered == 2)
            // One connection serves them all.
            #expect(desk.server.connectionCount == 1)
        }
    }

    @Test func tokenAndChatAreExaminedWithoutSendingAnything() async throws {
        let me = #"{"ok":true,"result":{"id":1,"username":"odds_bot"}}"#
        let chat = #"{"ok":true,"result":{"id":4711,"title":"Odds"}}"#
        try await withTelegram(.status(200, me), .status(200, chat)) { desk in
            let found = await desk.sink.examine()
            #expect(found.map(\.isUsable) == [true, true])
            #expect(found.map(\.message) == ["accepted, the bot is @odds_bot", "the bot can see Odds"])
            let requests = desk.server.requests.entries
            #expect(requests.map(\.method) == ["GET", "GET"])
            #expect(requests.map(\.path) == ["/bot\(tokenText)/getMe", "/bot\(tokenText)/getChat?chat_id=4711"])
        }
    }

    @Test(
        arguments: [
            ([.error(401, "Unauthorized")], ["token"], "@BotFather"),
            ([.accept, .error(400, "Bad Request: chat not found")], ["token", "chat"], "check --telegram-chat"),
            ([.accept, .error(403, "Forbidden: bot was kicked")], ["token", "chat"], "unblock it"),
            ([.error(404, "no \(tokenText) here")], ["token"], "no *** here"),
            ([.error(502, "Bad Gateway")], ["token"], "try again later"), ([.hangUp], ["token"], "check network"),
        ] as [([StandIn.Answer], [String], String)])
    func whatTheExaminationFindsSaysWhatToDo(
        answers: [StandIn.Answer], subjects: [String], message: String
    ) async throws {
        try await withTelegram { desk in
            desk.server.answer(with: answers)
            let found = await desk.sink.examine()
            #expect(found.map(\.subject) == subjects)
            #expect(found.last?.isUsable == false)
            let said = found.last?.message ?? ""
            #expect(said.lowercased().contains(message.lowercased()), "\(said)")
            #expect(!said.contains(tokenText))
        }
    }

    @Test func tooManyRequestsAreObeyedAndOrderIsKept() async throws {
        try await withTelegram(.tooMany(37), .tooMany(5)) { desk in
            desk.post("a")
            try await desk.attempts(1)
            let first = desk.clock.now().monotonic
            desk.post("b")
            desk.post("a", "over", .recovery)
            try await desk.attempts(2)
            #expect(first.duration(to: desk.clock.now().monotonic) == .seconds(37))
            try await desk.attempts(3)
            #expect(first.duration(to: desk.clock.now().monotonic) == .seconds(42))
            try await desk.attempts(5)
            let heard = desk.server.accepted.entries.map(\.request)
            #expect(heard.map { $0.text.split(separator: "\n")[1] } == ["About a.", "About b.", "About a."])
            #expect(heard.map(\.replyTo) == [nil, nil, 1])
            #expect(desk.log.entries.count { $0.hasPrefix("warning Alerts are delayed") } == 1)
            #expect(desk.log.entries.count { $0.hasPrefix("info Alerts get through again") } == 1)
        }
    }

    @Test func aRetryAfterHeaderServesWhenTheBodyIsNotTheAPIs() async throws {
        try await withTelegram(.status(429, "slow down", headers: [("Retry-After", "9")])) { desk in
            desk.post("a")
            try await desk.attempts(1)
            let first = desk.clock.now().monotonic
            try await desk.attempts(2)
            #expect(first.duration(to: desk.clock.now().monotonic) == .seconds(9))
        }
    }

    @Test func anOutageLosesNothing() async throws {
        try await withTelegram { desk in
            try await desk.server.stop()
            desk.post("a")
            try await desk.attempts(3)
            desk.post("a", "over", .recovery)
            for name in ["b", "c", "d"] { desk.post(name) }
            try await desk.attempts(4)
            #expect(desk.sink.status.waiting == 5)
            #expect(desk.sink.status.problem?.contains("check") == true)
            try await desk.server.start()
            try await desk.attempts(6)
            let heard = desk.server.accepted.entries.map(\.request)
            #expect(heard.count == 2)
            #expect(heard[0].text.contains("About a."))
            // Nothing can have arrived while connections were refused, so nobody is told of a repetition.
            #expect(!heard[0].text.contains("Sent again"))
            #expect(heard[1].text.hasPrefix("4 alerts\n\nWARNING: over"))
            #expect(heard[1].replyTo == 1)
            #expect(desk.sink.status.delivered == 5)
        }
    }

    @Test func failuresOfTheServerAreTriedAgain() async throws {
        try await withTelegram(
            .error(502, "Bad Gateway"), .status(500, "<html>"), .hangUp, .status(200, "<html>log in</html>")
        ) { desk in
            desk.post("a")
            try await desk.attempts(5)
            let heard = desk.server.accepted.entries.map(\.request)
            #expect(heard.count == 1)
            // It may have arrived before, and the reader learns why it says the same again.
            #expect(heard[0].text.hasSuffix("Sent again: nobody confirmed attempt 4."))
            #expect(desk.sink.status.retries == 4)
        }
    }

    @Test func silenceIsTriedAgainAndNeverSaysTheSameTwiceInARow() async throws {
        try await withTelegram(.acceptLate) { desk in
            desk.post("a")
            try await desk.wake()
            try await desk.server.requests.wait(forCount: 1)
            // The time limit of the attempt: the answer comes too late.
            try await desk.wake()
            try await desk.attemptsEnded(1)
            desk.server.release()
            try await desk.attempts(2)
            let texts = desk.server.accepted.entries.map(\.request.text)
            #expect(texts.count == 2)
            #expect(texts[0] != texts[1])
            #expect(texts[1].hasSuffix("Sent again: nobody confirmed attempt 1."))
            #expect(desk.sink.status.delivered == 1)
        }
    }

    @Test func aSlowAnswerHoldsTheNextMessageBack() async throws {
        try await withTelegram(.acceptLate) { desk in
            desk.post("a")
            try await desk.wake()
            try await desk.server.requests.wait(forCount: 1)
            desk.post("b")
            desk.clock.advance(by: .seconds(5))
            #expect(desk.server.requests.entries.count == 1)
            desk.server.release()
            try await desk.attemptsEnded(1)
            try await desk.attempts(2)
            #expect(desk.server.accepted.entries.map(\.id) == [1, 2])
            #expect(desk.server.requests.entries[1].text.contains("About b."))
        }
    }

    @Test func aStormIsOneMessageAndItsRecoveryAnother() async throws {
        try await withTelegram { desk in
            for index in 0..<12 { desk.post("i\(index)") }
            try await desk.attempts(1)
            for index in 0..<12 { desk.post("i\(index)", "over", .recovery) }
            try await desk.attempts(2)
            let requests = desk.server.requests.entries
            #expect(requests.count == 2)
            #expect(requests[0].text.hasPrefix("12 alerts"))
            #expect(requests[1].replyTo == 1)
            #expect(desk.sink.status.delivered == 24)
            #expect(desk.sink.status.messages == 2)
        }
    }

    @Test func whatTheAPIRefusesIsSaidOnceAndDropped() async throws {
        let blocked = StandIn.Answer.error(403, "Forbidden: bot was blocked by the user")
        try await withTelegram(blocked, blocked) { desk in
            desk.post("a")
            try await desk.attempts(1)
            desk.post("b")
            try await desk.attempts(2)
            desk.post("c")
            try await desk.attempts(3)
            #expect(desk.server.accepted.entries.map { $0.request.text.contains("About c.") } == [true])
            let errors = desk.log.entries.filter { $0.hasPrefix("error") }
            #expect(errors.count == 1)
            #expect(errors.first?.contains("unblock it or add it to the chat") == true)
            #expect(desk.sink.status.refused == 2)
            #expect(desk.sink.status.problem == nil)
        }
    }

    @Test func aLongTextIsCutToTheLimitOfTheAPI() async throws {
        try await withTelegram { desk in
            var alert = sampleAlert("a")
            alert.text = String(repeating: "🙂", count: 5000)
            desk.sink.post(alert)
            try await desk.attempts(1)
            let text = desk.server.requests.entries[0].text
            #expect(text.utf16.count <= 4096)
            #expect(text.utf16.count > 4000)
            #expect(text.hasSuffix("characters cut)"))
        }
    }

    // MARK: The end

    @Test func whatWaitsIsDrainedAtTheEnd() async throws {
        try await withTelegram { desk in
            desk.post("a")
            desk.post("b")
            try await desk.clock.sleepers(atLeast: 1)
            await desk.shutdown()
            // Without the clock being moved: nothing is gathered any more.
            try await desk.attemptsEnded(1)
            #expect(desk.sink.status.delivered == 2)
            #expect(desk.sink.status.waiting == 0)
        }
    }

    @Test func drainingEndsAfterItsTime() async throws {
        try await withTelegram(.stall) { desk in
            desk.post("a")
            try await desk.wake()
            try await desk.server.requests.wait(forCount: 1)
            await desk.shutdown()
            // The attempt's limit and the end of draining.
            try await desk.clock.sleepers(atLeast: 2)
            desk.clock.advance(by: .seconds(1))
            try await desk.log.wait { $0.contains { $0.contains("Alerts were not delivered before the end") } }
            #expect(desk.sink.status.waiting == 1)
        }
    }

    @Test func cancellationEndsAtOnce() async throws {
        try await StandIn.run(.stall) { server in
            let clock = ManualClock()
            var configuration = TelegramSinkConfiguration(token: try Secret(tokenText), chat: "4711")
            configuration.api = server.base
            let sink = try TelegramSink(
                configuration: configuration, clock: clock, logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }
            )
            let run = Task { await sink.run() }
            sink.post(sampleAlert("a"))
            try await clock.sleepers(atLeast: 1)
            clock.advance(by: .seconds(1))
            try await server.requests.wait(forCount: 1)
            run.cancel()
            await run.value
            #expect(clock.sleeperCount == 0)
            #expect(sink.status.waiting == 1)
            try await server.connectionsClosed()
        }
    }

    // MARK: One attempt

    @Test func oneAttemptSaysWhatCameOfIt() async throws {
        let answers: [(StandIn.Answer, AlertOutcome)] = [
            (.accept, .accepted(messageID: "1")),
            (.tooMany(5), .postponed(.seconds(5))),
            (
                .error(401, "Unauthorized"),
                .refused(reason: "the bot is not known: check the token ('Unauthorized')")
            ),
            (
                .error(400, "Bad Request: chat not found"),
                .refused(reason: "the message cannot be delivered: check telegram-chat ('Bad Request: chat not found')")
            ),
            (
                .error(400, "upgraded", parameters: #"{"migrate_to_chat_id":-100123}"#),
                .refused(reason: "the group has become a supergroup: set telegram-chat to -100123 ('upgraded')")
            ),
            (
                .error(404, "no bot\(tokenText) here"),
                .refused(reason: "the bot is not known: check the token ('no bot*** here')")
            ),
            (
                .status(302, "", headers: [("Location", "http://127.0.0.1:1/elsewhere")]),
                .refused(reason: "the Bot API answered with status 302")
            ),
        ]
        for (answer, outcome) in answers {
            try await StandIn.run(answer) { server in
                var configuration = TelegramSinkConfiguration(token: try Secret(tokenText), chat: "@odds")
                configuration.api = server.base + "/"
                let sink = try TelegramSink(
                    configuration: configuration, clock: ManualClock(),
                    logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
                #expect(await sink.attempt(sampleAlert("a")) == outcome)
                #expect(server.requests.entries.count == 1)
                #expect(sink.status.waiting == 0)
            }
        }
    }

    // MARK: The token

    /// Every way to print it, and every error a server or a network can provoke.
    @Test func theTokenIsSeenNowhere() async throws {
        let secret = try Secret(" \(tokenText)\n")
        #expect(secret.withText { $0 } == tokenText)
        var dumped = ""
        dump(secret, to: &dumped)
        var configuration = TelegramSinkConfiguration(token: secret, chat: "1")
        dump(configuration, to: &dumped)
        dumped += "\(secret) \(String(reflecting: secret)) \(configuration) \(String(describing: secret))"
        configuration.api = "http://127.0.0.1:1"
        let journal = Journal<String>()
        let logger = Logger(label: "t") { _ in JournalLogHandler(lines: journal) }
        for api in ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://256.256.256.256", "http://[", "http://a b"] {
            configuration.api = api
            do {
                let sink = try TelegramSink(configuration: configuration, clock: ManualClock(), logger: logger)
                let outcome = await sink.attempt(sampleAlert("a"))
                guard case .failed = outcome else {
                    Issue.record("\(api): \(outcome)")
                    continue
                }
                dumped += "\(outcome) \(sink.status)"
                dump(sink, to: &dumped)
            } catch {
                dumped += "\(error)"
                dump(error, to: &dumped)
            }
        }
        dumped += journal.entries.joined()
        #expect(!dumped.contains("test-token"))
        #expect(!dumped.contains("123456:"))
        #expect(dumped.contains("***"))
    }

    @Test(arguments: [
        ("https://api.telegram.org", "12 34", "1", "@BotFather"),
        ("https://api.telegram.org", "12/34", "1", "@BotFather"),
        ("api.telegram.org", "12:a", "1", "https://api.telegram.org"),
        ("https://x/?a", "12:a", "1", "https://api.telegram.org"),
        ("https://u:p@x", "12:a", "1", "https://api.telegram.org"),
        ("https://api.telegram.org", "12:a", "odds", "give its number"),
        ("https://api.telegram.org", "12:a", "", "give its number"),
        ("https://api.telegram.org", "12:a", "@", "give its number"),
    ])
    func whatCannotBeUsedIsRefusedWithAdvice(api: String, token: String, chat: String, advice: String) throws {
        var configuration = TelegramSinkConfiguration(token: try Secret(token), chat: chat)
        configuration.api = api
        let logger = Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }
        let error = #expect(throws: AlertSinkError.self) {
            try TelegramSink(configuration: configuration, clock: ManualClock(), logger: logger)
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains(advice) == true)
    }

    @Test func secretsComeFromTheFirstLineOfAFile() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("oddstream-\(UUID()).token")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(" \(tokenText)\r\nsecond line\n".utf8).write(to: file)
        #expect(try Secret(file: file.path).withText { $0 } == tokenText)
        try Data("\n\n".utf8).write(to: file)
        let empty = #expect(throws: AlertSinkError.self) { try Secret(file: file.path) }
        #expect(empty?.code == .secretFile)
        let missing = #expect(throws: AlertSinkError.self) { try Secret(file: "/nowhere/token") }
        #expect(missing?.message.contains("/nowhere/token cannot be read") == true)
        #expect(throws: AlertSinkError.self) { try Secret(" \n") }
    }
}
