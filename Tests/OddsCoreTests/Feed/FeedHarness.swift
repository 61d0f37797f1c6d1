import OddsCore
import OddsTestSupport

/// A pipeline with everything around it that a connection would have, fed with text frames.
final class FeedHarness {
    let board: OddsBoard
    let books: FeedBooks
    let pipeline: FeedPipeline
    let witness = FeedWitness()
    /// Milliseconds on the monotonic clock.
    private(set) var clock: Int64 = 0

    let market = Market(
        id: "0xfeed", slug: "btc-updown-15m-1", yes: Outcome(label: "Up", asset: "1111111111111111111111"),
        no: Outcome(label: "Down", asset: "2222222222222222222222"))
    var up: AssetID { self.market.yes.asset }
    var down: AssetID { AssetID("2222222222222222222222") }

    convenience init(following: Bool = true) {
        let board = OddsBoard()
        self.init(following: following, line: 0, board: board, arbiter: FeedArbiter(board: board))
    }

    /// One of several lines.
    init(following: Bool = true, line: Int, board: OddsBoard, arbiter: FeedArbiter) {
        self.board = board
        self.books = FeedBooks(board: board, source: .line(line), seat: line, arbiter: arbiter)
        self.pipeline = FeedPipeline(books: self.books, maximumMessageSize: 1 << 20)
        self.pipeline.delegate = self.witness
        self.pipeline.open(maskingSeed: 1)
        if following { self.books.add(self.market) }
    }

    /// One read from the socket that brings these frames.
    func receive(_ texts: String...) { self.read(texts.flatMap { frame(1, $0) }) }

    /// One read from the socket, one millisecond after the last.
    func read(_ bytes: [UInt8]) {
        self.clock += 1
        var bytes = bytes
        bytes.withUnsafeMutableBytes { self.pipeline.receive($0, at: self.receiveTime) }
    }

    private var receiveTime: ReceiveTime {
        ReceiveTime(monotonic: self.now, unixNanoseconds: self.clock)
    }

    /// Lets time pass; the connection's timer looks at what is pending every ten milliseconds, for what is 25 old.
    func wait(_ milliseconds: Int64) {
        let end = self.clock + milliseconds
        while self.clock < end {
            self.clock = self.books.hasHeld || self.books.hasPendingChecks ? min(end, self.clock + 10) : end
            self.books.begin(at: self.receiveTime)
            let limit = self.now.advanced(by: .milliseconds(-25))
            self.books.releaseHeld(before: limit)
            self.books.verifyPending(before: limit)
        }
    }

    var now: MonotonicTime { MonotonicTime(nanoseconds: self.clock * 1_000_000) }
    var snapshot: OddsSnapshot? { self.board.currentOdds(self.market.id) }
    var counters: FeedCounters { self.books.counters }
    var trust: Trust? { self.snapshot?.trust }
    /// YES bid and ask, NO bid and ask, as text.
    var top: String? {
        self.snapshot.map { s in
            [s.yes.bid, s.yes.ask, s.no.bid, s.no.ask].map { $0?.description ?? "-" }.joined(separator: " ")
        }
    }

    /// Markets that changed since the last call: `values`, the trust before, or both.
    func drain() -> [String] {
        var changes: [String] = []
        self.books.drainChanges { slot, values, trust in
            changes.append("\(slot.market.id)\(values ? " values" : "")\(trust.map { " was \($0.name)" } ?? "")")
        }
        return changes
    }

    // MARK: Frames about the market

    /// Both tokens' books in one array, from the YES side.
    func dump(
        _ time: Int64, bids: [WireFrames.Line] = [(0.48, 30), (0.40, 12)],
        asks: [WireFrames.Line] = [(0.52, 25), (0.60, 7)], lastTrade: Price? = nil
    ) -> String {
        "[\(self.book(.yes, time, bids: bids, asks: asks, lastTrade: lastTrade)),"
            + "\(self.book(.no, time, bids: bids, asks: asks, lastTrade: lastTrade))]"
    }

    /// One token's book, given from the YES side.
    func book(
        _ side: Side, _ time: Int64, bids: [WireFrames.Line] = [(0.48, 30), (0.40, 12)],
        asks: [WireFrames.Line] = [(0.52, 25), (0.60, 7)], lastTrade: Price? = nil
    ) -> String {
        func mirrored(_ lines: [WireFrames.Line]) -> [WireFrames.Line] { lines.map { ($0.price.complement, $0.size) } }
        return WireFrames.book(
            market: self.market.id, asset: side == .yes ? self.up : self.down, time: time,
            bids: side == .yes ? bids : mirrored(asks), asks: side == .yes ? asks : mirrored(bids), lastTrade: lastTrade
        )
    }

    /// A `price_change` with both tokens' entries, given from the YES side; `best` is what the exchange reports.
    func change(
        _ time: Int64, _ side: BookSideKind, _ price: Price, _ size: Size, best: (bid: Price, ask: Price)?,
        noFirst: Bool = false
    ) -> String {
        let yes = WireFrames.Entry(self.up, side, price, size, best: best)
        let no = WireFrames.Entry(
            self.down, side == .bids ? .asks : .bids, price.complement, size,
            best: best.map { ($0.ask.complement, $0.bid.complement) })
        return WireFrames.priceChange(market: self.market.id, time: time, noFirst ? [no, yes] : [yes, no])
    }
}

/// Writes down what the books and the pipeline tell.
final class FeedWitness: FeedPipelineDelegate {
    var log: [String] = []
    var onChange: ((MarketSlot) -> Void)?
    /// Every trade that was told.
    var trades: [Trade] = []

    func take() -> [String] {
        defer { self.log = [] }
        return self.log
    }

    func snapshotArrived(_ asset: AssetID) { self.log.append("snapshot \(asset)") }
    func resyncNeeded(_ asset: AssetID, reason: SuspectReason) {
        self.log.append("resync \(asset) \(reason.rawValue)")
    }
    func marketChanged(_ slot: MarketSlot, valuesChanged: Bool, previousTrust: Trust?) { self.onChange?(slot) }
    func marketResolved(_ market: MarketID, winner: AssetID?, at time: Timestamp?) {
        self.log.append("resolved \(market) \(winner?.rawValue ?? "-") \(time?.milliseconds ?? -1)")
    }
    func traded(_ trade: Trade, in slot: MarketSlot) { self.trades.append(trade) }
    func entryApplied(_ asset: AssetID, eventType: StaticString, at time: Timestamp, bestBid: Price?, bestAsk: Price?) {
        let top = "\(bestBid?.description ?? "-") \(bestAsk?.description ?? "-")"
        self.log.append("\(eventType) \(asset) \(time.milliseconds) \(top)")
    }
    func pongReceived() { self.log.append("pong") }
    func frameMalformed(_ fault: FrameFault, prefix: [UInt8]) {
        self.log.append("malformed \(fault.rawValue) \(prefix.count)")
    }
    func venueSaid(_ text: String) { self.log.append("said \(text)") }
}
