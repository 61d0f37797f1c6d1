/// Bytes of a frame, pointed at where they lie: valid only while the handler that was given them runs.
public struct WireText: BitwiseCopyable {
    let start: UnsafePointer<UInt8>
    /// The number of bytes.
    public let count: Int

    @inline(__always)
    init(start: UnsafePointer<UInt8>, count: Int) {
        self.start = start
        self.count = count
    }

    /// The bytes as they stand in the frame; JSON escapes are not resolved.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.start, count: self.count) }

    /// A copy as text, with JSON escapes resolved; invalid ones are kept as they stand.
    public var string: String {
        let raw = String(decoding: self.bytes, as: UTF8.self)
        return raw.utf8.contains(0x5C) ? JSONEscapes.resolve(raw) : raw
    }

    /// Whether the bytes are exactly this ASCII text.
    @inline(__always)
    func equals(_ text: StaticString) -> Bool {
        self.count == text.utf8CodeUnitCount
            && UnsafeRawPointer(self.start).isEqual(to: text.utf8Start, count: self.count)
    }
}

extension UnsafeRawPointer {
    /// Whether the two regions hold the same bytes, eight at a time.
    @inline(__always)
    func isEqual(to other: UnsafeRawPointer, count: Int) -> Bool {
        var offset = 0
        while offset &+ 8 <= count {
            if self.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                != other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            {
                return false
            }
            offset &+= 8
        }
        while offset < count {
            if self.load(fromByteOffset: offset, as: UInt8.self) != other.load(fromByteOffset: offset, as: UInt8.self) {
                return false
            }
            offset &+= 1
        }
        return true
    }
}

/// The escapes of JSON strings (RFC 8259, section 7).
enum JSONEscapes {
    static func resolve(_ text: String) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        var units = Array(text.utf8)[...]
        while let unit = units.popFirst() {
            guard unit == 0x5C, let kind = units.first else {
                out.append(unit)
                continue
            }
            units.removeFirst()
            switch kind {
            case UInt8(ascii: "n"): out.append(0x0A)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "r"): out.append(0x0D)
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0C)
            case UInt8(ascii: "u"):
                let scalar = Self.takeScalar(&units)
                out.append(contentsOf: String(Character(scalar)).utf8)
            default: out.append(kind)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func takeScalar(_ units: inout ArraySlice<UInt8>) -> Unicode.Scalar {
        guard let first = Self.takeHex(&units) else { return "\u{FFFD}" }
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
        let rest = units
        guard units.popFirst() == 0x5C, units.popFirst() == UInt8(ascii: "u"), let second = Self.takeHex(&units),
            (0xDC00..<0xE000).contains(second)
        else {
            units = rest
            return "\u{FFFD}"
        }
        return Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)) ?? "\u{FFFD}"
    }

    private static func takeHex(_ units: inout ArraySlice<UInt8>) -> UInt32? {
        guard units.count >= 4, let value = UInt32(String(decoding: units.prefix(4), as: UTF8.self), radix: 16) else {
            return nil
        }
        units = units.dropFirst(4)
        return value
    }
}
