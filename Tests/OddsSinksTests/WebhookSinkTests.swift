import Crypto
import Foundation
import Logging
import OddsCore
import OddsTestSupport
import Testing

@testable import OddsSinks

@Suite(.timeLimit(.minutes(1))) struct WebhookSinkTests {
    private func withWebhook(
        _ script: StandIn.Answer..., secret: String? = nil, body: (Harness<WebhookSink>) async throws -> Void
    ) async throws {
        try await StandIn.run { server in
            server.answer(with: script)
            try await withSink(server) { clock, logger in
                var configuration = WebhookSinkConfiguration(
                    url: "\(server.base)/hook?key=test-token", secret: try secret.map { try Secret($0) })
                configuration.outbox.backoff.jitter = 0
                return try WebhookSink(configuration: configuration, clock: clock, logger: logger)
            } body: {
                try await body($0)
            }
        }
    }

    @Test func theBodyHasItsKeysAndALaterOneNamesTheFirst() async throws {
        try await self.withWebhook { desk in
            desk.post("a")
            try await desk.attempts(1)
            var over = sampleAlert("a", "over", .recovery)
            over.severity = .info
            over.downtime = .milliseconds(12_500)
            desk.sink.post(over)
            try await desk.attempts(2)
            let requests = desk.server.requests.entries
            let id = try #require(requests[0]["id"] as? String)
            #expect(
                String(decoding: requests[0].body, as: UTF8.self) == #"""
                    {"alerts":[{"downtime_s":null,"incident":"a","kind":"stale","severity":"warning","text":"About a.",\#
                    "time_ms":1767225600000,"title":"down"}],"id":"\#(id)","left_out":0,"reply_to":null,"version":1}
                    """#)
            let second = try #require(requests[1]["id"] as? String)
            #expect(
                String(decoding: requests[1].body, as: UTF8.self) == #"""
                    {"alerts":[{"downtime_s":12.5,"incident":"a","kind":"recovery","severity":"info","text":"About a.",\#
                    "time_ms":1767225600000,"title":"over"}],"id":"\#(second)","left_out":0,"reply_to":"\#(id)","version":1}
                    """#)
            #expect(id != second)
            #expect(requests[0].path == "/hook?key=test-token")
            #expect(requests.map { $0.headers["idempotency-key"] } == [id, second])
            #expect(requests[0].headers["x-oddstream-signature"] == nil)
        }
    }

    @Test func everyAttemptIsTheSameToTheByteAndSigned() async throws {
        try await self.withWebhook(.status(503, ""), .hangUp, secret: "shared secret") { desk in
            desk.post("a")
            try await desk.attempts(1)
            desk.post("a", "worse")
            try await desk.attempts(3)
            let requests = desk.server.requests.entries
            #expect(requests.count == 3)
            #expect(Set(requests.map(\.body)).count == 1)
            #expect(Set(requests.map { $0.headers["idempotency-key"] }).count == 1)
            #expect(requests.map { $0.headers["x-oddstream-attempt"] } == ["1", "2", "3"])
            let key = SymmetricKey(data: Data("shared secret".utf8))
            for request in requests {
                let given = try #require(request.headers["x-oddstream-signature"])
                let code = HMAC<SHA256>.authenticationCode(for: request.body, using: key)
                #expect(given == "sha256=" + code.map { String(format: "%02x", $0) }.joined())
            }
        }
    }

    @Test func theSignatureIsThatOfTheStandardsExample() throws {
        // RFC 4231, test case 2.
        let signature = WebhookCourier.signature(of: Array("what do ya want for nothing?".utf8), try Secret("Jefe"))
        #expect(signature == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test(
        arguments: [
            (200, nil, AlertOutcome.accepted(messageID: "k")), (204, nil, .accepted(messageID: "k")),
            (429, "7", .postponed(.seconds(7))), (429, "Wed, 21 Oct 2026 07:28:00 GMT", .postponed(nil)),
            (429, "99999999", .postponed(.seconds(86_400))), (503, "3", .postponed(.seconds(3))),
            (503, nil, .failed(reason: "the webhook answered with status 503", mayHaveArrived: true)),
            (408, nil, .failed(reason: "the webhook answered with status 408", mayHaveArrived: true)),
            (401, nil, .refused(reason: "the webhook answered with status 401: check the secret and the address")),
            (410, nil, .refused(reason: "the webhook answered with status 410: check the address")),
        ] as [(Int, String?, AlertOutcome)])
    func eachStatusHasItsMeaning(status: Int, retryAfter: String?, outcome: AlertOutcome) {
        let answer = SinkHTTP.Answer(status: status, retryAfter: retryAfter, body: [])
        #expect(WebhookCourier.outcome(answer, key: "k") == outcome)
    }

    @Test func redirectsAreNotFollowed() async throws {
        try await StandIn.run { elsewhere in
            let answer = StandIn.Answer.status(307, "", headers: [("Location", elsewhere.base)])
            try await self.withWebhook(answer, secret: "s") { desk in
                desk.post("a")
                try await desk.attempts(1)
                #expect(desk.sink.status.refused == 1)
                #expect(desk.sink.status.problem?.contains("redirects are not followed") == true)
            }
            #expect(elsewhere.requests.entries.isEmpty)
        }
    }

    @Test(arguments: ["", "hook", "ftp://host/", "https://", "https://user:pass@host/", "https:///path", "http://a b/"])
    func anAddressThatIsNoneIsRefusedWithoutBeingQuoted(url: String) {
        let error = #expect(throws: AlertSinkError.self) {
            try WebhookSink(
                configuration: WebhookSinkConfiguration(url: url), clock: ManualClock(),
                logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("pass") == false)
    }

    @Test func anEndlessAnswerIsNotKept() async throws {
        let huge = String(repeating: "x", count: 200_000)
        try await self.withWebhook(.status(200, huge)) { desk in
            desk.post("a")
            try await desk.attempts(1)
            #expect(desk.sink.status.problem == "the answer is too large")
            try await desk.attempts(2)
            #expect(desk.sink.status.delivered == 1)
        }
    }
}
