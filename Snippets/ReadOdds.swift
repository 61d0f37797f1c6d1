//! Asks for the odds from a thread of one's own, ten times a second: `currentOdds` never suspends and never waits for the
//! network.

import Foundation
import Logging
import OddsCore
import RealtimeOdds

var configuration = RealtimeOddsConfiguration()
configuration.markets = [.series(try MarketSeries("btc-updown-15m"))]
let streamer = try RealtimeOddsStreamer(configuration: configuration, logger: Logger(label: "odds"))
streamer.start()

Thread.detachNewThread {
    let clock = SystemClock()
    while true {
        // Stands for the bot's own rhythm: reading needs no wait.
        Thread.sleep(forTimeInterval: 0.1)
        // Which market is current changes every quarter of an hour, by the clock.
        guard let current = streamer.markets.first(where: { $0.role == .current }),
            let odds = streamer.currentOdds(current.market.id)
        else { continue }
        let shown = odds.displayedOdds.map { "\($0)" } ?? "none"
        print(odds.slug, shown, odds.trust.name, odds.age(at: clock.now().monotonic))
    }
}

try await Task.sleep(for: .seconds(30))
await streamer.stop()
