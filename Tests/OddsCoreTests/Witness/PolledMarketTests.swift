import OddsCore
import OddsTestSupport
import Testing

/// Transcripts of one market's life at a poller.
@Suite struct PolledMarketTests {
    private let board = OddsBoard()
    private let market = Market.sample(
        "m", window: MarketWindow(start: Timestamp(seconds: 0), end: Timestamp(seconds: 900)))

    private func polled() -> PolledMarket { PolledMarket(slot: self.board.add(self.market), board: self.board) }

    private var shown: OddsSnapshot? { self.board.currentOdds(self.market.id) }

    private func at(_ seconds: Int64) -> ReceiveTime {
        ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: seconds * 1_000_000_000), unixNanoseconds: seconds * 1_000_000_000)
    }

    private func book(_ side: Side, at seconds: Int64, bid: Price?, ask: Price?, size: Size = 10) -> PolledMarket.Answer
    {
        .book(
            RESTBook(
                market: "0x-m", asset: side == .yes ? "m/up" : "m/down", timestamp: Timestamp(seconds: seconds),
                bids: bid.map { [Level(price: $0, size: size)] } ?? [],
                asks: ask.map { [Level(price: $0, size: size)] } ?? []))
    }

    /// Both tokens of one moment.
    private func answer(
        _ polled: inout PolledMarket, at seconds: Int64, bid: Price?, ask: Price?, book time: Int64? = nil
    ) -> PolledMarket.Outcome {
        let time = time ?? seconds
        return polled.answered(
            yes: self.book(.yes, at: time, bid: bid, ask: ask),
            no: self.book(.no, at: time, bid: ask?.complement, ask: bid?.complement), at: self.at(seconds))
    }

    @Test func oddsAreFallbackAndFromThePoller() throws {
        var polled = self.polled()
        #expect(self.shown == nil)
        let outcome = self.answer(&polled, at: 10, bid: 0.48, ask: 0.5, book: 7)
        #expect(outcome.isConfirmed)
        #expect(outcome.agreement == .mirrored)
        #expect(outcome.change == PolledMarket.Change(values: true, previousTrust: nil))
        let shown = try #require(self.shown)
        #expect(shown.trust == .fallback)
        #expect(shown.source == .poller)
        #expect(shown.yes == Quote(bid: 0.48, bidSize: 10, ask: 0.5, askSize: 10))
        #expect(shown.no == Quote(bid: 0.5, bidSize: 10, ask: 0.52, askSize: 10))
        #expect(shown.exchangeTime == Timestamp(seconds: 7))
        #expect(shown.receiveTime == self.at(10))
        #expect(shown.sequence == 1)
    }

    @Test func theSameOddsAreConfirmedWithoutANewsItem() throws {
        var polled = self.polled()
        _ = self.answer(&polled, at: 10, bid: 0.48, ask: 0.5, book: 7)
        let outcome = self.answer(&polled, at: 70, bid: 0.48, ask: 0.5, book: 7)
        #expect(outcome.isConfirmed)
        #expect(outcome.change == nil)
        #expect(self.shown?.receiveTime == self.at(70))
        #expect(self.shown?.sequence == 2)
        #expect(self.shown?.epoch == 1)
    }

    @Test func failuresInARowMakeTheOddsStale() throws {
        var polled = self.polled()
        _ = self.answer(&polled, at: 10, bid: 0.48, ask: 0.5)
        #expect(polled.answered(yes: .failed, no: .failed, at: self.at(70)).change == nil)
        #expect(self.shown?.trust == .fallback)
        let outcome = polled.answered(yes: .failed, no: .failed, at: self.at(71))
        #expect(outcome.change == PolledMarket.Change(values: false, previousTrust: .fallback))
        var shown = try #require(self.shown)
        #expect(shown.trust == .stale(since: self.at(10), reason: .disconnected))
        #expect(shown.yes.bid == 0.48)
        #expect(shown.epoch == 2)
        // It is said once.
        #expect(polled.answered(yes: .failed, no: .failed, at: self.at(73)).change == nil)
        #expect(polled.failures == 3)
        let back = self.answer(&polled, at: 80, bid: 0.47, ask: 0.5)
        #expect(back.change?.values == true)
        #expect(back.change?.previousTrust == .stale(since: self.at(10), reason: .disconnected))
        shown = try #require(self.shown)
        #expect(shown.trust == .fallback)
        #expect(shown.epoch == 2)
        #expect(polled.failures == 0)
    }

    @Test func oneTokensAnswerIsEnough() throws {
        var polled = self.polled()
        let outcome = polled.answered(
            yes: .failed, no: self.book(.no, at: 10, bid: 0.5, ask: 0.52), at: self.at(10))
        #expect(outcome.agreement == .single(.no))
        #expect(self.shown?.yes.bid == 0.48)
        #expect(polled.failures == 0)
    }

    @Test func aGhostIsNeverShown() throws {
        var polled = self.polled()
        _ = self.answer(&polled, at: 10, bid: 0.48, ask: 0.5)
        for second in Int64(11)...12 {
            let outcome = self.answer(&polled, at: second, bid: 0.01, ask: 0.99, book: 11)
            #expect(outcome.ghosts == 2)
            #expect(!outcome.isConfirmed)
        }
        let shown = try #require(self.shown)
        #expect(shown.yes.bid == 0.48)
        #expect(shown.trust == .stale(since: self.at(10), reason: .frozen))
        // The third answer in a row confirms that it is none.
        #expect(self.answer(&polled, at: 14, bid: 0.01, ask: 0.99, book: 11).isConfirmed)
        #expect(self.shown?.yes.bid == 0.01)
    }

    @Test func aGhostOfOneTokenDoesNotHideTheOther() {
        var polled = self.polled()
        let outcome = polled.answered(
            yes: self.book(.yes, at: 10, bid: 0.01, ask: 0.99), no: self.book(.no, at: 10, bid: 0.5, ask: 0.52),
            at: self.at(10))
        #expect(outcome.ghosts == 1)
        #expect(outcome.agreement == .single(.no))
        #expect(self.shown?.yes.bid == 0.48)
    }

    @Test func anOlderAnswerIsNeverShown() throws {
        var polled = self.polled()
        _ = self.answer(&polled, at: 10, bid: 0.48, ask: 0.5)
        let outcome = self.answer(&polled, at: 20, bid: 0.3, ask: 0.4, book: 9)
        #expect(outcome.older == 2)
        #expect(self.shown?.yes.bid == 0.48)
        #expect(self.shown?.receiveTime == self.at(10))
    }

    @Test func answersOfOneQuestionDoNotSpeakAgainstEachOther() {
        var polled = self.polled()
        let outcome = polled.answered(
            yes: self.book(.yes, at: 12, bid: 0.6, ask: 0.62), no: self.book(.no, at: 11, bid: 0.5, ask: 0.52),
            at: self.at(13))
        #expect(outcome.older == 0)
        #expect(outcome.agreement == .newer(.yes))
        #expect(self.shown?.no.bid == 0.38)
    }

    @Test func anotherMarketsBookIsNotShown() {
        var polled = self.polled()
        let foreign = RESTBook(
            market: "0x-n", asset: "m/up", timestamp: Timestamp(seconds: 10), bids: [Level(price: 0.5, size: 1)],
            asks: [])
        let outcome = polled.answered(yes: .book(foreign), no: .failed, at: self.at(10))
        #expect(outcome.foreign == 1)
        #expect(self.shown == nil)
    }

    @Test func theWindowsEndAndTheDecisionAreShown() {
        var polled = self.polled()
        _ = self.answer(&polled, at: 890, bid: 0.7, ask: 0.72)
        #expect(polled.advance(to: Timestamp(seconds: 899)) == nil)
        #expect(
            polled.advance(to: Timestamp(seconds: 900)) == PolledMarket.Change(values: false, previousTrust: .fallback))
        #expect(self.shown?.trust == .resolving)
        // That the book is gone is what is expected now; that nobody answers is not.
        #expect(polled.answered(yes: .absent, no: .absent, at: self.at(901)).change == nil)
        #expect(polled.failures == 0)
        _ = polled.answered(yes: .failed, no: .failed, at: self.at(902))
        _ = polled.answered(yes: .failed, no: .failed, at: self.at(903))
        #expect(self.shown?.trust == .stale(since: self.at(890), reason: .disconnected))
        #expect(polled.answered(yes: .absent, no: .absent, at: self.at(904)).change != nil)
        #expect(self.shown?.trust == .resolving)
        #expect(polled.close()?.previousTrust == .resolving)
        #expect(self.shown?.trust == .closed)
        #expect(polled.isClosed)
        #expect(polled.stop() == nil)
        #expect(polled.advance(to: Timestamp(seconds: 0)) == nil)
    }

    @Test func aWallClockThatWasSetBackMakesItTradeAgain() {
        var polled = self.polled()
        _ = self.answer(&polled, at: 890, bid: 0.7, ask: 0.72)
        _ = polled.advance(to: Timestamp(seconds: 901))
        #expect(polled.advance(to: Timestamp(seconds: 400)) != nil)
        #expect(self.shown?.trust == .fallback)
    }

    @Test func beforeTheFirstOddsThereIsNothingToShow() {
        var polled = self.polled()
        for second in Int64(1)...5 {
            #expect(polled.answered(yes: .absent, no: .absent, at: self.at(second)).change == nil)
        }
        #expect(polled.failures == 5)
        #expect(polled.stop() == nil)
        #expect(self.shown == nil)
    }

    @Test func theEndMakesTheOddsStale() {
        var polled = self.polled()
        _ = self.answer(&polled, at: 10, bid: 0.7, ask: 0.72)
        #expect(polled.stop() == PolledMarket.Change(values: false, previousTrust: .fallback))
        #expect(self.shown?.trust == .stale(since: self.at(10), reason: .stopped))
    }
}
