import Logging
import OddsCore
import OddsProof
import PolymarketSimulator
import RealtimeOdds
import Synchronization

/// Scenarios in real time: the streamer and the exchange over real sockets on this machine.
package enum RealChaos {
    private static let warmUp = Duration.seconds(8)
    private static let after = Duration.seconds(20)
    private static let step = Duration.milliseconds(5)

    /// Runs a scenario.
    ///
    /// A second streamer, with one line that the fault does not touch, says what there was to be seen; it is left out of
    /// faults that hit everybody.
    package static func run(_ scenario: ChaosScenario, seed: UInt64) async throws -> ChaosResult {
        let logger = Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }
        let clock = SystemClock()
        var exchange = SimulatorConfiguration()
        exchange.seed = seed
        exchange.series = [try MarketSeries("btc-updown-15m")]
        // Away from a boundary, whatever the time of day.
        exchange.start = Timestamp(seconds: 1_800_000_300)
        let simulator = PolymarketSimulator(configuration: exchange, clock: clock, logger: logger)
        let endpoints = try await simulator.start()
        guard let market = simulator.market(slug: "btc-updown-15m-1800000000") else {
            throw ChaosError(message: "the exchange has no market of this window")
        }
        let hitsEverybody = !scenario.isInvisible
        let tested = try Self.streamer(endpoints, market, lines: scenario.lines, logger)
        let watcher = hitsEverybody ? nil : try Self.streamer(endpoints, market, lines: 1, logger)
        let seen = Versions(tested)
        tested.start()
        try await clock.sleep(for: .seconds(2))
        let there = watcher.map { Versions($0) }
        watcher?.start()
        try await clock.sleep(for: Self.warmUp)
        let alarmsBefore = Self.alarms(of: tested)
        let epoch = tested.currentOdds(market.id)?.epoch
        let begin = clock.now().monotonic
        for planned in scenario.faults { simulator.inject(planned.fault) }
        var meter = ChaosMeter(liveAllowance: .milliseconds(250), fallbackAllowance: .milliseconds(1700))
        var epochs: Set<UInt64> = epoch.map { [$0] } ?? []
        let end = scenario.duration + Self.after
        var next = begin
        while begin.duration(to: next) < end {
            next = next.advanced(by: Self.step)
            try await clock.sleep(until: next)
            let odds = tested.currentOdds(market.id)
            if let odds { epochs.insert(odds.epoch) }
            meter.sample(odds, truth: simulator.truth(market.id), at: begin.duration(to: clock.now().monotonic))
        }
        let noticed = tested.incidents().all.map(\.detected.monotonic).filter { $0 >= begin }.min()
        let alarms = Self.alarms(of: tested) - alarmsBefore
        await tested.stop()
        await watcher?.stop()
        await simulator.stop()
        let published = await seen.all()
        var lost: Int?
        if let there {
            let expected = await there.all().filter { $0.from >= begin }
            lost = LivePrices.missing(of: expected, in: published, visible: .milliseconds(15)).count
        }
        let detection = [noticed.map { begin.duration(to: $0) }, meter.firstTrouble].compactMap { $0 }.min()
        return ChaosResult(
            scenario: scenario, detection: detection, withoutFresh: meter.longestMissing,
            wrongLive: meter.longestWrong, lost: lost, epochs: epochs.count - 1, alarms: alarms,
            trusts: meter.trusts.sorted())
    }

    private static func streamer(
        _ endpoints: SimulatorEndpoints, _ market: Market, lines: Int, _ logger: Logger
    ) throws -> RealtimeOddsStreamer {
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = [.assets(market.assets)]
        configuration.marketWebSocket = endpoints.marketWebSocket
        configuration.clobREST = endpoints.clobREST
        configuration.gammaREST = endpoints.gammaREST
        configuration.lines = lines
        configuration.renewalInterval = .zero
        return try RealtimeOddsStreamer(configuration: configuration, logger: logger)
    }

    private static func alarms(of streamer: RealtimeOddsStreamer) -> Int { streamer.incidents().all.count }
}

/// Every best price of the one market that a streamer follows.
private final class Versions: Sendable {
    private let reader: Task<[OddsSnapshot], Never>

    init(_ streamer: RealtimeOddsStreamer) {
        let updates = streamer.updates(.lossless(capacity: 10_000_000))
        self.reader = Task {
            var live: [OddsSnapshot] = []
            for await case .odds(let odds) in updates where odds.trust == .live { live.append(odds) }
            return live
        }
    }

    /// All there was, once the streamer has ended.
    func all() async -> [LivePrices] { LivePrices.all(of: await self.reader.value) }
}
