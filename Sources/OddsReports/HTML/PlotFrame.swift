/// What all plots of a page have in common: the figure around them, legends, patterns, the table behind them.
struct PlotFrame {
    /// Unique within the page; the ids of the plot's parts begin with it.
    let id: String

    /// The plot with its headline, legend and table.
    ///
    /// - Parameters:
    ///   - title: Its headline; empty when the section's is the same.
    ///   - name: What it is called by those who do not see where it stands.
    ///   - axis: What the values are.
    ///   - summary: What the plot shows, in a sentence, for those who do not see it.
    ///   - gutter: How many characters of labels stand left of the plot.
    ///   - readable: What the read-out needs to know of it, as attributes.
    func figure(
        title: String, name: String, axis: String, summary: String, legend: [String], gutter: Int = 0, height: Double,
        readable: String = "",
        body: String,
        tables: [ReportDocument.Table]
    ) -> String {
        var out = "<figure class=\"plot\">\n"
        if !title.isEmpty || !axis.isEmpty {
            out += "<figcaption>"
            if !title.isEmpty { out += "<h3>\(Markup.escaped(title))</h3>" }
            if !axis.isEmpty { out += "<p class=\"axis\">\(Markup.escaped(axis))</p>" }
            out += "</figcaption>\n"
        }
        if !legend.isEmpty {
            out += "<ul class=\"legend\">" + legend.map { "<li>\($0)</li>" }.joined() + "</ul>\n"
        }
        // The name comes first and the sentence second, as screen readers read them.
        out += "<div class=\"canvas\(gutter > 0 ? " g\(min(gutter, 9))" : "")\"\(readable)>"
        out +=
            "<svg role=\"img\" aria-labelledby=\"\(self.id)-t \(self.id)-d\" width=\"100%\" height=\"\(Markup.number(height))\">"
        out += "<title id=\"\(self.id)-t\">\(Markup.escaped(name))</title>"
        out += "<desc id=\"\(self.id)-d\">\(Markup.escaped(summary))</desc>\n"
        out += body + "</svg></div>\n"
        out += "<details class=\"values\"><summary>Values as a table</summary>\n"
        out += tables.map { TableMarkup.table($0, isFolded: false) }.joined()
        return out + "</details>\n</figure>\n"
    }

    /// The grid and labels of the axis of values, over a plot area from `top` to `bottom`.
    static func grid(_ ticks: [Tick], top: Double, bottom: Double) -> String {
        var out = "<g class=\"grid\" aria-hidden=\"true\">"
        for tick in ticks {
            let y = bottom - tick.position * (bottom - top)
            out += "<line x1=\"0\" x2=\"100%\" y1=\"\(Markup.number(y))\" y2=\"\(Markup.number(y))\"/>"
        }
        return out + "</g>\n"
    }

    /// The labels of the axis of values; drawn last, so that nothing hides them.
    static func valueLabels(_ ticks: [Tick], top: Double, bottom: Double) -> String {
        var out = "<g class=\"tick\" aria-hidden=\"true\">"
        for tick in ticks {
            let y = bottom - tick.position * (bottom - top)
            out +=
                "<text x=\"-7\" y=\"\(Markup.number(y + 4))\" text-anchor=\"end\">\(Markup.escaped(tick.label))</text>"
        }
        return out + "</g>\n"
    }

    /// Ticks and labels under a plot area.
    static func below(_ ticks: [Tick], at y: Double) -> String {
        var out =
            "<g class=\"tick\" aria-hidden=\"true\"><line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"\(Markup.number(y))\" y2=\"\(Markup.number(y))\"/>"
        var end = -Double.infinity
        for tick in ticks {
            let x = Markup.percent(tick.position)
            // On a narrow screen there is no room for labels close together.
            let extent = PlotFrame.extent(tick.label, at: tick.position)
            let isClose = extent.lowerBound < end + 6
            if !isClose { end = extent.upperBound }
            out +=
                "<line class=\"notch\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(Markup.number(y))\" y2=\"\(Markup.number(y + 4))\"/>"
            let anchor = PlotFrame.anchor(tick.position)
            out +=
                "<text\(isClose ? " class=\"roomy\"" : "") x=\"\(x)\" y=\"\(Markup.number(y + 16))\"\(anchor)>\(Markup.escaped(tick.label))</text>"
            if !tick.under.isEmpty {
                out +=
                    "<text class=\"under\" x=\"\(x)\" y=\"\(Markup.number(y + 30))\"\(PlotFrame.anchor(tick.position, edge: 0.2))>\(Markup.escaped(tick.under))</text>"
            }
        }
        return out + "</g>\n"
    }

    /// What a text takes of 290 pixels, the narrowest plot there is.
    static func extent(_ text: String, at position: Double, edge: Double = 0.07) -> ClosedRange<Double> {
        let width = Double(text.count) * 6.6
        let centre = position * 290
        let begin = position < edge ? centre : position > 1 - edge ? centre - width : centre - width / 2
        return begin...begin + width
    }

    /// Where a text is held, so that it stays inside.
    static func anchor(_ position: Double, edge: Double = 0.07) -> String {
        return position < edge ? "" : position > 1 - edge ? " text-anchor=\"end\"" : " text-anchor=\"middle\""
    }

    /// Spans that are set off, from `top` to `bottom`. Shades differ, and so do their hatches.
    static func bands(_ bands: [ReportDocument.TimeLines.Band], on scale: TimeScale, top: Double, bottom: Double)
        -> String
    {
        let spans = Thinning.spans(bands, on: scale, columns: 600)
        var out = "<g class=\"bands\">"
        let all = spans.states.map { ($0, top) } + spans.brief.map { ($0, bottom - (bottom - top) * 0.4) }
        for (band, top) in all {
            let from = scale.position(band.from)
            let width = max(0.0015, scale.position(band.until) - from)
            let frame =
                "x=\"\(Markup.percent(min(from, 1 - width)))\" width=\"\(Markup.percent(width))\" y=\"\(Markup.number(top))\" height=\"\(Markup.number(bottom - top))\""
            let label = Markup.escaped(
                "\(band.label), \(scale.moment(band.from)) to \(scale.moment(band.until))")
            out += "<g class=\"t-\(band.tone.rawValue)\"><title>\(label)</title><rect class=\"shade\" \(frame)/>"
            out += "<rect fill=\"url(#h-\(band.tone.hatch))\" \(frame)/></g>"
        }
        return out + "</g>\n"
    }

    /// The legend's entries for spans: one a label, or one a tone when there are many labels.
    static func bandLegend(_ bands: [ReportDocument.TimeLines.Band]) -> [String] {
        var kinds: [(label: String, tone: ReportDocument.Tone)] = []
        for band in bands where !kinds.contains(where: { $0.label == band.label && $0.tone == band.tone }) {
            kinds.append((band.label, band.tone))
            if kinds.count > 6 { break }
        }
        if kinds.count > 6 {
            kinds = ReportDocument.Tone.allCases.compactMap { tone in
                let members = bands.filter { $0.tone == tone }
                guard let first = members.first else { return nil }
                let more = members.count > 1 ? " and \(members.count - 1) more" : ""
                return ("\(first.label)\(more)", tone)
            }
        }
        return kinds.map { PlotFrame.swatch($0.tone) + Markup.escaped($0.label) }
    }

    /// A small box in a tone's shade and hatch.
    static func swatch(_ tone: ReportDocument.Tone) -> String {
        "<svg class=\"key t-\(tone.rawValue)\" width=\"16\" height=\"12\" aria-hidden=\"true\"><rect class=\"shade\" width=\"16\" height=\"12\"/><rect width=\"16\" height=\"12\" fill=\"url(#h-\(tone.hatch))\"/></svg>"
    }

    /// The hatches, once in a page.
    static let patterns: String = {
        func pattern(_ name: String, _ size: Int, _ body: String) -> String {
            "<pattern id=\"h-\(name)\" width=\"\(size)\" height=\"\(size)\" patternUnits=\"userSpaceOnUse\">\(body)</pattern>"
        }
        return "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>"
            + pattern("bad", 6, "<path class=\"h-bad\" d=\"M-1 7L7 -1M-1 1L1 -1M5 7L7 5\"/>")
            + pattern("warning", 6, "<path class=\"h-warning\" d=\"M1.5 1.5h0M4.5 4.5h0\"/>")
            + pattern("neutral", 6, "<path class=\"h-neutral\" d=\"M0 3h6\"/>")
            + pattern("plain", 6, "") + "</defs></svg>\n"
    }()
}

extension ReportDocument.Tone {
    /// The pattern that tells it apart without colour.
    var hatch: String {
        switch self {
        case .bad: "bad"
        case .warning: "warning"
        case .neutral: "neutral"
        case .good, .first, .second, .third, .fourth: "plain"
        }
    }
}
