/// What the books tell the connection that owns them. All calls come on the feed's event loop, in the middle of a frame.
public protocol FeedBooksDelegate: AnyObject {
    /// A token's snapshot is in.
    func snapshotArrived(_ asset: AssetID)
    /// A token's book cannot be believed any more: a fresh one is needed.
    func resyncNeeded(_ asset: AssetID, reason: SuspectReason)
    /// A market's odds changed, or its trust; only while `FeedBooks.reportsEveryChange`.
    func marketChanged(_ slot: MarketSlot, valuesChanged: Bool, previousTrust: Trust?)
    /// The venue said that a market is decided; it may be one that is not followed.
    func marketResolved(_ market: MarketID, winner: AssetID?, at time: Timestamp?)
    /// A trade of a followed market, as this connection was told it; others may tell the same. Trades of which the venue does
    /// not say the size and the taker's side are not told.
    func traded(_ trade: Trade, in slot: MarketSlot)
    /// One entry was applied and the market published or held; only while `FeedBooks.reportsEveryEntry`.
    func entryApplied(_ asset: AssetID, eventType: StaticString, at time: Timestamp, bestBid: Price?, bestAsk: Price?)
}

extension FeedBooksDelegate {
    /// Passes it over.
    public func traded(_ trade: Trade, in slot: MarketSlot) {}
}

/// The books of one connection, and the road from an event to the board.
///
/// A market is published only in a state that the exchange itself agrees with: the best prices it reports hold for the
/// end of a batch of messages with one stamp, so in the middle of a batch the last complete state stays on the board.
/// YES and NO books are mirrors of each other; while one of two has taken a trade and the other has not, the same holds.
/// When a batch has ended and the disagreement remains, the market is published as `suspect`.
///
/// Confined to one event loop; not thread-safe, on purpose.
public final class FeedBooks: MarketEventHandler {
    /// Receives what the books have to say.
    public weak var delegate: (any FeedBooksDelegate)?
    /// Whether the delegate is told of every single change, not only of the markets that changed.
    public var reportsEveryChange: Bool {
        get { self.hot.pointee.reportsEveryChange }
        set { self.hot.pointee.reportsEveryChange = newValue }
    }
    /// Whether the delegate is told of every applied entry.
    public var reportsEveryEntry: Bool {
        get { self.hot.pointee.reportsEveryEntry }
        set { self.hot.pointee.reportsEveryEntry = newValue }
    }
    /// What was seen.
    public internal(set) var counters: FeedCounters {
        get { self.hot.pointee.counters }
        set { self.hot.pointee.counters = newValue }
    }

    /// What is touched for every message. It lies behind a pointer because a class's own variables are checked for
    /// overlapping access each time, which was a fifth of the whole cost of a message.
    struct Hot: ~Copyable {
        var counters = FeedCounters()
        var table = AssetTable()
        var assets: [UnsafeMutablePointer<AssetState>?] = []
        var markets: [UnsafeMutablePointer<MarketState>?] = []
        var now = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0)
        var dirty: [Int] = []
        var heldMarkets: [Int] = []
        var checks = HashChecks()
        var reportsEveryChange = false
        var reportsEveryEntry = false
    }

    let hot: UnsafeMutablePointer<Hot>
    /// Counts what the pipeline sees before the books do.
    @inline(__always)
    func countFrame(bytes: Int) {
        self.hot.pointee.counters.frames &+= 1
        self.hot.pointee.counters.bytes &+= UInt64(bytes)
    }

    private let board: OddsBoard
    private let source: SnapshotSource
    private let arbiter: FeedArbiter
    let seat: Int
    /// Tokens followed without discovery, in the order they were named.
    private var bareAssets: [AssetID] = []
    private var bareMarkets: [MarketID: Int] = [:]
    /// How many of them no frame has told the market of.
    private var unplacedBareAssets = 0

    /// Books that publish on a board on their own.
    public convenience init(board: OddsBoard, source: SnapshotSource) {
        self.init(board: board, source: source, seat: 0, arbiter: FeedArbiter(board: board))
    }

    /// Books of one of several connections, which publish what the arbiter lets them; each has a seat of its own.
    public init(board: OddsBoard, source: SnapshotSource, seat: Int, arbiter: FeedArbiter) {
        precondition((0..<FeedArbiter.seats).contains(seat), "a seat is one of those that the arbiter has")
        self.board = board
        self.source = source
        self.seat = seat
        self.arbiter = arbiter
        self.hot = .allocate(capacity: 1)
        self.hot.initialize(to: Hot())
    }

    deinit {
        for case let asset? in self.hot.pointee.assets { Self.free(asset) }
        for case let market? in self.hot.pointee.markets {
            self.arbiter.leave(market.pointee.table, seat: self.seat)
            Self.free(market)
        }
        Self.free(self.hot)
    }

    // MARK: What is followed

    /// Makes books for a market's tokens and room for it on the board.
    public func add(_ market: Market) {
        guard self.marketIndex(market.id) == nil else { return }
        let index = self.place(self.state(for: self.board.add(market)))
        self.attach(market.yes.asset, to: index, side: .yes)
        if let no = market.no { self.attach(no.asset, to: index, side: .no) }
    }

    /// Makes books for tokens of which nothing else is known: the feed tells which belong together.
    public func add(bare assets: [AssetID]) {
        for asset in assets where self.hot.pointee.table.find(asset) < 0 {
            self.bareAssets.append(asset)
            self.unplacedBareAssets += 1
            _ = self.makeAsset(asset, market: -1, side: .yes)
        }
    }

    /// Forgets a market and its books. What is on the board stays there.
    public func remove(_ market: Market) {
        guard let index = self.marketIndex(market.id), let state = self.hot.pointee.markets[index] else { return }
        for asset in [state.pointee.yes, state.pointee.no] where asset >= 0 { self.dropAsset(asset) }
        if self.bareMarkets[market.id] == index {
            let gone = state.pointee.slot.market.assets
            self.bareMarkets[market.id] = nil
            self.bareAssets.removeAll { gone.contains($0) }
        }
        self.hot.pointee.dirty.removeAll { $0 == index }
        self.hot.pointee.heldMarkets.removeAll { $0 == index }
        self.hot.pointee.checks.sampled.removeAll { $0 == index }
        self.arbiter.leave(state.pointee.table, seat: self.seat)
        Self.free(state)
        self.hot.pointee.markets[index] = nil
    }

    private func state(for slot: MarketSlot) -> MarketState {
        MarketState(slot: slot, table: self.arbiter.join(slot), source: self.source)
    }

    private func marketIndex(_ id: MarketID) -> Int? {
        self.hot.pointee.markets.firstIndex { $0.map { $0.pointee.slot.market.id == id } ?? false }
    }

    private func place(_ state: consuming MarketState) -> Int {
        let pointer = UnsafeMutablePointer<MarketState>.allocate(capacity: 1)
        pointer.initialize(to: state)
        if let free = self.hot.pointee.markets.firstIndex(where: { $0 == nil }) {
            self.hot.pointee.markets[free] = pointer
            return free
        }
        self.hot.pointee.markets.append(pointer)
        return self.hot.pointee.markets.count - 1
    }

    private func attach(_ asset: AssetID, to market: Int, side: Side) {
        let found = self.hot.pointee.table.find(asset)
        let index = found >= 0 ? found : self.makeAsset(asset, market: market, side: side)
        // Made or found just above, so it is there.
        if self.hot.pointee.assets[index]!.pointee.market < 0 { self.unplacedBareAssets -= 1 }
        self.hot.pointee.assets[index]!.pointee.market = market
        self.hot.pointee.assets[index]!.pointee.side = side
        if side == .yes {
            self.hot.pointee.markets[market]!.pointee.yes = index
        } else {
            self.hot.pointee.markets[market]!.pointee.no = index
        }
        self.tellMarket(of: self.hot.pointee.assets[index]!)
    }

    private func makeAsset(_ asset: AssetID, market: Int, side: Side) -> Int {
        let pointer = UnsafeMutablePointer<AssetState>.allocate(capacity: 1)
        pointer.initialize(to: AssetState(id: asset, market: market, side: side))
        pointer.pointee.hashes.due = self.firstSample
        let index: Int
        if let free = self.hot.pointee.assets.firstIndex(where: { $0 == nil }) {
            index = free
            self.hot.pointee.assets[free] = pointer
        } else {
            index = self.hot.pointee.assets.count
            self.hot.pointee.assets.append(pointer)
        }
        self.hot.pointee.table.insert(asset, value: index)
        return index
    }

    private func dropAsset(_ index: Int) {
        guard let asset = self.hot.pointee.assets[index] else { return }
        self.abandonChecks(of: index)
        self.hot.pointee.table.remove(value: index)
        Self.free(asset)
        self.hot.pointee.assets[index] = nil
    }

    private static func free<State: ~Copyable>(_ pointer: UnsafeMutablePointer<State>) {
        pointer.deinitialize(count: 1)
        pointer.deallocate()
    }

    // MARK: The connection's life

    /// Sets the receive time of what follows; once per read from the socket.
    @inline(__always)
    public func begin(at now: ReceiveTime) { self.hot.pointee.now = now }

    /// The connection is gone: here every market is stale from its last message on. Unless another line carries it, the
    /// board says so, and the market's epoch is over.
    public func connectionLost(reason: StaleReason) {
        for index in self.hot.pointee.assets.indices {
            self.abandonChecks(of: index)
            self.hot.pointee.assets[index]?.pointee.forget()
        }
        self.hot.pointee.heldMarkets.removeAll(keepingCapacity: true)
        for index in self.hot.pointee.markets.indices {
            guard let market = self.hot.pointee.markets[index] else { continue }
            market.pointee.held = false
            market.pointee.listed = false
            market.pointee.disagreements = 0
            // What the exchange is known to have is not forgotten: a new connection may be frozen too.
            market.pointee.suspicion.formIntersection(.frozen)
            market.pointee.newestTime = .min
            market.pointee.older.forget()
            guard market.pointee.words.sequence > 0 else { continue }
            market.pointee.lost = reason
            let trust =
                market.pointee.phase == .trading
                ? Trust.stale(since: market.pointee.words.receiveTime, reason: reason) : market.pointee.trust
            self.setTrust(trust, of: index)
        }
    }

    /// Something that may have carried an update could not be read: no book here can be believed until a fresh one comes.
    public func suspectAll(_ reason: SuspectReason) {
        for index in self.hot.pointee.assets.indices {
            guard let asset = self.hot.pointee.assets[index], asset.pointee.book.hasSnapshot, asset.pointee.market >= 0
            else {
                continue
            }
            self.hot.pointee.markets[asset.pointee.market]?.pointee.suspicion.insert(.init(reason))
            self.requestResync(index, reason: reason)
        }
        for index in self.hot.pointee.markets.indices where self.hot.pointee.markets[index] != nil {
            self.refreshTrust(of: index)
        }
    }

    /// This line has missed an update of a market that another one had: fresh books are needed.
    public func suspectBehind(_ market: MarketID) {
        self.withMarket(market) { index, state in
            state.pointee.suspicion.insert(.behind)
            self.requestResync(of: state, reason: .behind)
            self.refreshTrust(of: index)
        }
    }

    /// Marks a market as ended, decided or in its window again.
    public func setPhase(_ phase: MarketPhase, of market: MarketID) {
        guard let index = self.marketIndex(market), let state = self.hot.pointee.markets[index] else { return }
        guard state.pointee.phase != phase else { return }
        state.pointee.phase = phase
        self.refreshTrust(of: index)
    }

    /// Whether any publication is being held back; `releaseHeld` is due then.
    public var hasHeld: Bool { !self.hot.pointee.heldMarkets.isEmpty }

    /// Publishes what has been held back since before `limit`: the rest of the batch is not going to come.
    public func releaseHeld(before limit: MonotonicTime) {
        for index in self.hot.pointee.heldMarkets {
            guard let market = self.hot.pointee.markets[index], market.pointee.held, market.pointee.heldSince <= limit
            else {
                continue
            }
            self.endBatch(index)
        }
        self.hot.pointee.heldMarkets.removeAll { index in
            guard let market = self.hot.pointee.markets[index] else { return true }
            market.pointee.listed = market.pointee.held
            return !market.pointee.held
        }
    }

    /// Hands over the markets that changed since the last call, each once: values, trust, or both.
    public func drainChanges(_ body: (MarketSlot, _ valuesChanged: Bool, _ previousTrust: Trust?) -> Void) {
        guard !self.hot.pointee.dirty.isEmpty else { return }
        for index in self.hot.pointee.dirty {
            guard let market = self.hot.pointee.markets[index] else { continue }
            let values = market.pointee.valuesDirty
            let trust = market.pointee.trustBefore
            market.pointee.valuesDirty = false
            market.pointee.trustBefore = nil
            guard values || trust != nil else { continue }  // a market that was made anew since
            body(market.pointee.slot, values, trust)
        }
        self.hot.pointee.dirty.removeAll(keepingCapacity: true)
    }

    /// A token's book as levels, bids ascending and asks descending; nil when it is not followed or has no snapshot.
    public func levels(of asset: AssetID) -> (bids: [Level], asks: [Level])? {
        let index = self.hot.pointee.table.find(asset)
        guard index >= 0, let state = self.hot.pointee.assets[index], state.pointee.book.hasSnapshot else { return nil }
        return (state.pointee.book.bidLevels(), state.pointee.book.askLevels())
    }

    // MARK: Events

    /// A token's number and state; a token that is not followed here is counted.
    @inline(__always)
    private func followed(_ token: WireText) -> (Int, UnsafeMutablePointer<AssetState>)? {
        let found = self.hot.pointee.table.find(token)
        guard found >= 0, let asset = self.hot.pointee.assets[found] else {
            self.hot.pointee.counters.foreignEntries &+= 1
            return nil
        }
        return (found, asset)
    }

    /// Level updates: see `MarketEventHandler`.
    public func priceChanges(
        market: WireText?, timestamp: Timestamp, entries: UnsafeBufferPointer<WirePriceChange>
    ) {
        self.hot.pointee.counters.priceChanges &+= 1
        let now = self.hot.pointee.now.monotonic.nanoseconds
        var current = -1
        for entry in entries {
            guard let (found, asset) = self.followed(entry.asset) else { continue }
            if asset.pointee.market < 0 { self.adopt(found, market: market) }
            let index = asset.pointee.market
            if index != current {
                if current >= 0 { self.endMessage(current) }
                current = index
                if index >= 0 { self.beginMessage(index, at: timestamp, counts: 1) }
            }
            switch asset.pointee.book.apply(entry.side, price: entry.price, size: entry.size, at: timestamp) {
            case .applied, .merged: self.hot.pointee.counters.appliedEntries &+= 1
            case .awaitingSnapshot:
                self.hot.pointee.counters.gatedEntries &+= 1
                continue
            case .superseded: self.hot.pointee.counters.supersededEntries &+= 1
            }
            // A late row reports a top that is no longer the case.
            if index >= 0,
                timestamp.milliseconds >= self.hot.pointee.markets[index].unsafelyUnwrapped.pointee.newestTime
            {
                asset.pointee.report(entry.bestBid, entry.bestAsk)
                if asset.pointee.hashes.due <= now { self.sample(entry.hash, of: found, in: index, at: timestamp) }
            } else if index >= 0 {
                self.heardOlder(entry, of: asset, in: index, at: timestamp)
            }
            if self.hot.pointee.reportsEveryEntry { self.reportEntry(found, "price_change", at: timestamp) }
        }
        if current >= 0 { self.endMessage(current) }
    }

    /// A change is older than what is in. When one after the other is, each equally far behind this machine's clock, and
    /// what they report is not what the books say, the exchange's clock was set back: without this, what changes would be
    /// passed over until the clock has caught up, and nothing would say so.
    @inline(never)
    private func heardOlder(
        _ entry: WirePriceChange, of asset: UnsafeMutablePointer<AssetState>, in index: Int, at time: Timestamp
    ) {
        guard let market = self.hot.pointee.markets[index], asset.pointee.book.hasSnapshot else { return }
        market.pointee.older.heard(time.milliseconds, at: self.hot.pointee.now.monotonic.nanoseconds)
        guard market.pointee.older.isClock, let bid = entry.bestBid, let ask = entry.bestAsk,
            !asset.pointee.book.agrees(bestBid: bid.rawValue, bestAsk: ask.rawValue)
        else { return }
        market.pointee.newestTime = time.milliseconds
        market.pointee.messages = 1
        market.pointee.older.forget()
        market.pointee.lastTradeTime = min(market.pointee.lastTradeTime, time)
        market.pointee.frozenUntil = min(market.pointee.frozenUntil, time)
        market.pointee.suspicion.insert(.resynchronising)
        for token in [market.pointee.yes, market.pointee.no] where token >= 0 {
            guard let state = self.hot.pointee.assets[token] else { continue }
            self.abandonChecks(of: token)
            state.pointee.book.rewind(to: time)
            state.pointee.report(nil, nil)
            state.pointee.resyncSince = min(state.pointee.resyncSince, time)
            self.requestResync(token, reason: .resynchronising)
        }
        _ = asset.pointee.book.apply(entry.side, price: entry.price, size: entry.size, at: time)
        asset.pointee.report(bid, ask)
        self.refreshTrust(of: index)
    }

    /// A full book: see `MarketEventHandler`.
    public func book(_ event: WireBook) {
        self.hot.pointee.counters.books &+= 1
        guard let (found, asset) = self.followed(event.asset) else { return }
        if asset.pointee.market < 0 { self.adopt(found, market: event.market) }
        let index = asset.pointee.market
        if index >= 0 { self.beginMessage(index, at: event.timestamp, counts: 0) }
        let applied = asset.pointee.book.replace(
            bids: event.bids, asks: event.asks, at: event.timestamp)
        if applied == .merged {
            // Newer updates have overtaken it; what they reported still stands.
            self.hot.pointee.counters.supersededEntries &+= 1
            if index >= 0, let price = event.lastTradePrice {
                self.hot.pointee.markets[index]?.pointee.learnTrade(price, from: asset.pointee)
            }
            if asset.pointee.resyncing, event.timestamp >= asset.pointee.resyncSince { self.freshBook(asset) }
            if self.hot.pointee.reportsEveryEntry { self.reportEntry(found, "book", at: event.timestamp) }
            if index >= 0 { self.endBook(index) }
            return
        }
        guard applied == .applied else {
            self.hot.pointee.counters.supersededEntries &+= 1
            if index >= 0 { self.endMessage(index) }
            return
        }
        asset.pointee.report(nil, nil)
        if let tickSize = event.tickSize { self.noteTickSize(tickSize, of: asset) }
        if index >= 0, let market = self.hot.pointee.markets[index] {
            market.pointee.older.forget()
            if event.timestamp.milliseconds < market.pointee.newestTime {
                market.pointee.newestTime = event.timestamp.milliseconds  // the exchange started over
            }
            if let price = event.lastTradePrice { market.pointee.learnTrade(price, from: asset.pointee) }
        }
        self.freshBook(asset)
        self.checkBook(event, of: found, asset)
        if self.hot.pointee.reportsEveryEntry { self.reportEntry(found, "book", at: event.timestamp) }
        if index >= 0 { self.endBook(index) }
    }

    /// A book is in that was complete after anything that made us doubt the old one.
    private func freshBook(_ asset: UnsafeMutablePointer<AssetState>) {
        asset.pointee.resyncing = false
        asset.pointee.snapshots += 1
        asset.pointee.hashes.isAccused = false
        self.delegate?.snapshotArrived(asset.pointee.id)
        guard asset.pointee.market >= 0, let market = self.hot.pointee.markets[asset.pointee.market] else { return }
        guard !self.isResyncing(market) else { return }
        market.pointee.suspicion.remove(.untilSnapshot)
        market.pointee.thaw()
    }

    /// A trade: see `MarketEventHandler`.
    public func trade(_ event: WireTrade) {
        self.hot.pointee.counters.trades &+= 1
        guard let (found, asset) = self.followed(event.asset) else { return }
        if asset.pointee.market < 0 { self.adopt(found, market: event.market) }
        let index = asset.pointee.market
        guard index >= 0, let market = self.hot.pointee.markets[index] else { return }
        if event.timestamp >= market.pointee.lastTradeTime {
            market.pointee.lastTradeTime = event.timestamp
            market.pointee.lastTradeYes =
                asset.pointee.side == .yes ? event.price.rawValue : event.price.complement.rawValue
        }
        self.noteTrade(event.price, at: event.timestamp, in: index)
        if let size = event.size, let takerSide = event.takerSide {
            self.delegate?.traded(
                Trade(
                    market: market.pointee.slot.market.id, asset: asset.pointee.id, side: asset.pointee.side,
                    price: event.price, size: size, takerSide: takerSide, exchangeTime: event.timestamp,
                    transaction: event.transactionHash?.fingerprint ?? 0), in: market.pointee.slot)
        }
        // A trade changes no level by itself, and it may carry an older stamp than the book it caused: no batch ends.
        if self.hot.pointee.reportsEveryEntry { self.reportEntry(found, "last_trade_price", at: event.timestamp) }
        if !market.pointee.held { self.endMessage(index) }
    }

    /// A new tick size: see `MarketEventHandler`.
    public func tickSizeChange(_ event: WireTickSizeChange) {
        self.hot.pointee.counters.tickSizeChanges &+= 1
        guard let (found, asset) = self.followed(event.asset) else { return }
        self.noteTickSize(event.newTickSize, of: asset)
        if self.hot.pointee.reportsEveryEntry { self.reportEntry(found, "tick_size_change", at: event.timestamp) }
        guard asset.pointee.market >= 0, asset.pointee.book.hasSnapshot else { return }
        // Levels stay where they are, but the venue may have moved orders without saying so level by level.
        self.hot.pointee.markets[asset.pointee.market]?.pointee.suspicion.insert(.tickSizeChanged)
        self.requestResync(found, reason: .tickSizeChanged)
        self.refreshTrust(of: asset.pointee.market)
    }

    /// The top of a book: see `MarketEventHandler`.
    public func bestBidAsk(_ event: WireBestBidAsk) {
        self.hot.pointee.counters.bestBidAsks &+= 1
        guard let (_, asset) = self.followed(event.asset) else { return }
        let index = asset.pointee.market
        guard index >= 0, let market = self.hot.pointee.markets[index], asset.pointee.book.hasSnapshot else { return }
        guard event.timestamp.milliseconds >= market.pointee.newestTime else { return }
        self.beginMessage(index, at: event.timestamp, counts: 0)
        asset.pointee.report(event.bestBid, event.bestAsk)
        self.endMessage(index)
    }

    /// An announced market: see `MarketEventHandler`.
    public func newMarket(_ event: WireNewMarket) { self.hot.pointee.counters.newMarkets &+= 1 }

    /// A decided market: see `MarketEventHandler`.
    public func marketResolved(_ event: WireMarketResolved) {
        self.hot.pointee.counters.marketsResolved &+= 1
        self.delegate?.marketResolved(
            MarketID(event.market.string), winner: event.winningAsset.map { AssetID($0.string) }, at: event.timestamp)
    }

    /// A plain text: see `MarketEventHandler`.
    public func plainText(_ text: WireText) { self.hot.pointee.counters.plainTexts &+= 1 }

    /// An event of no known type: see `MarketEventHandler`.
    public func unknownEvent(type: WireText?, error: WireText?) { self.hot.pointee.counters.unknownEvents &+= 1 }

    // MARK: Batches

    @inline(__always)
    private func beginMessage(_ index: Int, at time: Timestamp, counts: UInt32) {
        let market = self.hot.pointee.markets[index].unsafelyUnwrapped
        if time.milliseconds == market.pointee.newestTime {
            market.pointee.messages &+= counts
            if counts > 0 { market.pointee.older.forget() }
            return
        }
        if time.milliseconds > market.pointee.newestTime {
            market.pointee.older.forget()
            if market.pointee.hashes.isSampled { self.checkSamples(of: index) }
            if market.pointee.held { self.endBatch(index) }
            market.pointee.newestTime = time.milliseconds
            market.pointee.messages = counts
        }
    }

    @inline(__always)
    private func endMessage(_ index: Int) {
        let market = self.hot.pointee.markets[index].unsafelyUnwrapped
        guard market.pointee.yes >= 0, let yes = self.hot.pointee.assets[market.pointee.yes],
            yes.pointee.book.hasSnapshot
        else {
            return
        }
        if market.pointee.no >= 0 {
            let no = self.hot.pointee.assets[market.pointee.no].unsafelyUnwrapped
            guard no.pointee.book.hasSnapshot else { return }
            if yes.pointee.agrees, no.pointee.agrees, Self.mirror(yes, no), !yes.pointee.book.isCrossed {
                self.settle(market)
                self.publish(index, market, yes, no)
                return
            }
        } else if yes.pointee.agrees, !yes.pointee.book.isCrossed, !self.mayBeHalf(market) {
            self.settle(market)
            self.publish(index, market, yes, nil)
            return
        }
        self.hold(index, market)
    }

    /// A trade changes both tokens' books, one frame after the other and often without moving a best price: until the
    /// second is in, the new sizes of one would stand beside the old sizes of the other.
    private func endBook(_ index: Int) {
        if let market = self.hot.pointee.markets[index], market.pointee.yes >= 0, market.pointee.no >= 0,
            let yes = self.hot.pointee.assets[market.pointee.yes], yes.pointee.book.hasSnapshot,
            let no = self.hot.pointee.assets[market.pointee.no], no.pointee.book.hasSnapshot,
            yes.pointee.book.bids.bestSizeRaw != no.pointee.book.asks.bestSizeRaw
                || yes.pointee.book.asks.bestSizeRaw != no.pointee.book.bids.bestSizeRaw
        {
            self.hold(index, market)
        } else {
            self.endMessage(index)
        }
    }

    /// Whether the only known token of a market may turn out to be one of two, and even the other side.
    private func mayBeHalf(_ market: UnsafeMutablePointer<MarketState>) -> Bool {
        market.pointee.words.sequence == 0 && self.unplacedBareAssets > 0
            && self.bareMarkets[market.pointee.slot.market.id] != nil
    }

    /// The exchange agrees with what is about to be published.
    @inline(__always)
    private func settle(_ market: UnsafeMutablePointer<MarketState>) {
        market.pointee.held = false
        market.pointee.disagreements = 0
        market.pointee.suspicion.remove(.untilAgreement)
    }

    private func hold(_ index: Int, _ market: UnsafeMutablePointer<MarketState>) {
        guard !market.pointee.held else { return }
        market.pointee.held = true
        market.pointee.heldSince = self.hot.pointee.now.monotonic
        self.hot.pointee.counters.held &+= 1
        guard !market.pointee.listed else { return }
        market.pointee.listed = true
        self.hot.pointee.heldMarkets.append(index)
    }

    /// A batch is over and the books still disagree with the exchange or with each other.
    private func endBatch(_ index: Int) {
        guard let market = self.hot.pointee.markets[index], market.pointee.yes >= 0,
            let yes = self.hot.pointee.assets[market.pointee.yes]
        else {
            return
        }
        market.pointee.held = false
        guard yes.pointee.book.hasSnapshot else { return }
        let no = market.pointee.no >= 0 ? self.hot.pointee.assets[market.pointee.no] : nil
        var reason: SuspectReason?
        if let no, !Self.mirror(yes, no) {
            self.hot.pointee.counters.mirrorMismatches &+= 1
            market.pointee.suspicion.insert(.mirrorMismatch)
            reason = .mirrorMismatch
        }
        if !yes.pointee.agrees || !(no?.pointee.agrees ?? true) {
            self.hot.pointee.counters.topMismatches &+= 1
            market.pointee.suspicion.insert(.topMismatch)
            reason = .topMismatch
        }
        if yes.pointee.book.isCrossed || (no?.pointee.book.isCrossed ?? false) {
            self.hot.pointee.counters.crossedBooks &+= 1
            market.pointee.suspicion.insert(.crossed)
            reason = .crossed
        }
        if let reason {
            market.pointee.disagreements += 1
            if market.pointee.disagreements >= FeedBooks.disagreementsUntilResync,
                market.pointee.mayResync(at: self.hot.pointee.now.monotonic)
            {
                market.pointee.disagreements = 0
                self.requestResync(market.pointee.yes, reason: reason)
                if market.pointee.no >= 0 { self.requestResync(market.pointee.no, reason: reason) }
            }
        } else {
            self.settle(market)
        }
        self.publish(index, market, yes, no)
    }

    /// How many batch ends in a row may disagree before a fresh book is asked for.
    static let disagreementsUntilResync = 3

    @inline(__always)
    private static func mirror(
        _ yes: UnsafeMutablePointer<AssetState>, _ no: UnsafeMutablePointer<AssetState>
    ) -> Bool {
        Self.complementary(yes.pointee.book.bids.bestRaw, no.pointee.book.asks.bestRaw)
            && Self.complementary(yes.pointee.book.asks.bestRaw, no.pointee.book.bids.bestRaw)
    }

    @inline(__always)
    private static func complementary(_ a: Int32, _ b: Int32) -> Bool {
        (a < 0 && b < 0) || (a >= 0 && a &+ b == 10_000)
    }

    // MARK: For the ladder

    var marketIndices: Range<Int> { self.hot.pointee.markets.indices }

    func market(at index: Int) -> UnsafeMutablePointer<MarketState>? { self.hot.pointee.markets[index] }

    func asset(at index: Int) -> UnsafeMutablePointer<AssetState>? { self.hot.pointee.assets[index] }

    func withMarket(_ id: MarketID, _ body: (Int, UnsafeMutablePointer<MarketState>) -> Void) {
        guard let index = self.marketIndex(id), let market = self.hot.pointee.markets[index] else { return }
        body(index, market)
    }

    /// Asks for fresh books of both tokens.
    func requestResync(of market: UnsafeMutablePointer<MarketState>, reason: SuspectReason) {
        for asset in [market.pointee.yes, market.pointee.no] where asset >= 0 {
            self.requestResync(asset, reason: reason)
        }
    }

    func requestResync(_ index: Int, reason: SuspectReason) {
        guard let asset = self.hot.pointee.assets[index], !asset.pointee.resyncing else { return }
        asset.pointee.resyncing = true
        asset.pointee.resyncSince = asset.pointee.book.lastTime
        self.hot.pointee.counters.resyncs &+= 1
        self.delegate?.resyncNeeded(asset.pointee.id, reason: reason)
    }

    func isResyncing(_ market: UnsafeMutablePointer<MarketState>) -> Bool {
        if market.pointee.yes >= 0, self.hot.pointee.assets[market.pointee.yes]?.pointee.resyncing == true {
            return true
        }
        return market.pointee.no >= 0 && self.hot.pointee.assets[market.pointee.no]?.pointee.resyncing == true
    }

    // MARK: Publishing

    @inline(__always)
    private func publish(
        _ index: Int, _ market: UnsafeMutablePointer<MarketState>, _ yes: UnsafeMutablePointer<AssetState>,
        _ no: UnsafeMutablePointer<AssetState>?
    ) {
        var words = market.pointee.words
        words.setTimes(exchange: market.pointee.newestTime, receive: self.hot.pointee.now)
        let yesBid = yes.pointee.book.bids.bestRaw
        let yesAsk = yes.pointee.book.asks.bestRaw
        if let no {
            words.setPrices(
                yesBid: yesBid, yesAsk: yesAsk, noBid: no.pointee.book.bids.bestRaw, noAsk: no.pointee.book.asks.bestRaw
            )
            words.setSizes(
                yesBid: yes.pointee.book.bids.bestSizeRaw, yesAsk: yes.pointee.book.asks.bestSizeRaw,
                noBid: no.pointee.book.bids.bestSizeRaw, noAsk: no.pointee.book.asks.bestSizeRaw)
        } else {
            words.setPrices(yesBid: yesBid, yesAsk: yesAsk, noBid: -1, noAsk: -1)
            words.setSizes(
                yesBid: yes.pointee.book.bids.bestSizeRaw, yesAsk: yes.pointee.book.asks.bestSizeRaw, noBid: 0, noAsk: 0
            )
        }
        let last = market.pointee.lastTradeYes
        words.setLastTrades(yes: last, no: last < 0 ? -1 : 10_000 &- last)
        words.setTrust(market.pointee.trust)
        words.sequence &+= 1
        market.pointee.words = words
        market.pointee.lost = nil
        self.offer(index, market)
    }

    @inline(__always)
    private func offer(_ index: Int, _ market: UnsafeMutablePointer<MarketState>) {
        let outcome = market.pointee.table.pointee.offer(
            market.pointee.words, count: market.pointee.messages, from: self.seat,
            at: self.hot.pointee.now.monotonic)
        if let outcome {
            self.changed(index, market, values: outcome.values, previousTrust: outcome.previousTrust)
        }
    }

    private func changed(
        _ index: Int, _ market: UnsafeMutablePointer<MarketState>, values: Bool, previousTrust: Trust?
    ) {
        if !market.pointee.valuesDirty, market.pointee.trustBefore == nil { self.hot.pointee.dirty.append(index) }
        if values { market.pointee.valuesDirty = true }
        if let previousTrust, market.pointee.trustBefore == nil { market.pointee.trustBefore = previousTrust }
        if self.hot.pointee.reportsEveryChange {
            self.delegate?.marketChanged(market.pointee.slot, valuesChanged: values, previousTrust: previousTrust)
        }
    }

    /// Offers another trust without touching the values.
    private func setTrust(_ trust: Trust, of index: Int) {
        guard let market = self.hot.pointee.markets[index], market.pointee.words.sequence > 0 else { return }
        guard market.pointee.words.trust != trust else { return }
        market.pointee.words.setTrust(trust)
        market.pointee.words.sequence &+= 1
        self.offer(index, market)
    }

    /// Recomputes a market's trust from its phase and what contradicts it.
    func refreshTrust(of index: Int) {
        guard let market = self.hot.pointee.markets[index] else { return }
        if market.pointee.phase == .trading, let reason = market.pointee.lost {
            return self.setTrust(.stale(since: market.pointee.words.receiveTime, reason: reason), of: index)
        }
        self.setTrust(market.pointee.trust, of: index)
    }

    private func reportEntry(_ index: Int, _ type: StaticString, at time: Timestamp) {
        guard let asset = self.hot.pointee.assets[index] else { return }
        self.delegate?.entryApplied(
            asset.pointee.id, eventType: type, at: time, bestBid: asset.pointee.book.bestBid?.price,
            bestAsk: asset.pointee.book.bestAsk?.price)
    }

    // MARK: Tokens without discovery

    /// Finds or makes the market of a token that was named without one. The first named token of two is YES.
    private func adopt(_ index: Int, market text: WireText?) {
        guard let asset = self.hot.pointee.assets[index] else { return }
        let id = MarketID(text?.string ?? asset.pointee.id.rawValue)
        let members =
            (self.bareMarkets[id].flatMap { self.hot.pointee.markets[$0]?.pointee.slot.market.assets } ?? []) + [
                asset.pointee.id
            ]
        let ordered = members.sorted { a, b in self.order(of: a) < self.order(of: b) }
        let slot = self.board.add(
            Market(
                id: id, slug: "", yes: Outcome(label: "Yes", asset: ordered[0]),
                no: ordered.count > 1 ? Outcome(label: "No", asset: ordered[1]) : nil))
        let place: Int
        if let existing = self.bareMarkets[id], let state = self.hot.pointee.markets[existing] {
            place = existing
            if state.pointee.slot !== slot {
                var renewed = self.state(for: slot)
                renewed.newestTime = state.pointee.newestTime
                renewed.listed = state.pointee.listed
                renewed.phase = state.pointee.phase
                renewed.hashes = state.pointee.hashes
                self.arbiter.leave(state.pointee.table, seat: self.seat)
                state.pointee = renewed
            }
        } else {
            place = self.place(self.state(for: slot))
            self.bareMarkets[id] = place
        }
        // Another line may have learnt of the pair before: then both are known at once.
        for (token, side) in [(Optional(slot.market.yes.asset), Side.yes), (slot.market.no?.asset, .no)] {
            if let token, self.hot.pointee.table.find(token) >= 0 { self.attach(token, to: place, side: side) }
        }
    }

    private func order(of asset: AssetID) -> Int { self.bareAssets.firstIndex(of: asset) ?? Int.max }
}
