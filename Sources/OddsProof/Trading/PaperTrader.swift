public import OddsCore
public import OddsTrading
public import RealtimeOdds
internal import Synchronization

/// Trades on paper inline with a feed: a desk that hears every change where it is made, live, in a replay or in virtual
/// time.
///
/// Decides as the program's trading loop does on the same news: each change at the moment it was published, once a second
/// what time alone changes, each accepted order against the book that is there when its delay is over, payouts by the
/// venue's word. It has no clock: time passes with what the feed tells, so that a replay gives the same entries each time.
/// Nothing is written to a disk, and there is no kill switch: whoever wants them has the entries.
public final class PaperTrader<Rules: Strategy>: MarketObserver {
    /// How it trades.
    public struct Setup: Sendable {
        /// What proposes.
        public var strategy: Rules
        /// What disposes.
        public var riskCheck: RiskCheck
        /// What the account begins with; by default 1,000 dollars.
        public var startingCash: Money
        /// How long an order takes to the venue; by default 250 ms.
        public var delay: Duration
        /// Whether markets that only the feed is known of are bought with the usual price step; by default not, as live.
        public var usualTermsWhereUnknown = false
        /// How markets ended that the feed does not tell of; by default nothing is known.
        public var outcomes = KnownOutcomes()

        /// A setup from its parts.
        public init(
            strategy: Rules, riskCheck: RiskCheck = RiskCheck(), startingCash: Money = 1000,
            delay: Duration = .milliseconds(250)
        ) {
            self.strategy = strategy
            self.riskCheck = riskCheck
            self.startingCash = startingCash
            self.delay = delay
        }
    }

    private struct State {
        var session: TradingSession<Rules>
        var ledger = TradeLedger(capacity: .max)
        var entries: [JournalEntry] = []
        /// Markets that ended, and when; forgotten a little later, should they not come back.
        var ended: [MarketID: MonotonicTime] = [:]
        var lastTick: MonotonicTime?
        var isOpen = false
        var isClosed = false
    }

    private let state: Mutex<State>
    private let reader = Mutex<(any FeedReader)?>(nil)
    private let outcomes: KnownOutcomes
    private let keepsEntries: Bool
    private let told: (@Sendable ([JournalEntry], ReceiveTime) -> Void)?

    /// How long a market is remembered that has ended: its last publications come then.
    private static var memory: Duration { .seconds(5) }
    /// How often time alone is a reason to look.
    private static var pause: Duration { .seconds(1) }

    /// A trader with a new account, which opens with the first thing that it hears.
    ///
    /// - Parameters:
    ///   - keepsEntries: whether `entries` holds everything; a long run without a reader of them needs no such list.
    ///   - told: gets the entries of each step, if any, in order, where the feed calls.
    public init(
        _ setup: Setup, keepsEntries: Bool = true,
        told: (@Sendable ([JournalEntry], ReceiveTime) -> Void)? = nil
    ) {
        let desk = TradingDesk(
            strategy: setup.strategy, riskCheck: setup.riskCheck, startingCash: setup.startingCash, delay: setup.delay)
        self.state = Mutex(
            State(
                session: TradingSession(
                    desk, delay: setup.delay, usualTermsWhereUnknown: setup.usualTermsWhereUnknown)))
        self.outcomes = setup.outcomes
        self.keepsEntries = keepsEntries
        self.told = told
    }

    // MARK: Reading

    /// Everything that was put on record, in order.
    public var entries: [JournalEntry] { self.state.withLock { $0.entries } }
    /// The orders and what became of them, the newest first.
    public var trades: [TradeRecord] { self.state.withLock { $0.ledger.trades } }
    /// What was not bought and why, the newest first.
    public var refusals: [RefusalRecord] { self.state.withLock { $0.ledger.refusals } }
    /// The money and what it was put into.
    public var account: PaperAccount { self.state.withLock { $0.session.desk.account } }
    /// What open positions have cost and open orders could cost, fees included.
    public var exposure: Money { self.state.withLock { $0.session.desk.exposure } }
    /// The account as it is told.
    public var record: AccountRecord {
        self.state.withLock {
            AccountRecord(
                $0.session.desk.account, exposure: $0.session.desk.exposure, killSwitch: $0.session.desk.killSwitch)
        }
    }
    /// When the next order gets to the venue; nil when none is on its way.
    public var nextArrival: MonotonicTime? { self.state.withLock { $0.session.desk.nextDeadline } }
    /// The markets that positions are open in, with their readable names.
    public var openMarkets: [(market: MarketID, slug: String)] { self.state.withLock { $0.session.desk.openMarkets } }

    // MARK: Hearing

    /// Learns whom to ask for books.
    public func attached(to reader: any FeedReader) { self.reader.withLock { $0 = reader } }

    /// A market's values, trust or epoch changed.
    public func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        self.step(now) { state, now in
            // The last word on a market that is over does not bring it back.
            if snapshot.trust != .closed { state.ended[snapshot.marketID] = nil }
            return state.session.observe(snapshot, now: now)
        }
    }

    /// Time passed.
    public func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {
        self.step(now) { _, _ in [] }
    }

    /// Time passed.
    public func traded(_ trade: Trade, of market: Market, at now: ReceiveTime) { self.step(now) { _, _ in [] } }

    /// A market is over, or is followed no more.
    public func ended(_ market: Market, at now: ReceiveTime) {
        self.step(now) { state, now in
            state.ended[market.id] = now.monotonic
            return []
        }
    }

    /// A market is decided: positions are paid out.
    public func resolved(_ resolution: Resolution, at now: ReceiveTime) {
        self.step(now) { state, now in state.session.resolved(resolution, now: now) }
    }

    /// Time passed, without anything that the feed tells: for who has a clock and a feed that may be silent.
    public func tick(now: ReceiveTime) {
        self.step(now) { state, now in
            state.lastTick == now.monotonic ? [] : self.tick(&state, now)
        }
    }

    /// The run is over: orders on their way are cancelled, and what is known of outcomes settles the rest.
    public func end(now: ReceiveTime) {
        self.step(now) { state, now in
            state.isClosed = true
            let cancelled = state.session.desk.end(now: now)
            return cancelled + self.settle(&state, now, isLast: true)
        }
    }

    // MARK: Acting

    private func step(_ now: ReceiveTime, _ body: (inout State, ReceiveTime) -> [JournalEntry]) {
        let (entries, delay) = self.state.withLock { state in
            guard !state.isClosed else { return ([JournalEntry](), Duration.zero) }
            var entries: [JournalEntry] = []
            if !state.isOpen {
                state.isOpen = true
                state.lastTick = now.monotonic
                entries += state.session.desk.begin(isNew: true, now: now)
            } else if let last = state.lastTick, last.duration(to: now.monotonic) >= Self.pause {
                entries += self.tick(&state, now)
            }
            entries += body(&state, now)
            self.keep(entries, &state)
            return (entries, state.session.delay)
        }
        self.handOver(entries, now, delay)
    }

    private func keep(_ entries: [JournalEntry], _ state: inout State) {
        for entry in entries { _ = state.ledger.apply(entry) }
        if self.keepsEntries { state.entries += entries }
    }

    /// Outside of the lock: a reader may answer at once.
    private func handOver(_ entries: [JournalEntry], _ now: ReceiveTime, _ delay: Duration) {
        guard !entries.isEmpty else { return }
        self.told?(entries, now)
        let orders = entries.accepted
        guard !orders.isEmpty else { return }
        let reader = self.reader.withLock { $0 }
        for order in orders {
            guard let reader else {
                self.meet(order, nil, now)
                continue
            }
            reader.depth(of: order.asset, at: order.decidedInstant.advanced(by: delay)) { [weak self] depth, time in
                self?.meet(order, depth, time)
            }
        }
    }

    private func meet(_ order: Order, _ depth: TokenDepth?, _ time: ReceiveTime) {
        self.step(time) { state, time in state.session.meet(order, depth: depth, at: time) }
    }

    private func tick(_ state: inout State, _ now: ReceiveTime) -> [JournalEntry] {
        state.lastTick = now.monotonic
        for (market, time) in state.ended where time.duration(to: now.monotonic) >= Self.memory {
            state.ended[market] = nil
            state.session.forget(market)
        }
        return self.settle(&state, now, isLast: false) + state.session.desk.tick(now: now)
    }

    private func settle(_ state: inout State, _ now: ReceiveTime, isLast: Bool) -> [JournalEntry] {
        guard !self.outcomes.isEmpty else { return [] }
        var entries: [JournalEntry] = []
        for (market, _) in state.session.desk.openMarkets {
            guard let outcome = self.outcomes[market], isLast || outcome.isKnown(by: now.wall) else { continue }
            // What is known only after the end of the run is paid out when it is.
            let later = Swift.max(.zero, now.wall.duration(to: outcome.known ?? now.wall))
            let time = ReceiveTime(
                monotonic: now.monotonic.advanced(by: later),
                unixNanoseconds: now.unixNanoseconds &+ later.wholeNanoseconds)
            entries += state.session.desk.settle(market, winner: outcome.winner, source: .gamma, now: time)
        }
        return entries
    }
}
