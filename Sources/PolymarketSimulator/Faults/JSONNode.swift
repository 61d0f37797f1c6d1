/// A JSON value with the line it begins on, so that whoever reads a plan can say where it is wrong.
struct JSONNode: Sendable {
    enum Value: Sendable {
        case object([(key: String, line: Int, value: JSONNode)])
        case array([JSONNode])
        case text(String)
        /// As it is spelled.
        case number(String)
        case boolean(Bool)
        case null
    }

    var line: Int
    var value: Value

    /// What it is, in words.
    var kind: String {
        switch self.value {
        case .object: "an object"
        case .array: "an array"
        case .text(let text): Text.quoted(text)
        case .number(let text): text
        case .boolean(let flag): "\(flag)"
        case .null: "null"
        }
    }

    /// Every JSON value of a text, one after the other with nothing but space between them.
    static func values(of text: [UInt8]) throws(SimulatorError) -> [JSONNode] {
        var reader = Reader(bytes: text)
        var values: [JSONNode] = []
        while true {
            reader.skipSpace()
            guard !reader.isAtEnd else { return values }
            values.append(try reader.value(depth: 0))
        }
    }

    private struct Reader {
        /// No plan needs more, and a recursion must end.
        private static let deepest = 16

        let bytes: [UInt8]
        var index = 0
        var line = 1

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { self.index == self.bytes.count }

        mutating func skipSpace() {
            while self.index < self.bytes.count {
                switch self.bytes[self.index] {
                case 0x0A: self.line += 1
                case 0x20, 0x09, 0x0D: break
                default: return
                }
                self.index += 1
            }
        }

        private func problem(_ text: String) -> SimulatorError { SimulatorError(.plan, "line \(self.line): \(text)") }

        private mutating func take(_ byte: UInt8) -> Bool {
            self.skipSpace()
            guard self.index < self.bytes.count, self.bytes[self.index] == byte else { return false }
            self.index += 1
            return true
        }

        mutating func value(depth: Int) throws(SimulatorError) -> JSONNode {
            self.skipSpace()
            guard depth < Self.deepest else { throw self.problem("the JSON is nested too deep.") }
            guard self.index < self.bytes.count else { throw self.problem("the JSON ends too early.") }
            let line = self.line
            switch self.bytes[self.index] {
            case UInt8(ascii: "{"): return JSONNode(line: line, value: .object(try self.members(depth: depth)))
            case UInt8(ascii: "["): return JSONNode(line: line, value: .array(try self.elements(depth: depth)))
            case UInt8(ascii: "\""): return JSONNode(line: line, value: .text(try self.text()))
            default: return JSONNode(line: line, value: try self.word())
            }
        }

        private mutating func members(depth: Int) throws(SimulatorError) -> [(key: String, line: Int, value: JSONNode)]
        {
            self.index += 1
            var members: [(key: String, line: Int, value: JSONNode)] = []
            if self.take(UInt8(ascii: "}")) { return members }
            repeat {
                self.skipSpace()
                guard self.index < self.bytes.count, self.bytes[self.index] == UInt8(ascii: "\"") else {
                    throw self.problem("expected a key in quotation marks.")
                }
                let line = self.line
                let key = try self.text()
                guard self.take(UInt8(ascii: ":")) else {
                    throw self.problem("expected ':' behind \(Text.quoted(key)).")
                }
                guard !members.contains(where: { $0.key == key }) else {
                    throw self.problem("the key \(Text.quoted(key)) comes twice.")
                }
                members.append((key, line, try self.value(depth: depth + 1)))
            } while self.take(UInt8(ascii: ","))
            guard self.take(UInt8(ascii: "}")) else { throw self.problem("expected ',' or '}'.") }
            return members
        }

        private mutating func elements(depth: Int) throws(SimulatorError) -> [JSONNode] {
            self.index += 1
            var elements: [JSONNode] = []
            if self.take(UInt8(ascii: "]")) { return elements }
            repeat { elements.append(try self.value(depth: depth + 1)) } while self.take(UInt8(ascii: ","))
            guard self.take(UInt8(ascii: "]")) else { throw self.problem("expected ',' or ']'.") }
            return elements
        }

        private mutating func text() throws(SimulatorError) -> String {
            self.index += 1
            var text: [UInt8] = []
            while self.index < self.bytes.count {
                let byte = self.bytes[self.index]
                self.index += 1
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
                case UInt8(ascii: "\\"): text += try self.escaped()
                case ..<0x20: throw self.problem("a text must end on its line.")
                default: text.append(byte)
                }
            }
            throw self.problem("a text does not end.")
        }

        private mutating func escaped() throws(SimulatorError) -> [UInt8] {
            guard self.index < self.bytes.count else { throw self.problem("a text does not end.") }
            let byte = self.bytes[self.index]
            self.index += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
            case UInt8(ascii: "n"): return [0x0A]
            case UInt8(ascii: "r"): return [0x0D]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "u"):
                guard self.index + 4 <= self.bytes.count,
                    let code = UInt32(
                        String(decoding: self.bytes[self.index..<self.index + 4], as: UTF8.self), radix: 16),
                    let scalar = Unicode.Scalar(code)
                else { throw self.problem("\\u must be followed by four hexadecimal digits of a character.") }
                self.index += 4
                return Array(String(scalar).utf8)
            default: throw self.problem("a text holds \\ and no character that may follow it.")
            }
        }

        private mutating func word() throws(SimulatorError) -> Value {
            let start = self.index
            while self.index < self.bytes.count {
                switch self.bytes[self.index] {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    self.index += 1
                    continue
                default: break
                }
                break
            }
            let word = String(decoding: self.bytes[start..<self.index], as: UTF8.self)
            switch word {
            case "true": return .boolean(true)
            case "false": return .boolean(false)
            case "null": return .null
            default:
                guard let first = word.utf8.first, first == 0x2D || (0x30...0x39).contains(first), Double(word) != nil
                else {
                    throw self.problem(word.isEmpty ? "expected a JSON value." : "\(word) is no JSON value.")
                }
                return .number(word)
            }
        }
    }
}
