import OddsCore
import OddsTestSupport
import Testing

/// Rules that are told what holds at a second, and say in short lines what a person hears.
private struct Rules {
    var rules = AlertRules()
    var lines = [Self.line(0), Self.line(1)]
    var linesDownSince: ReceiveTime?
    var odds: [String: Trust?] = ["btc": .live]
    var series: [SeriesStatus] = []
    var problems: [String] = []
    var heard: [Alert] = []

    static func line(_ number: Int, failures: Int = 0, state: String? = nil) -> LineStatus {
        LineStatus(
            line: number, connection: 0, state: state ?? (failures > 0 ? "waiting" : "live"), assets: 4, messages: 0,
            bytes: 0, disconnects: 0, failuresInARow: failures, dataAge: nil, lastError: failures > 0 ? "refused" : nil)
    }

    /// What is heard from one second to another, each second once.
    mutating func hear(_ seconds: ClosedRange<Int>) -> [String] {
        seconds.flatMap { second -> [String] in
            let alerts = self.rules.observe(
                .init(
                    lines: self.lines, linesDownSince: self.linesDownSince,
                    odds: self.odds.sorted { $0.key < $1.key }.map {
                        .init(name: $0.key, market: "\($0.key)-1", trust: $0.value)
                    }, series: self.series, problems: self.problems),
                now: IncidentHarness.time(Double(second)))
            self.heard += alerts
            return alerts.map { alert in
                let downtime = alert.downtime.map { " after \($0.components.seconds)" } ?? ""
                return "\(second) \(alert.severity.rawValue) \(alert.kind.rawValue) \(alert.incident)\(downtime)"
            }
        }
    }
}

@Suite struct AlertRulesTests {
    @Test func aHealthySourceIsNotTalkedAbout() {
        var rules = Rules()
        #expect(rules.hear(0...600) == [])
    }

    @Test func fiveFailuresInARowAreToldOnceAndTheRecoveryWithTheDowntime() {
        var rules = Rules()
        rules.lines[1] = Rules.line(1, failures: 4)
        #expect(rules.hear(0...30) == [])
        rules.linesDownSince = IncidentHarness.time(2)
        rules.lines[1] = Rules.line(1, failures: 5)
        #expect(rules.hear(31...31) == ["31 warning feed_failures feed"])
        #expect(rules.heard.last?.text.contains("The last error: refused.") == true)
        rules.lines[1] = Rules.line(1, failures: 9)
        #expect(rules.hear(32...500) == [])
        rules.lines[1] = Rules.line(1)
        #expect(rules.hear(501...520) == ["506 info recovery feed after 499"])
        #expect(rules.rules.openCount == 0)
    }

    @Test func aConnectionThatIsNotNeededDoesNotFail() {
        var rules = Rules()
        rules.lines[1] = Rules.line(1, failures: 9, state: "closed")
        #expect(rules.hear(0...10) == [])
    }

    @Test func theBeginningOfAnOutageComesFromTheRecord() {
        var rules = Rules()
        rules.lines = [Rules.line(0, failures: 5)]
        rules.linesDownSince = IncidentHarness.time(3)
        _ = rules.hear(20...20)
        rules.lines = [Rules.line(0)]
        #expect(rules.hear(21...30) == ["26 info recovery feed after 18"])
    }

    @Test func thePollerIsNoTroubleWhereItWasAskedFor() {
        var rules = Rules()
        var configuration = AlertRules.Configuration()
        configuration.acceptsFallback = true
        rules.rules = AlertRules(configuration: configuration)
        rules.odds["btc"] = .fallback
        #expect(rules.hear(0...200) == [])
    }

    @Test func noLiveLineIsCritical() {
        var rules = Rules()
        rules.lines = [Rules.line(0, failures: 5)]
        #expect(rules.hear(0...10) == ["0 critical feed_failures feed"])
    }

    @Test func theLastLineLostMakesItCriticalInTheSameThread() {
        var rules = Rules()
        rules.lines[1] = Rules.line(1, failures: 5)
        #expect(rules.hear(0...10) == ["0 warning feed_failures feed"])
        rules.lines[0] = Rules.line(0, failures: 1)
        #expect(rules.hear(11...100) == ["11 critical feed_failures feed"])
        rules.lines[0] = Rules.line(0)
        #expect(rules.hear(101...110) == [])
        rules.lines[1] = Rules.line(1)
        #expect(rules.hear(111...120) == ["116 info recovery feed after 111"])
    }

    @Test func aConnectionThatFailsAgainWithinSecondsHasNotRecovered() {
        var rules = Rules()
        rules.lines[1] = Rules.line(1, failures: 5)
        _ = rules.hear(0...0)
        rules.lines[1] = Rules.line(1)
        #expect(rules.hear(1...4) == [])
        rules.lines[1] = Rules.line(1, failures: 1)
        #expect(rules.hear(5...20) == [])
        rules.lines[1] = Rules.line(1)
        #expect(rules.hear(21...30) == ["26 info recovery feed after 21"])
    }

    @Test(
        arguments: [
            (.stale(since: IncidentHarness.time(0), reason: .frozen), "critical stale"),
            (.fallback, "warning fallback"),
            (.suspect(.hashMismatch), "warning suspect"), (nil, "critical stale"),
        ] as [(Trust?, String)])
    func oddsThatAreNotLiveForAMinuteAreTold(trust: Trust?, expected: String) {
        var rules = Rules()
        _ = rules.hear(0...9)
        rules.odds["btc"] = .some(trust)
        #expect(rules.hear(10...69) == [])
        #expect(rules.hear(70...300) == ["70 \(expected) odds/btc"])
        rules.odds["btc"] = .live
        #expect(rules.hear(301...400) == ["306 info recovery odds/btc after 291"])
    }

    @Test func shorterTroubleIsNotTold() {
        var rules = Rules()
        rules.odds["btc"] = .fallback
        #expect(rules.hear(0...59) == [])
        rules.odds["btc"] = .live
        #expect(rules.hear(60...200) == [])
        rules.odds["btc"] = .fallback
        #expect(rules.hear(201...260) == [])
        rules.odds["btc"] = .live
        #expect(rules.hear(261...400) == [])
    }

    @Test func troubleThatIsInterruptedForSecondsIsOneTrouble() {
        var rules = Rules()
        for second in stride(from: 0, to: 60, by: 10) {
            rules.odds["btc"] = .fallback
            #expect(rules.hear(second...(second + 6)) == [])
            rules.odds["btc"] = .live
            #expect(rules.hear((second + 7)...(second + 9)) == [])
        }
        rules.odds["btc"] = .fallback
        #expect(rules.hear(60...65) == ["60 warning fallback odds/btc"])
    }

    @Test func changingTroubleIsToldOnceAndOnceMoreWhenItIsWorseForAsLong() {
        var rules = Rules()
        rules.odds["btc"] = .suspect(.silent)
        _ = rules.hear(0...29)
        rules.odds["btc"] = .fallback
        #expect(rules.hear(30...99) == ["60 warning fallback odds/btc"])
        rules.odds["btc"] = .stale(since: IncidentHarness.time(0), reason: .disconnected)
        #expect(rules.hear(100...159) == [])
        #expect(rules.hear(160...300) == ["160 critical stale odds/btc"])
        rules.odds["btc"] = .fallback
        #expect(rules.hear(301...400) == [])
        rules.odds["btc"] = .live
        #expect(rules.hear(401...410) == ["406 info recovery odds/btc after 401"])
    }

    @Test func aWindowThatEndsIsNoTrouble() {
        var rules = Rules()
        rules.odds["btc"] = .resolving
        #expect(rules.hear(0...200) == [])
        rules.odds["btc"] = .closed
        #expect(rules.hear(201...400) == [])
        rules.odds["btc"] = .stale(since: IncidentHarness.time(0), reason: .stopped)
        #expect(rules.hear(401...600) == [])
    }

    @Test func aMissingMarketIsToldAfterAQuarterOfAMinute() {
        var rules = Rules()
        let market = Market.sample("a")
        rules.series = [SeriesStatus(series: "btc", current: market, next: nil, problem: "not listed")]
        #expect(rules.hear(0...14) == [])
        #expect(rules.hear(15...44) == ["15 warning missing_market missing/btc"])
        rules.series = [SeriesStatus(series: "btc", current: nil, next: nil, problem: "not listed")]
        #expect(rules.hear(45...80) == ["60 critical missing_market missing/btc"])
        rules.series = [SeriesStatus(series: "btc", current: market, next: nil, problem: nil)]
        #expect(rules.hear(81...90) == ["86 info recovery missing/btc after 81"])
    }

    @Test func aMarketNamedByHandThatIsNotThereIsTold() {
        var rules = Rules()
        rules.problems = ["no market 'x'"]
        #expect(rules.hear(0...60) == ["15 warning missing_market missing/fixed"])
        #expect(rules.heard.first?.text.contains("no market 'x'") == true)
    }

    @Test func whatADeadFeedBringsAboutGoesIntoItsThread() {
        var rules = Rules()
        rules.lines = [Rules.line(0, failures: 5), Rules.line(1, failures: 5)]
        rules.odds["btc"] = .fallback
        rules.odds["eth"] = .fallback
        #expect(
            rules.hear(0...60) == [
                "0 critical feed_failures feed", "60 warning fallback feed", "60 warning fallback feed",
            ])
        rules.lines = [Rules.line(0), Rules.line(1)]
        rules.odds["btc"] = .live
        #expect(rules.hear(61...80) == [])
        rules.odds["eth"] = .live
        #expect(rules.hear(81...100) == ["86 info recovery feed after 81"])
        #expect(rules.rules.openCount == 0)
        rules.odds["eth"] = .fallback
        #expect(rules.hear(101...170) == ["161 warning fallback odds/eth"])
    }

    @Test func theBeginningComesFromTheRecord() {
        var rules = Rules()
        var harness = IncidentHarness.settled()
        _ = harness.trust(12, harness.a, .stale(10, .frozen))
        let incident = harness.report(30).open.first
        let alerts = rules.rules.observe(
            .init(
                lines: [], odds: [.init(name: "a", market: "a-1", trust: .fallback, incident: incident)], series: []),
            now: IncidentHarness.time(70))
        #expect(alerts.map(\.kind) == [.fallback])
        #expect(alerts.first?.text.contains("the feed was frozen") == true)
        #expect(alerts.first?.text.contains("It has lasted 1 min.") == true)
        #expect(rules.hear(71...71) == [])
    }

    @Test func troubleThatComesAndGoesHasNotLastedSinceItCameFirst() throws {
        var rules = Rules()
        var harness = IncidentHarness.settled()
        for second in stride(from: 10.0, through: 82, by: 8) {
            _ = harness.trust(second, harness.a, .suspect(.crossed))
            if second < 82 { _ = harness.trust(second + 0.1, harness.a, .live) }
        }
        let incident = try #require(harness.report(82.5).open.first)
        #expect(incident.begin.monotonic == IncidentHarness.instant(10))
        #expect(incident.latestBegin.monotonic == IncidentHarness.instant(82))
        let alerts = rules.rules.observe(
            .init(
                lines: [], odds: [.init(name: "a", market: "a-1", trust: .suspect(.crossed), incident: incident)],
                series: []), now: IncidentHarness.time(82.5))
        #expect(alerts.isEmpty)
    }

    @Test func aRecordsNewestTroubleOfAConnectionIsTheOutage() {
        var harness = IncidentHarness.settled()
        for second in [10.0, 18] {
            _ = harness.tell(second, .connection(line: 0, number: 0, .lost(reason: "x", lastData: nil)))
            if second < 18 { _ = harness.tell(second + 1, .connection(line: 0, number: 0, .live)) }
        }
        let source = TellingSource(markets: [], status: StreamStatus(), report: harness.report(20))
        #expect(AlertRules.Observation(of: source).linesDownSince?.monotonic == IncidentHarness.instant(18))
    }

    @Test func whatWasSaidElsewhereEndsWithOneFullStop() throws {
        var rules = Rules()
        rules.lines[1] = LineStatus(
            line: 1, connection: 0, state: "waiting", assets: 4, messages: 0, bytes: 0, disconnects: 0,
            failuresInARow: 5, dataAge: nil, lastError: "Connection reset by peer.")
        _ = rules.hear(0...0)
        let text = try #require(rules.heard.first?.text)
        #expect(text.hasPrefix("The last error: Connection reset by peer. Reconnecting"))
    }

    @Test func whatASourceTellsIsObserved() {
        let series = "btc-updown-15m"
        let window = MarketWindow(start: Timestamp(seconds: 0), end: Timestamp(seconds: 900))
        let current = Market.sample("c").placed(in: series, window: window)
        let source = TellingSource(
            markets: [
                MarketStatus(
                    market: current, role: .current, subscribed: true, firstOddsMilliseconds: nil, winner: nil),
                MarketStatus(
                    market: .sample("n"), role: .next, subscribed: true, firstOddsMilliseconds: nil, winner: nil),
                MarketStatus(
                    market: .sample("f"), role: .fixed, subscribed: true, firstOddsMilliseconds: nil, winner: nil),
                MarketStatus(
                    market: .sample("w"), role: .fixed, subscribed: true, firstOddsMilliseconds: nil, winner: .yes),
            ], status: StreamStatus(lines: [Rules.line(0)], problems: ["p"]))
        let observation = AlertRules.Observation(of: source)
        #expect(observation.odds.map(\.name) == [series, "f"])
        #expect(observation.odds.map(\.market) == ["c", "f"])
        #expect(observation.lines.count == 1)
        #expect(observation.problems == ["p"])
        #expect(observation.linesDownSince == nil)
    }
}

private struct TellingSource: OddsSource {
    let markets: [MarketStatus]
    let status: StreamStatus
    var report = IncidentReport()
    func incidents() -> IncidentReport { self.report }
    func currentOdds(_ market: MarketID) -> OddsSnapshot? { nil }
}
