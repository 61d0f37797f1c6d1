import OddsCore
import OddsProof
import Testing

@Suite struct TrendTests {
    /// Noise whose values stick to each other, as memory does.
    private static func noise(_ count: Int, _ stickiness: Double, _ random: inout SplitMix64) -> [Double] {
        var last = 0.0
        return (0..<count).map { _ in
            let draw = (0..<4).reduce(0) { sum, _ in sum + Double.random(in: -1...1, using: &random) }
            last = stickiness * last + draw
            return last
        }
    }

    private static func trend(_ values: [Double]) -> Trend? {
        Trend(values.enumerated().map { (time: Double($0.offset), value: $0.element) })
    }

    @Test func aLineIsFoundExactly() throws {
        let trend = try #require(Self.trend((0..<20).map { 100 + 3 * Double($0) }))
        #expect(abs(trend.slope - 3) < 1e-9)
        #expect(abs(trend.intercept - 100) < 1e-9)
        #expect(abs(trend.upperBound - trend.lowerBound) < 1e-9)
    }

    @Test func fewPointsTellNothing() {
        #expect(Self.trend([1, 2, 3, 4, 5, 6, 7]) == nil)
        #expect(Trend((0..<20).map { _ in (time: 1.0, value: 2.0) }) == nil)
    }

    /// Of many runs the bounds hold the true slope nearly as often as they claim, for noise that sticks as well.
    @Test(arguments: [0.0, 0.5, 0.8]) func theBoundsHoldTheSlope(stickiness: Double) {
        var random = SplitMix64(seed: 11)
        var held = 0
        let runs = 100
        for _ in 0..<runs {
            let noise = Self.noise(60, stickiness, &random)
            guard let trend = Self.trend(noise.enumerated().map { $0.element + 0.2 * Double($0.offset) }) else {
                continue
            }
            if trend.lowerBound <= 0.2, 0.2 <= trend.upperBound { held += 1 }
        }
        // 95 are claimed; by chance a hundred runs hold five fewer.
        #expect(held >= 87, "\(held) of \(runs)")
    }

    @Test func aStepIsNoSlope() throws {
        var random = SplitMix64(seed: 4)
        let values = Self.noise(60, 0.3, &random).enumerated().map { $0.element + ($0.offset >= 20 ? 10 : 0) }
        let trend = try #require(Self.trend(values))
        #expect(trend.lowerBound <= 0)
    }

    @Test func aFewWildValuesDoNotMoveIt() throws {
        var values = (0..<60).map { 50 + 0.5 * Double($0) }
        for place in [3, 17, 30, 44, 58] { values[place] += 10_000 }
        let trend = try #require(Self.trend(values))
        #expect(abs(trend.slope - 0.5) < 0.05)
    }

    @Test func growthIsSeenThroughNoise() throws {
        var random = SplitMix64(seed: 9)
        let values = Self.noise(60, 0.5, &random).enumerated().map { $0.element + 0.5 * Double($0.offset) }
        let trend = try #require(Self.trend(values))
        #expect(trend.lowerBound > 0)
    }

    @Test func theSameValuesGiveTheSameBounds() throws {
        var random = SplitMix64(seed: 2)
        let values = Self.noise(40, 0.5, &random)
        let first = try #require(Self.trend(values))
        let second = try #require(Self.trend(values))
        #expect(first.lowerBound == second.lowerBound && first.upperBound == second.upperBound)
    }
}
