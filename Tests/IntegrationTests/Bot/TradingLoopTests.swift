import Foundation
import Logging
import OddsCore
import OddsTestSupport
import OddsTrading
import Synchronization
import Testing

@testable import RealtimeOdds
@testable import oddstream

/// A trading loop whose source, books, venue and clock are the test's.
private final class Bench: Sendable {
    static let market = Market.sample(
        "btc-updown-15m-1800000000",
        window: MarketWindow(start: Timestamp(seconds: 1_800_000_000), end: Timestamp(seconds: 1_800_000_900)))

    let clock = ManualClock(wall: Timestamp(seconds: 1_800_000_060))
    let source = ScriptedSource()
    let reader = ScriptedReader()
    /// What was told, once it was on record.
    let told = Journal<JournalEntry>()
    let recorder: TradeRecorder
    let loop: TradingLoop
    let venue = Mutex<[MarketID: MarketSettlement]>([:])
    let asked = Journal<MarketID>()
    /// While this lasts the venue answers nothing.
    let silence = Mutex<AsyncStream<Void>?>(nil)
    let log = Log()

    init(
        check: RiskCheck = RiskCheck(), record: [JournalEntry] = [], killFile: String? = nil,
        reference: @escaping @Sendable (Market) -> Side? = { _ in nil }, answers: Bool = true,
        append: (@Sendable ([[UInt8]]) throws -> Void)? = nil
    ) {
        let logger = Logger(label: "test.bot") { [log] _ in log }
        self.recorder = TradeRecorder(append: append, logger: logger)
        let observer = BotObserver(
            spikes: SpikeDesk(configuration: SpikeDetectorConfiguration(), clock: self.clock) { _, _, _, _ in },
            history: nil, clock: self.clock)
        observer.attached(to: self.reader)
        var setup = TradingLoop.Setup(
            source: self.source, recorder: self.recorder, depth: observer, clock: self.clock, logger: logger,
            delay: .milliseconds(250), killFile: killFile)
        setup.referenceOutcome = reference
        let box = Box()
        if answers { setup.outcome = { market, _ in try await box.bench.outcome(of: market) } }
        let desk = TradingDesk(
            strategy: ThresholdStrategy(), riskCheck: check, startingCash: 1000, delay: .milliseconds(250),
            record: record)
        self.loop = TradingLoop(setup, desk: desk, isNew: record.isEmpty)
        self.recorder.connect(
            told: { [told] entries in for entry in entries { told.append(entry) } }, recordable: { _ in })
        box.set(self)
        self.source.follow(Self.market)
    }

    /// The venue asks its bench, which is made with it.
    private final class Box: Sendable {
        private struct Weak { weak var bench: Bench? }
        private let held = Mutex(Weak())
        func set(_ bench: Bench) { self.held.withLock { $0.bench = bench } }
        var bench: Bench {
            get throws {
                guard let bench = self.held.withLock({ $0.bench }) else { throw RESTError(.unreachable, "gone") }
                return bench
            }
        }
    }

    private func outcome(of market: MarketID) async throws -> MarketFinding {
        self.asked.append(market)
        if let silence = self.silence.withLock({ $0 }) { for await _ in silence {} }
        guard let settlement = self.venue.withLock({ $0[market] }) else {
            throw RESTError(.unreachable, "Gamma does not answer")
        }
        return MarketFinding(market: Self.market, settlement: settlement)
    }

    /// Publishes odds of the market at this moment.
    func publish(
        _ yes: Price, trust: Trust = .live, epoch: UInt64 = 1, market: Market = Bench.market
    ) {
        let bid = Price(rawValue: yes.rawValue - 100)
        let ask = Price(rawValue: yes.rawValue + 100)
        let snapshot = OddsSnapshot(
            market: market, yes: Quote(bid: bid, bidSize: 100, ask: ask, askSize: 100),
            no: Quote(bid: ask.complement, bidSize: 100, ask: bid.complement, askSize: 100),
            exchangeTime: self.clock.now().wall, receiveTime: self.clock.now(), trust: trust, epoch: epoch,
            source: .line(0), sequence: 1)
        self.source.set(snapshot)
        self.reader.set(snapshot)
        self.loop.take(.odds(snapshot))
    }

    /// Everything that was put on record so far.
    func entries() async -> [JournalEntry] {
        await self.recorder.settle()
        return self.told.entries
    }

    func refusals() async -> [RefusalReason] {
        await self.entries().compactMap { if case .refused(let refusal, _) = $0 { refusal.reason } else { nil } }
    }

    func events() async -> [ExecutionEvent] {
        await self.entries().compactMap { if case .execution(let event) = $0 { event } else { nil } }
    }

    /// Lets orders that are due meet the book, and waits until so many are over.
    func fill() async throws {
        self.clock.advance(by: .milliseconds(250))
        let before = self.told.entries.count
        let meeting = Task { await self.loop.meetOrders() }
        self.reader.answer(at: self.clock.now())
        try await self.told.wait(forCount: before + 1)
        meeting.cancel()
        await meeting.value
    }
}

/// Books that are told when the test says so.
private final class ScriptedReader: FeedReader {
    private struct State {
        var shown: OddsSnapshot?
        var asks: [Level]?
        var waiting: [(asset: AssetID, answer: @Sendable (TokenDepth?, ReceiveTime) -> Void)] = []
    }

    private let state = Mutex(State())

    func set(_ snapshot: OddsSnapshot) { self.state.withLock { $0.shown = snapshot } }
    /// What is offered instead of the snapshot's best ask.
    func offer(_ asks: [Level]) { self.state.withLock { $0.asks = asks } }

    func depth(of asset: AssetID) -> TokenDepth? {
        self.state.withLock { state in
            guard let shown = state.shown, let side = shown.market.side(of: asset) else { return nil }
            let quote = shown.quote(side)
            let asks = state.asks ?? [Level(price: quote.ask ?? .one, size: quote.askSize)]
            return TokenDepth(
                of: asset, shown: shown, bids: [], asks: asks, tickSize: shown.market.tickSize,
                exchangeTime: shown.exchangeTime, isPublished: true)
        }
    }

    func depth(
        of asset: AssetID, at instant: MonotonicTime,
        _ answer: @escaping @Sendable (TokenDepth?, ReceiveTime) -> Void
    ) { self.state.withLock { $0.waiting.append((asset, answer)) } }

    func microstructure(of market: MarketID) -> Microstructure? { nil }

    func answer(at now: ReceiveTime) {
        let waiting = self.state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for (asset, answer) in waiting { answer(self.depth(of: asset), now) }
    }
}

/// A source that shows what it is told to.
final class ScriptedSource: LiveOddsSource {
    private let state = Mutex((markets: [Market](), odds: [MarketID: OddsSnapshot]()))
    private let board = OddsBoard()
    private let hub = UpdateHub(losslessChanged: {})

    func follow(_ market: Market) {
        self.state.withLock { state in
            state.markets.removeAll { $0.id == market.id }
            state.markets.append(market)
        }
    }
    func unfollow(_ market: MarketID) { self.state.withLock { $0.markets.removeAll { $0.id == market } } }
    func set(_ snapshot: OddsSnapshot) { self.state.withLock { $0.odds[snapshot.marketID] = snapshot } }

    func currentOdds(_ market: MarketID) -> OddsSnapshot? { self.state.withLock { $0.odds[market] } }
    var markets: [MarketStatus] {
        self.state.withLock { $0.markets }.map {
            MarketStatus(market: $0, role: .current, subscribed: true, firstOddsMilliseconds: nil, winner: nil)
        }
    }
    var status: StreamStatus { StreamStatus() }
    func start() {}
    func stop() async { self.hub.finish() }
    func run() async throws {}
    func updates(_ delivery: OddsUpdates.Delivery) -> OddsUpdates { self.hub.updates(delivery, over: self.board) }
}

@Suite struct TradingLoopTests {
    private func resolution(_ winner: Side?, _ source: ResolutionSource, _ bench: Bench) -> OddsUpdate {
        .resolution(
            Resolution(market: Bench.market, winner: winner, exchangeTime: bench.clock.now().wall, source: source))
    }

    @Test func aSpikeIsBoughtAtTheBookOfItsArrivalAndPaidOut() async throws {
        let bench = Bench()
        bench.loop.begin()
        bench.publish(0.72)
        bench.reader.offer([Level(price: 0.73, size: 4), Level(price: 0.75, size: 100)])
        try await bench.fill()
        bench.loop.take(self.resolution(.yes, .feed, bench))
        let entries = await bench.entries()
        guard case .opened(let cash, _)? = entries.first else { throw Missing() }
        #expect(cash == 1000)
        let events = await bench.events()
        guard events.count == 3, case .filled(let execution) = events[1], case .settled(let settlement) = events[2]
        else {
            throw Missing()
        }
        // The limit is two cents over the offer of the decision: 0.75.
        #expect(execution.fills.map(\.price) == [0.73, 0.75] && execution.fills[0].size == 4)
        #expect(settlement.source == .feed && settlement.payout == Money.payout(of: execution.size))
        let account = bench.loop.standing.account
        #expect(account.cash == 1000 + account.profit - account.fees && account.hits == 1)
    }

    @Test func theBookMayHaveMovedAwayMeanwhile() async throws {
        let bench = Bench()
        bench.loop.begin()
        bench.publish(0.72)
        bench.reader.offer([Level(price: 0.80, size: 100)])
        try await bench.fill()
        guard case .cancelled(_, let reason, _)? = await bench.events().last else { throw Missing() }
        #expect(reason == .nothingOffered)
    }

    /// A source that ended answers at once; the order must not wait for ever for a book that nobody brings.
    @Test func anAnswerThatComesBeforeTheOrderArrivesIsTheAnswer() async throws {
        let bench = Bench()
        bench.loop.begin()
        bench.publish(0.72)
        let meeting = Task { await bench.loop.meetOrders() }
        bench.reader.offer([])
        bench.reader.answer(at: bench.clock.now())
        try await bench.told.wait(forCount: 3)
        meeting.cancel()
        await meeting.value
        guard case .cancelled(_, let reason, _)? = await bench.events().last else { throw Missing() }
        #expect(reason == .nothingOffered && bench.loop.standing.exposure == .zero)
    }

    @Test func anEpochThatMovedBeforeTheArrivalRefusesTheOrder() async throws {
        let bench = Bench()
        bench.loop.begin()
        bench.publish(0.72)
        // Nobody told the loop yet; the book at the venue's door knows.
        let moved = OddsSnapshot(
            market: Bench.market, yes: Quote(bid: 0.71, bidSize: 1, ask: 0.73, askSize: 100), no: .empty,
            exchangeTime: bench.clock.now().wall, receiveTime: bench.clock.now(), trust: .live, epoch: 2,
            source: .line(0), sequence: 2)
        bench.reader.set(moved)
        try await bench.fill()
        guard case .cancelled(_, let reason, _)? = await bench.events().last else { throw Missing() }
        #expect(reason == .epochMoved)
    }

    @Test func staleOddsAreTradedOnOnlyAsFarAsThePolicyAllows() async throws {
        let stale = Trust.stale(
            since: ManualClock(wall: Timestamp(seconds: 1_800_000_050)).now(), reason: .disconnected)
        let warned = Bench()
        warned.loop.begin()
        warned.publish(0.72, trust: stale)
        #expect(await warned.events().count == 1)
        #expect(await warned.entries().contains { if case .warned = $0 { true } else { false } })

        let halted = Bench(check: RiskCheck(stalePolicy: .halt))
        halted.loop.begin()
        halted.publish(0.72, trust: stale)
        #expect(await halted.refusals() == [.staleOdds])
        #expect(await halted.events().isEmpty)
    }

    @Test func closedAndNotAcceptingMarketsAndUnknownStepsAreRefused() async throws {
        func refused(_ market: Market, trust: Trust = .live) async -> [RefusalReason] {
            let bench = Bench()
            bench.source.follow(market)
            bench.loop.begin()
            bench.publish(0.72, trust: trust, market: market)
            return await bench.refusals()
        }
        let slug = Bench.market.slug
        let window = Bench.market.window
        #expect(await refused(.sample(slug, window: window, acceptingOrders: false)) == [.notAcceptingOrders])
        #expect(await refused(.sample(slug, window: window, closed: true)) == [.marketClosed])
        #expect(await refused(Bench.market, trust: .resolving) == [.marketClosed])
        #expect(await refused(Bench.market, trust: .suspect(.tickSizeChanged)) == [.tickSizeUnknown])
        let bare = Market(
            id: "0xbare", slug: "", window: nil, yes: Outcome(label: "Yes", asset: "1"),
            no: Outcome(label: "No", asset: "2"))
        #expect(await refused(bare) == [.tickSizeUnknown])
    }

    @Test func limitsRefuse() async throws {
        var limits = RiskLimits()
        limits.maximumStake = 1
        let bench = Bench(check: RiskCheck(limits: limits))
        bench.loop.begin()
        bench.publish(0.72)
        #expect(await bench.refusals() == [.stakeLimit])
    }

    @Test func theKillSwitchIsTurnedByFileHTTPAndSignalAndOutlivesARestart() async throws {
        let path = NSTemporaryDirectory() + "kill-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bench = Bench(killFile: path)
        bench.loop.begin()
        try Data().write(to: URL(filePath: path))
        bench.loop.tick()
        #expect(bench.loop.standing.killSwitch.origin == .file)
        bench.publish(0.72)
        #expect(await bench.refusals() == [.killSwitch])
        // Somebody turns it on as well: then it stays on without the file.
        await bench.loop.setKillSwitch(true, by: .http)
        try FileManager.default.removeItem(atPath: path)
        bench.loop.tick()
        #expect(bench.loop.standing.killSwitch.origin == .http)
        let restarted = Bench(record: await bench.entries(), killFile: path)
        restarted.loop.begin()
        restarted.publish(0.72)
        #expect(restarted.loop.standing.killSwitch.isOn)
        #expect(await restarted.refusals() == [.killSwitch])
        await restarted.loop.setKillSwitch(false, by: .signal)
        #expect(!restarted.loop.standing.killSwitch.isOn)
        restarted.loop.tick()
        #expect(await restarted.events().count == 1)
    }

    @Test func theKillSwitchTakesOrdersBackThatAreOnTheirWay() async throws {
        let bench = Bench()
        bench.loop.begin()
        bench.publish(0.72)
        await bench.loop.setKillSwitch(true, by: .http)
        guard case .cancelled(_, let reason, _)? = await bench.events().last else { throw Missing() }
        #expect(reason == .killSwitch && bench.loop.standing.account.orders.isEmpty)
    }

    // MARK: Outcomes

    private func bought(_ bench: Bench) async throws {
        bench.loop.begin()
        bench.publish(0.72)
        try await bench.fill()
        #expect(bench.loop.standing.account.positions.count == 1)
    }

    @Test func aFeedThatNamesNoWinnerSettlesNothingAndGammaMayMeanASplit() async throws {
        let bench = Bench()
        try await self.bought(bench)
        bench.loop.take(self.resolution(nil, .feed, bench))
        #expect(bench.loop.standing.account.positions.count == 1)
        bench.loop.take(self.resolution(nil, .gamma, bench))
        guard case .settled(let settlement)? = await bench.events().last else { throw Missing() }
        #expect(settlement.winner == nil && settlement.source == .gamma)
        #expect(settlement.payout.rawValue * 2 == Money.payout(of: settlement.size).rawValue)
    }

    @Test func afterARestartTheVenueIsAskedHowTheMarketEnded() async throws {
        let first = Bench()
        try await self.bought(first)
        let bench = Bench(record: await first.entries())
        bench.source.unfollow(Bench.market.id)
        bench.loop.begin()
        // Gamma does not answer, then it does; it is asked again only after a while.
        await bench.loop.learnOutcomes()
        await bench.loop.learnOutcomes()
        #expect(bench.asked.entries.count == 1)
        #expect(bench.log.messages.entries.contains { $0.contains("outcome") })
        bench.venue.withLock { $0[Bench.market.id] = .won(.no) }
        bench.clock.advance(by: .seconds(15))
        await bench.loop.learnOutcomes()
        guard case .settled(let settlement)? = await bench.events().last else { throw Missing() }
        #expect(settlement.winner == .no && settlement.source == .gamma && settlement.payout == .zero)
    }

    /// Time goes on while the venue lets an answer wait: nothing that stops the buying waits for a network.
    @Test(.timeLimit(.minutes(1))) func theKillFileIsHeededWhileTheVenueKeepsSilent() async throws {
        let first = Bench()
        try await self.bought(first)
        let path = NSTemporaryDirectory() + "kill-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bench = Bench(record: await first.entries(), killFile: path)
        bench.source.unfollow(Bench.market.id)
        let silence = AsyncStream<Void>.makeStream()
        bench.silence.withLock { $0 = silence.stream }
        let running = Task { try await bench.loop.run() }
        try await bench.clock.sleepers()
        while bench.asked.entries.isEmpty {
            try await bench.clock.sleepers()
            bench.clock.advance(by: .seconds(1))
            await Task.yield()
        }
        try Data().write(to: URL(filePath: path))
        let killed = Task { try await bench.log.messages.wait { $0.contains { $0.contains("kill file appeared") } } }
        for _ in 0..<3 {
            try await bench.clock.sleepers()
            bench.clock.advance(by: .seconds(1))
        }
        try await killed.value
        #expect(bench.loop.standing.killSwitch.origin == .file)
        silence.continuation.finish()
        running.cancel()
        try await running.value
    }

    /// What is lost is said: an end does not wait for a disk.
    @Test func whatCouldNotBePutOnRecordAtTheEndIsTold() async throws {
        struct Full: Error {}
        let bench = Bench(append: { _ in throw Full() })
        bench.loop.begin()
        let running = Task { try await bench.loop.run() }
        running.cancel()
        try await running.value
        #expect(bench.told.entries.isEmpty && bench.recorder.waiting > 0)
        #expect(bench.log.messages.entries.contains { $0.contains("ended before") })
    }

    @Test func theReferencePriceDecidesOnlyLongAfterTheEnd() async throws {
        let bench = Bench(reference: { _ in .yes })
        try await self.bought(bench)
        bench.venue.withLock { $0[Bench.market.id] = .closed }
        bench.clock.advance(to: Timestamp(seconds: 1_800_000_930))
        await bench.loop.learnOutcomes()
        #expect(bench.asked.entries.count == 1 && bench.loop.standing.account.positions.count == 1)
        bench.clock.advance(to: Timestamp(seconds: 1_800_001_500))
        await bench.loop.learnOutcomes()
        guard case .settled(let settlement)? = await bench.events().last else { throw Missing() }
        #expect(settlement.source == .referencePrice && settlement.winner == .yes)
    }

    @Test func afterAnOverflowTheBoardIsRead() async throws {
        let bench = Bench()
        bench.loop.begin()
        bench.publish(0.50)
        let bid: Price = 0.71
        let snapshot = OddsSnapshot(
            market: Bench.market, yes: Quote(bid: bid, bidSize: 100, ask: 0.73, askSize: 100), no: .empty,
            exchangeTime: bench.clock.now().wall, receiveTime: bench.clock.now(), trust: .live, epoch: 1,
            source: .line(0), sequence: 9)
        bench.source.set(snapshot)
        bench.loop.take(.overflow(lost: 7))
        #expect(await bench.events().count == 1)
    }
}

/// What the test looks at is not there.
private struct Missing: Error {}
