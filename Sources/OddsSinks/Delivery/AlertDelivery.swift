import Logging
import OddsCore
import ServiceLifecycle
import Synchronization

/// Drives one outbox: it has the clock, the network and the tasks, the outbox has the decisions.
final class AlertDelivery<Courier: AlertCourier>: Sendable {
    struct Timing: Sendable {
        /// How long one attempt may take.
        let attempt: Duration
        /// How long delivering may go on after the program was asked to end.
        let drain: Duration
    }

    private struct State {
        var outbox: AlertOutbox
        /// When the timer under way goes off; nil when there is none.
        var timer: MonotonicTime?
        var generator = SystemRandomNumberGenerator()
    }

    let courier: Courier
    private let state: Mutex<State>
    private let timing: Timing
    private let clock: any StreamClock
    private let logger: Logger
    /// One element says that the outbox is to be asked again; several are one.
    private let events: AsyncStream<Void>
    private let event: AsyncStream<Void>.Continuation

    init(
        courier: Courier, outbox: AlertOutbox, timing: Timing, clock: any StreamClock, logger: Logger
    ) {
        var logger = logger
        logger[metadataKey: LogKey.sink] = "\(courier.name)"
        self.courier = courier
        self.state = Mutex(State(outbox: outbox))
        self.timing = timing
        self.clock = clock
        self.logger = logger
        (self.events, self.event) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var status: AlertSinkStatus { self.state.withLock { $0.outbox.status } }

    func post(_ alert: Alert) {
        let now = self.clock.now().monotonic
        self.state.withLock { $0.outbox.posted(alert, now: now) }
        self.event.yield()
    }

    /// One attempt at one alert, past the outbox.
    func attempt(_ alert: Alert) async -> AlertOutcome {
        await SinkHTTP.with(connectTimeout: self.timing.attempt) { http in
            await self.attempt(AlertMessage(serial: 0, alerts: [alert]), over: http)
        }
    }

    /// Asks the destination something, beside the queue and without retries.
    func examine<Result: Sendable>(
        late: Result, _ question: @escaping @Sendable (SinkHTTP) async -> Result
    ) async -> Result {
        await SinkHTTP.with(connectTimeout: self.timing.attempt) { http in
            await withTaskGroup(of: Result.self) { race in
                race.addTask { await question(http) }
                race.addTask {
                    // It throws only when the answer was first, and then nobody reads this result.
                    try? await self.clock.sleep(for: self.timing.attempt)
                    return late
                }
                let first = await race.next()
                race.cancelAll()
                return first ?? late
            }
        }
    }

    /// Delivers until the task is cancelled, or until a graceful shutdown has drained what can be in the time for it.
    func run() async {
        await SinkHTTP.with(connectTimeout: self.timing.attempt) { http in
            await withDiscardingTaskGroup { group in
                group.addTask { await self.endWithProgram() }
                self.event.yield()
                loop: for await _ in self.events {
                    let now = self.clock.now().monotonic
                    switch self.state.withLock({ $0.outbox.next(now: now) }) {
                    case .send(let message): group.addTask { await self.send(message, over: http) }
                    case .wait(let instant) where self.needsTimer(at: instant):
                        group.addTask { await self.wake(at: instant) }
                    case .wait, .rest: break
                    case .finish: break loop
                    }
                }
                group.cancelAll()
            }
        }
        let waiting = self.status.waiting
        guard waiting > 0 else { return }
        self.logger.warning("Alerts were not delivered before the end", metadata: [LogKey.count: "\(waiting)"])
    }

    /// Waits for a graceful shutdown, and then for as long as draining may take.
    private func endWithProgram() async {
        guard (try? await gracefulShutdown()) != nil else { return }
        let now = self.clock.now().monotonic
        let end = now.advanced(by: self.timing.drain)
        self.state.withLock { $0.outbox.drain(until: end, now: now) }
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

    private func send(_ message: AlertMessage, over http: SinkHTTP) async {
        let outcome = await self.attempt(message, over: http)
        // Given up at the end of the program: the outbox keeps it among what was not delivered.
        guard !Task.isCancelled else { return }
        let now = self.clock.now().monotonic
        let report = self.state.withLock { state in
            state.outbox.answered(outcome, now: now, using: &state.generator)
        }
        self.tell(outcome, of: message, report)
        self.event.yield()
    }

    private func attempt(_ message: AlertMessage, over http: SinkHTTP) async -> AlertOutcome {
        let limit = self.timing.attempt
        let late = AlertOutcome.failed(reason: "no answer within \(limit.secondsValue) s", mayHaveArrived: true)
        return await withTaskGroup(of: AlertOutcome.self) { race in
            race.addTask { await self.courier.deliver(message, over: http) }
            race.addTask {
                // It throws only when the answer was first, and then nobody reads this result.
                try? await self.clock.sleep(for: limit)
                return late
            }
            let first = await race.next()
            race.cancelAll()
            return first ?? late
        }
    }

    private func tell(_ outcome: AlertOutcome, of message: AlertMessage, _ report: AlertOutbox.Report?) {
        let facts: Logger.Metadata = [
            LogKey.count: "\(message.alerts.count)", LogKey.attempt: "\(message.attempt)",
        ]
        self.logger.debug("Alert attempt ended", metadata: facts.merging(outcome.facts) { old, _ in old })
        switch report {
        case .delayed(let reason):
            self.logger.warning(
                "Alerts are delayed; they are kept and tried again", metadata: [LogKey.reason: "\(reason)"])
        case .refused(let reason):
            self.logger.error("Alerts are refused", metadata: [LogKey.reason: "\(reason)"])
        case .expired(let reason):
            self.logger.error(
                "Alerts are given up: they could not be delivered for too long",
                metadata: [LogKey.reason: "\(reason)"])
        case .recovered: self.logger.info("Alerts get through again")
        case nil: break
        }
    }
}

extension AlertOutcome {
    fileprivate var facts: Logger.Metadata {
        switch self {
        case .accepted: [LogKey.reason: "accepted"]
        case .postponed(let pause):
            [LogKey.reason: "postponed\(pause.map { " by \($0.secondsValue) s" } ?? "")"]
        case .failed(let reason, _), .refused(let reason): [LogKey.reason: "\(reason)"]
        }
    }
}
