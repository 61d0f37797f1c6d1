import OddsCore
import OddsTestSupport
import OddsTrading

/// Time counts from here on both clocks, on a full minute and a full day.
let origin: Int64 = 1_790_035_200

/// So many seconds after the origin.
func at(_ seconds: Double) -> ReceiveTime {
    let nanoseconds = Int64((seconds * 1_000_000_000).rounded())
    return ReceiveTime(
        monotonic: MonotonicTime(nanoseconds: nanoseconds), unixNanoseconds: origin * 1_000_000_000 + nanoseconds)
}

/// A market whose window begins at the origin and takes a quarter of an hour.
let window = MarketWindow(start: Timestamp(seconds: origin), end: Timestamp(seconds: origin + 900))
let sample = Market.sample("btc", window: window)

/// The odds of a market, from the price of YES: a book one tick wide on each side of it, and its mirror.
func odds(
    _ yes: Price?, _ market: Market = sample, at seconds: Double = 0, trust: Trust = .live, epoch: UInt64 = 1
) -> OddsSnapshot {
    var quotes = (yes: Quote.empty, no: Quote.empty)
    if let yes {
        let bid = Price(rawValue: max(yes.rawValue - 100, 0))
        let ask = Price(rawValue: min(yes.rawValue + 100, 10_000))
        quotes.yes = Quote(bid: bid, bidSize: 100, ask: ask, askSize: 100)
        quotes.no = Quote(bid: ask.complement, bidSize: 100, ask: bid.complement, askSize: 100)
    }
    return OddsSnapshot(
        market: market, yes: quotes.yes, no: quotes.no, exchangeTime: at(seconds).wall, receiveTime: at(seconds),
        trust: trust, epoch: epoch, source: .replay, sequence: 1)
}

extension ReceiveTime {
    /// Seconds since the origin.
    var seconds: Double { Double(self.monotonic.nanoseconds) / 1_000_000_000 }
}
