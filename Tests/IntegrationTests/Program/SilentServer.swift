import NIOCore
import NIOPosix
import OddsTestSupport
import Testing

/// A server on loopback that accepts every connection, takes what is said to it and never answers.
struct SilentServer {
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let heard: Journal<String>

        init(_ heard: Journal<String>) { self.heard = heard }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.heard.append(String(buffer: self.unwrapInboundIn(data)))
        }
    }

    /// Host and port.
    let address: String
    /// What was said to it, piece by piece.
    let heard: Journal<String>

    /// Runs a server while `body` does.
    static func run(_ body: (SilentServer) async throws -> Void) async throws {
        let heard = Journal<String>()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(heard))
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
