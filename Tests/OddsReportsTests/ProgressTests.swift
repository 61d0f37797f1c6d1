import OddsCore
import OddsTestSupport
import Synchronization
import Testing

@testable import OddsReports

private func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(seconds * 1e9)) }

@Suite struct ProgressTests {
    /// A line that is told once a second that it is evenly on its way, and what it wrote.
    private func transcript(
        _ form: ProgressDisplay.Form, unit: String? = nil, seconds: Int, of whole: Double
    ) -> [String] {
        var line = ProgressLine("Replaying", unit: unit, form: form, now: at(0))
        var texts: [String] = []
        for second in 1...seconds {
            let share = Double(second) / whole
            if let text = line.advanced(
                to: share, count: unit == nil ? nil : Int64(second * 500_000), now: at(Double(second)))
            {
                texts.append("\(second): \(text)")
            }
        }
        if let text = line.finished(now: at(Double(seconds))) { texts.append("end: \(text)") }
        return texts
    }

    @Test func aTerminalHasOneLineThatIsRewrittenAndCleared() {
        let texts = self.transcript(.terminal(width: 80, unicode: true), unit: "frames", seconds: 4, of: 100)
        #expect(
            texts == [
                "2: \rReplaying  ▌░░░░░░░░░░░░░░░░░░░░░░░░░░    2 %  500 k frames/s  about 2 min left\u{1B}[K",
                "3: \rReplaying  ▊░░░░░░░░░░░░░░░░░░░░░░░░░░    3 %  500 k frames/s  about 2 min left\u{1B}[K",
                "4: \rReplaying  █░░░░░░░░░░░░░░░░░░░░░░░░░░    4 %  500 k frames/s  about 2 min left\u{1B}[K",
                "end: \r\u{1B}[K",
            ])
    }

    @Test func aLogHasALineEveryTenSecondsAndThenEveryMinute() {
        let texts = self.transcript(.lines, seconds: 190, of: 200)
        #expect(texts.map { $0.prefix { $0 != ":" } } == ["10", "20", "30", "40", "50", "60", "120", "180", "end"])
        #expect(texts.first == "10: Replaying: 5 %, about 4 min left\n")
        #expect(texts[7] == "180: Replaying: 90 %, about 20 s left\n")
        #expect(texts.last == "end: Replaying: done after 3 min 10 s\n")
    }

    @Test func whatIsOverSoonIsNeverShown() {
        #expect(self.transcript(.terminal(width: 80, unicode: true), seconds: 1, of: 1).isEmpty)
        #expect(self.transcript(.lines, seconds: 9, of: 9).isEmpty)
    }

    @Test func silenceIsSilent() {
        #expect(self.transcript(.silent, seconds: 300, of: 300).isEmpty)
    }

    @Test func nothingIsWiderThanTheTerminal() {
        for width in [1, 8, 20, 30, 40, 60, 200] {
            for text in self.transcript(.terminal(width: width, unicode: false), unit: "frames", seconds: 50, of: 60) {
                let shown = text.drop { $0 != "\r" }.dropFirst().prefix { $0 != "\u{1B}" }
                #expect(shown.count < width || width == 1 && shown.isEmpty)
                #expect(shown.allSatisfy { $0.isASCII })
            }
        }
    }

    @Test func theLineIsNotRewrittenMoreThanFiveTimesASecond() {
        var line = ProgressLine("Replaying", unit: nil, form: .terminal(width: 80, unicode: true), now: at(0))
        let written = (0...10_000).compactMap {
            line.advanced(to: Double($0) / 10_000, count: nil, now: at(Double($0) / 1000))
        }
        #expect((39...41).contains(written.count))
    }

    @Test func theTimeLeftIsHonest() {
        // Even progress: what is told is what comes true, within the grain of the words.
        var estimate = ProgressEstimate(now: at(0))
        for second in 1...299 {
            estimate.advance(to: Double(second) / 300, count: nil, now: at(Double(second)))
            if second >= 5, let left = estimate.state(now: at(Double(second))).left {
                #expect(abs(left - Double(300 - second)) < 1)
            }
        }
        // It becomes four times as slow half way: within half a minute the estimate has come most of the way.
        estimate = ProgressEstimate(now: at(0))
        for second in 1...100 { estimate.advance(to: Double(second) / 200, count: nil, now: at(Double(second))) }
        for second in 101...180 {
            estimate.advance(to: 0.5 + Double(second - 100) / 800, count: nil, now: at(Double(second)))
        }
        let left = estimate.state(now: at(180)).left ?? 0
        #expect(left > 240 && left < 320)
    }

    @Test func aStallMakesTheTimeLeftGrow() {
        var estimate = ProgressEstimate(now: at(0))
        for second in 1...20 { estimate.advance(to: Double(second) / 40, count: nil, now: at(Double(second))) }
        let moving = estimate.state(now: at(20)).left ?? 0
        let stalled = estimate.state(now: at(80)).left ?? .infinity
        #expect(abs(moving - 20) < 1)
        #expect(stalled > 60)
    }

    @Test func nothingIsToldBeforeItCanBeKnown() {
        var estimate = ProgressEstimate(now: at(0))
        #expect(estimate.state(now: at(5)).left == nil)
        estimate.advance(to: .nan, count: nil, now: at(6))
        #expect(estimate.state(now: at(6)).share == 0)
        estimate.advance(to: 0.5, count: nil, now: at(7))
        estimate.advance(to: 0.2, count: nil, now: at(8))
        #expect(estimate.state(now: at(8)).share == 0.5)
    }

    @Test(
        arguments: [
            (0.5, "a few seconds left"), (12, "about 10 s left"), (43, "about 45 s left"), (59, "about 1 min left"),
            (61, "about 2 min left"), (890, "about 15 min left"), (1000, "about 20 min left"), (3540, "about 1 h left"),
            (4000, "about 1 h 10 min left"), (7100, "about 2 h left"), (200_000, "about 2 days left"),
        ] as [(Double, String)])
    func wordsForTheTimeLeft(_ seconds: Double, text: String) {
        #expect(SpanText.left(seconds) == text)
    }

    @Test func hundredPercentIsOnlySaidOfWhatIsDone() {
        var line = ProgressLine("Replaying", unit: nil, form: .lines, now: at(0))
        #expect(line.advanced(to: 0.9999, count: nil, now: at(10))?.contains("99 %") == true)
        #expect(line.advanced(to: 1, count: nil, now: at(20))?.contains("100 %") == true)
    }

    @Test func theDisplayWritesWhatTheLineSays() {
        let clock = ManualClock()
        let texts = Mutex<[String]>([])
        let display = ProgressDisplay("Replaying", form: .terminal(width: 40, unicode: false), clock: clock) { text in
            texts.withLock { $0.append(text) }
        }
        display.advance(to: 0.1)
        clock.advance(by: .seconds(3))
        display.advance(to: 0.5)
        display.hide()
        display.finish()
        display.finish()
        display.advance(to: 0.6)
        #expect(texts.withLock { $0 } == ["\rReplaying   50 %  a few seconds left\u{1B}[K", "\r\u{1B}[K"])
    }
}
