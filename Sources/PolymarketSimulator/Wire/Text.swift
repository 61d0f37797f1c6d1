internal import OddsCore

/// Bytes of a message under construction.
struct Text: Sendable {
    private(set) var bytes: [UInt8] = []

    init(reserving capacity: Int = 512) { self.bytes.reserveCapacity(capacity) }

    mutating func add(_ text: String) { self.bytes.append(contentsOf: text.utf8) }
    mutating func add(_ price: Price) { price.write(to: &self.bytes) }
    mutating func add(_ size: Size) { size.write(to: &self.bytes) }
    mutating func add(_ hash: BookHash) { hash.write(to: &self.bytes) }

    /// A JSON string: quotes around it, what must be escaped escaped.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{00}"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
