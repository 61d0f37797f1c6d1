import Crypto
import OddsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A POST to an address of the user's choice. The body of a message is the same in every attempt, to the byte.
struct WebhookCourier: AlertCourier {
    let name = "webhook"
    let url: String
    let secret: Secret?
    /// Begins every message's key, so that two runs of the program never share one.
    let run: String

    func deliver(_ message: AlertMessage, over http: SinkHTTP) async -> AlertOutcome {
        let key = "\(self.run)-\(message.serial)"
        let answer: SinkHTTP.Answer
        do {
            let body = try self.body(of: message, key: key)
            var headers = [("Idempotency-Key", key), ("X-Oddstream-Attempt", "\(message.attempt)")]
            if let secret = self.secret {
                headers.append(("X-Oddstream-Signature", "sha256=\(Self.signature(of: body, secret))"))
            }
            answer = try await http.post(self.url, headers: headers, json: body)
        } catch let failure as SinkHTTP.Failure {
            return .failed(reason: failure.reason, mayHaveArrived: failure.mayHaveArrived)
        } catch {
            return .refused(reason: "the message cannot be written as JSON")
        }
        return Self.outcome(answer, key: key)
    }

    func body(of message: AlertMessage, key: String) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(WebhookBody(message, key: key)))
    }

    /// HMAC-SHA256 of the body under the secret, as lower-case hexadecimal digits.
    static func signature(of body: [UInt8], _ secret: Secret) -> String {
        let key = secret.withText { SymmetricKey(data: Array($0.utf8)) }
        let digits = Array("0123456789abcdef")
        return HMAC<SHA256>.authenticationCode(for: body, using: key).reduce(into: "") { text, byte in
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }

    static func outcome(_ answer: SinkHTTP.Answer, key: String) -> AlertOutcome {
        switch answer.status {
        case 200..<300: .accepted(messageID: key)
        case 429: .postponed(answer.pause)
        case 503 where answer.pause != nil: .postponed(answer.pause)
        case 408, 425, 500...:
            .failed(reason: "the webhook answered with status \(answer.status)", mayHaveArrived: true)
        case 300..<400:
            .refused(
                reason:
                    "the webhook answered with status \(answer.status): name the final address, redirects are not followed"
            )
        case 401, 403:
            .refused(reason: "the webhook answered with status \(answer.status): check the secret and the address")
        default: .refused(reason: "the webhook answered with status \(answer.status): check the address")
        }
    }
}

/// The body; its keys are documented at `WebhookSink`.
private struct WebhookBody: Encodable {
    struct Row: Encodable {
        let severity: String
        let kind: String
        let incident: String
        let title: String
        let text: String
        let time_ms: Int64
        let downtime_s: Double?

        enum CodingKeys: CodingKey {
            case severity, kind, incident, title, text, time_ms, downtime_s
        }

        func encode(to encoder: any Encoder) throws {
            var row = encoder.container(keyedBy: CodingKeys.self)
            try row.encode(self.severity, forKey: .severity)
            try row.encode(self.kind, forKey: .kind)
            try row.encode(self.incident, forKey: .incident)
            try row.encode(self.title, forKey: .title)
            try row.encode(self.text, forKey: .text)
            try row.encode(self.time_ms, forKey: .time_ms)
            // What is absent is null, never left out.
            try row.encode(self.downtime_s, forKey: .downtime_s)
        }
    }

    let version = 1
    let id: String
    let reply_to: String?
    let left_out: Int
    let alerts: [Row]

    enum CodingKeys: CodingKey {
        case version, id, reply_to, left_out, alerts
    }

    init(_ message: AlertMessage, key: String) {
        self.id = key
        self.reply_to = message.replyTo
        self.left_out = message.leftOut
        self.alerts = message.alerts.map { alert in
            Row(
                severity: alert.severity.rawValue, kind: alert.kind.rawValue, incident: alert.incident.rawValue,
                title: alert.title, text: alert.text, time_ms: alert.time.milliseconds,
                downtime_s: alert.downtime?.secondsValue)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: CodingKeys.self)
        try body.encode(self.version, forKey: .version)
        try body.encode(self.id, forKey: .id)
        try body.encode(self.reply_to, forKey: .reply_to)
        try body.encode(self.left_out, forKey: .left_out)
        try body.encode(self.alerts, forKey: .alerts)
    }
}
