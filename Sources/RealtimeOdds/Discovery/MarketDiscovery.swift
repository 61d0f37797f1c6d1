package import Logging
package import OddsCore
import Synchronization

/// Hears which markets to follow. Called from one task, one call after the other.
package protocol MarketDiscoveryDelegate: Sendable {
    /// The market's tokens are to be subscribed on the lines.
    func follow(_ market: Market)
    /// The market's tokens are no longer wanted.
    func unfollow(_ market: Market)
    /// A rollover or a resolution.
    func discoveryUpdate(_ update: OddsUpdate)
    /// A series or a single market cannot be found, or can again (nil); the name is that of the series, the slug or
    /// the condition id.
    func discoveryProblem(_ problem: String?, of name: String)
}

extension MarketDiscoveryDelegate {
    /// Whoever keeps no incidents need not hear of them.
    package func discoveryProblem(_ problem: String?, of name: String) {}
}

/// Finds the markets that were asked for, keeps each series in its window, and asks how markets ended.
///
/// A thin shell around one `MarketRollover` per series and one `FixedMarket` per slug or condition id: it has the clock, the
/// HTTP client and the tasks, they have the decisions. Look-ups run beside each other, so that a slow answer delays
/// nothing. Everything but `run(reportingTo:)` may be called from any thread.
package final class MarketDiscovery: Sendable {
    private enum Follower {
        case series(MarketRollover)
        case fixed(FixedMarket)
    }

    private struct State {
        var followers: [Follower]
        /// What the machines asked for and nobody has done yet.
        var outbox: [(follower: Int, action: MarketAction)] = []
        var pace = RequestPace.gammaMarkets
        /// How many followers want a market: one may be named by its slug and belong to a series too.
        var wanted: [MarketID: Int] = [:]
        /// Markets whose end one of several followers has reported.
        var reported: Set<MarketID> = []
    }

    private let state: Mutex<State>
    private let gamma: GammaClient
    private let clock: any StreamClock
    private let logger: Logger
    private let lookUpTimeout: Duration
    private let alarm = Alarm()

    /// Discovery for some selections; nothing happens before `run(reportingTo:)`.
    ///
    /// - Parameters:
    ///   - selections: what to follow; `.assets` need no discovery and are passed over.
    ///   - schedule: when markets are looked up, subscribed and let go.
    ///   - gamma: where markets are looked up.
    ///   - lookUpTimeout: how long one question to the venue may take.
    ///   - clock: what tells and waits for the time.
    ///   - logger: receives rollovers and look-ups.
    package init(
        selections: [MarketSelection], schedule: MarketSchedule = MarketSchedule(), gamma: GammaClient,
        lookUpTimeout: Duration = .seconds(5), clock: any StreamClock, logger: Logger
    ) {
        var followers: [Follower] = []
        var seen: Set<MarketSelection> = []
        for selection in selections where seen.insert(selection).inserted {
            switch selection {
            case .series(let series): followers.append(.series(MarketRollover(series, schedule: schedule)))
            case .slug(let slug): followers.append(.fixed(FixedMarket(.slug(slug), schedule: schedule)))
            case .condition(let id): followers.append(.fixed(FixedMarket(.condition(id), schedule: schedule)))
            case .assets: break
            }
        }
        self.state = Mutex(State(followers: followers))
        self.gamma = gamma
        self.lookUpTimeout = lookUpTimeout
        self.clock = clock
        self.logger = logger
    }

    // MARK: Reading

    /// Every market known: current ones, then next, fixed and past ones; each once.
    package var markets: [MarketStatus] {
        let all = self.state.withLock { state in
            state.followers.flatMap { follower -> [MarketStatus] in
                switch follower {
                case .series(let rollover): rollover.markets
                case .fixed(let fixed): fixed.status.map { [$0] } ?? []
                }
            }
        }
        var seen: Set<MarketID> = []
        return [MarketStatus.Role.current, .next, .fixed, .past].flatMap { role in
            all.filter { $0.role == role && seen.insert($0.market.id).inserted }
        }
    }

    /// The series and how they fare, in the order in which they were asked for.
    package var series: [SeriesStatus] {
        self.state.withLock { state in
            state.followers.compactMap { follower in
                guard case .series(let rollover) = follower else { return nil }
                return rollover.status
            }
        }
    }

    /// What is wrong with markets that were named by slug or condition id, in sentences for people.
    package var fixedProblems: [String] {
        self.state.withLock { state in
            state.followers.compactMap { follower in
                guard case .fixed(let fixed) = follower else { return nil }
                return fixed.problem
            }
        }
    }

    // MARK: Hearing from the feed

    /// The feed said that a market is decided.
    package func marketResolved(_ id: MarketID, winner: AssetID?, at time: Timestamp) {
        self.tell { follower, now in
            switch follower {
            case .series(var rollover):
                let actions = rollover.resolved(id, winner: winner, at: time, now: now)
                return (.series(rollover), actions)
            case .fixed(var fixed):
                let actions = fixed.resolved(id, winner: winner, at: time)
                return (.fixed(fixed), actions)
            }
        }
    }

    /// A market's first usable odds are on the board, since `time`.
    package func firstOdds(_ id: MarketID, at time: Timestamp) {
        self.tell { follower, now in
            switch follower {
            case .series(var rollover):
                let actions = rollover.firstOdds(of: id, at: time, now: now)
                return (.series(rollover), actions)
            case .fixed(var fixed):
                fixed.firstOdds(of: id, at: time)
                return (.fixed(fixed), [])
            }
        }
    }

    /// Lets every machine make a step; what they ask for is done by the running task.
    private func tell(_ step: (Follower, Timestamp) -> (Follower, [MarketAction])) {
        let now = self.clock.now().wall
        self.state.withLock { state in
            for index in state.followers.indices {
                let (follower, actions) = step(state.followers[index], now)
                state.followers[index] = follower
                state.outbox += actions.map { (index, $0) }
            }
        }
        self.alarm.ring()
    }

    // MARK: Running

    /// The longest sleep: a wall clock that was stepped, or a machine that slept, is noticed within this time.
    private static let longestPause = Duration.seconds(1)

    /// Finds and follows until the task is cancelled; no task is left when it returns. Runs once at a time.
    package func run(reportingTo delegate: any MarketDiscoveryDelegate) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let now = self.clock.now()
                let (work, deadline) = self.step(now.wall)
                for (follower, action) in work {
                    guard case .lookUp(let query) = action else {
                        self.perform(action, of: follower, delegate)
                        continue
                    }
                    let start = self.state.withLock { $0.pace.reserve(query.requests, at: now.monotonic) }
                    group.addTask { await self.lookUp(query, for: follower, from: start) }
                }
                await self.pause(until: deadline, now)
            }
            group.cancelAll()
        }
    }

    /// What is to be done now, and when to look again.
    private func step(_ now: Timestamp) -> (work: [(follower: Int, action: MarketAction)], deadline: Timestamp?) {
        self.state.withLock { state in
            var deadlines: [Timestamp] = []
            for index in state.followers.indices {
                let actions: [MarketAction]
                switch state.followers[index] {
                case .series(var rollover):
                    actions = rollover.advance(to: now)
                    deadlines += rollover.nextDeadline.map { [$0] } ?? []
                    state.followers[index] = .series(rollover)
                case .fixed(var fixed):
                    actions = fixed.advance(to: now)
                    deadlines += fixed.nextDeadline.map { [$0] } ?? []
                    state.followers[index] = .fixed(fixed)
                }
                state.outbox += actions.map { (index, $0) }
            }
            defer { state.outbox = [] }
            return (state.outbox, deadlines.min())
        }
    }

    private func pause(until deadline: Timestamp?, _ now: ReceiveTime) async {
        var pause = Self.longestPause
        if let deadline {
            pause = min(pause, .milliseconds(deadline.milliseconds) - .nanoseconds(now.unixNanoseconds))
        }
        let end = now.monotonic.advanced(by: max(pause, .zero))
        await withTaskGroup(of: Void.self) { race in
            // It throws only when it is cancelled, and then nobody waits for it any more.
            race.addTask { try? await self.clock.sleep(until: end) }
            race.addTask { await self.alarm.wait() }
            await race.next()
            race.cancelAll()
        }
    }

    private func perform(_ action: MarketAction, of follower: Int, _ delegate: any MarketDiscoveryDelegate) {
        switch action {
        case .lookUp: break
        case .subscribe(let market):
            if self.count(market.id, by: 1) == 1 { delegate.follow(market) }
            self.logger.info("Market subscribed", metadata: [LogKey.slug: "\(market.slug)"])
        case .unsubscribe(let market):
            if self.count(market.id, by: -1) == 0 { delegate.unfollow(market) }
            self.logger.info("Market unsubscribed", metadata: [LogKey.slug: "\(market.slug)"])
        case .becameCurrent(let market, let previous, let boundary):
            self.logger.info(
                "Window began",
                metadata: [
                    LogKey.slug: "\(market?.slug ?? "none")",
                    LogKey.previous: "\(previous?.slug ?? "none")",
                    LogKey.boundary: "\(boundary.iso8601)",
                ])
        case .receipt(let receipt):
            let odds = receipt.firstOddsMilliseconds.map { "\($0)" } ?? "pending"
            self.logger.info(
                "Series rolled over",
                metadata: [
                    LogKey.series: "\(receipt.series)", LogKey.slug: "\(receipt.market.slug)",
                    LogKey.firstOdds: "\(odds)",
                ])
            delegate.discoveryUpdate(.rollover(receipt))
        case .resolution(let resolution):
            guard self.isNews(resolution.market.id) else { break }
            self.logger.info(
                "Market resolved",
                metadata: [
                    LogKey.slug: "\(resolution.market.slug)",
                    LogKey.winner: "\(resolution.winner.map { "\($0)" } ?? "none")",
                ])
            delegate.discoveryUpdate(.resolution(resolution))
        case .problem(let problem):
            // Whoever keeps the incidents warns of it, once per incident.
            self.logger.info(
                problem == nil ? "Market found again" : "Market missing",
                metadata: [LogKey.problem: "\(problem ?? "none")"])
            delegate.discoveryProblem(problem, of: self.name(of: follower))
        }
    }

    private func name(of follower: Int) -> String {
        self.state.withLock { state in
            switch state.followers[follower] {
            case .series(let rollover): rollover.series.name
            case .fixed(let fixed): "\(fixed.query)"
            }
        }
    }

    private func count(_ id: MarketID, by change: Int) -> Int {
        self.state.withLock { state in
            let count = (state.wanted[id] ?? 0) + change
            state.wanted[id] = count > 0 ? count : nil
            if count <= 0 { state.reported.remove(id) }
            return count
        }
    }

    /// Whether the end of a market has not been reported yet by another of its followers.
    private func isNews(_ id: MarketID) -> Bool {
        self.state.withLock { state in
            guard let count = state.wanted[id], count > 1 else { return !state.reported.contains(id) }
            return state.reported.insert(id).inserted
        }
    }

    // MARK: Look-ups

    private func lookUp(_ query: MarketLookUp, for follower: Int, from start: MonotonicTime) async {
        guard (try? await self.clock.sleep(until: start)) != nil else { return }
        let answer = await self.answer(to: query)
        let now = self.clock.now().wall
        self.state.withLock { state in
            let actions: [MarketAction]
            switch (state.followers[follower], query) {
            case (.series(var rollover), .window(let window, _)):
                actions = rollover.lookedUp(window, answer, now: now)
                state.followers[follower] = .series(rollover)
            case (.fixed(var fixed), _):
                actions = fixed.lookedUp(answer, now: now)
                state.followers[follower] = .fixed(fixed)
            case (.series, .slug), (.series, .condition):
                preconditionFailure("a series asks for windows only")
            }
            state.outbox += actions.map { (follower, $0) }
        }
        self.alarm.ring()
        if case .failure(let failure) = answer {
            self.logger.debug(
                "Look-up failed",
                metadata: [
                    LogKey.slug: "\(query)", LogKey.reason: "\(failure.reason.rawValue)",
                    LogKey.problem: "\(failure.message)",
                ])
        }
    }

    /// The venue's answer, or a failure when it takes too long.
    private func answer(to query: MarketLookUp) async -> Result<MarketFinding, MarketLookUpFailure> {
        let limit = self.lookUpTimeout * query.requests
        let late = MarketLookUpFailure(
            .unreachable, "the venue gave no answer about \(query) within \(limit.secondsValue) s")
        return await withTaskGroup(of: Result<MarketFinding, MarketLookUpFailure>.self) { race in
            race.addTask {
                do throws(RESTError) {
                    return .success(try await self.gamma.market(query))
                } catch {
                    return .failure(error.lookUpFailure)
                }
            }
            race.addTask {
                // It throws only when the answer was first, and then nobody reads this result.
                try? await self.clock.sleep(for: limit)
                return .failure(late)
            }
            let first = await race.next()
            race.cancelAll()
            return first ?? .failure(late)
        }
    }
}

extension MarketLookUp {
    /// How many requests the question may take.
    fileprivate var requests: Int {
        switch self {
        case .window(_, let slugs): max(1, slugs.count)
        case .slug: 1
        case .condition: 2
        }
    }
}

extension LogKey {
    static let boundary = "market.boundary"
    static let firstOdds = "market.first_odds_ms"
    static let previous = "market.previous"
    static let problem = "market.problem"
    static let winner = "market.winner"
}
