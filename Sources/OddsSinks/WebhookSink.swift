public import Logging
public import OddsCore
public import ServiceLifecycle

/// Where webhook calls go.
public struct WebhookSinkConfiguration: Sendable {
    /// The address. It may hold a secret itself, and is not logged.
    public var url: String
    /// Signs every body; nil sends them unsigned.
    public var secret: Secret?
    /// How long one attempt may take.
    public var attemptTimeout: Duration = .seconds(10)
    /// How long alerts may still be delivered after the program was asked to end.
    public var drainLimit: Duration = .seconds(1)
    /// How alerts are gathered and kept.
    public var outbox = AlertOutbox.Configuration()

    /// The defaults for an address.
    public init(url: String, secret: Secret? = nil) {
        self.url = url
        self.secret = secret
    }
}

/// Posts alerts as JSON to an address of the user's choice.
///
/// The body is an object with the keys `version` (1), `id` (the message's, the same in every attempt), `reply_to` (the id
/// of the first message about the incident, or null), `left_out` (how many alerts were left out before this one because
/// too many were waiting) and `alerts`, a list in the order of events. Each alert has `severity` (`info`, `warning`,
/// `critical`), `kind` (`feed_failures`, `stale`, `suspect`, `fallback`, `missing_market`,
/// `recovery`, `test`), `incident` (a key that all
/// alerts of one incident share), `title`, `text`, `time_ms` (Unix milliseconds) and `downtime_s` (seconds on `recovery`, else
/// null).
///
/// Headers: `Idempotency-Key` is the message's `id`; `X-Oddstream-Attempt` counts from 1; with a secret,
/// `X-Oddstream-Signature` is `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits.
///
/// Any status 2xx takes the message. 429, and 503 with `Retry-After`, put it off; 408, 425, other 5xx and silence are tried
/// again; anything else refuses it.
public final class WebhookSink: AlertSink, Service {
    private let delivery: AlertDelivery<WebhookCourier>

    /// A sink; nothing is connected before `run()`.
    ///
    /// - Throws: `AlertSinkError` when the address cannot be used.
    public init(
        configuration: WebhookSinkConfiguration, clock: any StreamClock, logger: Logger
    ) throws(AlertSinkError) {
        guard configuration.url.isHTTPAddress else {
            throw AlertSinkError(
                .invalidConfiguration,
                "The webhook's address cannot be used: it begins with http:// or https:// and names a host.")
        }
        let run = String(UInt64.random(in: .min ... .max), radix: 16)
        self.delivery = AlertDelivery(
            courier: WebhookCourier(url: configuration.url, secret: configuration.secret, run: run),
            outbox: AlertOutbox(configuration: configuration.outbox),
            timing: .init(attempt: configuration.attemptTimeout, drain: configuration.drainLimit), clock: clock,
            logger: logger)
    }

    /// `webhook`.
    public var name: String { self.delivery.courier.name }
    /// What became of the alerts so far.
    public var status: AlertSinkStatus { self.delivery.status }
    /// Queues an alert and returns at once.
    public func post(_ alert: Alert) { self.delivery.post(alert) }

    /// Delivers until a graceful shutdown, and then for at most `drainLimit`; when it returns, no task and no connection
    /// is left. Ends at once when the task is cancelled. Runs once; never throws.
    public func run() async { await self.delivery.run() }

    /// Makes one attempt at one alert, beside the queue and without retries, and says what came of it.
    public func attempt(_ alert: Alert) async -> AlertOutcome { await self.delivery.attempt(alert) }
}
