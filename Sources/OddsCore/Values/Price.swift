/// A price of one outcome share in dollars, 0 to 1, held exactly as a whole number of ten-thousandths.
///
/// The venue's finest tick is 0.0001 ("protocol reference", number formats), so every price it can quote fits.
public struct Price: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The price in units of 0.0001 dollars, 0 to 10,000.
    public let rawValue: Int32

    /// A price from whole ten-thousandths. The value must lie in 0...10,000.
    @inlinable
    public init(rawValue: Int32) {
        precondition(rawValue >= 0 && rawValue <= 10_000, "a price lies between 0 and 10,000 ten-thousandths")
        self.rawValue = rawValue
    }

    @usableFromInline
    init(unchecked rawValue: Int32) { self.rawValue = rawValue }

    /// 0 dollars: what the venue reports as the best bid of a side without bids.
    public static let zero = Price(rawValue: 0)
    /// 1 dollar: what the venue reports as the best ask of a side without asks.
    public static let one = Price(rawValue: 10_000)

    /// The price of the opposite outcome: 1 − this price.
    @inlinable
    public var complement: Price { Price(rawValue: 10_000 - self.rawValue) }

    /// The same price as odds.
    @inlinable
    public var odds: Odds { Odds(rawValue: self.rawValue * 100) }

    /// By value.
    @inlinable
    public static func < (a: Price, b: Price) -> Bool { a.rawValue < b.rawValue }
}

extension Price {
    /// Parses a decimal such as `0.48`, `.48`, `1` or `0.4800`: digits and at most one point.
    ///
    /// Nil when the text is anything else, when it lies outside 0 to 1, or when it is finer than 0.0001.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let value = copy.withUTF8({ Price(utf8: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = value
    }

    /// Parses the same decimal from bytes.
    @inline(__always)
    init?(utf8: UnsafeRawBufferPointer) {
        guard let scaled = Decimals.parse(utf8, fractionDigits: 4), scaled <= 10_000 else { return nil }
        self.init(unchecked: Int32(truncatingIfNeeded: scaled))
    }

    /// The price as a `Double`, for people and for JSON numbers; arithmetic stays in whole units.
    public var doubleValue: Double { Double(self.rawValue) / 10_000 }
}

extension Price: CustomStringConvertible {
    /// The venue's own spelling: at least one digit before the point, no trailing zeros (`0.5`, `0.481`, `1`).
    public var description: String { Decimals.print(Int64(self.rawValue), fractionDigits: 4) }
}

extension Price: ExpressibleByFloatLiteral {
    /// A price written as a literal; rounded to the nearest 0.0001.
    public init(floatLiteral value: Double) { self.init(rawValue: Int32((value * 10_000).rounded())) }
}
