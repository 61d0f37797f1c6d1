import Logging
import OddsCore
import Synchronization
import Testing

@testable import OddsRecording

@Suite struct RecorderTests {
    private static func recorder(
        _ directory: TemporaryDirectory, _ clock: HandClock, logger: Logger = Logger(label: "test"),
        _ change: (inout RecorderConfiguration) -> Void = { _ in }
    ) throws -> Recorder {
        var configuration = RecorderConfiguration(directory: directory.path, program: "9.9", lines: 2)
        configuration.endpoints = ["clob": "clob.example"]
        change(&configuration)
        let recorder = try Recorder(configuration, logger: logger, clock: clock)
        try recorder.prepareNow().get()
        return recorder
    }

    @Test func everythingComesBackAsItWasTold() throws {
        let directory = try TemporaryDirectory()
        let clock = HandClock()
        let recorder = try Self.recorder(directory, clock)
        clock.advance(.milliseconds(5))
        let began = clock.now()
        recorder.commanded(.follow(market(1)), at: began)
        recorder.connection(.connecting, on: .line(1), connection: 7, at: clock.now())
        recorder.connection(.open, on: .line(1), connection: 7, at: clock.now())
        clock.advance(.nanoseconds(1_234_567))
        let framed = clock.now()
        recorder.tell(#"[{"a":"b\"c"}]"#, line: 1, connection: 7, at: framed)
        let asked = clock.now()
        clock.advance(.milliseconds(30))
        recorder.answered(
            RESTExchange(service: .clob, path: "/book?token_id=1", asked: asked, status: 200, body: Array("{}".utf8)),
            at: clock.now())
        recorder.answered(
            RESTExchange(service: .gamma, path: "/markets", asked: asked, status: nil, failure: "no answer"),
            at: clock.now())
        clock.stepWall(.milliseconds(-400))
        recorder.connection(
            .closed(reason: "gone", byUs: false, retryAfter: .seconds(3)), on: .line(1), connection: 7, at: clock.now())
        recorder.commanded(
            .resolved(
                Resolution(
                    market: market(1), winner: .no, exchangeTime: Timestamp(milliseconds: 77), source: .gamma)),
            at: clock.now())
        recorder.commanded(.unfollow(MarketID("0xm1")), at: clock.now())
        recorder.finish()

        let reader = try Recording(path: directory.path).reader()
        var kinds: [String] = []
        while let row = reader.next() {
            switch row.content() {
            case .message(let bytes):
                kinds.append("message")
                #expect(bytes == Array(#"[{"a":"b\"c"}]"#.utf8))
                #expect(row.received == framed)
                #expect(row.feedChannel == .line(1))
                #expect(row.connection == 7)
            case .connection(.closed(let reason, let byUs, let retryAfter)):
                kinds.append("closed")
                #expect(reason == "gone" && !byUs && retryAfter == .seconds(3))
                #expect(row.received == clock.now())
            case .connection(let event): kinds.append("\(event)")
            case .answer(let exchange):
                kinds.append("answer \(exchange.service.rawValue) \(exchange.status ?? 0) \(exchange.failure ?? "-")")
                #expect(exchange.asked == asked)
            case .command(.follow(let followed)):
                kinds.append("follow")
                #expect(row.received == began)
                Self.expectSame(followed, market(1))
            case .command(.resolved(let resolution)):
                kinds.append("resolved \(resolution.source.rawValue)")
                #expect(resolution.winner == .no && resolution.exchangeTime == Timestamp(milliseconds: 77))
            case .command(.unfollow(let id)): kinds.append("unfollow \(id)")
            case .command: kinds.append("command")
            case .note(.start(let start)):
                kinds.append("start")
                #expect(start.program == "9.9" && start.lines == 2 && start.file == 1)
            case .note(.clock(let clock)): kinds.append("clock \(clock.wallOffset)")
            case .note(let note): kinds.append("\(note)")
            case nil: kinds.append("unreadable")
            }
        }
        #expect(
            kinds == [
                "start", "clock 0", "follow", "connecting", "open", "message", "answer clob 200 -",
                "answer gamma 0 no answer", "clock -400000000", "closed", "resolved gamma", "unfollow 0xm1", "end",
            ])
        #expect(reader.damage.isEmpty)
        #expect(reader.share == 1)
    }

    static func expectSame(_ a: Market, _ b: Market) {
        #expect(a.id == b.id && a.slug == b.slug && a.question == b.question && a.series == b.series)
        #expect(a.window == b.window && a.yes == b.yes && a.no == b.no && a.tickSize == b.tickSize)
        #expect(a.minimumOrderSize == b.minimumOrderSize && a.negativeRisk == b.negativeRisk)
        #expect(a.acceptingOrders == b.acceptingOrders && a.closed == b.closed && a.fees == b.fees)
        #expect(a.settlement == b.settlement)
    }

    @Test func theManifestTellsWhatIsThere() throws {
        let directory = try TemporaryDirectory()
        let clock = HandClock()
        let recorder = try Self.recorder(directory, clock) { $0.fileTime = .seconds(10) }
        recorder.commanded(.follow(market(1)), at: clock.now())
        for second in 0..<25 {
            clock.advance(.seconds(1))
            recorder.tell("frame \(second)", line: second % 2, at: clock.now())
            recorder.flush()
        }
        recorder.finish()
        let manifest = try RecordingManifest.read(in: directory.path)
        #expect(manifest.files.count == 3)
        #expect(manifest.markets.map(\.slug) == ["btc-updown-15m-1"])
        #expect(manifest.runs.count == 1)
        #expect(manifest.runs.first?.isEndedInOrder == true)
        #expect(manifest.runs.first?.endpoints == ["clob": "clob.example"])
        #expect(manifest.files.reduce(0) { $0 + ($1.frames["0"] ?? 0) } == 13)
        #expect(manifest.files.reduce(0) { $0 + ($1.frames["1"] ?? 0) } == 12)
        let recording = try Recording(path: directory.path)
        let reader = recording.reader()
        #expect(texts(reader) == (0..<25).map { "frame \($0)" })
        // What later files repeat for those who read nothing else is not told twice.
        #expect(reader.rows < manifest.files.reduce(0) { $0 + $1.rows })
        #expect(recording.verify().isIntact)

        // A later file by itself tells what is followed.
        let alone = try Recording(path: recording.files[1].path).reader()
        var followed: [MarketID] = []
        while let row = alone.next() {
            if case .command(.follow(let market)) = row.content() { followed.append(market.id) }
        }
        #expect(followed == [MarketID("0xm1")])
    }

    @Test func theOldestFilesGoAndTheManifestSaysSo() throws {
        let directory = try TemporaryDirectory()
        let clock = HandClock()
        let log = LogBook()
        var generator = SystemRandomNumberGenerator()
        let recorder = try Self.recorder(directory, clock, logger: log.logger) {
            $0.limit = 1_000_000
            $0.blockSize = 1 << 15
        }
        for _ in 0..<3000 {
            clock.advance(.milliseconds(10))
            // Random digits do not compress well.
            let text = (0..<100).map { _ in String(generator.next(), radix: 36) }.joined()
            recorder.tell(text, at: clock.now())
            recorder.flush()
        }
        recorder.finish()
        let manifest = try RecordingManifest.read(in: directory.path)
        #expect(!manifest.deleted.isEmpty)
        #expect(manifest.files.reduce(0) { $0 + $1.bytes } <= 1_000_000)
        #expect(recorder.status.deleted == manifest.deleted.count)
        #expect(try directory.names().filter { $0.hasSuffix(".gz") } == manifest.files.map(\.name))
        #expect(log.all.contains { $0.contains("limit is reached") })
        let recording = try Recording(path: directory.path)
        #expect(recording.missing.isEmpty)
        #expect(recording.verify().isIntact)
    }

    @Test func whatDoesNotFitIsCountedAndToldWhereItIsMissing() throws {
        let directory = try TemporaryDirectory()
        let clock = HandClock()
        let recorder = try Self.recorder(directory, clock) { $0.bufferSize = 1 << 19 }
        let text = String(repeating: "x", count: 10_000)
        for _ in 0..<40 { recorder.tell(text, at: clock.now()) }
        recorder.commanded(.follow(market(1)), at: clock.now())
        recorder.flush()
        recorder.tell("behind it", at: clock.now())
        recorder.finish()
        let reader = try Recording(path: directory.path).reader()
        var order: [String] = []
        var messages = 0
        while let row = reader.next() {
            switch row.content() {
            case .message(let bytes):
                messages += 1
                if bytes.count < 100 { order.append("message") }
            case .note(.lost(let loss)): order.append("lost \(loss.rows)")
            case .command: order.append("follow")
            default: break
            }
        }
        let lost = 41 - messages
        #expect(lost > 0)
        #expect(order == ["lost \(lost)", "follow", "message"])
        #expect(recorder.status.dropped == UInt64(lost))
        let manifest = try RecordingManifest.read(in: directory.path)
        #expect(manifest.files.first?.dropped == UInt64(lost))
        #expect(manifest.files.first?.gaps.map(\.kind) == [.lost])
    }

    @Test func aDiskThatTakesNothingNeverStopsTheStream() throws {
        let directory = try TemporaryDirectory()
        let clock = HandClock()
        let log = LogBook()
        let disk = Disk()
        let recorder = try Recorder(
            RecorderConfiguration(directory: directory.path, program: "9.9", lines: 2), logger: log.logger, clock: clock
        ) { path throws(SystemError) in try FailingFile(path, disk) }
        try recorder.prepareNow().get()
        recorder.tell("before", at: clock.now())
        clock.advance(.seconds(1))
        recorder.flush()
        disk.isFull = true
        for second in 0..<5 {
            recorder.tell("lost \(second)", at: clock.now())
            if second == 2 { recorder.commanded(.follow(market(2)), at: clock.now()) }
            clock.advance(.seconds(1))
            recorder.flush()
        }
        guard case .troubled = recorder.status.state else {
            Issue.record("the trouble is not told: \(recorder.status)")
            return
        }
        disk.isFull = false
        clock.advance(.seconds(2))
        recorder.flush()
        #expect(recorder.status.state == .recording)
        recorder.tell("after", at: clock.now())
        recorder.finish()
        #expect(recorder.status.dropped == 5)
        #expect(log.all.count { $0.contains("cannot be written") } == 1)
        let reader = try Recording(path: directory.path).reader()
        var order: [String] = []
        while let row = reader.next() {
            switch row.content() {
            case .message(let bytes): order.append(String(decoding: bytes, as: UTF8.self))
            case .note(.lost(let loss)): order.append("lost \(loss.rows)")
            case .command(.follow(let market)): order.append(market.id.rawValue)
            default: break
            }
        }
        #expect(order == ["before", "lost 5", "0xm2", "after"])
        #expect(reader.damage.isEmpty)
        #expect(try Recording(path: directory.path).verify().isIntact)
    }

    @Test func timesWithoutAnyLineAreListed() throws {
        let directory = try TemporaryDirectory()
        let clock = HandClock()
        let recorder = try Self.recorder(directory, clock)
        for (line, connection) in [(0, 1), (1, 2)] {
            recorder.connection(.connecting, on: .line(line), connection: connection, at: clock.now())
            recorder.connection(.open, on: .line(line), connection: connection, at: clock.now())
        }
        let closed = FeedConnectionEvent.closed(reason: "gone", byUs: false, retryAfter: nil)
        recorder.connection(closed, on: .line(0), connection: 1, at: clock.now())
        clock.advance(.seconds(3))
        recorder.connection(closed, on: .line(1), connection: 2, at: clock.now())
        clock.advance(.seconds(2))
        recorder.connection(.open, on: .line(0), connection: 1, at: clock.now())
        clock.advance(.seconds(2))
        let end = FeedConnectionEvent.closed(reason: "closed", byUs: true, retryAfter: nil)
        recorder.connection(end, on: .line(0), connection: 1, at: clock.now())
        recorder.finish()
        let gaps = try RecordingManifest.read(in: directory.path).files.flatMap(\.gaps)
        #expect(gaps.map(\.kind) == [.disconnected])
        #expect(gaps.map { ($0.end ?? 0) - $0.start } == [2_000_000_000])
    }

    @Test func aCrashIsMendedByTheNextRun() throws {
        let directory = try TemporaryDirectory()
        let clock = HandClock()
        do {
            // Let go without an end, as by a crash.
            let recorder = try Self.recorder(directory, clock)
            recorder.commanded(.follow(market(1)), at: clock.now())
            recorder.tell("kept", at: clock.now())
            recorder.flush()
            clock.advance(.seconds(1))
            recorder.flush()
            recorder.tell("in memory only", at: clock.now())
        }
        let name = try #require(try directory.names().first { $0.hasSuffix(".gz") })
        let whole = try directory.read(name)
        _ = try directory.write(name, whole + whole.prefix(40))
        clock.advance(.seconds(60))
        let second = try Self.recorder(directory, clock)
        second.tell("second run", at: clock.now())
        second.finish()
        let manifest = try RecordingManifest.read(in: directory.path)
        #expect(manifest.runs.map(\.isEndedInOrder) == [false, true])
        #expect(manifest.runs[0].end != nil)
        #expect(manifest.files.map(\.isMended) == [true, false])
        #expect(manifest.files[0].bytes == UInt64(whole.count))
        #expect(manifest.files[0].frames == ["0": 1])
        let reader = try Recording(path: directory.path).reader()
        #expect(texts(reader) == ["kept", "second run"])
        #expect(reader.damage.map(\.bytes) == [40])
    }

    @Test func oneProcessRecordsIntoADirectory() throws {
        let directory = try TemporaryDirectory()
        let clock = HandClock()
        let recorder = try Self.recorder(directory, clock)
        #expect(throws: RecordingError.self) { try Self.recorder(directory, clock) }
        recorder.finish()
        let next = try Self.recorder(directory, clock)
        next.finish()
    }

    @Test func everythingIsOnTheDiskWhenItsTaskHasEnded() async throws {
        let directory = try TemporaryDirectory()
        let clock = HandClock()
        let recorder = try Self.recorder(directory, clock)
        let task = Task { try await recorder.run() }
        recorder.tell("last words", at: clock.now())
        task.cancel()
        try await task.value
        #expect(texts(try Recording(path: directory.path).reader()) == ["last words"])
        #expect(recorder.status.state == .stopped)
    }
}

/// A disk that a test fills.
private final class Disk: Sendable {
    private let full = Mutex(false)
    var isFull: Bool {
        get { self.full.withLock { $0 } }
        set { self.full.withLock { $0 = newValue } }
    }
}

private final class FailingFile: BlockFile {
    private let file: OutputFile
    private let disk: Disk

    init(_ path: String, _ disk: Disk) throws(SystemError) {
        self.file = try OutputFile(path: path, isNew: true)
        self.disk = disk
    }

    func write(_ bytes: [UInt8]) throws(SystemError) {
        // 28 is ENOSPC wherever this is tested.
        if self.disk.isFull { throw SystemError(number: 28) }
        try self.file.write(bytes)
    }

    func synchronise() throws(SystemError) { try self.file.synchronise() }
}
