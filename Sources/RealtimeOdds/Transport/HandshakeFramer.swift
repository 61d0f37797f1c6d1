import NIOCore

/// Stands in front of the HTTP decoder and keeps from it what is no HTTP: the bytes behind an agreement (status 101)
/// are already those of the WebSocket. It also limits the size of an answer's header.
final class HandshakeFramer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private enum State {
        case header
        /// Of an answer that is no agreement, or no HTTP at all: the decoder judges it.
        case body
        case agreed
    }

    /// The longest header, in bytes.
    static let limit = 16 * 1024

    private let endpoint: WebSocketEndpoint
    private var state = State.header
    private var bytes = ByteBuffer()
    /// How much of `bytes` holds no end of a header.
    private var searched = 0

    init(endpoint: WebSocketEndpoint) { self.endpoint = endpoint }

    /// Hands over what came behind the agreement.
    func takeRest() -> ByteBuffer {
        defer { self.bytes = ByteBuffer() }
        return self.bytes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .body = self.state { return context.fireChannelRead(data) }
        self.bytes.writeImmutableBuffer(Self.unwrapInboundIn(data))
        if case .header = self.state, !zip(self.bytes.readableBytesView, "HTTP/".utf8).allSatisfy(==) {
            self.state = .body
        }
        while case .header = self.state {
            guard let header = self.nextHeader() else { return }
            guard header.readableBytes <= Self.limit else {
                let message = "\(self.endpoint) answered with a header over \(Self.limit) bytes: check the address."
                self.state = .body
                return context.fireErrorCaught(TransportError(.invalidHandshake, message))
            }
            let status = header.readableBytesView.dropFirst("HTTP/1.1 ".utf8.count).prefix(3)
            if status.elementsEqual("101".utf8) {
                self.state = .agreed
            } else if status.first != UInt8(ascii: "1") {
                self.state = .body
            }
            context.fireChannelRead(Self.wrapInboundOut(header))
        }
        guard case .body = self.state, self.bytes.readableBytes > 0 else { return }
        context.fireChannelRead(Self.wrapInboundOut(self.takeRest()))
    }

    /// The bytes up to the empty line that ends a header, or all of them when there are too many.
    private func nextHeader() -> ByteBuffer? {
        let view = self.bytes.readableBytesView
        let end: [UInt8] = [13, 10, 13, 10]
        let start = view.index(view.startIndex, offsetBy: max(0, self.searched - 3))
        if let range = view[start...].firstRange(of: end) {
            self.searched = 0
            return self.bytes.readSlice(length: view.distance(from: view.startIndex, to: range.upperBound))
        }
        self.searched = view.count
        return view.count > Self.limit ? self.takeRest() : nil
    }
}
