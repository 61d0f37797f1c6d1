public import OddsCore

/// How markets ended, by the venue's word that was had elsewhere than from the feed.
public struct KnownOutcomes: Sendable {
    /// One market's end.
    public struct Outcome: Hashable, Sendable {
        /// The market.
        public var market: MarketID
        /// The side that won; nil when the payout was split.
        public var winner: Side?
        /// From when on it counts as known: nothing is paid out before. Nil for the end of the run.
        public var known: Timestamp?

        /// An outcome from its parts.
        public init(market: MarketID, winner: Side?, known: Timestamp?) {
            self.market = market
            self.winner = winner
            self.known = known
        }

        func isKnown(by time: Timestamp) -> Bool { self.known.map { $0 <= time } ?? false }
    }

    private var outcomes: [MarketID: Outcome] = [:]

    /// Nothing is known.
    public init() {}

    /// What is known of these markets; of several outcomes of one market the last counts.
    public init(_ outcomes: some Sequence<Outcome>) {
        for outcome in outcomes { self.outcomes[outcome.market] = outcome }
    }

    /// Whether nothing is known.
    public var isEmpty: Bool { self.outcomes.isEmpty }
    /// Of how many markets the end is known.
    public var count: Int { self.outcomes.count }
    /// How a market ended; nil when that is not known.
    public subscript(market: MarketID) -> Outcome? { self.outcomes[market] }
}
