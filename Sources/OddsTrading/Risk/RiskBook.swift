public import OddsCore

/// What is at risk, what was lost today and what was ordered lately: the side of the account that limits look at.
///
/// Follows from the broker's events alone, so that it is the same after a restart.
public struct RiskBook: Hashable, Sendable, Codable {
    private struct Day: Hashable, Sendable, Codable {
        var day: Int64
        var profit: Money
    }

    private var pending: [OrderID: Order] = [:]
    private var atRisk: [MarketID: Money] = [:]
    /// When a market was last bought; forgotten after a day, when it is settled.
    private var traded: [MarketID: Timestamp] = [:]
    /// The day of the last purchase.
    private var lastDay: Int64 = .min
    /// What was won and lost on the days that something was settled on, in the order in which they came up. More than one,
    /// because a clock that is set back must neither forgive a loss nor carry it over to another day.
    private var days: [Day] = []
    private var recent: [Timestamp] = []
    /// For so many days it is known what was lost on them.
    private static let memory = 8
    /// The last order's name; 0 before the first.
    public private(set) var lastOrder = OrderID(rawValue: 0)

    /// A book in which nothing happened.
    public init() {}

    /// The book that a broker's whole record leads to.
    public init(replaying events: some Sequence<ExecutionEvent>) {
        for event in events { self.apply(event) }
    }

    /// What open positions have cost and open orders could cost, fees included.
    public var exposure: Money {
        self.atRisk.values.reduce(self.pending.values.reduce(.zero) { $0 + $1.reserve }, +)
    }

    /// How many orders are on their way.
    public var openOrders: Int { self.pending.count }

    /// The market of an order on its way; nil when there is none of that name.
    func market(of order: OrderID) -> MarketID? { self.pending[order]?.market }

    /// Whether the market was bought, or an order for it is on its way. A market that is settled is known for a day at least.
    public func hasTraded(_ market: MarketID) -> Bool {
        self.traded[market] != nil || self.atRisk[market] != nil || self.pending.values.contains { $0.market == market }
    }

    /// What was lost on the day of `now` with positions settled on it, gains of the day taken off; zero when more was won than
    /// lost. Days that a clock was set back from, or forward to, are days of their own; the last eight are known.
    public func loss(on now: Timestamp) -> Money {
        let day = Self.day(now)
        return Swift.max(.zero, .zero - (self.days.first { $0.day == day }?.profit ?? .zero))
    }

    /// How many orders were decided in the 60 seconds up to `now`; also those stamped later by a clock since set back, for
    /// as long.
    public func orders(inMinuteBefore now: Timestamp) -> Int {
        self.recent.count { Swift.abs($0.milliseconds - now.milliseconds) < 60_000 }
    }

    private static func day(_ time: Timestamp) -> Int64 { time.milliseconds.flooredQuotient(86_400_000) }

    // MARK: Events

    /// An order was approved; the broker has not answered.
    mutating func approved(_ order: Order) {
        guard order.id > self.lastOrder else { return }
        self.lastOrder = order.id
        self.pending[order.id] = order
        self.recent.removeAll { Swift.abs($0.milliseconds - order.decidedAt.milliseconds) >= 60_000 }
        self.recent.append(order.decidedAt)
    }

    /// The broker did something.
    public mutating func apply(_ event: ExecutionEvent) {
        switch event {
        case .accepted(let order): self.approved(order)
        case .rejected(_, .duplicateOrder): break  // the first of that number may be on its way still
        case .rejected(let order, _):
            self.approved(order)
            self.pending[order.id] = nil
        case .cancelled(let id, _, _): self.pending[id] = nil
        case .filled(let execution):
            self.pending[execution.order] = nil
            self.atRisk[execution.market, default: .zero] += execution.cost + execution.fee
            self.bought(execution.market, at: execution.time)
        case .settled(let settlement): self.settled(settlement)
        }
    }

    private mutating func settled(_ settlement: Settlement) {
        let rest = (self.atRisk[settlement.market] ?? .zero) - settlement.cost - settlement.fees
        self.atRisk[settlement.market] = rest > .zero ? rest : nil
        let day = Self.day(settlement.time)
        if let index = self.days.firstIndex(where: { $0.day == day }) {
            self.days[index].profit += settlement.netProfit
        } else {
            self.days.append(Day(day: day, profit: settlement.netProfit))
            if self.days.count > Self.memory { self.days.removeFirst() }
        }
    }

    private mutating func bought(_ market: MarketID, at time: Timestamp) {
        let day = Self.day(time)
        if day != self.lastDay {
            self.lastDay = day
            self.traded = self.traded.filter { Self.day($0.value) >= day - 1 }
        }
        self.traded[market] = time
    }
}
