import OddsCore
import OddsTestSupport

/// Records made up for tests.
enum Sample {
    /// 2026-01-01 00:00 UTC, where `ManualClock` begins.
    static let begin = Timestamp(seconds: 1_767_225_600)
    static let market = MarketID("0x-btc-updown-15m-1")

    static func time(_ seconds: Int) -> Timestamp { Sample.begin.advanced(by: .seconds(seconds)) }

    static func point(_ market: MarketID = Sample.market, at time: Timestamp, cause: OddsPoint.Cause = .change)
        -> OddsPoint
    {
        OddsPoint(
            market: market, receiveTime: time.milliseconds * 1_000_000, exchangeTime: time, trust: "live", epoch: 1,
            source: "line0", cause: cause)
    }

    /// Odds of a second, unlike those of the second before.
    static func odds(_ second: Int, _ market: MarketID = Sample.market) -> HistoryRecord {
        var point = Sample.point(market, at: Sample.time(second))
        point.yesBid = Double(second % 99 + 1) / 100
        return .odds(point)
    }

    static func fullPoint() -> OddsPoint {
        var point = OddsPoint(
            market: Sample.market, receiveTime: 1_767_225_600_123_456_789,
            exchangeTime: Timestamp(milliseconds: 1_767_225_600_100), trust: "suspect", epoch: 7, source: "line1",
            cause: .spike,
            micro: OddsPoint.Micro(
                spread: 0.01, microprice: 0.7123, imbalance: -0.25, bidDepth: 1234.5, askDepth: 99, flow: -12.5,
                flowAcceleration: 0.5, volatility: 0.031))
        point.yesBid = 0.71
        point.yesAsk = 0.72
        point.noBid = 0.28
        point.noAsk = 0.29
        point.yesBidSize = 57.5
        point.yesAskSize = 0.000001
        point.noBidSize = 12
        point.noAskSize = 1_000_000
        point.displayedOdds = 0.715
        point.noDisplayedOdds = 0.285
        point.lastTrade = 0.7
        point.reason = "crossed"
        return point
    }

    static func spikeRecord(_ second: Int) -> SpikeRecord {
        SpikeRecord(
            number: UInt64(second + 1), market: Sample.market, slug: "btc-updown-15m-1", side: .no, basis: "displayed",
            threshold: 0.7, begin: Sample.time(second), peak: 0.83, peakTime: Sample.time(second + 1), end: nil,
            duration: nil, timeOver: 0, crossings: 1, ending: nil, epoch: 3, trust: "live", source: "line0",
            isSeenByPoller: false)
    }

    static func spike(_ second: Int) -> HistoryRecord { .spike(Sample.spikeRecord(second)) }

    static func tradeRecord(_ second: Int) -> TradeRecord {
        TradeRecord(
            order: UInt64(second + 1), broker: "paper", market: Sample.market, slug: "btc-updown-15m-1", side: .yes,
            decided: Sample.time(second), epoch: 3, limit: 0.75, size: 20)
    }

    static func trade(_ second: Int) -> HistoryRecord { .trade(Sample.tradeRecord(second)) }

    static func marketRecord(_ number: Int, at second: Int = 0) -> MarketRecord {
        MarketRecord(.sample("btc-updown-15m-\(number)"), seen: Sample.time(second))
    }

    /// One record of every kind, each with all of its values.
    static func everything() -> [HistoryRecord] {
        let window = MarketWindow(start: Sample.time(900), end: Sample.time(1800))
        let market = Market(
            id: Sample.market, slug: "btc-updown-15m-1", question: "Up or down?", series: "btc-updown-15m",
            window: window, yes: Outcome(label: "Up", asset: "1"), no: Outcome(label: "Down", asset: "2"))
        var kept = MarketRecord(
            Resolution(market: market, winner: .no, exchangeTime: Sample.time(1801)), by: "market_resolved",
            seen: Sample.time(1))
        kept.firstOdds = -58_200
        kept.previousMarket = "0x-before"
        var spike = Sample.spikeRecord(2)
        spike.end = Sample.time(9)
        spike.duration = 7000
        spike.timeOver = 6900.25
        spike.ending = "fellBack"
        var trade = Sample.tradeRecord(3)
        trade.status = .settled
        trade.reason = "partial"
        trade.filled = 12.5
        trade.averagePrice = 0.745
        trade.cost = 9.3125
        trade.fee = 0.166238
        trade.filledAt = Sample.time(4)
        trade.winner = "yes"
        trade.settledBy = "gamma"
        trade.payout = 12.5
        trade.profit = 3.021262
        trade.settledAt = Sample.time(1900)
        var book = IncidentJournal()
        let now = ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: 5), unixNanoseconds: Sample.time(5).milliseconds * 1_000_000)
        let trouble = ContinuityEvent.discovery(name: "btc-updown-15m", problem: "Gamma answers 503")
        let incidents = book.record(trouble, at: now).map { IncidentRecord($0.incident) }
        return [
            .market(kept), .odds(Sample.fullPoint()), .spike(spike), .trade(trade),
            .fill(
                FillRecord(
                    order: 4, index: 1, broker: "paper", market: Sample.market, slug: "btc-updown-15m-1", side: .yes,
                    price: 0.74, size: 7.5, time: Sample.time(4))),
            .settlement(
                SettlementRecord(
                    broker: "paper", market: Sample.market, slug: "btc-updown-15m-1", side: .yes, winner: "split",
                    settledBy: "reference_price", size: 12.5, cost: 9.3125, fees: 0.166238, payout: 6.25,
                    profit: -3.228738, time: Sample.time(1900))),
            .refusal(
                RefusalRecord(
                    market: Sample.market, slug: "btc-updown-15m-1", side: .no, reason: "epochMoved", limit: 0.8,
                    size: 10, time: Sample.time(6))),
            .referencePrice(
                ReferencePriceRecord(
                    symbol: "btc/usd", source: "chainlink", price: 67_234.567_891_2, time: Sample.time(7),
                    received: Sample.time(8))),
            .signal(
                SignalRecord(
                    id: "spike-1", kind: "spike_began", sink: "webhook", market: Sample.market, attempts: 3,
                    outcome: "failed", detail: "503, O'Hara said \"no\"", time: Sample.time(8))),
        ] + incidents.map { .incident($0) }
    }
}
