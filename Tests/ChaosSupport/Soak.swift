import Logging
import OddsCore
package import PolymarketSimulator
import RealtimeOdds
import Synchronization

/// A long run in real time: the streamer and the exchange over real sockets in one process, short windows that follow
/// each other, connections renewed every minute, and random faults until a minute before the end.
package struct Soak: Sendable {
    /// How long it takes.
    package var duration: Duration
    /// What the exchange and its faults follow from.
    package var seed: UInt64 = 1
    /// How many faults begin in a minute, on average.
    package var faultsPerMinute = 6.0
    /// The windows that are followed.
    package static let series = ["btc-updown-1m", "eth-updown-2m", "sol-updown-3m"]

    /// How often memory and descriptors are looked at.
    private static let samplingInterval = Duration.seconds(10)
    /// How often what a reader has is held against the exchange.
    private static let checkInterval = Duration.milliseconds(10)
    /// The first and the last part are free of faults: what is measured then is compared. A minute each, less in a run
    /// that is only to try it out.
    private var calm: Duration { min(.seconds(60), self.duration / 3) }

    package init(duration: Duration) { self.duration = duration }

    /// The faults: every kind, beginning after the first minute and over a minute before the end.
    package var plan: FaultPlan {
        .random(
            seed: self.seed, from: self.calm, to: self.duration - self.calm, perMinute: self.faultsPerMinute)
    }

    /// Runs it.
    ///
    /// - Parameter progress: gets a line every 10 s.
    package func run(progress: @escaping @Sendable (String) -> Void) async throws -> SoakReport {
        let logger = Logger(label: "soak") { _ in SwiftLogNoOpLogHandler() }
        let clock = SystemClock()
        let series = try Self.series.map { try MarketSeries($0) }
        var exchange = SimulatorConfiguration()
        exchange.seed = self.seed
        exchange.series = series
        // Days of short windows would be nothing but memory.
        exchange.listedAhead = .seconds(900)
        let simulator = PolymarketSimulator(configuration: exchange, clock: clock, logger: logger)
        let endpoints = try await simulator.start()
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = series.map { .series($0) }
        configuration.marketWebSocket = endpoints.marketWebSocket
        configuration.clobREST = endpoints.clobREST
        configuration.gammaREST = endpoints.gammaREST
        configuration.renewalInterval = .seconds(60)
        configuration.seed = self.seed
        let streamer = try RealtimeOddsStreamer(configuration: configuration, logger: logger)
        let follower = SoakFollower(streamer)
        let plan = self.plan
        streamer.start()
        simulator.follow(plan)
        let begin = clock.now().monotonic
        var report = SoakReport(plan: plan, calm: self.calm)
        var meters: [MarketID: ChaosMeter] = [:]
        var markets: [Market] = []
        var sampled = Duration.zero
        var refreshed: Duration?
        var last = Duration.zero
        while last < self.duration {
            try await clock.sleep(for: Self.checkInterval)
            let now = begin.duration(to: clock.now().monotonic)
            report.longestPause = max(report.longestPause, now - last)
            last = now
            if refreshed.map({ now - $0 >= .seconds(1) }) ?? true {
                refreshed = now
                markets = streamer.markets.filter(\.subscribed).map(\.market)
                let followed = Set(markets.map(\.id))
                report.seen.formUnion(followed)
                meters = meters.filter { followed.contains($0.key) }
                follower.keep(followed)
            }
            let odds = follower.odds
            for market in markets {
                var meter = meters[market.id] ?? ChaosMeter(liveAllowance: .milliseconds(250))
                meter.sample(odds[market.id], truth: simulator.truth(market.id), at: now)
                meters[market.id] = meter
                if meter.longestWrong > report.longestWrong {
                    report.longestWrong = meter.longestWrong
                    report.wrongAt = meter.wrongAt
                    report.wrongMarket = market.slug
                }
            }
            guard now - sampled >= Self.samplingInterval else { continue }
            sampled = now
            let gauge = ProcessGauge.read()
            report.samples.append(SoakReport.Sample(time: now, gauge: gauge))
            progress(Self.line(left: self.duration - now, gauge, streamer.incidents().uptime.total))
        }
        report.notLive = try await self.notLive(streamer, clock)
        report.duration = begin.duration(to: clock.now().monotonic)
        let status = streamer.status
        report.frames = status.counters.first { $0.name == "frames.received" }?.value ?? 0
        report.disconnects = status.lines.reduce(0) { $0 + $1.disconnects }
        report.incidents = streamer.incidents()
        let counters = simulator.counters
        report.faultsBegun = counters.faults
        report.accepted = counters.connectionsAccepted
        report.refused = counters.connectionsRefused
        await streamer.stop()
        await simulator.stop()
        (report.updates, report.overflowed, report.rollovers) = await follower.end()
        report.after = ProcessGauge.read()
        return report
    }

    /// The series whose current market is not live; a window that has just begun is given a few seconds.
    private func notLive(_ streamer: RealtimeOddsStreamer, _ clock: SystemClock) async throws -> [String] {
        var missing: [String] = []
        for _ in 0..<50 {
            let current = streamer.markets.filter { $0.role == .current }.map(\.market)
            missing = Self.series.filter { series in
                !current.contains { $0.series == series && streamer.currentOdds($0.id)?.trust == .live }
            }
            if missing.isEmpty { return [] }
            try await clock.sleep(for: .milliseconds(100))
        }
        return missing
    }

    private static func line(left: Duration, _ gauge: ProcessGauge, _ uptime: Uptime) -> String {
        let seconds = max(0, Int(left.secondsValue.rounded()))
        let rest = seconds % 60
        return "\(seconds / 60):\(rest < 10 ? "0" : "")\(rest) left, "
            + "\(SoakReport.percent(uptime.share)) live, \(SoakReport.megabytes(gauge.resident)), "
            + "\(gauge.descriptors.map(String.init) ?? "unknown") descriptors"
    }
}

/// Reads every change and keeps the newest odds of each market.
private final class SoakFollower: Sendable {
    private struct Kept {
        var odds: [MarketID: OddsSnapshot] = [:]
        var updates = 0
        var overflowed: UInt64 = 0
        var rollovers = 0

        mutating func take(_ update: OddsUpdate) {
            self.updates += 1
            switch update {
            case .odds(let odds), .trust(let odds, _): self.odds[odds.marketID] = odds
            case .rollover: self.rollovers += 1
            case .overflow(let lost): self.overflowed += lost
            case .resolution: break
            }
        }
    }

    private final class Box: Sendable {
        let kept = Mutex(Kept())
    }

    private let box = Box()
    private let reader: Task<Void, Never>

    init(_ streamer: RealtimeOddsStreamer) {
        let updates = streamer.updates(.lossless(capacity: 100_000))
        self.reader = Task { [box = self.box] in
            for await update in updates { box.kept.withLock { $0.take(update) } }
        }
    }

    /// The newest odds of every market.
    var odds: [MarketID: OddsSnapshot] { self.box.kept.withLock { $0.odds } }

    /// Forgets all other markets.
    func keep(_ markets: Set<MarketID>) {
        self.box.kept.withLock { kept in kept.odds = kept.odds.filter { markets.contains($0.key) } }
    }

    /// What came, once the streamer has ended.
    func end() async -> (updates: Int, overflowed: UInt64, rollovers: Int) {
        await self.reader.value
        return self.box.kept.withLock { ($0.updates, $0.overflowed, $0.rollovers) }
    }
}
