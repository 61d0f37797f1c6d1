public import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
public import OddsCore
public import ServiceLifecycle
internal import Synchronization

/// A local exchange that speaks the venue's protocol: market channel, CLOB REST, Gamma REST and RTDS.
///
/// Its windows, tokens, prices and orders follow from a seed, or its frames from a tape; its books carry correct hashes;
/// it misbehaves on cue. `start` returns when it can be reached, and `stop` when every task and socket is gone.
public final class PolymarketSimulator: Service {
    private struct Running: Sendable {
        var exchange: SimulatedExchange
        var endpoints: SimulatorEndpoints
        var servers: [SocketServer]
        var group: MultiThreadedEventLoopGroup
        var driver: Task<Void, Never>
    }

    private enum State: Sendable {
        case idle
        case starting
        case running(Running)
        case stopping
    }

    private let configuration: SimulatorConfiguration
    private let clock: any StreamClock
    private let logger: Logger
    private let state = Mutex(State.idle)

    /// A simulator that has not been started.
    /// - Parameters:
    ///   - configuration: seed, series, ports and the rest.
    ///   - clock: what the venue's time runs by.
    ///   - logger: gets where the simulator listens, and its faults.
    public init(configuration: SimulatorConfiguration, clock: any StreamClock, logger: Logger) {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
    }

    // MARK: Life

    /// Listens and lets the venue's time run; returns when the endpoints can be reached.
    ///
    /// Throws `SimulatorError` when a port is taken, when a certificate or the tape cannot be read, or when the simulator
    /// runs already.
    @discardableResult
    public func start() async throws(SimulatorError) -> SimulatorEndpoints {
        let isFree = self.state.withLock { state in
            guard case .idle = state else { return false }
            state = .starting
            return true
        }
        guard isFree else {
            throw SimulatorError(.usage, "The simulator runs already. Stop it before it is started again.")
        }
        do {
            let running = try await self.launch()
            self.state.withLock { $0 = .running(running) }
            self.logger.info(
                "Simulated exchange listens",
                metadata: [
                    "exchange.market": "\(running.endpoints.marketWebSocket)",
                    "exchange.clob": "\(running.endpoints.clobREST)",
                    "exchange.gamma": "\(running.endpoints.gammaREST)",
                    "exchange.rtds": "\(running.endpoints.rtdsWebSocket)",
                ])
            return running.endpoints
        } catch {
            self.state.withLock { $0 = .idle }
            throw error
        }
    }

    private func launch() async throws(SimulatorError) -> Running {
        let tape = try await self.stage()
        let tls = try self.tlsContext()
        // One thread: everything that a connection is sent is made and written in one order.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let logger = self.logger
        let exchange = SimulatedExchange(
            configuration: self.configuration, tape: tape, clock: self.clock,
            later: { loop.execute($0) },
            tapeEnded: { problems in
                logger.notice(
                    "The tape has ended; its last books are served on",
                    metadata: problems.isEmpty
                        ? nil : ["exchange.tape.unreadable": "\(problems.prefix(5).joined(separator: "; "))"])
            },
            report: { fault, isHit in
                let facts: Logger.Metadata = ["exchange.fault": "\(FaultText.json(PlannedFault(at: .zero, fault)))"]
                if isHit {
                    logger.notice("Fault injected", metadata: facts)
                } else {
                    logger.notice("Fault hit nobody: no such connection, market or series now", metadata: facts)
                }
            })
        do {
            let market = try await SocketServer.bind(
                host: self.configuration.host, port: self.configuration.marketPort, tls: tls,
                writeLimit: self.configuration.slowReaderLimit,
                service: .init(
                    answer: { exchange.clobAnswer($0) }, webSocket: exchange, webSocketPaths: ["/ws/market"]),
                on: group)
            let gamma = try await SocketServer.bind(
                host: self.configuration.host, port: self.configuration.gammaPort, tls: tls,
                writeLimit: self.configuration.slowReaderLimit, service: .init(answer: { exchange.gammaAnswer($0) }),
                on: group)
            let rtds = try await SocketServer.bind(
                host: self.configuration.host, port: self.configuration.rtdsPort, tls: tls,
                writeLimit: self.configuration.slowReaderLimit,
                service: .init(
                    answer: { exchange.priceAnswer($0) }, webSocket: PriceService(exchange),
                    webSocketPaths: ["/"]),
                on: group)
            let clock = self.clock
            let driver = Task {
                // Ends with the task: both the clock and the loop only fail when all is over.
                while !Task.isCancelled {
                    guard (try? await clock.sleep(until: exchange.nextTick())) != nil else { return }
                    guard (try? await loop.submit { exchange.tick() }.get()) != nil else { return }
                }
            }
            return Running(
                exchange: exchange, endpoints: self.endpoints(market: market.port, gamma: gamma.port, rtds: rtds.port),
                servers: [market, gamma, rtds], group: group, driver: driver)
        } catch {
            await Self.shutDown(group, self.logger)
            throw error
        }
    }

    /// The tape before its first frame, read on a thread that may wait for it; nil without one.
    private func stage() async throws(SimulatorError) -> TapeStage? {
        guard let tape = self.configuration.tape else { return nil }
        do {
            return try await NIOThreadPool.singleton.runIfActive { try TapeStage(tape.source, speed: tape.speed) }
        } catch let error as SimulatorError {
            throw error
        } catch {
            throw SimulatorError(.tape, "The tape \(tape.source.name) could not be read.", cause: error)
        }
    }

    /// Closes every connection and stops listening; returns when all is gone. Does nothing when nothing runs.
    public func stop() async {
        let running = self.state.withLock { state -> Running? in
            guard case .running(let running) = state else { return nil }
            state = .stopping
            return running
        }
        guard let running else { return }
        running.driver.cancel()
        await running.driver.value
        // Closes the listening sockets and every connection with them.
        await Self.shutDown(running.group, self.logger)
        self.state.withLock { $0 = .idle }
        self.logger.info("Simulated exchange stopped")
    }

    /// Runs until the task is cancelled or a graceful shutdown is asked for, then stops.
    ///
    /// Starts the simulator first unless it has been started. Throws what `start` throws.
    public func run() async throws {
        let isIdle = self.state.withLock { state in
            if case .idle = state { return true }
            return false
        }
        if isIdle { try await self.start() }
        // Cancellation is one of the two ways in which a service is told to end; it is no error here.
        try? await gracefulShutdown()
        await self.stop()
    }

    private static func shutDown(_ group: MultiThreadedEventLoopGroup, _ logger: Logger) async {
        do {
            try await group.shutdownGracefully()
        } catch {
            logger.warning("The simulator's event loop did not end cleanly", metadata: ["error": "\(error)"])
        }
    }

    private func tlsContext() throws(SimulatorError) -> NIOSSLContext? {
        guard let tls = self.configuration.tls else { return nil }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(tls.certificateFile)
            let key = try NIOSSLPrivateKey(file: tls.keyFile, format: .pem)
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
        } catch {
            throw SimulatorError(
                .certificate,
                "Cannot use the certificate \(tls.certificateFile) with the key \(tls.keyFile). Both must be PEM files and belong together.",
                cause: error)
        }
    }

    private func endpoints(market: Int, gamma: Int, rtds: Int) -> SimulatorEndpoints {
        let host = self.configuration.host.contains(":") ? "[\(self.configuration.host)]" : self.configuration.host
        let isSecure = self.configuration.tls != nil
        return SimulatorEndpoints(
            marketWebSocket: "\(isSecure ? "wss" : "ws")://\(host):\(market)/ws/market",
            clobREST: "\(isSecure ? "https" : "http")://\(host):\(market)",
            gammaREST: "\(isSecure ? "https" : "http")://\(host):\(gamma)",
            rtdsWebSocket: "\(isSecure ? "wss" : "ws")://\(host):\(rtds)/")
    }

    // MARK: What it is asked

    private var running: Running? {
        self.state.withLock { state in
            if case .running(let running) = state { return running }
            return nil
        }
    }

    /// Where the simulator can be reached; nil unless it runs.
    public var endpoints: SimulatorEndpoints? { self.running?.endpoints }

    /// What it has done since it was started; all zero unless it runs.
    public var counters: SimulatorCounters { self.running?.exchange.counters ?? SimulatorCounters() }

    /// The venue's time; nil unless the simulator runs.
    public var venueTime: Timestamp? { self.running?.exchange.venueTime }

    /// A market by its slug, whichever window it is of; nil when it is not listed or the simulator does not run.
    public func market(slug: String) -> Market? { self.running?.exchange.market(slug: slug) }

    /// What a client should know of a market now; nil when its book is gone, or was never there.
    public func truth(_ market: MarketID) -> MarketTruth? { self.running?.exchange.truth(market) }

    /// Misbehaves from now on.
    /// - Returns: false when nothing happens: when the simulator does not run, or when the target names a connection, a
    ///   market or a series that is not there.
    @discardableResult
    public func inject(_ fault: SimulatorFault) -> Bool { self.running?.exchange.inject(fault) ?? false }

    /// Misbehaves as planned from now on, beside what was planned before. Does nothing unless the simulator runs.
    public func follow(_ plan: FaultPlan) { self.running?.exchange.schedule(plan.faults) }

    /// Sends what is due now, and returns when it is written: for tests that move the clock themselves.
    package func catchUp() async throws {
        guard let running = self.running else { return }
        try await running.group.next().submit { running.exchange.tick() }.get()
    }
}
