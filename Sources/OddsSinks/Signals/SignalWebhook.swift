public import OddsCore

/// Where signals are posted.
///
/// Each signal is one POST with the signal's JSON as body (see `Signal`). Headers: `Idempotency-Key` is the signal's id, the
/// same in every attempt; `X-Oddstream-Kind` its kind; `X-Oddstream-Attempt` counts from 1; with a secret,
/// `X-Oddstream-Signature` is `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits, as it is for alerts.
///
/// Any status 2xx takes the signal. 408, 425, 429, 5xx and silence are tried again, not before `Retry-After` where it names
/// seconds; anything else refuses it. Redirects are not followed.
public struct SignalWebhookConfiguration: Sendable {
    /// The address. It may hold a secret itself, and is not logged.
    public var url: String
    /// Signs every body; nil sends them unsigned.
    public var secret: Secret?
    /// The kinds that are sent.
    public var kinds: Set<Signal.Kind> = .all
    /// How long one attempt may take.
    public var timeout: Duration = .seconds(5)
    /// How signals are paced and kept.
    public var outbox = SignalOutbox.Configuration()

    /// The defaults for an address.
    public init(url: String, secret: Secret? = nil) {
        self.url = url
        self.secret = secret
    }
}

/// A POST of each signal to an address of the user's choice.
struct SignalWebhookCourier: SignalCourier {
    let url: String
    let secret: Secret?
    let timeout: Duration
    let clock: any StreamClock

    /// - Throws: `AlertSinkError` when the address cannot be used.
    init(_ configuration: SignalWebhookConfiguration, clock: any StreamClock) throws(AlertSinkError) {
        guard configuration.url.isHTTPAddress else {
            throw AlertSinkError(
                .invalidConfiguration,
                "The address for signals cannot be used: it begins with http:// or https:// and names a host.")
        }
        self.url = configuration.url
        self.secret = configuration.secret
        self.timeout = configuration.timeout
        self.clock = clock
    }

    func withLine(_ body: (SinkHTTP) async -> Void) async {
        await SinkHTTP.with(connectTimeout: self.timeout, body)
    }

    func deliver(_ attempt: SignalAttempt, over http: SinkHTTP) async -> SignalAnswer {
        let late = SignalAnswer(.again(after: nil, reason: "no answer within \(self.timeout.secondsValue) s"))
        return await withTaskGroup(of: SignalAnswer.self) { race in
            race.addTask { await self.post(attempt, over: http) }
            race.addTask {
                // It throws only when the answer was first, and then nobody reads this result.
                try? await self.clock.sleep(for: self.timeout)
                return late
            }
            let first = await race.next()
            race.cancelAll()
            return first ?? late
        }
    }

    private func post(_ attempt: SignalAttempt, over http: SinkHTTP) async -> SignalAnswer {
        let answer: SinkHTTP.Answer
        do {
            let body = try attempt.signal.json()
            var headers = [
                ("Idempotency-Key", attempt.signal.id), ("X-Oddstream-Kind", attempt.signal.kind.rawValue),
                ("X-Oddstream-Attempt", "\(attempt.number)"),
            ]
            if let secret = self.secret {
                headers.append(("X-Oddstream-Signature", "sha256=\(WebhookCourier.signature(of: body, secret))"))
            }
            answer = try await http.post(self.url, headers: headers, json: body)
        } catch let failure as SinkHTTP.Failure {
            return SignalAnswer(.again(after: nil, reason: failure.reason))
        } catch {
            return SignalAnswer(.refused(reason: "the signal cannot be written as JSON"))
        }
        return Self.meaning(of: answer)
    }

    static func meaning(of answer: SinkHTTP.Answer) -> SignalAnswer {
        let said = "the webhook answered with status \(answer.status)"
        let verdict: SignalAnswer.Verdict =
            switch answer.status {
            case 200..<300: .taken
            case 429, 503: .again(after: answer.pause, reason: said)
            case 408, 425, 500...: .again(after: nil, reason: said)
            case 300..<400:
                .refused(reason: "\(said): name the final address, redirects are not followed")
            case 401, 403: .refused(reason: "\(said): check the secret and the address")
            default: .refused(reason: "\(said): check the address")
            }
        return SignalAnswer(verdict, httpStatus: answer.status)
    }
}
