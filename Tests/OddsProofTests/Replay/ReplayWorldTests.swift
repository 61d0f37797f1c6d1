import Foundation
import Logging
import OddsCore
import OddsProof
import OddsRecording
import PolymarketSimulator
import RealtimeOdds
import Testing

/// A world that was recorded gives the same when it is replayed: every version of every market, and everything that bears
/// on continuity.
@Suite struct ReplayWorldTests {
    @Test(arguments: [1, 2], 1...4)
    func aCalmWorldIsReplayedExactly(lines: Int, seed: UInt64) throws {
        try Self.require(seed: seed, lines: lines, faults: [], lasting: .seconds(60))
    }

    @Test(arguments: [1, 2], 1...60)
    func aFaultyWorldIsReplayedExactly(lines: Int, seed: UInt64) throws {
        let plan = FaultPlan.random(seed: seed, from: .seconds(5), to: .seconds(60), perMinute: 12, lines: lines)
        try Self.require(seed: seed, lines: lines, faults: plan.faults, lasting: .seconds(90))
    }

    @Test(arguments: [1, 2, 4])
    func renewalsAreReplayedExactly(lines: Int) throws {
        try Self.require(seed: 5, lines: lines, faults: [], lasting: .seconds(90), renewal: .seconds(15))
        let plan = FaultPlan.random(seed: 5, from: .seconds(5), to: .seconds(60), perMinute: 6, lines: lines)
        try Self.require(seed: 5, lines: lines, faults: plan.faults, lasting: .seconds(90), renewal: .seconds(15))
    }

    static func require(
        seed: UInt64, lines: Int, faults: [PlannedFault], lasting duration: Duration, renewal: Duration = .zero
    ) throws {
        var setting = try RecordedWorld.setting(lines: lines, seed: seed)
        setting.feed.renewalInterval = renewal
        let recorded = RecordedWorld(setting, seed: seed, faults: faults)
        try recorded.follow()
        recorded.pass(duration)
        let file = try TemporaryFile(recorded.finish())
        let output = Output()
        var replay = ReplayWorld.Setting()
        replay.feed = setting.feed
        let world = ReplayWorld(
            replay, observer: output, logger: Logger(label: "replay") { _ in SwiftLogNoOpLogHandler() },
            continuity: { output.add($0, at: $1) })
        let rows = RecordingRows(try Recording(path: file.path))
        while let (row, received) = try rows.next() { world.take(row, at: received) }
        world.finish()
        let all = output.all
        let story = recorded.world.story
        #expect(rows.damage.isEmpty)
        #expect(story.published.count > 500, "there is something to compare")
        let published = story.published
        for (index, (was, now)) in zip(published, all.published).enumerated() where was != now {
            Issue.record(
                "seed \(seed): version \(index) of \(published.count) was \(Self.text(was)) and is \(Self.text(now))")
            break
        }
        #expect(all.published.count == published.count, "seed \(seed)")
        let entries = story.entries.map { "\($0.time.monotonic.nanoseconds) \($0.event)" }
        for (index, (was, now)) in zip(entries, all.entries).enumerated() where was != now {
            Issue.record("seed \(seed): event \(index) of \(entries.count) was \(was) and is \(now)")
            break
        }
        #expect(all.entries.count == entries.count, "seed \(seed): \(all.entries.count) of \(entries.count)")
        recorded.end()
        world.end()
    }

    private static func text(_ odds: OddsSnapshot) -> String {
        "\(odds.sequence) \(odds.yes) \(odds.trust) \(odds.epoch) \(odds.source) \(odds.receiveTime.monotonic.nanoseconds) \(odds.receiveTime.unixNanoseconds) \(odds.exchangeTime.milliseconds)"
    }
}
