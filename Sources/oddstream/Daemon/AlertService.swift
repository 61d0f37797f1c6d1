import Logging
import OddsCore
import ServiceLifecycle

/// Looks at the source once a second and tells every destination what a person should hear.
///
/// The rules decide, the destinations deliver; this has the clock. Ends with the program; what was posted until then is
/// the destinations' to deliver.
struct AlertService: Service {
    private let source: any OddsSource
    private let sinks: [any AlertSink]
    private let configuration: AlertRules.Configuration
    private let label: String
    private let clock: any StreamClock
    private let logger: Logger

    /// - Parameters:
    ///   - source: what is looked at.
    ///   - sinks: whom to tell.
    ///   - configuration: the limits of the rules.
    ///   - label: put before every title, such as `demo`; nothing when empty.
    init(
        source: any OddsSource, sinks: [any AlertSink], configuration: AlertRules.Configuration = .init(),
        label: String = "", clock: any StreamClock, logger: Logger
    ) {
        self.source = source
        self.sinks = sinks
        self.configuration = configuration
        self.label = label
        self.clock = clock
        self.logger = logger
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            var rules = AlertRules(configuration: self.configuration)
            // The sleep throws only when the program ends.
            while (try? await self.clock.sleep(for: .seconds(1))) != nil {
                for alert in rules.observe(AlertRules.Observation(of: self.source), now: self.clock.now()) {
                    self.tell(alert)
                }
            }
        }
    }

    private func tell(_ alert: Alert) {
        var alert = alert
        if !self.label.isEmpty { alert.title = "[\(self.label)] \(alert.title)" }
        self.logger.notice(
            "Alert posted",
            metadata: [
                "alert.kind": "\(alert.kind.rawValue)", "alert.severity": "\(alert.severity.rawValue)",
                "alert.incident": "\(alert.incident)", "alert.title": "\(alert.title)",
            ])
        for sink in self.sinks { sink.post(alert) }
    }
}
