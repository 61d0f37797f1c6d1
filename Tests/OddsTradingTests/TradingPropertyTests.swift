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
            case 1: return (now, .killSwitch(Int.random(in: 0..<4, using: &random) == 0))
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

/// Engine and paper broker, wired as a program wires them.
private struct World {
    static let start: Money = 200
    static let limits = RiskLimits(
        maximumStake: 12, maximumExposure: 25, maximumDailyLoss: 80, maximumOrdersPerMinute: 4)

    let markets: [Market]
    var engine: TradingEngine<ThresholdStrategy>
    var broker = PaperBroker(account: PaperAccount(startingCash: start))
    var decisions: [Decision] = []
    var record: [ExecutionEvent] = []
    private var latest: [MarketID: (snapshot: OddsSnapshot, asks: [Side: [Level]])] = [:]
    private var terms: [MarketID: MarketTerms] = [:]

    init(_ markets: [Market], stale: StalePolicy) {
        self.markets = markets
        self.engine = TradingEngine(
            strategy: ThresholdStrategy(entry: EntryWindow(closesBeforeEnd: .zero)),
            riskCheck: RiskCheck(limits: Self.limits, stalePolicy: stale))
    }

    mutating func happen(_ happening: Happening, at seconds: Double) throws {
        let now = at(seconds)
        self.arrive(now)
        switch happening {
        case .odds(let snapshot, let asks):
            self.latest[snapshot.marketID] = (snapshot, asks)
            self.tell(.odds(snapshot, now: now), now)
        case .terms(let market, let terms):
            self.terms[market] = terms
            self.tell(.terms(market, terms, now: now), now)
        case .intent(let intent): self.tell(.intent(intent, now: now), now)
        case .killSwitch(let isOn): self.tell(.killSwitch(isOn: isOn, now: now), now)
        case .clock: self.tell(.clock(now: now), now)
        case .settle(let market, let winner): self.note(self.broker.settle(market, winner: winner, source: .feed, now: now))
        case .restart:
            // Everything in memory is gone; what was stored is there.
            self.broker = try JSONDecoder().decode(PaperBroker.self, from: JSONEncoder().encode(self.broker))
            self.engine = TradingEngine(
                strategy: self.engine.strategy, riskCheck: self.engine.riskCheck,
                book: RiskBook(replaying: self.record))
            self.latest = [:]
            self.note(self.broker.restarted(now: now))
        }
    }

    mutating func settleAll(at seconds: Double) {
        for market in self.markets { self.note(self.broker.settle(market.id, winner: .yes, source: .feed, now: at(seconds))) }
    }

    private mutating func tell(_ event: TradingEvent, _ now: ReceiveTime) {
        let decisions = self.engine.process(event)
        self.decisions += decisions
        for decision in decisions {
            switch decision {
            case .submit(let approved):
                let epoch = self.latest[approved.order.market]?.snapshot.epoch ?? 0
                self.note(self.broker.submit(approved, epoch: epoch, now: now))
            case .cancelOpenOrders: self.note(self.broker.cancelAll(.killSwitch, now: now))
            case .refuse, .warn: break
            }
        }
    }

    private mutating func arrive(_ now: ReceiveTime) {
        for order in self.broker.due(now: now.monotonic) {
            guard let (snapshot, asks) = self.latest[order.market] else { continue }
            let book = PaperBook(
                asset: order.asset, asks: asks[order.side] ?? [],
                terms: self.terms[order.market] ?? MarketTerms(snapshot.market), epoch: snapshot.epoch)
            self.note(self.broker.fill(book, now: now))
        }
    }

    private mutating func note(_ events: [ExecutionEvent]) {
        self.record += events
        for event in events { _ = self.engine.process(.execution(event)) }
    }
}

@Suite struct TradingPropertyTests {
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
            let account = world.broker.account
            #expect(account.equity == World.start + account.profit - account.fees)
            #expect(account.available >= .zero && account.cash >= .zero)
            #expect(world.engine.book.exposure <= 25)
        }
        let account = world.broker.account
        let orders = Dictionary(uniqueKeysWithValues: world.decisions.orders.map { ($0.id, $0) })
        let sums = try Sums(world.record, orders: orders)
        #expect(account.positions.isEmpty && account.orders.isEmpty && sums.held.isEmpty)
        #expect(Int128(account.cash.rawValue) == Int128(World.start.rawValue) - sums.paid - sums.fees + sums.payouts)
        #expect(Int128(account.profit.rawValue) == sums.payouts - sums.paid)
        #expect(account.cash == World.start + account.profit - account.fees)
        #expect(account.filledOrders > 0 && account.settledPositions > 0)
        // The record gives the identical state, also when it was stored.
        let stored = try JSONDecoder().decode([ExecutionEvent].self, from: JSONEncoder().encode(world.record))
        #expect(stored == world.record)
        #expect(PaperAccount(startingCash: World.start, replaying: stored) == account)
        #expect(RiskBook(replaying: stored) == world.engine.book)
        #expect(
            try JSONDecoder().decode(RiskBook.self, from: JSONEncoder().encode(world.engine.book)) == world.engine.book)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func theSameHappeningsLeadToTheSameDecisions(seed: UInt64) throws {
        let first = try self.run(seed)
        let second = try self.run(seed)
        #expect(first.decisions == second.decisions && first.record == second.record)
        #expect(first.broker.account == second.broker.account)
        #expect(!first.decisions.isEmpty)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func noOrderWithoutApprovalAndNoApprovalBeyondTheLimits(seed: UInt64) throws {
        let world = try self.run(seed)
        let approved = world.decisions.orders
        var times: [Timestamp] = []
        for (number, order) in approved.enumerated() {
            #expect(order.id.rawValue == UInt64(number + 1))
            #expect(order.reserve <= 12 && order.size >= 5)
            times.append(order.decidedAt)
            #expect(times.count { order.decidedAt.milliseconds - $0.milliseconds < 60_000 } <= 4)
        }
        var waiting: [OrderID: Order] = [:]
        for event in world.record {
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
            reasons.formUnion(world.decisions.reasons)
            for event in world.record {
                switch event {
                case .rejected(_, let reason), .cancelled(_, let reason, _): reasons.insert(reason)
                case .accepted, .filled, .settled: break
                }
            }
        }
        // Each has its own test; no happening here leads to them, or only a rare one does.
        let rare: Set<RefusalReason> = [
            .sizeOffLot, .duplicateOrder, .insufficientFunds, .outsideEntryWindow, .dailyLossLimit,
        ]
        let missing = Set(RefusalReason.allCases).subtracting(reasons).subtracting(rare)
        #expect(missing.isEmpty)
    }
}
