package import Logging
import NIOCore
import NIOEmbedded
package import OddsCore
package import PolymarketSimulator
package import RealtimeOdds

/// The feed engine and the simulated exchange on one event loop in virtual time: no thread, no socket, no real clock, so
/// that a run follows from its seeds alone and an hour takes as long as its messages need.
package final class VirtualWorld {
    /// How the two are told to be.
    package struct Setting {
        /// The exchange.
        package var exchange = SimulatorConfiguration()
        /// The feed.
        package var feed = RealtimeOddsConfiguration()
        /// How long bytes are on their way, one way.
        package var latency = Duration.milliseconds(10)
        /// By how much a message or an answer may be on its way for longer, to the nanosecond: with it no two things
        /// happen at the same moment.
        package var jitter = Duration.zero
        /// Whether there is a REST witness.
        package var hasWitness = true

        package init() {}
    }

    let loop = EmbeddedEventLoop()
    package let clock: VirtualClock
    package let exchange: SimulatedExchange
    package let host: FeedHost
    package let network: VirtualNetwork
    /// What happened on the board and to continuity.
    package let story: Story
    /// Called when the exchange has sent what was due: what it knows then is what was to be seen.
    package var ticked: (() -> Void)?

    /// - Parameters:
    ///   - observer: sees, beside the story, everything that happens to the markets.
    ///   - tap: hears everything that a replay needs.
    package init(
        _ setting: Setting, seed: UInt64, observer: (any MarketObserver)? = nil, tap: (any FeedTap)? = nil,
        logger: Logger = Logger(label: "virtual") { _ in SwiftLogNoOpLogHandler() }
    ) {
        let clock = VirtualClock(self.loop)
        let exchange = SimulatedExchange(configuration: setting.exchange, tape: nil, clock: clock)
        let network = VirtualNetwork(
            exchange: exchange, loop: self.loop, latency: setting.latency, jitter: setting.jitter)
        if let tap { network.tap = (tap, clock) }
        let story = Story(observer)
        self.clock = clock
        self.exchange = exchange
        self.network = network
        self.story = story
        self.host = FeedHost(
            configuration: setting.feed, connector: network, witness: setting.hasWitness ? network : nil,
            eventLoop: self.loop, clock: clock, logger: logger, seed: seed,
            continuity: { event, time in story.add(event, at: time) },
            marketObserver: story, tap: tap)
        self.scheduleTick()
    }

    private func scheduleTick() {
        let wait = self.clock.now().monotonic.duration(to: self.exchange.nextTick())
        self.after(Swift.max(.zero, wait)) { [weak self] in
            guard let self else { return }
            self.exchange.tick()
            self.ticked?()
            self.scheduleTick()
        }
    }

    /// Lets time pass.
    package func pass(_ duration: Duration) { self.loop.advanceTime(by: .nanoseconds(duration.wholeNanoseconds)) }

    /// The time since the beginning.
    package var now: Duration { .nanoseconds(Int64(self.loop.now.uptimeNanoseconds)) }

    /// Does something later.
    package func after(_ duration: Duration, _ body: @escaping () -> Void) {
        let bound = NIOLoopBound(body, eventLoop: self.loop)
        self.loop.scheduleTask(in: .nanoseconds(duration.wholeNanoseconds)) { bound.value() }
    }
}

extension VirtualWorld {
    /// Follows the market of the window that the world begins in.
    package func followCurrent() throws -> Market {
        let start = self.clock.now().wall.seconds / 900 * 900
        guard let market = self.exchange.market(slug: "btc-updown-15m-\(start)") else {
            throw ProofError("The simulated exchange has no market of this window: give it a series.")
        }
        self.host.follow(market)
        return market
    }

    /// Ends the feed and checks that no socket is left.
    package func end() {
        let ended = self.host.stop()
        self.pass(.seconds(5))
        let isEnded = NIOLoopBoundBox(false, eventLoop: self.loop)
        ended.whenComplete { _ in isEnded.value = true }
        precondition(isEnded.value && self.network.openSockets == 0, "a socket is left after the end")
    }
}

/// What happened, in order.
package final class Story: MarketObserver, @unchecked Sendable {
    // Written and read on the one thread that the virtual world runs on.
    package private(set) var entries: [(event: ContinuityEvent, time: ReceiveTime)] = []
    /// Every version of every market that was on the board.
    package private(set) var published: [OddsSnapshot] = []

    private let observer: (any MarketObserver)?

    init(_ observer: (any MarketObserver)?) { self.observer = observer }

    func add(_ event: ContinuityEvent, at time: ReceiveTime) { self.entries.append((event, time)) }

    package func attached(to reader: any FeedReader) { self.observer?.attached(to: reader) }

    package func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        self.published.append(snapshot)
        self.observer?.published(snapshot, at: now)
    }

    package func traded(_ trade: Trade, of market: Market, at now: ReceiveTime) {
        self.observer?.traded(trade, of: market, at: now)
    }

    package func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {
        self.observer?.sampled(microstructure, of: market, at: now)
    }

    package func ended(_ market: Market, at now: ReceiveTime) { self.observer?.ended(market, at: now) }

    package func resolved(_ resolution: Resolution, at now: ReceiveTime) {
        self.observer?.resolved(resolution, at: now)
    }

    /// Forgets what came so far.
    package func forget() {
        self.entries = []
        self.published = []
    }
}

/// The event loop's own time, as both clocks.
package final class VirtualClock: StreamClock, @unchecked Sendable {
    // The loop is only asked for its time, on the thread that drives it.
    private let loop: EmbeddedEventLoop
    private static let beginning: Int64 = 1_800_000_000_000_000_000

    init(_ loop: EmbeddedEventLoop) { self.loop = loop }

    package func now() -> ReceiveTime {
        let now = Int64(self.loop.now.uptimeNanoseconds)
        return ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: now), unixNanoseconds: VirtualClock.beginning + now)
    }

    package func sleep(until instant: MonotonicTime) async throws {
        preconditionFailure("nothing sleeps in virtual time: the event loop has timers")
    }
}
