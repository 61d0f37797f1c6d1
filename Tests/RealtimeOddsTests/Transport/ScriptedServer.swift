import NIOCore
import NIOPosix
import NIOSSL

@testable import RealtimeOdds

/// A server on loopback that answers each request with what a script says, bytes for bytes.
final class ScriptedServer: Sendable {
    /// What to do when a whole request has come.
    enum Step: Sendable {
        /// Agree to the handshake and send these bytes in the same packet.
        case accept(then: [UInt8] = [])
        case send(String)
        case close
    }

    let port: Int
    private let channel: any Channel
    private let group: any EventLoopGroup

    /// - Parameters:
    ///   - security: the certificate and key of a TLS server; nil for a plain one.
    ///   - echoes: whether bytes after the request are sent back.
    static func start(
        _ script: [Step], security: (certificate: String, key: String)? = nil, echoes: Bool = false
    ) async throws -> ScriptedServer {
        let context = try security.map(NIOSSLContext.server)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(ScriptHandler(script, echoes: echoes))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ScriptedServer(channel: channel, group: group)
    }

    private init(channel: any Channel, group: any EventLoopGroup) {
        self.channel = channel
        self.group = group
        self.port = channel.localAddress?.port ?? 0
    }

    func stop() async throws {
        try await self.channel.close()
        try await self.group.shutdownGracefully()
    }

    /// Runs `body` with a server that is gone afterwards.
    static func with(
        _ script: [Step], security: (certificate: String, key: String)? = nil, echoes: Bool = false,
        _ body: (ScriptedServer) async throws -> Void
    ) async throws {
        let server = try await self.start(script, security: security, echoes: echoes)
        do {
            try await body(server)
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }
}

private final class ScriptHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let script: [ScriptedServer.Step]
    private let echoes: Bool
    private var request = ""
    private var answered = false

    init(_ script: [ScriptedServer.Step], echoes: Bool) {
        self.script = script
        self.echoes = echoes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        guard !self.answered else {
            if self.echoes { context.writeAndFlush(data, promise: nil) }
            return
        }
        self.request += String(buffer: buffer)
        guard self.request.hasSuffix("\r\n\r\n") else { return }
        self.answered = true
        for step in self.script {
            switch step {
            case .accept(let bytes): self.send(self.agreement + bytes, context: context)
            case .send(let text): self.send(Array(text.utf8), context: context)
            case .close: context.close(promise: nil)
            }
        }
    }

    // A client that refuses our certificate ends the handshake: that is what some tests are about.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func send(_ bytes: [UInt8], context: ChannelHandlerContext) {
        context.writeAndFlush(Self.wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    }

    private var agreement: [UInt8] { Array(WebSocketHandshake.agreement(to: self.request).utf8) }
}

extension WebSocketHandshake {
    /// The answer of a server that agrees to a request.
    static func agreement(to request: String, connection: String = "Upgrade") -> String {
        let field = request.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") } ?? ""
        let accept = self.accept(forKey: String(field.dropFirst("Sec-WebSocket-Key: ".count)))
        return
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: \(connection)\r\nSec-WebSocket-Accept: \(accept)\r\n\r\n"
    }
}

extension NIOSSLContext {
    /// For a server with this certificate and key, both as PEM text.
    static func server(certificate: String, key: String) throws -> NIOSSLContext {
        try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))))
    }
}
