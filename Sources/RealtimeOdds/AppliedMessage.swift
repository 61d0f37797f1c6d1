public import OddsCore

/// Sees each entry of a message as it is applied, on the feed's event loop: it must be quick and must not block.
public protocol AppliedMessageObserver: Sendable {
    /// One entry of a message was applied to a book.
    func applied(_ message: AppliedMessage)
}

/// One applied entry of a message, with the rebuilt book's best prices after it.
public struct AppliedMessage: Sendable {
    /// Counts the entries of all lines from 1.
    public let number: UInt64
    /// The line that brought it; with several lines each brings every message.
    public let line: Int
    /// The token whose book it went into.
    public let asset: AssetID
    /// The venue's event type.
    public let eventType: String
    /// The venue's stamp.
    public let exchangeTime: Timestamp
    /// When the message's bytes were read from the socket.
    public let receiveTime: MonotonicTime
    /// When the entry was in the book.
    public let publishTime: MonotonicTime
    /// The rebuilt book's best bid; nil when nobody bids.
    public let bestBid: Price?
    /// The rebuilt book's best ask; nil when nobody offers.
    public let bestAsk: Price?
}
