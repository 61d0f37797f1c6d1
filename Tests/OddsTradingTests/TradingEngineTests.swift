import OddsCore
import OddsTestSupport
import Testing

@testable import OddsTrading

/// Buys what it was told to, whatever the market.
struct Fixed: Strategy {
    var limit: Price = 0.73
    var size: Size = 5

    func evaluate(_ view: MarketView) -> [Proposal] {
        [
            .buy(
                OrderIntent(
                    market: view.snapshot.marketID, side: .yes, limit: self.limit, size: self.size,
                    epoch: view.snapshot.epoch))
        ]
    }
}

extension [Decision] {
    /// The orders to submit.
    var orders: [Order] {
        self.compactMap { if case .submit(let approved) = $0 { approved.order } else { nil } }
    }
    /// The refusals' reasons.
    var reasons: [RefusalReason] {
        self.compactMap { if case .refuse(let refusal) = $0 { refusal.reason } else { nil } }
    }
    /// The warnings.
    var warnings: [StaleWarning] {
        self.compactMap { if case .warn(let warning) = $0 { warning } else { nil } }
    }
    /// What is to be handed to a broker.
    var approved: [RiskApproved] {
        self.compactMap { if case .submit(let approved) = $0 { approved } else { nil } }
    }
}

@Suite struct TradingEngineTests {
    private func engine(
        _ limits: RiskLimits = RiskLimits(), stale: StalePolicy = .warn, _ strategy: Fixed = Fixed()
    ) -> TradingEngine<Fixed> {
        TradingEngine(strategy: strategy, riskCheck: RiskCheck(limits: limits, stalePolicy: stale))
    }

    /// What one change leads to.
    private func decide(
        _ snapshot: OddsSnapshot, at seconds: Double = 1, _ limits: RiskLimits = RiskLimits(),
        stale: StalePolicy = .warn, strategy: Fixed = Fixed(), terms: MarketTerms? = nil
    ) -> [Decision] {
        var engine = self.engine(limits, stale: stale, strategy)
        if let terms { #expect(engine.process(.terms(snapshot.marketID, terms, now: at(seconds))) == []) }
        return engine.process(.odds(snapshot, now: at(seconds)))
    }

    @Test func anApprovedOrderCarriesAllThatItWasDecidedUnder() throws {
        var engine = TradingEngine(strategy: ThresholdStrategy())
        #expect(engine.process(.odds(odds(0.69, epoch: 9), now: at(1))) == [])
        let decisions = engine.process(.odds(odds(0.70, epoch: 9), now: at(2)))
        let order = try #require(decisions.orders.first)
        #expect(decisions.count == 1)
        #expect(order.id.rawValue == 1 && order.market == sample.id && order.slug == "btc" && order.side == .yes)
        #expect(order.asset == sample.yes.asset && order.limit == 0.73 && order.size == 6.84 && order.epoch == 9)
        #expect(order.fees == .crypto && order.decidedAt == at(2).wall && order.decidedInstant == at(2).monotonic)
        // 6.84 · 0.73 = 4.9932, and 6.84 · 0.07 · 0.73 · 0.27 = 0.094371…
        #expect(order.reserve == 4.9932 + Money(rawValue: 94_372))
        #expect(engine.book.exposure == order.reserve && engine.book.openOrders == 1)
    }

    @Test func aMarketIsBoughtOnceAndToldOnce() {
        var engine = TradingEngine(strategy: ThresholdStrategy())
        #expect(engine.process(.odds(odds(0.72), now: at(1))).orders.count == 1)
        #expect(engine.process(.odds(odds(0.73), now: at(2))).reasons == [.alreadyTraded])
        #expect(engine.process(.odds(odds(0.74), now: at(3))) == [])
        #expect(engine.process(.clock(now: at(4))) == [])
        // The other side of the same market is the same market.
        #expect(engine.process(.odds(odds(0.2), now: at(5))).reasons == [.alreadyTraded])
        // Another market is not.
        #expect(engine.process(.odds(odds(0.8, .sample("eth")), now: at(6))).orders.map(\.id.rawValue) == [2])
    }

    @Test func anOrderThatBoughtNothingLeavesTheMarketOpen() throws {
        var engine = TradingEngine(strategy: ThresholdStrategy())
        let order = try #require(engine.process(.odds(odds(0.72), now: at(1))).orders.first)
        _ = engine.process(.execution(.accepted(order)))
        #expect(engine.book.openOrders == 1)
        _ = engine.process(.execution(.cancelled(order.id, .nothingOffered, at: at(2).wall)))
        #expect(engine.book.openOrders == 0 && engine.book.exposure == .zero)
        #expect(engine.process(.odds(odds(0.72), now: at(3))).orders.map(\.id.rawValue) == [2])
    }

    @Test func theEntryWindowOpensByTheClock() {
        var engine = TradingEngine(strategy: ThresholdStrategy())
        #expect(engine.process(.odds(odds(0.8), now: at(-10))).reasons == [.outsideEntryWindow])
        #expect(engine.process(.clock(now: at(-1))) == [])
        #expect(engine.process(.clock(now: at(0))).orders.count == 1)
    }

    @Test func theKillSwitchRefusesAndTakesBack() {
        var engine = self.engine()
        #expect(engine.process(.killSwitch(isOn: false, now: at(0))) == [])
        #expect(engine.process(.killSwitch(isOn: true, now: at(0))) == [.cancelOpenOrders])
        #expect(engine.process(.killSwitch(isOn: true, now: at(0))) == [])
        #expect(engine.isKilled)
        #expect(engine.process(.odds(odds(0.7), now: at(1))).reasons == [.killSwitch])
        #expect(engine.process(.killSwitch(isOn: false, now: at(2))) == [])
        #expect(engine.process(.clock(now: at(3))).orders.count == 1)
    }

    @Test func staleOddsAreGoneOnWithAsFarAsThePolicyAllows() {
        let stale = odds(0.7, trust: .stale(since: at(10), reason: .frozen))
        let warned = self.decide(stale, at: 12, stale: .warn)
        #expect(warned.orders.count == 1)
        #expect(warned.warnings.map(\.age) == [.seconds(2)])
        #expect(warned.warnings.first?.trust == stale.trust && warned.warnings.first?.market == sample.id)
        guard case .warn = warned.first else {
            Issue.record("the warning comes before the order")
            return
        }
        #expect(self.decide(stale, at: 12, stale: .halt).reasons == [.staleOdds])
        #expect(self.decide(stale, at: 12, stale: .maximumAge(.seconds(2))).warnings.count == 1)
        #expect(self.decide(stale, at: 12.001, stale: .maximumAge(.seconds(2))).reasons == [.staleOdds])
    }

    @Test func suspectOddsAreJudgedByTheirAge() {
        let suspect = odds(0.7, at: 10, trust: .suspect(.hashMismatch))
        #expect(self.decide(suspect, at: 11, stale: .warn).warnings.map(\.age) == [.seconds(1)])
        #expect(self.decide(suspect, at: 11, stale: .halt).reasons == [.staleOdds])
        #expect(self.decide(suspect, at: 11, stale: .maximumAge(.seconds(1))).orders.count == 1)
        #expect(self.decide(suspect, at: 12, stale: .maximumAge(.seconds(1))).reasons == [.staleOdds])
    }

    @Test(arguments: [Trust.live, .fallback])
    func confirmedOddsNeedNoWarningHoweverQuiet(trust: Trust) {
        let decisions = self.decide(odds(0.7, trust: trust), at: 500, stale: .maximumAge(.seconds(1)))
        #expect(decisions.orders.count == 1 && decisions.count == 1)
    }

    @Test(arguments: [Trust.resolving, .closed])
    func aMarketThatIsOverIsNotBought(trust: Trust) {
        #expect(self.decide(odds(0.7, trust: trust)).reasons == [.marketClosed])
    }

    @Test func aSeriesWindowEndsByTheClockAndAnyOtherByTheVenue() {
        let placed = sample.placed(in: "btc-updown-15m", window: window)
        #expect(self.decide(odds(0.7, placed), at: 899.999).orders.count == 1)
        #expect(self.decide(odds(0.7, placed), at: 900).reasons == [.marketClosed])
        #expect(self.decide(odds(0.7), at: 900).orders.count == 1)
    }

    @Test func theTermsOfTheVenueHold() {
        let usual = MarketTerms(sample)
        var terms = usual
        terms.closed = true
        #expect(self.decide(odds(0.7), terms: terms).reasons == [.marketClosed])
        terms = usual
        terms.acceptingOrders = false
        #expect(self.decide(odds(0.7), terms: terms).reasons == [.notAcceptingOrders])
        terms = usual
        terms.tickSize = nil
        #expect(self.decide(odds(0.7), terms: terms).reasons == [.tickSizeUnknown])
        terms.tickSize = .zero
        #expect(self.decide(odds(0.7), terms: terms).reasons == [.tickSizeUnknown])
        terms = usual
        terms.minimumOrderSize = 5.01
        #expect(self.decide(odds(0.7), terms: terms).reasons == [.belowMinimumOrderSize])
        terms = usual
        terms.tickSize = 0.1
        #expect(self.decide(odds(0.7), terms: terms).reasons == [.priceOffTick])
        #expect(self.decide(odds(0.7), strategy: Fixed(limit: 0.735)).reasons == [.priceOffTick])
        #expect(self.decide(odds(0.7), strategy: Fixed(limit: .one)).reasons == [.priceOffTick])
        #expect(self.decide(odds(0.7), strategy: Fixed(limit: .zero)).reasons == [.priceOffTick])
        #expect(self.decide(odds(0.7), strategy: Fixed(size: 5.001)).reasons == [.sizeOffLot])
    }

    @Test func whatDiscoverySaidHoldsUntilTheTermsAreTold() {
        #expect(self.decide(odds(0.7, .sample("a", closed: true))).reasons == [.marketClosed])
        #expect(self.decide(odds(0.7, .sample("a", acceptingOrders: false))).reasons == [.notAcceptingOrders])
        // Only the feed knows this market.
        let bare = Market(id: "0x1", slug: "", yes: Outcome(label: "", asset: "1"), no: nil)
        #expect(self.decide(odds(0.7, bare)).reasons == [.tickSizeUnknown])
        #expect(self.decide(odds(0.7, trust: .suspect(.tickSizeChanged))).reasons == [.tickSizeUnknown])
    }

    @Test func anIntentFromOutsideMeetsTheSameCheck() {
        var engine = self.engine(RiskLimits(), Fixed(size: 1))  // the strategy's own are too small
        let intent = OrderIntent(market: sample.id, side: .no, limit: 0.4, size: 5, epoch: 3)
        #expect(engine.process(.intent(intent, now: at(0))).reasons == [.unknownMarket])
        #expect(engine.process(.odds(odds(0.7, epoch: 3), now: at(1))).reasons == [.belowMinimumOrderSize])
        #expect(engine.process(.intent(intent, now: at(2))).orders.map(\.asset) == [sample.no?.asset])
        // Continuity was lost since it was decided; every refusal from outside is told.
        #expect(engine.process(.odds(odds(0.7, epoch: 4), now: at(3))) == [])
        #expect(engine.process(.intent(intent, now: at(4))).reasons == [.epochMoved])
        #expect(engine.process(.intent(intent, now: at(5))).reasons == [.epochMoved])
        _ = engine.process(.marketEnded(sample.id))
        #expect(engine.process(.intent(intent, now: at(6))).reasons == [.unknownMarket])
        // A side whose token is not known cannot be bought.
        let half = Market(id: "0x2", slug: "half", yes: Outcome(label: "", asset: "1"), no: nil)
        _ = engine.process(.odds(odds(0.7, half), now: at(7)))
        let other = OrderIntent(market: "0x2", side: .no, limit: 0.4, size: 5, epoch: 1)
        #expect(engine.process(.intent(other, now: at(8))).reasons == [.unknownMarket])
    }

    @Test func theStakeIsTheWholeCost() {
        // 5 · 0.73 = 3.65 and 5 · 0.07 · 0.73 · 0.27 = 0.068985
        #expect(self.decide(odds(0.7), RiskLimits(maximumStake: 3.718985)).orders.count == 1)
        #expect(self.decide(odds(0.7), RiskLimits(maximumStake: 3.718984)).reasons == [.stakeLimit])
    }

    @Test func ordersOnTheirWayCountAsExposureAtOnce() {
        var engine = self.engine(RiskLimits(maximumExposure: 7.5, maximumOrdersPerMinute: nil))
        #expect(engine.process(.odds(odds(0.7), now: at(1))).orders.count == 1)
        #expect(engine.process(.odds(odds(0.7), now: at(2))).orders.count == 1)
        #expect(engine.process(.odds(odds(0.7), now: at(3))).reasons == [.exposureLimit])
        #expect(engine.process(.odds(odds(0.7), now: at(4))) == [])  // told once
        _ = engine.process(.execution(.cancelled(OrderID(rawValue: 1), .nothingOffered, at: at(5).wall)))
        #expect(engine.process(.odds(odds(0.7), now: at(6))).orders.count == 1)
    }

    @Test func onlySoManyOrdersInAMinute() {
        var engine = self.engine(RiskLimits(maximumExposure: nil, maximumOrdersPerMinute: 2))
        #expect(engine.process(.odds(odds(0.7), now: at(1))).orders.count == 1)
        #expect(engine.process(.odds(odds(0.7), now: at(30))).orders.count == 1)
        #expect(engine.process(.odds(odds(0.7), now: at(60.999))).reasons == [.orderRateLimit])
        #expect(engine.process(.odds(odds(0.7), now: at(61))).orders.count == 1)
        #expect(engine.process(.odds(odds(0.7), now: at(62))).reasons == [.orderRateLimit])
    }

    @Test func aDaysLossEndsTheDay() throws {
        var engine = self.engine(RiskLimits(maximumDailyLoss: 7, maximumOrdersPerMinute: nil))
        var broker = PaperBroker(account: PaperAccount(startingCash: 1000), delay: .zero)
        func lose(_ seconds: Double) {
            for approved in engine.process(.odds(odds(0.72), now: at(seconds))).approved {
                var events = broker.submit(approved, epoch: 1, now: at(seconds))
                let book = PaperBook(
                    asset: sample.yes.asset, asks: [Level(price: 0.73, size: 5)], terms: MarketTerms(sample), epoch: 1)
                events += broker.fill(book, now: at(seconds))
                events += broker.settle(sample.id, winner: .no, source: .feed, now: at(seconds))
                for event in events { _ = engine.process(.execution(event)) }
            }
        }
        lose(1)
        #expect(engine.book.loss(on: at(2).wall) == 3.718985 && engine.book.exposure == .zero)
        lose(2)
        #expect(engine.book.loss(on: at(3).wall) == 7.43797)
        #expect(engine.process(.odds(odds(0.72), now: at(3))).reasons == [.dailyLossLimit])
        // The origin is the beginning of a day.
        #expect(engine.process(.odds(odds(0.72), now: at(86_399))) == [])
        #expect(engine.process(.odds(odds(0.72), now: at(86_400))).orders.count == 1)
        #expect(broker.account.cash == 1000 - 7.43797)
    }

    @Test func theBookOfTheRecordIsTheBookOfTheEngine() throws {
        var engine = TradingEngine(strategy: ThresholdStrategy())
        var broker = PaperBroker(account: PaperAccount(startingCash: 5.2), delay: .zero)
        var record: [ExecutionEvent] = []
        for (number, slug) in ["a", "b", "c"].enumerated() {
            let market = Market.sample(slug)
            for approved in engine.process(.odds(odds(0.8, market), now: at(Double(number)))).approved {
                var events = broker.submit(approved, epoch: 1, now: at(Double(number)))
                if slug == "a" {
                    let asks = [Level(price: 0.8, size: 1)]
                    events += broker.fill(
                        PaperBook(asset: market.yes.asset, asks: asks, terms: MarketTerms(market), epoch: 1),
                        now: at(Double(number)))
                }
                for event in events { _ = engine.process(.execution(event)) }
                record += events
            }
        }
        #expect(RiskBook(replaying: record) == engine.book)
        #expect(engine.book.lastOrder.rawValue == 3)
        // A restarted engine buys none of them again, and goes on counting.
        var restarted = TradingEngine(strategy: ThresholdStrategy(), book: RiskBook(replaying: record))
        #expect(restarted.process(.odds(odds(0.8, .sample("a")), now: at(9))).reasons == [.alreadyTraded])
        #expect(restarted.process(.odds(odds(0.8, .sample("d")), now: at(9))).orders.map(\.id.rawValue) == [4])
    }

    @Test func anOrderCarriesTheEpochOfTheOddsItWasDecidedOn() {
        // The poller takes over: the spike keeps its first epoch, the order has the latest.
        var detector = SpikeDetector()
        var engine = TradingEngine(strategy: ThresholdStrategy(priceCap: 0.75))
        let first = odds(0.9, epoch: 7)
        let second = odds(0.72, at: 1, trust: .fallback, epoch: 8)
        _ = detector.observe(first, now: at(0))
        _ = detector.observe(second, now: at(1))
        #expect(detector.current.map(\.epoch) == [7])
        #expect(engine.process(.odds(first, now: at(0))).reasons == [.priceAboveCap])
        #expect(engine.process(.odds(second, now: at(1))).orders.map(\.epoch) == [8])
    }

    @Test func ofTwoReasonsThatTakeTurnsTheOneThatStaysIsToldInTheEnd() {
        var engine = TradingEngine(strategy: ThresholdStrategy())
        var terms = MarketTerms(sample)
        func accepting(_ isAccepting: Bool, at seconds: Double) -> [RefusalReason] {
            terms.acceptingOrders = isAccepting
            terms.minimumOrderSize = 1000
            return engine.process(.terms(sample.id, terms, now: at(seconds))).reasons
        }
        #expect(engine.process(.odds(odds(0.96), now: at(0))).reasons == [.priceAboveCap])
        #expect(engine.process(.odds(odds(0.7), now: at(0))).orders.count == 1)
        _ = engine.process(.execution(.cancelled(OrderID(rawValue: 1), .nothingOffered, at: at(0).wall)))
        #expect(accepting(false, at: 1) == [.notAcceptingOrders])
        #expect(accepting(true, at: 2) == [.belowMinimumOrderSize])
        #expect(accepting(false, at: 3) == [])
        #expect(engine.process(.clock(now: at(60.9))) == [])
        // It was never told that it is this one again; a minute after it was told last, it is.
        #expect(engine.process(.clock(now: at(61))).reasons == [.notAcceptingOrders])
        #expect(engine.process(.clock(now: at(200))) == [])
    }
}

@Suite struct RiskBookTests {
    private func lost(_ amount: Money, at seconds: Double) -> ExecutionEvent {
        .settled(
            Settlement(
                market: sample.id, side: .yes, winner: .no, size: 10, cost: amount, fees: .zero, payout: .zero,
                source: .feed, time: at(seconds).wall))
    }

    @Test func aClockThatIsSetBackOverMidnightForgivesNothing() {
        var book = RiskBook()
        book.apply(self.lost(50, at: 86_390))
        book.apply(self.lost(3, at: 86_401))
        #expect(book.loss(on: at(86_402).wall) == 3)
        // Back on the day before: what was lost on it is still lost.
        #expect(book.loss(on: at(86_395).wall) == 50)
        book.apply(self.lost(2, at: 86_396))
        #expect(book.loss(on: at(86_397).wall) == 52 && book.loss(on: at(86_403).wall) == 3)
    }

    @Test func aClockThatWasFarAheadForAWhileDoesNotLiftTheLimit() {
        var book = RiskBook()
        book.apply(self.lost(7, at: 10))
        book.apply(self.lost(1, at: 400 * 86_400))
        #expect(book.loss(on: at(11).wall) == 7)
        book.apply(self.lost(4, at: 12))
        #expect(book.loss(on: at(13).wall) == 11)
        // A day that is long gone is forgotten.
        for day in 1...20 { book.apply(self.lost(1, at: Double(day) * 86_400)) }
        #expect(book.loss(on: at(20 * 86_400).wall) == 1 && book.loss(on: at(14).wall) == .zero)
    }
}
