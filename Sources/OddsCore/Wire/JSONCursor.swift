/// Walks JSON in place. Every method returns false (or nil) when the text is not what was asked for; the cursor then
/// stands where the trouble is. It never reads at or beyond `end`.
struct JSONCursor {
    var p: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>

    /// How deep arrays and objects may nest inside a value that is skipped.
    static let deepest = 64

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer) {
        self.p = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
        self.end = self.p + bytes.count
    }

    @inline(__always)
    var atEnd: Bool { self.p >= self.end }

    @inline(__always)
    mutating func skipSpace() {
        while self.p < self.end, self.p.pointee <= 0x20, Self.isSpace(self.p.pointee) { self.p += 1 }
    }

    @inline(__always)
    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    /// Takes this byte, after white space.
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        self.skipSpace()
        guard self.p < self.end, self.p.pointee == byte else { return false }
        self.p += 1
        return true
    }

    /// The next byte after white space, left where it is; 0 at the end.
    @inline(__always)
    mutating func peek() -> UInt8 {
        self.skipSpace()
        return self.p < self.end ? self.p.pointee : 0
    }

    /// The inside of a string; the cursor stands behind its closing quote.
    @inline(__always)
    mutating func takeString() -> WireText? {
        guard self.take(UInt8(ascii: "\"")) else { return nil }
        let start = self.p
        guard self.skipToQuote() else { return nil }
        let text = WireText(start: start, count: self.p - start)
        self.p += 1
        return text
    }

    /// Moves to the quote that closes the string the cursor is in.
    @inline(__always)
    private mutating func skipToQuote() -> Bool {
        while true {
            while self.end - self.p >= 8 {
                let word = UnsafeRawPointer(self.p).loadUnaligned(as: UInt64.self).littleEndian
                let hits = Self.zeroBytes(word ^ 0x2222_2222_2222_2222) | Self.zeroBytes(word ^ 0x5C5C_5C5C_5C5C_5C5C)
                if hits != 0 {
                    self.p += hits.trailingZeroBitCount >> 3
                    break
                }
                self.p += 8
            }
            while self.p < self.end, self.p.pointee != 0x22, self.p.pointee != 0x5C { self.p += 1 }
            guard self.p < self.end else { return false }
            if self.p.pointee == 0x22 { return true }
            guard self.end - self.p >= 2 else { return false }
            self.p += 2  // a backslash and what it escapes
        }
    }

    /// The high bit of each byte that is zero; only the lowest hit is exact, which is the one that is used.
    @inline(__always)
    private static func zeroBytes(_ x: UInt64) -> UInt64 {
        (x &- 0x0101_0101_0101_0101) & ~x & 0x8080_8080_8080_8080
    }

    /// A key and its colon.
    @inline(__always)
    mutating func takeKey() -> WireText? {
        guard let key = self.takeString(), self.take(UInt8(ascii: ":")) else { return nil }
        return key
    }

    /// A string's inside, or a bare number or word; nil for an object, an array or broken text.
    @inline(__always)
    mutating func takeScalar() -> WireText? {
        if self.peek() == 0x22 { return self.takeString() }
        let start = self.p
        while self.p < self.end {
            switch self.p.pointee {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."),
                UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "E"):
                self.p += 1
                continue
            default: break
            }
            break
        }
        guard self.p > start else { return nil }
        return WireText(start: start, count: self.p - start)
    }

    /// A decimal in units of 10^-`fractionDigits`, as a string or bare. Nil when it is not one: the cursor is then
    /// anywhere inside the value, and the frame is at fault.
    @inline(__always)
    mutating func takeDecimal(fractionDigits: Int) -> Int64? {
        guard let text = self.takeScalar() else { return nil }
        return Decimals.parse(text.bytes, fractionDigits: fractionDigits)
    }

    /// Moves past any value, checking that it is well formed.
    mutating func skipValue(depth: Int = 0) -> Bool {
        switch self.peek() {
        case 0x22: return self.takeString() != nil
        case UInt8(ascii: "{"):
            guard depth < Self.deepest else { return false }
            self.p += 1
            if self.take(UInt8(ascii: "}")) { return true }
            repeat {
                guard self.takeKey() != nil, self.skipValue(depth: depth + 1) else { return false }
            } while self.take(UInt8(ascii: ","))
            return self.take(UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            guard depth < Self.deepest else { return false }
            self.p += 1
            if self.take(UInt8(ascii: "]")) { return true }
            repeat {
                guard self.skipValue(depth: depth + 1) else { return false }
            } while self.take(UInt8(ascii: ","))
            return self.take(UInt8(ascii: "]"))
        default: return self.takeScalar() != nil
        }
    }
}
