import ArgumentParser
import Logging
import OddsCore
import OddsProof
import OddsReports
import OddsServer
import OddsTrading
import PolymarketSimulator
import RealtimeOdds
import ServiceLifecycle
import Synchronization

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `oddstream soak`: the service under watch for a long time.
struct Soak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the service for days and says whether it does what was promised.",
        discussion: """
            Runs what `run` runs, with pollers beside it, and measures: latency, spikes caught, uptime, recoveries, memory, \
            descriptors, and with --simulated how long wrong odds were called live. Verdict by verdict it says what was met. \
            Ends after --for (48h), or with Ctrl-C, and reports in either case; the numbers are on disk every minute.

            With --simulated the exchange runs in this process, with short windows, and goes wrong at random as often as \
            --faults-per-minute says (6), or as --fault and --faults say. docs/soak.md tells what is measured and how.

            Ends with status 1 when something was not met, or when uptime or latency cannot be told. What else cannot be \
            told, as when no spike came, is not failed. Ends with status 69 when the exchange was never reached.
            """)

    /// The soak's own options.
    struct Options: ParsableArguments, SettingOptions {
        @Option(name: .customLong(Setting.duration.rawValue), help: Setting.duration.help)
        var duration: String?
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
        @Option(name: .customLong(Setting.pollEvery.rawValue), help: Setting.pollEvery.help)
        var pollEvery: String?

        var given: [Setting: String] {
            Setting.given(
                (.duration, self.duration), (.simulated, self.simulated ? "true" : nil), (.seed, self.seed),
                (.faultsPerMinute, self.faultsPerMinute),
                (.fault, self.faults.isEmpty ? nil : self.faults.joined(separator: ",")), (.faults, self.plan),
                (.pollEvery, self.pollEvery))
        }
    }

    @OptionGroup(title: "Soak") var options: Options
    @OptionGroup(title: "Soak") var report: ReportOptions
    @OptionGroup(title: "Markets") var markets: MarketOptions
    @OptionGroup(title: "Service") var service: ServiceOptions
    @OptionGroup(title: "Feed") var feed: FeedOptions
    @OptionGroup(title: "Endpoints") var endpoints: EndpointOptions
    @OptionGroup(title: "Spikes and trading (on paper)") var bot: BotOptions
    @OptionGroup(title: "Reference price") var reference: ReferenceOptions
    @OptionGroup(title: "History") var history: HistoryOptions
    @OptionGroup var general: GeneralOptions

    static let defaultDuration = Duration.seconds(48 * 3600)
    static let defaultFaultsPerMinute = 6.0
    private static let defaultPollers = "60s,1s"
    /// Short windows, so that much happens.
    private static let simulatedSeries = ["btc-updown-1m", "eth-updown-2m", "sol-updown-3m"]
    /// Connections are renewed this often with short windows.
    private static let simulatedRenewal = Duration.seconds(60)
    private static let simulatedProfile = Bot.Profile(
        entry: EntryWindow(closesBeforeEnd: .seconds(5)), cooldown: .seconds(2))

    func run() async throws {
        let settings = try self.general.settings(
            self.options, self.markets, self.service, self.feed, self.endpoints, self.bot, self.reference,
            self.history, self.general)
        if self.general.printConfig {
            let own: [(Setting, default: String)] = [
                (.duration, "48h"), (.simulated, "false"), (.seed, "\(SimulatorConfiguration().seed)"),
                (.faultsPerMinute, "\(Int(Soak.defaultFaultsPerMinute))"), (.fault, ""), (.faults, ""),
                (.pollEvery, Soak.defaultPollers),
            ]
            print(
                settings.report(
                    own + Settings.feedReport(try Soak.streamer(settings)) + settings.serviceReport
                        + Settings.botReport(entry: EntryWindow()) + Settings.referenceReport
                        + Settings.historyReport + Settings.logReport("warning")))
            return
        }
        try Soak.refuseWhatHasNoEffect(settings)
        let log = ProgramLog()
        // Of faults that are planned the log need not speak.
        let level: Logger.Level = settings.flag(.simulated) ? .critical : .warning
        let logger = log.logger(label: "oddstream", level: settings.logLevel(default: level))
        let data = try settings.text(.data).map { path throws(ProgramFailure) in try DataDirectory(path) }
        defer { data?.leave() }
        let record: SoakRecord
        do {
            record = try await self.soak(settings, directory: data?.path, logger: logger)
        } catch {
            await log.flush()
            throw ProgramFailure(error)
        }
        await log.flush()
        ReportPrinter(environment: ProcessInfo.processInfo.environment).print(record.document)
        if record.isUnreached {
            throw ProgramFailure(
                status: .unreachable,
                message:
                    "Nothing came from the exchange, so nothing could be measured. `oddstream doctor` checks each step."
            )
        }
        if !record.isFailed, !record.untold.isEmpty {
            ReportPrinter.say("Too little came to tell \(record.untold.joined(separator: " and ")): run it longer.")
        }
        if record.isFailed || !record.untold.isEmpty { throw ExitCode(1) }
    }

    /// Options of the simulated exchange without it are a mistake.
    private static func refuseWhatHasNoEffect(_ settings: Settings) throws(ConfigurationError) {
        guard !settings.flag(.simulated) else { return }
        for setting in [Setting.faultsPerMinute, .fault, .faults] {
            guard let entry = settings.entries[setting] else { continue }
            throw ConfigurationError(
                "\(entry.origin.name(of: setting)) is for the simulated exchange: give --simulated too.")
        }
    }

    private static func series(_ settings: Settings) throws(ConfigurationError) -> [MarketSeries] {
        guard settings.words(.series).isEmpty else { return try settings.series(default: Run.defaultSeries) }
        var series: [MarketSeries] = []
        for name in Soak.simulatedSeries { series += try settings.series(default: name) }
        return series
    }

    private static func streamer(_ settings: Settings) throws(ConfigurationError) -> RealtimeOddsConfiguration {
        var configuration = try settings.streamer()
        if settings.flag(.simulated) {
            configuration.markets = try Soak.series(settings).map { .series($0) }
            configuration.renewalInterval = settings.timeOrZero(.renewEvery) ?? Soak.simulatedRenewal
            configuration.certificateAuthorityFile = nil
        } else {
            configuration.markets = try settings.markets(default: Run.defaultSeries)
        }
        return configuration
    }

    /// What is to go wrong: the plan that was given, or random faults between a calm beginning and a calm end.
    private static func plan(
        _ settings: Settings, lasting duration: Duration, seed: UInt64
    ) throws(ConfigurationError) -> (plan: FaultPlan, perMinute: Double?) {
        let given = try settings.faultPlan()
        let perMinute = settings.decimal(.faultsPerMinute) ?? (given.faults.isEmpty ? Soak.defaultFaultsPerMinute : 0)
        let calm = min(.seconds(60), duration / 4)
        guard perMinute > 0, duration - calm * 2 > .seconds(1) else { return (given, given.faults.isEmpty ? 0 : nil) }
        let random = FaultPlan.random(seed: seed, from: calm, to: duration - calm, perMinute: perMinute)
        return (FaultPlan(given.faults + random.faults), perMinute)
    }

    // MARK: Running

    private func soak(_ settings: Settings, directory: String?, logger: Logger) async throws -> SoakRecord {
        let clock = SystemClock()
        let duration = settings.time(.duration) ?? Soak.defaultDuration
        var configuration = try Soak.streamer(settings)
        var services: [any Service] = []
        var exchange: SoakRun.Exchange?
        var rtds: String?
        var source = configuration.marketWebSocket
        if settings.flag(.simulated) {
            var venue = SimulatorConfiguration()
            venue.series = configuration.series
            venue.seed = settings.integer(.seed).map { UInt64($0) } ?? venue.seed
            // Days of short windows would be nothing but memory.
            venue.listedAhead = .seconds(900)
            let (plan, perMinute) = try Soak.plan(settings, lasting: duration, seed: venue.seed)
            let simulator = PolymarketSimulator(configuration: venue, clock: clock, logger: logger)
            let endpoints = try await simulator.start()
            configuration.marketWebSocket = endpoints.marketWebSocket
            configuration.clobREST = endpoints.clobREST
            configuration.gammaREST = endpoints.gammaREST
            configuration.seed = venue.seed
            rtds = endpoints.rtdsWebSocket
            source = "simulated"
            exchange = SoakRun.Exchange(simulator: simulator, seed: venue.seed, perMinute: perMinute, plan: plan)
            services.append(simulator)
        }
        do {
            let bot = try Bot(
                settings: settings, series: configuration.series, directory: directory, rtds: rtds,
                profile: exchange == nil ? Bot.Profile() : Soak.simulatedProfile, clock: clock, logger: logger)
            let intervals =
                settings.words(.pollEvery).isEmpty
                ? Soak.defaultPollers.split(separator: ",").map(String.init)
                : settings.words(.pollEvery)
            let wanted = settings.spikeDetector
            let spikes = SpikeCount(
                threshold: wanted.threshold, hysteresis: wanted.hysteresis, basis: wanted.basis,
                slowest: intervals.compactMap { DurationText.parse($0) }.max() ?? configuration.pollInterval)
            let streamer = try settings.liveSource(
                configuration, logger: logger,
                marketObserver: ObserverGroup([bot.observer, SpikeListener(spikes, .stream)]))
            var setup = SoakRun.Setup(source: streamer, clock: clock, spikes: spikes, duration: duration)
            setup.latency = bot.latency
            setup.exchange = exchange
            let beside = try await bot.attach(
                streamer, alerts: [],
                gamma: settings.needsOutcomes ? GammaOutcomes(configuration, clock: clock, tap: nil) : nil)
            for (index, text) in intervals.enumerated() {
                var polled = configuration
                polled.pollInterval = DurationText.parse(text) ?? polled.pollInterval
                let poller = try MarketOddsPoller(
                    configuration: polled, logger: logger, marketObserver: SpikeListener(spikes, .poller(index)))
                setup.pollers.append((interval: polled.pollInterval, name: text, source: poller))
            }
            setup.counters = { [weak bot] in
                guard let bot else { return [] }
                return bot.parts.flatMap(\.counters) + [
                    (name: "trades.remembered", value: UInt64(bot.trades().count)),
                    (name: "spikes.remembered", value: UInt64(bot.spikes().count)),
                ]
            }
            services = beside.sinks + services + [streamer] + beside.workers + setup.pollers.map(\.source)
            services.append(try bot.clockProbe(configuration))
            if settings.integer(.httpPort) != nil {
                services.append(
                    OddsServer(
                        configuration: settings.server, source: streamer, bot: bot, history: bot.history,
                        reference: bot.reference, latency: bot.latency, clock: clock,
                        logger: logger))
            }
            let now = clock.now().wall
            var record = SoakRecord(
                program: programVersion, source: source, from: now.milliseconds, planned: duration.secondsValue)
            record.markets = configuration.markets.map(Soak.name)
            let keeper = try SoakKeeper(self.report, record, now: now, logger: logger)
            let run = SoakRun(
                setup, record: record, write: { keeper.put($0) }, progress: Soak.progress(lasting: duration))
            services.append(run)
            try await Daemon(services: services, logger: logger).run()
            keeper.tell()
            return keeper.latest
        } catch {
            await exchange?.simulator.stop()
            throw error
        }
    }

    static func name(_ market: MarketSelection) -> String {
        switch market {
        case .series(let series): series.name
        case .slug(let slug): slug
        case .condition(let id): id.rawValue
        case .assets(let assets): "\(assets.count) tokens"
        }
    }

    /// A line every ten seconds in place in a terminal, or every minute elsewhere.
    private static func progress(lasting duration: Duration) -> @Sendable (Double, String) -> Void {
        let isTerminal = isatty(2) == 1
        let count = Mutex(0)
        return { share, text in
            let left = duration * max(0, 1 - share)
            let line = "\(Soak.clock(left)) left: \(text)"
            let number = count.withLock { count in
                count += 1
                return count
            }
            if isTerminal {
                ReportPrinter.put("\r\u{1B}[K\(line)")
            } else if number % 6 == 1 {
                ReportPrinter.put("\(line)\n")
            }
        }
    }

    private static func clock(_ time: Duration) -> String {
        let seconds = Int(time.secondsValue.rounded())
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}

/// Keeps a soak's report on disk, as new as the last minute.
private final class SoakKeeper: Sendable {
    private let files: ReportFiles?
    private let newest: Mutex<SoakRecord>
    private let isTroubled = Mutex(false)
    private let logger: Logger

    /// - Throws: `ProgramFailure` when the files cannot be written: at the beginning, not after two days.
    init(_ options: ReportOptions, _ record: SoakRecord, now: Timestamp, logger: Logger) throws(ProgramFailure) {
        self.logger = logger
        self.newest = Mutex(record)
        guard options.isWanted else {
            self.files = nil
            return
        }
        do {
            self.files = try ReportFiles.write(
                record, prefix: options.prefix ?? ReportFiles.defaultPrefix(command: SoakRecord.kind, at: now))
        } catch {
            throw ProgramFailure(error)
        }
    }

    var latest: SoakRecord { self.newest.withLock { $0 } }

    func put(_ record: SoakRecord) {
        self.newest.withLock { $0 = record }
        guard let files = self.files else { return }
        do {
            try files.replace(with: record)
            self.isTroubled.withLock { $0 = false }
        } catch {
            let isNews = self.isTroubled.withLock { isTroubled in
                defer { isTroubled = true }
                return !isTroubled
            }
            guard isNews else { return }
            self.logger.warning(
                "The soak's report cannot be written; it is tried again every minute",
                metadata: ["reason": "\(error.message)"])
        }
    }

    func tell() {
        if isatty(2) == 1 { ReportPrinter.put("\r\u{1B}[K") }
        guard let files = self.files else { return }
        ReportPrinter.say("The report is in \(files.html), its numbers are in \(files.json).")
    }
}
