import Logging
import OddsCore
import OddsTestSupport
import OddsTrading
import RealtimeOdds
import Testing

@testable import oddstream

/// What people, the history and the log are told of spikes and trades.
@Suite struct BotReporterTests {
    private static let now = ManualClock(wall: Timestamp(seconds: 1_800_000_060)).now()
    private static let market = Market.sample(
        "btc-updown-15m-1800000000",
        window: MarketWindow(start: Timestamp(seconds: 1_800_000_000), end: Timestamp(seconds: 1_800_000_900)))

    private static func snapshot(_ bid: Price) -> OddsSnapshot {
        let ask = Price(rawValue: bid.rawValue + 200)
        return OddsSnapshot(
            market: Self.market, yes: Quote(bid: bid, bidSize: 100, ask: ask, askSize: 100),
            no: Quote(bid: ask.complement, bidSize: 100, ask: bid.complement, askSize: 100),
            exchangeTime: Self.now.wall, receiveTime: Self.now, trust: .live, epoch: 1, source: .line(0), sequence: 1)
    }

    // MARK: Entries as the desk makes them

    /// An order from the signal to the payout: refused by nobody, filled from two levels, won or not.
    private static func record(winner: Side?) -> [JournalEntry] {
        var desk = TradingDesk(strategy: ThresholdStrategy(), startingCash: 1000, delay: .zero)
        let terms = MarketTerms(Self.market)
        var entries = desk.begin(isNew: true, now: Self.now)
        entries += desk.observe(terms, of: Self.market.id, now: Self.now)
        entries += desk.observe(Self.snapshot(0.72), now: Self.now)
        entries += desk.fill(
            PaperBook(
                asset: Self.market.yes.asset,
                asks: [Level(price: 0.74, size: 2), Level(price: 0.75, size: 100)], terms: terms, epoch: 1),
            now: Self.now)
        entries += desk.settle(Self.market.id, winner: winner, source: .feed, now: Self.now)
        return entries
    }

    /// What the desk does with the same signal while the kill switch is on.
    private static func forbidden() -> [JournalEntry] {
        var desk = TradingDesk(strategy: ThresholdStrategy(), startingCash: 1000)
        let turned = desk.setKillSwitch(true, by: .http, now: Self.now)
        let told = desk.observe(MarketTerms(Self.market), of: Self.market.id, now: Self.now)
        return turned + told + desk.observe(Self.snapshot(0.72), now: Self.now)
    }

    private static func changes(of entries: [JournalEntry]) -> [(entry: JournalEntry, changes: [TradeLedger.Change])] {
        var ledger = TradeLedger()
        return entries.map { ($0, ledger.apply($0)) }
    }

    // MARK: The history

    @Test func theHistoryKeepsOrdersFillsAndSettlements() throws {
        let kept = Self.changes(of: Self.record(winner: .yes)).map { HistoryRecord.of($0.entry, $0.changes) }
        // Opened, accepted, filled, settled.
        try #require(kept.count == 4)
        #expect(kept[0].isEmpty)
        #expect(kept[1].map(\.kind) == [.trade])
        #expect(kept[2].map(\.kind) == [.trade, .fill, .fill])
        #expect(kept[3].map(\.kind) == [.trade, .settlement])
        let fills = kept[2].compactMap { if case .fill(let fill) = $0 { fill } else { nil } }
        #expect(fills.map(\.index) == [0, 1] && fills.map(\.price) == [0.74, 0.75] && fills[0].size == 2)
        #expect(fills.allSatisfy { $0.slug == Self.market.slug && $0.order == 1 && $0.broker == "paper" })
        guard case .trade(let trade) = kept[3][0], case .settlement(let settlement) = kept[3][1] else {
            throw TradeAudit.Fault("no settlement")
        }
        #expect(settlement.winner == "yes" && settlement.settledBy == "market_resolved")
        #expect(settlement.size == fills.reduce(0) { $0 + $1.size } && settlement.payout == settlement.size)
        // One order made the whole position.
        #expect(settlement.profit == trade.profit && settlement.cost == trade.cost && settlement.fees == trade.fee)
        guard
            case .settlement(let split)? = Self.changes(of: Self.record(winner: nil)).last.map({ entry, changes in
                HistoryRecord.of(entry, changes)[1]
            })
        else { throw TradeAudit.Fault("no settlement") }
        #expect(split.winner == "split" && split.payout == split.size / 2)
    }

    @Test func whatIsNoTradeLeavesNoTradeInTheHistory() {
        let entries =
            Self.forbidden() + [
                .warned(
                    warning: TradeWarning(
                        market: Self.market.id, trust: "stale", reason: "silent", age: 7, time: Self.now.wall))
            ]
        let kept = Self.changes(of: entries).flatMap { HistoryRecord.of($0.entry, $0.changes) }
        #expect(kept.map(\.kind) == [.refusal])
    }

    @Test func afterARestartTheHistoryIsGivenWhatItMayHaveMissed() {
        let record = Self.record(winner: .yes) + Self.forbidden()
        var ledger = TradeLedger()
        let kept = HistoryRecord.replayed(record, through: &ledger)
        // A refusal would be there twice: nothing tells it from another.
        #expect(kept.map(\.kind) == [.trade, .trade, .fill, .fill, .trade, .settlement])
        #expect(ledger.trades.count == 1 && ledger.refusals.count == 1)
        guard case .trade(let trade)? = kept.last(where: { $0.kind == .trade }) else { return }
        #expect(trade == ledger.trades.first && trade.status == .settled)
    }

    @Test func ofALongRecordTheHistoryIsGivenTheNewest() {
        let many = (1...5200).flatMap { number -> [JournalEntry] in
            let order = Execution(
                order: OrderID(rawValue: UInt64(number)), market: Self.market.id, side: .yes,
                fills: [Fill(price: 0.5, size: 1), Fill(price: 0.6, size: 1)], cost: 1.1, fee: 0.01, unfilled: .zero,
                time: Self.now.wall)
            return [.execution(event: .filled(order))]
        }
        var ledger = TradeLedger()
        let kept = HistoryRecord.replayed(many, through: &ledger)
        #expect(kept.count == 5000)
        guard case .fill(let last)? = kept.last, case .fill(let first)? = kept.first else {
            Issue.record("fills alone are there")
            return
        }
        #expect(last.order == 5200 && last.index == 1 && first.order == 2701 && first.index == 0)
    }

    // MARK: People

    @Test func peopleHearOfWhatWasBoughtAndPaidOut() throws {
        func alerts(_ winner: Side?) -> [Alert] {
            Self.changes(of: Self.record(winner: winner)).flatMap(\.changes).compactMap { change in
                if case .trade(let trade) = change { BotAlerts.trade(trade, now: Self.now.wall) } else { nil }
            }
        }
        let won = alerts(.yes)
        // That an order is on its way is nothing to be told.
        #expect(won.map(\.kind) == [.trade, .trade] && Set(won.map(\.incident)).count == 1)
        #expect(won[0].title.hasPrefix("Paper: bought 6.57 yes of btc-updown-15m-1800000000 at $0.747"))
        #expect(won[0].text == "Cost $4.91, fee $0.09.")
        #expect(won[1].title.hasPrefix("Paper: btc-updown-15m-1800000000 yes won, +$1."))
        #expect(won[1].text == "Held 6.57 yes, learned from market_resolved.")
        #expect(alerts(.no)[1].title.hasPrefix("Paper: btc-updown-15m-1800000000 no won, -$4.99"))
        #expect(alerts(nil)[1].title.hasPrefix("Paper: btc-updown-15m-1800000000 was split, -$1."))
        for status in [TradeRecord.Status.pending, .rejected, .cancelled] {
            #expect(BotAlerts.trade(.sample("a", status), now: Self.now.wall) == nil)
        }
        let on = BotAlerts.killSwitch(true, by: "http", at: Self.now.wall)
        let off = BotAlerts.killSwitch(false, by: "signal", at: Self.now.wall)
        #expect(on.severity == .warning && on.text == "Turned by http." && on.kind == .killSwitch)
        #expect(off.severity == .info && off.title == "Kill switch off")
    }

    // MARK: Spikes

    @Test func aSpikeIsToldWhenItBeginsAndWhenItIsOver() throws {
        let clock = ManualClock(wall: Timestamp(seconds: 1_800_000_060))
        let sink = ListeningSink()
        let history = ListeningHistory()
        let log = Log(logLevel: .info)
        let reporter = BotReporter(
            source: SilentSource(), signals: nil, history: history, spikeAlerts: [sink], tradeAlerts: [], run: "run",
            label: "demo", clock: clock, logger: Logger(label: "test.bot") { _ in log })
        let desk = SpikeDesk(
            configuration: SpikeDetectorConfiguration(cooldown: .zero), clock: clock
        ) { event, record, odds, isByOdds in
            reporter.spike(event, record, odds, isByOdds: isByOdds)
        }
        for bid in [0.60, 0.72, 0.78, 0.50] as [Price] {
            desk.published(Self.snapshot(bid), at: clock.now())
            clock.advance(by: .seconds(1))
        }
        #expect(log.messages.entries == ["Spike", "Spike over"])
        let alerts = sink.alerts.entries
        #expect(alerts.map(\.kind) == [.spike, .spike] && Set(alerts.map(\.incident)).count == 1)
        #expect(alerts[0].title == "[demo] Spike: btc-updown-15m-1800000000 yes at 73.0%")
        #expect(alerts[0].text == "Threshold 70.0%, trust live.")
        #expect(
            alerts[1].title == "[demo] Spike over: btc-updown-15m-1800000000 yes, peak 79.0%, lasted 2.0 s",
            "\(alerts[1].title)")
        #expect(alerts[1].text == "A poller would have missed it. Ended: fellBack.", "\(alerts[1].text)")
        // Begun, grown, over: each with the odds that brought it about.
        let kinds = history.records.entries.map(\.kind)
        #expect(kinds == [.spike, .odds, .spike, .odds, .spike, .odds], "\(kinds)")
    }

    @Test func timeAloneBringsNoOdds() throws {
        let clock = ManualClock(wall: Timestamp(seconds: 1_800_000_060))
        let history = ListeningHistory()
        let reporter = BotReporter(
            source: SilentSource(), signals: nil, history: history, spikeAlerts: [], tradeAlerts: [], run: "run",
            label: "", clock: clock, logger: Logger(label: "test.bot") { _ in Log() })
        let desk = SpikeDesk(configuration: SpikeDetectorConfiguration(), clock: clock) {
            reporter.spike($0, $1, $2, isByOdds: $3)
        }
        desk.published(Self.snapshot(0.72), at: clock.now())
        desk.ended(Self.market, at: clock.now())
        #expect(history.records.entries.map(\.kind) == [.spike, .odds, .spike])
    }
}

/// Keeps what is posted.
private final class ListeningSink: AlertSink {
    let name = "test"
    let alerts = Journal<Alert>()
    let status = AlertSinkStatus()
    func post(_ alert: Alert) { self.alerts.append(alert) }
}

/// Keeps what is recorded in memory.
private final class ListeningHistory: HistoryRecorder {
    let records = Journal<HistoryRecord>()
    func record(_ record: HistoryRecord) { self.records.append(record) }
}

/// Knows no market.
private struct SilentSource: OddsSource {
    func currentOdds(_ market: MarketID) -> OddsSnapshot? { nil }
    var markets: [MarketStatus] { [] }
    var status: StreamStatus { StreamStatus() }
}
