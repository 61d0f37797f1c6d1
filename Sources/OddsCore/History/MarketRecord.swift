/// A market as the history keeps it: what it is about, how its rollover went, who won.
///
/// What is known of a market comes in parts. A record that says less never takes away what an earlier one said: absent
/// values leave what is kept as it is. Absent values are null.
public struct MarketRecord: Hashable, Sendable, Codable {
    /// The market's condition id.
    public var market: MarketID
    /// The venue's readable name; empty when only the feed is known.
    public var slug: String
    /// When the market was first recorded.
    public var seen: Timestamp
    /// The question people read.
    @NullWhenAbsent public var question: String?
    /// The series it belongs to.
    @NullWhenAbsent public var series: String?
    /// When its window opens.
    @NullWhenAbsent public var windowStart: Timestamp?
    /// When its window ends.
    @NullWhenAbsent public var windowEnd: Timestamp?
    /// The venue's label of YES, such as `Up`.
    public var yesLabel: String
    /// The token of YES.
    public var yesAsset: AssetID
    /// The venue's label of NO, such as `Down`.
    @NullWhenAbsent public var noLabel: String?
    /// The token of NO.
    @NullWhenAbsent public var noAsset: AssetID?
    /// The market before it in its series, from the rollover's receipt.
    @NullWhenAbsent public var previousMarket: MarketID?
    /// First usable odds relative to the window's start, in milliseconds: negative is good.
    @NullWhenAbsent public var firstOdds: Int64?
    /// Who won: `yes`, `no` or `split`; nil while that is not known.
    @NullWhenAbsent public var winner: String?
    /// Where the outcome was learned: `market_resolved`, `gamma` or `reference_price`; nil before.
    @NullWhenAbsent public var resolvedBy: String?
    /// When it was decided, by the venue's stamp or by this machine's clock; nil before.
    @NullWhenAbsent public var resolved: Timestamp?

    /// A market as it was discovered.
    public init(_ market: Market, seen: Timestamp) {
        self.market = market.id
        self.slug = market.slug
        self.seen = seen
        self.yesLabel = market.yes.label
        self.yesAsset = market.yes.asset
        self.question = market.question
        self.series = market.series
        self.windowStart = market.window?.start
        self.windowEnd = market.window?.end
        self.noLabel = market.no?.label
        self.noAsset = market.no?.asset
    }

    /// A market from what every market has; the rest is absent.
    public init(market: MarketID, slug: String, seen: Timestamp, yesLabel: String, yesAsset: AssetID) {
        self.market = market
        self.slug = slug
        self.seen = seen
        self.yesLabel = yesLabel
        self.yesAsset = yesAsset
    }

    /// A market that became the current one of its series.
    public init(_ receipt: RolloverReceipt, seen: Timestamp) {
        self.init(receipt.market, seen: seen)
        self.previousMarket = receipt.previous?.id
        self.firstOdds = receipt.firstOddsMilliseconds
    }

    /// A market that was decided. `source` says where that was learned: `market_resolved`, `gamma`, `reference_price`.
    ///
    /// A resolution without a winner is a split payout, or one that named a token of no side.
    public init(_ resolution: Resolution, by source: String, seen: Timestamp) {
        self.init(resolution.market, seen: seen)
        self.winner = resolution.winner.map { $0 == .yes ? "yes" : "no" } ?? "split"
        self.resolvedBy = source
        self.resolved = resolution.exchangeTime
    }

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case market, slug
        case seen = "seen_ms"
        case question, series
        case windowStart = "window_start_ms"
        case windowEnd = "window_end_ms"
        case yesLabel = "yes_label"
        case yesAsset = "yes_asset"
        case noLabel = "no_label"
        case noAsset = "no_asset"
        case previousMarket = "previous_market"
        case firstOdds = "first_odds_ms"
        case winner
        case resolvedBy = "resolved_by"
        case resolved = "resolved_ms"
    }
}
