import NIOCore
import NIOEmbedded
package import OddsCore
import PolymarketSimulator
package import RealtimeOdds

/// The way between the feed and the exchange in virtual time: WebSocket frames one way and the other, and REST answers.
package final class VirtualNetwork: FeedConnector, BookWitness, @unchecked Sendable {
    // Everything here happens on the one thread that drives the loop.
    private let exchange: SimulatedExchange
    let loop: EmbeddedEventLoop
    let latency: Duration
    /// Told of every answer over REST, with the clock's time.
    var tap: (tap: any FeedTap, clock: any StreamClock)?
    /// By how much the way of a message may be longer than the latency.
    private let jitter: Int64
    private var random: UInt64 = 1
    private var sockets: [Int: VirtualSocket] = [:]
    private var lastID = 0
    /// How many connections were asked for.
    package private(set) var attempts = 0
    /// How many questions the witness was asked.
    package private(set) var questions = 0

    init(exchange: SimulatedExchange, loop: EmbeddedEventLoop, latency: Duration, jitter: Duration = .zero) {
        self.jitter = jitter.wholeNanoseconds
        self.exchange = exchange
        self.loop = loop
        self.latency = latency
    }

    /// How long a message takes, or an answer.
    var way: Duration {
        guard self.jitter > 0 else { return self.latency }
        self.random = self.random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return self.latency + .nanoseconds(Int64(self.random >> 33) % self.jitter)
    }

    /// How many sockets there are.
    package var openSockets: Int { self.sockets.count }

    package var address: String { "virtual" }

    func later(_ duration: Duration, _ body: @escaping () -> Void) {
        let bound = NIOLoopBound(body, eventLoop: self.loop)
        self.loop.scheduleTask(in: .nanoseconds(duration.wholeNanoseconds)) { bound.value() }
    }

    // MARK: Sockets

    package func connect(line: Int, delegate: any TransportDelegate) -> any FeedTransport {
        self.attempts += 1
        self.lastID += 1
        let socket = VirtualSocket(id: self.lastID, network: self, delegate: delegate)
        self.sockets[socket.id] = socket
        // Three ways there and back: TCP, TLS, upgrade.
        self.later(self.latency * 6) { self.arrive(socket) }
        return socket
    }

    private func arrive(_ socket: VirtualSocket) {
        guard !socket.isClosed else { return }
        if let refusal = self.exchange.refusal() {
            let error =
                switch refusal {
                case .reset: TransportError(.connectionLost, "reset by peer")
                case .status(let status): TransportError(.refused, "status \(status)", status: status)
                }
            return socket.end(error)
        }
        socket.isOpen = true
        let bound = NIOLoopBound(socket, eventLoop: self.loop)
        self.exchange.opened(WebSocketLink(id: socket.id) { bound.value.perform($0) })
        socket.delegate?.transportConnected(socket)
    }

    func received(_ text: [UInt8], from socket: VirtualSocket) {
        socket.perform(self.exchange.received(.text(text), from: socket.id))
    }

    func gone(_ socket: VirtualSocket) {
        if socket.isOpen { self.exchange.closed(socket.id) }
        self.sockets[socket.id] = nil
    }

    // MARK: REST

    package func ask(_ assets: [AssetID], _ answer: @escaping ([Result<RESTBook, RESTError>]) -> Void) {
        self.questions += 1
        var results: [Result<RESTBook, RESTError>?] = Array(repeating: nil, count: assets.count)
        for (index, asset) in assets.enumerated() {
            self.ask(asset) { result in
                results[index] = result
                let complete = results.compactMap { $0 }
                if complete.count == assets.count { answer(complete) }
            }
        }
    }

    /// How long an answer may take, as with the real client.
    private static let timeout = Duration.seconds(5)

    /// Tells the tap of an answer, or of none.
    private func tell(_ path: String, asked: ReceiveTime?, _ said: HTTPAnswer?, failure: String? = nil) {
        guard let (tap, clock) = self.tap, let asked else { return }
        tap.answered(
            RESTExchange(
                service: .clob, path: path, asked: asked, status: said?.status, body: said?.body ?? [],
                failure: failure), at: clock.now())
    }

    private func ask(_ asset: AssetID, _ answer: @escaping (Result<RESTBook, RESTError>) -> Void) {
        let path = ClobClient.path(ofBook: asset)
        let asked = self.tap?.clock.now()
        let fail = { (error: RESTError) in
            self.tell(path, asked: asked, nil, failure: error.message)
            answer(.failure(error))
        }
        let succeed = { (said: HTTPAnswer) in
            self.tell(path, asked: asked, said)
            answer(Self.book(of: asset, in: said, path))
        }
        self.later(self.latency * 2) {
            let said = self.exchange.clobAnswer(HTTPQuestion(method: "GET", uri: path))
            let late = RESTError(.timeout, "no answer in time")
            switch said.arrival {
            case .never: self.later(Self.timeout) { fail(late) }
            case .reset: self.later(self.way) { fail(RESTError(.unreachable, "reset by peer")) }
            case .after(let delay) where delay >= Self.timeout: self.later(Self.timeout) { fail(late) }
            case .after(let delay): self.later(self.way + delay) { succeed(said) }
            case .atOnce: self.later(self.way) { succeed(said) }
            }
        }
    }

    private static func book(of asset: AssetID, in said: HTTPAnswer, _ path: String) -> Result<RESTBook, RESTError> {
        let response = RESTResponse(status: said.status, contentType: "application/json", body: said.body)
        do throws(RESTError) {
            return .success(try ClobClient.book(of: asset, in: response, url: path))
        } catch {
            return .failure(error)
        }
    }
}

/// One connection in virtual time.
final class VirtualSocket: FeedTransport {
    let id: Int
    private unowned let network: VirtualNetwork
    var delegate: (any TransportDelegate)?
    var isOpen = false
    private(set) var isClosed = false
    /// The exchange's end of it.
    private var far = WebSocketConnection(role: .server, maximumMessageSize: 1 << 24, maskingSeed: 0)
    private var inbox: [UInt8] = []
    private var isDelivering = false
    private var isPaused = false
    private var unread: [[UInt8]] = []

    init(id: Int, network: VirtualNetwork, delegate: any TransportDelegate) {
        self.id = id
        self.network = network
        self.delegate = delegate
    }

    // MARK: From the feed

    func write(_ bytes: [UInt8]) {
        guard self.isOpen, !self.isClosed else { return }
        self.network.later(self.network.latency) {
            self.arrived(bytes)
        }
    }

    private func arrived(_ bytes: [UInt8]) {
        guard !self.isClosed else { return }
        guard !self.isPaused else { return self.unread.append(bytes) }
        var bytes = bytes
        var said = Said()
        bytes.withUnsafeMutableBytes { self.far.receive($0, into: &said) }
        for text in said.texts { self.network.received(text, from: self) }
    }

    private struct Said: WebSocketMessageHandler {
        var texts: [[UInt8]] = []
        mutating func receivedText(_ payload: UnsafeRawBufferPointer) { self.texts.append(Array(payload)) }
        mutating func receivedBinary(_ payload: UnsafeRawBufferPointer) {}
        mutating func receivedPong(_ payload: UnsafeRawBufferPointer) {}
    }

    func close() {
        guard !self.isClosed else { return }
        self.network.later(.zero) { self.end(nil) }
    }

    // MARK: From the exchange

    func perform(_ commands: [WebSocketCommand]) {
        for command in commands {
            switch command {
            case .text(let text):
                _ = self.far.sendText(text)
                self.deliver(self.far.takeOutput())
            case .binary: break
            case .close(let code, let reason):
                self.far.close(code: code, reason: reason)
                self.deliver(self.far.takeOutput())
            case .drop: self.drop()
            case .cut(let text):
                _ = self.far.sendText(text)
                let frame = self.far.takeOutput()
                self.deliver(Array(frame.prefix(frame.count / 2)))
                self.drop()
            case .pause: self.isPaused = true
            case .resume:
                self.isPaused = false
                let unread = self.unread
                self.unread = []
                for bytes in unread { self.arrived(bytes) }
            }
        }
    }

    private func drop() {
        self.network.later(self.network.latency * 2) { self.end(TransportError(.connectionLost, "dropped")) }
    }

    private func deliver(_ bytes: [UInt8]) {
        self.inbox += bytes
        guard !self.isDelivering else { return }
        self.isDelivering = true
        self.network.later(self.network.way) {
            self.isDelivering = false
            guard !self.isClosed else { return }
            var bytes = self.inbox
            self.inbox = []
            bytes.withUnsafeMutableBytes { self.delegate?.transportReceived($0) }
            self.delegate?.transportReadComplete()
        }
    }

    func end(_ error: TransportError?) {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.network.gone(self)
        let delegate = self.delegate
        self.delegate = nil
        delegate?.transportClosed(error)
    }
}
