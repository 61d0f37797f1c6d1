/// Where a market stands between its listing and its end; decided by the clock and by the venue, not by the feed.
public enum MarketPhase: UInt8, Sendable {
    /// Odds move.
    case trading
    /// The window is over and nobody has said who won.
    case resolving
    /// Decided or closed.
    case closed
}

/// What contradicts a market's books at the moment.
struct Suspicion: OptionSet {
    let rawValue: UInt16
    static let topMismatch = Suspicion(rawValue: 1)
    static let crossed = Suspicion(rawValue: 2)
    static let mirrorMismatch = Suspicion(rawValue: 4)
    static let malformedFrame = Suspicion(rawValue: 8)
    static let tickSizeChanged = Suspicion(rawValue: 16)
    static let resynchronising = Suspicion(rawValue: 32)
    static let behind = Suspicion(rawValue: 64)
    static let silent = Suspicion(rawValue: 128)
    static let hashMismatch = Suspicion(rawValue: 256)
    /// Graver than a suspicion: what the exchange has is known to be newer.
    static let frozen = Suspicion(rawValue: 512)

    /// Ends when the exchange agrees again.
    static let untilAgreement: Suspicion = [.topMismatch, .crossed, .mirrorMismatch]
    /// Ends when fresh books are in.
    static let untilSnapshot: Suspicion = [
        .malformedFrame, .tickSizeChanged, .resynchronising, .behind, .hashMismatch,
    ]

    init(rawValue: UInt16) { self.rawValue = rawValue }

    init(_ reason: SuspectReason) {
        switch reason {
        case .topMismatch: self = .topMismatch
        case .crossed: self = .crossed
        case .malformedFrame: self = .malformedFrame
        case .tickSizeChanged: self = .tickSizeChanged
        case .mirrorMismatch: self = .mirrorMismatch
        case .resynchronising: self = .resynchronising
        case .behind: self = .behind
        case .silent: self = .silent
        case .hashMismatch: self = .hashMismatch
        }
    }

    /// The gravest of what is there.
    var reason: SuspectReason {
        if self.contains(.crossed) { return .crossed }
        if self.contains(.topMismatch) { return .topMismatch }
        if self.contains(.mirrorMismatch) { return .mirrorMismatch }
        if self.contains(.malformedFrame) { return .malformedFrame }
        if self.contains(.tickSizeChanged) { return .tickSizeChanged }
        if self.contains(.behind) { return .behind }
        if self.contains(.hashMismatch) { return .hashMismatch }
        if self.contains(.silent) { return .silent }
        return .resynchronising
    }
}

/// One followed token.
struct AssetState: ~Copyable {
    let id: AssetID
    var book = OrderBook()
    /// The number of its market; -1 while that is not known.
    var market: Int
    var side: Side
    /// A fresh book was asked for and has not come.
    var resyncing = false
    /// How many whole books have come.
    var snapshots = 0
    /// The newest stamp in the book when it was asked for: a book from before that knows nothing of what went wrong.
    var resyncSince = Timestamp(milliseconds: .min)
    /// What its hashes have said.
    var hashes = AssetHashes()
    /// The exchange's own best prices at the newest stamp, in ten-thousandths; -1 when it has not said.
    private var reportedBid: Int32 = -1
    private var reportedAsk: Int32 = -1

    init(id: AssetID, market: Int, side: Side) {
        self.id = id
        self.market = market
        self.side = side
    }

    @inline(__always)
    mutating func report(_ bid: Price?, _ ask: Price?) {
        self.reportedBid = bid?.rawValue ?? -1
        self.reportedAsk = ask?.rawValue ?? -1
    }

    /// Whether the book's top is what the exchange says; true when it has not said.
    @inline(__always)
    var agrees: Bool {
        self.reportedBid < 0 || self.reportedAsk < 0
            || self.book.agrees(bestBid: self.reportedBid, bestAsk: self.reportedAsk)
    }

    /// The connection is gone, and with it everything that is not on the board.
    mutating func forget() {
        self.book.reset()
        self.resyncing = false
        self.hashes.forget()
        self.report(nil, nil)
    }
}

/// Changes in a row that are stamped earlier than what is in already: rows that come late, or a clock that was set back.
///
/// Single rows come late, and newer ones come between them; a burst of late ones comes at once, whatever their stamps. Rows
/// that all lie equally far behind this machine's clock, one after the other, are the exchange's time from now on.
struct OlderRows {
    /// How many stamps in a row there must be.
    static let needed = 4
    /// How far their distances from this machine's clock may differ.
    static let spread: Int64 = 100_000_000

    /// How many different stamps came in a row; 0 when the last change was not older.
    private(set) var steps = 0
    private var last = Int64.min
    private var distance: Int64 = 0

    /// A row came; its stamp in milliseconds, and this machine's time in nanoseconds.
    mutating func heard(_ stamp: Int64, at now: Int64) {
        let (scaled, overflow) = stamp.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return self.forget() }
        let distance = now &- scaled
        if self.steps == 0 || stamp < self.last || abs(distance &- self.distance) > Self.spread {
            self.steps = 1
            self.distance = distance
        } else if stamp > self.last {
            self.steps += 1
        }
        self.last = stamp
    }

    /// Whether they can only be explained by a clock that was set back.
    var isClock: Bool { self.steps >= Self.needed }

    @inline(__always)
    mutating func forget() { self.steps = 0 }
}

/// One followed market.
struct MarketState {
    let slot: MarketSlot
    /// This line's seat among those that carry the market.
    let table: UnsafeMutablePointer<Arbitration>
    /// The numbers of its tokens; -1 when it has none.
    var yes = -1
    var no = -1
    /// The newest stamp seen, in milliseconds.
    var newestTime = Int64.min
    /// Changes of that stamp. Books are not counted: a line that has just subscribed has had some that its twin has not.
    var messages: UInt32 = 0
    /// Changes older than that, without a newer one between them.
    var older = OlderRows()
    /// The books are in the middle of a batch and the board keeps the state before it.
    var held = false
    var heldSince = MonotonicTime(nanoseconds: 0)
    /// Whether the market is on the list of held ones; it stays there until the list is gone through.
    var listed = false
    /// Batch ends in a row that disagreed.
    var disagreements = 0
    /// When disagreement may lead to asking for fresh books again, and how long the wait for that was.
    private var nextResync = MonotonicTime(nanoseconds: .min)
    private var resyncPause = Duration.seconds(1)
    var suspicion: Suspicion = []
    /// While frozen: the stamp that the books must reach to be believed, and since when nothing came.
    var frozenUntil = Timestamp(milliseconds: .min)
    var frozenSince = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0)
    var phase = MarketPhase.trading
    /// The last trade in terms of YES, in ten-thousandths; -1 when none is known.
    var lastTradeYes: Int32 = -1
    var lastTradeTime = Timestamp(milliseconds: .min)
    /// What its books' hashes are made of beside the levels.
    var hashes: MarketHashes
    /// What this line last offered for the board; its sequence counts the offers.
    var words = SlotWords()
    /// What took the connection away; nil once something was published on the present one.
    var lost: StaleReason?
    /// What followers have not been told yet.
    var valuesDirty = false
    var trustBefore: Trust?

    init(slot: MarketSlot, table: UnsafeMutablePointer<Arbitration>, source: SnapshotSource) {
        self.slot = slot
        self.table = table
        self.hashes = MarketHashes(slot.market)
        self.words.setSource(source)
    }

    /// What the market's books deserve while the connection is up.
    @inline(__always)
    var trust: Trust {
        switch self.phase {
        case .trading: self.suspicion.isEmpty ? .live : self.distrust
        case .resolving: .resolving
        case .closed: .closed
        }
    }

    /// Whether disagreement may lead to asking for fresh books now: at once, then after growing waits, because books that
    /// do not help are no reason to ask several times a second.
    mutating func mayResync(at now: MonotonicTime) -> Bool {
        guard self.nextResync <= now else { return false }
        let isCalm = self.nextResync.duration(to: now) >= Self.longestResyncPause
        self.resyncPause = isCalm ? .seconds(1) : min(self.resyncPause * 2, Self.longestResyncPause)
        self.nextResync = now.advanced(by: self.resyncPause)
        return true
    }

    private static let longestResyncPause = Duration.seconds(30)

    /// Ends the frozen state when the books have caught up.
    mutating func thaw() {
        if self.newestTime >= self.frozenUntil.milliseconds { self.suspicion.remove(.frozen) }
    }

    private var distrust: Trust {
        self.suspicion.contains(.frozen)
            ? .stale(since: self.frozenSince, reason: .frozen) : .suspect(self.suspicion.reason)
    }

    /// Takes over a book's `last_trade_price`, which does not say of which token it is the price: both tokens' books
    /// carry the same number. The reading that lies nearer to this book's middle is taken; a `last_trade_price` event,
    /// which names its token, settles it.
    mutating func learnTrade(_ price: Price, from asset: borrowing AssetState) {
        let known = self.lastTradeYes
        if known >= 0, price.rawValue == known || price.rawValue == 10_000 - known { return }
        let bid = max(asset.book.bids.bestRaw, 0)
        let ask = asset.book.asks.bestRaw < 0 ? 10_000 : asset.book.asks.bestRaw
        let twiceMiddle = bid + ask
        let own =
            abs(2 * price.rawValue - twiceMiddle) <= abs(2 * (10_000 - price.rawValue) - twiceMiddle)
            ? price.rawValue : 10_000 - price.rawValue
        self.lastTradeYes = asset.side == .yes ? own : 10_000 - own
    }
}
