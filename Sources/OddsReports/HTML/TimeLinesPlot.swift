/// Values over time, drawn.
struct TimeLinesPlot {
    private let plot: ReportDocument.TimeLines
    private let time: TimeScale
    private let values: Scale
    private let columns: Int

    private static let top = 18.0
    private static let bottom = 218.0

    /// A plot that is drawn with so many columns at most.
    init(_ plot: ReportDocument.TimeLines, columns: Int) {
        self.plot = plot
        self.columns = columns
        self.time = TimeLinesPlot.time(of: plot)
        self.values = TimeLinesPlot.values(of: plot)
    }

    static func time(of plot: ReportDocument.TimeLines) -> TimeScale {
        var (from, until): (Int64, Int64) = (.max, .min)
        for line in plot.lines {
            for point in line.points {
                from = min(from, point.time)
                until = max(until, point.time)
            }
        }
        for band in plot.bands {
            from = min(from, band.from)
            until = max(until, band.until)
        }
        return from <= until ? TimeScale(from, until) : TimeScale(0, 1000)
    }

    private static func values(of plot: ReportDocument.TimeLines) -> Scale {
        var (lower, upper) = (Double.infinity, -Double.infinity)
        for line in plot.lines {
            for case let value? in line.points.map(\.value) where value.isFinite {
                lower = min(lower, value)
                upper = max(upper, value)
            }
        }
        if let range = plot.range {
            lower = min(lower, range.lowerBound)
            upper = max(upper, range.upperBound)
        }
        if lower > upper { (lower, upper) = (0, 1) }
        let span = max(upper - lower, abs(upper) * 0.02)
        // A level far away would flatten everything else: it is told instead of drawn.
        for level in plot.levels
        where level.value.isFinite && level.value > lower - span * 4 && level.value < upper + span * 4 {
            lower = min(lower, level.value)
            upper = max(upper, level.value)
        }
        if let range = plot.range, range.lowerBound <= lower, range.upperBound >= upper { return Scale(lower, upper) }
        let room = (upper - lower) * 0.05
        return Scale(lower >= 0 && lower < upper * 0.3 ? 0 : lower - room, upper + room)
    }

    /// The figure.
    func figure(id: String, title: String) -> String {
        let ticks = self.values.ticks(about: 4)
        let (top, bottom) = (TimeLinesPlot.top, TimeLinesPlot.bottom)
        var body = PlotFrame.bands(self.plot.bands, on: self.time, top: top, bottom: bottom)
        body += PlotFrame.grid(ticks, top: top, bottom: bottom)
        let levels = self.levels()
        body += levels.lines
        body +=
            "<svg class=\"data\" x=\"0\" y=\"\(Markup.number(top))\" width=\"100%\" height=\"\(Markup.number(bottom - top))\" viewBox=\"0 0 1000 \(Markup.number(bottom - top))\" preserveAspectRatio=\"none\">"
        for (index, line) in self.plot.lines.enumerated() { body += self.path(line, index: index) }
        body += "</svg>\n"
        body += levels.labels + PlotFrame.valueLabels(ticks, top: top, bottom: bottom)
        body += PlotFrame.below(self.time.ticks(atMost: 6), at: bottom)
        let readable =
            " data-plot=\"lines\" data-from=\"\(self.time.from)\" data-until=\"\(self.time.until)\" data-lower=\"\(self.values.lower)\" data-upper=\"\(self.values.upper)\" data-top=\"\(Markup.number(top))\" data-height=\"\(Markup.number(bottom - top))\""
        let tables =
            [KeyValues.lines(self.plot, on: self.time)]
            + [KeyValues.bands(self.plot.bands, on: self.time)]
            .compactMap { $0 }
        return PlotFrame(id: id).figure(
            title: title, name: self.plot.title, axis: self.plot.axis, summary: self.summary, legend: self.legend,
            gutter: ticks.map(\.label.count).max() ?? 1, height: bottom + 36, readable: readable, body: body,
            tables: tables)
    }

    private func y(_ value: Double) -> Double {
        (1 - self.values.position(value)) * (TimeLinesPlot.bottom - TimeLinesPlot.top)
    }

    /// The levels' lines, which lie under the data, and their labels, which are to be read over it.
    private func levels() -> (lines: String, labels: String) {
        var lines = "<g class=\"levels\">"
        var labels = lines
        for level in self.plot.levels where level.value.isFinite {
            let isInside = self.values.contains(level.value)
            let y = TimeLinesPlot.top + self.y(level.value)
            if isInside {
                lines += "<line x1=\"0\" x2=\"100%\" y1=\"\(Markup.number(y))\" y2=\"\(Markup.number(y))\"/>"
            }
            let arrow = isInside ? "" : level.value > self.values.upper ? "↑ " : "↓ "
            let isTold = isInside || level.label.contains(where: \.isNumber)
            let value = isTold ? "" : " \(NumberText.significant(level.value))"
            let baseline = isInside ? max(12, y - 4) : level.value > self.values.upper ? 12 : TimeLinesPlot.bottom - 4
            labels +=
                "<text x=\"100%\" y=\"\(Markup.number(baseline))\" text-anchor=\"end\">\(Markup.escaped(arrow + level.label + value))</text>"
        }
        return (lines + "</g>\n", labels + "</g>\n")
    }

    private func path(_ line: ReportDocument.TimeLines.Line, index: Int) -> String {
        let points = Thinning.points(line.points, on: self.time, columns: self.columns)
        var path = ""
        var isDown = false
        var lastX = ""
        for point in points {
            let x = Markup.number(self.time.position(point.time) * 1000)
            guard let value = point.value else {
                // A step's value holds until the gap begins.
                if isDown, line.style == .steps, x != lastX { path += "H\(x)" }
                isDown = false
                continue
            }
            let y = Markup.number(self.y(value))
            switch line.style {
            case .points: path += "M\(x) \(y)h0"
            case .line: path += isDown ? "L\(x) \(y)" : "M\(x) \(y)"
            case .steps: path += isDown ? (x == lastX ? "V\(y)" : "H\(x)V\(y)") : "M\(x) \(y)"
            }
            // A value alone between two gaps would not be seen.
            if !isDown, line.style == .line { path += "h0" }
            isDown = true
            lastX = x
        }
        if isDown, line.style == .steps, lastX != "1000" { path += "H1000" }
        let style =
            switch line.style {
            case .steps: "steps"
            case .line: "line"
            case .points: "points"
            }
        guard !path.isEmpty else { return "" }
        return
            "<path class=\"l-\(style) d-\(index % 4) t-\(line.tone.rawValue)\" data-name=\"\(Markup.escaped(line.name))\" d=\"\(path)\"/>"
    }

    private var legend: [String] {
        let lines = self.plot.lines.enumerated().map { index, line in
            let isPoints = line.style == .points
            return
                "<svg class=\"key t-\(line.tone.rawValue)\" width=\"26\" height=\"12\" aria-hidden=\"true\"><path class=\"l-\(isPoints ? "points" : "line") d-\(index % 4)\" d=\"\(isPoints ? "M5 6h0M13 6h0M21 6h0" : "M0 6H26")\"/></svg>"
                + Markup.escaped(line.name)
        }
        // One line whose name the headline says needs no legend.
        let isClear = self.plot.lines.count == 1 && self.plot.bands.isEmpty
        return isClear ? [] : lines + PlotFrame.bandLegend(self.plot.bands)
    }

    private var summary: String {
        let names = self.plot.lines.prefix(6).map(\.name).joined(separator: ", ")
        let bands = self.plot.bands.isEmpty ? "" : " \(self.plot.bands.count) spans are set off."
        let levels = self.plot.levels.map { " Level \($0.label): \(NumberText.significant($0.value))." }.joined()
        return
            "\(self.plot.axis) over time, from \(TimeScale.date(self.time.from)) \(self.time.moment(self.time.from)) to \(self.time.moment(self.time.until)) UTC: \(names).\(bands)\(levels) The key values are in the table below."
    }
}
