import Foundation
import FuzzDriver
import OddsCore

/// Plays a market that an input tells, through a connection that misbehaves as the input says, into a pipeline: rows
/// come late or twice, frames are cut and garbled, the connection goes and comes back. The rebuilt books must be the
/// exchange's whenever nothing is missing, and what is published as live must have been the case, in that order.
@main
enum PipelineFuzzer {
    static func main() {
        exit(
            runFuzzer { data, count in
                guard count > 4 else { return -1 }
                let play = Play(FuzzBytes(UnsafeRawBufferPointer(start: data, count: count)))
                play.run()
                return 0
            })
    }
}

/// One input's market, connection and pipeline.
private final class Play: FeedPipelineDelegate {
    private var choices: FuzzBytes
    private var exchange = ModelExchange()
    private let board = OddsBoard()
    private let pipeline: FeedPipeline
    private var clock: Int64 = 0

    /// What lies on the wire and has not been read.
    private var wire: [UInt8] = []
    /// Messages of before, which may come a second time.
    private var history: [ModelExchange.Message] = []
    /// Messages that have not come yet though later ones have.
    private var late: [ModelExchange.Message] = []
    /// Tokens for which a fresh book was asked.
    private var wanted: [Side] = []
    /// A frame was garbled; a fresh book is what heals it.
    private var isMissingFrame = false
    /// Whether the next message is held back, or garbled.
    private var holdsNext = false
    private var garblesNext = false

    /// Best prices after each action, and how far the published ones have come.
    private var tops: [ModelExchange.Top]
    private var position = 0
    private var epoch: UInt64 = 0
    private var sequence: UInt64 = 0

    init(_ choices: FuzzBytes) {
        self.choices = choices
        self.tops = [self.exchange.top]
        let books = FeedBooks(board: self.board, source: .line(0))
        self.pipeline = FeedPipeline(books: books, maximumMessageSize: 1 << 20)
        self.pipeline.delegate = self
        books.reportsEveryChange = true
        books.add(ModelExchange.market)
    }

    func run() {
        self.connect()
        while !self.choices.isEmpty { self.step() }
        // Everything that is missing comes, and one more action tells the truth.
        self.holdsNext = false
        self.garblesNext = false
        self.deliverLate()
        self.read(all: true)
        self.answer()
        self.act()
        self.read(all: true)
        self.answer()
        self.check()
        let odds = self.board.currentOdds(ModelExchange.market.id)
        promise(odds?.trust == .live, "nothing is missing, but the odds are not live")
        promise(self.top(of: odds) == self.exchange.top, "the last odds are not the last")
    }

    private func step() {
        switch self.choices.below(24) {
        case 0..<8: self.act()
        case 8..<11:
            self.pass(self.choices.below(50) + 1)
            let messages = self.exchange.trade(&self.choices)
            self.tops.append(self.exchange.top)
            self.send(messages)
        case 11: self.resend()
        case 12, 13: self.holdsNext = true
        case 14, 15: self.deliverLate()
        case 16: self.garblesNext = true
        case 17: for side in [Side.yes, .no] { self.send([self.exchange.tickSizeChange(side)]) }
        case 18: self.noise()
        case 19: self.reconnect()
        case 20:
            self.clock += 30_000_000
            self.pipeline.books.begin(at: self.now)
            self.pipeline.books.releaseHeld(
                before: MonotonicTime(nanoseconds: self.clock - Int64(self.choices.below(2)) * 25_000_000))
        case 21: self.pass(self.choices.below(256) * 10)
        default: self.read(all: self.choices.below(4) == 0)
        }
        self.read(all: self.choices.below(2) == 0)
        if self.choices.below(4) > 0 { self.answer() }
        if self.wire.isEmpty { self.check() }
    }

    // MARK: What the exchange does

    private func act() {
        self.pass(self.choices.below(50) + 1)
        let messages = self.exchange.act(&self.choices)
        self.tops.append(self.exchange.top)
        self.send(messages)
    }

    private func send(_ messages: [ModelExchange.Message]) {
        for message in messages {
            if self.holdsNext {
                self.holdsNext = false
                self.late.append(message)
                continue
            }
            if self.garblesNext {
                self.garblesNext = false
                self.isMissingFrame = true
                self.frame(1, Array(message.text.utf8.dropLast(self.choices.below(message.text.utf8.count - 1) + 1)))
                continue
            }
            self.history.append(message)
            if self.history.count > 16 { self.history.removeFirst() }
            self.frame(1, Array(message.text.utf8))
        }
    }

    /// The latest rows seen were 2.9 s late.
    private func pass(_ milliseconds: Int) {
        if let oldest = self.late.first, self.exchange.time + Int64(milliseconds) - oldest.time > 2900 {
            self.deliverLate()
        }
        self.exchange.pass(milliseconds)
    }

    private func deliverLate() {
        for message in self.late { self.frame(1, Array(message.text.utf8)) }
        self.late = []
    }

    private func resend() {
        guard !self.history.isEmpty else { return }
        let message = self.history[self.choices.below(self.history.count)]
        if self.exchange.time - message.time < 2900 { self.frame(1, Array(message.text.utf8)) }
    }

    /// The fresh books that were asked for.
    private func answer() {
        guard !self.wanted.isEmpty else { return }
        let sides = self.wanted
        self.wanted = []
        self.frame(1, Array(self.exchange.dump(sides).text.utf8))
        self.read(all: true)
        if self.wanted.isEmpty { self.isMissingFrame = false }
    }

    private func noise() {
        switch self.choices.below(7) {
        case 0: self.frame(1, Array("PONG".utf8))
        case 1: self.frame(9, [1, 2, 3])
        case 2: self.frame(2, [0])
        case 3: self.frame(1, Array("[]".utf8))
        case 4: self.frame(1, Array(#"{"event_type":"tea_time","market":"0xfeed","bids":7}"#.utf8))
        case 5:
            let foreign = #"{"asset_id":"3","price":"0.5","size":"1","side":"BUY"}"#
            self.frame(
                1,
                Array(#"{"price_changes":[\#(foreign)],"timestamp":"1","event_type":"price_change"}"#.utf8))
        default: self.send([.yes, .no].map { self.exchange.bestBidAsk($0) })
        }
    }

    // MARK: The connection

    private func connect() {
        self.pipeline.open(maskingSeed: 1)
        self.frame(1, Array(self.exchange.dump([.yes, .no]).text.utf8))
        self.read(all: true)
    }

    private func reconnect() {
        self.wire = []
        self.late = []
        self.history = []
        self.wanted = []
        self.isMissingFrame = false
        self.pipeline.books.connectionLost(reason: .disconnected)
        let odds = self.board.currentOdds(ModelExchange.market.id)
        promise(odds?.trust.name == "stale", "odds of a lost connection are not stale")
        promise((odds?.epoch ?? 0) > self.epoch, "a lost connection ended no epoch")
        self.epoch = odds?.epoch ?? 0
        self.position = self.tops.count - 1
        self.connect()
    }

    /// A frame, whole or in fragments with a ping in between.
    private func frame(_ opcode: UInt8, _ payload: [UInt8]) {
        let cut = opcode == 1 && self.choices.below(8) == 0 ? self.choices.below(256) % max(payload.count, 1) : 0
        guard cut > 0 else { return self.header(0x80 | opcode, payload[...]) }
        self.header(opcode, payload[..<cut])
        if cut % 3 == 0 { self.header(0x89, [7]) }
        self.header(0x80, payload[cut...])
    }

    private func header(_ first: UInt8, _ payload: ArraySlice<UInt8>) {
        self.wire.append(first)
        switch payload.count {
        case ...125: self.wire.append(UInt8(payload.count))
        case ...65535: self.wire += [126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: self.wire += [127] + (0..<8).map { UInt8(payload.count >> (56 - 8 * $0) & 0xFF) }
        }
        self.wire += payload
    }

    private var now: ReceiveTime {
        ReceiveTime(monotonic: MonotonicTime(nanoseconds: self.clock), unixNanoseconds: self.clock)
    }

    private func read(all: Bool) {
        let count = all ? self.wire.count : min(self.wire.count, self.choices.below(256) * 4)
        guard count > 0 else { return }
        self.clock += 1_000_000
        self.wire.prefix(count).withUnsafeBytes { bytes in
            withExactCopy(of: bytes) { self.pipeline.receive($0, at: self.now) }
        }
        self.wire.removeFirst(count)
        _ = self.pipeline.takeOutput()
        promise(!self.pipeline.isClosed, "a proper WebSocket connection was refused")
    }

    // MARK: Promises

    /// Whenever everything has come, the rebuilt books are the exchange's, level by level.
    private func check() {
        guard self.late.isEmpty, self.wanted.isEmpty, !self.isMissingFrame else { return }
        for side in [Side.yes, .no] {
            let asset = side == .yes ? ModelExchange.market.yes.asset : AssetID("2222222222222222222222")
            guard let levels = self.pipeline.books.levels(of: asset) else { fatalError("there is no book") }
            let model = self.exchange.levels(side)
            promise(
                levels.bids == model.bids && levels.asks == model.asks,
                "the book is \(levels) where the exchange has \(model)")
        }
    }

    private func top(of odds: OddsSnapshot?) -> ModelExchange.Top {
        ModelExchange.Top(bid: odds?.yes.bid?.rawValue ?? -1, ask: odds?.yes.ask?.rawValue ?? -1)
    }

    func marketChanged(_ slot: MarketSlot, valuesChanged: Bool, previousTrust: Trust?) {
        guard let odds = slot.read() else { fatalError("a change of nothing was told") }
        promise(odds.sequence > self.sequence, "a publication has no number of its own")
        self.sequence = odds.sequence
        guard odds.trust == .live else { return }
        promise(
            odds.yes.bid == odds.no.ask?.complement && odds.yes.ask == odds.no.bid?.complement,
            "live YES and NO are no mirrors of each other")
        guard valuesChanged else { return }
        let top = self.top(of: odds)
        guard let next = self.tops[self.position...].firstIndex(of: top) else {
            fatalError("live odds show what never was the case, or not any more")
        }
        self.position = next
    }

    func snapshotArrived(_ asset: AssetID) {}
    func resyncNeeded(_ asset: AssetID, reason: SuspectReason) {
        self.wanted.append(asset == ModelExchange.market.yes.asset ? .yes : .no)
    }
    func marketResolved(_ market: MarketID, winner: AssetID?, at time: Timestamp?) {}
    func entryApplied(_ asset: AssetID, eventType: StaticString, at time: Timestamp, bestBid: Price?, bestAsk: Price?) {
    }
    func pongReceived() {}
    func frameMalformed(_ fault: FrameFault, prefix: [UInt8]) {
        promise(self.isMissingFrame, "a proper frame could not be read")
    }
    func venueSaid(_ text: String) {}
}
