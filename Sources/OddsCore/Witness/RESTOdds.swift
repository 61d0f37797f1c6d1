/// One market's odds as the venue's REST API tells them: the books of both tokens, made into one consistent moment.
///
/// Each token is asked for by itself, so the answers may be of different moments, and one may come from a copy that lags
/// behind. The two books of a market are exact mirrors of each other (price 1 − p, same size, other side; in all of some
/// 180,000 pairs measured), so one book tells both sides: where the answers differ, the newer one does.
public struct RESTOdds: Sendable, Equatable {
    /// How the answers for the two tokens go together.
    public enum Agreement: Sendable, Hashable {
        /// Both are of one moment, and mirrors: each side is that token's own book.
        case mirrored
        /// They are of different moments; both sides are from the newer one, which is this side's.
        case newer(Side)
        /// They claim the same moment but are no mirrors: one is wrong. Both sides are from this side's, which at least
        /// does not have the shape of a ghost.
        case contradicting(Side)
        /// There is only this side's.
        case single(Side)
    }

    /// The YES token's quote.
    public let yes: Quote
    /// The NO token's quote; empty for a market of which only one token is known.
    public let no: Quote
    /// When the books last changed, by the venue.
    public let exchangeTime: Timestamp
    /// How the answers went together.
    public let agreement: Agreement

    /// The odds of a market from what the API said of its tokens.
    ///
    /// Nil when there is no answer, or none that is about this market and its token.
    ///
    /// - Parameters:
    ///   - market: the market; its tokens say which side a book is of.
    ///   - yes: the answer for the YES token; nil when there is none that can be used.
    ///   - no: the answer for the NO token; nil when there is none that can be used.
    ///   - knownTrade: the price of the last trade in terms of YES, as far as it is known from elsewhere: a book's
    ///     `lastTradePrice` does not say of which token it is the price.
    public init?(market: Market, yes: RESTBook?, no: RESTBook?, knownTrade: Price? = nil) {
        let yes = yes.flatMap { $0.isBook(of: .yes, in: market) ? $0 : nil }
        let no = no.flatMap { $0.isBook(of: .no, in: market) ? $0 : nil }
        let agreement: Agreement
        switch (yes, no) {
        case (nil, nil): return nil
        case (.some, nil): agreement = .single(.yes)
        case (nil, .some): agreement = .single(.no)
        case (.some(let yes), .some(let no)):
            if yes.timestamp != no.timestamp {
                agreement = .newer(yes.timestamp > no.timestamp ? .yes : .no)
            } else if yes.mirrors(no) {
                agreement = .mirrored
            } else {
                agreement = .contradicting(yes.hasGhostShape && !no.hasGhostShape ? .no : .yes)
            }
        }
        self.agreement = agreement
        let side = agreement.side
        guard let book = side == .yes ? yes : no else { return nil }
        self.exchangeTime = book.timestamp
        let trade = book.lastTrade(knownOwn: side == .yes ? knownTrade : knownTrade?.complement)
        let own = book.quote(lastTrade: trade)
        let other = own.mirrored
        self.yes = side == .yes ? own : other
        self.no = market.no == nil ? .empty : side == .no ? own : other
    }
}

extension RESTOdds.Agreement {
    /// The side whose answer both quotes are made of.
    public var side: Side {
        switch self {
        case .mirrored: .yes
        case .newer(let side), .contradicting(let side), .single(let side): side
        }
    }
}

extension RESTBook {
    /// Whether the book is the market's, and that side's.
    func isBook(of side: Side, in market: Market) -> Bool {
        self.market == market.id && market.side(of: self.asset) == side
    }

    /// Whether the other token's book is this one seen from the other side: every level at 1 − its price, as a level of
    /// the other kind, with the same size.
    public func mirrors(_ other: RESTBook) -> Bool {
        func isMirror(_ a: [Level], _ b: [Level]) -> Bool {
            a.count == b.count
                && zip(a, b.reversed()).allSatisfy { $0.price == $1.price.complement && $0.size == $1.size }
        }
        return isMirror(self.bids, other.asks) && isMirror(self.asks, other.bids)
    }

    /// The top of the book.
    func quote(lastTrade: Price?) -> Quote {
        Quote(
            bid: self.bestBid?.price, bidSize: self.bestBid?.size ?? .zero, ask: self.bestAsk?.price,
            askSize: self.bestAsk?.size ?? .zero, lastTrade: lastTrade)
    }

    /// The last trade in terms of this token.
    ///
    /// The number may be the price of either token. The reading that agrees with what is known is taken; without one,
    /// that which lies nearer to the middle of the book.
    func lastTrade(knownOwn: Price?) -> Price? {
        guard let said = self.lastTradePrice else { return knownOwn }
        if let knownOwn, said == knownOwn || said == knownOwn.complement { return knownOwn }
        let twiceMiddle = (self.bestBid?.price.rawValue ?? 0) + (self.bestAsk?.price.rawValue ?? 10_000)
        func distance(_ price: Price) -> Int32 { abs(2 * price.rawValue - twiceMiddle) }
        return distance(said) <= distance(said.complement) ? said : said.complement
    }
}

extension Quote {
    /// The other token's quote: bid and ask change places, at 1 − their prices.
    public var mirrored: Quote {
        Quote(
            bid: self.ask?.complement, bidSize: self.askSize, ask: self.bid?.complement, askSize: self.bidSize,
            lastTrade: self.lastTrade?.complement)
    }
}
