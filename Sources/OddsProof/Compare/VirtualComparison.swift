package import OddsCore
package import PolymarketSimulator
package import RealtimeOdds

/// The stream and pollers against the simulated exchange in virtual time: the real engine, the real rollover and the
/// poller's own state machine, faults included. A run follows from its seed alone, and an hour takes seconds.
package struct VirtualComparison {
    /// How long it takes, in virtual time.
    package var duration = Duration.seconds(3600)
    /// What the exchange and random faults follow from.
    package var seed: UInt64 = 1
    /// The windows that are followed.
    package var series: [MarketSeries] = []
    /// How many lines the stream has.
    package var lines = 2
    /// How often each poller asks.
    package var pollers: [Duration] = [.seconds(60)]
    /// What goes wrong.
    package var plan = FaultPlan()
    /// How long bytes are on their way, one way.
    package var latency = Duration.milliseconds(10)
    /// What is compared, and how strictly.
    package var configuration = CompareConfiguration()

    /// The defaults, without series.
    package init() {
        self.configuration.truth = .exchange
    }

    /// Random faults at this rate, as `FaultPlan.random` draws them, after the first ten seconds and until the end.
    package static func faults(
        seed: UInt64, lasting duration: Duration, perMinute: Double, lines: Int
    ) -> FaultPlan {
        guard perMinute > 0, duration > .seconds(20) else { return FaultPlan() }
        return .random(seed: seed, from: .seconds(10), to: duration, perMinute: perMinute, lines: lines)
    }

    /// Runs it.
    ///
    /// - Parameters:
    ///   - progress: told of the share done, many times.
    ///   - isStopped: asked as often whether to end here, and say what was found so far.
    package func run(
        progress: (Double) -> Void = { _ in }, isStopped: () -> Bool = { false }
    ) -> CompareFigures {
        var setting = VirtualWorld.Setting()
        setting.exchange.seed = self.seed
        setting.exchange.series = self.series
        setting.exchange.listedAhead = .seconds(3600)
        setting.feed.lines = self.lines
        setting.latency = self.latency
        let sources = [CompareSource.stream] + self.pollers.map { CompareSource.poller($0) }
        let desk = VirtualCompareDesk(CompareMeter(self.configuration, sources: sources))
        let world = VirtualWorld(setting, seed: self.seed, observer: desk)
        let begin = world.clock.now().unixNanoseconds
        for planned in self.plan.faults { desk.meter.fault(CompareFault(planned, begin: begin)) }
        world.exchange.schedule(self.plan.faults)
        let pollers = self.pollers.enumerated().map { index, interval in
            PollHost(
                interval: interval, witness: world.network, eventLoop: world.loop, clock: world.clock,
                seed: self.seed &+ UInt64(index)
            ) { desk.meter.polled(PollAnswer($0, source: index + 1)) }
        }
        let discovery = VirtualDiscovery(
            world, series: self.series,
            follow: { market in
                desk.followed.append(market)
                for poller in pollers { poller.follow(market) }
            },
            unfollow: { market in
                desk.followed.removeAll { $0.id == market.id }
                for poller in pollers { poller.unfollow(market) }
            })
        desk.later = { body in world.after(.zero, body) }
        desk.resolvedMarket = { discovery.resolved($0) }
        desk.series = self.series
        world.ticked = { desk.look(at: world.exchange, world.clock.now()) }
        var passed = Duration.zero
        while passed < self.duration, !isStopped() {
            let step = min(.seconds(1), self.duration - passed)
            world.pass(step)
            passed += step
            world.story.forget()
            progress(passed.secondsValue / self.duration.secondsValue)
        }
        var figures = desk.meter.finish(at: world.clock.now().unixNanoseconds)
        figures.mode = "virtual"
        figures.notes = [
            "simulated exchange, seed \(self.seed), \(self.series.map(\.name).joined(separator: ", "))",
            "\(self.lines) lines, \(CompareText.duration(self.latency)) each way, \(self.plan.faults.count) faults planned",
        ]
        discovery.end()
        for poller in pollers { poller.stop() }
        world.ticked = nil
        desk.resolvedMarket = { _ in }
        world.end()
        return figures
    }
}

/// Writes down what happens in the virtual world.
private final class VirtualCompareDesk: MarketObserver, @unchecked Sendable {
    // Touched on the one thread that drives the world.
    var meter: CompareMeter
    /// The markets whose truth is looked at.
    var followed: [Market] = []
    /// The windows whose truth is looked at as well, whether they are followed or not: a stream that comes late to a market
    /// has missed what happened there.
    var series: [MarketSeries] = []
    private var ended: Set<MarketID> = []
    private var current: (second: Int64, markets: [Market])?
    var later: (@escaping () -> Void) -> Void = { $0() }
    var resolvedMarket: (Resolution) -> Void = { _ in }

    init(_ meter: CompareMeter) { self.meter = meter }

    func look(at exchange: SimulatedExchange, _ now: ReceiveTime) {
        // Before the first market is followed, nobody looks yet.
        guard self.current != nil || !self.followed.isEmpty else { return }
        let second = now.wall.milliseconds / 1000
        if self.current?.second != second {
            self.current = (second, Self.windows(of: self.series, in: exchange, at: now.wall))
        }
        let ids = Set(self.followed.map(\.id))
        let others = (self.current?.markets ?? []).filter { !ids.contains($0.id) && !self.ended.contains($0.id) }
        for market in self.followed + others {
            guard let truth = exchange.truth(market.id) else { continue }
            self.meter.truth(
                MarketTops(truth), of: market, stamp: truth.bookTime, at: now.unixNanoseconds)
        }
    }

    private static func windows(
        of series: [MarketSeries], in exchange: SimulatedExchange, at now: Timestamp
    ) -> [Market] {
        series.compactMap { series in
            series.slugs(for: series.window(containing: now)).lazy.compactMap { exchange.market(slug: $0) }.first
        }
    }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        self.meter.showed(snapshot, at: now.unixNanoseconds)
    }

    func ended(_ market: Market, at now: ReceiveTime) {
        self.followed.removeAll { $0.id == market.id }
        self.ended.insert(market.id)
        self.meter.ended(market.id, at: now.unixNanoseconds)
    }

    func resolved(_ resolution: Resolution, at now: ReceiveTime) {
        // The feed is in the middle of something: what follows from it comes after.
        self.later { self.resolvedMarket(resolution) }
    }
}

extension CompareFault {
    /// A planned fault, as from a beginning in Unix nanoseconds.
    package init(_ planned: PlannedFault, begin: Int64) {
        let from = begin / 1_000_000 + planned.at.wholeNanoseconds / 1_000_000
        self.init(
            from: from, until: from + (planned.fault.duration ?? .zero).wholeNanoseconds / 1_000_000,
            text: planned.fault.text, reach: Self.reach(of: planned.fault))
    }

    private static func reach(of fault: SimulatorFault) -> Reach {
        guard fault.target.api == nil else { return .none }
        switch fault.kind {
        case .drop, .close, .refuse, .freeze, .halfOpen, .noSnapshot, .delay, .reorder, .corrupt, .truncate, .cut,
            .oversize, .lose, .clockSkew:
            return fault.target.line == nil ? .feed : .line
        case .duplicate, .wrongHash, .restError, .restSlow, .restHang, .restReset, .restStale, .ghostBook,
            .missingMarket, .gap, .recover:
            return .none
        }
    }
}

extension PollAnswer {
    /// What came of a question of a poller.
    package init(_ report: PollHost.Report, source: Int) {
        let books = report.results.compactMap { try? $0.get() }
        let odds = RESTOdds(
            market: report.market, yes: books.first { $0.asset == report.market.yes.asset },
            no: books.first { $0.asset == report.market.no?.asset })
        let book = books.max { $0.timestamp < $1.timestamp }
        let verdict: Verdict
        if report.odds != nil {
            verdict = .believed
        } else if report.ghosts > 0 || report.older > 0 && books.allSatisfy(\.hasGhostShape) {
            verdict = .refused("a ghost book of 0.01/0.99, which the poller did not believe")
        } else if report.older > 0 {
            verdict = .refused("stale REST: a book older than what the poller had seen")
        } else {
            let error = report.results.compactMap { result -> String? in
                guard case .failure(let error) = result else { return nil }
                return error.message
            }.first
            verdict = .failed(error ?? "no answer that can be used")
        }
        self.init(
            source: source, market: report.market, asked: report.asked.unixNanoseconds,
            answered: report.answered.unixNanoseconds,
            stamp: (report.odds?.exchangeTime ?? odds?.exchangeTime)?.milliseconds, hash: book?.hash?.description,
            tops: report.odds.map { MarketTops($0) } ?? odds.map { MarketTops(yes: $0.yes, no: $0.no) },
            verdict: verdict)
    }
}
