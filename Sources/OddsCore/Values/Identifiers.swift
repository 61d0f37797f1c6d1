/// A market's condition id, as the venue writes it: `0x` and 64 hexadecimal digits.
public struct MarketID: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The venue's text.
    public let rawValue: String
    /// An id from the venue's text, taken as it is.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// An id from a literal.
    public init(stringLiteral value: String) { self.rawValue = value }
    /// The venue's text.
    public var description: String { self.rawValue }
}

/// An outcome token's id, as the venue writes it: 77 or 78 decimal digits.
public struct AssetID: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The venue's text.
    public let rawValue: String
    /// An id from the venue's text, taken as it is.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// An id from a literal.
    public init(stringLiteral value: String) { self.rawValue = value }
    /// The venue's text.
    public var description: String { self.rawValue }
}
