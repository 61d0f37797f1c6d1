public import OddsCore

/// A desk and what it has to be told around its odds: the venue's terms, the book that an order meets, an outcome.
///
/// Live, replayed and back-tested trading share it, so that the same news leads to the same entries.
public struct TradingSession<Rules: Strategy>: Sendable {
    /// What decides.
    public var desk: TradingDesk<Rules>
    /// How long an order takes to the venue.
    public let delay: Duration
    /// The markets the desk knows, and what it was told the venue demands there.
    private var terms: [MarketID: MarketTerms] = [:]
    private let isUsualWhereUnknown: Bool

    /// A session over a desk.
    ///
    /// - Parameters:
    ///   - delay: how long an order takes to the venue.
    ///   - usualTermsWhereUnknown: whether a market that only the feed is known of is bought with the usual price step; live
    ///     it is not, because nobody has confirmed it.
    public init(
        _ desk: TradingDesk<Rules>, delay: Duration = .milliseconds(250), usualTermsWhereUnknown: Bool = false
    ) {
        self.desk = desk
        self.delay = delay
        self.isUsualWhereUnknown = usualTermsWhereUnknown
    }

    /// The markets that the desk was told of, until they are forgotten.
    public var markets: Set<MarketID> { self.desk.markets.union(self.terms.keys) }

    // MARK: What happens

    /// A market's values, trust or epoch changed. What the venue demands in a market that is new is told first.
    public mutating func observe(_ snapshot: OddsSnapshot, now: ReceiveTime) -> [JournalEntry] {
        let first = self.terms[snapshot.marketID] == nil ? self.learn(snapshot.market, now: now) : []
        return first + self.desk.observe(snapshot, now: now)
    }

    /// A market was looked up: what the venue demands there is told to the desk as far as it is new.
    public mutating func learn(_ market: Market, now: ReceiveTime) -> [JournalEntry] {
        var terms = MarketTerms(market)
        if self.isUsualWhereUnknown, terms.tickSize == nil { terms.tickSize = market.tickSize }
        guard self.terms.updateValue(terms, forKey: market.id) != terms else { return [] }
        return self.desk.observe(terms, of: market.id, now: now)
    }

    /// A market is followed no more. What is held in it is settled all the same, later.
    public mutating func forget(_ market: MarketID) {
        self.terms[market] = nil
        self.desk.forget(market)
    }

    /// When an order is at the venue.
    public func arrival(of order: Order) -> MonotonicTime { order.decidedInstant.advanced(by: self.delay) }

    /// An order got to the venue and met a token's book, or none.
    ///
    /// - Parameters:
    ///   - depth: the book; nil when there was none, and then nothing was offered.
    ///   - time: when the book was read. An answer that came early, because there is no book to wait for, is the answer all
    ///     the same.
    public mutating func meet(_ order: Order, depth: TokenDepth?, at time: ReceiveTime) -> [JournalEntry] {
        var terms =
            self.desk.terms(of: order.market)
            ?? MarketTerms(tickSize: nil, minimumOrderSize: .zero, fees: order.fees)
        // The book knows the step of now, the look-up that of an earlier time.
        if let depth { terms.tickSize = depth.tickSize }
        let book = PaperBook(
            asset: order.asset, asks: depth?.asks ?? [], terms: terms, epoch: depth?.epoch ?? order.epoch)
        let due = self.arrival(of: order)
        return self.desk.fill(
            book,
            now: ReceiveTime(
                monotonic: Swift.max(time.monotonic, due), unixNanoseconds: time.unixNanoseconds))
    }

    /// The venue told how a market ended. A feed that names no winner named a token that nobody knows, which is no split:
    /// that settles nothing.
    public mutating func resolved(_ resolution: Resolution, now: ReceiveTime) -> [JournalEntry] {
        guard resolution.winner != nil || resolution.source == .gamma else { return [] }
        return self.desk.settle(
            resolution.market.id, winner: resolution.winner, source: resolution.source, now: now)
    }
}

extension Sequence<JournalEntry> {
    /// The orders that the broker has just taken; each is to meet its book when it gets to the venue.
    public var accepted: [Order] {
        self.compactMap { if case .execution(.accepted(let order)) = $0 { order } else { nil } }
    }
}
