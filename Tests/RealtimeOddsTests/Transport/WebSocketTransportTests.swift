import NIOCore
import NIOPosix
import OddsTestSupport
import Testing

@testable import RealtimeOdds

/// The client against a scripted server on loopback.
@Suite(.timeLimit(.minutes(5))) struct WebSocketTransportTests {
    /// A trust in the authority of the fixtures alone.
    private func security() throws -> TransportSecurity {
        let file = try TLSFixture.File(TLSFixture.authority)
        return try withExtendedLifetime(file) { try TransportSecurity(certificateAuthorityFile: file.path) }
    }

    private func outcome(
        of script: [ScriptedServer.Step], timeout: Duration = .seconds(20)
    ) async throws -> [TransportProbe.Event] {
        var events: [TransportProbe.Event] = []
        try await ScriptedServer.with(script) { server in
            events = try await TransportProbe.run(to: "ws://127.0.0.1:\(server.port)/ws/market", timeout: timeout)
        }
        return events
    }

    @Test func bytesGoBothWaysAndOurCloseIsNoError() async throws {
        try await ScriptedServer.with([.accept()], echoes: true) { server in
            let events = try await TransportProbe.run(
                to: "ws://127.0.0.1:\(server.port)/ws/market", whenConnected: { $0.write([1, 2, 3]) },
                whenReceived: { $0.close() })
            #expect(events.connections == 1)
            #expect(events.bytes == [1, 2, 3])
            #expect(events.error == nil)
        }
    }

    @Test(arguments: ["127.0.0.1", "localhost"]) func tlsWithAPrivateAuthorityConnects(host: String) async throws {
        let security = try self.security()
        try await ScriptedServer.with([.accept()], security: TLSFixture.localhost, echoes: true) { server in
            let events = try await TransportProbe.run(
                to: "wss://\(host):\(server.port)/", security: security, whenConnected: { $0.write([7, 8]) },
                whenReceived: { $0.close() })
            #expect(events.connections == 1)
            #expect(events.bytes == [7, 8])
            #expect(events.error == nil)
        }
    }

    @Test(arguments: ["127.0.0.1", "localhost"]) func aCertificateForAnotherNameIsRefused(host: String) async throws {
        let security = try self.security()
        try await ScriptedServer.with([.accept()], security: TLSFixture.elsewhere) { server in
            let events = try await TransportProbe.run(to: "wss://\(host):\(server.port)/", security: security)
            #expect(events.connections == 0)
            #expect(events.error?.code == .insecure)
            #expect(events.error?.message.contains("not for \(host)") == true)
        }
    }

    @Test func anUnknownAuthorityIsRefused() async throws {
        let security = try TransportSecurity()
        try await ScriptedServer.with([.accept()], security: TLSFixture.localhost) { server in
            let events = try await TransportProbe.run(to: "wss://localhost:\(server.port)/", security: security)
            #expect(events.connections == 0)
            #expect(events.error?.code == .insecure)
            #expect(events.error?.message.contains("authority") == true)
        }
    }

    @Test func aServerWithoutTLSIsRefusedOverTLS() async throws {
        let security = try self.security()
        try await ScriptedServer.with([.accept()]) { server in
            let events = try await TransportProbe.run(
                to: "wss://localhost:\(server.port)/", security: security, timeout: .milliseconds(500))
            #expect(events.connections == 0)
            #expect(events.error != nil)
        }
    }

    @Test func aMissingOrWrongAuthorityFileSaysSo() {
        let missing = #expect(throws: TransportError.self) {
            try TransportSecurity(certificateAuthorityFile: "/no/such/file.pem")
        }
        #expect(missing?.code == .invalidCertificateFile)
        #expect(missing?.message.contains("/no/such/file.pem") == true)
    }

    @Test func bytesInThePacketOfTheAnswerAreNotLost() async throws {
        let burst = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        try await ScriptedServer.with([.accept(then: burst), .send("end"), .close]) { server in
            let events = try await TransportProbe.run(to: "ws://127.0.0.1:\(server.port)/")
            #expect(events.connections == 1)
            // Compared outside of the expectation, which would print a long difference slowly.
            let isWhole = events.bytes == burst + Array("end".utf8)
            #expect(isWhole, "\(events.bytes.count) bytes came")
            #expect(events.error?.code == .connectionLost)
        }
    }

    @Test func bytesBehindTheAnswerMayBeAnsweredAtOnce() async throws {
        try await ScriptedServer.with([.accept(then: [1])], echoes: true) { server in
            let events = try await TransportProbe.run(
                to: "ws://127.0.0.1:\(server.port)/", whenConnected: { $0.write([2]) },
                whenReceived: { transport in
                    transport.write([3])
                    transport.close()
                })
            #expect(events.bytes.first == 1)
            #expect(events.error == nil)
        }
    }

    @Test func aRefusalTellsStatusAndBody() async throws {
        let body = "no such market " + String(repeating: "x", count: 500)
        let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        let error = try await self.outcome(of: [.send(answer)]).error
        #expect(error?.code == .refused)
        #expect(error?.status == 404)
        #expect(error?.message.contains("404 Not Found") == true)
        #expect(error?.message.hasSuffix(String(body.prefix(200))) == true)
    }

    @Test(arguments: ["Content-Length: 4\r\n\r\nbusy", "Transfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n"])
    func tooManyAttemptsTellHowLongToWait(rest: String) async throws {
        let answer = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n\(rest)"
        let error = try await self.outcome(of: [.send(answer)]).error
        #expect(error?.code == .rateLimited)
        #expect(error?.retryAfter == .seconds(7))
        #expect(error?.message.hasSuffix("busy") == true)
    }

    @Test func aRedirectIsNotFollowed() async throws {
        let answer = "HTTP/1.1 302 Found\r\nLocation: ws://elsewhere.test/\r\nContent-Length: 0\r\n\r\n"
        let error = try await self.outcome(of: [.send(answer)]).error
        #expect(error?.code == .redirected)
        #expect(error?.message.contains("ws://elsewhere.test/") == true)
    }

    @Test func aRefusalWhoseBodyNeverEndsIsToldAtTheDeadline() async throws {
        let answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\npart"
        let error = try await self.outcome(of: [.send(answer)], timeout: .seconds(3)).error
        #expect(error?.status == 503)
        #expect(error?.message.hasSuffix("part") == true)
    }

    @Test(arguments: [
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade\r\n", "Upgrade: h2c\r\nConnection: Upgrade\r\n",
        "Upgrade: websocket\r\n",
    ]) func aWrongAgreementIsRefused(fields: String) async throws {
        let events = try await self.outcome(of: [.send("HTTP/1.1 101 Switching Protocols\r\n\(fields)\r\n")])
        #expect(events.connections == 0)
        #expect(events.error?.code == .invalidHandshake)
    }

    @Test func whatIsNotHTTPIsRefused() async throws {
        #expect(try await self.outcome(of: [.send("220 mail.example ESMTP\r\n")]).error?.code == .invalidHandshake)
    }

    @Test func anAnswerWithoutEndIsRefused() async throws {
        let fields = (0..<40_000).map { "X-\($0): \(String(repeating: "y", count: 20))\r\n" }.joined()
        let events = try await self.outcome(of: [.send("HTTP/1.1 101 Switching Protocols\r\n" + fields)])
        #expect(events.error?.code == .invalidHandshake)
    }

    @Test func silenceDuringTheHandshakeTimesOut() async throws {
        let events = try await self.outcome(of: [], timeout: .milliseconds(200))
        #expect(events.connections == 0)
        #expect(events.error?.code == .timedOut)
    }

    @Test func theEndOfTheConnectionDuringTheHandshakeIsTold() async throws {
        #expect(try await self.outcome(of: [.close]).error?.code == .connectionLost)
        #expect(try await self.outcome(of: [.send("HTTP/1.1 101 Swit"), .close]).error != nil)
    }

    @Test func nobodyListeningIsTold() async throws {
        let server = try await ScriptedServer.start([])
        try await server.stop()
        let events = try await TransportProbe.run(to: "ws://127.0.0.1:\(server.port)/")
        #expect(events.error?.code == .cannotConnect)
    }

    @Test func closingBeforeTheConnectionIsThereEndsItQuietly() async throws {
        try await ScriptedServer.with([.accept()]) { server in
            let events = try await TransportProbe.run(
                to: "ws://127.0.0.1:\(server.port)/",
                whenStarted: { transport in
                    transport.close()
                    transport.close()
                })
            #expect(events.count == 1)
            #expect(events.error == nil)
        }
    }

    @Test func whatWasWrittenBeforeClosingStillLeaves() async throws {
        let text = [UInt8](repeating: 65, count: 3_000_000)
        let received = ReceivedBytes()
        let group = MultiThreadedEventLoopGroup.singleton
        let listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AgreeAndCount(received))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let events = try await TransportProbe.run(
            to: "ws://127.0.0.1:\(listener.localAddress?.port ?? 0)/",
            whenConnected: { transport in
                transport.write(text)
                transport.close()
            })
        #expect(events.error == nil)
        #expect(await received.total() == text.count)
        try await listener.close()
    }
}

/// Tells how many bytes had come when the connection ended.
private final class ReceivedBytes: Sendable {
    private let stream: AsyncStream<Int>
    private let continuation: AsyncStream<Int>.Continuation

    init() { (self.stream, self.continuation) = AsyncStream.makeStream() }

    func end(with count: Int) { self.continuation.yield(count) }

    func total() async -> Int? {
        for await count in self.stream { return count }
        return nil
    }
}

private final class AgreeAndCount: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let received: ReceivedBytes
    private var request = ""
    private var count = 0

    init(_ received: ReceivedBytes) { self.received = received }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        guard !self.request.hasSuffix("\r\n\r\n") else {
            self.count += buffer.readableBytes
            return
        }
        self.request += String(buffer: buffer)
        guard self.request.hasSuffix("\r\n\r\n") else { return }
        let answer = WebSocketHandshake.agreement(to: self.request, connection: "keep-alive, Upgrade")
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { self.received.end(with: self.count) }
}
