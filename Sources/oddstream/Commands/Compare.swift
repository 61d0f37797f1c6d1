import ArgumentParser
import Logging
import OddsCore
import OddsProof
import OddsRecording
import OddsReports
import OddsTrading
import PolymarketSimulator
import RealtimeOdds
import ServiceLifecycle

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `oddstream compare`: the stream beside pollers.
struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Holds the stream against pollers: do they agree, and which spikes does each of them catch?",
        discussion: """
            Live: stream and pollers (--poll-every 60s) follow the same markets for a time (--for 15m). With --simulated \
            the exchange runs in this process, and what was visible is known; --fault, --faults and --faults-per-minute \
            make it misbehave. With --simulated --virtual all of it runs in compressed time: an hour takes seconds.

            Over recordings (RECORDING…): the stream as its replay shows it, and pollers that are answered with what was \
            true at their instants.

            Ends with Ctrl-C too, and reports in either case; with status 1 when something that was demanded is not met. \
            docs/compare.md tells what is measured and how.
            """)

    /// The comparison's own options.
    struct Options: ParsableArguments, SettingOptions {
        @Option(name: .customLong(Setting.pollEvery.rawValue), help: Setting.pollEvery.help)
        var pollEvery: String?
        @Option(name: .customLong(Setting.duration.rawValue), help: Setting.duration.help)
        var duration: String?
        @Option(name: .customLong(Setting.threshold.rawValue), help: Setting.threshold.help)
        var threshold: String?
        @Option(name: .customLong(Setting.basis.rawValue), help: Setting.basis.help)
        var basis: String?
        @Flag(name: .customLong(Setting.simulated.rawValue), help: Setting.simulated.help)
        var simulated = false
        @Option(name: .customLong(Setting.seed.rawValue), help: Setting.seed.help)
        var seed: String?
        @Option(name: .customLong(Setting.faultsPerMinute.rawValue), help: Setting.faultsPerMinute.help)
        var faultsPerMinute: String?
        @Option(name: .customLong(Setting.fault.rawValue), help: Setting.fault.help)
        var faults: [String] = []
        @Option(name: .customLong(Setting.faults.rawValue), help: Setting.faults.help)
        var plan: String?

        var given: [Setting: String] {
            Setting.given(
                (.pollEvery, self.pollEvery), (.duration, self.duration), (.threshold, self.threshold),
                (.basis, self.basis), (.simulated, self.simulated ? "true" : nil), (.seed, self.seed),
                (.faultsPerMinute, self.faultsPerMinute),
                (.fault, self.faults.isEmpty ? nil : self.faults.joined(separator: ",")), (.faults, self.plan))
        }
    }

    @Argument(help: ArgumentHelp("A recording: its directory, a file of it, or a tape.", valueName: "recording"))
    var recordings: [String] = []
    @Flag(help: "Let the simulated exchange and everything else run in compressed time (with --simulated).")
    var virtual = false
    @OptionGroup(title: "Compare") var options: Options
    @OptionGroup(title: "Compare") var report: ReportOptions
    @OptionGroup(title: "Markets") var markets: MarketOptions
    @OptionGroup(title: "Feed") var feed: FeedOptions
    @OptionGroup(title: "Endpoints") var endpoints: EndpointOptions
    @OptionGroup var general: GeneralOptions

    private static let defaultPollers = "60s"
    private static let defaultDuration = Duration.seconds(900)

    func run() async throws {
        let settings = try self.general.settings(
            self.options, self.markets, self.feed, self.endpoints, self.general)
        if self.general.printConfig {
            print(
                settings.report(
                    [
                        (.pollEvery, Compare.defaultPollers), (.duration, "15m"), (.threshold, "0.7"),
                        (.basis, OddsBasis.displayed.rawValue), (.simulated, "false"),
                        (.seed, "\(SimulatorConfiguration().seed)"), (.faultsPerMinute, "0"), (.fault, ""),
                        (.faults, ""),
                    ] + Settings.feedReport(try Compare.streamer(settings)) + Settings.logReport("warning")))
            return
        }
        try self.refuseWhatHasNoEffect(settings)
        _ = try Compare.pollers(settings)
        let typed = (self.options.pollEvery ?? Compare.defaultPollers).split(
            separator: ",", omittingEmptySubsequences: false)
        guard typed.allSatisfy({ $0.contains { $0 != " " } }) else {
            throw ConfigurationError("--poll-every has an empty item. Give intervals such as 60s,5s.")
        }
        try self.report.check()
        let environment = ProcessInfo.processInfo.environment
        let progress = ProgressDisplay.onStandardError("Comparing", environment: environment)
        let told: @Sendable (Double) -> Void = { progress.advance(to: $0) }
        var figures: CompareFigures
        do {
            defer { progress.finish() }
            if !self.recordings.isEmpty {
                figures = try self.overRecordings(settings, told)
            } else if self.virtual {
                figures = try self.inVirtualTime(settings, told)
            } else {
                figures = try await self.live(settings, told)
            }
        } catch let error as RecordingError {
            throw ProgramFailure(status: .configuration, message: error.description)
        } catch let error as ProofError {
            throw ProgramFailure(status: .configuration, message: error.description)
        } catch {
            throw ProgramFailure(error)
        }
        figures.command = Compare.commandLine
        if Interruption.hasCome {
            ReportPrinter.say(Interruption.note)
            if !figures.notes.isEmpty { figures.notes[0] += " (cut short)" }
            figures.notes.append(Interruption.note)
        }
        let now = SystemClock().now().wall
        let report = CompareReport(figures, program: programVersion, generatedAt: now.milliseconds)
        try self.report.deliver(report, environment: environment, now: now)
        if figures.markets == 0 {
            throw ProgramFailure(
                status: .unreachable,
                message: self.recordings.isEmpty
                    ? "Nothing was compared: no market's odds came within the time. `oddstream doctor` checks each step."
                    : "Nothing was compared: no market's odds came of the recording. Name another one.")
        }
        if report.header.verdicts.contains(where: { $0.isMet == false }) { throw ExitCode(1) }
    }

    /// The command, without the path of the program.
    private static var commandLine: String {
        (["oddstream"] + CommandLine.arguments.dropFirst()).joined(separator: " ")
    }

    /// Options that another mode needs are a mistake.
    private func refuseWhatHasNoEffect(_ settings: Settings) throws(ConfigurationError) {
        func refuse(_ setting: Setting, _ why: String) throws(ConfigurationError) {
            guard let entry = settings.entries[setting] else { return }
            throw ConfigurationError("\(entry.origin.name(of: setting)) \(why)")
        }
        if self.virtual, !settings.flag(.simulated) {
            throw ConfigurationError("--virtual is for the simulated exchange: give --simulated too.")
        }
        if !self.recordings.isEmpty, settings.flag(.simulated) {
            throw ConfigurationError("A recording and --simulated exclude each other: leave one of them out.")
        }
        if !self.recordings.isEmpty, settings.entries[.duration]?.origin == .option {
            throw ConfigurationError("--for has no effect on a recording: leave it or the recording out.")
        }
        guard !settings.flag(.simulated) else { return }
        for setting in [Setting.faultsPerMinute, .fault, .faults] {
            try refuse(setting, "is for the simulated exchange: give --simulated too.")
        }
    }

    // MARK: What is compared

    private static func pollers(_ settings: Settings) throws(ConfigurationError) -> [Duration] {
        let words = settings.words(.pollEvery)
        let pollers = (words.isEmpty ? [Compare.defaultPollers] : words).compactMap { DurationText.parse($0) }
        guard Set(pollers).count == pollers.count else {
            throw ConfigurationError(
                "--poll-every: \(words.joined(separator: ",")) names an interval twice. Name each one once.")
        }
        return pollers
    }

    private static func configuration(_ settings: Settings) -> CompareConfiguration {
        var configuration = CompareConfiguration()
        if let threshold = settings.decimal(.threshold) {
            configuration.threshold = Odds(rawValue: Int32((threshold * 1_000_000).rounded()))
        }
        configuration.basis = settings.text(.basis).flatMap { OddsBasis(rawValue: $0) } ?? configuration.basis
        return configuration
    }

    private static func streamer(_ settings: Settings) throws(ConfigurationError) -> RealtimeOddsConfiguration {
        var configuration = try settings.streamer()
        configuration.markets =
            settings.flag(.simulated)
            ? try settings.series(default: Run.defaultSeries).map { .series($0) }
            : try settings.markets(default: Run.defaultSeries)
        return configuration
    }

    private static func seed(_ settings: Settings) -> UInt64 {
        settings.integer(.seed).map { UInt64($0) } ?? SimulatorConfiguration().seed
    }

    private static func plan(
        _ settings: Settings, lasting duration: Duration, lines: Int
    ) throws(ConfigurationError) -> FaultPlan {
        let random = VirtualComparison.faults(
            seed: Compare.seed(settings), lasting: duration, perMinute: settings.decimal(.faultsPerMinute) ?? 0,
            lines: lines)
        return FaultPlan(try settings.faultPlan().faults + random.faults)
    }

    // MARK: The modes

    private func overRecordings(_ settings: Settings, _ progress: @Sendable (Double) -> Void) throws -> CompareFigures {
        var comparison = RecordedComparison()
        comparison.pollers = try Compare.pollers(settings)
        comparison.configuration = Compare.configuration(settings)
        comparison.configuration.truth = .recording
        comparison.tokens = settings.words(.assets).map { AssetID($0) }
        Interruption.listen()
        return try comparison.run(
            Recording(paths: self.recordings), progress: progress, isStopped: { Interruption.hasCome })
    }

    private func inVirtualTime(_ settings: Settings, _ progress: @Sendable (Double) -> Void) throws -> CompareFigures {
        var comparison = VirtualComparison()
        comparison.duration = settings.time(.duration) ?? Compare.defaultDuration
        comparison.seed = Compare.seed(settings)
        comparison.series = try settings.series(default: Run.defaultSeries)
        comparison.lines = settings.integer(.lines) ?? comparison.lines
        comparison.pollers = try Compare.pollers(settings)
        comparison.plan = try Compare.plan(settings, lasting: comparison.duration, lines: comparison.lines)
        comparison.configuration = Compare.configuration(settings)
        comparison.configuration.truth = .exchange
        Interruption.listen()
        return comparison.run(progress: progress, isStopped: { Interruption.hasCome })
    }

    private func live(
        _ settings: Settings, _ progress: @escaping @Sendable (Double) -> Void
    ) async throws -> CompareFigures {
        let log = ProgramLog()
        let logger = log.logger(label: "oddstream", level: settings.logLevel(default: .error))
        let clock = SystemClock()
        let duration = settings.time(.duration) ?? Compare.defaultDuration
        var configuration = try Compare.streamer(settings)
        var simulator: PolymarketSimulator?
        if settings.flag(.simulated) {
            var venue = SimulatorConfiguration()
            venue.series = configuration.series
            venue.seed = Compare.seed(settings)
            venue.listedAhead = .seconds(3600)
            let exchange = PolymarketSimulator(configuration: venue, clock: clock, logger: logger)
            let endpoints = try await exchange.start()
            configuration.marketWebSocket = endpoints.marketWebSocket
            configuration.clobREST = endpoints.clobREST
            configuration.gammaREST = endpoints.gammaREST
            configuration.certificateAuthorityFile = nil
            simulator = exchange
        }
        do {
            let intervals = try Compare.pollers(settings)
            let comparison = LiveComparison(
                configuration: Compare.configuration(settings), pollers: intervals, simulator: simulator,
                plan: simulator == nil
                    ? FaultPlan() : try Compare.plan(settings, lasting: duration, lines: configuration.lines),
                series: simulator == nil ? [] : configuration.series, duration: duration, clock: clock,
                progress: progress)
            let streamer = try RealtimeOddsStreamer(
                configuration: configuration, logger: logger, marketObserver: comparison.streamObserver)
            comparison.follow(streamer)
            var transports: [HTTPClientTransport] = []
            var services: [any Service] = simulator.map { [$0] } ?? []
            services.append(streamer)
            for (index, interval) in intervals.enumerated() {
                var polled = configuration
                polled.pollInterval = interval
                let transport = try HTTPClientTransport(
                    certificateAuthorityFile: configuration.certificateAuthorityFile,
                    connectTimeout: configuration.connectTimeout)
                transports.append(transport)
                services.append(
                    try comparison.listener(for: index).poller(polled, over: transport, logger: logger))
            }
            services.append(comparison)
            let result: Result<Void, any Error>
            do {
                try await Daemon(services: services, logger: logger).run(for: duration)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            for transport in transports { await transport.shutdown() }
            await log.flush()
            try result.get()
            var figures = comparison.finish()
            figures.notes = [
                simulator == nil ? configuration.marketWebSocket : "simulated exchange, seed \(Compare.seed(settings))",
                configuration.series.map(\.name).joined(separator: ", "),
            ].filter { !$0.isEmpty }
            return figures
        } catch {
            await simulator?.stop()
            await log.flush()
            throw error
        }
    }
}
