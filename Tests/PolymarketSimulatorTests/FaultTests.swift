import AsyncHTTPClient
import NIOCore
import NIOHTTP1
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

/// The faults that need a socket to be seen, and the cue over HTTP.
@Suite(.timeLimit(.minutes(5))) struct SocketFaultTests {
    @Test func aCutEndsTheSocketBehindHalfAFrame() async throws {
        try await SimulatorHarness.with { harness in
            let market = try harness.market()
            let cut = try await harness.subscribe(to: market)
            let other = try await harness.subscribe(to: market)
            harness.simulator.inject(SimulatorFault(.cut, on: .line(0)))
            try await harness.pass(.seconds(1))
            #expect(try await cut.end() == .ended(code: nil))
            // The half is no message.
            #expect(cut.texts.count == 1)
            try await other.settle()
            #expect(other.texts.count > 2)
        }
    }

    @Test func closeCodesArrive() async throws {
        try await SimulatorHarness.with { harness in
            let socket = try await harness.subscribe(to: try harness.market())
            harness.simulator.inject(SimulatorFault(.close(code: 1012, reason: "restart")))
            #expect(try await socket.end() == .ended(code: 1012))
        }
    }

    @Test func aHalfOpenSocketAnswersNothingUntilItHeals() async throws {
        try await SimulatorHarness.with { harness in
            let market = try harness.market()
            let deaf = try await harness.subscribe(to: market)
            let other = try await harness.subscribe(to: market)
            harness.simulator.inject(SimulatorFault(.halfOpen, on: .line(0), for: .seconds(10)))
            deaf.send("PING")
            try await harness.pass(.seconds(8))
            try await other.settle()
            #expect(deaf.texts.count == 1, "\(deaf.texts)")
            #expect(harness.simulator.counters.connectionsOpen == 2)
            try await harness.pass(.seconds(3))
            // What was said into the dark is heard after all.
            _ = try await deaf.text { $0 == "PONG" }
            try await harness.pass(.seconds(1))
            _ = try await deaf.text { $0.contains("price_change") }
        }
    }

    @Test func aClientThatLeavesAHalfOpenSocketIsGoneWhenItHeals() async throws {
        try await SimulatorHarness.with { harness in
            let socket = try await harness.subscribe(to: try harness.market())
            harness.simulator.inject(SimulatorFault(.halfOpen, for: .seconds(1)))
            try await harness.pass(.milliseconds(100))
            try await socket.close()
            try await harness.pass(.seconds(2))
            let other = try await harness.subscribe(to: try harness.market())
            try await other.settle()
            #expect(harness.simulator.inject(SimulatorFault.drop.on(.line(0))))
        }
    }

    @Test func restAnswersAreLateOrResetOrCarryRetryAfter() async throws {
        try await SimulatorHarness.with { harness in
            let ok = harness.endpoints.clobREST + "/ok"
            harness.simulator.inject(SimulatorFault(.restSlow(by: .milliseconds(200)), on: .clob))
            let before = ContinuousClock.now
            #expect(try await harness.get(ok).status == 200)
            #expect(ContinuousClock.now - before >= .milliseconds(200))
            harness.simulator.inject(.recover)
            harness.simulator.inject(SimulatorFault(.restError(status: 429, retryAfter: .seconds(7)), on: .clob))
            let limited = try await HTTPClient.shared.execute(HTTPClientRequest(url: ok), timeout: .seconds(20))
            #expect(limited.status == .tooManyRequests)
            #expect(limited.headers["Retry-After"] == ["7"])
            #expect(try await harness.get(harness.endpoints.gammaREST + "/status").status == 200)
            harness.simulator.inject(SimulatorFault(.restReset, on: .clob))
            await #expect(throws: (any Error).self) { try await harness.get(ok) }
            harness.simulator.inject(.recover)
            #expect(try await harness.get(ok).status == 200)
        }
    }

    @Test func aHangingAnswerDoesNotKeepTheSimulatorFromStopping() async throws {
        try await SimulatorHarness.with { harness in
            harness.simulator.inject(SimulatorFault(.restHang, on: .gamma))
            let question = HTTPClientRequest(url: harness.endpoints.gammaREST + "/status")
            await #expect(throws: HTTPClientError.self) {
                try await HTTPClient.shared.execute(question, timeout: .milliseconds(200))
            }
            let other = try await harness.get(harness.endpoints.clobREST + "/ok")
            #expect(other.status == 200)
        }
    }

    @Test func faultsComeOnCueOverHTTP() async throws {
        try await SimulatorHarness.with { harness in
            let socket = try await harness.subscribe(to: try harness.market())
            let desk = harness.endpoints.clobREST + "/_faults"
            #expect(try await harness.get(desk).body == #"{"faults":[],"planned":[],"connections":1}"#)

            let freeze = try await harness.post(desk, #"{"fault":"freeze","on":"line 0","for":"10s"}"#)
            #expect(freeze.status == 200)
            #expect(
                freeze.body
                    == #"{"faults":[{"fault":"freeze","on":{"line":0},"for":"10s","left":"10s"}],"planned":[],"connections":1}"#
            )
            try await harness.pass(.seconds(4))
            try await socket.settle()
            #expect(socket.texts.count == 2)
            #expect(try await harness.get(desk).body.contains(#""left":"6s""#))

            // A desk is out of reach of what it orders.
            let two = try await harness.post(
                desk, #"[{"fault":"rest-error","on":"clob"},{"at":"5s","fault":"drop"}]"#)
            #expect(two.body.contains(#"{"fault":"rest-error","status":503,"on":{"api":"clob"},"left":null}"#))
            #expect(two.body.contains(#""planned":[{"at":"5s","fault":"drop"}]"#))
            #expect(try await harness.get(harness.endpoints.clobREST + "/ok").status == 503)

            let bad = try await harness.post(desk, #"{"fault":"freeze","onn":"line 0"}"#)
            #expect(bad.status == 400)
            #expect(bad.body.contains(#"line 1: the fault \"freeze\" has no key \"onn\""#))
            let nobody = try await harness.post(desk, #"[{"fault":"drop"},{"fault":"drop","on":"line 4"}]"#)
            #expect(nobody.status == 409)
            #expect(harness.simulator.counters.connectionsOpen == 1, "nothing was done")

            var request = HTTPClientRequest(url: desk)
            request.method = .DELETE
            let recovered = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
            let left = String(buffer: try await recovered.body.collect(upTo: 1 << 20))
            #expect(left == #"{"faults":[],"planned":[],"connections":1}"#)
            request.method = .PUT
            #expect(try await HTTPClient.shared.execute(request, timeout: .seconds(20)).status == .methodNotAllowed)
            #expect(try await harness.get(harness.endpoints.clobREST + "/ok").status == 200)
            try await harness.pass(.seconds(6))
            _ = try await socket.text { $0.contains("price_change") }
        }
    }
}
