/// One token's book: a snapshot, then level updates on top of it.
///
/// Updates wait for a snapshot. Each level remembers the stamp of its last update, so that a row that comes late
/// (the venue sends some up to 2.9 s late) changes only what nothing newer has changed, and a duplicate changes nothing.
public struct OrderBook: ~Copyable {
    var bids = BookSide(.bids)
    var asks = BookSide(.asks)
    /// Whether a snapshot has come: before, there is no book, only an assumption.
    public private(set) var hasSnapshot = false
    /// The stamp of the last snapshot; meaningless before one.
    public private(set) var snapshotTime = Timestamp(milliseconds: 0)
    /// The newest stamp of anything that went in; meaningless before a snapshot.
    public private(set) var lastTime = Timestamp(milliseconds: 0)
    /// The smallest price step, once the feed said so.
    public internal(set) var tickSize: Price?

    /// A book that waits for its snapshot.
    public init() {}

    /// What became of an update.
    public enum Applied: Sendable, Equatable {
        /// It is in.
        case applied
        /// It is in where nothing newer was: a snapshot that newer updates had overtaken.
        case merged
        /// There is no snapshot yet, so it was left out; the snapshot will contain it.
        case awaitingSnapshot
        /// Something newer is in already, so it was left out.
        case superseded
    }

    /// Replaces the whole book.
    ///
    /// A snapshot that is a little older than what is already in (within the time by which rows come late) was overtaken:
    /// it tells every level that nothing newer has told. One that is older by more than that means that the exchange
    /// started over, and replaces the book.
    @discardableResult
    public mutating func replace(
        bids: some Sequence<Level>, asks: some Sequence<Level>, at time: Timestamp
    ) -> Applied {
        let stamp = UInt32(truncatingIfNeeded: time.milliseconds)
        let isOvertaken =
            self.hasSnapshot && time < self.lastTime
            && time.isWithin(OrderBook.latestRow, before: self.lastTime)
        if isOvertaken {
            guard time >= self.snapshotTime else { return .superseded }
            self.bids.removeAll(notNewerThan: stamp)
            self.asks.removeAll(notNewerThan: stamp)
        } else {
            self.bids.removeAll(stamp: stamp)
            self.asks.removeAll(stamp: stamp)
            self.hasSnapshot = true
            self.lastTime = time
        }
        for level in bids { _ = self.bids.set(level.price, to: level.size, stamp: stamp) }
        for level in asks { _ = self.asks.set(level.price, to: level.size, stamp: stamp) }
        self.snapshotTime = time
        return isOvertaken ? .merged : .applied
    }

    /// How late a row may be and still be a late row, in milliseconds: twice the worst delay measured.
    static let latestRow: Int64 = 6000

    /// Sets one level's new total.
    @discardableResult
    @inline(__always)
    public mutating func apply(
        _ side: BookSideKind, price: Price, size: Size, at time: Timestamp
    ) -> Applied {
        guard self.hasSnapshot else { return .awaitingSnapshot }
        guard time >= self.snapshotTime else { return .superseded }
        let stamp = UInt32(truncatingIfNeeded: time.milliseconds)
        let changed =
            side == .bids
            ? self.bids.set(price, to: size, stamp: stamp) : self.asks.set(price, to: size, stamp: stamp)
        if time > self.lastTime { self.lastTime = time }
        return changed ? .applied : .superseded
    }

    /// The exchange's clock was set back to here: what is in stays, and what comes from now on is newer.
    public mutating func rewind(to time: Timestamp) {
        guard self.hasSnapshot, time < self.lastTime else { return }
        let stamp = UInt32(truncatingIfNeeded: time.milliseconds)
        self.bids.forgetStamps(after: stamp)
        self.asks.forgetStamps(after: stamp)
        self.snapshotTime = min(self.snapshotTime, time)
        self.lastTime = time
    }

    /// Forgets everything and waits for a new snapshot.
    public mutating func reset() {
        self.bids.removeAll(stamp: 0)
        self.asks.removeAll(stamp: 0)
        self.hasSnapshot = false
    }

    /// The highest bid; nil when nobody bids.
    public var bestBid: Level? { self.bids.bestLevel }
    /// The lowest ask; nil when nobody offers.
    public var bestAsk: Level? { self.asks.bestLevel }
    /// Whether the best bid is at or above the best ask: no real book is, outside of an unfinished batch.
    @inline(__always)
    public var isCrossed: Bool {
        self.bids.bestRaw >= 0 && self.asks.bestRaw >= 0 && self.bids.bestRaw >= self.asks.bestRaw
    }
    /// All bids, by ascending price as the venue lists them.
    public func bidLevels() -> [Level] { self.bids.levels() }
    /// All asks, by descending price as the venue lists them.
    public func askLevels() -> [Level] { self.asks.levels().reversed() }
    /// How many levels both sides have.
    public var levelCount: Int { self.bids.levelCount + self.asks.levelCount }
    /// Shares at one price; zero when there is no such level.
    public func size(_ side: BookSideKind, at price: Price) -> Size {
        side == .bids ? self.bids.size(at: price) : self.asks.size(at: price)
    }

    /// The reported best bid in ten-thousandths against ours: 0 and absent both mean that nobody bids.
    @inline(__always)
    func agrees(bestBid: Int32, bestAsk: Int32) -> Bool {
        let bid = self.bids.bestRaw
        let ask = self.asks.bestRaw
        return (bestBid == bid || (bestBid == 0 && bid < 0))
            && (bestAsk == ask || (ask < 0 && (bestAsk == 10_000 || bestAsk == 0)))
    }
}

extension Timestamp {
    /// Whether this point is at most so many milliseconds before another.
    fileprivate func isWithin(_ milliseconds: Int64, before other: Timestamp) -> Bool {
        let (difference, overflow) = other.milliseconds.subtractingReportingOverflow(self.milliseconds)
        return !overflow && difference <= milliseconds
    }
}
