import Foundation
import OddsCore
import Testing

@testable import OddsReports

/// A small report of its own.
struct ToyReport: Report, Equatable {
    static let kind = "toy"
    var header: ReportHeader
    var answer: Double

    init(answer: Double) {
        self.header = ReportHeader(
            kind: "toy", program: "0.1.0", generatedAt: 1_795_355_100_000, source: "nowhere", from: 1_795_355_000_000,
            until: nil,
            verdicts: [.init(name: "answer", demanded: "42", measured: "\(answer)", isMet: answer == 42)])
        self.answer = answer
    }

    init(from decoder: any Decoder) throws {
        self.header = try ReportHeader(from: decoder)
        self.answer = try decoder.container(keyedBy: CodingKeys.self).decode(Double.self, forKey: .answer)
    }

    func encode(to encoder: any Encoder) throws {
        try self.header.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.answer, forKey: .answer)
    }

    private enum CodingKeys: String, CodingKey {
        case answer
    }

    var document: ReportDocument {
        var document = ReportDocument(kind: "toy", title: "The answer", lead: "It is \(self.answer).")
        document.verdicts = self.header.verdicts
        return document
    }
}

/// A directory that is gone with the test.
final class Scratch {
    let path: String

    init() throws {
        self.path = FileManager.default.temporaryDirectory.appendingPathComponent("oddstream-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: self.path).sorted()) ?? [] }

    func text(_ name: String) throws -> String { try String(contentsOfFile: "\(self.path)/\(name)", encoding: .utf8) }
}

@Suite struct ReportFilesTests {
    @Test func bothFilesAreWrittenAndNothingElseStays() throws {
        let scratch = try Scratch()
        let files = try ReportFiles.write(ToyReport(answer: 42), prefix: "\(scratch.path)/a")
        #expect(files == ReportFiles(html: "\(scratch.path)/a.html", json: "\(scratch.path)/a.json"))
        #expect(scratch.names == ["a.html", "a.json"])
        #expect(try scratch.text("a.html") == HTMLReport.page(of: ToyReport(answer: 42).document))
        let json = try ToyReport(answer: 42).json()
        #expect(try Array(scratch.text("a.json").utf8) == json)
    }

    @Test func whatIsThereIsNotTouched() throws {
        let scratch = try Scratch()
        try "mine".write(toFile: "\(scratch.path)/a.html", atomically: true, encoding: .utf8)
        try "mine".write(toFile: "\(scratch.path)/a-2.json", atomically: true, encoding: .utf8)
        let files = try ReportFiles.write(ToyReport(answer: 1), prefix: "\(scratch.path)/a.json")
        #expect(files.json == "\(scratch.path)/a-3.json")
        #expect(scratch.names == ["a-2.json", "a-3.html", "a-3.json", "a.html"])
        #expect(try scratch.text("a.html") == "mine")
        #expect(try scratch.text("a-2.json") == "mine")
    }

    @Test func aReportCanBeBroughtUpToDate() throws {
        let scratch = try Scratch()
        let files = try ReportFiles.write(ToyReport(answer: 1), prefix: "\(scratch.path)/a")
        try files.replace(with: ToyReport(answer: 42))
        #expect(scratch.names == ["a.html", "a.json"])
        let json = try ToyReport(answer: 42).json()
        #expect(try Array(scratch.text("a.json").utf8) == json)
        #expect(try scratch.text("a.html").contains("It is 42.0."))
    }

    @Test func aPageCanBeMadeAgain() throws {
        let scratch = try Scratch()
        let document = ToyReport(answer: 42).document
        #expect(
            try ReportFiles.writePage(of: document, prefix: "\(scratch.path)/a.json", replacing: false)
                == "\(scratch.path)/a.html")
        #expect(
            try ReportFiles.writePage(of: document, prefix: "\(scratch.path)/a.json", replacing: false)
                == "\(scratch.path)/a-2.html")
        #expect(
            try ReportFiles.writePage(of: document, prefix: "\(scratch.path)/a.json", replacing: true)
                == "\(scratch.path)/a.html")
        #expect(scratch.names == ["a-2.html", "a.html"])
    }

    @Test func aMissingDirectoryIsNamed() throws {
        let scratch = try Scratch()
        let error = #expect(throws: ReportError.self) {
            try ReportFiles.write(ToyReport(answer: 1), prefix: "\(scratch.path)/none/a")
        }
        #expect(error?.code == .file)
        #expect(error?.message.contains("\(scratch.path)/none/a.json") == true)
        #expect(error?.message.contains("Make its directory first") == true)
    }

    @Test func theDefaultNameTellsCommandAndTime() {
        #expect(
            ReportFiles.defaultPrefix(command: "compare", at: Timestamp(milliseconds: 1_795_355_100_999))
                == "oddstream-compare-20261122-134500")
    }
}

@Suite struct ReportRegistryTests {
    private let registry = ReportRegistry([ToyReport.self])

    @Test func aReportIsAFunctionOfItsJSON() throws {
        let report = ToyReport(answer: 42)
        let again = try self.registry.report(from: try report.json())
        #expect(again as? ToyReport == report)
        #expect(HTMLReport.page(of: again.document) == HTMLReport.page(of: report.document))
    }

    @Test func theHeaderIsAtTheTop() throws {
        let text = String(decoding: try ToyReport(answer: 42).json(), as: UTF8.self)
        #expect(
            text == """
                {
                  "answer" : 42,
                  "from_ms" : 1795355000000,
                  "generated_at_ms" : 1795355100000,
                  "program" : "0.1.0",
                  "schema" : "oddstream.toy/1",
                  "source" : "nowhere",
                  "verdicts" : [
                    {
                      "demanded" : "42",
                      "measured" : "42.0",
                      "met" : true,
                      "name" : "answer",
                      "note" : ""
                    }
                  ]
                }

                """)
    }

    @Test(arguments: [
        ("", ReportError.Code.format, "no report"), ("[]", .format, "no report"), ("{}", .format, "no report"),
        ("{\"schema\":\"oddstream.soap/1\"}", .unknownKind, "only those of toy"),
        ("{\"schema\":\"oddstream.toy/2\"}", .unknownKind, "version 2"),
        ("{\"schema\":\"oddstream.toy/1\"}", .format, "'program' is missing"),
        ("{\"schema\":\"\\u001b[31m\"}", .unknownKind, "'\u{FFFD}[31m'"),
    ])
    func whatIsNoReportIsRefused(_ text: String, code: ReportError.Code, message: String) {
        let error = #expect(throws: ReportError.self) { try self.registry.report(from: Array(text.utf8)) }
        #expect(error?.code == code)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func numbersThatJSONDoesNotHaveAreRefused() {
        #expect(throws: ReportError.self) { try ToyReport(answer: .nan).json() }
    }

    @Test(arguments: [
        "", ".", "..", "a/.", "a/", "/", "a/.html", "a\u{1B}[2Jb", "a\nb", "/dev/null", "/dev/null.html", "/dev/new",
    ])
    func aPrefixThatNamesNoFileIsRefused(_ prefix: String) {
        let problem = ReportFiles.problem(withPrefix: prefix)
        #expect(problem?.hasSuffix(".") == true)
        #expect(problem?.contains("\u{1B}") != true && problem?.contains("\n") != true)
    }

    @Test(arguments: ["a", "a.html", "./a", "../a", ".hidden", "out/a-2"])
    func aPrefixThatNamesFilesIsTaken(_ prefix: String) {
        #expect(ReportFiles.problem(withPrefix: prefix) == nil)
    }

    @Test func aPlaceIsTriedBeforeTheRun() throws {
        let scratch = try Scratch()
        try ReportFiles.check(prefix: scratch.path + "/report")
        #expect(scratch.names.isEmpty)
        let error = #expect(throws: ReportError.self) {
            try ReportFiles.check(prefix: scratch.path + "/missing/report")
        }
        #expect(error?.message.contains("Make its directory first") == true)
        #expect(throws: ReportError.self) {
            try ReportFiles.check(prefix: scratch.path + "/" + String(repeating: "n", count: 255))
        }
    }
}
