public import OddsCore

extension FeeSchedule {
    /// The taker's fee of a market: Gamma's schedule, that of the crypto markets where Gamma says nothing.
    ///
    /// A schedule that has no equal here is overstated where it can be: an exponent between 1 and 2 counts as 1, one over 2
    /// as 2 (the curve lies below 1, so that a smaller exponent is the dearer one). Two that the venue has never used are
    /// understated: an exponent below 1 counts as 1, and a rate over 1 as 1.
    public init(_ market: Market) {
        guard let fees = market.fees else {
            self = .crypto
            return
        }
        guard fees.areEnabled else {
            self = .free
            return
        }
        guard let schedule = fees.schedule else {
            self = .crypto
            return
        }
        self.init(rate: Int32(Swift.min(schedule.rate, 1_000_000)), exponent: schedule.exponent >= 2_000_000 ? 2 : 1)
    }
}
