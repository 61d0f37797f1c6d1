package import NIOCore
import NIOHTTP1
import NIOPosix

/// Whom a transport tells what happens; every call comes on its event loop.
package protocol TransportDelegate: AnyObject {
    /// The handshake is done: bytes may be written from now on.
    func transportConnected(_ transport: any FeedTransport)
    /// Bytes of WebSocket frames, cut anywhere. They lie in the read buffer, are valid only during the call and may
    /// be changed in place: the next read overwrites them.
    func transportReceived(_ bytes: UnsafeMutableRawBufferPointer)
    /// A whole text message, from a transport that has messages and no frames; valid only during the call.
    func transportReceived(message text: UnsafeRawBufferPointer)
    /// What was to be had for now has been received; writes made since then are about to be flushed.
    func transportReadComplete()
    /// It is over, with nil when we closed. Called exactly once, never from inside a call to the transport, and nothing
    /// is called after it.
    func transportClosed(_ error: TransportError?)
}

extension TransportDelegate {
    /// Whoever speaks with a network gets frames.
    package func transportReceived(message text: UnsafeRawBufferPointer) {
        preconditionFailure("this delegate reads frames: give it a transport that has them")
    }
}

/// One connection to a WebSocket server: TCP, TLS, the handshake, then bytes both ways. It knows nothing of frames.
///
/// It belongs to its event loop: connect, write and close there. It keeps its delegate until it is closed.
package final class WebSocketTransport: FeedTransport {
    private enum State {
        case connecting
        case handshaking(any Channel, HandshakeHandler)
        /// The server agreed; the HTTP handlers are leaving, and what comes meanwhile waits.
        case opening(any Channel, HandshakeFramer)
        case open(any Channel)
        /// We said goodbye and wait for the socket to close.
        case closing(any Channel)
        case closed
    }

    /// Large enough to take a burst in one read.
    private static let readBufferSize = 256 * 1024
    /// How long bytes written before `close` may take to leave.
    private static let lingering = TimeAmount.seconds(1)

    private let endpoint: WebSocketEndpoint
    private let security: TransportSecurity?
    private let eventLoop: any EventLoop
    private var delegate: (any TransportDelegate)?
    private var state = State.connecting
    private var attempts: [any Channel] = []
    private var deadline: Scheduled<Void>?
    private var isReading = false
    private var needsFlush = false

    private init(
        endpoint: WebSocketEndpoint, security: TransportSecurity?, eventLoop: any EventLoop,
        delegate: any TransportDelegate
    ) {
        self.endpoint = endpoint
        self.security = security
        self.eventLoop = eventLoop
        self.delegate = delegate
    }

    /// Begins to connect; the delegate hears how it goes. Call it on `eventLoop`.
    /// - Parameters:
    ///   - security: needed for `wss`; not used for `ws`.
    ///   - timeout: for the whole way from the name look-up to the end of the handshake.
    package static func connect(
        to endpoint: WebSocketEndpoint, security: TransportSecurity?, on eventLoop: any EventLoop, timeout: Duration,
        delegate: any TransportDelegate
    ) -> WebSocketTransport {
        eventLoop.preconditionInEventLoop()
        precondition(!endpoint.isSecure || security != nil, "a wss address needs a TransportSecurity")
        let transport = WebSocketTransport(
            endpoint: endpoint, security: endpoint.isSecure ? security : nil, eventLoop: eventLoop, delegate: delegate)
        transport.start(timeout: TimeAmount(timeout))
        return transport
    }

    /// Writes bytes. Inside a read they are gathered until its end; otherwise they leave at once.
    /// Ignored unless connected.
    package func write(_ bytes: [UInt8]) {
        self.eventLoop.preconditionInEventLoop()
        guard case .open(let channel) = self.state, channel.isActive, !bytes.isEmpty else { return }
        channel.write(channel.allocator.buffer(bytes: bytes), promise: nil)
        if self.isReading { self.needsFlush = true } else { channel.flush() }
    }

    /// Closes after what was written before has left, or a second later. May be called at any time and again.
    package func close() {
        self.eventLoop.preconditionInEventLoop()
        switch self.state {
        case .connecting:
            let channels = self.attempts
            self.finish(nil)
            channels.forEach { $0.close(promise: nil) }
        case .handshaking(let channel, _), .opening(let channel, _):
            self.finish(nil)
            channel.close(promise: nil)
        case .open(let channel):
            self.state = .closing(channel)
            let last = channel.writeAndFlush(channel.allocator.buffer(capacity: 0))
            let timer = self.eventLoop.scheduleTask(in: Self.lingering) { channel.close(promise: nil) }
            last.whenComplete { _ in channel.close(promise: nil) }
            channel.closeFuture.whenComplete { _ in timer.cancel() }
        case .closing, .closed:
            break
        }
    }

    // MARK: Connecting

    private func start(timeout: TimeAmount) {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.deadline = self.eventLoop.scheduleTask(in: timeout) { bound.value.deadlinePassed() }
        ClientBootstrap(group: self.eventLoop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readBufferSize))
            // One read takes a whole burst; a second one in a row would mostly find nothing.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { bound.value.attempts.append(channel) }
            }
            .connect(host: self.endpoint.host, port: self.endpoint.port)
            .whenComplete { result in
                switch result {
                case .success(let channel): bound.value.connected(channel)
                case .failure(let error): bound.value.fail(error)
                }
            }
    }

    private func connected(_ channel: any Channel) {
        self.attempts = []
        guard case .connecting = self.state else {
            channel.close(promise: nil)
            return
        }
        do {
            let pipeline = channel.pipeline.syncOperations
            if let security = self.security { try pipeline.addHandler(security.makeHandler(for: self.endpoint)) }
            let framer = HandshakeFramer(endpoint: self.endpoint)
            let encoder = HTTPRequestEncoder()
            let decoder = ByteToMessageHandler(HTTPResponseDecoder())
            var generator = SystemRandomNumberGenerator()
            let handshake = WebSocketHandshake(endpoint: self.endpoint, using: &generator)
            let handler = HandshakeHandler(handshake) { error in
                if let error {
                    self.fail(error)
                } else {
                    self.accepted(framer, http: [encoder, decoder])
                }
            }
            self.state = .handshaking(channel, handler)
            try pipeline.addHandlers([framer, encoder, decoder, handler])
        } catch {
            self.fail(error)
        }
    }

    private func accepted(_ framer: HandshakeFramer, http handlers: [any RemovableChannelHandler]) {
        guard case .handshaking(let channel, let handshake) = self.state else { return }
        self.state = .opening(channel, framer)
        let pipeline = channel.pipeline.syncOperations
        do {
            try pipeline.addHandler(ByteHandler(self))
        } catch {
            return self.fail(error)
        }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let leaving = ([handshake] + handlers).map { pipeline.removeHandler($0) }
        EventLoopFuture.andAllComplete(leaving, on: self.eventLoop).whenComplete { _ in bound.value.opened() }
    }

    private func opened() {
        guard case .opening(let channel, let framer) = self.state else { return }
        self.state = .open(channel)
        self.deadline?.cancel()
        channel.pipeline.syncOperations.removeHandler(framer, promise: nil)
        self.delegate?.transportConnected(self)
        let rest = framer.takeRest()
        guard rest.readableBytes > 0 else { return }
        self.received(rest)
        self.readCompleted()
    }

    private func deadlinePassed() {
        switch self.state {
        case .connecting: self.fail(TransportError.timedOut(self.endpoint, during: "connecting"))
        case .handshaking(_, let handler):
            self.fail(handler.refusal ?? TransportError.timedOut(self.endpoint, during: "shaking hands"))
        case .opening, .open, .closing, .closed: break
        }
    }

    // MARK: What the channel says

    fileprivate func received(_ buffer: ByteBuffer) {
        guard case .open = self.state else { return }
        self.isReading = true
        // Read-only access avoids a copy: the pool of read buffers and the pipeline hold references too. They never
        // look at the bytes again, so a delegate that unmasks in place disturbs nobody.
        buffer.withUnsafeReadableBytes { bytes in
            self.delegate?.transportReceived(UnsafeMutableRawBufferPointer(mutating: bytes))
        }
    }

    fileprivate func readCompleted() {
        guard self.isReading else { return }
        if case .open = self.state { self.delegate?.transportReadComplete() }
        self.isReading = false
        guard self.needsFlush else { return }
        self.needsFlush = false
        switch self.state {
        case .open(let channel), .closing(let channel): channel.flush()
        case .connecting, .handshaking, .opening, .closed: break
        }
    }

    fileprivate func becameInactive() {
        // Messages may have come between the answer to the handshake and the end.
        self.opened()
        switch self.state {
        case .closing:
            self.finish(nil)
        case .connecting, .handshaking, .opening, .open:
            self.finish(TransportError(.connectionLost, "\(self.endpoint) closed the connection: connect again."))
        case .closed:
            break
        }
    }

    fileprivate func fail(_ error: any Error) {
        let channels: [any Channel]
        switch self.state {
        case .connecting: channels = self.attempts
        case .handshaking(let channel, _), .opening(let channel, _), .open(let channel): channels = [channel]
        case .closing, .closed: return
        }
        // The end is told with this reason; closing the channel would find another.
        self.finish(TransportError(whileConnectingTo: self.endpoint, error))
        channels.forEach { $0.close(promise: nil) }
    }

    private func finish(_ error: TransportError?) {
        if case .closed = self.state { return }
        self.state = .closed
        self.deadline?.cancel()
        self.deadline = nil
        self.attempts = []
        guard let delegate = self.delegate else { return }
        self.delegate = nil
        let bound = NIOLoopBound(delegate, eventLoop: self.eventLoop)
        self.eventLoop.execute { bound.value.transportClosed(error) }
    }
}

/// The end of the pipeline once the handshake is done.
private final class ByteHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let transport: WebSocketTransport

    init(_ transport: WebSocketTransport) { self.transport = transport }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.transport.received(Self.unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) { self.transport.readCompleted() }

    func channelInactive(context: ChannelHandlerContext) { self.transport.becameInactive() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { self.transport.fail(error) }
}
