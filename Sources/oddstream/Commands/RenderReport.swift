import ArgumentParser
import OddsProof
import OddsReports

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `oddstream report`: makes the pages of reports again.
struct RenderReport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Makes the page of a report again from its JSON.",
        discussion: """
            Every report is a function of its JSON: the page can be made again at any time, by a newer program as well. \
            FILE.json becomes FILE.html beside it, or FILE-2.html when that is there already. The summary is printed.
            """)

    /// The kinds that can be read.
    static let registry = ReportRegistry([
        BacktestReport.self, CompareReport.self, LatencyProof.self, ReplayReport.self, SoakRecord.self,
    ])

    @Argument(help: ArgumentHelp("The JSON of one or more reports.", valueName: "file.json"))
    var files: [String]
    @Flag(help: "Replace pages that are there already.")
    var replace = false
    @Flag(help: "Print the summaries only; write no pages.")
    var summary = false

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let printer = ReportPrinter(environment: environment)
        for (index, path) in self.files.enumerated() {
            let document = try RenderReport.document(at: path)
            if index > 0 { print("") }
            printer.print(document)
            guard !self.summary else { continue }
            do {
                let page = try ReportFiles.writePage(of: document, prefix: path, replacing: self.replace)
                ReportPrinter.say("The page is in \(page).")
            } catch {
                throw ProgramFailure(error)
            }
        }
    }

    /// The document of a report's file.
    ///
    /// - Throws: `ProgramFailure` when the file cannot be read or is no report.
    static func document(at path: String) throws(ProgramFailure) -> ReportDocument {
        let bytes: [UInt8]
        do {
            bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw ProgramFailure(
                status: .configuration,
                message: "Cannot read '\(path)'. Name the .json of a report that this user may read.")
        }
        do {
            return try RenderReport.registry.report(from: bytes).document
        } catch {
            throw ProgramFailure(status: .usage, message: "\(path): \(error.message)")
        }
    }
}
