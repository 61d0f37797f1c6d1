import NIOCore
import NIOHTTP1

/// Sends the handshake's request, collects the answer, and reports once how it went.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// How much of a refusal's body is quoted, in bytes.
    private static let quotedBody = 200

    private let handshake: WebSocketHandshake
    private var completed: ((TransportError?) -> Void)?
    private var response: HTTPResponseHead?
    private var body: [UInt8] = []

    /// - Parameter completed: called once, with nil when the server agreed.
    init(_ handshake: WebSocketHandshake, completed: @escaping (TransportError?) -> Void) {
        self.handshake = handshake
        self.completed = completed
    }

    /// The refusal of which the end has not come, if any.
    var refusal: TransportError? {
        guard let response = self.response, response.status != .switchingProtocols else { return nil }
        return self.handshake.refusal(response, body: String(decoding: self.body, as: UTF8.self))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        context.write(Self.wrapOutboundOut(.head(self.handshake.request)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.completed != nil else { return }
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            self.response = head
            if head.status == .switchingProtocols, let fault = self.handshake.fault(in: head) { self.complete(fault) }
        case .body(let part):
            self.body.append(contentsOf: part.readableBytesView.prefix(Self.quotedBody - self.body.count))
            if self.body.count == Self.quotedBody { self.complete(self.refusal) }
        case .end:
            self.complete(self.refusal)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.complete(
            self.refusal
                ?? TransportError(
                    .connectionLost,
                    "\(self.handshake.endpoint) closed the connection during the handshake: try again later."))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.complete(self.refusal ?? TransportError(whileConnectingTo: self.handshake.endpoint, error))
    }

    private func complete(_ error: TransportError?) {
        guard let completed = self.completed else { return }
        self.completed = nil
        completed(error)
    }
}
