import PolymarketSimulator
import RealtimeOdds
import Testing

@testable import oddstream

@Suite struct PlannedFaultTests {
    @Test(arguments: [
        ("drop@10s", Duration.seconds(10), SimulatorFault.drop),
        ("freeze@1m:5s", .seconds(60), .freeze(for: .seconds(5))),
        ("refuse@500ms:2s", .milliseconds(500), .refuse(.status(503), for: .seconds(2))),
        ("reset@1s:2s", .seconds(1), .refuse(.reset, for: .seconds(2))),
        ("malformed@1s", .seconds(1), .malformedFrame),
    ])
    func faultsAreRead(text: String, time: Duration, fault: SimulatorFault) throws {
        let planned = try #require(PlannedFault(text))
        #expect(planned.time == time)
        #expect(planned.fault == fault)
    }

    /// Larger than the streamer takes, and small enough that the exchange does not drop it as a slow reader's backlog.
    @Test func oversizeLiesBetweenTheTwoLimits() throws {
        let planned = try #require(PlannedFault("oversize@1s"))
        guard case .oversizeFrame(let bytes) = planned.fault else {
            Issue.record("not an oversize frame: \(planned.fault)")
            return
        }
        #expect(bytes > RealtimeOddsConfiguration().maximumMessageSize)
        #expect(bytes < SimulatorConfiguration().slowReaderLimit)
    }

    @Test(arguments: [
        "", "drop", "drop@", "drop@10", "drop@1s:2s", "freeze@1s", "freeze@1s:", "freeze@1s:2s:3s", "x@1s", "@1s",
    ])
    func otherTextsAreRefused(text: String) { #expect(PlannedFault(text) == nil) }
}
