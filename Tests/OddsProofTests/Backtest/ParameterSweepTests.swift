import Testing

@testable import OddsProof

@Suite struct ParameterSweepTests {
    @Test(arguments: [
        ("threshold=0.60:0.90:0.10", ["0.60", "0.70", "0.80", "0.90"]),
        ("threshold=0.6:0.75:0.05", ["0.60", "0.65", "0.70", "0.75"]), ("stake=1:6:2", ["1", "3", "5"]),
        ("entry-after=0:60s:20s", ["0s", "20s", "40s", "60s"]), ("fill-delay=250ms:500ms:250ms", ["250ms", "500ms"]),
        ("stale-policy=warn,halt", ["warn", "halt"]), ("threshold=0.7", ["0.7"]), ("x=1:1:1", ["1"]),
    ])
    func theValuesAreThoseWritten(_ text: String, _ values: [String]) throws {
        #expect(try ParameterSweep(text).values == values)
    }

    @Test(arguments: [
        "", "threshold", "=1", "threshold=", "threshold=0.6:0.9", "threshold=0.6:0.9:0", "threshold=0.9:0.6:0.1",
        "entry-after=0s:1m:20s", "threshold=a:b:c", "threshold=0.1,0.1", "threshold=0.1,,0.2", "x=0:1:0.0000001",
        "x=0:1:0.1:2", "x=-1:1:1", "x=1.:2:1", "x=99999999999999999999:1:1",
    ])
    func whatIsNoSweepIsRefused(_ text: String) {
        #expect(throws: ProofError.self) { try ParameterSweep(text) }
    }

    @Test func theProductHasEveryCombinationOnce() throws {
        let sweeps = [try ParameterSweep("a=1,2"), try ParameterSweep("b=x,y,z")]
        let sets = ParameterSweep.product(sweeps).map { $0.map(\.value).joined() }
        #expect(sets == ["1x", "1y", "1z", "2x", "2y", "2z"])
        #expect(ParameterSweep.count(sweeps) == 6 && ParameterSweep.product([]).count == 1)
        let many = Array(repeating: ParameterSweep(name: "a", values: Array(repeating: "1", count: 10_000)), count: 5)
        #expect(ParameterSweep.count(many) == nil)
    }
}

@Suite struct SampleStatisticsTests {
    /// From tables: the 97.5 % quantiles of Student's t.
    @Test(arguments: [(1, 12.706), (10, 2.228), (11, 2.201), (20, 2.086), (30, 2.042), (60, 2.000), (1000, 1.962)])
    func studentIsThatOfTheTables(_ freedom: Int, _ quantile: Double) {
        #expect(abs(SampleStatistics.student(freedom) - quantile) < 0.001)
    }

    @Test func anIntervalIsTheTextbooks() throws {
        let sample = SampleStatistics([2, 4, 4, 4, 5, 5, 7, 9])
        #expect(sample.mean == 5 && abs((sample.deviation ?? 0) - 2.138_089_935) < 1e-9)
        let interval = try #require(sample.interval)
        #expect(abs(interval.low - 3.2122) < 0.001 && abs(interval.high - 6.7878) < 0.001)
        #expect(SampleStatistics([]).mean == nil && SampleStatistics([1]).interval == nil)
        // Wilson's, 8 of 10.
        let share = try #require(SampleStatistics.share(8, of: 10))
        #expect(abs(share.low - 0.4902) < 0.0005 && abs(share.high - 0.9433) < 0.0005)
        #expect(SampleStatistics.share(0, of: 0) == nil)
        #expect(SampleStatistics.share(5, of: 5).map { $0.high == 1 && $0.low < 0.6 } == true)
    }

    @Test func ranksAgreeOrNot() {
        #expect(SampleStatistics.rankCorrelation([1, 2, 3, 4], [10, 20, 30, 400]) == 1)
        #expect(SampleStatistics.rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1]) == -1)
        #expect(SampleStatistics.rankCorrelation([1, 1, 1], [1, 2, 3]) == nil)
        #expect(SampleStatistics.rankCorrelation([1, 2], [1, 2]) == nil)
    }
}
