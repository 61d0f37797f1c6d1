import OddsCore
import Testing

/// The rules of RFC 6455, one by one.
@Suite struct WebSocketConnectionTests {
    static let roles: [WebSocketConnection.Role] = [.client, .server]

    @Test(arguments: roles) func wholeMessagesComeOutInOrder(role: WebSocketConnection.Role) {
        let bytes =
            frame(1, "one", to: role) + frame(2, [0, 255, 1], to: role) + frame(1, "", to: role)
            + frame(10, "x", to: role)
        let result = outcome(of: [bytes], as: role)
        #expect(result.events == [.text("one"), .binary([0, 255, 1]), .text(""), .pong([120])])
        #expect(result.output.isEmpty)
        #expect(result.state == .open)
        #expect(result.status == nil)
    }

    @Test(arguments: [0, 1, 7, 8, 9, 63, 64, 65, 125, 126, 127, 375, 65_535, 65_536, 70_001])
    func everyFormOfLengthMakesTheRoundTrip(length: Int) {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: 32 + $0 % 90) }
        for role in Self.roles {
            var sender = WebSocketConnection(role: role, maskingSeed: 7)
            sender.sendText(payload)
            sender.sendBinary(payload)
            let received = peerReads(sender.takeOutput(), from: role)
            #expect(received.events == [.text(String(decoding: payload, as: UTF8.self)), .binary(payload)])
        }
    }

    @Test func framesOfAServerStartWithTheBytesOfTheStandard() {
        #expect(frame(1, "Hello") == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
        #expect(frame(2, [UInt8](repeating: 0, count: 256)).prefix(4) == [0x82, 0x7E, 0x01, 0x00])
        #expect(frame(2, [UInt8](repeating: 0, count: 65_536)).prefix(10) == [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0])
        let masked: [UInt8] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        #expect(outcome(of: [masked], as: .server).events == [.text("Hello")])
    }

    @Test func aClientMasksEachFrameWithAnotherKey() {
        var client = WebSocketConnection(role: .client, maskingSeed: 5)
        client.sendText("same")
        let first = client.takeOutput()
        client.sendText("same")
        let second = client.takeOutput()
        #expect(first != second)
        #expect(first[1] == 0x84)
        #expect(peerReads(first + second).events == [.text("same"), .text("same")])
    }

    @Test func fragmentsJoinAndControlFramesMayComeBetween() {
        let bytes =
            frame(1, "a", final: false) + frame(9, "p1") + frame(0, "b", final: false) + frame(10, "q")
            + frame(0, "", final: false) + frame(9, "p2") + frame(0, "c") + frame(2, [1], final: false)
            + frame(0, [2])
        let result = outcome(of: [bytes])
        #expect(result.events == [.pong(Array("q".utf8)), .text("abc"), .binary([1, 2])])
        #expect(peerReads(result.output).events == [.pong(Array("p1".utf8)), .pong(Array("p2".utf8))])
    }

    struct Violation: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var code: UInt16
        var role = WebSocketConnection.Role.client
        var before: [WebSocketEvent] = []
    }

    static let violations: [Violation] =
        (1...7).map {
            Violation(testDescription: "reserved bits \($0)", bytes: frame(1, [65], reserved: $0), code: 1002)
        }
        + [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map {
            Violation(testDescription: "opcode \($0)", bytes: frame($0, [65]), code: 1002)
        }
        + [8, 9, 10].flatMap { opcode in
            [
                Violation(
                    testDescription: "cut control frame \(opcode)", bytes: frame(opcode, final: false), code: 1002),
                Violation(
                    testDescription: "long control frame \(opcode)",
                    bytes: frame(opcode, [UInt8](repeating: 3, count: 126)), code: 1002),
            ]
        }
        + [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map { (code: Int) in
            Violation(
                testDescription: "close code \(code)", bytes: frame(8, [UInt8(code >> 8), UInt8(code & 255)]),
                code: 1002)
        }
        + [
            Violation(testDescription: "masked by a server", bytes: frame(1, [65], masked: true), code: 1002),
            Violation(
                testDescription: "unmasked by a client", bytes: frame(1, [65], to: .server, masked: false), code: 1002,
                role: .server),
            Violation(testDescription: "continuation of nothing", bytes: frame(0, [65]), code: 1002),
            Violation(
                testDescription: "continuation after the end", bytes: frame(1, [65]) + frame(0, [65]), code: 1002,
                before: [.text("A")]),
            Violation(
                testDescription: "message inside a message", bytes: frame(1, [65], final: false) + frame(1, [65]),
                code: 1002),
            Violation(testDescription: "125 in the long form", bytes: [0x82, 126, 0, 125], code: 1002),
            Violation(
                testDescription: "65535 in the longest form", bytes: [0x82, 127, 0, 0, 0, 0, 0, 0, 255, 255], code: 1002
            ),
            Violation(
                testDescription: "length with its top bit", bytes: [0x82, 127, 128, 0, 0, 0, 0, 0, 0, 0], code: 1002),
            Violation(testDescription: "close with one byte", bytes: frame(8, [3]), code: 1002),
            Violation(testDescription: "close with a bad reason", bytes: frame(8, [3, 232, 0xC0, 0x80]), code: 1007),
            Violation(testDescription: "bad text", bytes: frame(1, [65, 0xFF]), code: 1007),
            Violation(testDescription: "text that ends in a character", bytes: frame(1, [65, 0xE2, 0x82]), code: 1007),
            Violation(
                testDescription: "bad text over fragments",
                bytes: frame(1, [0xED], final: false) + frame(0, [0xA0, 0x80]),
                code: 1007),
            Violation(
                testDescription: "fragments that end in a character",
                bytes: frame(1, [0xF0, 0x90], final: false) + frame(0, [0x80]), code: 1007),
        ]

    @Test(arguments: violations) func aViolationClosesWithItsCode(violation: Violation) {
        // What follows a violation is no longer read.
        let follow = frame(1, "after", to: violation.role) + frame(9, to: violation.role)
        let result = outcome(of: [violation.bytes + follow], as: violation.role)
        #expect(result.events == violation.before)
        #expect(result.state == .closed)
        #expect(result.status?.origin == .failure)
        #expect(result.status?.code == violation.code)
        let peer = peerReads(result.output, from: violation.role)
        #expect(peer.status?.code == violation.code)
        #expect(peer.status?.reason == result.status?.reason)
        #expect(peer.events.isEmpty)
    }

    @Test func badTextFailsAtTheFirstBadByteNotAtTheEnd() {
        // The frame announces 1000 bytes and the message would go on after it.
        let begin: [UInt8] = [0x01, 126, 3, 232] + Array("fine so far".utf8)
        #expect(outcome(of: [begin]).state == .open)
        #expect(outcome(of: [begin + [0xC1]]).status?.code == 1007)
        #expect(outcome(of: [begin, [0xC1]]).status?.code == 1007)
    }

    @Test func theLimitIsOnTheWholeMessageAndStopsItBeforeItIsStored() {
        #expect(outcome(of: [frame(2, [UInt8](repeating: 1, count: 100))], limit: 100).events.count == 1)
        #expect(outcome(of: [frame(2, [UInt8](repeating: 1, count: 101))], limit: 100).status?.code == 1009)
        // Only the header is there.
        #expect(outcome(of: [[0x82, 126, 0, 200]], limit: 100).status?.code == 1009)
        #expect(outcome(of: [[0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255]], limit: 100).status?.code == 1009)
        let part = [UInt8](repeating: 1, count: 60)
        let fragments = frame(2, part, final: false) + frame(0, part)
        #expect(outcome(of: [fragments], limit: 120).events == [.binary(part + part)])
        #expect(outcome(of: [fragments], limit: 119).status?.code == 1009)
    }

    @Test(arguments: [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999] as [UInt16])
    func aCloseIsAnsweredOnceWithItsCode(code: UInt16) {
        let close = frame(8, [UInt8(code >> 8), UInt8(code & 255)] + Array("bye €".utf8))
        let result = outcome(of: [close + close + frame(1, "late")])
        #expect(result.state == .closed)
        #expect(result.status == WebSocketCloseStatus(code: code, reason: "bye €", origin: .remote))
        #expect(result.events.isEmpty)
        let answer = peerReads(result.output)
        #expect(answer.status == WebSocketCloseStatus(code: code, reason: "", origin: .remote))
        #expect(result.output.count == 2 + 4 + 2)
    }

    @Test func aCloseWithoutACodeIsAnsweredWithoutOne() {
        let result = outcome(of: [frame(8)])
        #expect(result.status == WebSocketCloseStatus(code: nil, reason: "", origin: .remote))
        #expect(peerReads(result.output).status == WebSocketCloseStatus(code: nil, reason: "", origin: .remote))
    }

    @Test func ourCloseWaitsForThePeersAndStillReads() {
        let end = WebSocketEnd(.client)
        #expect(end.sendText("last"))
        end.close(code: 1001, reason: "done")
        end.close(code: 1000)
        #expect(end.state == .closing)
        let peer = peerReads(end.takeOutput())
        #expect(peer.events == [.text("last")])
        #expect(peer.status == WebSocketCloseStatus(code: 1001, reason: "done", origin: .remote))

        #expect(!end.sendText("too late"))
        end.receive(frame(1, "on its way") + frame(9, "ping"))
        #expect(end.events == [.text("on its way")])
        #expect(!end.hasOutput)
        end.receive(peer.output)
        #expect(end.state == .closed)
        #expect(end.status == WebSocketCloseStatus(code: 1001, reason: "done", origin: .local))
        #expect(!end.hasOutput)
        #expect(end.takeOutput().isEmpty)
    }

    @Test func repliesSentBeforeTheOutputIsTakenGoInFrontOfTheCloseFrame() {
        let end = WebSocketEnd(.server)
        end.receive(frame(1, "ask", to: .server) + frame(8, [3, 232], to: .server))
        #expect(end.state == .closed)
        #expect(end.hasOutput)
        #expect(end.sendText("answer"))
        let peer = peerReads(end.takeOutput(), from: .server)
        #expect(peer.events == [.text("answer")])
        #expect(peer.status?.code == 1000)
        #expect(!end.sendText("again"))
        #expect(!end.hasOutput)
    }

    @Test func aLongReasonIsCutAtACharacter() {
        let end = WebSocketEnd(.client)
        end.close(code: 1000, reason: String(repeating: "€", count: 60))
        #expect(peerReads(end.takeOutput()).status?.reason == String(repeating: "€", count: 41))
    }

    @Test func aPingIsAnsweredWithItsPayload() {
        let payload = (0..<125).map { UInt8($0) }
        let result = outcome(of: [frame(9, payload) + frame(9)])
        #expect(peerReads(result.output).events == [.pong(payload), .pong([])])
        let end = WebSocketEnd(.client)
        #expect(end.sendPing([1, 2]))
        end.receive(peerReads(end.takeOutput()).output)
        #expect(end.events == [.pong([1, 2])])
    }
}
