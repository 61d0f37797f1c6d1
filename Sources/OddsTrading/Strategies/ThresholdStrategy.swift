public import OddsCore

/// The part of a market's window in which it may be entered.
public struct EntryWindow: Hashable, Sendable {
    /// How long after the window's start it opens; negative opens before the start. By default at the start.
    public var opensAfterStart: Duration
    /// How long before the window's end it closes. By default 30 seconds.
    public var closesBeforeEnd: Duration

    /// The defaults, or others.
    public init(opensAfterStart: Duration = .zero, closesBeforeEnd: Duration = .seconds(30)) {
        self.opensAfterStart = opensAfterStart
        self.closesBeforeEnd = closesBeforeEnd
    }

    /// Whether the moment is in it. A market without a window can always be entered.
    func admits(_ now: Timestamp, _ window: MarketWindow?) -> Bool {
        guard let window else { return true }
        return now >= window.start.advanced(by: self.opensAfterStart)
            && now < window.end.advanced(by: .zero - self.closesBeforeEnd)
    }
}

/// The strategy of the original specification: buy the side whose odds are at or over a threshold, once per market, and
/// so once per window.
public struct ThresholdStrategy: Strategy, Hashable {
    /// What is compared with the threshold; by default what the website shows.
    public var basis: OddsBasis
    /// The side at or over this is bought; by default 0.70.
    public var threshold: Odds
    /// The most to pay for a share; by default 0.95.
    public var priceCap: Price
    /// What one entry may cost at its limit, without the fee; by default 5 dollars.
    public var stake: Money
    /// How much dearer than the best offer the limit may be, because the book moves until the order is there; by default
    /// 0.02. The limit is never over the cap.
    public var slippage: Price
    /// When a market may be entered.
    public var entry: EntryWindow

    /// The defaults, or others.
    public init(
        basis: OddsBasis = .displayed, threshold: Odds = 0.70, priceCap: Price = 0.95, stake: Money = 5,
        slippage: Price = 0.02, entry: EntryWindow = EntryWindow()
    ) {
        self.basis = basis
        self.threshold = threshold
        self.priceCap = priceCap
        self.stake = stake
        self.slippage = slippage
        self.entry = entry
    }

    /// At most one proposal: for the side with the higher odds, should both be over.
    public mutating func evaluate(_ view: MarketView) -> [Proposal] {
        guard let side = self.signal(view.snapshot) else { return [] }
        if view.hasTraded { return [.pass(side, .alreadyTraded)] }
        guard self.entry.admits(view.now.wall, view.snapshot.market.window) else {
            return [.pass(side, .outsideEntryWindow)]
        }
        guard let ask = view.snapshot.quote(side).ask else { return [.pass(side, .nothingOffered)] }
        guard ask <= self.priceCap else { return [.pass(side, .priceAboveCap)] }
        guard let tick = view.terms.tickSize, tick > .zero else { return [.pass(side, .tickSizeUnknown)] }
        let dearest = Swift.min(ask.rawValue + self.slippage.rawValue, self.priceCap.rawValue)
        let limit = Price(rawValue: dearest - dearest % tick.rawValue)
        let intent = OrderIntent(
            market: view.snapshot.marketID, side: side, limit: limit, size: Lot.affordable(self.stake, at: limit),
            epoch: view.snapshot.epoch)
        return [.buy(intent)]
    }

    private func signal(_ snapshot: OddsSnapshot) -> Side? {
        func over(_ side: Side) -> Odds? {
            snapshot.odds(side, basis: self.basis).flatMap { $0 >= self.threshold ? $0 : nil }
        }
        switch (over(.yes), over(.no)) {
        case (nil, nil): return nil
        case (_?, nil): return .yes
        case (nil, _?): return .no
        case (let yes?, let no?): return no > yes ? .no : .yes
        }
    }
}
