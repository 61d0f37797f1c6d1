public import OddsCore
public import OddsReports

/// What came out of a back-test: `oddstream.backtest/1`. Money is dollars, times are Unix milliseconds.
public struct BacktestReport: Report, Hashable {
    /// `backtest`.
    public static let kind = "backtest"

    /// What every report says of itself; the verdicts say how far the sample carries.
    public var header: ReportHeader
    /// The figures.
    public var results: Results

    /// A report from its parts.
    public init(header: ReportHeader, results: Results) {
        self.header = header
        self.results = results
    }

    /// Reads what `encode` wrote.
    public init(from decoder: any Decoder) throws {
        self.header = try ReportHeader(from: decoder)
        self.results = try Results(from: decoder)
        let sets = self.results.sets.indices
        let places = [self.results.shown, self.results.selection?.best ?? self.results.shown]
        guard places.allSatisfy({ sets.contains($0) }) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath,
                    debugDescription: "The set that is shown or chosen is none of the \(sets.count) there are."))
        }
    }

    /// Writes the header's keys and those of the results side by side.
    public func encode(to encoder: any Encoder) throws {
        try self.header.encode(to: encoder)
        try self.results.encode(to: encoder)
    }
}

extension BacktestReport {
    /// The figures of a back-test.
    public struct Results: Sendable, Hashable, Codable {
        /// What one has to know to read the figures, in sentences.
        public var notes: [String]
        /// How many messages of the venue went in.
        public var messages: Int
        /// How often the odds of any market changed.
        public var publications: Int
        /// How many markets there were.
        public var markets: Int
        /// Of how many of them the end is known.
        public var marketsDecided: Int
        /// What was the same for every set, as it was set.
        public var settings: [ParameterSweep.Parameter]
        /// What was tried.
        public var sweeps: [ParameterSweep]
        /// Where the sample is split; nil when it is not.
        @NullWhenAbsent public var split: Split?
        /// What choosing the best set is worth; nil for one set.
        @NullWhenAbsent public var selection: Selection?
        /// The parameter sets, in the order of the sweeps.
        public var sets: [ParameterSet]
        /// The number of the set whose trades are told, from 0: the best in sample.
        public var shown: Int
        /// Its orders and what became of them, the oldest first.
        public var trades: [TradeRecord]

        private enum CodingKeys: String, CodingKey {
            case notes, messages, publications, markets
            case marketsDecided = "markets_decided"
            case settings, sweeps, split, selection, sets, shown, trades
        }
    }

    /// Where a sample is split.
    public struct Split: Sendable, Hashable, Codable {
        /// The share of the time that is in sample.
        public var share: Double
        /// What was decided before this is in sample.
        public var at: Timestamp

        private enum CodingKeys: String, CodingKey {
            case share
            case at = "at_ms"
        }
    }

    /// What choosing the best set is worth.
    public struct Selection: Sendable, Hashable, Codable {
        /// How many sets there were to choose from.
        public var sets: Int
        /// The number of the set with the highest profit in sample (without a split: of all).
        public var best: Int
        /// Its profit there.
        public var bestProfit: Double
        /// Its profit out of sample; nil without a split.
        @NullWhenAbsent public var outOfSampleProfit: Double?
        /// Which place it has out of sample, 1 the best, ties at the better place; nil without a split.
        @NullWhenAbsent public var outOfSamplePlace: Int?
        /// How well the order of sets in sample agrees with that out of sample (Spearman); nil without a split, or when it
        /// cannot be told.
        @NullWhenAbsent public var rankCorrelation: Double?
        /// About what the best of so many sets would gain by luck alone, if none was any good: the standard error of its
        /// profit, times √(2 ln sets). Sets are alike, so it is less in truth. Nil when there are too few trades to tell.
        @NullWhenAbsent public var luck: Double?

        private enum CodingKeys: String, CodingKey {
            case sets, best
            case bestProfit = "best_profit"
            case outOfSampleProfit = "out_of_sample_profit"
            case outOfSamplePlace = "out_of_sample_place"
            case rankCorrelation = "rank_correlation"
            case luck
        }
    }

    /// One combination of settings and what it led to.
    public struct ParameterSet: Sendable, Hashable, Codable {
        /// What it differs in from the others; empty for the only one.
        public var parameters: [ParameterSweep.Parameter]
        /// All trades.
        public var all: Figures
        /// Those decided before the split; nil without one.
        @NullWhenAbsent public var inSample: Figures?
        /// Those decided after it; nil without one.
        @NullWhenAbsent public var outOfSample: Figures?
        /// The deepest that equity at cost fell below its highest before.
        public var drawdownAtCost: Double
        /// The same of equity at the best bid, looked at once a second.
        public var drawdownMarked: Double
        /// The most that was at risk at once, fees and orders on their way included.
        public var maximumExposure: Double
        /// What was at risk on average over the time; nil when no time passed.
        @NullWhenAbsent public var meanExposure: Double?
        /// Equity over time, thinned.
        public var equity: [EquityPoint]
        /// Signals that no order was made of, by reason; one for each market, side and reason that is new.
        public var refusals: [String: Int]
        /// Orders that bought nothing, by reason.
        public var failures: [String: Int]
        /// What was still held at the end.
        public var unsettled: [Unsettled]

        private enum CodingKeys: String, CodingKey {
            case parameters, all
            case inSample = "in_sample"
            case outOfSample = "out_of_sample"
            case drawdownAtCost = "drawdown_at_cost"
            case drawdownMarked = "drawdown_marked"
            case maximumExposure = "maximum_exposure"
            case meanExposure = "mean_exposure"
            case equity, refusals, failures, unsettled
        }

        /// The parameters in one line: `threshold 0.7, stake 5`; `as set` without any.
        public var name: String {
            self.parameters.isEmpty
                ? "as set" : self.parameters.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        }
    }

    /// What became of some trades.
    public struct Figures: Sendable, Hashable, Codable {
        /// Orders that the broker took.
        public var orders: Int
        /// Orders that bought something.
        public var trades: Int
        /// Orders that found nothing at their limit any more when they got to the venue: the price had moved.
        public var missed: Int
        /// Shares bought over shares asked for, of all orders; nil without orders.
        @NullWhenAbsent public var filledShare: Double?
        /// Trades that were paid out: all that follows is of these.
        public var settled: Int
        /// Trades that were not.
        public var unsettled: Int
        /// Trades that won money, after fees.
        public var hits: Int
        /// `hits` over `settled`; nil without any.
        @NullWhenAbsent public var hitRate: Double?
        /// Its 95 % interval (Wilson).
        @NullWhenAbsent public var hitRateInterval: SampleStatistics.Interval?
        /// The hit rate at which the same purchases, fees included, would have come out even.
        @NullWhenAbsent public var breakEven: Double?
        /// What they cost, fees included.
        public var staked: Double
        /// The fees on them.
        public var fees: Double
        /// Payouts − cost − fees.
        public var profit: Double
        /// `profit` over `staked`; nil without any.
        @NullWhenAbsent public var returnOnStake: Double?
        /// Profit of one trade.
        public var profitPerTrade: SampleStatistics

        private enum CodingKeys: String, CodingKey {
            case orders, trades, missed
            case filledShare = "filled_share"
            case settled, unsettled, hits
            case hitRate = "hit_rate"
            case hitRateInterval = "hit_rate_interval"
            case breakEven = "break_even"
            case staked, fees, profit
            case returnOnStake = "return_on_stake"
            case profitPerTrade = "profit_per_trade"
        }
    }

    /// A position that was still open at the end.
    public struct Unsettled: Sendable, Hashable, Codable {
        /// The market's condition id.
        public var market: MarketID
        /// The market's readable name; empty when only the feed is known.
        public var slug: String
        /// The side that is held.
        public var side: Side
        /// How many shares.
        public var shares: Double
        /// What they cost, without fees.
        public var cost: Double
        /// The fees paid on them.
        public var fees: Double
        /// What they could be sold for at the last best bid.
        public var value: Double
    }
}

/// Equity at one moment.
public struct EquityPoint: Sendable, Hashable, Codable {
    /// When.
    public var time: Timestamp
    /// Cash, and what is held at what it cost.
    public var cost: Double
    /// Cash, and what is held at the best bid of its side; nothing for what nobody bids for.
    public var marked: Double

    private enum CodingKeys: String, CodingKey {
        case time = "time_ms"
        case cost, marked
    }
}
