import NIOCore

/// One connection as the feed sees it: bytes of WebSocket frames out, and the end of it.
package protocol FeedTransport: AnyObject {
    /// Writes bytes; ignored unless connected.
    func write(_ bytes: [UInt8])
    /// Closes after what was written before has left. May be called at any time and again.
    func close()
}

/// Opens the feed's connections: over the network, or to an exchange in the same process.
package protocol FeedConnector: Sendable {
    /// Where it connects to, for people.
    var address: String { get }
    /// Begins to connect for a line; the delegate hears how it goes, never from inside this call. On the feed's event loop.
    func connect(line: Int, delegate: any TransportDelegate) -> any FeedTransport
}

/// The network.
struct NetworkConnector: FeedConnector {
    let endpoint: WebSocketEndpoint
    let security: TransportSecurity?
    let eventLoop: any EventLoop
    let timeout: Duration

    var address: String { "\(self.endpoint)" }

    func connect(line: Int, delegate: any TransportDelegate) -> any FeedTransport {
        WebSocketTransport.connect(
            to: self.endpoint, security: self.security, on: self.eventLoop, timeout: self.timeout, delegate: delegate)
    }
}
