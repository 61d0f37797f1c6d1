import Logging
import OddsCore
import ServiceLifecycle
import Synchronization

/// One sink at work, whatever it is made of.
protocol SignalSink: Sendable {
    /// Its name, in records and logs.
    var name: String { get }
    /// What became of its signals so far.
    var status: SignalSinkStatus { get }
    /// Whether it takes signals of this kind.
    func wants(_ kind: Signal.Kind) -> Bool
    /// Queues a signal and returns at once.
    func post(_ signal: Signal)
    /// Delivers until the program ends. Runs once.
    func run() async
}

/// Drives one outbox: it has the clock, the receiver and the tasks, the outbox has the decisions.
final class SignalSinkEngine<Courier: SignalCourier>: SignalSink {
    private struct State {
        var outbox: SignalOutbox
        /// When the timer under way goes off; nil when there is none.
        var timer: MonotonicTime?
        var generator = SystemRandomNumberGenerator()
        /// Whether somebody was told that signals do not arrive, since one last did.
        var isTroubleTold = false
        var isClosed = false
    }

    let name: String
    private let courier: Courier
    private let kinds: Set<Signal.Kind>
    private let state: Mutex<State>
    private let drain: Duration
    private let clock: any StreamClock
    private let logger: Logger
    private let onDelivery: @Sendable (SignalDelivery) -> Void
    /// One element says that the outbox is to be asked again; several are one.
    private let events: AsyncStream<Void>
    private let event: AsyncStream<Void>.Continuation

    init(
        name: String, courier: Courier, kinds: Set<Signal.Kind>, outbox: SignalOutbox.Configuration, drain: Duration,
        clock: any StreamClock, logger: Logger, onDelivery: @escaping @Sendable (SignalDelivery) -> Void
    ) {
        var logger = logger
        logger[metadataKey: LogKey.signalSink] = "\(name)"
        self.name = name
        self.courier = courier
        self.kinds = kinds
        self.state = Mutex(State(outbox: SignalOutbox(sink: name, configuration: outbox)))
        self.drain = drain
        self.clock = clock
        self.logger = logger
        self.onDelivery = onDelivery
        (self.events, self.event) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var status: SignalSinkStatus { self.state.withLock { $0.outbox.status } }

    func wants(_ kind: Signal.Kind) -> Bool { self.kinds.contains(kind) }

    func post(_ signal: Signal) {
        let now = self.clock.now()
        // Once closed nobody is left who would tell what became of it.
        let over = self.state.withLock { state in
            state.outbox.posted(signal, now: now)
            return state.isClosed ? state.outbox.takeDeliveries() : []
        }
        self.tell(over)
        self.event.yield()
    }

    /// Delivers until the task is cancelled, or until a graceful shutdown has drained what can be in the time for it.
    func run() async {
        await self.courier.withLine { line in
            await withDiscardingTaskGroup { group in
                group.addTask { await self.endWithProgram() }
                self.event.yield()
                loop: for await _ in self.events {
                    turns: while true {
                        let now = self.clock.now()
                        let (action, over) = self.state.withLock { state in
                            (state.outbox.next(now: now), state.outbox.takeDeliveries())
                        }
                        self.tell(over)
                        switch action {
                        case .send(let attempt): group.addTask { await self.send(attempt, over: line) }
                        case .wait(let instant):
                            if self.needsTimer(at: instant) { group.addTask { await self.wake(at: instant) } }
                            break turns
                        case .rest: break turns
                        case .finish: break loop
                        }
                    }
                }
                group.cancelAll()
            }
        }
        let now = self.clock.now()
        let over = self.state.withLock { state in
            state.isClosed = true
            state.outbox.close(now: now)
            return state.outbox.takeDeliveries()
        }
        self.tell(over)
    }

    /// Waits for a graceful shutdown, and then for as long as draining may take.
    private func endWithProgram() async {
        guard (try? await gracefulShutdown()) != nil else { return }
        let end = self.clock.now().monotonic.advanced(by: self.drain)
        self.state.withLock { $0.outbox.drain(until: end) }
        self.event.yield()
        // It throws when everything was delivered before, and then nothing is left to end.
        guard (try? await self.clock.sleep(until: end)) != nil else { return }
        self.event.finish()
    }

    // MARK: Waiting

    /// Whether nothing wakes the loop by this instant yet; if so, the caller takes care of it.
    private func needsTimer(at instant: MonotonicTime) -> Bool {
        self.state.withLock { state in
            if let timer = state.timer, timer <= instant { return false }
            state.timer = instant
            return true
        }
    }

    private func wake(at instant: MonotonicTime) async {
        guard (try? await self.clock.sleep(until: instant)) != nil else { return }
        self.state.withLock { if $0.timer == instant { $0.timer = nil } }
        self.event.yield()
    }

    // MARK: Sending

    private func send(_ attempt: SignalAttempt, over line: Courier.Line) async {
        let answer = await self.courier.deliver(attempt, over: line)
        self.logger.debug(
            "Signal attempt ended",
            metadata: [
                LogKey.signal: "\(attempt.signal.id)", LogKey.signalKind: "\(attempt.signal.kind.rawValue)",
                LogKey.signalAttempt: "\(attempt.number)", LogKey.reason: "\(answer.verdict)",
            ])
        // Cut short at the end of the program: the outbox tells it so. What was taken all the same was taken.
        guard !Task.isCancelled || answer.verdict == .taken else { return }
        let now = self.clock.now()
        self.state.withLock { state in
            state.outbox.answered(attempt, answer, now: now, using: &state.generator)
        }
        if case .again(_, let reason) = answer.verdict { self.warn(reason) }
        self.event.yield()
    }

    /// Says once per trouble that signals do not arrive.
    private func warn(_ reason: String) {
        let isNews = self.state.withLock { state in
            defer { state.isTroubleTold = true }
            return !state.isTroubleTold
        }
        guard isNews else { return }
        self.logger.warning(
            "Signals do not get through; they are tried again until they are too old",
            metadata: [LogKey.reason: "\(reason)"])
    }

    private func tell(_ deliveries: [SignalDelivery]) {
        for delivery in deliveries {
            self.log(delivery)
            self.onDelivery(delivery)
        }
    }

    private func log(_ delivery: SignalDelivery) {
        let facts: Logger.Metadata = [
            LogKey.signal: "\(delivery.id)", LogKey.signalKind: "\(delivery.kind.rawValue)",
            LogKey.signalAttempt: "\(delivery.attempts)", LogKey.reason: "\(delivery.error ?? "taken")",
        ]
        switch delivery.outcome {
        case .delivered:
            let wasTrouble = self.state.withLock { state in
                defer { state.isTroubleTold = false }
                return state.isTroubleTold
            }
            if wasTrouble { self.logger.info("Signals get through again") }
            self.logger.debug("Signal delivered", metadata: facts)
        case .failed: self.logger.warning("Signal was not delivered", metadata: facts)
        case .dropped: self.logger.warning("Signal was dropped", metadata: facts)
        }
    }
}
