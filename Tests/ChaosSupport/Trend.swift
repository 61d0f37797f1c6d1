/// A straight line through measured values, by least squares, and how sure its slope is.
package struct Trend: Sendable {
    /// How much the values grow for each unit of time.
    package let slope: Double
    /// Half of the slope's 95 % confidence interval: the slope is within this of `slope`.
    package let uncertainty: Double

    /// The line through these points; nil for fewer than three, or when all are of one moment.
    package init?(_ points: [(time: Double, value: Double)]) {
        guard points.count >= 3 else { return nil }
        let count = Double(points.count)
        let meanTime = points.reduce(0) { $0 + $1.time } / count
        let meanValue = points.reduce(0) { $0 + $1.value } / count
        let spread = points.reduce(0) { $0 + ($1.time - meanTime) * ($1.time - meanTime) }
        guard spread > 0 else { return nil }
        let slope = points.reduce(0) { $0 + ($1.time - meanTime) * ($1.value - meanValue) } / spread
        let residues = points.reduce(0) { sum, point in
            let residue = point.value - meanValue - slope * (point.time - meanTime)
            return sum + residue * residue
        }
        self.slope = slope
        self.uncertainty = Self.quantile(freedom: count - 2) * (residues / (count - 2) / spread).squareRoot()
    }

    /// The slope is at least this, with 97.5 % confidence.
    package var lowerBound: Double { self.slope - self.uncertainty }

    /// The 97.5 % quantile of Student's distribution, by its expansion around the normal distribution's.
    private static func quantile(freedom: Double) -> Double {
        let normal = 1.959964
        guard freedom > 2 else { return freedom > 1 ? 4.303 : 12.706 }
        let cube = normal * normal * normal
        return normal + (cube + normal) / (4 * freedom)
            + (5 * cube * normal * normal + 16 * cube + 3 * normal) / (96 * freedom * freedom)
    }
}
