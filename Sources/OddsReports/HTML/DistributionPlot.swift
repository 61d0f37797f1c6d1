/// Distributions, drawn: one row a group, all on one axis, each as tall as its own most frequent value.
struct DistributionPlot {
    private let plot: ReportDocument.Distribution
    private let scale: Scale

    private static let label = 18.0
    private static let height = 62.0
    private static let lane = 14.0
    private static let bins = 96

    init(_ plot: ReportDocument.Distribution) {
        self.plot = plot
        self.scale = Rebinning.scale(plot)
    }

    /// The figure.
    func figure(id: String, title: String) -> String {
        let limits = self.plot.limits.filter { $0.value.isFinite }
        let head = limits.isEmpty ? 2.0 : 18.0
        var y = head
        var rows = ""
        for group in self.plot.groups { rows += self.row(group, at: &y) }
        let bottom = y + 2
        var body = "<g class=\"grid\" aria-hidden=\"true\">"
        let ticks = self.scale.ticks(about: 5)
        for tick in ticks {
            let x = Markup.percent(tick.position)
            body += "<line x1=\"\(x)\" x2=\"\(x)\" y1=\"\(Markup.number(head))\" y2=\"\(Markup.number(bottom))\"/>"
        }
        body += "</g>\n" + self.limits(limits, until: bottom) + rows + PlotFrame.below(ticks, at: bottom)
        let axis = self.plot.axis + (self.plot.isLogarithmic ? " · logarithmic" : "")
        return PlotFrame(id: id).figure(
            title: title, name: self.plot.title, axis: axis, summary: self.summary, legend: [], height: bottom + 22,
            body: body,
            tables: [KeyValues.groups(self.plot)])
    }

    private func row(_ group: ReportDocument.Distribution.Group, at y: inout Double) -> String {
        let bins = self.bars(group.buckets)
        let most = bins.map(\.value).max() ?? 0
        let count = group.buckets.map(\.count).reduce(0, +)
        var out = "<g class=\"t-\(group.tone.rawValue)\">"
        let number = NumberText.fixed(Double(count), decimals: 0)
        out +=
            "<text class=\"name\" x=\"0\" y=\"\(Markup.number(y + 13))\">\(Markup.escaped(group.name))<tspan class=\"count\" dx=\"8\">\(number) \(count == 1 ? "value" : "values")</tspan></text>"
        y += DistributionPlot.label
        let base = y + DistributionPlot.height
        if most > 0 {
            var path = "M0 \(Markup.number(DistributionPlot.height))"
            for (value, right) in bins {
                // What is there is seen, however rare it is.
                let height = value > 0 ? max(1, value / most * DistributionPlot.height) : 0
                path += "V\(Markup.number(DistributionPlot.height - height))H\(Markup.number(right * 1000))"
            }
            path += "V\(Markup.number(DistributionPlot.height))Z"
            out +=
                "<svg class=\"data\" x=\"0\" y=\"\(Markup.number(y))\" width=\"100%\" height=\"\(Markup.number(DistributionPlot.height))\" viewBox=\"0 0 1000 \(Markup.number(DistributionPlot.height))\" preserveAspectRatio=\"none\"><path class=\"area\" d=\"\(path)\"/></svg>"
        }
        out +=
            "<line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"\(Markup.number(base))\" y2=\"\(Markup.number(base))\"/>"
        let lanes = self.marks(group, from: y, base: base, into: &out)
        y = base + Double(lanes) * DistributionPlot.lane + 10
        return out + "</g>\n"
    }

    /// How tall each bar is, and where it ends. Buckets of one width are drawn as they are.
    private func bars(_ buckets: [ReportDocument.Distribution.Bucket]) -> [(value: Double, right: Double)] {
        if !self.plot.isLogarithmic, buckets.count <= DistributionPlot.bins, let first = buckets.first {
            let width = first.until - first.from
            let isEven =
                width > 0 && buckets.allSatisfy { abs($0.until - $0.from - width) < width * 1e-6 }
                && zip(buckets, buckets.dropFirst()).allSatisfy { $1.from >= $0.until - width * 1e-6 }
            if isEven {
                return buckets.flatMap { bucket in
                    [
                        (0.0, self.scale.position(bucket.from)),
                        (Double(bucket.count), self.scale.position(bucket.until)),
                    ]
                } + [(0.0, 1.0)]
            }
        }
        let bins = Rebinning.bins(buckets, on: self.scale, count: DistributionPlot.bins)
        return bins.enumerated().map { ($0.element, Double($0.offset + 1) / Double(DistributionPlot.bins)) }
    }

    /// Marks under the base line, in as many lanes as keep their labels apart on a narrow screen.
    private func marks(
        _ group: ReportDocument.Distribution.Group, from top: Double, base: Double, into out: inout String
    ) -> Int {
        var ends: [Double] = []
        var labels = ""
        for mark in self.distinct(group.marks) {
            let text = "\(mark.name) \(NumberText.significant(mark.value))"
            let position = self.scale.position(mark.value)
            let extent = PlotFrame.extent(text, at: position, edge: 0.3)
            let lane = ends.firstIndex { $0 + 10 <= extent.lowerBound } ?? ends.count
            if lane == ends.count { ends.append(0) }
            ends[lane] = extent.upperBound
            let x = Markup.percent(position)
            let below = base + Double(lane) * DistributionPlot.lane
            out +=
                "<line class=\"mark\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(Markup.number(top + 4))\" y2=\"\(Markup.number(below + 3))\"/>"
            labels +=
                "<text class=\"marked\" x=\"\(x)\" y=\"\(Markup.number(below + 13))\"\(PlotFrame.anchor(position, edge: 0.3))>\(Markup.escaped(text))</text>"
        }
        // After the lines, whose ends would cross them.
        out += labels
        return ends.count
    }

    /// Marks in rising order; those that read the same are one, with all their names.
    private func distinct(_ marks: [(name: String, value: Double)]) -> [(name: String, value: Double)] {
        var result: [(name: String, value: Double)] = []
        let drawn = marks.filter { $0.value.isFinite && (!self.plot.isLogarithmic || $0.value > 0) }
        for mark in drawn.sorted(by: { $0.value < $1.value }) {
            if let last = result.last, NumberText.significant(last.value) == NumberText.significant(mark.value) {
                result[result.count - 1].name += ", \(mark.name)"
            } else {
                result.append(mark)
            }
        }
        return result
    }

    private func limits(_ limits: [ReportDocument.TimeLines.Level], until bottom: Double) -> String {
        var out = "<g class=\"levels\">"
        for limit in limits {
            let position = self.scale.position(limit.value)
            let x = Markup.percent(position)
            out += "<line x1=\"\(x)\" x2=\"\(x)\" y1=\"16\" y2=\"\(Markup.number(bottom))\"/>"
            out +=
                "<text x=\"\(x)\" y=\"12\"\(PlotFrame.anchor(position, edge: 0.3))>\(Markup.escaped(limit.label))</text>"
        }
        return out + "</g>\n"
    }

    private var summary: String {
        let groups = self.plot.groups.prefix(6).map { group in
            let marks = group.marks.map { "\($0.name) \(NumberText.significant($0.value))" }.joined(separator: ", ")
            return marks.isEmpty ? group.name : "\(group.name): \(marks)"
        }
        let limits = self.plot.limits.map { " \($0.label): \(NumberText.significant($0.value))." }.joined()
        return "How often values occurred, \(self.plot.axis). \(groups.joined(separator: "; ")).\(limits)"
    }
}
