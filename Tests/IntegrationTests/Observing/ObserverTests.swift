import ChaosSupport
import OddsCore
import OddsProof
import PolymarketSimulator
import RealtimeOdds
import Synchronization
import Testing

/// Compares what the reader has with what was published, and asks for every tenth book again a little later.
private final class Comparing: MarketObserver {
    struct State {
        var reader: (any FeedReader)?
        var published = 0
        var compared = 0
        var wrong: [String] = []
        var sources: Set<String> = []
        var last: [MarketID: OddsSnapshot] = [:]
        var asked = 0
        var answers: [String] = []
        var late: [Duration] = []
        var ended: [MarketID] = []
        var resolved: [MarketID] = []
    }

    let state = Mutex(State())
    private let delay = Duration.milliseconds(137)

    func attached(to reader: any FeedReader) { self.state.withLock { $0.reader = reader } }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        guard let reader = self.state.withLock({ $0.reader }) else { return }
        let depths = snapshot.market.assets.map { reader.depth(of: $0) }
        let count = self.state.withLock { state in
            state.published += 1
            if let last = state.last[snapshot.marketID] {
                if snapshot.sequence <= last.sequence { state.wrong.append("sequence \(snapshot.sequence)") }
                let isSame =
                    snapshot.yes == last.yes && snapshot.no == last.no && snapshot.trust == last.trust
                    && snapshot.epoch == last.epoch
                if isSame { state.wrong.append("no change at \(snapshot.sequence)") }
            }
            state.last[snapshot.marketID] = snapshot
            let hasDepth = snapshot.trust.name != "stale" && snapshot.trust != .closed
            for (depth, side) in zip(depths, [Side.yes, .no]) {
                guard let depth else {
                    if hasDepth { state.wrong.append("no depth of \(side) while \(snapshot.trust)") }
                    continue
                }
                if !hasDepth { state.wrong.append("depth of \(side) while \(snapshot.trust)") }
                guard depth.isPublished else { continue }
                state.compared += 1
                state.sources.insert(depth.source == .poller ? "poller" : "line")
                let quote = snapshot.quote(side)
                let isSame =
                    depth.bids.first?.price == quote.bid && depth.asks.first?.price == quote.ask
                    && (depth.bids.first?.size ?? .zero) == quote.bidSize
                    && (depth.asks.first?.size ?? .zero) == quote.askSize && depth.sequence == snapshot.sequence
                if !isSame { state.wrong.append("\(side) at \(snapshot.sequence): \(quote) \(depth)") }
            }
            return state.published
        }
        guard count.isMultiple(of: 10) else { return }
        self.state.withLock { $0.asked += 1 }
        let due = now.monotonic.advanced(by: self.delay)
        reader.depth(of: snapshot.market.yes.asset, at: due) { depth, now in
            self.state.withLock { state in
                state.answers.append(depth.map { "\($0)" } ?? "none")
                state.late.append(due.duration(to: now.monotonic))
            }
        }
    }

    func ended(_ market: Market, at now: ReceiveTime) { self.state.withLock { $0.ended.append(market.id) } }
    func resolved(_ resolution: Resolution, at now: ReceiveTime) {
        self.state.withLock { $0.resolved.append(resolution.market.id) }
    }
}

/// Writes down every trade and every sample.
private final class Listening: MarketObserver {
    struct State {
        var reader: (any FeedReader)?
        var trades: [Trade] = []
        var samples: [Microstructure] = []
        var times: [Duration] = []
        var differing: [String] = []
    }

    let state = Mutex(State())

    func attached(to reader: any FeedReader) { self.state.withLock { $0.reader = reader } }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        guard let reader = self.state.withLock({ $0.reader }) else { return }
        let exact = reader.microstructure(of: snapshot.marketID)
        guard let yes = exact?.yes, yes.bid?.price != snapshot.yes.bid || yes.ask?.price != snapshot.yes.ask else {
            return
        }
        self.state.withLock { $0.differing.append("\(snapshot.sequence): \(snapshot.yes) \(yes)") }
    }

    func traded(_ trade: Trade, of market: Market, at now: ReceiveTime) {
        self.state.withLock { $0.trades.append(trade) }
    }

    func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {
        self.state.withLock { state in
            state.samples.append(microstructure)
            state.times.append(.nanoseconds(now.monotonic.nanoseconds))
        }
    }
}

/// The observer under load and faults, in virtual time.
@Suite struct ObserverTests {
    private func run(seed: UInt64, lines: Int = 2) throws -> Comparing {
        var setting = VirtualWorld.Setting()
        setting.exchange.series = [try MarketSeries("btc-updown-15m")]
        setting.feed.lines = lines
        setting.feed.renewalInterval = .seconds(20)
        let observer = Comparing()
        let world = VirtualWorld(setting, seed: seed, observer: observer)
        let market = try world.followCurrent()
        world.pass(.seconds(20))
        world.exchange.inject(SimulatorFault(.drop, on: FaultTarget(line: .oldest)))
        world.pass(.seconds(20))
        world.exchange.inject(.freeze(for: .seconds(30)))
        world.pass(.seconds(60))
        world.host.close(market.id)
        world.host.unfollow(market)
        world.pass(.seconds(1))
        world.end()
        return observer
    }

    @Test(arguments: [1, 2], [UInt64(1), 2]) func theReaderHasWhatWasPublished(lines: Int, seed: UInt64) throws {
        let state = try self.run(seed: seed, lines: lines).state.withLock { $0 }
        #expect(state.wrong.isEmpty, "\(state.wrong.prefix(3))")
        #expect(state.published > 500 && state.compared > state.published)
        #expect(state.sources == ["line", "poller"])
        #expect(state.answers.count == state.asked && state.late.allSatisfy { $0 == .zero })
        #expect(state.ended.count == 1)
    }

    private func listen(lines: Int, _ trouble: (VirtualWorld) -> Void) throws -> (Listening.State, Market) {
        var setting = VirtualWorld.Setting()
        setting.exchange.series = [try MarketSeries("btc-updown-15m")]
        setting.exchange.flow.trades = 4
        setting.feed.lines = lines
        let observer = Listening()
        let world = VirtualWorld(setting, seed: 3, observer: observer)
        let market = try world.followCurrent()
        world.pass(.seconds(10))
        trouble(world)
        world.pass(.seconds(30))
        let last = world.host.microstructure(of: market.id)
        world.end()
        let state = observer.state.withLock { $0 }
        #expect(last == state.samples.last)
        #expect(world.host.microstructure(of: market.id) == nil, "the end of the source")
        return (state, market)
    }

    @Test func losingALineNeitherLosesNorDoublesATrade() throws {
        let drop = SimulatorFault(.drop, on: FaultTarget(line: .oldest))
        let (calm, _) = try self.listen(lines: 1) { $0.pass(.seconds(30)) }
        let (troubled, market) = try self.listen(lines: 2) { world in
            for _ in 1...6 {
                world.exchange.inject(drop)
                world.pass(.seconds(5))
            }
        }
        #expect(calm.trades.count > 100)
        func byTime(_ trades: [Trade]) -> [String] { trades.map { "\($0)" }.sorted() }
        #expect(byTime(troubled.trades) == byTime(calm.trades))
        #expect(troubled.differing.isEmpty, "\(troubled.differing.prefix(2))")
        // Four samples a second, and each one's flow is that of the trades before it.
        let steps = zip(troubled.times, troubled.times.dropFirst()).map { $1 - $0 }
        #expect(steps.allSatisfy { $0 == .milliseconds(250) })
        let last = try #require(troubled.samples.last)
        #expect(last.market == market.id && last.trust == .live)
        let flow = try #require(last.longFlow)
        #expect(flow.covered == .seconds(60) && flow.trades > 100)
        #expect(
            last.volatility ?? 0 > 0 && last.yes?.spread != nil && last.no?.midpoint == last.yes?.midpoint?.complement)
        #expect(last.flowAcceleration != nil && last.lastTradeAge != nil)
    }

    @Test func withoutTheFeedThereAreBooksButNoFlow() throws {
        let (state, _) = try self.listen(lines: 2) { $0.exchange.inject(.freeze(for: nil)) }
        let last = try #require(state.samples.last)
        #expect(last.trust == .fallback && last.source == .poller)
        #expect(last.yes?.midpoint != nil && last.no?.midpoint == last.yes?.midpoint?.complement)
        #expect(last.shortFlow == nil && last.longFlow == nil && last.volatility == nil)
        #expect(last.flowAcceleration == nil && last.lastTradeAge ?? .zero > .seconds(20))
        #expect(state.samples.contains { $0.longFlow != nil } && state.differing.isEmpty)
    }

    @Test func aReplayAsksAndIsAnsweredTheSame() throws {
        let (one, other) = (try self.run(seed: 7), try self.run(seed: 7))
        let first = one.state.withLock { $0.answers }
        #expect(first.count > 50 && first.contains { $0 != "none" })
        #expect(first == other.state.withLock { $0.answers })
    }
}
