/// A price of the reference feed in whole units of 1e-18 dollars: the scale in which Chainlink's are told, so that none is
/// rounded and a tie is a tie. Prices are between 0 and 1e15 dollars.
public struct ReferencePrice: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The price in units of 1e-18 dollars.
    public let rawValue: Int128

    /// A price from units of 1e-18 dollars. Differences may be negative.
    public init(rawValue: Int128) { self.rawValue = rawValue }

    /// One dollar in units.
    public static let dollar: Int128 = 1_000_000_000_000_000_000
    /// The largest price that is believed, in dollars.
    private static let limit: Int128 = 1_000_000_000_000_000

    /// A price from its decimal spelling in dollars, such as `76568.78`; an exponent (`1e-05`) is understood. Digits beyond
    /// the eighteenth decimal must be zero. Nil for anything else, a sign and prices beyond 1e15 dollars included.
    public init?(_ text: String) {
        var text = text
        let price = text.withUTF8 { Self.decimal(UnsafeRawBufferPointer($0)) }
        guard let price else { return nil }
        self = price
    }

    /// A price from whole units in digits, such as `76568780000000000000000`; nil for anything else.
    public init?(scaled text: String) {
        var text = text
        let price = text.withUTF8 { Self.scaled(UnsafeRawBufferPointer($0)) }
        guard let price else { return nil }
        self = price
    }

    /// The price of whole units in digits.
    static func scaled(_ text: UnsafeRawBufferPointer) -> ReferencePrice? {
        guard (1...34).contains(text.count) else { return nil }
        var value: Int128 = 0
        for byte in text {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int128(byte - 0x30)
        }
        return value <= Self.limit * Self.dollar ? ReferencePrice(rawValue: value) : nil
    }

    /// The price of a decimal in dollars.
    static func decimal(_ text: UnsafeRawBufferPointer) -> ReferencePrice? {
        var digits: [UInt8] = []
        var fraction: Int?
        var place = text.startIndex
        while place < text.endIndex, text[place] != 0x65, text[place] != 0x45 {
            let byte = text[place]
            if byte == 0x2E, fraction == nil {
                fraction = 0
            } else if byte >= 0x30, byte <= 0x39, digits.count < 48 {
                digits.append(byte)
                if let count = fraction { fraction = count + 1 }
            } else {
                return nil
            }
            place += 1
        }
        guard !digits.isEmpty, let exponent = Self.exponent(text[place...]) else { return nil }
        // What the digits stand for: their whole number, moved by this many decimal places.
        var shift = 18 - (fraction ?? 0) + exponent
        while shift < 0 {
            guard let last = digits.popLast() else { break }
            guard last == 0x30 else { return nil }
            shift += 1
        }
        while digits.first == 0x30 { digits.removeFirst() }
        guard !digits.isEmpty else { return ReferencePrice(rawValue: 0) }
        guard digits.count + shift <= 34 else { return nil }
        digits.append(contentsOf: repeatElement(0x30, count: shift))
        return digits.withUnsafeBytes { Self.scaled($0) }
    }

    /// The exponent behind a number, with its letter; 0 for none, nil for a broken one.
    private static func exponent(_ text: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard !text.isEmpty else { return 0 }
        var rest = text.dropFirst()
        let isNegative = rest.first == 0x2D
        if isNegative || rest.first == 0x2B { rest = rest.dropFirst() }
        guard (1...3).contains(rest.count), rest.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        let value = rest.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return isNegative ? -value : value
    }

    /// The price in dollars, for people and for JSON.
    public var doubleValue: Double {
        let (whole, rest) = self.rawValue.quotientAndRemainder(dividingBy: Self.dollar)
        return Double(Int64(clamping: whole)) + Double(Int64(clamping: rest)) / 1e18
    }

    /// The decimal spelling in dollars, without trailing zeros.
    public var description: String {
        let magnitude = self.rawValue.magnitude
        let whole = magnitude / UInt128(Self.dollar)
        var fraction = String(magnitude % UInt128(Self.dollar))
        fraction = String(repeating: "0", count: 18 - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return (self.rawValue < 0 ? "-" : "") + String(whole) + (fraction.isEmpty ? "" : "." + fraction)
    }

    /// By value.
    public static func < (a: ReferencePrice, b: ReferencePrice) -> Bool { a.rawValue < b.rawValue }
    /// The difference, which may be negative.
    public static func - (a: ReferencePrice, b: ReferencePrice) -> ReferencePrice {
        ReferencePrice(rawValue: a.rawValue - b.rawValue)
    }

    /// The mean of prices, rounded down to a unit; nil of none.
    public static func mean(of prices: some Collection<ReferencePrice>) -> ReferencePrice? {
        guard !prices.isEmpty else { return nil }
        return ReferencePrice(rawValue: prices.reduce(0) { $0 + $1.rawValue } / Int128(prices.count))
    }

    /// This difference in basis points (1e-4) of a price; nil of a price of zero.
    public func basisPoints(of price: ReferencePrice) -> Double? {
        price.rawValue == 0 ? nil : self.doubleValue / price.doubleValue * 10_000
    }
}

extension ReferencePrice: Codable {
    /// Reads the decimal spelling (`"76568.78"`), a leading minus included.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        let isNegative = text.hasPrefix("-")
        guard let price = ReferencePrice(isNegative ? String(text.dropFirst()) : text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no price")
        }
        self.init(rawValue: isNegative ? -price.rawValue : price.rawValue)
    }
    /// Writes the decimal spelling.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}
