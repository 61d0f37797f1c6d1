import OddsCore
import OddsProof
import PolymarketSimulator
import RealtimeOdds

/// Hours of a market on which nothing or hardly anything happens, in virtual time: quiet is not frozen.
///
/// Four-hour windows replace each other as in reality: each is subscribed a minute before it begins and let go two minutes
/// after its end. Connections are renewed every ten minutes.
package struct QuietDay: Sendable {
    /// How much happens.
    package enum Flow: String, Sendable, CaseIterable {
        /// Nothing at all but windows that come and go.
        case nothing
        /// An order every few minutes, a trade now and then.
        case hardlyAnything = "hardly anything"
    }

    /// What the REST witness is like.
    package enum WitnessState: String, Sendable, CaseIterable {
        /// It answers.
        case answers
        /// Every question to it ends with a reset.
        case unreachable
    }

    /// What was run.
    package var hours: Int
    package var lines: Int
    package var flow: Flow
    package var witness: WitnessState

    /// What was said of trouble, and what odds were other than live in their window.
    package private(set) var alarms: [String] = []
    /// Connections lost or given up; renewals are none.
    package private(set) var disconnects: UInt64 = 0
    /// Questions to the witness, each about one market.
    package private(set) var questions = 0
    /// Fresh books asked for on live connections.
    package private(set) var resyncs: UInt64 = 0
    /// Every trust there was.
    package private(set) var trusts: Set<String> = []
    /// The most markets followed at a time.
    package private(set) var mostMarkets = 0

    package init(hours: Int, lines: Int, flow: Flow, witness: WitnessState) {
        self.hours = hours
        self.lines = lines
        self.flow = flow
        self.witness = witness
    }

    private func setting(_ series: MarketSeries) -> VirtualWorld.Setting {
        var setting = VirtualWorld.Setting()
        setting.exchange.series = [series]
        setting.exchange.flow.orders = self.flow == .nothing ? 0 : 0.004
        setting.exchange.flow.trades = self.flow == .nothing ? 0 : 0.001
        setting.exchange.flow.quotes = 0
        setting.exchange.flow.massCancels = 0
        setting.exchange.flow.spikes = 0
        setting.exchange.tick = .seconds(1)
        setting.feed.lines = self.lines
        return setting
    }

    /// Runs it.
    package mutating func run() throws {
        let series = try MarketSeries("btc-updown-4h")
        let world = VirtualWorld(self.setting(series), seed: 5)
        if self.witness == .unreachable { world.exchange.inject(SimulatorFault(.restReset)) }
        var next = series.window(containing: world.clock.now().wall)
        var followed: [Market] = []
        let end = world.now + .seconds(3600 * self.hours)
        while world.now < end {
            let wall = world.clock.now().wall.seconds
            while next.start.seconds - 60 <= wall {
                guard let market = series.slugs(for: next).compactMap({ world.exchange.market(slug: $0) }).first else {
                    throw ChaosError(message: "the exchange has no market of the window at \(next.start.seconds)")
                }
                world.host.follow(market)
                followed.append(market)
                next = series.window(after: next)
            }
            for market in followed where market.ended(before: wall - 120) { world.host.unfollow(market) }
            followed.removeAll { $0.ended(before: wall - 120) }
            self.mostMarkets = max(self.mostMarkets, followed.count)
            world.pass(.seconds(10))
            self.look(at: followed, in: world)
        }
        self.alarms += world.story.entries.filter { $0.event.isAlarm }.map { "\($0.event)" }
        self.trusts = Set(world.story.published.map(\.trust.name))
        self.disconnects = world.host.disconnects
        self.questions = world.network.questions
        self.resyncs = world.host.counters.resyncs
        world.end()
    }

    private mutating func look(at followed: [Market], in world: VirtualWorld) {
        let wall = world.clock.now().wall.seconds
        for market in followed {
            guard let window = market.window, window.start.seconds + 30 <= wall, wall < window.end.seconds else {
                continue
            }
            let trust = world.host.currentOdds(market.id)?.trust
            if trust != .live { self.alarms.append("\(market.slug) at \(wall): \(trust?.name ?? "no odds")") }
        }
    }
}

extension Market {
    fileprivate func ended(before time: Int64) -> Bool { self.window.map { $0.end.seconds <= time } ?? false }
}
