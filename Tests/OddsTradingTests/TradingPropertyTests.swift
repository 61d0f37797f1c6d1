import Foundation
import OddsCore
import OddsTestSupport
import OddsTrading
import Testing

/// One thing that happens to the whole: written down first, so that the same can happen twice.
private enum Happening: Sendable {
    case odds(OddsSnapshot, asks: [Side: [Level]])
    case terms(MarketID, MarketTerms)
    case intent(OrderIntent)
    case killSwitch(Bool)
    case killFile(Bool)
    case recordable(Bool)
    case settle(MarketID, winner: Side?)
    case clock
    case restart

    /// Random happenings on a few markets, a fraction of a second to some minutes apart.
    static func random(_ seed: UInt64, count: Int, markets: [Market]) -> [(Double, Happening)] {
        var random = Seeded(seed)
        var now = 0.0
        var epochs = markets.map { _ in UInt64(1) }
        return (0..<count).map { _ in
            let longest = Int.random(in: 0..<20, using: &random) == 0 ? 90_000 : 900
            now += Double(Int.random(in: 1...longest, using: &random)) / 1000
            let index = Int.random(in: markets.indices, using: &random)
            let market = markets[index]
            switch Int.random(in: 0..<40, using: &random) {
            case 0: return (now, .terms(market.id, Self.terms(&random)))
            case 1:
                let isOn = Int.random(in: 0..<4, using: &random) == 0
                switch Int.random(in: 0..<3, using: &random) {
                case 0: return (now, .killSwitch(isOn))
                case 1: return (now, .killFile(isOn))
                default: return (now, .recordable(!isOn))
                }
            case 2:
                return (now, .settle(market.id, winner: [Side.yes, .no, nil][Int.random(in: 0..<3, using: &random)]))
            case 3: return (now, .restart)
            case 4...7: return (now, .clock)
            case 8...15:
                let intent = OrderIntent(
                    market: market.id, side: Bool.random(using: &random) ? .yes : .no,
                    limit: Price(rawValue: Int32.random(in: 0...100, using: &random) * 100),
                    size: Size(rawValue: Int64.random(in: 0...2000, using: &random) * 10_000),
                    epoch: epochs[index] - (Int.random(in: 0..<5, using: &random) == 0 ? 1 : 0))
                return (now, .intent(intent))
            default:
                if Int.random(in: 0..<15, using: &random) == 0 { epochs[index] += 1 }
                let price = Price(rawValue: Int32.random(in: 5...95, using: &random) * 100)
                let snapshot = OddsTradingTests.odds(
                    price, market, at: now, trust: Self.trust(now, &random), epoch: epochs[index])
                return (now, .odds(snapshot, asks: [.yes: Self.asks(&random), .no: Self.asks(&random)]))
            }
        }
    }

    private static func terms(_ random: inout Seeded) -> MarketTerms {
        let tick: Price? = [0.01, 0.001, 0.1, nil][Int.random(in: 0..<4, using: &random)]
        let rate = Int32.random(in: 0...1_000_000, using: &random)
        return MarketTerms(
            tickSize: tick, minimumOrderSize: 5, acceptingOrders: Int.random(in: 0..<5, using: &random) != 0,
            fees: FeeSchedule(rate: rate, exponent: Int.random(in: 1...2, using: &random)))
    }

    private static func trust(_ now: Double, _ random: inout Seeded) -> Trust {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: .stale(since: at(now - 3), reason: .frozen)
        case 1: .suspect(.crossed)
        case 2: .fallback
        case 3: .resolving
        default: .live
        }
    }

    private static func asks(_ random: inout Seeded) -> [Level] {
        (0..<Int.random(in: 0...6, using: &random)).map { _ in
            Level(
                price: Price(rawValue: Int32.random(in: 1...9_999, using: &random)),
                size: Size(rawValue: Int64.random(in: 0...8_000_000, using: &random)))
        }
    }
}

/// A desk, driven as a program drives it.
private struct World {
    static let start: Money = 200
    static let riskLimits = RiskLimits(
        maximumStake: 12, maximumExposure: 25, maximumDailyLoss: 80, maximumOrdersPerMinute: 4)
    static let strategy = ThresholdStrategy(entry: EntryWindow(closesBeforeEnd: .zero))

    let markets: [Market]
    let check: RiskCheck
    var desk: TradingDesk<ThresholdStrategy>
    var record: [JournalEntry] = []
    private var latest: [MarketID: (snapshot: OddsSnapshot, asks: [Side: [Level]])] = [:]
    private var terms: [MarketID: MarketTerms] = [:]

    init(_ markets: [Market], stale: StalePolicy) {
        self.markets = markets
        self.check = RiskCheck(limits: Self.riskLimits, stalePolicy: stale)
        self.desk = TradingDesk(strategy: Self.strategy, riskCheck: self.check, startingCash: Self.start)
        self.record += self.desk.begin(isNew: true, now: at(0))
    }

    mutating func happen(_ happening: Happening, at seconds: Double) throws {
        let now = at(seconds)
        self.arrive(now)
        switch happening {
        case .odds(let snapshot, let asks):
            self.latest[snapshot.marketID] = (snapshot, asks)
            self.record += self.desk.observe(snapshot, now: now)
        case .terms(let market, let terms):
            self.terms[market] = terms
            self.record += self.desk.observe(terms, of: market, now: now)
        case .intent(let intent): self.record += self.desk.order(intent, now: now)
        case .killSwitch(let isOn): self.record += self.desk.setKillSwitch(isOn, by: .http, now: now)
        case .killFile(let present): self.record += self.desk.setKillFile(present: present, now: now)
        case .recordable(let isOn): self.desk.setRecordable(isOn, now: now)
        case .clock: self.record += self.desk.tick(now: now)
        case .settle(let market, let winner):
            self.record += self.desk.settle(market, winner: winner, source: .feed, now: now)
        case .restart:
            // Everything in memory is gone; what is on record is there.
            self.desk = try self.rebuilt()
            self.latest = [:]
            self.record += self.desk.begin(isNew: false, now: now)
        }
    }

    /// The desk that the stored record leads to.
    func rebuilt() throws -> TradingDesk<ThresholdStrategy> {
        let stored = try JSONDecoder().decode([JournalEntry].self, from: JSONEncoder().encode(self.record))
        #expect(stored == self.record)
        return self.desk(after: stored)
    }

    /// The desk that a record leads to.
    func desk(after record: [JournalEntry]) -> TradingDesk<ThresholdStrategy> {
        // What a new account would begin with counts for nothing.
        TradingDesk(strategy: Self.strategy, riskCheck: self.check, startingCash: 1, record: record)
    }

    mutating func settleAll(at seconds: Double) {
        for market in self.markets {
            self.record += self.desk.settle(market.id, winner: .yes, source: .gamma, now: at(seconds))
        }
    }

    private mutating func arrive(_ now: ReceiveTime) {
        for order in self.desk.due(now: now.monotonic) {
            guard let (snapshot, asks) = self.latest[order.market] else { continue }
            let book = PaperBook(
                asset: order.asset, asks: asks[order.side] ?? [],
                terms: self.terms[order.market] ?? MarketTerms(snapshot.market), epoch: snapshot.epoch)
            self.record += self.desk.fill(book, now: now)
        }
    }

    /// What the broker did.
    var executions: [ExecutionEvent] {
        self.record.compactMap { entry in
            if case .execution(let event) = entry { event } else { nil }
        }
    }

    /// The orders that the risk check approved.
    var orders: [Order] {
        self.executions.compactMap { event in
            switch event {
            case .accepted(let order), .rejected(let order, _): order
            case .filled, .cancelled, .settled: nil
            }
        }
    }

    /// Every reason for which nothing was bought.
    var reasons: Set<RefusalReason> {
        Set(
            self.record.compactMap { entry in
                switch entry {
                case .refused(let refusal, _): refusal.reason
                case .execution(.rejected(_, let reason)), .execution(.cancelled(_, let reason, _)): reason
                case .opened, .execution, .warned, .killSwitch: nil
                }
            })
    }
}

@Suite(.longWork) struct TradingPropertyTests {
    private static let markets = (0..<4).map {
        Market.sample(
            "m\($0)", window: MarketWindow(start: window.start, end: window.start.advanced(by: .seconds(90_000))))
    }

    /// What the record's numbers come to, worked out from prices and sizes alone.
    private struct Sums {
        var paid: Int128 = 0
        var fees: Int128 = 0
        var payouts: Int128 = 0
        var held: [String: Int64] = [:]

        init(_ record: [ExecutionEvent], orders: [OrderID: Order]) throws {
            for event in record {
                switch event {
                case .accepted, .rejected, .cancelled: break
                case .filled(let execution):
                    let order = try #require(orders[execution.order])
                    var exactFee: Int128 = 0
                    for fill in execution.fills {
                        let cost = Int128(fill.price.rawValue) * Int128(fill.size.rawValue)
                        #expect(cost % 10_000 == 0 && fill.price <= order.limit && fill.size > .zero)
                        self.paid += cost / 10_000
                        let curve = Int128(fill.price.rawValue) * Int128(10_000 - fill.price.rawValue)
                        exactFee +=
                            Int128(fill.size.rawValue) * Int128(order.fees.rate)
                            * (order.fees.exponent == 1 ? curve * 100_000_000 : curve * curve)
                    }
                    let unit: Int128 = 10_000_000_000_000_000_000_000
                    let fee = Int128(execution.fee.rawValue)
                    #expect(fee * unit >= exactFee && (fee - 1) * unit < exactFee)
                    self.fees += fee
                    #expect(execution.size + execution.unfilled == order.size)
                    #expect(execution.cost + execution.fee <= order.reserve)
                    self.held["\(execution.market) \(execution.side)", default: 0] += execution.size.rawValue
                case .settled(let settlement):
                    let key = "\(settlement.market) \(settlement.side)"
                    let held = self.held.removeValue(forKey: key) ?? 0
                    #expect(held == settlement.size.rawValue && held > 0)
                    let share = settlement.winner == nil ? 2 : settlement.winner == settlement.side ? 1 : 0
                    self.payouts += share == 0 ? 0 : Int128(held) / Int128(share)
                }
            }
        }
    }

    private func run(_ seed: UInt64, _ check: (World) throws -> Void = { _ in }) throws -> World {
        let policies: [StalePolicy] = [.warn, .halt, .maximumAge(.seconds(2))]
        var world = World(Self.markets, stale: policies[Int(seed % 3)])
        var last = 0.0
        for (seconds, happening) in Happening.random(seed, count: 600, markets: Self.markets) {
            try world.happen(happening, at: seconds)
            try check(world)
            last = seconds
        }
        world.settleAll(at: last + 10)
        return world
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func theAccountIsRightToTheMicroDollar(seed: UInt64) throws {
        let world = try self.run(seed) { world in
            let account = world.desk.account
            #expect(account.equity == World.start + account.profit - account.fees)
            #expect(account.available >= .zero && account.cash >= .zero)
            #expect(world.desk.exposure <= 25)
        }
        let account = world.desk.account
        let orders = Dictionary(uniqueKeysWithValues: world.orders.map { ($0.id, $0) })
        let sums = try Sums(world.executions, orders: orders)
        #expect(account.positions.isEmpty && account.orders.isEmpty && sums.held.isEmpty)
        #expect(Int128(account.cash.rawValue) == Int128(World.start.rawValue) - sums.paid - sums.fees + sums.payouts)
        #expect(Int128(account.profit.rawValue) == sums.payouts - sums.paid)
        #expect(account.cash == World.start + account.profit - account.fees)
        #expect(account.filledOrders > 0 && account.settledPositions > 0)
        // The record gives the identical state, also when it was stored.
        let rebuilt = try world.rebuilt()
        #expect(rebuilt.account == account && rebuilt.exposure == world.desk.exposure)
        #expect(rebuilt.killSwitch.manual == world.desk.killSwitch.manual)
    }

    /// Wherever the record breaks off, what is left of it is an account that goes on.
    @Test(arguments: 0..<10 as Range<UInt64>)
    func everyBeginningOfTheRecordIsARecord(seed: UInt64) throws {
        let world = try self.run(seed)
        for count in stride(from: 1, through: world.record.count, by: 3) {
            let kept = Array(world.record.prefix(count))
            var desk = world.desk(after: kept)
            let beginning = desk.begin(isNew: false, now: at(1e6))
            let account = desk.account
            #expect(account.orders.isEmpty && account.reserved == .zero && account.cash >= .zero)
            #expect(account.equity == World.start + account.profit - account.fees)
            #expect(desk.exposure == account.positions.reduce(.zero) { $0 + $1.cost + $1.fees })
            // Begun twice, and it is the same.
            var again = world.desk(after: kept + beginning)
            #expect(again.begin(isNew: false, now: at(2e6)) == [])
            #expect(again.account == account && again.exposure == desk.exposure)
        }
    }

    /// What people are told of single orders adds up to the account.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func theRowsAddUpToTheAccount(seed: UInt64) throws {
        let world = try self.run(seed)
        var ledger = TradeLedger(capacity: .max)
        for entry in world.record { _ = ledger.apply(entry) }
        let trades = ledger.trades
        #expect(trades.count == world.orders.count && trades.allSatisfy { $0.status.isOver })
        let profit = trades.reduce(Money.zero) { $0 + Money(floatLiteral: $1.profit ?? 0) }
        #expect(World.start + profit == world.desk.account.cash)
        #expect(trades.count { $0.status == .settled } == world.desk.account.filledOrders)
        #expect(trades.count { $0.reason != nil } == world.desk.account.failedOrders)
        #expect(ledger.refusals.count == world.record.count { if case .refused = $0 { true } else { false } })
        #expect(ledger.account == world.desk.account && ledger.exposure == world.desk.exposure)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func theSameHappeningsLeadToTheSameDecisions(seed: UInt64) throws {
        let first = try self.run(seed)
        let second = try self.run(seed)
        #expect(first.record == second.record && first.desk.account == second.desk.account)
        #expect(!first.orders.isEmpty)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func noOrderWithoutApprovalAndNoApprovalBeyondTheLimits(seed: UInt64) throws {
        let world = try self.run(seed)
        let approved = world.orders
        var times: [Timestamp] = []
        for (number, order) in approved.enumerated() {
            #expect(order.id.rawValue == UInt64(number + 1))
            #expect(order.reserve <= 12 && order.size >= 5)
            times.append(order.decidedAt)
            #expect(times.count { order.decidedAt.milliseconds - $0.milliseconds < 60_000 } <= 4)
        }
        var waiting: [OrderID: Order] = [:]
        for event in world.executions {
            switch event {
            case .accepted(let order):
                #expect(approved.contains(order))
                waiting[order.id] = order
            case .rejected(let order, _): #expect(approved.contains(order))
            case .filled(let execution): #expect(waiting.removeValue(forKey: execution.order) != nil)
            case .cancelled(let id, _, _): #expect(waiting.removeValue(forKey: id) != nil)
            case .settled: break
            }
        }
        #expect(waiting.isEmpty)
    }

    /// The happenings are of use only when they lead everywhere.
    @Test func theHappeningsReachNearlyEveryRefusal() throws {
        var reasons: Set<RefusalReason> = []
        for seed in 0..<40 as Range<UInt64> {
            let world = try self.run(seed)
            reasons.formUnion(world.reasons)
        }
        // Each has its own test; no happening here leads to them, or only a rare one does.
        let rare: Set<RefusalReason> = [
            .sizeOffLot, .duplicateOrder, .insufficientFunds, .outsideEntryWindow, .dailyLossLimit, .stopped,
        ]
        let missing = Set(RefusalReason.allCases).subtracting(reasons).subtracting(rare)
        #expect(missing.isEmpty)
    }
}
