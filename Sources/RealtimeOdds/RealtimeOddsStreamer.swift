public import Logging
import NIOCore
import NIOPosix
public import OddsCore
public import ServiceLifecycle
import Synchronization

/// Polymarket's odds, live: a persistent stream that can be asked at any time and from any thread.
///
/// ```swift
/// var configuration = RealtimeOddsConfiguration()
/// configuration.markets = [.series(try MarketSeries("btc-updown-15m"))]
/// let streamer = try RealtimeOddsStreamer(configuration: configuration, logger: Logger(label: "odds"))
/// streamer.start()
/// for await case .odds(let odds) in streamer.updates() where (odds.displayedOdds ?? 0.0) >= 0.70 {
///     print(odds.slug, odds.displayedOdds!, odds.trust)
/// }
/// ```
///
/// A streamer lives once: after `stop()` make a new one.
public final class RealtimeOddsStreamer: OddsSource, Service {
    private let configuration: RealtimeOddsConfiguration
    private let logger: Logger
    private let clock: any StreamClock
    private let observer: (any AppliedMessageObserver)?
    private let marketObserver: (any MarketObserver)?
    private let tap: (any FeedTap)?
    private let endpoint: WebSocketEndpoint
    private let security: TransportSecurity?
    private let eventLoop: any EventLoop
    private let board = OddsBoard()
    private let connections = ConnectionList()
    private let microstructures = MicrostructureShelf()
    private let incidentRecorder: IncidentRecorder
    let relay: EngineRelay
    let hub: UpdateHub
    private let rest: HTTPClientTransport
    private let witness: RESTWitness
    private let discovery: MarketDiscovery?
    private let life = SingleRun()
    private let startedAt = Mutex<Timestamp?>(nil)

    /// A streamer; nothing happens before `start()` or `run()`.
    ///
    /// - Parameters:
    ///   - configuration: what to follow and where.
    ///   - logger: receives connection, rollover and fault messages, at info level or below unless something is wrong.
    ///   - clock: this machine's clocks, or a test's.
    ///   - observer: called on the feed's event loop for every applied entry of a message; nil costs nothing.
    ///   - marketObserver: called on the feed's event loop for every published change; nil costs nothing.
    ///   - tap: hears every message, connection, command and REST exchange, for a recording; nil costs nothing.
    /// - Throws: `RealtimeOddsError` when a value of the configuration cannot be used; the message names it.
    public init(
        configuration: RealtimeOddsConfiguration, logger: Logger, clock: any StreamClock = SystemClock(),
        observer: (any AppliedMessageObserver)? = nil, marketObserver: (any MarketObserver)? = nil,
        tap: (any FeedTap)? = nil
    ) throws(RealtimeOddsError) {
        try configuration.validate()
        do throws(TransportError) {
            self.endpoint = try WebSocketEndpoint(configuration.marketWebSocket)
            self.security =
                self.endpoint.isSecure
                ? try TransportSecurity(certificateAuthorityFile: configuration.certificateAuthorityFile) : nil
        } catch {
            throw RealtimeOddsError(
                error.code == .invalidCertificateFile ? .certificateFile : .invalidConfiguration, error.message)
        }
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
        self.observer = observer
        self.marketObserver = marketObserver
        self.tap = tap
        self.incidentRecorder = IncidentRecorder(clock: clock, logger: logger)
        // One loop serves all lines; the group is the process's own and outlives the streamer.
        self.eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let relay = EngineRelay(eventLoop: self.eventLoop, incidents: self.incidentRecorder)
        self.relay = relay
        self.hub = UpdateHub(losslessChanged: { [weak relay] in relay?.perform { $0.heedFollowers() } })
        relay.hub = self.hub
        let rest = try Self.restTransport(configuration)
        self.rest = rest
        self.witness = RESTWitness(
            client: ClobClient(
                base: configuration.clobREST, transport: TappedTransport.over(rest, .clob, clock: clock, tap: tap),
                timeout: configuration.requestTimeout),
            eventLoop: self.eventLoop, clock: clock)
        // Tokens need no look-ups.
        let needsLookUps = configuration.markets.contains { selection in
            if case .assets = selection { false } else { true }
        }
        self.discovery =
            needsLookUps
            ? MarketDiscovery(
                selections: configuration.markets, schedule: configuration.marketSchedule,
                gamma: GammaClient(
                    base: configuration.gammaREST,
                    transport: TappedTransport.over(rest, .gamma, clock: clock, tap: tap),
                    timeout: configuration.requestTimeout),
                lookUpTimeout: configuration.requestTimeout, clock: clock, logger: logger) : nil
        relay.discovery = self.discovery
    }

    /// The HTTP client for look-ups and for the witness; nothing is opened before the first request.
    private static func restTransport(
        _ configuration: RealtimeOddsConfiguration
    ) throws(RealtimeOddsError) -> HTTPClientTransport {
        do throws(RESTError) {
            return try HTTPClientTransport(
                certificateAuthorityFile: configuration.certificateAuthorityFile,
                connectTimeout: configuration.connectTimeout)
        } catch {
            throw RealtimeOddsError(.certificateFile, error.message)
        }
    }

    // MARK: Life

    /// Starts streaming in the background and returns at once. Further calls change nothing.
    public func start() { _ = self.life.begin { await self.stream() } }

    /// Ends streaming; returns when every task and socket is gone. Sequences end, the last odds stay readable as stale.
    public func stop() async {
        if await !self.life.end() { self.hub.finish() }
    }

    /// Streams until the task is cancelled or the service group shuts down; then as `stop()`.
    ///
    /// - Throws: `RealtimeOddsError` when the streamer was started or stopped before.
    public func run() async throws {
        guard let task = self.life.begin({ await self.stream() }) else {
            throw RealtimeOddsError(
                .alreadyStarted, "a streamer lives once: make a new one instead of starting this one again")
        }
        await self.life.wait(for: task)
    }

    private func stream() async {
        self.startedAt.withLock { $0 = self.clock.now().wall }
        let setup = FeedEngine.Setup(
            configuration: self.configuration,
            connector: NetworkConnector(
                endpoint: self.endpoint, security: self.security, eventLoop: self.eventLoop,
                timeout: self.configuration.connectTimeout),
            witness: self.witness, eventLoop: self.eventLoop, clock: self.clock, logger: self.logger,
            board: self.board, observer: self.observer,
            continuity: { [incidents = self.incidentRecorder] event, time in incidents.record(event, at: time) },
            marketObserver: self.marketObserver, tap: self.tap)
        let seed = self.configuration.seed ?? UInt64.random(in: .min ... .max)
        await self.relay.open { relay in
            FeedEngine(
                setup: setup, hub: self.hub, connectionList: self.connections, microstructures: self.microstructures,
                seed: seed,
                onFirstOdds: { relay.discovery?.firstOdds($0, at: $1) },
                onResolved: { relay.discovery?.marketResolved($0, winner: $1, at: $2) })
        }
        for case .assets(let assets) in self.configuration.markets {
            self.relay.perform { $0.follow(bare: assets) }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.witness.run() }
            group.addTask { await self.incidentRecorder.keepTime() }
            if let discovery = self.discovery { group.addTask { await discovery.run(reportingTo: self.relay) } }
            // All of them end with the task that all of this runs in.
            await group.waitForAll()
        }
        await self.relay.close()
        await self.rest.shutdown()
        self.hub.finish()
    }

    // MARK: Reading

    /// The latest odds of a market; nil when it is not followed or has no data yet. From any thread, without waiting.
    public func currentOdds(_ market: MarketID) -> OddsSnapshot? { self.board.currentOdds(market) }

    /// What a market's books and trades look like, at most a quarter of a second old; nil when it is not followed, has no
    /// data yet or is closed, and when the streamer does not run. From any thread, without waiting.
    public func microstructure(of market: MarketID) -> Microstructure? { self.microstructures.read(market) }

    /// A token's whole book now, of the line that the board follows; nil when the token is not followed, its book has not
    /// come, or the market's odds are `stale` or `closed`. Waits for a turn of the feed's event loop.
    public func depth(of asset: AssetID) async -> TokenDepth? { await self.relay.ask { $0.depth(of: asset) } }

    /// Follows all markets, beginning with the values that are there. The sequence ends when the streamer stops.
    public func updates(_ delivery: OddsUpdates.Delivery = .latest) -> OddsUpdates {
        self.hub.updates(delivery, over: self.board)
    }

    /// Every market followed now, and where it stands in its series.
    public var markets: [MarketStatus] { self.board.statuses(with: self.discovery?.markets ?? []) }

    /// Every incident that is remembered, and the uptime since the start, up to now.
    public func incidents() -> IncidentReport { self.incidentRecorder.report() }

    /// Lines, series and counters; about as old as the last read from the socket.
    public var status: StreamStatus {
        let now = self.clock.now().monotonic
        var total = FeedCounters()
        let lines = self.connections.all.map { entry in
            let report = entry.report()
            total = total + report.counters
            return LineStatus(
                line: entry.line, connection: entry.number, state: report.phase.rawValue, assets: report.assets,
                messages: report.counters.frames, bytes: report.counters.bytes, disconnects: report.disconnects,
                failuresInARow: report.phase == .live ? 0 : report.failures,
                dataAge: report.lastData.map { $0.duration(to: now) }, lastError: report.lastError)
        }
        return StreamStatus(
            startedAt: self.startedAt.withLock { $0 }, lines: lines, series: self.discovery?.series ?? [],
            problems: self.discovery?.fixedProblems ?? [], counters: total.named)
    }
}
