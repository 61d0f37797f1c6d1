/// How a WebSocket connection ended, or is about to.
public struct WebSocketCloseStatus: Sendable, Equatable {
    /// Who ended it.
    public enum Origin: Sendable, Equatable {
        /// The peer sent the first close frame.
        case remote
        /// We sent the first close frame.
        case local
        /// The peer broke the protocol; `reason` says how.
        case failure
    }

    /// The close code; nil when the close frame carried none.
    public var code: UInt16?
    /// The reason in the close frame, or the sentence that tells what went wrong. May be empty.
    public var reason: String
    /// Who ended it.
    public var origin: Origin

    /// A status from its parts.
    public init(code: UInt16?, reason: String, origin: Origin) {
        self.code = code
        self.reason = reason
        self.origin = origin
    }

    /// 1000: the purpose is fulfilled.
    public static let normal: UInt16 = 1000
    /// 1001: the peer is going away.
    public static let goingAway: UInt16 = 1001
    /// 1002: the peer broke the protocol.
    public static let protocolError: UInt16 = 1002
    /// 1007: text that is not UTF-8.
    public static let invalidPayload: UInt16 = 1007
    /// 1009: a message over the limit.
    public static let messageTooBig: UInt16 = 1009
    /// 1011: the peer met a condition that keeps it from going on.
    public static let internalError: UInt16 = 1011

    /// Whether a close frame may carry this code (RFC 6455 section 7.4 and the IANA registry).
    public static func isSendable(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
