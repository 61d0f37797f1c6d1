import Logging
import OddsCore
import OddsTestSupport
import PolymarketSimulator
import RealtimeOdds

/// What became known of prices and connections, in order.
enum PriceNews: Sendable, Equatable {
    case tick(ReferenceTick)
    case log(String)
}

/// A simulated exchange and a follower of its prices, over real sockets, for the length of a test.
struct PriceVenue: Sendable {
    let simulator: PolymarketSimulator
    let streamer: ReferencePriceStreamer
    let news: Journal<PriceNews>
    /// The clock of both, when the test moves it.
    let clock: ManualClock?

    /// Keeps what is logged at info level and above.
    private struct Keeper: LogHandler {
        let news: Journal<PriceNews>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }
        func log(event: LogEvent) { self.news.append(.log("\(event.message)")) }
    }

    /// On a clock that the test moves; it begins at this second of the wall clock. Nothing in it waits for a timer.
    static func moved(
        from start: Int64, series: [String] = ["btc-updown-30s"],
        exchange: (inout SimulatorConfiguration) -> Void = { _ in },
        prices: (inout ReferencePriceConfiguration) -> Void = { _ in },
        _ body: (PriceVenue, ManualClock) async throws -> Void
    ) async throws {
        let clock = ManualClock(wall: Timestamp(seconds: start))
        let quiet: (inout ReferencePriceConfiguration) -> Void = {
            // The socket's timers run by real time, which this clock knows nothing of.
            $0.session.heartbeatInterval = .seconds(3600)
            $0.session.dataTimeout = .seconds(3600)
            $0.session.redriveInterval = .seconds(3600)
            prices(&$0)
        }
        try await Self.with(clock, clock, series: series, exchange: exchange, prices: quiet) { venue in
            try await body(venue, clock)
        }
    }

    /// In real time, from a fixed hour on.
    static func real(
        exchange: (inout SimulatorConfiguration) -> Void = { _ in },
        prices: (inout ReferencePriceConfiguration) -> Void = { _ in },
        _ body: (PriceVenue) async throws -> Void
    ) async throws {
        let clock = OffsetClock(SystemClock(), wall: Timestamp(seconds: 1_800_000_600))
        try await Self.with(clock, nil, series: ["btc-updown-1h"], exchange: exchange, prices: prices, body)
    }

    private static func with(
        _ clock: any StreamClock, _ manual: ManualClock?, series: [String],
        exchange: (inout SimulatorConfiguration) -> Void, prices: (inout ReferencePriceConfiguration) -> Void,
        _ body: (PriceVenue) async throws -> Void
    ) async throws {
        let news = Journal<PriceNews>()
        var configuration = SimulatorConfiguration()
        configuration.series = try series.map { try MarketSeries($0) }
        exchange(&configuration)
        let simulator = PolymarketSimulator(
            configuration: configuration, clock: clock,
            logger: Logger(label: "test.exchange") { _ in SwiftLogNoOpLogHandler() })
        let endpoints = try await simulator.start()
        do {
            var reference = ReferencePriceConfiguration()
            reference.url = endpoints.rtdsWebSocket
            reference.symbols = ["btc/usd"]
            prices(&reference)
            let streamer = try ReferencePriceStreamer(
                configuration: reference, logger: Logger(label: "test.prices") { _ in Keeper(news: news) },
                clock: clock, observer: { tick, _ in news.append(.tick(tick)) })
            do {
                try await body(PriceVenue(simulator: simulator, streamer: streamer, news: news, clock: manual))
                await streamer.stop()
            } catch {
                await streamer.stop()
                throw error
            }
            await simulator.stop()
        } catch {
            await simulator.stop()
            throw error
        }
    }

    /// Lets time pass and what is due be written, second by second.
    func pass(_ seconds: Int) async throws {
        for _ in 0..<seconds {
            self.clock?.advance(by: .seconds(1))
            try await self.simulator.catchUp()
        }
    }

    /// Returns when the price of a second, or a later one, has come in.
    func heard(_ second: Int64, _ topic: ReferenceTopic = .chainlink) async throws {
        try await self.news.wait { news in
            news.contains { entry in
                guard case .tick(let tick) = entry else { return false }
                return tick.feed.topic == topic && tick.time.seconds >= second
            }
        }
    }

    /// Returns when this has been logged so many times.
    func logged(_ message: String, times: Int = 1) async throws {
        try await self.news.wait { news in news.count { $0 == .log(message) } >= times }
    }

    /// The seconds whose prices have come in.
    func seconds(_ topic: ReferenceTopic = .chainlink) -> [Int64] {
        self.news.entries.compactMap { entry in
            guard case .tick(let tick) = entry, tick.feed.topic == topic else { return nil }
            return tick.time.seconds
        }
    }

    /// A market of the exchange, as Gamma tells it.
    func market(_ slug: String) throws -> Market {
        guard let market = self.simulator.market(slug: slug) else { throw Unlisted(slug: slug) }
        return market
    }

    struct Unlisted: Error {
        var slug: String
    }
}
