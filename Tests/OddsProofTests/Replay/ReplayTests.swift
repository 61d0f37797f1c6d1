import Foundation
import OddsCore
import OddsProof
import OddsRecording
import OddsReports
import OddsTestSupport
import OddsTrading
import PolymarketSimulator
import RealtimeOdds
import Synchronization
import Testing

/// A replay as a whole: what is kept, hashed, reported and compared.
@Suite(.longWork) struct ReplayTests {
    /// Three markets on two lines, with faults and a renewal.
    static func busyRecording(seed: UInt64 = 9, lasting duration: Duration = .seconds(100)) throws -> TemporaryFile {
        let series = ["btc", "eth", "sol"].map { "\($0)-updown-15m" }
        var setting = try RecordedWorld.setting(lines: 2, seed: seed, series: series)
        setting.exchange.flow.spikes = 30
        setting.feed.renewalInterval = .seconds(40)
        let plan = FaultPlan.random(seed: seed, from: .seconds(10), to: .seconds(70), perMinute: 8, lines: 2)
        let recorded = RecordedWorld(setting, seed: seed, faults: plan.faults)
        for name in series { try recorded.follow(name) }
        recorded.pass(duration)
        defer { recorded.end() }
        return try TemporaryFile(recorded.finish())
    }

    static func replay(_ path: String) throws -> Replay {
        var replay = try Replay([path])
        var strategy = ThresholdStrategy()
        strategy.entry = EntryWindow(opensAfterStart: .zero, closesBeforeEnd: .zero)
        replay.trading = PaperTrader<ThresholdStrategy>.Setup(strategy: strategy)
        return replay
    }

    @Test func theSameRecordingGivesTheSameTwice() throws {
        let file = try Self.busyRecording()
        defer { withExtendedLifetime(file) {} }
        let replay = try Self.replay(file.path)
        let first = try replay.run()
        let second = try replay.run()
        #expect(first.stateHash == second.stateHash)
        #expect(first.stateHash.count == 64)
        #expect(first.markets.count == 3)
        #expect(first.publications > 1000 && !first.spikes.isEmpty && !first.trades.isEmpty && !first.incidents.isEmpty)
        #expect(first.spikes == second.spikes)
        #expect(first.incidents == second.incidents)
        #expect(first.trades == second.trades)
        #expect(first.account == second.account)
        #expect(first.damage.isEmpty)
        // It is the output that is hashed: with other odds, or other settings, it is another.
        let otherFile = try Self.busyRecording(seed: 10)
        defer { withExtendedLifetime(otherFile) {} }
        let other = try Self.replay(otherFile.path).run()
        #expect(other.stateHash != first.stateHash)
        var changed = replay
        changed.trading?.delay = .milliseconds(900)
        #expect(try changed.run().stateHash != first.stateHash)
    }

    /// What was traded and what rose while the world was recorded is what the replay says, and so are its incidents.
    @Test(arguments: [UInt64(2), 5, 9])
    func theReplayTradesAsTheRecordedWorldDid(seed: UInt64) throws {
        var setting = try RecordedWorld.setting(lines: 2, seed: seed)
        setting.exchange.flow.spikes = 30
        let plan = FaultPlan.random(seed: seed, from: .seconds(10), to: .seconds(90), perMinute: 6, lines: 2)
        var strategy = ThresholdStrategy()
        strategy.entry = EntryWindow(opensAfterStart: .zero, closesBeforeEnd: .zero)
        let live = LiveBot(strategy)
        let recorded = RecordedWorld(setting, seed: seed, faults: plan.faults, observer: live)
        try recorded.follow()
        recorded.pass(.seconds(120))
        let journal = IncidentBook()
        var incidents: [UInt64: IncidentRecord] = [:]
        for entry in recorded.world.story.entries {
            for change in journal.record(entry.event, at: entry.time) {
                incidents[change.incident.id] = IncidentRecord(change.incident)
            }
        }
        for incident in journal.report(at: recorded.world.clock.now()).all {
            incidents[incident.id] = IncidentRecord(incident)
        }
        let file = try TemporaryFile(recorded.finish())
        defer { withExtendedLifetime(file) {} }
        let outcome = try Self.replay(file.path).run()
        #expect(outcome.spikes.map(\.begin) == live.spikes.map(\.begin))
        #expect(outcome.spikes.map(\.peak) == live.spikes.map(\.peak))
        #expect(outcome.trades.map(\.averagePrice) == live.trader.trades.reversed().map(\.averagePrice))
        #expect(outcome.trades.map(\.decided) == live.trader.trades.reversed().map(\.decided))
        #expect(outcome.trades.map(\.fee) == live.trader.trades.reversed().map(\.fee))
        #expect(outcome.incidents.map(\.summary) == incidents.values.sorted { $0.id < $1.id }.map(\.summary))
        #expect(!outcome.spikes.isEmpty && !outcome.trades.isEmpty)
        var records = ReplayComparison.Records()
        records.spikes = live.spikes
        records.trades = live.trader.trades
        records.incidents = Array(incidents.values)
        #expect(ReplayComparison(records, with: outcome).differences == [])
        recorded.end()
    }

    /// The order in which sets and dictionaries are gone through differs from process to process: nothing may follow from it.
    @Test func anotherProcessGivesTheSameHash() throws {
        guard let path = ProcessInfo.processInfo.environment["ODDSTREAM_REPLAY_CHILD"] else {
            let file = try Self.busyRecording()
            let own = try Self.replay(file.path).run().stateHash
            var hashes: Set<String> = []
            for seeding in [nil, nil, "1"] as [String?] {
                hashes.insert(try Self.hashOfAnotherProcess(file.path, deterministic: seeding))
            }
            #expect(hashes == [own])
            return
        }
        // In the child: the hash goes where the parent looks for it.
        let hash = try Self.replay(path).run().stateHash
        try Data(hash.utf8).write(to: URL(filePath: path + ".hash"))
    }

    private static func hashOfAnotherProcess(_ path: String, deterministic: String?) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments =
            Array(CommandLine.arguments.dropFirst()).withoutFilters
            + ["--filter", "anotherProcessGivesTheSameHash"]
        var environment = ProcessInfo.processInfo.environment
        environment["ODDSTREAM_REPLAY_CHILD"] = path
        environment["SWIFT_DETERMINISTIC_HASHING"] = deterministic
        process.environment = environment
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let url = URL(filePath: path + ".hash")
        defer { try? FileManager.default.removeItem(at: url) }
        return String(decoding: try Data(contentsOf: url), as: UTF8.self)
    }

    // MARK: Reports

    @Test func aReportIsMadeOfItsJSONAlone() throws {
        let file = try Self.busyRecording()
        defer { withExtendedLifetime(file) {} }
        var replay = try Self.replay(file.path)
        replay.keepsPoints = true
        let outcome = try replay.run()
        let comparison = ReplayComparison(ReplayComparison.Records(outcome), with: outcome)
        let report = ReplayReport(
            outcome, source: "test", program: "0", generatedAt: Timestamp(milliseconds: 0), comparison: comparison)
        let json = try report.json()
        let again = try ReportRegistry([ReplayReport.self]).report(from: json)
        #expect(try again.json() == json)
        #expect(HTMLReport.page(of: again.document) == HTMLReport.page(of: report.document))
        #expect(report.document.verdicts.map(\.isMet) == [true])
        #expect(report.document.lead.contains("3 markets"))
        #expect(report.results.markets.allSatisfy { $0.points.count > 10 })
    }

    // MARK: Comparison

    @Test func aComparisonToleratesMomentsAndNothingElse() throws {
        let file = try Self.busyRecording()
        defer { withExtendedLifetime(file) {} }
        let outcome = try Self.replay(file.path).run()
        var live = ReplayComparison.Records(outcome)
        #expect(ReplayComparison(live, with: outcome).isSame)
        for index in live.spikes.indices {
            live.spikes[index].begin = live.spikes[index].begin.advanced(by: .milliseconds(20))
        }
        for index in live.trades.indices {
            live.trades[index].decided = live.trades[index].decided.advanced(by: .milliseconds(3))
        }
        #expect(ReplayComparison(live, with: outcome).isSame)
        let filled = try #require(live.trades.firstIndex { $0.filled > 0 })
        var changed = live
        changed.trades[filled].averagePrice = 0.42
        #expect(ReplayComparison(changed, with: outcome).differences.count == 1)
        changed = live
        let whole = try #require(live.spikes.firstIndex { $0.ending == "fellBack" })
        changed.spikes[whole].peak = 0.999
        #expect(ReplayComparison(changed, with: outcome).differences.count == 1)
        changed = live
        changed.spikes[whole].begin = changed.spikes[whole].begin.advanced(by: .seconds(-9))
        #expect(ReplayComparison(changed, with: outcome).differences.count == 2, "one live only, one replay only")
        changed = live
        changed.incidents.removeFirst()
        let missing = ReplayComparison(changed, with: outcome)
        #expect(missing.differences.count == 1)
        #expect(missing.incidents.replayed == missing.incidents.same + 1)
    }

    // MARK: Tapes

    /// Messages alone, with long silences: what is shown is what they say, and nothing is doubted for lack of a witness.
    @Test func silenceOnATapeIsNoReasonForDoubt() throws {
        let file = try TemporaryFile(Array(Self.tape.utf8))
        defer { withExtendedLifetime(file) {} }
        let output = Output()
        let outcome = try Replay([file.path]).run(observer: output)
        #expect(outcome.markets.count == 1)
        #expect(outcome.markets.first?.assets == ["111", "222"])
        #expect(outcome.incidents.isEmpty)
        #expect(Set(output.all.published.map(\.trust)) == [.live])
        let last = try #require(output.all.published.last)
        #expect(last.yes.bid == 0.47 && last.yes.ask == 0.52 && last.no.bid == 0.48)
        #expect(last.receiveTime.unixNanoseconds == 1_700_000_110_000_000_000)
        #expect(outcome.differences.areNone)
    }

    @Test func namedTokensAreFollowedInTheirOrder() throws {
        let file = try TemporaryFile(Array(Self.tape.utf8))
        defer { withExtendedLifetime(file) {} }
        var replay = try Replay([file.path])
        replay.tokens = ["222", "111"]
        #expect(try replay.run().markets.first?.assets == ["222", "111"])
    }

    private static func rows(_ seconds: [Int], wholeBooks: Bool = true) -> String {
        let begin = 1_700_000_000_000
        return seconds.enumerated().map { index, second in
            let time = begin + second * 1000
            // NO comes first in a later session.
            let tokens = [
                Self.book("111", bid: "0.45", ask: "0.52", at: time),
                Self.book("222", bid: "0.48", ask: "0.55", at: time),
            ]
            let text = (index > 0 ? tokens.reversed() : tokens).joined(separator: ",")
            guard index == 0 || wholeBooks else {
                let change =
                    #"{\"asset_id\":\"111\",\"price\":\"0.46\",\"size\":\"\#(second)\",\"side\":\"BUY\","#
                    + #"\"hash\":\"\",\"best_bid\":\"0.46\",\"best_ask\":\"0.52\"}"#
                // Each message carries the change for both tokens.
                let mirror =
                    #"{\"asset_id\":\"222\",\"price\":\"0.54\",\"size\":\"\#(second)\",\"side\":\"SELL\","#
                    + #"\"hash\":\"\",\"best_bid\":\"0.48\",\"best_ask\":\"0.54\"}"#
                let head =
                    #"{\"event_type\":\"price_change\",\"market\":\"0xabc\",\"timestamp\":\"\#(time)\","#
                return #"{"t":\#(time),"m":"\#(head)\"price_changes\":[\#(change),\#(mirror)]}"}"# + "\n"
            }
            return "{\"t\":\(time),\"m\":\"[\(text)]\"}\n"
        }.joined()
    }

    /// Several connections in one tape, hours apart and out of order: none of the time in between is gone through.
    @Test func aTapeWhoseTimesJumpHasSeveralSessions() throws {
        let file = try TemporaryFile(Array(Self.rows([0, 10, 1_000_000_000, 900_000_000, 900_000_005]).utf8))
        defer { withExtendedLifetime(file) {} }
        let output = Output()
        let outcome = try Replay([file.path]).run(observer: output)
        #expect(outcome.jumps == 2)
        #expect(outcome.runs == 1)
        #expect(outcome.frames == 5)
        #expect(outcome.lateRows == 0)
        #expect(outcome.markets.map(\.assets) == [["111", "222"]], "a later session begins with NO")
        let published = output.all.published
        #expect(published.map(\.receiveTime.monotonic) == published.map(\.receiveTime.monotonic).sorted())
        let seconds = Set(
            published.filter { $0.trust == .live }.map {
                $0.receiveTime.unixNanoseconds / 1_000_000_000 - 1_700_000_000
            })
        #expect(seconds.isSuperset(of: [0, 1_000_000_000, 900_000_000]))
        #expect(outcome.first?.seconds == 1_700_000_000 && outcome.last?.seconds == 2_700_000_000)
        #expect(try Replay([file.path]).run().stateHash == outcome.stateHash)
        let report = ReplayReport(outcome, source: "test", program: "0", generatedAt: Timestamp(milliseconds: 0))
        let told = report.document.sections.flatMap(\.blocks).contains { block in
            if case .text(let text) = block { text.contains("jump 2 times") } else { false }
        }
        #expect(told)
    }

    /// A market may be silent for an hour. What goes on without a book is the same connection.
    @Test func aLongSilenceIsNoJump() throws {
        let file = try TemporaryFile(Array(Self.rows([0, 3600, 7200], wholeBooks: false).utf8))
        defer { withExtendedLifetime(file) {} }
        let output = Output()
        let outcome = try Replay([file.path]).run(observer: output)
        #expect(outcome.jumps == 0 && outcome.incidents.isEmpty)
        #expect(output.all.published.last?.yes.bid == 0.46)
        #expect(output.all.published.last?.trust == .live)
    }

    @Test(.enabled(if: Captures.has("updown-15m-ws-verbatim.ndjson.gz")))
    func aRealTapeOfSeveralConnectionsIsReplayed() throws {
        let path = Captures.folder.appending(path: "updown-15m-ws-verbatim.ndjson.gz").path
        let outcome = try Replay([path]).run()
        #expect(outcome.jumps > 0)
        #expect(outcome.publications > 0)
    }

    private static func book(_ token: String, bid: String, ask: String, at time: Int) -> String {
        #"{\"event_type\":\"book\",\"asset_id\":\"\#(token)\",\"market\":\"0xabc\",\"timestamp\":\"\#(time)\",\"hash\":\"\",\"bids\":[{\"price\":\"\#(bid)\",\"size\":\"10\"}],\"asks\":[{\"price\":\"\#(ask)\",\"size\":\"10\"}]}"#
    }

    private static var tape: String {
        let begin = 1_700_000_000_000
        let rows = [0, 50, 110].map { seconds in
            let time = begin + seconds * 1000
            let bid = seconds == 110 ? "0.47" : "0.45"
            let no = seconds == 110 ? "0.53" : "0.55"
            return "{\"t\":\(time),\"m\":\"["
                + Self.book("111", bid: bid, ask: "0.52", at: time) + ","
                + Self.book("222", bid: "0.48", ask: no, at: time) + "]\"}\n"
        }
        return rows.joined()
    }

    @Test(.enabled(if: Captures.has("nhl-20260607-first12min.ndjson.gz")))
    func aRealTapeIsReplayed() throws {
        let path = Captures.folder.appending(path: "nhl-20260607-first12min.ndjson.gz").path
        let replay = try Replay([path])
        let outcome = try replay.run()
        #expect(outcome.frames == 67_601)
        #expect(outcome.markets.count == 6)
        #expect(outcome.markets.allSatisfy { $0.assets.count == 2 })
        #expect(outcome.damage.isEmpty)
        #expect(try replay.run().stateHash == outcome.stateHash)
        // Some of its rows are stamped up to three seconds earlier than the one before.
        #expect(outcome.jumps == 0 && outcome.incidents.isEmpty)
    }

    // MARK: Several runs

    /// A process that was started again is another: connections, books and epochs begin anew, the account goes on.
    @Test func severalRunsComeOneAfterTheOther() throws {
        let first = try Self.busyRecording(seed: 3, lasting: .seconds(30))
        let second = try Self.busyRecording(seed: 4, lasting: .seconds(30))
        let outcome = try Replay([first.path, second.path]).run()
        #expect(outcome.runs == 2)
        let each = try [first, second].map { try Replay([$0.path]).run().publications }
        #expect(outcome.publications >= each.reduce(0, +))
        #expect(outcome.markets.count == 6, "another seed has other tokens")
    }

    /// Rows that a full disk took cost what was in them: the connections go on behind them, and the books come again.
    @Test func rowsThatAreMissingCostNoMarket() throws {
        var setting = try RecordedWorld.setting(lines: 2, seed: 3)
        setting.exchange.flow.spikes = 30
        let recorded = RecordedWorld(setting, seed: 3)
        try recorded.follow()
        recorded.pass(.seconds(120))
        let rows = String(decoding: recorded.finish(), as: UTF8.self).split(separator: "\n").map(String.init)
        recorded.end()
        let times = rows.map { Int64($0.dropFirst(5).prefix { $0.isNumber }) ?? 0 }
        let begin = (times.first ?? 0) + 20_000_000_000
        let end = begin + 15_000_000_000
        var kept: [String] = []
        var lost = 0
        for (row, time) in zip(rows, times) {
            if (begin..<end).contains(time), row.contains(",\"m\":") {
                if lost == 0 {
                    kept.append(
                        #"{"t":\#(begin),"c":"feed","e":"lost","rows":1000,"bytes":1000,"until":\#(end)}"#)
                }
                lost += 1
            } else {
                kept.append(row)
            }
        }
        #expect(lost > 100)
        let file = try TemporaryFile(Array((kept.joined(separator: "\n") + "\n").utf8))
        let output = Output()
        let outcome = try Replay([file.path]).run(observer: output)
        #expect(outcome.lostRows == 1000)
        #expect(outcome.differences.unheardMessages == 0)
        let lasting = outcome.incidents.filter { $0.end == nil }.map(\.summary)
        #expect(lasting == [])
        #expect(output.all.published.last?.trust == .live)
        #expect((output.all.published.last?.receiveTime.unixNanoseconds ?? 0) > end + 60_000_000_000)
    }

    private static func run(
        _ name: String, monotonic: Int64, wall: Int64, wallOffset: Int64 = 0, lines: Int = 1, seconds: [Int64]
    ) -> [UInt8] {
        let anchor = ReceiveTime(monotonic: MonotonicTime(nanoseconds: monotonic), unixNanoseconds: wall)
        var encoder = RecordingRowEncoder(anchor: anchor)
        let note = RecordingStart(
            run: name, file: 1, program: "test", lines: lines, seed: 1, renewalInterval: .seconds(-5), anchor: anchor)
        encoder.note(.start(note), at: anchor.monotonic)
        encoder.command(.followTokens(["111", "222"]), at: anchor.monotonic)
        if wallOffset != 0 { encoder.note(.clock(RecordingClock(wallOffset: wallOffset)), at: anchor.monotonic) }
        for second in seconds {
            let now = MonotonicTime(nanoseconds: monotonic + second * 1_000_000_000)
            let time = Int(wall / 1_000_000 + second * 1000)
            let books = [
                Self.book("111", bid: "0.45", ask: "0.52", at: time),
                Self.book("222", bid: "0.48", ask: "0.55", at: time),
            ]
            var text = "[\(books.joined(separator: ","))]".replacingOccurrences(of: "\\\"", with: "\"")
            text.withUTF8 {
                encoder.message(UnsafeRawBufferPointer($0), on: .line(0), connection: 1, at: now)
            }
        }
        return Array(encoder.bytes)
    }

    /// The wall clock of a later run is its own: what it was set by counts from that run's beginning, days later too.
    @Test func everyRunHasItsOwnWallClock() throws {
        let wall: Int64 = 1_777_428_000_000_000_000
        for distance in [100, 40 * 86_400] as [Int64] {
            let later = wall + distance * 1_000_000_000
            let bytes =
                Self.run("a", monotonic: 5_000_000_000, wall: wall, wallOffset: 7_000_000_000, seconds: [1, 2])
                + Self.run("b", monotonic: 1_000_000_000, wall: later, wallOffset: 3_000_000_000, seconds: [1, 2])
            let file = try TemporaryFile(bytes)
            let output = Output()
            let outcome = try Replay([file.path]).run(observer: output)
            #expect(outcome.runs == 2)
            let live = output.all.published.filter { $0.trust == .live }.map(\.receiveTime.unixNanoseconds)
            #expect(live.first == wall + 8_000_000_000)
            #expect(live.contains(later + 4_000_000_000), "\(live)")
        }
    }

    /// A time that cannot be is not gone through second by second, nor are what a file says of lines and renewals.
    @Test(arguments: [-5, 0, 1_000_000_000_000])
    func whatAFileSaysThatCannotBeIsNotDone(lines: Int) throws {
        let years: Int64 = 20 * 365 * 86_400
        let bytes = Self.run(
            "a", monotonic: 5_000_000_000, wall: 1_777_428_000_000_000_000, lines: lines, seconds: [1, years, 2, 3])
        let file = try TemporaryFile(bytes)
        let outcome = try Replay([file.path]).run()
        #expect(outcome.jumps == 2)
        #expect(outcome.frames == 4)
        #expect(outcome.publications > 0)
    }

    @Test func aTapeBehindARecordingIsReplayed() throws {
        let recording = try TemporaryFile(
            Self.run("a", monotonic: 5_000_000_000, wall: 1_777_428_000_000_000_000, seconds: [1, 2]))
        let tape = try TemporaryFile(Array(Self.rows([200_000_000, 200_000_005]).utf8), name: "tape.ndjson")
        let output = Output()
        let outcome = try Replay([tape.path, recording.path]).run(observer: output)
        #expect(outcome.frames == 4)
        #expect(outcome.runs == 2)
        #expect(outcome.last?.seconds == 1_900_000_005)
        #expect(output.all.published.last?.receiveTime.unixNanoseconds ?? 0 >= 1_900_000_000_000_000_000)
        #expect(outcome.damage.count == 1, "that they were sorted")
    }

    /// What the benchmark measures: compressed, in files of ours.
    @Test func aSimulatedRecordingIsReplayedWhole() throws {
        let file = try TemporaryFile([])
        defer { withExtendedLifetime(file) {} }
        let recording = try SimulatedRecording(path: file.path + ".d", markets: 2, lasting: .seconds(20), activity: 3)
        let outcome = try Replay([recording.path]).run()
        #expect(outcome.frames == recording.frames)
        #expect(outcome.markets.count == 2)
        #expect(outcome.damage.isEmpty && outcome.lostRows == 0 && outcome.differences.areNone)
    }

    @Test func aRecordingWithoutMessagesGivesNothing() throws {
        let file = try TemporaryFile([])
        defer { withExtendedLifetime(file) {} }
        let outcome = try Replay([file.path]).run()
        #expect(outcome.publications == 0 && outcome.rows == 0 && outcome.first == nil)
    }
}

/// Spikes and trades as they are found while the world runs.
private final class LiveBot: MarketObserver {
    let trader: PaperTrader<ThresholdStrategy>
    private let detector = Mutex((SpikeDetector(), [UInt64: SpikeRecord]()))

    init(_ strategy: ThresholdStrategy) { self.trader = PaperTrader(.init(strategy: strategy)) }

    var spikes: [SpikeRecord] { self.detector.withLock { $0.1.values.sorted { $0.number < $1.number } } }

    func attached(to reader: any FeedReader) { self.trader.attached(to: reader) }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        self.detector.withLock { state in
            for event in state.0.observe(snapshot, now: now) {
                switch event {
                case .began(let spike), .grew(let spike): state.1[spike.number] = SpikeRecord(spike)
                case .ended(let spike, let ending): state.1[spike.number] = SpikeRecord(spike, ending: ending)
                }
            }
        }
        self.trader.published(snapshot, at: now)
    }

    func ended(_ market: Market, at now: ReceiveTime) { self.trader.ended(market, at: now) }
    func traded(_ trade: Trade, of market: Market, at now: ReceiveTime) {
        self.trader.traded(trade, of: market, at: now)
    }
    func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {
        self.trader.sampled(microstructure, of: market, at: now)
    }
    func resolved(_ resolution: Resolution, at now: ReceiveTime) { self.trader.resolved(resolution, at: now) }
}

extension ReplayComparison.Records {
    /// The records of a replay as if a live run had put them down.
    init(_ outcome: ReplayOutcome) {
        self.init()
        self.spikes = outcome.spikes
        self.incidents = outcome.incidents
        self.trades = outcome.trades
    }
}

extension [String] {
    /// The arguments of a test process without what chooses tests.
    fileprivate var withoutFilters: [String] {
        var kept: [String] = []
        var skips = false
        for argument in self {
            if skips {
                skips = false
            } else if argument == "--filter" || argument == "--skip" {
                skips = true
            } else if !argument.hasPrefix("--filter=") && !argument.hasPrefix("--skip=") {
                kept.append(argument)
            }
        }
        return kept
    }
}
