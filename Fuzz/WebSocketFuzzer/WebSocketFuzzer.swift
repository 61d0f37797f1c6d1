import Foundation
import FuzzDriver
import OddsCore

/// Feeds a stream of bytes to two WebSocket connections, to one as a whole and to the other cut at random: both must
/// see the same messages, say the same and end in the same state.
///
/// An input is one byte of options (bit 0: we are the server; bits 1 to 3: the size limit), one byte that seeds the
/// cuts (0: byte by byte), and the stream.
@main
enum WebSocketFuzzer {
    static func main() {
        exit(runFuzzer { data, count in WebSocketFuzzer.test(UnsafeRawBufferPointer(start: data, count: count)) })
    }

    private static let limits = [0, 1, 16, 125, 126, 300, 70_000, 1 << 20]

    private static func test(_ input: UnsafeRawBufferPointer) -> CInt {
        guard input.count > 2 else { return -1 }
        let role: WebSocketConnection.Role = input[0] & 1 == 0 ? .client : .server
        let limit = Self.limits[Int(input[0] >> 1 & 7)]
        let stream = UnsafeRawBufferPointer(rebasing: input[2...])

        let whole = End(role, limit: limit)
        whole.receive(stream)
        let cut = End(role, limit: limit)
        var choices = FuzzChoices(seed: UInt64(input[1]))
        var rest = stream
        while !rest.isEmpty {
            let count = input[1] == 0 ? 1 : min(rest.count, Int(choices.next() >> 40 & 31) + 1)
            cut.receive(UnsafeRawBufferPointer(rebasing: rest[..<count]))
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        promise(whole.outcome() == cut.outcome(), "the cuts of the stream changed what was understood")
        return 0
    }
}

private struct Outcome: Equatable {
    var messages: [UInt8]
    var output: [UInt8]
    var state: WebSocketConnection.State
    var status: WebSocketCloseStatus?
}

private final class End {
    /// Everything that came, in one line of bytes.
    private struct Messages: WebSocketMessageHandler {
        var bytes: [UInt8] = []

        mutating func receivedText(_ payload: UnsafeRawBufferPointer) {
            promise(String(validating: payload, as: UTF8.self) != nil, "text that is not UTF-8 was let through")
            self.add(1, payload)
        }
        mutating func receivedBinary(_ payload: UnsafeRawBufferPointer) { self.add(2, payload) }
        mutating func receivedPong(_ payload: UnsafeRawBufferPointer) {
            promise(payload.count <= 125, "a long pong was let through")
            self.add(3, payload)
        }

        private mutating func add(_ kind: UInt8, _ payload: UnsafeRawBufferPointer) {
            self.bytes.append(kind)
            withUnsafeBytes(of: payload.count) { self.bytes.append(contentsOf: $0) }
            self.bytes.append(contentsOf: payload)
        }
    }

    private var connection: WebSocketConnection
    private var messages = Messages()

    init(_ role: WebSocketConnection.Role, limit: Int) {
        self.connection = WebSocketConnection(role: role, maximumMessageSize: limit, maskingSeed: 1)
    }

    func receive(_ bytes: UnsafeRawBufferPointer) {
        withExactCopy(of: bytes) { self.connection.receive($0, into: &self.messages) }
    }

    func outcome() -> Outcome {
        Outcome(
            messages: self.messages.bytes, output: self.connection.takeOutput(), state: self.connection.state,
            status: self.connection.closeStatus)
    }
}
