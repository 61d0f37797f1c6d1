import OddsCore

extension RecordTable {
    private typealias Text = RecordText

    /// The lines of records of one kind; records of others are left out.
    func lines(_ records: [HistoryRecord], of kind: HistoryRecord.Kind) -> [String] {
        switch kind {
        case .market:
            self.lines(records.compactMap { if case .market(let row) = $0 { row } else { nil } }, Self.markets)
        case .odds:
            self.lines(
                records.compactMap { if case .odds(let row) = $0 { row } else { nil } },
                Self.odds(ofSeveral: Set(records.map(\.market)).count > 1))
        case .spike: self.lines(records.compactMap { if case .spike(let row) = $0 { row } else { nil } }, Self.spikes)
        case .incident:
            self.lines(records.compactMap { if case .incident(let row) = $0 { row } else { nil } }, Self.incidents)
        case .trade: self.lines(records.compactMap { if case .trade(let row) = $0 { row } else { nil } }, Self.trades)
        case .fill: self.lines(records.compactMap { if case .fill(let row) = $0 { row } else { nil } }, Self.fills)
        case .settlement:
            self.lines(
                records.compactMap { if case .settlement(let row) = $0 { row } else { nil } }, Self.settlements)
        case .refusal:
            self.lines(records.compactMap { if case .refusal(let row) = $0 { row } else { nil } }, Self.refusals)
        case .referencePrice:
            self.lines(records.compactMap { if case .referencePrice(let row) = $0 { row } else { nil } }, Self.prices)
        case .signal:
            self.lines(records.compactMap { if case .signal(let row) = $0 { row } else { nil } }, Self.signals)
        }
    }

    static var trades: [Column<TradeRecord>] {
        [
            Column(title: "DECIDED (UTC)") { Text.time($0.decided) },
            Column(title: "ORDER", isNumber: true, worth: 3) { "\($0.order)" },
            Column(title: "MARKET", keepsEnd: true) { Text.market($0.slug, $0.market) },
            Column(title: "SIDE") { Text.side($0.side) },
            Column(title: "STATUS") { $0.status.rawValue },
            Column(title: "SIZE", isNumber: true, worth: 1) { Text.size($0.size) },
            Column(title: "FILLED", isNumber: true) { Text.size($0.filled) },
            Column(title: "PRICE", isNumber: true) { Text.price($0.averagePrice) },
            Column(title: "COST", isNumber: true, worth: 5) { Text.money($0.cost) },
            Column(title: "FEE", isNumber: true, worth: 2) { Text.money($0.fee) },
            Column(title: "WON", worth: 6) { $0.winner ?? "" },
            Column(title: "PROFIT", isNumber: true) { Text.signedMoney($0.profit) },
            Column(title: "REASON", worth: 4) { $0.reason ?? "" },
        ]
    }

    private static var markets: [Column<MarketRecord>] {
        [
            Column(title: "WINDOW (UTC)") { Text.time($0.windowStart ?? $0.seen) },
            Column(title: "MARKET", keepsEnd: true) { Text.market($0.slug, $0.market) },
            Column(title: "FIRST ODDS", isNumber: true, worth: 3) {
                $0.firstOdds.map { DurationText.signedSeconds(milliseconds: $0) } ?? ""
            },
            Column(title: "WON") { row in
                switch row.winner {
                case "yes": row.yesLabel
                case "no": row.noLabel ?? "no"
                case let other: other ?? ""
                }
            },
            Column(title: "LEARNED FROM", worth: 2) { $0.resolvedBy ?? "" },
            Column(title: "AT", worth: 1) { Text.time($0.resolved) },
        ]
    }

    /// - Parameter several: whether rows have to say which market they are of.
    private static func odds(ofSeveral several: Bool) -> [Column<OddsPoint>] {
        [Column(title: "RECEIVED (UTC)") { Text.moment($0.receiveTime) }]
            + (several ? [Column(title: "MARKET") { Text.shortened($0.market) }] : [])
            + [
                Column(title: "ODDS", isNumber: true) { Text.price($0.displayedOdds) },
                Column(title: "NO ODDS", isNumber: true, worth: 8) { Text.price($0.noDisplayedOdds) },
                Column(title: "BID", isNumber: true) { Text.price($0.yesBid) },
                Column(title: "ASK", isNumber: true) { Text.price($0.yesAsk) },
                Column(title: "BID SIZE", isNumber: true, worth: 3) { Text.size($0.yesBidSize) },
                Column(title: "ASK SIZE", isNumber: true, worth: 2) { Text.size($0.yesAskSize) },
                Column(title: "LAST", isNumber: true, worth: 6) { Text.price($0.lastTrade) },
                Column(title: "TRUST") { row in row.reason.map { "\(row.trust): \($0)" } ?? row.trust },
                Column(title: "EPOCH", isNumber: true, worth: 1) { "\($0.epoch)" },
                Column(title: "SOURCE", worth: 4) { $0.source },
                Column(title: "CAUSE", worth: 7) { $0.cause.rawValue },
            ]
    }

    private static var spikes: [Column<SpikeRecord>] {
        [
            Column(title: "BEGAN (UTC)") { Text.time($0.begin) },
            Column(title: "MARKET", keepsEnd: true) { Text.market($0.slug, $0.market) },
            Column(title: "SIDE") { Text.side($0.side) },
            Column(title: "PEAK", isNumber: true) { Text.price($0.peak) },
            Column(title: "LASTED", isNumber: true) { Text.span(milliseconds: $0.duration) },
            Column(title: "OVER", isNumber: true, worth: 2) { Text.span(milliseconds: $0.timeOver) },
            Column(title: "ENDING", worth: 4) { $0.ending ?? "lasts" },
            Column(title: "TRUST", worth: 3) { $0.trust },
            Column(title: "POLLER") { $0.isSeenByPoller ? "sees it" : "misses it" },
            Column(title: "SOURCE", worth: 1) { $0.source },
        ]
    }

    private static var incidents: [Column<IncidentRecord>] {
        [
            Column(title: "BEGAN (UTC)") { Text.time($0.begin) },
            Column(title: "LASTED", isNumber: true) { Text.span(seconds: $0.duration) },
            Column(title: "KIND", worth: 2) { $0.kind },
            Column(title: "ENDING", worth: 1) { $0.ending ?? "lasts" },
            Column(title: "WHAT HAPPENED") { $0.summary },
        ]
    }

    private static var fills: [Column<FillRecord>] {
        [
            Column(title: "FILLED (UTC)") { Text.time($0.time) },
            Column(title: "ORDER", isNumber: true) { "\($0.order)" },
            Column(title: "MARKET", keepsEnd: true) { Text.market($0.slug, $0.market) },
            Column(title: "SIDE") { Text.side($0.side) },
            Column(title: "PRICE", isNumber: true) { Text.price($0.price) },
            Column(title: "SIZE", isNumber: true) { Text.size($0.size) },
            Column(title: "BROKER", worth: 1) { $0.broker },
        ]
    }

    private static var settlements: [Column<SettlementRecord>] {
        [
            Column(title: "SETTLED (UTC)") { Text.time($0.time) },
            Column(title: "MARKET", keepsEnd: true) { Text.market($0.slug, $0.market) },
            Column(title: "SIDE") { Text.side($0.side) },
            Column(title: "WON") { $0.winner },
            Column(title: "LEARNED FROM", worth: 2) { $0.settledBy },
            Column(title: "SIZE", isNumber: true, worth: 1) { Text.size($0.size) },
            Column(title: "COST", isNumber: true, worth: 3) { Text.money($0.cost) },
            Column(title: "PAYOUT", isNumber: true, worth: 4) { Text.money($0.payout) },
            Column(title: "PROFIT", isNumber: true) { Text.signedMoney($0.profit) },
        ]
    }

    private static var refusals: [Column<RefusalRecord>] {
        [
            Column(title: "TIME (UTC)") { Text.time($0.time) },
            Column(title: "MARKET", keepsEnd: true) { Text.market($0.slug, $0.market) },
            Column(title: "SIDE") { Text.side($0.side) },
            Column(title: "REASON") { $0.reason },
            Column(title: "LIMIT", isNumber: true, worth: 2) { Text.price($0.limit) },
            Column(title: "SIZE", isNumber: true, worth: 1) { Text.size($0.size) },
        ]
    }

    private static var prices: [Column<ReferencePriceRecord>] {
        [
            Column(title: "RECEIVED (UTC)") { Text.moment($0.received.unixNanoseconds) },
            Column(title: "SYMBOL") { $0.symbol },
            Column(title: "PRICE", isNumber: true) { Text.price($0.price) },
            Column(title: "SOURCE", worth: 2) { $0.source },
            Column(title: "STAMPED", worth: 1) { Text.moment($0.time.unixNanoseconds) },
        ]
    }

    private static var signals: [Column<SignalRecord>] {
        [
            Column(title: "TIME (UTC)") { Text.time($0.time) },
            Column(title: "KIND") { $0.kind },
            Column(title: "TO") { $0.sink },
            Column(title: "OUTCOME") { $0.outcome },
            Column(title: "ATTEMPTS", isNumber: true, worth: 3) { "\($0.attempts)" },
            Column(title: "DETAIL", worth: 2) { $0.detail ?? "" },
            Column(title: "ID", worth: 1, keepsEnd: true) { $0.id },
        ]
    }
}

extension RecordText {
    static func side(_ side: Side) -> String { side == .yes ? "yes" : "no" }
}
