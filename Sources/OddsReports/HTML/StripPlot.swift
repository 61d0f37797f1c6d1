/// States over time, drawn: one bar a row.
struct StripPlot {
    private let plot: ReportDocument.Strip
    private let time: TimeScale

    private static let label = 17.0
    private static let height = 18.0
    private static let gap = 9.0

    init(_ plot: ReportDocument.Strip) {
        self.plot = plot
        self.time = StripPlot.time(of: plot)
    }

    static func time(of plot: ReportDocument.Strip) -> TimeScale {
        let spans = plot.rows.flatMap(\.spans)
        guard let from = spans.map(\.from).min(), let until = spans.map(\.until).max() else {
            return TimeScale(0, 1000)
        }
        return TimeScale(from, until)
    }

    /// The figure.
    func figure(id: String, title: String) -> String {
        var y = 0.0
        var body = ""
        for row in self.plot.rows {
            body +=
                "<text class=\"name\" x=\"0\" y=\"\(Markup.number(y + 12))\">\(Markup.escaped(row.name))</text>"
            y += StripPlot.label
            // What no span covers is not known, which is drawn as an empty frame.
            body +=
                "<rect class=\"unknown\" x=\"0\" width=\"100%\" y=\"\(Markup.number(y))\" height=\"\(Markup.number(StripPlot.height))\"/>"
            body += PlotFrame.bands(row.spans, on: self.time, top: y, bottom: y + StripPlot.height)
                .replacing("class=\"bands\"", with: "class=\"bands strip\"")
            y += StripPlot.height + StripPlot.gap
        }
        body += PlotFrame.below(self.time.ticks(atMost: 6), at: y)
        return PlotFrame(id: id).figure(
            title: title, name: self.plot.title, axis: "", summary: self.summary,
            legend: PlotFrame.bandLegend(self.plot.rows.flatMap(\.spans)), height: y + 36, body: body,
            tables: [KeyValues.states(self.plot, on: self.time)])
    }

    private var summary: String {
        let rows = self.plot.rows.prefix(6).map { "\($0.name): \($0.spans.count) spans" }.joined(separator: "; ")
        return
            "States over time from \(TimeScale.date(self.time.from)) \(self.time.moment(self.time.from)) to \(self.time.moment(self.time.until)) UTC. \(rows). The shares are in the table below."
    }
}
