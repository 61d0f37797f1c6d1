import ArgumentParser
import OddsCore
import OddsProof
import OddsRecording
import OddsReports
import OddsTrading
import RealtimeOdds

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `oddstream backtest`: the bot's strategy over recordings.
struct BacktestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backtest",
        abstract: "The bot's strategy over recordings: trades, equity, and what choosing the best settings is worth.",
        discussion: """
            A RECORDING is a directory that `oddstream record` made, one file of it, or a tape (.ndjson, .ndjson.gz). It \
            goes through the stream's own pipeline, and the bot's own desk trades on it: decided on every change, filled \
            from the recorded book after --fill-delay, with fees and limits.

            --sweep tries a setting with several values: --sweep threshold=0.60:0.90:0.05 (from, to, step), or \
            --sweep stake=5,10. Several sweeps are combined. Settings: \
            \(BacktestCommand.sweepable.map(\.rawValue).joined(separator: ", ")).

            The best of many sets looks better than it is: --split 0.7 chooses by the first 70 % of the time and tells \
            what the choice did in the rest.

            Markets whose end the recording does not tell stay open, unless --outcomes names a file with Gamma's markets, \
            one a line.

            A bot that ran beside the recorder left its settings in the recording: they hold where none are given here.
            """)

    /// The settings that a sweep can vary.
    static let sweepable: [Setting] = [
        .threshold, .basis, .stake, .priceCap, .slippage, .entryAfter, .entryBeforeEnd, .maximumStake, .maximumExposure,
        .maximumDailyLoss, .maximumOrdersPerMinute, .stalePolicy, .fillDelay, .paperCash,
    ]
    /// The most sets of one run.
    static let mostSets = 100_000

    /// The strategy's own options.
    struct Options: ParsableArguments, SettingOptions {
        @Option(name: .customLong(Setting.basis.rawValue), help: Setting.basis.help)
        var basis: String?
        @Option(name: .customLong(Setting.threshold.rawValue), help: Setting.threshold.help)
        var threshold: String?
        @Option(name: .customLong(Setting.stake.rawValue), help: Setting.stake.help)
        var stake: String?
        @Option(name: .customLong(Setting.priceCap.rawValue), help: Setting.priceCap.help)
        var priceCap: String?
        @Option(name: .customLong(Setting.slippage.rawValue), help: Setting.slippage.help)
        var slippage: String?
        @Option(name: .customLong(Setting.entryAfter.rawValue), help: Setting.entryAfter.help)
        var entryAfter: String?
        @Option(name: .customLong(Setting.entryBeforeEnd.rawValue), help: Setting.entryBeforeEnd.help)
        var entryBeforeEnd: String?
        @Option(name: .customLong(Setting.maximumStake.rawValue), help: Setting.maximumStake.help)
        var maximumStake: String?
        @Option(name: .customLong(Setting.maximumExposure.rawValue), help: Setting.maximumExposure.help)
        var maximumExposure: String?
        @Option(name: .customLong(Setting.maximumDailyLoss.rawValue), help: Setting.maximumDailyLoss.help)
        var maximumDailyLoss: String?
        @Option(
            name: .customLong(Setting.maximumOrdersPerMinute.rawValue), help: Setting.maximumOrdersPerMinute.help)
        var maximumOrdersPerMinute: String?
        @Option(name: .customLong(Setting.stalePolicy.rawValue), help: Setting.stalePolicy.help)
        var stalePolicy: String?
        @Option(name: .customLong(Setting.paperCash.rawValue), help: Setting.paperCash.help)
        var paperCash: String?
        @Option(name: .customLong(Setting.fillDelay.rawValue), help: Setting.fillDelay.help)
        var fillDelay: String?

        var given: [Setting: String] {
            Setting.given(
                (.basis, self.basis), (.threshold, self.threshold), (.stake, self.stake), (.priceCap, self.priceCap),
                (.slippage, self.slippage), (.entryAfter, self.entryAfter), (.entryBeforeEnd, self.entryBeforeEnd),
                (.maximumStake, self.maximumStake), (.maximumExposure, self.maximumExposure),
                (.maximumDailyLoss, self.maximumDailyLoss), (.maximumOrdersPerMinute, self.maximumOrdersPerMinute),
                (.stalePolicy, self.stalePolicy), (.paperCash, self.paperCash), (.fillDelay, self.fillDelay))
        }
    }

    @Argument(help: ArgumentHelp("Recordings, one after the other.", valueName: "recording"))
    var recordings: [String] = []
    @OptionGroup(title: "Strategy") var options: Options
    @Option(
        help: ArgumentHelp(
            "Try a setting with several values: name=from:to:step or name=a,b,c; repeatable.", valueName: "sweep"))
    var sweep: [String] = []
    @Option(help: ArgumentHelp("Choose by this share of the time, and judge by the rest (0.7).", valueName: "share"))
    var split: Double?
    @Option(help: ArgumentHelp("How markets ended: Gamma's markets, one a line, plain or gzip.", valueName: "file"))
    var outcomes: String?
    @Option(help: ArgumentHelp("Replays at once (as many as there are cores).", valueName: "n"))
    var workers: Int?
    @OptionGroup(title: "Report") var report: ReportOptions
    @OptionGroup var general: GeneralOptions

    func validate() throws {
        if let split, !(split > 0 && split < 1) {
            throw ValidationError(
                "--split: \(split) is not between 0 and 1. 0.7 chooses by the first 70 % of the time.")
        }
        if let workers, !(1...256).contains(workers) {
            throw ValidationError("--workers: \(workers) is not from 1 to 256.")
        }
        if self.recordings.isEmpty, !self.general.printConfig {
            throw ValidationError("Name at least one recording: a directory, one of its files, or a tape.")
        }
    }

    func run() async throws {
        var settings = try self.general.settings(self.options, self.general)
        if self.general.printConfig {
            print(
                settings.report(
                    Settings.botReport(entry: EntryWindow()).filter { Self.sweepable.contains($0.0) }
                        + [(.logLevel, "info")]))
            return
        }
        try self.report.check()
        let sweeps = try self.sweeps()
        let known = try self.known()
        let source: RecordedEvents
        do {
            source = try RecordedEvents(self.recordings)
        } catch {
            throw ProgramFailure(status: .configuration, message: "\(error)")
        }
        let notes = settings.fill(from: source.recording.starts())
        let (candidates, skipped) = try Self.candidates(settings, sweeps, known)
        var backtest = Backtest(source, candidates: candidates, split: self.split)
        backtest.workers = self.workers
        backtest.program = programVersion
        backtest.sweeps = sweeps
        backtest.settings = Self.told(settings, sweeps)
        let environment = ProcessInfo.processInfo.environment
        let display = ProgressDisplay.onStandardError("Replaying", environment: environment)
        var result: BacktestReport
        Interruption.listen()
        do {
            result = try await backtest.run(generatedAt: SystemClock().now().wall) { share in
                display.advance(to: share)
                guard Interruption.hasCome else { return }
                display.finish()
                // A set that saw only a part of the time cannot be held against the others.
                ReportPrinter.say("Ended by a signal before the recordings were: there is no report of a part of them.")
                Interruption.end()
            }
            display.finish()
        } catch {
            display.finish()
            throw ProgramFailure(status: .configuration, message: "\(error)")
        }
        for note in notes { ReportPrinter.say(note) }
        guard result.results.publications > 0 else {
            throw ProgramFailure(
                status: .configuration,
                message: "No odds came of \(source.name): nothing in it can be traded on. Name another recording.")
        }
        if skipped.count > 0 {
            let note =
                "\(skipped.count) of \(skipped.count + candidates.count) sets cannot be, and are left out: \(skipped.why)"
            ReportPrinter.say(note)
            result.results.notes.append(note)
        }
        try self.report.deliver(result, environment: environment)
    }

    private func sweeps() throws -> [ParameterSweep] {
        let sweeps: [ParameterSweep]
        do {
            sweeps = try self.sweep.map { try ParameterSweep($0) }
        } catch {
            throw ProgramFailure(status: .usage, message: "--sweep: \(error)")
        }
        guard Set(sweeps.map(\.name)).count == sweeps.count else {
            throw ProgramFailure(
                status: .usage, message: "--sweep: a setting is swept once; give all its values in one.")
        }
        guard let count = ParameterSweep.count(sweeps), count <= Self.mostSets else {
            throw ProgramFailure(
                status: .usage, message: "--sweep: these are more than \(Self.mostSets) sets. Make the steps larger.")
        }
        return sweeps
    }

    private func known() throws -> KnownOutcomes {
        guard let outcomes else { return KnownOutcomes() }
        do {
            return try KnownOutcomes.read(path: outcomes)
        } catch {
            throw ProgramFailure(status: .configuration, message: "--outcomes: \(error)")
        }
    }

    /// A candidate for each combination; each is checked as if it had been typed. Of a sweep those that cannot be are left
    /// out and counted, with what the first of them lacks.
    ///
    /// - Throws: when a value cannot be, or none of the combinations.
    static func candidates(
        _ settings: Settings, _ sweeps: [ParameterSweep], _ known: KnownOutcomes
    ) throws -> (candidates: [Backtest<ThresholdStrategy>.Candidate], skipped: (count: Int, why: String)) {
        for sweep in sweeps {
            guard let setting = Setting(rawValue: sweep.name), Self.sweepable.contains(setting) else {
                let names = Self.sweepable.map(\.rawValue).joined(separator: ", ")
                throw ProgramFailure(
                    status: .usage, message: "--sweep: '\(sweep.name)' cannot be swept, only \(names).")
            }
            for value in sweep.values {
                guard let problem = setting.kind.problem(with: value) else { continue }
                throw ProgramFailure(
                    status: .usage, message: "--sweep: \(sweep.name) cannot be '\(value)'; allowed is \(problem).")
            }
        }
        var candidates: [Backtest<ThresholdStrategy>.Candidate] = []
        var skipped: (count: Int, error: ConfigurationError)?
        for parameters in ParameterSweep.product(sweeps) {
            var own = settings
            for parameter in parameters {
                guard let setting = Setting(rawValue: parameter.name) else { continue }
                own.replace(setting, with: Settings.Entry(values: [parameter.value], origin: .option))
            }
            let strategy = own.strategy(entry: EntryWindow())
            let riskCheck: RiskCheck
            do throws(ConfigurationError) {
                riskCheck = try own.riskCheck(strategy)
            } catch {
                skipped = ((skipped?.count ?? 0) + 1, skipped?.error ?? error)
                continue
            }
            var setup = PaperTrader<ThresholdStrategy>.Setup(
                strategy: strategy, riskCheck: riskCheck, startingCash: own.paperCash,
                delay: own.fillDelay)
            setup.usualTermsWhereUnknown = true
            setup.outcomes = known
            candidates.append(Backtest<ThresholdStrategy>.Candidate(parameters: parameters, setup: setup))
        }
        if let skipped, candidates.isEmpty { throw skipped.error }
        return (candidates, (skipped?.count ?? 0, skipped.map { "\($0.error)" } ?? ""))
    }

    /// What was the same for all, with the defaults.
    private static func told(_ settings: Settings, _ sweeps: [ParameterSweep]) -> [ParameterSweep.Parameter] {
        let swept = Set(sweeps.map(\.name))
        return settings.told(Self.sweepable.filter { !swept.contains($0.rawValue) })
    }
}
