/// A number of shares, held exactly as whole micro-shares (1e-6).
///
/// Books carry up to 2 decimals and trades up to 6 ("protocol reference", number formats).
public struct Size: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The size in units of 0.000001 shares; never negative.
    public let rawValue: Int64

    /// A size from whole micro-shares. The value must not be negative.
    @inlinable
    public init(rawValue: Int64) {
        precondition(rawValue >= 0, "a size is never negative")
        self.rawValue = rawValue
    }

    @usableFromInline
    init(unchecked rawValue: Int64) { self.rawValue = rawValue }

    /// No shares: as a level's new total it means that the level is gone.
    public static let zero = Size(rawValue: 0)

    /// By value.
    @inlinable
    public static func < (a: Size, b: Size) -> Bool { a.rawValue < b.rawValue }

    /// The sum. Traps on overflow, which lies beyond nine trillion shares.
    @inlinable
    public static func + (a: Size, b: Size) -> Size { Size(rawValue: a.rawValue + b.rawValue) }

    /// The difference; zero when `b` is larger.
    @inlinable
    public static func - (a: Size, b: Size) -> Size { Size(rawValue: Swift.max(0, a.rawValue - b.rawValue)) }
}

extension Size {
    /// Parses a decimal such as `2537`, `57.5` or `.25`: digits and at most one point.
    ///
    /// Nil when the text is anything else, finer than 1e-6, or beyond 9.2 trillion shares.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let value = copy.withUTF8({ Size(utf8: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = value
    }

    /// Parses the same decimal from bytes.
    @inline(__always)
    init?(utf8: UnsafeRawBufferPointer) {
        guard let scaled = Decimals.parse(utf8, fractionDigits: 6) else { return nil }
        self.init(unchecked: scaled)
    }

    /// The size as a `Double`, for people and for JSON numbers; arithmetic stays in whole units.
    public var doubleValue: Double { Double(self.rawValue) / 1_000_000 }
}

extension Size: CustomStringConvertible {
    /// The venue's own spelling, without trailing zeros (`2537`, `57.5`).
    public var description: String { Decimals.print(self.rawValue, fractionDigits: 6) }
}

extension Size: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    /// A whole number of shares.
    public init(integerLiteral value: Int64) { self.init(rawValue: value * 1_000_000) }
    /// A size written as a literal; rounded to the nearest micro-share.
    public init(floatLiteral value: Double) { self.init(rawValue: Int64((value * 1_000_000).rounded())) }
}
