import Logging
import OddsCore
import OddsTestSupport
import Synchronization
import Testing

@testable import RealtimeOdds

/// Writes down what it is told.
final class Tap: MarketObserver {
    enum Entry: Sendable, Equatable {
        case published(OddsSnapshot)
        case ended(MarketID)
        case resolved(MarketID, Side?, ResolutionSource)
    }

    let told = Journal<Entry>()
    /// The YES token's book at each publication.
    let depths = Journal<TokenDepth?>()
    let samples = Journal<Microstructure>()
    private let attachedReader = Mutex<(any FeedReader)?>(nil)

    var reader: (any FeedReader)? { self.attachedReader.withLock { $0 } }

    func attached(to reader: any FeedReader) { self.attachedReader.withLock { $0 = reader } }
    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        self.depths.append(self.reader?.depth(of: snapshot.market.yes.asset))
        self.told.append(.published(snapshot))
    }
    func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {
        self.samples.append(microstructure)
    }
    func ended(_ market: Market, at now: ReceiveTime) { self.told.append(.ended(market.id)) }
    func resolved(_ resolution: Resolution, at now: ReceiveTime) {
        self.told.append(.resolved(resolution.market.id, resolution.winner, resolution.source))
    }

    var published: [OddsSnapshot] {
        self.told.entries.compactMap { if case .published(let snapshot) = $0 { snapshot } else { nil } }
    }
    /// What was told, in words: trusts of publications whose values stayed the same, ends and outcomes.
    var story: [String] {
        var last: OddsSnapshot?
        return self.told.entries.compactMap { entry in
            switch entry {
            case .published(let snapshot):
                defer { last = snapshot }
                return snapshot.trust.name == last?.trust.name ? nil : snapshot.trust.name
            case .ended: return "ended"
            case .resolved(_, let winner, let source):
                return "\(winner.map { "\($0)" } ?? "nobody") by \(source.rawValue)"
            }
        }
    }
}

/// The inline tap of the streamer, over a real socket.
@Suite(.timeLimit(.minutes(1))) struct MarketObserverTests {
    private static func frame(_ text: String) -> [UInt8] {
        let payload = Array(text.utf8)
        guard payload.count > 125 else { return [0x81, UInt8(payload.count)] + payload }
        return [0x81, 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)] + payload
    }

    /// Both tokens' books, and then bids for YES that rise from 0.31 to 0.59 one after the other.
    private static let burst: [UInt8] = {
        let yes = WireFrames.book(market: "0xm", asset: "1", time: 1, bids: [(0.3, 5)], asks: [(0.6, 5)])
        let no = WireFrames.book(market: "0xm", asset: "2", time: 1, bids: [(0.4, 5)], asks: [(0.7, 5)])
        var bytes = Self.frame("[\(yes),\(no)]")
        for (step, cents) in (31...59).enumerated() {
            let bid = Price(rawValue: Int32(cents * 100))
            bytes += Self.frame(
                WireFrames.priceChange(
                    market: "0xm", time: Int64(2 + step),
                    [
                        WireFrames.Entry("1", .bids, bid, 5, best: (bid, 0.6)),
                        WireFrames.Entry("2", .asks, bid.complement, 5, best: (0.4, bid.complement)),
                    ]))
        }
        return bytes
    }()

    private func streaming(
        _ bytes: [UInt8], lines: Int = 1, _ body: (RealtimeOddsStreamer, Tap) async throws -> Void
    ) async throws {
        try await ScriptedServer.with([.accept(then: bytes)]) { server in
            var configuration = RealtimeOddsConfiguration()
            configuration.markets = [.assets(["1", "2"])]
            configuration.marketWebSocket = "ws://127.0.0.1:\(server.port)/ws/market"
            configuration.lines = lines
            let tap = Tap()
            let streamer = try RealtimeOddsStreamer(
                configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                marketObserver: tap)
            try await body(streamer, tap)
            await streamer.stop()
        }
    }

    @Test func everyChangeOfABurstIsSeenWhileAFollowerOfTheNewestConflates() async throws {
        try await self.streaming(Self.burst) { streamer, tap in
            let updates = streamer.updates()
            streamer.start()
            try await tap.told.wait { entries in
                entries.contains { if case .published(let odds) = $0 { odds.yes.bid == 0.59 } else { false } }
            }
            let published = tap.published
            #expect(published.map { $0.yes.bid } == (30...59).map { Price(rawValue: Int32($0 * 100)) })
            #expect(published.map(\.sequence) == (1...30).map(UInt64.init))
            #expect(published.allSatisfy { $0.no.ask == $0.yes.bid?.complement })
            #expect(tap.depths.entries.map { $0?.bids.count } == Array(1...30))
            #expect(tap.depths.entries.map { $0?.sequence } == published.map(\.sequence))
            let depth = try #require(await streamer.depth(of: "2"))
            #expect(depth.side == .no && depth.asks.count == 30 && depth.asks.first == Level(price: 0.41, size: 5))
            #expect(depth.bids == [Level(price: 0.4, size: 5)])
            #expect(await streamer.depth(of: "3") == nil)
            try await tap.samples.wait(forCount: 1)
            let micro = try #require(streamer.microstructure(of: "0xm"))
            #expect(micro.yes?.bid == Level(price: 0.59, size: 5) && micro.yes?.bidDepth.shares == 30)
            #expect(micro.longFlow?.trades == 0 && streamer.microstructure(of: "0xother") == nil)
            // Nobody has read a thing yet, so that the follower is shown one market once.
            var seen = 0
            for await case .odds(let odds) in updates {
                seen += 1
                if odds.yes.bid == 0.59 { break }
            }
            #expect(seen == 1)
            await streamer.stop()
            #expect(await streamer.depth(of: "2") == nil)
            #expect(tap.story == ["live", "stale"])
            let last = try #require(tap.published.last)
            #expect(last.yes.bid == 0.59 && last.epoch > published[0].epoch, "the end breaks continuity")
        }
    }

    @Test func twoLinesTellEveryChangeOnce() async throws {
        try await self.streaming(Self.burst, lines: 2) { streamer, tap in
            streamer.start()
            try await tap.told.wait { entries in
                entries.contains { if case .published(let odds) = $0 { odds.yes.bid == 0.59 } else { false } }
            }
            await streamer.stop()
            let live = tap.published.filter { $0.trust == .live }
            #expect(live.map { $0.yes.bid } == (30...59).map { Price(rawValue: Int32($0 * 100)) })
        }
    }

    @Test func theEndOfAMarketIsToldOnceAndAfterItsLastPublication() async throws {
        let end = Self.frame(
            #"{"market":"0xm","winning_asset_id":"2","timestamp":"90","event_type":"market_resolved"}"#)
        try await self.streaming(Self.burst + end + end, lines: 2) { streamer, tap in
            streamer.start()
            try await tap.told.wait { entries in entries.contains(.resolved("0xm", .no, .feed)) }
            await streamer.stop()
            #expect(tap.story == ["live", "closed", "ended", "no by market_resolved"])
        }
    }

    @Test func aMarketThatIsLetGoEndsOncePerTimeItIsFollowed() async throws {
        try await self.streaming(Self.burst) { streamer, tap in
            let market = Market(
                id: "0xn", slug: "n", yes: Outcome(label: "Up", asset: "3"), no: Outcome(label: "Down", asset: "4"))
            streamer.start()
            try await tap.told.wait(forCount: 1)
            for _ in 1...2 {
                streamer.relay.perform { $0.follow(market) }
                streamer.relay.perform { $0.close(market.id) }
                streamer.relay.perform { $0.close(market.id) }
                streamer.relay.perform { $0.unfollow(market) }
                streamer.relay.perform { $0.unfollow(market) }
            }
            streamer.relay.discoveryUpdate(
                .resolution(
                    Resolution(market: market, winner: .yes, exchangeTime: Timestamp(seconds: 1), source: .gamma)))
            try await tap.told.wait { entries in entries.contains(.resolved("0xn", .yes, .gamma)) }
            await streamer.stop()
            #expect(tap.told.entries.filter { $0 == .ended("0xn") }.count == 2)
            #expect(!tap.told.entries.contains(.ended("0xm")), "a source that stops ends no market")
        }
    }
}
