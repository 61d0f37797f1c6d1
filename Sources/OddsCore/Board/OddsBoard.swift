import Synchronization

/// All markets' slots. Finding a slot takes a short lock that the feed's event loop never takes for a message: it holds
/// its slots itself, and touches the lock only when a market is added or removed.
public final class OddsBoard: Sendable {
    private let slots = Mutex<[MarketID: MarketSlot]>([:])
    private let lastEpoch = Atomic<UInt64>(1)

    /// An empty board.
    public init() {}

    /// The slot of a market; nil when the board has none.
    public func slot(_ id: MarketID) -> MarketSlot? { self.slots.withLock { $0[id] } }

    /// The latest odds of a market; nil when it is not on the board or has no data yet.
    public func currentOdds(_ id: MarketID) -> OddsSnapshot? { self.slot(id)?.read() }

    /// All markets on the board, by their ids.
    public var markets: [Market] {
        self.slots.withLock { $0.values.map(\.market) }.sorted { $0.id.rawValue < $1.id.rawValue }
    }

    /// Makes room for a market. One that is there with these tokens, and perhaps the other of a pair, keeps its slot and
    /// values.
    @discardableResult
    public func add(_ market: Market) -> MarketSlot {
        self.slots.withLock { slots in
            if let slot = slots[market.id], slot.market.has(market.assets) { return slot }
            let slot = MarketSlot(market: market)
            slots[market.id] = slot
            return slot
        }
    }

    /// Takes a market off the board; readers that hold its slot keep its last values.
    ///
    /// A market that comes back later has lost its continuity: it comes back under another epoch.
    public func remove(_ id: MarketID) {
        self.slots.withLock { _ = $0.removeValue(forKey: id) }
        self.advanceEpoch()
    }

    /// The epoch of a market that is new on the board.
    var epoch: UInt64 { self.lastEpoch.load(ordering: .relaxed) }

    /// A new epoch: greater than any before, for any market.
    @discardableResult
    func advanceEpoch() -> UInt64 { self.lastEpoch.add(1, ordering: .relaxed).newValue }
}

extension Market {
    /// Whether these are the market's tokens, in the market's order, or the first known of them.
    fileprivate func has(_ assets: [AssetID]) -> Bool {
        self.assets == assets || (assets.count == 1 && self.assets.contains(assets[0]))
    }
}
