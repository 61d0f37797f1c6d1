import ArgumentParser
import Logging
import OddsCore
import OddsServer
import OddsTrading
import PolymarketSimulator
import RealtimeOdds
import ServiceLifecycle
import Synchronization

/// `oddstream demo`: everything `run` and `watch` do, against an exchange of its own.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows everything within a minute, offline: the service against a simulated exchange.",
        discussion: """
            The exchange runs inside this process and is spoken to over a real WebSocket on this machine. Its windows last \
            30 seconds, so that markets are seen to begin, spike, end and be replaced. The odds are simulated.

            Endpoints and other markets than series are not used here, whatever the environment or the file say. Alerts \
            go out with [demo] in their titles; a heartbeat is sent only when it is named on the command line.
            """)

    /// The options that make sense against a simulated exchange.
    struct Options: ParsableArguments, SettingOptions {
        @Option(name: .customLong(Setting.series.rawValue), help: Setting.series.help)
        var series: [String] = []
        @Option(name: .customLong(Setting.lines.rawValue), help: Setting.lines.help)
        var lines: String?
        @Option(name: .customLong(Setting.renewEvery.rawValue), help: Setting.renewEvery.help)
        var renewEvery: String?
        @Option(name: .customLong(Setting.source.rawValue), help: Setting.source.help)
        var source: String?
        @Option(name: .customLong(Setting.pollInterval.rawValue), help: Setting.pollInterval.help)
        var pollInterval: String?
        @Option(name: .customLong(Setting.seed.rawValue), help: Setting.seed.help)
        var seed: String?
        @Option(name: .customLong(Setting.format.rawValue), help: Setting.format.help)
        var format: String?
        @Option(name: .customLong(Setting.duration.rawValue), help: Setting.duration.help)
        var duration: String?

        var given: [Setting: String] {
            Setting.given(
                (.series, self.series.isEmpty ? nil : self.series.joined(separator: ",")),
                (.lines, self.lines), (.renewEvery, self.renewEvery), (.source, self.source),
                (.pollInterval, self.pollInterval),
                (.seed, self.seed), (.format, self.format), (.duration, self.duration))
        }
    }

    @OptionGroup(title: "Demo") var options: Options
    @OptionGroup(title: "Service") var service: ServiceOptions
    @OptionGroup(title: "Spikes and trading (on paper)") var bot: BotOptions
    @OptionGroup(title: "Signals to another program") var signals: SignalOptions
    @OptionGroup(title: "Recording") var recording: RecordingOptions
    @OptionGroup(title: "Alerts") var alerts: AlertOptions
    @OptionGroup(title: "Alerts") var heartbeat: HeartbeatOptions
    @OptionGroup var general: GeneralOptions

    private static let defaultSeries = "btc-updown-30s"
    /// A minute would be two of its windows.
    private static let defaultPollInterval = "1s"
    /// Its windows are a thirtieth of real ones, and so are the times around them.
    private static let profile = Bot.Profile(
        entry: EntryWindow(closesBeforeEnd: .seconds(2)), cooldown: .seconds(2), label: "demo")

    func run() async throws {
        let settings = try self.general.settings(
            self.options, self.service, self.bot, self.signals, self.recording, self.alerts,
            self.heartbeat, self.general)
        if self.general.printConfig {
            let own: [(Setting, default: String)] = [
                (.series, Demo.defaultSeries), (.lines, "\(RealtimeOddsConfiguration().lines)"),
                (.renewEvery, "\(RealtimeOddsConfiguration().renewalInterval.components.seconds / 60)m"),
                (.source, OddsSourceKind.stream.rawValue), (.pollInterval, Demo.defaultPollInterval),
                (.seed, "\(SimulatorConfiguration().seed)"), (.format, "table"), (.duration, ""),
            ]
            print(
                settings.report(
                    own + settings.serviceReport + Settings.botReport(entry: Demo.profile.entry)
                        + Settings.signalReport + [(.record, "")] + Settings.recordingReport + Settings.alertReport
                        + Settings.heartbeatReport
                        + Settings.logReport("warning"), secrets: SecretSetting.allCases))
            return
        }
        let log = ProgramLog()
        let logger = log.logger(label: "oddstream", level: settings.logLevel(default: .warning))
        let data =
            try settings.text(.data).map { path throws(ProgramFailure) in try DataDirectory(path) }
            ?? DataDirectory.temporary()
        defer { data.leave() }
        do {
            try await self.play(settings, directory: data.path, log: log, logger: logger)
        } catch {
            await log.flush()
            throw ProgramFailure(error)
        }
        await log.flush()
    }

    private func play(_ settings: Settings, directory: String, log: ProgramLog, logger: Logger) async throws {
        let clock = SystemClock()
        let simulator = PolymarketSimulator(
            configuration: try Demo.exchange(settings), clock: clock, logger: logger)
        let endpoints = try await simulator.start()
        do {
            let configuration = try Demo.streamer(settings, endpoints: endpoints)
            let recorder = try await settings.recorder(
                into: settings.text(.record), configuration, rtds: endpoints.rtdsWebSocket, clock: clock, logger: logger
            )
            let bot = try Bot(
                settings: settings, series: configuration.series, directory: directory, rtds: endpoints.rtdsWebSocket,
                profile: Demo.profile, recorder: recorder, clock: clock, logger: logger)
            let streamer = try settings.liveSource(
                configuration, logger: logger, marketObserver: bot.observer, tap: recorder)
            let address = ListeningAddress()
            let server = OddsServer(
                configuration: settings.server, source: streamer, bot: bot, history: bot.history,
                reference: bot.reference, latency: bot.latency, clock: clock,
                logger: logger
            ) { host, port in
                address.set("http://\(OddsServer.inURL(host)):\(port)/")
            }
            let presenter = Watch.presenter(
                settings.text(.format) ?? "table",
                view: OddsView(
                    streamer: streamer, news: bot.news, threshold: settings.spikeDetector.threshold,
                    notes: { bot.notes() }), log: log,
                title: "oddstream demo, simulated market", interval: .seconds(3)
            ) { address.url }
            let watch = try settings.watchers(
                over: streamer, label: "demo", typedHeartbeat: true, clock: clock, logger: logger)
            let beside = try await bot.attach(
                streamer, alerts: watch.alerts,
                gamma: settings.needsOutcomes ? GammaOutcomes(configuration, clock: clock, tap: recorder) : nil)
            // What records ends last, and so has everything.
            var services: [any Service] = recorder.map { [$0] } ?? []
            services += watch.sinks
            services += beside.sinks
            services += [simulator, streamer] as [any Service]
            services += beside.workers
            services.append(try bot.clockProbe(configuration))
            services += watch.watchers
            if let presenter { services.append(presenter) }
            services.append(server)
            let reloader = SettingsReloader(settings, log: log, level: .warning, logger: logger)
            try await Daemon(
                services: services, logger: logger, reloader: reloader, killSwitch: bot.killSwitch
            ).run(for: settings.time(.duration))
        } catch {
            await simulator.stop()
            throw error
        }
    }

    /// The exchange on free ports: nothing that is set for the real one reaches it.
    private static func exchange(_ settings: Settings) throws(ConfigurationError) -> SimulatorConfiguration {
        var configuration = SimulatorConfiguration()
        configuration.series = try settings.simulator(series: Demo.defaultSeries).series
        configuration.seed = settings.integer(.seed).map { UInt64($0) } ?? configuration.seed
        return configuration
    }

    private static func streamer(
        _ settings: Settings, endpoints: SimulatorEndpoints
    ) throws(ConfigurationError) -> RealtimeOddsConfiguration {
        var configuration = try settings.streamer()
        configuration.markets = try settings.series(default: Demo.defaultSeries).map { .series($0) }
        configuration.marketWebSocket = endpoints.marketWebSocket
        configuration.clobREST = endpoints.clobREST
        configuration.gammaREST = endpoints.gammaREST
        configuration.certificateAuthorityFile = nil
        configuration.pollInterval =
            settings.time(.pollInterval) ?? DurationText.parse(Demo.defaultPollInterval) ?? configuration.pollInterval
        return configuration
    }
}

/// Where the API turned out to listen.
final class ListeningAddress: Sendable {
    private let text = Mutex<String?>(nil)

    var url: String? { self.text.withLock { $0 } }

    func set(_ url: String) { self.text.withLock { $0 = url } }
}
