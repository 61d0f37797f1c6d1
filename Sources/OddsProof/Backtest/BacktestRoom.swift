import OddsCore
import OddsTrading
import RealtimeOdds
import Synchronization

/// Many desks that hear one replay.
final class BacktestRoom<Rules: Strategy>: MarketObserver {
    /// What was heard, whoever trades on it: the same for every room of a back-test.
    struct Heard: Sendable {
        var first: ReceiveTime?
        var last: ReceiveTime?
        var publications = 0
        var markets: [MarketID: Market] = [:]
        var resolved: Set<MarketID> = []
    }

    private struct State {
        var heard = Heard()
        /// The best bid of each side, by the last publication.
        var bids: [MarketID: Bids] = [:]
        var marked: MonotonicTime?
    }

    /// What each side of a market could be sold for, a share; nil when nobody bids.
    struct Bids: Sendable {
        var yes: Price?
        var no: Price?
    }

    let desks: [BacktestDesk<Rules>]
    private let state = Mutex(State())

    init(_ setups: [PaperTrader<Rules>.Setup]) { self.desks = setups.map { BacktestDesk($0) } }

    var heard: Heard { self.state.withLock { $0.heard } }

    // MARK: Hearing

    func attached(to reader: any FeedReader) { for desk in self.desks { desk.trader.attached(to: reader) } }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        self.state.withLock { state in
            state.heard.publications += 1
            state.heard.markets[snapshot.marketID] = snapshot.market
            state.bids[snapshot.marketID] = Bids(yes: snapshot.yes.bid, no: snapshot.no.bid)
        }
        for desk in self.desks { desk.trader.published(snapshot, at: now) }
        self.passed(now)
    }

    func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {
        for desk in self.desks { desk.trader.sampled(microstructure, of: market, at: now) }
        self.passed(now)
    }

    func traded(_ trade: Trade, of market: Market, at now: ReceiveTime) {
        for desk in self.desks { desk.trader.traded(trade, of: market, at: now) }
        self.passed(now)
    }

    func ended(_ market: Market, at now: ReceiveTime) {
        for desk in self.desks { desk.trader.ended(market, at: now) }
        self.passed(now)
    }

    func resolved(_ resolution: Resolution, at now: ReceiveTime) {
        self.state.withLock { state in
            guard resolution.winner != nil || resolution.source == .gamma else { return }
            state.heard.resolved.insert(resolution.market.id)
        }
        for desk in self.desks { desk.trader.resolved(resolution, at: now) }
        self.passed(now)
    }

    /// Values what is held, once a second.
    private func passed(_ now: ReceiveTime) {
        let bids = self.state.withLock { state -> [MarketID: Bids]? in
            if state.heard.first == nil { state.heard.first = now }
            state.heard.last = now
            if let last = state.marked, last.duration(to: now.monotonic) < .seconds(1) { return nil }
            state.marked = now.monotonic
            return state.bids
        }
        guard let bids else { return }
        for desk in self.desks { desk.mark(bids, now: now) }
    }

    /// There is nothing more to hear.
    func end() {
        let (last, bids) = self.state.withLock { ($0.heard.last, $0.bids) }
        guard let last else { return }
        for desk in self.desks {
            desk.trader.end(now: last)
            desk.mark(bids, now: last)
        }
    }
}

/// One desk of a back-test and its figures.
final class BacktestDesk<Rules: Strategy>: Sendable {
    let trader: PaperTrader<Rules>
    private let meter: Meter

    /// What is counted while the desk trades.
    struct Counts: Sendable {
        var refusals: [String: Int] = [:]
        var failures: [String: Int] = [:]
        var equity = EquityCurve()
        var exposure = ExposureGauge()
    }

    private final class Meter: Sendable {
        let counts = Mutex((counts: Counts(), isChanged: true))

        func heard(_ entries: [JournalEntry]) {
            self.counts.withLock { state in
                state.isChanged = true
                for entry in entries {
                    switch entry {
                    case .refused(let refusal, _): state.counts.refusals[refusal.reason.rawValue, default: 0] += 1
                    case .execution(.rejected(_, let reason)), .execution(.cancelled(_, let reason, _)):
                        state.counts.failures[reason.rawValue, default: 0] += 1
                    case .execution, .opened, .warned, .killSwitch: break
                    }
                }
            }
        }
    }

    init(_ setup: PaperTrader<Rules>.Setup) {
        let meter = Meter()
        self.meter = meter
        self.trader = PaperTrader(setup, keepsEntries: false) { entries, _ in meter.heard(entries) }
    }

    var counts: Counts { self.meter.counts.withLock { $0.counts } }

    /// Values what is held at what it could be sold for.
    func mark(_ bids: [MarketID: BacktestRoom<Rules>.Bids], now: ReceiveTime) {
        let isQuiet = self.meter.counts.withLock { state in
            !state.isChanged && !state.counts.exposure.isAtRisk
        }
        guard !isQuiet else { return self.meter.counts.withLock { $0.counts.exposure.passed(now.monotonic) } }
        let account = self.trader.account
        let marked = account.positions.reduce(account.cash) { $0 + Self.value(of: $1, bids) }
        let exposure = self.trader.exposure
        self.meter.counts.withLock { state in
            state.isChanged = false
            state.counts.exposure.add(exposure, now.monotonic)
            state.counts.equity.add(
                EquityPoint(time: now.wall, cost: account.equity.doubleValue, marked: marked.doubleValue),
                starting: account.startingCash.doubleValue)
        }
    }

    /// What a position could be sold for at the best bid, fees and the book's depth left out; nothing when nobody bids.
    static func value(of position: Position, _ bids: [MarketID: BacktestRoom<Rules>.Bids]) -> Money {
        let bid = bids[position.market].flatMap { position.side == .yes ? $0.yes : $0.no }
        return .cost(of: position.size, at: bid ?? .zero)
    }

    /// What is held at the end.
    func unsettled(_ bids: (MarketID) -> BacktestRoom<Rules>.Bids?) -> [BacktestReport.Unsettled] {
        let names = Dictionary(self.trader.openMarkets.map { ($0.market, $0.slug) }) { first, _ in first }
        return self.trader.account.positions.map { position in
            let bid = bids(position.market).flatMap { position.side == .yes ? $0.yes : $0.no }
            return BacktestReport.Unsettled(
                market: position.market, slug: names[position.market] ?? "", side: position.side,
                shares: position.size.doubleValue, cost: position.cost.doubleValue, fees: position.fees.doubleValue,
                value: Money.cost(of: position.size, at: bid ?? .zero).doubleValue)
        }
    }
}

extension BacktestRoom {
    /// What each side of a market could be sold for at the end.
    func bids(of market: MarketID) -> Bids? { self.state.withLock { $0.bids[market] } }
}

/// What was at risk, over time.
struct ExposureGauge: Sendable {
    private var last: (time: MonotonicTime, exposure: Money)?
    private var seconds = 0.0
    private var dollarSeconds = 0.0
    /// The most.
    private(set) var maximum = Money.zero

    var isAtRisk: Bool { (self.last?.exposure ?? .zero) > .zero }
    /// By time; nil before time passed.
    var mean: Double? { self.seconds > 0 ? self.dollarSeconds / self.seconds : nil }

    mutating func passed(_ now: MonotonicTime) { self.add(self.last?.exposure ?? .zero, now) }

    mutating func add(_ exposure: Money, _ now: MonotonicTime) {
        if let last = self.last {
            let passed = last.time.duration(to: now).secondsValue
            self.seconds += passed
            self.dollarSeconds += passed * last.exposure.doubleValue
        }
        self.last = (now, exposure)
        self.maximum = Swift.max(self.maximum, exposure)
    }
}

/// Equity over time, with as many points as a picture needs; drawdowns are of all of them.
struct EquityCurve: Sendable {
    private(set) var points: [EquityPoint] = []
    private var peak: Double?
    /// The deepest that marked equity fell below its highest before.
    private(set) var markedDrawdown = 0.0
    /// The last point, which may be too near to the one before to be kept.
    private var latest: EquityPoint?
    private var pause: Int64 = 0

    static let capacity = 1000

    mutating func add(_ point: EquityPoint, starting: Double) {
        let peak = Swift.max(self.peak ?? starting, point.marked)
        self.peak = peak
        self.markedDrawdown = Swift.max(self.markedDrawdown, peak - point.marked)
        self.latest = point
        if let last = self.points.last, point.time.milliseconds - last.time.milliseconds < self.pause { return }
        self.points.append(point)
        guard self.points.count > Self.capacity else { return }
        // Every second one: twice the time between them from now on.
        let first = self.points[0].time.milliseconds
        self.points = self.points.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
        self.pause = Swift.max(
            self.pause * 2, (point.time.milliseconds - first) / Int64(Self.capacity / 2))
    }

    /// The points, the last one included.
    var whole: [EquityPoint] {
        guard let latest, latest.time != self.points.last?.time else { return self.points }
        return self.points + [latest]
    }
}
