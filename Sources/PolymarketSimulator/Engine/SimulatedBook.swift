internal import OddsCore

/// The order book of one market, kept in prices of its Up token; the Down token's book is its exact mirror.
///
/// Both sides are sorted like the venue's messages: the best level comes last.
struct SimulatedBook: Sendable {
    /// A side of the Up token's book.
    enum Side: Sendable {
        case bids
        case asks

        var opposite: Side { self == .bids ? .asks : .bids }
    }

    struct Level: Hashable, Sendable {
        var price: Price
        var size: Size
    }

    /// Levels as one token sees them, in the order of the venue's messages.
    typealias Levels = LazyMapSequence<[Level], (price: Price, size: Size)>

    private(set) var bids: [Level] = []
    private(set) var asks: [Level] = []

    func levels(_ side: Side) -> [Level] { side == .bids ? self.bids : self.asks }

    /// The best price of a side; nil when it is empty.
    func best(_ side: Side) -> Level? { side == .bids ? self.bids.last : self.asks.last }

    /// The shares at a price; zero when there is no such level.
    func size(_ side: Side, at price: Price) -> Size {
        let (index, found) = self.find(side, price)
        return found ? self.levels(side)[index].size : .zero
    }

    /// Sets a level's new total; zero removes it.
    mutating func set(_ side: Side, price: Price, size: Size) {
        let (index, found) = self.find(side, price)
        switch side {
        case .bids: Self.set(&self.bids, index, found, Level(price: price, size: size))
        case .asks: Self.set(&self.asks, index, found, Level(price: price, size: size))
        }
    }

    private static func set(_ levels: inout [Level], _ index: Int, _ found: Bool, _ level: Level) {
        switch (found, level.size == .zero) {
        case (true, true): levels.remove(at: index)
        case (true, false): levels[index].size = level.size
        case (false, true): break
        case (false, false): levels.insert(level, at: index)
        }
    }

    private func find(_ side: Side, _ price: Price) -> (index: Int, found: Bool) {
        let levels = self.levels(side)
        var low = 0
        var high = levels.count
        while low < high {
            let middle = (low + high) / 2
            let isWorse = side == .bids ? levels[middle].price < price : levels[middle].price > price
            if isWorse { low = middle + 1 } else { high = middle }
        }
        return (low, low < levels.count && levels[low].price == price)
    }

    /// A token's bids, lowest first.
    func bids(of token: Token) -> Levels {
        token == .up
            ? self.bids.lazy.map { ($0.price, $0.size) }
            : self.asks.lazy.map { ($0.price.complement, $0.size) }
    }

    /// A token's asks, highest first.
    func asks(of token: Token) -> Levels {
        token == .up
            ? self.asks.lazy.map { ($0.price, $0.size) }
            : self.bids.lazy.map { ($0.price.complement, $0.size) }
    }

    /// A token's best bid and ask.
    func top(of token: Token) -> (bid: Level?, ask: Level?) {
        switch token {
        case .up: (self.bids.last, self.asks.last)
        case .down:
            (
                self.asks.last.map { Level(price: $0.price.complement, size: $0.size) },
                self.bids.last.map { Level(price: $0.price.complement, size: $0.size) }
            )
        }
    }
}
