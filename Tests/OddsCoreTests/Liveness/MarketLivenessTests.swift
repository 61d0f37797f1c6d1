import OddsCore
import Testing

/// The ladder as transcripts: what the lines show and the witness says, and what is done about it.
@Suite struct MarketLivenessTests {
    /// One line or two, sampled four times a second.
    private struct Transcript {
        var ladder = MarketLiveness(now: Transcript.time(0))
        var now = 0.0
        var sights: [MarketLiveness.Sight]

        static func time(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(seconds * 1e9)) }

        init(lines: Int = 1) {
            self.sights = (0..<lines).map {
                MarketLiveness.Sight(line: $0, isUp: true, isTrusted: true, newest: nil, complete: nil, snapshots: 0)
            }
        }

        /// Every line has this stamp, or one of them.
        mutating func stamp(_ milliseconds: Int64, line: Int? = nil) {
            for index in self.sights.indices where line ?? index == index {
                self.sights[index].newest = Timestamp(milliseconds: milliseconds)
                self.sights[index].complete = Timestamp(milliseconds: milliseconds)
            }
        }

        /// Whole books came on a line.
        mutating func books(line: Int = 0) { self.sights[line].snapshots += 2 }

        /// Samples until a time, and what was done with the times.
        mutating func pass(until end: Double, flowing: Bool = false) -> [String] {
            var log: [String] = []
            while self.now + 0.25 <= end {
                self.now += 0.25
                if flowing { self.stamp(Int64(self.now * 1000)) }
                for action in self.ladder.sample(self.sights, now: Self.time(self.now)) {
                    log.append("\(self.now) \(action.word)")
                }
            }
            return log
        }

        mutating func answer(_ testimony: MarketLiveness.Testimony) -> [String] {
            self.ladder.answered(testimony, now: Self.time(self.now)).map(\.word)
        }

        /// The usual beginning: books at once, then data for a while.
        mutating func run(until end: Double) {
            for index in self.sights.indices { self.books(line: index) }
            #expect(self.pass(until: end, flowing: true) == [])
        }
    }

    private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    @Test func aBusyMarketIsLeftAlone() {
        var script = Transcript()
        script.run(until: 60)
        #expect(!script.ladder.isCarried)
    }

    @Test func aQuietMarketIsVerifiedAgainAndAgain() {
        var script = Transcript()
        script.run(until: 10)
        #expect(script.pass(until: 12) == ["12.0 ask"])
        #expect(script.answer(.books(at(10_000), agreeing: [0])) == ["confirm 0"])
        #expect(script.pass(until: 14) == ["14.0 ask"])
        #expect(script.answer(.books(at(10_000), agreeing: [0])) == ["confirm 0"])
        #expect(script.pass(until: 15.75) == [])
    }

    @Test func theRhythmOfASlowMarketIsLearnt() {
        var script = Transcript()
        script.run(until: 1)
        for second in [4.0, 7, 10, 13, 16] {
            let asked = script.pass(until: second - 0.25)
            if !asked.isEmpty { _ = script.answer(.books(script.sights[0].newest ?? at(0), agreeing: [0])) }
            script.stamp(Int64(second * 1000))
            _ = script.pass(until: second)
        }
        #expect(script.ladder.patience == .seconds(5))
    }

    @Test func anOutageIsNoRhythm() {
        var script = Transcript()
        script.run(until: 10)
        _ = script.pass(until: 12)
        _ = script.answer(.books(at(11_900), agreeing: []))
        _ = script.pass(until: 12.5)
        script.sights[0].isTrusted = false
        #expect(script.ladder.isCarried)
        _ = script.pass(until: 30)
        script.books()
        script.stamp(30_100)
        script.sights[0].isTrusted = true
        #expect(script.pass(until: 30.25).contains("30.25 stopServing"))
        #expect(script.ladder.patience == .seconds(2), "a second freeze is noticed as soon as the first")
    }

    @Test func silenceThatNobodyCouldExplainIsNoRhythm() {
        var script = Transcript()
        script.run(until: 10)
        for second in stride(from: 12.0, through: 18, by: 1) {
            _ = script.pass(until: second)
            _ = script.answer(.useless("no answer"))
        }
        script.stamp(18_100)
        #expect(script.pass(until: 18.25).contains("18.25 believe"))
        #expect(script.ladder.patience == .seconds(2))
    }

    @Test func aFrozenMarketIsServedFromTheWitnessAndItsLineGivenUp() {
        var script = Transcript()
        script.run(until: 10)
        #expect(script.pass(until: 12) == ["12.0 ask"])
        #expect(script.answer(.books(at(11_900), agreeing: [])) == [])
        #expect(
            script.pass(until: 12.5)
                == ["12.5 tell frozen [0] since 10.0", "12.5 serve", "12.5 distrust 0 until 11900"])
        script.sights[0].isTrusted = false
        #expect(script.ladder.isCarried)
        #expect(script.pass(until: 13.5) == ["13.0 ask"])
        #expect(script.answer(.books(at(13_400), agreeing: [])) == ["serve", "distrust 0 until 13400"])
        #expect(script.pass(until: 14.5) == ["14.0 ask"])
        _ = script.answer(.books(at(14_400), agreeing: []))
        #expect(script.pass(until: 15.5) == ["15.0 ask", "15.5 reconnect 0"])
    }

    @Test func whatIsOnItsWayIsNoFreeze() {
        var script = Transcript()
        script.run(until: 10)
        _ = script.pass(until: 12)
        #expect(script.answer(.books(at(12_010), agreeing: [])) == [])
        script.stamp(12_010)
        #expect(script.pass(until: 13.75) == [])
    }

    @Test func booksThatDifferWithTheSameStampAreAFreezeToo() {
        var script = Transcript()
        script.run(until: 10)
        _ = script.pass(until: 12)
        #expect(script.answer(.books(at(10_000), agreeing: [])) == [])
        #expect(script.pass(until: 12.5).contains("12.5 serve"))
    }

    @Test func theStreamIsReturnedToAsSoonAsALineIsTrusted() {
        var script = Transcript()
        script.run(until: 10)
        _ = script.pass(until: 12)
        _ = script.answer(.books(at(11_900), agreeing: []))
        _ = script.pass(until: 12.5)
        script.sights[0].isTrusted = false
        script.books()
        script.stamp(12_600)
        script.sights[0].isTrusted = true
        #expect(script.pass(until: 12.75) == ["12.75 stopServing", "12.75 tell over"])
        #expect(!script.ladder.isCarried)
    }

    @Test func aWitnessThatIsOfNoHelpMakesTheLinesProveThemselves() {
        var script = Transcript()
        script.run(until: 10)
        _ = script.pass(until: 12)
        #expect(script.answer(.useless("it gave a ghost")) == ["refresh 0"])
        script.books()
        #expect(script.pass(until: 13.5) == [], "fresh books are proof enough")
    }

    @Test func silenceThatNobodyExplainsIsSuspect() {
        var script = Transcript()
        script.run(until: 10)
        _ = script.pass(until: 12)
        #expect(script.answer(.useless("no route")) == ["refresh 0"])
        #expect(script.pass(until: 13) == ["13.0 ask"])
        #expect(script.answer(.useless("no route")) == [])
        #expect(script.pass(until: 14) == ["14.0 ask"])
        #expect(script.answer(.useless("no route")) == ["doubt", "tell unverified no route"])
        script.sights[0].isTrusted = false
        _ = script.pass(until: 20)
        script.stamp(20_100)
        #expect(script.pass(until: 20.25).contains("20.25 believe"))
    }

    @Test func aSlowWitnessDoesNotPutTheDoubtOff() {
        var script = Transcript()
        script.run(until: 10)
        _ = script.pass(until: 12)
        #expect(script.answer(.useless("no route")) == ["refresh 0"])
        #expect(
            script.pass(until: 14) == ["13.0 ask", "14.0 doubt", "14.0 tell unverified no answer yet"],
            "two seconds after the fresh books were asked for, whatever the question is waiting for")
    }

    @Test func linesThatAreFrozenTogetherAreGivenUpInTurn() {
        var script = Transcript(lines: 2)
        script.run(until: 10)
        _ = script.pass(until: 12)
        _ = script.answer(.books(at(11_900), agreeing: []))
        _ = script.pass(until: 12.5)
        for index in 0...1 { script.sights[index].isTrusted = false }
        let log = script.pass(until: 20).filter { $0.contains("reconnect") }
        #expect(log == ["15.5 reconnect 0", "18.5 reconnect 1"])
    }

    @Test func anAnswerThatDoesNotComeCountsAsNone() {
        var script = Transcript()
        script.run(until: 10)
        #expect(script.pass(until: 13.75) == ["12.0 ask"])
        #expect(script.pass(until: 14) == ["14.0 refresh 0"])
    }

    @Test func aLineBehindItsTwinIsRedrivenThenReconnected() {
        var script = Transcript(lines: 2)
        script.run(until: 10)
        var log: [String] = []
        for quarter in 1...40 {
            script.stamp(10_000 + Int64(quarter) * 250, line: 0)
            log += script.pass(until: 10 + Double(quarter) * 0.25)
        }
        #expect(
            log == ["12.25 tell frozen [1] since 10.0", "12.25 redrive 1", "15.25 reconnect 1"],
            "and the market is carried by the other line meanwhile")
    }

    @Test func aLineThatCatchesUpIsLeftAlone() {
        var script = Transcript(lines: 2)
        script.run(until: 10)
        script.stamp(10_250, line: 0)
        #expect(script.pass(until: 11.5) == [])
        script.stamp(10_250, line: 1)
        #expect(script.pass(until: 12.25) == [])
    }

    /// One token goes on and the other keeps silent, for so many quarters of a second.
    private func silenceOfOneToken(_ script: inout Transcript, quarters: ClosedRange<Int>, line: Int? = nil) -> [String]
    {
        var log: [String] = []
        for quarter in quarters {
            for index in script.sights.indices {
                script.sights[index].newest = at(10_000 + Int64(quarter) * 250)
                if let line, line != index { script.sights[index].complete = script.sights[index].newest }
            }
            log += script.pass(until: 10 + Double(quarter) * 0.25)
        }
        return log
    }

    @Test func oneTokenThatKeepsSilentOnEveryLineIsAQuestionToTheWitness() {
        var script = Transcript()
        script.run(until: 10)
        #expect(self.silenceOfOneToken(&script, quarters: 1...9) == ["12.25 ask"])
        #expect(script.answer(.books(at(12_300), agreeing: [])) == [])
        let log = self.silenceOfOneToken(&script, quarters: 10...11)
        #expect(
            log == ["12.75 tell frozen [0] since 12.75", "12.75 serve", "12.75 distrust 0 until 12300"],
            "the other token has reached that stamp, and that is not enough")
    }

    @Test func aTokenWithNothingToTellIsExcusedByTheWitness() {
        var script = Transcript()
        script.run(until: 10)
        #expect(self.silenceOfOneToken(&script, quarters: 1...9) == ["12.25 ask"])
        #expect(script.answer(.books(at(12_250), agreeing: [0])) == ["confirm 0"])
        #expect(script.pass(until: 14) == [])
    }

    @Test func oneTokenThatKeepsSilentOnOneLineIsThatLinesTrouble() {
        var script = Transcript(lines: 2)
        script.run(until: 10)
        let log = self.silenceOfOneToken(&script, quarters: 1...9, line: 1)
        #expect(log == ["12.25 tell frozen [1] since 10.0", "12.25 redrive 1"])
    }

    @Test func dataThatComesLateIsHeldAgainstTheWitness() {
        var script = Transcript()
        script.run(until: 10)
        var log: [String] = []
        for quarter in 1...8 {
            script.stamp(8_000 + Int64(quarter) * 250)
            log += script.pass(until: 10 + Double(quarter) * 0.25)
        }
        #expect(log == ["10.75 ask"])
        #expect(script.answer(.books(at(12_000), agreeing: [])) == [])
        for quarter in 9...10 {
            script.stamp(8_000 + Int64(quarter) * 250)
            log += script.pass(until: 10 + Double(quarter) * 0.25)
        }
        #expect(log.contains("12.5 serve"))
    }

    @Test func dataThatKeepsComingLateIsSuspectWhenNobodyCanSayOtherwise() {
        var script = Transcript()
        script.run(until: 10)
        var log: [String] = []
        for quarter in 1...20 {
            script.stamp(8_000 + Int64(quarter) * 250)
            let some = script.pass(until: 10 + Double(quarter) * 0.25)
            log += some
            if some.contains(where: { $0.hasSuffix("ask") }) { log += script.answer(.useless("status 503")) }
        }
        #expect(
            log.prefix(5)
                == ["10.75 ask", "11.75 ask", "12.75 ask", "doubt", "tell unverified data comes late, and status 503"])
        script.sights[0].isTrusted = false
        script.stamp(15_250)
        #expect(script.pass(until: 15.25).contains("15.25 believe"), "in time again")
    }

    @Test func aDelayThatTheWitnessSharesIsNone() {
        var script = Transcript()
        script.run(until: 10)
        for quarter in 1...3 {
            script.stamp(8_000 + Int64(quarter) * 250)
            _ = script.pass(until: 10 + Double(quarter) * 0.25)
        }
        #expect(script.answer(.books(at(8_700), agreeing: [])) == [], "the exchange's clock was set back")
        var log: [String] = []
        for quarter in 4...40 {
            script.stamp(8_000 + Int64(quarter) * 250)
            log += script.pass(until: 10 + Double(quarter) * 0.25)
        }
        #expect(log == [])
    }

    @Test func withoutALineTheWitnessCarriesTheMarketAfterAMoment() {
        var script = Transcript()
        script.run(until: 10)
        script.sights[0].isUp = false
        script.sights[0].isTrusted = false
        #expect(script.pass(until: 10.5) == [])
        #expect(script.pass(until: 10.75) == ["10.75 ask"])
        #expect(script.answer(.books(at(10_700), agreeing: [])) == ["serve"])
        #expect(script.pass(until: 11.75) == ["11.25 ask"])
        #expect(script.answer(.useless("status 503")) == [])
        #expect(script.pass(until: 12.75) == ["12.75 ask"])
        _ = script.answer(.useless("status 503"))
        #expect(script.pass(until: 13.75) == ["13.75 serveAsStale", "13.75 ask"])
    }

    @Test func aMarketWithoutAFirstBookIsCarriedAfterTwoSeconds() {
        var script = Transcript()
        script.sights[0].isTrusted = false
        #expect(script.pass(until: 2) == [])
        #expect(script.pass(until: 2.25) == ["2.25 ask"])
        #expect(script.answer(.books(at(2_000), agreeing: [])) == ["serve"])
    }

    @Test func aSuspectLineIsConfirmedByTheWitness() {
        var script = Transcript()
        script.run(until: 10)
        script.sights[0].isTrusted = false
        _ = script.pass(until: 10.75)
        #expect(script.answer(.books(at(10_000), agreeing: [0])) == ["confirm 0", "serve"])
    }

    @Test func aSuspectLineThatTheWitnessContradictsIsNotServedForLong() {
        var script = Transcript()
        script.run(until: 10)
        script.sights[0].isTrusted = false
        _ = script.pass(until: 10.75)
        _ = script.answer(.books(at(10_700), agreeing: []))
        _ = script.pass(until: 12)
        #expect(script.answer(.books(at(12_000), agreeing: [])) == ["serve", "distrust 0 until 12000"])
    }

    @Test func theEndOfAMarketEndsWhatWasSaid() {
        var script = Transcript()
        script.run(until: 10)
        _ = script.pass(until: 12)
        _ = script.answer(.books(at(11_900), agreeing: []))
        _ = script.pass(until: 12.5)
        #expect(script.ladder.end().map(\.word) == ["stopServing", "tell over"])
    }
}

extension MarketLiveness.Action {
    fileprivate var word: String {
        switch self {
        case .ask: "ask"
        case .redrive(let line): "redrive \(line)"
        case .reconnect(let line): "reconnect \(line)"
        case .distrust(let line, let stamp): "distrust \(line) until \(stamp.milliseconds)"
        case .confirm(let line): "confirm \(line)"
        case .serve: "serve"
        case .serveAsStale: "serveAsStale"
        case .stopServing: "stopServing"
        case .doubt: "doubt"
        case .believe: "believe"
        case .refresh(let line): "refresh \(line)"
        case .tell(.frozen(let since, let lines)):
            "tell frozen \(lines) since \(since.map { Double($0.nanoseconds) / 1e9 } ?? 0)"
        case .tell(.unverified(let reason)): "tell unverified \(reason)"
        case .tell(.verifiedQuiet): "tell quiet"
        case .tell(.over): "tell over"
        }
    }
}
