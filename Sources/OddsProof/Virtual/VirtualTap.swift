import OddsCore
import RealtimeOdds

/// Stands between a feed and its sockets and tells a tap what goes through: messages, and what becomes of connections.
final class TappedSocket: FeedTransport, TransportDelegate {
    private let tap: any FeedTap
    private let clock: any StreamClock
    private let line: Int
    private let number: Int
    private var delegate: (any TransportDelegate)?
    var transport: (any FeedTransport)?
    /// Reads what the feed reads.
    private var reader = WebSocketConnection(role: .client, maximumMessageSize: 8 << 20, maskingSeed: 0)
    private var isOver = false

    init(line: Int, number: Int, tap: any FeedTap, clock: any StreamClock, delegate: any TransportDelegate) {
        self.line = line
        self.number = number
        self.tap = tap
        self.clock = clock
        self.delegate = delegate
        tap.connection(.connecting, on: .line(line), connection: number, at: clock.now())
    }

    func write(_ bytes: [UInt8]) { self.transport?.write(bytes) }

    func close() {
        if self.reader.state != .closed { self.tellClosed(reason: "closed by us", byUs: true) }
        self.transport?.close()
    }

    private func tellClosed(reason: String, byUs: Bool, retryAfter: Duration? = nil) {
        guard !self.isOver else { return }
        self.isOver = true
        self.tap.connection(
            .closed(reason: reason, byUs: byUs, retryAfter: retryAfter), on: .line(self.line), connection: self.number,
            at: self.clock.now())
    }

    func transportConnected(_ transport: any FeedTransport) {
        self.tap.connection(.open, on: .line(self.line), connection: self.number, at: self.clock.now())
        self.delegate?.transportConnected(self)
    }

    func transportReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        if !self.isOver {
            var copy = Array(bytes)
            var said = Said(socket: self)
            copy.withUnsafeMutableBytes { self.reader.receive($0, into: &said) }
        }
        self.delegate?.transportReceived(bytes)
    }

    private struct Said: WebSocketMessageHandler {
        let socket: TappedSocket
        func receivedText(_ payload: UnsafeRawBufferPointer) {
            self.socket.tap.received(
                payload, on: .line(self.socket.line), connection: self.socket.number, at: self.socket.clock.now())
        }
        func receivedBinary(_ payload: UnsafeRawBufferPointer) {}
        func receivedPong(_ payload: UnsafeRawBufferPointer) {}
    }

    func transportReadComplete() { self.delegate?.transportReadComplete() }

    func transportClosed(_ error: TransportError?) {
        var reason = error?.message ?? "the connection was closed"
        if let status = self.reader.closeStatus {
            let code = status.code.map(String.init) ?? "none"
            reason = "closed with code \(code)\(status.reason.isEmpty ? "" : ": \(status.reason)")"
        }
        self.tellClosed(reason: reason, byUs: false, retryAfter: error?.retryAfter)
        let delegate = self.delegate
        self.delegate = nil
        delegate?.transportClosed(error)
    }
}
