import ArgumentParser
import Logging
import OddsCore
import OddsTrading
import RealtimeOdds
import ServiceLifecycle

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// How `watch` shows what it sees.
struct WatchOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.format.rawValue), help: Setting.format.help)
    var format: String?
    @Option(name: .customLong(Setting.duration.rawValue), help: Setting.duration.help)
    var duration: String?
    @Option(name: .customLong(Setting.trace.rawValue), help: Setting.trace.help)
    var trace: String?

    var given: [Setting: String] {
        Setting.given(
            (.format, self.format), (.duration, self.duration), (.trace, self.trace))
    }
}

/// `oddstream watch`: live odds in the terminal, or as rows for other programs.
struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Live odds in the terminal, or as rows for other programs.",
        discussion: """
            table   redraws in place in a terminal; plain rows elsewhere
            jsonl   one JSON object per update, with the keys of /v1/odds; ends when the reader closes the pipe
            none    nothing: for measuring, and for --trace

            Ends with status 69 when --for has passed and the exchange was never reached.
            """)

    @OptionGroup(title: "View") var view: WatchOptions
    @OptionGroup(title: "Markets") var markets: MarketOptions
    @OptionGroup(title: "Feed") var feed: FeedOptions
    @OptionGroup(title: "Endpoints") var endpoints: EndpointOptions
    @OptionGroup var general: GeneralOptions

    func run() async throws {
        let settings = try self.general.settings(
            self.view, self.markets, self.feed, self.endpoints, self.general)
        var configuration = try settings.streamer()
        configuration.markets = try settings.markets(default: Run.defaultSeries)
        if self.general.printConfig {
            let view: [(Setting, default: String)] = [(.format, "table"), (.duration, ""), (.trace, "")]
            print(settings.report(Settings.feedReport(configuration) + view + Settings.logReport("warning")))
            return
        }
        if settings.source == .poller, let trace = settings.entries[.trace] {
            throw ConfigurationError(
                "\(trace.origin.name(of: .trace)) needs the stream: it writes one row per message, and a poller gets none."
            )
        }
        let log = ProgramLog()
        let logger = log.logger(label: "oddstream", level: settings.logLevel(default: .warning))
        let trace = try settings.text(.trace).map { path throws(ProgramFailure) in try TraceFile(path: path) }
        let result: Result<Void, ProgramFailure>
        do {
            let format = settings.text(.format) ?? "table"
            let news = NewsFeed()
            // What is not shown is not looked for.
            let spikes =
                format == "table"
                ? SpikeDesk(configuration: settings.spikeDetector, clock: SystemClock()) { event, record, odds, _ in
                    news.post(event, record, odds)
                } : nil
            let streamer = try settings.liveSource(
                configuration, logger: logger, observer: trace, marketObserver: spikes)
            let view = OddsView(streamer: streamer, news: news, threshold: settings.spikeDetector.threshold)
            let presenter = Watch.presenter(format, view: view, log: log, title: "oddstream \(programVersion)")
            let services: [(any Service)?] = [trace, streamer, spikes, presenter]
            let reloader = SettingsReloader(settings, log: log, level: .warning, logger: logger)
            try await Daemon(services: services.compactMap { $0 }, logger: logger, reloader: reloader)
                .run(for: settings.time(.duration))
            result = Watch.verdict(streamer, limit: settings.text(.duration))
        } catch {
            result = .failure(ProgramFailure(error))
        }
        try await trace?.finish()
        await log.flush()
        try result.get()
    }

    /// The view of a format; nil for `none`, which must cost nothing.
    static func presenter(
        _ format: String, view: OddsView, log: ProgramLog, title: String, interval: Duration = .seconds(2),
        url: @escaping @Sendable () -> String? = { nil }
    ) -> (any Service)? {
        let environment = ProcessInfo.processInfo.environment
        let style = TextStyle(environment: environment)
        switch format {
        case "none": return nil
        case "jsonl": return JSONLinesPresenter(view: view, sink: ByteSink(descriptor: 1, label: "rows"))
        default:
            guard Terminal.isInteractive(environment) else {
                return PlainPresenter(
                    view: view, sink: ByteSink(descriptor: 1, label: "rows"), style: style, interval: interval)
            }
            return TablePresenter(view: view, title: title, url: url, log: log, style: style)
        }
    }

    /// Whoever watched for a time and never reached the exchange should learn it from the status.
    private static func verdict(_ streamer: any LiveOddsSource, limit: String?) -> Result<Void, ProgramFailure> {
        let status = streamer.status
        let lines = status.lines
        guard let limit, lines.allSatisfy({ $0.messages == 0 }), status.pollAnswers ?? 0 == 0 else {
            return .success(())
        }
        let reasons = Set(lines.compactMap(\.lastError) + status.allProblems).sorted()
        guard !reasons.isEmpty || lines.isEmpty else { return .success(()) }
        let why = reasons.isEmpty ? "no connection was made" : reasons.joined(separator: "; ")
        return .failure(
            ProgramFailure(
                status: .unreachable,
                message: "The exchange was not reached within \(limit). `oddstream doctor` checks each step. "
                    + "Last: \(why)"))
    }
}
