import Logging
import OddsCore
import RealtimeOdds
import Testing

/// The example in the documentation of `RealtimeOddsStreamer`, as it stands there.
struct DocumentationTests {
    @Test func theExampleCompilesAndEndsWithTheStreamer() async throws {
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = [.series(try MarketSeries("btc-updown-15m"))]
        configuration.marketWebSocket = "ws://127.0.0.1:1/ws/market"
        configuration.gammaREST = "http://127.0.0.1:1"
        let streamer = try RealtimeOddsStreamer(
            configuration: configuration, logger: Logger(label: "odds") { _ in SwiftLogNoOpLogHandler() })
        streamer.start()
        let updates = streamer.updates()
        await streamer.stop()
        for await case .odds(let odds) in updates where (odds.displayedOdds ?? 0.0) >= 0.70 {
            Issue.record("odds without an exchange: \(odds.slug) \(odds.displayedOdds!) \(odds.trust)")
        }
        #expect(streamer.currentOdds("0x0") == nil)
    }
}
