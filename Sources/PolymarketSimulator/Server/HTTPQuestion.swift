/// A request, taken apart.
package struct HTTPQuestion: Sendable {
    package var method: String
    /// Path and query as they came.
    package var target: String
    /// The path, percent-decoded.
    package var path: String
    /// The query's parts in order; a name may come more than once.
    package var query: [(name: String, value: String)]
    package var body: [UInt8]

    /// A request by its method and the target of its first line, query and all.
    package init(method: String, uri: String, body: [UInt8] = []) {
        self.method = method
        self.target = uri
        self.body = body
        let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.path = Self.decoded(parts.first ?? "/")
        self.query =
            parts.count < 2
            ? []
            : parts[1].split(separator: "&").map { part in
                let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (Self.decoded(pair[0]), pair.count == 2 ? Self.decoded(pair[1]) : "")
            }
    }

    /// The first value of a name.
    package func value(_ name: String) -> String? { self.query.first { $0.name == name }?.value }

    /// Every value of a name; commas separate values too.
    package func values(_ name: String) -> [String] {
        self.query.filter { $0.name == name }.flatMap { $0.value.split(separator: ",").map(String.init) }
    }

    /// Percent-decoding; what is not a code stays as it is.
    private static func decoded(_ text: Substring) -> String {
        guard text.contains(where: { $0 == "%" || $0 == "+" }) else { return String(text) }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x25, index + 2 < bytes.count,
                let code = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                result.append(code)
                index += 3
            } else {
                result.append(bytes[index] == 0x2B ? 0x20 : bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// An answer: a status and JSON, and how it arrives.
package struct HTTPAnswer: Sendable, Equatable {
    /// When an answer arrives, if at all.
    package enum Arrival: Sendable, Equatable {
        case atOnce
        /// So much later.
        case after(Duration)
        /// Never; the connection stays open.
        case never
        /// The connection is reset instead.
        case reset
    }

    /// A field of the answer's head.
    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: String
    }

    package var status = 200
    package var body: [UInt8]
    /// Fields besides type and length.
    package var fields: [Field] = []
    package var arrival = Arrival.atOnce

    package init(status: Int = 200, bytes: [UInt8]) {
        self.status = status
        self.body = bytes
    }

    package init(status: Int = 200, _ json: String) { self.init(status: status, bytes: Array(json.utf8)) }

    /// The CLOB's way of saying no.
    package static func error(_ status: Int, _ text: String) -> HTTPAnswer {
        HTTPAnswer(status: status, #"{"error":\#(Text.quoted(text))}"#)
    }
}
