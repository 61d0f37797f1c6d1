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
}
