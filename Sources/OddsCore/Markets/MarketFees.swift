/// What the venue takes from trades in a market, as Gamma tells it: data, not arithmetic.
///
/// The crypto markets have rate 0.07 and exponent 1: the taker pays 0.07 · p · (1 − p) dollars a share.
public struct MarketFees: Hashable, Sendable, Codable {
    /// The terms of a fee of the form rate · (p · (1 − p))^exponent dollars a share.
    public struct Schedule: Hashable, Sendable, Codable {
        /// The rate in millionths: 70,000 is 0.07. Never negative.
        public let rate: Int64
        /// The exponent in millionths: 1,000,000 is 1. Never negative.
        public let exponent: Int64
        /// Whether only the taker pays; nil when Gamma does not say.
        public let takerOnly: Bool?
        /// The part of the fee that goes to makers, in millionths; nil when Gamma does not say.
        public let rebateRate: Int64?

        /// A schedule from its parts, all in millionths.
        public init(rate: Int64, exponent: Int64 = 1_000_000, takerOnly: Bool? = nil, rebateRate: Int64? = nil) {
            precondition(rate >= 0 && exponent >= 0, "a fee's rate and exponent are not negative")
            self.rate = rate
            self.exponent = exponent
            self.takerOnly = takerOnly
            self.rebateRate = rebateRate
        }

        /// The exponent as a whole number; nil when it is a fraction.
        public var wholeExponent: Int? {
            self.exponent % 1_000_000 == 0 ? Int(exactly: self.exponent / 1_000_000) : nil
        }
    }

    /// Whether the venue takes fees in this market at all.
    public let areEnabled: Bool
    /// The terms; nil when Gamma tells none that can be read.
    public let schedule: Schedule?

    /// Fees from their parts.
    public init(areEnabled: Bool, schedule: Schedule? = nil) {
        self.areEnabled = areEnabled
        self.schedule = schedule
    }
}
