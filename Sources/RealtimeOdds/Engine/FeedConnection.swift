import Logging
import NIOCore
import OddsCore

/// One socket of a line: owns the transport, asks the session what to do, and does it.
///
/// Everything happens on one event loop; bytes go straight into the pipeline there, without a hop or a lock.
final class FeedConnection: FeedPipelineDelegate {
    /// What the connection shows to other threads, renewed once per read.
    struct Report: Sendable {
        var phase = FeedSession.Phase.idle
        var assets = 0
        var disconnects: UInt64 = 0
        var failures = 0
        var lastData: MonotonicTime?
        var lastError: String?
        var counters = FeedCounters()
    }

    let line: Int
    let number: Int
    /// Its number among all connections of the run.
    let serial: Int
    /// The seat at the arbiter's tables: the line's own, or the spare one while it is to replace another connection.
    let seat: Int
    /// The latest report, readable from any thread.
    let reportBox = ReportBox()
    /// Followed markets and tokens, for the engine's bookkeeping.
    private(set) var assetCount = 0
    /// What is followed, for a connection that is to replace this one.
    private(set) var followed: [Market] = []
    private(set) var followedBare: [AssetID] = []
    /// When the connection is to be renewed; nil while it is not.
    var renewal: MonotonicTime?

    private let setup: FeedEngine.Setup
    /// Held until the engine lets go of its connections, which it does when all sockets are gone: a timer that was
    /// cancelled too late to be stopped still finds it.
    private let engine: FeedEngine
    private let books: FeedBooks
    private let pipeline: FeedPipeline
    private var session: FeedSession
    /// The socket in use; an older one may still be on its way out.
    private var attempt: Attempt?
    private var openSockets = 0
    private var resyncs: [AssetID] = []
    /// Tokens whose fresh books are on their way, after it was told that they were asked for.
    private var asked: [AssetID] = []
    private var timer: Scheduled<Void>?
    private var timerDeadline: MonotonicTime?
    private var heldTimer: Scheduled<Void>?
    private var lastDataFrames: UInt64 = 0
    /// Whether the present connection has brought data.
    private var hasGivenSign = false
    private var disconnects: UInt64 = 0
    /// Whether another connection speaks for this place on the line: one that this one is to replace, or that has
    /// replaced it.
    private(set) var isSilent = false
    /// What the connection before this one counted.
    private var inherited = Report()
    private var lastError: String?
    private var lastReceive: ReceiveTime
    private var goneWaiters: [EventLoopPromise<Void>] = []
    private var generator: SplitMix64
    private let logger: Logger

    /// How long a publication is held back for the rest of a batch.
    private static let holdLimit = Duration.milliseconds(25)

    /// - Parameter isSuccessor: whether it is to replace another connection; until it does, nobody hears of it.
    init(
        line: Int, number: Int, seat: Int, setup: FeedEngine.Setup, engine: FeedEngine, seed: UInt64,
        isSuccessor: Bool = false
    ) {
        self.line = line
        self.number = number
        self.serial = engine.takeSerial()
        self.seat = seat
        self.setup = setup
        self.engine = engine
        self.books = FeedBooks(board: setup.board, source: .line(line), seat: seat, arbiter: engine.arbiter)
        self.pipeline = FeedPipeline(
            books: self.books, maximumMessageSize: setup.configuration.maximumMessageSize)
        self.session = FeedSession(limits: setup.configuration.sessionLimits, seed: seed)
        self.generator = SplitMix64(seed: seed ^ 0x5EED)
        self.lastReceive = setup.clock.now()
        var logger = setup.logger
        logger[metadataKey: LogKey.line] = "\(line)"
        logger[metadataKey: LogKey.connection] = "\(number)"
        self.logger = logger
        self.books.reportsEveryEntry = setup.observer != nil
        self.pipeline.delegate = self
        self.pipeline.tap(setup.tap, on: .line(line), connection: self.serial)
        self.isSilent = isSuccessor
    }

    // MARK: What is followed

    var reportsEveryChange: Bool {
        get { self.books.reportsEveryChange }
        set { self.books.reportsEveryChange = newValue }
    }

    func follow(_ market: Market) {
        self.books.add(market)
        self.followed.append(market)
        self.assetCount += market.assets.count
        self.perform(self.session.follow(market.assets, now: self.now))
    }

    func follow(bare assets: [AssetID]) {
        self.books.add(bare: assets)
        self.followedBare += assets
        self.assetCount += assets.count
        self.perform(self.session.follow(assets, now: self.now))
    }

    func unfollow(_ market: Market) {
        self.books.remove(market)
        self.followed.removeAll { $0.id == market.id }
        self.asked.removeAll { market.side(of: $0) != nil }
        self.assetCount -= market.assets.count
        self.perform(self.session.unfollow(market.assets))
    }

    func setPhase(_ phase: MarketPhase, of market: MarketID) {
        self.books.setPhase(phase, of: market)
        if phase == .closed, let assets = self.setup.board.slot(market)?.market.assets {
            self.session.expectNothing(of: assets)
            self.reschedule()
        }
        self.flushChanges()
    }

    /// Takes another connection's place: its counts go on here.
    func takeOver(from old: FeedConnection) {
        self.inherited = old.reportBox.read()
        self.asked = []
        self.isSilent = false
        self.publishReport()
    }

    /// Ends the connection because another has its place: what it had on the board stays there.
    func retire() {
        self.isSilent = true
        self.endSession()
        self.books.removeAll()
    }

    /// Whether no socket of this connection is left.
    var isGone: Bool { self.openSockets == 0 }

    private func endSession() {
        self.perform(self.session.stop())
        self.timer?.cancel()
        self.timer = nil
        self.heldTimer?.cancel()
        self.heldTimer = nil
    }

    /// Whether the streamer ends: no trouble, then, though the odds are not confirmed any more.
    private var isStopping = false

    /// Ends the connection for good; the future succeeds when the socket is gone.
    func stop() -> EventLoopFuture<Void> {
        self.isStopping = true
        self.endSession()
        self.books.connectionLost(reason: .stopped)
        self.flushChanges()
        let gone = self.setup.eventLoop.makePromise(of: Void.self)
        if self.openSockets == 0 { gone.succeed() } else { self.goneWaiters.append(gone) }
        return gone.futureResult
    }

    private var now: MonotonicTime { self.setup.clock.now().monotonic }

    // MARK: Doing what the session says

    private func perform(_ actions: [FeedSession.Action]) {
        for action in actions {
            switch action {
            case .connect: self.connect()
            case .sendInitialSubscription(let assets): self.send(MarketChannelEncoder.initialSubscription(assets))
            case .sendSubscribe(let assets): self.send(MarketChannelEncoder.subscribe(assets))
            case .sendUnsubscribe(let assets): self.send(MarketChannelEncoder.unsubscribe(assets))
            case .sendPing: self.send(MarketChannelEncoder.ping)
            case .abandon(let reason): self.abandon(reason)
            case .close: self.closeInGoodOrder()
            }
        }
        self.flushOutput()
        self.reschedule()
        self.publishReport()
    }

    private func connect() {
        // How the connection before ended is no reason for this one's end.
        self.pipeline.open(maskingSeed: self.generator.next())
        let attempt = Attempt(owner: self)
        self.attempt = attempt
        self.openSockets += 1
        self.logger.debug("Feed connecting", metadata: [LogKey.url: "\(self.setup.connector.address)"])
        self.tap(.connecting)
        attempt.transport = self.setup.connector.connect(line: self.line, delegate: attempt)
    }

    private func abandon(_ reason: FeedSession.Reason) {
        self.logger.info("Feed connection given up", metadata: [LogKey.reason: "\(reason)"])
        self.lastError = reason.description
        self.tell(.lost(reason: reason.description, lastData: self.session.lastData))
        self.pipeline.close(code: WebSocketCloseStatus.goingAway, reason: "")
        self.tap(.closed(reason: reason.description, byUs: true, retryAfter: nil))
        self.dropTransport()
        self.lost(retryAfter: nil)
    }

    private func closeInGoodOrder() {
        self.pipeline.close(code: WebSocketCloseStatus.normal, reason: "")
        if self.attempt != nil { self.tap(.closed(reason: "closed", byUs: true, retryAfter: nil)) }
        self.dropTransport()
        self.books.connectionLost(reason: self.isStopping ? .stopped : .disconnected)
        self.flushChanges()
        self.tell(.closed)
    }

    private func tap(_ event: FeedConnectionEvent) {
        guard let tap = self.setup.tap else { return }
        tap.connection(event, on: .line(self.line), connection: self.serial, at: self.setup.clock.now())
    }

    private func tell(_ event: ContinuityEvent.Connection) {
        self.tell(.connection(line: self.line, number: self.number, event))
    }

    private func tell(_ event: ContinuityEvent) {
        if !self.isSilent { self.engine.tell(event) }
    }

    /// Lets the current socket go without waiting for it; what it still says is heard by nobody.
    private func dropTransport() {
        self.flushOutput()
        let attempt = self.attempt
        self.attempt = nil
        attempt?.transport?.close()
    }

    private func lost(retryAfter: Duration?) {
        self.disconnects += 1
        self.books.begin(at: self.setup.clock.now())
        self.books.connectionLost(reason: .disconnected)
        self.flushChanges()
        self.perform(self.session.disconnected(now: self.now, retryAfter: retryAfter))
    }

    private func send(_ text: [UInt8]) { self.pipeline.send(text) }

    private func flushOutput() {
        guard let output = self.pipeline.takeOutput() else { return }
        self.attempt?.transport?.write(output)
    }

    // MARK: Timers

    private func reschedule() {
        let next = self.session.nextDeadline
        guard next != self.timerDeadline || self.timer == nil else { return }
        self.timer?.cancel()
        self.timer = nil
        self.timerDeadline = next
        guard let next else { return }
        let wait = self.now.duration(to: next)
        self.timer = self.setup.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(max(wait, .zero))) {
            self.timer = nil
            self.timerDeadline = nil
            self.perform(self.session.deadlineReached(now: self.now))
        }
    }

    private func scheduleRelease() {
        guard self.heldTimer == nil else { return }
        self.heldTimer = self.setup.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(Self.holdLimit)) {
            // On a busy machine the rest of a batch may lie in the socket by now: one more turn of the loop reads it.
            self.heldTimer = self.setup.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(1)) {
                self.heldTimer = nil
                self.releaseHeld()
            }
        }
    }

    private func releaseHeld() {
        let now = self.setup.clock.now()
        self.books.begin(at: now)
        let limit = now.monotonic.advanced(by: .zero - Self.holdLimit)
        self.books.releaseHeld(before: limit)
        self.books.verifyPending(before: limit)
        self.afterRead()
    }

    // MARK: Transport

    /// One socket. Only the current one is heard: a late word of an older one reaches nobody.
    private final class Attempt: TransportDelegate {
        let owner: FeedConnection
        var transport: (any FeedTransport)?

        init(owner: FeedConnection) { self.owner = owner }

        @inline(__always)
        private var isCurrent: Bool { self.owner.attempt === self }

        func transportConnected(_ transport: any FeedTransport) {
            self.transport = transport
            if self.isCurrent { self.owner.transportConnected() }
        }

        func transportReceived(_ bytes: UnsafeMutableRawBufferPointer) {
            if self.isCurrent { self.owner.transportReceived(bytes) }
        }

        func transportReceived(message text: UnsafeRawBufferPointer) {
            if self.isCurrent { self.owner.transportReceived(message: text) }
        }

        func transportReadComplete() {
            if self.isCurrent { self.owner.transportReadComplete() }
        }

        func transportClosed(_ error: TransportError?) {
            self.transport = nil
            self.owner.socketGone(wasCurrent: self.isCurrent, error)
        }
    }

    private func transportConnected() {
        self.logger.info("Feed connected", metadata: [LogKey.url: "\(self.setup.connector.address)"])
        self.hasGivenSign = false
        self.tap(.open)
        self.tell(.live)
        self.perform(self.session.connected(now: self.now))
    }

    private func transportReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        self.lastReceive = self.setup.clock.now()
        self.pipeline.receive(bytes, at: self.lastReceive)
    }

    private func transportReceived(message text: UnsafeRawBufferPointer) {
        self.lastReceive = self.setup.clock.now()
        self.pipeline.receive(message: text, at: self.lastReceive)
    }

    private func transportReadComplete() {
        let now = self.lastReceive.monotonic
        self.session.bytesReceived(now: now)
        let counters = self.books.counters
        let dataFrames = counters.frames &- counters.pongs &- counters.plainTexts
        if dataFrames != self.lastDataFrames {
            self.lastDataFrames = dataFrames
            self.session.dataReceived(now: now)
            if !self.hasGivenSign {
                self.hasGivenSign = true
                self.engine.signOfLife(within: .zero)
            }
        }
        self.afterRead()
        if self.pipeline.isClosed { self.attempt?.transport?.close() }
    }

    private func afterRead() {
        self.flushOutput()
        self.flushChanges()
        if self.books.hasHeld || self.books.hasPendingChecks { self.scheduleRelease() }
        self.publishReport()
    }

    private func socketGone(wasCurrent: Bool, _ error: TransportError?) {
        self.openSockets -= 1
        if wasCurrent {
            self.attempt = nil
            let reason = self.closeReason(error)
            self.lastError = reason
            self.tap(.closed(reason: reason, byUs: false, retryAfter: error?.retryAfter))
            self.logger.info(
                self.session.phase == .live ? "Feed connection lost" : "Feed connection failed",
                metadata: [LogKey.reason: "\(reason)"])
            if self.session.phase == .live {
                self.tell(.lost(reason: reason, lastData: self.session.lastData))
            } else if self.session.phase == .connecting {
                self.tell(.failed(reason: reason, inARow: self.session.failures + 1))
            }
            self.lost(retryAfter: error?.retryAfter)
        }
        guard self.openSockets == 0 else { return }
        let gone = self.goneWaiters
        self.goneWaiters = []
        for promise in gone { promise.succeed() }
    }

    private func closeReason(_ error: TransportError?) -> String {
        if let status = self.pipeline.closeStatus {
            let code = status.code.map(String.init) ?? "none"
            return "closed with code \(code)\(status.reason.isEmpty ? "" : ": \(status.reason)")"
        }
        return error?.message ?? "the connection was closed"
    }

    // MARK: What pipeline and books say

    private func flushChanges() {
        self.books.drainChanges { slot, values, previousTrust in
            self.engine.changed(slot, values: values, previousTrust: previousTrust)
        }
        self.engine.watchArbiter()
    }

    /// This connection's line has missed an update of the market.
    func suspectBehind(_ market: MarketID) { self.change { $0.suspectBehind(market) } }

    // MARK: The ladder from silence to proof

    /// Shows what the books have of every market.
    func look(_ body: (MarketSlot, MarketPhase, MarketLiveness.Sight) -> Void) {
        self.books.begin(at: self.setup.clock.now())
        self.books.look(isUp: self.session.phase == .live, body)
        self.flushChanges()
    }

    func distrust(_ market: MarketID, until stamp: Timestamp) { self.change { $0.distrust(market, until: stamp) } }
    func confirm(_ market: MarketID) { self.change { $0.confirm(market) } }
    func setSilent(_ isSilent: Bool, _ market: MarketID) { self.change { $0.setSilent(isSilent, market) } }
    func refresh(_ market: MarketID) { self.change { $0.refresh(market) } }
    func depth(of asset: AssetID) -> OfferedDepth? { self.books.depth(of: asset) }
    func eachFigures(ticks: Int, _ body: (OfferedFigures) -> Void) { self.books.eachFigures(ticks: ticks, body) }
    func figures(of market: MarketID, ticks: Int) -> OfferedFigures? { self.books.figures(of: market, ticks: ticks) }
    func learn(_ book: RESTBook) { self.books.learn(book) }
    func matches(_ book: RESTBook) -> Bool { self.books.matches(book) }

    /// The connection does not deliver the market.
    func giveUp(_ market: MarketID) { self.perform(self.session.giveUp(market, now: self.now)) }

    /// The exchange lives: an attempt need not wait for longer than this.
    func hurry(_ limit: Duration) { self.perform(self.session.hurry(limit, now: self.now)) }

    var phase: FeedSession.Phase { self.session.phase }
    var foreignEntries: UInt64 { self.books.counters.foreignEntries }

    private func change(_ body: (FeedBooks) -> Void) {
        self.lastReceive = self.setup.clock.now()
        self.books.begin(at: self.lastReceive)
        body(self.books)
        self.flushChanges()
    }

    // MARK: Told by the pipeline

    func snapshotArrived(_ asset: AssetID) {
        self.session.snapshotReceived(asset)
        guard let at = self.asked.firstIndex(of: asset) else { return }
        self.asked.remove(at: at)
        self.tell(.resynced(line: self.line, asset))
    }

    func resyncNeeded(_ asset: AssetID, reason: SuspectReason) {
        self.logger.debug(
            "Asking for a fresh book",
            metadata: [LogKey.reason: "\(reason.rawValue)", LogKey.asset: "\(asset)"])
        if reason != .silent {
            if !self.asked.contains(asset) { self.asked.append(asset) }
            let market = self.followed.first { $0.side(of: asset) != nil }
            self.tell(.resync(line: self.line, asset, market, reason))
        }
        // In the middle of a frame: what is asked for is gathered, and leaves when the frame is done with.
        self.resyncs.append(asset)
        guard self.resyncs.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: self.setup.eventLoop)
        self.setup.eventLoop.execute {
            let connection = bound.value
            let assets = connection.resyncs
            connection.resyncs = []
            connection.perform(connection.session.resync(assets, now: connection.now))
        }
    }

    func marketChanged(_ slot: MarketSlot, valuesChanged: Bool, previousTrust: Trust?) {
        self.engine.changedExactly(slot, values: valuesChanged, previousTrust: previousTrust)
    }

    func marketResolved(_ market: MarketID, winner: AssetID?, at time: Timestamp?) {
        self.engine.resolved(market, winner: winner, at: time ?? self.lastReceive.wall)
    }

    func traded(_ trade: Trade, in slot: MarketSlot) { self.engine.traded(trade, in: slot, from: self.seat) }

    func entryApplied(
        _ asset: AssetID, eventType: StaticString, at time: Timestamp, bestBid: Price?, bestAsk: Price?
    ) {
        self.setup.observer?.applied(
            AppliedMessage(
                number: self.engine.countEntry(), line: self.line, asset: asset, eventType: eventType.description,
                exchangeTime: time,
                receiveTime: self.lastReceive.monotonic, publishTime: self.now, bestBid: bestBid, bestAsk: bestAsk))
    }

    func pongReceived() {}

    func frameMalformed(_ fault: FrameFault, prefix: [UInt8]) {
        guard self.engine.mayLog(.malformedFrame, now: self.lastReceive.monotonic) else { return }
        self.logger.error(
            "Frame skipped: it cannot be read",
            metadata: [
                LogKey.reason: "\(fault.rawValue)", LogKey.frame: "\(String(decoding: prefix, as: UTF8.self))",
            ])
    }

    func venueSaid(_ text: String) {
        guard self.engine.mayLog(.exchangeText, now: self.lastReceive.monotonic) else { return }
        self.logger.notice("The exchange says", metadata: [LogKey.text: "\(text)"])
    }

    // MARK: For other threads

    private func publishReport() {
        let counters = self.books.counters + self.inherited.counters
        let disconnects = self.disconnects + self.inherited.disconnects
        self.reportBox.update {
            $0.phase = self.session.phase
            $0.assets = self.session.assetCount
            $0.disconnects = disconnects
            $0.failures = self.session.failures
            $0.lastData = self.session.lastData ?? $0.lastData
            $0.lastError = self.lastError
            $0.counters = counters
        }
    }
}
