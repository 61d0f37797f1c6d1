/// One market's odds at one moment, as they are kept: a row of the history.
///
/// Keys are those of the `odds` rows (`OddsRow`) wherever they mean the same. Prices and odds are JSON numbers from 0 to
/// 1, sizes shares, times by this machine's wall clock unless they are the exchange's. An absent value is null.
public struct OddsPoint: Hashable, Sendable, Codable {
    /// Why a point was kept.
    public enum Cause: String, Hashable, Sendable, Codable, CaseIterable {
        /// The values were others than those kept before, and the rate allowed one more.
        case change
        /// A spike began, reached its peak or ended here.
        case spike
        /// The newest of the changes that the rate had held back.
        case interval
    }

    /// The market's condition id.
    public var market: MarketID
    /// When the message that led to these values was read, in nanoseconds since 1970.
    public var receiveTime: Int64
    /// The venue's stamp on it.
    public var exchangeTime: Timestamp
    /// The best bid of YES; nil when nobody bids.
    public var yesBid: Double?
    /// The best ask of YES; nil when nobody offers.
    public var yesAsk: Double?
    /// The best bid of NO; nil when nobody bids.
    public var noBid: Double?
    /// The best ask of NO; nil when nobody offers.
    public var noAsk: Double?
    /// Shares wanted at the best bid of YES.
    public var yesBidSize: Double
    /// Shares offered at the best ask of YES.
    public var yesAskSize: Double
    /// Shares wanted at the best bid of NO.
    public var noBidSize: Double
    /// Shares offered at the best ask of NO.
    public var noAskSize: Double
    /// What the website shows for YES; nil when it has no answer.
    public var displayedOdds: Double?
    /// What the website shows for NO; nil when it has no answer.
    public var noDisplayedOdds: Double?
    /// The last trade of YES; nil when none is known.
    public var lastTrade: Double?
    /// How far the values could be believed: the name of the trust.
    public var trust: String
    /// Why no further; nil when the trust says it all.
    public var reason: String?
    /// Changed whenever continuity was lost.
    public var epoch: UInt64
    /// Where the values came from: `line0`, `poller`, …
    public var source: String
    /// Why the point was kept.
    public var cause: Cause
    /// What the books say beyond their tops.
    public var micro: Micro

    /// Measures of YES's book at that moment; each is nil when it was not measured.
    public struct Micro: Hashable, Sendable {
        /// Best ask − best bid.
        public var spread: Double?
        /// The mid weighted by the sizes at the top, 0 to 1.
        public var microprice: Double?
        /// How much more is bid than offered, −1 to 1.
        public var imbalance: Double?
        /// Shares bid near the top.
        public var bidDepth: Double?
        /// Shares offered near the top.
        public var askDepth: Double?
        /// Shares bought minus shares sold by takers over the recent past.
        public var flow: Double?
        /// How fast the flow changes.
        public var flowAcceleration: Double?
        /// How much the odds moved over the recent past.
        public var volatility: Double?

        /// Measures; those that are left out were not taken.
        public init(
            spread: Double? = nil, microprice: Double? = nil, imbalance: Double? = nil, bidDepth: Double? = nil,
            askDepth: Double? = nil, flow: Double? = nil, flowAcceleration: Double? = nil, volatility: Double? = nil
        ) {
            self.spread = spread
            self.microprice = microprice
            self.imbalance = imbalance
            self.bidDepth = bidDepth
            self.askDepth = askDepth
            self.flow = flow
            self.flowAcceleration = flowAcceleration
            self.volatility = volatility
        }

        /// Nothing was measured.
        public static let none = Micro()
    }

    /// The point of a snapshot. `spike` where a spike begins, peaks or ends, so that it is kept whatever the rate is.
    public init(_ snapshot: OddsSnapshot, cause: Cause = .change, micro: Micro = .none) {
        self.market = snapshot.marketID
        self.receiveTime = snapshot.receiveTime.unixNanoseconds
        self.exchangeTime = snapshot.exchangeTime
        self.yesBidSize = snapshot.yes.bidSize.doubleValue
        self.yesAskSize = snapshot.yes.askSize.doubleValue
        self.noBidSize = snapshot.no.bidSize.doubleValue
        self.noAskSize = snapshot.no.askSize.doubleValue
        self.trust = snapshot.trust.name
        self.epoch = snapshot.epoch
        self.source = snapshot.source.description
        self.cause = cause
        self.micro = micro
        self.yesBid = snapshot.yes.bid?.doubleValue
        self.yesAsk = snapshot.yes.ask?.doubleValue
        self.noBid = snapshot.no.bid?.doubleValue
        self.noAsk = snapshot.no.ask?.doubleValue
        self.displayedOdds = snapshot.displayedOdds?.doubleValue
        self.noDisplayedOdds = snapshot.no.displayed?.doubleValue
        self.lastTrade = snapshot.yes.lastTrade?.doubleValue
        self.reason = snapshot.trust.reason
    }

    /// A point from what every point has; the rest is absent.
    public init(
        market: MarketID, receiveTime: Int64, exchangeTime: Timestamp, trust: String, epoch: UInt64, source: String,
        cause: Cause = .change, micro: Micro = .none
    ) {
        self.market = market
        self.receiveTime = receiveTime
        self.exchangeTime = exchangeTime
        self.yesBidSize = 0
        self.yesAskSize = 0
        self.noBidSize = 0
        self.noAskSize = 0
        self.trust = trust
        self.epoch = epoch
        self.source = source
        self.cause = cause
        self.micro = micro
    }

    /// Whether another point says the same but for its times and the cause.
    public func saysTheSame(as other: OddsPoint) -> Bool {
        var copy = other
        copy.receiveTime = self.receiveTime
        copy.exchangeTime = self.exchangeTime
        copy.cause = self.cause
        copy.micro = self.micro
        return copy == self
    }

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case market
        case receiveTime = "receive_time_ns"
        case exchangeTime = "exchange_time_ms"
        case yesBid = "yes_bid"
        case yesAsk = "yes_ask"
        case noBid = "no_bid"
        case noAsk = "no_ask"
        case yesBidSize = "yes_bid_size"
        case yesAskSize = "yes_ask_size"
        case noBidSize = "no_bid_size"
        case noAskSize = "no_ask_size"
        case displayedOdds = "displayed_odds"
        case noDisplayedOdds = "no_displayed_odds"
        case lastTrade = "last_trade"
        case trust, reason, epoch, source, cause
        case spread, microprice, imbalance
        case bidDepth = "bid_depth"
        case askDepth = "ask_depth"
        case flow
        case flowAcceleration = "flow_acceleration"
        case volatility
    }

    /// Reads a row; keys that are not there read as absent.
    public init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: CodingKeys.self)
        self.market = try row.decode(MarketID.self, forKey: .market)
        self.receiveTime = try row.decode(Int64.self, forKey: .receiveTime)
        self.exchangeTime = try row.decode(Timestamp.self, forKey: .exchangeTime)
        self.yesBidSize = try row.decode(Double.self, forKey: .yesBidSize)
        self.yesAskSize = try row.decode(Double.self, forKey: .yesAskSize)
        self.noBidSize = try row.decode(Double.self, forKey: .noBidSize)
        self.noAskSize = try row.decode(Double.self, forKey: .noAskSize)
        self.trust = try row.decode(String.self, forKey: .trust)
        self.epoch = try row.decode(UInt64.self, forKey: .epoch)
        self.source = try row.decode(String.self, forKey: .source)
        self.cause = try row.decode(Cause.self, forKey: .cause)
        func number(_ key: CodingKeys) throws -> Double? { try row.decodeIfPresent(Double.self, forKey: key) }
        self.micro = Micro(
            spread: try number(.spread), microprice: try number(.microprice), imbalance: try number(.imbalance),
            bidDepth: try number(.bidDepth), askDepth: try number(.askDepth), flow: try number(.flow),
            flowAcceleration: try number(.flowAcceleration), volatility: try number(.volatility))
        self.yesBid = try number(.yesBid)
        self.yesAsk = try number(.yesAsk)
        self.noBid = try number(.noBid)
        self.noAsk = try number(.noAsk)
        self.displayedOdds = try number(.displayedOdds)
        self.noDisplayedOdds = try number(.noDisplayedOdds)
        self.lastTrade = try number(.lastTrade)
        self.reason = try row.decodeIfPresent(String.self, forKey: .reason)
    }

    /// Writes every key.
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(self.market, forKey: .market)
        try row.encode(self.receiveTime, forKey: .receiveTime)
        try row.encode(self.exchangeTime, forKey: .exchangeTime)
        try row.encode(self.yesBid, forKey: .yesBid)
        try row.encode(self.yesAsk, forKey: .yesAsk)
        try row.encode(self.noBid, forKey: .noBid)
        try row.encode(self.noAsk, forKey: .noAsk)
        try row.encode(self.yesBidSize, forKey: .yesBidSize)
        try row.encode(self.yesAskSize, forKey: .yesAskSize)
        try row.encode(self.noBidSize, forKey: .noBidSize)
        try row.encode(self.noAskSize, forKey: .noAskSize)
        try row.encode(self.displayedOdds, forKey: .displayedOdds)
        try row.encode(self.noDisplayedOdds, forKey: .noDisplayedOdds)
        try row.encode(self.lastTrade, forKey: .lastTrade)
        try row.encode(self.trust, forKey: .trust)
        try row.encode(self.reason, forKey: .reason)
        try row.encode(self.epoch, forKey: .epoch)
        try row.encode(self.source, forKey: .source)
        try row.encode(self.cause, forKey: .cause)
        try row.encode(self.micro.spread, forKey: .spread)
        try row.encode(self.micro.microprice, forKey: .microprice)
        try row.encode(self.micro.imbalance, forKey: .imbalance)
        try row.encode(self.micro.bidDepth, forKey: .bidDepth)
        try row.encode(self.micro.askDepth, forKey: .askDepth)
        try row.encode(self.micro.flow, forKey: .flow)
        try row.encode(self.micro.flowAcceleration, forKey: .flowAcceleration)
        try row.encode(self.micro.volatility, forKey: .volatility)
    }
}
