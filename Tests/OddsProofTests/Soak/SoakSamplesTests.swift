import OddsProof
import Testing

@Suite struct SoakSamplesTests {
    @Test func twoDaysStayBoundedAndKeepTheExtremes() throws {
        var samples = SoakSamples()
        for number in 0..<34_560 {
            let peak = number == 12_345 ? 900 : 0
            samples.take(
                ProcessGauge(resident: 1_000 + peak, descriptors: 40 + number % 3, threads: 9), at: Double(number) * 5)
        }
        #expect(samples.pieces.count <= 4_000)
        #expect(samples.pieces.count >= 1_000)
        #expect(samples.pieces.compactMap(\.mostResident).max() == 1_900)
        #expect(samples.pieces.compactMap(\.leastResident).min() == 1_000)
        let last = try #require(samples.pieces.last)
        #expect(last.until == 34_559 * 5)
        for (piece, next) in zip(samples.pieces, samples.pieces.dropFirst()) { #expect(piece.until < next.from) }
    }

    @Test func theGroundLeavesOutTheWarmUpAndThePeaks() {
        var samples = SoakSamples()
        for number in 0..<720 {
            let resident = number < 180 ? 10 * number : 2_000 + (number % 5 == 0 ? 0 : 5_000)
            samples.take(ProcessGauge(resident: resident), at: Double(number) * 5)
        }
        let ground = samples.ground(after: 900) { $0.leastResident }
        #expect(ground.count == Trend.mostPoints)
        #expect(ground.allSatisfy { $0.value == 2_000 && $0.time >= 900 })
        #expect(samples.ground(after: 3_500) { $0.leastResident }.isEmpty)
        #expect(samples.ground(after: 0) { $0.leastDescriptors }.isEmpty)
    }

    @Test func theStripStaysBoundedAndLosesNoTime() {
        var strip = StandingStrip()
        var spent = 0.0
        for number in 0..<20_000 {
            strip.take(number % 7 == 0 ? "stale" : "live", for: 0.25, at: Double(number) * 0.25)
            spent += 0.25
        }
        #expect(strip.pieces.count <= 2_880)
        let sum = strip.pieces.reduce(0) { $0 + $1.seconds.values.reduce(0, +) }
        #expect(abs(sum - spent) < 0.001)
        #expect(strip.pieces.allSatisfy { $0.worst == "stale" })
    }
}
