/// Checks a stream of bytes for UTF-8 as it comes in, however it is cut, and fails at the first byte that cannot be right.
///
/// Shortest form only, no surrogates, nothing above U+10FFFF (RFC 3629). Runs of ASCII are skipped 64 bytes at a time.
struct UTF8Validator {
    /// How many bytes of the current character are still to come.
    private var missing = 0
    /// What the next of them may be: the second byte of some characters has a narrower range.
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// Whether the bytes so far end with a whole character.
    var isComplete: Bool { self.missing == 0 }

    /// Takes the next bytes; false when they cannot continue any valid text.
    mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        if self.missing == 0, Self.firstNonASCII(base, from: 0, count: bytes.count) == bytes.count { return true }
        return self.consumeBytes(base, count: bytes.count)
    }

    /// Whether `bytes` is text as a whole.
    @inline(__always)
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var validator = UTF8Validator()
        return validator.consume(bytes) && validator.isComplete
    }

    @inline(never)
    private mutating func consumeBytes(_ base: UnsafeRawPointer, count: Int) -> Bool {
        var index = 0
        while index < count {
            if self.missing == 0 {
                index = Self.firstNonASCII(base, from: index, count: count)
                guard index < count else { return true }
                guard self.begin(with: base.load(fromByteOffset: index, as: UInt8.self)) else { return false }
            } else {
                let byte = base.load(fromByteOffset: index, as: UInt8.self)
                guard byte >= self.lowest && byte <= self.highest else { return false }
                (self.lowest, self.highest) = (0x80, 0xBF)
                self.missing -= 1
            }
            index += 1
        }
        return true
    }

    /// The first byte of a character of two to four bytes.
    private mutating func begin(with byte: UInt8) -> Bool {
        (self.lowest, self.highest) = (0x80, 0xBF)
        switch byte {
        case 0xC2...0xDF: self.missing = 1
        case 0xE0: (self.missing, self.lowest) = (2, 0xA0)
        case 0xED: (self.missing, self.highest) = (2, 0x9F)
        case 0xE1...0xEF: self.missing = 2
        case 0xF0: (self.missing, self.lowest) = (3, 0x90)
        case 0xF1...0xF3: self.missing = 3
        case 0xF4: (self.missing, self.highest) = (3, 0x8F)
        default: return false
        }
        return true
    }

    /// The index of the first byte of `from..<count` that is not ASCII, or `count`.
    @inline(__always)
    private static func firstNonASCII(_ base: UnsafeRawPointer, from start: Int, count: Int) -> Int {
        let highBits: UInt64 = 0x8080_8080_8080_8080
        var index = start
        while count - index >= 64 {
            let low = Self.word(base, index) | Self.word(base, index + 8)
            let midLow = Self.word(base, index + 16) | Self.word(base, index + 24)
            let midHigh = Self.word(base, index + 32) | Self.word(base, index + 40)
            let high = Self.word(base, index + 48) | Self.word(base, index + 56)
            if (low | midLow | midHigh | high) & highBits != 0 { break }
            index += 64
        }
        while count - index >= 8 {
            let marked = Self.word(base, index) & highBits
            if marked != 0 { return index + marked.trailingZeroBitCount / 8 }
            index += 8
        }
        guard index < count else { return count }
        if count - start >= 8 {
            // The last word overlaps bytes already known to be ASCII.
            let marked = Self.word(base, count - 8) & highBits
            return marked == 0 ? count : count - 8 + marked.trailingZeroBitCount / 8
        }
        while index < count, base.load(fromByteOffset: index, as: UInt8.self) < 0x80 { index += 1 }
        return index
    }

    @inline(__always)
    private static func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
