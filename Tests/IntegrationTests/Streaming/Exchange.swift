import Logging
import OddsCore
import OddsTestSupport
import PolymarketSimulator
import RealtimeOdds

/// Runs like the machine's, but from ten minutes after a full hour: what the minute of a test run has no say in.
let exchangeClock = OffsetClock(SystemClock(), wall: Timestamp(seconds: 1_800_000_600))

/// A simulated exchange and a streamer on it, for the length of a test.
func withStreaming<Result>(
    series names: [String] = ["btc-updown-1h"], clock: any StreamClock = exchangeClock, log: Log = Log(),
    exchange: (inout SimulatorConfiguration) -> Void = { _ in },
    streamer configure: (inout RealtimeOddsConfiguration) -> Void = { _ in },
    _ body: (PolymarketSimulator, RealtimeOddsStreamer) async throws -> Result
) async throws -> Result {
    let series = try names.map { try MarketSeries($0) }
    var simulated = SimulatorConfiguration()
    simulated.series = series
    exchange(&simulated)
    let simulator = PolymarketSimulator(
        configuration: simulated, clock: clock, logger: Logger(label: "test.exchange") { _ in SwiftLogNoOpLogHandler() }
    )
    let endpoints = try await simulator.start()
    do {
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = series.map { .series($0) }
        configuration.marketWebSocket = endpoints.marketWebSocket
        configuration.gammaREST = endpoints.gammaREST
        configuration.clobREST = endpoints.clobREST
        configure(&configuration)
        let streamer = try RealtimeOddsStreamer(
            configuration: configuration, logger: Logger(label: "test.streamer") { _ in log }, clock: clock)
        do {
            streamer.start()
            let result = try await body(simulator, streamer)
            await streamer.stop()
            await simulator.stop()
            return result
        } catch {
            await streamer.stop()
            throw error
        }
    } catch {
        await simulator.stop()
        throw error
    }
}

/// The first update that fits; an error when the sequence ends before.
func first<Value>(
    of updates: OddsUpdates, _ pick: (OddsUpdate) -> Value?
) async throws -> Value {
    for await update in updates {
        if let value = pick(update) { return value }
    }
    throw EndedEarly()
}

/// The sequence of updates ended before the awaited one came.
struct EndedEarly: Error {}

/// Keeps the messages of warnings and worse, for tests that wait for one.
struct Log: LogHandler {
    let messages = Journal<String>()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }
    func log(event: LogEvent) { self.messages.append("\(event.message)") }
}

extension OddsUpdate {
    /// The snapshot of an update about odds or trust.
    var snapshot: OddsSnapshot? {
        switch self {
        case .odds(let snapshot), .trust(let snapshot, _): snapshot
        case .rollover, .resolution, .overflow: nil
        }
    }
}
