public import Logging
public import OddsCore
import Synchronization

/// Polymarket's odds, asked for once per interval: the original REST poller, as a source of its own.
///
/// It sees what a poll happens to see, so it is no stream: a spike between two polls is missed. It is there to compare a
/// stream with, and to go back to when streaming is not wanted. Its odds are `fallback`, never `live`; a ghost (a book of
/// 0.01/0.99 that was never there) or an answer older than what is known is never served.
///
/// ```swift
/// var configuration = RealtimeOddsConfiguration()
/// configuration.markets = [.series(try MarketSeries("btc-updown-15m"))]
/// configuration.pollInterval = .seconds(10)
/// let poller = try MarketOddsPoller(configuration: configuration, logger: Logger(label: "odds"))
/// poller.start()
/// ```
///
/// A poller lives once: after `stop()` make a new one.
public final class MarketOddsPoller: LiveOddsSource {
    private let clock: any StreamClock
    private let board = OddsBoard()
    private let engine: PollEngine
    let hub: UpdateHub
    private let discovery: MarketDiscovery?
    private let incidentRecorder: IncidentRecorder
    /// Nil when a test brought its own.
    private let ownTransport: HTTPClientTransport?
    private let startedAt = Mutex<Timestamp?>(nil)
    private let life = SingleRun()

    /// A poller; nothing happens before `start()` or `run()`.
    ///
    /// - Parameters:
    ///   - configuration: what to follow, where, and how often; what belongs to the market channel is passed over.
    ///   - logger: receives rollovers, and one warning when the answers stay away.
    ///   - clock: this machine's clocks, or a test's.
    ///   - marketObserver: sees every published change inline; nil costs nothing.
    ///   - tap: hears every REST exchange, for a recording; nil costs nothing.
    /// - Throws: `RealtimeOddsError` when a value of the configuration cannot be used; the message names it.
    public convenience init(
        configuration: RealtimeOddsConfiguration, logger: Logger, clock: any StreamClock = SystemClock(),
        marketObserver: (any MarketObserver)? = nil, tap: (any FeedTap)? = nil
    ) throws(RealtimeOddsError) {
        try configuration.validate()
        let transport: HTTPClientTransport
        do throws(RESTError) {
            transport = try HTTPClientTransport(
                certificateAuthorityFile: configuration.certificateAuthorityFile,
                connectTimeout: configuration.connectTimeout)
        } catch {
            throw RealtimeOddsError(.certificateFile, error.message)
        }
        self.init(
            checked: configuration, logger: logger, clock: clock, transport: transport, own: transport,
            marketObserver: marketObserver, tap: tap)
    }

    /// A poller over another transport, which the caller ends.
    package convenience init(
        configuration: RealtimeOddsConfiguration, logger: Logger, clock: any StreamClock, transport: any RESTTransport,
        marketObserver: (any MarketObserver)? = nil, tap: (any FeedTap)? = nil
    ) throws(RealtimeOddsError) {
        try configuration.validate()
        self.init(
            checked: configuration, logger: logger, clock: clock, transport: transport, own: nil,
            marketObserver: marketObserver, tap: tap)
    }

    private init(
        checked configuration: RealtimeOddsConfiguration, logger: Logger, clock: any StreamClock,
        transport: any RESTTransport, own: HTTPClientTransport?, marketObserver: (any MarketObserver)?,
        tap: (any FeedTap)?
    ) {
        self.clock = clock
        self.ownTransport = own
        let needsLookUps = configuration.markets.contains { selection in
            if case .assets = selection { false } else { true }
        }
        let gamma = GammaClient(
            base: configuration.gammaREST, transport: TappedTransport.over(transport, .gamma, clock: clock, tap: tap),
            timeout: configuration.requestTimeout)
        let discovery =
            needsLookUps
            ? MarketDiscovery(
                selections: configuration.markets, schedule: configuration.marketSchedule, gamma: gamma,
                lookUpTimeout: configuration.requestTimeout, clock: clock, logger: logger) : nil
        self.discovery = discovery
        var journal = IncidentJournal.Configuration()
        journal.acceptsFallback = true
        // No heartbeat says that the venue was still there: trouble began with the last answer.
        journal.heartbeatProof = .seconds(86_400)
        let incidents = IncidentRecorder(book: IncidentBook(configuration: journal), clock: clock, logger: logger)
        self.incidentRecorder = incidents
        let engines = WeakEngine()
        let hub = UpdateHub(losslessChanged: { engines.engine?.heedFollowers() })
        self.hub = hub
        self.engine = PollEngine(
            PollEngine.Setup(
                interval: configuration.pollInterval,
                bareAssets: configuration.markets.compactMap { selection in
                    if case .assets(let assets) = selection { assets } else { nil }
                },
                clob: ClobClient(
                    base: configuration.clobREST,
                    transport: TappedTransport.over(transport, .clob, clock: clock, tap: tap),
                    timeout: configuration.requestTimeout),
                clock: clock, logger: logger, board: self.board, hub: hub, discovery: discovery,
                incidents: incidents,
                seed: configuration.seed ?? UInt64.random(in: .min ... .max), depthTicks: configuration.depthTicks,
                marketObserver: marketObserver))
        engines.engine = self.engine
    }

    // MARK: Life

    /// Starts polling in the background and returns at once. Further calls change nothing.
    public func start() { _ = self.life.begin { await self.poll() } }

    /// Ends polling; returns when every task and socket is gone. Sequences end, the last odds stay readable as stale.
    public func stop() async {
        if await !self.life.end() { self.hub.finish() }
    }

    /// Polls until the task is cancelled or the service group shuts down; then as `stop()`.
    ///
    /// - Throws: `RealtimeOddsError` when the poller was started or stopped before.
    public func run() async throws {
        guard let task = self.life.begin({ await self.poll() }) else {
            throw RealtimeOddsError(
                .alreadyStarted, "a poller lives once: make a new one instead of starting this one again")
        }
        await self.life.wait(for: task)
    }

    private func poll() async {
        self.startedAt.withLock { $0 = self.clock.now().wall }
        await self.engine.run()
        await self.ownTransport?.shutdown()
        self.hub.finish()
    }

    // MARK: Reading

    /// The latest odds of a market; nil when it is not followed or has no data yet. From any thread, without waiting.
    public func currentOdds(_ market: MarketID) -> OddsSnapshot? { self.board.currentOdds(market) }

    /// What a market's books look like, as the last answer that was believed has them; trades and movement between two
    /// answers are not seen, so flow and volatility are nil. Nil without odds, and when the market is closed.
    public func microstructure(of market: MarketID) -> Microstructure? { self.engine.reader.microstructure(of: market) }

    /// A token's whole book, as the last answer that was believed has it; nil when there is none, and while the market's
    /// odds are `stale` or `closed`. Never waits.
    public func depth(of asset: AssetID) async -> TokenDepth? { self.engine.reader.depth(of: asset) }

    /// Follows all markets, beginning with the values that are there. The sequence ends when the poller stops.
    public func updates(_ delivery: OddsUpdates.Delivery = .latest) -> OddsUpdates {
        self.hub.updates(delivery, over: self.board)
    }

    /// Every market followed now, and where it stands in its series.
    public var markets: [MarketStatus] { self.board.statuses(with: self.discovery?.markets ?? []) }

    /// Every incident that is remembered, and the uptime since the start, up to now. A market is up while it is `fallback`.
    public func incidents() -> IncidentReport { self.incidentRecorder.report() }

    /// Series, problems and counters (`poll.requests`, `poll.failures`, `poll.ghosts`, `poll.older` …); there are no lines.
    public var status: StreamStatus {
        StreamStatus(
            startedAt: self.startedAt.withLock { $0 }, series: self.discovery?.series ?? [],
            problems: (self.discovery?.fixedProblems ?? []) + self.engine.problems, counters: self.engine.counters)
    }
}

/// The hub is made before the engine that it tells of its followers, and must not keep it.
private final class WeakEngine: Sendable {
    private struct Reference {
        weak var engine: PollEngine?
    }

    private let reference = Mutex(Reference())

    var engine: PollEngine? {
        get { self.reference.withLock { $0.engine } }
        set { self.reference.withLock { $0.engine = newValue } }
    }
}
