/// What lies near the top of one side of a book.
public struct NearDepth: Hashable, Sendable {
    /// Shares at the best price and within so many ticks of it; zero when the side is empty.
    public var shares: Size
    /// The same, each share at its level's price: what it brings to sell into these bids, or costs to buy these asks,
    /// without fees.
    public var dollars: Double

    /// Depth from its parts.
    public init(shares: Size, dollars: Double) {
        self.shares = shares
        self.dollars = dollars
    }
}

/// What one token's book looks like at one moment.
public struct BookFigures: Hashable, Sendable {
    /// How many ticks from the best price count as near, by default.
    public static let defaultTicks = 5

    /// The best bid; nil when nobody bids.
    public let bid: Level?
    /// The best ask; nil when nobody offers.
    public let ask: Level?
    /// The smallest price step.
    public let tickSize: Price
    /// How far from the best price levels count as near: up to and including so many ticks.
    public let ticks: Int
    /// What is near the best bid.
    public let bidDepth: NearDepth
    /// What is near the best ask.
    public let askDepth: NearDepth

    init(bid: Level?, ask: Level?, tickSize: Price, ticks: Int, bidDepth: NearDepth, askDepth: NearDepth) {
        self.bid = bid
        self.ask = ask
        self.tickSize = Price(rawValue: max(1, tickSize.rawValue))
        self.ticks = ticks
        self.bidDepth = bidDepth
        self.askDepth = askDepth
    }

    /// The figures of a book.
    ///
    /// - Parameters:
    ///   - bids: the best first.
    ///   - asks: the best first.
    ///   - tickSize: the smallest price step.
    ///   - ticks: how far from the best price levels count as near; at least 0.
    public init(bids: [Level], asks: [Level], tickSize: Price, ticks: Int = Self.defaultTicks) {
        let reach = BookFigures.reach(tickSize, ticks)
        func near(_ levels: [Level]) -> NearDepth {
            var sum = DepthSum()
            guard let best = levels.first?.price.rawValue else { return sum.depth }
            for level in levels where abs(level.price.rawValue - best) <= reach {
                sum.add(level.price.rawValue, level.size.rawValue)
            }
            return sum.depth
        }
        self.init(
            bid: bids.first, ask: asks.first, tickSize: tickSize, ticks: ticks, bidDepth: near(bids),
            askDepth: near(asks))
    }

    /// How far near levels lie from the best, in ten-thousandths.
    static func reach(_ tickSize: Price, _ ticks: Int) -> Int32 {
        Int32(min(10_000, max(0, ticks)) * Int(max(1, tickSize.rawValue)))
    }

    /// Whether both sides are there, and the best bid is below the best ask.
    private var top: (bid: Level, ask: Level)? {
        guard let bid = self.bid, let ask = self.ask, bid.price < ask.price else { return nil }
        return (bid, ask)
    }

    /// Best ask − best bid, in dollars; nil when a side is empty or the book is crossed.
    public var spread: Price? { self.top.map { Price(rawValue: $0.ask.price.rawValue - $0.bid.price.rawValue) } }

    /// The spread in ticks; nil as `spread`.
    public var spreadTicks: Double? {
        self.spread.map { Double($0.rawValue) / Double(self.tickSize.rawValue) }
    }

    /// Halfway between best bid and best ask; nil when a side is empty or the book is crossed.
    public var midpoint: Odds? { self.top.map { Odds.midpoint($0.bid.price, $0.ask.price) } }

    /// Between best bid and best ask, the nearer to the ask the more shares are bid: (bid · ask size + ask · bid size) /
    /// (bid size + ask size), rounded to a millionth. Nil when a side is empty or the book is crossed.
    public var microprice: Odds? {
        guard let (bid, ask) = self.top else { return nil }
        let (bids, asks) = (Int128(bid.size.rawValue), Int128(ask.size.rawValue))
        let total = bids + asks
        guard total > 0 else { return nil }
        let sum = (Int128(bid.price.rawValue) * asks + Int128(ask.price.rawValue) * bids) * 100
        return Odds(rawValue: Int32((sum + total / 2) / total))
    }

    /// How much more is bid than offered at the best prices: (bid size − ask size) / (bid size + ask size), −1 to 1. One
    /// side alone is 1 or −1; nil when both are empty.
    public var topImbalance: Double? {
        Self.imbalance(self.bid?.size ?? .zero, self.ask?.size ?? .zero)
    }

    /// The same of all shares near the best prices.
    public var imbalance: Double? { Self.imbalance(self.bidDepth.shares, self.askDepth.shares) }

    private static func imbalance(_ bids: Size, _ asks: Size) -> Double? {
        let (bids, asks) = (bids.doubleValue, asks.doubleValue)
        return bids + asks > 0 ? (bids - asks) / (bids + asks) : nil
    }
}

/// Adds levels up.
struct DepthSum {
    private var shares: Int64 = 0
    private var value: Int128 = 0

    /// A level's price in ten-thousandths and its size in millionths.
    @inline(__always)
    mutating func add(_ price: Int32, _ size: Int64) {
        self.shares = self.shares.saturatingSum(size)
        self.value += Int128(price) * Int128(size)
    }

    var depth: NearDepth {
        NearDepth(shares: Size(rawValue: self.shares), dollars: Double(self.value) / 10_000_000_000)
    }
}

extension TokenDepth {
    /// What the book looks like near the top.
    public func figures(ticks: Int = BookFigures.defaultTicks) -> BookFigures {
        BookFigures(bids: self.bids, asks: self.asks, tickSize: self.tickSize, ticks: ticks)
    }
}

extension BookSide {
    /// What lies at the best price and up to `reach` ten-thousandths from it.
    func near(_ reach: Int32) -> NearDepth {
        var sum = DepthSum()
        self.forEachNear(reach) { sum.add($0, $1) }
        return sum.depth
    }
}

extension OrderBook {
    /// What the book looks like near the top.
    func figures(tickSize: Price, ticks: Int) -> BookFigures {
        let reach = BookFigures.reach(tickSize, ticks)
        return BookFigures(
            bid: self.bestBid, ask: self.bestAsk, tickSize: tickSize, ticks: ticks, bidDepth: self.bids.near(reach),
            askDepth: self.asks.near(reach))
    }
}
