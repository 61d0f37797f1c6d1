import OddsCore
import OddsTestSupport
import OddsTrading
import Testing

@Suite struct ThresholdStrategyTests {
    private func proposals(
        _ snapshot: OddsSnapshot, at seconds: Double = 60, strategy: ThresholdStrategy = ThresholdStrategy(),
        hasTraded: Bool = false, terms: MarketTerms? = nil
    ) -> [Proposal] {
        var strategy = strategy
        return strategy.evaluate(
            MarketView(
                snapshot: snapshot, terms: terms ?? MarketTerms(snapshot.market), hasTraded: hasTraded, now: at(seconds)
            ))
    }

    private func intent(_ side: Side, _ limit: Price, _ size: Size, epoch: UInt64 = 1) -> [Proposal] {
        [.buy(OrderIntent(market: sample.id, side: side, limit: limit, size: size, epoch: epoch))]
    }

    @Test func theSideOverTheThresholdIsBoughtALittleOverItsBestOffer() {
        #expect(self.proposals(odds(0.69)) == [])
        #expect(self.proposals(odds(0.31)) == [])
        // Offered at 0.71, so at most 0.73; 5 dollars buy 6.84 shares at that.
        #expect(self.proposals(odds(0.70, epoch: 4)) == self.intent(.yes, 0.73, 6.84, epoch: 4))
        #expect(self.proposals(odds(0.30)) == self.intent(.no, 0.73, 6.84))
    }

    @Test func neverOverTheCap() {
        #expect(self.proposals(odds(0.93)) == self.intent(.yes, 0.95, 5.26))
        #expect(self.proposals(odds(0.94)) == self.intent(.yes, 0.95, 5.26))
        #expect(self.proposals(odds(0.95)) == [.pass(.yes, .priceAboveCap)])
    }

    @Test func theLimitIsAPriceOfTheMarket() {
        let terms = MarketTerms(tickSize: 0.1, minimumOrderSize: 5)
        #expect(self.proposals(odds(0.70), terms: terms) == self.intent(.yes, 0.7, 7.14))
        #expect(
            self.proposals(odds(0.70), terms: MarketTerms(tickSize: nil, minimumOrderSize: 5)) == [
                .pass(.yes, .tickSizeUnknown)
            ])
    }

    @Test func oncePerMarket() {
        #expect(self.proposals(odds(0.8), hasTraded: true) == [.pass(.yes, .alreadyTraded)])
        #expect(self.proposals(odds(0.5), hasTraded: true) == [])
    }

    @Test func onlyInTheEntryWindow() {
        let refused: [Proposal] = [.pass(.yes, .outsideEntryWindow)]
        #expect(self.proposals(odds(0.8), at: -0.001) == refused)
        #expect(self.proposals(odds(0.8), at: 0) != refused)
        #expect(self.proposals(odds(0.8), at: 869.999) != refused)
        #expect(self.proposals(odds(0.8), at: 870) == refused)
        let late = ThresholdStrategy(
            entry: EntryWindow(opensAfterStart: .seconds(600), closesBeforeEnd: .seconds(200)))
        #expect(self.proposals(odds(0.8), at: 599, strategy: late) == refused)
        #expect(self.proposals(odds(0.8), at: 600, strategy: late) != refused)
        #expect(self.proposals(odds(0.8), at: 700, strategy: late) == refused)
        // A market without a window has no entry window.
        let endless = odds(0.8, .sample("cup"))
        #expect(self.proposals(endless, at: -5000).count == 1)
        guard case .buy = self.proposals(endless, at: -5000)[0] else {
            Issue.record("a market without a window can always be entered")
            return
        }
    }

    @Test func withoutAnOfferNothingIsBought() {
        var yes = Quote(bid: 0.99, bidSize: 10)
        let snapshot = OddsSnapshot(
            market: sample, yes: yes, no: .empty, exchangeTime: at(0).wall, receiveTime: at(0), trust: .live, epoch: 1,
            source: .replay, sequence: 1)
        #expect(self.proposals(snapshot) == [.pass(.yes, .nothingOffered)])
        // By last trade both sides can be over: the higher one counts.
        yes.lastTrade = 0.8
        let both = OddsSnapshot(
            market: sample, yes: yes, no: Quote(ask: 0.9, askSize: 1, lastTrade: 0.85), exchangeTime: at(0).wall,
            receiveTime: at(0), trust: .live, epoch: 1, source: .replay, sequence: 1)
        #expect(self.proposals(both, strategy: ThresholdStrategy(basis: .lastTrade)) == self.intent(.no, 0.92, 5.43))
    }
}
