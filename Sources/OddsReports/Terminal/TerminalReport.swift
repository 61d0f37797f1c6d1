/// A report's summary for a terminal: at most forty lines, no wider than the terminal.
public struct TerminalReport: Sendable {
    /// Columns, at least 40.
    public var width: Int
    /// Whether colour may be used.
    public var colour: Bool
    /// Whether signs beyond ASCII may be used.
    public var unicode: Bool

    /// No summary is longer.
    public static let most = 40

    /// A terminal's properties; without colour for what is no terminal.
    public init(width: Int, colour: Bool, unicode: Bool) {
        self.width = max(40, width)
        self.colour = colour
        self.unicode = unicode
    }

    /// The summary's lines, without line breaks.
    public func lines(of document: ReportDocument) -> [String] {
        let ink = TerminalInk(colour: self.colour, unicode: self.unicode)
        var lines = [ink.dressed(ink.cut(document.title, to: self.width), .strong)]
        lines += ink.wrapped(document.lead, to: self.width).prefix(4)
        lines += self.verdicts(document.verdicts, ink)
        lines += self.figures(document.figures, ink)
        var parts: [[String]] = []
        for section in document.sections {
            for block in section.blocks {
                let part = self.block(block, under: section.title, ink)
                if !part.isEmpty { parts.append(part) }
            }
        }
        // What does not fit is in the page; nothing is begun that cannot be ended.
        var hidden = 0
        for part in parts {
            let isLast = part == parts.last
            guard hidden == 0, lines.count + part.count + 1 + (isLast ? 0 : 2) <= TerminalReport.most else {
                hidden += 1
                continue
            }
            lines += [""] + part
        }
        if hidden > 0 {
            lines += ["", ink.dressed("\(hidden) more \(hidden == 1 ? "part is" : "parts are") in the page.", .soft)]
        }
        return Array(lines.prefix(TerminalReport.most))
    }

    private func verdicts(_ verdicts: [ReportDocument.Verdict], _ ink: TerminalInk) -> [String] {
        guard !verdicts.isEmpty else { return [] }
        let overall = Overall(verdicts)
        let met: Bool? = overall.sign == "met" ? true : overall.sign == "missed" ? false : nil
        var lines = [
            "",
            ink.dressed("\(ink.sign(met)) \(ink.cut(overall.text, to: self.width - 2))", TerminalInk.Dress(met)),
        ]
        let shown = verdicts.prefix(8)
        let names = min(shown.map { ink.width(PlainText.visible($0.name)) }.max() ?? 0, self.width * 2 / 5)
        // Side by side when all fits, else the demand on a line of its own: half a demand is none.
        let widest = shown.map { ink.width(PlainText.visible($0.measured)) }.max() ?? 0
        let asked = shown.map { ink.width(PlainText.visible($0.demanded)) }.max() ?? 0
        let isWide = 13 + names + 2 + widest + 2 + asked <= self.width
        let measures = isWide ? widest : self.width - 13 - names - 2
        for verdict in shown {
            let word = ink.padded("\(ink.sign(verdict.isMet)) \(Overall.word(verdict.isMet))", to: 9)
            let head =
                "  \(ink.dressed(word, TerminalInk.Dress(verdict.isMet)))  \(ink.padded(ink.cut(verdict.name, to: names), to: names))"
            let value = ink.cut(verdict.measured, to: measures)
            let gap = String(repeating: " ", count: max(0, measures - ink.width(value)))
            let demanded = ink.dressed(ink.cut(verdict.demanded, to: self.width - 13), .soft)
            lines.append(ink.trimmed("\(head)  \(ink.dressed(value, .strong))" + (isWide ? "\(gap)  \(demanded)" : "")))
            if !isWide { lines.append(String(repeating: " ", count: 13) + demanded) }
            if verdict.isMet != true, !verdict.note.isEmpty {
                lines += ink.wrapped(verdict.note, to: self.width - 13).prefix(2).map {
                    String(repeating: " ", count: 13) + ink.dressed($0, .soft)
                }
            }
        }
        if verdicts.count > shown.count {
            lines.append("  and \(verdicts.count - shown.count) more in the page")
        }
        return lines
    }

    /// Names and values in as many columns as fit.
    private func figures(_ figures: [ReportDocument.Figure], _ ink: TerminalInk) -> [String] {
        guard !figures.isEmpty else { return [] }
        let shown = figures.prefix(12)
        let names = shown.map { ink.width(PlainText.visible($0.name)) }.max() ?? 0
        let values = shown.map { ink.width(PlainText.visible($0.value)) }.max() ?? 0
        let cell = min(self.width - 2, names + 2 + values)
        let columns = max(1, min(3, (self.width - 2 + 4) / (cell + 4)))
        let rows = (shown.count + columns - 1) / columns
        return [""]
            + (0..<rows).map { row in
                let cells = stride(from: row, to: shown.count, by: rows).map { index -> String in
                    let figure = shown[index]
                    let name = ink.padded(ink.cut(figure.name, to: max(8, cell - values - 2)), to: cell - values - 2)
                    let value = ink.cut(figure.value, to: values)
                    let gap = String(repeating: " ", count: max(0, values - ink.width(value)))
                    return name + "  " + ink.dressed(value, figure.tone.isJudgement ? .tone(figure.tone) : .strong)
                        + gap
                }
                return ink.trimmed("  " + cells.joined(separator: "    "))
            }
    }

    private func block(_ block: ReportDocument.Block, under title: String, _ ink: TerminalInk) -> [String] {
        switch block {
        // Prose and what is folded away are for those who read the page.
        case .text, .details: []
        case .table(let table): self.table(table, under: title, ink)
        case .chart(.timeLines(let plot)): TerminalPlots(width: self.width, ink: ink).timeLines(plot)
        case .chart(.distribution(let plot)): TerminalPlots(width: self.width, ink: ink).distribution(plot)
        case .chart(.strip(let plot)): TerminalPlots(width: self.width, ink: ink).strip(plot)
        }
    }

    private func table(_ table: ReportDocument.Table, under title: String, _ ink: TerminalInk) -> [String] {
        let name = ink.dressed(ink.cut(table.caption.isEmpty ? title : table.caption, to: self.width), .strong)
        guard !table.rows.isEmpty else { return [name, "  " + ink.cut(table.whenEmpty, to: self.width - 2)] }
        let most = 6
        let isCut = table.rows.count > most
        let shown = table.rows.prefix(isCut ? most - 1 : most)
        var cells = table.columns.indices.map { column in
            (
                isNumber: table.columns[column].isNumber,
                texts: ([table.columns[column].name] + shown.map { column < $0.count ? $0[column] : "" })
                    .map(PlainText.visible)
            )
        }
        func width(_ column: Int) -> Int { cells[column].texts.map(ink.width).max() ?? 0 }
        func total() -> Int { cells.indices.map { width($0) + 2 }.reduce(0, +) }
        // Long texts are cut first, then columns left out from the right.
        while total() > self.width, let widest = cells.indices.max(by: { width($0) < width($1) }), width(widest) > 14 {
            let room = max(14, width(widest) - (total() - self.width))
            cells[widest].texts = cells[widest].texts.map { ink.cut($0, to: room) }
        }
        var isNarrowed = false
        while total() > self.width, cells.count > 1 {
            cells.removeLast()
            isNarrowed = true
        }
        let widths = cells.indices.map(width)
        var lines = [name]
        for row in 0...shown.count {
            let line = cells.indices.map { column in
                let text = cells[column].texts[row]
                return cells[column].isNumber
                    ? ink.rightAligned(text, to: widths[column]) : ink.padded(text, to: widths[column])
            }.joined(separator: "  ")
            lines.append("  " + ink.dressed(ink.trimmed(ink.cut(line, to: self.width - 2)), row == 0 ? .soft : .plain))
        }
        if isCut || isNarrowed {
            let rows = NumberText.fixed(Double(table.rows.count), decimals: 0)
            let more = isCut ? "\(rows) rows in the page" : "more columns in the page"
            lines.append("  " + ink.dressed("\(ink.ellipsis) \(more)", .soft))
        }
        return lines
    }
}

extension ReportDocument.Tone {
    /// Whether it says that something is good or bad.
    var isJudgement: Bool {
        switch self {
        case .good, .warning, .bad: true
        case .neutral, .first, .second, .third, .fourth: false
        }
    }
}
