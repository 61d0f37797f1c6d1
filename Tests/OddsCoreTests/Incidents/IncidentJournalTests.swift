import OddsCore
import OddsTestSupport
import Testing

@Suite struct IncidentJournalTests {
    @Test func aLostLineBesideAnotherIsAnIncidentServedLiveThroughout() throws {
        var feed = IncidentHarness.settled()
        #expect(
            feed.tell(
                10, .connection(line: 1, number: 0, .lost(reason: "reset", lastData: IncidentHarness.instant(9.5))))
                == ["began connection_lost Line 1"])
        #expect(feed.tell(10.2, .connection(line: 1, number: 0, .failed(reason: "refused", inARow: 2))) == [])
        #expect(feed.tell(12, .connection(line: 1, number: 0, .live)) == ["ended connection_lost Line 1"])
        let incident = try #require(feed.report(12).finished.first)
        #expect(incident.detectionTime == .milliseconds(500))
        #expect(incident.duration == .milliseconds(2500))
        #expect(incident.served[.live] == .milliseconds(2500))
        #expect(incident.lines == [1])
        #expect(incident.attempts == 1)
        #expect(incident.lost == .zero)
        #expect(
            incident.summary
                == "Line 1: connection lost for 2.5 s, noticed after 500 ms; served live 2.5 s: refused")
        #expect(feed.report(12).uptime.total.share == 1)
    }

    @Test func aRenewalIsNoIncidentAndHidesNoLaterOne() throws {
        var feed = IncidentHarness.settled()
        #expect(feed.tell(10, .connection(line: 1, number: 0, .live)) == [])
        #expect(feed.tell(11, .connection(line: 1, number: 0, .renewed)) == [])
        #expect(feed.tell(11.1, .connection(line: 1, number: 0, .closed)) == [])
        #expect(
            feed.tell(15, .connection(line: 1, number: 0, .lost(reason: "x", lastData: IncidentHarness.instant(13))))
                == ["began connection_lost Line 1"])
        #expect(feed.report(15).open.first?.detectionTime == .seconds(2))
    }

    @Test func theEpochBeforeIsThatOfTheOddsBeforeNotThatWhichTheLossBegan() throws {
        var feed = IncidentHarness.settled()
        _ = feed.trust(11, feed.a, .stale(10.5, .disconnected), epoch: 2)
        let open = try #require(feed.report(11.5).open.first)
        #expect(open.epochBefore == 1)
        #expect(open.epochAfter == 2)
        _ = feed.trust(12, feed.a, .live, epoch: 2)
        let over = try #require(feed.report(12.5).finished.first)
        #expect(over.epochBefore == 1)
        #expect(over.epochAfter == 2)
    }

    @Test func whatWasLostBeforeALineWasGivenUpIsCountedAsIsWhatWasServed() throws {
        var feed = IncidentHarness.settled()
        _ = feed.trust(10, feed.a, .fallback, epoch: 2)
        _ = feed.tell(13, .connection(line: 0, number: 0, .lost(reason: "x", lastData: IncidentHarness.instant(9))))
        let line = try #require(feed.report(14).open.first { $0.title == "Line 0" })
        #expect(line.served[.live] == .seconds(1))
        #expect(line.served[.fallback] == .seconds(4))
        #expect(line.lost == .seconds(4))
    }

    @Test func whatWasSaidOfASymptomIsNotSaidOfItsCause() throws {
        var feed = IncidentHarness.settled()
        _ = feed.tell(10, .silence(feed.a, .unverified(reason: "no answer")))
        _ = feed.trust(10, feed.a, .suspect(.silent))
        let silent = try #require(feed.report(11).open.first)
        #expect(
            silent.summary == "a: silence that nobody could verify for 1.0 s so far; served suspect 1.0 s: no answer")
        _ = feed.trust(12, feed.a, .stale(12, .disconnected), epoch: 2)
        let lost = try #require(feed.report(13).open.first)
        #expect(lost.kind == .connectionLost)
        #expect(lost.detail.isEmpty)
        #expect(
            lost.summary == "a: no connection carried it for 3.0 s so far; served suspect 2.0 s, stale 1.0 s")
    }

    @Test func whatComesBackAsSomethingGraverIsToldAsThat() {
        var feed = IncidentHarness.settled()
        _ = feed.trust(10, feed.a, .stale(10, .disconnected), epoch: 2)
        #expect(feed.trust(11, feed.a, .live, epoch: 2) == ["ended connection_lost a"])
        let frozen = ContinuityEvent.Silence.frozen(since: IncidentHarness.instant(13), lines: [0])
        #expect(feed.tell(15, .silence(feed.a, frozen)) == ["flapping frozen a"])
    }

    @Test func aConnectionThatIsClosedIsNotNeededAnyMore() throws {
        var feed = IncidentHarness.settled()
        _ = feed.tell(10, .connection(line: 1, number: 0, .lost(reason: "x", lastData: IncidentHarness.instant(10))))
        _ = feed.tell(11, .connection(line: 1, number: 0, .closed))
        let incident = try #require(feed.report(11).finished.first)
        #expect(
            incident.summary == "Line 1: connection lost for 1.0 s; served live 1.0 s; not needed any more: x")
    }

    @Test func whatComesAndGoesIsNotSaidToHaveLastedAllTheTime() throws {
        var feed = IncidentHarness.settled()
        _ = feed.tell(10, .connection(line: 1, number: 0, .lost(reason: "x", lastData: IncidentHarness.instant(10))))
        _ = feed.tell(10.5, .connection(line: 1, number: 0, .live))
        _ = feed.tell(18, .connection(line: 1, number: 0, .lost(reason: "x", lastData: IncidentHarness.instant(18))))
        _ = feed.tell(18.5, .connection(line: 1, number: 0, .live))
        let incident = try #require(feed.report(19).finished.first)
        #expect(incident.summary == "Line 1: connection lost, 2 times within 8.5 s; served live 8.5 s: x")
    }

    @Test func bothLinesLostIsAnIncidentForEachLineAndEachMarket() throws {
        var feed = IncidentHarness.settled()
        _ = feed.tell(10, .connection(line: 0, number: 0, .lost(reason: "reset", lastData: nil)))
        #expect(feed.trust(11, feed.a, .stale(10.5, .disconnected)) == ["began connection_lost a"])
        #expect(feed.trust(11, feed.b, .stale(2, .disconnected)) == ["began connection_lost b"])
        #expect(
            feed.tell(
                11, .connection(line: 1, number: 0, .lost(reason: "reset", lastData: IncidentHarness.instant(10.5))))
                == ["began connection_lost Line 1"])
        #expect(feed.trust(12, feed.a, .fallback, epoch: 2) == [])
        #expect(feed.tell(13, .connection(line: 0, number: 0, .live)) == ["ended connection_lost Line 0"])
        #expect(feed.trust(13.5, feed.a, .live, epoch: 3) == ["ended connection_lost a"])
        #expect(feed.trust(13.5, feed.b, .live, epoch: 3) == ["ended connection_lost b"])
        let report = feed.report(14)
        let a = try #require(report.finished.first { $0.title == "a" })
        #expect(a.detectionTime == .milliseconds(500))
        #expect(a.served[.live] == .milliseconds(500))
        #expect(a.served[.stale] == .seconds(1))
        #expect(a.served[.fallback] == .milliseconds(1500))
        #expect(a.lost == .milliseconds(2500))
        #expect(a.epochBefore == 1)
        #expect(a.epochAfter == 3)
        // Heartbeats would have told within ten seconds that the connection was dead: silence before was only quiet.
        let b = try #require(report.finished.first { $0.title == "b" })
        #expect(b.detectionTime == .seconds(9))
        // A line's incident is served what its worst market was.
        let line = try #require(report.open.first { $0.title == "Line 1" })
        #expect(line.served[.live] == .seconds(1))
        #expect(line.served[.stale] == .milliseconds(2500))
        #expect(report.uptime.total.lost == [.connectionLost: .seconds(5)])
        #expect(report.uptime.total.due == .seconds(28))
        #expect(report.counts == [.connectionLost: 4])
    }

    @Test func aFreezeThatEndsInFallbackIsOneIncident() throws {
        var feed = IncidentHarness.settled()
        #expect(feed.trust(12.8, feed.a, .suspect(.silent)) == ["began silent_unverified a"])
        #expect(
            feed.tell(13, .silence(feed.a, .frozen(since: IncidentHarness.instant(8), lines: [1, 0])))
                == ["grew frozen a"])
        #expect(feed.trust(13, feed.a, .stale(8, .frozen), epoch: 2) == ["grew frozen a"])
        #expect(feed.trust(13.2, feed.a, .fallback, epoch: 2) == [])
        #expect(feed.trust(16.2, feed.a, .live, epoch: 3) == ["ended frozen a"])
        #expect(feed.tell(16.2, .silence(feed.a, .over)) == [])
        let incident = try #require(feed.report(17).finished.first)
        #expect(incident.begin.monotonic == IncidentHarness.instant(8))
        #expect(incident.begin.wall == IncidentHarness.time(8).wall)
        #expect(incident.detectionTime == .milliseconds(4800))
        #expect(incident.lines == [0, 1])
        #expect(
            incident.summary == "a: the feed was frozen for 8.2 s, noticed after 4.8 s; "
                + "served live 4.8 s, suspect 200 ms, stale 200 ms, fallback 3.0 s")
        #expect(feed.report(17).uptime.total.lost == [.frozen: .milliseconds(3400)])
        #expect(feed.report(17).counts == [.frozen: 1, .silentUnverified: 0])
    }

    @Test func aFrozenLineBesideALiveOneEndsWhenItsDataFlows() throws {
        var feed = IncidentHarness.settled()
        #expect(
            feed.tell(13, .silence(feed.a, .frozen(since: IncidentHarness.instant(11), lines: [1])))
                == ["began frozen a"])
        #expect(feed.trust(13.5, feed.a, .live) == [])
        #expect(feed.tell(14, .silence(feed.a, .over)) == ["ended frozen a"])
        let incident = try #require(feed.report(15).finished.first)
        #expect(incident.served.spent.map(\.standing) == [.live])
        #expect(incident.lost == .zero)
    }

    @Test func aVerifiedSilenceIsNoIncidentAndBoundsTheNextOne() throws {
        var feed = IncidentHarness.settled()
        #expect(feed.tell(40, .silence(feed.a, .verifiedQuiet)) == [])
        _ = feed.tell(60, .silence(feed.a, .frozen(since: IncidentHarness.instant(5), lines: [0])))
        #expect(feed.report(60).open.first?.begin.monotonic == IncidentHarness.instant(40))
    }

    @Test func anUnansweredWitnessIsAnIncidentUntilItAnswers() {
        var feed = IncidentHarness.settled()
        #expect(feed.tell(20, .silence(feed.a, .unverified(reason: "503"))) == ["began silent_unverified a"])
        #expect(feed.tell(21, .silence(feed.a, .unverified(reason: "503"))) == [])
        #expect(feed.tell(22, .silence(feed.a, .verifiedQuiet)) == ["ended silent_unverified a"])
        #expect(feed.report(22).finished.first?.detail == "503")
    }

    @Test func aStormOfResyncsIsOneIncident() throws {
        var feed = IncidentHarness.settled()
        let asset = feed.a.yes.asset
        #expect(feed.trust(10, feed.a, .suspect(.topMismatch)) == ["began suspect a"])
        #expect(feed.tell(10, .resync(line: 0, asset, feed.a, .topMismatch)) == ["grew resync a"])
        for second in 11..<200 {
            #expect(feed.tell(Double(second), .resynced(line: 0, asset)) == [])
            _ = feed.trust(Double(second), feed.a, .live, epoch: UInt64(second))
            _ = feed.trust(Double(second) + 0.5, feed.a, .suspect(.topMismatch), epoch: UInt64(second))
            #expect(feed.tell(Double(second) + 0.5, .resync(line: 0, asset, nil, .topMismatch)) == [])
        }
        _ = feed.tell(200, .resynced(line: 0, asset))
        #expect(feed.trust(200, feed.a, .live, epoch: 200) == [])
        #expect(feed.tick(209) == [])
        #expect(feed.tick(210) == ["ended resync a"])
        let report = feed.report(300)
        #expect(report.all.count == 1)
        let incident = try #require(report.finished.first)
        #expect(incident.occurrences == 190)
        #expect(incident.resyncs == 190)
        #expect(incident.duration == .seconds(190))
        #expect(incident.served[.live] == .milliseconds(94500))
        #expect(incident.lost == .milliseconds(95500))
        #expect(report.uptime.total.lost == [.resync: .milliseconds(95500)])
    }

    @Test func flappingIsToldOnceWhenItBeginsAndOnceWhenItStaysAway() {
        var feed = IncidentHarness.settled()
        func lost() -> ContinuityEvent { .connection(line: 0, number: 0, .lost(reason: "x", lastData: nil)) }
        let live = ContinuityEvent.connection(line: 0, number: 0, .live)
        #expect(feed.tell(1, lost()) == ["began connection_lost Line 0"])
        #expect(feed.tell(2, live) == ["ended connection_lost Line 0"])
        #expect(feed.tell(3, lost()) == ["flapping connection_lost Line 0"])
        #expect(feed.tell(4, live) == [])
        #expect(feed.tell(5, lost()) == [])
        #expect(feed.tell(6, live) == [])
        #expect(feed.tick(16) == ["ended connection_lost Line 0"])
        #expect(feed.tell(17, lost()) == ["began connection_lost Line 0"])
        #expect(feed.report(17).all.map(\.id) == [2, 1])
    }

    @Test func aResyncOnOneLineBesideAnotherIsServedLive() throws {
        var feed = IncidentHarness.settled()
        let asset = feed.a.no?.asset ?? ""
        #expect(feed.tell(5, .resync(line: 1, asset, feed.a, .hashMismatch)) == ["began resync a"])
        #expect(feed.tell(5.2, .resynced(line: 1, asset)) == ["ended resync a"])
        let incident = try #require(feed.report(6).finished.first)
        #expect(incident.reason == "hashMismatch")
        #expect(incident.served[.live] == .milliseconds(200))
    }

    @Test func whatWasAskedForOnALineThatIsLostIsNotWaitedFor() {
        var feed = IncidentHarness.settled()
        _ = feed.tell(5, .resync(line: 1, feed.a.yes.asset, feed.a, .topMismatch))
        #expect(
            feed.tell(6, .connection(line: 1, number: 0, .lost(reason: "reset", lastData: nil)))
                == ["ended resync a", "began connection_lost Line 1"])
    }

    @Test func firstOddsThatDoNotComeAreAnIncidentFromTheBeginning() throws {
        var feed = IncidentHarness()
        _ = feed.tell(100, .followed(feed.a))
        #expect(feed.tick(102.9) == [])
        #expect(feed.tick(104) == ["began no_snapshot a"])
        #expect(feed.tell(104, .resync(line: 0, feed.a.yes.asset, feed.a, .resynchronising)) == [])
        #expect(feed.tell(105, .resynced(line: 0, feed.a.yes.asset)) == [])
        #expect(feed.trust(105, feed.a, .live) == ["ended no_snapshot a"])
        let report = feed.report(110)
        let incident = try #require(report.finished.first)
        #expect(incident.detectionTime == .seconds(4))
        #expect(incident.served.spent.map(\.standing) == [.pending, .missing])
        #expect(incident.lost == .seconds(2))
        #expect(report.uptime.total.due == .seconds(7))
        #expect(report.uptime.total.live == .seconds(5))
        #expect(report.uptime.total.lost == [.noSnapshot: .seconds(2)])
    }

    @Test func aPollersOddsAreAsGoodAsItGets() throws {
        var configuration = IncidentJournal.Configuration()
        configuration.acceptsFallback = true
        var feed = IncidentHarness(configuration: configuration)
        #expect(feed.tell(100, .followed(feed.a)) == [])
        #expect(feed.trust(101, feed.a, .fallback) == [])
        #expect(feed.trust(111, feed.a, .stale(105, .disconnected), epoch: 2) == ["began connection_lost a"])
        #expect(feed.trust(115, feed.a, .fallback, epoch: 2) == ["ended connection_lost a"])
        let report = feed.report(130)
        let uptime = report.uptime.total
        #expect(uptime.due == .seconds(29))
        #expect(uptime.up == .seconds(25) && uptime.live == .zero)
        #expect(uptime.share == 25.0 / 29.0)
        #expect(uptime.lost == [.connectionLost: .seconds(4)])
        let incident = try #require(report.finished.first)
        #expect(incident.lost == .seconds(4))
        #expect(incident.duration == .seconds(10))
        #expect(feed.tell(130, .unfollowed(feed.a.id)) == [])
        #expect(feed.report(130).uptime.total == uptime)
    }

    @Test func aStreamersFallbackIsTrouble() {
        var feed = IncidentHarness.settled()
        #expect(feed.trust(10, feed.a, .fallback) == ["began fallback a"])
        #expect(feed.report(20).uptime.total.up == .seconds(30))
        #expect(feed.report(20).uptime.total.lost == [.fallback: .seconds(10)])
    }

    @Test func firstOddsInTimeCostNothing() {
        var feed = IncidentHarness()
        _ = feed.tell(100, .followed(feed.a))
        #expect(feed.trust(100.4, feed.a, .live) == [])
        #expect(feed.tick(104) == [])
        #expect(feed.report(110.4).uptime.total.due == .seconds(10))
        #expect(feed.report(110.4).uptime.total.share == 1)
        #expect(feed.report(110.4).uptime.total.elapsed == .milliseconds(10400))
    }

    @Test func aMissingMarketIsOneIncidentWhateverIsSaidAboutIt() throws {
        var feed = IncidentHarness.settled()
        #expect(
            feed.tell(5, .discovery(name: "btc-updown-15m", problem: "not listed"))
                == ["began missing_market btc-updown-15m"])
        #expect(feed.tell(6, .discovery(name: "btc-updown-15m", problem: "unreachable")) == [])
        #expect(
            feed.tell(9, .discovery(name: "btc-updown-15m", problem: nil)) == ["ended missing_market btc-updown-15m"])
        let incident = try #require(feed.report(9).finished.first)
        #expect(incident.detail == "unreachable")
        #expect(incident.duration == .seconds(4))
        #expect(incident.served.spent.isEmpty)
    }

    @Test func theEndOfTheWindowEndsItsIncidents() throws {
        var feed = IncidentHarness.settled()
        _ = feed.trust(5, feed.a, .stale(4, .frozen))
        #expect(feed.trust(8, feed.a, .resolving) == ["ended frozen a"])
        #expect(feed.report(8).finished.first?.ending == .decided)
        #expect(feed.tell(9, .silence(feed.a, .frozen(since: nil, lines: [0]))) == [])
        #expect(feed.report(20).uptime.markets.first?.uptime.due == .seconds(8))
    }

    @Test func lettingAMarketGoEndsItsIncidentAndKeepsItsTime() throws {
        var feed = IncidentHarness.settled()
        _ = feed.trust(5, feed.a, .suspect(.crossed))
        #expect(feed.tell(7, .unfollowed(feed.a.id)) == ["ended suspect a"])
        #expect(feed.tell(7, .unfollowed(feed.a.id)) == [])
        let report = feed.report(10)
        #expect(report.finished.first?.ending == .released)
        #expect(report.uptime.markets.map(\.market.slug) == ["b"])
        #expect(report.uptime.total.elapsed == .seconds(17))
        #expect(report.uptime.total.lost == [.suspect: .seconds(2)])
    }

    @Test func stoppingIsNoTrouble() {
        var feed = IncidentHarness.settled()
        #expect(feed.trust(5, feed.a, .stale(5, .stopped)) == [])
        #expect(feed.tell(5, .connection(line: 0, number: 0, .closed)) == [])
        #expect(feed.report(9).uptime.markets.first?.uptime.due == .seconds(5))
        _ = feed.trust(6, feed.b, .suspect(.crossed))
        #expect(feed.trust(7, feed.b, .stale(7, .stopped)) == ["ended suspect b"])
        #expect(feed.report(9).finished.first?.ending == .released)
    }

    @Test func theClockOnlyGoesForwards() {
        var feed = IncidentHarness.settled()
        _ = feed.trust(10, feed.a, .suspect(.crossed))
        _ = feed.trust(8, feed.a, .live)
        let incident = feed.report(9).finished.first
        #expect(incident?.duration == .zero)
        #expect(feed.report(9).uptime.total.elapsed == .seconds(20))
    }

    @Test func aTokenWithoutAMarketHasItsOwnIncidentUntilTheMarketIsKnown() {
        var feed = IncidentHarness.settled()
        #expect(feed.tell(5, .resync(line: 0, "x/up", nil, .resynchronising)) == ["began no_snapshot Token x/up"])
        #expect(feed.tell(6, .followed(Market.sample("x"))) == ["ended no_snapshot Token x/up"])
    }

    @Test func onlyTheNewestAreKeptAndAllAreCounted() {
        var limits = IncidentJournal.Configuration()
        limits.finishedLimit = 8
        var feed = IncidentHarness(configuration: limits)
        for round in 0..<50 {
            let start = Double(round) * 100
            _ = feed.tell(start, .discovery(name: "s", problem: "none"))
            _ = feed.tell(start + 1, .discovery(name: "s", problem: nil))
            _ = feed.tick(start + 50)
        }
        let report = feed.report(6000)
        #expect(report.finished.map(\.id) == Array((43...50).reversed()))
        #expect(report.counts == [.missingMarket: 50])
    }

    @Test func seriesAreCountedApart() {
        let window = MarketWindow(start: Timestamp(seconds: 0), end: Timestamp(seconds: 900))
        let market = Market.sample("c").placed(in: "btc-updown-15m", window: window)
        var feed = IncidentHarness.settled()
        _ = feed.tell(0, .followed(market))
        _ = feed.trust(0, market, .live)
        _ = feed.tell(5, .unfollowed(market.id))
        #expect(feed.report(10).uptime.series["btc-updown-15m"]?.elapsed == .seconds(5))
        #expect(feed.report(10).uptime.total.elapsed == .seconds(25))
    }

    @Test func theBookTellsTheSame() {
        let book = IncidentBook()
        let changes = book.record(.discovery(name: "s", problem: "none"), at: IncidentHarness.time(1))
        #expect(changes.map(IncidentHarness.line) == ["began missing_market s"])
        #expect(book.tick(at: IncidentHarness.time(2)).isEmpty)
        #expect(book.report(at: IncidentHarness.time(3)).open.first?.duration == .seconds(2))
        #expect(book.report(at: IncidentHarness.time(4)).open.first?.duration == .seconds(3))
    }
}
