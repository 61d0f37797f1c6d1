import OddsCore

/// What a decoder handed over, copied.
enum RecordedEvent: Equatable {
    struct Change: Equatable {
        var asset: String
        var price: Price
        var size: Size
        var side: BookSideKind
        var hash: String?
        var bestBid: Price?
        var bestAsk: Price?
    }

    case book(
        market: String?, asset: String, time: Int64, hash: String?, tick: Price?, last: Price?, bids: Set<Level>,
        asks: Set<Level>)
    case changes(market: String?, time: Int64, [Change])
    case trade(
        market: String?, asset: String, price: Price, size: Size?, side: BookSideKind?, fee: Int64?, time: Int64,
        transaction: String?)
    case tick(market: String?, asset: String, old: Price?, new: Price, time: Int64)
    case best(market: String?, asset: String, bid: Price, ask: Price, time: Int64)
    case newMarket(
        market: String, slug: String?, question: String?, assets: [String], outcomes: [String], time: Int64?)
    case resolved(market: String, asset: String?, outcome: String?, time: Int64?)
    case text(String)
    case unknown(type: String?, error: String?)
}

struct EventRecorder: MarketEventHandler {
    var events: [RecordedEvent] = []

    mutating func book(_ event: WireBook) {
        self.events.append(
            .book(
                market: event.market?.string, asset: event.asset.string, time: event.timestamp.milliseconds,
                hash: event.hash?.string, tick: event.tickSize, last: event.lastTradePrice, bids: Set(event.bids),
                asks: Set(event.asks)))
    }

    mutating func priceChanges(
        market: WireText?, timestamp: Timestamp, entries: UnsafeBufferPointer<WirePriceChange>
    ) {
        let changes = entries.map {
            RecordedEvent.Change(
                asset: $0.asset.string, price: $0.price, size: $0.size, side: $0.side, hash: $0.hash?.string,
                bestBid: $0.bestBid, bestAsk: $0.bestAsk)
        }
        self.events.append(.changes(market: market?.string, time: timestamp.milliseconds, changes))
    }

    mutating func trade(_ event: WireTrade) {
        self.events.append(
            .trade(
                market: event.market?.string, asset: event.asset.string, price: event.price, size: event.size,
                side: event.takerSide, fee: event.feeRateBasisPoints, time: event.timestamp.milliseconds,
                transaction: event.transactionHash?.string))
    }

    mutating func tickSizeChange(_ event: WireTickSizeChange) {
        self.events.append(
            .tick(
                market: event.market?.string, asset: event.asset.string, old: event.oldTickSize, new: event.newTickSize,
                time: event.timestamp.milliseconds))
    }

    mutating func bestBidAsk(_ event: WireBestBidAsk) {
        self.events.append(
            .best(
                market: event.market?.string, asset: event.asset.string, bid: event.bestBid, ask: event.bestAsk,
                time: event.timestamp.milliseconds))
    }

    mutating func newMarket(_ event: WireNewMarket) {
        self.events.append(
            .newMarket(
                market: event.market.string, slug: event.slug?.string, question: event.question?.string,
                assets: event.assets.map(\.string), outcomes: event.outcomes.map(\.string),
                time: event.timestamp?.milliseconds))
    }

    mutating func marketResolved(_ event: WireMarketResolved) {
        self.events.append(
            .resolved(
                market: event.market.string, asset: event.winningAsset?.string, outcome: event.winningOutcome?.string,
                time: event.timestamp?.milliseconds))
    }

    mutating func plainText(_ text: WireText) { self.events.append(.text(text.string)) }

    mutating func unknownEvent(type: WireText?, error: WireText?) {
        self.events.append(.unknown(type: type?.string, error: error?.string))
    }
}

/// What became of one frame.
struct Decoded: Equatable {
    var events: [RecordedEvent]
    var fault: FrameFault?
    var unknownFields: UInt64
}

/// A decoder that can be kept over several frames.
final class TestDecoder {
    private var decoder = MarketFrameDecoder()

    /// Decodes a copy of the bytes that ends where its memory ends, so that a read beyond it has a chance to be noticed.
    func decode(_ bytes: [UInt8]) -> Decoded {
        let before = self.decoder.unknownFields
        var recorder = EventRecorder()
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        var fault: FrameFault?
        do throws(FrameFault) {
            try self.decoder.decode(UnsafeRawBufferPointer(copy), into: &recorder)
        } catch {
            fault = error
        }
        return Decoded(events: recorder.events, fault: fault, unknownFields: self.decoder.unknownFields - before)
    }

    func decode(_ text: String) -> Decoded { self.decode(Array(text.utf8)) }
}

func decode(_ text: String) -> Decoded { TestDecoder().decode(text) }
