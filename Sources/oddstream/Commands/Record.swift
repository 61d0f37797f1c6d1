import ArgumentParser
import Logging
import OddsCore
import OddsRecording
import RealtimeOdds
import ServiceLifecycle

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// How large a recording may become, and where `run` and `demo` put it.
struct RecordingOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.record.rawValue), help: Setting.record.help)
    var record: String?
    @OptionGroup var limits: RecordingLimitOptions

    var given: [Setting: String] {
        self.limits.given.merging(Setting.given((.record, self.record))) { first, _ in first }
    }
}

/// How large a recording may become.
struct RecordingLimitOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.recordLimit.rawValue), help: Setting.recordLimit.help)
    var limit: String?
    @Option(name: .customLong(Setting.recordFileSize.rawValue), help: Setting.recordFileSize.help)
    var fileSize: String?
    @Option(name: .customLong(Setting.recordFileTime.rawValue), help: Setting.recordFileTime.help)
    var fileTime: String?

    var given: [Setting: String] {
        Setting.given(
            (.recordLimit, self.limit), (.recordFileSize, self.fileSize), (.recordFileTime, self.fileTime))
    }
}

/// `oddstream record`: everything that comes from the exchange, on the disk.
struct Record: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Records everything that comes from the exchange, to be replayed and measured later.",
        discussion: """
            Every frame of every line, the reference price and every REST answer, each with the moment it came: rows of \
            JSON in compressed files, with a manifest beside them. Read them with zcat. A crash costs the last second at \
            most. `run --record DIR` and `demo --record DIR` record while they do their work.

            A directory may be recorded into again and again. It ends within two seconds of SIGTERM or Ctrl-C, with \
            everything on the disk.
            """)

    /// What is recorded for how long.
    struct Options: ParsableArguments, SettingOptions {
        @Argument(help: ArgumentHelp("The directory; oddstream-recording-<time> by default.", valueName: "dir"))
        var directory: String?
        @Option(name: .customLong(Setting.duration.rawValue), help: Setting.duration.help)
        var duration: String?

        var given: [Setting: String] { Setting.given((.record, self.directory), (.duration, self.duration)) }
    }

    @OptionGroup(title: "Recording") var options: Options
    @OptionGroup(title: "Recording") var limits: RecordingLimitOptions
    @OptionGroup(title: "Markets") var markets: MarketOptions
    @OptionGroup(title: "Feed") var feed: FeedOptions
    @OptionGroup(title: "Endpoints") var endpoints: EndpointOptions
    @OptionGroup(title: "Reference price") var reference: ReferenceOptions
    @OptionGroup var general: GeneralOptions

    func run() async throws {
        let settings = try self.general.settings(
            self.options, self.limits, self.markets, self.feed, self.endpoints, self.reference, self.general)
        var configuration = try settings.streamer()
        configuration.markets = try settings.markets(default: Run.defaultSeries)
        let environment = ProcessInfo.processInfo.environment
        let isInteractive = Terminal.isInteractive(environment)
        let level: Logger.Level = isInteractive ? .warning : .info
        if self.general.printConfig {
            let own: [(Setting, default: String)] = [(.record, "oddstream-recording-<time>"), (.duration, "")]
            print(
                settings.report(
                    own + Settings.recordingReport + Settings.feedReport(configuration) + Settings.referenceReport
                        + Settings.logReport("\(level)")))
            return
        }
        let log = ProgramLog()
        let logger = log.logger(label: "oddstream", level: settings.logLevel(default: level))
        let clock = SystemClock()
        do {
            let price = settings.reference(series: configuration.series)
            guard
                let recorder = try await settings.recorder(
                    into: settings.text(.record) ?? Self.defaultDirectory(clock.now().wall), configuration,
                    rtds: price?.url, clock: clock, logger: logger)
            else { return }
            let streamer = try settings.liveSource(configuration, logger: logger, tap: recorder)
            var services: [any Service] = [recorder, streamer]
            if let price {
                let reference = try ReferencePriceStreamer(
                    configuration: price, logger: logger, clock: clock, tap: recorder)
                services += [reference, ReferenceFollower(reference: reference, source: streamer, clock: clock)]
            }
            services.append(
                RecordPresenter(
                    recorder: recorder, source: streamer, clock: clock, logger: logger,
                    sink: isInteractive ? ByteSink(descriptor: 1, label: "lines") : nil))
            let reloader = SettingsReloader(settings, log: log, level: level, logger: logger)
            try await Daemon(services: services, logger: logger, reloader: reloader).run(for: settings.time(.duration))
            let status = recorder.status
            logger.info("Recorded", metadata: ["recording": "\(RecordPresenter.total(status))"])
            if isInteractive { print("\(RecordPresenter.total(status)) in \(status.directory)") }
        } catch {
            await log.flush()
            throw ProgramFailure(error)
        }
        await log.flush()
    }

    /// `oddstream-recording-20261122-235900`.
    private static func defaultDirectory(_ now: Timestamp) -> String {
        let text = Date(timeIntervalSince1970: TimeInterval(now.seconds)).formatted(.iso8601)
        let digits = text.filter(\.isNumber)
        return "oddstream-recording-\(digits.prefix(8))-\(digits.dropFirst(8))"
    }
}

/// Says how a recording fares: a line a second on a terminal, a message a minute in the log.
struct RecordPresenter: Service {
    let recorder: Recorder
    let source: any LiveOddsSource
    let clock: any StreamClock
    let logger: Logger
    /// The terminal; nil when there is none.
    let sink: ByteSink?

    func run() async throws {
        let begin = self.clock.now().monotonic
        await cancelWhenGracefulShutdown {
            let interval = self.sink == nil ? Duration.seconds(60) : .seconds(1)
            var last = (rows: UInt64(0), time: begin)
            while (try? await self.clock.sleep(for: interval)) != nil {
                let now = self.clock.now()
                let status = self.recorder.status
                let seconds = last.time.duration(to: now.monotonic).secondsValue
                let rate = seconds > 0 ? Double(status.rows - last.rows) / seconds : 0
                last = (status.rows, now.monotonic)
                let text = Self.line(status, rowsPerSecond: rate, feed: self.feed)
                if let sink {
                    guard sink.append(PlainReport.line(now.wall, "record", text) + "\n") else { return }
                } else {
                    self.logger.info("Recording", metadata: ["recording": "\(text)"])
                }
            }
        }
        await self.sink?.flush()
    }

    private var feed: String {
        let status = self.source.status
        let lines = status.lines.map { line in
            "line \(line.line) \(line.state)" + (line.state == "live" ? "" : line.lastError.map { " (\($0))" } ?? "")
        }
        return (lines + status.allProblems).joined(separator: ", ")
    }

    /// One line about a recording that goes on.
    static func line(_ status: RecorderStatus, rowsPerSecond: Double, feed: String) -> String {
        var parts = ["\(Int(rowsPerSecond.rounded())) rows/s", Self.total(status)]
        if let free = status.freeBytes { parts.append("\(SizeText.text(Int64(clamping: free))) free") }
        if case .troubled = status.state { parts.append("NOT WRITTEN: \(status.lastError ?? "no reason is known")") }
        if !feed.isEmpty { parts.append(feed) }
        return parts.joined(separator: ", ")
    }

    /// What there is of a recording.
    static func total(_ status: RecorderStatus) -> String {
        var text = "\(status.rows) rows, \(SizeText.text(Int64(clamping: status.bytes)))"
        if let compression = status.compression { text += " (\(DurationText.oneDecimal(compression)) times smaller)" }
        return text + ", \(status.dropped) dropped"
    }
}
