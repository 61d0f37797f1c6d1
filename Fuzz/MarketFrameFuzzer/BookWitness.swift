import FuzzDriver
import OddsCore

/// Books that already follow two markets, and the promises that everything they publish has to keep.
final class BookWitness: FeedBooksDelegate {
    private let board = OddsBoard()
    private let books: FeedBooks
    private var filter: Relay
    private var clock: Int64 = 0

    /// The market of the fixtures, and another one that has only one token.
    private static let markets = [
        Market(
            id: MarketID("0x" + String(repeating: "5a", count: 32)), slug: "first",
            yes: Outcome(label: "Up", asset: AssetID("11" + String(repeating: "2345678901", count: 7) + "23456")),
            no: Outcome(label: "Down", asset: AssetID("98" + String(repeating: "7654321098", count: 7) + "76543"))),
        Market(
            id: "0xb", slug: "second", yes: Outcome(label: "Up", asset: "31"), no: Outcome(label: "Down", asset: "32")),
    ]

    /// - Parameter bare: follow the first market's tokens without knowing what they are.
    init(bare: Bool) {
        self.books = FeedBooks(board: self.board, source: .line(0))
        self.filter = Relay(books: self.books)
        self.books.delegate = self
        self.books.reportsEveryChange = true
        self.books.reportsEveryEntry = true
        self.books.add(Self.markets[1])
        if bare { self.books.add(bare: Self.markets[0].assets) } else { self.books.add(Self.markets[0]) }
    }

    /// One frame, in a read of its own; the rest of a batch is awaited for two reads.
    func receive(_ frame: UnsafeRawBufferPointer, with decoder: inout MarketFrameDecoder) {
        self.clock += 1
        let now = MonotonicTime(nanoseconds: self.clock)
        self.books.begin(at: ReceiveTime(monotonic: now, unixNanoseconds: self.clock))
        do throws(FrameFault) {
            try decoder.decode(frame, into: &self.filter)
        } catch {
            self.books.suspectAll(.malformedFrame)
        }
        self.books.releaseHeld(before: MonotonicTime(nanoseconds: self.clock - 2))
        self.books.drainChanges { slot, values, previous in
            promise(values || previous != nil, "a change without a change was told")
            Self.check(slot.read())
        }
        for market in self.board.markets { Self.check(self.board.currentOdds(market.id)) }
    }

    /// The rest of no batch is coming; then the connection goes.
    func finish() {
        self.books.releaseHeld(before: MonotonicTime(nanoseconds: .max))
        promise(!self.books.hasHeld, "something was held back for good")
        self.books.connectionLost(reason: .disconnected)
        for market in self.board.markets {
            guard let odds = self.board.currentOdds(market.id) else { continue }
            promise(odds.trust.name == "stale", "odds of a lost connection are not stale")
            promise(market.assets.allSatisfy { self.books.levels(of: $0) == nil }, "a book outlived its line")
        }
    }

    // MARK: What the books tell

    func marketChanged(_ slot: MarketSlot, valuesChanged: Bool, previousTrust: Trust?) {
        guard let odds = slot.read() else { fatalError("a change of nothing was told") }
        Self.check(odds)
        guard valuesChanged else { return }
        self.checkTop(odds.yes, of: odds.market.yes.asset)
        if let no = odds.market.no { self.checkTop(odds.no, of: no.asset) }
    }
    func snapshotArrived(_ asset: AssetID) {}
    func resyncNeeded(_ asset: AssetID, reason: SuspectReason) {}
    func marketResolved(_ market: MarketID, winner: AssetID?, at time: Timestamp?) {}
    func entryApplied(_ asset: AssetID, eventType: StaticString, at time: Timestamp, bestBid: Price?, bestAsk: Price?) {
        guard let levels = self.books.levels(of: asset) else { fatalError("an entry went into no book") }
        promise(levels.bids.last?.price == bestBid && levels.asks.last?.price == bestAsk, "the top is not the top")
        for side in [levels.bids, levels.asks.reversed()] {
            promise(zip(side, side.dropFirst()).allSatisfy { $0.price < $1.price }, "levels are out of order")
            promise(side.allSatisfy { $0.size > .zero }, "a level of nothing is in the book")
        }
    }

    // MARK: Promises

    /// A published top is the books' own, price and size.
    private func checkTop(_ quote: Quote, of asset: AssetID) {
        let levels = self.books.levels(of: asset)
        promise(levels != nil, "odds without a book were published")
        promise(
            quote.bid == levels?.bids.last?.price && quote.bidSize == levels?.bids.last?.size ?? .zero,
            "the published bid is not the book's")
        promise(
            quote.ask == levels?.asks.last?.price && quote.askSize == levels?.asks.last?.size ?? .zero,
            "the published ask is not the book's")
    }

    /// Live odds are never crossed, and YES and NO are mirrors of each other.
    private static func check(_ odds: OddsSnapshot?) {
        guard let odds else { return }
        _ = (odds.displayedOdds, odds.no.displayed, odds.yesOdds, odds.noOdds, odds.trust.reason)
        guard odds.trust == .live else { return }
        for quote in [odds.yes, odds.no] {
            guard let bid = quote.bid, let ask = quote.ask else { continue }
            promise(bid < ask, "crossed odds were published as live")
        }
        guard odds.market.no != nil else { return }
        promise(
            odds.yes.bid == odds.no.ask?.complement && odds.yes.ask == odds.no.bid?.complement,
            "live YES and NO are no mirrors of each other")
        promise(odds.yes.lastTrade == odds.no.lastTrade?.complement, "one trade has two prices")
    }
}

/// The decoder wants a handler that it may change; the books are a reference.
private struct Relay: MarketEventHandler {
    let books: FeedBooks
    func book(_ event: WireBook) { self.books.book(event) }
    func priceChanges(market: WireText?, timestamp: Timestamp, entries: UnsafeBufferPointer<WirePriceChange>) {
        self.books.priceChanges(market: market, timestamp: timestamp, entries: entries)
    }
    func trade(_ event: WireTrade) { self.books.trade(event) }
    func tickSizeChange(_ event: WireTickSizeChange) { self.books.tickSizeChange(event) }
    func bestBidAsk(_ event: WireBestBidAsk) { self.books.bestBidAsk(event) }
    func newMarket(_ event: WireNewMarket) { self.books.newMarket(event) }
    func marketResolved(_ event: WireMarketResolved) { self.books.marketResolved(event) }
    func plainText(_ text: WireText) { self.books.plainText(text) }
    func unknownEvent(type: WireText?, error: WireText?) { self.books.unknownEvent(type: type, error: error) }
}
