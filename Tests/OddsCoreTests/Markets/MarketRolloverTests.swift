import OddsTestSupport
import Testing

@testable import OddsCore

/// A series driven by hand: times are seconds after a window's start.
private struct Drive {
    static let base: Int64 = 1_777_428_000
    var rollover: MarketRollover
    var now = Timestamp(seconds: base)

    init(_ name: String = "btc-updown-15m", schedule: MarketSchedule = MarketSchedule()) throws {
        self.rollover = MarketRollover(try MarketSeries(name), schedule: schedule)
    }

    /// `15m+900` reads better than a ten-digit slug.
    private func short(_ actions: [MarketAction]) -> [String] {
        actions.map { action in
            var text = action.description
            for window in -10...100 {
                let start = Self.base + Int64(window) * self.rollover.series.period.components.seconds
                text.replace("\(self.rollover.series.name)-\(start)", with: "#\(window)")
                text.replace(" at \(start)", with: " at #\(window)")
            }
            return text
        }
    }

    func window(_ number: Int64) -> MarketWindow {
        let period = self.rollover.series.period.components.seconds
        return self.rollover.series.window(containing: Timestamp(seconds: Self.base + number * period))
    }

    func market(_ number: Int64, acceptingOrders: Bool = true) -> Market {
        .sample(self.rollover.series.slugs(for: self.window(number))[0], acceptingOrders: acceptingOrders)
    }

    mutating func at(_ seconds: Double) -> [String] {
        self.now = Timestamp(milliseconds: Self.base * 1000 + Int64(seconds * 1000))
        let actions = self.short(self.rollover.advance(to: self.now))
        // A deadline that has passed would make the shell spin.
        #expect((self.rollover.nextDeadline ?? self.now) > self.now || seconds < 0)
        return actions
    }

    mutating func found(
        _ number: Int64, _ settlement: MarketSettlement = .open, acceptingOrders: Bool = true
    ) -> [String] {
        let finding = MarketFinding(
            market: self.market(number, acceptingOrders: acceptingOrders), settlement: settlement)
        return self.short(self.rollover.lookedUp(self.window(number), .success(finding), now: self.now))
    }

    mutating func failed(
        _ number: Int64, _ reason: MarketLookUpFailure.Reason, _ message: String, retryAfter: Duration? = nil
    ) -> [String] {
        let failure = MarketLookUpFailure(reason, message, retryAfter: retryAfter)
        return self.short(self.rollover.lookedUp(self.window(number), .failure(failure), now: self.now))
    }

    mutating func odds(_ number: Int64, at seconds: Double) -> [String] {
        let time = Timestamp(milliseconds: Self.base * 1000 + Int64(seconds * 1000))
        return self.short(self.rollover.firstOdds(of: self.market(number).id, at: time, now: self.now))
    }

    mutating func resolved(_ number: Int64, winner: AssetID?) -> [String] {
        self.short(self.rollover.resolved(self.market(number).id, winner: winner, at: self.now, now: self.now))
    }

    /// Seconds after the base at which the machine wants to be called.
    var deadline: Double? {
        self.rollover.nextDeadline.map { Double($0.milliseconds - Self.base * 1000) / 1000 }
    }

    /// Started 100 s into window 0, with windows 0 to 2 found and odds of the current one known.
    static func settled(_ name: String = "btc-updown-15m") throws -> Drive {
        var drive = try Drive(name)
        _ = drive.at(100)
        for number in 0...2 as ClosedRange<Int64> { _ = drive.found(number) }
        _ = drive.odds(0, at: 101)
        return drive
    }
}

@Suite struct MarketRolloverTests {
    @Test func startAsksForTheCurrentAndTheNextTwoWindows() throws {
        var drive = try Drive()
        #expect(drive.at(100) == ["look up #0", "look up #1", "look up #2"])
        #expect(drive.at(101) == [])
        // The window running at the start is followed at once; it is no rollover, so it leaves no receipt.
        #expect(drive.found(0) == ["current #0 after none at #0", "subscribe #0"])
        #expect(drive.odds(0, at: 101.5) == [])
        #expect(drive.found(2) == [])
        #expect(drive.found(1) == [])
        #expect(drive.rollover.current?.slug == "btc-updown-15m-1777428000")
        #expect(drive.rollover.current?.series == "btc-updown-15m")
        #expect(drive.rollover.current?.window == drive.window(0))
        #expect(drive.rollover.next?.slug == "btc-updown-15m-1777428900")
        #expect(drive.rollover.markets.map(\.role) == [.current, .next, .next])
        #expect(drive.rollover.markets.map(\.subscribed) == [true, false, false])
        #expect(drive.rollover.markets[0].firstOddsMilliseconds == 101_500)
        #expect(drive.deadline == 840)
    }

    @Test func theNextWindowIsSubscribedAMinuteAheadAndFlipsOnTime() throws {
        var drive = try Drive.settled()
        #expect(drive.at(839.999) == [])
        #expect(drive.at(840) == ["subscribe #1"])
        #expect(drive.odds(1, at: 841) == [])
        #expect(drive.deadline == 900)
        #expect(drive.at(899.999) == [])
        #expect(
            drive.at(900) == ["current #1 after #0 at #1", "receipt #1 after #0: -59000 ms", "look up #3"])
        #expect(drive.rollover.markets.map(\.role) == [.past, .current, .next])
        #expect(drive.found(3) == [])
    }

    @Test func aReceiptWaitsForLateOdds() throws {
        var drive = try Drive.settled()
        _ = drive.at(840)
        #expect(drive.at(900).prefix(2) == ["current #1 after #0 at #1", "receipt #1 after #0: pending"])
        _ = drive.at(900.25)
        #expect(drive.odds(1, at: 900.25) == ["receipt #1 after #0: 250 ms"])
        #expect(drive.odds(1, at: 901) == [])
    }

    @Test func aSeriesOfShortWindowsSubscribesAsSoonAsAMarketIsKnown() throws {
        var drive = try Drive("btc-updown-30s")
        #expect(drive.at(5) == ["look up #0", "look up #1", "look up #2"])
        #expect(drive.found(1) == ["subscribe #1"])
        #expect(drive.found(0) == ["current #0 after none at #0", "subscribe #0"])
        #expect(drive.found(2) == ["subscribe #2"])
        _ = drive.odds(1, at: 5.1)
        #expect(drive.at(30) == ["current #1 after #0 at #1", "receipt #1 after #0: -24900 ms", "look up #3"])
    }

    @Test func aDyingMarketIsAskedAboutAndLetGoTwoMinutesAfterItsEnd() throws {
        var drive = try Drive.settled()
        _ = drive.at(840)
        _ = drive.at(900)
        _ = drive.found(3)
        #expect(drive.deadline == 920)
        #expect(drive.at(920) == ["look up #0"])
        #expect(drive.found(0) == [])  // still open
        #expect(drive.at(935) == ["look up #0"])
        #expect(drive.failed(0, .unreachable, "no answer") == [])
        #expect(drive.rollover.problem == nil)
        #expect(drive.at(950) == ["look up #0"])
        #expect(drive.at(1019.999) == [])  // a question is out: no second one
        #expect(drive.at(1020) == ["unsubscribe #0"])
        #expect(drive.rollover.markets.map(\.subscribed) == [false, true, false, false])
        // It is still asked about, seldom, so that its winner becomes known.
        #expect(drive.found(0) == [])
        #expect(drive.at(1079) == [])
        #expect(drive.at(1080) == ["look up #0"])
        #expect(drive.found(0, .won(.no)) == ["resolved #0: no"])
        #expect(drive.rollover.markets.count == 3)
    }

    @Test func aMarketThatIsNeverDecidedIsForgotten() throws {
        var drive = try Drive.settled()
        _ = drive.at(900)
        #expect(drive.at(1020).contains("unsubscribe #0"))
        #expect(drive.rollover.markets.first?.role == .past)
        _ = drive.at(1799)
        #expect(drive.rollover.markets.first?.market.slug == "btc-updown-15m-1777428000")
        _ = drive.at(1800)
        #expect(drive.rollover.markets.first?.market.slug == "btc-updown-15m-1777428900")
    }

    @Test func resolutionFromTheFeedLetsTheMarketGo() throws {
        var drive = try Drive.settled()
        _ = drive.at(900)
        _ = drive.at(916)
        #expect(drive.resolved(0, winner: drive.market(0).yes.asset) == ["resolved #0: yes", "unsubscribe #0"])
        #expect(drive.resolved(0, winner: drive.market(0).yes.asset) == [])
        #expect(drive.rollover.markets.first?.winner == .yes)
        // Readable as long as it would have been kept, and never asked about again.
        #expect(drive.at(1019) == [])
        #expect(drive.rollover.markets.first?.role == .past)
        #expect(drive.at(1020) == [])
        #expect(drive.rollover.markets.first?.role == .current)
    }

    @Test func anAnswerThatCrossesTheResolutionChangesNothing() throws {
        var drive = try Drive.settled()
        _ = drive.at(900)
        #expect(drive.at(920) == ["look up #0"])
        #expect(drive.resolved(0, winner: nil) == ["resolved #0: none", "unsubscribe #0"])
        #expect(drive.found(0, .closed) == [])
        #expect(drive.at(936) == [])
        #expect(drive.at(1020) == [])
    }

    @Test func aMarketResolvedEarlyStaysCurrentUntilTheClockSaysOtherwise() throws {
        var drive = try Drive.settled()
        _ = drive.at(899)
        #expect(drive.resolved(0, winner: "somebody else's token") == ["resolved #0: none"])
        #expect(drive.rollover.current?.slug == "btc-updown-15m-1777428000")
        #expect(drive.at(900).contains("unsubscribe #0"))
    }

    @Test func aClosedMarketWithoutAWinnerIsLetGoAndAskedAboutAgain() throws {
        var drive = try Drive.settled()
        _ = drive.at(920)
        #expect(drive.found(0, .closed) == ["unsubscribe #0"])
        #expect(drive.at(935) == ["look up #0"])
        #expect(drive.found(0, .split) == ["resolved #0: none"])
    }

    @Test func aMissingMarketIsRetriedFasterTheCloserItsWindowIs() throws {
        var drive = try Drive()
        _ = drive.at(100)
        _ = drive.found(0)
        _ = drive.found(2)
        var seconds = 100.0
        var asked: [Double] = []
        #expect(drive.failed(1, .missing, "not there") == [])
        while seconds < 902 {
            seconds = drive.deadline ?? .infinity
            let actions = drive.at(seconds)
            if actions.contains("look up #1") {
                asked.append(seconds)
                _ = drive.failed(1, .missing, "not there")
            }
        }
        #expect(asked.prefix(7) == [101, 103, 107, 115, 131, 161, 191])
        // From a minute before the start on: every second.
        #expect(asked.filter { $0 >= 840 } == (840...902).map(Double.init))
    }

    @Test func theSeriesFlipsToNothingWhenTheNextMarketIsMissing() throws {
        var drive = try Drive()
        _ = drive.at(100)
        _ = drive.found(0)
        _ = drive.found(2)
        _ = drive.failed(1, .missing, "Gamma has no #1")
        #expect(drive.rollover.problem == nil)  // there is time left
        #expect(drive.at(840) == ["look up #1", "problem: Gamma has no #1"])
        #expect(drive.at(900) == ["current none after #0 at #1", "look up #3"])
        #expect(drive.rollover.current == nil)
        #expect(drive.failed(1, .unreachable, "no answer within 5 s") == ["problem: no answer within 5 s"])
        #expect(drive.rollover.status.problem == "no answer within 5 s")
        #expect(drive.at(901) == ["look up #1"])
        #expect(
            drive.found(1) == [
                "current #1 after #0 at #1", "receipt #1 after #0: pending", "subscribe #1", "problem: none",
            ])
        _ = drive.at(901.4)
        #expect(drive.odds(1, at: 901.4) == ["receipt #1 after #0: 1400 ms"])
    }

    @Test func aWindowMissedAltogetherGivesWayToTheNext() throws {
        var drive = try Drive("btc-updown-30s")
        _ = drive.at(0)
        for number in 0...2 as ClosedRange<Int64> { _ = drive.failed(number, .unreachable, "no route") }
        #expect(drive.rollover.problem == "no route")
        #expect(drive.at(30).first == "current none after none at #1")
        _ = drive.failed(1, .unreachable, "no route")
        #expect(drive.at(60).first == "current none after none at #2")
        #expect(
            drive.found(2) == [
                "current #2 after none at #2", "receipt #2 after none: pending", "subscribe #2", "problem: none",
            ])
    }

    @Test(arguments: [
        (MarketSettlement.closed, true, "#0 is closed already"), (.open, false, "#0 has no order book"),
    ])
    func anUnusableMarketIsAProblemAndRetried(
        settlement: MarketSettlement, hasOrderBook: Bool, message: String
    ) throws {
        var drive = try Drive()
        _ = drive.at(300)
        let finding = MarketFinding(market: drive.market(0), settlement: settlement, hasOrderBook: hasOrderBook)
        let actions = drive.rollover.lookedUp(drive.window(0), .success(finding), now: drive.now)
        #expect(actions.count == 1)
        #expect(drive.rollover.problem == message.replacing("#0", with: drive.market(0).slug))
        #expect(drive.rollover.current == nil)
        #expect(drive.at(301) == ["look up #0"])
        #expect(drive.found(0).contains("subscribe #0"))
    }

    @Test func aMarketOfAnotherTimeIsRefused() throws {
        var drive = try Drive()
        _ = drive.at(10)
        let lastYear = drive.window(-4)
        let finding = MarketFinding(market: .sample("older", window: lastYear))
        #expect(drive.rollover.lookedUp(drive.window(0), .success(finding), now: drive.now).count == 1)
        #expect(drive.rollover.problem == "older starts at 1777424400, not at 1777428000")
    }

    @Test func aMarketThatTakesNoOrdersYetIsAskedAgainAndFollowedInTime() throws {
        var drive = try Drive.settled()
        _ = drive.at(900)
        #expect(drive.found(3, acceptingOrders: false) == [])
        #expect(drive.at(901) == ["look up #3"])
        #expect(drive.found(3, acceptingOrders: false) == [])
        #expect(drive.at(903) == ["look up #3"])
        #expect(drive.found(3) == [])
        #expect(drive.at(919) == [])  // accepted: nothing more to ask
        var late = try Drive()
        _ = late.at(100)
        _ = late.found(0)
        _ = late.found(1, acceptingOrders: false)
        #expect(
            late.at(840) == [
                "subscribe #1", "look up #1", "problem: #1 does not take orders yet",
            ])
        #expect(late.found(1) == ["problem: none"])
    }

    @Test func theWaitTheVenueAsksForIsKept() throws {
        var drive = try Drive()
        _ = drive.at(100)
        _ = drive.failed(0, .rateLimited, "too many requests", retryAfter: .seconds(7))
        _ = drive.found(1)
        _ = drive.found(2)
        #expect(drive.at(106.9) == [])
        #expect(drive.at(107) == ["look up #0"])
        _ = drive.failed(0, .rateLimited, "too many requests", retryAfter: .seconds(86_400))
        #expect(drive.at(406.9) == [])
        #expect(drive.at(407) == ["look up #0"])
    }

    @Test func aMarketFoundUnderAnotherIdReplacesTheOneFollowed() throws {
        var drive = try Drive("btc-updown-30s")
        _ = drive.at(0)
        _ = drive.found(1, acceptingOrders: false)
        #expect(drive.at(1) == ["look up #1"])
        let other = Market(
            id: "0xother", slug: "other", yes: Outcome(label: "Up", asset: "1"), no: nil, acceptingOrders: true)
        let actions = drive.rollover.lookedUp(
            drive.window(1), .success(MarketFinding(market: other)), now: drive.now)
        #expect(
            actions.map(\.description) == [
                "unsubscribe \(drive.market(1).slug)", "subscribe other", "problem: none",
            ])
    }

    // MARK: Clocks that are stepped

    @Test func hoursSleptThroughLeadToTheRightWindowAtOnce() throws {
        var drive = try Drive.settled()
        let actions = drive.at(100 + 4 * 3600)
        #expect(
            actions == [
                "current none after #0 at #16", "unsubscribe #0", "look up #16", "look up #17", "look up #18",
            ])
        #expect(drive.rollover.markets.isEmpty)
        #expect(drive.at(100 + 4 * 3600 + 1) == [])
        // The answers of before are no longer wanted.
        #expect(drive.found(2) == [])
        #expect(drive.found(16).prefix(2) == ["current #16 after #0 at #16", "receipt #16 after #0: pending"])
    }

    @Test func aClockSetBackByHoursGoesToTheRightWindowAndLeavesNoReceipt() throws {
        var drive = try Drive.settled()
        #expect(
            drive.at(100 - 7200) == [
                "current none after #0 at #-8", "look up #-8", "look up #-7", "look up #-6", "unsubscribe #0",
            ])
        #expect(drive.rollover.markets.isEmpty)
        #expect(drive.found(-8) == ["current #-8 after #0 at #-8", "subscribe #-8"])
        #expect(drive.odds(-8, at: -7000) == [])
    }

    @Test func aClockSetBackALittleAcrossTheBoundaryChangesNothing() throws {
        var drive = try Drive.settled()
        _ = drive.at(840)
        _ = drive.at(900)
        #expect(drive.at(899.5) == [])
        #expect(drive.rollover.current?.slug == "btc-updown-15m-1777428900")
        #expect(drive.at(900.2) == [])
    }

    @Test func aRetryPlannedBeforeTheClockWasSetBackIsMadeAtOnceAndOnlyOnce() throws {
        var drive = try Drive()
        _ = drive.at(500)
        _ = drive.found(1)
        _ = drive.found(2)
        _ = drive.failed(0, .rateLimited, "later", retryAfter: .seconds(200))
        #expect(drive.at(400) == ["look up #0"])
        #expect(drive.at(400) == [])
        _ = drive.failed(0, .rateLimited, "later", retryAfter: .seconds(200))
        #expect(drive.at(400.5) == [])
    }

    /// Whatever happens to the clock and the venue, a step asks each window at most once and never leaves a deadline behind.
    @Test func aRandomLifeNeitherSpinsNorFloods() throws {
        var generator = SplitMix64(seed: 7)
        for name in ["btc-updown-30s", "btc-updown-15m", "btc-updown-1h", "btc-updown-4h"] {
            var drive = try Drive(name)
            var open: Set<MarketWindow> = []
            var followed: Set<MarketID> = []
            var time = 0.0
            for _ in 0..<3000 {
                time += Double.random(in: 0...20, using: &generator)
                if Int.random(in: 0..<50, using: &generator) == 0 {
                    time += Double.random(in: -40_000...40_000, using: &generator)
                }
                drive.now = Timestamp(milliseconds: Drive.base * 1000 + Int64(time * 1000))
                var actions = drive.rollover.advance(to: drive.now)
                if let window = open.randomElement(using: &generator) {
                    open.remove(window)
                    let market = Market.sample("\(window.start.seconds)")
                    let kind = Int.random(in: 0..<5, using: &generator)
                    let answer: Result<MarketFinding, MarketLookUpFailure> =
                        switch kind {
                        case 0: .failure(MarketLookUpFailure(.missing, "missing"))
                        case 1: .success(MarketFinding(market: market, settlement: .won(.yes)))
                        case 2: .success(MarketFinding(market: market, settlement: .closed))
                        default: .success(MarketFinding(market: market))
                        }
                    actions += drive.rollover.lookedUp(window, answer, now: drive.now)
                }
                #expect(actions.count < 60)
                for action in actions {
                    switch action {
                    case .lookUp(.window(let window, _)): open.insert(window)
                    case .subscribe(let market): #expect(followed.insert(market.id).inserted)
                    case .unsubscribe(let market): #expect(followed.remove(market.id) != nil)
                    default: break
                    }
                }
                let deadline = try #require(drive.rollover.nextDeadline)
                #expect(deadline > drive.now)
                #expect(Set(drive.rollover.markets.filter(\.subscribed).map(\.market.id)) == followed)
            }
        }
    }
}
