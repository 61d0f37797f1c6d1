package import OddsCore
import PolymarketSimulator
import RealtimeOdds

/// Series in virtual time: the real rollover of each, which asks the simulated Gamma over the virtual network, so that its
/// faults count. As `MarketDiscovery`, without tasks.
///
/// Everything happens on the thread that drives the world.
package final class VirtualDiscovery: @unchecked Sendable {
    // Touched on that thread alone.
    private unowned let world: VirtualWorld
    private var rollovers: [MarketRollover]
    private let follow: (Market) -> Void
    private let unfollow: (Market) -> Void
    private var isEnded = false

    /// How long an answer of Gamma may take, as with the real client.
    private static let timeout = Duration.seconds(5)
    /// How often the clock is looked at.
    private static let step = Duration.milliseconds(100)

    /// Discovery that begins at once.
    ///
    /// - Parameters:
    ///   - follow: a market is followed from now on, in the world's feed too.
    ///   - unfollow: a market is let go.
    package init(
        _ world: VirtualWorld, series: [MarketSeries], schedule: MarketSchedule = MarketSchedule(),
        follow: @escaping (Market) -> Void, unfollow: @escaping (Market) -> Void
    ) {
        self.world = world
        self.rollovers = series.map { MarketRollover($0, schedule: schedule) }
        self.follow = follow
        self.unfollow = unfollow
        self.step()
    }

    /// Follows and asks nothing more.
    package func end() { self.isEnded = true }

    /// The feed said that a market is decided. Call it later than the observer that hears of it.
    package func resolved(_ resolution: Resolution) {
        let winner = resolution.winner.flatMap { side in
            side == .yes ? resolution.market.yes.asset : resolution.market.no?.asset
        }
        self.each {
            $0.resolved(resolution.market.id, winner: winner, at: resolution.exchangeTime, now: $1)
        }
    }

    private func step() {
        guard !self.isEnded else { return }
        self.each { $0.advance(to: $1) }
        self.world.after(Self.step) { [weak self] in self?.step() }
    }

    private func each(_ step: (inout MarketRollover, Timestamp) -> [MarketAction]) {
        let now = self.world.clock.now().wall
        for index in self.rollovers.indices { self.perform(step(&self.rollovers[index], now), of: index) }
    }

    private func perform(_ actions: [MarketAction], of index: Int) {
        for action in actions {
            switch action {
            case .lookUp(.window(let window, let slugs)): self.ask(window, slugs[...], of: index)
            case .lookUp, .becameCurrent, .receipt, .problem: break
            case .subscribe(let market):
                self.world.host.follow(market)
                self.follow(market)
            case .unsubscribe(let market):
                self.world.host.unfollow(market)
                self.unfollow(market)
            case .resolution(let resolution): self.world.host.close(resolution.market.id)
            }
        }
    }

    // MARK: Gamma

    private func ask(_ window: MarketWindow, _ slugs: ArraySlice<String>, of index: Int) {
        guard let slug = slugs.first else {
            return self.answer(window, .failure(RESTError(.notFound, "Gamma has no such market (yet)")), of: index)
        }
        self.world.after(self.world.network.latency * 2) { [weak self] in
            guard let self else { return }
            let said = self.world.exchange.gammaAnswer(
                HTTPQuestion(method: "GET", uri: GammaClient.path(ofSlug: slug)))
            let late = Result<MarketFinding, RESTError>.failure(RESTError(.timeout, "no answer in time"))
            let latency = self.world.network.latency
            let (wait, result) =
                switch said.arrival {
                case .never: (Self.timeout, late)
                case .reset: (latency, .failure(RESTError(.unreachable, "reset by peer")))
                case .after(let delay) where delay >= Self.timeout: (Self.timeout, late)
                case .after(let delay): (latency + delay, Self.finding(slug, in: said))
                case .atOnce: (latency, Self.finding(slug, in: said))
                }
            self.world.after(wait) { [weak self] in
                if case .failure(let error) = result, error.code == .notFound, slugs.count > 1 {
                    self?.ask(window, slugs.dropFirst(), of: index)
                } else {
                    self?.answer(window, result, of: index)
                }
            }
        }
    }

    private static func finding(_ slug: String, in said: HTTPAnswer) -> Result<MarketFinding, RESTError> {
        let response = RESTResponse(status: said.status, contentType: "application/json", body: said.body)
        do throws(RESTError) {
            return .success(try GammaClient.market(slug: slug, in: response))
        } catch {
            return .failure(error)
        }
    }

    private func answer(_ window: MarketWindow, _ result: Result<MarketFinding, RESTError>, of index: Int) {
        guard !self.isEnded else { return }
        let now = self.world.clock.now().wall
        self.perform(
            self.rollovers[index].lookedUp(window, result.mapError(\.lookUpFailure), now: now), of: index)
    }
}
