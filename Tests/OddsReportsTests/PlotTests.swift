import OddsCore
import Testing

@testable import OddsReports

private typealias Point = ReportDocument.TimeLines.Point
private typealias Band = ReportDocument.TimeLines.Band

@Suite struct ThinningTests {
    @Test func extremesAreKept() {
        // One value in ten thousand leaps up, another one down.
        let points = (0..<100_000).map { (index: Int) -> Point in
            let leap: Double? = index % 10_000 == 5000 ? 100 : index % 10_000 == 7000 ? -100 : nil
            return Point(Int64(index), leap ?? Double(index % 7))
        }
        let scale = TimeScale(0, 100_000)
        let thinned = Thinning.points(points, on: scale, columns: 800)
        #expect(thinned.count <= 800 * 5)
        #expect(thinned.filter { $0.value == 100 }.count == 10)
        #expect(thinned.filter { $0.value == -100 }.count == 10)
        #expect(thinned.first == points.first)
        #expect(thinned.last == points.last)
        #expect(zip(thinned, thinned.dropFirst()).allSatisfy { $0.time < $1.time })
    }

    @Test func everyColumnKeepsItsRange() {
        var random = SampleNumbers(5)
        let points = (0..<20_000).map { Point(Int64($0), random.bell()) }
        let scale = TimeScale(0, 20_000)
        let thinned = Thinning.points(points, on: scale, columns: 100)
        for column in 0..<100 {
            func isHere(_ point: Point) -> Bool { Int(scale.position(point.time) * 100) == column }
            let before = points.filter(isHere).compactMap(\.value)
            let after = thinned.filter(isHere).compactMap(\.value)
            #expect(before.min() == after.min())
            #expect(before.max() == after.max())
            #expect(before.first == after.first)
            #expect(before.last == after.last)
        }
    }

    @Test func gapsAreKept() {
        let points = (0..<50_000).map { Point(Int64($0), (20_000..<30_000).contains($0) ? nil : 1) }
        let thinned = Thinning.points(points, on: TimeScale(0, 50_000), columns: 100)
        let gap = thinned.filter { (20_000..<30_000).contains($0.time) }
        #expect(!gap.isEmpty)
        #expect(gap.allSatisfy { $0.value == nil })
    }

    @Test func fewPointsAreLeftAloneAndPutInOrder() {
        let points = [Point(5, 2), Point(1, .nan), Point(3, 4), Point(3, 5)]
        #expect(
            Thinning.points(points, on: TimeScale(0, 10), columns: 100) == [
                Point(1, nil), Point(3, 4), Point(3, 5), Point(5, 2),
            ])
    }

    @Test func shortOutagesStayVisible() {
        // A state a second for a day, and one outage of a second.
        let spans = (0..<86_400).map { (second: Int) -> Band in
            let begin = Int64(second) * 1000
            return second == 50_000
                ? Band(from: begin, until: begin + 999, label: "down", tone: .bad)
                : Band(from: begin, until: begin + 999, label: "live", tone: .good)
        }
        let thinned = Thinning.spans(spans, on: TimeScale(0, 86_400_000), columns: 600)
        #expect(thinned.states.allSatisfy { $0.tone == .good })
        #expect(thinned.brief.count == 1)
        #expect(thinned.brief.first.map { $0.from <= 50_000_000 && $0.until >= 50_000_999 } == true)
        #expect(thinned.brief.first?.label == "down")
        // A long one is a state.
        let worse = spans.map { (span: Band) -> Band in
            guard span.from >= 40_000_000, span.from < 50_000_000 else { return span }
            return Band(from: span.from, until: span.until, label: "down", tone: .bad)
        }
        let long = Thinning.spans(worse, on: TimeScale(0, 86_400_000), columns: 600)
        #expect(long.states.filter { $0.tone == .bad }.count == 1)
    }

    @Test func neighboursOfOneStateAreOne() {
        let spans = (0..<10).map { Band(from: $0 * 10, until: $0 * 10 + 10, label: "live", tone: .good) }
        #expect(
            Thinning.spans(spans, on: TimeScale(0, 100), columns: 600).states == [
                Band(from: 0, until: 100, label: "live", tone: .good)
            ])
    }
}

@Suite struct TickTests {
    @Test(
        arguments: [
            (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]), (0, 100, ["0", "20", "40", "60", "80", "100"]),
            (37.2, 38.9, ["37.5", "38.0", "38.5"]), (-12, 14, ["−10", "−5", "0", "5", "10"]),
            (0, 12_345, ["0", "2,500", "5,000", "7,500", "10,000"]),
            (0.0012, 0.0031, ["0.0015", "0.0020", "0.0025", "0.0030"]),
        ] as [(Double, Double, [String])])
    func ticksAreRoundNumbers(_ lower: Double, upper: Double, labels: [String]) {
        #expect(Scale(lower, upper).ticks(about: 4).map(\.label) == labels)
    }

    @Test func logarithmicTicksArePowersOfTenOrParts() {
        #expect(
            Scale(0.5, 20_000, isLogarithmic: true).ticks(about: 5).map(\.label) == [
                "1", "10", "100", "1,000", "10,000",
            ])
        #expect(
            Scale(3, 700, isLogarithmic: true).ticks(about: 5).map(\.label) == [
                "5", "10", "20", "50", "100", "200", "500",
            ])
        #expect(Scale(1, 10, isLogarithmic: true).ticks(about: 5).first?.position == 0)
        // Twelve decades are named every second one at most.
        #expect(Scale(1e-6, 1e6, isLogarithmic: true).ticks(about: 5).count <= 8)
        // Less than a decade still has ticks.
        #expect(Scale(41, 44, isLogarithmic: true).ticks(about: 5).count >= 2)
    }

    @Test func positionsOfALogarithmicAxis() {
        let scale = Scale(1, 10_000, isLogarithmic: true)
        #expect(abs(scale.position(100) - 0.5) < 1e-12)
        #expect(scale.position(0) == 0)
        #expect(scale.position(1e9) == 1)
        #expect(abs(Logarithm.of(10) - 2.302_585_092_994_046) < 1e-12)
        #expect(abs(Logarithm.of(1e-9) + 20.723_265_836_946_41) < 1e-11)
    }

    @Test func timesAreRoundTimesOfDay() {
        // 2026-11-22T13:45:00Z and an hour.
        let hour = TimeScale(Samples.begin, Samples.begin + 3_600_000).ticks(atMost: 6)
        #expect(hour.map(\.label) == ["13:45", "14:00", "14:15", "14:30", "14:45"])
        #expect(hour.map(\.under) == ["22 Nov 2026 UTC", "", "", "", ""])
        let days = TimeScale(Samples.begin, Samples.begin + 172_800_000).ticks(atMost: 6)
        #expect(days.map(\.label) == ["00:00", "12:00", "00:00", "12:00"])
        #expect(days.map(\.under) == ["23 Nov 2026 UTC", "", "24 Nov 2026", ""])
        let month = TimeScale(Samples.begin, Samples.begin + 30 * 86_400_000).ticks(atMost: 6)
        #expect(month.map(\.label) == ["26 Nov", "3 Dec", "10 Dec", "17 Dec"])
        let blink = TimeScale(Samples.begin, Samples.begin + 40).ticks(atMost: 6)
        #expect(blink.map(\.label) == ["13:45:00.000", "13:45:00.010", "13:45:00.020", "13:45:00.030", "13:45:00.040"])
    }

    @Test(arguments: [1, 7, 999, 60_001, 3_600_000, 86_400_000, 1_000_000_000_000] as [Int64])
    func ticksAreFewAndInside(_ span: Int64) {
        let ticks = TimeScale(Samples.begin + 123, Samples.begin + 123 + span).ticks(atMost: 6)
        #expect((1...7).contains(ticks.count))
        #expect(ticks.allSatisfy { (0...1).contains($0.position) })
    }
}

@Suite struct NumberTextTests {
    @Test func numbersAreReadable() {
        #expect(NumberText.significant(0.012345) == "0.0123")
        #expect(NumberText.significant(4.56) == "4.56")
        #expect(NumberText.significant(78.91) == "78.9")
        #expect(NumberText.significant(1234.4) == "1,234")
        #expect(NumberText.significant(-0.5) == "−0.5")
        #expect(NumberText.significant(0) == "0")
        #expect(NumberText.significant(.nan) == "–")
        #expect(NumberText.short(1_234_567) == "1.2 M")
        #expect(NumberText.short(999_600) == "1 M")
        #expect(NumberText.short(34_200) == "34 k")
        #expect(NumberText.short(12) == "12")
        #expect(NumberText.fixed(-0.001, decimals: 2) == "0.00")
        #expect(NumberText.fixed(1e300, decimals: 2) == "1e+300")
        #expect(KeyValues.share(99.999) == ">99.99 %")
        #expect(KeyValues.share(0.0001) == "<0.01 %")
        #expect(KeyValues.share(50) == "50.0 %")
    }
}

@Suite struct RebinningTests {
    @Test func nothingIsLostAndNothingIsAdded() {
        let buckets = Samples.buckets(around: 9, width: 5, count: 4321, seed: 3)
        let plot = ReportDocument.Distribution(
            "a", axis: "b", isLogarithmic: true, groups: [.init("c", tone: .first, buckets: buckets)])
        let bins = Rebinning.bins(buckets, on: Rebinning.scale(plot), count: 96)
        #expect(abs(bins.reduce(0, +) - 4321) < 1e-6)
        #expect(bins.allSatisfy { $0 >= 0 })
    }

    @Test func aCountIsSharedOutByWidth() {
        let scale = Scale(0, 10)
        #expect(Rebinning.bins([.init(from: 0, until: 10, count: 10)], on: scale, count: 5) == [2, 2, 2, 2, 2])
        #expect(Rebinning.bins([.init(from: 3, until: 3, count: 4)], on: scale, count: 5) == [0, 4, 0, 0, 0])
    }

    @Test func whatIsZeroHasAPlaceOnALogarithmicAxis() {
        let plot = ReportDocument.Distribution(
            "a", axis: "b", isLogarithmic: true,
            groups: [
                .init(
                    "c", tone: .first,
                    buckets: [.init(from: 0, until: 1, count: 5), .init(from: 1, until: 2, count: 5)])
            ])
        let scale = Rebinning.scale(plot)
        #expect(scale.lower > 0)
        #expect(scale.lower < 1)
        #expect(abs(Rebinning.bins(plot.groups[0].buckets, on: scale, count: 10).reduce(0, +) - 10) < 1e-9)
    }
}
