import OddsCore
import OddsTestSupport
import Testing

@testable import OddsTrading

@Suite struct TradingDeskTests {
    private typealias Desk = TradingDesk<ThresholdStrategy>

    private func desk(_ record: [JournalEntry] = [], limits: RiskLimits = RiskLimits()) -> Desk {
        TradingDesk(
            strategy: ThresholdStrategy(), riskCheck: RiskCheck(limits: limits), startingCash: 1000, record: record)
    }

    private func book(_ market: Market = sample, side: Side = .yes, epoch: UInt64 = 1) -> PaperBook {
        PaperBook(
            asset: market.asset(of: side) ?? "", asks: [Level(price: 0.73, size: 100)], terms: MarketTerms(market),
            epoch: epoch)
    }

    private func events(_ entries: [JournalEntry]) -> [String] {
        entries.map { entry in
            switch entry {
            case .opened: "opened"
            case .execution(.accepted(let order)): "accepted \(order.id)"
            case .execution(.rejected(let order, let reason)): "rejected \(order.id) \(reason)"
            case .execution(.filled(let execution)): "filled \(execution.order)"
            case .execution(.cancelled(let id, let reason, _)): "cancelled \(id) \(reason)"
            case .execution(.settled(let settlement)): "settled \(settlement.size)"
            case .refused(let refusal, _): "refused \(refusal.reason)"
            case .warned: "warned"
            case .killSwitch(let isOn, let origin, _): "kill switch \(isOn) \(origin)"
            }
        }
    }

    @Test func aMarketThatIsDecidedIsNotBoughtAgainWhateverItsOddsSay() {
        var desk = self.desk()
        _ = desk.begin(isNew: true, now: at(0))
        #expect(self.events(desk.observe(odds(0.72), now: at(1))) == ["accepted 1"])
        // Decided while the order is on its way.
        let settled = desk.settle(sample.id, winner: .yes, source: .gamma, now: at(1.1))
        #expect(self.events(settled) == ["cancelled 1 marketClosed"])
        #expect(desk.fill(self.book(), now: at(1.25)) == [])
        // The feed has not heard of it yet.
        #expect(self.events(desk.observe(odds(0.73), now: at(2))) == ["refused marketClosed"])
        let wish = OrderIntent(market: sample.id, side: .no, limit: 0.3, size: 20, epoch: 1)
        #expect(self.events(desk.order(wish, now: at(3))) == ["refused marketClosed"])
        #expect(desk.account.cash == 1000 && desk.exposure == .zero)
        // What the venue demands is read again: still decided.
        #expect(desk.observe(MarketTerms(sample), of: sample.id, now: at(4)) == [])
        // Nothing is kept of a market that nobody follows.
        _ = desk.settle("0xother", winner: .yes, source: .gamma, now: at(5))
        #expect(desk.markets == [sample.id])
    }

    @Test func theRecordBeginsWithTheOpeningWhateverComesBeforeIt() {
        var desk = self.desk()
        #expect(desk.setKillSwitch(true, by: .http, now: at(0)) == [])
        #expect(desk.killSwitch.isOn)
        var record = desk.begin(isNew: true, now: at(1))
        #expect(self.events(record) == ["opened", "kill switch true http"])
        #expect(self.events(desk.observe(odds(0.72), now: at(2))) == ["refused killSwitch"])
        #expect(self.desk(record).killSwitch.manual == .http)
        // Later it is told at once.
        let turned = desk.setKillSwitch(false, by: .signal, now: at(3))
        #expect(self.events(turned) == ["kill switch false signal"])
        record += turned + desk.observe(odds(0.72), now: at(4))
        // After a restart likewise, and the order that was on its way is taken back once.
        var restarted = self.desk(record)
        #expect(restarted.setKillSwitch(true, by: .signal, now: at(5)) == [])
        #expect(
            self.events(restarted.begin(isNew: false, now: at(6))) == [
                "kill switch true signal", "cancelled 1 killSwitch",
            ])
        #expect(restarted.setKillFile(present: true, now: at(7)) == [])
    }

    @Test func anOrderThatNeverMetABookIsGivenUp() {
        var desk = self.desk()
        _ = desk.begin(isNew: true, now: at(0))
        #expect(self.events(desk.observe(odds(0.72), now: at(1))) == ["accepted 1"])
        #expect(self.events(desk.observe(odds(0.72, .sample("eth")), now: at(4))) == ["accepted 2"])
        _ = desk.observe(odds(0.5), now: at(5))
        _ = desk.observe(odds(0.5, .sample("eth")), now: at(5))
        #expect(desk.tick(now: at(11.249)) == [])
        #expect(self.events(desk.tick(now: at(11.25))) == ["cancelled 1 nothingOffered"])
        #expect(desk.account.orders.map(\.id.rawValue) == [2])
        #expect(self.events(desk.fill(self.book(.sample("eth")), now: at(12))) == ["filled 2"])
    }

    @Test func ordersThatBoughtNothingLeaveNothingBehind() {
        var desk = self.desk(limits: RiskLimits(maximumOrdersPerMinute: nil))
        _ = desk.begin(isNew: true, now: at(0))
        for number in 0..<50 {
            let market = Market.sample("m\(number)")
            _ = desk.observe(odds(0.72, market), now: at(Double(number)))
            _ = desk.fill(
                PaperBook(asset: market.yes.asset, asks: [], terms: MarketTerms(market), epoch: 1),
                now: at(Double(number) + 0.5))
            desk.forget(market.id)
        }
        #expect(desk.account.failedOrders == 50 && desk.markets.isEmpty && desk.names.isEmpty)
    }

    @Test func anOrderThatBoughtNothingIsNotRepeatedOnTheVerySameOdds() {
        var desk = self.desk()
        _ = desk.begin(isNew: true, now: at(0))
        let empty = PaperBook(asset: sample.yes.asset, asks: [], terms: MarketTerms(sample), epoch: 1)
        let stale = odds(0.72, trust: .stale(since: at(0), reason: .disconnected))
        #expect(self.events(desk.observe(stale, now: at(1))) == ["warned", "accepted 1"])
        #expect(self.events(desk.fill(empty, now: at(2))) == ["cancelled 1 nothingOffered"])
        // Nothing new came: trying again every second would only use up the orders of the minute.
        #expect(desk.tick(now: at(3)) == [] && desk.tick(now: at(600)) == [])
        #expect(self.events(desk.observe(odds(0.72, epoch: 2), now: at(601))) == ["accepted 2"])
        // New odds that came while it was on its way have not been tried.
        #expect(self.events(desk.observe(odds(0.73, epoch: 3), now: at(601.1))) == ["refused alreadyTraded"])
        #expect(self.events(desk.fill(self.book(epoch: 3), now: at(601.25))) == ["cancelled 2 epochMoved"])
        #expect(self.events(desk.tick(now: at(602))) == ["accepted 3"])
        // What the kill switch took back was not tried either.
        let killed = desk.setKillSwitch(true, by: .http, now: at(602.1))
        #expect(self.events(killed) == ["kill switch true http", "cancelled 3 killSwitch"])
        _ = desk.setKillSwitch(false, by: .http, now: at(602.2))
        #expect(self.events(desk.tick(now: at(603))) == ["accepted 4"])
        // Other terms are something new.
        #expect(self.events(desk.fill(empty, now: at(604))) == ["cancelled 4 epochMoved"])
        #expect(desk.tick(now: at(605)) == [])
        #expect(self.events(desk.observe(MarketTerms(sample), of: sample.id, now: at(606))) == ["accepted 5"])
    }

    @Test func whoCannotPayOrdersNothing() {
        // An order costs 5.09 at most.
        var desk = TradingDesk(strategy: ThresholdStrategy(), startingCash: 11)
        _ = desk.begin(isNew: true, now: at(0))
        for slug in ["a", "b", "c"] { _ = desk.observe(odds(0.5, .sample(slug)), now: at(1)) }
        #expect(self.events(desk.observe(odds(0.72, .sample("a")), now: at(2))) == ["accepted 1"])
        #expect(self.events(desk.observe(odds(0.72, .sample("b")), now: at(2))) == ["accepted 2"])
        #expect(self.events(desk.observe(odds(0.72, .sample("c")), now: at(2))) == ["refused insufficientFunds"])
        #expect(desk.observe(odds(0.73, .sample("c")), now: at(3)) == [])
        #expect(desk.account.failedOrders == 0 && desk.account.lastOrder.rawValue == 2)
        // Money that is free again can be spent.
        _ = desk.fill(
            PaperBook(asset: Market.sample("a").yes.asset, asks: [], terms: MarketTerms(sample), epoch: 1), now: at(4))
        #expect(self.events(desk.tick(now: at(5))) == ["refused alreadyTraded", "accepted 3"])
    }

    @Test func severalOrdersOfOneMomentShareTheMoney() {
        // The entry windows of all open with one tick.
        var desk = TradingDesk(strategy: ThresholdStrategy(), startingCash: 11)
        _ = desk.begin(isNew: true, now: at(-20))
        for slug in ["a", "b", "c"] { _ = desk.observe(odds(0.72, .sample(slug, window: window)), now: at(-10)) }
        #expect(self.events(desk.tick(now: at(0))) == ["accepted 1", "accepted 2", "refused insufficientFunds"])
    }

    @Test func aPositionKeepsItsNameUntilItIsPaidOut() {
        var desk = self.desk()
        _ = desk.begin(isNew: true, now: at(0))
        var record = desk.observe(odds(0.72), now: at(1)) + desk.fill(self.book(), now: at(2))
        desk.forget(sample.id)
        _ = desk.observe(odds(0.72, .sample("eth")), now: at(3))
        _ = desk.setKillSwitch(true, by: .http, now: at(3))
        #expect(desk.openMarkets.map(\.slug) == ["btc"] && self.desk(record).openMarkets.map(\.slug) == ["btc"])
        record += desk.settle(sample.id, winner: .no, source: .gamma, now: at(4))
        #expect(desk.names.isEmpty && self.desk(record).names.isEmpty)
    }
}

@Suite struct TradeLedgerTests {
    @Test func aLedgerMayKeepAll() throws {
        var ledger = TradeLedger(capacity: .max)
        _ = ledger.apply(.execution(event: .accepted(try approve(after: 0).order)))
        #expect(ledger.trades.count == 1)
    }

    @Test func theNewestAreKeptAndOfOrdersThoseThatAreOpen() throws {
        var ledger = TradeLedger(capacity: 10)
        for number in 1...100 as ClosedRange<UInt64> {
            let order = try approve(after: number - 1).order
            _ = ledger.apply(.execution(event: .accepted(order)))
            // Every twentieth is bought.
            let isBought = number.isMultiple(of: 20)
            let fill = Execution(
                order: order.id, market: order.market, side: order.side, fills: [Fill(price: 0.7, size: 10)], cost: 7,
                fee: .zero, unfilled: .zero, time: at(1).wall)
            _ = ledger.apply(
                .execution(event: isBought ? .filled(fill) : .cancelled(order.id, .nothingOffered, at: at(1).wall)))
            let refusal = Refusal(
                market: sample.id, side: .yes, reason: .alreadyTraded, intent: nil,
                time: at(Double(number)).wall)
            _ = ledger.apply(.refused(refusal: refusal, slug: "btc"))
            #expect(ledger.trades.count == min(10, Int(number)) && ledger.refusals.count == min(10, Int(number)))
            #expect(ledger.trades.first?.order == number)
        }
        #expect(ledger.trades.map(\.order) == [100, 99, 98, 97, 96, 95, 80, 60, 40, 20])
        #expect(ledger.refusals.map(\.time) == (91...100).reversed().map { at(Double($0)).wall })
        // What is open is never forgotten, however much there is of it.
        let settled = ledger.apply(
            .execution(
                event: .settled(
                    Settlement(
                        market: sample.id, side: .yes, winner: .yes, size: 50, cost: 35, fees: .zero, payout: 50,
                        source: .feed, time: at(900).wall))))
        #expect(settled.count == 5)
        #expect(ledger.trades.count { $0.status == .settled && $0.profit == 3 } == 5)
    }
}
