/// How much may be risked. Nil means no limit.
public struct RiskLimits: Hashable, Sendable {
    /// The most one order may cost, fee included; by default 10 dollars.
    public var maximumStake: Money?
    /// The most that may be at risk at once: what open positions have cost and open orders could cost, fees included; by
    /// default 50 dollars.
    public var maximumExposure: Money?
    /// After a net loss of this much in one day (UTC; settled positions, fees included), nothing more is bought that day; by
    /// default 50 dollars. What is open then can still be lost: a day's worst is this and the exposure together.
    public var maximumDailyLoss: Money?
    /// The most orders in any 60 seconds; by default 6.
    public var maximumOrdersPerMinute: Int?

    /// The defaults, or others.
    public init(
        maximumStake: Money? = 10, maximumExposure: Money? = 50, maximumDailyLoss: Money? = 50,
        maximumOrdersPerMinute: Int? = 6
    ) {
        self.maximumStake = maximumStake
        self.maximumExposure = maximumExposure
        self.maximumDailyLoss = maximumDailyLoss
        self.maximumOrdersPerMinute = maximumOrdersPerMinute
    }
}
