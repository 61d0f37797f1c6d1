import OddsCore

/// What a recording says was visible, by the exchange's time: each connection's messages go into books of their own, and
/// what books that nothing contradicts show is put together by the exchange's stamps.
final class RecordedTruth {
    /// One connection's books.
    private final class Reader: FeedPipelineDelegate {
        let board = OddsBoard()
        let books: FeedBooks
        let pipeline: FeedPipeline
        unowned let truth: RecordedTruth
        var now = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0)
        var met: Set<AssetID> = []

        /// How long a batch may stay incomplete, as with the real connection.
        private static let hold = Duration.milliseconds(25)

        init(_ truth: RecordedTruth) {
            self.truth = truth
            self.books = FeedBooks(board: self.board, source: .replay)
            self.books.reportsEveryChange = true
            self.pipeline = FeedPipeline(books: self.books, maximumMessageSize: 1 << 24)
            self.pipeline.delegate = self
        }

        func take(_ text: UnsafeRawBufferPointer, at now: ReceiveTime) {
            self.now = now
            if self.books.hasHeld {
                self.books.begin(at: now)
                self.books.releaseHeld(before: now.monotonic.advanced(by: .zero - Self.hold))
            }
            self.pipeline.receive(message: text, at: now)
        }

        func marketChanged(_ slot: MarketSlot, valuesChanged: Bool, previousTrust: Trust?) {
            guard let odds = slot.read(), odds.trust == .live else { return }
            self.truth.saw(odds, at: self.now)
        }
        func snapshotArrived(_ asset: AssetID) {}
        func resyncNeeded(_ asset: AssetID, reason: SuspectReason) {}
        func marketResolved(_ market: MarketID, winner: AssetID?, at time: Timestamp?) {}
        func entryApplied(
            _ asset: AssetID, eventType: StaticString, at time: Timestamp, bestBid: Price?, bestAsk: Price?
        ) {}
        func pongReceived() {}
        func frameMalformed(_ fault: FrameFault, prefix: [UInt8]) {}
        func venueSaid(_ text: String) {}
    }

    private struct Key: Hashable {
        let line: Int
        let connection: Int
    }

    private var readers: [Key: Reader] = [:]
    private var followed: [MarketID: Market] = [:]
    /// Whether markets are named by commands; else every token that a message brings is followed.
    private var isTold = false
    private var seen: [MarketID: [Sighting]] = [:]
    /// How often messages came so many milliseconds after their stamps, by this machine's clock.
    private var delays: [Int64: Int] = [:]

    /// How long after its stamp a message came that was quick: 99 % took longer, so that single stamps that lie ahead shift
    /// nothing. In nanoseconds; nil before the first.
    var offset: Int64? {
        let count = self.delays.values.reduce(0, +)
        var before = 0
        for (delay, number) in self.delays.sorted(by: { $0.key < $1.key }) {
            before += number
            if before * 100 >= count { return delay * 1_000_000 }
        }
        return nil
    }

    func take(_ row: ReplayRow, at received: ReceiveTime) {
        switch row {
        case .message(let text, let line, let connection):
            let reader = self.reader(Key(line: line, connection: connection))
            if !self.isTold { self.meet(text, reader) }
            reader.take(text, at: received)
        case .connection(.closed, let line, let connection):
            self.readers[Key(line: line, connection: connection)] = nil
        case .command(.follow(let market)):
            self.isTold = true
            self.followed[market.id] = market
            for reader in self.readers.values { reader.books.add(market) }
        case .command(.followTokens(let tokens)):
            for reader in self.readers.values { reader.books.add(bare: tokens) }
        case .command(.unfollow(let id)):
            guard let market = self.followed.removeValue(forKey: id) else { return }
            for reader in self.readers.values { reader.books.remove(market) }
        case .start:
            self.readers = [:]
            self.followed = [:]
        case .tape:
            self.readers = [:]
            self.followed = [:]
            self.isTold = false
        case .connection, .command, .answer, .clock, .lost, .end, .other: break
        }
    }

    private func reader(_ key: Key) -> Reader {
        if let reader = self.readers[key] { return reader }
        let reader = Reader(self)
        for market in self.followed.values { reader.books.add(market) }
        self.readers[key] = reader
        return reader
    }

    private func meet(_ text: UnsafeRawBufferPointer, _ reader: Reader) {
        let new = TokenScan.tokens(in: text).filter { reader.met.insert($0).inserted }
        if !new.isEmpty { reader.books.add(bare: new) }
    }

    private func saw(_ odds: OddsSnapshot, at now: ReceiveTime) {
        let stamp = odds.exchangeTime.milliseconds
        let delay = now.nanoseconds(since: odds.exchangeTime).flooredQuotient(1_000_000)
        self.delays[delay, default: 0] += 1
        self.seen[odds.marketID, default: []].append(
            Sighting(time: now.unixNanoseconds, stamp: stamp, tops: MarketTops(odds), trust: TrustCode(.live)))
    }

    /// What was visible of a market, by the exchange's time moved to this machine's clock; what is told is forgotten.
    func take(_ market: MarketID) -> [Sighting] {
        let offset = self.offset ?? 0
        let seen = self.seen.removeValue(forKey: market) ?? []
        return seen.enumerated()
            .sorted { ($0.element.stamp, $0.offset) < ($1.element.stamp, $1.offset) }
            .map(\.element).map {
                Sighting(time: $0.stamp * 1_000_000 + offset, stamp: $0.stamp, tops: $0.tops, trust: $0.trust)
            }
    }

    /// The markets of which something was seen and not taken yet.
    var markets: [MarketID] { self.seen.keys.sorted { $0.rawValue < $1.rawValue } }
}
