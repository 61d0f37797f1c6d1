internal import NIOPosix

/// A bare WebSocket server on loopback, with the same socket code as the exchange's channels: for conformance runs.
package struct WebSocketListener: Sendable {
    private let server: SocketServer

    /// Begins to listen on `port` (0: any free one); every path is the WebSocket.
    /// - Throws: `SimulatorError` when the port cannot be had.
    package static func bind(
        port: Int, service: any WebSocketService, maximumMessageSize: Int
    ) async throws(SimulatorError) -> WebSocketListener {
        let offer = SocketServer.Service(
            answer: { _ in HTTPAnswer.error(404, "only a WebSocket lives here") }, webSocket: service,
            maximumMessageSize: maximumMessageSize)
        // Whoever asks for large messages back may take the time to read them.
        let server = try await SocketServer.bind(
            host: "127.0.0.1", port: port, tls: nil, writeLimit: 4 * maximumMessageSize, service: offer,
            on: MultiThreadedEventLoopGroup.singleton)
        return WebSocketListener(server: server)
    }

    /// The port listened on.
    package var port: Int { self.server.port }

    /// Stops listening; connections already made stay.
    package func close() async throws { try await self.server.close() }
}
