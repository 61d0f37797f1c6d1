/// The odds of an outcome, 0 to 1, held exactly in millionths.
///
/// Finer than `Price`, because a midpoint can fall between two ticks.
public struct Odds: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The odds in units of 0.000001, 0 to 1,000,000.
    public let rawValue: Int32

    /// Odds from whole millionths. The value must lie in 0...1,000,000.
    @inlinable
    public init(rawValue: Int32) {
        precondition(rawValue >= 0 && rawValue <= 1_000_000, "odds lie between 0 and 1,000,000 millionths")
        self.rawValue = rawValue
    }

    /// Even odds.
    public static let half = Odds(rawValue: 500_000)

    /// Halfway between two prices, exact: a half tick is 50 millionths at the finest tick.
    @inlinable
    public static func midpoint(_ a: Price, _ b: Price) -> Odds { Odds(rawValue: (a.rawValue + b.rawValue) * 50) }

    /// 1 − these odds.
    @inlinable
    public var complement: Odds { Odds(rawValue: 1_000_000 - self.rawValue) }

    /// By value.
    @inlinable
    public static func < (a: Odds, b: Odds) -> Bool { a.rawValue < b.rawValue }

    /// The odds as a `Double`, for people and for JSON numbers; comparisons stay in whole units.
    public var doubleValue: Double { Double(self.rawValue) / 1_000_000 }
}

extension Odds: CustomStringConvertible {
    /// A plain decimal without trailing zeros (`0.7`, `0.505`).
    public var description: String { Decimals.print(Int64(self.rawValue), fractionDigits: 6) }
}

extension Odds: ExpressibleByFloatLiteral {
    /// Odds written as a literal; rounded to the nearest millionth.
    public init(floatLiteral value: Double) { self.init(rawValue: Int32((value * 1_000_000).rounded())) }
}
