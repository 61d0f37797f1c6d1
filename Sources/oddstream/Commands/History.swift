import ArgumentParser
import OddsCore
import OddsStore
import RealtimeOdds

/// `oddstream history`: what the service kept.
struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints what the service kept: markets, or a market's odds and everything else.",
        discussion: """
            Without a market it lists the markets. With one it prints the market's odds, or the records that --kind names. \
            Reads the directory of the service, which may be running. Times are UTC. As json and csv, rows have the keys \
            of /v1/history and begin with the newest.
            """)

    @Argument(help: ArgumentHelp("A market: its slug or condition id.", valueName: "market"))
    var market: String?
    @OptionGroup var records: RecordOptions
    @Option(name: .customLong("market"), help: ArgumentHelp("The same as an option.", valueName: "market"))
    var marketOption: String?
    @Option(
        help: ArgumentHelp("What to print: \(History.kinds).", valueName: "kind"),
        transform: { text in
            guard let kind = HistoryRecord.Kind(rawValue: text) else {
                throw ValidationError("'\(text)' is no kind of record. Allowed: \(History.kinds).")
            }
            return kind
        })
    var kind: HistoryRecord.Kind?
    @OptionGroup var general: GeneralOptions

    private static let kinds = HistoryRecord.Kind.allCases.map(\.rawValue).joined(separator: ", ")

    func validate() throws {
        if self.market != nil, self.marketOption != nil {
            throw ValidationError("Name one market, as an argument or with --market.")
        }
        if self.market ?? self.marketOption != nil, self.kind == .referencePrice {
            throw ValidationError("Reference prices belong to no market: leave the market out.")
        }
    }

    func run() async throws {
        let settings = try self.general.settings(self.records, self.general)
        if self.general.printConfig {
            Swift.print(settings.report([(.data, default: "")]))
            return
        }
        let directory = try RecordOptions.directory(settings)
        do {
            let archive = try HistoryArchive(directory: directory)
            let name = self.market ?? self.marketOption
            let kind = self.kind ?? (name == nil ? .market : .odds)
            let times = self.records.times(now: SystemClock().now().wall)
            var query = HistoryQuery(kinds: [kind], from: times.from, until: times.until)
            if let name { query.market = try await archive.knownMarket(named: name) }
            var printer = RecordPrinter(kind, self.records.format)
            try await printer.print(limit: self.records.rows) { [query] cursor, limit in
                var query = query
                query.cursor = cursor
                query.limit = limit
                return try await archive.history(query)
            }
        } catch let error as HistoryError {
            throw ProgramFailure(error)
        }
    }
}
