import Foundation
import OddsCore
import OddsProof
import OddsRecording
import PolymarketSimulator
import RealtimeOdds
import Synchronization

/// A virtual world that is recorded while it runs: the rows, and what the feed made of them there and then.
final class RecordedWorld {
    let world: VirtualWorld
    let tape: TapeWriter
    private(set) var markets: [Market] = []

    init(
        _ setting: VirtualWorld.Setting, seed: UInt64, faults: [PlannedFault] = [],
        observer: (any MarketObserver)? = nil
    ) {
        let tape = TapeWriter(lines: setting.feed.lines, seed: seed, renewal: setting.feed.renewalInterval)
        self.tape = tape
        self.world = VirtualWorld(setting, seed: seed, observer: observer, tap: tape)
        self.world.exchange.schedule(faults)
    }

    /// A setting in which messages take their own time each: what happens at one moment in virtual time, and never in
    /// the real one, has no order that a recording could tell.
    static func setting(lines: Int, seed: UInt64, series: [String] = ["btc-updown-15m"]) throws -> VirtualWorld.Setting
    {
        var setting = VirtualWorld.Setting()
        setting.exchange.seed = seed
        setting.exchange.series = try series.map { try MarketSeries($0) }
        setting.feed.lines = lines
        setting.feed.renewalInterval = .zero
        setting.latency = .nanoseconds(10_123_457)
        setting.jitter = .microseconds(700)
        return setting
    }

    func follow(_ series: String = "btc-updown-15m") throws {
        let start = self.world.clock.now().wall.seconds / 900 * 900
        guard let market = self.world.exchange.market(slug: "\(series)-\(start)") else {
            throw ProofError("no market of \(series)")
        }
        self.world.host.follow(market)
        self.markets.append(market)
    }

    func pass(_ duration: Duration) { self.world.pass(duration) }

    /// The end of the recording: what happened in the world until now.
    func finish() -> [UInt8] {
        self.tape.end(at: self.world.clock.now())
        return self.tape.bytes
    }

    func end() { self.world.end() }
}

/// Writes what it is told as rows.
final class TapeWriter: FeedTap {
    private struct State: ~Copyable {
        var encoder: RecordingRowEncoder?
    }

    private let state = Mutex(State(encoder: nil))
    private let lines: Int
    private let seed: UInt64
    private let renewal: Duration

    init(lines: Int, seed: UInt64, renewal: Duration) {
        self.lines = lines
        self.seed = seed
        self.renewal = renewal
    }

    private func write(_ now: ReceiveTime, _ body: (inout RecordingRowEncoder) -> Void) {
        self.state.withLock { state in
            var encoder = state.encoder.take() ?? self.begin(now)
            body(&encoder)
            state.encoder = consume encoder
        }
    }

    private func begin(_ now: ReceiveTime) -> RecordingRowEncoder {
        var encoder = RecordingRowEncoder(anchor: now)
        encoder.note(
            .start(
                RecordingStart(
                    run: "run\(self.seed)", file: 1, program: "test", lines: self.lines, seed: self.seed,
                    renewalInterval: self.renewal, anchor: now)),
            at: now.monotonic)
        return encoder
    }

    func received(_ text: UnsafeRawBufferPointer, on channel: FeedChannel, connection: Int, at now: ReceiveTime) {
        self.write(now) { $0.message(text, on: channel, connection: connection, at: now.monotonic) }
    }

    func connection(_ event: FeedConnectionEvent, on channel: FeedChannel, connection: Int, at now: ReceiveTime) {
        self.write(now) { $0.connection(event, on: channel, connection: connection, at: now.monotonic) }
    }

    func answered(_ exchange: RESTExchange, at now: ReceiveTime) {
        self.write(now) { $0.answer(exchange, at: now.monotonic) }
    }

    func commanded(_ command: FeedCommand, at now: ReceiveTime) {
        self.write(now) { $0.command(command, at: now.monotonic) }
    }

    func end(at now: ReceiveTime) { self.write(now) { $0.note(.end, at: now.monotonic) } }

    var bytes: [UInt8] {
        self.state.withLock { state in
            guard let encoder = state.encoder.take() else { return [] }
            let bytes = Array(encoder.bytes)
            state.encoder = consume encoder
            return bytes
        }
    }
}

/// A file of a test's own, deleted when the test lets go of it.
final class TemporaryFile {
    let path: String

    init(_ bytes: [UInt8], name: String = "recording.ndjson") throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "oddstream-replay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let url = directory.appending(path: name)
        try Data(bytes).write(to: url)
        self.path = url.path
    }

    deinit {
        // What cannot be deleted stays in the system's temporary place, which the system clears.
        try? FileManager.default.removeItem(at: URL(filePath: self.path).deletingLastPathComponent())
    }
}

/// What came out of a feed.
final class Output: MarketObserver {
    struct State {
        var published: [OddsSnapshot] = []
        var entries: [String] = []
        var trades = 0
        var resolutions: [String] = []
    }

    private let state = Mutex(State())

    var all: State { self.state.withLock { $0 } }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        self.state.withLock { $0.published.append(snapshot) }
    }
    func traded(_ trade: Trade, of market: Market, at now: ReceiveTime) { self.state.withLock { $0.trades += 1 } }
    func resolved(_ resolution: Resolution, at now: ReceiveTime) {
        self.state.withLock {
            $0.resolutions.append("\(resolution.market.slug) \(String(describing: resolution.winner))")
        }
    }

    func add(_ event: ContinuityEvent, at time: ReceiveTime) {
        self.state.withLock { $0.entries.append("\(time.monotonic.nanoseconds) \(event)") }
    }
}
