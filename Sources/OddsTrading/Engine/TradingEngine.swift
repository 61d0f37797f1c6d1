import OddsCore

/// The trading loop without the loop: events in, decisions out, the same live, replayed and back-tested.
///
/// Whatever the strategy proposes goes through the risk check, and only from there to a broker. A refusal is told when it
/// is new: while one side of a market keeps being refused for one reason, once, and when two reasons take turns, each at
/// most once a minute. An approved order counts against the limits at once, before the broker has answered. Time alone is
/// no reason to repeat an order that bought nothing: there must be new odds, or new terms.
public struct TradingEngine<Rules: Strategy>: Sendable {
    /// What was told of one side's refusals.
    private struct Told {
        var latest: RefusalReason?
        var times: [RefusalReason: Timestamp] = [:]
    }

    private struct Entry {
        var snapshot: OddsSnapshot?
        var terms: MarketTerms?
        var told: [Side: Told] = [:]
        /// Whether an order was decided on these very odds and terms, and whether it bought nothing.
        var isTried = false
        var isFutile = false
        /// Whether positions in it were paid out: whatever its odds say, it is over.
        var isDecided = false

        /// There is something new to decide on.
        mutating func renew() {
            self.isTried = false
            self.isFutile = false
        }

        /// What the venue demands: what was told, else what follows from the market's discovery.
        func terms(_ market: Market) -> MarketTerms {
            var terms = self.terms ?? MarketTerms(market)
            if self.isDecided { terms.closed = true }
            return terms
        }
    }

    /// What proposes.
    public private(set) var strategy: Rules
    /// What disposes.
    public private(set) var riskCheck: RiskCheck
    /// What is at risk.
    public private(set) var book: RiskBook
    private var markets: [MarketID: Entry] = [:]
    /// What an order may cost, as far as the account goes; nil when nobody said.
    private var funds: Money?

    /// An engine; after a restart with the book of everything that the broker had done before.
    public init(
        strategy: Rules, riskCheck: RiskCheck = RiskCheck(), book: RiskBook = RiskBook()
    ) {
        self.strategy = strategy
        self.riskCheck = riskCheck
        self.book = book
    }

    /// Whether the kill switch is on.
    public var isKilled: Bool { self.riskCheck.isKilled }

    /// The epoch of a market's latest odds; nil when there are none.
    func epoch(of market: MarketID) -> UInt64? { self.markets[market]?.snapshot?.epoch }
    /// A market's readable name; nil when the market is not known.
    func slug(of market: MarketID) -> String? { self.markets[market]?.snapshot?.slug }
    /// What the venue demands in a market: what was told, else what follows from its discovery; nil when nothing is known.
    func terms(of market: MarketID) -> MarketTerms? {
        guard let entry = self.markets[market] else { return nil }
        return entry.snapshot.map { entry.terms($0.market) } ?? entry.terms
    }
    /// The markets that something was told of, and that have not ended.
    var followed: Set<MarketID> { Set(self.markets.keys) }
    /// Says what the account can pay for at the next event.
    mutating func setFunds(_ funds: Money) { self.funds = funds }
    /// A market was decided: nothing is bought in it any more.
    mutating func decided(_ market: MarketID) { self.markets[market]?.isDecided = true }
    /// Sets the kill switch before anything has happened.
    mutating func setKilled(_ isKilled: Bool) { self.riskCheck.isKilled = isKilled }

    /// Takes in one event.
    public mutating func process(_ event: TradingEvent) -> [Decision] {
        switch event {
        case .odds(let snapshot, let now):
            self.change(snapshot.marketID) { $0.snapshot = snapshot }
            return self.evaluate(snapshot.marketID, now)
        case .terms(let market, let terms, let now):
            self.change(market) { $0.terms = terms }
            return self.evaluate(market, now)
        case .intent(let intent, let now): return self.examine(intent, now, isRepeated: false)
        case .execution(let event):
            if let market = self.futileMarket(event), self.markets[market]?.isTried == true {
                self.markets[market]?.isFutile = true
            }
            self.book.apply(event)
            return []
        case .killSwitch(let isOn, _):
            defer { self.riskCheck.isKilled = isOn }
            return isOn && !self.riskCheck.isKilled ? [.cancelOpenOrders] : []
        case .recordable(let isOn, _):
            self.riskCheck.isRecordable = isOn
            return []
        case .clock(let now):
            let markets = self.markets.lazy.filter { !$0.value.isFutile }.map(\.key)
            return markets.sorted { $0.rawValue < $1.rawValue }.flatMap { self.evaluate($0, now) }
        case .marketEnded(let market):
            self.markets[market] = nil
            return []
        }
    }

    private mutating func change(_ market: MarketID, _ step: (inout Entry) -> Void) {
        var entry = self.markets[market] ?? Entry()
        step(&entry)
        entry.renew()
        self.markets[market] = entry
    }

    /// The market of an order that bought nothing; nil when it did, or was taken back.
    private func futileMarket(_ event: ExecutionEvent) -> MarketID? {
        switch event {
        case .cancelled(_, .killSwitch, _), .accepted, .filled, .settled: nil
        case .cancelled(let id, _, _): self.book.market(of: id)
        case .rejected(let order, _): order.market
        }
    }

    private mutating func evaluate(_ market: MarketID, _ now: ReceiveTime) -> [Decision] {
        guard let entry = self.markets[market], let snapshot = entry.snapshot else { return [] }
        let view = MarketView(
            snapshot: snapshot, terms: entry.terms(snapshot.market), hasTraded: self.book.hasTraded(market),
            now: now)
        return self.strategy.evaluate(view).flatMap { proposal in
            switch proposal {
            case .buy(let intent): self.examine(intent, now, isRepeated: true)
            case .pass(let side, let reason):
                self.refuse(
                    Refusal(market: market, side: side, reason: reason, intent: nil, time: now.wall), isRepeated: true)
            }
        }
    }

    private mutating func examine(_ intent: OrderIntent, _ now: ReceiveTime, isRepeated: Bool) -> [Decision] {
        func refusal(_ reason: RefusalReason) -> Refusal {
            Refusal(market: intent.market, side: intent.side, reason: reason, intent: intent, time: now.wall)
        }
        guard let entry = self.markets[intent.market], let snapshot = entry.snapshot else {
            return [.refuse(refusal(.unknownMarket))]
        }
        let verdict = self.riskCheck.examine(
            intent, snapshot: snapshot, terms: entry.terms(snapshot.market), book: self.book, now: now)
        switch verdict {
        case .refused(let reason): return self.refuse(refusal(reason), isRepeated: isRepeated)
        case .approved(let approved, let warning):
            if let funds = self.funds {
                // The broker has the last word; asking here makes a refusal of what would be an order a second.
                guard approved.order.reserve <= funds else {
                    return self.refuse(refusal(.insufficientFunds), isRepeated: isRepeated)
                }
                self.funds = funds - approved.order.reserve
            }
            self.book.approved(approved.order)
            self.markets[intent.market]?.told[intent.side] = nil
            if isRepeated { self.markets[intent.market]?.isTried = true }
            return (warning.map { [.warn($0)] } ?? []) + [.submit(approved)]
        }
    }

    /// A refusal of the strategy's proposals is told when its reason is new.
    private mutating func refuse(_ refusal: Refusal, isRepeated: Bool) -> [Decision] {
        guard isRepeated else { return [.refuse(refusal)] }
        var told = self.markets[refusal.market]?.told[refusal.side] ?? Told()
        guard told.latest != refusal.reason else { return [] }
        // What is not told now is told in a minute, should it still be so.
        if let last = told.times[refusal.reason], Swift.abs(last.milliseconds - refusal.time.milliseconds) < 60_000 {
            return []
        }
        told.latest = refusal.reason
        told.times[refusal.reason] = refusal.time
        self.markets[refusal.market]?.told[refusal.side] = told
        return [.refuse(refusal)]
    }
}
