/// One side of a market: its label as the venue writes it, and the token that pays 1 dollar if it wins.
public struct Outcome: Hashable, Sendable {
    /// The venue's label: `Up`, `Down`, `Yes`, `No`, a team's name.
    public let label: String
    /// The outcome's token.
    public let asset: AssetID

    /// An outcome from its label and token.
    public init(label: String, asset: AssetID) {
        self.label = label
        self.asset = asset
    }
}

/// The time a market is about; its start is when the price to beat is taken, its end when it is decided.
public struct MarketWindow: Hashable, Sendable {
    /// When the window opens. Gamma calls it `eventStartTime`; `startDate` is the listing time, a day earlier.
    public let start: Timestamp
    /// When the window ends. Gamma calls it `endDate`.
    public let end: Timestamp

    /// A window from its two ends.
    public init(start: Timestamp, end: Timestamp) {
        self.start = start
        self.end = end
    }

    /// Whether the moment lies in the window; the end belongs to the next one.
    public func contains(_ time: Timestamp) -> Bool { time >= self.start && time < self.end }
}

/// A two-sided market of the venue, as far as it is known: from Gamma, or only from the feed.
///
/// Reference type so that a snapshot can carry it for the price of a pointer; immutable and shared freely.
public final class Market: Sendable {
    /// The condition id: `market` in the feed, `conditionId` in Gamma.
    public let id: MarketID
    /// The venue's readable name, such as `btc-updown-15m-1777428000`; empty when only the feed is known.
    public let slug: String
    /// The question people read; nil when unknown.
    public let question: String?
    /// The series the market was found by, such as `btc-updown-15m`; nil for a market named by itself.
    public let series: String?
    /// The time the market is about; nil when unknown.
    public let window: MarketWindow?
    /// The side called YES here (`Up`, `Yes`).
    public let yes: Outcome
    /// The other side; nil when only one token of the market is known.
    public let no: Outcome?
    /// The smallest price step at the time of discovery; the feed's `tick_size_change` overrides it.
    public let tickSize: Price
    /// The smallest order the venue accepts.
    public let minimumOrderSize: Size
    /// Whether the market is one of a group of which exactly one wins (part of the book hash).
    public let negativeRisk: Bool
    /// Whether the venue said that it takes orders when the market was looked up.
    public let acceptingOrders: Bool
    /// Whether the venue said that the market is closed when it was looked up.
    public let closed: Bool
    /// What the venue takes from trades; nil when Gamma says nothing of it.
    public let fees: MarketFees?
    /// By which price the market is decided; nil for one that is no crypto up/down market, and where it is not known.
    public let settlement: ReferenceSettlement?

    /// A market from its parts; the defaults are those of the crypto up/down markets.
    public init(
        id: MarketID, slug: String, question: String? = nil, series: String? = nil, window: MarketWindow? = nil,
        yes: Outcome, no: Outcome?, tickSize: Price = 0.01, minimumOrderSize: Size = 5, negativeRisk: Bool = false,
        acceptingOrders: Bool = true, closed: Bool = false, fees: MarketFees? = nil,
        settlement: ReferenceSettlement? = nil
    ) {
        self.id = id
        self.slug = slug
        self.question = question
        self.series = series
        self.window = window
        self.yes = yes
        self.no = no
        self.tickSize = tickSize
        self.minimumOrderSize = minimumOrderSize
        self.negativeRisk = negativeRisk
        self.acceptingOrders = acceptingOrders
        self.closed = closed
        self.fees = fees
        self.settlement = settlement
    }

    /// Both tokens, YES first.
    public var assets: [AssetID] { [self.yes.asset] + (self.no.map { [$0.asset] } ?? []) }

    /// The side a token stands for; nil for a token of another market.
    public func side(of asset: AssetID) -> Side? {
        asset == self.yes.asset ? .yes : asset == self.no?.asset ? .no : nil
    }

    /// The same market as one of a series, with the window it was looked up for.
    public func placed(in series: String, window: MarketWindow) -> Market {
        Market(
            id: self.id, slug: self.slug, question: self.question, series: series, window: window, yes: self.yes,
            no: self.no, tickSize: self.tickSize, minimumOrderSize: self.minimumOrderSize,
            negativeRisk: self.negativeRisk, acceptingOrders: self.acceptingOrders, closed: self.closed,
            fees: self.fees, settlement: self.settlement)
    }
}

/// One of the two sides of a market.
public enum Side: UInt8, Hashable, Sendable, CaseIterable {
    /// The side called YES: `Up` in the up/down markets.
    case yes
    /// The other side: `Down`.
    case no

    /// The opposite side.
    public var opposite: Side { self == .yes ? .no : .yes }
}
