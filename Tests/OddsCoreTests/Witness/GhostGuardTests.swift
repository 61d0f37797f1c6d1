import OddsCore
import OddsTestSupport
import Testing

/// Transcripts: what was said of a market, and what it was worth.
@Suite struct GhostGuardTests {
    private static let windowEnd = Timestamp(milliseconds: 900_000)
    private let market = Market.sample(
        "m", window: MarketWindow(start: Timestamp(milliseconds: 0), end: GhostGuardTests.windowEnd))

    private func book(
        _ side: Side, at time: Int64, bid: Price?, ask: Price?, size: Size = 10, market: MarketID = "0x-m"
    ) -> RESTBook {
        RESTBook(
            market: market, asset: side == .yes ? "m/up" : "m/down", timestamp: Timestamp(milliseconds: time),
            bids: bid.map { [Level(price: $0, size: size)] } ?? [],
            asks: ask.map { [Level(price: $0, size: size)] } ?? [])
    }

    private func ghost(_ side: Side, at time: Int64, size: Size = 10) -> RESTBook {
        self.book(side, at: time, bid: 0.01, ask: 0.99, size: size)
    }

    /// A guard that has seen a sane book at 1000.
    private func seasoned(confirmations: Int = 3) -> GhostGuard {
        var ghostGuard = GhostGuard(market: self.market, confirmations: confirmations)
        #expect(ghostGuard.judge(self.book(.yes, at: 1000, bid: 0.48, ask: 0.5)) == .sane)
        return ghostGuard
    }

    @Test func aGhostAfterASaneBookIsSeen() {
        var ghostGuard = self.seasoned()
        #expect(ghostGuard.judge(self.ghost(.yes, at: 2000)) == .ghost)
        #expect(ghostGuard.judge(self.ghost(.no, at: 1000)) == .ghost)
        #expect(ghostGuard.judge(self.book(.no, at: 2000, bid: nil, ask: nil)) == .ghost)
        // It leaves no trace: what comes with an older stamp than the ghost's is as good as ever.
        #expect(ghostGuard.judge(self.book(.no, at: 1500, bid: 0.5, ask: 0.52)) == .sane)
    }

    @Test func aGhostAfterTheFeedShowedASaneBookIsSeen() {
        var ghostGuard = GhostGuard(market: self.market)
        ghostGuard.saw(bid: 0.48, ask: 0.5, at: Timestamp(milliseconds: 1000))
        #expect(ghostGuard.judge(self.ghost(.yes, at: 1001)) == .ghost)
    }

    @Test func withNothingToContradictItTheShapeIsBelieved() {
        var ghostGuard = GhostGuard(market: self.market)
        #expect(ghostGuard.judge(self.ghost(.yes, at: 1000)) == .sane)
        #expect(ghostGuard.judge(self.ghost(.no, at: 1000)) == .sane)
    }

    @Test func anAnswerFromBeforeWhatIsKnownIsOlder() {
        var ghostGuard = self.seasoned()
        #expect(ghostGuard.judge(self.book(.no, at: 999, bid: 0.3, ask: 0.4)) == .older)
        #expect(ghostGuard.judge(self.ghost(.no, at: 999)) == .older)
        ghostGuard.saw(bid: 0.5, ask: 0.51, at: Timestamp(milliseconds: 3000))
        #expect(ghostGuard.judge(self.book(.yes, at: 2999, bid: 0.5, ask: 0.51)) == .older)
        #expect(ghostGuard.judge(self.book(.yes, at: 3000, bid: 0.5, ask: 0.51)) == .sane)
        // What another witness shows late takes nothing back.
        ghostGuard.saw(bid: 0.2, ask: 0.3, at: Timestamp(milliseconds: 100))
        #expect(ghostGuard.judge(self.book(.yes, at: 2999, bid: 0.5, ask: 0.51)) == .older)
    }

    @Test func anotherMarketsBookIsForeign() {
        var ghostGuard = self.seasoned()
        #expect(ghostGuard.judge(self.book(.yes, at: 2000, bid: 0.4, ask: 0.5, market: "0x-n")) == .foreign)
        var book = self.book(.yes, at: 2000, bid: 0.4, ask: 0.5)
        book.asset = "other"
        #expect(ghostGuard.judge(book) == .foreign)
    }

    // MARK: A book that really became empty

    @Test(arguments: [(0.95, nil), (0.97, 0.99), (nil, 0.05), (0.01, 0.03)] as [(Price?, Price?)])
    func afterANearlyDecidedBookAnEmptyOneIsBelieved(bid: Price?, ask: Price?) {
        var ghostGuard = GhostGuard(market: self.market)
        #expect(ghostGuard.judge(self.book(.no, at: 1000, bid: ask?.complement, ask: bid?.complement)) == .sane)
        #expect(ghostGuard.judge(self.book(.yes, at: 1001, bid: nil, ask: nil)) == .sane)
    }

    @Test func aBookJustShortOfDecidedProtects() {
        var ghostGuard = GhostGuard(market: self.market)
        ghostGuard.saw(bid: 0.94, ask: 0.95, at: Timestamp(milliseconds: 1000))
        #expect(ghostGuard.judge(self.ghost(.yes, at: 1001)) == .ghost)
    }

    @Test func afterTheWindowAnEmptyBookIsBelieved() {
        var ghostGuard = self.seasoned()
        #expect(ghostGuard.judge(self.ghost(.yes, at: Self.windowEnd.milliseconds - 1)) == .ghost)
        #expect(ghostGuard.judge(self.ghost(.yes, at: Self.windowEnd.milliseconds)) == .sane)
    }

    @Test func whatTheFeedShowsIsNoGhost() {
        var ghostGuard = self.seasoned()
        ghostGuard.saw(bid: nil, ask: nil, at: Timestamp(milliseconds: 2000))
        #expect(ghostGuard.judge(self.ghost(.yes, at: 2000)) == .sane)
    }

    @Test func severalNewerAnswersForBothTokensConfirmIt() {
        var ghostGuard = self.seasoned()
        for _ in 0..<2 {
            #expect(ghostGuard.judge(self.ghost(.yes, at: 2000)) == .ghost)
            #expect(ghostGuard.judge(self.ghost(.no, at: 2000)) == .ghost)
        }
        #expect(ghostGuard.judge(self.ghost(.yes, at: 2000)) == .ghost)
        #expect(ghostGuard.judge(self.ghost(.no, at: 2000)) == .sane)
        // From now on it is what is known.
        #expect(ghostGuard.judge(self.ghost(.yes, at: 2000)) == .sane)
        #expect(ghostGuard.judge(self.ghost(.no, at: 2500, size: 4)) == .sane)
        // A sane book ends that, too.
        #expect(ghostGuard.judge(self.book(.yes, at: 3000, bid: 0.48, ask: 0.5)) == .sane)
        #expect(ghostGuard.judge(self.ghost(.yes, at: 3001)) == .ghost)
    }

    @Test func dustThatMovesConfirmsToo() {
        var ghostGuard = self.seasoned(confirmations: 2)
        #expect(ghostGuard.judge(self.ghost(.yes, at: 2000)) == .ghost)
        #expect(ghostGuard.judge(self.ghost(.no, at: 2000)) == .ghost)
        #expect(ghostGuard.judge(self.ghost(.yes, at: 2100, size: 11)) == .ghost)
        #expect(ghostGuard.judge(self.ghost(.no, at: 2100, size: 11)) == .sane)
    }

    @Test func aSaneAnswerBetweenThemBeginsTheCountAgain() {
        var ghostGuard = self.seasoned(confirmations: 2)
        for time in [Int64(2000), 4000] {
            #expect(ghostGuard.judge(self.ghost(.yes, at: time)) == .ghost)
            #expect(ghostGuard.judge(self.ghost(.no, at: time)) == .ghost)
            #expect(ghostGuard.judge(self.ghost(.yes, at: time)) == .ghost)
            #expect(ghostGuard.judge(self.book(.no, at: time + 1000, bid: 0.5, ask: 0.52)) == .sane)
        }
    }

    @Test func oneTokenAloneConfirmsNothingWhereThereAreTwo() {
        var ghostGuard = self.seasoned(confirmations: 2)
        for _ in 0..<50 { #expect(ghostGuard.judge(self.ghost(.yes, at: 2000)) == .ghost) }
        // Two tokens with different stories do not either.
        for _ in 0..<50 { #expect(ghostGuard.judge(self.ghost(.no, at: 2500)) == .ghost) }
        for _ in 0..<50 { #expect(ghostGuard.judge(self.ghost(.yes, at: 2000, size: 3)) == .ghost) }
    }

    @Test func aMarketOfOneTokenIsConfirmedByIt() {
        let lone = Market(id: "0x-m", slug: "", yes: Outcome(label: "Yes", asset: "m/up"), no: nil)
        var ghostGuard = GhostGuard(market: lone, confirmations: 2)
        ghostGuard.saw(bid: 0.48, ask: 0.5, at: Timestamp(milliseconds: 1000))
        #expect(ghostGuard.judge(self.ghost(.yes, at: 2000)) == .ghost)
        #expect(ghostGuard.judge(self.ghost(.yes, at: 2000)) == .sane)
    }

    @Test func aGhostWhoseTimeMovesWhileItsLevelsDoNotIsNeverConfirmed() {
        var ghostGuard = self.seasoned(confirmations: 2)
        for round in 0..<50 {
            let time = 2000 + Int64(round) * 1000
            #expect(ghostGuard.judge(self.ghost(.yes, at: time)) == .ghost)
            #expect(ghostGuard.judge(self.ghost(.no, at: time)) == .ghost)
        }
    }

    @Test func aGhostOfTheSaneBooksOwnMomentIsNeverConfirmed() {
        var ghostGuard = self.seasoned(confirmations: 2)
        for _ in 0..<50 {
            #expect(ghostGuard.judge(self.ghost(.yes, at: 1000)) == .ghost)
            #expect(ghostGuard.judge(self.ghost(.no, at: 1000)) == .ghost)
        }
    }

    // MARK: A clock that was set back

    @Test func oneWrongStampDoesNotRefuseEverythingForEver() {
        var ghostGuard = GhostGuard(market: self.market, clockPatience: .seconds(10))
        #expect(ghostGuard.judge(self.book(.yes, at: 99_000_000, bid: 0.4, ask: 0.5)) == .sane)
        for time in stride(from: Int64(1000), to: 11_000, by: 1000) {
            #expect(ghostGuard.judge(self.book(.yes, at: time, bid: 0.4, ask: 0.5)) == .older)
        }
        #expect(ghostGuard.judge(self.book(.yes, at: 11_000, bid: 0.4, ask: 0.5)) == .sane)
        #expect(ghostGuard.judge(self.book(.no, at: 11_500, bid: 0.5, ask: 0.6)) == .sane)
        #expect(ghostGuard.judge(self.ghost(.yes, at: 11_600)) == .ghost)
    }

    @Test func theFeedsStampsMoveTheClockBackToo() {
        var ghostGuard = GhostGuard(market: self.market, clockPatience: .seconds(10))
        #expect(ghostGuard.judge(self.book(.yes, at: 99_000_000, bid: 0.4, ask: 0.5)) == .sane)
        for time in stride(from: Int64(1000), through: 11_000, by: 2500) {
            ghostGuard.saw(bid: 0.4, ask: 0.5, at: Timestamp(milliseconds: time))
        }
        #expect(ghostGuard.judge(self.book(.yes, at: 11_000, bid: 0.4, ask: 0.5)) == .sane)
    }

    @Test func aCopyThatIsStuckStaysOlder() {
        var ghostGuard = GhostGuard(market: self.market, clockPatience: .seconds(10))
        #expect(ghostGuard.judge(self.book(.yes, at: 500_000, bid: 0.4, ask: 0.5)) == .sane)
        for _ in 0..<100 { #expect(ghostGuard.judge(self.book(.yes, at: 1000, bid: 0.4, ask: 0.5)) == .older) }
        // Nor do copies of different age that answer in turn, or one that lags while newer answers come.
        for round in 0..<100 {
            let time = round % 2 == 0 ? 2000 : 400_000
            #expect(ghostGuard.judge(self.book(.yes, at: Int64(time), bid: 0.4, ask: 0.5)) != .sane)
            _ = ghostGuard.judge(self.book(.yes, at: 1000, bid: 0.4, ask: 0.5))
        }
        for round in 0..<100 {
            let time = 500_000 + Int64(round) * 1000
            #expect(ghostGuard.judge(self.book(.no, at: time, bid: 0.5, ask: 0.6)) == .sane)
            #expect(ghostGuard.judge(self.book(.yes, at: time - 60_000, bid: 0.4, ask: 0.5)) == .older)
        }
    }
}
