import OddsCore

/// What a connection gave to its handler, in order.
enum WebSocketEvent: Equatable {
    case text(String)
    case binary([UInt8])
    case pong([UInt8])
}

struct RecordingHandler: WebSocketMessageHandler {
    var events: [WebSocketEvent] = []
    mutating func receivedText(_ payload: UnsafeRawBufferPointer) {
        self.events.append(.text(String(decoding: payload, as: UTF8.self)))
    }
    mutating func receivedBinary(_ payload: UnsafeRawBufferPointer) { self.events.append(.binary(Array(payload))) }
    mutating func receivedPong(_ payload: UnsafeRawBufferPointer) { self.events.append(.pong(Array(payload))) }
}

/// Everything one can see of a connection after it was fed.
struct WebSocketOutcome: Equatable {
    var events: [WebSocketEvent]
    var output: [UInt8]
    var state: WebSocketConnection.State
    var status: WebSocketCloseStatus?
}

/// A connection with its handler, copyable by reference so that expectations can look into it.
final class WebSocketEnd {
    private var connection: WebSocketConnection
    private var handler = RecordingHandler()

    init(_ role: WebSocketConnection.Role, limit: Int = 1 << 20, seed: UInt64 = 1) {
        self.connection = WebSocketConnection(role: role, maximumMessageSize: limit, maskingSeed: seed)
    }

    var events: [WebSocketEvent] { self.handler.events }
    var state: WebSocketConnection.State { self.connection.state }
    var status: WebSocketCloseStatus? { self.connection.closeStatus }
    var hasOutput: Bool { self.connection.hasOutput }

    func receive(_ bytes: [UInt8]) {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { self.connection.receive($0, into: &self.handler) }
    }

    func sendText(_ text: String) -> Bool { self.connection.sendText(text) }
    func sendPing(_ payload: [UInt8]) -> Bool { self.connection.sendPing(payload) }
    func close(code: UInt16, reason: String = "") { self.connection.close(code: code, reason: reason) }
    func takeOutput() -> [UInt8] { self.connection.takeOutput() }
}

/// Feeds the pieces to a fresh connection.
func outcome(
    of pieces: [[UInt8]], as role: WebSocketConnection.Role = .client, limit: Int = 1 << 20
) -> WebSocketOutcome {
    let end = WebSocketEnd(role, limit: limit)
    for piece in pieces { end.receive(piece) }
    return WebSocketOutcome(events: end.events, output: end.takeOutput(), state: end.state, status: end.status)
}

/// A frame as the peer of `role` sends it.
func frame(
    _ opcode: UInt8, _ payload: [UInt8] = [], final: Bool = true, reserved: UInt8 = 0,
    to role: WebSocketConnection.Role = .client, masked: Bool? = nil
) -> [UInt8] {
    var peer = WebSocketConnection(role: role == .client ? .server : .client, maskingSeed: 99)
    peer.appendRawFrame(opcode: opcode, isFinal: final, reservedBits: reserved, payload: payload, masked: masked)
    return peer.takeOutput()
}

func frame(_ opcode: UInt8, _ text: String, final: Bool = true, to role: WebSocketConnection.Role = .client) -> [UInt8]
{
    frame(opcode, Array(text.utf8), final: final, to: role)
}

/// What a peer reads from our output.
func peerReads(_ output: [UInt8], from role: WebSocketConnection.Role = .client) -> WebSocketOutcome {
    outcome(of: [output], as: role == .client ? .server : .client)
}
