package import NIOCore
package import OddsCore

/// The poller by itself, on an event loop, with answers and clock of the caller's choosing: the state machine of
/// `MarketOddsPoller` without discovery and without tasks, as `FeedHost` is of the streamer. Everything is called on the
/// event loop, which is driven by the caller.
package final class PollHost {
    /// What came of one question for a market.
    package struct Report {
        /// The market.
        package var market: Market
        /// When it was asked, and when the last answer was there.
        package var asked: ReceiveTime
        package var answered: ReceiveTime
        /// One for each token, YES first.
        package var results: [Result<RESTBook, RESTError>]
        /// What the poller shows of the market since; nil when it did not believe what came.
        package var odds: OddsSnapshot?
        /// Of the books that came: those taken for ghosts, those from before something that was known.
        package var ghosts: Int
        package var older: Int
    }

    private var state: PollState
    private let board = OddsBoard()
    private let witness: any BookWitness
    private let eventLoop: any EventLoop
    private let clock: any StreamClock
    private let report: (Report) -> Void
    private var timer: Scheduled<Void>?
    private var isStopped = false
    /// The longest sleep, as the poller's own.
    private static let longestPause = Duration.seconds(1)

    /// A poller that begins at once.
    ///
    /// - Parameters:
    ///   - interval: rounds are at whole multiples of it by the wall clock.
    ///   - witness: whom it asks.
    ///   - report: told of every question that is over.
    package init(
        interval: Duration, witness: any BookWitness, eventLoop: any EventLoop, clock: any StreamClock, seed: UInt64,
        report: @escaping (Report) -> Void
    ) {
        self.state = PollState(interval: interval, bareAssets: [], board: self.board, shelf: BookShelf(), seed: seed)
        self.witness = witness
        self.eventLoop = eventLoop
        self.clock = clock
        self.report = report
        self.step()
    }

    /// Polls a market from now on.
    package func follow(_ market: Market) {
        self.state.follow(market, at: self.clock.now())
        self.step()
    }

    /// Polls a market no more.
    package func unfollow(_ market: Market) {
        self.state.unfollow(market.id)
        self.drain()
    }

    /// The market's odds as the poller shows them.
    package func currentOdds(_ market: MarketID) -> OddsSnapshot? { self.board.currentOdds(market) }

    /// Asks nothing more.
    package func stop() {
        self.isStopped = true
        self.timer?.cancel()
        self.timer = nil
        self.state.stop()
        self.drain()
    }

    private func drain() {
        _ = self.state.takeHappenings()
        _ = self.state.takeEvents()
    }

    private func step() {
        self.timer?.cancel()
        self.timer = nil
        guard !self.isStopped else { return }
        let now = self.clock.now()
        let (questions, wake) = self.state.step(at: now)
        self.drain()
        for question in questions {
            // Nobody asks before the venue's limit allows it.
            self.later(now.monotonic.duration(to: question.start)) { self.ask(question) }
        }
        let pause = max(.milliseconds(1), min(now.monotonic.duration(to: wake), Self.longestPause))
        self.timer = self.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(pause)) { self.step() }
    }

    private func later(_ wait: Duration, _ body: @escaping () -> Void) {
        guard wait > .zero else { return body() }
        _ = self.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(wait)) { body() }
    }

    private func ask(_ question: PollState.Question) {
        guard !self.isStopped else { return }
        let asked = self.clock.now()
        self.witness.ask(question.assets) { results in
            guard !self.isStopped else { return }
            let now = self.clock.now()
            let before = self.state.counters
            _ = self.state.answered(question, results, at: now)
            var believed: Market?
            for case .confirmed(let market) in self.state.takeHappenings() { believed = market }
            _ = self.state.takeEvents()
            let after = self.state.counters
            if let market = believed ?? self.market(of: question.assets) {
                self.report(
                    Report(
                        market: market, asked: asked, answered: now, results: results,
                        odds: believed.flatMap { self.board.currentOdds($0.id) },
                        ghosts: Int(after.ghosts - before.ghosts), older: Int(after.older - before.older)))
            }
            self.step()
        }
    }

    private func market(of assets: [AssetID]) -> Market? {
        guard let first = assets.first else { return nil }
        return self.board.markets.first { $0.assets.contains(first) }
    }
}
