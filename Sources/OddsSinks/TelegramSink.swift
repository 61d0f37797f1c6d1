public import Logging
public import OddsCore
public import ServiceLifecycle

/// Where Telegram messages go.
public struct TelegramSinkConfiguration: Sendable {
    /// Base of the Bot API for everybody who runs no server of it.
    public static let defaultAPI = "https://api.telegram.org"

    /// Base of the Bot API.
    public var api = TelegramSinkConfiguration.defaultAPI
    /// The bot's token.
    public var token: Secret
    /// The chat: its number (negative for groups), or `@name` of a public channel.
    public var chat: String
    /// How long one attempt may take.
    public var attemptTimeout: Duration = .seconds(10)
    /// How long alerts may still be delivered after the program was asked to end.
    public var drainLimit: Duration = .seconds(1)
    /// How alerts are gathered and kept; its `pace` is raised to 3 s for groups and channels, which take 20 messages a
    /// minute.
    public var outbox = AlertOutbox.Configuration()

    /// The defaults for a bot and a chat.
    public init(token: Secret, chat: String) {
        self.token = token
        self.chat = chat
    }
}

/// Sends alerts to a Telegram chat, one thread per incident.
///
/// `post(_:)` only queues; `run()` delivers. The token is in no log, error or description.
public final class TelegramSink: AlertSink, Service {
    private let delivery: AlertDelivery<TelegramCourier>

    /// A sink; nothing is connected before `run()`.
    ///
    /// - Throws: `AlertSinkError` when address, token or chat cannot be used.
    public init(
        configuration: TelegramSinkConfiguration, clock: any StreamClock, logger: Logger
    ) throws(AlertSinkError) {
        var api = configuration.api
        while api.hasSuffix("/") { api.removeLast() }
        guard api.isHTTPAddress, !api.contains(where: { $0 == "?" || $0 == "#" }) else {
            throw AlertSinkError(
                .invalidConfiguration,
                "The base of the Bot API is no http:// or https:// address; the usual one is \(TelegramSinkConfiguration.defaultAPI)."
            )
        }
        let isToken = configuration.token.withText { $0.utf8.allSatisfy(TelegramSink.isToken) }
        guard isToken else {
            throw AlertSinkError(
                .invalidConfiguration,
                "The Telegram token holds characters that no token has: copy it again from @BotFather.")
        }
        guard TelegramSink.isChat(configuration.chat) else {
            throw AlertSinkError(
                .invalidConfiguration,
                "'\(configuration.chat)' is no Telegram chat: give its number, such as -1001234567890, or @name.")
        }
        var outbox = configuration.outbox
        if !(configuration.chat.first?.isNumber ?? false) { outbox.pace = max(outbox.pace, .seconds(3)) }
        self.delivery = AlertDelivery(
            courier: TelegramCourier(api: api, token: configuration.token, chat: configuration.chat),
            outbox: AlertOutbox(configuration: outbox),
            timing: .init(attempt: configuration.attemptTimeout, drain: configuration.drainLimit), clock: clock,
            logger: logger)
    }

    /// `telegram`.
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

    /// Asks the Bot API whether it knows the token and whether the bot can see the chat; nothing is sent to the chat.
    public func examine() async -> [AlertSinkExamination] {
        let courier = self.delivery.courier
        let late = [
            AlertSinkExamination(
                subject: "token", isUsable: false,
                message: "no answer from the Bot API in time: check network and --telegram-api")
        ]
        return await self.delivery.examine(late: late) { await courier.examine(over: $0) }
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func isChat(_ text: String) -> Bool {
        if text.hasPrefix("@") { return text.count > 1 && !text.contains { $0.isWhitespace } }
        return Int64(text).map { $0 != 0 } ?? false
    }
}
