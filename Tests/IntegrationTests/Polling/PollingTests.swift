import Logging
import OddsCore
import OddsTestSupport
import PolymarketSimulator
import RealtimeOdds
import Testing

/// The poller against the simulated exchange, over real HTTP.
@Suite(.timeLimit(.minutes(2)))
struct PollingTests {
    @Test func whatIsPolledIsWhatTheExchangeHas() async throws {
        let series = try MarketSeries("btc-updown-1h")
        var simulated = SimulatorConfiguration()
        simulated.series = [series]
        simulated.flow.orders = 4
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let simulator = PolymarketSimulator(configuration: simulated, clock: exchangeClock, logger: quiet)
        let endpoints = try await simulator.start()
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = [.series(series)]
        configuration.clobREST = endpoints.clobREST
        configuration.gammaREST = endpoints.gammaREST
        configuration.pollInterval = .milliseconds(100)
        let poller = try MarketOddsPoller(configuration: configuration, logger: quiet, clock: exchangeClock)
        poller.start()
        var agreed = 0
        for await update in poller.updates() {
            guard let odds = update.snapshot else { continue }
            #expect(odds.source == .poller)
            #expect(odds.trust == .fallback)
            #expect(odds.yes.ask?.complement == odds.no.bid)
            #expect(odds.yes.bid?.complement == odds.no.ask)
            // The book may have moved on since; where it has not, every price and size is the exchange's own.
            guard let truth = simulator.truth(odds.marketID), truth.bookTime == odds.exchangeTime else { continue }
            #expect(odds.yes.bid == truth.up.bid && odds.yes.ask == truth.up.ask)
            #expect(odds.no.bid == truth.down.bid && odds.no.ask == truth.down.ask)
            #expect(odds.yes.bidSize == truth.up.bidSize ?? .zero && odds.yes.askSize == truth.up.askSize ?? .zero)
            agreed += 1
            if agreed == 10 { break }
        }
        #expect(agreed == 10)
        #expect(poller.status.problems.isEmpty)
        #expect(poller.markets.first?.role == .current)
        await poller.stop()
        let counters = Dictionary(uniqueKeysWithValues: poller.status.counters.map { ($0.name, $0.value) })
        #expect(counters["poll.failures"] == 0)
        #expect(counters["poll.ghosts"] == 0)
        #expect(counters["poll.contradictions"] == 0)
        await simulator.stop()
    }

    @Test func anExchangeThatGoesAwayLeavesStaleOdds() async throws {
        let series = try MarketSeries("btc-updown-1h")
        var simulated = SimulatorConfiguration()
        simulated.series = [series]
        let log = Log()
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let simulator = PolymarketSimulator(configuration: simulated, clock: exchangeClock, logger: quiet)
        let endpoints = try await simulator.start()
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = [.series(series)]
        configuration.clobREST = endpoints.clobREST
        configuration.gammaREST = endpoints.gammaREST
        configuration.pollInterval = .milliseconds(100)
        let poller = try MarketOddsPoller(
            configuration: configuration, logger: Logger(label: "test.poller") { _ in log }, clock: exchangeClock)
        poller.start()
        let first = try await first(of: poller.updates()) { $0.snapshot }
        await simulator.stop()
        let stale = try await IntegrationTests.first(of: poller.updates()) { update -> OddsSnapshot? in
            guard let odds = update.snapshot, odds.trust.name == "stale" else { return nil }
            return odds
        }
        #expect(stale.trust.reason == "disconnected")
        #expect(stale.epoch > first.epoch)
        #expect(stale.yes.bid != nil)
        try await log.messages.wait(for: "Poller without answers")
        await poller.stop()
        #expect(log.messages.entries.count { $0 == "Poller without answers" } == 1)
    }

    /// Whatever the REST API does, wrong odds are never served, and right ones are again when it is over.
    @Test(arguments: [
        SimulatorFault.Kind.ghostBook(age: .zero), .ghostBook(age: .seconds(30)),
        .restError(status: 429, retryAfter: .seconds(1)), .restError(status: 503, retryAfter: nil), .restHang,
        .restReset,
    ])
    func faultsOfTheRESTAPIAreSurvived(kind: SimulatorFault.Kind) async throws {
        let series = try MarketSeries("btc-updown-1h")
        var simulated = SimulatorConfiguration()
        simulated.series = [series]
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let simulator = PolymarketSimulator(configuration: simulated, clock: exchangeClock, logger: quiet)
        let endpoints = try await simulator.start()
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = [.series(series)]
        configuration.clobREST = endpoints.clobREST
        configuration.gammaREST = endpoints.gammaREST
        configuration.pollInterval = .milliseconds(100)
        configuration.requestTimeout = .milliseconds(500)
        let poller = try MarketOddsPoller(configuration: configuration, logger: quiet, clock: exchangeClock)
        poller.start()
        enum Stage { case healthy, faulty, over }
        var stage = Stage.healthy
        var newest: [MarketID: Timestamp] = [:]
        for await update in poller.updates(.lossless(capacity: 10_000)) {
            guard let odds = update.snapshot else { continue }
            #expect(odds.exchangeTime >= newest[odds.marketID] ?? odds.exchangeTime, "never back in time")
            newest[odds.marketID] = odds.exchangeTime
            #expect((odds.yes.bid ?? .zero) > 0.01 || (odds.yes.ask ?? .one) < 0.99, "never a ghost")
            guard poller.markets.first(where: { $0.role == .current })?.market.id == odds.marketID else { continue }
            switch (stage, odds.trust) {
            case (.healthy, .fallback):
                #expect(simulator.inject(SimulatorFault(kind, on: .clob)))
                stage = .faulty
            case (.faulty, .stale):
                #expect(simulator.inject(.recover))
                stage = .over
            case (.healthy, _), (.faulty, _), (.over, _): break
            }
            if stage == .over, odds.trust == .fallback { break }
        }
        #expect(stage == .over)
        let report = poller.incidents()
        #expect(report.counts.values.reduce(0, +) >= 1)
        #expect(!report.counts.keys.contains(.fallback), "a poller's odds are no incident")
        let uptime = report.uptime.total
        #expect(uptime.up > .zero && uptime.up < uptime.due)
        #expect(uptime.lost.values.reduce(.zero, +) == uptime.due - uptime.up)
        await poller.stop()
        await simulator.stop()
    }
}
