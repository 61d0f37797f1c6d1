internal import NIOCore
internal import NIOHTTP1

/// A request, taken apart.
struct HTTPQuestion: Sendable {
    var method: String
    var path: String
    /// The query's parts in order; a name may come more than once.
    var query: [(name: String, value: String)]
    var body: [UInt8]

    init(method: String, uri: String, body: [UInt8] = []) {
        self.method = method
        self.body = body
        let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.path = Self.decoded(parts.first ?? "/")
        self.query =
            parts.count < 2
            ? []
            : parts[1].split(separator: "&").map { part in
                let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (Self.decoded(pair[0]), pair.count == 2 ? Self.decoded(pair[1]) : "")
            }
    }

    /// The first value of a name.
    func value(_ name: String) -> String? { self.query.first { $0.name == name }?.value }

    /// Every value of a name; commas separate values too.
    func values(_ name: String) -> [String] {
        self.query.filter { $0.name == name }.flatMap { $0.value.split(separator: ",").map(String.init) }
    }

    /// Percent-decoding; what is not a code stays as it is.
    private static func decoded(_ text: Substring) -> String {
        guard text.contains(where: { $0 == "%" || $0 == "+" }) else { return String(text) }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x25, index + 2 < bytes.count,
                let code = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                result.append(code)
                index += 3
            } else {
                result.append(bytes[index] == 0x2B ? 0x20 : bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// An answer: a status and JSON.
struct HTTPAnswer: Sendable, Equatable {
    var status = 200
    var body: [UInt8]

    init(status: Int = 200, bytes: [UInt8]) {
        self.status = status
        self.body = bytes
    }

    init(status: Int = 200, _ json: String) { self.init(status: status, bytes: Array(json.utf8)) }

    /// The CLOB's way of saying no.
    static func error(_ status: Int, _ text: String) -> HTTPAnswer {
        HTTPAnswer(status: status, #"{"error":\#(Text.quoted(text))}"#)
    }
}

/// Answers HTTP/1.1 requests one after the other on a kept connection.
final class HTTPExchangeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let largestBody = 1024 * 1024

    private let answer: @Sendable (HTTPQuestion) -> HTTPAnswer
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isTooLarge = false

    init(answer: @escaping @Sendable (HTTPQuestion) -> HTTPAnswer) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            self.body.removeAll()
            self.isTooLarge = false
        case .body(let part):
            if self.body.count + part.readableBytes > Self.largestBody {
                self.isTooLarge = true
            } else {
                self.body.append(contentsOf: part.readableBytesView)
            }
        case .end:
            guard let head = self.head else { return }
            self.head = nil
            let question = HTTPQuestion(method: head.method.rawValue, uri: head.uri, body: self.body)
            let answer = self.isTooLarge ? .error(400, "Payload exceeds the limit") : self.answer(question)
            self.write(answer, to: head, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The request itself follows and gets an ordinary answer.
        if error is UpgradeRefused { return }
        // A request that cannot be read, or a broken socket: nothing can be answered any more.
        context.close(promise: nil)
    }

    private func write(_ answer: HTTPAnswer, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders([
            ("Content-Type", "application/json"), ("Content-Length", String(answer.body.count)),
        ])
        if !head.isKeepAlive { headers.add(name: "Connection", value: "close") }
        let response = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
        context.write(self.wrapOutboundOut(.head(response)), promise: nil)
        if head.method != .HEAD {
            context.write(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
        }
        let done = context.writeAndFlush(self.wrapOutboundOut(.end(nil)))
        if !head.isKeepAlive {
            let channel = context.channel
            done.whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
