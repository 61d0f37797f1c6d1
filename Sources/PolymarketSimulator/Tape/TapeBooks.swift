internal import OddsCore

/// One token's book as a recorded connection brought it.
final class TapeBook {
    let asset: String
    var market: String
    private var book = OrderBook()
    private(set) var lastTrade: Price?
    private var tickSize: Price?
    /// What the venue said about the book as it is now; nil once something changed that it did not say a hash of.
    private(set) var hash: BookHash?
    /// The stamp that the hash goes with.
    private(set) var time = Timestamp(milliseconds: 0)

    init(asset: String, market: String) {
        self.asset = asset
        self.market = market
    }

    var hasSnapshot: Bool { self.book.hasSnapshot }
    var step: Price { self.tickSize ?? 0.01 }
    var bids: [Level] { self.book.bidLevels() }
    var asks: [Level] { self.book.askLevels() }
    var bestBid: Price? { self.book.bestBid?.price }
    var bestAsk: Price? { self.book.bestAsk?.price }

    func replace(_ event: WireBook) {
        self.book.replace(bids: event.bids, asks: event.asks, at: event.timestamp)
        if let step = event.tickSize { self.tickSize = step }
        if event.tellsLastTrade { self.lastTrade = event.lastTradePrice }
        self.stamp(event.timestamp, event.hash)
    }

    func apply(_ change: WirePriceChange, at time: Timestamp) {
        self.book.apply(change.side, price: change.price, size: change.size, at: time)
        self.stamp(time, change.hash)
    }

    private func stamp(_ time: Timestamp, _ hash: WireText?) {
        guard time >= self.time else { return }
        self.time = time
        self.hash = hash.flatMap { BookHash(utf8: $0.bytes) }
    }

    /// The hash tells the last trade and the step too: from now on it is another one, which nobody has said.
    func traded(at price: Price) {
        if self.lastTrade != price { self.hash = nil }
        self.lastTrade = price
    }

    func stepped(to step: Price) {
        if self.tickSize != step { self.hash = nil }
        self.tickSize = step
    }

    func hasSameLevels(as other: TapeBook) -> Bool { self.bids == other.bids && self.asks == other.asks }
}

/// The books that one recorded connection brought.
final class TapeBooks {
    private(set) var books: [String: TapeBook] = [:]
    private var decoder = MarketFrameDecoder()

    /// Takes in a frame. One that cannot be read changes no more than its part that can.
    func take(_ frame: [UInt8]) {
        frame.withUnsafeBytes { bytes in
            var handler = Forward(books: self)
            // The client that is served the frame meets the fault itself.
            try? self.decoder.decode(bytes, into: &handler)
        }
    }

    /// The decoder wants a value.
    private struct Forward: MarketEventHandler {
        let books: TapeBooks

        func book(_ event: WireBook) { self.books.book(event) }
        func priceChanges(market: WireText?, timestamp: Timestamp, entries: UnsafeBufferPointer<WirePriceChange>) {
            self.books.priceChanges(market: market, timestamp: timestamp, entries: entries)
        }
        func trade(_ event: WireTrade) { self.books.trade(event) }
        func tickSizeChange(_ event: WireTickSizeChange) { self.books.tickSizeChange(event) }
        func bestBidAsk(_ event: WireBestBidAsk) {}
        func newMarket(_ event: WireNewMarket) {}
        func marketResolved(_ event: WireMarketResolved) {}
        func plainText(_ text: WireText) {}
        func unknownEvent(type: WireText?, error: WireText?) {}
    }

    private func find(_ asset: WireText, _ market: WireText?) -> TapeBook {
        let name = asset.string
        if let book = self.books[name] {
            if book.market.isEmpty, let market { book.market = market.string }
            return book
        }
        let book = TapeBook(asset: name, market: market?.string ?? "")
        self.books[name] = book
        return book
    }

    fileprivate func book(_ event: WireBook) { self.find(event.asset, event.market).replace(event) }

    fileprivate func priceChanges(
        market: WireText?, timestamp: Timestamp, entries: UnsafeBufferPointer<WirePriceChange>
    ) {
        for entry in entries { self.find(entry.asset, market).apply(entry, at: timestamp) }
    }

    fileprivate func trade(_ event: WireTrade) {
        // Both tokens' books tell the market's last trade.
        let traded = self.find(event.asset, event.market)
        for book in self.books.values where book === traded || !book.market.isEmpty && book.market == traded.market {
            book.traded(at: event.price)
        }
    }

    fileprivate func tickSizeChange(_ event: WireTickSizeChange) {
        self.find(event.asset, event.market).stepped(to: event.newTickSize)
    }
}
