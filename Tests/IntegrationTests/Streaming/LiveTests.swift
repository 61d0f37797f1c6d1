import Foundation
import Logging
import OddsCore
import RealtimeOdds
import Testing

/// Against the real exchange: only with `ODDSTREAM_LIVE=1`, because it needs the network and the market to be open.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["ODDSTREAM_LIVE"] == "1", "set ODDSTREAM_LIVE=1 to run it"))
struct LiveTests {
    @Test(.timeLimit(.minutes(2))) func productionStreamsForThirtySeconds() async throws {
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = [.series(try MarketSeries("btc-updown-15m"))]
        let streamer = try RealtimeOddsStreamer(configuration: configuration, logger: Logger(label: "live"))
        streamer.start()
        let clock = SystemClock()
        let start = clock.now().monotonic
        var live = 0
        for await update in streamer.updates() {
            if case .odds(let odds) = update, odds.trust == .live { live += 1 }
            if start.duration(to: clock.now().monotonic) >= .seconds(30) { break }
        }
        let counters = Dictionary(uniqueKeysWithValues: streamer.status.counters.map { ($0.name, $0.value) })
        await streamer.stop()
        print("live: \(live) updates in 30 s; \(counters)")
        #expect(live > 0)
        #expect(counters["frames.malformed"] == 0)
        #expect(counters["fields.unknown"] == 0)
    }
}
