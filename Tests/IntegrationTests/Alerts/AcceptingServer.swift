import NIOCore
import NIOPosix
import Testing

/// A server on loopback that takes every message, as the Bot API would, and keeps what it was sent.
struct AcceptingServer {
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var received = ""

        /// A request is complete when its JSON object is: alerts hold no braces in these tests.
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.received += String(buffer: self.unwrapInboundIn(data))
            guard self.received.contains("\r\n\r\n{"), self.received.hasSuffix("}") else { return }
            self.received = ""
            let body = #"{"ok":true,"result":{"message_id":42}}"#
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }
    }

    /// How to reach it.
    let base: String

    /// Runs a server while `body` does.
    static func run(_ body: (AcceptingServer) async throws -> Void) async throws {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        let outcome: Result<Void, any Error>
        do {
            try await body(AcceptingServer(base: "http://127.0.0.1:\(port)"))
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await channel.close()
        try outcome.get()
    }
}
