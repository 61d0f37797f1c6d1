import Logging
import OddsCore
import OddsTestSupport
import Testing

@testable import RealtimeOdds

/// Windows are named by their number: `#1` is the one that begins 30 s after the start.
private let base: Int64 = 1_777_428_000

private func number(_ slug: String) -> String {
    guard let start = slug.split(separator: "-").last.flatMap({ Int64($0) }) else { return slug }
    return "#\((start - base) / 30)"
}

private func slug(_ number: Int64) -> String { "btc-updown-30s-\(base + number * 30)" }
private func path(_ number: Int64) -> String { "/markets/slug/\(slug(number))" }

/// Writes down what discovery says, and plays the feed: odds come as soon as a market is followed.
private final class Engine: MarketDiscoveryDelegate {
    let journal = Journal<String>()
    /// The fixed sentences that were logged; a failed look-up is logged when its consequences are known.
    let log: Journal<String>
    let discovery: MarketDiscovery
    private let clock: ManualClock
    private let hasOdds: @Sendable (Market) -> Bool

    init(
        _ discovery: MarketDiscovery, clock: ManualClock, log: Journal<String>,
        hasOdds: @escaping @Sendable (Market) -> Bool
    ) {
        self.discovery = discovery
        self.log = log
        self.clock = clock
        self.hasOdds = hasOdds
    }

    /// Returns when that many look-ups have failed since the start.
    func failures(_ count: Int) async throws {
        try await self.log.wait { $0.filter { $0 == "Look-up failed" }.count >= count }
    }

    func follow(_ market: Market) {
        self.journal.append("follow \(number(market.slug))")
        if self.hasOdds(market) { self.discovery.firstOdds(market.id, at: self.clock.wall) }
    }

    func unfollow(_ market: Market) { self.journal.append("unfollow \(number(market.slug))") }

    func discoveryUpdate(_ update: OddsUpdate) {
        switch update {
        case .rollover(let receipt):
            let odds = receipt.firstOddsMilliseconds.map { "\($0)" } ?? "pending"
            self.journal.append("rollover \(number(receipt.market.slug)): \(odds)")
        case .resolution(let resolution):
            let winner = resolution.winner.map { "\($0)" } ?? "none"
            self.journal.append("resolved \(number(resolution.market.slug)): \(winner)")
        case .odds, .trust, .overflow: Issue.record("discovery has no odds")
        }
    }
}

/// Writes the fixed sentence of each message into a journal.
private struct JournalLogHandler: LogHandler {
    let journal: Journal<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) { self.journal.append(event.message.description) }
}

/// Runs discovery on a clock of the test's while `body` does; nothing may be left of it afterwards.
private func running(
    _ selections: [MarketSelection], transport: ScriptedTransport, clock: ManualClock,
    hasOdds: @escaping @Sendable (Market) -> Bool = { _ in true }, body: (Engine) async throws -> Void
) async throws {
    let log = Journal<String>()
    let discovery = MarketDiscovery(
        selections: selections, gamma: GammaClient(base: "http://gamma", transport: transport), clock: clock,
        logger: Logger(label: "test", factory: { _ in JournalLogHandler(journal: log) }))
    let engine = Engine(discovery, clock: clock, log: log, hasOdds: hasOdds)
    let run = Task { await discovery.run(reportingTo: engine) }
    let outcome: Result<Void, any Error>
    do {
        try await body(engine)
        outcome = .success(())
    } catch {
        outcome = .failure(error)
    }
    run.cancel()
    await run.value
    #expect(clock.sleeperCount == 0)
    #expect(transport.openRequests == 0)
    try outcome.get()
}

@Suite(.timeLimit(.minutes(5))) struct MarketDiscoveryTests {
    private let clock = ManualClock(wall: Timestamp(seconds: base + 5))

    private func series() throws -> [MarketSelection] { [.series(try MarketSeries("btc-updown-30s"))] }

    private static func market(at path: String, _ changes: [String: String?] = [:]) -> ScriptedTransport.Answer {
        .json(gammaMarket(String(path.split(separator: "/").last ?? ""), changes))
    }

    @Test func windowsFollowEachOtherOnTime() async throws {
        let clock = self.clock
        // Gamma says that a market is closed 20 s after its end, won by turns.
        let transport = ScriptedTransport { path in
            let start = Int64(path.split(separator: "-").last ?? "") ?? 0
            guard clock.wall >= Timestamp(seconds: start + 50) else { return Self.market(at: path) }
            let prices = start % 60 == 0 ? #"["1","0"]"# : #"["0","1"]"#
            return Self.market(at: path, ["closed": "true", "outcomePrices": prices])
        }
        try await running(try self.series(), transport: transport, clock: clock) { engine in
            try await engine.journal.wait { Set($0) == ["follow #0", "follow #1", "follow #2"] }
            for window in 1...5 as ClosedRange<Int64> {
                clock.advance(to: Timestamp(seconds: base + window * 30))
                try await engine.journal.wait(for: "follow #\(window + 2)")
                #expect(engine.discovery.series.first?.current?.slug == slug(window))
                #expect(engine.discovery.series.first?.next?.slug == slug(window + 1))
                #expect(engine.discovery.series.first?.problem == nil)
                clock.advance(to: Timestamp(seconds: base + window * 30 + 20))
                try await engine.journal.wait(for: "unfollow #\(window - 1)")
            }
            // Known when the series was started at +5 s, or at the boundary two windows before.
            let entries = engine.journal.entries
            #expect(
                entries.filter { $0.hasPrefix("rollover") } == [
                    "rollover #1: -25000", "rollover #2: -55000", "rollover #3: -60000", "rollover #4: -60000",
                    "rollover #5: -60000",
                ])
            #expect(
                entries.filter { $0.hasPrefix("resolved") } == [
                    "resolved #0: yes", "resolved #1: no", "resolved #2: yes", "resolved #3: no", "resolved #4: yes",
                ])
            let markets = engine.discovery.markets
            #expect(markets.prefix(3).map(\.role) == [.current, .next, .next])
            #expect(markets.dropFirst(3).allSatisfy { $0.role == .past && !$0.subscribed && $0.winner != nil })
        }
    }

    @Test func aMissingMarketThatAppearsLateIsFollowedThen() async throws {
        let transport = ScriptedTransport { path in path.hasSuffix(slug(1)) ? .missing : Self.market(at: path) }
        try await running(try self.series(), transport: transport, clock: self.clock) { engine in
            try await engine.journal.wait { Set($0) == ["follow #0", "follow #2"] }
            try await engine.failures(1)
            self.clock.advance(to: Timestamp(seconds: base + 30))
            try await engine.failures(2)
            try await engine.journal.wait(for: "follow #3")
            let status = try #require(engine.discovery.series.first)
            #expect(status.current == nil)
            #expect(status.next?.slug == slug(2))
            #expect(status.problem?.contains("404") == true)
            transport.answer { path in Self.market(at: path) }
            self.clock.advance(by: .seconds(1))
            try await engine.journal.wait(for: "rollover #1: 1000")
            #expect(engine.journal.entries.suffix(3) == ["rollover #1: pending", "follow #1", "rollover #1: 1000"])
            #expect(engine.discovery.series.first?.current?.slug == slug(1))
            #expect(engine.discovery.series.first?.problem == nil)
        }
    }

    @Test func gammaMayBeDownAcrossABoundary() async throws {
        let down = ScriptedTransport.Answer.error(RESTError(.unreachable, "no route"))
        let transport = ScriptedTransport { _ in down }
        try await running(try self.series(), transport: transport, clock: self.clock) { engine in
            // Three windows, each asked for once a second, also across the boundaries at 30 and 60 s.
            try await engine.failures(3)
            for second in 6...63 as ClosedRange<Int64> {
                self.clock.advance(to: Timestamp(seconds: base + second))
                try await engine.failures(3 * Int(second - 4))
            }
            #expect(transport.asked.entries.count == 3 * 59)
            #expect(engine.discovery.series.first?.problem == "no route")
            #expect(engine.journal.entries.isEmpty)
            transport.answer { path in Self.market(at: path) }
            self.clock.advance(by: .seconds(1))
            try await engine.journal.wait(for: "rollover #2: 4000")
            try await engine.journal.wait { ["follow #3", "follow #4"].allSatisfy($0.contains) }
            #expect(engine.discovery.series.first?.current?.slug == slug(2))
            #expect(engine.discovery.series.first?.problem == nil)
        }
    }

    @Test func aSlowAnswerDelaysNothingAndIsAskedForAgain() async throws {
        let transport = ScriptedTransport { path in path.hasSuffix(slug(2)) ? .never : Self.market(at: path) }
        self.clock.advance(to: Timestamp(seconds: base + 28))
        try await running(try self.series(), transport: transport, clock: self.clock) { engine in
            try await engine.journal.wait { Set($0) == ["follow #0", "follow #1"] }
            try await transport.asked.wait(for: path(2))
            try await self.clock.sleepers(atLeast: 2)  // the machine's and the question's
            self.clock.advance(to: Timestamp(seconds: base + 30))
            try await engine.journal.wait { ["rollover #1: -2000", "follow #3"].allSatisfy($0.contains) }
            #expect(transport.asked.entries.filter { $0 == path(2) }.count == 1)
            self.clock.advance(to: Timestamp(seconds: base + 33))
            try await engine.failures(1)
            self.clock.advance(by: .seconds(1))
            try await transport.asked.wait { $0.filter { $0 == path(2) }.count == 2 }
            #expect(engine.discovery.series.first?.problem?.contains("within 5.0 s") == true)
        }
    }

    @Test func answersOfTheWrongShapeAreAProblemNotAnEnd() async throws {
        let transport = ScriptedTransport { path in Self.market(at: path, ["clobTokenIds": #"{"Up":1}"#]) }
        try await running(try self.series(), transport: transport, clock: self.clock) { engine in
            try await engine.failures(3)
            #expect(engine.discovery.series.first?.problem?.contains("clobTokenIds") == true)
            transport.answer { path in Self.market(at: path) }
            self.clock.advance(by: .seconds(1))
            try await engine.journal.wait(for: "follow #0")
        }
    }

    @Test func aSteppedClockLeadsToTheRightWindow() async throws {
        let transport = ScriptedTransport { path in Self.market(at: path) }
        try await running(try self.series(), transport: transport, clock: self.clock) { engine in
            try await engine.journal.wait { Set($0) == ["follow #0", "follow #1", "follow #2"] }
            for (step, first) in [(3600, 120), (-7200, -120)] as [(Int64, Int64)] {
                transport.asked.takeAll()
                engine.journal.takeAll()
                self.clock.stepWall(by: .seconds(step))
                try await self.clock.sleepers()
                self.clock.advance(by: .seconds(1))
                try await engine.journal.wait { entries in
                    (Int64(0)...2).allSatisfy { entries.contains("follow #\(first + $0)") }
                }
                #expect(engine.journal.entries.filter { $0.hasPrefix("unfollow") }.count == 3)
                #expect(engine.discovery.series.first?.current?.slug == slug(first))
                #expect(transport.asked.entries.count == 3)
            }
        }
    }

    @Test func stoppingInTheMiddleOfALookUpLeavesNothing() async throws {
        let transport = ScriptedTransport { _ in .never }
        try await running(try self.series(), transport: transport, clock: self.clock) { engine in
            try await transport.asked.wait(forCount: 3)
            #expect(engine.journal.entries.isEmpty)
        }
    }

    @Test func theFeedResolvesBeforeGammaIsAsked() async throws {
        let transport = ScriptedTransport { path in Self.market(at: path) }
        let none: @Sendable (Market) -> Bool = { _ in false }
        try await running(try self.series(), transport: transport, clock: self.clock, hasOdds: none) { engine in
            try await engine.journal.wait { Set($0) == ["follow #0", "follow #1", "follow #2"] }
            self.clock.advance(to: Timestamp(seconds: base + 30))
            try await engine.journal.wait(for: "rollover #1: pending")
            engine.discovery.firstOdds(MarketID("0x-\(slug(1))"), at: Timestamp(milliseconds: base * 1000 + 30_120))
            try await engine.journal.wait(for: "rollover #1: 120")
            engine.discovery.marketResolved(MarketID("0x-\(slug(0))"), winner: "222", at: self.clock.wall)
            try await engine.journal.wait(for: "unfollow #0")
            #expect(engine.journal.entries.contains("resolved #0: no"))
            engine.discovery.marketResolved("0xstranger", winner: nil, at: self.clock.wall)
        }
    }

    @Test func marketsNamedByThemselvesAreFoundOnceAndFollowedOnce() async throws {
        let match = gammaMarket("match", ["conditionId": #""0xab""#, "outcomes": #"["Rangers","Islanders"]"#])
        let transport = ScriptedTransport { path in .json(path.hasPrefix("/markets?") ? "[\(match)]" : match) }
        let selections: [MarketSelection] = [
            .slug("match"), .condition("0xab"), .slug("match"), .assets(["1", "2"]),
        ]
        try await running(selections, transport: transport, clock: self.clock) { engine in
            try await engine.journal.wait(for: "follow match")
            try await engine.log.wait { $0.filter { $0 == "Market subscribed" }.count == 2 }
            #expect(transport.asked.entries.count == 2)
            #expect(engine.journal.entries == ["follow match"])
            #expect(engine.discovery.markets.map(\.market.slug) == ["match"])
            #expect(engine.discovery.markets.first?.role == .fixed)
            #expect(engine.discovery.series.isEmpty)
            engine.discovery.marketResolved("0xab", winner: "111", at: self.clock.wall)
            try await engine.journal.wait(for: "unfollow match")
            #expect(engine.journal.entries == ["follow match", "resolved match: yes", "unfollow match"])
        }
    }

    @Test func aNamedMarketThatIsMissingIsSaidAndRetried() async throws {
        let transport = ScriptedTransport()
        try await running([.slug("match")], transport: transport, clock: self.clock) { engine in
            try await engine.failures(1)
            #expect(engine.discovery.fixedProblems.first?.contains("404") == true)
            transport.answer { path in Self.market(at: path) }
            self.clock.advance(by: .seconds(1))
            try await engine.journal.wait(for: "follow match")
            #expect(engine.discovery.fixedProblems.isEmpty)
        }
    }
}

@Suite struct RequestPaceTests {
    @Test func aBurstIsLetThroughThenOnePerInterval() {
        var pace = RequestPace(interval: .seconds(1), burst: 3)
        let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
        let times = (0..<6).map { _ in start.duration(to: pace.reserve(at: start)) }
        #expect(times == [0, 0, 0, 1, 2, 3].map { .seconds($0) })
        // Ten seconds later everything is free again, and a reservation of two takes two places.
        let later = start.advanced(by: .seconds(10))
        #expect(pace.reserve(2, at: later) == later)
        #expect(pace.reserve(2, at: later) == later.advanced(by: .seconds(1)))
    }

    @Test func gammasLimitIsKeptInEveryTenSeconds() {
        var pace = RequestPace.gammaMarkets
        let start = MonotonicTime(nanoseconds: 0)
        let times = (0..<2000).map { _ in pace.reserve(at: start) }
        for first in stride(from: 0, to: 1000, by: 7) {
            let end = times[first].advanced(by: .seconds(10))
            #expect(times[first...].prefix { $0 < end }.count <= 300)
        }
    }
}

@Suite(.timeLimit(.minutes(5))) struct AlarmTests {
    @Test func aRingIsKeptAndSeveralAreOne() async {
        let alarm = Alarm()
        alarm.ring()
        alarm.ring()
        await alarm.wait()
        let waiting = Task { await alarm.wait() }
        waiting.cancel()
        await waiting.value
        let woken = Task { await alarm.wait() }
        alarm.ring()
        await woken.value
    }
}
