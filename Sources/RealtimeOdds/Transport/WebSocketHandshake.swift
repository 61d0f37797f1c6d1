import Crypto
import NIOHTTP1

/// The HTTP exchange that opens a WebSocket (RFC 6455 section 4): our request, and whether the answer is right.
struct WebSocketHandshake {
    let endpoint: WebSocketEndpoint
    let key: String

    init(endpoint: WebSocketEndpoint, using generator: inout some RandomNumberGenerator) {
        self.endpoint = endpoint
        self.key = Self.base64((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    var request: HTTPRequestHead {
        HTTPRequestHead(
            version: .http1_1, method: .GET, uri: self.endpoint.target,
            headers: [
                "Host": self.endpoint.hostField, "Upgrade": "websocket", "Connection": "Upgrade",
                "Sec-WebSocket-Key": self.key, "Sec-WebSocket-Version": "13", "User-Agent": "oddstream",
            ])
    }

    /// What is wrong with an answer of status 101; nil when the connection is open.
    func fault(in response: HTTPResponseHead) -> TransportError? {
        func invalid(_ what: String) -> TransportError {
            TransportError(
                .invalidHandshake,
                "\(self.endpoint) answered the WebSocket handshake \(what): check that the address names a WebSocket.",
                status: Int(response.status.code))
        }
        let headers = response.headers
        guard headers[canonicalForm: "upgrade"].contains(where: { $0.lowercased() == "websocket" }) else {
            return invalid("without the field Upgrade: websocket")
        }
        guard headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" }) else {
            return invalid("without the field Connection: Upgrade")
        }
        guard headers["sec-websocket-accept"] == [Self.accept(forKey: self.key)] else {
            return invalid("with a wrong Sec-WebSocket-Accept")
        }
        guard headers["sec-websocket-extensions"].isEmpty, headers["sec-websocket-protocol"].isEmpty else {
            return invalid("with an extension or protocol that was not asked for")
        }
        return nil
    }

    /// The error for an answer of another status.
    func refusal(_ response: HTTPResponseHead, body: String) -> TransportError {
        let status = Int(response.status.code)
        let answer = "\(self.endpoint) refused the WebSocket with status \(status) \(response.status.reasonPhrase)"
        let quoted = body.isEmpty ? "" : " The answer begins: \(body)"
        switch status {
        case 429:
            let wait = response.headers.first(name: "retry-after").flatMap { Int($0) }.map { max(0, $0) }
            let advice = wait.map { "wait \($0) s" } ?? "wait a while"
            return TransportError(
                .rateLimited, "\(answer): too many attempts; \(advice) before the next one.\(quoted)", status: status,
                retryAfter: wait.map { .seconds($0) })
        case 300..<400:
            let location = response.headers.first(name: "location") ?? "nowhere"
            return TransportError(
                .redirected, "\(answer), to \(location): redirects are not followed; name the new address.\(quoted)",
                status: status)
        default:
            return TransportError(
                .refused, "\(answer): check host and path, or try later.\(quoted)", status: status)
        }
    }

    /// The proof that the server understood: the key joined with the standard's constant, hashed.
    static func accept(forKey key: String) -> String {
        var hash = Insecure.SHA1()
        let text = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        text.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return Self.base64(Array(hash.finalize()))
    }

    static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = (0..<3).reduce(UInt32(0)) { bits, place in
                bits << 8 | (place < group.count ? UInt32(group[start + place]) : 0)
            }
            for place in 0..<4 {
                let index = Int(bits >> UInt32(18 - 6 * place) & 63)
                text.append(place <= group.count ? alphabet[index] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
