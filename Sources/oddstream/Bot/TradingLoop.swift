import Logging
import OddsCore
import OddsTrading
import RealtimeOdds
import ServiceLifecycle
import Synchronization

/// The trading loop: drives the desk with what happens, and puts what it decides on record.
///
/// It follows the source without conflation and lets the desk decide on each change. An accepted order meets the book that
/// is there when its delay is over. Positions are paid out by the venue's word, or by the reference price when the venue
/// says nothing for long.
final class TradingLoop: Service {
    /// What it works with.
    struct Setup: Sendable {
        let source: any LiveOddsSource
        let recorder: TradeRecorder
        /// Reads a token's book at a later moment, and answers then.
        let depth: BotObserver
        let clock: any StreamClock
        let logger: Logger
        /// How long an order takes to the venue.
        let delay: Duration
        /// While this file exists nothing is bought; nil when there is none.
        var killFile: String?
        /// Asks the venue how a market ended; nil when it cannot be asked.
        var outcome: (@Sendable (MarketID, _ slug: String) async throws -> MarketFinding)?
        /// How a market ended by the reference price; nil when that is not known.
        var referenceOutcome: @Sendable (Market) -> Side? = { _ in nil }
        /// How long after a window's end the reference price decides, when the venue has not.
        var referencePatience = Duration.seconds(600)
        /// Told when the desk has decided on odds.
        var decided: @Sendable (OddsSnapshot) -> Void = { _ in }
    }

    private struct State {
        var session: TradingSession<ThresholdStrategy>
        var desk: TradingDesk<ThresholdStrategy> {
            get { self.session.desk }
            _modify { yield &self.session.desk }
        }
        /// When each open market's outcome was asked for last.
        var asked: [MarketID: MonotonicTime] = [:]
        var problem: String?
        /// The moment of the latest step.
        var last: ReceiveTime?
    }

    private let setup: Setup
    private let state: Mutex<State>
    private let isNew: Bool
    private let arrivals: AsyncStream<Arrival>
    private let arrival: AsyncStream<Arrival>.Continuation

    /// An order that got to the venue, and the book it met; nil when there was none.
    private struct Arrival: Sendable {
        let order: Order
        let depth: TokenDepth?
        let time: ReceiveTime
    }

    /// How many changes may wait for the loop before it loses some; what counts then is read from the board.
    private static let capacity = 65_536
    /// How often the venue is asked for the outcome of one market.
    private static let outcomePause = Duration.seconds(15)
    /// How long after a window's end the venue is asked first: it tells by itself, usually.
    private static let outcomePatience = Duration.seconds(20)

    /// - Parameters:
    ///   - desk: what decides.
    ///   - isNew: whether the account begins with this run.
    init(_ setup: Setup, desk: TradingDesk<ThresholdStrategy>, isNew: Bool) {
        self.setup = setup
        self.isNew = isNew
        self.state = Mutex(State(session: TradingSession(desk, delay: setup.delay)))
        (self.arrivals, self.arrival) = AsyncStream.makeStream()
    }

    // MARK: Reading

    /// The account, what is at risk, and the kill switch.
    var standing: (account: PaperAccount, exposure: Money, killSwitch: KillSwitch) {
        self.state.withLock { ($0.desk.account, $0.desk.exposure, $0.desk.killSwitch) }
    }

    // MARK: Running

    func run() async throws {
        self.begin()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.follow() }
                group.addTask { await self.everySecond { self.tick() } }
                // By itself: the venue may let an answer wait, and the kill file does not.
                group.addTask { await self.everySecond { await self.learnOutcomes() } }
                group.addTask { await self.meetOrders() }
            }
        }
        self.mutate { $0.end(now: $1) }
        await self.setup.recorder.end()
    }

    /// The desk opens.
    func begin() {
        if let origin = self.standing.killSwitch.manual {
            self.setup.logger.warning(
                "Kill switch on since an earlier run: nothing is bought until it is turned off",
                metadata: ["kill.origin": "\(origin.rawValue)"])
        }
        self.heedKillFile()
        self.mutate { $0.begin(isNew: self.isNew, now: $1) }
    }

    /// Turns the kill switch; returns when that is on record, or could not be put there.
    func setKillSwitch(_ isOn: Bool, by origin: KillOrigin) async {
        self.mutate { $0.setKillSwitch(isOn, by: origin, now: $1) }
        await self.setup.recorder.settle()
    }

    /// The record can be written, or not any more.
    func setRecordable(_ isRecordable: Bool) {
        self.state.withLock { $0.desk.setRecordable(isRecordable, now: self.setup.clock.now()) }
    }

    /// One step of the desk. Its entries go to the record in the order of the steps.
    private func mutate(_ step: (inout TradingDesk<ThresholdStrategy>, ReceiveTime) -> [JournalEntry]) {
        self.change { session, now in step(&session.desk, now) }
    }

    /// One step of the desk with what it has to be told.
    ///
    /// - Parameter received: when the message was read that led to this; what is decided is decided as of then, not as of the
    ///   moment the loop came to it, which depends on the machine: a replay decides at the same moments.
    private func change(
        receivedAt received: ReceiveTime? = nil,
        _ step: (inout TradingSession<ThresholdStrategy>, ReceiveTime) -> [JournalEntry]
    ) {
        self.state.withLock { state in
            let now = Self.moment(received, self.setup.clock.now(), after: state.last)
            state.last = now
            let entries = step(&state.session, now)
            self.setup.recorder.put(entries)
            for order in entries.accepted {
                let instant = state.session.arrival(of: order)
                self.setup.depth.depth(of: order.asset, at: instant) { [arrival] depth, time in
                    arrival.yield(Arrival(order: order, depth: depth, time: time))
                }
            }
        }
    }

    // MARK: What happens

    private func follow() async {
        for await update in self.setup.source.updates(.lossless(capacity: Self.capacity)) { self.take(update) }
    }

    /// Something happened at the source.
    func take(_ update: OddsUpdate) {
        switch update {
        case .odds(let snapshot), .trust(let snapshot, _): self.observe(snapshot)
        case .rollover: self.learnTerms()
        case .resolution(let resolution): self.resolved(resolution)
        case .overflow(let lost):
            self.setup.logger.warning(
                "The trading loop was too slow; it goes on with the newest odds",
                metadata: ["odds.lost": "\(lost)"])
            for status in self.setup.source.markets {
                if let snapshot = self.setup.source.currentOdds(status.market.id) { self.observe(snapshot) }
            }
        }
    }

    private func observe(_ snapshot: OddsSnapshot) {
        self.change(receivedAt: snapshot.receiveTime) { $0.observe(snapshot, now: $1) }
        self.setup.decided(snapshot)
    }

    /// How long after its message was read a change counts as of that moment. Longer, and it came of something else, such as
    /// a timer, or the loop is behind.
    private static let processing = Duration.milliseconds(20)

    /// The moment of a step: never before that of the step before.
    private static func moment(_ received: ReceiveTime?, _ now: ReceiveTime, after last: ReceiveTime?) -> ReceiveTime {
        guard let received, received.monotonic <= now.monotonic,
            received.monotonic.duration(to: now.monotonic) <= Self.processing
        else { return now }
        guard let last, last.monotonic > received.monotonic else { return received }
        return last.monotonic <= now.monotonic ? last : now
    }

    private func everySecond(_ work: () async -> Void) async {
        // The sleep throws only when the program ends.
        while (try? await self.setup.clock.sleep(for: .seconds(1))) != nil { await work() }
    }

    /// A second passed.
    func tick() {
        self.heedKillFile()
        self.learnTerms()
        self.mutate { $0.tick(now: $1) }
    }

    /// What the venue demands in each market, as far as it is new; markets that are followed no more are forgotten.
    private func learnTerms() {
        // Asked first: what the desk hears of meanwhile is followed.
        let told = self.state.withLock { $0.session.markets }
        let markets = self.setup.source.markets.map(\.market)
        for market in markets { self.change { $0.learn(market, now: $1) } }
        let followed = Set(markets.map(\.id))
        // Odds that waited in the queue may have been told after their market was forgotten.
        for gone in told where !followed.contains(gone) { self.state.withLock { $0.session.forget(gone) } }
    }

    private func heedKillFile() {
        guard let path = self.setup.killFile else { return }
        let isPresent = FileStatus.exists(path)
        guard isPresent != self.state.withLock({ $0.desk.killSwitch.isFilePresent }) else { return }
        self.setup.logger.warning(
            isPresent ? "The kill file appeared: nothing is bought" : "The kill file is gone",
            metadata: ["file.path": "\(path)"])
        self.mutate { $0.setKillFile(present: isPresent, now: $1) }
    }

    // MARK: Orders

    /// Each accepted order meets the book that was there when it got to the venue.
    func meetOrders() async {
        for await arrival in self.arrivals { self.meet(arrival) }
    }

    private func meet(_ arrival: Arrival) {
        self.change { session, _ in session.meet(arrival.order, depth: arrival.depth, at: arrival.time) }
    }

    // MARK: Outcomes

    private func resolved(_ resolution: Resolution) {
        self.change { $0.resolved(resolution, now: $1) }
        self.state.withLock { $0.asked[resolution.market.id] = nil }
    }

    private func settle(_ market: MarketID, winner: Side?, source: ResolutionSource) {
        self.mutate { $0.settle(market, winner: winner, source: source, now: $1) }
        self.state.withLock { $0.asked[market] = nil }
    }

    /// Asks the venue how markets ended that positions are open in, when it has not told by itself.
    func learnOutcomes() async {
        guard let outcome = self.setup.outcome else { return }
        let now = self.setup.clock.now()
        let statuses = self.setup.source.markets
        for (market, slug) in self.state.withLock({ $0.desk.openMarkets }) {
            let followed = statuses.first { $0.market.id == market }?.market
            if let followed {
                // A market without a window ends when the venue says so, and its lines tell.
                guard let end = followed.window?.end, end.advanced(by: Self.outcomePatience) <= now.wall else {
                    continue
                }
            }
            let isDue = self.state.withLock { state in
                if let last = state.asked[market], last.duration(to: now.monotonic) < Self.outcomePause { return false }
                state.asked[market] = now.monotonic
                return true
            }
            guard isDue else { continue }
            do {
                let finding = try await outcome(market, slug)
                switch finding.settlement {
                case .won(let side): self.settle(market, winner: side, source: .gamma)
                case .split: self.settle(market, winner: nil, source: .gamma)
                case .open, .closed: self.settleByReference(finding.market)
                }
                self.problem(nil)
            } catch {
                if Task.isCancelled { return }
                if let followed { self.settleByReference(followed) }
                self.problem("\(error)")
            }
        }
    }

    /// The last resort, long after the end.
    private func settleByReference(_ market: Market) {
        guard let end = market.window?.end,
            end.advanced(by: self.setup.referencePatience) <= self.setup.clock.now().wall,
            let winner = self.setup.referenceOutcome(market)
        else { return }
        self.settle(market.id, winner: winner, source: .referencePrice)
    }

    /// Says once what keeps positions from being paid out.
    private func problem(_ problem: String?) {
        let isNews = self.state.withLock { state in
            defer { state.problem = problem }
            return state.problem != problem
        }
        guard isNews, let problem else { return }
        self.setup.logger.warning(
            "The outcome of a market with an open position is not known yet; it is asked for again",
            metadata: ["reason": "\(problem)"])
    }
}
