import Foundation
import OddsCore
import OddsTestSupport
import Testing

@testable import PolymarketSimulator

@Suite struct FaultPlanTests {
    private func plan(_ text: String) throws -> [PlannedFault] { try FaultPlan(json: text.utf8).faults }

    @Test(arguments: [
        (#"{"at":"10s","for":"5s","fault":"freeze"}"#, "freeze for 5 s"),
        (
            #"{"at":"10s","for":"8451ms","fault":"freeze","on":{"line":1,"asset":"down"}}"#,
            "freeze of line 1, down, for 8.45 s"
        ),
        (#"{"at":"10s","fault":"drop","on":{"line":"oldest"}}"#, "drop of the oldest line"),
    ])
    func faultsAreToldInWords(_ json: String, _ words: String) throws {
        #expect(try self.plan(json).map(\.fault.text) == [words])
    }

    @Test func linesAndArraysAreTheSame() throws {
        let one = #"{"at":"10s","for":"5s","fault":"freeze","on":"line 0"}"#
        let two = #"{"at": "1.5m", "fault": "drop"}"#
        let faults = [
            PlannedFault(at: .seconds(10), SimulatorFault(.freeze, on: .line(0), for: .seconds(5))),
            PlannedFault(at: .seconds(90), .drop),
        ]
        #expect(try self.plan("\(two)\n\n\(one)\n") == faults)
        #expect(try self.plan("[\n\(one),\n\(two)]") == faults)
        #expect(try self.plan("") == [])
    }

    @Test(arguments: [
        (#"{"fault":"close","code":1011,"reason":"a \"b\""}"#, SimulatorFault(.close(code: 1011, reason: #"a "b""#))),
        (#"{"fault":"refuse"}"#, .refuse(.status(503), for: nil)),
        (#"{"fault":"refuse","status":429,"for":"250ms"}"#, .refuse(.status(429), for: .milliseconds(250))),
        (#"{"fault":"reset","for":"1m"}"#, .refuse(.reset, for: .seconds(60))),
        (#"{"fault":"half-open","on":"newest"}"#, SimulatorFault(.halfOpen, on: .newest)),
        (#"{"fault":"no-snapshot","on":"down"}"#, SimulatorFault(.noSnapshot, on: .current(.down))),
        (#"{"fault":"delay","by":"1.5s"}"#, SimulatorFault(.delay(by: .milliseconds(1_500)))),
        (#"{"fault":"duplicate","share":0.25}"#, SimulatorFault(.duplicate(.share(0.25)))),
        (#"{"fault":"duplicate"}"#, SimulatorFault(.duplicate(.every))),
        (#"{"fault":"reorder"}"#, SimulatorFault(.reorder(.neighbours, .every))),
        (
            #"{"fault":"reorder","late":"2900ms","share":0.1}"#,
            SimulatorFault(.reorder(.late(upTo: .milliseconds(2_900)), .share(0.1)))
        ),
        (#"{"fault":"corrupt","on":"oldest"}"#, SimulatorFault(.corrupt(.syntax, .next(1)), on: .oldest)),
        (#"{"fault":"corrupt","part":"size","frames":4}"#, SimulatorFault(.corrupt(.size, .next(4)))),
        (#"{"fault":"truncate"}"#, .malformedFrame),
        (#"{"fault":"oversize"}"#, .oversizeFrame(bytes: 9 << 20)),
        (#"{"fault":"wrong-hash","on":"clob"}"#, SimulatorFault(.wrongHash(.every), on: .clob)),
        (#"{"fault":"lose","frames":2,"on":"12345"}"#, SimulatorFault(.lose(.next(2)), on: .asset("12345"))),
        (
            #"{"fault":"rest-error","status":429,"retry_after":"3s","on":"gamma"}"#,
            SimulatorFault(.restError(status: 429, retryAfter: .seconds(3)), on: .gamma)
        ),
        (#"{"fault":"rest-stale","by":"8s"}"#, SimulatorFault(.restStale(by: .seconds(8)))),
        (#"{"fault":"ghost-book","age":"0s"}"#, SimulatorFault(.ghostBook(age: .zero))),
        (
            #"{"fault":"missing-market","until":"-30s","on":"btc-updown-15m"}"#,
            SimulatorFault(.missingMarket(until: .seconds(-30)), on: .series("btc-updown-15m"))
        ),
        (#"{"fault":"clock-skew","by":"-2s"}"#, SimulatorFault(.clockSkew(by: .seconds(-2)))),
        (
            #"{"fault":"freeze","on":{"line":1,"asset":"up","series":"btc-updown-15m"}}"#,
            SimulatorFault(
                .freeze, on: FaultTarget(line: .number(1), subject: .current(.up, series: "btc-updown-15m")))
        ),
        (
            #"{"fault":"freeze","on":{"asset":"down","slug":"btc-updown-15m-1777428000"}}"#,
            SimulatorFault(
                .freeze, on: FaultTarget(subject: .outcome(.down, slug: "btc-updown-15m-1777428000")))
        ),
        (
            #"{"fault":"freeze","on":"btc-updown-15m-1777428000"}"#,
            SimulatorFault(.freeze, on: .slug("btc-updown-15m-1777428000"))
        ),
        (#"{"fault":"recover"}"#, .recover),
        (#"{"fault":"freeze","on":"rtds","for":"3s"}"#, SimulatorFault(.freeze, on: .rtds, for: .seconds(3))),
        (
            #"{"fault":"drop","on":{"api":"rtds","line":1}}"#,
            SimulatorFault(.drop, on: FaultTarget(line: .number(1), api: .rtds))
        ),
        (#"{"fault":"reset","on":"rtds"}"#, SimulatorFault(.refuse(.reset), on: .rtds)),
        (#"{"fault":"gap","for":"5s"}"#, SimulatorFault(.gap, for: .seconds(5))),
    ])
    func faultsAreReadWithTheirOwnKeys(text: String, fault: SimulatorFault) throws {
        let planned = PlannedFault(at: .zero, fault)
        #expect(try self.plan(text) == [planned])
        #expect(try self.plan(FaultText.json(planned)) == [planned])
    }

    @Test(arguments: [
        ("{", "line 1", "expected a key"),
        ("{\"fault\":\"drop\"}\nx", "line 2", "x is no JSON value"),
        ("[{\"fault\":\"drop\"}\n{}]", "line 2", "expected ',' or ']'"),
        (#"{"fault":"drop","fault":"drop"}"#, "line 1", "\"fault\" comes twice"),
        ("{\n\"at\":\"1s\"}", "line 1", "\"fault\" is missing"),
        (#"{"fault":"explode"}"#, "line 1", "no fault \"explode\""),
        ("{\"fault\":\"drop\",\n \"status\":5}", "line 2", "\"drop\" has no key \"status\""),
        (#"{"fault":"drop","for":"5s"}"#, "line 1", "no key \"for\""),
        (#"{"fault":"clock-skew","by":"1s","on":"line 0"}"#, "line 1", "no key \"on\""),
        (#"{"fault":"refuse","on":"line 0"}"#, "line 1", "\"on\" may name \"rtds\""),
        (#"{"fault":"no-snapshot","on":"rtds"}"#, "line 1", "cannot be aimed like that"),
        (#"{"random":{"to":"1m","only":["gap"]}}"#, "line 1", "\"only\" cannot hold"),
        (#"{"fault":"drop","at":"10"}"#, "line 1", "\"at\" must be a time"),
        (#"{"fault":"drop","at":"-1s"}"#, "line 1", "\"at\" must be a time"),
        (#"{"fault":"delay"}"#, "line 1", "\"by\" is missing"),
        (#"{"fault":"rest-stale","by":"2m"}"#, "line 1", "at most 60s"),
        (#"{"fault":"lose","frames":1,"share":0.5}"#, "line 1", "exclude each other"),
        (#"{"fault":"lose","share":2}"#, "line 1", "\"share\" must be a number from 0.0 to 1.0, not 2"),
        (#"{"fault":"close","code":1006}"#, "line 1", "1006 must not be sent"),
        (#"{"fault":"refuse","status":200}"#, "line 1", "\"status\" must be a whole number from 400 to 599"),
        (#"{"fault":"corrupt","part":"all"}"#, "line 1", "\"part\" must be \"syntax\" or"),
        (#"{"fault":"drop","on":"everyone"}"#, "line 1", "\"everyone\" is nobody"),
        (#"{"fault":"drop","on":{"line":-1}}"#, "line 1", "\"line\" must be"),
        (#"{"fault":"drop","on":{"row":1}}"#, "line 1", "\"on\" has no key \"row\""),
        (#"{"fault":"drop","on":"up"}"#, "line 1", "cannot be aimed like that"),
        (#"{"fault":"freeze","on":{"series":"a","slug":"b"}}"#, "line 1", "must name one thing"),
        (#"{"random":{"seed":1}}"#, "line 1", "\"to\" is missing"),
        (#"{"random":{"to":"1m","only":["recover"]}}"#, "line 1", "\"only\" cannot hold"),
        (#"{"random":{"to":"5s"}}"#, "line 1", "before"),
        (#"["drop"]"#, "line 1", "must be an object, not \"drop\""),
        (#"{"random":{"to":"1m"},"at":"1s"}"#, "line 1", "no key \"at\""),
    ])
    func mistakesAreNamedWithLineAndKey(text: String, line: String, part: String) {
        let error = #expect(throws: SimulatorError.self) { try self.plan(text) }
        #expect(error?.code == .plan)
        #expect(error?.message.hasPrefix(line + ":") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test func theExamplesInTheDocumentsAreRead() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(
            contentsOf: folder.deletingLastPathComponent().appending(path: "docs/simulator.md"), encoding: .utf8)
        // Those in the tables stand between backticks, those of the plan on lines of their own.
        let lines = text.split(separator: "\n")
        let examples =
            lines.filter { $0.hasPrefix("|") }
            .flatMap { $0.split(separator: "`").filter { $0.hasPrefix(#"{"fault""#) || $0.hasPrefix(#"{"at""#) } }
            + lines.filter { $0.hasPrefix("{") }
        #expect(examples.count > 25)
        for example in examples { #expect(try !self.plan(String(example)).isEmpty) }
        for name in FaultPlan.names { #expect(text.contains("| `\(name)` |"), "\(name) is not told") }
    }

    @Test func aDeepPlanDoesNotExhaustTheStack() {
        let text = String(repeating: "[", count: 100_000)
        #expect(throws: SimulatorError.self) { try self.plan(text) }
    }

    // MARK: Random plans

    @Test func theSameSeedGivesTheSamePlan() throws {
        let one = FaultPlan.random(seed: 7, to: .seconds(600))
        #expect(one == FaultPlan.random(seed: 7, to: .seconds(600)))
        #expect(one != FaultPlan.random(seed: 8, to: .seconds(600)))
        let read = try self.plan(#"{"random":{"seed":7,"faults_per_minute":6,"from":"10s","to":"10m"}}"#)
        #expect(read == one.faults)
        // On this and on every other machine.
        #expect(one.faults.prefix(3).map(FaultText.json) == Self.firstOfSeven)
    }

    static let firstOfSeven = [
        #"{"at":"23544ms","fault":"missing-market","for":"6734ms"}"#,
        #"{"at":"35211ms","fault":"cut","on":{"line":"newest"},"for":"16454ms"}"#,
        #"{"at":"51021ms","fault":"rest-hang","for":"4618ms"}"#,
    ]

    @Test func randomPlansStayInTheirTimeAndDrawEveryKind() throws {
        var kinds: Set<FaultKindName> = []
        var targets: Set<FaultTarget> = []
        for seed in 0..<200 as Range<UInt64> {
            let plan = FaultPlan.random(seed: seed, from: .seconds(5), to: .seconds(300), perMinute: 6)
            #expect((15...60).contains(plan.faults.count))
            for planned in plan.faults {
                kinds.insert(planned.fault.kind.name)
                targets.insert(planned.fault.target)
                #expect(planned.at >= .seconds(5) && planned.at < .seconds(300))
                #expect(planned.fault.kind.isMomentary == (planned.fault.duration == nil))
                #expect(planned.at + (planned.fault.duration ?? .zero) <= .seconds(300))
                #expect(planned.fault.target.aim.isSubset(of: planned.fault.kind.aim))
                // What is drawn can be written down and read again.
                #expect(try self.plan(FaultText.json(planned)) == [planned])
            }
        }
        #expect(kinds == Set(FaultKindName.drawn))
        #expect(targets.count > 15)
        let drops = FaultPlan.random(seed: 1, to: .seconds(600), only: [.drop, .freeze]).faults
        #expect(Set(drops.map(\.fault.kind.name)) == [.drop, .freeze])
    }

    // MARK: Plans in force

    @Test func aPlanHitsWhatComesBehindItsMoment() throws {
        let venue = try VirtualVenue()
        venue.subscribe(1, to: try venue.market())
        venue.forget()
        venue.exchange.schedule(try self.plan(#"{"at":"1s","fault":"freeze","for":"2s"}{"at":"5s","fault":"drop"}"#))
        venue.pass(.seconds(6))
        let sent = venue.sent(to: 1)
        #expect(!sent.contains { $0.time > .milliseconds(1_010) && $0.time < .seconds(3) })
        #expect(sent.contains { $0.time < .seconds(1) } && sent.contains { $0.time > .seconds(3) })
        #expect(sent.last?.command == .drop)
        #expect(sent.last.map { $0.time >= .seconds(5) && $0.time < .milliseconds(5_010) } == true)
        #expect(venue.exchange.counters.faults == 2)
    }

    @Test func aPlanBehindALongPauseDoesTheSame() throws {
        // One tick over everything must not let a fault reach back.
        let venue = try VirtualVenue()
        venue.subscribe(1, to: try venue.market())
        venue.forget()
        venue.exchange.schedule(try self.plan(#"{"at":"2s","fault":"lose","share":1}"#))
        venue.clock.advance(by: .seconds(4))
        venue.exchange.tick()
        let late = venue.texts(1)
        #expect(late.count > 20)
        for frame in try late.flatMap({ try ReadFrame.read($0.utf8) }) {
            #expect(try #require(Int64(frame.timestamp)) <= 1_800_000_002_000)
        }
    }

    /// The whole machine under everything at once: nothing breaks, and the same seed gives the same bytes.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func randomPlansRunInVirtualTime(seed: UInt64) throws {
        func run() throws -> (sent: [VirtualVenue.Sent], counters: SimulatorCounters) {
            let venue = try VirtualVenue()
            let market = try venue.market()
            let plan = FaultPlan.random(seed: seed, from: .seconds(1), to: .seconds(60), perMinute: 60)
            venue.exchange.schedule(plan.faults)
            var id = 0
            var open: [Int] = []
            for _ in 0..<70 {
                open.removeAll { venue.sent(to: $0).contains { $0.command.endsConnection } }
                while open.count < 2 {
                    id += 1
                    guard venue.exchange.refusal() == nil else { break }
                    venue.subscribe(id, to: market)
                    open.append(id)
                }
                venue.pass(.seconds(1))
            }
            // All is over by now.
            venue.forget()
            venue.pass(.seconds(5))
            #expect(venue.clob("/_faults").text.contains(#""planned":[]"#))
            #expect(venue.clob("/_faults").text.contains(#""faults":[]"#))
            return ((1...max(1, id)).flatMap { venue.sent(to: $0) }, venue.exchange.counters)
        }
        let one = try run()
        let two = try run()
        #expect(one.sent == two.sent && one.counters == two.counters)
        #expect(one.counters.faults > 20)
    }
}

extension WebSocketCommand {
    var endsConnection: Bool {
        switch self {
        case .drop, .cut, .close: true
        case .text, .binary, .pause, .resume: false
        }
    }
}
