internal import Logging
internal import OddsCore
internal import OddsRecording
internal import PolymarketSimulator
internal import RealtimeOdds

/// A recording of the simulated exchange, made in virtual time: for measuring, and for trying things out offline.
public struct SimulatedRecording: Sendable {
    /// The directory it is in.
    public let path: String
    /// Messages of the market channel in it.
    public let frames: UInt64

    /// Makes one. The same arguments give the same messages.
    ///
    /// - Parameters:
    ///   - path: the directory, which need not be there.
    ///   - markets: how many busy markets are followed, 1 to 8.
    ///   - duration: how long, at most a quarter of an hour: the markets end then.
    ///   - lines: how many lines carry them.
    ///   - activity: how much busier than usual the markets are.
    ///   - seed: what everything is drawn from.
    /// - Throws: `RecordingError` when it cannot be written, `ProofError` when there are no such markets.
    public init(
        path: String, markets: Int = 3, lasting duration: Duration, lines: Int = 2, activity: Double = 1,
        seed: UInt64 = 1
    ) throws {
        let coins = ["btc", "eth", "sol", "xrp", "doge", "bnb", "ada", "avax"]
        guard (1...coins.count).contains(markets) else {
            throw ProofError("There are 1 to \(coins.count) simulated markets, not \(markets).")
        }
        let names = coins.prefix(markets).map { "\($0)-updown-15m" }
        var setting = VirtualWorld.Setting()
        setting.exchange.seed = seed
        setting.exchange.series = try names.map { try MarketSeries($0) }
        setting.exchange.flow.orders *= activity
        setting.exchange.flow.quotes *= activity
        setting.exchange.flow.trades *= activity
        setting.feed.lines = lines
        setting.jitter = .microseconds(700)
        let late = LateTap()
        let world = VirtualWorld(setting, seed: seed, tap: late)
        var configuration = RecorderConfiguration(directory: path, program: "simulated", lines: lines)
        configuration.seed = seed
        configuration.renewalInterval = setting.feed.renewalInterval
        let recorder = try Recorder(
            configuration, logger: Logger(label: "oddstream.recording") { _ in SwiftLogNoOpLogHandler() },
            clock: world.clock)
        try recorder.prepareNow().get()
        late.recorder = recorder
        let start = world.clock.now().wall.seconds / 900 * 900
        for name in names {
            guard let market = world.exchange.market(slug: "\(name)-\(start)") else {
                throw ProofError("The simulated exchange has no market of \(name).")
            }
            world.host.follow(market)
        }
        var rest = duration
        while rest > .zero {
            world.pass(min(rest, .milliseconds(200)))
            rest -= .milliseconds(200)
            recorder.flush()
        }
        late.recorder = nil
        recorder.finish()
        self.path = path
        self.frames = world.host.counters.frames
        world.end()
    }
}

/// Hands on to a recorder that is made after the world, whose clock it needs.
private final class LateTap: FeedTap, @unchecked Sendable {
    // Used on the one thread that drives the world.
    var recorder: Recorder?

    func received(_ text: UnsafeRawBufferPointer, on channel: FeedChannel, connection: Int, at now: ReceiveTime) {
        self.recorder?.received(text, on: channel, connection: connection, at: now)
    }

    func connection(_ event: FeedConnectionEvent, on channel: FeedChannel, connection: Int, at now: ReceiveTime) {
        self.recorder?.connection(event, on: channel, connection: connection, at: now)
    }

    func answered(_ exchange: RESTExchange, at now: ReceiveTime) { self.recorder?.answered(exchange, at: now) }

    func commanded(_ command: FeedCommand, at now: ReceiveTime) { self.recorder?.commanded(command, at: now) }
}
