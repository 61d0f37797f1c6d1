import ArgumentParser
import OddsCore
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
    case telegramAPI = "telegram-api"
    case telegramTokenFile = "telegram-token-file"
    case telegramChat = "telegram-chat"
    case webhookURL = "webhook-url"
    case webhookSecretFile = "webhook-secret-file"
    case heartbeatURL = "heartbeat-url"
    case heartbeatURLFile = "heartbeat-url-file"

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
        "ODDSTREAM_LIVE", "ODDSTREAM_WARNINGS_AS_ERRORS", "ODDSTREAM_FUZZ", "ODDSTREAM_CONFORMANCE",
    ]

    /// Whether a value may hold a secret, as the addresses of webhooks do, and is shown in part only.
    var isSensitive: Bool { self == .webhookURL || self == .heartbeatURL }

    /// What a value may be.
    var kind: SettingKind {
        switch self {
        case .series: .series
        case .slug: .words("slugs such as btc-updown-15m-1777428000")
        case .condition: .words("condition ids: 0x and 64 hexadecimal digits", check: Setting.isCondition)
        case .assets: .words("token ids: decimal digits", check: Setting.isAsset)
        case .marketWS: .url(["ws", "wss"])
        case .clobREST, .gammaREST, .telegramAPI, .webhookURL, .heartbeatURL: .url(["http", "https"])
        case .tlsCA, .data, .trace, .tape, .faults, .tlsCertificate, .tlsKey, .telegramTokenFile, .webhookSecretFile,
            .heartbeatURLFile:
            .path
        case .telegramChat: .text("the number of a chat, or @name of a public channel")
        case .lines: .integer(1...4)
        case .source: .choice(OddsSourceKind.allCases.map(\.rawValue))
        case .pollInterval: .time(.milliseconds(100) ... .seconds(3600), "a time of at least 100ms and at most 1h")
        case .renewEvery:
            .timeOrOff(.seconds(1) ... .seconds(86_400), "0 for never, or a time of at least 1s and at most 24h")
        case .httpHost, .host: .text("a host name or an address")
        case .httpPort, .port, .gammaPort: .integer(0...65535)
        case .logLevel: .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"])
        case .format: .choice(["table", "jsonl", "none"])
        case .duration:
            .time(.milliseconds(1) ... .seconds(36_000_000), "a time of at least 1ms and at most 10000h")
        case .fault: .words(PlannedFault.allowed) { PlannedFault(String($0)) != nil }
        case .seed: .integer(0...Int.max)
        case .speed: .decimal(0.01...1_000_000)
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
        case .tape: ArgumentHelp("Play a recording instead of the seeded order flow.", valueName: "file")
        case .speed: ArgumentHelp("How many times faster than recorded the tape runs.", valueName: "factor")
        case .tlsCertificate: ArgumentHelp("PEM certificate chain: serve TLS.", valueName: "file")
        case .fault:
            ArgumentHelp(
                "A fault at a time after the start: \(PlannedFault.allowed); repeatable.", valueName: "kind@time")
        case .faults:
            ArgumentHelp(
                "A plan of faults: JSON, usually one fault a line; times count from the start.", valueName: "file")
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
        }
    }

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
    case choice([String])
    case url([String])
    case path
    case time(ClosedRange<Duration>, String)
    /// A time in a range, or 0 for never.
    case timeOrOff(ClosedRange<Duration>, String)

    /// Whether several values may be given, repeated or separated by commas.
    var isList: Bool {
        switch self {
        case .words, .series: true
        case .text, .integer, .decimal, .choice, .url, .path, .time, .timeOrOff: false
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
        case .choice(let words): words.joined(separator: ", ")
        case .url(let schemes):
            "a URL with a host that begins with \(schemes.map { "\($0)://" }.joined(separator: " or "))"
        case .path: "a path"
        case .time(_, let what): "\(what), such as 500ms, 30s, 5m or 1h"
        case .timeOrOff(_, let what): "\(what), such as 30s, 5m or 1h"
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
        case .choice(let words): words.contains(value)
        case .url(let schemes): URLText(value, schemes: schemes) != nil
        case .time(let range, _): DurationText.parse(value).map(range.contains) == true
        case .timeOrOff(let range, _):
            DurationText.isZero(value) || DurationText.parse(value).map(range.contains) == true
        }
    }
}
