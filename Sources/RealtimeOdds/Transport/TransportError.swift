/// Why a connection could not be made or did not last.
package struct TransportError: Error, Sendable, CustomStringConvertible {
    /// The kind of fault, for decisions.
    package struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }

        /// The address is not one of a WebSocket.
        package static let invalidEndpoint = Code("invalidEndpoint")
        /// The file with certificate authorities is missing or is not one.
        package static let invalidCertificateFile = Code("invalidCertificateFile")
        /// The host has no address, or nobody listens there.
        package static let cannotConnect = Code("cannotConnect")
        /// The whole attempt took longer than allowed.
        package static let timedOut = Code("timedOut")
        /// The certificate is for another name or from an authority that is not trusted, or TLS failed otherwise.
        package static let insecure = Code("insecure")
        /// The server answered the handshake with an error status.
        package static let refused = Code("refused")
        /// The server asked for fewer attempts (status 429).
        package static let rateLimited = Code("rateLimited")
        /// The server sent us elsewhere (status 3xx), which is not followed.
        package static let redirected = Code("redirected")
        /// The answer to the handshake is not that of a WebSocket server.
        package static let invalidHandshake = Code("invalidHandshake")
        /// The connection ended without our doing.
        package static let connectionLost = Code("connectionLost")
    }

    /// The kind of fault.
    package var code: Code
    /// What happened and what to do next.
    package var message: String
    /// The HTTP status, when the server refused the handshake.
    package var status: Int?
    /// How long the server asked to wait before the next attempt.
    package var retryAfter: Duration?
    /// The error below, when there is one.
    package var cause: (any Error)?

    package init(
        _ code: Code, _ message: String, status: Int? = nil, retryAfter: Duration? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.status = status
        self.retryAfter = retryAfter
        self.cause = cause
    }

    package var description: String { self.message }
}
