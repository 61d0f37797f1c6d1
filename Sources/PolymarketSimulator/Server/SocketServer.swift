internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Listens on one port: HTTP/1.1, with the upgrade to WebSocket on some paths.
struct SocketServer: Sendable {
    /// What a port offers.
    struct Service: Sendable {
        var answer: @Sendable (HTTPQuestion) -> HTTPAnswer
        /// The WebSocket behind the paths; every path when there are none.
        var webSocket: (any WebSocketService)?
        var webSocketPaths: Set<String> = []
        var maximumMessageSize = 8 * 1024 * 1024
    }

    private let channel: any Channel

    /// The port listened on.
    var port: Int { self.channel.localAddress?.port ?? 0 }

    /// Begins to listen.
    static func bind(
        host: String, port: Int, tls: NIOSSLContext?, writeLimit: Int, service: Service,
        on group: MultiThreadedEventLoopGroup
    ) async throws(SimulatorError) -> SocketServer {
        let ids = Counter()
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: writeLimit / 2, high: writeLimit)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try Self.configure(channel, service, ids)
                }
            }
        do {
            return SocketServer(channel: try await bootstrap.bind(host: host, port: port).get())
        } catch {
            throw Self.bindError(host: host, port: port, error)
        }
    }

    private static func bindError(host: String, port: Int, _ error: any Error) -> SimulatorError {
        let advice: String
        switch error {
        case let error as IOError where error.errnoCode == EADDRINUSE:
            advice = "another program does already. Choose a free port, or 0 for any."
        case let error as IOError where error.errnoCode == EADDRNOTAVAIL:
            advice = "the address is none of this machine's. Choose another host, such as 127.0.0.1."
        case let error as IOError:
            advice = "\(String(cString: strerror(error.errnoCode))). Choose another port or host."
        case is SocketAddressError.UnknownHost:
            advice = "\(host) is no address and no known name. Choose another host, such as 127.0.0.1."
        default:
            advice = "\(error). Choose another port or host."
        }
        return SimulatorError(.bind, "Cannot listen on \(host):\(port): \(advice)", cause: error)
    }

    private static func configure(_ channel: any Channel, _ service: Service, _ ids: Counter) throws {
        let pipeline = channel.pipeline.syncOperations
        let handler = HTTPExchangeHandler(answer: service.answer)
        let upgrade = service.webSocket.map { webSocket in
            let upgrader = WebSocketUpgrade(
                paths: service.webSocketPaths, service: webSocket, maximumMessageSize: service.maximumMessageSize,
                nextID: { ids.next() })
            return (
                upgraders: [upgrader] as [any HTTPServerProtocolUpgrader],
                completionHandler: { @Sendable (context: ChannelHandlerContext) in
                    let pipeline = context.pipeline.syncOperations
                    // Only fails when the channel is gone, and with it the handler.
                    guard let http = try? pipeline.context(handlerType: HTTPExchangeHandler.self) else { return }
                    pipeline.removeHandler(context: http, promise: nil)
                }
            )
        }
        try pipeline.configureHTTPServerPipeline(withServerUpgrade: upgrade)
        try pipeline.addHandler(handler)
    }

    /// Stops listening; connections already made stay.
    func close() async throws { try await self.channel.close() }
}

/// Numbers, each given out once.
final class Counter: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
        self.value.withLock {
            $0 += 1
            return $0
        }
    }
}
