import OddsCore
import Testing

@testable import oddstream

@Suite struct WatchTableTests {
    private let plain = TextStyle(colour: false, unicode: true)

    private func lines(_ width: Int, _ height: Int = 24, frame: WatchFrame = Sample.frame()) -> [String] {
        WatchTable(width: width, height: height, style: self.plain).lines(frame)
    }

    @Test func aWideTerminalShowsEverything() {
        let lines = self.lines(120).map { String($0.reversed().drop { $0 == " " }.reversed()) }
        #expect(
            lines == [
                "oddstream   16:05:00 UTC   52.3 messages/s   http://127.0.0.1:8787/",
                "line 0   live   4 tokens   data 12 ms ago",
                "",
                "MARKET                         LEFT  SIDE    ODDS     BID    ASK  SPREAD  LAST  TRUST         AGE",
                "btc-updown-15m-1764000000     10:00  Up     72.0%▲   0.71   0.73    0.02  0.72  live       120 ms",
                "current 16:00–16:15                  Down   28.0%    0.27   0.29    0.02     -",
                "btc-updown-15m-1764000900  in 10:00  Up         -       -      -       -        no odds         -",
                "next 16:15–16:30                     Down       -       -      -       -",
                "",
                "Ctrl-C ends.",
            ])
    }

    @Test(arguments: [12, 20, 33, 40, 60, 72, 80, 100, 132, 200])
    func noLineIsWiderThanTheTerminal(width: Int) {
        let frame = Sample.frame(
            events: [String(repeating: "an event ", count: 30)], log: [String(repeating: "a log line ", count: 30)])
        for line in self.lines(width, frame: frame) { #expect(line.count <= width, "\(line)") }
    }

    @Test func aNarrowTerminalKeepsMarketSideAndOdds() throws {
        let lines = self.lines(80)
        let header = try #require(lines.first { $0.hasPrefix("MARKET") })
        for title in ["LEFT", "SIDE", "ODDS", "BID", "ASK", "SPREAD", "TRUST", "AGE"] {
            #expect(header.contains(title))
        }
        #expect(!header.contains("LAST"))
        let narrow = self.lines(40)
        let row = try #require(narrow.first { $0.contains("Up") })
        #expect(row.contains("72.0%"))
        #expect(row.contains("000000"), "the end of a slug tells markets apart: \(row)")
    }

    @Test(arguments: [4, 6, 8, 10, 16, 24])
    func aLowTerminalIsNotOverrun(height: Int) {
        let rows = (0..<12).map { _ in Sample.row() }
        let lines = self.lines(100, height, frame: Sample.frame(rows: rows, events: ["one", "two"], log: ["three"]))
        #expect(lines.count <= height)
    }

    @Test func marketsThatDoNotFitAreCounted() {
        let lines = self.lines(100, 16, frame: Sample.frame(rows: (0..<12).map { _ in Sample.row() }))
        let shown = lines.filter { $0.contains("Up ") }.count
        #expect(shown > 0)
        #expect(lines.contains("\(12 - shown) more markets do not fit."))
    }

    @Test func aSideOverSeventyPercentStandsOutWithAndWithoutColour() throws {
        let colour = WatchTable(width: 120, height: 24, style: TextStyle(colour: true, unicode: false))
        let marked = try #require(colour.lines(Sample.frame()).first { $0.contains("Up ") })
        #expect(marked.hasPrefix("\u{1B}[1;30;42m"))
        #expect(marked.contains("72.0%^"))
        let calm = Sample.frame(rows: [Sample.row(Sample.snapshot(bid: 0.68, ask: 0.70))])
        let unmarked = try #require(colour.lines(calm).first { $0.contains("Up ") })
        #expect(!unmarked.contains("42m") && !unmarked.contains("^"))
        let exactly = Sample.frame(rows: [Sample.row(Sample.snapshot(bid: 0.69, ask: 0.71))])
        #expect(self.lines(120, frame: exactly).contains { $0.contains("70.0%▲") })
    }

    @Test func trustIsShownWithItsReason() throws {
        let frame = Sample.frame(rows: [Sample.row(Sample.snapshot(trust: .suspect(.crossed)))])
        let lines = self.lines(120, frame: frame)
        #expect(try #require(lines.first { $0.contains("Up ") }).contains("suspect"))
        #expect(try #require(lines.first { $0.contains("Down ") }).contains("crossed"))
    }

    @Test func aLineThatIsDownSaysWhy() {
        let lines = self.lines(120, frame: Sample.frame(line: Sample.line("waiting")))
        #expect(lines[1].contains("waiting"))
        #expect(lines[1].hasSuffix("connection refused"))
        #expect(!self.lines(120)[1].contains("refused"))
    }

    @Test func withoutMarketsItSaysWhatIsGoingOn() {
        #expect(self.lines(80, frame: Sample.frame(rows: [])).contains("No market yet."))
    }

    @Test func absentSidesAreDashesNotZeros() throws {
        let frame = Sample.frame(rows: [Sample.row(Sample.snapshot(bid: nil, ask: 0.01))])
        let row = try #require(self.lines(120, frame: frame).first { $0.contains("Up ") })
        #expect(row.contains("    -   0.01       -"))
    }
}

@Suite struct ScreenDiffTests {
    @Test func onlyChangedLinesAreSent() {
        var screen = ScreenDiff()
        #expect(screen.update(to: ["a", "b"], width: 80, height: 24).hasPrefix("\u{1B}[2J\u{1B}[1;1Ha"))
        #expect(screen.update(to: ["a", "b"], width: 80, height: 24).isEmpty)
        #expect(screen.update(to: ["a", "c"], width: 80, height: 24) == "\u{1B}[2;1Hc\u{1B}[0m\u{1B}[K")
        #expect(screen.update(to: ["a"], width: 80, height: 24) == "\u{1B}[2;1H\u{1B}[0m\u{1B}[K")
        #expect(screen.update(to: ["a"], width: 81, height: 24) == "\u{1B}[2J\u{1B}[1;1Ha\u{1B}[0m\u{1B}[K")
    }
}

@Suite struct TextStyleTests {
    @Test func theEnvironmentDecides() {
        #expect(TextStyle(environment: ["LANG": "C.UTF-8"]) == TextStyle(colour: true, unicode: true))
        #expect(
            TextStyle(environment: ["LANG": "en_US.utf8", "NO_COLOR": "1"]) == TextStyle(colour: false, unicode: true))
        #expect(TextStyle(environment: ["NO_COLOR": ""]) == TextStyle(colour: true, unicode: false))
        #expect(TextStyle(environment: ["LC_ALL": "C", "LANG": "C.UTF-8"]).unicode == false)
    }

    @Test func textIsCutVisibly() {
        let style = TextStyle(colour: false, unicode: true)
        #expect(style.cut("abcdef", to: 6) == "abcdef")
        #expect(style.cut("abcdef", to: 4) == "abc…")
        #expect(style.cut("btc-updown-15m-1764000000", to: 13, keepingEnd: true) == "btc-u…4000000")
        #expect(style.cut("abc", to: 1) == "a")
        #expect(style.cut("abc", to: 0).isEmpty)
    }
}
