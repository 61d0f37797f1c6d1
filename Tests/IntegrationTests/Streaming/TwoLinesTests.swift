import Logging
import OddsCore
import PolymarketSimulator
import RealtimeOdds
import Testing

/// Two lines to the simulated exchange over real sockets.
@Suite(.timeLimit(.minutes(2)))
struct TwoLinesTests {
    @Test func bothLinesCarryEveryMarket() async throws {
        try await withStreaming {
            _ in
        } streamer: {
            $0.lines = 2
            $0.windowsAhead = 0
        } _: { simulator, streamer in
            for await _ in streamer.updates() where streamer.status.lines.count == 2 {
                if streamer.status.lines.allSatisfy({ $0.messages > 10 }) { break }
            }
            #expect(streamer.status.lines.map(\.line) == [0, 1])
            #expect(streamer.status.lines.map(\.assets) == [2, 2])
            #expect(streamer.markets.count == 1)
            #expect(simulator.counters.connectionsAccepted == 2)
        }
    }

    /// A stop comes at any moment of a busy stream: between the two books of a trade, in the middle of a batch.
    @Test func stoppingAtAnyMomentEndsEverything() async throws {
        try await withStreaming {
            $0.flow.orders = 300
            $0.flow.trades = 40
        } _: { simulator, first in
            let market = await first.updates().first { _ in true }?.snapshot?.market
            let assets = try #require(market).assets
            for round in 1...40 {
                var configuration = RealtimeOddsConfiguration()
                configuration.markets = [.assets(assets)]
                configuration.marketWebSocket = try #require(simulator.endpoints).marketWebSocket
                configuration.seed = UInt64(round)
                let streamer = try RealtimeOddsStreamer(
                    configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
                let updates = streamer.updates()
                streamer.start()
                var left = round
                for await _ in updates {
                    left -= 1
                    if left == 0 { break }
                }
                await streamer.stop()
                #expect(streamer.status.lines.allSatisfy { $0.state == "closed" })
            }
        }
    }
}
