import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension TransportError {
    /// What a fault of the layers below means to the one who wanted to connect.
    init(whileConnectingTo endpoint: WebSocketEndpoint, _ error: any Error) {
        switch error {
        case let error as TransportError:
            self = error
        case let error as NIOConnectionError where error.connectionErrors.isEmpty:
            self.init(
                .cannotConnect, "No address found for \(endpoint.host): check the name and the network.", cause: error)
        case is NIOConnectionError:
            self.init(
                .cannotConnect,
                "Cannot connect to \(endpoint.host) port \(endpoint.port): \(NetworkFault.reason(error)).", cause: error
            )
        case ChannelError.connectTimeout:
            self = .timedOut(endpoint, during: "connecting")
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            let message =
                "The certificate of the server is not for \(endpoint.host): check the address; do not send anything to it."
            self.init(.insecure, message, cause: error)
        case is NIOSSLError:
            self.init(
                .insecure,
                "No secure connection to \(endpoint.host) port \(endpoint.port): \(NetworkFault.reason(error)).",
                cause: error)
        case is HTTPParserError:
            self.init(
                .invalidHandshake, "\(endpoint) does not answer in HTTP (\(error)): check address and scheme.",
                cause: error)
        default:
            self.init(
                .connectionLost, "The connection to \(endpoint) failed: \(NetworkFault.reason(error)).", cause: error)
        }
    }

    static func timedOut(_ endpoint: WebSocketEndpoint, during phase: String) -> TransportError {
        TransportError(.timedOut, "\(endpoint) took too long while \(phase): check network and address, or try later.")
    }
}
