import Testing

@testable import OddsReports

@Suite struct TerminalReportTests {
    @Test(arguments: ReportDocument.samples) func summariesFit(_ sample: Sample) {
        for width in [40, 60, 80, 100, 200] {
            for unicode in [true, false] {
                let lines = TerminalReport(width: width, colour: false, unicode: unicode).lines(of: sample.document)
                #expect(lines.count <= TerminalReport.most)
                let ink = TerminalInk(colour: false, unicode: unicode)
                for line in lines {
                    #expect(ink.width(line) <= width, "\(width) columns: \(line)")
                    #expect(!line.unicodeScalars.contains { $0.value < 0x20 })
                    if !unicode { #expect(line.allSatisfy { $0.isASCII }, "\(line)") }
                }
            }
        }
    }

    @Test(arguments: ReportDocument.samples) func colourChangesNothingButColour(_ sample: Sample) {
        let plain = TerminalReport(width: 90, colour: false, unicode: true).lines(of: sample.document)
        let coloured = TerminalReport(width: 90, colour: true, unicode: true).lines(of: sample.document)
        #expect(coloured != plain)
        #expect(coloured.map { $0.replacing(/\u{1B}\[[0-9;]*m/, with: "") } == plain)
    }

    @Test func verdictsAreReadFirst() {
        let lines = TerminalReport(width: 100, colour: false, unicode: true).lines(of: Samples.compare)
        #expect(
            lines.prefix(11) == [
                "Streamer against poller",
                "One hour of btc-updown-5m in virtual time, with faults. The stream caught 211 of 212 spikes; the",
                "poller that asks once a minute caught 31.",
                "",
                "✗ 1 of 4 demands is not met, 1 cannot be told",
                "  ✓ met      spikes caught by the stream     99.5 % (211 of 212)   at least 99 %",
                "  ✗ not met  agreement at the poll instants  99.86 % (719 of 720)  100 % after alignment",
                "             One poll fell into an outage of both lines of 2.1 s.",
                "  ✓ met      delay of the catch, p99         84 ms                 under 1 s",
                "  ? open     odds paid for the delay         cannot be told        less than the poller",
                "             The poller caught too few spikes for a fair mean.",
            ])
    }

    @Test func aDemandIsNeverCut() {
        var document = ReportDocument(kind: "soak", title: "a", lead: "")
        document.verdicts = [
            .init(name: "back after a fault", demanded: "within 10 s", measured: "3.8 s at most", isMet: true)
        ]
        let lines = TerminalReport(width: 50, colour: false, unicode: true).lines(of: document)
        #expect(lines.suffix(2) == ["  ✓ met      back after a fault  3.8 s at most", "             within 10 s"])
    }

    @Test func linesAreDrawnAsBlocks() {
        var plot = ReportDocument.TimeLines(
            "Odds", axis: "odds",
            lines: [
                .init(
                    "a", tone: .first, style: .steps,
                    points: [.init(0, 0), .init(50_000, 1), .init(75_000, nil), .init(100_000, nil)]),
                .init("b", tone: .second, style: .points, points: [.init(0, 0.5), .init(99_999, 1)]),
            ])
        plot.bands = [.init(from: 50_000, until: 60_000, label: "spike", tone: .good)]
        let lines = TerminalPlots(width: 80, ink: TerminalInk(colour: false, unicode: true)).timeLines(plot)
        #expect(lines[0] == "Odds  odds")
        // Half of it low, a quarter high, a quarter empty.
        let bars = lines[1].dropFirst(5).prefix { $0 != "0" }
        let columns = 80 - 5 - 2 - "0.5 to 1".count
        #expect(abs(bars.filter { $0 == "▁" }.count - columns / 2) <= 1)
        #expect(abs(bars.filter { $0 == "█" }.count - columns / 4) <= 1)
        #expect(lines[3].contains("▇"))
        #expect(lines.last?.hasSuffix("UTC") == true)
    }

    @Test func aStripShowsEveryOutage() {
        let spans = (0..<1000).map { (index: Int) -> ReportDocument.TimeLines.Band in
            let begin = Int64(index) * 1000
            return index == 500
                ? .init(from: begin, until: begin + 1000, label: "down", tone: .bad)
                : .init(from: begin, until: begin + 1000, label: "live", tone: .good)
        }
        let lines = TerminalPlots(width: 60, ink: TerminalInk(colour: false, unicode: true))
            .strip(.init("Uptime", rows: [.init("odds", spans: spans)]))
        #expect(lines[1].filter { $0 == "×" }.count == 1)
        #expect(lines[1].filter { $0 == "▇" }.count == 60 - 8 - 1)
        #expect(lines.last == "  ▇ live  × down")
    }

    @Test func hostileTextDoesNotReachTheTerminal() {
        var document = ReportDocument(kind: "x", title: "\u{1B}]0;owned\u{7}\u{9B}31m", lead: "a\u{1B}[2J\rb\u{202E}c")
        document.verdicts = [.init(name: "\u{1B}[1m", demanded: "\u{8}", measured: "\n", isMet: nil, note: "\u{1B}c")]
        document.sections = [
            .init("s", [.table(.init("\u{1B}", columns: [.init("\u{7F}")], rows: [["\u{85}\u{1B}[31m"]]))])
        ]
        let lines = TerminalReport(width: 80, colour: false, unicode: true).lines(of: document)
        for line in lines {
            #expect(
                !line.unicodeScalars.contains {
                    $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) || $0.value == 0x202E
                })
        }
    }

    @Test func wideCharactersCountTwice() {
        let ink = TerminalInk(colour: false, unicode: true)
        #expect(ink.width("日本") == 4)
        #expect(ink.cut("日本語", to: 5) == "日本…")
        #expect(ink.padded("日", to: 4) == "日  ")
    }
}
