import OddsCore
import OddsTrading

/// Goes through a trading record with books of its own: it shares no sum with the code that keeps the account.
struct TradeAudit {
    /// What is wrong with a record.
    struct Fault: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private struct Holding: Hashable {
        let market: String
        let isYes: Bool
    }

    fileprivate struct Stake {
        var size: Int64 = 0
        var cost: Int64 = 0
        var fees: Int64 = 0
    }

    /// What the account began with, in micro-dollars, like all sums here.
    private(set) var start: Int64 = 0
    private(set) var cash: Int64 = 0
    private(set) var profit: Int64 = 0
    private(set) var fees: Int64 = 0
    private(set) var fills = 0
    private(set) var settlements = 0
    /// What open positions cost.
    var openCost: Int64 { self.held.values.reduce(0) { $0 + $1.cost } }

    private var isOpen = false
    private var lastOrder: UInt64 = 0
    private var waiting: [UInt64: Order] = [:]
    private var held: [Holding: Stake] = [:]

    /// Goes through a whole record.
    ///
    /// - Throws: `Fault` at the first entry that cannot follow those before it.
    init(_ entries: [JournalEntry]) throws {
        for entry in entries { try self.take(entry) }
        let (have, due) = (self.cash + self.openCost, self.start + self.profit - self.fees)
        guard have == due else { throw Fault("cash and positions are \(have), and should be \(due) micro-dollars") }
    }

    private mutating func take(_ entry: JournalEntry) throws {
        switch entry {
        case .opened(let cash, _):
            guard !self.isOpen else { throw Fault("the account was opened twice") }
            self.isOpen = true
            self.start = cash.rawValue
            self.cash = cash.rawValue
        case .execution(let event): try self.take(event)
        case .refused, .warned, .killSwitch: break
        }
        guard self.isOpen else { throw Fault("the record does not begin with the account") }
        guard self.cash >= 0 else { throw Fault("the account owes \(-self.cash) micro-dollars") }
    }

    private mutating func take(_ event: ExecutionEvent) throws {
        switch event {
        case .accepted(let order):
            guard order.id.rawValue > self.lastOrder else { throw Fault("the number \(order.id) is used again") }
            self.lastOrder = order.id.rawValue
            self.waiting[order.id.rawValue] = order
        case .rejected(let order, _):
            guard order.id.rawValue > self.lastOrder else { throw Fault("the number \(order.id) is used again") }
            self.lastOrder = order.id.rawValue
        case .cancelled(let id, _, _):
            guard self.waiting.removeValue(forKey: id.rawValue) != nil else {
                throw Fault("order \(id) is cancelled, and was not waiting")
            }
        case .filled(let execution): try self.filled(execution)
        case .settled(let settlement): try self.settled(settlement)
        }
    }

    private mutating func filled(_ execution: Execution) throws {
        let id = execution.order
        guard let order = self.waiting.removeValue(forKey: id.rawValue) else {
            throw Fault("order \(id) is filled, and was not waiting")
        }
        let size = execution.fills.reduce(0) { $0 + $1.size.rawValue }
        // A ten-thousandth of a dollar times a millionth of a share: ten thousand of these are a micro-dollar.
        let cost = execution.fills.reduce(0) { $0 + $1.size.rawValue * Int64($1.price.rawValue) } / 10_000
        guard order.market == execution.market, order.side == execution.side, size > 0, size <= order.size.rawValue,
            execution.fills.allSatisfy({ $0.price <= order.limit }), execution.fee >= .zero
        else { throw Fault("the fill of order \(id) is not what was ordered") }
        guard cost == execution.cost.rawValue else {
            throw Fault("order \(id) cost \(execution.cost), and its fills \(cost) micro-dollars")
        }
        self.held[Holding(market: order.market.rawValue, isYes: order.side == .yes), default: Stake()].add(execution)
        self.cash -= cost + execution.fee.rawValue
        self.fees += execution.fee.rawValue
        self.fills += 1
    }

    private mutating func settled(_ settlement: Settlement) throws {
        let holding = Holding(market: settlement.market.rawValue, isYes: settlement.side == .yes)
        guard let stake = self.held.removeValue(forKey: holding) else {
            throw Fault("\(settlement.market) is paid out, and nothing is held there")
        }
        let share: Int64 =
            switch settlement.winner {
            case nil: stake.size / 2
            case settlement.side: stake.size
            case .some: 0
            }
        guard stake.size == settlement.size.rawValue, stake.cost == settlement.cost.rawValue,
            stake.fees == settlement.fees.rawValue, share == settlement.payout.rawValue
        else { throw Fault("the payout of \(settlement.market) is not for what was held: \(settlement)") }
        self.cash += share
        self.profit += share - stake.cost
        self.settlements += 1
    }
}

extension TradeAudit.Stake {
    fileprivate mutating func add(_ execution: Execution) {
        self.size += execution.fills.reduce(0) { $0 + $1.size.rawValue }
        self.cost += execution.cost.rawValue
        self.fees += execution.fee.rawValue
    }
}
