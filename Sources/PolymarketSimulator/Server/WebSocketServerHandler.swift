internal import NIOCore
internal import OddsCore

/// One WebSocket connection of a server: bytes in and out through the codec, messages to and from a service.
final class WebSocketServerHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = [WebSocketCommand]
    typealias OutboundOut = ByteBuffer

    /// Gathers the messages of one read, so that answering them does not touch the codec while it reads.
    private struct Messages: WebSocketMessageHandler {
        var list: [WebSocketMessage] = []

        mutating func receivedText(_ payload: UnsafeRawBufferPointer) { self.list.append(.text(Array(payload))) }
        mutating func receivedBinary(_ payload: UnsafeRawBufferPointer) { self.list.append(.binary(Array(payload))) }
        mutating func receivedPong(_ payload: UnsafeRawBufferPointer) {}
    }

    private let service: any WebSocketService
    private let id: Int
    private var connection: WebSocketConnection
    private var isClosing = false
    private var isPaused = false
    /// What came in while nothing was read.
    private var unread = ByteBuffer()

    init(service: any WebSocketService, id: Int, maximumMessageSize: Int) {
        self.service = service
        self.id = id
        // A server masks nothing: the seed is never used.
        self.connection = WebSocketConnection(role: .server, maximumMessageSize: maximumMessageSize, maskingSeed: 0)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        self.service.opened(WebSocketLink(id: self.id) { channel.writeAndFlush($0, promise: nil) })
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.service.closed(self.id)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = self.unwrapInboundIn(data)
        if self.isPaused {
            self.unread.writeBuffer(&buffer)
        } else {
            self.read(&buffer, context)
        }
    }

    private func read(_ buffer: inout ByteBuffer, _ context: ChannelHandlerContext) {
        var messages = Messages()
        buffer.withUnsafeMutableReadableBytes { self.connection.receive($0, into: &messages) }
        for message in messages.list { self.perform(self.service.received(message, from: self.id), context) }
        self.flush(context, promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        self.perform(self.unwrapOutboundIn(data), context)
        self.flush(context, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        // The high-water mark is the limit for slow readers.
        if !context.channel.isWritable { context.close(promise: nil) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A broken socket, or a TLS failure: either way the connection is over, and `channelInactive` tells the service.
        context.close(promise: nil)
    }

    private func perform(_ commands: [WebSocketCommand], _ context: ChannelHandlerContext) {
        for command in commands where !self.isClosing {
            switch command {
            case .text(let bytes): _ = self.connection.sendText(bytes)
            case .binary(let bytes): _ = self.connection.sendBinary(bytes)
            case .close(let code, let reason): self.connection.close(code: code, reason: reason)
            case .drop:
                self.flush(context, promise: nil)
                self.isClosing = true
                context.close(promise: nil)
            case .cut(let bytes):
                self.flush(context, promise: nil)
                _ = self.connection.sendText(bytes)
                let frame = self.connection.takeOutput()
                self.isClosing = true
                let half = ByteBuffer(bytes: frame.prefix(frame.count / 2))
                context.writeAndFlush(self.wrapOutboundOut(half), promise: nil)
                context.close(promise: nil)
            case .pause: self.setPaused(true, context)
            case .resume: self.setPaused(false, context)
            }
        }
    }

    private func setPaused(_ isPaused: Bool, _ context: ChannelHandlerContext) {
        guard self.isPaused != isPaused else { return }
        if isPaused { self.flush(context, promise: nil) }
        self.isPaused = isPaused
        // Fails when the channel is gone, and then there is nothing to read.
        context.channel.setOption(.autoRead, value: !isPaused).whenFailure { _ in }
        guard !isPaused, self.unread.readableBytes > 0 else { return }
        var buffer = self.unread
        self.unread = ByteBuffer()
        self.read(&buffer, context)
    }

    private func flush(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard !self.isPaused else { return promise?.succeed() ?? () }
        guard !self.isClosing else { return promise?.fail(ChannelError.ioOnClosedChannel) ?? () }
        guard self.connection.hasOutput else {
            promise?.succeed()
            if self.connection.state == .closed { self.end(context) }
            return
        }
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: self.connection.takeOutput())), promise: promise)
        if self.connection.state == .closed { self.end(context) }
    }

    /// Both sides have said goodbye: the server closes first.
    private func end(_ context: ChannelHandlerContext) {
        self.isClosing = true
        context.close(promise: nil)
    }
}
