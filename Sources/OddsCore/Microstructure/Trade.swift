/// One trade as the feed told it: on the token that the taker traded.
public struct Trade: Hashable, Sendable {
    /// The market's condition id.
    public let market: MarketID
    /// The traded token.
    public let asset: AssetID
    /// The side that the token stands for.
    public let side: Side
    /// What was paid for a share of that token.
    public let price: Price
    /// How many shares.
    public let size: Size
    /// What the taker did on that token: `bids` bought, `asks` sold.
    public let takerSide: BookSideKind
    /// The venue's stamp.
    public let exchangeTime: Timestamp
    /// What is left of the settlement's hash, to tell trades apart that are otherwise the same; 0 when the feed gave none.
    let transaction: UInt64

    /// A trade from its parts.
    public init(
        market: MarketID, asset: AssetID, side: Side, price: Price, size: Size, takerSide: BookSideKind,
        exchangeTime: Timestamp
    ) {
        self.init(
            market: market, asset: asset, side: side, price: price, size: size, takerSide: takerSide,
            exchangeTime: exchangeTime, transaction: 0)
    }

    init(
        market: MarketID, asset: AssetID, side: Side, price: Price, size: Size, takerSide: BookSideKind,
        exchangeTime: Timestamp, transaction: UInt64
    ) {
        self.market = market
        self.asset = asset
        self.side = side
        self.price = price
        self.size = size
        self.takerSide = takerSide
        self.exchangeTime = exchangeTime
        self.transaction = transaction
    }

    /// The price in terms of YES: that of a NO trade is 1 − its own.
    public var yesPrice: Price { self.side == .yes ? self.price : self.price.complement }

    /// Whether the taker bet on YES: bought YES, or sold NO.
    public var isForYes: Bool { (self.side == .yes) == (self.takerSide == .bids) }
}

extension WireText {
    /// A number that the same text always has, and another text hardly ever.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in self.string.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }
}
