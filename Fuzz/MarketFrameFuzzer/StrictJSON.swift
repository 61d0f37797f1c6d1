/// JSON read by the letter of RFC 8259: simple, slow and written apart from the decoder that it judges.
indirect enum StrictJSON {
    /// The inside of a string as it stands, or a bare number or word.
    case scalar(ArraySlice<UInt8>, quoted: Bool)
    case array([StrictJSON])
    case object([(key: ArraySlice<UInt8>, value: StrictJSON)])

    /// Nil for anything that is not one JSON value, and for what nests deeper than anybody would.
    static func parse(_ bytes: [UInt8]) -> StrictJSON? {
        var reader = Reader(bytes: bytes)
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipSpace()
        return reader.next == nil ? value : nil
    }

    /// The text of a scalar; nil when it is null, empty or no scalar.
    var text: ArraySlice<UInt8>? {
        guard case .scalar(let text, let quoted) = self, !text.isEmpty, quoted || !text.elementsEqual("null".utf8)
        else { return nil }
        return text
    }

    /// The member of an object; nil when there is none.
    subscript(key: String) -> StrictJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.elementsEqual(key.utf8) }?.value
    }

    /// Whether some object in it has a key twice: JSON does not say what that means.
    var repeatsKeys: Bool {
        switch self {
        case .scalar: false
        case .array(let values): values.contains(where: \.repeatsKeys)
        case .object(let members):
            Set(members.map(\.key)).count != members.count || members.contains { $0.value.repeatsKeys }
        }
    }
}

private struct Reader {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var next: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    mutating func skipSpace() {
        while let byte = self.next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { self.position += 1 }
    }

    mutating func value(depth: Int) -> StrictJSON? {
        self.skipSpace()
        guard depth < 48, let next = self.next else { return nil }
        switch next {
        case UInt8(ascii: "["): return self.elements(depth: depth)
        case UInt8(ascii: "{"): return self.members(depth: depth)
        case UInt8(ascii: "\""): return self.string().map { .scalar($0, quoted: true) }
        case UInt8(ascii: "t"): return self.word("true")
        case UInt8(ascii: "f"): return self.word("false")
        case UInt8(ascii: "n"): return self.word("null")
        default: return self.number().map { .scalar($0, quoted: false) }
        }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard self.next == UInt8(ascii: byte) else { return false }
        self.position += 1
        return true
    }

    private mutating func takeAfterSpace(_ byte: Unicode.Scalar) -> Bool {
        self.skipSpace()
        return self.take(byte)
    }

    private mutating func elements(depth: Int) -> StrictJSON? {
        guard self.take("[") else { return nil }
        if self.takeAfterSpace("]") { return .array([]) }
        var values: [StrictJSON] = []
        repeat {
            guard let value = self.value(depth: depth + 1) else { return nil }
            values.append(value)
        } while self.takeAfterSpace(",")
        return self.take("]") ? .array(values) : nil
    }

    private mutating func members(depth: Int) -> StrictJSON? {
        guard self.take("{") else { return nil }
        if self.takeAfterSpace("}") { return .object([]) }
        var members: [(key: ArraySlice<UInt8>, value: StrictJSON)] = []
        repeat {
            self.skipSpace()
            guard let key = self.string(), self.takeAfterSpace(":"), let value = self.value(depth: depth + 1) else {
                return nil
            }
            members.append((key, value))
        } while self.takeAfterSpace(",")
        return self.take("}") ? .object(members) : nil
    }

    private mutating func word(_ word: String) -> StrictJSON? {
        let start = self.position
        guard self.bytes[start...].starts(with: word.utf8) else { return nil }
        self.position += word.utf8.count
        return .scalar(self.bytes[start..<self.position], quoted: false)
    }

    private mutating func string() -> ArraySlice<UInt8>? {
        guard self.take("\"") else { return nil }
        let start = self.position
        while let byte = self.next, byte >= 0x20 {
            self.position += 1
            if byte == UInt8(ascii: "\"") { return self.bytes[start..<(self.position - 1)] }
            if byte == UInt8(ascii: "\\") { guard self.escape() else { return nil } }
        }
        return nil
    }

    private mutating func escape() -> Bool {
        guard let kind = self.next else { return false }
        self.position += 1
        guard kind == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(kind) }
        for _ in 0..<4 {
            guard let digit = self.next, Character(Unicode.Scalar(digit)).isHexDigit else { return false }
            self.position += 1
        }
        return true
    }

    private mutating func number() -> ArraySlice<UInt8>? {
        let start = self.position
        _ = self.take("-")
        guard self.take("0") || self.digits() else { return nil }
        if self.take(".") { guard self.digits() else { return nil } }
        if self.take("e") || self.take("E") {
            if !self.take("+") { _ = self.take("-") }
            guard self.digits() else { return nil }
        }
        return self.bytes[start..<self.position]
    }

    private mutating func digits() -> Bool {
        let start = self.position
        while let byte = self.next, byte >= 0x30, byte <= 0x39 { self.position += 1 }
        return self.position > start
    }
}
