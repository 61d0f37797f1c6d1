public import OddsCore

/// Names one order; grows with each, also over restarts.
public struct OrderID: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The number, from 1.
    public let rawValue: UInt64

    /// An id from its number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// By number.
    public static func < (a: OrderID, b: OrderID) -> Bool { a.rawValue < b.rawValue }
    /// The number.
    public var description: String { String(self.rawValue) }
    /// The id after this one.
    var next: OrderID { OrderID(rawValue: self.rawValue + 1) }
}

/// What somebody wants to buy, before anybody has looked at the risk.
public struct OrderIntent: Hashable, Sendable, Codable {
    /// The market.
    public var market: MarketID
    /// The side to buy.
    public var side: Side
    /// The highest price to pay for a share.
    public var limit: Price
    /// How many shares to buy.
    public var size: Size
    /// The market's epoch when this was wanted.
    public var epoch: UInt64

    /// A wish from its parts.
    public init(market: MarketID, side: Side, limit: Price, size: Size, epoch: UInt64) {
        self.market = market
        self.side = side
        self.limit = limit
        self.size = size
        self.epoch = epoch
    }
}

/// An order to buy shares of one outcome at once, at no more than a limit; what is not there at the time is cancelled
/// (immediate or cancel).
public struct Order: Hashable, Sendable, Codable {
    /// The order's name.
    public let id: OrderID
    /// The market.
    public let market: MarketID
    /// The market's readable name.
    public let slug: String
    /// The token to buy.
    public let asset: AssetID
    /// The side the token stands for.
    public let side: Side
    /// The highest price to pay for a share.
    public let limit: Price
    /// How many shares, in whole lots.
    public let size: Size
    /// The market's epoch under which this was decided.
    public let epoch: UInt64
    /// The taker's fee on it.
    public let fees: FeeSchedule
    /// When it was decided, by the wall clock.
    public let decidedAt: Timestamp
    /// The same moment on the monotonic clock: means something only within one run.
    public let decidedInstant: MonotonicTime

    /// The most it can cost, fee included.
    public var reserve: Money { .cost(of: self.size, at: self.limit) + self.fees.fee(on: self.size, at: self.limit) }
}

/// Shares that were bought at one price.
public struct Fill: Hashable, Sendable, Codable {
    /// The price of a share.
    public let price: Price
    /// How many.
    public let size: Size

    /// A fill from its parts.
    public init(price: Price, size: Size) {
        self.price = price
        self.size = size
    }
}
