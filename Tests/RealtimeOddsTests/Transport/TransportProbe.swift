import NIOCore
import NIOPosix

@testable import RealtimeOdds

/// A delegate that turns what it hears into a stream of events.
final class TransportProbe: TransportDelegate {
    enum Event: Sendable {
        case connected
        case received([UInt8])
        case closed(TransportError?)
    }

    private let continuation: AsyncStream<Event>.Continuation
    private let whenConnected: (WebSocketTransport) -> Void
    private let whenReceived: (WebSocketTransport) -> Void
    private var transport: WebSocketTransport?
    private var unread: [UInt8] = []

    private init(
        _ continuation: AsyncStream<Event>.Continuation, whenConnected: @escaping (WebSocketTransport) -> Void,
        whenReceived: @escaping (WebSocketTransport) -> Void
    ) {
        self.continuation = continuation
        self.whenConnected = whenConnected
        self.whenReceived = whenReceived
    }

    func transportConnected(_ transport: any FeedTransport) {
        guard let transport = transport as? WebSocketTransport else { return }
        self.transport = transport
        self.continuation.yield(.connected)
        self.whenConnected(transport)
    }

    func transportReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        self.unread += bytes
        // The buffer may be written to: those who unmask do.
        for index in bytes.indices { bytes[index] = 0 }
    }

    func transportReadComplete() {
        self.continuation.yield(.received(self.unread))
        self.unread = []
        if let transport = self.transport { self.whenReceived(transport) }
    }

    func transportClosed(_ error: TransportError?) {
        self.transport = nil
        self.continuation.yield(.closed(error))
        // A second end would be dropped here unseen, so the stream stays open for a moment of the loop.
        self.continuation.finish()
    }

    /// Connects and collects everything until the connection is closed.
    static func run(
        to url: String, security: TransportSecurity? = nil, timeout: Duration = .seconds(20),
        whenStarted: @escaping @Sendable (WebSocketTransport) -> Void = { _ in },
        whenConnected: @escaping @Sendable (WebSocketTransport) -> Void = { _ in },
        whenReceived: @escaping @Sendable (WebSocketTransport) -> Void = { _ in }
    ) async throws -> [Event] {
        let endpoint = try WebSocketEndpoint(url)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let (stream, continuation) = AsyncStream<Event>.makeStream()
        try await eventLoop.submit {
            let probe = TransportProbe(continuation, whenConnected: whenConnected, whenReceived: whenReceived)
            let transport = WebSocketTransport.connect(
                to: endpoint, security: security, on: eventLoop, timeout: timeout, delegate: probe)
            whenStarted(transport)
        }.get()
        return await stream.reduce(into: []) { $0.append($1) }
    }
}

extension [TransportProbe.Event] {
    var connections: Int {
        self.count { if case .connected = $0 { true } else { false } }
    }

    var bytes: [UInt8] {
        self.flatMap { event -> [UInt8] in if case .received(let bytes) = event { bytes } else { [] } }
    }

    /// The error of the last event; nil when that is not an end with an error.
    var error: TransportError? {
        if case .closed(let error) = self.last { error } else { nil }
    }
}
