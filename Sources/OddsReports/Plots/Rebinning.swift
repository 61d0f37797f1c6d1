/// Counts of ranges of any width, shared out to bins that are equally wide on an axis.
enum Rebinning {
    /// How many values each bin has; a bucket's count is shared out by how much of it lies in a bin.
    static func bins(_ buckets: [ReportDocument.Distribution.Bucket], on scale: Scale, count: Int) -> [Double] {
        var bins = [Double](repeating: 0, count: count)
        for bucket in buckets where bucket.count > 0 && bucket.from.isFinite && bucket.until.isFinite {
            let from = scale.position(bucket.from) * Double(count)
            let until = scale.position(bucket.until) * Double(count)
            guard until > from else {
                bins[min(count - 1, max(0, Int(from)))] += Double(bucket.count)
                continue
            }
            var bin = min(count - 1, Int(from))
            while bin < count, Double(bin) < until {
                let part = min(until, Double(bin + 1)) - max(from, Double(bin))
                bins[bin] += Double(bucket.count) * max(0, part) / (until - from)
                bin += 1
            }
        }
        return bins
    }

    /// The axis that shows all groups, their marks and the limits. Where it is logarithmic, what is not above zero begins
    /// at half the smallest bound that is.
    static func scale(_ plot: ReportDocument.Distribution) -> Scale {
        let buckets = plot.groups.flatMap(\.buckets).filter { $0.count > 0 && $0.from.isFinite && $0.until.isFinite }
        // A handful of zeros, told as less than the clock's smallest step, must not stretch the axis by powers of ten.
        let least = buckets.map(\.from).filter { $0 > 0 }.min() ?? 0
        let bounds = buckets.flatMap { plot.isLogarithmic && $0.until < least ? [$0.from] : [$0.from, $0.until] }
        let values =
            bounds + plot.groups.flatMap { $0.marks.map(\.value) }
            + plot.limits.map(\.value)
        let usable = values.filter { $0.isFinite && (!plot.isLogarithmic || $0 > 0) }
        guard let lower = usable.min(), let upper = usable.max() else {
            return Scale(plot.isLogarithmic ? 1 : 0, plot.isLogarithmic ? 10 : 1, isLogarithmic: plot.isLogarithmic)
        }
        guard plot.isLogarithmic else {
            let room = (upper - lower) * 0.02
            return Scale(lower >= 0 && lower < upper / 4 ? 0 : lower - room, upper + room)
        }
        let hasNothing = values.contains { $0 <= 0 }
        return Scale((hasNothing ? lower / 2 : lower) / 1.05, upper * 1.1, isLogarithmic: true)
    }
}
