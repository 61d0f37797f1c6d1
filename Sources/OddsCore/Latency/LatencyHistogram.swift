internal import Histogram

/// How times are distributed, from a nanosecond to a quarter of an hour, each within one percent; the largest is exact.
///
/// An HDR histogram: its size does not depend on how much is recorded.
public struct LatencyHistogram: Sendable {
    private var counts: Histogram<UInt64>
    /// The largest time recorded, in nanoseconds; 0 when there is none.
    public private(set) var largest: Int64 = 0
    /// How many times were below zero and were recorded as zero.
    public private(set) var negatives: UInt64 = 0
    /// The sum of what was recorded, in nanoseconds.
    public private(set) var sum: Double = 0

    /// Longer times are recorded as this long, except in `largest`.
    private static let limit: Int64 = 900_000_000_000

    /// A histogram of nothing.
    public init() {
        self.counts = Histogram<UInt64>(
            highestTrackableValue: UInt64(Self.limit), numberOfSignificantValueDigits: .two)
    }

    /// Records a time in nanoseconds. Nothing is allocated.
    public mutating func record(_ nanoseconds: Int64) {
        if nanoseconds < 0 { self.negatives &+= 1 }
        let value = max(0, nanoseconds)
        self.largest = max(self.largest, value)
        self.sum += Double(value)
        self.counts.record(UInt64(min(value, Self.limit)))
    }

    /// Adds what another one has.
    public mutating func add(_ other: LatencyHistogram) {
        guard other.count > 0 else { return }
        self.counts.add(other.counts)
        self.largest = max(self.largest, other.largest)
        self.negatives &+= other.negatives
        self.sum += other.sum
    }

    /// Forgets everything.
    public mutating func reset() {
        guard self.count > 0 else { return }
        self.counts.reset()
        self.largest = 0
        self.negatives = 0
        self.sum = 0
    }

    /// How many times were recorded.
    public var count: UInt64 { self.counts.totalCount }

    /// The time that a share of all is not above, in nanoseconds; 0 when nothing was recorded.
    ///
    /// - Parameter percentile: 0 to 100.
    public func percentile(_ percentile: Double) -> Int64 {
        guard self.count > 0 else { return 0 }
        return min(self.largest, Int64(self.counts.valueAtPercentile(min(100, max(0, percentile)))))
    }

    /// How many times are at most this long, in nanoseconds.
    public func count(upTo nanoseconds: Int64) -> UInt64 {
        guard nanoseconds >= 0, self.count > 0 else { return 0 }
        if nanoseconds >= self.largest { return self.count }
        return self.counts.count(within: 0...UInt64(min(nanoseconds, Self.limit)))
    }

    /// The times by ranges that grow by a tenth of a decade each; ranges without any are left out.
    public var ranges: [LatencyRange] {
        var ranges: [LatencyRange] = []
        for step in self.counts.recordedValues() {
            // A value stands for its cell, and the cell's upper end is what is told; the range must hold it.
            let from = Self.lowerEnd(holding: step.value)
            if ranges.last?.from == from {
                ranges[ranges.count - 1].count += step.count
            } else {
                ranges.append(LatencyRange(from: from, until: Self.upperEnd(of: from), count: step.count))
            }
        }
        return ranges
    }

    /// 1, 1.25, 1.6 … 10, and so on: ends of ranges, in nanoseconds.
    private static let ends: [UInt64] = {
        let steps = [100.0, 126, 158, 200, 251, 316, 398, 501, 631, 794]
        var ends: [UInt64] = [0]
        var decade = 0.01
        while decade < 1e11 {
            for step in steps {
                let end = UInt64((step * decade).rounded())
                if let last = ends.last, end > last { ends.append(end) }
            }
            decade *= 10
        }
        return ends
    }()

    private static func place(of value: UInt64) -> Int {
        var low = 0
        var high = Self.ends.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if Self.ends[middle] <= value { low = middle } else { high = middle }
        }
        return low
    }

    private static func lowerEnd(holding value: UInt64) -> Int64 { Int64(Self.ends[Self.place(of: value)]) }

    private static func upperEnd(of lower: Int64) -> Int64 {
        let place = Self.place(of: UInt64(lower)) + 1
        return place < Self.ends.count ? Int64(Self.ends[place]) : lower * 5 / 4
    }
}

/// How many times fell into a range.
public struct LatencyRange: Hashable, Sendable, Codable {
    /// From here on, in nanoseconds.
    public var from: Int64
    /// Up to here, itself not included, in nanoseconds.
    public var until: Int64
    /// How many.
    public var count: UInt64

    /// A range from its parts.
    public init(from: Int64, until: Int64, count: UInt64) {
        self.from = from
        self.until = until
        self.count = count
    }

    private enum CodingKeys: String, CodingKey {
        case from = "from_ns"
        case until = "until_ns"
        case count
    }
}

/// What is told of a distribution of times.
public struct LatencySummary: Hashable, Sendable, Codable {
    /// How many were measured.
    public var count: UInt64
    /// Half were at most this long, in milliseconds.
    public var p50: Double
    /// 90 % were at most this long, in milliseconds.
    public var p90: Double
    /// 99 % were at most this long, in milliseconds.
    public var p99: Double
    /// 99.9 % were at most this long, in milliseconds.
    public var p999: Double
    /// The longest, in milliseconds.
    public var maximum: Double
    /// The mean, in milliseconds.
    public var mean: Double

    /// The summary of a histogram.
    public init(_ histogram: LatencyHistogram) {
        func milliseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1_000_000 }
        self.count = histogram.count
        self.p50 = milliseconds(histogram.percentile(50))
        self.p90 = milliseconds(histogram.percentile(90))
        self.p99 = milliseconds(histogram.percentile(99))
        self.p999 = milliseconds(histogram.percentile(99.9))
        self.maximum = milliseconds(histogram.largest)
        self.mean = histogram.count > 0 ? histogram.sum / Double(histogram.count) / 1_000_000 : 0
    }

    private enum CodingKeys: String, CodingKey {
        case count
        case p50 = "p50_ms"
        case p90 = "p90_ms"
        case p99 = "p99_ms"
        case p999 = "p999_ms"
        case maximum = "max_ms"
        case mean = "mean_ms"
    }
}
