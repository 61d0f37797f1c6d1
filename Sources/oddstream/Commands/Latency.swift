import ArgumentParser
import Logging
import OddsCore
import OddsProof
import OddsRecording
import OddsReports
import PolymarketSimulator
import RealtimeOdds
import ServiceLifecycle

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `oddstream latency`: how old odds are when they can be read and when they are decided on.
struct Latency: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures how old odds are when they can be read, and when they are decided on.",
        discussion: """
            Streams for --for (60s) and measures, inline and to the nanosecond, from the exchange's stamp to the socket, to \
            the odds on the board and to the trading desk's decision. How far the exchange's clock is off is worked out from \
            its /time and from the feed, between two bounds.

            Over recordings (RECORDING…): from the exchange's stamps to the recorded reads, above the fastest message. \
            docs/latency.md tells what counts.

            Ends with status 1 when less than 99 % of odds could be read within a second, and 69 when none came.
            """)

    /// The command's own options.
    struct Options: ParsableArguments, SettingOptions {
        @Option(name: .customLong(Setting.duration.rawValue), help: Setting.duration.help)
        var duration: String?
        @Flag(name: .customLong(Setting.simulated.rawValue), help: Setting.simulated.help)
        var simulated = false
        @Option(name: .customLong(Setting.seed.rawValue), help: Setting.seed.help)
        var seed: String?

        var given: [Setting: String] {
            Setting.given(
                (.duration, self.duration), (.simulated, self.simulated ? "true" : nil), (.seed, self.seed))
        }
    }

    @Argument(help: ArgumentHelp("A recording: its directory, a file of it, or a tape.", valueName: "recording"))
    var recordings: [String] = []
    @OptionGroup(title: "Latency") var options: Options
    @OptionGroup(title: "Latency") var report: ReportOptions
    @OptionGroup(title: "Markets") var markets: MarketOptions
    @OptionGroup(title: "Feed") var feed: FeedOptions
    @OptionGroup(title: "Endpoints") var endpoints: EndpointOptions
    @OptionGroup var general: GeneralOptions

    private static let defaultDuration = Duration.seconds(60)

    func run() async throws {
        let settings = try self.general.settings(
            self.options, self.markets, self.feed, self.endpoints, self.general)
        var configuration = try settings.streamer()
        configuration.markets = try settings.markets(default: Run.defaultSeries)
        if self.general.printConfig {
            let own: [(Setting, default: String)] = [
                (.duration, "60s"), (.simulated, "false"), (.seed, "\(SimulatorConfiguration().seed)"),
            ]
            print(settings.report(own + Settings.feedReport(configuration) + Settings.logReport("warning")))
            return
        }
        try self.report.check()
        let log = ProgramLog()
        let logger = log.logger(label: "oddstream", level: settings.logLevel(default: .warning))
        guard self.recordings.isEmpty else { return try self.measureRecordings(settings) }
        let proof: LatencyProof
        do {
            proof = try await Latency.measure(settings, configuration, logger: logger)
        } catch {
            await log.flush()
            throw ProgramFailure(error)
        }
        await log.flush()
        try self.report.deliver(proof, environment: ProcessInfo.processInfo.environment)
        if proof.latency.stages.isEmpty {
            throw ProgramFailure(
                status: .unreachable,
                message: "No change of odds came within the time. `oddstream doctor` checks each step.")
        }
        if proof.isFailed { throw ExitCode(1) }
    }

    private func measureRecordings(_ settings: Settings) throws {
        for setting in [Setting.simulated, .duration] {
            guard let entry = settings.entries[setting], entry.origin == .option else { continue }
            throw ConfigurationError("\(setting.option) has no effect on a recording: leave it or the recording out.")
        }
        let display = ProgressDisplay.onStandardError(
            "Replaying", environment: ProcessInfo.processInfo.environment)
        let proof: LatencyProof
        do {
            defer { display.finish() }
            proof = try RecordedLatency.measure(
                Recording(paths: self.recordings), tokens: settings.words(.assets).map { AssetID($0) },
                program: programVersion, now: SystemClock().now().wall
            ) { display.advance(to: $0) }
        } catch let error as RecordingError {
            throw ProgramFailure(status: .configuration, message: error.description)
        } catch let error as ProofError {
            throw ProgramFailure(status: .configuration, message: error.description)
        } catch {
            throw ProgramFailure(error)
        }
        try self.report.deliver(proof, environment: ProcessInfo.processInfo.environment)
    }

    private static func measure(
        _ settings: Settings, _ given: RealtimeOddsConfiguration, logger: Logger
    ) async throws -> LatencyProof {
        let clock = SystemClock()
        let duration = settings.time(.duration) ?? Latency.defaultDuration
        var configuration = given
        var services: [any Service] = []
        var simulator: PolymarketSimulator?
        var rtds: String?
        if settings.flag(.simulated) {
            var venue = SimulatorConfiguration()
            venue.series = configuration.series
            venue.seed = settings.integer(.seed).map { UInt64($0) } ?? venue.seed
            let exchange = PolymarketSimulator(configuration: venue, clock: clock, logger: logger)
            let endpoints = try await exchange.start()
            configuration.marketWebSocket = endpoints.marketWebSocket
            configuration.clobREST = endpoints.clobREST
            configuration.gammaREST = endpoints.gammaREST
            configuration.certificateAuthorityFile = nil
            rtds = endpoints.rtdsWebSocket
            simulator = exchange
            services.append(exchange)
        }
        do {
            let bot = try Bot(
                settings: settings, series: configuration.series, directory: nil, rtds: rtds, clock: clock,
                logger: logger)
            let streamer = try settings.liveSource(configuration, logger: logger, marketObserver: bot.observer)
            let beside = try await bot.attach(
                streamer, alerts: [],
                gamma: settings.needsOutcomes ? GammaOutcomes(configuration, clock: clock, tap: nil) : nil)
            let display = ProgressDisplay.onStandardError(
                "Measuring", environment: ProcessInfo.processInfo.environment)
            let run = LatencyRun(bot.latency, lasting: duration, clock: clock) { display.advance(to: $0) }
            services = beside.sinks + services + [streamer] + beside.workers
            services.append(try bot.clockProbe(configuration))
            services.append(run)
            let begin = clock.now()
            defer { display.finish() }
            try await Daemon(services: services, logger: logger).run()
            let now = clock.now()
            return LatencyProof(
                program: programVersion, source: simulator == nil ? configuration.marketWebSocket : "simulated",
                from: begin.wall.milliseconds, now: now.wall.milliseconds,
                ran: begin.monotonic.duration(to: now.monotonic).secondsValue,
                markets: configuration.markets.map(Soak.name), report: bot.latency.report(at: now), course: run.moments)
        } catch {
            await simulator?.stop()
            throw error
        }
    }
}
