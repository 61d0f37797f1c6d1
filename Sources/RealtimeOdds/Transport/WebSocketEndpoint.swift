import NIOCore

/// Where a WebSocket lives: the parts of a `ws://` or `wss://` address.
package struct WebSocketEndpoint: Sendable, Hashable, CustomStringConvertible {
    /// Whether the connection is encrypted (`wss`).
    package let isSecure: Bool
    /// A name or an IP address, without brackets.
    package let host: String
    package let port: Int
    /// Path and query, as the request names them.
    package let target: String

    /// Takes an address apart, such as `wss://ws-subscriptions-clob.polymarket.com/ws/market`.
    /// - Throws: `invalidEndpoint` with the address and what is wrong with it.
    package init(_ url: String) throws(TransportError) {
        func invalid(_ reason: String) -> TransportError {
            TransportError(.invalidEndpoint, "\"\(url)\" is no WebSocket address: \(reason).")
        }
        guard let separator = url.firstRange(of: "://") else { throw invalid("it must begin with ws:// or wss://") }
        switch url[..<separator.lowerBound].lowercased() {
        case "ws": self.isSecure = false
        case "wss": self.isSecure = true
        default: throw invalid("it must begin with ws:// or wss://")
        }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw invalid("spaces, control and non-ASCII characters must be percent-encoded")
        }
        guard !url.contains("#") else { throw invalid("a fragment (#) has no meaning here") }

        let rest = url[separator.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end]
        let target = rest[end...]
        self.target = target.hasPrefix("/") ? String(target) : "/" + target
        guard !authority.contains("@") else { throw invalid("a user name or password cannot be given here") }

        var name = authority
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { throw invalid("a bracket is missing") }
            name = authority[authority.index(after: authority.startIndex)..<bracket]
            let after = authority[authority.index(after: bracket)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw invalid("only a port may follow the bracket") }
            portText = after.isEmpty ? nil : after.dropFirst()
            guard Self.isAddress(String(name)) else { throw invalid("what is in brackets must be an IPv6 address") }
        } else if let colon = authority.firstIndex(of: ":") {
            name = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
        }
        guard !name.isEmpty else { throw invalid("the host is missing") }
        self.host = String(name)
        guard let portText else {
            self.port = self.isSecure ? 443 : 80
            return
        }
        guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(portText),
            (1...65_535).contains(port)
        else { throw invalid("the port must be a number from 1 to 65535") }
        self.port = port
    }

    /// Whether the host is an address rather than a name: then there is no name to send or to check.
    var isHostAddress: Bool { Self.isAddress(self.host) }

    /// The value of the `Host` field.
    var hostField: String {
        let name = self.host.contains(":") ? "[\(self.host)]" : self.host
        return self.port == (self.isSecure ? 443 : 80) ? name : "\(name):\(self.port)"
    }

    package var description: String { "\(self.isSecure ? "wss" : "ws")://\(self.hostField)\(self.target)" }

    private static func isAddress(_ text: String) -> Bool { (try? SocketAddress(ipAddress: text, port: 0)) != nil }
}
