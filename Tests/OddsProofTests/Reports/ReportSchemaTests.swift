import Foundation
import OddsProof
import OddsReports
import Testing

/// The JSON of every kind of report, held against its schema.
@Suite struct ReportSchemaTests {
    static let kinds: [any Report.Type] = [
        BacktestReport.self, CompareReport.self, LatencyProof.self, ReplayReport.self, SoakRecord.self,
    ]

    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/schemas")

    private static func tree(_ data: Data) throws -> JSONTree { try JSONDecoder().decode(JSONTree.self, from: data) }

    private static func schema(_ kind: String) throws -> JSONTree {
        try tree(Data(contentsOf: folder.appendingPathComponent("oddstream.\(kind).schema.json")))
    }

    private static func example(_ kind: String) throws -> Data {
        try Data(contentsOf: folder.appendingPathComponent("examples/oddstream.\(kind).json"))
    }

    @Test(arguments: ["backtest", "compare", "latency", "replay", "soak"])
    func examplesAreAsTheSchemaSays(_ kind: String) throws {
        let schema = try Self.schema(kind)
        let example = try Self.tree(try Self.example(kind))
        #expect(SchemaCheck.faults(example, schema).isEmpty)
    }

    @Test(arguments: ["backtest", "compare", "latency", "replay", "soak"])
    func whatTheProgramWritesIsAsTheSchemaSays(_ kind: String) throws {
        let report = try ReportRegistry(Self.kinds).report(from: Array(try Self.example(kind)))
        let written = try Self.tree(Data(try report.json()))
        let schema = try Self.schema(kind)
        #expect(SchemaCheck.faults(written, schema).isEmpty)
        // A key that was added is to be described as well.
        #expect(Set(SchemaCheck.unnamed(written, schema)).isEmpty)
        #expect(written["schema"] == .text("oddstream.\(kind)/1"))
    }

    @Test(arguments: ["backtest", "compare", "latency", "replay", "soak"])
    func aReportIsAFunctionOfItsJSON(_ kind: String) throws {
        let registry = ReportRegistry(Self.kinds)
        let report = try registry.report(from: Array(try Self.example(kind)))
        let again = try registry.report(from: try report.json())
        #expect(try again.json() == report.json())
        #expect(HTMLReport.page(of: again.document) == HTMLReport.page(of: report.document))
        #expect(report.document.kind == kind)
        #expect(HTMLReport.page(of: report.document).utf8.count < 1_000_000)
        #expect(TerminalReport(width: 80, colour: false, unicode: true).lines(of: report.document).count > 5)
    }

    @Test func theCheckFindsFaults() throws {
        let schema = try Self.schema("compare")
        guard case .object(var members) = try Self.tree(try Self.example("compare")) else {
            Issue.record("The example is no object.")
            return
        }
        members["generated_at_ms"] = .text("yesterday")
        members["schema"] = .text("oddstream.soak/1")
        members["verdicts"] = nil
        members["spikes"] = .list([.object(["number": .number(0.5)])])
        let faults = SchemaCheck.faults(.object(members), schema)
        for place in ["$.generated_at_ms: no integer", "$.verdicts: missing", "$.spikes[0].side: missing"] {
            #expect(faults.contains(place))
        }
        #expect(faults.contains { $0.hasPrefix("$.schema: not") })
        #expect(SchemaCheck.faults(.object([:]), .object(["minimum": .number(1)])).count == 1)
    }
}
