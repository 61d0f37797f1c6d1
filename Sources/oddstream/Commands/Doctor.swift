import ArgumentParser
import Logging
import RealtimeOdds

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `oddstream doctor`: checks what the service needs and says what to do.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks configuration, machine and exchange, and says what to do.",
        discussion: """
            Destinations of alerts are looked at without sending anything. Each line begins with ok, warn or fail. Ends with status 0 when nothing failed, 69 when the exchange cannot \
            be used, 78 when configuration or machine are at fault.
            """)

    @OptionGroup(title: "Markets") var markets: MarketOptions
    @OptionGroup(title: "Service") var service: ServiceOptions
    @OptionGroup(title: "Feed") var feed: FeedOptions
    @OptionGroup(title: "Endpoints") var endpoints: EndpointOptions
    @OptionGroup(title: "Alerts") var alerts: AlertOptions
    @OptionGroup(title: "Reference price") var reference: ReferenceOptions
    @OptionGroup(title: "Signals to another program") var signals: SignalOptions
    @OptionGroup(title: "Alerts") var heartbeat: HeartbeatOptions
    @OptionGroup var general: GeneralOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let style = TextStyle(environment: environment)
        let report = DoctorReport(
            style: TextStyle(colour: style.colour && Terminal.isInteractive(environment), unicode: style.unicode))
        let settings: Settings
        do {
            settings = try self.general.settings(
                self.markets, self.service, self.feed, self.endpoints, self.reference, self.signals, self.alerts,
                self.heartbeat, self.general)
        } catch {
            print(report.line(Finding(.fail, "configuration", error.description)))
            throw ProgramFailure(status: error.status, message: "The configuration cannot be used; see above.")
        }
        if self.general.printConfig {
            var configuration = try settings.streamer()
            configuration.markets = try settings.markets(default: Run.defaultSeries)
            print(
                settings.report(
                    Settings.feedReport(configuration) + settings.serviceReport + Settings.referenceReport
                        + Settings.signalReport + Settings.alertReport
                        + Settings.heartbeatReport + Settings.logReport("critical"),
                    secrets: SecretSetting.allCases))
            return
        }
        let log = ProgramLog()
        let logger = log.logger(label: "oddstream", level: settings.logLevel(default: .critical))
        let examination = try Examination(settings: settings, logger: logger)
        var worst = ExitStatus.done
        await examination.run { finding in
            print(report.line(finding))
            guard finding.verdict == .fail else { return }
            if finding.isExchange || worst == .done { worst = finding.isExchange ? .unreachable : .configuration }
        }
        await log.flush()
        guard worst == .done else {
            throw ProgramFailure(status: worst, message: "Something needs mending; the lines that say fail tell what.")
        }
    }
}
