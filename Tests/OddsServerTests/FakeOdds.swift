import Logging
import OddsCore
import OddsServer

/// An odds source with fixed answers.
struct FakeOdds: OddsSource {
    var markets: [MarketStatus] = []
    var snapshots: [MarketID: OddsSnapshot] = [:]
    var microstructures: [MarketID: Microstructure] = [:]
    var status = StreamStatus()
    var report = IncidentReport()

    func currentOdds(_ market: MarketID) -> OddsSnapshot? { self.snapshots[market] }
    func microstructure(of market: MarketID) -> Microstructure? { self.microstructures[market] }
    func incidents() -> IncidentReport { self.report }
}

/// A clock that stands still.
struct FrozenClock: StreamClock {
    var time = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 1_764_000_010_000_000_000)
    func now() -> ReceiveTime { self.time }
    func sleep(until instant: MonotonicTime) async throws {}
}

extension FakeOdds {
    /// Two windows of one series, the first with odds, and a market named by itself.
    static var typical: FakeOdds {
        let now = FakeOdds.market(
            "btc-updown-15m-1764000000", id: "0xa1", series: "btc-updown-15m", start: 1_764_000_000)
        let next = FakeOdds.market(
            "btc-updown-15m-1764000900", id: "0xa2", series: "btc-updown-15m", start: 1_764_000_900)
        let fixed = FakeOdds.market("will-it-rain", id: "0xb1", series: nil, start: nil)
        var source = FakeOdds()
        source.markets = [
            MarketStatus(market: now, role: .current, subscribed: true, firstOddsMilliseconds: -58_200, winner: nil),
            MarketStatus(market: next, role: .next, subscribed: false, firstOddsMilliseconds: nil, winner: nil),
            MarketStatus(market: fixed, role: .fixed, subscribed: true, firstOddsMilliseconds: nil, winner: .no),
        ]
        source.snapshots = [now.id: FakeOdds.snapshot(now)]
        source.status = StreamStatus(
            startedAt: Timestamp(seconds: 1_764_000_000),
            lines: [
                LineStatus(
                    line: 0, connection: 0, state: "live", assets: 4, messages: 12, bytes: 3400, disconnects: 1,
                    failuresInARow: 0, dataAge: .milliseconds(250), lastError: nil)
            ],
            series: [SeriesStatus(series: "btc-updown-15m", current: now, next: next, problem: nil)],
            counters: [(name: "frames.malformed", value: 0), (name: "books.applied", value: 7)])
        return source
    }

    static func market(_ slug: String, id: MarketID, series: String?, start: Int64?) -> Market {
        Market(
            id: id, slug: slug, series: series,
            window: start.map {
                MarketWindow(start: Timestamp(seconds: $0), end: Timestamp(seconds: $0 + 900))
            },
            yes: Outcome(label: "Up", asset: "111"), no: Outcome(label: "Down", asset: "222"))
    }

    static func snapshot(_ market: Market) -> OddsSnapshot {
        OddsSnapshot(
            market: market,
            yes: Quote(bid: 0.71, bidSize: 100, ask: 0.73, askSize: 50, lastTrade: 0.72),
            no: Quote(bid: 0.27, bidSize: 50, ask: 0.29, askSize: 100, lastTrade: nil),
            exchangeTime: Timestamp(milliseconds: 1_764_000_009_900),
            receiveTime: ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 1_764_000_009_950_000_000),
            trust: .live, epoch: 3, source: .line(0), sequence: 9)
    }
}
