/// A market's microstructure as it is told and kept: `microstructure` in `/v1/odds/{market}`, a row of the history.
///
/// Prices, spreads and depths in dollars are JSON numbers, sizes are shares, times Unix milliseconds by this machine's wall
/// clock unless they are the venue's, ages and windows as their keys say. An absent value is null.
public struct MicrostructureRow: Hashable, Sendable, Codable {
    /// One token's book.
    public struct Book: Hashable, Sendable, Codable {
        /// The best bid, in dollars.
        @NullWhenAbsent public var bid: Double?
        /// The best ask, in dollars.
        @NullWhenAbsent public var ask: Double?
        /// The smallest price step, in dollars.
        public var tickSize: Double
        /// Ask − bid, in dollars.
        @NullWhenAbsent public var spread: Double?
        /// The spread in ticks.
        @NullWhenAbsent public var spreadTicks: Double?
        /// Halfway between bid and ask.
        @NullWhenAbsent public var midpoint: Double?
        /// Between bid and ask, weighted by the sizes: the nearer to the ask the more is bid.
        @NullWhenAbsent public var microprice: Double?
        /// Shares bid at the best price and within `depth_ticks` of it.
        public var bidDepth: Double
        /// Shares offered at the best price and within `depth_ticks` of it.
        public var askDepth: Double
        /// What those bids pay, in dollars.
        public var bidDepthDollars: Double
        /// What those asks cost, in dollars.
        public var askDepthDollars: Double
        /// −1 (only asks) to 1 (only bids), by the sizes at the best prices.
        @NullWhenAbsent public var topImbalance: Double?
        /// −1 (only asks) to 1 (only bids), by the depths.
        @NullWhenAbsent public var imbalance: Double?

        /// The keys, in the order they are documented.
        public enum CodingKeys: String, CodingKey, CaseIterable {
            case bid, ask
            case tickSize = "tick_size"
            case spread
            case spreadTicks = "spread_ticks"
            case midpoint, microprice
            case bidDepth = "bid_depth"
            case askDepth = "ask_depth"
            case bidDepthDollars = "bid_depth_usd"
            case askDepthDollars = "ask_depth_usd"
            case topImbalance = "top_imbalance"
            case imbalance
        }

        /// A row of a book's figures.
        public init(_ figures: BookFigures) {
            self.bid = figures.bid?.price.doubleValue
            self.ask = figures.ask?.price.doubleValue
            self.tickSize = figures.tickSize.doubleValue
            self.spread = figures.spread?.doubleValue
            self.spreadTicks = figures.spreadTicks
            self.midpoint = figures.midpoint?.doubleValue
            self.microprice = figures.microprice?.doubleValue
            self.bidDepth = figures.bidDepth.shares.doubleValue
            self.askDepth = figures.askDepth.shares.doubleValue
            self.bidDepthDollars = figures.bidDepth.dollars
            self.askDepthDollars = figures.askDepth.dollars
            self.topImbalance = figures.topImbalance
            self.imbalance = figures.imbalance
        }
    }

    /// Trades of a sliding window, in terms of YES.
    public struct Flow: Hashable, Sendable, Codable {
        /// How much of the window was watched without a gap, in milliseconds.
        public var covered: Double
        /// How many trades.
        public var trades: Int
        /// Shares that takers bet on YES.
        public var bought: Double
        /// Shares that takers bet against YES.
        public var sold: Double
        /// `bought` − `sold`.
        public var net: Double

        /// The keys, in the order they are documented.
        public enum CodingKeys: String, CodingKey, CaseIterable {
            case covered = "covered_ms"
            case trades, bought, sold, net
        }

        /// A row of a flow.
        public init(_ flow: TradeFlow) {
            self.covered = flow.covered.secondsValue * 1000
            self.trades = flow.trades
            self.bought = flow.bought.doubleValue
            self.sold = flow.sold.doubleValue
            self.net = flow.net
        }
    }

    /// The market's condition id.
    public var market: MarketID
    /// The moment it is about.
    public var time: Timestamp
    /// The venue's stamp on the odds at that moment.
    public var exchangeTime: Timestamp
    /// The market's epoch.
    public var epoch: UInt64
    /// How far the odds could be believed: the name of the trust.
    public var trust: String
    /// Where they came from: `line0`, `poller`, …
    public var source: String
    /// How far from the best price levels count as near, in ticks; nil without books.
    @NullWhenAbsent public var depthTicks: Int?
    /// The YES token's book.
    @NullWhenAbsent public var yes: Book?
    /// The NO token's book.
    @NullWhenAbsent public var no: Book?
    /// Trades of the last 10 seconds.
    @NullWhenAbsent public var shortFlow: Flow?
    /// Trades of the last 60 seconds.
    @NullWhenAbsent public var longFlow: Flow?
    /// How fast the net flow changes, in shares per second per second.
    @NullWhenAbsent public var flowAcceleration: Double?
    /// Time since the last trade, in milliseconds.
    @NullWhenAbsent public var lastTradeAge: Double?
    /// How much YES's midpoint moved within 60 seconds, in dollars per square root of a minute.
    @NullWhenAbsent public var volatility: Double?

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case market
        case time = "time_ms"
        case exchangeTime = "exchange_time_ms"
        case epoch, trust, source
        case depthTicks = "depth_ticks"
        case yes, no
        case shortFlow = "flow_10s"
        case longFlow = "flow_60s"
        case flowAcceleration = "flow_acceleration"
        case lastTradeAge = "last_trade_age_ms"
        case volatility
    }

    /// The row of a market's microstructure.
    public init(_ value: Microstructure) {
        self.market = value.market
        self.time = value.time.wall
        self.exchangeTime = value.exchangeTime
        self.epoch = value.epoch
        self.trust = value.trust.name
        self.source = value.source.description
        self.depthTicks = value.yes?.ticks
        self.yes = value.yes.map { Book($0) }
        self.no = value.no.map { Book($0) }
        self.shortFlow = value.shortFlow.map { Flow($0) }
        self.longFlow = value.longFlow.map { Flow($0) }
        self.flowAcceleration = value.flowAcceleration
        self.lastTradeAge = value.lastTradeAge.map { $0.secondsValue * 1000 }
        self.volatility = value.volatility
    }
}
