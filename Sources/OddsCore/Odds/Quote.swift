/// The top of one token's own book.
public struct Quote: Hashable, Sendable {
    /// The highest price somebody pays; nil when nobody bids.
    public var bid: Price?
    /// Shares wanted at the best bid; zero when nobody bids.
    public var bidSize: Size
    /// The lowest price somebody sells at; nil when nobody offers.
    public var ask: Price?
    /// Shares offered at the best ask; zero when nobody offers.
    public var askSize: Size
    /// The price of the token's last trade; nil when none is known.
    public var lastTrade: Price?

    /// A quote from its parts; without arguments an empty book.
    public init(
        bid: Price? = nil, bidSize: Size = .zero, ask: Price? = nil, askSize: Size = .zero, lastTrade: Price? = nil
    ) {
        self.bid = bid
        self.bidSize = bidSize
        self.ask = ask
        self.askSize = askSize
        self.lastTrade = lastTrade
    }

    /// An empty book that never traded.
    public static let empty = Quote()

    /// Best ask − best bid, with the venue's own stand-ins for an absent side: 0 for the bid, 1 for the ask.
    public var spread: Odds {
        let bid = self.bid ?? .zero
        let ask = self.ask ?? .one
        return Odds(rawValue: Swift.max(0, ask.rawValue - bid.rawValue) * 100)
    }

    /// Halfway between best bid and best ask; nil unless both sides are there.
    public var midpoint: Odds? {
        guard let bid, let ask else { return nil }
        return .midpoint(bid, ask)
    }

    /// What the venue's website shows for this token: the midpoint, or the last trade when the spread is over 0.10.
    ///
    /// An absent side counts as the venue's own stand-in (bid 0, ask 1; "protocol reference", `price_change`): a book
    /// bid at 0.99 with no offer left has a spread of 0.01 and shows 0.995. When the spread is over 0.10 and no trade
    /// is known there is no answer: nil, never a made-up 0.50. So an empty book that never traded is nil.
    public var displayed: Odds? {
        guard self.spread > Quote.widestDisplayedSpread else { return .midpoint(self.bid ?? .zero, self.ask ?? .one) }
        return self.lastTrade?.odds
    }

    /// The widest spread at which the website shows the midpoint (docs.polymarket.com, "orderbook").
    public static let widestDisplayedSpread: Odds = 0.10

    /// The odds by one basis; nil when that basis has no answer.
    public func odds(_ basis: OddsBasis) -> Odds? {
        switch basis {
        case .bestBid: self.bid?.odds
        case .midpoint: self.midpoint
        case .displayed: self.displayed
        case .lastTrade: self.lastTrade?.odds
        }
    }
}

/// What a threshold such as 70 % is compared with.
public enum OddsBasis: String, Hashable, Sendable, CaseIterable {
    /// The highest bid of the token's own book: what one share could be sold for now.
    case bestBid
    /// Halfway between the token's best bid and ask.
    case midpoint
    /// What the website shows; the default, because "visible on the website" is what a bot must catch.
    case displayed
    /// The token's last trade.
    case lastTrade
}
