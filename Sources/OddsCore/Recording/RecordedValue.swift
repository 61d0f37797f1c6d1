/// A JSON value of a row that is not a message: few and far between, so that it may be read in the plainest way.
enum RecordedValue {
    case null
    case bool(Bool)
    /// A number as it is written.
    case number(String)
    case string([UInt8])
    case array([RecordedValue])
    case object([(key: String, value: RecordedValue)])

    /// The value of a whole text; nil when that is no JSON, or nests deeper than rows do.
    init?(_ text: UnsafeRawBufferPointer) {
        guard text.count > 0 else { return nil }
        var cursor = JSONCursor(text)
        guard let value = Self(&cursor, depth: 0) else { return nil }
        cursor.skipSpace()
        guard cursor.atEnd else { return nil }
        self = value
    }

    private init?(_ cursor: inout JSONCursor, depth: Int) {
        guard depth < 8 else { return nil }
        switch cursor.peek() {
        case UInt8(ascii: "\""):
            guard let bytes = Self.string(&cursor) else { return nil }
            self = .string(bytes)
        case UInt8(ascii: "{"):
            guard let object = Self.object(&cursor, depth: depth) else { return nil }
            self = .object(object)
        case UInt8(ascii: "["):
            guard let array = Self.array(&cursor, depth: depth) else { return nil }
            self = .array(array)
        default:
            guard let word = cursor.takeScalar() else { return nil }
            switch word.string {
            case "null": self = .null
            case "true": self = .bool(true)
            case "false": self = .bool(false)
            case let text: self = .number(text)
            }
        }
    }

    private static func object(
        _ cursor: inout JSONCursor, depth: Int
    ) -> [(key: String, value: RecordedValue)]? {
        var fields: [(key: String, value: RecordedValue)] = []
        guard cursor.take(UInt8(ascii: "{")) else { return nil }
        if cursor.take(UInt8(ascii: "}")) { return fields }
        repeat {
            guard let key = Self.string(&cursor), cursor.take(UInt8(ascii: ":")),
                let value = Self(&cursor, depth: depth + 1)
            else { return nil }
            fields.append((String(decoding: key, as: UTF8.self), value))
        } while cursor.take(UInt8(ascii: ","))
        return cursor.take(UInt8(ascii: "}")) ? fields : nil
    }

    private static func array(_ cursor: inout JSONCursor, depth: Int) -> [RecordedValue]? {
        var values: [RecordedValue] = []
        guard cursor.take(UInt8(ascii: "[")) else { return nil }
        if cursor.take(UInt8(ascii: "]")) { return values }
        repeat {
            guard let value = Self(&cursor, depth: depth + 1) else { return nil }
            values.append(value)
        } while cursor.take(UInt8(ascii: ","))
        return cursor.take(UInt8(ascii: "]")) ? values : nil
    }

    private static func string(_ cursor: inout JSONCursor) -> [UInt8]? {
        guard cursor.take(UInt8(ascii: "\"")) else { return nil }
        var probe = cursor
        // The string's end is found first, so that no more room is taken than it needs.
        probe.p -= 1
        guard let inside = probe.takeString() else { return nil }
        var isWhole = true
        let bytes = [UInt8](unsafeUninitializedCapacity: inside.count + 16) { buffer, count in
            guard let start = buffer.baseAddress,
                let length = JSONStringCodec.unescape(&cursor.p, end: probe.p, into: start)
            else {
                isWhole = false
                return
            }
            count = length
        }
        return isWhole ? bytes : nil
    }

    /// The value of a key; nil when this is no object, or has none of that name.
    subscript(key: String) -> RecordedValue? {
        guard case .object(let fields) = self else { return nil }
        return fields.first { $0.key == key }?.value
    }

    /// The text of a string.
    var text: String? {
        guard case .string(let bytes) = self else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The bytes of a string.
    var bytes: [UInt8]? {
        guard case .string(let bytes) = self else { return nil }
        return bytes
    }

    /// A whole number.
    var integer: Int64? {
        guard case .number(let text) = self else { return nil }
        return Int64(text)
    }

    var truth: Bool? {
        guard case .bool(let truth) = self else { return nil }
        return truth
    }

    /// The members of an object that are texts; nil when this is no object.
    var texts: [String: String]? {
        guard case .object(let fields) = self else { return nil }
        return Dictionary(fields.compactMap { field in field.value.text.map { (field.key, $0) } }) { first, _ in first }
    }

    var list: [RecordedValue]? {
        guard case .array(let values) = self else { return nil }
        return values
    }
}
