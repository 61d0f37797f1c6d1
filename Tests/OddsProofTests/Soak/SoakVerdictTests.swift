import Foundation
import OddsCore
@testable import OddsProof
import OddsReports
import OddsTestSupport
import PolymarketSimulator
import Testing

@Suite struct SoakVerdictTests {
    private static var record: SoakRecord {
        SoakRecord(program: "1.2.3", source: "simulated", from: 1_800_000_000_000, planned: 3600)
    }

    private static func verdict(_ name: String, of record: SoakRecord) throws -> ReportDocument.Verdict {
        var record = record
        record.judge()
        return try #require(record.verdicts.first { $0.name == name })
    }

    @Test func whatCannotBeToldIsNeitherMetNorFailed() throws {
        var record = Self.record
        record.judge()
        #expect(record.verdicts.count == 6)
        #expect(record.verdicts.allSatisfy { $0.isMet == nil })
        #expect(!record.isFailed)
    }

    @Test(arguments: [(90, true), (89, false), (100, true)]) func spikesAreHeldAgainstNinetyPercent(
        caught: Int, isMet: Bool
    ) throws {
        var record = Self.record
        record.spikes.visible = 100
        record.spikes.caught = caught
        #expect(try Self.verdict("spikes caught", of: record).isMet == isMet)
        record.judge()
        #expect(record.isFailed == !isMet)
    }

    @Test func uptimeIsHeldAgainstThreeNines() throws {
        var record = Self.record
        record.uptime.due = 1000
        record.uptime.up = 998
        record.uptime.share = 0.998
        #expect(try Self.verdict("uptime", of: record).isMet == false)
        record.uptime.excused = 1.5
        record.uptime.ownShare = 998 / 998.5
        let verdict = try Self.verdict("uptime", of: record)
        #expect(verdict.isMet == true)
        #expect(verdict.note.contains("99.8 %"), "the share with the exchange's part is told too")
    }

    @Test func aRecoveryThatIsOursMustTakeTenSecondsAtMost() throws {
        var record = Self.record
        record.recoveries.count = 3
        record.recoveries.slow = 1
        record.recoveries.longest = 42
        record.recoveries.ownLongest = 3
        #expect(try Self.verdict("recovery", of: record).isMet == true)
        record.recoveries.ownSlow = 1
        record.recoveries.ownLongest = 12
        #expect(try Self.verdict("recovery", of: record).isMet == false)
    }

    @Test func growthIsMetFailedOrOpenByItsBounds() throws {
        func memory(_ perHour: Double, noise: Double) throws -> Bool? {
            var record = Self.record
            record.warmUp = 600
            var random = SplitMix64(seed: 3)
            for number in 0..<720 {
                let seconds = Double(number) * 5
                let jitter = Double.random(in: -noise...noise, using: &random)
                let resident = 50_000_000 + perHour * seconds / 3600 + jitter
                record.process.take(ProcessGauge(resident: Int(resident)), at: seconds)
            }
            return try Self.verdict("memory", of: record).isMet
        }
        #expect(try memory(0, noise: 10_000) == true)
        #expect(try memory(20_000_000, noise: 10_000) == false)
        #expect(try memory(1_048_576, noise: 30_000_000) == nil)
    }

    @Test func latencyCountsTheUncertaintyAgainstUs() throws {
        var report = LatencyReport()
        for _ in 0..<100 { report.total.record(900_000_000, .readable) }
        var record = Self.record
        record.latency = LatencyRecord(report)
        #expect(try Self.verdict("latency", of: record).isMet == true)
        report.widest = 150_000_000
        record.latency = LatencyRecord(report)
        #expect(try Self.verdict("latency", of: record).isMet == false)
    }

    @Test func itsJSONIsReadAgainAndGivesTheSameReport() throws {
        var record = Self.record
        var report = LatencyReport()
        for value in 1...500 as ClosedRange<Int64> { report.total.record(value * 100_000, .readable) }
        record.latency = LatencyRecord(report)
        for number in 0..<400 {
            record.process.take(ProcessGauge(resident: 50_000_000 + number, descriptors: 30), at: Double(number) * 5)
            record.strip.take(number == 30 ? "stale" : "live", for: 5, at: Double(number) * 5)
        }
        record.ran = 2000
        record.spikes.missed.append(
            .init(market: "<b>", side: "yes", begin: 1, end: 200, peak: 0.8, faults: ["drop@1s"]))
        record.judge()
        let json = try record.json()
        let registry = ReportRegistry([SoakRecord.self])
        let again = try #require(try registry.report(from: json) as? SoakRecord)
        #expect(try again.json() == json)
        #expect(again.document.verdicts == record.document.verdicts)
        #expect(again.document.sections.map(\.title) == record.document.sections.map(\.title))
        #expect(String(decoding: json, as: UTF8.self).contains("\"schema\" : \"oddstream.soak/1\""))
    }
}

@Suite struct HindrancesTests {
    private static let plan = FaultPlan([
        PlannedFault(at: .seconds(10), SimulatorFault(.refuse(.status(503)), for: .seconds(20))),
        PlannedFault(at: .seconds(15), .drop),
        PlannedFault(at: .seconds(40), SimulatorFault(.freeze, for: .seconds(5))),
        PlannedFault(
            at: .seconds(60),
            SimulatorFault(
                .freeze,
                on: {
                    var t = FaultTarget.all; t.line = .number(0); return t
                }(), for: .seconds(5))),
    ])

    @Test func whatIsOursIsTheTimeWithoutAFault() {
        let hindrances = Hindrances(Self.plan)
        #expect(hindrances.free(from: .seconds(15), until: .seconds(33)) == .seconds(3))
        #expect(hindrances.free(from: .seconds(31), until: .seconds(33)) == .seconds(2))
        #expect(hindrances.free(from: .seconds(15), until: .seconds(25)) == .zero)
        #expect(hindrances.free(from: .seconds(5), until: .seconds(50)) == .seconds(20))
        #expect(Hindrances().free(from: .seconds(5), until: .seconds(50)) == .seconds(45))
        #expect(hindrances.names(from: .seconds(15), until: .seconds(33)) == ["refuse"])
    }

    @Test func faultsThatOverlapCountOnce() {
        let hindrances = Hindrances(
            FaultPlan([
                PlannedFault(at: .seconds(10), SimulatorFault(.freeze, for: .seconds(20))),
                PlannedFault(at: .seconds(12), SimulatorFault(.noSnapshot, for: .seconds(3))),
                PlannedFault(at: .seconds(28), SimulatorFault(.halfOpen, for: .seconds(4))),
            ]))
        #expect(hindrances.free(from: .zero, until: .seconds(40)) == .seconds(18))
        #expect(hindrances.free(from: .seconds(13), until: .seconds(31)) == .zero)
    }

    @Test func aMomentIsHinderedWhileAFaultLasts() {
        let hindrances = Hindrances(Self.plan)
        #expect(!hindrances.isInForce(at: .seconds(9)))
        #expect(hindrances.isInForce(at: .seconds(10)))
        #expect(!hindrances.isInForce(at: .seconds(30)))
        #expect(!Hindrances().isInForce(at: .seconds(10)))
    }

    @Test func onlyAFreezeOfEverybodyHidesOdds() {
        let hindrances = Hindrances(Self.plan)
        #expect(hindrances.hides(from: .seconds(41), until: .seconds(44)))
        #expect(!hindrances.hides(from: .seconds(41), until: .seconds(48)))
        #expect(!hindrances.hides(from: .seconds(61), until: .seconds(62)))
        #expect(!hindrances.hides(from: .seconds(11), until: .seconds(12)))
    }

    @Test func whatIsCuredByAnotherLineOrIsNotTheFeedExcusesNothing() {
        var oneLine = FaultTarget.all
        oneLine.line = .number(0)
        let faults: [SimulatorFault] = [
            SimulatorFault(.freeze, on: oneLine, for: .seconds(10)),
            SimulatorFault(.restSlow(by: .seconds(3)), for: .seconds(10)),
            SimulatorFault(.wrongHash(.every), for: .seconds(10)),
            SimulatorFault(.lose(.next(1)), for: .seconds(10)),
        ]
        let market = Market.sample("btc")
        for fault in faults {
            let hindrances = Hindrances(FaultPlan([PlannedFault(at: .seconds(10), fault)]))
            for subject in [Hindrances.Subject.market(market), .line, .series] {
                #expect(!hindrances.isInForce(for: subject, at: .seconds(15)))
                #expect(hindrances.free(for: subject, from: .seconds(12), until: .seconds(25)) == .seconds(13))
            }
        }
    }

    @Test func aMarketThatIsNotListedExcusesASeriesOnly() {
        let hindrances = Hindrances(
            FaultPlan([PlannedFault(at: .seconds(10), SimulatorFault(.missingMarket(until: nil), for: .seconds(10)))]))
        #expect(hindrances.isInForce(for: .series, at: .seconds(15)))
        #expect(!hindrances.isInForce(for: .market(Market.sample("btc")), at: .seconds(15)))
        #expect(hindrances.unlisted(from: .seconds(15), until: .seconds(40)) == .seconds(5))
    }

    @Test func nothingAtAllIsAnExchangeThatWasNotReached() {
        var record = SoakRecord(program: "1.2.3", source: "wss://a", from: 0, planned: 60)
        record.judge()
        #expect(record.isUnreached)
        #expect(record.untold == ["latency", "uptime"])
        record.counters["frames.received"] = 1
        #expect(!record.isUnreached)
    }
}
