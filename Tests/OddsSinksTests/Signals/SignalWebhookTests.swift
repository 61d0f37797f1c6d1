import Crypto
import Foundation
import Logging
import OddsCore
import OddsTestSupport
import Testing

@testable import OddsSinks

@Suite(.timeLimit(.minutes(1))) struct SignalWebhookTests {
    private func withWebhook(
        _ script: StandIn.Answer..., secret: String? = nil,
        configure: (inout SignalWebhookConfiguration) -> Void = { _ in },
        body: (SignalDesk, StandIn) async throws -> Void
    ) async throws {
        try await StandIn.run { server in
            server.answer(with: script)
            var webhook = SignalWebhookConfiguration(
                url: "\(server.base)/act?key=test-token", secret: try secret.map { try Secret($0) })
            webhook.outbox.backoff.jitter = 0
            configure(&webhook)
            var configuration = SignalDispatcherConfiguration()
            configuration.webhooks = [webhook]
            let lines = Journal<String>()
            try await withDispatcher(configuration) { desk in
                try await body(desk, server)
                for line in desk.log.entries { lines.append(line) }
            }
            try await server.connectionsClosed()
            for line in lines.entries { #expect(!line.contains("test-token") && !line.contains(secret ?? "\u{0}")) }
        }
    }

    /// Moves the clock over the pause before the next attempt.
    private func pause(_ desk: SignalDesk) async throws {
        try await desk.clock.sleepers(atLeast: 1)
        desk.clock.advance(to: try #require(desk.clock.nextWake))
    }

    @Test func aSignalArrivesWithItsHeadersAndBody() async throws {
        try await self.withWebhook { desk, server in
            desk.dispatcher.send(
                Signal(id: "run-1", time: Timestamp(seconds: 5), trade: .sample("a", order: 7, .open)))
            let delivery = try #require(try await desk.deliveries(1).first)
            #expect(delivery.outcome == .delivered)
            #expect(delivery.httpStatus == 200)
            #expect(delivery.sink == "webhook")
            let request = try #require(server.requests.entries.first)
            #expect(request.method == "POST")
            #expect(request.path == "/act?key=test-token")
            #expect(request.headers["content-type"] == "application/json")
            #expect(request.headers["idempotency-key"] == "run-1")
            #expect(request.headers["x-oddstream-kind"] == "order.filled")
            #expect(request.headers["x-oddstream-attempt"] == "1")
            #expect(request.headers["x-oddstream-signature"] == nil)
            #expect(request["kind"] as? String == "order.filled")
            #expect((request["data"] as? [String: Any])?["order"] as? Int == 7)
        }
    }

    @Test func everyAttemptIsTheSameToTheByteAndSigned() async throws {
        try await self.withWebhook(.status(500, ""), .hangUp, secret: "shared secret") { desk, server in
            desk.send("run-1")
            try await desk.attemptsEnded(1)
            try await self.pause(desk)
            try await desk.attemptsEnded(2)
            try await self.pause(desk)
            let delivery = try #require(try await desk.deliveries(1).first)
            #expect(delivery.attempts == 3)
            #expect(delivery.outcome == .delivered)
            // 250 ms after the first, 500 ms after the second.
            #expect(delivery.last.milliseconds - delivery.queued.milliseconds == 750)
            let requests = server.requests.entries
            #expect(requests.count == 3)
            #expect(Set(requests.map(\.body)).count == 1)
            #expect(requests.map { $0.headers["idempotency-key"] } == ["run-1", "run-1", "run-1"])
            #expect(requests.map { $0.headers["x-oddstream-attempt"] } == ["1", "2", "3"])
            let key = SymmetricKey(data: Data("shared secret".utf8))
            for request in requests {
                let code = HMAC<SHA256>.authenticationCode(for: request.body, using: key)
                let expected = "sha256=" + code.map { String(format: "%02x", $0) }.joined()
                #expect(request.headers["x-oddstream-signature"] == expected)
            }
        }
    }

    @Test func retryAfterIsHonoured() async throws {
        try await self.withWebhook(.status(429, "", headers: [("Retry-After", "7")])) { desk, server in
            desk.send("run-1")
            try await desk.attemptsEnded(1)
            try await desk.clock.sleepers(atLeast: 1)
            let next = try #require(desk.clock.nextWake)
            #expect(desk.clock.now().monotonic.duration(to: next) == .seconds(7))
            try await self.pause(desk)
            let told = try await desk.deliveries(1)
            #expect(told.map(\.attempts) == [2])
            #expect(server.requests.entries.count == 2)
        }
    }

    @Test func noAnswerInTimeIsTriedAgainAndTheSignalGrowsTooOld() async throws {
        try await self.withWebhook(.stall, .stall) {
            $0.outbox.maximumAge = .seconds(10)
        } body: { desk, server in
            desk.send("run-1")
            for attempt in 1...2 {
                try await server.requests.wait(forCount: attempt)
                // The attempt's limit of 5 s, then the pause.
                while desk.log.entries.count(where: { $0.contains("Signal attempt ended") }) < attempt {
                    try await desk.clock.sleepers(atLeast: 1)
                    if let next = desk.clock.nextWake { desk.clock.advance(to: next) }
                    try await desk.attemptsEnded(attempt)
                }
                if attempt == 1 { try await self.pause(desk) }
            }
            let delivery = try #require(try await desk.deliveries(1).first)
            #expect(delivery.outcome == .failed)
            #expect(delivery.attempts == 2)
            #expect(delivery.error == "given up after 10.0 s: no answer within 5.0 s")
            #expect(desk.log.entries.count { $0.contains("Signals do not get through") } == 1)
        }
    }

    @Test(
        arguments: [
            (200, nil, .taken), (204, nil, .taken),
            (429, "7", .again(after: .seconds(7), reason: "the webhook answered with status 429")),
            (503, "3", .again(after: .seconds(3), reason: "the webhook answered with status 503")),
            (503, nil, .again(after: nil, reason: "the webhook answered with status 503")),
            (429, "Wed, 21 Oct 2026 07:28:00 GMT", .again(after: nil, reason: "the webhook answered with status 429")),
            (408, nil, .again(after: nil, reason: "the webhook answered with status 408")),
            (425, nil, .again(after: nil, reason: "the webhook answered with status 425")),
            (502, nil, .again(after: nil, reason: "the webhook answered with status 502")),
            (400, nil, .refused(reason: "the webhook answered with status 400: check the address")),
            (401, nil, .refused(reason: "the webhook answered with status 401: check the secret and the address")),
            (
                308, nil,
                .refused(
                    reason: "the webhook answered with status 308: name the final address, redirects are not followed")
            ),
        ] as [(Int, String?, SignalAnswer.Verdict)])
    func eachStatusHasItsMeaning(status: Int, retryAfter: String?, verdict: SignalAnswer.Verdict) {
        let answer = SinkHTTP.Answer(status: status, retryAfter: retryAfter, body: [])
        #expect(SignalWebhookCourier.meaning(of: answer) == SignalAnswer(verdict, httpStatus: status))
    }

    @Test func redirectsAreNotFollowed() async throws {
        try await StandIn.run { elsewhere in
            let answer = StandIn.Answer.status(307, "", headers: [("Location", elsewhere.base)])
            try await self.withWebhook(answer, secret: "shared secret") { desk, _ in
                desk.send("run-1")
                let delivery = try #require(try await desk.deliveries(1).first)
                #expect(delivery.outcome == .failed)
                #expect(delivery.httpStatus == 307)
            }
            #expect(elsewhere.requests.entries.isEmpty)
        }
    }

    @Test func aMarketsSignalsKeepTheirOrderWhileAnotherMarketPasses() async throws {
        try await self.withWebhook(.acceptLate) { desk, server in
            desk.send("a-1", "a-2", "a-3")
            try await server.requests.wait(forCount: 1)
            desk.send("b-1", market: "b")
            // The first one of market a waits for its answer; market b does not.
            let told = try await desk.deliveries(1)
            #expect(told.map(\.id) == ["b-1"])
            #expect(server.requests.entries.count == 2)
            server.release()
            let all = try await desk.deliveries(4)
            #expect(all.map(\.id) == ["b-1", "a-1", "a-2", "a-3"])
        }
    }

    @Test func onlyTheKindsThatAreWantedAreSent() async throws {
        try await self.withWebhook {
            $0.kinds = [.orderFilled, .killSwitch]
        } body: { desk, server in
            #expect(desk.dispatcher.wants(.killSwitch))
            #expect(!desk.dispatcher.wants(.spikeBegan))
            desk.send("run-1")
            desk.dispatcher.send(Signal(id: "run-2", time: Timestamp(seconds: 1), killSwitch: true, by: "file"))
            let told = try await desk.deliveries(1)
            #expect(told.map(\.id) == ["run-2"])
            #expect(server.requests.entries.count == 1)
        }
    }

    @Test func theEndTriesWhatItCanAndDropsTheRestOnRecord() async throws {
        try await self.withWebhook(.stall) { desk, server in
            desk.send("a-1", "a-2")
            try await server.requests.wait(forCount: 1)
            await desk.shutdown()
            // The attempt, the age and, once it is asked for, the end of draining.
            try await desk.clock.sleepers(atLeast: 3)
            desk.clock.advance(by: .seconds(2))
            let over = try await desk.deliveries(2)
            #expect(over.map(\.outcome) == [.dropped, .dropped])
            #expect(over.map(\.attempts) == [1, 0])
            #expect(over.first?.error?.contains("it may have arrived") == true)
            desk.send("a-3")
            let told = try await desk.deliveries(3)
            #expect(told.last?.error == "the program had ended")
        }
    }

    @Test func whatIsUnderWayAtTheEndIsStillDelivered() async throws {
        try await self.withWebhook(.acceptLate) { desk, server in
            desk.send("a-1", "a-2")
            try await server.requests.wait(forCount: 1)
            await desk.shutdown()
            try await desk.clock.sleepers(atLeast: 3)
            server.release()
            let told = try await desk.deliveries(2)
            #expect(told.map(\.outcome) == [.delivered, .delivered])
        }
    }

    @Test func twoSinksGetTheSameSignal() async throws {
        try await StandIn.run { first in
            try await StandIn.run { second in
                var configuration = SignalDispatcherConfiguration()
                configuration.webhooks = [first, second].map { SignalWebhookConfiguration(url: $0.base) }
                try await withDispatcher(configuration) { desk in
                    desk.send("run-1")
                    let told = try await desk.deliveries(2)
                    #expect(Set(told.map(\.sink)) == ["webhook", "webhook-2"])
                    #expect(first.requests.entries.map(\.body) == second.requests.entries.map(\.body))
                }
            }
        }
    }

    @Test(arguments: ["", "hook", "ftp://host/", "https://user:pass@host/", "http://a b/"])
    func anAddressThatIsNoneIsRefusedWithoutBeingQuoted(url: String) {
        var configuration = SignalDispatcherConfiguration()
        configuration.webhooks = [SignalWebhookConfiguration(url: url)]
        let error = #expect(throws: AlertSinkError.self) {
            try SignalDispatcher(
                configuration: configuration, clock: ManualClock(),
                logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("pass") == false)
    }
}
