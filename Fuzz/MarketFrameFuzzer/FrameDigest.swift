import FuzzDriver
import OddsCore

/// What a frame says, folded into a number: made once of what the decoder delivered and once of the strict reading.
struct FrameDigest: Equatable {
    /// How many events of which kind, in order.
    private(set) var kinds: [UInt8] = []
    private var value: UInt64 = 0

    mutating func begin(_ kind: EventKind) { self.kinds.append(kind.rawValue) }

    mutating func add(_ number: UInt64) {
        self.value = (self.value ^ number) &* 0x9E37_79B9_7F4A_7C15
        self.value ^= self.value >> 29
    }
    mutating func add(_ number: Int64?) {
        self.add(number == nil ? UInt64(1) : 2)
        self.add(UInt64(bitPattern: number ?? 0))
    }
    mutating func add(_ price: Price?) { self.add(price.map { Int64($0.rawValue) }) }
    mutating func add(_ size: Size?) { self.add(size.map(\.rawValue)) }
    mutating func add(_ text: WireText?) {
        self.add(UInt64(text?.count ?? 0))
        guard let text else { return }
        for byte in text.bytes { self.add(UInt64(byte)) }
    }
    mutating func add(_ text: ArraySlice<UInt8>?) {
        self.add(UInt64(text?.count ?? 0))
        for byte in text ?? [] { self.add(UInt64(byte)) }
    }
}

enum EventKind: UInt8 {
    case book, priceChange, trade, tickSizeChange, bestBidAsk, newMarket, marketResolved, plainText, unknown
}

/// The decoder's side of the digest. It also looks at everything that it is given, so that the address sanitizer does.
struct DigestingHandler: MarketEventHandler {
    var digest = FrameDigest()
    /// What is not in the strict reading, but must be the same at every reading.
    private(set) var rest = FrameDigest()

    mutating func book(_ event: WireBook) {
        self.digest.begin(.book)
        self.digest.add(event.market)
        self.digest.add(event.asset)
        self.digest.add(event.timestamp.milliseconds)
        self.digest.add(event.hash)
        self.digest.add(event.tickSize)
        self.digest.add(event.lastTradePrice)
        for levels in [event.bids, event.asks] {
            self.digest.add(UInt64(levels.count))
            for level in levels { self.add(level.price, level.size) }
        }
    }

    mutating func priceChanges(
        market: WireText?, timestamp: Timestamp, entries: UnsafeBufferPointer<WirePriceChange>
    ) {
        self.digest.begin(.priceChange)
        self.digest.add(market)
        self.digest.add(timestamp.milliseconds)
        self.digest.add(UInt64(entries.count))
        for entry in entries {
            self.digest.add(entry.asset)
            self.add(entry.price, entry.size)
            self.digest.add(UInt64(entry.side.rawValue))
            self.digest.add(entry.hash)
            self.digest.add(entry.bestBid)
            self.digest.add(entry.bestAsk)
        }
    }

    mutating func trade(_ event: WireTrade) {
        self.digest.begin(.trade)
        self.digest.add(event.market)
        self.digest.add(event.asset)
        self.check(event.price)
        self.digest.add(event.price)
        self.digest.add(event.size)
        self.digest.add(event.timestamp.milliseconds)
        self.digest.add(event.transactionHash)
        self.rest.add(event.takerSide.map { Int64($0.rawValue) })
        self.rest.add(event.feeRateBasisPoints)
    }

    mutating func tickSizeChange(_ event: WireTickSizeChange) {
        self.digest.begin(.tickSizeChange)
        self.digest.add(event.market)
        self.digest.add(event.asset)
        self.digest.add(event.oldTickSize)
        self.digest.add(event.newTickSize)
        self.digest.add(event.timestamp.milliseconds)
    }

    mutating func bestBidAsk(_ event: WireBestBidAsk) {
        self.digest.begin(.bestBidAsk)
        self.digest.add(event.market)
        self.digest.add(event.asset)
        self.digest.add(event.bestBid)
        self.digest.add(event.bestAsk)
        self.digest.add(event.timestamp.milliseconds)
    }

    mutating func newMarket(_ event: WireNewMarket) {
        self.digest.begin(.newMarket)
        self.rest.add(event.market)
        for text in [event.slug, event.question] { self.addString(text) }
        for text in event.assets { self.rest.add(text) }
        for text in event.outcomes { self.addString(text) }
        self.rest.add(event.timestamp?.milliseconds)
    }

    mutating func marketResolved(_ event: WireMarketResolved) {
        self.digest.begin(.marketResolved)
        self.rest.add(event.market)
        self.rest.add(event.winningAsset)
        self.addString(event.winningOutcome)
        self.rest.add(event.timestamp?.milliseconds)
    }

    mutating func plainText(_ text: WireText) {
        self.digest.begin(.plainText)
        self.addString(text)
    }

    mutating func unknownEvent(type: WireText?, error: WireText?) {
        self.digest.begin(.unknown)
        self.digest.add(type)
        self.digest.add(error)
        self.addString(error)
    }

    private mutating func add(_ price: Price, _ size: Size) {
        self.check(price)
        promise(size.rawValue >= 0, "a negative size was let through")
        self.digest.add(price)
        self.digest.add(size)
    }

    private func check(_ price: Price) {
        promise((0...10_000).contains(price.rawValue), "a price outside of 0 to 1 was let through")
    }

    private mutating func addString(_ text: WireText?) {
        self.rest.add(text)
        for byte in text?.string.utf8 ?? "".utf8 { self.rest.add(UInt64(byte)) }
    }
}
