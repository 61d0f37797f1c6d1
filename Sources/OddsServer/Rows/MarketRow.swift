import OddsCore

/// One item of `/v1/markets`. Absent values are null, never left out.
struct MarketRow: Encodable, Sendable {
    let status: MarketStatus

    init(_ status: MarketStatus) { self.status = status }

    private enum CodingKeys: String, CodingKey {
        case market, slug, question, series, role, subscribed, closed, winner, yes, no
        case windowStart = "window_start_ms"
        case windowEnd = "window_end_ms"
        case firstOdds = "first_odds_ms"
        case tickSize = "tick_size"
        case minimumOrderSize = "minimum_order_size"
        case negativeRisk = "negative_risk"
        case acceptingOrders = "accepting_orders"
    }

    private struct OutcomeRow: Encodable {
        let label: String
        let asset: String

        init(_ outcome: Outcome) {
            self.label = outcome.label
            self.asset = outcome.asset.rawValue
        }
    }

    func encode(to encoder: any Encoder) throws {
        let market = self.status.market
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(market.id.rawValue, forKey: .market)
        try row.encode(market.slug, forKey: .slug)
        try row.encode(market.question, forKey: .question)
        try row.encode(market.series, forKey: .series)
        try row.encode(self.status.role.rawValue, forKey: .role)
        try row.encode(self.status.subscribed, forKey: .subscribed)
        try row.encode(market.closed, forKey: .closed)
        try row.encode(self.status.winner.map { $0 == .yes ? "yes" : "no" }, forKey: .winner)
        try row.encode(OutcomeRow(market.yes), forKey: .yes)
        try row.encode(market.no.map(OutcomeRow.init), forKey: .no)
        try row.encode(market.window?.start.milliseconds, forKey: .windowStart)
        try row.encode(market.window?.end.milliseconds, forKey: .windowEnd)
        try row.encode(self.status.firstOddsMilliseconds, forKey: .firstOdds)
        try row.encode(market.tickSize.doubleValue, forKey: .tickSize)
        try row.encode(market.minimumOrderSize.doubleValue, forKey: .minimumOrderSize)
        try row.encode(market.negativeRisk, forKey: .negativeRisk)
        try row.encode(market.acceptingOrders, forKey: .acceptingOrders)
    }
}
