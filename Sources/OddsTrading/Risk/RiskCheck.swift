public import OddsCore

/// An order that passed the risk check. Only the check can make one, and a broker takes nothing else.
public struct RiskApproved: Hashable, Sendable {
    /// The order.
    public let order: Order

    // In this file only: this is the wall between wanting and buying.
    fileprivate init(_ order: Order) { self.order = order }
}

/// What the risk check says.
public enum RiskVerdict: Hashable, Sendable {
    /// Go; with a warning when the odds are not confirmed.
    case approved(RiskApproved, warning: StaleWarning?)
    /// No.
    case refused(RefusalReason)
}

/// Holds a wish against the limits, the market's terms and the state of the odds.
///
/// The first objection counts, in the order: kill switch, record, unknown market, market closed or not accepting, epoch,
/// stale odds, tick size, price, size, stake, daily loss, order rate, exposure.
public struct RiskCheck: Sendable {
    /// How much may be risked.
    public var limits: RiskLimits
    /// Whether to trade on unconfirmed odds.
    public var stalePolicy: StalePolicy
    /// Whether buying is forbidden altogether.
    public var isKilled: Bool
    /// Whether what is bought can be put on record; without a record nothing is bought.
    public var isRecordable = true

    /// A check with the safe defaults, or others.
    public init(limits: RiskLimits = RiskLimits(), stalePolicy: StalePolicy = .warn, isKilled: Bool = false) {
        self.limits = limits
        self.stalePolicy = stalePolicy
        self.isKilled = isKilled
    }

    /// Looks at a wish. `snapshot` must be the market's latest, `book` must know every earlier order.
    public func examine(
        _ intent: OrderIntent, snapshot: OddsSnapshot, terms: MarketTerms, book: RiskBook, now: ReceiveTime
    ) -> RiskVerdict {
        if self.isKilled { return .refused(.killSwitch) }
        if !self.isRecordable { return .refused(.recordUnavailable) }
        guard intent.market == snapshot.marketID, let asset = snapshot.market.asset(of: intent.side) else {
            return .refused(.unknownMarket)
        }
        switch snapshot.trust {
        case .resolving, .closed: return .refused(.marketClosed)
        case .live, .suspect, .stale, .fallback: break
        }
        if terms.closed || snapshot.market.isOver(now.wall) { return .refused(.marketClosed) }
        if !terms.acceptingOrders { return .refused(.notAcceptingOrders) }
        if intent.epoch != snapshot.epoch { return .refused(.epochMoved) }
        var warning: StaleWarning?
        switch self.stalePolicy.judge(snapshot, now: now) {
        case .confirmed: break
        case .tolerated(let told): warning = told
        case .forbidden: return .refused(.staleOdds)
        }
        // The new step is in no book yet.
        if snapshot.trust == .suspect(.tickSizeChanged) { return .refused(.tickSizeUnknown) }
        if let objection = terms.objection(limit: intent.limit, size: intent.size) { return .refused(objection) }
        let order = Order(
            id: book.lastOrder.next, market: intent.market, slug: snapshot.slug, asset: asset, side: intent.side,
            limit: intent.limit, size: intent.size, epoch: intent.epoch, fees: terms.fees, decidedAt: now.wall,
            decidedInstant: now.monotonic)
        if let reason = self.exceeded(by: order, book, now.wall) { return .refused(reason) }
        return .approved(RiskApproved(order), warning: warning)
    }

    private func exceeded(by order: Order, _ book: RiskBook, _ now: Timestamp) -> RefusalReason? {
        if let stake = self.limits.maximumStake, order.reserve > stake { return .stakeLimit }
        if let loss = self.limits.maximumDailyLoss, book.loss(on: now) >= loss { return .dailyLossLimit }
        if let rate = self.limits.maximumOrdersPerMinute, book.orders(inMinuteBefore: now) >= rate {
            return .orderRateLimit
        }
        if let exposure = self.limits.maximumExposure, book.exposure + order.reserve > exposure {
            return .exposureLimit
        }
        return nil
    }
}

extension Market {
    /// Whether the market's window is over by the clock. Only a series' windows end when they say: the end of any other
    /// market is a plan (a match may run late).
    func isOver(_ now: Timestamp) -> Bool {
        guard self.series != nil, let window = self.window else { return false }
        return now >= window.end
    }

    /// The token of a side; nil when it is not known.
    func asset(of side: Side) -> AssetID? { side == .yes ? self.yes.asset : self.no?.asset }
}
