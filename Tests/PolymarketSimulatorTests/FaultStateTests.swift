import OddsCore
import Testing

@testable import PolymarketSimulator

/// The machine of faults by itself: what goes in, what comes out, and when.
@Suite struct FaultStateTests {
    private var state = FaultState()

    init() {
        self.state.opened(1)
        self.state.opened(2)
    }

    private static func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    private static func frame(_ text: String, _ assets: [String] = ["5"]) -> DataFrame {
        DataFrame(bytes: Array(text.utf8), assets: assets)
    }

    private static func texts(_ commands: [WebSocketCommand]) -> [String] {
        commands.compactMap { if case .text(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { nil } }
    }

    private mutating func send(_ text: String, to line: Int = 1, at time: Int64) -> [String] {
        Self.texts(self.state.send(Self.frame(text), to: line, now: Self.at(time)))
    }

    private mutating func due(_ time: Int64) -> [String] {
        self.state.due(now: Self.at(time)).flatMap { line, commands in Self.texts(commands).map { "\(line) \($0)" } }
    }

    private mutating func inject(_ fault: SimulatorFault, at time: Int64) {
        let outgoing = self.state.inject(fault, about: .everything, now: Self.at(time))
        #expect(outgoing.isEmpty)
    }

    @Test mutating func withoutFaultsFramesPass() {
        #expect(self.send("a", at: 0) == ["a"])
        #expect(self.state.nextDue == nil)
        #expect(!self.state.isDeaf(1))
        #expect(self.state.isDeaf(3), "a connection that is not there")
        #expect(self.send("a", to: 3, at: 0) == [])
    }

    @Test mutating func aDelayThatShrinksLetsNothingOvertake() {
        self.inject(SimulatorFault(.delay(by: .seconds(5)), on: .line(0), for: .seconds(1)), at: 0)
        #expect(self.send("a", at: 0) == [])
        #expect(self.send("b", to: 2, at: 0) == ["b"])
        #expect(self.state.nextDue == Self.at(1_000))
        #expect(self.due(1_000) == [])
        #expect(self.send("c", at: 1_500) == [], "behind a, which is still late")
        #expect(self.state.nextDue == Self.at(5_000))
        #expect(self.due(5_000) == ["1 a", "1 c"])
        #expect(self.send("d", at: 5_000) == ["d"])
    }

    @Test mutating func aNeighbourThatDoesNotComeIsWaitedForASecond() {
        self.inject(SimulatorFault(.reorder(.neighbours, .next(1))), at: 0)
        #expect(self.send("a", at: 100) == [])
        #expect(self.state.nextDue == Self.at(1_100))
        #expect(self.due(1_100) == ["1 a"])
        #expect(self.send("b", at: 1_200) == ["b"])
        #expect(self.send("x", to: 2, at: 1_200) == [])
        #expect(self.send("y", to: 2, at: 1_300) == ["y", "x"])
        #expect(self.due(9_000) == [])
    }

    @Test mutating func aFaultOfSomeFramesIsOverBehindTheLast() {
        self.inject(SimulatorFault(.lose(.next(2))), at: 0)
        #expect(self.send("a", at: 1) + self.send("b", at: 2) + self.send("c", at: 3) == ["c"])
        #expect(self.state.active.count == 1, "the other connection still has two")
        self.state.opened(3)
        #expect(self.send("n", to: 3, at: 4) == ["n"], "it came later")
        self.state.closed(2)
        #expect(self.state.active.isEmpty)
    }

    @Test mutating func halfOpenHealsOnce() {
        let fault = SimulatorFault(.halfOpen, on: .line(0), for: .seconds(1))
        let begun = self.state.inject(fault, about: .everything, now: Self.at(0))
        #expect(begun.map(\.line) == [1] && begun.map(\.commands) == [[.pause]])
        #expect(self.state.isHalfOpen(1) && !self.state.isHalfOpen(2))
        #expect(self.send("a", at: 10) == [] && self.send("a", to: 2, at: 10) == ["a"])
        #expect(self.state.due(now: Self.at(999)).isEmpty)
        let healed = self.state.due(now: Self.at(1_000))
        #expect(healed.map(\.line) == [1] && healed.map(\.commands) == [[.resume]])
        #expect(self.state.due(now: Self.at(1_001)).isEmpty)
        #expect(self.send("b", at: 1_002) == ["b"])
    }

    @Test mutating func aCutSendsWhatWasLateBeforeIt() {
        self.inject(SimulatorFault(.delay(by: .seconds(5)), on: .line(0)), at: 0)
        #expect(self.send("a", at: 0) == [])
        self.inject(SimulatorFault(.cut, on: .line(0)), at: 1)
        let commands = self.state.send(Self.frame("b"), to: 1, now: Self.at(2))
        #expect(commands == [.text(Array("a".utf8)), .cut(Array("b".utf8))])
        #expect(self.state.isDeaf(1))
        #expect(self.send("c", at: 3) == [])
        #expect(self.due(9_000) == [])
    }

    @Test mutating func ofTwoTheNewestDecides() {
        self.inject(.refuse(.status(503), for: .seconds(10)), at: 0)
        self.inject(.refuse(.reset, for: .seconds(1)), at: 0)
        #expect(self.state.refusal(now: Self.at(999)) == .reset)
        #expect(self.state.refusal(now: Self.at(1_000)) == .status(503))
        self.inject(SimulatorFault(.clockSkew(by: .seconds(2))), at: 0)
        #expect(self.state.clockSkew(now: Self.at(5)) == .seconds(2))
        self.inject(.recover, at: 10)
        #expect(self.state.refusal(now: Self.at(11)) == nil)
        #expect(self.state.clockSkew(now: Self.at(11)) == .zero)
    }

    @Test mutating func chanceFollowsFromTheSeed() {
        func run(_ seed: UInt64) -> [Bool] {
            var state = FaultState(seed: seed)
            state.opened(1)
            _ = state.inject(SimulatorFault(.lose(.share(0.5))), about: .everything, now: Self.at(0))
            return (0..<200).map { state.send(Self.frame("a"), to: 1, now: Self.at($0)).isEmpty }
        }
        #expect(run(1) == run(1) && run(1) != run(2))
        #expect((70...130).contains(run(1).count { $0 }))
    }
}

@Suite struct FrameSurgeryTests {
    private func without(_ gone: Set<String>, _ text: String) -> String? {
        FrameSurgery.removing({ gone.contains($0) }, from: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func entriesGoWhateverTheSpelling() {
        let frame =
            #"{"market":"m","price_changes":[{"asset_id":"1","price":"0.5"}, {"asset_id": "2","note":"}],{\""}],"t":[1]}"#
        #expect(self.without(["9"], frame) == frame)
        #expect(
            self.without(["1"], frame)
                == #"{"market":"m","price_changes":[{"asset_id": "2","note":"}],{\""}],"t":[1]}"#)
        #expect(
            self.without(["2"], frame) == #"{"market":"m","price_changes":[{"asset_id":"1","price":"0.5"}],"t":[1]}"#)
        #expect(self.without(["1", "2"], frame) == nil)
    }

    @Test func arraysLoseTheirObjects() {
        let frame =
            #"[{"asset_id":"1","bids":[{"price":"0.1"}]},{"event":"x"},{"price_changes":[{"asset_id":"1"},{"asset_id":"2"}]}]"#
        #expect(self.without(["1"], frame) == #"[{"event":"x"},{"price_changes":[{"asset_id":"2"}]}]"#)
        #expect(self.without(["1"], #"[{"asset_id":"1"}]"#) == nil)
        #expect(self.without(["1"], #"{"asset_id":"1"}"#) == nil)
    }

    @Test(arguments: [
        "", "{", "[", #"{"price_changes":["#, #"[{"asset_id":"#, "PONG", #"{"price_changes":[{"asset_id":"1"}"#,
    ])
    func brokenFramesDoNotBreakIt(text: String) {
        var generator = SplitMix64(seed: 1)
        let bytes = Array(text.utf8)
        _ = FrameSurgery.removing({ _ in true }, from: bytes)
        #expect(FrameSurgery.withWrongHashes(bytes) == bytes)
        #expect(FrameSurgery.withBrokenSyntax(bytes, using: &generator).count == bytes.count)
        #expect(FrameSurgery.withBrokenEncoding(bytes, using: &generator).count == bytes.count)
        #expect(FrameSurgery.withWrongSize(bytes, using: &generator) == nil)
    }

    @Test func aWrongSizeIsAlwaysAnotherNumber() throws {
        var generator = SplitMix64(seed: 3)
        for size in ["1", "10", "0.5", "9.99", "100000", "0.01", "5"] {
            for _ in 0..<50 {
                let frame = Array(#"{"price_changes":[{"size":"0"},{"size":"\#(size)"}]}"#.utf8)
                let wrong = String(
                    decoding: try #require(FrameSurgery.withWrongSize(frame, using: &generator)), as: UTF8.self)
                #expect(wrong.contains(#"{"size":"0"}"#))
                let text = try #require(wrong.split(separator: "\"").dropLast().last)
                let other = try #require(Size(String(text)))
                #expect(other != Size(size) && other != .zero)
            }
        }
    }
}
