/// Tables of a page.
enum TableMarkup {
    /// Longer tables are folded.
    static let unfolded = 12
    /// Longer tables are cut: the JSON has all.
    static let most = 1000

    /// A table in a box of its own, in which it can be scrolled sideways; folded when it is long.
    static func table(_ table: ReportDocument.Table, isFolded: Bool? = nil) -> String {
        let caption = Markup.escaped(table.caption)
        guard !table.rows.isEmpty else {
            let lead = caption.isEmpty ? "" : "<span class=\"caption\">\(caption):</span> "
            return "<p class=\"empty\">\(lead)\(Markup.escaped(table.whenEmpty))</p>\n"
        }
        let folded = isFolded ?? (table.rows.count > TableMarkup.unfolded)
        let name = caption.isEmpty ? "Table" : caption
        var out = ""
        if folded {
            let rows = NumberText.fixed(Double(table.rows.count), decimals: 0)
            out += "<details><summary>\(name) <span class=\"count\">\(rows) rows</span></summary>\n"
        }
        // The box can be scrolled with the keyboard too, for which it must be possible to reach it.
        out += "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"\(name)\"><table>"
        if !caption.isEmpty { out += "<caption\(folded ? " class=\"hidden\"" : "")>\(caption)</caption>" }
        out += "<thead><tr>"
        for column in table.columns {
            out += "<th scope=\"col\"\(column.isNumber ? " class=\"n\"" : "")>\(Markup.escaped(column.name))</th>"
        }
        out += "</tr></thead>\n<tbody>\n"
        // A column of sentences keeps room for them, or a narrow screen would make it as tall as a page.
        let longest = table.columns.indices.map { index in
            table.rows.lazy.map { index < $0.count ? $0[index].count : 0 }.max() ?? 0
        }
        for row in table.rows.prefix(TableMarkup.most) {
            out += "<tr>"
            for (index, column) in table.columns.enumerated() {
                let text = Markup.escaped(index < row.count ? row[index] : "")
                // Short texts stay in one line.
                let style =
                    column.isNumber
                    ? " class=\"n\"" : longest[index] > 45 ? " class=\"w\"" : longest[index] <= 24 ? " class=\"s\"" : ""
                // The first column says what the row is about.
                out += index == 0 ? "<th scope=\"row\"\(style)>\(text)</th>" : "<td\(style)>\(text)</td>"
            }
            out += "</tr>\n"
        }
        out += "</tbody></table></div>\n"
        if table.rows.count > TableMarkup.most {
            let all = NumberText.fixed(Double(table.rows.count), decimals: 0)
            let most = NumberText.fixed(Double(TableMarkup.most), decimals: 0)
            out += "<p class=\"empty\">The first \(most) of \(all) rows; all are in the JSON beside this page.</p>\n"
        }
        return out + (folded ? "</details>\n" : "")
    }
}
