public import OddsCore

/// The trading loop with its paper broker, in values: what happens goes in, what is to be put on record comes out.
///
/// The same live, replayed and back-tested: it has no clock and asks nobody. Every call returns entries for the record, in
/// order; they are already part of the desk's own state, and whatever is told to others is told only once they are on
/// record. The shell gives each accepted order the book it meets: `fill` at `nextDeadline`.
public struct TradingDesk<Rules: Strategy>: Sendable {
    private var engine: TradingEngine<Rules>
    private var broker: PaperBroker
    private var switches = KillSwitch()
    /// What was done before the desk opened: nothing goes on record before the opening.
    private var early: [JournalEntry] = []
    private var isOpen = false
    /// The readable names of markets with open positions, or with orders on their way.
    private(set) var names: [MarketID: String] = [:]

    /// A desk; after a restart with the whole record of before.
    ///
    /// - Parameters:
    ///   - strategy: what proposes.
    ///   - riskCheck: what disposes.
    ///   - startingCash: what a new account begins with; a record says itself what its account began with.
    ///   - delay: how long an order takes to the venue.
    ///   - record: every entry so far; empty for a new account. Then `begin` comes first.
    public init(
        strategy: Rules, riskCheck: RiskCheck = RiskCheck(), startingCash: Money, delay: Duration = .milliseconds(250),
        record: some Sequence<JournalEntry> = EmptyCollection<JournalEntry>()
    ) {
        var book = RiskBook()
        var account = PaperAccount(startingCash: startingCash)
        for entry in record {
            switch entry {
            case .opened(let cash, _): account = PaperAccount(startingCash: cash)
            case .execution(let event):
                book.apply(event)
                account.apply(event)
                if case .accepted(let order) = event { self.names[order.market] = order.slug }
            case .killSwitch(let isOn, let origin, _): self.switches.manual = isOn ? origin : nil
            case .refused, .warned: break
            }
        }
        self.engine = TradingEngine(strategy: strategy, riskCheck: riskCheck, book: book)
        self.broker = PaperBroker(account: account, delay: delay)
        self.engine.setKilled(riskCheck.isKilled || self.switches.isOn)
        self.forgetNames()
    }

    // MARK: What it is

    /// The money and what it was put into.
    public var account: PaperAccount { self.broker.account }
    /// What open positions have cost and open orders could cost, fees included.
    public var exposure: Money { self.engine.book.exposure }
    /// Whether buying is forbidden, and by whom.
    public var killSwitch: KillSwitch { self.switches }
    /// When the next order gets to the venue; nil when none is on its way.
    public var nextDeadline: MonotonicTime? { self.broker.nextDeadline }
    /// The orders that are at the venue by now, in the order they were accepted.
    public func due(now: MonotonicTime) -> [Order] { self.broker.due(now: now) }
    /// The markets that positions are open in, with their readable names.
    public var openMarkets: [(market: MarketID, slug: String)] {
        var seen: Set<MarketID> = []
        return self.account.positions.filter { seen.insert($0.market).inserted }.map {
            ($0.market, self.names[$0.market] ?? "")
        }
    }
    /// The markets that the desk was told of, until they are forgotten.
    public var markets: Set<MarketID> { self.engine.followed }
    /// What the venue demands in a market, as far as the desk was told.
    public func terms(of market: MarketID) -> MarketTerms? { self.engine.terms(of: market) }

    // MARK: Life

    /// The desk opens: a new account is put on record, orders that were on their way when an earlier run ended are
    /// cancelled, and how the kill switch was turned before is told.
    public mutating func begin(isNew: Bool, now: ReceiveTime) -> [JournalEntry] {
        let opening: [JournalEntry] = isNew ? [.opened(startingCash: self.account.startingCash, at: now.wall)] : []
        defer {
            self.isOpen = true
            self.early = []
        }
        return opening + self.early + self.take(self.broker.restarted(now: now))
    }

    /// The desk closes: orders on their way are cancelled.
    public mutating func end(now: ReceiveTime) -> [JournalEntry] {
        self.take(self.broker.cancelAll(.stopped, now: now))
    }

    // MARK: What happens

    /// A market's values, trust or epoch changed.
    public mutating func observe(_ snapshot: OddsSnapshot, now: ReceiveTime) -> [JournalEntry] {
        self.decide(.odds(snapshot, now: now), now)
    }

    /// What the venue demands in a market is known, or has changed.
    public mutating func observe(_ terms: MarketTerms, of market: MarketID, now: ReceiveTime) -> [JournalEntry] {
        self.decide(.terms(market, terms, now: now), now)
    }

    /// Time passed: called once a second or so. Orders that met no book within ten seconds are given up.
    public mutating func tick(now: ReceiveTime) -> [JournalEntry] {
        self.take(self.broker.giveUp(now: now)) + self.decide(.clock(now: now), now)
    }

    /// Somebody beside the strategy wants to buy.
    public mutating func order(_ intent: OrderIntent, now: ReceiveTime) -> [JournalEntry] {
        self.decide(.intent(intent, now: now), now)
    }

    /// The kill switch is turned by hand. Before the desk has opened it holds at once, and is told by `begin`.
    public mutating func setKillSwitch(_ isOn: Bool, by origin: KillOrigin, now: ReceiveTime) -> [JournalEntry] {
        let before = self.switches.manual
        self.switches.manual = isOn ? before ?? origin : nil
        let told: [JournalEntry] =
            before == self.switches.manual ? [] : [.killSwitch(isOn: isOn, by: origin, at: now.wall)]
        return self.whenOpen(told + self.heedSwitches(now))
    }

    /// The kill file appeared, or is gone.
    public mutating func setKillFile(present: Bool, now: ReceiveTime) -> [JournalEntry] {
        self.switches.isFilePresent = present
        return self.whenOpen(self.heedSwitches(now))
    }

    private mutating func whenOpen(_ entries: [JournalEntry]) -> [JournalEntry] {
        if self.isOpen { return entries }
        self.early += entries
        return []
    }

    private mutating func heedSwitches(_ now: ReceiveTime) -> [JournalEntry] {
        self.decide(.killSwitch(isOn: self.switches.isOn, now: now), now)
    }

    /// Whether the record can be written; while it cannot, nothing is bought.
    public mutating func setRecordable(_ isRecordable: Bool, now: ReceiveTime) {
        _ = self.engine.process(.recordable(isRecordable, now: now))
    }

    /// The orders for one token that are due meet its book. A token without a book has no offers.
    public mutating func fill(_ book: PaperBook, now: ReceiveTime) -> [JournalEntry] {
        self.take(self.broker.fill(book, now: now))
    }

    /// A market is decided: nothing is bought in it any more, orders on their way are cancelled, positions are paid out.
    /// `winner` nil splits the payout.
    public mutating func settle(
        _ market: MarketID, winner: Side?, source: ResolutionSource, now: ReceiveTime
    ) -> [JournalEntry] {
        self.engine.decided(market)
        return self.take(self.broker.settle(market, winner: winner, source: source, now: now))
    }

    /// A market is followed no more. What is held in it is settled all the same, later.
    public mutating func forget(_ market: MarketID) { _ = self.engine.process(.marketEnded(market)) }

    // MARK: Acting

    private mutating func decide(_ event: TradingEvent, _ now: ReceiveTime) -> [JournalEntry] {
        self.engine.setFunds(self.account.available)
        var entries: [JournalEntry] = []
        for decision in self.engine.process(event) {
            switch decision {
            case .submit(let approved):
                let epoch = self.engine.epoch(of: approved.order.market) ?? approved.order.epoch
                self.names[approved.order.market] = approved.order.slug
                entries += self.take(self.broker.submit(approved, epoch: epoch, now: now))
            case .cancelOpenOrders: entries += self.take(self.broker.cancelAll(.killSwitch, now: now))
            case .refuse(let refusal):
                entries.append(.refused(refusal: refusal, slug: self.engine.slug(of: refusal.market) ?? ""))
            case .warn(let warning): entries.append(.warned(warning: TradeWarning(warning, now.wall)))
            }
        }
        return entries
    }

    private mutating func take(_ events: [ExecutionEvent]) -> [JournalEntry] {
        for event in events { _ = self.engine.process(.execution(event)) }
        if events.contains(where: \.endsSomething) { self.forgetNames() }
        return events.map { .execution(event: $0) }
    }

    private mutating func forgetNames() {
        let held = Set(self.account.positions.map(\.market) + self.account.orders.map(\.market))
        self.names = self.names.filter { held.contains($0.key) }
    }
}

extension ExecutionEvent {
    /// Whether an order or a position may be gone with it.
    fileprivate var endsSomething: Bool {
        switch self {
        case .accepted, .filled: false
        case .rejected, .cancelled, .settled: true
        }
    }
}
