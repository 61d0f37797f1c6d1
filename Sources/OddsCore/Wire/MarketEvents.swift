/// Which side of a book.
public enum BookSideKind: UInt8, Sendable, Hashable, BitwiseCopyable {
    /// Buyers; `BUY` on the wire.
    case bids
    /// Sellers; `SELL` on the wire.
    case asks
}

/// One price level: all shares wanted or offered at one price.
public struct Level: Hashable, Sendable, BitwiseCopyable {
    /// The price.
    public var price: Price
    /// The total at that price.
    public var size: Size

    /// A level from its parts.
    @inlinable
    public init(price: Price, size: Size) {
        self.price = price
        self.size = size
    }
}

/// A full book of one token (`book`). The level lists are in wire order: trust no position.
public struct WireBook {
    /// The condition id; nil when the frame does not say.
    public let market: WireText?
    /// The token.
    public let asset: WireText
    /// The venue's stamp.
    public let timestamp: Timestamp
    /// The venue's SHA-1 of the book; nil when absent or empty.
    public let hash: WireText?
    /// The tick size; nil when absent, as in trade-driven books.
    public let tickSize: Price?
    /// The market's last trade, in terms of whichever token was traded: both tokens' books carry the same number
    /// (measured on real snapshots). Nil when absent or never traded.
    public let lastTradePrice: Price?
    /// Whether the frame has a last trade at all: then a nil `lastTradePrice` means that there was none.
    public let tellsLastTrade: Bool
    /// Buyers.
    public let bids: UnsafeBufferPointer<Level>
    /// Sellers.
    public let asks: UnsafeBufferPointer<Level>
}

/// One entry of a `price_change`: the new total at one price of one token.
public struct WirePriceChange: BitwiseCopyable {
    /// The token.
    public let asset: WireText
    /// The level's price.
    public let price: Price
    /// The level's new total; zero removes it.
    public let size: Size
    /// The level's side.
    public let side: BookSideKind
    /// The venue's SHA-1 of the token's whole book after the batch; nil when absent or empty.
    public let hash: WireText?
    /// The token's best bid after the whole batch; nil when the frame does not say. 0 means no bids.
    public let bestBid: Price?
    /// The token's best ask after the whole batch; nil when the frame does not say. 1 means no asks.
    public let bestAsk: Price?
}

/// A trade (`last_trade_price`); emitted on the traded token only.
public struct WireTrade {
    /// The condition id; nil when the frame does not say.
    public let market: WireText?
    /// The traded token.
    public let asset: WireText
    /// What was paid.
    public let price: Price
    /// How many shares; nil when the frame does not say.
    public let size: Size?
    /// The taker's side on that token; nil when the frame does not say.
    public let takerSide: BookSideKind?
    /// The taker fee in basis points; nil when the frame does not say.
    public let feeRateBasisPoints: Int64?
    /// The venue's stamp.
    public let timestamp: Timestamp
    /// The settlement transaction; nil when the frame does not say.
    public let transactionHash: WireText?
}

/// A change of the smallest price step (`tick_size_change`), at prices over 0.96 or under 0.04.
public struct WireTickSizeChange {
    /// The condition id; nil when the frame does not say.
    public let market: WireText?
    /// The token.
    public let asset: WireText
    /// The step before; nil when the frame does not say.
    public let oldTickSize: Price?
    /// The step from now on.
    public let newTickSize: Price
    /// The venue's stamp.
    public let timestamp: Timestamp
}

/// The top of one token's book (`best_bid_ask`, a custom feature).
public struct WireBestBidAsk {
    /// The condition id; nil when the frame does not say.
    public let market: WireText?
    /// The token.
    public let asset: WireText
    /// The best bid; 0 means none.
    public let bestBid: Price
    /// The best ask; 1 (seen: also 0) means none.
    public let bestAsk: Price
    /// The venue's stamp.
    public let timestamp: Timestamp
}

/// An announced market (`new_market`): a broadcast about any market of the venue.
public struct WireNewMarket {
    /// The condition id.
    public let market: WireText
    /// The readable name; nil when the frame does not say.
    public let slug: WireText?
    /// The question; nil when the frame does not say.
    public let question: WireText?
    /// The tokens, in the order of `outcomes`.
    public let assets: UnsafeBufferPointer<WireText>
    /// The outcome labels, in the order of `assets`.
    public let outcomes: UnsafeBufferPointer<WireText>
    /// The venue's stamp; nil when the frame does not say.
    public let timestamp: Timestamp?
}

/// A decided market (`market_resolved`): reported to be a broadcast too.
public struct WireMarketResolved {
    /// The condition id.
    public let market: WireText
    /// The winning token; nil when the frame does not say.
    public let winningAsset: WireText?
    /// The winning label; nil when the frame does not say.
    public let winningOutcome: WireText?
    /// The venue's stamp; nil when the frame does not say.
    public let timestamp: Timestamp?
}

/// Why a frame was skipped.
public enum FrameFault: String, Sendable, Hashable, CaseIterable, Error {
    /// Not JSON, or cut off.
    case syntax
    /// JSON behind the end of the value.
    case trailingBytes
    /// A price, size, side or stamp that is not one.
    case badValue
    /// A known event without a field it cannot do without.
    case missingField
    /// An array element or frame that is JSON but no object.
    case notAnObject
}

/// Takes what the decoder finds, in wire order. Everything passed is valid only during the call.
public protocol MarketEventHandler {
    /// A full book.
    mutating func book(_ event: WireBook)
    /// Level updates of one market; any number of entries, usually one per token.
    mutating func priceChanges(
        market: WireText?, timestamp: Timestamp, entries: UnsafeBufferPointer<WirePriceChange>)
    /// A trade.
    mutating func trade(_ event: WireTrade)
    /// A new tick size.
    mutating func tickSizeChange(_ event: WireTickSizeChange)
    /// The top of a book.
    mutating func bestBidAsk(_ event: WireBestBidAsk)
    /// An announced market.
    mutating func newMarket(_ event: WireNewMarket)
    /// A decided market.
    mutating func marketResolved(_ event: WireMarketResolved)
    /// A frame that is plain text: `PONG`, `INVALID OPERATION`, `NO NEW ASSETS` or something new.
    mutating func plainText(_ text: WireText)
    /// An object whose `event_type` is not known, or missing; `error` is its `error` string where it has one.
    mutating func unknownEvent(type: WireText?, error: WireText?)
}
