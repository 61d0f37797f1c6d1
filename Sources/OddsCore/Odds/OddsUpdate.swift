/// Something a follower of the odds wants to know: silence and change alike.
public enum OddsUpdate: Sendable {
    /// A market's values changed.
    case odds(OddsSnapshot)
    /// A market's trust or epoch changed; the snapshot carries the new trust.
    case trust(OddsSnapshot, previous: Trust)
    /// The clock passed a boundary and a series has a new current market.
    case rollover(RolloverReceipt)
    /// The venue said who won.
    case resolution(Resolution)
    /// The reader was too slow and this many updates were lost right here; only a lossless reader sees it.
    case overflow(lost: UInt64)

    /// The market the update is about; nil when it is about the reader itself.
    public var marketID: MarketID? {
        switch self {
        case .overflow: nil
        case .odds(let snapshot), .trust(let snapshot, _): snapshot.marketID
        case .rollover(let receipt): receipt.market.id
        case .resolution(let resolution): resolution.market.id
        }
    }
}

/// What one rollover cost: when the new window's odds were first usable, measured from the boundary.
public struct RolloverReceipt: Sendable {
    /// The series that rolled over.
    public let series: String
    /// The market that became current.
    public let market: Market
    /// The market that was current before; nil for the first.
    public let previous: Market?
    /// The window's nominal start.
    public let boundary: Timestamp
    /// First usable odds of the new market relative to the boundary, in milliseconds: negative is good.
    /// Nil while there are none yet.
    public let firstOddsMilliseconds: Int64?

    /// A receipt from its parts.
    public init(
        series: String, market: Market, previous: Market?, boundary: Timestamp, firstOddsMilliseconds: Int64?
    ) {
        self.series = series
        self.market = market
        self.previous = previous
        self.boundary = boundary
        self.firstOddsMilliseconds = firstOddsMilliseconds
    }
}

/// Where the outcome of a market became known.
public enum ResolutionSource: String, Sendable, Hashable, Codable, CaseIterable {
    /// The feed said so (`market_resolved`).
    case feed = "market_resolved"
    /// Gamma said so, when it was asked.
    case gamma
    /// Nobody said so: it follows from the reference price.
    case referencePrice = "reference_price"
}

/// The end of a market: who won, and when that became known.
public struct Resolution: Sendable {
    /// The market that was decided.
    public let market: Market
    /// The winning side; nil when the venue named a token that is not one of the market's, or split the payout.
    public let winner: Side?
    /// The venue's stamp on the news.
    public let exchangeTime: Timestamp
    /// Who told it.
    public let source: ResolutionSource

    /// A resolution from its parts.
    public init(market: Market, winner: Side?, exchangeTime: Timestamp, source: ResolutionSource = .feed) {
        self.market = market
        self.winner = winner
        self.exchangeTime = exchangeTime
        self.source = source
    }
}
