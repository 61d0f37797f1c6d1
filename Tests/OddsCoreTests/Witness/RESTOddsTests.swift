import OddsCore
import OddsTestSupport
import Testing

@Suite struct RESTOddsTests {
    private let market = Market.sample("m")

    private func book(
        _ side: Side, at time: Int64 = 1000, bids: [(Price, Size)] = [(0.48, 10), (0.01, 500), (0.47, 20)],
        asks: [(Price, Size)] = [(0.99, 500), (0.5, 30), (0.51, 5)], trade: Price? = nil, market: MarketID = "0x-m"
    ) -> RESTBook {
        let asset: AssetID = side == .yes ? "m/up" : "m/down"
        return RESTBook(
            market: market, asset: asset, timestamp: Timestamp(milliseconds: time),
            bids: bids.map { Level(price: $0, size: $1) }, asks: asks.map { Level(price: $0, size: $1) },
            lastTradePrice: trade)
    }

    private func mirror(
        _ side: Side, at time: Int64 = 1000, trade: Price? = nil
    ) -> RESTBook {
        self.book(
            side, at: time, bids: [(0.5, 30), (0.01, 500), (0.49, 5)], asks: [(0.52, 10), (0.53, 20), (0.99, 500)],
            trade: trade)
    }

    @Test func mirrorsAreTwoBooksOfOneMoment() throws {
        let odds = try #require(RESTOdds(market: self.market, yes: self.book(.yes), no: self.mirror(.no)))
        #expect(odds.agreement == .mirrored)
        #expect(odds.yes == Quote(bid: 0.48, bidSize: 10, ask: 0.5, askSize: 30))
        #expect(odds.no == Quote(bid: 0.5, bidSize: 30, ask: 0.52, askSize: 10))
        #expect(odds.exchangeTime == Timestamp(milliseconds: 1000))
    }

    @Test(arguments: [Side.yes, .no])
    func theNewerAnswerTellsBothSides(newer: Side) throws {
        let odds = try #require(
            RESTOdds(
                market: self.market, yes: self.book(.yes, at: newer == .yes ? 2000 : 1999),
                no: self.book(.no, at: newer == .no ? 2000 : 1999)))
        #expect(odds.agreement == .newer(newer))
        #expect(odds.exchangeTime == Timestamp(milliseconds: 2000))
        let own = Quote(bid: 0.48, bidSize: 10, ask: 0.5, askSize: 30)
        let other = Quote(bid: 0.5, bidSize: 30, ask: 0.52, askSize: 10)
        #expect(odds.yes == (newer == .yes ? own : other))
        #expect(odds.no == (newer == .yes ? other : own))
    }

    @Test func oneMomentWithTwoStoriesIsSaid() throws {
        let odds = try #require(RESTOdds(market: self.market, yes: self.book(.yes), no: self.book(.no)))
        #expect(odds.agreement == .contradicting(.yes))
        #expect(odds.no == Quote(bid: 0.5, bidSize: 30, ask: 0.52, askSize: 10))
        // The one with a ghost's shape is the one that is not believed.
        let ghost = self.book(.yes, bids: [(0.01, 5)], asks: [(0.99, 5)])
        let second = try #require(RESTOdds(market: self.market, yes: ghost, no: self.mirror(.no)))
        #expect(second.agreement == .contradicting(.no))
        #expect(second.yes.bid == 0.48)
    }

    @Test func depthAndSizesBelongToTheMirror() {
        let yes = self.book(.yes)
        #expect(yes.mirrors(self.mirror(.no)))
        var other = self.mirror(.no)
        other.bids[0].size = 501
        #expect(!yes.mirrors(other))
        other = self.mirror(.no)
        other.asks.removeLast()
        #expect(!yes.mirrors(other))
    }

    @Test func oneAnswerIsEnough() throws {
        let yes = try #require(RESTOdds(market: self.market, yes: self.book(.yes), no: nil))
        #expect(yes.agreement == .single(.yes))
        #expect(yes.no.bid == 0.5)
        let no = try #require(RESTOdds(market: self.market, yes: nil, no: self.mirror(.no)))
        #expect(no.agreement == .single(.no))
        #expect(no.yes == yes.yes)
        #expect(no.no == yes.no)
    }

    @Test func aMarketOfOneTokenHasOneQuote() throws {
        let lone = Market(id: "0x-m", slug: "", yes: Outcome(label: "Yes", asset: "m/up"), no: nil)
        let odds = try #require(RESTOdds(market: lone, yes: self.book(.yes, trade: 0.48), no: nil))
        #expect(odds.yes.bid == 0.48)
        #expect(odds.no == .empty)
    }

    @Test func answersAboutSomethingElseAreNoAnswers() {
        #expect(RESTOdds(market: self.market, yes: nil, no: nil) == nil)
        #expect(RESTOdds(market: self.market, yes: self.book(.no), no: self.book(.yes)) == nil)
        #expect(RESTOdds(market: self.market, yes: self.book(.yes, market: "0x-other"), no: nil) == nil)
    }

    @Test func emptySidesStayEmptyOnTheOtherSide() throws {
        let odds = try #require(
            RESTOdds(market: self.market, yes: self.book(.yes, bids: [(0.99, 7)], asks: []), no: nil))
        #expect(odds.yes == Quote(bid: 0.99, bidSize: 7))
        #expect(odds.no == Quote(ask: 0.01, askSize: 7))
    }

    @Test(
        arguments: [
            // The number may be either token's price: what is known decides, else what lies nearer to the middle.
            (0.48, nil, 0.48), (0.52, nil, 0.48), (0.3, nil, 0.3), (0.3, 0.7, 0.7), (0.3, 0.2, 0.3), (nil, 0.61, 0.61),
            (nil, nil, nil),
        ] as [(Price?, Price?, Price?)])
    func theLastTradeIsReadInTermsOfItsToken(said: Price?, known: Price?, expected: Price?) throws {
        let yes = try #require(
            RESTOdds(market: self.market, yes: self.book(.yes, trade: said), no: nil, knownTrade: known))
        #expect(yes.yes.lastTrade == expected)
        #expect(yes.no.lastTrade == expected?.complement)
        let no = try #require(
            RESTOdds(market: self.market, yes: nil, no: self.mirror(.no, trade: said), knownTrade: known))
        #expect(no.yes.lastTrade == expected)
    }
}
