import Logging
import OddsCore
import Synchronization

/// Asks for every followed market's books at each interval, and writes what can be believed on the board.
///
/// Rounds are aligned with the wall clock: with an interval of a minute they are at whole minutes. Every market is asked
/// by a task of its own, so that a slow answer delays no other; while it is out the market is not asked again. Everything
/// but `run()` may be called from any thread.
final class PollEngine: MarketDiscoveryDelegate {
    /// What it works with.
    struct Setup: Sendable {
        let interval: Duration
        let bareAssets: [[AssetID]]
        let clob: ClobClient
        let clock: any StreamClock
        let logger: Logger
        let board: OddsBoard
        let hub: UpdateHub
        let discovery: MarketDiscovery?
        let incidents: IncidentRecorder
        let seed: UInt64
        /// How far from the best price levels count as near.
        let depthTicks: Int
        /// Sees everything inline.
        let marketObserver: (any MarketObserver)?
    }

    private let setup: Setup
    private let state: Mutex<PollState>
    private let alarm = Alarm()
    /// What the observer can ask.
    let reader: PollReader

    /// The longest sleep: a wall clock that was stepped, or a machine that slept, is noticed within this time.
    private static let longestPause = Duration.seconds(1)

    init(_ setup: Setup) {
        self.setup = setup
        let shelf = BookShelf()
        self.state = Mutex(
            PollState(
                interval: setup.interval, bareAssets: setup.bareAssets, board: setup.board, shelf: shelf,
                seed: setup.seed))
        self.reader = PollReader(
            shelf: shelf, board: setup.board, clock: setup.clock, alarm: self.alarm, ticks: setup.depthTicks)
        setup.marketObserver?.attached(to: self.reader)
    }

    // MARK: Running

    /// Polls until the task is cancelled; no task is left when it returns, and the last odds are stale.
    func run() async {
        await withDiscardingTaskGroup { group in
            if let discovery = self.setup.discovery {
                group.addTask { await discovery.run(reportingTo: self) }
            }
            while !Task.isCancelled {
                let now = self.setup.clock.now()
                let (questions, wake) = self.mutate { $0.step(at: now) }
                self.setup.incidents.tick()
                for question in questions { group.addTask { await self.ask(question) } }
                let due = self.mutate { _ in self.reader.answerDue(at: now.monotonic) }
                await self.pause(until: min(wake, due))
            }
            group.cancelAll()
        }
        self.mutate { $0.stop() }
        self.mutate { _ in self.reader.close() }
    }

    private func pause(until wake: MonotonicTime) async {
        let end = min(wake, self.setup.clock.now().monotonic.advanced(by: Self.longestPause))
        await withTaskGroup(of: Void.self) { race in
            // It throws only when it is cancelled, and then nobody waits for it any more.
            race.addTask { try? await self.setup.clock.sleep(until: end) }
            race.addTask { await self.alarm.wait() }
            await race.next()
            race.cancelAll()
        }
    }

    private func ask(_ question: PollState.Question) async {
        // It throws only when the poller ends.
        guard (try? await self.setup.clock.sleep(until: question.start)) != nil else { return }
        let answers = await withTaskGroup(of: (Int, Result<RESTBook, RESTError>).self) { group in
            for (index, asset) in question.assets.enumerated() {
                group.addTask { (index, await self.book(of: asset)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        guard !Task.isCancelled else { return }
        let results = question.assets.indices.compactMap { answers[$0] }
        let now = self.setup.clock.now()
        let news = self.mutate { $0.answered(question, results, at: now) }
        self.tell(news)
        self.alarm.ring()
    }

    private func book(of asset: AssetID) async -> Result<RESTBook, RESTError> {
        do throws(RESTError) {
            return .success(try await self.setup.clob.book(of: asset))
        } catch {
            return .failure(error)
        }
    }

    /// What others want to know of an answer.
    private func tell(_ news: PollState.News) {
        if let (market, time) = news.firstOdds { self.setup.discovery?.firstOdds(market, at: time) }
        switch news.incident {
        case .began(let reason):
            self.setup.logger.warning("Poller without answers", metadata: [LogKey.reason: "\(reason)"])
        case .ended(let downtime):
            self.setup.logger.info(
                "Poller has answers again", metadata: [LogKey.downtime: "\(downtime.secondsValue)s"])
        case nil: break
        }
    }

    // MARK: What the discovery wants

    func follow(_ market: Market) {
        let now = self.setup.clock.now()
        self.mutate { $0.follow(market, at: now) }
        self.alarm.ring()
    }

    func unfollow(_ market: Market) { self.mutate { $0.unfollow(market.id) } }

    func discoveryProblem(_ problem: String?, of name: String) {
        self.setup.incidents.record(.discovery(name: name, problem: problem))
    }

    func discoveryUpdate(_ update: OddsUpdate) {
        if case .resolution(let resolution) = update { self.mutate { $0.resolved(resolution) } }
        self.setup.hub.broadcast(update)
    }

    // MARK: Reading

    /// What was counted, by name.
    var counters: [(name: String, value: UInt64)] { self.state.withLock { $0.counters.named } }

    /// What is wrong, in sentences for people.
    var problems: [String] { self.state.withLock { $0.problems } }

    // MARK: Telling

    /// Lossless followers hear every change from now on: they are brought up to this moment while nothing changes.
    func heedFollowers() {
        self.state.withLock { _ in
            self.setup.hub.settle(with: self.setup.board.markets.compactMap { self.setup.board.slot($0.id) })
        }
    }

    /// One step of the state. What it changed on the board is told before the next step, so that followers hear the changes
    /// in their order.
    @discardableResult
    private func mutate<Value: Sendable>(_ step: (inout PollState) -> Value) -> Value {
        self.state.withLock { state in
            let value = step(&state)
            for happening in state.takeHappenings() { self.tell(happening) }
            // Told here as well, so that incidents hear of everything in the order in which it was.
            for event in state.takeEvents() { self.setup.incidents.record(event) }
            return value
        }
    }

    /// Under the lock of the step.
    private func tell(_ happening: PollState.Happening) {
        switch happening {
        case .changed(let slot, let snapshot, let change):
            self.setup.hub.changedExactly(snapshot, values: change.values, previousTrust: change.previousTrust)
            self.setup.marketObserver?.published(snapshot, at: self.setup.clock.now())
            self.setup.hub.changed(slot, values: change.values, previousTrust: change.previousTrust)
        case .confirmed(let market):
            guard let observer = self.setup.marketObserver, let value = self.reader.microstructure(of: market.id) else {
                return
            }
            observer.sampled(value, of: market, at: value.time)
        case .ended(let market): self.setup.marketObserver?.ended(market, at: self.setup.clock.now())
        case .resolved(let resolution): self.setup.marketObserver?.resolved(resolution, at: self.setup.clock.now())
        }
    }
}
