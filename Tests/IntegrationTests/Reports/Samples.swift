import OddsCore

@testable import oddstream

/// Values for the views' tests: one market with odds, a next one without, in a window that began 300 s ago.
enum Sample {
    static let start: Int64 = 1_764_000_000
    static let now = ReceiveTime(
        monotonic: MonotonicTime(nanoseconds: 5_000_000_000),
        unixNanoseconds: (start + 300) * 1_000_000_000)

    static func market(_ offset: Int64 = 0) -> Market {
        let start = Sample.start + offset
        return Market(
            id: MarketID("0xa\(offset)"), slug: "btc-updown-15m-\(start)", series: "btc-updown-15m",
            window: MarketWindow(start: Timestamp(seconds: start), end: Timestamp(seconds: start + 900)),
            yes: Outcome(label: "Up", asset: "11"), no: Outcome(label: "Down", asset: "22"))
    }

    static func snapshot(
        bid: Price? = 0.71, ask: Price? = 0.73, trust: Trust = .live, atMilliseconds: Int64 = 4880
    ) -> OddsSnapshot {
        OddsSnapshot(
            market: Sample.market(),
            yes: Quote(bid: bid, bidSize: 10, ask: ask, askSize: 20, lastTrade: 0.72),
            no: Quote(bid: ask?.complement, bidSize: 20, ask: bid?.complement, askSize: 10, lastTrade: nil),
            exchangeTime: Timestamp(seconds: Sample.start + 300),
            receiveTime: ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: atMilliseconds * 1_000_000),
                unixNanoseconds: (Sample.start + 300) * 1_000_000_000),
            trust: trust, epoch: 1, source: .line(0), sequence: 7)
    }

    static func row(_ snapshot: OddsSnapshot? = snapshot()) -> WatchFrame.Row {
        WatchFrame.Row(
            status: MarketStatus(
                market: Sample.market(), role: .current, subscribed: true, firstOddsMilliseconds: -58_200, winner: nil),
            snapshot: snapshot)
    }

    static var nextRow: WatchFrame.Row {
        WatchFrame.Row(
            status: MarketStatus(
                market: Sample.market(900), role: .next, subscribed: true, firstOddsMilliseconds: nil, winner: nil),
            snapshot: nil)
    }

    static func line(_ state: String = "live") -> LineStatus {
        LineStatus(
            line: 0, connection: 0, state: state, assets: 4, messages: 100, bytes: 1000, disconnects: 0,
            failuresInARow: 0, dataAge: .milliseconds(12), lastError: "connection refused")
    }

    static func frame(
        rows: [WatchFrame.Row] = [row(), nextRow], line: LineStatus = line(), events: [String] = [], log: [String] = []
    ) -> WatchFrame {
        WatchFrame(
            now: Sample.now, title: "oddstream", url: "http://127.0.0.1:8787/", status: StreamStatus(lines: [line]),
            messagesPerSecond: 52.34, rows: rows, events: events, log: log)
    }
}
