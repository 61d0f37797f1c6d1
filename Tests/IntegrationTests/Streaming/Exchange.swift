import Logging
import OddsCore
import PolymarketSimulator
import RealtimeOdds

/// A simulated exchange and a streamer on it, for the length of a test.
func withStreaming<Result>(
    series names: [String] = ["btc-updown-1h"], seed: UInt64 = 1,
    exchange: (inout SimulatorConfiguration) -> Void = { _ in },
    streamer configure: (inout RealtimeOddsConfiguration) -> Void = { _ in },
    _ body: (PolymarketSimulator, RealtimeOddsStreamer) async throws -> Result
) async throws -> Result {
    let series = try names.map { try MarketSeries($0) }
    var simulated = SimulatorConfiguration()
    simulated.seed = seed
    simulated.series = series
    exchange(&simulated)
    let simulator = PolymarketSimulator(
        configuration: simulated, clock: SystemClock(), logger: Logger(label: "test.exchange") { _ in SilentLog() })
    let endpoints = try await simulator.start()
    do {
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = series.map { .series($0) }
        configuration.marketWebSocket = endpoints.marketWebSocket
        configuration.gammaREST = endpoints.gammaREST
        configuration.clobREST = endpoints.clobREST
        configuration.lines = 1
        configure(&configuration)
        let streamer = try RealtimeOddsStreamer(
            configuration: configuration, logger: Logger(label: "test.streamer") { _ in SilentLog() })
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

/// Swallows what the tests provoke on purpose.
struct SilentLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.critical
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }
    func log(event: LogEvent) {}
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
