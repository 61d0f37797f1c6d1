import Logging
import OddsCore
import OddsSinks
import ServiceLifecycle

/// A text that is given by variable or file only, so that it is in no process list and no configuration file.
enum SecretSetting: String, CaseIterable, Sendable {
    case telegramToken = "telegram-token"
    case webhookSecret = "webhook-secret"
    case signalSecret = "signal-secret"

    /// The environment variable.
    var variable: String { Setting.variablePrefix + self.rawValue.uppercased().replacing("-", with: "_") }

    /// The setting that names its file.
    var file: Setting {
        switch self {
        case .telegramToken: .telegramTokenFile
        case .webhookSecret: .webhookSecretFile
        case .signalSecret: .signalSecretFile
        }
    }
}

/// A destination for alerts that can also be tried by hand.
protocol AlertDestination: AlertSink, Service {
    /// Makes one attempt at one alert, without retries.
    func attempt(_ alert: Alert) async -> AlertOutcome
}

extension TelegramSink: AlertDestination {}
extension WebhookSink: AlertDestination {}

extension Settings {
    /// Every destination that is configured; none is connected yet.
    ///
    /// - Throws: `ConfigurationError` when one is configured by half, or a value cannot be used.
    func alertDestinations(
        clock: any StreamClock, logger: Logger
    ) throws(ConfigurationError) -> [any AlertDestination] {
        do {
            var destinations: [any AlertDestination] = []
            if let telegram = try self.telegram() {
                destinations.append(try TelegramSink(configuration: telegram, clock: clock, logger: logger))
            }
            if let webhook = try self.webhook() {
                destinations.append(try WebhookSink(configuration: webhook, clock: clock, logger: logger))
            }
            return destinations
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError("\(error)")
        }
    }

    private func telegram() throws -> TelegramSinkConfiguration? {
        switch (try self.secret(.telegramToken), self.text(.telegramChat)) {
        case (let token?, let chat?):
            var configuration = TelegramSinkConfiguration(token: token, chat: chat)
            configuration.api = self.text(.telegramAPI) ?? configuration.api
            return configuration
        case (nil, nil): return nil
        case (_?, nil):
            throw ConfigurationError("Telegram has a token but no chat: give --telegram-chat, a number or @name.")
        case (nil, _?):
            throw ConfigurationError(
                "Telegram has a chat but no token: give --telegram-token-file, or set ODDSTREAM_TELEGRAM_TOKEN.")
        }
    }

    private func webhook() throws -> WebhookSinkConfiguration? {
        switch (self.text(.webhookURL), try self.secret(.webhookSecret)) {
        case (let url?, let secret): return WebhookSinkConfiguration(url: url, secret: secret)
        case (nil, nil): return nil
        case (nil, _?):
            throw ConfigurationError("The webhook has a secret but no address: give --webhook-url.")
        }
    }

    /// The address of the dead-man switch; nil when there is none.
    ///
    /// - Parameter typedOnly: leaves out what the environment or the configuration file say.
    /// - Throws: `ConfigurationError` when both address and file are given in the same place, or the file holds none.
    func heartbeat(typedOnly: Bool = false) throws(ConfigurationError) -> HeartbeatTarget? {
        func entry(_ setting: Setting) -> Entry? {
            self.entries[setting].flatMap { typedOnly && $0.origin != .option ? nil : $0 }
        }
        switch (entry(.heartbeatURL), entry(.heartbeatURLFile)) {
        case (nil, nil): return nil
        case (let url?, let file?) where url.origin == file.origin:
            throw ConfigurationError("Give --heartbeat-url or --heartbeat-url-file, not both.")
        case (let url?, let file) where file?.origin != .option: return HeartbeatTarget(url.values.first ?? "")
        case (_, let file):
            let path = file?.values.first ?? ""
            do {
                guard let target = HeartbeatTarget(try Secret(file: path)) else {
                    throw ConfigurationError("\(path) holds no http:// or https:// address on its first line.")
                }
                return target
            } catch let error as ConfigurationError {
                throw error
            } catch {
                throw ConfigurationError("\(error)")
            }
        }
    }

    /// The secret: from the file named on the command line, else from its variable, else from the file named elsewhere.
    func secret(_ setting: SecretSetting) throws(AlertSinkError) -> Secret? {
        let file = self.entries[setting.file]
        if let secret = self.secrets[setting], file?.origin != .option { return secret }
        return try self.text(setting.file).map { path throws(AlertSinkError) in try Secret(file: path) }
    }

    /// What watches a source for people: the destinations of alerts, to be listed before the source so that they
    /// outlive it, and what looks at it, to be listed behind it.
    ///
    /// - Parameters:
    ///   - label: put before every alert's title; nothing when empty.
    ///   - typedHeartbeat: the dead-man switch is called only when it was named on the command line.
    /// - Throws: `ConfigurationError` when a destination or the switch cannot be used.
    func watchers(
        over source: any OddsSource, label: String = "", typedHeartbeat: Bool = false, clock: any StreamClock,
        logger: Logger
    ) throws(ConfigurationError) -> (sinks: [any Service], watchers: [any Service], alerts: [any AlertSink]) {
        let sinks = try self.alertDestinations(clock: clock, logger: logger)
        let acceptsFallback = self.text(.source) == OddsSourceKind.poller.rawValue
        var rules = AlertRules.Configuration()
        rules.acceptsFallback = acceptsFallback
        var watchers: [any Service] = []
        if !sinks.isEmpty {
            watchers.append(
                AlertService(
                    source: source, sinks: sinks, configuration: rules, label: label, clock: clock, logger: logger))
        }
        if let target = try self.heartbeat(typedOnly: typedHeartbeat) {
            watchers.append(
                HeartbeatService(
                    target: target, source: source, acceptsFallback: acceptsFallback, clock: clock, logger: logger))
        }
        return (sinks, watchers, sinks)
    }

    /// What `--print-config` shows of the alerts.
    static var alertReport: [(Setting, default: String)] {
        [
            (.telegramAPI, TelegramSinkConfiguration.defaultAPI), (.telegramChat, ""), (.telegramTokenFile, ""),
            (.webhookURL, ""), (.webhookSecretFile, ""),
        ]
    }

    /// What `--print-config` shows of the dead-man switch.
    static var heartbeatReport: [(Setting, default: String)] { [(.heartbeatURL, ""), (.heartbeatURLFile, "")] }

    /// The secrets among the environment's variables; those that are empty count as unset.
    static func secrets(in environment: [String: String]) -> [SecretSetting: Secret] {
        var secrets: [SecretSetting: Secret] = [:]
        for setting in SecretSetting.allCases {
            guard let text = environment[setting.variable] else { continue }
            // It throws only for a text without content, which is how a variable is unset in many a shell script.
            secrets[setting] = try? Secret(text)
        }
        return secrets
    }
}
