/// One line of `watch --format jsonl`, one item of `/v1/odds`: the same keys everywhere.
///
/// Prices and odds are JSON numbers; an absent side is `null`. `Encodable` with keys as documented in the design.
public struct OddsRow: Encodable, Sendable {
    /// What the row tells.
    public enum Kind: String, Sendable, Encodable {
        /// New values.
        case odds
        /// A change of trust or epoch.
        case trust
        /// A new current market.
        case rollover
        /// A decided market.
        case resolution
        /// Updates that were lost because the reader was too slow; only a lossless reader sees it.
        case overflow
    }

    /// What the row tells.
    public let kind: Kind
    /// The values; nil for a market without data yet.
    public let snapshot: OddsSnapshot?
    /// The market; nil for `overflow`.
    public let market: Market?
    /// The rollover's receipt, for `kind` rollover.
    public let receipt: RolloverReceipt?
    /// The outcome, for `kind` resolution.
    public let resolution: Resolution?
    /// How many updates were lost, for `kind` overflow.
    public let lost: UInt64?

    /// The row of a snapshot.
    public init(_ snapshot: OddsSnapshot, kind: Kind = .odds) {
        self.kind = kind
        self.snapshot = snapshot
        self.market = snapshot.market
        self.receipt = nil
        self.resolution = nil
        self.lost = nil
    }

    /// The row of an update; `snapshot` supplies the values of the market where the update itself carries none.
    public init(_ update: OddsUpdate, snapshot: OddsSnapshot? = nil) {
        switch update {
        case .odds(let snapshot): self.init(snapshot)
        case .trust(let snapshot, _): self.init(snapshot, kind: .trust)
        case .rollover(let receipt):
            self.init(kind: .rollover, snapshot: snapshot, market: receipt.market, receipt: receipt)
        case .resolution(let resolution):
            self.init(kind: .resolution, snapshot: snapshot, market: resolution.market, resolution: resolution)
        case .overflow(let lost): self.init(kind: .overflow, lost: lost)
        }
    }

    private init(
        kind: Kind, snapshot: OddsSnapshot? = nil, market: Market? = nil, receipt: RolloverReceipt? = nil,
        resolution: Resolution? = nil, lost: UInt64? = nil
    ) {
        self.kind = kind
        self.snapshot = snapshot
        self.market = market
        self.receipt = receipt
        self.resolution = resolution
        self.lost = lost
    }

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, market, slug
        case yesBid = "yes_bid"
        case yesAsk = "yes_ask"
        case noBid = "no_bid"
        case noAsk = "no_ask"
        case yesOdds = "yes_odds"
        case noOdds = "no_odds"
        case displayedOdds = "displayed_odds"
        case lastTrade = "last_trade"
        case exchangeTime = "exchange_time_ms"
        case receiveTime = "receive_time_ns"
        case trust, reason, epoch, source
        case yesBidSize = "yes_bid_size"
        case yesAskSize = "yes_ask_size"
        case noBidSize = "no_bid_size"
        case noAskSize = "no_ask_size"
        case noDisplayedOdds = "no_displayed_odds"
        case windowStart = "window_start_ms"
        case windowEnd = "window_end_ms"
        case sequence
        case verifiedTime = "verified_time_ms"
        case previousMarket = "previous_market"
        case firstOdds = "first_odds_ms"
        case winner, lost
    }

    /// Writes every key of the contract; keys that belong to one kind are written for that kind only.
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(self.kind, forKey: .kind)
        try row.encode(self.market?.id.rawValue, forKey: .market)
        try row.encode(self.market?.slug, forKey: .slug)
        try row.encode(self.snapshot?.yes.bid?.doubleValue, forKey: .yesBid)
        try row.encode(self.snapshot?.yes.ask?.doubleValue, forKey: .yesAsk)
        try row.encode(self.snapshot?.no.bid?.doubleValue, forKey: .noBid)
        try row.encode(self.snapshot?.no.ask?.doubleValue, forKey: .noAsk)
        try row.encode(self.snapshot?.yesOdds.doubleValue, forKey: .yesOdds)
        try row.encode(self.snapshot?.noOdds.doubleValue, forKey: .noOdds)
        try row.encode(self.snapshot?.displayedOdds?.doubleValue, forKey: .displayedOdds)
        try row.encode(self.snapshot?.yes.lastTrade?.doubleValue, forKey: .lastTrade)
        // A resolution has a stamp of its own: that of the news, not of the last odds.
        let exchangeTime = self.resolution?.exchangeTime ?? self.snapshot?.exchangeTime
        try row.encode(exchangeTime?.milliseconds, forKey: .exchangeTime)
        try row.encode(self.snapshot?.receiveTime.unixNanoseconds, forKey: .receiveTime)
        try row.encode(self.snapshot?.trust.name, forKey: .trust)
        try row.encode(self.snapshot?.trust.reason, forKey: .reason)
        try row.encode(self.snapshot?.epoch, forKey: .epoch)
        try row.encode(self.snapshot?.source.description, forKey: .source)
        try row.encode(self.snapshot?.yes.bidSize.doubleValue, forKey: .yesBidSize)
        try row.encode(self.snapshot?.yes.askSize.doubleValue, forKey: .yesAskSize)
        try row.encode(self.snapshot?.no.bidSize.doubleValue, forKey: .noBidSize)
        try row.encode(self.snapshot?.no.askSize.doubleValue, forKey: .noAskSize)
        try row.encode(self.snapshot?.no.displayed?.doubleValue, forKey: .noDisplayedOdds)
        try row.encode(self.market?.window?.start.milliseconds, forKey: .windowStart)
        try row.encode(self.market?.window?.end.milliseconds, forKey: .windowEnd)
        try row.encode(self.snapshot?.sequence, forKey: .sequence)
        try row.encode(self.snapshot?.verifiedTime?.milliseconds, forKey: .verifiedTime)
        if let receipt {
            try row.encode(receipt.previous?.id.rawValue, forKey: .previousMarket)
            try row.encode(receipt.firstOddsMilliseconds, forKey: .firstOdds)
        }
        if let resolution {
            let winner = resolution.winner.map { $0 == .yes ? "yes" : "no" }
            try row.encode(winner, forKey: .winner)
        }
        if let lost { try row.encode(lost, forKey: .lost) }
    }
}
