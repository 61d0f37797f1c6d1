/// One of the sequences of prices that the venue's live data socket carries.
public enum ReferenceTopic: String, Hashable, Sendable, CaseIterable, Codable {
    /// Chainlink's price, one a second.
    case chainlink
    /// The mean of Chainlink's prices over the last 30 s, as the venue takes it.
    case twapThirty = "twap_30"
    /// The mean of Chainlink's prices over the last 60 s.
    case twapSixty = "twap_60"
    /// Binance's price: a second opinion, by which none of the short markets is decided.
    case binance

    /// What the venue calls it.
    public var wireName: String {
        switch self {
        case .chainlink: "crypto_prices_chainlink"
        case .twapThirty: "crypto_prices_twap_thirty"
        case .twapSixty: "crypto_prices_twap_sixty"
        case .binance: "crypto_prices"
        }
    }

    /// How many seconds its mean goes over; nil for prices of a moment.
    public var lookbackSeconds: Int? {
        switch self {
        case .chainlink, .binance: nil
        case .twapThirty: 30
        case .twapSixty: 60
        }
    }

    /// The topic of a mean; nil for one that the venue does not offer.
    public init?(lookbackSeconds: Int) {
        guard let topic = Self.allCases.first(where: { $0.lookbackSeconds == lookbackSeconds }) else { return nil }
        self = topic
    }
}

/// A topic and a symbol: what is subscribed to, and what one sequence of prices is of.
public struct ReferenceFeed: Hashable, Sendable {
    /// The topic.
    public let topic: ReferenceTopic
    /// The symbol as the topic spells it: `btc/usd`, and `btcusdt` for Binance.
    public let symbol: String

    /// A feed from its parts.
    public init(_ topic: ReferenceTopic, _ symbol: String) {
        self.topic = topic
        self.symbol = symbol
    }

    /// Binance's name for what Chainlink calls `btc/usd`: `btcusdt`.
    public static func binanceSymbol(of symbol: String) -> String {
        String(symbol.prefix { $0 != "/" }) + "usdt"
    }
}

/// One price, as it came.
public struct ReferenceTick: Hashable, Sendable {
    /// What it is a price of.
    public let feed: ReferenceFeed
    /// The price.
    public let price: ReferencePrice
    /// The moment it is the price of.
    public let time: Timestamp
    /// Whether all its decimals were told; prices of a history are rounded to what a `Double` holds.
    public let isExact: Bool
    /// Whether it came with the history that follows a subscription, and not when it was new.
    public let isHistory: Bool

    /// A price from its parts.
    public init(
        _ feed: ReferenceFeed, price: ReferencePrice, time: Timestamp, isExact: Bool = true, isHistory: Bool = false
    ) {
        self.feed = feed
        self.price = price
        self.time = time
        self.isExact = isExact
        self.isHistory = isHistory
    }
}
