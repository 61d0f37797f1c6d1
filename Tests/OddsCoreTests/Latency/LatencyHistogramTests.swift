import OddsCore
import Testing

@Suite struct LatencyHistogramTests {
    @Test func percentilesAreWithinAPercentAndTheLargestIsExact() {
        var histogram = LatencyHistogram()
        for value in 1...1000 as ClosedRange<Int64> { histogram.record(value * 1_000_003) }
        #expect(histogram.count == 1000)
        for (percentile, expected) in [(50.0, 500.0), (90, 900), (99, 990), (99.9, 999)] {
            let found = Double(histogram.percentile(percentile)) / 1_000_003
            #expect(abs(found - expected) / expected < 0.01, "p\(percentile)")
        }
        #expect(histogram.largest == 1_000_003_000)
        #expect(histogram.percentile(100) == 1_000_003_000)
    }

    @Test func whatIsBelowZeroCountsAsZeroAndIsCounted() {
        var histogram = LatencyHistogram()
        histogram.record(-5)
        #expect(histogram.count == 1)
        #expect(histogram.negatives == 1)
        #expect(histogram.largest == 0)
    }

    @Test func hoursAreCountedAsTheLongestThatCanBeTold() {
        var histogram = LatencyHistogram()
        histogram.record(.max)
        #expect(histogram.count == 1)
        #expect(histogram.largest == .max)
        #expect(histogram.percentile(50) >= 890_000_000_000)
    }

    @Test func nothingHasNoPercentiles() {
        let histogram = LatencyHistogram()
        #expect(histogram.percentile(99) == 0)
        #expect(histogram.ranges.isEmpty)
        #expect(histogram.count(upTo: .max) == 0)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>) func rangesHoldEveryValueOnce(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var histogram = LatencyHistogram()
        for _ in 0..<2_000 {
            let most = Int64(1) << Int64.random(in: 1...39, using: &random)
            histogram.record(Int64.random(in: 0...most, using: &random))
        }
        let ranges = histogram.ranges
        #expect(ranges.reduce(0) { $0 + $1.count } == 2_000)
        for range in ranges { #expect(range.from < range.until) }
        for (range, next) in zip(ranges, ranges.dropFirst()) { #expect(range.until <= next.from) }
        #expect(ranges.count < 130)
    }

    @Test func sumsAddUp() {
        var a = LatencyHistogram()
        var b = LatencyHistogram()
        a.record(1_000_000)
        b.record(3_000_000)
        b.record(-1)
        a.add(b)
        #expect(a.count == 3)
        #expect(a.sum == 4_000_000)
        #expect(a.negatives == 1)
        #expect(a.largest == 3_000_000)
        #expect(a.count(upTo: 2_000_000) == 2)
        a.reset()
        #expect(a.count == 0 && a.largest == 0 && a.sum == 0)
    }
}
