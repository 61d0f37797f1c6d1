import ChaosSupport
import OddsCore
import OddsProof
import OddsTestSupport
import PolymarketSimulator
import RealtimeOdds
import Testing

/// Planned renewal in virtual time: a connection is replaced while it is healthy, and nobody notices.
@Suite(.longWork) struct RenewalTests {
    // MARK: Nothing is lost

    @Test(arguments: [1, 2, 4])
    func manyRenewalsUnderLoadChangeNothingButTheSocket(lines: Int) throws {
        let calm = try RenewalRun(lines: lines, every: .zero)
        let run = try RenewalRun(lines: lines, every: .seconds(10))
        calm.pass(.seconds(90))
        run.pass(.seconds(90))
        #expect(calm.renewals.isEmpty, "an interval of zero means never")
        #expect(calm.world.network.attempts == lines)
        for line in 0..<lines {
            let times = run.renewals.filter { $0.line == line }.map(\.time)
            #expect(times.count >= 7, "line \(line): \(times)")
        }
        run.expectUnnoticed()
        for market in run.markets {
            let lost = LivePrices.missing(
                of: calm.prices(of: market), in: run.prices(of: market), visible: .milliseconds(5))
            #expect(lost.isEmpty, "\(lost)")
        }
        #expect(run.fewestSockets >= lines)
        #expect(run.mostSockets <= lines + 1)
        #expect(run.world.host.connectionCount <= lines + 1)
        calm.end()
        run.end()
    }

    @Test func linesAreRenewedAtDifferentMoments() throws {
        let run = try RenewalRun(lines: 2, every: .seconds(20))
        run.pass(.seconds(120))
        let times = run.renewals
        #expect(times.count >= 10)
        for (one, next) in zip(times, times.dropFirst()) {
            #expect(one.line != next.line)
            #expect(next.time - one.time > .seconds(4))
        }
        run.end()
    }

    // MARK: A successor that is of no use

    @Test(arguments: [1, 2])
    func aSuccessorThatIsNeverGivenABookIsDroppedAndTheOldOneKept(lines: Int) throws {
        let run = try RenewalRun(lines: lines, every: .seconds(30)) { $0.exchange.flow.trades = 0 }
        run.pass(.seconds(5))
        run.world.exchange.inject(SimulatorFault(.noSnapshot, for: .seconds(60)))
        run.pass(.seconds(60))
        #expect(run.renewals.isEmpty)
        #expect(run.mostSockets == lines + 1, "it was tried")
        run.expectUnnoticed()
        run.pass(.seconds(150))
        #expect(!run.renewals.isEmpty, "it is tried again")
        #expect(run.fewestSockets >= lines)
        run.expectUnnoticed()
        run.end()
    }

    @Test(arguments: [1, 2])
    func aSuccessorThatIsRefusedIsNoTroubleOfTheLine(lines: Int) throws {
        let run = try RenewalRun(lines: lines, every: .seconds(30))
        run.pass(.seconds(5))
        run.world.exchange.inject(.refuse(.status(503), for: .seconds(60)))
        run.pass(.seconds(60))
        #expect(run.renewals.isEmpty)
        #expect(run.world.network.attempts > lines, "it was tried")
        run.expectUnnoticed()
        run.pass(.seconds(150))
        #expect(!run.renewals.isEmpty, "it is tried again")
        run.expectUnnoticed()
        run.end()
    }

    @Test(arguments: [1, 2])
    func aSuccessorThatIsFrozenIsDroppedAndTheOldOneKept(lines: Int) throws {
        let run = try RenewalRun(lines: lines, every: .seconds(30))
        try run.passUntilRenewing()
        run.pass(.milliseconds(90))
        run.world.exchange.inject(SimulatorFault(.freeze, on: .newest, for: nil))
        run.pass(.seconds(30))
        run.expectUnnoticed()
        run.pass(.seconds(120))
        #expect(!run.renewals.isEmpty)
        run.expectUnnoticed()
        run.end()
    }

    // MARK: Things that happen in the middle

    @Test(arguments: [1, 2])
    func whenTheOldOneIsLostInTheMiddleOddsAreThereAtOnce(lines: Int) throws {
        let run = try RenewalRun(lines: lines, every: .seconds(30))
        try run.passUntilRenewing()
        run.pass(.milliseconds(130))
        run.world.exchange.inject(SimulatorFault(.drop, on: .oldest))
        run.pass(.milliseconds(600))
        for market in run.markets { #expect(run.world.host.currentOdds(market.id)?.trust == .live) }
        run.world.story.forget()
        run.pass(.seconds(5))
        #expect(run.fewestSockets >= lines)
        for market in run.markets { #expect(run.world.host.lines(carrying: market) == Array(0..<lines)) }
        run.expectLive()
        run.end()
    }

    @Test(arguments: [1, 2])
    func whenTheOldOneIsLostAndNobodyCanConnectOddsAreNotLive(lines: Int) throws {
        let run = try RenewalRun(lines: lines, every: .seconds(30))
        try run.passUntilRenewing()
        run.pass(.milliseconds(130))
        run.world.exchange.inject(.refuse(.reset, for: .seconds(30)))
        run.world.exchange.inject(
            SimulatorFault(.restError(status: 503, retryAfter: nil), on: .clob, for: .seconds(30)))
        run.world.exchange.inject(SimulatorFault(.drop))
        run.pass(.seconds(1))
        for market in run.markets {
            #expect(run.world.host.currentOdds(market.id)?.trust.name == "stale")
        }
        run.pass(.seconds(60))
        run.expectLive()
        run.end()
    }

    @Test(arguments: [1, 2])
    func aMarketThatIsFollowedInTheMiddleIsCarriedAfterwards(lines: Int) throws {
        let run = try RenewalRun(lines: lines, every: .seconds(30))
        try run.passUntilRenewing()
        let late = try run.market("eth-updown-15m")
        run.follow(late)
        run.pass(.seconds(5))
        #expect(run.renewals.count == 1)
        #expect(run.world.host.lines(carrying: late) == Array(0..<lines))
        run.world.story.forget()
        run.pass(.seconds(120))
        run.expectUnnoticed()
        run.expectLive()
        run.end()
    }

    @Test(arguments: [1, 2])
    func tokensThatAreFollowedInTheMiddleAreCarriedAfterwards(lines: Int) throws {
        let run = try RenewalRun(lines: lines, every: .seconds(30))
        try run.passUntilRenewing()
        let late = try run.market("eth-updown-15m")
        run.world.host.follow(bare: late.assets)
        run.markets.append(late)
        run.pass(.seconds(5))
        #expect(run.renewals.count == 1)
        run.pass(.seconds(60))
        run.expectLive()
        run.end()
    }

    @Test(arguments: [1, 2])
    func aMarketThatIsUnfollowedInTheMiddleIsGone(lines: Int) throws {
        let run = try RenewalRun(lines: lines, every: .seconds(30), series: ["btc-updown-15m", "eth-updown-15m"])
        try run.passUntilRenewing()
        let gone = run.markets.removeLast()
        run.world.host.unfollow(gone)
        run.pass(.seconds(60))
        #expect(run.renewals.count >= 1)
        #expect(run.world.host.lines(carrying: gone).isEmpty)
        #expect(run.world.host.currentOdds(gone.id) == nil)
        run.expectUnnoticed()
        run.end()
    }

    @Test func everythingIsUnfollowedInTheMiddleAndFollowedAgain() throws {
        let run = try RenewalRun(lines: 2, every: .seconds(30))
        try run.passUntilRenewing()
        let market = run.markets[0]
        run.world.host.unfollow(market)
        run.pass(.seconds(20))
        #expect(run.world.network.openSockets == 0)
        run.world.host.follow(market)
        run.pass(.seconds(10))
        run.expectLive()
        #expect(run.world.host.lines(carrying: market) == [0, 1])
        run.pass(.seconds(90))
        #expect(!run.renewals.isEmpty)
        run.expectLive()
        run.end()
    }

    @Test(arguments: [1, 2])
    func theEndInTheMiddleLeavesNothing(lines: Int) throws {
        for step in 0..<30 {
            let run = try RenewalRun(lines: lines, every: .seconds(10))
            try run.passUntilRenewing()
            run.pass(.milliseconds(20 * step))
            run.end()
        }
    }

    @Test func afterARenewalAFrozenLineIsCalledByItsNumber() throws {
        let run = try RenewalRun(lines: 2, every: .seconds(30))
        try run.passUntilRenewing()
        run.passUntilRenewed()
        #expect(run.renewals.map(\.line) == [0])
        run.world.exchange.inject(SimulatorFault(.freeze, on: .newest, for: .seconds(10)))
        run.pass(.seconds(5))
        let frozen = run.world.story.entries.compactMap { entry -> [Int]? in
            guard case .silence(_, .frozen(_, let lines)) = entry.event else { return nil }
            return lines
        }
        #expect(frozen == [[0]])
        run.end()
    }

    // MARK: Many assets

    @Test(arguments: [2, 4])
    func manyConnectionsOfALineAreAllRenewed(lines: Int) throws {
        let run = try RenewalRun(
            lines: lines, every: .seconds(30),
            series: ["btc", "eth", "sol", "xrp"].map { "\($0)-updown-15m" },
            configure: { $0.feed.maximumAssetsPerConnection = 2 })
        #expect(run.world.network.openSockets == lines * 4)
        run.pass(.seconds(110))
        for line in 0..<lines {
            for number in 0..<4 {
                let count = run.renewals.count { $0.line == line && $0.number == number }
                #expect(count >= 2, "line \(line), connection \(number): \(count)")
            }
        }
        #expect(run.mostSockets <= lines * 4 + 1)
        run.expectUnnoticed()
        run.passUntilRenewed()
        for market in run.markets {
            #expect(run.world.host.lines(carrying: market).sorted() == Array(0..<lines))
        }
        run.end()
    }

    // MARK: Tokens without discovery

    @Test(arguments: [1, 2])
    func tokensNamedAloneSurviveRenewals(lines: Int) throws {
        let calm = try RenewalRun(lines: lines, every: .zero, series: Self.pairs, bare: true)
        let run = try RenewalRun(lines: lines, every: .seconds(15), series: Self.pairs, bare: true)
        calm.pass(.seconds(60))
        run.pass(.seconds(60))
        #expect(run.renewals.count >= 3 * lines)
        run.expectUnnoticed()
        run.expectLive()
        for market in run.markets {
            let lost = LivePrices.missing(
                of: calm.prices(of: market), in: run.prices(of: market), visible: .milliseconds(5))
            #expect(lost.isEmpty, "\(lost)")
        }
        calm.end()
        run.end()
    }

    @Test(arguments: [1, 2])
    func aTokenWhoseBookDoesNotComeKeepsTheOldConnection(lines: Int) throws {
        let run = try RenewalRun(lines: lines, every: .seconds(30), series: Self.pairs, bare: true) {
            $0.exchange.flow.trades = 0
        }
        run.pass(.seconds(5))
        run.world.exchange.inject(
            SimulatorFault(.noSnapshot, on: .series("eth-updown-15m"), for: .seconds(60)))
        run.pass(.seconds(50))
        #expect(run.renewals.isEmpty)
        run.expectUnnoticed()
        run.end()
    }

    private static let pairs = ["btc-updown-15m", "eth-updown-15m"]

    // MARK: Markets that are over

    /// A market whose end Gamma told is decided on every connection, also on one that comes later.
    @Test func aDecidedMarketStaysDecided() throws {
        let run = try RenewalRun(lines: 2, every: .seconds(20), series: Self.pairs)
        run.pass(.seconds(2))
        let decided = run.markets.removeLast()
        run.world.host.close(decided.id)
        #expect(run.world.host.currentOdds(decided.id)?.trust == .closed)
        run.pass(.seconds(60))
        #expect(run.renewals.count > 2)
        #expect(run.world.host.currentOdds(decided.id)?.trust == .closed)
        run.end()
    }
}

extension RenewalTests {
    /// What REST tells must never be older than what was shown, though the lines were lost meanwhile.
    @Test func fallbackIsNeverOlderThanWhatWasShown() throws {
        let run = try RenewalRun(lines: 1, every: .zero)
        run.pass(.seconds(20))
        run.world.exchange.inject(SimulatorFault(.restStale(by: .seconds(10)), on: .clob, for: .seconds(20)))
        run.world.exchange.inject(.refuse(.reset, for: .seconds(20)))
        run.world.exchange.inject(SimulatorFault(.drop))
        run.pass(.seconds(19))
        var newest = Timestamp(milliseconds: .min)
        for odds in run.world.story.published {
            #expect(odds.exchangeTime >= newest, "\(odds.trust)")
            newest = max(newest, odds.exchangeTime)
        }
        run.end()
    }
}

/// A world with renewals, watched step by step.
private final class RenewalRun {
    let world: VirtualWorld
    var markets: [Market] = []
    private(set) var fewestSockets = Int.max
    private(set) var mostSockets = 0
    private var epochs: [MarketID: Set<UInt64>] = [:]
    private let step = Duration.milliseconds(20)

    init(
        lines: Int, every interval: Duration, series: [String] = ["btc-updown-15m"], bare: Bool = false,
        configure: (inout VirtualWorld.Setting) -> Void = { _ in }
    ) throws {
        var setting = VirtualWorld.Setting()
        setting.exchange.seed = 7
        setting.exchange.series = try Set(series + ["btc-updown-15m", "eth-updown-15m"]).sorted().map {
            try MarketSeries($0)
        }
        setting.exchange.tick = .milliseconds(20)
        setting.feed.lines = lines
        setting.feed.renewalInterval = interval
        configure(&setting)
        self.world = VirtualWorld(setting, seed: 3)
        for name in series {
            let market = try self.market(name)
            if bare { self.markets.append(market) } else { self.follow(market) }
        }
        if bare { self.world.host.follow(bare: self.markets.flatMap(\.assets)) }
        self.world.pass(.seconds(2))
        self.world.story.forget()
    }

    /// The market of a series' present window.
    func market(_ series: String) throws -> Market {
        let start = self.world.clock.now().wall.seconds / 900 * 900
        return try #require(self.world.exchange.market(slug: "\(series)-\(start)"))
    }

    func follow(_ market: Market) {
        self.world.host.follow(market)
        self.markets.append(market)
    }

    func pass(_ duration: Duration) {
        var rest = duration
        while rest > .zero {
            self.world.pass(self.step)
            rest -= self.step
            self.fewestSockets = min(self.fewestSockets, self.world.network.openSockets)
            self.mostSockets = max(self.mostSockets, self.world.network.openSockets)
            for market in self.markets {
                let seats = self.world.host.seats(carrying: market)
                if Set(seats).count != seats.count { Issue.record("two connections on one seat: \(seats)") }
                if seats.contains(FeedArbiter.witnessSeat) { Issue.record("a connection on the witness's seat") }
                if let odds = self.world.host.currentOdds(market.id) {
                    self.epochs[market.id, default: []].insert(odds.epoch)
                }
            }
        }
    }

    func passUntilRenewing() throws {
        for _ in 0..<10_000 where !self.world.host.isRenewing { self.pass(self.step) }
        try #require(self.world.host.isRenewing)
    }

    func passUntilRenewed() {
        for _ in 0..<1_000 where self.world.host.isRenewing { self.pass(self.step) }
    }

    var renewals: [(line: Int, number: Int, time: Duration)] {
        self.world.story.entries.compactMap { entry in
            guard case .connection(let line, let number, .renewed) = entry.event else { return nil }
            return (line, number, .nanoseconds(entry.time.monotonic.nanoseconds))
        }
    }

    func prices(of market: Market) -> [LivePrices] {
        LivePrices.all(of: self.world.story.published.filter { $0.marketID == market.id })
    }

    /// Nothing was said but that connections were renewed, and no trust and no epoch changed.
    func expectUnnoticed(sourceLocation: SourceLocation = #_sourceLocation) {
        for entry in self.world.story.entries {
            switch entry.event {
            case .connection(_, _, .renewed), .followed, .unfollowed, .trust(_, .live, previous: nil, _, _): break
            default:
                Issue.record("\(entry.event) at \(entry.time.monotonic.nanoseconds)", sourceLocation: sourceLocation)
            }
        }
        for market in self.markets {
            #expect((self.epochs[market.id]?.count ?? 0) <= 1, sourceLocation: sourceLocation)
        }
        let trusts = Set(self.world.story.published.map(\.trust))
        #expect(trusts.subtracting([.live]).isEmpty, sourceLocation: sourceLocation)
    }

    func expectLive(sourceLocation: SourceLocation = #_sourceLocation) {
        for market in self.markets {
            let odds = self.world.host.currentOdds(market.id)
            #expect(odds?.trust == .live, "\(market.slug)", sourceLocation: sourceLocation)
            let age = odds.map { self.world.clock.now().monotonic.nanoseconds - $0.receiveTime.monotonic.nanoseconds }
            #expect((age ?? .max) < 6_000_000_000, "\(market.slug)", sourceLocation: sourceLocation)
        }
    }

    func end() { self.world.end() }
}
