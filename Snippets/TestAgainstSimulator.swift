//! Tests a bot's behaviour against the simulated exchange: no network, the same market for the same seed, faults on cue.

import Logging
import OddsCore
import PolymarketSimulator
import RealtimeOdds

// A quiet logger: what is wrong is told by the checks.
let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
var exchange = SimulatorConfiguration()
exchange.series = [try MarketSeries("btc-updown-30s")]
exchange.seed = 7
let simulator = PolymarketSimulator(configuration: exchange, clock: SystemClock(), logger: logger)
let endpoints = try await simulator.start()

var configuration = RealtimeOddsConfiguration()
configuration.markets = exchange.series.map { .series($0) }
configuration.marketWebSocket = endpoints.marketWebSocket
configuration.clobREST = endpoints.clobREST
configuration.gammaREST = endpoints.gammaREST
let streamer = try RealtimeOddsStreamer(configuration: configuration, logger: logger)
let updates = streamer.updates()
streamer.start()

// The first live odds, then a lost connection: the epoch must have changed when the odds are live again.
var first: OddsSnapshot?
for await update in updates {
    guard case .odds(let odds) = update, odds.trust == .live else { continue }
    guard let before = first else {
        first = odds
        print("live:", odds.slug, odds.yes.bid ?? .zero, odds.yes.ask ?? .one, "epoch", odds.epoch)
        simulator.inject(.drop)
        continue
    }
    guard odds.marketID == before.marketID, odds.epoch != before.epoch else { continue }
    print("live again:", odds.slug, odds.yes.bid ?? .zero, odds.yes.ask ?? .one, "epoch", odds.epoch)
    break
}
await streamer.stop()
await simulator.stop()
