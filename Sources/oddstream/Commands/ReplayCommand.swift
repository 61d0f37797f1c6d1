import ArgumentParser
import OddsCore
import OddsProof
import OddsRecording
import OddsReports
import OddsStore
import OddsTrading
import RealtimeOdds
import Synchronization

import Foundation

/// `oddstream replay`: a recording through the live pipeline, in its own time.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract:
            "A recording through the live stream's own pipeline: the same spikes, incidents and trades, every time.",
        discussion: """
            A RECORDING is a directory that `oddstream record` made, one file of it, or a tape (.ndjson, .ndjson.gz). It \
            goes through engine, liveness checks, incidents, spike detector and trading desk in its own time: as fast as \
            it goes, or at --speed. What comes out follows from the recording and the options alone; the state hash says \
            so in one line.

            table   with --speed: rows as in `watch`; a summary at the end
            jsonl   one JSON object per update, as `watch --format jsonl`; the summary goes into the report only
            none    the summary only

            --compare-with names the --data directory of the run that was recorded: spikes, incidents and trades are \
            compared one by one. Ends with status 1 when they differ.

            A bot that ran beside the recorder left its settings in the recording: they hold where none are given here.

            --verify compares every file with its checksum first. Ends with status 78 when one differs.
            """)

    /// How rows are shown.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, jsonl, none
    }

    @Argument(help: ArgumentHelp("Recordings, one after the other.", valueName: "recording"))
    var recordings: [String] = []
    @Option(
        help: ArgumentHelp(
            "How fast: 1 is as recorded, 10 ten times as fast; without it as fast as it goes.", valueName: "factor"))
    var speed: Double?
    @Option(help: ArgumentHelp("table, jsonl or none.", valueName: "format"))
    var format = Format.table
    @Option(help: ArgumentHelp("Only these tokens; the first of a tape's market is YES.", valueName: "token,token"))
    var assets: String?
    @Flag(help: "Compare every file with its checksum first.")
    var verify = false
    @Option(
        name: .customLong("compare-with"),
        help: ArgumentHelp("The --data directory of the run that was recorded.", valueName: "dir"))
    var compareWith: String?
    @OptionGroup(title: "Spikes and trading (on paper)") var bot: BotOptions
    @OptionGroup(title: "Report") var report: ReportOptions
    @OptionGroup var general: GeneralOptions

    func validate() throws {
        if self.recordings.isEmpty, !self.general.printConfig {
            throw ValidationError("Name at least one recording: a directory, one of its files, or a tape.")
        }
        if let speed, !(0.001...1_000_000).contains(speed) {
            throw ValidationError(
                "--speed: \(speed) is no factor from 0.001 to 1000000. Leave it out for as fast as it goes.")
        }
    }

    func run() async throws {
        var settings = try self.general.settings(self.bot, self.general)
        if self.general.printConfig {
            print(settings.report(Settings.botReport(entry: EntryWindow()) + [(.logLevel, "info")]))
            return
        }
        let environment = ProcessInfo.processInfo.environment
        try self.report.check()
        let recording = try self.open()
        if self.verify { try self.check(recording) }
        var notes = settings.fill(from: recording.starts())
        var replay = try self.replay(of: recording, settings)
        replay.keepsPoints = self.report.isWanted
        Interruption.listen()
        let outcome = try await self.play(replay, environment: environment)
        let isCutShort = Interruption.hasCome
        if isCutShort {
            ReportPrinter.say(Interruption.note)
            notes.insert(Interruption.note, at: 0)
        }
        guard outcome.publications > 0 else {
            throw ProgramFailure(
                status: .configuration,
                message: Self.nothing(in: recording, outcome))
        }
        var comparison: ReplayComparison?
        // The rest of the recording would be a difference.
        if let compareWith, !isCutShort { comparison = try await Self.comparison(outcome, with: compareWith) }
        let report = ReplayReport(
            outcome, source: recording.paths.joined(separator: ", ") + (isCutShort ? " (cut short)" : ""),
            program: programVersion,
            generatedAt: SystemClock().now().wall, comparison: comparison, settings: settings.told(Settings.recorded),
            notes: notes)
        try self.report.deliver(report, environment: environment, printsSummary: self.format != .jsonl)
        self.say(outcome, report, comparison)
        if let comparison, !comparison.isSame { throw ExitCode(1) }
    }

    private func open() throws(ProgramFailure) -> Recording {
        do throws(RecordingError) {
            return try Recording(paths: self.recordings)
        } catch {
            throw ProgramFailure(status: .configuration, message: "\(error)")
        }
    }

    private func check(_ recording: Recording) throws(ProgramFailure) {
        let display = ProgressDisplay.onStandardError(
            "Verifying", isWanted: self.format != .jsonl, environment: ProcessInfo.processInfo.environment)
        let verification = recording.verify { display.advance(to: $0) }
        display.finish()
        // Of the others nobody wrote a checksum down.
        let bad = verification.files.filter { $0.state == .changed || $0.state == .missing }
        let unknown = verification.files.filter { $0.state == .unfinished || $0.state == .unlisted }
        guard bad.isEmpty else {
            let names = bad.map { "\($0.name) is \($0.state.rawValue)" }
            throw ProgramFailure(
                status: .configuration,
                message: """
                    The recording is not what its manifest says: \(names.joined(separator: ", ")). \
                    Without --verify what can be read is replayed.
                    """)
        }
        guard self.format != .jsonl else { return }
        ReportPrinter.say("\(verification.files.count - unknown.count) files are what the manifest says.")
        if !unknown.isEmpty {
            ReportPrinter.say("Without a checksum: \(unknown.map(\.name).joined(separator: ", ")).")
        }
    }

    private func replay(of recording: Recording, _ settings: Settings) throws -> Replay {
        var replay = Replay(recording)
        replay.tokens = (self.assets ?? "").split(separator: ",").map { AssetID(String($0)) }
        replay.spikes = try settings.usableSpikeDetector()
        if !settings.flag(.noTrading) {
            let strategy = settings.strategy(entry: EntryWindow())
            replay.trading = PaperTrader<ThresholdStrategy>.Setup(
                strategy: strategy, riskCheck: try settings.riskCheck(strategy), startingCash: settings.paperCash,
                delay: settings.fillDelay)
        }
        return replay
    }

    private static func nothing(in recording: Recording, _ outcome: ReplayOutcome) -> String {
        let source = recording.paths.joined(separator: ", ")
        guard let first = outcome.damage.first else {
            return "No odds came of \(source): it has \(outcome.rows) rows and no market that they tell the books of."
        }
        return "No odds came of \(source). \(first)"
    }

    /// Goes through the recording on a thread of its own, which it keeps busy.
    private func play(_ replay: Replay, environment: [String: String]) async throws -> ReplayOutcome {
        // With rows on the screen there is no room for a line that moves.
        let display = ProgressDisplay.onStandardError(
            "Replaying", unit: "frames", isWanted: self.speed == nil && self.format != .jsonl, environment: environment)
        defer { display.finish() }
        let rows = ReplayRows(self.format, shows: self.format == .jsonl || self.speed != nil, environment: environment)
        let pacer = self.speed.map { ReplayPacer(speed: $0) }
        do {
            return try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread {
                    continuation.resume(
                        with: Result {
                            let outcome = try replay.run(
                                updates: rows.map { rows in { rows.append($0, at: $1) } },
                                pace: pacer.map { pacer in
                                    { time in
                                        if pacer.mustWait(for: time) { rows?.flush() }
                                        pacer.wait(for: time)
                                    }
                                },
                                progress: { share, count in
                                    display.advance(to: share, count: Int64(clamping: count))
                                    return rows?.failure == nil && !Interruption.hasCome
                                })
                            rows?.flush()
                            try failUnlessPipeClosed(rows?.failure)
                            return outcome
                        })
                }
            }
        } catch let failure as ProgramFailure {
            throw failure
        } catch {
            throw ProgramFailure(status: .configuration, message: "\(error)")
        }
    }

    private func say(_ outcome: ReplayOutcome, _ report: ReplayReport, _ comparison: ReplayComparison?) {
        let notes = report.notes
        for note in notes.prefix(Self.notesShown) { ReportPrinter.say(note) }
        if notes.count > Self.notesShown {
            ReportPrinter.say("\(notes.count - Self.notesShown) more notes are in the report.")
        }
        for difference in comparison?.differences ?? [] { ReportPrinter.say(difference) }
        // In the report too, but a script wants it in one line of its own.
        if self.format != .jsonl { print(outcome.stateHash) }
    }

    /// How many notes about the recording are told on the terminal.
    private static let notesShown = 12

    // MARK: The records of the live run

    private static func comparison(
        _ outcome: ReplayOutcome, with directory: String
    ) async throws -> ReplayComparison {
        do throws(HistoryError) {
            var records = try await Self.records(in: directory)
            records.account = Self.account(in: directory, openedBetween: outcome.first, and: outcome.last)
            return ReplayComparison(records, with: outcome)
        } catch {
            throw ProgramFailure(error)
        }
    }

    /// The account by the record of trades; nil when it cannot be read, or was opened at another time.
    private static func account(
        in directory: String, openedBetween first: Timestamp?, and last: Timestamp?
    ) -> AccountRecord? {
        guard let first, let last, let lines = try? TradingJournal.entries(in: directory),
            let entries = try? TradeRecorder.entries(lines, path: "\(directory)/\(TradingJournal.fileName)"),
            case .opened(_, let opened)? = entries.first,
            // The desk opens a little before or after the first row.
            (first.milliseconds - 10_000...last.milliseconds).contains(opened.milliseconds)
        else { return nil }
        var ledger = TradeLedger(capacity: .max)
        for entry in entries { _ = ledger.apply(entry) }
        guard let account = ledger.account else { return nil }
        return AccountRecord(account, exposure: ledger.exposure, killSwitch: KillSwitch())
    }

    private static func records(in directory: String) async throws(HistoryError) -> ReplayComparison.Records {
        let archive = try HistoryArchive(directory: directory)
        var records = ReplayComparison.Records()
        var query = HistoryQuery(
            kinds: [.spike, .incident, .trade], order: .oldestFirst, limit: HistoryQuery.largestLimit)
        while true {
            let page = try await archive.history(query)
            for record in page.items {
                switch record {
                case .spike(let spike): records.spikes.append(spike)
                case .incident(let incident): records.incidents.append(incident)
                case .trade(let trade): records.trades.append(trade)
                default: break
                }
            }
            guard let next = page.next else { return records }
            query.cursor = next
        }
    }
}

/// Updates as rows on standard output.
private final class ReplayRows: @unchecked Sendable {
    // Used on the replay's thread alone.
    private let format: ReplayCommand.Format
    private let style: TextStyle
    private let encoder = JSONEncoder()
    private var bytes: [UInt8] = []
    private var last: [MarketID: OddsSnapshot] = [:]
    /// Why nothing can be written any more, as the system numbers it; nil while something can.
    private(set) var failure: Int32?

    /// Nil when nothing is shown.
    init?(_ format: ReplayCommand.Format, shows: Bool, environment: [String: String]) {
        guard shows, format != .none else { return nil }
        self.format = format
        self.style = TextStyle(environment: environment)
        self.encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    func append(_ update: OddsUpdate, at now: ReceiveTime) {
        switch self.format {
        case .none: return
        case .jsonl:
            let snapshot = self.snapshot(for: update)
            // A row is made of numbers and texts, all of which JSON can hold.
            guard let row = try? self.encoder.encode(OddsRow(update, snapshot: snapshot)) else { return }
            self.bytes.append(contentsOf: row)
            self.bytes.append(UInt8(ascii: "\n"))
        case .table:
            guard let text = Self.text(update, now) else { return }
            self.bytes.append(contentsOf: Array(text.utf8))
        }
        if self.bytes.count >= 1 << 16 { self.flush() }
    }

    private func snapshot(for update: OddsUpdate) -> OddsSnapshot? {
        switch update {
        case .odds(let snapshot), .trust(let snapshot, _):
            self.last[snapshot.marketID] = snapshot
            return snapshot
        case .rollover(let receipt): return self.last[receipt.market.id]
        case .resolution(let resolution): return self.last.removeValue(forKey: resolution.market.id)
        case .overflow: return nil
        }
    }

    private static func text(_ update: OddsUpdate, _ now: ReceiveTime) -> String? {
        switch update {
        case .odds(let odds), .trust(let odds, _):
            let bid = odds.bestBid.map { "\($0)" } ?? "-"
            let ask = odds.bestAsk.map { "\($0)" } ?? "-"
            let shown = odds.displayedOdds.map { "\($0)" } ?? "-"
            let name = odds.slug.isEmpty ? odds.marketID.rawValue : odds.slug
            return "\(now.wall.iso8601)  \(name)  \(shown)  \(bid)/\(ask)  \(odds.trust.name)\n"
        case .rollover(let receipt): return "\(now.wall.iso8601)  \(receipt.market.slug)  begins\n"
        case .resolution(let resolution):
            let winner = resolution.winner.map { "\($0) won" } ?? "decided"
            return "\(now.wall.iso8601)  \(resolution.market.slug)  \(winner)\n"
        case .overflow: return nil
        }
    }

    func flush() {
        var rest = self.bytes[...]
        while !rest.isEmpty, self.failure == nil {
            let count = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                self.failure = errno
            } else {
                rest = rest.dropFirst(count)
            }
        }
        self.bytes.removeAll(keepingCapacity: true)
    }
}

/// Lets a recording run at a speed.
private final class ReplayPacer: @unchecked Sendable {
    // Used on the replay's thread alone.
    private let speed: Double
    private var beginning: (recorded: Int64, real: ContinuousClock.Instant)?

    init(speed: Double) { self.speed = speed }

    private func due(_ time: Int64) -> ContinuousClock.Instant {
        guard let beginning else {
            let now = ContinuousClock.now
            self.beginning = (time, now)
            return now
        }
        // Whatever times a file names, a wait is within a century.
        let wait = Double(time &- beginning.recorded) / self.speed
        return beginning.real.advanced(by: .nanoseconds(Int64(Swift.min(Swift.max(wait, -3e18), 3e18))))
    }

    func mustWait(for time: Int64) -> Bool { self.due(time) > ContinuousClock.now }

    func wait(for time: Int64) {
        // In short pieces: a recording may be silent for minutes, and a signal must not wait for its end.
        while !Interruption.hasCome {
            let rest = ContinuousClock.now.duration(to: self.due(time))
            guard rest > .zero else { return }
            Thread.sleep(forTimeInterval: min(0.2, rest.secondsValue))
        }
    }
}
