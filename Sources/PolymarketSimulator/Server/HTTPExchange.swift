internal import NIOCore
internal import NIOHTTP1
internal import OddsCore

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
            self.deliver(answer, to: head, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The request itself follows and gets an ordinary answer.
        if error is UpgradeRefused { return }
        // A request that cannot be read, or a broken socket: nothing can be answered any more.
        context.close(promise: nil)
    }

    private func deliver(_ answer: HTTPAnswer, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        switch answer.arrival {
        case .atOnce: self.write(answer, to: head, context)
        case .after(let time):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .nanoseconds(time.wholeNanoseconds)) {
                let (handler, context) = bound.value
                // Who asked may have gone by now.
                if context.channel.isActive { handler.write(answer, to: head, context) }
            }
        case .never: break
        case .reset: context.channel.reset()
        }
    }

    private func write(_ answer: HTTPAnswer, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders([
            ("Content-Type", "application/json"), ("Content-Length", String(answer.body.count)),
        ])
        for field in answer.fields { headers.add(name: field.name, value: field.value) }
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
