/// Plots in single lines of characters.
struct TerminalPlots {
    let width: Int
    let ink: TerminalInk

    /// No plot has more rows.
    private static let most = 5

    private var heights: [String] {
        self.ink.unicode ? ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] : [".", ":", "-", "=", "+", "*", "%", "#"]
    }

    /// Names as wide as the widest, but no wider than a quarter of the line.
    private func names(_ names: [String]) -> Int {
        min(names.map { self.ink.width(PlainText.visible($0)) }.max() ?? 0, max(8, self.width / 4))
    }

    private func head(_ title: String, _ axis: String) -> String {
        let title = self.ink.cut(title, to: self.width)
        let room = self.width - self.ink.width(title) - 2
        guard room >= 6, !axis.isEmpty else { return self.ink.dressed(title, .strong) }
        return self.ink.dressed(title, .strong) + "  " + self.ink.dressed(self.ink.cut(axis, to: room), .soft)
    }

    private func more(_ count: Int) -> [String] {
        count > TerminalPlots.most
            ? ["  " + self.ink.dressed("\(self.ink.ellipsis) \(count - TerminalPlots.most) more in the page", .soft)]
            : []
    }

    /// One row a line, each column as tall as the largest value in it; all rows on one scale.
    func timeLines(_ plot: ReportDocument.TimeLines) -> [String] {
        let time = TimeLinesPlot.time(of: plot)
        let shown = plot.lines.prefix(TerminalPlots.most)
        let ranges = shown.map { line -> (lower: Double, upper: Double)? in
            let values = line.points.compactMap(\.value).filter(\.isFinite)
            guard let lower = values.min(), let upper = values.max() else { return nil }
            return (lower, upper)
        }
        guard let lower = ranges.compactMap({ $0?.lower }).min(), let upper = ranges.compactMap({ $0?.upper }).max()
        else { return [self.head(plot.title, plot.axis), "  No values."] }
        let scale = Scale(lower, upper)
        let names = self.names(shown.map(\.name))
        let texts = ranges.map { range in
            range.map { "\(NumberText.significant($0.lower)) to \(NumberText.significant($0.upper))" } ?? "no values"
        }
        let tails = texts.map(self.ink.width).max() ?? 0
        let columns = max(8, self.width - 2 - names - 2 - 2 - tails)
        var lines = [self.head(plot.title, plot.axis)]
        for (line, text) in zip(shown, texts) {
            let bars = self.bars(of: line, time: time, values: scale, columns: columns)
            let name = self.ink.padded(self.ink.cut(line.name, to: names), to: names)
            lines.append(
                self.ink.trimmed(
                    "  \(name)  \(self.ink.dressed(bars, .tone(line.tone)))  \(self.ink.padded(text, to: tails))"))
        }
        lines += self.more(plot.lines.count)
        let brackets = plot.bands.isEmpty ? [] : [self.marks(plot.bands, time: time, names: names, columns: columns)]
        return lines + brackets
            + [self.axis(time, indent: 2 + names + 2, columns: columns, key: self.key(plot.bands))]
    }

    private func bars(
        of line: ReportDocument.TimeLines.Line, time: TimeScale, values: Scale, columns: Int
    ) -> String {
        var largest = [Double?](repeating: nil, count: columns)
        var held: Double?
        var filled = 0
        func column(_ moment: Int64) -> Int { min(columns - 1, Int(time.position(moment) * Double(columns))) }
        for point in Thinning.points(line.points, on: time, columns: columns) {
            let here = column(point.time)
            // A step's value holds until the next one.
            if line.style != .points, let held {
                for empty in filled..<max(filled, here) { largest[empty] = largest[empty] ?? held }
            }
            if let value = point.value { largest[here] = max(largest[here] ?? value, value) }
            held = point.value
            filled = here + 1
        }
        if line.style == .steps, let held { for empty in min(filled, columns)..<columns { largest[empty] = held } }
        return largest.map { value in
            guard let value else { return " " }
            return self.heights[min(7, Int(values.position(value) * 8))]
        }.joined()
    }

    /// Where spans are set off: a row of marks under the lines.
    private func marks(_ bands: [ReportDocument.TimeLines.Band], time: TimeScale, names: Int, columns: Int) -> String {
        var cells = [ReportDocument.Tone?](repeating: nil, count: columns)
        for band in bands {
            let first = min(columns - 1, Int(time.position(band.from) * Double(columns)))
            let last = max(first, min(columns - 1, Int((time.position(band.until) * Double(columns)).rounded(.up)) - 1))
            for column in first...last where cells[column].map({ $0.weight < band.tone.weight }) ?? true {
                cells[column] = band.tone
            }
        }
        let row = cells.map { $0.map { self.state($0) } ?? " " }.joined()
        return self.ink.trimmed(String(repeating: " ", count: names + 4) + row)
    }

    /// What the marks mean.
    private func key(_ bands: [ReportDocument.TimeLines.Band]) -> String {
        var labels: [(String, ReportDocument.Tone)] = []
        for band in bands where labels.count < 4 && !labels.contains(where: { $0.1 == band.tone }) {
            labels.append((band.label, band.tone))
        }
        return labels.map { "\(self.state($0.1)) \($0.0)" }.joined(separator: "  ")
    }

    /// One row a group: how often values occurred on the axis that all share, and the marks.
    func distribution(_ plot: ReportDocument.Distribution) -> [String] {
        let scale = Rebinning.scale(plot)
        let shown = plot.groups.prefix(TerminalPlots.most)
        let names = self.names(shown.map(\.name))
        let marks = shown.map { group in
            group.marks.map { "\($0.name) \(NumberText.significant($0.value))" }.joined(separator: "  ")
        }
        let room = self.width - 2 - names - 2
        let longest = marks.map(self.ink.width).max() ?? 0
        let columns = max(8, min(36, room - 2 - longest))
        var lines = [self.head(plot.title, plot.axis + (plot.isLogarithmic ? ", logarithmic" : ""))]
        for (group, marks) in zip(shown, marks) {
            let bins = Rebinning.bins(group.buckets, on: scale, count: columns)
            let most = max(bins.max() ?? 0, 1e-9)
            let bars = bins.map { $0 > 0 ? self.heights[min(7, Int($0 / most * 8))] : " " }.joined()
            let name = self.ink.padded(self.ink.cut(group.name, to: names), to: names)
            let text = self.ink.cut(marks, to: max(0, room - columns - 2))
            lines.append(self.ink.trimmed("  \(name)  \(self.ink.dressed(bars, .tone(group.tone)))  \(text)"))
        }
        lines += self.more(plot.groups.count)
        let from = NumberText.significant(scale.lower)
        let until = NumberText.significant(scale.upper)
        let gap = max(1, columns - self.ink.width(from) - self.ink.width(until))
        let axis = from + String(repeating: " ", count: gap) + until
        return lines + [String(repeating: " ", count: names + 4) + self.ink.dressed(axis, .soft)]
    }

    /// One row a thing: a column shows what took most of it, but any outage in it.
    func strip(_ plot: ReportDocument.Strip) -> [String] {
        let time = StripPlot.time(of: plot)
        let shown = plot.rows.prefix(TerminalPlots.most)
        let names = self.names(shown.map(\.name))
        let columns = max(8, self.width - 2 - names - 2)
        var lines = [self.head(plot.title, "")]
        var labels: [(String, ReportDocument.Tone)] = []
        for row in shown {
            for span in row.spans
            where labels.count < 6 && !labels.contains(where: { $0.0 == span.label && $0.1 == span.tone }) {
                labels.append((span.label, span.tone))
            }
            var longest = [(tone: ReportDocument.Tone, length: Double)?](repeating: nil, count: columns)
            var isDown = [Bool](repeating: false, count: columns)
            for span in row.spans where span.until >= span.from {
                let from = time.position(span.from) * Double(columns)
                let until = time.position(span.until) * Double(columns)
                let first = min(columns - 1, Int(from))
                for column in first...max(first, min(columns - 1, Int(until.rounded(.up)) - 1)) {
                    if span.tone == .bad { isDown[column] = true }
                    let length = max(0, min(until, Double(column + 1)) - max(from, Double(column)))
                    if longest[column].map({ length > $0.length }) ?? true { longest[column] = (span.tone, length) }
                }
            }
            let cells = zip(longest, isDown).map { longest, isDown in isDown ? .bad : longest?.tone }
            let bar = cells.map { tone in
                tone.map { self.ink.dressed(self.state($0), .tone($0)) } ?? (self.ink.unicode ? "·" : ".")
            }.joined()
            lines.append("  \(self.ink.padded(self.ink.cut(row.name, to: names), to: names))  \(bar)")
        }
        lines += self.more(plot.rows.count)
        lines.append(self.axis(time, indent: 2 + names + 2, columns: columns))
        let key = labels.map { "\(self.state($0.1)) \($0.0)" }.joined(separator: "  ")
        return lines + ["  " + self.ink.dressed(self.ink.cut(key, to: self.width - 2), .soft)]
    }

    private func state(_ tone: ReportDocument.Tone) -> String {
        switch tone {
        case .good: self.ink.unicode ? "▇" : "="
        case .warning: self.ink.unicode ? "▒" : "~"
        case .bad: self.ink.unicode ? "×" : "x"
        case .neutral: self.ink.unicode ? "░" : "-"
        case .first, .second, .third, .fourth: self.ink.unicode ? "▬" : "*"
        }
    }

    /// The begin and the end under a row, and between them what its marks mean.
    private func axis(_ time: TimeScale, indent: Int, columns: Int, key: String = "") -> String {
        let (from, until) = (time.moment(time.from), "\(time.moment(time.until)) UTC")
        let gap = columns - self.ink.width(from) - self.ink.width(until)
        guard gap > 0 else {
            let text = self.ink.cut("\(from) to \(until)", to: columns)
            return String(repeating: " ", count: indent) + self.ink.dressed(text, .soft)
        }
        let middle = gap >= 12 ? self.ink.cut(key, to: gap - 4) : ""
        let before = (gap - self.ink.width(middle)) / 2
        let text =
            from + String(repeating: " ", count: before) + middle
            + String(repeating: " ", count: gap - before - self.ink.width(middle)) + until
        return String(repeating: " ", count: indent) + self.ink.dressed(text, .soft)
    }
}
