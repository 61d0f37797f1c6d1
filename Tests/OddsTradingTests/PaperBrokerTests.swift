import Foundation
import OddsCore
import OddsTestSupport
import OddsTrading
import Testing

/// Approves one order in the only way there is.
func approve(
    _ size: Size = 10, limit: Price = 0.75, side: Side = .yes, market: Market = sample, epoch: UInt64 = 1,
    after last: UInt64 = 0, at seconds: Double = 0
) throws -> RiskApproved {
    var book = RiskBook()
    if last > 0 {
        let earlier = try approve(market: market, after: last - 1)
        book.apply(.rejected(earlier.order, .insufficientFunds))
    }
    let check = RiskCheck(
        limits: RiskLimits(
            maximumStake: nil, maximumExposure: nil, maximumDailyLoss: nil, maximumOrdersPerMinute: nil))
    let verdict = check.examine(
        OrderIntent(market: market.id, side: side, limit: limit, size: size, epoch: epoch),
        snapshot: odds(0.7, market, at: seconds, epoch: epoch), terms: MarketTerms(market), book: book, now: at(seconds)
    )
    guard case .approved(let approved, nil) = verdict else {
        Issue.record("\(verdict)")
        throw CancellationError()
    }
    return approved
}

@Suite struct PaperBrokerTests {
    private func broker(_ cash: Money = 100, delay: Duration = .milliseconds(250)) -> PaperBroker {
        PaperBroker(account: PaperAccount(startingCash: cash), delay: delay)
    }

    private func book(
        _ asks: [(Price, Size)], market: Market = sample, side: Side = .yes, terms: MarketTerms? = nil,
        epoch: UInt64 = 1
    ) -> PaperBook {
        PaperBook(
            asset: side == .yes ? market.yes.asset : market.no?.asset ?? "",
            asks: asks.map { Level(price: $0, size: $1) }, terms: terms ?? MarketTerms(market), epoch: epoch)
    }

    private func execution(_ events: [ExecutionEvent]) throws -> Execution {
        guard events.count == 1, case .filled(let execution) = events[0] else {
            Issue.record("\(events)")
            throw CancellationError()
        }
        return execution
    }

    @Test func anOrderMeetsTheBookOneDelayAfterItWasDecided() throws {
        var broker = self.broker()
        let approved = try approve(at: 1)
        #expect(broker.nextDeadline == nil)
        #expect(broker.submit(approved, epoch: 1, now: at(1.1)) == [.accepted(approved.order)])
        #expect(broker.account.orders == [approved.order] && broker.account.reserved == approved.order.reserve)
        #expect(broker.nextDeadline == at(1.25).monotonic)
        #expect(broker.due(now: at(1.249).monotonic) == [])
        #expect(broker.fill(self.book([(0.7, 100)]), now: at(1.249)) == [])
        #expect(broker.due(now: at(1.25).monotonic) == [approved.order])
        let execution = try self.execution(broker.fill(self.book([(0.7, 100)]), now: at(1.25)))
        #expect(execution.fills == [Fill(price: 0.7, size: 10)] && execution.cost == 7 && execution.unfilled == .zero)
        #expect(execution.fee == 0.147 && execution.time == at(1.25).wall)
        #expect(broker.nextDeadline == nil)
        #expect(broker.account.cash == 92.853 && broker.account.fees == 0.147 && broker.account.equity == 99.853)
    }

    @Test func anOrderWalksTheDepthUpToItsLimitAndTheRestIsCancelled() throws {
        var broker = self.broker(delay: .zero)
        _ = broker.submit(try approve(), epoch: 1, now: at(0))
        // In the venue's order or any other; fractions of a lot are left alone; the limit itself is taken.
        let asks: [(Price, Size)] = [(0.76, 100), (0.75, 2.005), (0.72, 3), (0.74, 0.009), (0.73, 1.5)]
        let execution = try self.execution(broker.fill(self.book(asks), now: at(0)))
        #expect(
            execution.fills == [
                Fill(price: 0.72, size: 3), Fill(price: 0.73, size: 1.5), Fill(price: 0.75, size: 2),
            ])
        #expect(execution.size == 6.5 && execution.unfilled == 3.5)
        #expect(execution.cost == 4.755)  // 2.16 + 1.095 + 1.5
        // 0.07 · (3 · 0.2016 + 1.5 · 0.1971 + 2 · 0.1875) = 0.0892815, rounded up once.
        #expect(execution.fee == Money(rawValue: 89_282))
        #expect(broker.account.orders.isEmpty && broker.account.positions.map(\.size) == [6.5])
        #expect(broker.fill(self.book(asks), now: at(1)) == [])
    }

    @Test func withoutAnOfferAtTheLimitNothingIsBought() throws {
        var broker = self.broker(delay: .zero)
        let approved = try approve()
        _ = broker.submit(approved, epoch: 1, now: at(0))
        #expect(
            broker.fill(self.book([(0.76, 100), (0.7, 0.005)]), now: at(0)) == [
                .cancelled(approved.order.id, .nothingOffered, at: at(0).wall)
            ])
        #expect(broker.account.cash == 100 && broker.account.failedOrders == 1 && broker.account.orders.isEmpty)
    }

    @Test func ordersThatArriveTogetherTakeFromOneBook() throws {
        var broker = self.broker(delay: .zero)
        _ = broker.submit(try approve(), epoch: 1, now: at(0))
        _ = broker.submit(try approve(after: 1), epoch: 1, now: at(0))
        let events = broker.fill(self.book([(0.7, 12), (0.71, 3)]), now: at(0))
        let fills = events.map { event -> [Fill] in
            if case .filled(let execution) = event { execution.fills } else { [] }
        }
        #expect(
            fills == [
                [Fill(price: 0.7, size: 10)], [Fill(price: 0.7, size: 2), Fill(price: 0.71, size: 3)],
            ])
        #expect(broker.account.positions.count == 1 && broker.account.positions[0].size == 15)
        #expect(broker.account.positions[0].cost == 10.53)
    }

    @Test func anEpochThatMovedRefusesAtTheDeskAndAtTheVenue() throws {
        var broker = self.broker(delay: .zero)
        let first = try approve(epoch: 4)
        #expect(broker.submit(first, epoch: 5, now: at(0)) == [.rejected(first.order, .epochMoved)])
        let second = try approve(epoch: 5, after: 1)
        #expect(broker.submit(second, epoch: 5, now: at(0)) == [.accepted(second.order)])
        #expect(
            broker.fill(self.book([(0.7, 100)], epoch: 6), now: at(1)) == [
                .cancelled(second.order.id, .epochMoved, at: at(1).wall)
            ])
        #expect(broker.account.cash == 100 && broker.account.failedOrders == 2)
    }

    @Test func theVenueRefusesWhatItsTermsForbid() throws {
        let cases: [(RefusalReason, (inout MarketTerms) -> Void)] = [
            (.marketClosed, { $0.closed = true }), (.notAcceptingOrders, { $0.acceptingOrders = false }),
            (.tickSizeUnknown, { $0.tickSize = nil }), (.priceOffTick, { $0.tickSize = 0.1 }),
            (.belowMinimumOrderSize, { $0.minimumOrderSize = 10.01 }),
        ]
        for (reason, change) in cases {
            var broker = self.broker(delay: .zero)
            let approved = try approve()
            _ = broker.submit(approved, epoch: 1, now: at(0))
            var terms = MarketTerms(sample)
            change(&terms)
            #expect(
                broker.fill(self.book([(0.7, 100)], terms: terms), now: at(0)) == [
                    .cancelled(approved.order.id, reason, at: at(0).wall)
                ])
        }
    }

    @Test func moneyThatIsPromisedCannotBePromisedAgain() throws {
        // 10 · 0.75 + 10 · 0.07 · 0.75 · 0.25 = 7.63125
        var broker = self.broker(15.2624)
        #expect(broker.submit(try approve(), epoch: 1, now: at(0)).count == 1)
        let second = try approve(after: 1)
        #expect(broker.submit(second, epoch: 1, now: at(0)) == [.rejected(second.order, .insufficientFunds)])
        var richer = self.broker(15.2625)
        #expect(richer.submit(try approve(), epoch: 1, now: at(0)).count == 1)
        #expect(richer.submit(second, epoch: 1, now: at(0)) == [.accepted(second.order)])
        #expect(richer.account.available == .zero)
    }

    @Test func anApprovalIsGoodForOneOrder() throws {
        var broker = self.broker()
        let approved = try approve()
        _ = broker.submit(approved, epoch: 1, now: at(0))
        let again = broker.submit(approved, epoch: 1, now: at(0))
        #expect(again == [.rejected(approved.order, .duplicateOrder)])
        #expect(broker.account.orders.count == 1)
        // Nor does the refusal of the copy take the first one out of the risk.
        var risk = RiskBook(replaying: [.accepted(approved.order)] + again)
        #expect(risk.openOrders == 1)
        risk.apply(.cancelled(approved.order.id, .killSwitch, at: at(0).wall))
        #expect(risk.openOrders == 0)
    }

    @Test func theKillSwitchAndARestartTakeOrdersBack() throws {
        var broker = self.broker()
        let approved = try approve()
        _ = broker.submit(approved, epoch: 1, now: at(0))
        var restored = try JSONDecoder().decode(PaperBroker.self, from: JSONEncoder().encode(broker))
        #expect(restored.account == broker.account && restored.delay == broker.delay)
        #expect(
            restored.restarted(now: at(9)) == [.cancelled(approved.order.id, .restarted, at: at(9).wall)])
        #expect(restored.account.orders.isEmpty && restored.account.available == 100)
        #expect(
            broker.cancelAll(.killSwitch, now: at(1)) == [.cancelled(approved.order.id, .killSwitch, at: at(1).wall)])
        #expect(broker.cancelAll(.killSwitch, now: at(1)) == [])
    }

    @Test(arguments: [(Side.yes, Money(3.0)), (.no, -7.0), (nil, -2.0)])
    func aPositionIsPaidOut(winner: Side?, profit: Money) throws {
        var broker = self.broker(delay: .zero)
        _ = broker.submit(try approve(), epoch: 1, now: at(0))
        _ = broker.fill(self.book([(0.7, 100)]), now: at(0))
        // One more on its way when the market is decided.
        let late = try approve(after: 1)
        _ = broker.submit(late, epoch: 1, now: at(1))
        let events = broker.settle(sample.id, winner: winner, source: .feed, now: at(900))
        #expect(events.first == .cancelled(late.order.id, .marketClosed, at: at(900).wall))
        guard case .settled(let settlement) = events.last, events.count == 2 else {
            Issue.record("\(events)")
            return
        }
        #expect(settlement.profit == profit && settlement.netProfit == profit - 0.147 && settlement.winner == winner)
        #expect(broker.settle(sample.id, winner: winner, source: .feed, now: at(901)) == [])
        let account = broker.account
        #expect(account.cash == 100 + profit - 0.147 && account.positions.isEmpty && account.equity == account.cash)
        #expect(account.profit == profit && account.netProfit == profit - 0.147)
        #expect(account.settledPositions == 1 && account.hits == (winner == .yes ? 1 : 0))
        #expect(account.hitRate == (winner == .yes ? 1 : 0))
    }

    @Test func theDrawdownIsTheDeepestFallFromAPeak() throws {
        var broker = self.broker(delay: .zero)
        #expect(broker.account.hitRate == nil)
        var number: UInt64 = 0
        for winner in [Side.yes, .no, .no, .yes, .yes, .no] {
            _ = broker.submit(try approve(after: number), epoch: 1, now: at(0))
            _ = broker.fill(self.book([(0.7, 100)]), now: at(0))
            _ = broker.settle(sample.id, winner: winner, source: .feed, now: at(0))
            number += 1
        }
        // +3, −7, −7, +3, +3, −7, each less 0.147: from the peak of 102.853 to 88.559, then to 94.265 and 87.118.
        #expect(broker.account.peakEquity == 102.853)
        #expect(broker.account.maximumDrawdown == 15.735)
        #expect(broker.account.cash == 87.118 && broker.account.hitRate == 0.5)
    }

    @Test func aMarketBoughtOnBothSidesPaysOneOfThem() throws {
        var broker = self.broker(delay: .zero)
        _ = broker.submit(try approve(), epoch: 1, now: at(0))
        _ = broker.submit(try approve(limit: 0.4, side: .no, after: 1), epoch: 1, now: at(0))
        _ = broker.fill(self.book([(0.7, 100)]), now: at(0))
        _ = broker.fill(self.book([(0.4, 100)], side: .no), now: at(0))
        #expect(broker.account.positions.map(\.side) == [.yes, .no])
        _ = broker.settle(sample.id, winner: .no, source: .feed, now: at(0))
        #expect(broker.account.profit == -1 && broker.account.settledPositions == 2 && broker.account.hits == 1)
    }
}
