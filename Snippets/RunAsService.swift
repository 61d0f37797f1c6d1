//! Runs the streamer and a bot together; SIGTERM ends both, and `run()` returns when every task and socket is gone.

import Logging
import OddsCore
import RealtimeOdds
import ServiceLifecycle

/// A bot that acts on live odds only, and never across a loss of continuity.
struct Bot: Service {
    let streamer: RealtimeOddsStreamer
    let logger: Logger

    func run() async throws {
        for await update in self.streamer.updates().cancelOnGracefulShutdown() {
            switch update {
            case .odds(let odds): self.consider(odds)
            case .trust(let odds, let previous):
                self.logger.notice("Trust changed: \(odds.slug) is \(odds.trust.name), was \(previous.name)")
            case .rollover(let receipt): self.logger.info("Now \(receipt.market.slug)")
            case .resolution(let end): self.logger.info("Over: \(end.market.slug)")
            case .overflow: break  // only a lossless reader sees it
            }
        }
    }

    private func consider(_ odds: OddsSnapshot) {
        guard odds.trust == .live, let shown = odds.displayedOdds, shown >= 0.70 else { return }
        self.logger.info("\(odds.slug) at \(shown), decided in epoch \(odds.epoch)")
    }
}

let logger = Logger(label: "bot")
var configuration = RealtimeOddsConfiguration()
configuration.markets = [.series(try MarketSeries("btc-updown-15m"))]
let streamer = try RealtimeOddsStreamer(configuration: configuration, logger: logger)
// Shutdown runs backwards: the bot ends before what it reads from.
let group = ServiceGroup(
    services: [streamer, Bot(streamer: streamer, logger: logger)], gracefulShutdownSignals: [.sigterm, .sigint],
    logger: logger)
try await group.run()
