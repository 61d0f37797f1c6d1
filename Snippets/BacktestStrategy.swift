//! Tries a strategy of one's own on a recording, with several prices, and prints what it made.

import OddsCore
import OddsProof
import OddsTrading
import RealtimeOdds

/// Buys YES when it is offered below a price, once per market.
struct BuyCheap: Strategy {
    var below: Price

    mutating func evaluate(_ view: MarketView) -> [Proposal] {
        guard !view.hasTraded, let ask = view.snapshot.yes.ask, ask < self.below else { return [] }
        return [
            .buy(
                OrderIntent(
                    market: view.snapshot.marketID, side: .yes, limit: ask, size: Lot.affordable(5, at: ask),
                    epoch: view.snapshot.epoch))
        ]
    }
}

let recordings = try RecordedEvents(["recording"])
let prices: [Price] = [0.30, 0.40, 0.50]
let backtest = Backtest(
    recordings,
    candidates: prices.map { price in
        Backtest<BuyCheap>.Candidate(
            parameters: [ParameterSweep.Parameter(name: "below", value: "\(price)")],
            setup: PaperTrader<BuyCheap>.Setup(strategy: BuyCheap(below: price)))
    }, split: 0.7)
let report = try await backtest.run(generatedAt: SystemClock().now().wall)
for set in report.results.sets {
    print(set.name, set.all.trades, set.all.profit, set.outOfSample?.profit ?? 0)
}
