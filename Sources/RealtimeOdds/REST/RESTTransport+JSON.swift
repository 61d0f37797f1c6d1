import OddsCore

extension RESTTransport {
    /// The JSON value of a successful answer. Throws what the status, or a body that is no JSON, means.
    func json(_ url: String, timeout: Duration) async throws(RESTError) -> JSONValue {
        try await self.get(url, timeout: timeout).json(url: url)
    }
}

extension RESTResponse {
    /// The JSON value of a successful answer. Throws what the status, or a body that is no JSON, means.
    func json(url: String) throws(RESTError) -> JSONValue {
        try self.check(url: url)
        do {
            return try JSONValue(parsing: self.body)
        } catch {
            let type = self.contentType ?? "no content type"
            throw RESTError(
                .malformed, "\(url) answered \(type), which is not JSON; it begins '\(self.beginning)'", cause: error)
        }
    }

    /// Throws what a status other than success means.
    func check(url: String) throws(RESTError) {
        let retryAfter = self.retryAfterDuration
        switch self.status {
        case 200..<300: return
        case 404: throw RESTError(.notFound, "\(url) answered 404: the venue does not have it (yet)")
        case 429: throw RESTError(.rateLimited, "\(url) answered 429: too many requests", retryAfter: retryAfter)
        case 425, 500...:
            throw RESTError(
                .serverFailure, "\(url) answered \(self.status): the venue has a failure", retryAfter: retryAfter)
        default:
            throw RESTError(
                .refused, "\(url) answered \(self.status), beginning '\(self.beginning)'", retryAfter: retryAfter)
        }
    }

    /// At most 80 bytes of the body, on one line.
    var beginning: String {
        let text = String(decoding: self.body.prefix(80), as: UTF8.self)
        return String(text.map { $0.isNewline ? " " : $0 })
    }
}

extension String {
    /// Fit to stand in a path or a query: everything but unreserved characters is escaped.
    var urlEscaped: String {
        var escaped = ""
        for byte in self.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                escaped += hex.count == 1 ? "%0\(hex)" : "%\(hex)"
            }
        }
        return escaped
    }

    /// A base address to which a path can be appended.
    var withoutFinalSlash: String { self.hasSuffix("/") ? String(self.dropLast()) : self }
}
