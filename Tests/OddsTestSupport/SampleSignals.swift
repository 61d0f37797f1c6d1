public import OddsCore

extension SpikeRecord {
    /// A spike made up for tests; its market's condition id follows from the slug. It lasts unless it has an end.
    public static func sample(_ slug: String, number: UInt64 = 1, end: Timestamp? = nil) -> SpikeRecord {
        SpikeRecord(
            number: number, market: MarketID("0x-\(slug)"), slug: slug, side: .yes, basis: "displayed", threshold: 0.7,
            begin: Timestamp(seconds: 1_767_225_600), peak: 0.74, peakTime: Timestamp(seconds: 1_767_225_601),
            end: end, duration: end.map { Double($0.milliseconds - 1_767_225_600_000) }, timeOver: 900, crossings: 1,
            ending: end == nil ? nil : "fellBack", epoch: 3, trust: "live", source: "line0", isSeenByPoller: false)
    }
}

extension TradeRecord {
    /// An order made up for tests; its market's condition id follows from the slug.
    public static func sample(_ slug: String, order: UInt64 = 1, _ status: Status = .pending) -> TradeRecord {
        var trade = TradeRecord(
            order: order, broker: "paper", market: MarketID("0x-\(slug)"), slug: slug, side: .yes,
            decided: Timestamp(seconds: 1_767_225_600), epoch: 3, limit: 0.75, size: 10)
        trade.status = status
        return trade
    }
}

extension RefusalRecord {
    /// A refusal made up for tests; its market's condition id follows from the slug.
    public static func sample(_ slug: String, reason: String = "epochMoved") -> RefusalRecord {
        RefusalRecord(
            market: MarketID("0x-\(slug)"), slug: slug, side: .no, reason: reason, limit: 0.75, size: 10,
            time: Timestamp(seconds: 1_767_225_602))
    }
}

extension Signal {
    /// A `spike.began` made up for tests.
    public static func sample(_ id: String, _ slug: String = "a") -> Signal {
        Signal(id: id, time: Timestamp(seconds: 1_767_225_600), spike: .sample(slug))
    }
}
