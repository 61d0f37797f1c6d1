/// What the pipeline tells the connection that owns it, beside what the books tell. On the feed's event loop.
public protocol FeedPipelineDelegate: FeedBooksDelegate {
    /// The venue answered the text heartbeat. No proof that data flows.
    func pongReceived()
    /// A frame could not be read; `prefix` is its first 200 bytes at most.
    func frameMalformed(_ fault: FrameFault, prefix: [UInt8])
    /// The venue sent a text that is no `PONG`, or an object with an `error`.
    func venueSaid(_ text: String)
}

/// One connection's road from the socket's bytes to the board: WebSocket frames, events, books, odds, in one module and
/// on one event loop, with no hop and no lock in between.
///
/// Pure: bytes and the time go in, bytes to send come out. Confined to one event loop; not thread-safe, on purpose.
public final class FeedPipeline {
    /// The books that the frames go into.
    public let books: FeedBooks
    private let sink: FrameSink
    private let maximumMessageSize: Int
    private var socket: WebSocketConnection

    /// A pipeline without a connection: `open` comes first.
    public init(books: FeedBooks, maximumMessageSize: Int) {
        self.books = books
        self.sink = FrameSink(books: books)
        self.maximumMessageSize = maximumMessageSize
        self.socket = WebSocketConnection(role: .client, maximumMessageSize: maximumMessageSize, maskingSeed: 0)
    }

    /// Receives what the pipeline and its books have to say.
    public weak var delegate: (any FeedPipelineDelegate)? {
        didSet {
            self.books.delegate = self.delegate
            self.sink.delegate = self.delegate
        }
    }

    /// Hears every text message before it is decoded, as one of a connection's with this number; nil costs nothing.
    public func tap(_ tap: (any FeedTap)?, on channel: FeedChannel, connection: Int) {
        self.sink.tap = tap.map { FrameSink.Tap(tap: $0, channel: channel, connection: connection) }
    }

    /// A new socket is through its handshake.
    public func open(maskingSeed: UInt64) {
        self.socket = WebSocketConnection(
            role: .client, maximumMessageSize: self.maximumMessageSize, maskingSeed: maskingSeed)
    }

    /// Takes in what one read from the socket brought; the bytes may be changed in place.
    public func receive(_ bytes: UnsafeMutableRawBufferPointer, at now: ReceiveTime) {
        self.books.begin(at: now)
        self.sink.tap?.now = now
        self.socket.receive(bytes, into: &self.sink.handler)
        self.books.counters.unknownFields = self.sink.unknownFields
    }

    /// Takes in a whole text message that came without frames: a recording holds messages.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8, as the codec would have handed it on; not touched after the call.
    ///   - now: when the read was made that completed it.
    public func receive(message text: UnsafeRawBufferPointer, at now: ReceiveTime) {
        self.books.begin(at: now)
        self.sink.text(text)
        self.books.counters.unknownFields = self.sink.unknownFields
    }

    /// Queues a text message.
    public func send(_ text: [UInt8]) { _ = self.socket.sendText(text) }

    /// Queues a close frame.
    public func close(code: UInt16, reason: String) { self.socket.close(code: code, reason: reason) }

    /// What is to be written to the socket, if anything.
    public func takeOutput() -> [UInt8]? { self.socket.hasOutput ? self.socket.takeOutput() : nil }

    /// Whether the closing handshake is through, or the other side broke the protocol: the socket is to be closed.
    public var isClosed: Bool { self.socket.state == .closed }

    /// How the connection ended, once it has.
    public var closeStatus: WebSocketCloseStatus? { self.socket.closeStatus }
}

/// Takes complete messages from the WebSocket codec and decodes them into the books.
private final class FrameSink {
    /// The codec wants a handler it can pass along as a value; this one is a reference to its owner.
    struct Handler: WebSocketMessageHandler {
        unowned(unsafe) let sink: FrameSink  // the sink owns the handler and outlives every call through it
        @inline(__always)
        func receivedText(_ payload: UnsafeRawBufferPointer) { self.sink.text(payload) }
        func receivedBinary(_ payload: UnsafeRawBufferPointer) { self.sink.books.counters.binaryFrames &+= 1 }
        func receivedPong(_ payload: UnsafeRawBufferPointer) {}
    }

    /// Who hears the messages as they come.
    struct Tap {
        let tap: any FeedTap
        let channel: FeedChannel
        let connection: Int
        var now = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0)
    }

    weak var delegate: (any FeedPipelineDelegate)?
    let books: FeedBooks
    var tap: Tap?
    // Behind pointers for the reason given at `FeedBooks.Hot`.
    private let decoder: UnsafeMutablePointer<MarketFrameDecoder>
    private let entrance: UnsafeMutablePointer<TextFilter>

    init(books: FeedBooks) {
        self.books = books
        self.decoder = .allocate(capacity: 1)
        self.decoder.initialize(to: MarketFrameDecoder())
        self.entrance = .allocate(capacity: 1)
        self.entrance.initialize(to: TextFilter(books: books))
    }

    deinit {
        self.decoder.deinitialize(count: 1)
        self.decoder.deallocate()
        self.entrance.deinitialize(count: 1)
        self.entrance.deallocate()
    }

    var handler: Handler {
        get { Handler(sink: self) }
        set {}
    }

    var unknownFields: UInt64 { self.decoder.pointee.unknownFields }

    @inline(__always)
    func text(_ payload: UnsafeRawBufferPointer) {
        if let tap = self.tap { tap.tap.received(payload, on: tap.channel, connection: tap.connection, at: tap.now) }
        self.books.countFrame(bytes: payload.count)
        do throws(FrameFault) {
            try self.decoder.pointee.decode(payload, into: &self.entrance.pointee)
        } catch {
            self.malformed(error, payload)
        }
        if self.entrance.pointee.heardText { self.heard() }
    }

    private func malformed(_ fault: FrameFault, _ payload: UnsafeRawBufferPointer) {
        self.books.counters.malformedFrames &+= 1
        self.delegate?.frameMalformed(fault, prefix: Array(payload.prefix(200)))
        self.books.suspectAll(.malformedFrame)
    }

    private func heard() {
        let pongs = self.entrance.pointee.pongs
        let texts = self.entrance.pointee.texts
        self.entrance.pointee.clear()
        for _ in 0..<pongs { self.delegate?.pongReceived() }
        for text in texts { self.delegate?.venueSaid(text) }
    }
}

/// Passes events on to the books and keeps aside what is about the connection itself.
private struct TextFilter: MarketEventHandler {
    let books: FeedBooks
    private(set) var heardText = false
    private(set) var pongs = 0
    private(set) var texts: [String] = []

    init(books: FeedBooks) { self.books = books }

    mutating func clear() {
        self.heardText = false
        self.pongs = 0
        self.texts = []
    }

    @inline(__always)
    func book(_ event: WireBook) { self.books.book(event) }
    @inline(__always)
    func priceChanges(
        market: WireText?, timestamp: Timestamp, entries: UnsafeBufferPointer<WirePriceChange>
    ) { self.books.priceChanges(market: market, timestamp: timestamp, entries: entries) }
    func trade(_ event: WireTrade) { self.books.trade(event) }
    func tickSizeChange(_ event: WireTickSizeChange) { self.books.tickSizeChange(event) }
    func bestBidAsk(_ event: WireBestBidAsk) { self.books.bestBidAsk(event) }
    func newMarket(_ event: WireNewMarket) { self.books.newMarket(event) }
    func marketResolved(_ event: WireMarketResolved) { self.books.marketResolved(event) }

    mutating func plainText(_ text: WireText) {
        self.heardText = true
        if text.equals("PONG") {
            self.books.counters.pongs &+= 1
            self.pongs += 1
        } else {
            self.books.plainText(text)
            self.texts.append(String(text.string.prefix(200)))
        }
    }

    mutating func unknownEvent(type: WireText?, error: WireText?) {
        self.books.unknownEvent(type: type, error: error)
        guard let error else { return }
        self.heardText = true
        self.texts.append(String(error.string.prefix(200)))
    }
}
