package import Logging
package import NIOCore
package import OddsCore

/// The feed engine by itself, on an event loop, with sockets, witness and clock of the caller's choosing.
///
/// What a streamer is without discovery and without tasks: for tests that run it in virtual time against an exchange in
/// the same process. Everything is called on the event loop.
package final class FeedHost {
    private let engine: FeedEngine
    private let board: OddsBoard
    private let hub: UpdateHub
    private let connections = ConnectionList()
    private let microstructures = MicrostructureShelf()

    /// - Parameters:
    ///   - continuity: told of everything that bears on continuity, as it happens.
    ///   - marketObserver: sees everything inline.
    ///   - tellsOutcomes: whether the outcome that the feed names is told; not so where `resolved` tells them all.
    ///   - tap: hears every message, connection and command; nil costs nothing.
    package init(
        configuration: RealtimeOddsConfiguration, connector: any FeedConnector, witness: (any BookWitness)?,
        eventLoop: any EventLoop, clock: any StreamClock, logger: Logger, seed: UInt64,
        continuity: @escaping @Sendable (ContinuityEvent, ReceiveTime) -> Void,
        marketObserver: (any MarketObserver)?, tap: (any FeedTap)? = nil, tellsOutcomes: Bool = true
    ) {
        self.board = OddsBoard()
        self.hub = UpdateHub(losslessChanged: {})
        let setup = FeedEngine.Setup(
            configuration: configuration, connector: connector, witness: witness, eventLoop: eventLoop, clock: clock,
            logger: logger, board: self.board, observer: nil, continuity: continuity,
            marketObserver: marketObserver, tap: tap)
        self.engine = FeedEngine(
            setup: setup, hub: self.hub, connectionList: self.connections, microstructures: self.microstructures,
            seed: seed, onFirstOdds: { _, _ in },
            onResolved: { [board = self.board] id, winner, time in
                guard tellsOutcomes, let market = board.slot(id)?.market else { return }
                let side = winner.flatMap { market.side(of: $0) }
                let resolution = Resolution(market: market, winner: side, exchangeTime: time, source: .feed)
                tap?.commanded(.resolved(resolution), at: clock.now())
                marketObserver?.resolved(resolution, at: clock.now())
            })
    }

    /// Follows a market on every line.
    package func follow(_ market: Market) { self.engine.follow(market) }

    /// Follows tokens of which nothing else is known on every line.
    package func follow(bare assets: [AssetID]) { self.engine.follow(bare: assets) }

    /// Follows a market no more.
    package func unfollow(_ market: Market) { self.engine.unfollow(market) }

    /// Says that a market is decided.
    package func close(_ market: MarketID) { self.engine.close(market) }

    /// A market is decided, and this is how.
    package func resolved(_ resolution: Resolution) {
        self.engine.close(resolution.market.id)
        self.engine.known(resolution)
    }

    /// Entries about tokens that are not followed, on the first line.
    package var foreignEntries: UInt64 { self.engine.lines.first?.first?.foreignEntries ?? 0 }

    /// Every market on the board, by their ids.
    package var markets: [Market] { self.board.markets }

    /// The market's odds on the board.
    package func currentOdds(_ market: MarketID) -> OddsSnapshot? { self.board.currentOdds(market) }

    /// A token's book now, as the observer's reader tells it.
    package func depth(of asset: AssetID) -> TokenDepth? { self.engine.depth(of: asset) }

    /// What a market looked like at the last sample.
    package func microstructure(of market: MarketID) -> Microstructure? { self.microstructures.read(market) }

    /// How many connections carry anything, one that is being renewed counted twice.
    package var connectionCount: Int { self.engine.allConnections.count }

    /// The lines that carry a market, each as often as it has connections that do.
    package func lines(carrying market: Market) -> [Int] {
        self.engine.allConnections.filter { $0.followed.contains { $0.id == market.id } }.map(\.line)
    }

    /// The seats of the connections that carry a market.
    package func seats(carrying market: Market) -> [Int] {
        self.engine.allConnections.filter { $0.followed.contains { $0.id == market.id } }.map(\.seat)
    }

    /// Whether a connection is on its way to take another's place.
    package var isRenewing: Bool { self.engine.renewing != nil }

    /// What was counted on all connections.
    package var counters: FeedCounters {
        self.connections.all.reduce(FeedCounters()) { $0 + $1.report().counters }
    }

    /// How often a connection was lost.
    package var disconnects: UInt64 { self.connections.all.reduce(0) { $0 + $1.report().disconnects } }

    /// Ends everything; the future succeeds when no socket is left.
    package func stop() -> EventLoopFuture<Void> { self.engine.stop() }
}
