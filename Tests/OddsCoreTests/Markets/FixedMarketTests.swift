import OddsCore
import OddsTestSupport
import Testing

@Suite struct FixedMarketTests {
    private func time(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_777_428_000 + seconds) }
    private func text(_ actions: [MarketAction]) -> [String] { actions.map(\.description) }
    private let match = Market.sample(
        "match", window: MarketWindow(start: Timestamp(seconds: 0), end: Timestamp(seconds: 1_777_431_600)))

    @Test func itIsLookedUpUntilFoundAndFollowedUntilClosed() {
        var fixed = FixedMarket(.slug("match"))
        #expect(self.text(fixed.advance(to: self.time(0))) == ["look up match"])
        #expect(fixed.nextDeadline == nil)
        #expect(fixed.status == nil)
        let missing = MarketLookUpFailure(.missing, "Gamma has no match")
        #expect(self.text(fixed.lookedUp(.failure(missing), now: self.time(1))) == ["problem: Gamma has no match"])
        #expect(fixed.nextDeadline == self.time(2))
        #expect(self.text(fixed.advance(to: self.time(2))) == ["look up match"])
        #expect(fixed.lookedUp(.failure(missing), now: self.time(2)).isEmpty)
        #expect(fixed.nextDeadline == self.time(4))
        #expect(self.text(fixed.advance(to: self.time(4))) == ["look up match"])
        let found = Result<MarketFinding, MarketLookUpFailure>.success(MarketFinding(market: self.match))
        #expect(self.text(fixed.lookedUp(found, now: self.time(4))) == ["subscribe match", "problem: none"])
        #expect(fixed.status?.role == .fixed)
        #expect(fixed.status?.subscribed == true)

        // Seldom before its end, more often after it, and a failure changes nothing.
        #expect(fixed.nextDeadline == self.time(64))
        #expect(self.text(fixed.advance(to: self.time(64))) == ["look up match"])
        #expect(fixed.lookedUp(.failure(missing), now: self.time(64)).isEmpty)
        #expect(self.text(fixed.advance(to: self.time(3601))) == ["look up match"])
        #expect(fixed.lookedUp(found, now: self.time(3601)).isEmpty)
        #expect(fixed.nextDeadline == self.time(3616))
        #expect(self.text(fixed.advance(to: self.time(3616))) == ["look up match"])
        let won = MarketFinding(market: self.match, settlement: .won(.no))
        #expect(
            self.text(fixed.lookedUp(.success(won), now: self.time(3616))) == [
                "resolved match: no", "unsubscribe match",
            ])
        #expect(fixed.status?.winner == .no)
        #expect(fixed.status?.subscribed == false)
        #expect(fixed.nextDeadline == nil)
        #expect(fixed.resolved(self.match.id, winner: nil, at: self.time(3617)).isEmpty)
    }

    @Test func theFeedMayResolveItFirst() {
        var fixed = FixedMarket(.condition(self.match.id))
        #expect(self.text(fixed.advance(to: self.time(0))) == ["look up \(self.match.id)"])
        _ = fixed.lookedUp(.success(MarketFinding(market: self.match)), now: self.time(0))
        fixed.firstOdds(of: self.match.id, at: self.time(3))
        fixed.firstOdds(of: self.match.id, at: self.time(9))
        #expect(fixed.status?.firstOddsMilliseconds == self.time(3).milliseconds)
        #expect(fixed.resolved("another", winner: nil, at: self.time(5)).isEmpty)
        #expect(
            self.text(fixed.resolved(self.match.id, winner: self.match.yes.asset, at: self.time(5))) == [
                "resolved match: yes", "unsubscribe match",
            ])
        #expect(fixed.advance(to: self.time(900)).isEmpty)
    }

    @Test func aMarketClosedBeforeItWasFollowedIsSaidAndLeftAlone() {
        var fixed = FixedMarket(.slug("match"))
        _ = fixed.advance(to: self.time(0))
        let over = MarketFinding(market: self.match, settlement: .won(.yes))
        #expect(
            self.text(fixed.lookedUp(.success(over), now: self.time(0))) == [
                "problem: match is closed: there is nothing to follow"
            ])
        #expect(fixed.nextDeadline == nil)
        #expect(fixed.status == nil)
    }

    @Test func aMarketWithoutABookIsRetried() {
        var fixed = FixedMarket(.slug("match"))
        _ = fixed.advance(to: self.time(0))
        let bare = MarketFinding(market: self.match, hasOrderBook: false)
        #expect(
            self.text(fixed.lookedUp(.success(bare), now: self.time(0))) == ["problem: match has no order book"])
        #expect(fixed.nextDeadline == self.time(1))
    }

    @Test func aMarketClosedWithoutAWinnerIsLetGoAndItsWinnerLearntLater() {
        var fixed = FixedMarket(.slug("match"))
        _ = fixed.advance(to: self.time(0))
        _ = fixed.lookedUp(.success(MarketFinding(market: self.match)), now: self.time(0))
        _ = fixed.advance(to: self.time(60))
        let closed = MarketFinding(market: self.match, settlement: .closed)
        #expect(self.text(fixed.lookedUp(.success(closed), now: self.time(60))) == ["unsubscribe match"])
        #expect(self.text(fixed.advance(to: self.time(120))) == ["look up match"])
        #expect(fixed.lookedUp(.success(closed), now: self.time(120)).isEmpty)
        #expect(self.text(fixed.advance(to: self.time(180))) == ["look up match"])
        let split = MarketFinding(market: self.match, settlement: .split)
        #expect(self.text(fixed.lookedUp(.success(split), now: self.time(180))) == ["resolved match: none"])
        #expect(fixed.nextDeadline == nil)
    }
}
