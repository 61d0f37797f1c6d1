public import OddsCore

/// What the record says about orders and refusals, in rows for people and programs. Follows from the entries alone.
///
/// Bounded: of orders that are over, and of refusals, the newest are kept; the record itself keeps all.
public struct TradeLedger: Sendable {
    /// What an entry changed, in rows.
    public enum Change: Hashable, Sendable {
        /// An order is new, or got further.
        case trade(TradeRecord)
        /// A signal was not acted on.
        case refusal(RefusalRecord)
        /// An order is decided on odds that nothing confirms.
        case warning(TradeWarning)
        /// The kill switch was turned by hand.
        case killSwitch(isOn: Bool, by: KillOrigin, at: Timestamp)
    }

    private let capacity: Int
    private var records: [UInt64: TradeRecord] = [:]
    private var order: [UInt64] = []
    /// With more orders than this those that are over are trimmed.
    private var limit: Int
    private var refused: [RefusalRecord] = []
    /// Exact money of orders that are not over.
    private var executions: [UInt64: Execution] = [:]

    /// An empty ledger that keeps so many orders and refusals each; `Int.max` keeps all.
    public init(capacity: Int = 10_000) {
        self.capacity = capacity
        self.limit = Self.withSlack(capacity)
    }

    /// The orders, the newest first.
    public var trades: [TradeRecord] {
        let surplus = Set(self.surplus)
        return self.order.reversed().compactMap { surplus.contains($0) ? nil : self.records[$0] }
    }
    /// The refusals, the newest first.
    public var refusals: [RefusalRecord] { self.refused.suffix(self.capacity).reversed() }

    /// The oldest orders that are over, as far as there are more than are to be kept.
    private var surplus: [UInt64] {
        let count = self.order.count - self.capacity
        guard count > 0 else { return [] }
        return Array(self.order.lazy.filter { self.records[$0]?.status.isOver != false }.prefix(count))
    }

    /// Lists are trimmed only when they are a quarter longer than they are to be: entry by entry, reading a long record
    /// would take its time.
    private static func withSlack(_ count: Int) -> Int {
        let (sum, isTooMuch) = count.addingReportingOverflow(count / 4)
        return isTooMuch ? .max : sum
    }

    /// Takes in one entry of the record; returns what it changed.
    public mutating func apply(_ entry: JournalEntry) -> [Change] {
        switch entry {
        case .opened: return []
        case .execution(let event): return self.apply(event)
        case .refused(let refusal, let slug):
            let record = RefusalRecord(
                market: refusal.market, slug: slug, side: refusal.side, reason: refusal.reason.rawValue,
                limit: refusal.intent?.limit.doubleValue, size: refusal.intent?.size.doubleValue, time: refusal.time)
            self.refused.append(record)
            if self.refused.count > Self.withSlack(self.capacity) {
                self.refused.removeFirst(self.refused.count - self.capacity)
            }
            return [.refusal(record)]
        case .warned(let warning): return [.warning(warning)]
        case .killSwitch(let isOn, let origin, let time): return [.killSwitch(isOn: isOn, by: origin, at: time)]
        }
    }

    private mutating func apply(_ event: ExecutionEvent) -> [Change] {
        switch event {
        case .accepted(let order):
            var record = TradeRecord(order)
            record.status = .pending
            return self.put(record)
        case .rejected(let order, let reason):
            var record = TradeRecord(order)
            record.status = .rejected
            record.reason = reason.rawValue
            // The number was used before: the order of that number is another one.
            guard self.records[order.id.rawValue] == nil else { return [.trade(record)] }
            return self.put(record)
        case .cancelled(let id, let reason, _):
            return self.change(id.rawValue) { record in
                record.status = .cancelled
                record.reason = reason.rawValue
            }
        case .filled(let execution):
            self.executions[execution.order.rawValue] = execution
            return self.change(execution.order.rawValue) { record in
                record.status = .open
                record.filled = execution.size.doubleValue
                record.averagePrice =
                    execution.size > .zero ? Double(execution.cost.rawValue) / Double(execution.size.rawValue) : nil
                record.cost = execution.cost.doubleValue
                record.fee = execution.fee.doubleValue
                record.filledAt = execution.time
            }
        case .settled(let settlement): return self.settled(settlement)
        }
    }

    /// A position is made of every open order of its market and side; each is paid for its own shares.
    private mutating func settled(_ settlement: Settlement) -> [Change] {
        let paid = self.executions.values.filter { $0.market == settlement.market && $0.side == settlement.side }
        return paid.sorted { $0.order < $1.order }.flatMap { execution in
            self.executions[execution.order.rawValue] = nil
            let payout = Money.payout(
                of: execution.size, held: settlement.side, winner: settlement.winner)
            return self.change(execution.order.rawValue) { record in
                record.status = .settled
                record.winner = settlement.winner.map { $0 == .yes ? "yes" : "no" } ?? "split"
                record.settledBy = settlement.source.rawValue
                record.payout = payout.doubleValue
                record.profit = (payout - execution.cost - execution.fee).doubleValue
                record.settledAt = settlement.time
            }
        }
    }

    private mutating func put(_ record: TradeRecord) -> [Change] {
        if self.records.updateValue(record, forKey: record.order) == nil { self.order.append(record.order) }
        if self.order.count > self.limit { self.trim() }
        return [.trade(record)]
    }

    private mutating func trim() {
        let surplus = Set(self.surplus)
        self.order.removeAll { surplus.contains($0) }
        for id in surplus { self.records[id] = nil }
        self.limit = Self.withSlack(Swift.max(self.capacity, self.order.count))
    }

    private mutating func change(_ id: UInt64, _ step: (inout TradeRecord) -> Void) -> [Change] {
        guard var record = self.records[id] else { return [] }
        step(&record)
        self.records[id] = record
        return [.trade(record)]
    }
}

extension TradeRecord {
    init(_ order: Order) {
        self.init(
            order: order.id.rawValue, broker: "paper", market: order.market, slug: order.slug, side: order.side,
            decided: order.decidedAt, epoch: order.epoch, limit: order.limit.doubleValue,
            size: order.size.doubleValue)
    }
}

extension TradeRecord.Status {
    /// Whether nothing more can become of the order.
    public var isOver: Bool {
        switch self {
        case .pending, .open: false
        case .rejected, .cancelled, .settled: true
        }
    }
}

extension AccountRecord {
    /// The account as it is told: money in dollars.
    public init(_ account: PaperAccount, exposure: Money, killSwitch: KillSwitch) {
        self.init(
            broker: "paper", startingCash: account.startingCash.doubleValue, cash: account.cash.doubleValue,
            equity: account.equity.doubleValue, profit: account.profit.doubleValue, fees: account.fees.doubleValue,
            maximumDrawdown: account.maximumDrawdown.doubleValue, filledOrders: account.filledOrders,
            failedOrders: account.failedOrders, openPositions: account.positions.count,
            settledPositions: account.settledPositions, hits: account.hits, hitRate: account.hitRate,
            exposure: exposure.doubleValue, isKilled: killSwitch.isOn, killedBy: killSwitch.origin?.rawValue)
    }
}
