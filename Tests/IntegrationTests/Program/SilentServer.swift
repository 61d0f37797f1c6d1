import NIOCore
import NIOPosix
import OddsTestSupport
import Testing

@testable import RealtimeOdds

/// A server on loopback that accepts every connection, takes what is said to it and never answers.
struct SilentServer {
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let heard: Journal<String>
        private let upgrades: Bool

        init(_ heard: Journal<String>, upgrades: Bool) {
            self.heard = heard
            self.upgrades = upgrades
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: self.unwrapInboundIn(data))
            if self.upgrades, let key = text.firstMatch(of: /(?i)sec-websocket-key: *(\S+)/)?.1 {
                let answer = """
                    HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: \(WebSocketHandshake.accept(forKey: String(key)))\r\n\r\n
                    """
                context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
            }
            self.heard.append(text)
        }
    }

    /// Host and port.
    let address: String
    /// What was said to it, piece by piece.
    let heard: Journal<String>

    /// Runs a server while `body` does.
    ///
    /// - Parameter upgrades: whether a WebSocket is opened for whoever asks, before the silence begins.
    static func run(upgrades: Bool = false, _ body: (SilentServer) async throws -> Void) async throws {
        let heard = Journal<String>()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(heard, upgrades: upgrades))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        let outcome: Result<Void, any Error>
        do {
            try await body(SilentServer(address: "127.0.0.1:\(port)", heard: heard))
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await channel.close()
        try outcome.get()
    }
}
