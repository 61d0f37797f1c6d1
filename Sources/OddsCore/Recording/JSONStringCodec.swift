/// Bytes that grow at their end and are used again; what a row is written into.
struct ByteStore: ~Copyable {
    private(set) var start: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int

    /// Words are read and written whole, so there is always room for one more.
    private static let slack = 16

    init(capacity: Int) {
        self.capacity = max(64, capacity)
        self.start = .allocate(capacity: self.capacity + Self.slack)
    }

    deinit { self.start.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.start, count: self.count) }

    mutating func removeAll() { self.count = 0 }

    /// Makes room for so many bytes more.
    @inline(__always)
    mutating func reserve(_ more: Int) {
        if self.capacity - self.count < more { self.grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        self.capacity = max(self.capacity * 2, self.count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: self.capacity + Self.slack)
        larger.update(from: self.start, count: self.count)
        self.start.deallocate()
        self.start = larger
    }

    /// So many bytes were written behind the end, into room that was reserved.
    @inline(__always)
    mutating func wrote(_ bytes: Int) { self.count += bytes }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        self.reserve(1)
        self.start[self.count] = byte
        self.count += 1
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        self.reserve(text.utf8CodeUnitCount)
        (self.start + self.count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        self.count += text.utf8CodeUnitCount
    }

    mutating func append(_ number: Int64) {
        self.reserve(20)
        var digits = 1
        var rest = number.magnitude
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        if number < 0 { self.append(UInt8(ascii: "-")) }
        var place = self.start + self.count + digits
        self.count += digits
        rest = number.magnitude
        for _ in 0..<digits {
            place -= 1
            place.pointee = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// A string with its quotes.
    mutating func append(quoted text: String) {
        var text = text
        text.withUTF8 { self.append(quoted: UnsafeRawBufferPointer($0)) }
    }

    /// A string with its quotes. Quotes, backslashes and control characters are escaped; everything else, bytes that are
    /// no UTF-8 included, is copied as it is.
    mutating func append(quoted text: UnsafeRawBufferPointer) {
        self.append(UInt8(ascii: "\""))
        if var place = text.baseAddress {
            var rest = text.count
            // The worst case is six bytes for one: in parts, so that a large text does not claim six times its size.
            while rest > 0 {
                let part = min(rest, 1 << 14)
                self.reserve(part * 6)
                self.count += JSONStringCodec.escape(
                    UnsafeRawBufferPointer(start: place, count: part), into: self.start + self.count)
                place += part
                rest -= part
            }
        }
        self.append(UInt8(ascii: "\""))
    }
}

/// The inside of JSON strings (RFC 8259, section 7), by runs: eight bytes are looked at and copied at a time.
enum JSONStringCodec {
    /// The high bit of each byte that is zero; only the lowest hit is exact, which is the one that is used.
    @inline(__always)
    private static func zeroBytes(_ x: UInt64) -> UInt64 {
        (x &- 0x0101_0101_0101_0101) & ~x & 0x8080_8080_8080_8080
    }

    @inline(__always)
    private static func ends(_ word: UInt64) -> UInt64 {
        Self.zeroBytes(word ^ 0x2222_2222_2222_2222) | Self.zeroBytes(word ^ 0x5C5C_5C5C_5C5C_5C5C)
    }

    /// The high bit of each byte below 0x20; only the lowest hit is exact.
    @inline(__always)
    private static func controls(_ word: UInt64) -> UInt64 {
        (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
    }

    private static let hexDigits: StaticString = "0123456789abcdef"

    /// Writes the text as the inside of a JSON string and returns how many bytes that took.
    ///
    /// `output` must have room for six times the text and eight bytes more.
    static func escape(_ text: UnsafeRawBufferPointer, into output: UnsafeMutablePointer<UInt8>) -> Int {
        guard var p = text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
        let end = p + text.count
        var out = output
        while true {
            while end - p >= 8 {
                let raw = UnsafeRawPointer(p).loadUnaligned(as: UInt64.self)
                UnsafeMutableRawPointer(out).storeBytes(of: raw, as: UInt64.self)
                let word = raw.littleEndian
                let hits = Self.ends(word) | Self.controls(word)
                guard hits != 0 else {
                    p += 8
                    out += 8
                    continue
                }
                let run = hits.trailingZeroBitCount >> 3
                p += run
                out += run
                Self.escape(p.pointee, &out)
                p += 1
            }
            guard p < end else { return out - output }
            let byte = p.pointee
            p += 1
            if byte == 0x22 || byte == 0x5C || byte < 0x20 {
                Self.escape(byte, &out)
            } else {
                out.pointee = byte
                out += 1
            }
        }
    }

    @inline(__always)
    private static func escape(_ byte: UInt8, _ out: inout UnsafeMutablePointer<UInt8>) {
        out[0] = UInt8(ascii: "\\")
        if byte == 0x22 || byte == 0x5C {
            out[1] = byte
            out += 2
            return
        }
        Self.escapeControl(byte, &out)
    }

    @inline(never)
    private static func escapeControl(_ byte: UInt8, _ out: inout UnsafeMutablePointer<UInt8>) {
        switch byte {
        case 0x08: out[1] = UInt8(ascii: "b")
        case 0x09: out[1] = UInt8(ascii: "t")
        case 0x0A: out[1] = UInt8(ascii: "n")
        case 0x0C: out[1] = UInt8(ascii: "f")
        case 0x0D: out[1] = UInt8(ascii: "r")
        default:
            out[1] = UInt8(ascii: "u")
            out[2] = UInt8(ascii: "0")
            out[3] = UInt8(ascii: "0")
            out[4] = Self.hexDigits.utf8Start[Int(byte >> 4)]
            out[5] = Self.hexDigits.utf8Start[Int(byte & 15)]
            out += 6
            return
        }
        out += 2
    }

    /// Reads the inside of a JSON string, from behind its first quote to its last, and moves `p` behind that. Returns how
    /// many bytes it stands for; nil when the string is broken or has no end.
    ///
    /// `output` must have room for as many bytes as lie before `end` and eight more. A half of a surrogate pair alone
    /// becomes U+FFFD.
    @inline(__always)
    static func unescape(
        _ p: inout UnsafePointer<UInt8>, end: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>
    ) -> Int? {
        var out = output
        while true {
            while end - p >= 10 {
                let raw = UnsafeRawPointer(p).loadUnaligned(as: UInt64.self)
                UnsafeMutableRawPointer(out).storeBytes(of: raw, as: UInt64.self)
                let hits = Self.ends(raw.littleEndian)
                guard hits != 0 else {
                    p += 8
                    out += 8
                    continue
                }
                let run = hits.trailingZeroBitCount >> 3
                p += run
                out += run
                if p.pointee == 0x22 {
                    p += 1
                    return out - output
                }
                // Nearly every escape of a frame is a quote.
                if p[1] == 0x22 {
                    out.pointee = 0x22
                    out += 1
                    p += 2
                } else if !Self.unescapeOne(&p, end: end, &out) {
                    return nil
                }
            }
            guard p < end else { return nil }
            switch p.pointee {
            case 0x22:
                p += 1
                return out - output
            case 0x5C:
                if !Self.unescapeOne(&p, end: end, &out) { return nil }
            default:
                out.pointee = p.pointee
                out += 1
                p += 1
            }
        }
    }

    @inline(never)
    private static func unescapeOne(
        _ p: inout UnsafePointer<UInt8>, end: UnsafePointer<UInt8>, _ out: inout UnsafeMutablePointer<UInt8>
    ) -> Bool {
        guard end - p >= 2 else { return false }
        let byte: UInt8
        switch p[1] {
        case 0x22, 0x5C, 0x2F: byte = p[1]
        case UInt8(ascii: "n"): byte = 0x0A
        case UInt8(ascii: "r"): byte = 0x0D
        case UInt8(ascii: "t"): byte = 0x09
        case UInt8(ascii: "b"): byte = 0x08
        case UInt8(ascii: "f"): byte = 0x0C
        case UInt8(ascii: "u"): return Self.unescapeUnicode(&p, end: end, &out)
        default: return false
        }
        out.pointee = byte
        out += 1
        p += 2
        return true
    }

    private static func unescapeUnicode(
        _ p: inout UnsafePointer<UInt8>, end: UnsafePointer<UInt8>, _ out: inout UnsafeMutablePointer<UInt8>
    ) -> Bool {
        guard let first = Self.unit(p, end) else { return false }
        p += 6
        var scalar = Unicode.Scalar(first) ?? "\u{FFFD}"
        if (0xD800..<0xDC00).contains(first), let second = Self.unit(p, end), (0xDC00..<0xE000).contains(second) {
            p += 6
            scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
        }
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
            out.pointee = byte
            out += 1
        }
        return true
    }

    /// The number in `\uXXXX`; nil when that is not what is there.
    private static func unit(_ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UInt32? {
        guard end - p >= 6, p[0] == 0x5C, p[1] == UInt8(ascii: "u") else { return nil }
        var value: UInt32 = 0
        for place in 2..<6 {
            let digit: UInt8
            switch p[place] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = p[place] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = p[place] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = p[place] - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
