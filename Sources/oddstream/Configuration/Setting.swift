import ArgumentParser
import OddsCore
import OddsTrading
import PolymarketSimulator

/// One thing a user can set, under one name everywhere: `http-port` is the option `--http-port`, the key `http-port` of
/// the configuration file and the variable `ODDSTREAM_HTTP_PORT`.
enum Setting: String, CaseIterable, Sendable {
    case series, slug, condition, assets
    case marketWS = "market-ws"
    case clobREST = "clob-rest"
    case gammaREST = "gamma-rest"
    case tlsCA = "tls-ca"
    case lines, source
    case renewEvery = "renew-every"
    case pollInterval = "poll-interval"
    case httpHost = "http-host"
    case httpPort = "http-port"
    case data
    case logLevel = "log-level"
    case format
    case duration = "for"
    case trace
    case host, port
    case gammaPort = "gamma-port"
    case seed, tape, speed
    case tlsCertificate = "tls-cert"
    case tlsKey = "tls-key"
    case fault, faults
    case faultsPerMinute = "faults-per-minute"
    case simulated
    case pollEvery = "poll-every"
    case telegramAPI = "telegram-api"
    case telegramTokenFile = "telegram-token-file"
    case telegramChat = "telegram-chat"
    case webhookURL = "webhook-url"
    case webhookSecretFile = "webhook-secret-file"
    case heartbeatURL = "heartbeat-url"
    case heartbeatURLFile = "heartbeat-url-file"
    case alertSpikes = "alert-spikes"
    case alertTrades = "alert-trades"
    case basis, threshold
    case spikeHysteresis = "spike-hysteresis"
    case spikeSustain = "spike-sustain"
    case spikeCooldown = "spike-cooldown"
    case noTrading = "no-trading"
    case stake
    case priceCap = "price-cap"
    case slippage
    case entryAfter = "entry-after"
    case entryBeforeEnd = "entry-before-end"
    case maximumStake = "max-stake"
    case maximumExposure = "max-exposure"
    case maximumDailyLoss = "max-daily-loss"
    case maximumOrdersPerMinute = "max-orders-per-minute"
    case stalePolicy = "stale-policy"
    case killFile = "kill-file"
    case paperCash = "paper-cash"
    case fillDelay = "fill-delay"
    case signalWebhook = "signal-webhook"
    case signalSecretFile = "signal-secret-file"
    case signalCommand = "signal-command"
    case signalKinds = "signal-kinds"
    case signalTimeout = "signal-timeout"
    case signalMaxAge = "signal-max-age"
    case rtdsWS = "rtds-ws"
    case rtdsPort = "rtds-port"
    case noReference = "no-reference"
    case binance
    case noHistory = "no-history"
    case historyInterval = "history-interval"
    case retention
    case record
    case recordLimit = "record-limit"
    case recordFileSize = "record-file-size"
    case recordFileTime = "record-file-time"

    /// The settings that choose markets. They count as one: the strongest source that names any of them decides.
    static let selection: Set<Setting> = [.series, .slug, .condition, .assets]

    /// The option, as it is typed.
    var option: String { "--\(self.rawValue)" }
    /// The environment variable.
    var variable: String { Setting.variablePrefix + self.rawValue.uppercased().replacing("-", with: "_") }

    /// What every variable of this program begins with.
    static let variablePrefix = "ODDSTREAM_"
    /// The variable that names the configuration file.
    static let fileVariable = "ODDSTREAM_CONFIG"
    /// Variables that belong to the build and to the tests; the program leaves them alone.
    static let reservedVariables: Set<String> = [
        "ODDSTREAM_LIVE", "ODDSTREAM_SIGNAL_ID", "ODDSTREAM_SIGNAL_KIND", "ODDSTREAM_WARNINGS_AS_ERRORS",
        "ODDSTREAM_FUZZ", "ODDSTREAM_CONFORMANCE", "ODDSTREAM_KILLS",
    ]

    /// Whether a value may hold a secret, as the addresses of webhooks do, and is shown in part only.
    var isSensitive: Bool { [.webhookURL, .heartbeatURL, .signalWebhook].contains(self) }

    /// What a value may be.
    var kind: SettingKind {
        switch self {
        case .series: .series
        case .slug: .words("slugs such as btc-updown-15m-1777428000")
        case .condition: .words("condition ids: 0x and 64 hexadecimal digits", check: Setting.isCondition)
        case .assets: .words("token ids: decimal digits", check: Setting.isAsset)
        case .marketWS, .rtdsWS: .url(["ws", "wss"])
        case .clobREST, .gammaREST, .telegramAPI, .webhookURL, .heartbeatURL, .signalWebhook: .url(["http", "https"])
        case .tlsCA, .data, .trace, .tape, .faults, .tlsCertificate, .tlsKey, .telegramTokenFile, .webhookSecretFile,
            .heartbeatURLFile, .killFile, .signalSecretFile, .record:
            .path
        case .recordLimit: .size(1_000_000...Int64.max)
        case .recordFileSize: .size(100_000...1_000_000_000_000)
        case .recordFileTime: .time(.seconds(1) ... .seconds(86_400 * 7), "a time of at least 1s and at most 7d")
        case .simulated, .alertSpikes, .alertTrades, .noTrading, .noReference, .binance, .noHistory:
            .choice(["true", "false"])
        case .basis: .choice(OddsBasis.allCases.map(\.rawValue))
        case .threshold: .decimal(0.01...1)
        case .priceCap: .decimal(0.001...0.999)
        case .spikeHysteresis, .slippage: .decimal(0...1)
        case .spikeSustain, .spikeCooldown, .entryAfter, .entryBeforeEnd, .fillDelay:
            .timeOrOff(.milliseconds(1) ... .seconds(86_400), "0, or a time of at most 24h")
        case .stake, .maximumStake, .maximumExposure, .maximumDailyLoss, .paperCash: .decimal(0.01...1_000_000_000)
        case .maximumOrdersPerMinute: .integer(1...10_000)
        case .stalePolicy: .staleness
        case .signalCommand: .text("a command with its arguments; quotes keep words together, no shell is asked")
        case .signalKinds: .words(Setting.signalKindsAllowed) { (try? Set<Signal.Kind>(parsing: String($0))) != nil }
        case .signalTimeout: .time(.milliseconds(100) ... .seconds(300), "a time of at least 100ms and at most 5m")
        case .signalMaxAge: .time(.seconds(1) ... .seconds(86_400), "a time of at least 1s and at most 24h")
        case .historyInterval: .time(.milliseconds(10) ... .seconds(3600), "a time of at least 10ms and at most 1h")
        case .retention:
            .timeOrOff(.seconds(3600) ... .seconds(36_000_000), "0 for ever, or a time of at least 1h and at most 416d")
        case .telegramChat: .text("the number of a chat, or @name of a public channel")
        case .lines: .integer(1...4)
        case .source: .choice(OddsSourceKind.allCases.map(\.rawValue))
        case .pollInterval: .time(.milliseconds(100) ... .seconds(3600), "a time of at least 100ms and at most 1h")
        case .renewEvery:
            .timeOrOff(.seconds(1) ... .seconds(86_400), "0 for never, or a time of at least 1s and at most 24h")
        case .httpHost, .host: .text("a host name or an address")
        case .httpPort, .port, .gammaPort, .rtdsPort: .integer(0...65535)
        case .logLevel: .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"])
        case .format: .choice(["table", "jsonl", "none"])
        case .duration:
            .time(.milliseconds(1) ... .seconds(36_000_000), "a time of at least 1ms and at most 10000h")
        case .fault: .words(PlannedFault.allowed) { PlannedFault(String($0)) != nil }
        case .faultsPerMinute: .decimal(0...600)
        case .pollEvery:
            .words("times from 100ms to 1h, such as 60s,1s") {
                DurationText.parse(String($0)).map((Duration.milliseconds(100) ... .seconds(3600)).contains) == true
            }
        case .seed: .integer(0...Int.max)
        case .speed: .decimalOr(0.01...1_000_000, "max")
        }
    }

    /// The line of `--help`.
    var help: ArgumentHelp {
        switch self {
        case .series: ArgumentHelp("A series of markets to follow; repeatable.", valueName: "name")
        case .slug: ArgumentHelp("A market to follow, by its slug; repeatable.", valueName: "slug")
        case .condition: ArgumentHelp("A market to follow, by its condition id; repeatable.", valueName: "id")
        case .assets:
            ArgumentHelp(
                "Tokens to follow without any look-up; two tokens of one market form a pair, YES first.",
                valueName: "a,b")
        case .marketWS: ArgumentHelp("The market channel.", valueName: "url")
        case .clobREST: ArgumentHelp("Base of the CLOB REST API.", valueName: "url")
        case .gammaREST: ArgumentHelp("Base of the Gamma REST API.", valueName: "url")
        case .tlsCA:
            ArgumentHelp(
                "PEM file of certificate authorities to trust instead of the system's, for the exchange alone.",
                valueName: "file")
        case .lines: ArgumentHelp("How many independent connections carry the same markets.", valueName: "n")
        case .source: ArgumentHelp("Where odds come from: stream, or poller (REST only).", valueName: "source")
        case .pollInterval: ArgumentHelp("How often the poller asks: 500ms, 1s, 60s.", valueName: "time")
        case .renewEvery:
            ArgumentHelp(
                "How often each connection is replaced while it is healthy, without a gap; 0 for never.",
                valueName: "time")
        case .httpHost: ArgumentHelp("The address the HTTP API listens on.", valueName: "host")
        case .httpPort: ArgumentHelp("The port of the HTTP API; 0 takes any free one.", valueName: "n")
        case .data: ArgumentHelp("The directory for state; it is created.", valueName: "dir")
        case .logLevel:
            ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level")
        case .format: ArgumentHelp("table, jsonl or none.", valueName: "format")
        case .duration: ArgumentHelp("End after this time: 500ms, 30s, 5m, 1h.", valueName: "time")
        case .trace: ArgumentHelp("Write one CSV row per applied message.", valueName: "file")
        case .host: ArgumentHelp("The address the exchange listens on.", valueName: "host")
        case .port:
            ArgumentHelp("The port of the market channel and the CLOB REST API; 0 takes any free one.", valueName: "n")
        case .gammaPort: ArgumentHelp("The port of the Gamma REST API; 0 takes any free one.", valueName: "n")
        case .seed: ArgumentHelp("The seed of the order flow: the same seed, the same market.", valueName: "n")
        case .tape: ArgumentHelp("Play a recording instead of the seeded order flow.", valueName: "recording")
        case .speed:
            ArgumentHelp("How many times faster than recorded the tape runs, or max.", valueName: "factor")
        case .tlsCertificate: ArgumentHelp("PEM certificate chain: serve TLS.", valueName: "file")
        case .fault:
            ArgumentHelp(
                "A fault at a time after the start: \(PlannedFault.allowed); repeatable.", valueName: "kind@time")
        case .faults:
            ArgumentHelp(
                "A plan of faults: JSON, usually one fault a line; times count from the start.", valueName: "file")
        case .faultsPerMinute:
            ArgumentHelp("How many random faults of the simulated exchange begin in a minute.", valueName: "n")
        case .simulated: "Use an exchange in this process instead of the real one."
        case .pollEvery:
            ArgumentHelp("Pollers beside the stream, each with its interval: 60s,1s.", valueName: "time,…")
        case .telegramAPI: ArgumentHelp("Base of the Telegram Bot API.", valueName: "url")
        case .telegramTokenFile:
            ArgumentHelp("The file with the Telegram bot's token on its first line.", valueName: "file")
        case .telegramChat:
            ArgumentHelp("The Telegram chat alerts go to: its number, or @name of a channel.", valueName: "chat")
        case .webhookURL: ArgumentHelp("The address alerts are posted to as JSON.", valueName: "url")
        case .webhookSecretFile:
            ArgumentHelp("The file with the secret that signs what the webhook gets.", valueName: "file")
        case .heartbeatURL:
            ArgumentHelp("An address that is asked for every minute while odds are live.", valueName: "url")
        case .heartbeatURLFile:
            ArgumentHelp("The file with that address on its first line.", valueName: "file")
        case .tlsKey: ArgumentHelp("PEM private key of the certificate.", valueName: "file")
        case .alertSpikes: "Tell every spike to Telegram and the webhook too."
        case .alertTrades: "Tell every paper trade and its outcome to Telegram and the webhook too."
        case .basis:
            ArgumentHelp(
                "Which odds spikes and trades look at: displayed (the website's), bestBid, midpoint or lastTrade.",
                valueName: "basis")
        case .threshold:
            ArgumentHelp("Odds at or over this are a spike, and a reason to buy: 0.70.", valueName: "odds")
        case .spikeHysteresis:
            ArgumentHelp("How far below the threshold odds must fall for a spike to be over.", valueName: "odds")
        case .spikeSustain:
            ArgumentHelp(
                "How long odds must stay over the threshold to count as a spike; 0 for at once.", valueName: "time")
        case .spikeCooldown:
            ArgumentHelp("How long after falling back a return belongs to the same spike.", valueName: "time")
        case .noTrading: "Do not trade, not even on paper."
        case .stake:
            ArgumentHelp("What one entry may cost at its limit, in dollars, without the fee.", valueName: "usd")
        case .priceCap: ArgumentHelp("The most to pay for a share.", valueName: "price")
        case .slippage: ArgumentHelp("How much dearer than the best offer a limit may be.", valueName: "price")
        case .entryAfter: ArgumentHelp("How long after a window's start it may be entered.", valueName: "time")
        case .entryBeforeEnd:
            ArgumentHelp("How long before a window's end it may be entered no more.", valueName: "time")
        case .maximumStake: ArgumentHelp("The most one order may cost, in dollars, fee included.", valueName: "usd")
        case .maximumExposure:
            ArgumentHelp("The most that may be at risk at once, in dollars, fees included.", valueName: "usd")
        case .maximumDailyLoss:
            ArgumentHelp(
                "After losing this much in one day (UTC), in dollars, nothing more is bought.", valueName: "usd")
        case .maximumOrdersPerMinute: ArgumentHelp("The most orders in any 60 seconds.", valueName: "n")
        case .stalePolicy:
            ArgumentHelp(
                "Trading on unconfirmed odds: warn (go on and say so), halt, or the age they may have, such as 5s.",
                valueName: "policy")
        case .killFile:
            ArgumentHelp("While this file exists nothing is bought; by default KILL in --data.", valueName: "file")
        case .paperCash: ArgumentHelp("What a new paper account begins with, in dollars.", valueName: "usd")
        case .fillDelay: ArgumentHelp("How long a paper order takes to the venue.", valueName: "time")
        case .signalWebhook:
            ArgumentHelp("The address that signals are posted to, for a bot of yours.", valueName: "url")
        case .signalSecretFile: ArgumentHelp("The file with the secret that signs signals.", valueName: "file")
        case .signalCommand:
            ArgumentHelp(
                "A command that is run for each signal, with the signal on its standard input.", valueName: "cmd")
        case .signalKinds: ArgumentHelp("Which signals are sent: \(Setting.signalKindsAllowed).", valueName: "a,b")
        case .signalTimeout: ArgumentHelp("How long one delivery of a signal may take.", valueName: "time")
        case .signalMaxAge: ArgumentHelp("How long a signal is tried before it is given up.", valueName: "time")
        case .rtdsWS: ArgumentHelp("The reference price feed (RTDS).", valueName: "url")
        case .rtdsPort: ArgumentHelp("The port of the reference price feed; 0 takes any free one.", valueName: "n")
        case .noReference: "Do not follow the reference price."
        case .binance: "Follow Binance's price as a second opinion beside the one markets settle by."
        case .noHistory: "Keep no history, although --data is named."
        case .historyInterval:
            ArgumentHelp("Keep odds of a market at most this often; spikes always.", valueName: "time")
        case .retention: ArgumentHelp("How long odds and reference prices are kept; 0 for ever.", valueName: "time")
        case .record:
            ArgumentHelp("Record everything that comes from the exchange into this directory.", valueName: "dir")
        case .recordLimit:
            ArgumentHelp(
                "How large a recording may become: 20GB. The oldest files are deleted.", valueName: "size")
        case .recordFileSize: ArgumentHelp("How large one file of a recording may become.", valueName: "size")
        case .recordFileTime: ArgumentHelp("How much time one file of a recording may cover.", valueName: "time")
        }
    }

    private static let signalKindsAllowed =
        "all, spike, order, position, " + Signal.Kind.allCases.map(\.rawValue).joined(separator: ", ")

    private static func isCondition(_ text: Substring) -> Bool {
        text.count == 66 && text.hasPrefix("0x") && text.dropFirst(2).allSatisfy(\.isHexDigit)
    }

    private static func isAsset(_ text: Substring) -> Bool {
        !text.isEmpty && text.count <= 78 && text.allSatisfy { $0.isASCII && $0.isNumber }
    }
}

/// What a setting's value may be, and how that is told.
enum SettingKind: Sendable {
    case text(String)
    case words(String, check: @Sendable (Substring) -> Bool = { !$0.isEmpty })
    case series
    case integer(ClosedRange<Int>)
    case decimal(ClosedRange<Double>)
    /// A number, or one word.
    case decimalOr(ClosedRange<Double>, String)
    case choice([String])
    case url([String])
    case path
    case time(ClosedRange<Duration>, String)
    /// A time in a range, or 0 for never.
    case timeOrOff(ClosedRange<Duration>, String)
    /// What to do with odds that nothing confirms.
    case staleness
    /// A number of bytes.
    case size(ClosedRange<Int64>)

    /// Whether several values may be given, repeated or separated by commas.
    var isList: Bool {
        switch self {
        case .words, .series: true
        case .text, .integer, .decimal, .decimalOr, .choice, .url, .path, .time, .timeOrOff, .staleness, .size: false
        }
    }

    /// The allowed values in words.
    var allowed: String {
        switch self {
        case .text(let what), .words(let what, _): what
        case .series:
            "series named <asset>-updown-<length>, such as btc-updown-15m; lengths are 1s to 3599s, 1m to 59m, 1h and 4h"
        case .integer(let range):
            range.upperBound == Int.max
                ? "a whole number from \(range.lowerBound)"
                : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .decimal(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .decimalOr(let range, let word):
            "a number from \(range.lowerBound) to \(range.upperBound), or \(word)"
        case .choice(let words): words.joined(separator: ", ")
        case .url(let schemes):
            "a URL with a host that begins with \(schemes.map { "\($0)://" }.joined(separator: " or "))"
        case .path: "a path"
        case .time(_, let what): "\(what), such as 500ms, 30s, 5m or 1h"
        case .timeOrOff(let range, let what):
            "\(what), such as \(range.lowerBound < .seconds(3600) ? "30s, 5m or 1h" : "12h or 30d")"
        case .staleness: "warn, halt, or the age odds may have, such as 5s"
        case .size(let range): "a size of at least \(SizeText.text(range.lowerBound)), such as 500MB or 20GB"
        }
    }

    /// What is wrong with one value; nil when it can be used.
    func problem(with value: String) -> String? {
        self.accepts(value) ? nil : self.allowed
    }

    private func accepts(_ value: String) -> Bool {
        switch self {
        case .text, .path: !value.isEmpty
        case .words(_, let check): check(Substring(value))
        case .series: (try? MarketSeries(value)) != nil
        case .integer(let range): Int(value).map(range.contains) == true
        case .decimal(let range): Double(value).map(range.contains) == true
        case .decimalOr(let range, let word): value == word || Double(value).map(range.contains) == true
        case .choice(let words): words.contains(value)
        case .url(let schemes): URLText(value, schemes: schemes) != nil
        case .time(let range, _): DurationText.parse(value).map(range.contains) == true
        case .timeOrOff(let range, _):
            DurationText.isZero(value) || DurationText.parse(value).map(range.contains) == true
        case .staleness: StalePolicy(text: value) != nil
        case .size(let range): SizeText.parse(value).map(range.contains) == true
        }
    }
}
