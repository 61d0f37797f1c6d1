import Foundation
import Logging
import OddsCore
import OddsRecording
import OddsTestSupport
import Synchronization

/// A directory that is gone when the test is over.
final class TemporaryDirectory {
    let path: String

    init() throws {
        self.path = FileManager.default.temporaryDirectory.appending(path: "oddstream-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    func path(_ name: String) -> String { "\(self.path)/\(name)" }

    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        try Data(bytes).write(to: URL(filePath: self.path(name)))
        return self.path(name)
    }

    func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: self.path(name)))) }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: self.path).sorted() }
}

/// Clocks that a test moves.
final class HandClock: StreamClock {
    private let time: Mutex<(monotonic: Int64, wall: Int64)>

    init(monotonic: Int64 = 5_000_000_000, wall: Int64 = 1_777_428_000_000_000_000) {
        self.time = Mutex((monotonic, wall))
    }

    func now() -> ReceiveTime {
        self.time.withLock {
            ReceiveTime(monotonic: MonotonicTime(nanoseconds: $0.monotonic), unixNanoseconds: $0.wall)
        }
    }

    func sleep(until instant: MonotonicTime) async throws { try await Task.sleep(for: .milliseconds(1)) }

    func advance(_ duration: Duration) {
        self.time.withLock {
            $0.monotonic += duration.wholeNanoseconds
            $0.wall += duration.wholeNanoseconds
        }
    }

    func stepWall(_ duration: Duration) { self.time.withLock { $0.wall += duration.wholeNanoseconds } }
}

/// Keeps what is logged.
final class LogBook: LogHandler, @unchecked Sendable {
    // Every access to the messages is under the lock; level and metadata are set before the handler is shared.
    private let messages = Mutex<[String]>([])
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        self.messages.withLock { $0.append("\(event.level): \(event.message)") }
    }

    var all: [String] { self.messages.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in self } }
}

extension Recorder {
    func tell(_ text: String, line: Int = 0, connection: Int = 1, at now: ReceiveTime) {
        var text = text
        text.withUTF8 {
            self.received(UnsafeRawBufferPointer($0), on: .line(line), connection: connection, at: now)
        }
    }
}

/// Rows as a test compares them.
func texts(_ reader: RecordingReader) -> [String] {
    var texts: [String] = []
    while let row = reader.next() {
        if row.kind == .message { texts.append(String(decoding: row.message, as: UTF8.self)) }
    }
    return texts
}

func market(_ number: Int) -> Market {
    Market(
        id: MarketID("0xm\(number)"), slug: "btc-updown-15m-\(number)", question: "Up or \"down\"?",
        series: "btc-updown-15m",
        window: MarketWindow(start: Timestamp(seconds: 1_777_428_000), end: Timestamp(seconds: 1_777_428_900)),
        yes: Outcome(label: "Up", asset: AssetID("1\(number)")),
        no: Outcome(label: "Down", asset: AssetID("2\(number)")), tickSize: 0.001, minimumOrderSize: 5.5,
        fees: MarketFees(
            areEnabled: true, schedule: .init(rate: 70_000, takerOnly: true, rebateRate: 200_000)),
        settlement: ReferenceSettlement(symbol: "btc/usd", rule: .twap(lookbackSeconds: 60), isAssumed: true))
}
