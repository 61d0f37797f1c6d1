internal import OddsCore

/// A simulated price of one asset: a pure function of seed and time, so that any moment can be asked at any time.
///
/// Noise of eighteen octaves, each twice as slow and √2 as large as the one before, adds up to something very close to
/// a random walk with the volatility asked for.
struct PricePath: Sendable {
    private static let octaves = 18
    private static let shortestPeriod: Int64 = 250

    private let seed: UInt64
    private let base: Double
    /// The relative standard deviation of the price after one second.
    let volatilityPerSecond: Double

    init(asset: String, seed: UInt64, yearlyVolatility: Double) {
        self.seed = Deterministic.mix(seed ^ Deterministic.hash("price " + asset))
        self.base =
            switch asset {
            case "btc": 87_000
            case "eth": 2_900
            case "sol": 130
            case "xrp": 2.1
            default: 100
            }
        self.volatilityPerSecond = yearlyVolatility / (31_557_600.0).squareRoot()
    }

    /// The price in dollars at a moment.
    func price(at time: Timestamp) -> Double {
        var sum = 0.0
        for octave in 0..<Self.octaves {
            let period = Self.shortestPeriod << Int64(octave)
            let cell = time.milliseconds.flooredQuotient(period)
            let part = Double(time.milliseconds - cell * period) / Double(period)
            let from = self.noise(octave, cell)
            let to = self.noise(octave, cell + 1)
            // 0.46 makes the increments of the sum as large as those of the walk.
            let size = 0.46 * (Double(period) / 1000).squareRoot()
            sum += size * (from + (to - from) * part)
        }
        return self.base * (1 + self.volatilityPerSecond * sum)
    }

    private func noise(_ octave: Int, _ cell: Int64) -> Double {
        let place = UInt64(bitPattern: cell) ^ (UInt64(octave) << 56)
        return Deterministic.normal(Deterministic.mix(self.seed ^ Deterministic.mix(place)))
    }
}
