//! Prints whenever one side of the current Bitcoin 15-minute market stands at 70 % or more.

import Logging
import OddsCore
import RealtimeOdds

var configuration = RealtimeOddsConfiguration()
configuration.markets = [.series(try MarketSeries("btc-updown-15m"))]
let streamer = try RealtimeOddsStreamer(configuration: configuration, logger: Logger(label: "odds"))
streamer.start()

for await case .odds(let odds) in streamer.updates() where odds.trust == .live {
    for side in [Side.yes, .no] {
        guard let shown = odds.odds(side), shown >= 0.70 else { continue }
        print(odds.slug, side, shown, "epoch", odds.epoch)
    }
}
