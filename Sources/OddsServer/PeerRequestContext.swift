import Hummingbird
import NIOCore

/// A request's context that knows whether the request came from this machine.
struct PeerRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Whether the other end of the connection has a loopback address. False when that is not known.
    let isLocal: Bool

    init(source: ApplicationRequestContextSource) {
        self.coreContext = .init(source: source)
        self.isLocal = Self.isLoopback(source.channel.remoteAddress)
    }

    static func isLoopback(_ address: SocketAddress?) -> Bool {
        switch address {
        case .v4, .v6:
            guard let text = address?.ipAddress else { return false }
            return text == "::1" || text.hasPrefix("127.") || text.hasPrefix("::ffff:127.")
        case .unixDomainSocket: return true
        case nil: return false
        }
    }
}
