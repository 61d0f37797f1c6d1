/// What the ladder from silence to proof sees of the books, and does to them.
extension FeedBooks {
    /// Shows every market to the ladder: its slot, its phase and what these books have of it. The sight's line is the seat.
    public func look(isUp: Bool, _ body: (MarketSlot, MarketPhase, MarketLiveness.Sight) -> Void) {
        for index in self.marketIndices {
            guard let market = self.market(at: index) else { continue }
            // A frozen market that has caught up on a new connection is believed again from here on.
            if market.pointee.suspicion.contains(.frozen), !self.isResyncing(market) {
                market.pointee.thaw()
                self.refreshTrust(of: index)
            }
            body(market.pointee.slot, market.pointee.phase, self.sight(of: market, isUp: isUp))
        }
    }

    private func sight(of market: UnsafeMutablePointer<MarketState>, isUp: Bool) -> MarketLiveness.Sight {
        var newest: Timestamp?
        var complete: Timestamp?
        var snapshots = 0
        var isWhole = true
        for side in [market.pointee.yes, market.pointee.no] where side >= 0 {
            guard let asset = self.asset(at: side) else { continue }
            snapshots += asset.pointee.snapshots
            guard asset.pointee.book.hasSnapshot else {
                isWhole = false
                continue
            }
            let time = asset.pointee.book.lastTime
            newest = newest.map { max($0, time) } ?? time
            complete = complete.map { min($0, time) } ?? time
        }
        return MarketLiveness.Sight(
            line: self.seat, isUp: isUp,
            isTrusted: isWhole && market.pointee.lost == nil && market.pointee.words.sequence > 0
                && market.pointee.words.trust == .live,
            newest: isWhole ? newest : nil, complete: isWhole ? complete : nil, snapshots: snapshots)
    }

    /// Whether the book here has exactly the levels that the witness gives; false when there is none.
    public func matches(_ book: RESTBook) -> Bool {
        guard let own = self.levels(of: book.asset) else { return false }
        return own.bids == book.bids && own.asks.reversed() == book.asks
    }

    /// The exchange is known to have something newer: until the books have caught up with that stamp they are `stale`.
    public func distrust(_ id: MarketID, until stamp: Timestamp) {
        self.withMarket(id) { index, market in
            if !market.pointee.suspicion.contains(.frozen) {
                market.pointee.suspicion.insert(.frozen)
                market.pointee.frozenSince = market.pointee.words.receiveTime
            }
            market.pointee.frozenUntil = max(market.pointee.frozenUntil, stamp)
            self.requestResync(of: market, reason: .resynchronising)
            self.refreshTrust(of: index)
        }
    }

    /// The witness has the very same books: whatever was suspected is settled.
    public func confirm(_ id: MarketID) {
        self.withMarket(id) { index, market in
            guard !market.pointee.suspicion.isEmpty else { return }
            market.pointee.suspicion = []
            market.pointee.frozenUntil = Timestamp(milliseconds: .min)
            self.refreshTrust(of: index)
        }
    }

    /// Whether nobody can explain the market's silence.
    public func setSilent(_ isSilent: Bool, _ id: MarketID) {
        self.withMarket(id) { index, market in
            if isSilent { market.pointee.suspicion.insert(.silent) } else { market.pointee.suspicion.remove(.silent) }
            self.refreshTrust(of: index)
        }
    }

    /// Forgets every market; what is on the board stays there.
    public func removeAll() {
        for index in self.marketIndices {
            if let market = self.market(at: index) { self.remove(market.pointee.slot.market) }
        }
    }

    /// Asks for fresh books, to confirm what is there. Nothing is doubted meanwhile.
    public func refresh(_ id: MarketID) {
        self.withMarket(id) { _, market in self.requestResync(of: market, reason: .silent) }
    }
}
