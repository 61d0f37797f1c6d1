import OddsCore
import OddsProof
import OddsTestSupport
import RealtimeOdds
import Synchronization

/// Market events that a test writes down: windows of a minute in a row, each with one price and an end.
struct ScriptedEvents: MarketEventSource {
    /// One window.
    struct Window: Sendable {
        /// What YES is offered at; it is bid for one cent less.
        var ask: Price
        /// What it is offered at when the order gets there; nil as before.
        var later: Price?
        /// Who won; nil when the feed does not tell.
        var winner: Side?
        /// Whether the market has a slug and a window.
        var isNamed = true
    }

    static let origin: Int64 = 1_790_035_200

    var windows: [Window]
    var name: String { "scripted" }

    func market(_ number: Int) -> Market {
        let start = Self.origin + Int64(number) * 60
        let window = MarketWindow(start: Timestamp(seconds: start), end: Timestamp(seconds: start + 60))
        let slug = self.windows[number].isNamed ? "btc-updown-1m-\(start)" : ""
        return Market(
            id: MarketID("0x\(number)"), slug: slug, window: slug.isEmpty ? nil : window,
            yes: Outcome(label: "Up", asset: AssetID("\(number)1")),
            no: Outcome(label: "Down", asset: AssetID("\(number)2")), tickSize: 0.01, minimumOrderSize: 5)
    }

    func play(
        to observer: any MarketObserver, progress: @escaping @Sendable (Double) -> Void
    ) throws -> MarketEventSummary {
        let reader = Reader()
        observer.attached(to: reader)
        for (number, window) in self.windows.enumerated() {
            let market = self.market(number)
            let start = Double(number) * 60
            for second in stride(from: 0.0, to: 59, by: 1) {
                reader.answer(until: Self.time(start + second))
                let ask = second > 1 ? window.later ?? window.ask : window.ask
                let shown = Self.odds(ask, market, at: start + second)
                reader.set(shown)
                if second == 1 || second == 2 { observer.published(shown, at: Self.time(start + second)) }
                observer.sampled(
                    MicrostructureMeter().read(shown, books: nil, at: Self.time(start + second)), of: market,
                    at: Self.time(start + second))
            }
            if let winner = window.winner {
                let resolution = Resolution(
                    market: market, winner: winner, exchangeTime: Self.time(start + 59).wall)
                observer.resolved(resolution, at: Self.time(start + 59))
            }
            observer.ended(market, at: Self.time(start + 59))
            progress(Double(number + 1) / Double(self.windows.count))
        }
        return MarketEventSummary(messages: self.windows.count * 2)
    }

    static func time(_ seconds: Double) -> ReceiveTime {
        let nanoseconds = Int64((seconds * 1_000_000_000).rounded())
        return ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: nanoseconds),
            unixNanoseconds: Self.origin * 1_000_000_000 + nanoseconds)
    }

    static func odds(_ ask: Price, _ market: Market, at seconds: Double) -> OddsSnapshot {
        let bid = Price(rawValue: ask.rawValue - 100)
        return OddsSnapshot(
            market: market, yes: Quote(bid: bid, bidSize: 100, ask: ask, askSize: 100),
            no: Quote(bid: ask.complement, bidSize: 100, ask: bid.complement, askSize: 100),
            exchangeTime: Self.time(seconds).wall, receiveTime: Self.time(seconds), trust: .live, epoch: 1,
            source: .replay, sequence: 1)
    }

    /// Books as the last snapshot of each market shows them.
    private final class Reader: FeedReader {
        private struct State {
            var shown: [MarketID: OddsSnapshot] = [:]
            var waiting: [(AssetID, MonotonicTime, @Sendable (TokenDepth?, ReceiveTime) -> Void)] = []
        }

        private let state = Mutex(State())

        func set(_ snapshot: OddsSnapshot) { self.state.withLock { $0.shown[snapshot.marketID] = snapshot } }

        func answer(until now: ReceiveTime) {
            let due = self.state.withLock { state in
                let due = state.waiting.filter { $0.1 <= now.monotonic }
                state.waiting.removeAll { $0.1 <= now.monotonic }
                return due
            }
            for (asset, instant, answer) in due {
                let early = instant.duration(to: now.monotonic).wholeNanoseconds
                answer(
                    self.depth(of: asset),
                    ReceiveTime(monotonic: instant, unixNanoseconds: now.unixNanoseconds - early))
            }
        }

        func depth(of asset: AssetID) -> TokenDepth? {
            let shown = self.state.withLock { $0.shown.values.first { $0.market.side(of: asset) != nil } }
            guard let shown, let side = shown.market.side(of: asset), let ask = shown.quote(side).ask else {
                return nil
            }
            return TokenDepth(
                of: asset, shown: shown, bids: [], asks: [Level(price: ask, size: 100)], tickSize: 0.01,
                exchangeTime: shown.exchangeTime, isPublished: true)
        }

        func depth(
            of asset: AssetID, at instant: MonotonicTime,
            _ answer: @escaping @Sendable (TokenDepth?, ReceiveTime) -> Void
        ) { self.state.withLock { $0.waiting.append((asset, instant, answer)) } }

        func microstructure(of market: MarketID) -> Microstructure? { nil }
    }
}
