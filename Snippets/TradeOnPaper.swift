//! Trades on paper with a strategy of one's own, and prints what is put on record.

import Logging
import OddsCore
import OddsTrading
import RealtimeOdds

/// Buys the favourite, at what it is offered for.
struct BuyTheFavourite: Strategy {
    mutating func evaluate(_ view: MarketView) -> [Proposal] {
        guard !view.hasTraded, let ask = view.snapshot.yes.ask, ask >= 0.60, ask <= 0.90 else { return [] }
        return [
            .buy(
                OrderIntent(
                    market: view.snapshot.marketID, side: .yes, limit: ask, size: Lot.affordable(5, at: ask),
                    epoch: view.snapshot.epoch))
        ]
    }
}

var configuration = RealtimeOddsConfiguration()
configuration.markets = [.series(try MarketSeries("btc-updown-15m"))]
let streamer = try RealtimeOddsStreamer(configuration: configuration, logger: Logger(label: "paper"))
streamer.start()

let clock = SystemClock()
var desk = TradingDesk(strategy: BuyTheFavourite(), startingCash: 100)
var record = desk.begin(isNew: true, now: clock.now())

for await update in streamer.updates(.lossless(capacity: 65_536)) {
    switch update {
    case .odds(let odds), .trust(let odds, _): record += desk.observe(odds, now: clock.now())
    case .resolution(let end) where end.winner != nil:
        record += desk.settle(end.market.id, winner: end.winner, source: .feed, now: clock.now())
    case .resolution, .rollover, .overflow: break
    }
    // Orders that have got to the venue by now meet its book.
    for order in desk.due(now: clock.now().monotonic) {
        let depth = await streamer.depth(of: order.asset)
        let terms = desk.terms(of: order.market) ?? MarketTerms(tickSize: nil, minimumOrderSize: .zero)
        record += desk.fill(
            PaperBook(
                asset: order.asset, asks: depth?.asks ?? [], terms: terms, epoch: depth?.epoch ?? order.epoch),
            now: clock.now())
    }
    for entry in record { print(entry) }
    record = []
}
