import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A server on loopback in the place of the Bot API or of a webhook: it keeps every request and answers as it is told.
public final class StandIn: Sendable {
    /// What was asked.
    public struct Request: Sendable {
        /// `GET` or `POST`.
        public let method: String
        /// With its query.
        public let path: String
        /// By their names in small letters.
        public let headers: [String: String]
        /// The body.
        public let body: [UInt8]

        /// A value of the JSON body.
        public subscript(key: String) -> Any? {
            (try? JSONSerialization.jsonObject(with: Data(self.body)) as? [String: Any])?[key]
        }

        /// What a Telegram request says.
        public var text: String { self["text"] as? String ?? "" }
        /// The message a Telegram request replies to.
        public var replyTo: Int? { (self["reply_parameters"] as? [String: Any])?["message_id"] as? Int }
    }

    /// What to do with a request.
    public enum Answer: Sendable {
        /// Take it, as the Bot API does, with the next message id.
        case accept
        /// Take it, but answer only when `release()` is called.
        case acceptLate
        /// Answer with a status and a body.
        case status(Int, String, headers: [(String, String)] = [])
        /// Say nothing, ever.
        case stall
        /// Close the connection without an answer.
        case hangUp

        /// 429 of the Bot API: not before so many seconds.
        public static func tooMany(_ seconds: Int) -> Answer {
            .status(
                429,
                #"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after \#(seconds)","parameters":{"retry_after":\#(seconds)}}"#
            )
        }

        /// An error of the Bot API.
        public static func error(_ status: Int, _ description: String, parameters: String = "{}") -> Answer {
            .status(
                status,
                #"{"ok":false,"error_code":\#(status),"description":"\#(description)","parameters":\#(parameters)}"#)
        }
    }

    private struct State {
        var script: [Answer] = []
        var lastID = 0
        var listener: (any Channel)?
        var connections: [ObjectIdentifier: any Channel] = [:]
        var held: [@Sendable () -> Void] = []
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let standIn: StandIn
        private var head: HTTPRequestHead?
        private var body = ByteBuffer()

        init(_ standIn: StandIn) { self.standIn = standIn }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch self.unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                self.body.clear()
            case .body(var part): self.body.writeBuffer(&part)
            case .end:
                guard let head = self.head else { return }
                let headers = head.headers.map { ($0.name.lowercased(), $0.value) }
                self.standIn.received(
                    Request(
                        method: head.method.rawValue, path: head.uri,
                        headers: Dictionary(headers) { first, _ in first },
                        body: Array(self.body.readableBytesView)), on: context.channel)
            }
        }
    }

    /// Everything asked, in the order of arrival.
    public let requests = Journal<Request>()
    /// What was taken, in order, with its id.
    public let accepted = Journal<(id: Int, request: Request)>()
    private let state = Mutex(State())
    private let port = Mutex(0)

    /// One that does not listen yet.
    public init() {}

    /// How to reach it.
    public var base: String { "http://127.0.0.1:\(self.port.withLock { $0 })" }
    /// How many connections are open.
    public var connectionCount: Int { self.state.withLock { $0.connections.count } }

    /// Runs a stand-in while `body` does.
    public static func run(_ script: Answer..., body: (StandIn) async throws -> Void) async throws {
        let standIn = StandIn()
        standIn.answer(with: script)
        try await standIn.start()
        let outcome: Result<Void, any Error>
        do {
            try await body(standIn)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await standIn.stop()
        try outcome.get()
    }

    /// The answers to the next requests; when they are used up, everything is accepted.
    public func answer(with script: [Answer]) { self.state.withLock { $0.script += script } }

    /// Sends the answers held back.
    public func release() {
        let held = self.state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for answer in held { answer() }
    }

    /// Listens: the first time on any port, later on the same one.
    public func start() async throws {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                let id = ObjectIdentifier(channel)
                self.state.withLock { $0.connections[id] = channel }
                channel.closeFuture.whenComplete { _ in self.state.withLock { $0.connections[id] = nil } }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(self))
                }
            }
            .bind(host: "127.0.0.1", port: self.port.withLock { $0 }).get()
        guard let port = listener.localAddress?.port else { throw ChannelError.unknownLocalAddress }
        self.port.withLock { $0 = port }
        self.state.withLock { $0.listener = listener }
    }

    /// Closes everything: connections are refused from now on.
    public func stop() async throws {
        let (listener, connections) = self.state.withLock { state in
            defer { state.listener = nil }
            return (state.listener, Array(state.connections.values))
        }
        try await listener?.close()
        for connection in connections {
            connection.close(promise: nil)
            try await connection.closeFuture.get()
        }
    }

    /// Returns when every connection is closed.
    public func connectionsClosed() async throws {
        for connection in self.state.withLock({ Array($0.connections.values) }) {
            try await connection.closeFuture.get()
        }
    }

    private func received(_ request: Request, on channel: any Channel) {
        let (answer, id) = self.state.withLock { state -> (Answer, Int) in
            let answer = state.script.isEmpty ? .accept : state.script.removeFirst()
            switch answer {
            case .accept, .acceptLate: state.lastID += 1
            case .status, .stall, .hangUp: break
            }
            return (answer, state.lastID)
        }
        let taken = #"{"ok":true,"result":{"message_id":\#(id)}}"#
        // Kept before it is answered: whoever saw the answer finds the request here.
        switch answer {
        case .accept: self.accepted.append((id, request))
        case .acceptLate:
            self.accepted.append((id, request))
            self.state.withLock { $0.held.append { StandIn.send(200, taken, [], on: channel) } }
        case .status, .stall, .hangUp: break
        }
        self.requests.append(request)
        switch answer {
        case .accept: StandIn.send(200, taken, [], on: channel)
        case .status(let status, let body, let headers): StandIn.send(status, body, headers, on: channel)
        case .hangUp: channel.close(promise: nil)
        case .stall, .acceptLate: break
        }
    }

    private static func send(_ status: Int, _ body: String, _ more: [(String, String)], on channel: any Channel) {
        var headers = HTTPHeaders(more)
        headers.add(name: "Content-Type", value: "application/json")
        headers.add(name: "Content-Length", value: "\(body.utf8.count)")
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: body))), promise: nil)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }
}
