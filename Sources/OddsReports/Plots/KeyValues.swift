/// What a plot shows, as a table: for those who do not see it, and for those who want the number.
enum KeyValues {
    /// Nothing longer than this is listed one by one.
    static let most = 100

    /// One row a line: where it begins and ends, how far it went and when.
    static func lines(_ plot: ReportDocument.TimeLines, on scale: TimeScale) -> ReportDocument.Table {
        let rows = plot.lines.map { line -> [String] in
            var first: Double?
            var last: Double?
            var smallest: (time: Int64, value: Double)?
            var largest: (time: Int64, value: Double)?
            var count = 0
            for point in line.points {
                guard let value = point.value, value.isFinite else { continue }
                count += 1
                if first == nil { first = value }
                last = value
                if smallest.map({ value < $0.value }) ?? true { smallest = (point.time, value) }
                if largest.map({ value > $0.value }) ?? true { largest = (point.time, value) }
            }
            func text(_ value: Double?) -> String { value.map(NumberText.significant) ?? "–" }
            func at(_ extreme: (time: Int64, value: Double)?) -> String {
                extreme.map { scale.moment($0.time) } ?? "–"
            }
            return [
                line.name, text(first), text(smallest?.value), at(smallest), text(largest?.value), at(largest),
                text(last), NumberText.fixed(Double(count), decimals: 0),
            ]
        }
        return ReportDocument.Table(
            "Key values: \(plot.title), \(plot.axis)",
            columns: [
                .init("line"), .init("first", isNumber: true), .init("lowest", isNumber: true),
                .init("at", isNumber: true),
                .init("highest", isNumber: true), .init("at", isNumber: true), .init("last", isNumber: true),
                .init("values", isNumber: true),
            ], rows: rows)
    }

    /// One row a span that is set off, the first ones.
    static func bands(_ bands: [ReportDocument.TimeLines.Band], on scale: TimeScale) -> ReportDocument.Table? {
        guard !bands.isEmpty else { return nil }
        let rows = bands.sorted { ($0.from, $0.until) < ($1.from, $1.until) }.prefix(KeyValues.most).map { band in
            [
                band.label, scale.moment(band.from), scale.moment(band.until),
                DurationWords.of(milliseconds: band.length),
            ]
        }
        let cut = bands.count > rows.count ? ", the first \(rows.count) of \(bands.count)" : ""
        return ReportDocument.Table(
            "Spans that are set off\(cut)",
            columns: [
                .init("what"), .init("from", isNumber: true), .init("until", isNumber: true),
                .init("for", isNumber: true),
            ],
            rows: Array(rows))
    }

    /// One row a group: how many values, and its marks.
    static func groups(_ plot: ReportDocument.Distribution) -> ReportDocument.Table {
        var names: [String] = []
        for mark in plot.groups.flatMap(\.marks) where !names.contains(mark.name) { names.append(mark.name) }
        let rows = plot.groups.map { group in
            [group.name, NumberText.fixed(Double(group.buckets.map(\.count).reduce(0, +)), decimals: 0)]
                + names.map { name in
                    group.marks.first { $0.name == name }.map { NumberText.significant($0.value) } ?? "–"
                }
        }
        return ReportDocument.Table(
            "Key values: \(plot.title), \(plot.axis)",
            columns: [.init("group"), .init("values", isNumber: true)] + names.map { .init($0, isNumber: true) },
            rows: rows)
    }

    /// One row a row and state: its share of the time the strip shows, how often, and the longest.
    static func states(_ plot: ReportDocument.Strip, on scale: TimeScale) -> ReportDocument.Table {
        var rows: [[String]] = []
        let whole = Double(scale.until - scale.from)
        for row in plot.rows {
            var labels: [String] = []
            for span in row.spans where !labels.contains(span.label) && labels.count < 20 { labels.append(span.label) }
            for label in labels {
                let spans = row.spans.filter { $0.label == label }
                let lengths = spans.map { max(0, $0.length) }
                let share = min(100, lengths.reduce(0) { $0 + Double($1) } / whole * 100)
                rows.append([
                    row.name, label, KeyValues.share(share), NumberText.fixed(Double(spans.count), decimals: 0),
                    DurationWords.of(milliseconds: lengths.max() ?? 0),
                ])
            }
        }
        return ReportDocument.Table(
            "Key values: \(plot.title)",
            columns: [
                .init("row"), .init("state"), .init("share of the time", isNumber: true),
                .init("times", isNumber: true),
                .init("longest", isNumber: true),
            ], rows: rows)
    }

    /// Per cent, never rounded up to all of it.
    static func share(_ percent: Double) -> String {
        if percent >= 99.995 { return percent >= 100 ? "100 %" : ">99.99 %" }
        if percent > 0, percent < 0.005 { return "<0.01 %" }
        return NumberText.fixed(percent, decimals: percent >= 10 && percent < 99 ? 1 : 2) + " %"
    }
}

extension ReportDocument.TimeLines.Band {
    /// Its length in milliseconds, kept within what 64 bits can hold.
    var length: Int64 {
        let (length, overflow) = self.until.subtractingReportingOverflow(self.from)
        return overflow ? (self.until > self.from ? .max : .min) : length
    }
}

/// How long something took, in as many digits as matter.
enum DurationWords {
    /// `350 ms`, `4.2 s`, `3 min 12 s`, `1 h 5 min`.
    static func of(milliseconds: Int64) -> String {
        if abs(milliseconds) < 1000 { return "\(milliseconds) ms" }
        if milliseconds < 60_000 { return NumberText.significant(Double(milliseconds) / 1000) + " s" }
        return SpanText.passed(Double(milliseconds) / 1000)
    }
}
