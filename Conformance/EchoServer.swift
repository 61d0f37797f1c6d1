import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import OddsCore

/// An echo server on loopback.
enum EchoServer {
    static func run(port: Int) async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline(
                    withServerUpgrade: (upgraders: [Upgrader()], completionHandler: { _ in }))
            }
            .bind(host: "127.0.0.1", port: port).get()
        print("listening on \(listener.localAddress?.port ?? port)")
        // Whoever started us waits for this line.
        fflush(nil)
        try await listener.closeFuture.get()
    }

    private final class Upgrader: HTTPServerProtocolUpgrader, Sendable {
        struct MissingKey: Error {}

        let supportedProtocol = "websocket"
        let requiredUpgradeHeaders: [String] = []

        func buildUpgradeResponse(
            channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
        ) -> EventLoopFuture<HTTPHeaders> {
            guard let key = upgradeRequest.headers.first(name: "sec-websocket-key") else {
                return channel.eventLoop.makeFailedFuture(MissingKey())
            }
            let text = Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
            var headers = initialResponseHeaders
            headers.add(
                name: "Sec-WebSocket-Accept", value: Data(Insecure.SHA1.hash(data: text)).base64EncodedString())
            return channel.eventLoop.makeSucceededFuture(headers)
        }

        func upgrade(context: ChannelHandlerContext, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Void> {
            context.eventLoop.makeCompletedFuture {
                try context.pipeline.syncOperations.addHandler(EchoHandler())
            }
        }
    }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var echo = Echo(.server)

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.echo.isOver else { return }
        var buffer = Self.unwrapInboundIn(data)
        let output = buffer.withUnsafeMutableReadableBytes { self.echo.receive($0) }
        let written = context.eventLoop.makePromise(of: Void.self)
        if self.echo.isOver {
            let channel = context.channel
            written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(bytes: output)), promise: written)
    }

    // The suite cuts connections on purpose.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
