import NIOCore
import NIOPosix
import NIOSSL
import OddsCore
import OddsTestSupport

/// A plain WebSocket client for tests: what comes is written into a journal, in order.
final class TestSocket: Sendable {
    enum Entry: Sendable, Equatable {
        /// The answer to the upgrade.
        case status(Int)
        case text(String)
        /// The end: with the code of the close frame, or none when there was no close frame.
        case ended(code: UInt16?)
    }

    let journal: Journal<Entry>
    private let channel: any Channel

    private init(channel: any Channel, journal: Journal<Entry>) {
        self.channel = channel
        self.journal = journal
    }

    /// Connects and asks for the upgrade; its answer is the first entry.
    static func connect(to url: String, path: String? = nil, trusting certificate: NIOSSLCertificate? = nil)
        async throws -> TestSocket
    {
        let parts = url.split(separator: "/", omittingEmptySubsequences: false)
        let address = parts[2].split(separator: ":")
        let path = path ?? "/" + parts.dropFirst(3).joined(separator: "/")
        let journal = Journal<Entry>()
        var context: NIOSSLContext?
        if let certificate {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .certificates([certificate])
            context = try NIOSSLContext(configuration: tls)
        }
        let tls = context
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: "localhost")
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(ClientHandler(path: path, journal: journal))
                }
            }
            .connect(host: String(address[0]), port: Int(address[1]) ?? 0).get()
        return TestSocket(channel: channel, journal: journal)
    }

    /// Sends a text message.
    func send(_ text: String) { self.channel.writeAndFlush(text, promise: nil) }

    func close() async throws { try await self.channel.close() }

    /// The texts so far.
    var texts: [String] {
        self.journal.entries.compactMap { entry in
            if case .text(let text) = entry { text } else { nil }
        }
    }

    /// The connection ended before what was waited for came.
    struct EndedEarly: Error {
        let entries: [Entry]
    }

    /// Waits for the first text that satisfies the condition and gives it; throws when the connection ends before.
    func text(where matches: @escaping @Sendable (String) -> Bool) async throws -> String {
        try await self.journal.wait { entries in
            entries.contains { entry in
                switch entry {
                case .text(let text): matches(text)
                case .ended: true
                case .status: false
                }
            }
        }
        guard let text = self.texts.first(where: matches) else { throw EndedEarly(entries: self.journal.entries) }
        return text
    }

    /// Waits for the connection's end and gives it.
    func end() async throws -> Entry {
        try await self.journal.wait { $0.contains { if case .ended = $0 { true } else { false } } }
        return self.journal.entries.last ?? .ended(code: nil)
    }

    /// Everything sent before has been answered: a `PONG` came for a `PING` of now. Throws when the connection ends.
    func settle() async throws {
        let before = self.pongs
        self.send("PING")
        try await self.journal.wait { entries in
            entries.count { $0 == .text("PONG") } > before
                || entries.contains { if case .ended = $0 { true } else { false } }
        }
        guard self.pongs > before else { throw EndedEarly(entries: self.journal.entries) }
    }

    private var pongs: Int { self.journal.entries.count { $0 == .text("PONG") } }

    private final class ClientHandler: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundIn = String
        typealias OutboundOut = ByteBuffer

        private struct Texts: WebSocketMessageHandler {
            var list: [String] = []
            mutating func receivedText(_ payload: UnsafeRawBufferPointer) {
                self.list.append(String(decoding: payload, as: UTF8.self))
            }
            mutating func receivedBinary(_ payload: UnsafeRawBufferPointer) {}
            mutating func receivedPong(_ payload: UnsafeRawBufferPointer) {}
        }

        private let path: String
        private let journal: Journal<Entry>
        private var connection = WebSocketConnection(role: .client, maximumMessageSize: 64 << 20, maskingSeed: 1)
        private var head: [UInt8] = []
        private var isOpen = false

        init(path: String, journal: Journal<Entry>) {
            self.path = path
            self.journal = journal
        }

        func channelActive(context: ChannelHandlerContext) {
            let request =
                "GET \(self.path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var buffer = self.unwrapInboundIn(data)
            if !self.isOpen {
                while !self.isOpen, let byte = buffer.readInteger(as: UInt8.self) {
                    self.head.append(byte)
                    guard self.head.suffix(4).elementsEqual("\r\n\r\n".utf8) else { continue }
                    let text = String(decoding: self.head, as: UTF8.self)
                    self.isOpen = true
                    // The accept value for the sample key of RFC 6455.
                    let accepted = text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
                    let status = Int(text.split(separator: " ")[1]) ?? 0
                    self.journal.append(.status(status == 101 && !accepted ? 0 : status))
                    if status != 101 { return context.close(promise: nil) }
                }
            }
            var texts = Texts()
            buffer.withUnsafeMutableReadableBytes { self.connection.receive($0, into: &texts) }
            for text in texts.list { self.journal.append(.text(text)) }
            self.flush(context)
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            _ = self.connection.sendText(self.unwrapOutboundIn(data))
            self.flush(context)
        }

        private func flush(_ context: ChannelHandlerContext) {
            guard self.connection.hasOutput else { return }
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: self.connection.takeOutput())), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.journal.append(.ended(code: self.connection.closeStatus?.code))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
