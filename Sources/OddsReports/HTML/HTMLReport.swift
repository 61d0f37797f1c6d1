import Crypto

/// A report as one page: everything in it, nothing fetched.
public enum HTMLReport {
    /// The page of a document, as HTML that is well-formed XML too. The same for the same document.
    public static func page(of document: ReportDocument) -> String {
        var writer = PageWriter(document)
        let body = writer.body()
        let policy =
            "default-src 'none'; style-src '\(HTMLReport.hash(PageStyle.text))'; script-src '\(HTMLReport.hash(PageScript.text))'; base-uri 'none'; form-action 'none'"
        return """
            <!DOCTYPE html>
            <html lang="en" xmlns="http://www.w3.org/1999/xhtml">
            <head>
            <meta charset="utf-8"/>
            <meta http-equiv="Content-Security-Policy" content="\(policy)"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <meta name="referrer" content="no-referrer"/>
            <meta name="generator" content="oddstream"/>
            <title>\(Markup.escaped(document.title)) – oddstream \(Markup.escaped(document.kind))</title>
            <style>\(PageStyle.text)</style>
            </head>
            <body>
            \(body)<script>\(PageScript.text)</script>
            </body>
            </html>

            """
    }

    /// A text's hash, as a page's policy names it.
    static func hash(_ text: String) -> String {
        let bytes = Array(SHA256.hash(data: Array(text.utf8)))
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var result = "sha256-"
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let bits = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            for index in 0..<4 {
                result.append(index <= part.count ? alphabet[bits >> (18 - 6 * index) & 63] : "=")
            }
        }
        return result
    }
}

/// Writes the parts of a page, one after the other.
struct PageWriter {
    private let document: ReportDocument
    private let columns: Int
    private var plots = 0

    init(_ document: ReportDocument) {
        self.document = document
        // All lines of a page share what keeps it small: 800 columns each, fewer when there are many.
        let lines = PageWriter.lines(document.sections.flatMap(\.blocks))
        self.columns = max(120, min(800, 16_000 / max(1, lines)))
    }

    private static func lines(_ blocks: [ReportDocument.Block]) -> Int {
        blocks.reduce(0) { sum, block in
            switch block {
            case .chart(.timeLines(let plot)): sum + plot.lines.count
            case .details(_, let blocks): sum + PageWriter.lines(blocks)
            case .chart, .text, .table: sum
            }
        }
    }

    mutating func body() -> String {
        var out = PlotFrame.patterns
        out += "<header>\n<p class=\"kind\">oddstream <span>\(Markup.escaped(self.document.kind))</span></p>\n"
        out += "<h1>\(Markup.escaped(self.document.title))</h1>\n"
        if !self.document.lead.isEmpty { out += "<p class=\"lead\">\(Markup.escaped(self.document.lead))</p>\n" }
        out += "</header>\n<main>\n"
        out += self.verdicts() + self.figures()
        for section in self.document.sections {
            out += "<section>\n<h2>\(Markup.escaped(section.title))</h2>\n"
            out += self.blocks(section.blocks, under: section.title) + "</section>\n"
        }
        return out + "</main>\n" + self.facts()
    }

    private func verdicts() -> String {
        guard !self.document.verdicts.isEmpty else { return "" }
        let overall = Overall(self.document.verdicts)
        var out = "<section class=\"verdicts\" aria-label=\"Verdict\">\n"
        out +=
            "<h2 class=\"v-\(overall.sign)\">\(PageWriter.sign(overall.sign))\(Markup.escaped(overall.text))</h2>\n<ul>\n"
        for verdict in self.document.verdicts {
            let sign = verdict.isMet.map { $0 ? "met" : "missed" } ?? "open"
            let word = Overall.word(verdict.isMet)
            out += "<li class=\"v-\(sign)\"><span class=\"met\">\(PageWriter.sign(sign))\(word)</span>"
            out += "<span class=\"what\">\(Markup.escaped(verdict.name))</span>"
            out += "<strong>\(Markup.escaped(verdict.measured))</strong>"
            out +=
                "<span class=\"asked\"><span class=\"soft\">demanded:</span> \(Markup.escaped(verdict.demanded))</span>"
            if !verdict.note.isEmpty { out += "<span class=\"note\">\(Markup.escaped(verdict.note))</span>" }
            out += "</li>\n"
        }
        return out + "</ul>\n</section>\n"
    }

    /// A check, a cross or a question mark, each in a shape of its own.
    private static func sign(_ name: String) -> String {
        let shape =
            switch name {
            case "met": "<circle cx=\"9\" cy=\"9\" r=\"8.5\"/><path d=\"M5 9.5l2.8 2.8L13.2 6.2\"/>"
            case "missed":
                "<rect x=\"1\" y=\"1\" width=\"16\" height=\"16\"/><path d=\"M5.4 5.4l7.2 7.2M12.6 5.4l-7.2 7.2\"/>"
            default:
                "<path class=\"ring\" d=\"M9 .8L17.2 9L9 17.2L.8 9Z\"/><path class=\"ask\" d=\"M6.9 7.3c0-2.8 4.2-2.8 4.2-.2c0 1.6-2.1 1.6-2.1 3.2M9 12.9v.1\"/>"
            }
        return
            "<svg class=\"sign\" width=\"18\" height=\"18\" viewBox=\"0 0 18 18\" aria-hidden=\"true\">\(shape)</svg>"
    }

    private func figures() -> String {
        guard !self.document.figures.isEmpty else { return "" }
        var out = "<section aria-label=\"Figures\" class=\"figures\">\n<dl>\n"
        for figure in self.document.figures {
            out += "<div class=\"t-\(figure.tone.rawValue)\"><dt>\(Markup.escaped(figure.name))</dt>"
            out +=
                "<dd\(figure.value.count > 9 ? " class=\"long\"" : "")>\(PageWriter.toneSign(figure.tone))\(Markup.escaped(figure.value))</dd>"
            if !figure.note.isEmpty { out += "<dd class=\"note\">\(Markup.escaped(figure.note))</dd>" }
            out += "</div>\n"
        }
        return out + "</dl>\n</section>\n"
    }

    /// Good and bad news are told by a sign and, to those who hear it, by a word.
    private static func toneSign(_ tone: ReportDocument.Tone) -> String {
        switch tone {
        case .good: "<span class=\"tone\" aria-hidden=\"true\">✓</span><span class=\"hidden\">good: </span>"
        case .warning: "<span class=\"tone\" aria-hidden=\"true\">!</span><span class=\"hidden\">warning: </span>"
        case .bad: "<span class=\"tone\" aria-hidden=\"true\">✗</span><span class=\"hidden\">bad: </span>"
        case .neutral: ""
        case .first, .second, .third, .fourth: "<span class=\"tone dot\" aria-hidden=\"true\">■</span>"
        }
    }

    private mutating func blocks(_ blocks: [ReportDocument.Block], under title: String) -> String {
        var out = ""
        for block in blocks {
            switch block {
            case .text(let text): out += "<p>\(Markup.prose(text))</p>\n"
            case .table(var table):
                if table.caption == title { table.caption = "" }
                out += TableMarkup.table(table)
            case .chart(let chart): out += self.chart(chart, under: title)
            case .details(let heading, let inner):
                out += "<details class=\"more\"><summary>\(Markup.escaped(heading))</summary>\n"
                out += self.blocks(inner, under: heading) + "</details>\n"
            }
        }
        return out
    }

    private mutating func chart(_ chart: ReportDocument.Chart, under heading: String) -> String {
        self.plots += 1
        let id = "p\(self.plots)"
        func title(_ own: String) -> String { own == heading ? "" : own }
        return switch chart {
        case .timeLines(let plot): TimeLinesPlot(plot, columns: self.columns).figure(id: id, title: title(plot.title))
        case .distribution(let plot): DistributionPlot(plot).figure(id: id, title: title(plot.title))
        case .strip(let plot): StripPlot(plot).figure(id: id, title: title(plot.title))
        }
    }

    private func facts() -> String {
        var out = "<footer>\n"
        if !self.document.facts.isEmpty {
            out += "<h2>How it was made</h2>\n<dl>\n"
            for fact in self.document.facts {
                out += "<div><dt>\(Markup.escaped(fact.name))</dt><dd>\(Markup.escaped(fact.value))</dd></div>\n"
            }
            out += "</dl>\n"
        }
        return out
            + "<p>All times are UTC. This page needs no network; the numbers are in the JSON beside it.</p>\n</footer>\n"
    }
}

/// What all verdicts come to.
struct Overall {
    /// `met`, `missed` or `open`.
    let sign: String
    /// In words.
    let text: String

    init(_ verdicts: [ReportDocument.Verdict]) {
        let all = verdicts.count
        let missed = verdicts.filter { $0.isMet == false }.count
        let open = verdicts.filter { $0.isMet == nil }.count
        let met = all - missed - open
        func count(_ number: Int) -> String {
            number == all ? (all == 1 ? "The demand" : "All \(all) demands") : "\(number) of \(all) demands"
        }
        let told = open == 0 ? "" : ", \(open) cannot be told"
        if missed > 0 {
            self.sign = "missed"
            self.text = "\(count(missed)) \(missed == 1 ? "is" : "are") not met\(told)"
        } else if open > 0 {
            self.sign = "open"
            self.text =
                met == 0 ? "\(count(open)) cannot be told" : "\(count(met)) \(met == 1 ? "is" : "are") met\(told)"
        } else {
            self.sign = "met"
            self.text = "\(count(met)) \(all == 1 ? "is" : "are") met"
        }
    }

    static func word(_ isMet: Bool?) -> String { isMet.map { $0 ? "met" : "not met" } ?? "open" }
}
