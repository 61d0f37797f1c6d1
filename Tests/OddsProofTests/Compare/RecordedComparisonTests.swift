import Foundation
import OddsCore
import OddsProof
import OddsRecording
import OddsTestSupport
import PolymarketSimulator
import Testing

/// The comparison over recordings: of a virtual world, and of a game of ice hockey where that recording is there.
@Suite struct RecordedComparisonTests {
    @Test func whatTwoLinesRecordedIsTheTruthForTheirReplay() throws {
        let recorded = RecordedWorld(
            try RecordedWorld.setting(lines: 2, seed: 1), seed: 1,
            faults: [PlannedFault(at: .seconds(60), SimulatorFault(.drop, on: .line(0)))])
        try recorded.follow()
        recorded.pass(.seconds(180))
        let file = try TemporaryFile(recorded.finish())
        recorded.end()
        var comparison = RecordedComparison()
        comparison.pollers = [.seconds(60), .seconds(5)]
        var shares: [Double] = []
        let figures = try comparison.run(Recording(path: file.path)) { shares.append($0) }
        let stream = try #require(figures.caught(by: .stream, .all))
        #expect(stream.spikes > 5 && stream.caught == stream.spikes)
        #expect(stream.delayMaxMs.map { $0 < 100 } == true)
        #expect(figures.agreement.allSatisfy { $0.compared > 0 && $0.agreeAligned == $0.compared })
        #expect(shares.last == 1 && figures.mode == "recording")
    }

    @Test func aRecordingWithoutRowsIsRefused() throws {
        let file = try TemporaryFile([])
        #expect(throws: (any Error).self) { try RecordedComparison().run(Recording(path: file.path)) }
    }

    static let hockey = "nhl-20260607-first12min.ndjson.gz"

    @Test(.enabled(if: Captures.has(Self.hockey), "The recording is not there: put it beside the package."))
    func aGameOfIceHockey() throws {
        var comparison = RecordedComparison()
        comparison.pollers = [.seconds(60), .seconds(5)]
        let figures = try comparison.run(Recording(path: Captures.folder.appending(path: Self.hockey).path))
        let stream = try #require(figures.caught(by: .stream, .all))
        let minute = try #require(figures.caught(by: .poller(.seconds(60)), .all))
        #expect(figures.markets == 6 && stream.spikes == 5 && stream.caught == 5 && minute.caught == 4)
        #expect(figures.agreement.allSatisfy { $0.agreeAligned == $0.compared })
    }
}
