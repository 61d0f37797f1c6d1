import Logging
import NIOCore
import NIOPosix
import OddsCore
import OddsTestSupport
import Synchronization
import Testing

@testable import RealtimeOdds

/// This machine's clocks, with a wall clock that a test can step.
private final class SteppedClock: StreamClock {
    private let step = Mutex(Duration.zero)

    func stepWall(by duration: Duration) { self.step.withLock { $0 += duration } }

    func now() -> ReceiveTime {
        let now = SystemClock().now()
        return ReceiveTime(
            monotonic: now.monotonic,
            unixNanoseconds: now.unixNanoseconds + self.step.withLock { $0.wholeNanoseconds })
    }
    func sleep(until instant: MonotonicTime) async throws { try await SystemClock().sleep(until: instant) }
}

/// The engine against a server that says what it is told to.
@Suite(.timeLimit(.minutes(1))) struct FeedEngineTests {
    private static let yes = Outcome(label: "Up", asset: "1")
    private static let no = Outcome(label: "Down", asset: "2")

    /// A frame as a server sends it.
    private static func frame(_ text: String) -> [UInt8] {
        let payload = Array(text.utf8)
        guard payload.count > 125 else { return [0x81, UInt8(payload.count)] + payload }
        return [0x81, 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)] + payload
    }

    /// Both tokens' books.
    private static let dump: [UInt8] = {
        let yes = WireFrames.book(market: "0xm", asset: "1", time: 1, bids: [(0.4, 5)], asks: [(0.6, 5)])
        let no = WireFrames.book(market: "0xm", asset: "2", time: 1, bids: [(0.4, 5)], asks: [(0.6, 5)])
        return Self.frame("[\(yes),\(no)]")
    }()

    private static func configuration(_ server: ScriptedServer) -> RealtimeOddsConfiguration {
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = [.assets(["1", "2"])]
        configuration.marketWebSocket = "ws://127.0.0.1:\(server.port)/ws/market"
        configuration.lines = 2
        return configuration
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func theEndOfAMarketOfWhichOnlyTokensAreKnownIsToldOnce() async throws {
        let end = Self.frame(
            #"{"market":"0xm","winning_asset_id":"2","timestamp":"9","event_type":"market_resolved"}"#)
        let server = try await ScriptedServer.start([.accept(then: Self.dump + end + end)])
        let streamer = try RealtimeOddsStreamer(configuration: Self.configuration(server), logger: Self.logger)
        let updates = streamer.updates(.lossless(capacity: 100))
        streamer.start()
        for await update in updates {
            guard case .resolution(let resolution) = update else { continue }
            #expect(resolution.market.id == "0xm" && resolution.winner == .no)
            #expect(resolution.exchangeTime.milliseconds == 9)
            break
        }
        #expect(streamer.currentOdds("0xm")?.trust == .closed)
        await streamer.stop()
        for await update in updates {
            if case .resolution = update { Issue.record("the end was told twice") }
        }
        try await server.stop()
    }

    @Test func aWindowThatTheClockStepsBackIntoIsTradedAgain() async throws {
        let server = try await ScriptedServer.start([.accept(then: Self.dump)])
        let clock = SteppedClock()
        let now = clock.now().wall
        let market = Market(
            id: "0xm", slug: "window",
            window: MarketWindow(start: now.advanced(by: .seconds(-60)), end: now.advanced(by: .seconds(60))),
            yes: Self.yes, no: Self.no)
        let configuration = Self.configuration(server)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        let setup = FeedEngine.Setup(
            configuration: configuration,
            connector: NetworkConnector(
                endpoint: try WebSocketEndpoint(configuration.marketWebSocket), security: nil, eventLoop: eventLoop,
                timeout: .seconds(5)), witness: nil, eventLoop: eventLoop, clock: clock, logger: Self.logger,
            board: OddsBoard(), observer: nil, continuity: { _, _ in })
        let relay = EngineRelay(eventLoop: eventLoop)
        let hub = UpdateHub(losslessChanged: { relay.perform { $0.heedFollowers() } })
        await relay.open { _ in
            FeedEngine(
                setup: setup, hub: hub, connectionList: ConnectionList(), seed: 1, onFirstOdds: { _, _ in },
                onResolved: { _, _, _ in })
        }
        let updates = OddsUpdates(hub: hub, subscriber: hub.subscribe(.lossless(capacity: 100)) { [] })
        relay.perform { $0.follow(market) }
        var seen: [String] = []
        for await update in updates {
            switch update {
            case .odds(let odds): seen.append(odds.trust.name)
            case .trust(let odds, _): seen.append(odds.trust.name)
            case .rollover, .resolution, .overflow: break
            }
            if seen.count == 1 { clock.stepWall(by: .seconds(3600)) }
            if seen.count == 2 { clock.stepWall(by: .seconds(-3600)) }
            if seen.count == 3 { break }
        }
        #expect(seen == ["live", "resolving", "live"])
        await relay.close()
        try await server.stop()
    }
}
