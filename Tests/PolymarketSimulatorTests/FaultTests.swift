import OddsCore
import OddsTestSupport
import Testing

@testable import PolymarketSimulator

@Suite(.timeLimit(.minutes(5))) struct FaultTests {
    @Test func dropEndsEveryConnectionWithoutACloseFrame() async throws {
        try await SimulatorHarness.with { harness in
            let one = try await harness.subscribe(to: try harness.market())
            let two = try await harness.subscribe(to: try harness.market())
            harness.simulator.inject(.drop)
            #expect(try await one.end() == .ended(code: nil))
            #expect(try await two.end() == .ended(code: nil))
            // And the next one is let in.
            _ = try await harness.subscribe(to: try harness.market())
        }
    }

    @Test func refuseTurnsNewConnectionsAwayForAWhile() async throws {
        try await SimulatorHarness.with { harness in
            let old = try await harness.subscribe(to: try harness.market())
            harness.simulator.inject(.refuse(.status(429), for: .seconds(10)))
            let limited = try await TestSocket.connect(to: harness.endpoints.marketWebSocket)
            try await limited.journal.wait(for: .status(429))
            harness.simulator.inject(.refuse(.reset, for: .seconds(10)))
            let reset = try await TestSocket.connect(to: harness.endpoints.marketWebSocket)
            #expect(try await reset.end() == .ended(code: nil))
            #expect(!reset.journal.entries.contains(.status(101)))
            #expect(harness.simulator.counters.connectionsRefused == 2)
            try await old.settle()
            #expect(try await harness.get(harness.endpoints.clobREST + "/ok").status == 200)
            try await harness.pass(.seconds(11))
            _ = try await harness.subscribe(to: try harness.market())
        }
    }

    @Test func freezeAnswersPingAndSendsNothing() async throws {
        try await SimulatorHarness.with { harness in
            let market = try harness.market()
            let old = try await harness.subscribe(to: market)
            harness.simulator.inject(.freeze(for: .seconds(10)))
            let fresh = try await harness.connect()
            fresh.send(#"{"type":"market","assets_ids":["\#(market.yes.asset)"]}"#)
            // Who has not subscribed when the idle limit has passed is dropped: the message must have arrived before.
            try await fresh.settle()
            try await harness.pass(.seconds(5))
            try await old.settle()
            try await fresh.settle()
            #expect(old.texts.count == 2)
            #expect(fresh.texts == ["PONG", "PONG"])
            try await harness.pass(.seconds(6))
            try await harness.pass(.seconds(2))
            _ = try await old.text { $0.contains("price_change") }
            _ = try await fresh.text { $0.contains("price_change") }
        }
    }

    @Test func aFreezeWithoutEndLastsUntilItIsLifted() async throws {
        try await SimulatorHarness.with { harness in
            let socket = try await harness.subscribe(to: try harness.market())
            harness.simulator.inject(.freeze(for: nil))
            try await harness.pass(.seconds(20))
            try await socket.settle()
            #expect(socket.texts.count == 2)
            harness.simulator.inject(.recover)
            try await harness.pass(.seconds(2))
            _ = try await socket.text { $0.contains("price_change") }
        }
    }

    @Test func malformedCutsOneFrameOfEachConnection() async throws {
        try await SimulatorHarness.with { harness in
            let socket = try await harness.subscribe(to: try harness.market())
            harness.simulator.inject(.malformedFrame)
            try await harness.pass(.seconds(3))
            try await socket.settle()
            let frames = socket.texts.dropFirst().filter { $0 != "PONG" }
            #expect(frames.count > 10)
            #expect(throws: (any Error).self) { try ReadFrame.read(frames[0].utf8) }
            for frame in frames.dropFirst() { #expect(try ReadFrame.read(frame.utf8).count == 1) }
        }
    }

    @Test func oversizeSendsAFrameOfExactlyThatSize() async throws {
        try await SimulatorHarness.with { harness in
            let socket = try await harness.subscribe(to: try harness.market())
            harness.simulator.inject(.oversizeFrame(bytes: 9 << 20))
            let text = try await socket.text { $0.contains("oversize") }
            #expect(text.utf8.count == 9 << 20)
        }
    }

    @Test func aReaderTooFarBehindIsDropped() async throws {
        try await SimulatorHarness.with {
            $0.slowReaderLimit = 1 << 20
        } _: { harness in
            let socket = try await harness.subscribe(to: try harness.market())
            harness.simulator.inject(.oversizeFrame(bytes: 4 << 20))
            #expect(try await socket.end() == .ended(code: nil))
        }
    }
}
