import Foundation
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
        ("malformed@1s", .seconds(1), .malformedFrame), ("truncate@1s", .seconds(1), .malformedFrame),
        ("half-open@1s:30s", .seconds(1), SimulatorFault(.halfOpen, for: .seconds(30))),
        ("ghost-book@1s:3s", .seconds(1), SimulatorFault(.ghostBook(age: .seconds(60)), for: .seconds(3))),
        ("cut@1s", .seconds(1), SimulatorFault(.cut)), ("recover@1s", .seconds(1), .recover),
    ])
    func faultsAreRead(text: String, time: Duration, fault: SimulatorFault) throws {
        let planned = try #require(PlannedFault(text))
        #expect(planned.at == time)
        #expect(planned.fault == fault)
    }

    /// Larger than the streamer takes, and small enough that the exchange does not drop it as a slow reader's backlog.
    @Test func oversizeLiesBetweenTheTwoLimits() throws {
        let planned = try #require(PlannedFault("oversize@1s"))
        guard case .oversize(let bytes) = planned.fault.kind else {
            Issue.record("not an oversize frame: \(planned.fault)")
            return
        }
        #expect(bytes > RealtimeOddsConfiguration().maximumMessageSize)
        #expect(bytes < SimulatorConfiguration().slowReaderLimit)
    }

    @Test(arguments: [
        "", "drop", "drop@", "drop@10", "drop@1s:2s", "freeze@1s", "freeze@1s:", "freeze@1s:2s:3s", "x@1s", "@1s",
        "delay@1s:2s", "cut@1s:2s", "half-open@1s", "recover@1s:1s", "drop\"@1s",
    ])
    func otherTextsAreRefused(text: String) { #expect(PlannedFault(text) == nil) }

    /// What the help promises is taken, and what it leaves out needs more than a name.
    @Test func theHelpNamesEveryKindThatIsTaken() {
        for name in FaultPlan.names {
            let isTaken = PlannedFault("\(name)@1s") != nil || PlannedFault("\(name)@1s:2s") != nil
            let words = PlannedFault.allowed.split { !($0.isLetter || $0 == "-") }.map(String.init)
            #expect(words.contains(name) == isTaken, "\(name)")
        }
    }

    @Test func aFileAndSingleFaultsMakeOnePlan() throws {
        try withPlan(#"{"at":"2s","fault":"freeze","on":"line 0","for":"1s"}"#) { path in
            let settings = try Settings(
                options: [.fault: "drop@3s,malformed@1s", .faults: path], environment: [:], file: nil)
            let freeze = SimulatorFault(.freeze, on: .line(0), for: .seconds(1))
            #expect(
                try settings.faultPlan().faults == [
                    PlannedFault(at: .seconds(1), .malformedFrame), PlannedFault(at: .seconds(2), freeze),
                    PlannedFault(at: .seconds(3), .drop),
                ])
        }
        #expect(try Settings(options: [:], environment: [:], file: nil).faultPlan() == FaultPlan())
    }

    @Test func aPlanThatCannotBeReadIsNamedWithLineAndKey() throws {
        try withPlan("{\"fault\":\"drop\"}\n{\"fault\":\"freeze\",\"until\":\"1s\"}\n") { path in
            let settings = try Settings(options: [.faults: path], environment: [:], file: nil)
            let error = #expect(throws: ConfigurationError.self) { try settings.faultPlan() }
            #expect(error?.description.hasPrefix("--faults: \(path), line 2:") == true)
            #expect(error?.description.contains(#""until""#) == true)
        }
        let settings = try Settings(options: [.faults: "/nowhere/plan"], environment: [:], file: nil)
        #expect(throws: ConfigurationError.self) { try settings.faultPlan() }
    }

    private func withPlan(_ text: String, _ body: (String) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "plan-\(UUID().uuidString).json")
        try Data(text.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        try body(url.path())
    }
}
