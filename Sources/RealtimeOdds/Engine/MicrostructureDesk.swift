import OddsCore
import Synchronization

/// The latest microstructure of each market: written on the feed's event loop, read from any thread.
final class MicrostructureShelf: Sendable {
    private let values = Mutex<[MarketID: Microstructure]>([:])

    func read(_ market: MarketID) -> Microstructure? { self.values.withLock { $0[market] } }
    func replace(_ values: [MarketID: Microstructure]) { self.values.withLock { $0 = values } }
}

/// Measures every followed market, four times a second and at each trade.
final class MicrostructureDesk {
    // The engine owns the desk and ends it before it goes.
    private unowned let engine: FeedEngine
    private let shelf: MicrostructureShelf
    private let ticks: Int
    private var meters: [MarketID: MicrostructureMeter] = [:]

    init(engine: FeedEngine, shelf: MicrostructureShelf) {
        self.engine = engine
        self.shelf = shelf
        self.ticks = engine.setup.configuration.depthTicks
    }

    /// Samples every market.
    func sample() {
        let now = self.engine.setup.clock.now()
        var sights: [MarketID: (slot: MarketSlot, books: MicrostructureMeter.Books?)] = [:]
        // In the order in which they are seen: observers are told in an order that follows from nothing else.
        var order: [MarketID] = []
        for connection in self.engine.allConnections {
            connection.eachFigures(ticks: self.ticks) { offered in
                let id = offered.slot.market.id
                if sights[id] == nil { order.append(id) }
                if offered.isLeading || sights[id] == nil { sights[id] = (offered.slot, offered.books) }
            }
        }
        for id in self.meters.keys where sights[id] == nil { self.meters[id] = nil }
        var values: [MarketID: Microstructure] = [:]
        for (id, sight) in sights {
            guard let shown = sight.slot.read(), shown.trust != .closed else { continue }
            let books = sight.books ?? self.engine.witnessBooks(of: sight.slot, ticks: self.ticks)
            values[id] = self.meters[id, default: MicrostructureMeter()].sample(shown, books: books, at: now)
        }
        self.shelf.replace(values)
        guard let observer = self.engine.setup.marketObserver else { return }
        for id in order {
            guard let value = values[id], let market = sights[id]?.slot.market else { continue }
            observer.sampled(value, of: market, at: now)
        }
    }

    /// A connection tells a trade.
    func traded(_ trade: Trade, in slot: MarketSlot, from seat: Int) {
        let now = self.engine.setup.clock.now()
        let isNew = self.meters[trade.market, default: MicrostructureMeter()].admit(
            trade, from: seat, shown: slot.read(), at: now.monotonic)
        if isNew { self.engine.setup.marketObserver?.traded(trade, of: slot.market, at: now) }
    }

    /// The figures of a market at this very moment.
    func read(_ market: MarketID) -> Microstructure? {
        var sight: OfferedFigures?
        for connection in self.engine.allConnections where sight?.isLeading != true {
            sight = connection.figures(of: market, ticks: self.ticks) ?? sight
        }
        guard let sight, let shown = sight.slot.read(), shown.trust != .closed else { return nil }
        let books = sight.isLeading ? sight.books : self.engine.witnessBooks(of: sight.slot, ticks: self.ticks)
        return (self.meters[market] ?? MicrostructureMeter()).read(
            shown, books: books, at: self.engine.setup.clock.now())
    }

    /// The end: nothing is known any more.
    func stop() {
        self.meters = [:]
        self.shelf.replace([:])
    }
}
