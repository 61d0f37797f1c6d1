package import OddsCore

/// Moves one GET request to a server and its answer back. The port behind which every REST client here stands.
package protocol RESTTransport: Sendable {
    /// The answer to a GET, whatever its status.
    ///
    /// Ends promptly when the task is cancelled.
    func get(_ url: String, timeout: Duration) async throws(RESTError) -> RESTResponse
}

/// A complete answer.
package struct RESTResponse: Sendable {
    /// The HTTP status.
    package var status: Int
    /// The media type the server claims; nil when it claims none.
    package var contentType: String?
    /// The text of `Retry-After`; nil when there is none.
    package var retryAfter: String?
    /// The body.
    package var body: [UInt8]

    /// An answer from its parts.
    package init(status: Int, contentType: String? = nil, retryAfter: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.contentType = contentType
        self.retryAfter = retryAfter
        self.body = body
    }

    /// How long the server asks to wait; nil when it does not say, or says a date (which needs both clocks to agree).
    package var retryAfterDuration: Duration? {
        guard let retryAfter, let seconds = Int64(retryAfter.filter { $0 != " " }), seconds >= 0 else { return nil }
        return .seconds(min(seconds, 86_400))
    }
}

/// Why there is no answer from a server, or none that can be used.
package struct RESTError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        package let description: String
        /// The address cannot be used.
        package static let badAddress = Code(description: "bad address")
        /// The certificate file cannot be read.
        package static let certificateFile = Code(description: "certificate file")
        /// No connection, or it broke.
        package static let unreachable = Code(description: "unreachable")
        /// No complete answer in time.
        package static let timeout = Code(description: "timeout")
        /// The task was cancelled.
        package static let cancelled = Code(description: "cancelled")
        /// The answer is larger than allowed.
        package static let tooLarge = Code(description: "too large")
        /// Status 404, or an empty list.
        package static let notFound = Code(description: "not found")
        /// Status 429.
        package static let rateLimited = Code(description: "rate limited")
        /// Status 5xx, or 425 while the engine restarts.
        package static let serverFailure = Code(description: "server failure")
        /// Any other status.
        package static let refused = Code(description: "refused")
        /// The body cannot be read.
        package static let malformed = Code(description: "malformed answer")
    }

    /// The kind of failure.
    package let code: Code
    /// What happened and what to do.
    package let message: String
    /// How long the server asks to wait; nil when it does not say.
    package let retryAfter: Duration?
    /// The error underneath; nil when this is the first.
    package let cause: (any Error)?

    /// An error from its parts.
    package init(_ code: Code, _ message: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.cause = cause
    }

    /// Kind, message and cause.
    package var description: String {
        "\(self.code): \(self.message)\(self.cause.map { " (\($0))" } ?? "")"
    }
}

extension RESTError {
    /// The same failure as the machines that follow markets know it.
    package var lookUpFailure: MarketLookUpFailure {
        let reason: MarketLookUpFailure.Reason =
            switch self.code {
            case .notFound: .missing
            case .rateLimited: .rateLimited
            case .malformed, .tooLarge: .malformed
            case .serverFailure, .refused: .refused
            default: .unreachable
            }
        return MarketLookUpFailure(reason, self.message, retryAfter: self.retryAfter)
    }
}
