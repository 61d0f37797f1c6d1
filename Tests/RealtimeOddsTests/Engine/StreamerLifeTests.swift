import Logging
import NIOCore
import NIOPosix
import OddsCore
import ServiceLifecycle
import Testing

@testable import RealtimeOdds

/// How a streamer begins and ends, against a server that accepts nobody.
@Suite(.timeLimit(.minutes(1))) struct StreamerLifeTests {
    private func makeStreamer() throws -> RealtimeOddsStreamer {
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = [.assets(["1", "2"])]
        configuration.marketWebSocket = "ws://127.0.0.1:1/ws/market"  // nobody listens on this port
        return try RealtimeOddsStreamer(
            configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func aStreamerThatNeverRanEndsItsSequences() async throws {
        let streamer = try self.makeStreamer()
        let updates = streamer.updates(.lossless(capacity: 1))
        await streamer.stop()
        for await _ in updates {}  // returns only because the sequence ended
        streamer.start()
        #expect(streamer.status.startedAt == nil, "a stopped streamer does not start")
    }

    @Test func stoppingEndsARunToo() async throws {
        let streamer = try self.makeStreamer()
        async let run: Void = streamer.run()
        while streamer.status.startedAt == nil { await Task.yield() }
        let updates = streamer.updates()
        await streamer.stop()
        for await _ in updates {}  // ended by the time `stop` returns
        try await run
        await #expect(throws: RealtimeOddsError.self) { try await streamer.run() }
    }

    @Test func cancellingARunEndsIt() async throws {
        let streamer = try self.makeStreamer()
        let run = Task { try await streamer.run() }
        while streamer.status.startedAt == nil { await Task.yield() }
        run.cancel()
        try await run.value
        for await _ in streamer.updates() {}
    }

    @Test func everyStopWaitsForTheEnd() async throws {
        let streamer = try self.makeStreamer()
        streamer.start()
        let updates = streamer.updates()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    await streamer.stop()
                    // Ended by now, so this takes no waiting: a cancelled reader gets the end, not a wait.
                    return streamer.status.lines.allSatisfy { $0.state == "closed" }
                }
            }
            for await isClosed in group { #expect(isClosed) }
        }
        for await _ in updates {}
    }

    @Test func nothingIsLeftOfAStreamer() async throws {
        for runs in [false, true] {
            weak var left: RealtimeOddsStreamer?
            weak var hub: UpdateHub?
            weak var relay: EngineRelay?
            do {
                let streamer = try self.makeStreamer()
                if runs {
                    streamer.start()
                    await streamer.stop()
                }
                (left, hub, relay) = (streamer, streamer.hub, streamer.relay)
            }
            // The task behind `start()` lets go a moment after it has ended.
            while left != nil || hub != nil || relay != nil { await Task.yield() }
        }
    }
}
