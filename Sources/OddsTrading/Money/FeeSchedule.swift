public import OddsCore

/// What the venue takes from the taker of a trade: rate · (p · (1 − p))^exponent dollars a share.
public struct FeeSchedule: Hashable, Sendable, Codable {
    /// The rate in millionths, 0 to 1,000,000.
    public let rate: Int32
    /// The exponent, 1 or 2.
    public let exponent: Int

    /// A schedule from Gamma's `feeSchedule` (`rate`, `exponent`), with the rate in millionths.
    ///
    /// The rate must lie in 0...1,000,000, the exponent in 1...2: within them a share never gets cheaper by costing more,
    /// which is what makes an order's reserve sufficient.
    public init(rate: Int32, exponent: Int = 1) {
        precondition((0...1_000_000).contains(rate), "a fee rate lies between 0 and 1,000,000 millionths")
        precondition((1...2).contains(exponent), "a fee exponent is 1 or 2")
        self.rate = rate
        self.exponent = exponent
    }

    /// What the crypto markets take when Gamma says nothing: 0.07 · p · (1 − p).
    public static let crypto = FeeSchedule(rate: 70_000)
    /// A market without fees.
    public static let free = FeeSchedule(rate: 0)

    /// The fee on one trade's parts together, rounded up to a whole micro-dollar once, so that a paper trade never looks
    /// cheaper than a real one. The venue is said to round down to ten micro-dollars. Traps beyond a trillion shares.
    public func fee(on parts: some Sequence<Level>) -> Money {
        var exact: Int128 = 0
        // In units of 1e-6 (shares) · 1e-6 (rate) · 1e-8 (p · (1 − p)) for each power.
        for part in parts {
            let curve = Int128(part.price.rawValue) * Int128(10_000 - part.price.rawValue)
            let power = self.exponent == 1 ? curve : curve * curve
            exact += Int128(part.size.rawValue) * Int128(self.rate) * power
        }
        let unit: Int128 = self.exponent == 1 ? 100_000_000_000_000 : 10_000_000_000_000_000_000_000
        return Money(rawValue: Int64((exact + unit - 1) / unit))
    }

    /// The fee on so many shares at one price.
    public func fee(on size: Size, at price: Price) -> Money { self.fee(on: [Level(price: price, size: size)]) }

    private enum CodingKeys: String, CodingKey { case rate, exponent }

    /// Reads what `encode` wrote; refuses values outside of the ranges.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let rate = try container.decode(Int32.self, forKey: .rate)
        let exponent = try container.decode(Int.self, forKey: .exponent)
        guard (0...1_000_000).contains(rate), (1...2).contains(exponent) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: container.codingPath,
                    debugDescription: "a fee rate lies in 0...1000000 millionths, its exponent in 1...2"))
        }
        self.init(rate: rate, exponent: exponent)
    }
}
