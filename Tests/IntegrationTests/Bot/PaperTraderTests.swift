import Foundation
import Logging
import OddsCore
import OddsTestSupport
import OddsTrading
import PolymarketSimulator
import Synchronization
import Testing

@testable import OddsProof
@testable import RealtimeOdds
@testable import oddstream

/// The program's trading loop on the news of a virtual world, beside a paper trader that hears the same.
private final class Twins: MarketObserver, @unchecked Sendable {
    // Everything here happens on the one thread that drives the world.
    let trader: PaperTrader<ThresholdStrategy>
    let source = ScriptedSource()
    let books: BotObserver
    let recorder: TradeRecorder
    let told = Journal<JournalEntry>()
    private(set) var loop: TradingLoop?
    private var lastTick: MonotonicTime?
    private let setup: PaperTrader<ThresholdStrategy>.Setup
    private let logger = Logger(label: "test.twins") { _ in SwiftLogNoOpLogHandler() }

    init(_ setup: PaperTrader<ThresholdStrategy>.Setup, clock: any StreamClock) {
        self.setup = setup
        self.trader = PaperTrader(setup)
        self.books = BotObserver(
            spikes: SpikeDesk(configuration: SpikeDetectorConfiguration(), clock: clock) { _, _, _, _ in },
            history: nil, clock: clock)
        self.recorder = TradeRecorder(append: nil, logger: self.logger)
    }

    func open(_ clock: any StreamClock) {
        let desk = TradingDesk(
            strategy: self.setup.strategy, riskCheck: self.setup.riskCheck, startingCash: self.setup.startingCash,
            delay: self.setup.delay)
        let loop = TradingLoop(
            TradingLoop.Setup(
                source: self.source, recorder: self.recorder, depth: self.books, clock: clock, logger: self.logger,
                delay: self.setup.delay), desk: desk, isNew: true)
        self.recorder.connect(
            told: { [told] entries in for entry in entries { told.append(entry) } }, recordable: { _ in })
        self.loop = loop
    }

    func attached(to reader: any FeedReader) {
        self.books.attached(to: reader)
        self.trader.attached(to: reader)
    }

    /// The loop's clock strikes when the trader's does: with the first news a second after the last.
    private func heed(_ now: ReceiveTime) {
        guard let last = self.lastTick else {
            self.loop?.begin()
            self.lastTick = now.monotonic
            return
        }
        guard last.duration(to: now.monotonic) >= .seconds(1) else { return }
        self.lastTick = now.monotonic
        self.loop?.tick()
    }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        self.heed(now)
        self.loop?.take(.odds(snapshot))
        self.trader.published(snapshot, at: now)
    }

    func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {
        self.heed(now)
        self.trader.sampled(microstructure, of: market, at: now)
    }

    func resolved(_ resolution: Resolution, at now: ReceiveTime) {
        self.heed(now)
        self.loop?.take(.resolution(resolution))
        self.trader.resolved(resolution, at: now)
    }
}

@Suite(.timeLimit(.minutes(5))) struct PaperTraderTests {
    /// The same market events, decided by the program's loop and by the trader of replays: the same record, entry by entry.
    @Test(arguments: [1, 2] as [UInt64]) func theTraderDecidesAsTheProgramDoes(_ seed: UInt64) async throws {
        var setting = VirtualWorld.Setting()
        setting.exchange.seed = seed
        setting.exchange.series = [try MarketSeries("btc-updown-1m")]
        setting.exchange.start = Timestamp(seconds: 1_800_000_000)
        var strategy = ThresholdStrategy(threshold: 0.55)
        strategy.entry = EntryWindow(opensAfterStart: .seconds(10), closesBeforeEnd: .seconds(5))
        // Nothing else happens at such a moment: an arrival ties with no message.
        let delay = Duration.nanoseconds(250_000_301)
        let clock = StandInClock()
        let twins = Twins(.init(strategy: strategy, delay: delay), clock: clock)
        let world = VirtualWorld(setting, seed: seed, observer: twins)
        clock.stand(in: world.clock)
        twins.open(clock)
        let market = try #require(world.exchange.market(slug: "btc-updown-1m-1800000000"))
        world.host.follow(market)
        twins.source.follow(market)
        let loop = try #require(twins.loop)
        let meeting = Task { await loop.meetOrders() }

        while world.now < .seconds(75) {
            let next = twins.trader.nextArrival.map { world.clock.now().monotonic.duration(to: $0) }
            world.pass(min(.milliseconds(250), max(next ?? .seconds(1), .nanoseconds(1))))
            // The loop meets its orders on a task of its own: let it catch up before anything else happens.
            try await twins.told.wait(forCount: twins.trader.entries.count)
        }
        meeting.cancel()
        await meeting.value
        await twins.recorder.settle()
        #expect(twins.told.entries == twins.trader.entries)
        #expect(twins.trader.account == loop.standing.account)
        #expect(twins.trader.account.filledOrders > 0 && twins.trader.account.settledPositions > 0)
        #expect(!twins.trader.refusals.isEmpty)
        world.end()
    }
}

/// A clock that can be given to what is made before the world.
private final class StandInClock: StreamClock {
    private let clock = Mutex<VirtualClock?>(nil)
    func stand(in clock: VirtualClock) { self.clock.withLock { $0 = clock } }
    func now() -> ReceiveTime {
        self.clock.withLock { $0 }?.now() ?? ReceiveTime(monotonic: .init(nanoseconds: 0), unixNanoseconds: 0)
    }
    func sleep(until instant: MonotonicTime) async throws { throw CancellationError() }
}
