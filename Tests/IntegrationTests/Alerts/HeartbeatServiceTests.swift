import Logging
import OddsCore
import OddsSinks
import OddsTestSupport
import Synchronization
import Testing

@testable import oddstream

@Suite(.timeLimit(.minutes(1))) struct HeartbeatServiceTests {
    /// A source whose one market can be made live or stale.
    private final class Source: OddsSource {
        private let market = Market.sample("m")
        private let trust = Mutex<Trust?>(.live)
        private let isMissing = Mutex(false)

        var markets: [MarketStatus] {
            [MarketStatus(market: self.market, role: .fixed, subscribed: true, firstOddsMilliseconds: 0, winner: nil)]
        }
        var status: StreamStatus {
            let problem = self.isMissing.withLock { $0 } ? "not listed" : nil
            return StreamStatus(series: [SeriesStatus(series: "s", current: nil, next: nil, problem: problem)])
        }
        func currentOdds(_ market: MarketID) -> OddsSnapshot? {
            self.trust.withLock { $0 }.map { trust in
                let time = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0)
                let none = Quote(bid: nil, bidSize: 0, ask: nil, askSize: 0, lastTrade: nil)
                return OddsSnapshot(
                    market: self.market, yes: none, no: none, exchangeTime: time.wall, receiveTime: time, trust: trust,
                    epoch: 1, source: .line(0), sequence: 1)
            }
        }
        func become(_ trust: Trust?) { self.trust.withLock { $0 = trust } }
        func miss(_ isMissing: Bool) { self.isMissing.withLock { $0 = isMissing } }
    }

    private struct Desk {
        let source = Source()
        let clock = ManualClock()
        let log = Log()

        /// Lets that many seconds pass, each looked at.
        func pass(_ seconds: Int) async throws {
            for _ in 0..<seconds {
                try await self.clock.sleepers(atLeast: 1)
                self.clock.advance(by: .seconds(1))
            }
            try await self.clock.sleepers(atLeast: 1)
        }

        func run(_ server: StandIn, acceptsFallback: Bool = false, _ body: () async throws -> Void) async throws {
            let target = try #require(HeartbeatTarget("\(server.base)/secret"))
            let service = HeartbeatService(
                target: target, source: self.source, acceptsFallback: acceptsFallback, clock: self.clock,
                logger: Logger(label: "test") { _ in self.log })
            let task = Task { await service.run() }
            let outcome: Result<Void, any Error>
            do {
                try await body()
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            task.cancel()
            await task.value
            try outcome.get()
        }
    }

    @Test func itIsCalledOnceAMinuteWhileHealthy() async throws {
        try await StandIn.run { server in
            let desk = Desk()
            try await desk.run(server) {
                try await desk.pass(1)
                #expect(server.requests.entries.map(\.path) == ["/secret"])
                try await desk.pass(59)
                #expect(server.requests.entries.count == 1)
                try await desk.pass(1)
                #expect(server.requests.entries.count == 2)
            }
        }
    }

    @Test(arguments: [
        Trust.fallback, .suspect(.silent), .resolving, .closed,
        .stale(since: .init(monotonic: .init(nanoseconds: 0), unixNanoseconds: 0), reason: .frozen), nil,
    ])
    func itIsNotCalledWhileNothingIsLive(trust: Trust?) async throws {
        try await StandIn.run { server in
            let desk = Desk()
            desk.source.become(trust)
            try await desk.run(server) {
                try await desk.pass(130)
                #expect(server.requests.entries.isEmpty)
                desk.source.become(.live)
                try await desk.pass(1)
                #expect(server.requests.entries.count == 1)
            }
        }
    }

    @Test func itIsNotCalledWhileASeriesHasNoMarket() async throws {
        try await StandIn.run { server in
            let desk = Desk()
            desk.source.miss(true)
            try await desk.run(server) {
                try await desk.pass(70)
                #expect(server.requests.entries.isEmpty)
                desk.source.miss(false)
                try await desk.pass(1)
                #expect(server.requests.entries.count == 1)
            }
        }
    }

    @Test func thePollerCountsWhereItWasAskedFor() async throws {
        try await StandIn.run { server in
            let desk = Desk()
            desk.source.become(.fallback)
            try await desk.run(server, acceptsFallback: true) {
                try await desk.pass(1)
                #expect(server.requests.entries.count == 1)
            }
        }
    }

    @Test func aCallThatFailsIsNotRepeatedBeforeItsTimeAndSaidOnce() async throws {
        try await StandIn.run(.status(500, ""), .status(500, ""), .hangUp) { server in
            let desk = Desk()
            try await desk.run(server) {
                try await desk.pass(60)
                #expect(server.requests.entries.count == 1)
                try await desk.pass(61)
                #expect(server.requests.entries.count == 3)
                try await desk.pass(60)
                #expect(server.requests.entries.count == 4)
            }
            let said = desk.log.messages.entries
            #expect(said == ["Heartbeat does not get through", "Heartbeat does not get through"])
        }
    }

    @Test func itsAddressIsNotShown() throws {
        let target = try #require(HeartbeatTarget("https://switch.example/not-to-be-seen?key=not-to-be-seen"))
        #expect("\(target)" == "heartbeat at switch.example:443")
        var dumped = ""
        dump(target, to: &dumped)
        #expect(!dumped.contains("not-to-be-seen"))
        #expect(HeartbeatTarget("ftp://switch.example") == nil)
        #expect(HeartbeatTarget("") == nil)
    }
}
