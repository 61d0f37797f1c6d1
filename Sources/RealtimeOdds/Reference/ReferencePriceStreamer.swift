public import Logging
package import NIOCore
import NIOPosix
public import OddsCore
public import ServiceLifecycle
import Synchronization

/// The price that crypto up/down markets are decided by, live: Chainlink's, and the venue's means of it, each second.
///
/// ```swift
/// var configuration = ReferencePriceConfiguration()
/// configuration.symbols = ["btc/usd"]
/// let reference = try ReferencePriceStreamer(configuration: configuration, logger: Logger(label: "reference"))
/// reference.start()
/// reference.follow(market)
/// let reading = reference.reading(for: market)  // price, price to beat, distance, time left; or why not
/// ```
///
/// It reconnects by itself, also when the socket freezes while it goes on answering. A streamer lives once: after `stop()`
/// make a new one.
public final class ReferencePriceStreamer: Service, ReferenceSource {
    /// Told of a price that is new to the book of prices, histories included, on the feed's event loop: return soon.
    public typealias Observer = @Sendable (ReferenceTick, ReceiveTime) -> Void

    private struct State {
        var book: ReferenceBook
        var report = ReferenceConnection.Report()
        var markets: [MarketID: Market] = [:]
        var startedAt: Timestamp?
    }

    private let configuration: ReferencePriceConfiguration
    private let clock: any StreamClock
    private let logger: Logger
    private let observer: Observer?
    private let tap: (any FeedTap)?
    private let eventLoop: any EventLoop
    private let connector: any FeedConnector
    private let connection: NIOLoopBoundBox<ReferenceConnection?>
    private let state: Mutex<State>
    private let life = SingleRun()

    /// A streamer; nothing happens before `start()` or `run()`.
    ///
    /// - Parameters:
    ///   - configuration: where, and what from the start.
    ///   - logger: receives connection messages, at info level or below.
    ///   - clock: this machine's clocks, or a test's.
    ///   - tap: hears every message and connection, for a recording; nil costs nothing.
    ///   - observer: told of every new price.
    /// - Throws: `RealtimeOddsError` when a value of the configuration cannot be used; the message names it.
    public convenience init(
        configuration: ReferencePriceConfiguration, logger: Logger, clock: any StreamClock = SystemClock(),
        tap: (any FeedTap)? = nil, observer: Observer? = nil
    ) throws(RealtimeOddsError) {
        try configuration.validate()
        // One loop serves the one socket; the group is the process's own and outlives the streamer.
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let connector: NetworkConnector
        do throws(TransportError) {
            let endpoint = try WebSocketEndpoint(configuration.url)
            let security =
                endpoint.isSecure
                ? try TransportSecurity(certificateAuthorityFile: configuration.certificateAuthorityFile) : nil
            connector = NetworkConnector(
                endpoint: endpoint, security: security, eventLoop: eventLoop, timeout: configuration.connectTimeout)
        } catch {
            throw RealtimeOddsError(
                error.code == .invalidCertificateFile ? .certificateFile : .invalidConfiguration, error.message)
        }
        self.init(
            checked: configuration, logger: logger, clock: clock, tap: tap, observer: observer, eventLoop: eventLoop,
            connector: connector)
    }

    /// A streamer over a connector of the caller's choosing; the configuration is not checked.
    package init(
        checked configuration: ReferencePriceConfiguration, logger: Logger, clock: any StreamClock,
        tap: (any FeedTap)? = nil, observer: Observer?, eventLoop: any EventLoop, connector: any FeedConnector
    ) {
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
        self.observer = observer
        self.tap = tap
        self.eventLoop = eventLoop
        self.connector = connector
        self.connection = .makeEmptyBox(valueType: ReferenceConnection.self, eventLoop: eventLoop)
        self.state = Mutex(State(book: ReferenceBook(limits: configuration.book)))
    }

    // MARK: Life

    /// Begins in the background and returns at once. Further calls change nothing.
    public func start() { _ = self.life.begin { await self.stream() } }

    /// Ends; returns when every task and socket is gone. What is known stays readable, and grows stale.
    public func stop() async { _ = await self.life.end() }

    /// Runs until the task is cancelled or the service group shuts down; then as `stop()`.
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
        let begin = self.clock.now().wall
        self.state.withLock { $0.startedAt = begin }
        let setup = ReferenceConnection.Setup(
            connector: self.connector, eventLoop: self.eventLoop, clock: self.clock, logger: self.logger,
            limits: self.configuration.session, maximumMessageSize: self.configuration.maximumMessageSize,
            seed: self.configuration.seed ?? UInt64.random(in: .min ... .max),
            record: { self.record($0, at: $1) },
            report: { report in self.state.withLock { $0.report = report } }, tap: self.tap)
        await self.perform {
            $0.value = ReferenceConnection(setup)
            $0.value?.follow(self.wanted)
        }
        // Ends with the task, which is how it is told to.
        while !Task.isCancelled { try? await self.clock.sleep(for: .seconds(3600)) }
        await withCheckedContinuation { continuation in
            self.eventLoop.execute {
                guard let connection = self.connection.value else { return continuation.resume() }
                connection.stop().whenComplete { _ in
                    // What the connection holds on to ends here: the streamer itself among it.
                    self.connection.value = nil
                    continuation.resume()
                }
            }
        }
    }

    private func perform(_ work: @escaping @Sendable (NIOLoopBoundBox<ReferenceConnection?>) -> Void) async {
        await withCheckedContinuation { continuation in
            self.eventLoop.execute {
                work(self.connection)
                continuation.resume()
            }
        }
    }

    private func record(_ tick: ReferenceTick, at now: ReceiveTime) -> Bool {
        let (isNewest, isNew) = self.state.withLock { state in
            let before = state.book.count(tick.feed)
            let isNewest = state.book.record(tick, at: now)
            return (isNewest, isNewest || state.book.count(tick.feed) > before)
        }
        if isNew { self.observer?(tick, now) }
        return isNewest
    }

    // MARK: What is followed

    /// Follows the prices a market is decided by, until `unfollow`. From any thread; does nothing for other markets.
    public func follow(_ market: Market) { self.change { $0[market.id] = market } }

    /// Follows a market's prices no more, unless another market needs them. What is known is kept.
    public func unfollow(_ market: MarketID) { self.change { $0[market] = nil } }

    /// From now on follows exactly these markets' prices, beside the symbols of the configuration.
    public func follow(only markets: some Sequence<Market>) {
        let markets = Dictionary(markets.map { ($0.id, $0) }) { first, _ in first }
        self.change { $0 = markets }
    }

    private func change(_ body: (inout [MarketID: Market]) -> Void) {
        self.state.withLock { body(&$0.markets) }
        // Reads what is wanted when its turn comes: later calls find nothing to do.
        self.eventLoop.execute { self.connection.value?.follow(self.wanted) }
    }

    private var wanted: [ReferenceFeed] {
        let markets = self.state.withLock { Array($0.markets.values) }
        var topics: [String: Set<ReferenceTopic>] = [:]
        for symbol in self.configuration.symbols { topics[symbol] = [.chainlink] }
        for market in markets {
            guard let symbol = market.settlement?.symbol ?? ReferenceSettlement.symbol(ofSlug: market.slug) else {
                continue
            }
            topics[symbol, default: []].insert(.chainlink)
            if let mean = market.settlement?.lookbackSeconds.flatMap({ ReferenceTopic(lookbackSeconds: $0) }) {
                topics[symbol, default: []].insert(mean)
            }
        }
        return topics.sorted { $0.key < $1.key }.flatMap { symbol, topics in
            ReferenceTopic.allCases.filter { topics.contains($0) }.map { ReferenceFeed($0, symbol) }
                + (self.configuration.binance ? [ReferenceFeed(.binance, ReferenceFeed.binanceSymbol(of: symbol))] : [])
        }
    }

    // MARK: Reading

    /// Where a market stands now. From any thread, without waiting; what is not known is said with its reason.
    public func reading(for market: Market) -> ReferenceReading {
        let now = self.clock.now()
        return self.state.withLock { $0.book.reading(for: market, at: now) }
    }

    /// How a market ended: only when both of its prices are known without a gap, by a rule that Gamma told.
    public func outcome(of market: Market) -> ReferenceOutcome {
        let now = self.clock.now()
        return self.state.withLock { $0.book.outcome(of: market, at: now) }
    }

    /// The connection and its counters; about as old as the last read from the socket.
    public var referenceStatus: ReferenceStatus {
        let now = self.clock.now().monotonic
        return self.state.withLock { state in
            let report = state.report
            let counters = report.counters
            return ReferenceStatus(
                startedAt: state.startedAt, state: report.phase.rawValue,
                feeds: report.feeds.map { "\($0.topic.rawValue) \($0.symbol)" }, disconnects: report.disconnects,
                failuresInARow: report.failures, dataAge: report.lastData.map { $0.duration(to: now) },
                lastError: report.lastError,
                counters: [
                    ("reference.frames", counters.frames), ("reference.bytes", counters.bytes),
                    ("reference.updates", counters.updates), ("reference.histories", counters.histories),
                    ("reference.histories.unusable", report.unusableHistories), ("reference.pongs", counters.pongs),
                    ("reference.texts", counters.plainTexts), ("reference.unknown", counters.unknown),
                    ("reference.malformed", counters.malformed),
                    ("reference.contradictions", state.book.contradictions), ("reference.early", state.book.early),
                ])
        }
    }
}
