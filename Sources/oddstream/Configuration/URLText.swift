/// The parts of an endpoint's URL that connecting needs.
struct URLText: Equatable {
    let scheme: String
    let host: String
    let port: Int
    /// Whether the scheme asks for TLS.
    var isSecure: Bool { self.scheme == "https" || self.scheme == "wss" }

    /// The parts of a URL with one of the schemes; nil when the text is anything else.
    init?(_ text: String, schemes: [String]) {
        guard let mark = text.firstRange(of: "://"), !text.contains(where: \.isWhitespace) else { return nil }
        let scheme = text[..<mark.lowerBound].lowercased()
        guard schemes.contains(scheme) else { return nil }
        let rest = text[mark.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else { return nil }
        var host = authority
        var port = scheme == "https" || scheme == "wss" ? 443 : 80
        if authority.first == "[" {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let tail = authority[authority.index(after: close)...]
            if !tail.isEmpty {
                guard tail.first == ":", let number = Int(tail.dropFirst()) else { return nil }
                port = number
            }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            guard let number = Int(authority[authority.index(after: colon)...]) else { return nil }
            port = number
        }
        guard !host.isEmpty, (1...65535).contains(port) else { return nil }
        self.scheme = scheme
        self.host = String(host)
        self.port = port
    }
}
