import Logging
import OddsCore
import OddsTestSupport
import PolymarketSimulator
import Testing

@testable import RealtimeOdds

/// The follower of the reference price against the simulated exchange, over real sockets.
@Suite(.timeLimit(.minutes(3)))
struct ReferencePriceStreamingTests {
    private static let hour: Int64 = 1_800_000_000

    /// Window for window, the price feed says who won, and Gamma says the same a little later.
    @Test func theOutcomeIsTheExchanges() async throws {
        try await PriceVenue.moved(from: Self.hour - 20) { venue, _ in
            venue.streamer.start()
            try await venue.logged("Reference price connected")
            let end = try #require(venue.simulator.endpoints?.gammaREST)
            let transport = try HTTPClientTransport(certificateAuthorityFile: nil, connectTimeout: .seconds(5))
            let gamma = GammaClient(base: end, transport: transport, timeout: .seconds(20))
            var start = Self.hour
            for _ in 0..<4 {
                let slug = "btc-updown-30s-\(start)"
                let told = try await gamma.market(slug: slug).market
                #expect(told.settlement == ReferenceSettlement(symbol: "btc/usd", rule: .twap(lookbackSeconds: 10)))
                #expect(told.fees == (try venue.market(slug)).fees && told.fees?.schedule?.rate == 70_000)
                venue.streamer.follow(told)
                let now = try #require(venue.clock?.wall.seconds)
                try await venue.pass(Int(start + 5 - now))
                try await venue.heard(start + 3)
                let reading = venue.streamer.reading(for: told)
                #expect(reading.priceToBeat.mark?.origin == .computed && reading.leader != nil)
                #expect(reading.price.mark?.isExact == true && reading.distance != nil)
                #expect(reading.timeLeft == .seconds(25))
                #expect(venue.streamer.outcome(of: told) == .unknown(.notYetKnown))
                try await venue.pass(30)
                try await venue.heard(start + 30)
                let outcome = venue.streamer.outcome(of: told)
                let settled = try await gamma.market(slug: slug).settlement
                #expect(outcome.winner != nil && settled == outcome.winner.map { .won($0) })
                #expect(venue.streamer.reading(for: told).leader == outcome.winner)
                venue.streamer.unfollow(told.id)
                start += 30
            }
            await transport.shutdown()
            #expect(venue.seconds() == venue.seconds().sorted() && Set(venue.seconds()).count == venue.seconds().count)
        }
    }

    @Test func theVenuesMeansAreFollowed() async throws {
        let start = Self.hour / 900 * 900 + 900
        try await PriceVenue.moved(from: start - 5, series: ["btc-updown-15m"]) {
            $0.flow.orders = 1
        } prices: {
            $0.binance = true
        } _: { venue, _ in
            let market = try venue.market("btc-updown-15m-\(start)")
            venue.streamer.follow(market)
            venue.streamer.start()
            try await venue.heard(start - 7, .twapSixty)
            try await venue.heard(start - 7, .binance)
            #expect(venue.streamer.reading(for: market).priceToBeat == .unknown(.notYetKnown))
            try await venue.pass(10)
            try await venue.heard(start + 3, .twapSixty)
            try await venue.heard(start + 3)
            let reading = venue.streamer.reading(for: market)
            #expect(reading.priceToBeat.mark?.origin == .stamped && reading.priceToBeat.mark?.isExact == true)
            #expect(reading.second != nil && reading.price.mark != nil)
            let status = venue.streamer.referenceStatus
            #expect(status.state == "live" && status.feeds.count == 3 && status.dataAge != nil)
            let counters = Dictionary(uniqueKeysWithValues: status.counters)
            #expect(counters["reference.malformed"] == 0 && counters["reference.unknown"] == 0)
            #expect(counters["reference.histories"] == 3 && counters["reference.histories.unusable"] == 0)
            #expect(counters["reference.contradictions"] == 0)
        }
    }

    /// Whoever comes a little late gets the price to beat from the history; whoever comes later does not make one up.
    @Test(arguments: [
        (20 as Int64, "btc-updown-15m", true), (100, "btc-updown-15m", false), (70, "btc-updown-5m", false),
    ])
    func aHistoryReachesBackAMinute(after: Int64, series: String, isKnown: Bool) async throws {
        let start = Self.hour / 900 * 900 + 900
        try await PriceVenue.moved(from: start + after, series: [series]) { venue, _ in
            let market = try venue.market("\(series)-\(start)")
            venue.streamer.follow(market)
            venue.streamer.start()
            let topic: ReferenceTopic = series.hasSuffix("15m") ? .twapSixty : .twapThirty
            try await venue.heard(start + after - 3, topic)
            let value = venue.streamer.reading(for: market).priceToBeat
            if isKnown {
                #expect(value.mark?.origin == .stamped && value.mark?.isExact == false)
            } else {
                #expect(value == .unknown(.startedTooLate))
            }
        }
    }

    @Test func aGapAtABoundaryIsSaid() async throws {
        try await PriceVenue.moved(from: Self.hour - 20) { venue, _ in
            venue.simulator.follow(FaultPlan([PlannedFault(at: .seconds(17), SimulatorFault(.gap, for: .seconds(6)))]))
            venue.streamer.start()
            try await venue.logged("Reference price connected")
            let before = try venue.market("btc-updown-30s-\(Self.hour - 30)")
            let broken = try venue.market("btc-updown-30s-\(Self.hour)")
            let next = try venue.market("btc-updown-30s-\(Self.hour + 30)")
            try await venue.pass(30)
            try await venue.heard(Self.hour + 8)
            #expect(!venue.seconds().contains(Self.hour) && venue.seconds().contains(Self.hour + 3))
            let reading = venue.streamer.reading(for: broken)
            #expect(reading.priceToBeat == .unknown(.gapAtStart) && reading.distance == nil && reading.leader == nil)
            #expect(reading.price.mark != nil)
            #expect(venue.streamer.outcome(of: before) == .unknown(.gapAtEnd))
            try await venue.pass(55)
            try await venue.heard(Self.hour + 60)
            #expect(venue.streamer.outcome(of: broken) == .unknown(.gapAtStart))
            #expect(venue.streamer.outcome(of: next).winner != nil)
        }
    }

    @Test func aLostConnectionComesBackAtOnceAndLosesNothing() async throws {
        try await PriceVenue.moved(from: Self.hour) { venue, _ in
            venue.streamer.start()
            try await venue.heard(Self.hour - 3)
            try await venue.pass(5)
            try await venue.heard(Self.hour + 3)
            #expect(venue.simulator.inject(SimulatorFault(.drop, on: .rtds)))
            try await venue.logged("Reference price connection lost")
            // What comes meanwhile is in the next connection's history.
            try await venue.pass(5)
            try await venue.logged("Reference price connected", times: 2)
            try await venue.pass(3)
            try await venue.heard(Self.hour + 11)
            let seconds = venue.seconds().sorted()
            #expect(seconds == Array((seconds.first ?? 0)...(seconds.last ?? 0)))
            #expect(venue.streamer.referenceStatus.disconnects == 1)
        }
    }

    // MARK: In real time

    /// The known fault: the socket is open and answers, and says nothing, on new connections neither.
    @Test func aFreezeIsFoundAndOutlived() async throws {
        try await PriceVenue.real {
            _ in
        } prices: {
            $0.session.dataTimeout = .milliseconds(2_500)
            $0.session.heartbeatInterval = .milliseconds(500)
            $0.session.backoff = Backoff(delays: [.zero, .milliseconds(100)])
        } _: { venue in
            venue.streamer.start()
            try await venue.heard(0)
            #expect(venue.simulator.inject(SimulatorFault(.freeze, on: .rtds)))
            // The connection itself, and the one after it, which is as mute.
            try await venue.logged("Reference price connection given up", times: 2)
            let last = venue.seconds().max() ?? 0
            let counters = Dictionary(uniqueKeysWithValues: venue.streamer.referenceStatus.counters)
            #expect((counters["reference.pongs"] ?? 0) > 0)
            #expect(venue.streamer.referenceStatus.lastError?.contains("no new price") == true)
            venue.simulator.inject(.recover)
            try await venue.heard(last + 4)
            // The history has filled what was frozen.
            let seconds = Set(venue.seconds())
            #expect(seconds.isSuperset(of: Set(last...last + 4)))
        }
    }

    @Test func whoIsTurnedAwayComesAgain() async throws {
        try await PriceVenue.real {
            _ in
        } prices: {
            $0.session.backoff = Backoff(delays: [.zero, .milliseconds(50)])
        } _: { venue in
            venue.simulator.inject(SimulatorFault(.refuse(.status(503)), on: .rtds))
            venue.streamer.start()
            try await venue.logged("Reference price connection failed", times: 3)
            #expect(venue.streamer.referenceStatus.lastError?.contains("503") == true)
            // It is logged a moment before it is told.
            while venue.streamer.referenceStatus.failuresInARow < 3 { await Task.yield() }
            let market = try venue.market(venue.simulatorSlug)
            #expect(venue.streamer.reading(for: market).price == .unknown(.noFeed))
            venue.simulator.inject(.recover)
            try await venue.heard(0)
        }
    }

    @Test func theConnectionIsEncryptedAndTheNameIsChecked() async throws {
        let certificate = try TLSFixture.File(TLSFixture.localhost.certificate)
        let key = try TLSFixture.File(TLSFixture.localhost.key)
        let authority = try TLSFixture.File(TLSFixture.authority)
        try await PriceVenue.real {
            $0.tls = .init(certificateFile: certificate.path, keyFile: key.path)
        } prices: {
            $0.certificateAuthorityFile = authority.path
        } _: { venue in
            #expect(venue.simulator.endpoints?.rtdsWebSocket.hasPrefix("wss://") == true)
            venue.streamer.start()
            try await venue.heard(0)
        }
    }

    // MARK: Life

    @Test func theEndLeavesNothingBehind() async throws {
        try await PriceVenue.moved(from: Self.hour) { venue, clock in
            let run = Task { try await venue.streamer.run() }
            try await venue.heard(Self.hour - 3)
            #expect(venue.simulator.counters.priceConnections == 1)
            run.cancel()
            try await run.value
            #expect(venue.streamer.referenceStatus.state == "closed")
            await venue.streamer.stop()
            await #expect(throws: RealtimeOddsError.self) { try await venue.streamer.run() }
            // What is known stays readable, and grows old.
            let market = try venue.market("btc-updown-30s-\(Self.hour)")
            #expect(venue.streamer.reading(for: market).price.mark != nil)
            clock.advance(by: .seconds(11))
            #expect(venue.streamer.reading(for: market).price == .unknown(.stale))
            #expect(venue.streamer.reading(for: market).lastPrice != nil)
        }
    }

    @Test func withoutSymbolsAndMarketsThereIsNoConnection() async throws {
        try await PriceVenue.moved(from: Self.hour) { _ in
        } prices: {
            $0.symbols = []
        } _: { venue, _ in
            venue.streamer.start()
            let market = try venue.market("btc-updown-30s-\(Self.hour)")
            #expect(venue.streamer.reading(for: market).price == .unknown(.noFeed))
            venue.streamer.follow(only: [market])
            try await venue.heard(Self.hour - 3)
            #expect(venue.simulator.counters.priceSubscriptions == 1)
            venue.streamer.follow(only: [Market]())
            while venue.simulator.counters.priceConnections > 0 { await Task.yield() }
            // The venue may hear of the end before it is told here.
            while venue.streamer.referenceStatus.state != "idle" { await Task.yield() }
        }
    }

    @Test(arguments: [
        "url", "message", "timeout", "heartbeat", "tolerance", "symbol", "certificate",
    ])
    func aConfigurationThatCannotWorkIsRefused(part: String) {
        var configuration = ReferencePriceConfiguration()
        switch part {
        case "url": configuration.url = "https://example.org"
        case "message": configuration.maximumMessageSize = 10
        case "timeout": configuration.connectTimeout = .zero
        case "heartbeat": configuration.session.heartbeatInterval = .seconds(7200)
        case "tolerance": configuration.book.tolerance = .seconds(-1)
        case "symbol": configuration.symbols = ["BTC"]
        default: configuration.certificateAuthorityFile = "/nowhere/at/all.pem"
        }
        let error = #expect(throws: RealtimeOddsError.self) {
            try ReferencePriceStreamer(
                configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        #expect(error?.message.isEmpty == false)
        #expect((error?.code == .certificateFile) == (part == "certificate"))
    }
}

extension PriceVenue {
    /// The market of the hour that runs in tests in real time.
    var simulatorSlug: String { "bitcoin-up-or-down-january-15-2027-3am-et" }
}
