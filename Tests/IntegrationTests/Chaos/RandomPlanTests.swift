import ChaosSupport
import Foundation
import OddsCore
import OddsTestSupport
import Testing

/// Faults drawn at random, in virtual time: the seed of a run reproduces it.
@Suite(.longWork) struct RandomPlanTests {
    /// How many plans; `make chaos` runs a thousand.
    private static let count = ProcessInfo.processInfo.environment["ODDSTREAM_CHAOS_PLANS"].flatMap(UInt64.init) ?? 24

    @Test(arguments: 1...Self.count)
    func noWrongOddsAreServedAsLiveForLongerThanTheDetectionBound(seed: UInt64) throws {
        let run = try VirtualChaos.random(seed: seed)
        #expect(
            run.wrongLive <= VirtualChaos.detectionBound, "seed \(seed), wrong from \(run.wrongAt.debugDescription)")
        #expect(run.lastTrust == .live, "seed \(seed)")
    }
}
