import OddsCore

/// A client's end that sends every message back.
struct Echo: ~Copyable {
    private struct Messages: WebSocketMessageHandler {
        enum Message {
            case text([UInt8])
            case binary([UInt8])
        }

        var list: [Message] = []

        mutating func receivedText(_ payload: UnsafeRawBufferPointer) { self.list.append(.text(Array(payload))) }
        mutating func receivedBinary(_ payload: UnsafeRawBufferPointer) { self.list.append(.binary(Array(payload))) }
        mutating func receivedPong(_ payload: UnsafeRawBufferPointer) {}
    }

    private var connection: WebSocketConnection
    /// The newest text message.
    private(set) var lastText: [UInt8]?

    init() {
        self.connection = WebSocketConnection(
            role: .client, maximumMessageSize: Conformance.maximumMessageSize, maskingSeed: .random(in: .min ... .max))
    }

    /// Whether the socket is to be closed once the output is written.
    var isOver: Bool { self.connection.state == .closed }

    /// Takes bytes in and tells what to write.
    mutating func receive(_ bytes: UnsafeMutableRawBufferPointer) -> [UInt8] {
        var messages = Messages()
        self.connection.receive(bytes, into: &messages)
        for message in messages.list {
            switch message {
            case .text(let text):
                self.lastText = text
                self.connection.sendText(text)
            case .binary(let payload):
                self.connection.sendBinary(payload)
            }
        }
        return self.connection.takeOutput()
    }
}
