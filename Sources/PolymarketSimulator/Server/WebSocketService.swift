/// One message that a WebSocket peer sent.
package enum WebSocketMessage: Sendable, Equatable {
    case text([UInt8])
    case binary([UInt8])
}

/// What a WebSocket server does to a connection.
package enum WebSocketCommand: Sendable, Equatable {
    case text([UInt8])
    case binary([UInt8])
    /// The closing handshake.
    case close(code: UInt16, reason: String)
    /// The TCP connection is closed without a close frame, behind what was sent before.
    case drop
    /// The first half of a text message's frame goes out behind what was sent before; then the TCP connection is closed.
    case cut([UInt8])
    /// Nothing is read and nothing goes out any more, not even what the protocol answers by itself; the connection stays.
    case pause
    /// All is read again, first what lies there.
    case resume
}

/// A WebSocket connection as its service sees it.
package struct WebSocketLink: Sendable {
    /// Unlike that of any other connection of this service.
    package let id: Int
    private let action: @Sendable ([WebSocketCommand]) -> Void

    /// A connection by its number and by what carries its commands out.
    package init(id: Int, perform: @escaping @Sendable ([WebSocketCommand]) -> Void) {
        self.id = id
        self.action = perform
    }

    /// Does these things in order, with one flush.
    package func perform(_ commands: [WebSocketCommand]) { self.action(commands) }
}

/// What stands behind a WebSocket server: called on the connection's event loop.
package protocol WebSocketService: Sendable {
    /// How a new connection is turned away; nil lets it in.
    func refusal() -> SimulatorFault.Refusal?
    /// A connection has been made.
    func opened(_ link: WebSocketLink)
    /// A message came; the answer is sent at once.
    func received(_ message: WebSocketMessage, from id: Int) -> [WebSocketCommand]
    /// The connection is gone.
    func closed(_ id: Int)
}
