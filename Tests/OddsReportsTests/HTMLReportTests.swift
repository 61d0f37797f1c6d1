import Foundation
import OddsCore
import Testing

@testable import OddsReports

/// What would break out of a page if it were taken as it is.
private let hostile = "<script>alert(1)</script>\"'&amp;\u{0}\u{1B}[31m\u{202E}x</style>]]>"

@Suite struct HTMLReportTests {
    @Test(arguments: ReportDocument.samples) func pageIsWellFormed(_ sample: Sample) throws {
        let page = HTMLReport.page(of: sample.document)
        let root = try Element.parse(page)
        #expect(root.name == "html")
        #expect(root.attributes["lang"] == "en")
        #expect(root.all("main").count == 1)
        #expect(root.all("header").count == 1)
        #expect(root.all("footer").count == 1)
        #expect(root.all("h1").count == 1)
        let ids = root.all.compactMap { $0.attributes["id"] }
        #expect(Set(ids).count == ids.count)
        // People may keep pages: with this, they may look at them again elsewhere.
        if let directory = ProcessInfo.processInfo.environment["ODDSTREAM_SAMPLE_PAGES"] {
            try page.write(toFile: "\(directory)/\(sample.document.kind).html", atomically: true, encoding: .utf8)
        }
    }

    @Test(arguments: ReportDocument.samples) func pageFetchesNothing(_ sample: Sample) throws {
        let page = HTMLReport.page(of: sample.document)
        // The name of the markup language is the one address in it, and nobody fetches that.
        let rest = page.replacing("http://www.w3.org/1999/xhtml", with: "").replacing(
            "http://www.w3.org/2000/svg", with: "")
        #expect(!rest.contains("http://"))
        #expect(!rest.contains("https://"))
        #expect(!rest.contains("@import"))
        let root = try Element.parse(page)
        for element in root.all {
            #expect(
                !["img", "link", "iframe", "object", "embed", "base", "form", "image", "use"].contains(element.name))
            for name in element.attributes.keys {
                #expect(!["src", "href", "xlink:href", "style", "srcset"].contains(name))
                #expect(!name.hasPrefix("on"), "\(name) is a script that the policy forbids")
            }
        }
    }

    @Test func policyNamesTheStyleAndTheScriptAndNothingElse() throws {
        let root = try Element.parse(HTMLReport.page(of: Samples.replay))
        let policy = try #require(
            root.all("meta").first { $0.attributes["http-equiv"] == "Content-Security-Policy" }?.attributes["content"])
        #expect(policy.hasPrefix("default-src 'none';"))
        #expect(!policy.contains("unsafe"))
        let style = try #require(root.all("style").first)
        let script = try #require(root.all("script").first)
        #expect(root.all("style").count == 1)
        #expect(root.all("script").count == 1)
        #expect(policy.contains("style-src '\(HTMLReport.hash(style.text))'"))
        #expect(policy.contains("script-src '\(HTMLReport.hash(script.text))'"))
        // The hash of nothing and of "abc", by the standard's own examples.
        #expect(HTMLReport.hash("") == "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
        #expect(HTMLReport.hash("abc") == "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")
    }

    @Test func hostileTextIsText() throws {
        var document = ReportDocument(kind: hostile, title: hostile, lead: hostile)
        document.verdicts = [.init(name: hostile, demanded: hostile, measured: hostile, isMet: false, note: hostile)]
        document.figures = [.init(hostile, hostile, note: hostile, tone: .bad)]
        document.facts = [.init(hostile, hostile)]
        var lines = ReportDocument.TimeLines(
            hostile, axis: hostile,
            lines: [.init(hostile, tone: .first, style: .steps, points: [.init(0, 1), .init(9, 2)])])
        lines.bands = [.init(from: 1, until: 2, label: hostile, tone: .bad)]
        lines.levels = [.init(1.5, hostile)]
        let group = ReportDocument.Distribution.Group(
            hostile, tone: .first, buckets: [.init(from: 1, until: 2, count: 3)], marks: [(hostile, 1.5)])
        var distribution = ReportDocument.Distribution(hostile, axis: hostile, isLogarithmic: true, groups: [group])
        distribution.limits = [.init(1.7, hostile)]
        document.sections = [
            .init(
                hostile,
                [
                    .text(hostile), .chart(.timeLines(lines)), .chart(.distribution(distribution)),
                    .chart(.strip(.init(hostile, rows: [.init(hostile, spans: lines.bands)]))),
                    .table(.init(hostile, columns: [.init(hostile)], rows: [[hostile]])),
                    .table(.init(hostile, columns: [], rows: [], whenEmpty: hostile)),
                    .details(title: hostile, [.text(hostile)]),
                ])
        ]
        let page = HTMLReport.page(of: document)
        let root = try Element.parse(page)
        #expect(root.all("script").count == 1)
        #expect(root.all("style").count == 1)
        #expect(!page.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        #expect(!page.unicodeScalars.contains("\u{202E}"))
        // The text arrives, but for what would be invisible.
        #expect(root.all("h1").first?.text.hasPrefix("<script>alert(1)</script>\"'&amp;") == true)
    }

    @Test(arguments: ReportDocument.samples) func everyPlotHasAnAlternative(_ sample: Sample) throws {
        let root = try Element.parse(HTMLReport.page(of: sample.document))
        let ids = Dictionary(
            root.all.compactMap { element in element.attributes["id"].map { ($0, element) } }, uniquingKeysWith: { $1 })
        let figures = root.all("figure")
        #expect(!figures.isEmpty)
        for figure in figures {
            let plot = try #require(figure.all("svg").first { $0.attributes["role"] == "img" })
            for id in (plot.attributes["aria-labelledby"] ?? "").split(separator: " ") {
                #expect(ids[String(id)]?.text.isEmpty == false)
            }
            #expect(plot.children.prefix(2).map(\.name) == ["title", "desc"])
            #expect(figure.all("table").count >= 1)
        }
        for table in root.all("table") {
            let heads = table.all("thead").flatMap { $0.all("th") }
            #expect(!heads.isEmpty)
            #expect(heads.allSatisfy { $0.attributes["scope"] == "col" })
            for row in table.all("tbody").flatMap({ $0.all("tr") }) {
                #expect(row.children.count == heads.count)
                #expect(row.children.first?.attributes["scope"] == "row")
            }
        }
        // Headings go down one step at a time.
        let levels = root.all.compactMap { ["h1": 1, "h2": 2, "h3": 3][$0.name] }
        #expect(zip(levels, levels.dropFirst()).allSatisfy { $1 <= $0 + 1 })
        // Whatever is scrolled can be reached with the keyboard and has a name.
        for box in root.all where box.classes.contains("scroll") {
            #expect(box.attributes["tabindex"] == "0")
            #expect(box.attributes["aria-label"]?.isEmpty == false)
        }
    }

    @Test func verdictsAreTheFirstThingAfterTheLead() throws {
        let root = try Element.parse(HTMLReport.page(of: Samples.compare))
        let main = try #require(root.all("main").first)
        let verdicts = try #require(main.children.first)
        #expect(verdicts.classes.contains("verdicts"))
        #expect(verdicts.all("h2").first?.text == "1 of 4 demands is not met, 1 cannot be told")
        let words = verdicts.all("li").map { $0.all("span").first?.text }
        #expect(words == ["met", "not met", "met", "open"])
        // By sign too, each in another shape.
        let signs = verdicts.all("li").map { $0.all("svg").first?.children.map(\.name) ?? [] }
        #expect(signs == [["circle", "path"], ["rect", "path"], ["circle", "path"], ["path", "path"]])
        #expect(main.children[1].classes.contains("figures"))
    }

    @Test(
        arguments: [
            ([true], "met", "The demand is met"), ([true, true], "met", "All 2 demands are met"),
            ([false], "missed", "The demand is not met"),
            ([false, true, nil], "missed", "1 of 3 demands is not met, 1 cannot be told"),
            ([false, false], "missed", "All 2 demands are not met"), ([nil], "open", "The demand cannot be told"),
            ([true, nil], "open", "1 of 2 demands is met, 1 cannot be told"),
        ] as [([Bool?], String, String)])
    func overallVerdict(_ met: [Bool?], sign: String, text: String) {
        let overall = Overall(met.map { .init(name: "a", demanded: "b", measured: "c", isMet: $0) })
        #expect(overall.sign == sign)
        #expect(overall.text == text)
    }

    @Test func manyPointsMakeASmallPage() {
        var document = ReportDocument(kind: "compare", title: "Large", lead: "")
        let points = Samples.odds(100_000, span: 86_400_000, seed: 1)
        document.sections = (0..<10).map { part in
            let lines = (0..<3).map {
                ReportDocument.TimeLines.Line("line \($0)", tone: .first, style: .steps, points: points)
            }
            return .init("Part \(part)", [.chart(.timeLines(.init("Odds", axis: "odds", lines: lines)))])
        }
        let rows = (0..<20_000).map { ["btc-updown-15m-\($0)", "\($0)"] }
        document.sections.append(
            .init("Rows", [.table(.init("", columns: [.init("market"), .init("n", isNumber: true)], rows: rows))]))
        let page = HTMLReport.page(of: document)
        #expect(page.utf8.count < 1_000_000)
        #expect(page.contains("The first 1,000 of 20,000 rows"))
    }

    @Test func longTablesAreFoldedAndShortOnesAreNot() throws {
        func page(_ rows: Int) throws -> Element {
            let table = ReportDocument.Table(
                "All", columns: [.init("n", isNumber: true)], rows: (0..<rows).map { ["\($0)"] })
            return try Element.parse("<div>" + TableMarkup.table(table) + "</div>")
        }
        #expect(try page(TableMarkup.unfolded).all("details").isEmpty)
        #expect(try page(TableMarkup.unfolded + 1).all("summary").first?.text == "All 13 rows")
        #expect(try page(0).all("p").first?.text == "All: None.")
    }

    @Test func nothingAtAllIsStillAPage() throws {
        var document = ReportDocument(kind: "soak", title: "", lead: "")
        document.sections = [
            .init(
                "Nothing",
                [
                    .chart(.timeLines(.init("a", axis: "b", lines: []))),
                    .chart(
                        .timeLines(
                            .init(
                                "a", axis: "b",
                                lines: [
                                    .init(
                                        "c", tone: .bad, style: .line,
                                        points: [.init(5, nil), .init(6, .nan), .init(7, .infinity)])
                                ]))),
                    .chart(.distribution(.init("a", axis: "b", isLogarithmic: true, groups: []))),
                    .chart(
                        .distribution(
                            .init(
                                "a", axis: "b", isLogarithmic: true,
                                groups: [.init("c", tone: .good, buckets: [.init(from: -1, until: 0, count: 2)])]))),
                    .chart(
                        .distribution(
                            .init(
                                "a", axis: "b", isLogarithmic: false,
                                groups: [
                                    .init(
                                        "c", tone: .good,
                                        buckets: [
                                            .init(from: 3, until: 3, count: 2), .init(from: .nan, until: 3, count: 1),
                                        ])
                                ]))),
                    .chart(.strip(.init("a", rows: [.init("b", spans: [])]))),
                    .chart(
                        .strip(
                            .init(
                                "a", rows: [.init("b", spans: [.init(from: .min, until: .max, label: "c", tone: .bad)])]
                            ))),
                ])
        ]
        #expect(try Element.parse(HTMLReport.page(of: document)).all("figure").count == 7)
        #expect(TerminalReport(width: 80, colour: false, unicode: true).lines(of: document).count <= 40)
    }
}

/// A sample with a name that a test can be told by.
struct Sample: Sendable, CustomTestStringConvertible {
    let document: ReportDocument
    var testDescription: String { self.document.kind }
}

extension ReportDocument {
    static let samples = Samples.all.map(Sample.init)
}
