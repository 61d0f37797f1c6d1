/// One token's book as the venue's REST API tells it: a second witness beside the feed, never an oracle.
///
/// Its `timestamp` is that of the book's last change, so an idle book has an old one. Single answers have been wrong in
/// the field: books of 0.01/0.99 that were never there, and answers from before the last change. `isGhost` and the
/// timestamps tell those apart.
public struct RESTBook: Sendable, Equatable {
    /// The market's condition id.
    public var market: MarketID
    /// The token.
    public var asset: AssetID
    /// When the book last changed, by the venue.
    public var timestamp: Timestamp
    /// The venue's fingerprint of the whole book; nil when it sent none that can be read.
    public var hash: BookHash?
    /// Bids in ascending order of price, none of size zero.
    public var bids: [Level]
    /// Asks in ascending order of price, none of size zero.
    public var asks: [Level]
    /// The smallest price step; nil when the venue did not say.
    public var tickSize: Price?
    /// The smallest order; nil when the venue did not say.
    public var minimumOrderSize: Size?
    /// Whether the market is one of a group of which exactly one wins; nil when the venue did not say.
    public var negativeRisk: Bool?
    /// The price of the market's last trade, on whichever token it was; nil when there was none.
    public var lastTradePrice: Price?

    /// A book from its parts; levels may come in any order.
    public init(
        market: MarketID, asset: AssetID, timestamp: Timestamp, hash: BookHash? = nil, bids: [Level], asks: [Level],
        tickSize: Price? = nil, minimumOrderSize: Size? = nil, negativeRisk: Bool? = nil, lastTradePrice: Price? = nil
    ) {
        self.market = market
        self.asset = asset
        self.timestamp = timestamp
        self.hash = hash
        self.bids = bids.filter { $0.size.rawValue > 0 }.sorted { $0.price < $1.price }
        self.asks = asks.filter { $0.size.rawValue > 0 }.sorted { $0.price < $1.price }
        self.tickSize = tickSize
        self.minimumOrderSize = minimumOrderSize
        self.negativeRisk = negativeRisk
        self.lastTradePrice = lastTradePrice
    }

    /// The highest bid; nil when nobody bids.
    public var bestBid: Level? { self.bids.last }
    /// The lowest ask; nil when nobody offers.
    public var bestAsk: Level? { self.asks.first }

    /// Whether the book has the shape of the venue's ghosts: bid at or below 0.01 and ask at or above 0.99, or empty.
    ///
    /// A market that is about to be decided looks the same, so the shape alone proves nothing.
    public var hasGhostShape: Bool {
        (self.bestBid?.price.rawValue ?? 0) <= 100 && (self.bestAsk?.price.rawValue ?? 10_000) >= 9_900
    }
}
