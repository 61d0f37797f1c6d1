/// Fewer values that draw the same picture.
enum Thinning {
    /// The points that are needed for so many columns of pixels: of each column the first, the smallest, the largest and
    /// the last value, in their order, and a gap where it ends in one. Points outside the axis are left out, but for the
    /// last one before it, whose value still holds at its begin. Points that are not finite are gaps.
    static func points(_ points: [ReportDocument.TimeLines.Point], on scale: TimeScale, columns: Int)
        -> [ReportDocument.TimeLines.Point]
    {
        let sorted = Thinning.sorted(points)
        guard sorted.count > columns * 4 else { return sorted }
        var result: [ReportDocument.TimeLines.Point] = []
        result.reserveCapacity(columns * 4)
        var start = 0
        func column(_ index: Int) -> Int { Int(scale.position(sorted[index].time) * Double(columns)) }
        while start < sorted.count {
            let current = column(start)
            var end = start + 1
            while end < sorted.count, column(end) == current { end += 1 }
            Thinning.keep(sorted[start..<end], in: &result)
            start = end
        }
        return result
    }

    private static func keep(
        _ points: ArraySlice<ReportDocument.TimeLines.Point>, in result: inout [ReportDocument.TimeLines.Point]
    ) {
        var smallest: (index: Int, value: Double)?
        var largest: (index: Int, value: Double)?
        var first: Int?
        for index in points.indices {
            guard let value = points[index].value else { continue }
            if first == nil { first = index }
            if smallest.map({ value < $0.value }) ?? true { smallest = (index, value) }
            if largest.map({ value > $0.value }) ?? true { largest = (index, value) }
        }
        var kept = Set([points.endIndex - 1])
        // A gap that the column begins with goes on from the one before.
        if points[points.startIndex].value == nil { kept.insert(points.startIndex) }
        for index in [first, smallest?.index, largest?.index] { if let index { kept.insert(index) } }
        result += kept.sorted().map { points[$0] }
    }

    /// In the order of time, the given order kept among equals; values that are not finite become gaps.
    private static func sorted(_ points: [ReportDocument.TimeLines.Point]) -> [ReportDocument.TimeLines.Point] {
        let finite = points.map { point in
            ReportDocument.TimeLines.Point(point.time, point.value.flatMap { $0.isFinite ? $0 : nil })
        }
        guard zip(finite, finite.dropFirst()).contains(where: { $0.time > $1.time }) else { return finite }
        return finite.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }

    /// Spans of states, thinned.
    struct Spans {
        /// What lasted longest, column by column.
        var states: [ReportDocument.TimeLines.Band]
        /// What is worse and too short to be a state of its own: a short outage stays visible in a long run.
        var brief: [ReportDocument.TimeLines.Band]
    }

    /// Spans of states for so many columns: all as they are when they are few. Otherwise neighbours of one label and tone
    /// become one span, and a column that several states share is of the one that took most of it.
    static func spans(_ spans: [ReportDocument.TimeLines.Band], on scale: TimeScale, columns: Int) -> Spans {
        let sorted = Thinning.joined(
            spans.filter { $0.until >= scale.from && $0.from <= scale.until && $0.until >= $0.from }
                .sorted { ($0.from, $0.until) < ($1.from, $1.until) })
        guard sorted.count > columns / 2 else { return Spans(states: sorted, brief: []) }
        var longest = [(index: Int, length: Double)?](repeating: nil, count: columns)
        var worst = [Int?](repeating: nil, count: columns)
        for (index, span) in sorted.enumerated() {
            let from = scale.position(span.from) * Double(columns)
            let until = scale.position(span.until) * Double(columns)
            let first = min(columns - 1, Int(from))
            let last = max(first, min(columns - 1, Int(until.rounded(.up)) - 1))
            for column in first...last {
                let length = max(0, min(until, Double(column + 1)) - max(from, Double(column)))
                if longest[column].map({ length > $0.length }) ?? true { longest[column] = (index, length) }
                if worst[column].map({ span.tone.weight > sorted[$0].tone.weight }) ?? true { worst[column] = index }
            }
        }
        let brief = (0..<columns).map { column -> Int? in
            guard let bad = worst[column], let main = longest[column]?.index,
                sorted[bad].tone.weight > sorted[main].tone.weight
            else { return nil }
            return bad
        }
        return Spans(
            states: Thinning.runs(longest.map { $0?.index }, of: sorted, on: scale),
            brief: Thinning.runs(brief, of: sorted, on: scale))
    }

    /// Spans of one label and tone that follow each other without a gap, put together.
    private static func joined(_ sorted: [ReportDocument.TimeLines.Band]) -> [ReportDocument.TimeLines.Band] {
        var result: [ReportDocument.TimeLines.Band] = []
        for span in sorted {
            if let last = result.last, last.until == span.from, last.label == span.label, last.tone == span.tone {
                result[result.count - 1].until = span.until
            } else {
                result.append(span)
            }
        }
        return result
    }

    /// Neighbouring columns of one label and tone, put together.
    private static func runs(_ cells: [Int?], of sorted: [ReportDocument.TimeLines.Band], on scale: TimeScale)
        -> [ReportDocument.TimeLines.Band]
    {
        let columns = cells.count
        var result: [ReportDocument.TimeLines.Band] = []
        let width = Double(scale.until - scale.from) / Double(columns)
        func time(_ column: Int) -> Int64 { scale.from + Int64((Double(column) * width).rounded()) }
        var column = 0
        while column < columns {
            guard let index = cells[column] else {
                column += 1
                continue
            }
            let span = sorted[index]
            var end = column + 1
            while end < columns, let next = cells[end], sorted[next].tone == span.tone, sorted[next].label == span.label
            {
                end += 1
            }
            result.append(.init(from: time(column), until: time(end), label: span.label, tone: span.tone))
            column = end
        }
        return result
    }
}

extension ReportDocument.Tone {
    /// How much a tone must be seen: bad news most.
    var weight: Int {
        switch self {
        case .bad: 3
        case .warning: 2
        case .first, .second, .third, .fourth: 1
        case .good, .neutral: 0
        }
    }
}
