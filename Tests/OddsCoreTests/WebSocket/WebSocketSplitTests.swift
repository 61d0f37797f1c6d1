import OddsCore
import Testing

/// How the network cuts the bytes must not show.
@Suite struct WebSocketSplitTests {
    struct Stream: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var role: WebSocketConnection.Role
        var bytes: [UInt8]
    }

    static let streams: [Stream] = [WebSocketConnection.Role.client, .server].flatMap { role in
        let lively =
            frame(1, "first €", to: role) + frame(9, "ping", to: role)
            + frame(1, [UInt8](repeating: 66, count: 130), to: role)
            + frame(1, [0xF0, 0x9F], final: false, to: role) + frame(9, "", to: role)
            + frame(0, [], final: false, to: role) + frame(0, [0x98, 0x80], to: role) + frame(10, "pong", to: role)
            + frame(2, [0, 1, 2], final: false, to: role) + frame(0, [], to: role) + frame(1, "", to: role)
        let endings: [(String, [UInt8])] = [
            ("open", []),
            ("cut", Array(frame(1, "never finished", to: role).dropLast(3))),
            ("closed", frame(8, [3, 233] + Array("bye €".utf8), to: role) + frame(1, "ignored", to: role)),
            ("bad text", frame(1, [65, 0xE2, 0x28, 0xA1], to: role) + frame(1, "ignored", to: role)),
            ("bad end of text", frame(1, [65, 0xE2], to: role) + frame(9, "ignored", to: role)),
            ("reserved bit", frame(1, [65], reserved: 2, to: role) + frame(9, "ignored", to: role)),
            ("wrong mask", frame(1, [65], to: role, masked: role == .client)),
            ("continuation of nothing", frame(0, [65], to: role)),
            ("too large", frame(2, [UInt8](repeating: 1, count: 400), to: role)),
            ("wasteful length", [0x82, role == .server ? 254 : 126, 0, 3, 0, 0, 0, 0, 1, 1, 1]),
        ]
        return endings.map { name, bytes in
            Stream(testDescription: "\(role) \(name)", role: role, bytes: lively + bytes)
        }
    }

    @Test(arguments: streams) func aSplitAtEveryPositionChangesNothing(stream: Stream) {
        let whole = outcome(of: [stream.bytes], as: stream.role, limit: 300)
        #expect(whole.events.count == 6)
        for position in 0...stream.bytes.count {
            let pieces = [Array(stream.bytes[..<position]), Array(stream.bytes[position...])]
            #expect(outcome(of: pieces, as: stream.role, limit: 300) == whole, "split at \(position)")
        }
    }

    @Test(arguments: streams) func piecesOfAnySizeChangeNothing(stream: Stream) {
        let whole = outcome(of: [stream.bytes], as: stream.role, limit: 300)
        for size in [1, 2, 3, 5, 8, 13, 64] {
            let pieces = stride(from: 0, to: stream.bytes.count, by: size).map {
                Array(stream.bytes[$0..<min($0 + size, stream.bytes.count)])
            }
            #expect(outcome(of: pieces, as: stream.role, limit: 300) == whole, "pieces of \(size)")
        }
        var generator = SplitMix64(seed: 11)
        for round in 0..<200 {
            var pieces: [[UInt8]] = []
            var rest = stream.bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 0...min(rest.count, 40), using: &generator)
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(outcome(of: pieces, as: stream.role, limit: 300) == whole, "round \(round)")
        }
    }

    /// Any messages, fragmented and interleaved at random, arrive as they were.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64]) func randomConversationsArrive(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let role: WebSocketConnection.Role = seed % 2 == 0 ? .client : .server
        var sender = WebSocketConnection(role: role, maskingSeed: seed)
        var expected: [WebSocketEvent] = []
        for _ in 0..<300 {
            let length = [0, 1, 20, 124, 125, 126, 127, 375, 2000].randomElement(using: &generator) ?? 0
            let text = String(
                (0..<length).map { _ in ["a", "7", "{", "é", "€", "😀"].randomElement(using: &generator) ?? "a" })
            let isText = Bool.random(using: &generator)
            expected.append(isText ? .text(text) : .binary(Array(text.utf8)))
            var rest = Array(text.utf8)[...]
            var opcode: UInt8 = isText ? 1 : 2
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                let count = Int.random(in: 0...rest.count, using: &generator)
                sender.appendRawFrame(opcode: opcode, isFinal: false, payload: Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
                opcode = 0
                if Bool.random(using: &generator) { sender.sendPing([1]) }
            }
            sender.appendRawFrame(opcode: opcode, payload: Array(rest))
        }
        var rest = sender.takeOutput()[...]
        let receiver = WebSocketEnd(role == .client ? .server : .client)
        while !rest.isEmpty {
            let piece = Array(rest.prefix(Int.random(in: 1...3000, using: &generator)))
            receiver.receive(piece)
            rest = rest.dropFirst(piece.count)
        }
        #expect(receiver.events == expected)
        #expect(receiver.state == .open)
    }
}
