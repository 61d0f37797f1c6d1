import ArgumentParser
import Logging
import OddsCore
import OddsServer
import OddsTrading
import RealtimeOdds
import ServiceLifecycle

/// `oddstream run`: the service.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The service: follows the markets, trades on paper, and answers over HTTP until it is told to end.",
        discussion: """
            Follows btc-updown-15m unless markets are named. The API listens on 127.0.0.1:8787; / lists its \
            paths. Logs go to standard error. Trouble is told to Telegram or a webhook where they are named, and \
            --heartbeat-url is called every minute while odds are live. Trades are on paper only; --no-trading leaves them \
            out, --data keeps them. SIGUSR1 forbids buying, SIGUSR2 allows it again. SIGTERM or Ctrl-C ends it within two seconds with \
            status 0. SIGHUP, or a change of the file named by --config, reads the file again.
            """)

    @OptionGroup(title: "Markets") var markets: MarketOptions
    @OptionGroup(title: "Service") var service: ServiceOptions
    @OptionGroup(title: "Feed") var feed: FeedOptions
    @OptionGroup(title: "Endpoints") var endpoints: EndpointOptions
    @OptionGroup(title: "Spikes and trading (on paper)") var bot: BotOptions
    @OptionGroup(title: "Signals to another program") var signals: SignalOptions
    @OptionGroup(title: "Reference price") var reference: ReferenceOptions
    @OptionGroup(title: "History") var history: HistoryOptions
    @OptionGroup(title: "Recording") var recording: RecordingOptions
    @OptionGroup(title: "Alerts") var alerts: AlertOptions
    @OptionGroup(title: "Alerts") var heartbeat: HeartbeatOptions
    @OptionGroup var general: GeneralOptions

    static let defaultSeries = "btc-updown-15m"

    func run() async throws {
        let settings = try self.general.settings(
            self.markets, self.service, self.feed, self.endpoints, self.bot, self.signals, self.reference,
            self.history, self.recording, self.alerts, self.heartbeat, self.general)
        var configuration = try settings.streamer()
        configuration.markets = try settings.markets(default: Run.defaultSeries)
        if self.general.printConfig {
            print(
                settings.report(
                    Settings.feedReport(configuration) + settings.serviceReport
                        + Settings.botReport(entry: EntryWindow()) + Settings.signalReport + Settings.referenceReport
                        + Settings.historyReport + [(.record, "")] + Settings.recordingReport + Settings.alertReport
                        + Settings.heartbeatReport + Settings.logReport("info"),
                    secrets: SecretSetting.allCases))
            return
        }
        let log = ProgramLog()
        let logger = log.logger(label: "oddstream", level: settings.logLevel(default: .info))
        let data = try settings.text(.data).map { path throws(ProgramFailure) in try DataDirectory(path) }
        defer { data?.leave() }
        do {
            let clock = SystemClock()
            let recorder = try await settings.recorder(
                into: settings.text(.record), configuration,
                rtds: settings.reference(series: configuration.series)?.url, clock: clock, logger: logger)
            let bot = try Bot(
                settings: settings, series: configuration.series, directory: data?.path, recorder: recorder,
                clock: clock,
                logger: logger)
            let streamer = try settings.liveSource(
                configuration, logger: logger, marketObserver: bot.observer, tap: recorder)
            let watch = try settings.watchers(over: streamer, clock: clock, logger: logger)
            let beside = try await bot.attach(
                streamer, alerts: watch.alerts,
                gamma: settings.needsOutcomes ? GammaOutcomes(configuration, clock: clock, tap: recorder) : nil)
            let server = OddsServer(
                configuration: settings.server, source: streamer, bot: bot, history: bot.history,
                reference: bot.reference, latency: bot.latency, clock: clock,
                logger: logger)
            let probe = try bot.clockProbe(configuration)
            // What records ends last, and so has everything.
            var services: [any Service] = recorder.map { [$0] } ?? []
            services += watch.sinks + beside.sinks + [streamer] + beside.workers
            services += [probe] + watch.watchers + [server] as [any Service]
            let reloader = SettingsReloader(settings, log: log, level: .info, logger: logger)
            try await Daemon(
                services: services, logger: logger, reloader: reloader, killSwitch: bot.killSwitch
            ).run()
        } catch {
            await log.flush()
            throw ProgramFailure(error)
        }
        await log.flush()
    }
}

extension Settings {
    /// What `--print-config` shows of the feed; defaults come from the configuration type that holds them.
    static func feedReport(_ configuration: RealtimeOddsConfiguration) -> [(Setting, default: String)] {
        let isDefault = RealtimeOddsConfiguration()
        let series = configuration.markets.compactMap { market -> String? in
            if case .series(let series) = market { return series.name }
            return nil
        }
        return [
            (.series, series.joined(separator: ",")), (.slug, ""), (.condition, ""), (.assets, ""),
            (.source, OddsSourceKind.stream.rawValue), (.lines, "\(isDefault.lines)"),
            (.renewEvery, "\(isDefault.renewalInterval.components.seconds / 60)m"),
            (.pollInterval, "\(isDefault.pollInterval.components.seconds)s"), (.marketWS, isDefault.marketWebSocket),
            (.clobREST, isDefault.clobREST), (.gammaREST, isDefault.gammaREST), (.tlsCA, ""),
        ]
    }

    /// What `--print-config` shows of the API and the state.
    var serviceReport: [(Setting, default: String)] {
        let isDefault = OddsServerConfiguration()
        return [(.httpHost, isDefault.host), (.httpPort, "\(isDefault.port)"), (.data, "")]
    }

    /// What `--print-config` shows of the log.
    static func logReport(_ level: String) -> [(Setting, default: String)] { [(.logLevel, level)] }
}
