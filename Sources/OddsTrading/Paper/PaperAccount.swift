public import OddsCore

/// Shares of one side of a market.
public struct Position: Hashable, Sendable, Codable {
    /// The market.
    public let market: MarketID
    /// The side.
    public let side: Side
    /// How many shares.
    public internal(set) var size: Size
    /// What they cost, without fees.
    public internal(set) var cost: Money
    /// The fees paid on them.
    public internal(set) var fees: Money
}

/// The state of a paper account. It follows from its starting cash and the broker's events alone: replaying them gives the
/// identical state, so either can be stored.
///
/// At every moment, to the micro-dollar, `cash` + what the open positions cost = `startingCash` + `profit` − `fees`.
public struct PaperAccount: Hashable, Sendable, Codable {
    /// What it began with.
    public let startingCash: Money
    /// What is left in cash, orders on their way included.
    public private(set) var cash: Money
    /// The orders on their way, in the order they were accepted.
    public private(set) var orders: [Order] = []
    /// What is held, in the order it was first bought.
    public private(set) var positions: [Position] = []
    /// All fees paid.
    public private(set) var fees = Money.zero
    /// What settled positions paid over what they cost, before fees.
    public private(set) var profit = Money.zero
    /// How many positions were settled.
    public private(set) var settledPositions = 0
    /// How many of them won money, after fees.
    public private(set) var hits = 0
    /// How many orders bought something.
    public private(set) var filledOrders = 0
    /// How many orders were rejected, or cancelled without a share bought.
    public private(set) var failedOrders = 0
    /// The highest equity so far.
    public private(set) var peakEquity: Money
    /// The deepest that equity fell below its highest before.
    public private(set) var maximumDrawdown = Money.zero
    /// The last order's name; 0 before the first.
    public private(set) var lastOrder = OrderID(rawValue: 0)

    /// A fresh account.
    public init(startingCash: Money) {
        self.startingCash = startingCash
        self.cash = startingCash
        self.peakEquity = startingCash
    }

    /// The account that a record leads to.
    public init(startingCash: Money, replaying events: some Sequence<ExecutionEvent>) {
        self.init(startingCash: startingCash)
        for event in events { self.apply(event) }
    }

    /// Cash, and what is held at what it cost: it changes with fees and settlements, not with quotes.
    public var equity: Money { self.positions.reduce(self.cash) { $0 + $1.cost } }
    /// What the orders on their way could cost, fees included.
    public var reserved: Money { self.orders.reduce(.zero) { $0 + $1.reserve } }
    /// What a new order may cost.
    public var available: Money { self.cash - self.reserved }
    /// Profit − fees, the fees of open positions included.
    public var netProfit: Money { self.profit - self.fees }
    /// The share of settled positions that won money, after fees, 0 to 1; nil before the first. For people.
    public var hitRate: Double? {
        self.settledPositions == 0 ? nil : Double(self.hits) / Double(self.settledPositions)
    }

    /// Takes in one event of the record.
    public mutating func apply(_ event: ExecutionEvent) {
        switch event {
        case .accepted(let order):
            self.orders.append(order)
            self.lastOrder = Swift.max(self.lastOrder, order.id)
        case .rejected(let order, _):
            self.failedOrders += 1
            self.lastOrder = Swift.max(self.lastOrder, order.id)
        case .cancelled(let id, _, _):
            self.orders.removeAll { $0.id == id }
            self.failedOrders += 1
        case .filled(let execution): self.filled(execution)
        case .settled(let settlement): self.settled(settlement)
        }
        let equity = self.equity
        self.peakEquity = Swift.max(self.peakEquity, equity)
        self.maximumDrawdown = Swift.max(self.maximumDrawdown, self.peakEquity - equity)
    }

    private mutating func filled(_ execution: Execution) {
        self.orders.removeAll { $0.id == execution.order }
        self.filledOrders += 1
        self.cash -= execution.cost + execution.fee
        self.fees += execution.fee
        let index = self.positions.firstIndex { $0.market == execution.market && $0.side == execution.side }
        if let index {
            self.positions[index].size = self.positions[index].size + execution.size
            self.positions[index].cost += execution.cost
            self.positions[index].fees += execution.fee
        } else {
            self.positions.append(
                Position(
                    market: execution.market, side: execution.side, size: execution.size, cost: execution.cost,
                    fees: execution.fee))
        }
    }

    private mutating func settled(_ settlement: Settlement) {
        self.positions.removeAll { $0.market == settlement.market && $0.side == settlement.side }
        self.cash += settlement.payout
        self.profit += settlement.profit
        self.settledPositions += 1
        if settlement.netProfit > .zero { self.hits += 1 }
    }
}
