import Foundation
import Logging
import OddsCore
import OddsSinks
import OddsTestSupport
import PolymarketSimulator
import RealtimeOdds
import ServiceLifecycle
import Testing

@testable import oddstream

/// From a fault at the exchange to a person's telephone, with a stand-in for the Bot API.
@Suite(.timeLimit(.minutes(5))) struct AlertServiceTests {
    /// Services in a group while `body` runs; then the group is asked to end, as a signal would.
    private func running(_ services: [any Service], _ body: () async throws -> Void) async throws {
        let quiet = Logger(label: "group") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(
            configuration: .init(services: services.map { .init(service: $0) }, logger: quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let outcome: Result<Void, any Error>
            do {
                try await body()
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try outcome.get()
        }
    }

    private func telegram(_ server: StandIn, log: Log = Log()) throws -> TelegramSink {
        var configuration = TelegramSinkConfiguration(token: try Secret("123456:test-token"), chat: "4711")
        configuration.api = server.base
        configuration.outbox.backoff = Backoff(delays: [.milliseconds(50)], jitter: 0)
        configuration.outbox.pace = .milliseconds(10)
        configuration.outbox.gathering = .milliseconds(10)
        return try TelegramSink(
            configuration: configuration, clock: SystemClock(),
            logger: Logger(label: "test.sink") { _ in log })
    }

    private func alerts(
        over source: any OddsSource, to sink: TelegramSink, log: Log = Log(),
        _ change: (inout AlertRules.Configuration) -> Void
    ) -> AlertService {
        var rules = AlertRules.Configuration()
        change(&rules)
        return AlertService(
            source: source, sinks: [sink], configuration: rules, clock: SystemClock(),
            logger: Logger(label: "test.alerts") { _ in log })
    }

    @Test func anOutageIsToldAndItsEndIsAReplyWithTheDowntime() async throws {
        try await StandIn.run { server in
            try await withStreaming {
                _ in
            } streamer: {
                $0.lines = 2
                $0.backoff = Backoff(delays: [.milliseconds(20)], jitter: 0)
            } _: { simulator, streamer in
                let updates = streamer.updates()
                _ = try await first(of: updates) { $0.snapshot?.trust == .live ? true : nil }
                let sink = try self.telegram(server)
                // The Bot API limits, fails and hangs up before it takes the first alert.
                server.answer(with: [
                    .tooMany(1), .error(502, "Bad Gateway"), .hangUp, .accept, .error(500, "Internal"), .tooMany(1),
                ])
                let alerts = self.alerts(over: streamer, to: sink) { $0.recoveredAfter = .seconds(1) }
                try await self.running([sink, alerts]) {
                    simulator.inject(.refuse(.status(503), for: .seconds(3600)))
                    simulator.inject(.drop)
                    try await server.accepted.wait(forCount: 1)
                    simulator.inject(.recover)
                    try await server.accepted.wait(forCount: 2)
                }
                let heard = server.accepted.entries
                try #require(heard.count == 2, "\(heard.map(\.request.text))")
                #expect(heard[0].request.text.hasPrefix("CRITICAL: No line is live after 5 failures in a row\n"))
                #expect(heard[0].request.replyTo == nil)
                #expect(heard[1].request.text.hasPrefix("INFO: Recovered: No line is live after 5 failures in a row\n"))
                #expect(heard[1].request.text.contains(/It lasted \d+(\.\d)? s\./))
                #expect(heard[1].request.replyTo == heard[0].id)
                // What the Bot API had not taken was tried again, to the letter, and nothing overtook it.
                let tried = server.requests.entries.map { $0.text.split(separator: "\n").first ?? "" }
                #expect(tried.map { $0.hasPrefix("INFO") } == [false, false, false, false, true, true, true])
                #expect(sink.status.delivered == 2)
                #expect(sink.status.refused + sink.status.dropped + sink.status.expired == 0)

                // The same is on record, once for each line.
                let lost = streamer.incidents().finished.filter { $0.kind == .connectionLost }
                #expect(lost.contains { if case .line = $0.subject { $0.attempts >= 4 } else { false } })
            }
        }
    }

    @Test func theEndOfTheStreamerIsNoIncident() async throws {
        try await withStreaming {
            _ in
        } streamer: {
            $0.lines = 2
        } _: { _, streamer in
            _ = try await first(of: streamer.updates()) { $0.snapshot?.trust == .live ? true : nil }
            await streamer.stop()
            let report = streamer.incidents()
            #expect(report.open.isEmpty, "\(report.open.map(\.summary))")
            #expect(!report.all.contains { $0.kind == .connectionLost }, "\(report.all.map(\.summary))")
            #expect(report.uptime.total.live > .zero)
        }
    }

    @Test func anOutageOfTheBotAPILosesNothing() async throws {
        try await StandIn.run { server in
            try await withStreaming {
                _ in
            } streamer: {
                $0.backoff = Backoff(delays: [.milliseconds(20)], jitter: 0)
            } _: { simulator, streamer in
                _ = try await first(of: streamer.updates()) { $0.snapshot?.trust == .live ? true : nil }
                var log = Log()
                log.logLevel = .trace
                let messages = log.messages
                let sink = try self.telegram(server, log: log)
                let alerts = self.alerts(over: streamer, to: sink, log: log) { $0.recoveredAfter = .seconds(1) }
                try await server.stop()
                try await self.running([sink, alerts]) {
                    simulator.inject(.refuse(.reset, for: .seconds(3600)))
                    simulator.inject(.drop)
                    // Both alert and recovery are posted while nobody takes them.
                    try await messages.wait(for: "Alert attempt ended")
                    simulator.inject(.recover)
                    try await messages.wait { $0.count { $0 == "Alert posted" } == 2 }
                    #expect(sink.status.waiting == 2)
                    try await server.start()
                    try await server.accepted.wait(forCount: 2)
                }
                let heard = server.accepted.entries
                #expect(heard.map { $0.request.text.hasPrefix("INFO: Recovered") } == [false, true])
                #expect(heard.last?.request.replyTo == heard.first?.id)
            }
        }
    }

    @Test func aMarketThatIsNotLiveForTooLongIsTold() async throws {
        try await StandIn.run { server in
            try await withStreaming {
                _ in
            } streamer: {
                $0.backoff = Backoff(delays: [.milliseconds(20)], jitter: 0)
            } _: { simulator, streamer in
                _ = try await first(of: streamer.updates()) { $0.snapshot?.trust == .live ? true : nil }
                let sink = try self.telegram(server)
                let alerts = self.alerts(over: streamer, to: sink) {
                    $0.failures = .max
                    $0.tolerance = .seconds(1)
                    $0.recoveredAfter = .seconds(1)
                }
                try await self.running([sink, alerts]) {
                    simulator.inject(.refuse(.status(503), for: .seconds(3600)))
                    simulator.inject(.drop)
                    try await server.accepted.wait(forCount: 1)
                    simulator.inject(.recover)
                    try await server.accepted.wait { $0.contains { $0.request.text.hasPrefix("INFO: Recovered") } }
                }
                let heard = server.accepted.entries
                #expect(
                    heard.first?.request.text.contains("Odds of btc-updown-1h-") == true
                        || heard.first?.request.text.contains("Odds of bitcoin-up-or-down") == true,
                    "\(heard.map(\.request.text))")
                #expect(heard.last?.request.replyTo == heard.first?.id)
            }
        }
    }

    @Test func theProgramTellsOfAFeedThatFailsAndEndsCleanly() async throws {
        try await StandIn.run { server in
            let exchange = try await Self.exchange()
            exchange.simulator.inject(.refuse(.status(503), for: .seconds(3600)))
            let run = try ProgramRun(
                [
                    "run", "--http-port", "0", "--series", "btc-updown-1h", "--market-ws",
                    exchange.endpoints.marketWebSocket, "--gamma-rest", exchange.endpoints.gammaREST, "--clob-rest",
                    exchange.endpoints.clobREST, "--telegram-api", server.base, "--telegram-chat", "4711",
                ], environment: ["ODDSTREAM_TELEGRAM_TOKEN": "123456:not-to-be-seen"])
            for await line in run.errorLines where line.contains("Alert posted") { break }
            // It waits for others to join it, and the program ends: it goes out all the same.
            run.send(SIGTERM)
            #expect(await run.wait() == 0)
            await exchange.simulator.stop()
            #expect(server.accepted.entries.map { $0.request.text.contains("No line is live") } == [true])
            let said = try await run.outputText() + run.errorText()
            #expect(said.contains("Alert posted"))
            #expect(!said.contains("not-to-be-seen"))
        }
    }

    @Test func theProgramCallsTheDeadMansSwitchAndKeepsItsAddress() async throws {
        try await StandIn.run { server in
            let exchange = try await Self.exchange()
            let run = try ProgramRun(
                [
                    "run", "--http-port", "0", "--series", "btc-updown-1h", "--log-level", "trace", "--market-ws",
                    exchange.endpoints.marketWebSocket, "--gamma-rest", exchange.endpoints.gammaREST, "--clob-rest",
                    exchange.endpoints.clobREST,
                ], environment: ["ODDSTREAM_HEARTBEAT_URL": "\(server.base)/ping/not-to-be-seen"])
            try await server.requests.wait(forCount: 1)
            run.send(SIGTERM)
            #expect(await run.wait() == 0)
            await exchange.simulator.stop()
            #expect(server.requests.entries.map(\.method) == ["GET"])
            #expect(server.requests.entries.map(\.path) == ["/ping/not-to-be-seen"])
            let said = try await run.outputText() + run.errorText()
            #expect(!said.contains("not-to-be-seen"))
        }
    }

    private static func exchange() async throws -> (simulator: PolymarketSimulator, endpoints: SimulatorEndpoints) {
        var configuration = SimulatorConfiguration()
        configuration.series = [try MarketSeries("btc-updown-1h")]
        let simulator = PolymarketSimulator(
            configuration: configuration, clock: SystemClock(),
            logger: Logger(label: "test.exchange") { _ in SwiftLogNoOpLogHandler() })
        return (simulator, try await simulator.start())
    }
}
