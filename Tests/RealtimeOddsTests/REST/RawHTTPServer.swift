import NIOCore
import NIOPosix
import NIOSSL
import OddsTestSupport
import Testing

/// A server on loopback that answers every request with bytes written out in the test, right or wrong.
struct RawHTTPServer {
    /// What is done with a request.
    enum Answer: Sendable {
        /// Send the text and keep the connection.
        case send(String)
        /// Send the text and close.
        case sendAndClose(String)
        /// Send the text and nothing more, ever.
        case sendAndStall(String)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let answer: @Sendable (String) -> Answer
        private let requests: Journal<String>
        private var received = ""

        init(requests: Journal<String>, answer: @escaping @Sendable (String) -> Answer) {
            self.requests = requests
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.received += String(buffer: self.unwrapInboundIn(data))
            while let end = self.received.firstRange(of: "\r\n\r\n") {
                let head = String(self.received[..<end.lowerBound])
                self.received = String(self.received[end.upperBound...])
                self.requests.append(head)
                let path = head.split(separator: " ").dropFirst().first.map(String.init) ?? ""
                switch self.answer(path) {
                case .send(let text), .sendAndStall(let text): self.write(text, context)
                case .sendAndClose(let text):
                    self.write(text, context)
                    context.close(promise: nil)
                }
            }
        }

        private func write(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }
    }

    let port: Int
    /// The heads of the requests received.
    let requests: Journal<String>
    private let channel: any Channel

    /// Runs a server while `body` does.
    static func run(
        certificate: (certificate: String, key: String)? = nil, answer: @escaping @Sendable (String) -> Answer,
        body: (RawHTTPServer) async throws -> Void
    ) async throws {
        let requests = Journal<String>()
        let tls = try certificate.map(NIOSSLContext.server)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(Handler(requests: requests, answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        let outcome: Result<Void, any Error>
        do {
            try await body(RawHTTPServer(port: port, requests: requests, channel: channel))
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await channel.close()
        try outcome.get()
    }

    static func json(_ body: String, status: String = "200 OK", headers: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }
}
