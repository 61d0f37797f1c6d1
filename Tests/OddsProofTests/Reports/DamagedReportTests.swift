import Foundation
import OddsProof
import OddsReports
import Testing

/// Reports whose numbers somebody changed: shown or refused, but never the end of the program.
@Suite struct DamagedReportTests {
    private static func example(_ kind: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = folder.appendingPathComponent("docs/schemas/examples/oddstream.\(kind).json")
        return String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }

    /// Where the numbers of a text are; a few of each key, for the reports have thousands of points.
    private static func numbers(of text: String) -> [Range<String.Index>] {
        var seen: [Substring: Int] = [:]
        return text.matches(of: /"([a-z0-9_]+)" ?: (-?[0-9][0-9.eE+-]*)/).compactMap { match in
            seen[match.1, default: 0] += 1
            return (seen[match.1] ?? 0) <= 2 ? match.2.startIndex..<match.2.endIndex : nil
        }
    }

    /// Renders it as both page and terminal would; false when it is refused.
    private static func isShown(_ text: String) -> Bool {
        do {
            let document = try ReportRegistry(ReportSchemaTests.kinds).report(from: Array(text.utf8)).document
            let page = HTMLReport.page(of: document)
            let lines = TerminalReport(width: 100, colour: false, unicode: true).lines(of: document)
            #expect(!page.isEmpty && !lines.isEmpty)
            return true
        } catch {
            #expect(!error.message.isEmpty)
            return false
        }
    }

    @Test(arguments: ["backtest", "compare", "latency", "replay", "soak"])
    func anyOneNumberMayBeAnything(_ kind: String) throws {
        let text = try Self.example(kind)
        let places = Self.numbers(of: text)
        #expect(places.count > 10)
        for number in ["-9223372036854775808", "9223372036854775807", "1e300"] {
            for place in places { #expect(!Self.isShown(text.replacingCharacters(in: place, with: number))) }
        }
        for number in ["0", "-1", "999999999999999", "-999999999999999"] {
            for place in places { _ = Self.isShown(text.replacingCharacters(in: place, with: number)) }
        }
    }

    @Test(arguments: ["backtest", "compare", "latency", "replay", "soak"])
    func allNumbersAtOnce(_ kind: String) throws {
        let text = try Self.example(kind)
        for number in ["-9223372036854775808", "0", "-999999999999999", "999999999999999"] {
            let all = text.replacing(/(": |^ +)-?[0-9][0-9.eE+-]*/.anchorsMatchLineEndings()) { "\($0.1)\(number)" }
            _ = Self.isShown(all)
        }
    }
}
