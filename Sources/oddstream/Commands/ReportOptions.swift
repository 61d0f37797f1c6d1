import ArgumentParser
import OddsCore
import OddsReports
import RealtimeOdds

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where a command's report goes, for every command that makes one.
struct ReportOptions: ParsableArguments {
    @Option(
        name: .customLong("report"),
        help: ArgumentHelp(
            "Write PREFIX.html and PREFIX.json; none writes nothing. Without it: oddstream-<command>-<UTC time> here.",
            valueName: "prefix"))
    var prefix: String?

    /// Whether a report is written at all.
    var isWanted: Bool { self.prefix != "none" }

    func validate() throws {
        if let prefix, let problem = ReportFiles.problem(withPrefix: prefix) {
            throw ValidationError("--report: \(problem)")
        }
    }

    /// Looks whether the report can be written, before a run that would be lost for it.
    ///
    /// - Throws: `ProgramFailure` when it cannot.
    func check() throws(ProgramFailure) {
        guard self.isWanted else { return }
        do {
            try ReportFiles.check(prefix: self.prefix ?? "oddstream-report")
        } catch {
            throw ProgramFailure(error)
        }
    }

    /// Writes the report when it is wanted, prints its summary, and says where the files are.
    ///
    /// The summary goes to standard output unless it is not wanted there, because rows do; the paths to standard error.
    ///
    /// - Throws: `ProgramFailure` when the files cannot be written; the summary is printed then all the same.
    func deliver(
        _ report: some Report, environment: [String: String], now: Timestamp = SystemClock().now().wall,
        printsSummary: Bool = true
    ) throws(ProgramFailure) {
        if printsSummary { ReportPrinter(environment: environment).print(report.document) }
        guard self.isWanted else { return }
        let prefix = self.prefix ?? ReportFiles.defaultPrefix(command: type(of: report).kind, at: now)
        do {
            let files = try ReportFiles.write(report, prefix: prefix)
            ReportPrinter.say("The report is in \(files.html), its numbers are in \(files.json).")
        } catch {
            throw Self.rescued(report, prefix, environment, error)
        }
    }

    /// Puts a report that cannot be where it was wanted into the directory for temporary files, and says so.
    private static func rescued(
        _ report: some Report, _ prefix: String, _ environment: [String: String], _ error: ReportError
    ) -> ProgramFailure {
        let directory = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        let name = prefix.split(separator: "/").last.map(String.init) ?? "oddstream-report"
        do {
            let files = try ReportFiles.write(report, prefix: "\(directory)/\(name)")
            return ProgramFailure(
                status: .configuration,
                message: "\(error.message) It is in \(files.html) instead, its numbers are in \(files.json).")
        } catch {
            return ProgramFailure(
                status: .configuration, message: "\(error.message) Nor could it be kept in \(directory).")
        }
    }
}

extension ProgramFailure {
    /// What a fault of a report means for the one who started the program.
    init(_ error: ReportError) {
        self.init(status: error.code == .file ? .configuration : .usage, message: error.message)
    }
}

/// Prints a report's summary as the terminal can show it.
struct ReportPrinter {
    private let terminal: TerminalReport

    /// What the environment and standard output allow: without colour where it is no terminal.
    init(environment: [String: String]) {
        let style = TextStyle(environment: environment)
        let isTerminal = Terminal.isInteractive(environment)
        let width = isTerminal ? Terminal.size.width : environment["COLUMNS"].flatMap { Int($0) } ?? 100
        self.terminal = TerminalReport(
            width: min(max(width, 40), 140), colour: style.colour && isTerminal, unicode: style.unicode)
    }

    /// Prints the summary.
    func print(_ document: ReportDocument) {
        for line in self.terminal.lines(of: document) { Swift.print(line) }
    }

    /// One line on standard error.
    static func say(_ text: String) { ReportPrinter.put("oddstream: \(text)\n") }

    /// Text on standard error as it is. With standard error gone there is nobody left to tell.
    static func put(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }
}

extension ProgressDisplay {
    /// A display on standard error, in place when that is a terminal; silent when it is not wanted.
    ///
    /// - Parameters:
    ///   - what: What is done, such as `Replaying`.
    ///   - unit: What is counted, such as `frames`; nil when only the share is known.
    ///   - isWanted: Whether anything is shown; not with `--format none`.
    static func onStandardError(
        _ what: String, unit: String? = nil, isWanted: Bool = true, environment: [String: String]
    ) -> ProgressDisplay {
        let isTerminal = isatty(2) == 1 && environment["TERM"].map { $0 != "dumb" && !$0.isEmpty } == true
        let form: Form =
            if !isWanted {
                .silent
            } else if isTerminal {
                .terminal(
                    width: Terminal.width(of: 2), unicode: TextStyle(environment: environment).unicode)
            } else {
                .lines
            }
        let display = ProgressDisplay(what, unit: unit, form: form, clock: SystemClock()) { ReportPrinter.put($0) }
        guard form != .silent else { return display }
        // What makes no headway tells nothing by itself, and would look as if it were dead. No share goes back.
        Task.detached { [weak display] in
            while display != nil {
                display?.advance(to: 0)
                // It throws only when it is cancelled, which nobody does.
                try? await Task.sleep(for: .seconds(1))
            }
        }
        return display
    }
}
