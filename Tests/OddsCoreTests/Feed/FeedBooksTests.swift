import OddsCore
import OddsTestSupport
import Testing

/// From frames to the board: what is published, when, and how far it is trusted.
@Suite struct FeedBooksTests {
    private let t: Int64 = 1_790_000_000_000

    /// A market with both books in: 0.48 to 0.52.
    private func live() -> FeedHarness {
        let feed = FeedHarness()
        feed.receive(feed.dump(self.t))
        _ = feed.drain()
        _ = feed.witness.take()
        return feed
    }

    // MARK: Snapshots

    @Test func nothingIsPublishedBeforeBothBooksAreIn() {
        let feed = FeedHarness()
        feed.receive(feed.change(self.t, .bids, 0.5, 10, best: (0.5, 0.52)))
        #expect(feed.snapshot == nil)
        #expect(feed.counters.gatedEntries == 2)
        feed.receive(feed.book(.no, self.t + 1))
        #expect(feed.snapshot == nil)
        feed.receive(feed.change(self.t + 1, .bids, 0.5, 10, best: (0.5, 0.52)))
        #expect(feed.snapshot == nil)
        feed.receive(feed.book(.yes, self.t + 2, bids: [(0.5, 10)]))
        feed.receive(feed.book(.no, self.t + 2, bids: [(0.5, 10)]))
        #expect(feed.top == "0.5 0.52 0.48 0.5")
        #expect(feed.trust == .live)
        #expect(feed.books.levels(of: "nobody") == nil)
    }

    @Test func aDumpIsPublishedWithEverythingItSays() throws {
        let feed = FeedHarness()
        feed.receive(feed.dump(self.t, lastTrade: 0.47))
        let snapshot = try #require(feed.snapshot)
        #expect(snapshot.yes == Quote(bid: 0.48, bidSize: 30, ask: 0.52, askSize: 25, lastTrade: 0.47))
        #expect(snapshot.no == Quote(bid: 0.48, bidSize: 25, ask: 0.52, askSize: 30, lastTrade: 0.53))
        #expect(snapshot.exchangeTime == Timestamp(milliseconds: self.t))
        #expect(snapshot.receiveTime.monotonic == feed.now)
        #expect(snapshot.epoch == 1 && snapshot.sequence == 1)
        #expect(snapshot.source == .line(0))
        #expect(feed.witness.take() == ["snapshot \(feed.up)", "snapshot \(feed.down)"])
        #expect(feed.drain() == ["0xfeed values"])
        #expect(feed.drain() == [])
        let levels = try #require(feed.books.levels(of: feed.up))
        #expect(levels.bids == [Level(price: 0.4, size: 12), Level(price: 0.48, size: 30)])
        #expect(levels.asks == [Level(price: 0.6, size: 7), Level(price: 0.52, size: 25)])
    }

    @Test func changesAreAppliedToBothTokens() {
        let feed = self.live()
        feed.receive(feed.change(self.t + 5, .bids, 0.49, 11, best: (0.49, 0.52)))
        #expect(feed.top == "0.49 0.52 0.48 0.51")
        #expect(feed.snapshot?.no.askSize == 11)
        #expect(feed.snapshot?.sequence == 2)
        #expect(feed.counters.appliedEntries == 2)
        #expect(feed.drain() == ["0xfeed values"])
    }

    @Test func emptyAndOneSidedBooksArePublishedAsTheyAre() {
        let feed = FeedHarness()
        feed.receive(feed.dump(self.t, bids: [], asks: []))
        #expect(feed.top == "- - - -")
        #expect(feed.trust == .live)
        feed.receive(feed.change(self.t + 1, .bids, 0.99, 5, best: (0.99, .one)))
        #expect(feed.top == "0.99 - - 0.01")
        #expect(feed.trust == .live)
        feed.receive(feed.change(self.t + 2, .bids, 0.99, 0, best: (.zero, .one)))
        #expect(feed.top == "- - - -")
        feed.receive(
            WireFrames.bestBidAsk(market: feed.market.id, asset: feed.up, time: self.t + 3, bid: .zero, ask: .zero))
        #expect(feed.trust == .live && !feed.books.hasHeld)
        #expect(feed.counters.held == 0)
    }

    // MARK: Batches

    /// The example of the protocol reference: one millisecond, five messages, one of which takes the best ask away.
    @Test func aBatchIsPublishedOnlyWhenTheExchangeAgrees() {
        let feed = FeedHarness()
        let asks: [WireFrames.Line] = [(0.637, 5), (0.638, 6), (0.644, 7), (0.659, 8)]
        feed.receive(feed.dump(self.t, bids: [(0.63, 9)], asks: asks))
        let at = self.t + 10
        feed.receive(
            WireFrames.bestBidAsk(market: feed.market.id, asset: feed.up, time: at, bid: 0.63, ask: 0.638),
            WireFrames.bestBidAsk(market: feed.market.id, asset: feed.down, time: at, bid: 0.362, ask: 0.37))
        #expect(feed.top == "0.63 0.637 0.363 0.37")
        #expect(feed.books.hasHeld)
        feed.receive(feed.change(at, .asks, 0.644, 0, best: (0.63, 0.638)))
        #expect(feed.top == "0.63 0.637 0.363 0.37")
        feed.receive(feed.change(at, .asks, 0.637, 0, best: (0.63, 0.638)))
        #expect(feed.top == "0.63 0.638 0.362 0.37")
        feed.receive(feed.change(at, .asks, 0.659, 4, best: (0.63, 0.638)))
        feed.receive(feed.change(at, .asks, 0.659, 0, best: (0.63, 0.638), noFirst: true))
        #expect(feed.top == "0.63 0.638 0.362 0.37")
        #expect(feed.trust == .live)
        #expect(feed.counters.topMismatches == 0 && feed.counters.held == 1)
        #expect(feed.witness.take().filter { $0.hasPrefix("resync") } == [])
    }

    @Test func aDisagreementThatOutlivesItsBatchIsSuspect() {
        let feed = self.live()
        feed.receive(feed.change(self.t + 1, .bids, 0.45, 1, best: (0.49, 0.52)))
        #expect(feed.trust == .live)
        #expect(feed.top == "0.48 0.52 0.48 0.52")
        feed.receive(feed.change(self.t + 2, .bids, 0.45, 2, best: (0.48, 0.52)))
        #expect(feed.counters.topMismatches == 1)
        #expect(feed.trust == .live)
        #expect(feed.drain() == ["0xfeed was live"] || feed.drain() == [])
        feed.receive(feed.change(self.t + 3, .bids, 0.45, 1, best: (0.49, 0.52)))
        feed.books.releaseHeld(before: MonotonicTime(nanoseconds: feed.now.nanoseconds - 1))
        #expect(feed.trust == .live && feed.books.hasHeld)
        feed.books.releaseHeld(before: feed.now)
        #expect(feed.trust == .suspect(.topMismatch))
        #expect(!feed.books.hasHeld)
        #expect(feed.counters.resyncs == 0)
        feed.receive(feed.change(self.t + 4, .bids, 0.45, 2, best: (0.48, 0.52)))
        #expect(feed.trust == .live)
    }

    @Test func freshBooksThatDoNotHelpAreAskedForWithGrowingPatience() {
        let feed = self.live()
        // The books that come never agree with what the exchange says of its best prices: for four seconds.
        for n in 1...4000 {
            feed.receive(feed.change(self.t + Int64(n), .bids, 0.45, Size(rawValue: Int64(n)), best: (0.49, 0.52)))
            if feed.counters.resyncs % 2 == 0, n % 10 == 0 { feed.receive(feed.dump(self.t + Int64(n))) }
        }
        #expect(feed.counters.resyncs == 3 * 2, "at once, a second later, and two seconds after that")
    }

    @Test func theThirdDisagreementInARowAsksForFreshBooksOnce() {
        let feed = self.live()
        for n in 1...8 {
            feed.receive(feed.change(self.t + Int64(n), .bids, 0.45, Size(rawValue: Int64(n)), best: (0.49, 0.52)))
        }
        #expect(feed.trust == .suspect(.topMismatch))
        #expect(feed.counters.topMismatches == 7)
        #expect(
            feed.witness.take() == ["resync \(feed.up) topMismatch", "resync \(feed.down) topMismatch"])
        #expect(feed.counters.resyncs == 2)
        // A fresh book carries the stamp of the last change, not that of the moment it was asked for.
        feed.receive(feed.dump(self.t + 8, bids: [(0.49, 1)]))
        #expect(feed.trust == .live)
        #expect(feed.top == "0.49 0.52 0.48 0.51")
        #expect(feed.witness.take() == ["snapshot \(feed.up)", "snapshot \(feed.down)"])
    }

    @Test func aSettledDisagreementStartsTheCountOver() {
        let feed = self.live()
        for n in 0..<10 {
            let at = self.t + Int64(n) * 10
            feed.receive(feed.change(at + 1, .bids, 0.45, 1, best: (0.49, 0.52)))
            feed.books.releaseHeld(before: feed.now)
            #expect(feed.trust == .suspect(.topMismatch))
            feed.receive(feed.change(at + 2, .bids, 0.45, 2, best: (0.48, 0.52)))
            #expect(feed.trust == .live)
        }
        #expect(feed.counters.resyncs == 0)
    }

    @Test func booksThatAreNoMirrorsAreSuspectInTheEnd() {
        let feed = self.live()
        let one = WireFrames.Entry(feed.up, .bids, 0.49, 3)
        feed.receive(WireFrames.priceChange(market: feed.market.id, time: self.t + 1, [one]))
        #expect(feed.top == "0.48 0.52 0.48 0.52")
        feed.books.releaseHeld(before: feed.now)
        #expect(feed.trust == .suspect(.mirrorMismatch))
        #expect(feed.counters.mirrorMismatches == 1)
        let other = WireFrames.Entry(feed.down, .asks, 0.51, 3)
        feed.receive(WireFrames.priceChange(market: feed.market.id, time: self.t + 2, [other]))
        #expect(feed.trust == .live)
        #expect(feed.top == "0.49 0.52 0.48 0.51")
    }

    @Test func aCrossedBookIsSuspectInTheEnd() {
        let feed = self.live()
        feed.receive(feed.change(self.t + 1, .bids, 0.55, 3, best: nil))
        #expect(feed.top == "0.48 0.52 0.48 0.52")
        feed.books.releaseHeld(before: feed.now)
        #expect(feed.trust == .suspect(.crossed))
        #expect(feed.counters.crossedBooks == 1)
        feed.receive(feed.change(self.t + 2, .asks, 0.52, 0, best: nil))
        #expect(feed.trust == .live)
    }

    @Test func aTradeIsPublishedWhenBothBooksHaveTakenIt() {
        let feed = self.live()
        // Part of the best ask is taken: no best price moves, only sizes.
        feed.receive(feed.book(.yes, self.t + 1, asks: [(0.52, 5), (0.60, 7)]))
        #expect(feed.snapshot?.yes.askSize == 25)
        #expect(feed.snapshot?.no.bidSize == 25)
        feed.receive(feed.book(.no, self.t + 1, asks: [(0.52, 5), (0.60, 7)]))
        #expect(feed.snapshot?.yes.askSize == 5)
        #expect(feed.snapshot?.no.bidSize == 5)
        // The whole best ask is taken.
        feed.receive(feed.book(.no, self.t + 2, asks: [(0.60, 7)]))
        #expect(feed.top == "0.48 0.52 0.48 0.52")
        feed.receive(feed.book(.yes, self.t + 2, asks: [(0.60, 7)]))
        #expect(feed.top == "0.48 0.6 0.4 0.52")
        #expect(feed.trust == .live && feed.counters.mirrorMismatches == 0)
    }

    @Test func aTradesSecondBookThatDoesNotComeIsWaitedForOnlySoLong() {
        let feed = self.live()
        feed.receive(feed.book(.yes, self.t + 1, asks: [(0.52, 5), (0.60, 7)]))
        feed.books.releaseHeld(before: feed.now)
        #expect(feed.snapshot?.yes.askSize == 5)
        #expect(feed.trust == .live)
        #expect(feed.counters.mirrorMismatches == 0)
    }

    @Test func lateRowsReportNothing() {
        let feed = self.live()
        feed.receive(feed.change(self.t + 100, .bids, 0.49, 1, best: (0.49, 0.52)))
        feed.receive(feed.change(self.t + 50, .bids, 0.45, 1, best: (0.48, 0.52)))
        feed.receive(feed.change(self.t + 50, .bids, 0.49, 0, best: (0.48, 0.52)))
        #expect(feed.top == "0.49 0.52 0.48 0.51")
        #expect(feed.trust == .live && !feed.books.hasHeld)
        #expect(feed.counters.supersededEntries == 2)
        #expect(feed.snapshot?.exchangeTime == Timestamp(milliseconds: self.t + 100))
    }

    @Test func aClockThatWasSetBackIsBelievedAfterAFewRowsAndFreshBooksAreAskedFor() {
        let feed = self.live()
        feed.receive(feed.change(self.t + 1500, .bids, 0.50, 1, best: (0.50, 0.52)))
        #expect(feed.top == "0.5 0.52 0.48 0.5" && feed.trust == .live)
        // The clock is one second behind from here on; the bid at 0.50 is taken away at once.
        for row in Int64(0)..<4 {
            #expect(feed.counters.resyncs == 0)
            feed.wait(19)
            let size = Size(rawValue: row * 1_000_000)
            feed.receive(
                feed.change(self.t + 500 + 20 * row, .bids, row == 0 ? 0.50 : 0.41, size, best: (0.48, 0.52)))
        }
        #expect(feed.counters.resyncs == 2)
        #expect(feed.trust?.name == "suspect")
        feed.receive(feed.dump(self.t + 570))
        #expect(feed.top == "0.48 0.52 0.48 0.52" && feed.trust == .live)
        #expect(feed.snapshot?.exchangeTime == Timestamp(milliseconds: self.t + 570))
        feed.receive(feed.change(self.t + 580, .bids, 0.49, 1, best: (0.49, 0.52)))
        #expect(feed.top == "0.49 0.52 0.48 0.51" && feed.trust == .live)
    }

    @Test func aBurstOfLateRowsIsNoClockThatWasSetBack() {
        let feed = self.live()
        feed.receive(feed.change(self.t + 1500, .bids, 0.50, 1, best: (0.50, 0.52)))
        // They come one after the other, whatever their stamps.
        for row in Int64(0)..<8 {
            feed.receive(feed.change(self.t + 300 + 150 * row, .bids, 0.41, 3, best: (0.48, 0.52)))
        }
        #expect(feed.counters.resyncs == 0 && feed.trust == .live)
        // And late ones between which a newer one comes.
        for row in Int64(0)..<8 {
            feed.wait(19)
            let time = row % 3 == 2 ? self.t + 1500 + row : self.t + 500 + 20 * row
            feed.receive(feed.change(time, .bids, 0.41, 4, best: row % 3 == 2 ? (0.50, 0.52) : (0.48, 0.52)))
        }
        #expect(feed.counters.resyncs == 0 && feed.trust == .live && feed.top == "0.5 0.52 0.48 0.5")
    }

    @Test func manyHeldBatchesKeepOneNote() {
        let feed = self.live()
        for n in 1...5000 {
            let at = self.t + Int64(n)
            feed.receive(
                WireFrames.bestBidAsk(market: feed.market.id, asset: feed.up, time: at, bid: 0.49, ask: 0.52),
                WireFrames.bestBidAsk(market: feed.market.id, asset: feed.up, time: at, bid: 0.48, ask: 0.52))
        }
        #expect(feed.counters.held == 5000)
        #expect(feed.books.hasHeld)
        feed.books.releaseHeld(before: feed.now)
        #expect(!feed.books.hasHeld)
        #expect(feed.counters.topMismatches == 0)
        feed.receive(feed.change(self.t + 9000, .bids, 0.45, 1, best: (0.49, 0.52)))
        #expect(feed.books.hasHeld)
    }

    // MARK: Losing and finding

    @Test func aFrameThatCannotBeReadMakesEverythingSuspectUntilFreshBooksAreIn() {
        let feed = self.live()
        feed.receive(#"{"event_type":"price_change","#)
        #expect(feed.trust == .suspect(.malformedFrame))
        #expect(feed.drain() == ["0xfeed was live"])
        #expect(
            feed.witness.take() == [
                "malformed syntax 29", "resync \(feed.up) malformedFrame", "resync \(feed.down) malformedFrame",
            ])
        feed.receive("{")
        #expect(feed.witness.take() == ["malformed syntax 1"])
        #expect(feed.counters.malformedFrames == 2)
        // Agreement with the exchange is not enough: the lost update may lie below the top.
        feed.receive(feed.change(self.t + 1, .bids, 0.49, 1, best: (0.49, 0.52)))
        #expect(feed.trust == .suspect(.malformedFrame))
        #expect(feed.top == "0.49 0.52 0.48 0.51")
        feed.receive(feed.book(.yes, self.t))
        #expect(feed.trust == .suspect(.malformedFrame))
        feed.receive(feed.book(.no, self.t))
        #expect(feed.trust == .live)
        #expect(feed.top == "0.49 0.52 0.48 0.51", "what is newer than the fresh books stands")
        #expect(feed.snapshot?.epoch == 1)
    }

    @Test func aNewTickSizeAsksForAFreshBook() {
        let feed = self.live()
        feed.receive(WireFrames.tickSizeChange(market: feed.market.id, asset: feed.up, time: self.t + 1))
        feed.receive(WireFrames.tickSizeChange(market: feed.market.id, asset: feed.down, time: self.t + 1))
        #expect(feed.trust == .suspect(.tickSizeChanged))
        #expect(
            feed.witness.take() == ["resync \(feed.up) tickSizeChanged", "resync \(feed.down) tickSizeChanged"])
        feed.receive(feed.change(self.t + 2, .bids, 0.485, 1, best: (0.485, 0.52)))
        #expect(feed.top == "0.485 0.52 0.48 0.515")
        feed.receive(feed.dump(self.t + 2, bids: [(0.485, 1)]))
        #expect(feed.trust == .live)
    }

    @Test func aLostConnectionKeepsTheValuesAndEndsTheEpoch() throws {
        let feed = self.live()
        let before = try #require(feed.snapshot)
        feed.books.connectionLost(reason: .disconnected)
        let stale = try #require(feed.snapshot)
        #expect(stale.yes == before.yes && stale.no == before.no)
        #expect(stale.trust == .stale(since: before.receiveTime, reason: .disconnected))
        #expect(stale.epoch == before.epoch + 1)
        #expect(stale.sequence == before.sequence + 1)
        #expect(feed.drain() == ["0xfeed was live"])
        // Later attempts that fail interrupt nothing that was not interrupted already.
        feed.books.connectionLost(reason: .disconnected)
        #expect(feed.snapshot == stale)
        #expect(feed.drain() == [])
        // The books start from nothing.
        feed.receive(feed.change(self.t + 1, .bids, 0.49, 1, best: (0.49, 0.52)))
        #expect(feed.counters.gatedEntries == 2)
        feed.receive(feed.book(.yes, self.t))
        #expect(feed.snapshot == stale)
        feed.receive(feed.book(.no, self.t))
        #expect(feed.trust == .live)
        #expect(feed.snapshot?.epoch == before.epoch + 1)
        #expect(feed.drain() == ["0xfeed was stale"])
        feed.books.connectionLost(reason: .stopped)
        #expect(feed.snapshot?.epoch == before.epoch + 2)
        #expect(feed.trust?.reason == "stopped")
    }

    @Test func stoppingAfterALossSaysSo() {
        let feed = self.live()
        feed.books.connectionLost(reason: .disconnected)
        let epoch = feed.snapshot?.epoch
        feed.books.connectionLost(reason: .stopped)
        #expect(feed.trust?.reason == "stopped")
        #expect(feed.snapshot?.epoch == epoch)
    }

    @Test func aLossInTheMiddleOfABatchPublishesNothingOfIt() {
        let feed = self.live()
        feed.receive(feed.change(self.t + 1, .bids, 0.45, 1, best: (0.49, 0.52)))
        #expect(feed.books.hasHeld)
        feed.books.connectionLost(reason: .disconnected)
        #expect(!feed.books.hasHeld)
        feed.books.releaseHeld(before: MonotonicTime(nanoseconds: .max))
        #expect(feed.trust?.name == "stale")
        #expect(feed.top == "0.48 0.52 0.48 0.52")
        feed.receive(feed.dump(self.t - 60_000))
        #expect(feed.trust == .live)
        #expect(feed.snapshot?.exchangeTime == Timestamp(milliseconds: self.t - 60_000))
    }

    // MARK: Phases

    @Test func phasesDecideTheTrust() {
        let feed = self.live()
        feed.books.setPhase(.resolving, of: feed.market.id)
        #expect(feed.trust == .resolving)
        #expect(feed.drain() == ["0xfeed was live"])
        feed.receive(feed.change(self.t + 1, .bids, 0.49, 1, best: (0.49, 0.52)))
        #expect(feed.trust == .resolving)
        feed.books.connectionLost(reason: .disconnected)
        #expect(feed.trust == .resolving)
        // What is decided is not interrupted.
        #expect(feed.snapshot?.epoch == 1)
        feed.books.setPhase(.closed, of: feed.market.id)
        #expect(feed.trust == .closed)
        feed.books.setPhase(.closed, of: "0xother")
        feed.books.setPhase(.closed, of: feed.market.id)
        #expect(feed.snapshot?.sequence == 4)
    }

    @Test func aMarketThatTradesAgainIsNotLiveWithoutBooks() throws {
        let feed = self.live()
        let since = try #require(feed.snapshot).receiveTime
        feed.books.setPhase(.resolving, of: feed.market.id)
        feed.books.connectionLost(reason: .disconnected)
        feed.books.setPhase(.trading, of: feed.market.id)
        #expect(feed.trust == .stale(since: since, reason: .disconnected))
        feed.receive(feed.dump(self.t + 1))
        #expect(feed.trust == .live)
    }

    @Test func aResolutionIsPassedOn() throws {
        let feed = FeedHarness()
        feed.receive(String(decoding: try WireFixtures.bytes("ws_market_resolved.json"), as: UTF8.self))
        #expect(
            feed.witness.take() == [
                "resolved \(WireFixtures.market) \(WireFixtures.down) \(WireFixtures.time.milliseconds)"
            ])
    }

    // MARK: Trades

    @Test func aTradeTellsTheLastPriceOfBothTokens() {
        let feed = self.live()
        feed.receive(WireFrames.trade(market: feed.market.id, asset: feed.up, time: self.t + 5, price: 0.52))
        #expect(feed.snapshot?.yes.lastTrade == 0.52)
        #expect(feed.snapshot?.no.lastTrade == 0.48)
        feed.receive(WireFrames.trade(market: feed.market.id, asset: feed.down, time: self.t + 6, price: 0.45))
        #expect(feed.snapshot?.yes.lastTrade == 0.55)
        #expect(feed.snapshot?.no.lastTrade == 0.45)
        feed.receive(WireFrames.trade(market: feed.market.id, asset: feed.down, time: self.t + 4, price: 0.11))
        #expect(feed.snapshot?.yes.lastTrade == 0.55)
        #expect(feed.drain() == ["0xfeed values"])
    }

    @Test func aTradeDoesNotEndABatch() {
        let feed = self.live()
        feed.receive(feed.change(self.t + 10, .bids, 0.45, 1, best: (0.49, 0.52)))
        feed.receive(WireFrames.trade(market: feed.market.id, asset: feed.up, time: self.t + 11, price: 0.52))
        #expect(feed.snapshot?.yes.lastTrade == nil)
        feed.receive(feed.change(self.t + 10, .bids, 0.49, 1, best: (0.49, 0.52)))
        #expect(feed.snapshot?.yes.lastTrade == 0.52)
        #expect(feed.counters.topMismatches == 0)
    }

    /// Both tokens' books carry one number that does not say whose price it is.
    @Test(arguments: [(0.9, 0.9), (0.1, 0.9), (0.88, 0.88), (0.5, 0.5)] as [(Price, Price)])
    func aBooksLastTradeIsReadAsTheSideItIsNearerTo(written: Price, yes: Price) {
        for noFirst in [false, true] {
            let feed = FeedHarness()
            let lines: ([WireFrames.Line], [WireFrames.Line]) = ([(0.89, 1)], [(0.91, 1)])
            let books = [
                feed.book(.yes, self.t, bids: lines.0, asks: lines.1, lastTrade: written),
                feed.book(.no, self.t, bids: lines.0, asks: lines.1, lastTrade: written),
            ]
            for book in noFirst ? books.reversed() : books { feed.receive(book) }
            #expect(feed.snapshot?.yes.lastTrade == yes)
            #expect(feed.snapshot?.no.lastTrade == yes.complement)
        }
    }

    // MARK: Other tokens

    @Test func entriesOfOtherMarketsAreCountedAndLeftOut() {
        let feed = self.live()
        let other = WireFrames.Entry("3333333333333333333333", .bids, 0.9, 1)
        feed.receive(WireFrames.priceChange(market: "0xother", time: self.t + 1, [other]))
        feed.receive(WireFrames.book(market: "0xother", asset: "3", time: self.t, bids: [], asks: []))
        feed.receive(WireFrames.trade(market: "0xother", asset: "3", time: self.t, price: 0.5))
        feed.receive(WireFrames.tickSizeChange(market: "0xother", asset: "3", time: self.t))
        feed.receive(WireFrames.bestBidAsk(market: "0xother", asset: "3", time: self.t, bid: 0.1, ask: 0.2))
        #expect(feed.counters.foreignEntries == 5)
        #expect(feed.snapshot?.sequence == 1)
        #expect(feed.board.markets.count == 1)
    }

    @Test func aMarketCanBeRemovedAndAnotherTakesItsPlace() {
        let feed = self.live()
        feed.receive(feed.change(self.t + 1, .bids, 0.45, 1, best: (0.49, 0.52)))
        feed.books.remove(feed.market)
        feed.books.remove(feed.market)
        #expect(!feed.books.hasHeld)
        feed.books.releaseHeld(before: MonotonicTime(nanoseconds: .max))
        #expect(feed.drain() == [])
        feed.receive(feed.change(self.t + 2, .bids, 0.49, 1, best: (0.49, 0.52)))
        #expect(feed.counters.foreignEntries == 2)
        #expect(feed.top == "0.48 0.52 0.48 0.52")
        let next = Market(
            id: "0xnext", slug: "", yes: Outcome(label: "Up", asset: "5"), no: Outcome(label: "Down", asset: "6"))
        feed.books.add(next)
        feed.receive(
            WireFrames.book(market: next.id, asset: "5", time: self.t, bids: [(0.3, 1)], asks: []),
            WireFrames.book(market: next.id, asset: "6", time: self.t, bids: [], asks: [(0.7, 1)]))
        #expect(feed.board.currentOdds(next.id)?.yes.bid == 0.3)
        #expect(feed.board.currentOdds(next.id)?.trust == .live)
        #expect(feed.drain() == ["0xnext values"])
        #expect(feed.board.currentOdds(feed.market.id)?.yes.bid == 0.48)
    }

    @Test func manyMarketsComeAndGo() {
        let feed = FeedHarness(following: false)
        var generator = SplitMix64(seed: 5)
        var followed: [Market] = []
        for n in 0..<600 {
            if followed.count > 40 || (n % 3 == 2 && !followed.isEmpty) {
                feed.books.remove(followed.remove(at: .random(in: 0..<followed.count, using: &generator)))
            }
            let name = String(repeating: "7", count: 60) + "\(n)"
            let market = Market(
                id: MarketID("0x\(n)"), slug: "", yes: Outcome(label: "Up", asset: AssetID(name + "1")),
                no: Outcome(label: "Down", asset: AssetID(name + "2")))
            feed.books.add(market)
            followed.append(market)
            for market in [market] + followed.prefix(2) {
                let price = Price(rawValue: .random(in: 1...99, using: &generator) * 100)
                feed.receive(
                    WireFrames.book(
                        market: market.id, asset: market.assets[0], time: self.t + Int64(n), bids: [(price, 1)],
                        asks: []),
                    WireFrames.book(
                        market: market.id, asset: market.assets[1], time: self.t + Int64(n), bids: [],
                        asks: [(price.complement, 1)]))
                #expect(feed.board.currentOdds(market.id)?.yes.bid == price)
            }
        }
        #expect(feed.counters.foreignEntries == 0)
    }

    // MARK: Tokens without discovery

    private func bareBook(_ feed: FeedHarness, _ asset: AssetID, bid: Price, ask: Price) -> String {
        WireFrames.book(
            market: "0xbare", asset: asset, time: self.t, bids: [(bid, 1)], asks: [(ask, 2)])
    }

    @Test(arguments: [false, true]) func theFirstNamedOfTwoBareTokensIsYes(otherFirst: Bool) throws {
        let feed = FeedHarness(following: false)
        feed.books.reportsEveryChange = true
        var published: [[AssetID]] = []
        feed.witness.onChange = { published.append($0.market.assets) }
        feed.books.add(bare: ["8", "9"])
        feed.books.add(bare: ["9", "8"])
        let yes = WireFrames.book(market: "0xbare", asset: "8", time: self.t, bids: [(0.3, 1)], asks: [(0.4, 2)])
        let no = WireFrames.book(market: "0xbare", asset: "9", time: self.t, bids: [(0.6, 2)], asks: [(0.7, 1)])
        feed.receive(otherFirst ? "[\(no),\(yes)]" : "[\(yes),\(no)]")
        let snapshot = try #require(feed.board.currentOdds("0xbare"))
        #expect(snapshot.market.assets == ["8", "9"])
        #expect(snapshot.yes.bid == 0.3 && snapshot.no.bid == 0.6)
        #expect(snapshot.trust == .live)
        #expect(published == [["8", "9"]])
        #expect(feed.drain() == ["0xbare values"])
    }

    @Test func aBareTokenAloneIsAMarketToo() {
        let feed = FeedHarness(following: false)
        feed.books.add(bare: ["8"])
        feed.receive(self.bareBook(feed, "8", bid: 0.3, ask: 0.4))
        let snapshot = feed.board.currentOdds("0xbare")
        #expect(snapshot?.yes.bid == 0.3)
        #expect(snapshot?.no == .empty)
        #expect(snapshot?.market.no == nil)
    }

    @Test func aBareTokenWhosePartnerNeverComesIsPublishedAfterAWhile() {
        let feed = FeedHarness(following: false)
        feed.books.add(bare: ["8", "9"])
        feed.receive(self.bareBook(feed, "9", bid: 0.3, ask: 0.4))
        #expect(feed.board.currentOdds("0xbare") == nil)
        #expect(feed.books.hasHeld)
        feed.books.releaseHeld(before: feed.now)
        #expect(feed.board.currentOdds("0xbare")?.yes.bid == 0.3)
        #expect(feed.drain() == ["0xbare values"])
        feed.receive(WireFrames.book(market: "0xbare", asset: "8", time: self.t, bids: [(0.6, 2)], asks: [(0.7, 1)]))
        #expect(feed.board.currentOdds("0xbare")?.market.assets == ["8", "9"])
        #expect(feed.board.currentOdds("0xbare")?.yes.bid == 0.6)
        #expect(feed.drain() == ["0xbare values"])
    }

    @Test func aBareMarketThatWasRemovedLeavesNothingBehind() throws {
        let feed = FeedHarness(following: false)
        feed.books.add(bare: ["8", "9"])
        let yes = WireFrames.book(market: "0xbare", asset: "8", time: self.t, bids: [(0.3, 1)], asks: [(0.4, 2)])
        let no = WireFrames.book(market: "0xbare", asset: "9", time: self.t, bids: [(0.6, 2)], asks: [(0.7, 1)])
        feed.receive(yes, no)
        feed.books.remove(try #require(feed.board.slot("0xbare")).market)
        feed.board.remove("0xbare")
        feed.books.add(feed.market)
        feed.receive(feed.dump(self.t))
        feed.books.add(bare: ["9", "8"])
        feed.receive(yes, no)
        #expect(feed.top == "0.48 0.52 0.48 0.52")
        feed.receive(feed.change(self.t + 1, .bids, 0.49, 1, best: (0.49, 0.52)))
        #expect(feed.top == "0.49 0.52 0.48 0.51")
        #expect(feed.board.slot("0xbare")?.market.assets == ["9", "8"])
    }

    // MARK: The observer

    @Test func everyEntryIsReportedWhenAskedFor() {
        let feed = self.live()
        feed.books.reportsEveryEntry = true
        feed.receive(feed.change(self.t + 1, .bids, 0.49, 1, best: (0.49, 0.52)))
        feed.receive(WireFrames.trade(market: feed.market.id, asset: feed.up, time: self.t + 2, price: 0.5))
        feed.receive(feed.book(.yes, self.t + 3))
        #expect(
            feed.witness.take() == [
                "price_change \(feed.up) \(self.t + 1) 0.49 0.52", "price_change \(feed.down) \(self.t + 1) 0.48 0.51",
                "last_trade_price \(feed.up) \(self.t + 2) 0.49 0.52", "snapshot \(feed.up)",
                "book \(feed.up) \(self.t + 3) 0.48 0.52",
            ])
    }

    @Test func wordsOfTheVenueArePassedOn() {
        let feed = self.live()
        feed.receive("PONG", "NO NEW ASSETS", #"{"error":"nope"}"#)
        #expect(feed.witness.take() == ["pong", "said NO NEW ASSETS", "said nope"])
        #expect(feed.counters.pongs == 1 && feed.counters.plainTexts == 1 && feed.counters.unknownEvents == 1)
        #expect(feed.trust == .live)
    }

    @Test func everyCounterHasANameAndIsSummed() {
        let feed = self.live()
        let twice = feed.counters + feed.counters
        for (one, two) in zip(feed.counters.named, twice.named) {
            #expect(one.name == two.name)
            #expect(two.value == one.value * 2)
        }
        #expect(Set(twice.named.map(\.name)).count == Mirror(reflecting: twice).children.count)
    }

    @Test func aLateBookIsNotTheFreshOneThatWasAskedFor() {
        let feed = FeedHarness()
        feed.receive(feed.dump(1000))
        feed.receive(feed.change(1100, .bids, 0.49, 7, best: (0.49, 0.52)))
        feed.receive("{")
        #expect(feed.trust == .suspect(.malformedFrame))
        // What a trade said before all that comes only now: it knows nothing of what was lost, nor of the bid at 0.49.
        feed.receive(feed.book(.yes, 1050), feed.book(.no, 1050))
        #expect(feed.top == "0.49 0.52 0.48 0.51")
        #expect(feed.trust == .suspect(.malformedFrame))
        // The fresh one is as old as the last change, and may be overtaken by the next.
        feed.receive(feed.change(1200, .bids, 0.49, 8, best: (0.49, 0.52)))
        let bids: [WireFrames.Line] = [(0.47, 3), (0.49, 7)]
        feed.receive(feed.dump(1150, bids: bids))
        #expect(feed.trust == .live)
        #expect(feed.snapshot?.yes.bidSize == 8)
        #expect(feed.books.levels(of: feed.up)?.bids.map(\.price) == [0.47, 0.49])
    }
}
