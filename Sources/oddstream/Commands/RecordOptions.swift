import ArgumentParser
import OddsCore
import OddsStore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// How records are printed.
enum RecordFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, json, csv
}

/// What the commands that print records take.
struct RecordOptions: ParsableArguments, SettingOptions {
    @Option(
        name: .customLong(Setting.data.rawValue),
        help: ArgumentHelp("The directory the service keeps its state in.", valueName: "dir"))
    var data: String?
    @Option(help: ArgumentHelp("table, json (one array), or csv with a header.", valueName: "format"))
    var format = RecordFormat.table
    @Option(
        help: ArgumentHelp(
            "Nothing earlier: 2026-11-22, 2026-11-22T14:00:00Z, or 90m, 2h, 7d ago.", valueName: "time"))
    var since: String?
    @Option(help: ArgumentHelp("Only what is earlier: the same spellings.", valueName: "time"))
    var until: String?
    @Option(
        help: ArgumentHelp(
            "How many rows at most, the newest: 50 in a table, everything as json or csv.", valueName: "n"))
    var limit: Int?

    var given: [Setting: String] { Setting.given((.data, self.data)) }

    /// How many rows a table has that nobody asked to be longer.
    static let tableRows = 50

    func validate() throws {
        if let limit, limit < 1 {
            throw ValidationError("--limit: '\(limit)' cannot be used. Allowed: a whole number from 1.")
        }
        for (name, text) in [("--since", self.since), ("--until", self.until)] {
            guard let text, TimeText.parse(text, now: Timestamp(milliseconds: 0)) == nil else { continue }
            throw ValidationError("\(name): '\(text)' cannot be used. Allowed: \(TimeText.allowed).")
        }
    }

    /// The rows that are wanted at most.
    var rows: Int { self.limit ?? (self.format == .table ? RecordOptions.tableRows : .max) }

    /// The time of the rows that are wanted.
    func times(now: Timestamp) -> (from: Timestamp?, until: Timestamp?) {
        (
            self.since.flatMap { TimeText.parse($0, now: now) }, self.until.flatMap { TimeText.parse($0, now: now) }
        )
    }

    /// The directory, from the options, the environment or the file.
    ///
    /// - Throws: `ProgramFailure` when none was named.
    static func directory(_ settings: Settings) throws(ProgramFailure) -> String {
        guard let directory = settings.text(.data) else {
            throw ProgramFailure(
                status: .usage,
                message: "Name the directory the service keeps its state in: --data DIR, or ODDSTREAM_DATA.")
        }
        return directory
    }
}

extension ProgramFailure {
    /// What a fault of the history means for the one who started the program.
    init(_ error: HistoryError) {
        let status: ExitStatus =
            switch error.code {
            case .unavailable, .notFound, .newerVersion, .damaged, .inaccessible: .configuration
            case .busy, .cancelled, .badCursor: .internalError
            }
        self.init(status: status, message: error.message)
    }

    /// Nothing was kept of a market.
    init(unknownMarket name: String, near: [String]) {
        let hint =
            near.isEmpty
            ? "'oddstream history' without a market lists those that are kept."
            : "Did you mean \(near.joined(separator: ", "))?"
        self.init(status: .usage, message: "No market '\(name)' was kept. \(hint)")
    }
}

/// Moments as people type them.
enum TimeText {
    /// The spellings, in words.
    static let allowed =
        "a date (2026-11-22, in UTC), a time with its zone (2026-11-22T14:00:00Z), or how long ago (90m, 2h, 7d)"

    /// A date, a time with its zone, or a time before `now` such as `2h`, `2h ago` or `7d`; nil for anything else.
    static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        if let time = Timestamp(iso8601: text) ?? Timestamp(iso8601: "\(text)T00:00:00Z") { return time }
        let span = text.hasSuffix(" ago") ? String(text.dropLast(4)) : text
        if span.hasSuffix("d"), let days = Double(span.dropLast()), days > 0, days <= 36_500 {
            return now.advanced(by: .milliseconds(Int64(-days * 86_400_000)))
        }
        return DurationText.parse(span).map { now.advanced(by: .zero - $0) }
    }
}
