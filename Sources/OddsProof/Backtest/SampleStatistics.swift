/// What a sample of outcomes says, and how sure.
public struct SampleStatistics: Hashable, Sendable, Codable {
    /// How many values there are.
    public var count: Int
    /// Their mean; nil without values.
    public var mean: Double?
    /// Their standard deviation (n − 1); nil with fewer than two.
    public var deviation: Double?
    /// The 95 % interval of the mean by Student's t; nil with fewer than two values.
    public var interval: Interval?

    /// From and to.
    public struct Interval: Hashable, Sendable, Codable {
        /// The lower end.
        public var low: Double
        /// The upper end.
        public var high: Double

        /// An interval from its ends.
        public init(low: Double, high: Double) {
            self.low = low
            self.high = high
        }
    }

    /// What values say about their mean.
    public init(_ values: [Double]) {
        self.count = values.count
        guard !values.isEmpty else { return }
        let mean = values.reduce(0, +) / Double(values.count)
        self.mean = mean
        guard values.count > 1 else { return }
        let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
        let deviation = square.squareRoot()
        self.deviation = deviation
        let reach = Self.student(values.count - 1) * deviation / Double(values.count).squareRoot()
        self.interval = Interval(low: mean - reach, high: mean + reach)
    }

    /// The standard error of the mean; nil with fewer than two values.
    public var standardError: Double? { self.deviation.map { $0 / Double(self.count).squareRoot() } }

    /// The 97.5 % quantile of Student's t, to a thousandth; from the normal one by Cornish and Fisher's expansion, and by
    /// table where that is too rough.
    static func student(_ freedom: Int) -> Double {
        let table = [
            12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        ]
        if freedom <= table.count { return table[max(freedom, 1) - 1] }
        let (z, n) = (1.959_964, Double(freedom))
        let (z3, z5) = (z * z * z, z * z * z * z * z)
        return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n)
    }

    /// The 95 % interval of a share by Wilson, which stays within 0 and 1 and is honest about few; nil without any.
    public static func share(_ hits: Int, of count: Int) -> Interval? {
        guard count > 0 else { return nil }
        let (z, n) = (1.959_964, Double(count))
        let p = Double(hits) / n
        let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        let reach = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return Interval(low: max(0, centre - reach), high: min(1, centre + reach))
    }

    /// How well one order of values agrees with another, −1 to 1 (Spearman, ties by their mean rank); nil when one of them is
    /// constant, or with fewer than three.
    static func rankCorrelation(_ a: [Double], _ b: [Double]) -> Double? {
        guard a.count == b.count, a.count > 2 else { return nil }
        let (x, y) = (Self.ranks(a), Self.ranks(b))
        let centre = Double(a.count + 1) / 2
        var (product, xx, yy) = (0.0, 0.0, 0.0)
        for index in x.indices {
            let (dx, dy) = (x[index] - centre, y[index] - centre)
            product += dx * dy
            xx += dx * dx
            yy += dy * dy
        }
        return xx > 0 && yy > 0 ? product / (xx * yy).squareRoot() : nil
    }

    private static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        var ranks = Array(repeating: 0.0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start
            while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
            for place in start...end { ranks[order[place]] = Double(start + end) / 2 + 1 }
            start = end + 1
        }
        return ranks
    }
}
