public import OddsCore

/// An amount of dollars, held exactly as whole micro-dollars; negative for a debt or a loss.
///
/// Prices are whole ten-thousandths and orders are whole hundredths of a share (`Lot`), so what shares cost is exact.
/// Sums trap on overflow, which lies beyond nine trillion dollars.
public struct Money: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The amount in units of 0.000001 dollars.
    public let rawValue: Int64

    /// An amount from whole micro-dollars.
    @inlinable
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Nothing.
    public static let zero = Money(rawValue: 0)

    /// By value.
    @inlinable
    public static func < (a: Money, b: Money) -> Bool { a.rawValue < b.rawValue }
    /// The sum.
    @inlinable
    public static func + (a: Money, b: Money) -> Money { Money(rawValue: a.rawValue + b.rawValue) }
    /// The difference.
    @inlinable
    public static func - (a: Money, b: Money) -> Money { Money(rawValue: a.rawValue - b.rawValue) }
    /// Adds in place.
    @inlinable
    public static func += (a: inout Money, b: Money) { a = a + b }
    /// Subtracts in place.
    @inlinable
    public static func -= (a: inout Money, b: Money) { a = a - b }

    /// What so many shares cost at one price, rounded up to a whole micro-dollar; exact for whole lots.
    public static func cost(of size: Size, at price: Price) -> Money {
        // 1e-6 shares times 1e-4 dollars is 1e-10 dollars: 10,000 of them make a micro-dollar.
        Money(rawValue: Int64((Int128(size.rawValue) * Int128(price.rawValue) + 9_999) / 10_000))
    }

    /// What so many shares of a winning outcome pay: 1 dollar each.
    public static func payout(of size: Size) -> Money { Money(rawValue: size.rawValue) }

    /// What so many shares of one side are paid: 1 dollar each when it won, half a dollar when the payout is split.
    static func payout(of size: Size, held side: Side, winner: Side?) -> Money {
        switch winner {
        // Lots are even in micro-shares: half a dollar for each is exact.
        case nil: Money(rawValue: Self.payout(of: size).rawValue / 2)
        case .some(let winner): winner == side ? .payout(of: size) : .zero
        }
    }
}

extension Money {
    /// The amount in dollars, for people and JSON numbers; sums stay in whole micro-dollars.
    public var doubleValue: Double { Double(self.rawValue) / 1_000_000 }
}

extension Money: CustomStringConvertible {
    /// A plain decimal without trailing zeros (`12.5`, `-0.000001`).
    public var description: String {
        let magnitude = self.rawValue.magnitude
        var text = (self.rawValue < 0 ? "-" : "") + String(magnitude / 1_000_000)
        var fraction = magnitude % 1_000_000
        guard fraction != 0 else { return text }
        text += "."
        var unit: UInt64 = 100_000
        while fraction != 0 {
            text += String(fraction / unit)
            fraction %= unit
            unit /= 10
        }
        return text
    }
}

extension Money: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    /// Whole dollars.
    public init(integerLiteral value: Int64) { self.init(rawValue: value * 1_000_000) }
    /// An amount written as a literal; rounded to the nearest micro-dollar.
    public init(floatLiteral value: Double) { self.init(rawValue: Int64((value * 1_000_000).rounded())) }
}

extension Money: Codable {
    /// Whole micro-dollars.
    public init(from decoder: any Decoder) throws {
        self.init(rawValue: try decoder.singleValueContainer().decode(Int64.self))
    }
    /// Whole micro-dollars.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.rawValue)
    }
}

/// The step of an order's size: a hundredth of a share, the venue's two decimals.
public enum Lot {
    /// One step, in micro-shares.
    static let rawValue: Int64 = 10_000

    /// The size rounded down to whole lots.
    public static func floor(_ size: Size) -> Size { Size(rawValue: size.rawValue - size.rawValue % Self.rawValue) }

    /// Whether the size is a whole number of lots.
    public static func divides(_ size: Size) -> Bool { size.rawValue % Self.rawValue == 0 }

    /// As many whole lots as an amount pays for at one price, without fees; none for a price of 0 or a debt.
    public static func affordable(_ amount: Money, at price: Price) -> Size {
        guard price > .zero, amount > .zero else { return .zero }
        // Capped far below what 64 bits hold: a price of a ten-thousandth buys many shares.
        let shares = Int128(amount.rawValue) * 10_000 / Int128(price.rawValue)
        return Self.floor(Size(rawValue: Int64(Swift.min(shares, Int128(Int64.max)))))
    }
}
