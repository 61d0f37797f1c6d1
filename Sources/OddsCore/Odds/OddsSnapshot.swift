/// One market's odds at one moment: a single consistent value.
public struct OddsSnapshot: Sendable {
    /// The market, with its slug, window and outcome labels.
    public let market: Market
    /// The YES token's own book.
    public let yes: Quote
    /// The NO token's own book.
    public let no: Quote
    /// The venue's stamp on the last message that went into the books.
    public let exchangeTime: Timestamp
    /// When this machine read that message.
    public let receiveTime: ReceiveTime
    /// How far the values can be believed.
    public let trust: Trust
    /// Changes whenever continuity was lost: an order decided under one epoch can be refused under another.
    public let epoch: UInt64
    /// Where the values came from.
    public let source: SnapshotSource
    /// Counts this market's publications from 1; a gap between two snapshots says how many were not seen.
    public let sequence: UInt64
    /// When the REST witness last found these very values right, by this machine's wall clock: the market is quiet, and
    /// that is proven. Nil when the feed itself is the newest proof.
    public let verifiedTime: Timestamp?

    /// A snapshot from its parts.
    public init(
        market: Market, yes: Quote, no: Quote, exchangeTime: Timestamp, receiveTime: ReceiveTime, trust: Trust,
        epoch: UInt64, source: SnapshotSource, sequence: UInt64, verifiedTime: Timestamp? = nil
    ) {
        self.market = market
        self.yes = yes
        self.no = no
        self.exchangeTime = exchangeTime
        self.receiveTime = receiveTime
        self.trust = trust
        self.epoch = epoch
        self.source = source
        self.sequence = sequence
        self.verifiedTime = verifiedTime
    }

    /// The condition id.
    public var marketID: MarketID { self.market.id }
    /// The venue's readable name.
    public var slug: String { self.market.slug }
    /// When the market's window opens; nil when unknown.
    public var windowStart: Timestamp? { self.market.window?.start }
    /// When the market's window ends; nil when unknown.
    public var windowEnd: Timestamp? { self.market.window?.end }

    /// The best bid of YES; nil when nobody bids.
    public var bestBid: Price? { self.yes.bid }
    /// The best ask of YES; nil when nobody offers.
    public var bestAsk: Price? { self.yes.ask }

    /// The original specification's formula: the best bid of YES, and 0.50 when there is no bid.
    ///
    /// Kept so that a bot ported from it sees the same numbers. What people see on the website is `displayedOdds`.
    public var yesOdds: Odds { self.yes.bid?.odds ?? .half }
    /// The original specification's formula: 1 − `yesOdds`.
    ///
    /// This is the NO *ask* whenever YES has a bid; what NO can be sold for is `no.bid`.
    public var noOdds: Odds { self.yesOdds.complement }

    /// What the website shows for YES; nil when it has no answer (see `Quote.displayed`).
    public var displayedOdds: Odds? { self.yes.displayed }

    /// The quote of one side.
    public func quote(_ side: Side) -> Quote { side == .yes ? self.yes : self.no }

    /// The odds of one side by one basis, from that side's own book; nil when that basis has no answer.
    public func odds(_ side: Side, basis: OddsBasis = .displayed) -> Odds? { self.quote(side).odds(basis) }

    /// Time since the last message that went into this snapshot was received; never negative.
    public func age(at now: MonotonicTime) -> Duration {
        Swift.max(.zero, self.receiveTime.monotonic.duration(to: now))
    }
}

extension OddsSnapshot: Equatable {
    /// Whether all values agree and both name the same market.
    public static func == (a: OddsSnapshot, b: OddsSnapshot) -> Bool {
        a.market.id == b.market.id && a.yes == b.yes && a.no == b.no && a.exchangeTime == b.exchangeTime
            && a.receiveTime == b.receiveTime && a.trust == b.trust && a.epoch == b.epoch && a.source == b.source
            && a.sequence == b.sequence
    }
}
