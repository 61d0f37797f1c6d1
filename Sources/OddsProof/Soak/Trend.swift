internal import OddsCore

/// How fast values grow, and how sure that is.
///
/// The slope is Theil and Sen's: the median of the slopes between all pairs of points. Up to a quarter of the points may lie
/// anywhere without moving it far, and a single step is no slope. The bounds come from a bootstrap that draws the
/// residues in runs of neighbours, since memory a minute ago says much about memory now: residues drawn one by one, or Student's
/// interval around a least-squares line, would claim a certainty that is not there.
package struct Trend: Sendable {
    /// How much the values grow for each unit of time.
    package let slope: Double
    /// The slope is at least this, with 97.5 % confidence.
    package let lowerBound: Double
    /// The slope is at most this, with 97.5 % confidence.
    package let upperBound: Double
    /// The value of the line at time 0.
    package let intercept: Double

    /// Fewer points tell nothing.
    package static let leastPoints = 8
    /// More points make it slow and no better: take the least or the mean of neighbours before.
    package static let mostPoints = 60
    private static let draws = 300

    /// The line through these points, in ascending order of time; nil for too few, or when all are of one moment.
    package init?(_ points: [(time: Double, value: Double)]) {
        guard points.count >= Self.leastPoints, let first = points.first, let last = points.last,
            last.time > first.time
        else { return nil }
        let times = points.map(\.time)
        let values = points.map(\.value)
        let slope = Self.slope(times, values)
        let intercept = Self.median(zip(times, values).map { $1 - slope * $0 })
        // Residues shrink by fitting; this makes up for it.
        let count = times.count
        let widening = (Double(count) / Double(count - 2)).squareRoot()
        let residues = zip(times, values).map { ($1 - intercept - slope * $0) * widening }
        let run = max(2, Int(Double(count).squareRoot().rounded(.up)))
        // The same points give the same bounds.
        var random = SplitMix64(seed: 0x7EED)
        var slopes: [Double] = []
        slopes.reserveCapacity(Self.draws)
        for _ in 0..<Self.draws {
            var drawn: [Double] = []
            drawn.reserveCapacity(count + run)
            while drawn.count < count {
                let start = Int(random.next() % UInt64(count - run + 1))
                drawn += residues[start..<(start + run)]
            }
            slopes.append(Self.slope(times, Array(drawn.prefix(count))))
        }
        slopes.sort()
        self.slope = slope
        self.intercept = intercept
        // What the draws are off by, on the other side.
        self.lowerBound = slope - max(0, slopes[Int(Double(Self.draws) * 0.975) - 1])
        self.upperBound = slope - min(0, slopes[Int(Double(Self.draws) * 0.025)])
    }

    private static func slope(_ times: [Double], _ values: [Double]) -> Double {
        var slopes: [Double] = []
        slopes.reserveCapacity(times.count * (times.count - 1) / 2)
        for later in times.indices {
            for earlier in 0..<later where times[later] > times[earlier] {
                slopes.append((values[later] - values[earlier]) / (times[later] - times[earlier]))
            }
        }
        return Self.median(slopes)
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
