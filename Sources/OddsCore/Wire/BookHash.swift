internal import Crypto

/// The venue's fingerprint of one token's whole book: SHA-1 over the book's compact JSON, spelled as 40 hex digits.
///
/// Two books with the same hash are identical, so a match proves that a book rebuilt from changes is exact and complete.
/// `book` carries the hash of the levels beside it; `price_change` carries the hash after the whole batch, with the
/// message's own timestamp. A trade-driven book is hashed with the new last trade price, which the feed tells only later.
public struct BookHash: Hashable, Sendable {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt32

    fileprivate init(_ digest: Insecure.SHA1Digest) {
        (self.first, self.second, self.third) = digest.withUnsafeBytes { raw in
            (
                UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                UInt32(bigEndian: raw.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
            )
        }
    }

    /// The hash a message carries; nil for anything but 40 hex digits (recordings of other eras leave it empty).
    public init?(hex: some StringProtocol) {
        var copy = String(hex)
        guard let hash = copy.withUTF8({ BookHash(utf8: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = hash
    }

    /// The same from bytes, where they lie.
    public init?(utf8 text: UnsafeRawBufferPointer) {
        guard text.count == 40 else { return nil }
        var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
        for index in 0..<40 {
            guard let digit = Self.digit(text[index]) else { return nil }
            switch index {
            case ..<16: words.0 = words.0 << 4 | digit
            case ..<32: words.1 = words.1 << 4 | digit
            default: words.2 = words.2 << 4 | digit
            }
        }
        (self.first, self.second, self.third) = (words.0, words.1, UInt32(truncatingIfNeeded: words.2))
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte - 0x30)
        case 0x61...0x66: UInt64(byte - 0x61 + 10)
        case 0x41...0x46: UInt64(byte - 0x41 + 10)
        default: nil
        }
    }

    /// Appends the 40 lower-case hex digits.
    public func write(to bytes: inout [UInt8]) {
        func append(_ word: UInt64, digits: Int) {
            for index in (0..<digits).reversed() {
                let nibble = UInt8(truncatingIfNeeded: word >> (4 * UInt64(index))) & 0xF
                bytes.append(nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10)
            }
        }
        append(self.first, digits: 16)
        append(self.second, digits: 16)
        append(UInt64(self.third), digits: 8)
    }
}

extension BookHash: CustomStringConvertible {
    /// 40 lower-case hex digits, as the feed spells it.
    public var description: String {
        var bytes: [UInt8] = []
        self.write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The text whose SHA-1 is a book's hash, as far as the levels go, in a buffer that is used again.
///
/// What follows the levels is short, and it is what the feed does not tell or tells too late: see `BookDigest`.
struct BookText: Sendable {
    private var bytes: [UInt8] = []
    private var isFirst = true

    mutating func begin(market: MarketID, asset: AssetID, timestamp: some StringProtocol) {
        self.bytes.removeAll(keepingCapacity: true)
        self.append(#"{"market":""#)
        self.bytes.append(contentsOf: market.rawValue.utf8)
        self.append(#"","asset_id":""#)
        self.bytes.append(contentsOf: asset.rawValue.utf8)
        self.append(#"","timestamp":""#)
        self.bytes.append(contentsOf: timestamp.utf8)
        self.append(#"","hash":"","bids":["#)
        self.isFirst = true
    }

    /// The bids are complete.
    mutating func beginAsks() {
        self.append(#"],"asks":["#)
        self.isFirst = true
    }

    /// Adds a level: bids lowest price first, asks highest price first.
    @inline(__always)
    mutating func level(price: Price, size: Size) {
        self.append(self.isFirst ? #"{"price":""# : #",{"price":""#)
        self.isFirst = false
        price.write(to: &self.bytes)
        self.append(#"","size":""#)
        size.write(to: &self.bytes)
        self.append(#""}"#)
    }

    /// Adds a level as delivered.
    mutating func level(price: String, size: String) {
        self.append(self.isFirst ? #"{"price":""# : #",{"price":""#)
        self.isFirst = false
        self.bytes.append(contentsOf: price.utf8)
        self.append(#"","size":""#)
        self.bytes.append(contentsOf: size.utf8)
        self.append(#""}"#)
    }

    /// The asks are complete: what has been written, digested.
    func digest() -> BookDigest {
        var sha = Insecure.SHA1()
        self.bytes.withUnsafeBytes { sha.update(bufferPointer: $0) }
        return BookDigest(levels: sha)
    }

    @inline(__always)
    private mutating func append(_ text: StaticString) {
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

/// A book's text up to its last level, digested: the hashes for different rests cost one more block each, and need the
/// book no more.
struct BookDigest {
    fileprivate let levels: Insecure.SHA1

    func hash(
        minimumOrderSize: Size, tickSize: Price, negativeRisk: Bool, lastTradePrice: Price?
    ) -> BookHash {
        self.hash(
            minimumOrderSize: minimumOrderSize.description, tickSize: tickSize.description, negativeRisk: negativeRisk,
            lastTradePrice: lastTradePrice?.lastTradeText ?? "")
    }

    func hash(
        minimumOrderSize: String, tickSize: String, negativeRisk: Bool, lastTradePrice: String
    ) -> BookHash {
        var rest = #"],"min_order_size":""#
        rest.reserveCapacity(128)
        rest += minimumOrderSize
        rest += #"","tick_size":""#
        rest += tickSize
        rest += negativeRisk ? #"","neg_risk":true,"last_trade_price":""# : #"","neg_risk":false,"last_trade_price":""#
        rest += lastTradePrice
        rest += #""}"#
        var sha = self.levels
        rest.withUTF8 { sha.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return BookHash(sha.finalize())
    }
}

/// Computes the hashes of one token's book, from values or from the venue's own texts, in a buffer that is used again.
public struct BookHasher: Sendable {
    private let market: MarketID
    private let asset: AssetID
    private let negativeRisk: Bool
    private var text = BookText()

    /// A hasher for one token.
    /// - Parameters:
    ///   - market: the condition id.
    ///   - asset: the token.
    ///   - negativeRisk: whether the market is one of a group of which exactly one wins; the feed does not tell it.
    public init(market: MarketID, asset: AssetID, negativeRisk: Bool = false) {
        self.market = market
        self.asset = asset
        self.negativeRisk = negativeRisk
    }

    /// The hash of a book given as values.
    /// - Parameters:
    ///   - timestamp: the time of the message: a `book`'s own, or that of the `price_change` that ended a batch.
    ///   - bids: every level with bids, lowest price first, as the feed lists them.
    ///   - asks: every level with asks, highest price first, as the feed lists them.
    ///   - minimumOrderSize: the smallest order; the feed does not tell it. 5 on the crypto up/down markets.
    ///   - tickSize: the smallest price step in force.
    ///   - lastTradePrice: the price of the market's last trade, on whichever token it was; nil when there was none.
    public mutating func hash(
        timestamp: Timestamp, bids: some Sequence<(price: Price, size: Size)>,
        asks: some Sequence<(price: Price, size: Size)>, minimumOrderSize: Size = 5, tickSize: Price = 0.01,
        lastTradePrice: Price?
    ) -> BookHash {
        self.text.begin(market: self.market, asset: self.asset, timestamp: String(timestamp.milliseconds))
        for level in bids { self.text.level(price: level.price, size: level.size) }
        self.text.beginAsks()
        for level in asks { self.text.level(price: level.price, size: level.size) }
        return self.text.digest().hash(
            minimumOrderSize: minimumOrderSize, tickSize: tickSize, negativeRisk: self.negativeRisk,
            lastTradePrice: lastTradePrice)
    }

    /// The hash of a book given as the texts of a message, every one exactly as delivered, in the order delivered.
    public mutating func hash(
        timestamp: String, bids: some Sequence<(price: String, size: String)>,
        asks: some Sequence<(price: String, size: String)>, minimumOrderSize: String = "5", tickSize: String,
        lastTradePrice: String
    ) -> BookHash {
        self.text.begin(market: self.market, asset: self.asset, timestamp: timestamp)
        for level in bids { self.text.level(price: level.price, size: level.size) }
        self.text.beginAsks()
        for level in asks { self.text.level(price: level.price, size: level.size) }
        return self.text.digest().hash(
            minimumOrderSize: minimumOrderSize, tickSize: tickSize, negativeRisk: self.negativeRisk,
            lastTradePrice: lastTradePrice)
    }
}

extension Price {
    /// Appends the venue's spelling, the same as `description`, without making a string.
    public func write(to bytes: inout [UInt8]) {
        DecimalBytes.write(Int64(self.rawValue), fractionDigits: 4, minimumFraction: 0, to: &bytes)
    }

    /// How the venue spells a last trade price: always three decimals (`0.420`), four when the tick is that fine.
    public var lastTradeText: String {
        var bytes: [UInt8] = []
        DecimalBytes.write(Int64(self.rawValue), fractionDigits: 4, minimumFraction: 3, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Size {
    /// Appends the venue's spelling, the same as `description`, without making a string.
    public func write(to bytes: inout [UInt8]) {
        DecimalBytes.write(self.rawValue, fractionDigits: 6, minimumFraction: 0, to: &bytes)
    }
}

/// Scaled whole numbers, never negative, as decimal digits.
private enum DecimalBytes {
    static func write(_ value: Int64, fractionDigits: Int, minimumFraction: Int, to bytes: inout [UInt8]) {
        var unit: Int64 = 1
        for _ in 0..<fractionDigits { unit *= 10 }
        Self.whole(value / unit, to: &bytes)
        var rest = value % unit
        var written = 0
        while rest != 0 || written < minimumFraction {
            if written == 0 { bytes.append(0x2E) }
            unit /= 10
            bytes.append(0x30 + UInt8(truncatingIfNeeded: rest / unit))
            rest %= unit
            written += 1
        }
    }

    private static func whole(_ value: Int64, to bytes: inout [UInt8]) {
        if value >= 10 { Self.whole(value / 10, to: &bytes) }
        bytes.append(0x30 + UInt8(truncatingIfNeeded: value % 10))
    }
}
