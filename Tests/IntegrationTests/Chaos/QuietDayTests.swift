import ChaosSupport
import Foundation
import OddsCore
import OddsTestSupport
import Testing

/// A quiet market is left alone; `make chaos` runs whole days of it.
@Suite(.longWork) struct QuietDayTests {
    /// Less than the whole day that a release build does in seconds.
    private static let hours = 1

    @Test(arguments: QuietDay.Flow.allCases)
    func aQuietMarketIsVerifiedAndCausesNoAlarm(flow: QuietDay.Flow) throws {
        var day = QuietDay(hours: Self.hours, lines: 2, flow: flow, witness: .answers)
        try day.run()
        #expect(day.alarms == [])
        #expect(day.disconnects == 0)
        #expect(day.resyncs == 0)
        #expect(day.trusts.isSubset(of: ["live", "resolving", "closed"]))
        #expect(day.questions > Self.hours * 60, "silence is verified")
        #expect(day.questions <= Self.hours * 3600 / 2 * day.mostMarkets, "not more often than every two seconds")
    }

    @Test(arguments: [1, 2])
    func withoutAWitnessTheLinesProveThemselves(lines: Int) throws {
        var day = QuietDay(hours: Self.hours, lines: lines, flow: .hardlyAnything, witness: .unreachable)
        try day.run()
        #expect(day.alarms == [])
        #expect(day.disconnects == 0)
        #expect(day.resyncs > UInt64(Self.hours * 60))
        #expect(day.resyncs <= UInt64(Self.hours * 3600 / 5 * 2 * lines * day.mostMarkets))
    }
}
