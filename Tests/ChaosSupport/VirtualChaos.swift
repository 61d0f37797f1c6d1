import NIOCore
package import OddsCore
import PolymarketSimulator
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

    /// Runs a scenario, and the same without its faults for comparison.
    package static func run(_ scenario: ChaosScenario, seed: UInt64 = 1) throws -> ChaosResult {
        let calm = try Self.play(scenario, faults: [], seed: seed)
        let run = try Self.play(scenario, faults: scenario.faults, seed: seed)
        let there = Set(run.versions)
        return ChaosResult(
            scenario: scenario, detection: run.detection, withoutFresh: run.meter.longestMissing,
            wrongLive: run.meter.longestWrong, lost: calm.versions.count { !there.contains($0) }, epochs: run.epochs,
            alarms: run.alarms, trusts: run.meter.trusts.sorted())
    }

    /// A version of the market as a reader gets it.
    private struct Version: Hashable {
        var time: Timestamp
        var tops: ChaosMeter.Tops
    }

    private struct Play {
        var meter: ChaosMeter
        var versions: [Version]
        var detection: Duration?
        var epochs: Int
        var alarms: Int
    }

    private static func play(_ scenario: ChaosScenario, faults: [PlannedFault], seed: UInt64) throws -> Play {
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
        let versions = world.story.published.filter { $0.trust == .live }.map {
            Version(time: $0.exchangeTime, tops: ChaosMeter.Tops($0))
        }
        let alarms = world.story.entries.count { $0.event.isAlarm }
        world.end()
        return Play(
            meter: meter, versions: versions, detection: detection, epochs: epochs.count - 1, alarms: alarms)
    }
}

extension VirtualWorld {
    /// Follows the market of the window that the world begins in.
    package func followCurrent() throws -> Market {
        let start = self.clock.now().wall.seconds / 900 * 900
        guard let market = self.exchange.market(slug: "btc-updown-15m-\(start)") else {
            throw ChaosError(message: "the exchange has no market of this window")
        }
        self.host.follow(market)
        return market
    }

    /// Ends the feed and checks that no socket is left.
    package func end() {
        let ended = self.host.stop()
        self.pass(.seconds(5))
        let isEnded = NIOLoopBoundBox(false, eventLoop: self.loop)
        ended.whenComplete { _ in isEnded.value = true }
        precondition(isEnded.value && self.network.openSockets == 0, "a socket is left after the end")
    }
}

/// Why a run cannot be made.
package struct ChaosError: Error, CustomStringConvertible {
    /// What happened.
    package let message: String
    package var description: String { self.message }
}
