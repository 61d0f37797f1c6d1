import Logging
import NIOCore
import OddsCore

/// The socket of the reference price: asks the session what to do, and does it. Everything happens on one event loop.
final class ReferenceConnection {
    /// What it shows to other threads.
    struct Report: Sendable {
        var phase = FeedSession.Phase.idle
        var feeds: [ReferenceFeed] = []
        var disconnects: UInt64 = 0
        var failures = 0
        var lastData: MonotonicTime?
        var lastError: String?
        var counters = RTDSCounters()
        /// Histories that may have been of something else.
        var unusableHistories: UInt64 = 0
    }

    struct Setup: Sendable {
        var connector: any FeedConnector
        var eventLoop: any EventLoop
        var clock: any StreamClock
        var logger: Logger
        var limits: ReferenceSession.Limits
        var maximumMessageSize: Int
        var seed: UInt64
        /// Takes in a price; whether it is newer than all before.
        var record: @Sendable (ReferenceTick, ReceiveTime) -> Bool
        var report: @Sendable (Report) -> Void
        /// Hears everything raw; nil costs nothing.
        var tap: (any FeedTap)?
    }

    /// Gathers the messages of one read, so that acting on them does not touch the codec while it reads.
    private struct Messages: WebSocketMessageHandler {
        var decoder = RTDSDecoder()
        var list: [RTDSMessage] = []
        /// Hears the messages as they come, with the time of the read.
        var tap: (any FeedTap)?
        var now = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0)

        mutating func receivedText(_ payload: UnsafeRawBufferPointer) {
            self.tap?.received(payload, on: .reference, connection: ReferenceConnection.tapNumber, at: self.now)
            let message = self.decoder.decode(payload)
            if message != .ignored { self.list.append(message) }
        }
        func receivedBinary(_ payload: UnsafeRawBufferPointer) {}
        func receivedPong(_ payload: UnsafeRawBufferPointer) {}
    }

    /// There is one connection to the reference price.
    private static let tapNumber = 0

    private let setup: Setup
    private var session: ReferenceSession
    private var socket: WebSocketConnection
    private var messages = Messages()
    /// The socket in use; an older one may still be on its way out.
    private var attempt: Attempt?
    private var openSockets = 0
    private var timer: Scheduled<Void>?
    private var timerDeadline: MonotonicTime?
    private var lastReceive: ReceiveTime
    private var goneWaiters: [EventLoopPromise<Void>] = []
    private var generator: SplitMix64
    private var report = Report()

    init(_ setup: Setup) {
        self.setup = setup
        self.session = ReferenceSession(limits: setup.limits, seed: setup.seed)
        self.generator = SplitMix64(seed: setup.seed ^ 0x5EED)
        self.socket = WebSocketConnection(
            role: .client, maximumMessageSize: setup.maximumMessageSize, maskingSeed: setup.seed)
        self.lastReceive = setup.clock.now()
        self.messages.tap = setup.tap
    }

    private var now: MonotonicTime { self.setup.clock.now().monotonic }

    /// From now on exactly these feeds are wanted.
    func follow(_ feeds: [ReferenceFeed]) { self.perform(self.session.follow(feeds, now: self.now)) }

    /// Ends for good; the future succeeds when no socket is left.
    func stop() -> EventLoopFuture<Void> {
        self.perform(self.session.stop())
        self.timer?.cancel()
        self.timer = nil
        let gone = self.setup.eventLoop.makePromise(of: Void.self)
        if self.openSockets == 0 { gone.succeed() } else { self.goneWaiters.append(gone) }
        return gone.futureResult
    }

    // MARK: Doing what the session says

    private func perform(_ actions: [ReferenceSession.Action]) {
        for action in actions {
            switch action {
            case .connect: self.connect()
            case .subscribe(let feeds): _ = self.socket.sendText(RTDSEncoder.subscribe(feeds))
            case .unsubscribe(let feeds): _ = self.socket.sendText(RTDSEncoder.unsubscribe(feeds))
            case .sendPing: _ = self.socket.sendText(RTDSEncoder.ping)
            case .abandon(let reason): self.abandon(reason)
            case .close:
                self.socket.close(code: WebSocketCloseStatus.normal, reason: "")
                if self.attempt != nil { self.tap(.closed(reason: "closed", byUs: true, retryAfter: nil)) }
                self.dropTransport()
            }
        }
        self.flushOutput()
        self.reschedule()
        self.publishReport()
    }

    private func connect() {
        self.socket = WebSocketConnection(
            role: .client, maximumMessageSize: self.setup.maximumMessageSize, maskingSeed: self.generator.next())
        let attempt = Attempt(owner: self)
        self.attempt = attempt
        self.openSockets += 1
        self.setup.logger.debug(
            "Reference price connecting", metadata: [LogKey.url: "\(self.setup.connector.address)"])
        self.tap(.connecting)
        attempt.transport = self.setup.connector.connect(line: 0, delegate: attempt)
    }

    private func tap(_ event: FeedConnectionEvent) {
        guard let tap = self.setup.tap else { return }
        tap.connection(event, on: .reference, connection: Self.tapNumber, at: self.setup.clock.now())
    }

    private func abandon(_ reason: ReferenceSession.Reason) {
        self.setup.logger.info("Reference price connection given up", metadata: [LogKey.reason: "\(reason)"])
        self.report.lastError = reason.description
        self.socket.close(code: WebSocketCloseStatus.goingAway, reason: "")
        self.tap(.closed(reason: reason.description, byUs: true, retryAfter: nil))
        self.dropTransport()
        self.lost(retryAfter: nil)
    }

    /// Lets the current socket go without waiting for it; what it still says is heard by nobody.
    private func dropTransport() {
        self.flushOutput()
        let attempt = self.attempt
        self.attempt = nil
        attempt?.transport?.close()
    }

    private func lost(retryAfter: Duration?) {
        self.report.disconnects += 1
        self.perform(self.session.disconnected(now: self.now, retryAfter: retryAfter))
    }

    private func flushOutput() {
        guard let transport = self.attempt?.transport, self.socket.hasOutput else { return }
        transport.write(self.socket.takeOutput())
    }

    private func reschedule() {
        let next = self.session.nextDeadline
        guard next != self.timerDeadline || self.timer == nil else { return }
        self.timer?.cancel()
        self.timer = nil
        self.timerDeadline = next
        guard let next else { return }
        let wait = max(self.now.duration(to: next), .zero)
        self.timer = self.setup.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(wait)) {
            self.timer = nil
            self.timerDeadline = nil
            self.perform(self.session.deadlineReached(now: self.now))
        }
    }

    private func publishReport() {
        self.report.phase = self.session.phase
        self.report.feeds = self.session.feeds
        self.report.failures = self.session.failures
        self.report.counters = self.messages.decoder.counters
        self.setup.report(self.report)
    }

    // MARK: Transport

    /// One socket. Only the current one is heard: a late word of an older one reaches nobody.
    private final class Attempt: TransportDelegate {
        let owner: ReferenceConnection
        var transport: (any FeedTransport)?

        init(owner: ReferenceConnection) { self.owner = owner }

        private var isCurrent: Bool { self.owner.attempt === self }

        func transportConnected(_ transport: any FeedTransport) {
            self.transport = transport
            if self.isCurrent { self.owner.transportConnected() }
        }

        func transportReceived(_ bytes: UnsafeMutableRawBufferPointer) {
            if self.isCurrent { self.owner.transportReceived(bytes) }
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
        self.setup.logger.info(
            "Reference price connected", metadata: [LogKey.url: "\(self.setup.connector.address)"])
        self.tap(.open)
        self.perform(self.session.connected(now: self.now))
    }

    private func transportReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        self.lastReceive = self.setup.clock.now()
        self.messages.now = self.lastReceive
        self.socket.receive(bytes, into: &self.messages)
    }

    private func transportReadComplete() {
        self.session.bytesReceived()
        let messages = self.messages.list
        self.messages.list.removeAll(keepingCapacity: true)
        var actions: [ReferenceSession.Action] = []
        for message in messages { actions += self.take(message) }
        self.perform(actions)
        if self.socket.state == .closed { self.attempt?.transport?.close() }
    }

    private func take(_ message: RTDSMessage) -> [ReferenceSession.Action] {
        let now = self.lastReceive
        switch message {
        case .update(let tick):
            guard self.setup.record(tick, now) else { return [] }
            self.report.lastData = now.monotonic
            return self.session.priceReceived(tick.feed, now: now.monotonic)
        case .history(let feed, let ticks):
            let (isUsable, actions) = self.session.historyReceived(feed, now: now.monotonic)
            if isUsable {
                for tick in ticks { _ = self.setup.record(tick, now) }
            } else {
                self.report.unusableHistories += 1
            }
            return actions
        case .pong, .ignored: return []
        }
    }

    private func socketGone(wasCurrent: Bool, _ error: TransportError?) {
        self.openSockets -= 1
        if wasCurrent {
            self.attempt = nil
            let reason = self.closeReason(error)
            self.report.lastError = reason
            self.tap(.closed(reason: reason, byUs: false, retryAfter: error?.retryAfter))
            self.setup.logger.info(
                self.session.phase == .live
                    ? "Reference price connection lost" : "Reference price connection failed",
                metadata: [LogKey.reason: "\(reason)"])
            self.lost(retryAfter: error?.retryAfter)
        }
        guard self.openSockets == 0 else { return }
        let gone = self.goneWaiters
        self.goneWaiters = []
        for promise in gone { promise.succeed() }
    }

    private func closeReason(_ error: TransportError?) -> String {
        if let status = self.socket.closeStatus {
            let code = status.code.map(String.init) ?? "none"
            return "closed with code \(code)\(status.reason.isEmpty ? "" : ": \(status.reason)")"
        }
        return error?.message ?? "the connection was closed"
    }
}
