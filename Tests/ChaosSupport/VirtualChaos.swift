import NIOCore
package import OddsCore
package import OddsProof
package import PolymarketSimulator
import RealtimeOdds

/// Scenarios and random plans in virtual time.
package enum VirtualChaos {
    /// How long the feed runs before the fault.
    private static let warmUp = Duration.seconds(20)
    /// How long it runs after.
    private static let after = Duration.seconds(25)
    private static let step = Duration.milliseconds(10)

    /// A busy market on so many lines.
    package static func setting(lines: Int, seed: UInt64) throws -> VirtualWorld.Setting {
        var setting = VirtualWorld.Setting()
        setting.exchange.seed = seed
        setting.exchange.series = [try MarketSeries("btc-updown-15m")]
        setting.feed.lines = lines
        setting.feed.renewalInterval = .zero
        return setting
    }

    /// Runs a scenario, and the same without its faults for comparison; `log` hears of every version that was lost.
    package static func run(
        _ scenario: ChaosScenario, seed: UInt64 = 1, log: ((String) -> Void)? = nil
    ) throws -> ChaosResult {
        let calm = try Self.play(scenario, faults: [], seed: seed)
        let run = try Self.play(scenario, faults: scenario.faults, seed: seed)
        let lost = LivePrices.missing(of: calm.prices, in: run.prices, visible: Self.visible)
        for prices in lost { log?("lost: \(prices)") }
        return ChaosResult(
            scenario: scenario, detection: run.detection, withoutFresh: run.meter.longestMissing,
            wrongLive: run.meter.longestWrong,
            lost: lost.count, epochs: run.epochs,
            alarms: run.alarms, trusts: run.meter.trusts.sorted())
    }

    /// What a reader has a chance to see: versions of one read from the socket are there for no time at all.
    private static let visible = Duration.milliseconds(5)

    private struct Play {
        var meter: ChaosMeter
        var prices: [LivePrices]
        var detection: Duration?
        var epochs: Int
        var alarms: Int
    }

    private static func play(
        _ scenario: ChaosScenario, faults: [PlannedFault], seed: UInt64, log: ((String) -> Void)? = nil
    ) throws -> Play {
        let world = VirtualWorld(try Self.setting(lines: scenario.lines, seed: seed), seed: seed)
        let market = try world.followCurrent()
        world.pass(Self.warmUp)
        world.story.forget()
        var epochs: Set<UInt64> = []
        if let odds = world.host.currentOdds(market.id) { epochs.insert(odds.epoch) }
        world.exchange.schedule(faults)
        var meter = ChaosMeter()
        var detection: Duration?
        let end = scenario.duration + Self.after
        var time = Duration.zero
        while time < end {
            world.pass(Self.step)
            time += Self.step
            let odds = world.host.currentOdds(market.id)
            meter.sample(odds, truth: world.exchange.truth(market.id), at: time)
            if let odds { epochs.insert(odds.epoch) }
            if detection == nil, odds?.trust != .live || world.story.entries.contains(where: { $0.event.isAlarm }) {
                detection = time
            }
        }
        let prices = LivePrices.all(of: world.story.published)
        let alarms = world.story.entries.count { $0.event.isAlarm }
        world.end()
        return Play(
            meter: meter, prices: prices, detection: detection, epochs: epochs.count - 1, alarms: alarms)
    }
}

/// What a run of a random plan showed.
package struct RandomRun: Sendable {
    /// What the plan was drawn from.
    package var seed: UInt64
    /// The longest time that wrong odds were served as live, and when after the beginning.
    package var wrongLive: Duration
    package var wrongAt: Duration?
    /// The share of the time that odds were live.
    package var liveShare: Double
    /// The trust at the end, well after the last fault.
    package var lastTrust: Trust?
    /// The plan.
    package var plan: FaultPlan
}

extension VirtualChaos {
    /// The longest time that odds may be wrong and called live: the longest silence that is left unverified, a witness
    /// that does not answer, and fresh books that do not come.
    package static let detectionBound: Duration = {
        let limits = MarketLiveness.Limits()
        return limits.quietAtMost + limits.answerLimit + limits.unverifiedAfter
    }()

    /// Runs a plan drawn from a seed on two lines, or one, by the seed.
    package static func random(
        seed: UInt64, lasting duration: Duration = .seconds(60), settling: Duration = .seconds(75),
        log: ((String) -> Void)? = nil
    ) throws -> RandomRun {
        let lines = seed % 3 == 0 ? 1 : 2
        var setting = try Self.setting(lines: lines, seed: seed)
        setting.exchange.flow.orders = 6
        setting.exchange.flow.quotes = 3
        setting.feed.renewalInterval = seed % 4 == 0 ? .seconds(20) : .zero
        let world = VirtualWorld(setting, seed: seed)
        let market = try world.followCurrent()
        let plan = FaultPlan.random(seed: seed, from: .seconds(5), to: duration, perMinute: 12, lines: lines)
        world.exchange.schedule(plan.faults)
        var meter = ChaosMeter()
        var time = Duration.zero
        while time < duration + settling {
            world.pass(.milliseconds(20))
            time += .milliseconds(20)
            let odds = world.host.currentOdds(market.id)
            meter.sample(odds, truth: world.exchange.truth(market.id), at: time)
            if let log, let odds {
                log(
                    "\(time.secondsValue) \(odds.trust) \(odds.source) \(odds.yes.bid?.description ?? "-") \(odds.yes.ask?.description ?? "-")"
                )
            }
        }
        if let log {
            for entry in world.story.entries { log("\(Double(entry.time.monotonic.nanoseconds) / 1e9) \(entry.event)") }
        }
        let last = world.host.currentOdds(market.id)?.trust
        world.end()
        return RandomRun(
            seed: seed, wrongLive: meter.longestWrong, wrongAt: meter.wrongAt,
            liveShare: meter.liveTime.secondsValue / meter.totalTime.secondsValue, lastTrust: last, plan: plan)
    }
}

/// Why a run cannot be made.
package struct ChaosError: Error, CustomStringConvertible {
    /// What happened.
    package let message: String
    package var description: String { self.message }
}
