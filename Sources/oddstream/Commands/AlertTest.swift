import ArgumentParser
import Logging
import OddsCore
import OddsSinks
import RealtimeOdds

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where alerts go.
struct AlertOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.telegramAPI.rawValue), help: Setting.telegramAPI.help)
    var telegramAPI: String?
    @Option(name: .customLong(Setting.telegramTokenFile.rawValue), help: Setting.telegramTokenFile.help)
    var telegramTokenFile: String?
    @Option(name: .customLong(Setting.telegramChat.rawValue), help: Setting.telegramChat.help)
    var telegramChat: String?
    @Option(name: .customLong(Setting.webhookURL.rawValue), help: Setting.webhookURL.help)
    var webhookURL: String?
    @Option(name: .customLong(Setting.webhookSecretFile.rawValue), help: Setting.webhookSecretFile.help)
    var webhookSecretFile: String?

    var given: [Setting: String] {
        Setting.given(
            (.telegramAPI, self.telegramAPI), (.telegramTokenFile, self.telegramTokenFile),
            (.telegramChat, self.telegramChat), (.webhookURL, self.webhookURL),
            (.webhookSecretFile, self.webhookSecretFile))
    }
}

/// Who is to notice when nobody can tell any more.
struct HeartbeatOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.heartbeatURL.rawValue), help: Setting.heartbeatURL.help)
    var heartbeatURL: String?
    @Option(name: .customLong(Setting.heartbeatURLFile.rawValue), help: Setting.heartbeatURLFile.help)
    var heartbeatURLFile: String?

    var given: [Setting: String] {
        Setting.given((.heartbeatURL, self.heartbeatURL), (.heartbeatURLFile, self.heartbeatURLFile))
    }
}

/// `oddstream alert-test`: sends one alert to each destination and says what came of it.
struct AlertTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alert-test",
        abstract: "Sends one alert to each destination that is configured, and says what came of it.",
        discussion: """
            Telegram needs a bot's token (--telegram-token-file, or the variable ODDSTREAM_TELEGRAM_TOKEN) and a chat. A \
            webhook needs an address; with a secret (--webhook-secret-file, or ODDSTREAM_WEBHOOK_SECRET) its body is \
            signed.

            Each destination has one attempt. Ends with status 0 when all accepted, 69 when one could not be reached or \
            had no time, 78 when one refused or none is configured.
            """)

    @OptionGroup(title: "Alerts") var alerts: AlertOptions
    @OptionGroup var general: GeneralOptions

    func run() async throws {
        let settings = try self.general.settings(self.alerts, self.general)
        if self.general.printConfig {
            print(
                settings.report(
                    Settings.alertReport + Settings.logReport("warning"), secrets: SecretSetting.allCases))
            return
        }
        let log = ProgramLog()
        let clock = SystemClock()
        let destinations = try settings.alertDestinations(
            clock: clock, logger: log.logger(label: "oddstream", level: settings.logLevel(default: .warning)))
        guard !destinations.isEmpty else {
            throw ProgramFailure(
                status: .configuration,
                message: "No destination for alerts is configured. For Telegram give --telegram-chat and "
                    + "--telegram-token-file, for a webhook --webhook-url.")
        }
        let alert = AlertTest.alert(at: clock.now())
        let report = DoctorReport(style: AlertTest.style)
        var worst = ExitStatus.done
        for destination in destinations {
            let (finding, status) = AlertTest.finding(destination.name, await destination.attempt(alert))
            print(report.line(finding))
            if status == .configuration || worst == .done { worst = status }
        }
        await log.flush()
        guard worst == .done else {
            throw ProgramFailure(
                status: worst, message: "Not every destination accepted; the lines that say fail tell why.")
        }
    }

    private static var style: TextStyle {
        let environment = ProcessInfo.processInfo.environment
        let style = TextStyle(environment: environment)
        return TextStyle(colour: style.colour && Terminal.isInteractive(environment), unicode: style.unicode)
    }

    private static func alert(at now: ReceiveTime) -> Alert {
        Alert(
            severity: .info, kind: .test, incident: .init("alert-test-\(now.unixNanoseconds)"), title: "Test alert",
            text: "Sent by hand with `oddstream alert-test`. Alerts arrive here.",
            time: Timestamp(seconds: now.wall.seconds))
    }

    /// What an outcome means to the person at the terminal, and to the status.
    static func finding(_ name: String, _ outcome: AlertOutcome) -> (Finding, ExitStatus) {
        switch outcome {
        case .accepted(let id):
            (Finding(.ok, name, "accepted\(id.map { " as message \($0)" } ?? "")"), .done)
        case .postponed(let pause):
            (
                Finding(
                    .fail, name,
                    "too many requests: try again\(pause.map { " in \($0.components.seconds) s" } ?? " later")"),
                .unreachable
            )
        case .failed(let reason, _): (Finding(.fail, name, reason), .unreachable)
        case .refused(let reason): (Finding(.fail, name, "refused: \(reason)"), .configuration)
        }
    }
}
