import Logging
import OddsCore
import OddsSinks
import OddsTrading
import Synchronization

/// Tells what the bot found and did to everybody who wants to know: the log, the signals, the history, and people.
///
/// What is told of trades is on record already. Nothing here waits: signals, history and alerts have bounded queues of
/// their own.
final class BotReporter: Sendable {
    private let source: any OddsSource
    private let signals: SignalDispatcher?
    private let history: any HistoryRecorder
    /// Whom to tell of spikes and of trades, as far as people want to be told.
    private let spikeAlerts: [any AlertSink]
    private let tradeAlerts: [any AlertSink]
    private let label: String
    private let clock: any StreamClock
    private let logger: Logger
    private let numbering: Mutex<SignalNumbering>

    /// - Parameters:
    ///   - run: names this run in the ids of signals; no other run has it.
    ///   - label: put before every alert's title; nothing when empty.
    init(
        source: any OddsSource, signals: SignalDispatcher?, history: any HistoryRecorder,
        spikeAlerts: [any AlertSink], tradeAlerts: [any AlertSink], run: String, label: String,
        clock: any StreamClock, logger: Logger
    ) {
        self.source = source
        self.signals = signals
        self.history = history
        self.spikeAlerts = spikeAlerts
        self.tradeAlerts = tradeAlerts
        self.label = label
        self.clock = clock
        self.logger = logger
        self.numbering = Mutex(SignalNumbering(run: run))
    }

    /// Sends a signal of a kind, if anybody wants it: others are not even made.
    private func send(_ kind: Signal.Kind, _ signal: (_ id: String) -> Signal) {
        guard let signals = self.signals, signals.wants(kind) else { return }
        signals.send(signal(self.numbering.withLock { $0.next() }))
    }

    private func odds(_ market: MarketID) -> OddsSnapshot? { self.source.currentOdds(market) }
    private func microstructure(_ market: MarketID) -> MicrostructureRow? {
        self.source.microstructure(of: market).map { MicrostructureRow($0) }
    }

    // MARK: Spikes

    /// A spike began, grew or ended. Called inline on the feed's event loop.
    func spike(_ event: SpikeEvent, _ record: SpikeRecord, _ odds: OddsSnapshot?, isByOdds: Bool) {
        self.history.record(.spike(record))
        if let odds, isByOdds {
            self.history.record(
                .odds(
                    OddsPoint(
                        odds, cause: .spike, micro: OddsPoint.Micro(self.source.microstructure(of: record.market)))))
        }
        switch event {
        case .grew: return
        case .began:
            self.sendSpike(record, at: record.begin, odds)
            self.logger.info("Spike", metadata: self.metadata(record))
        case .ended:
            self.sendSpike(record, at: record.end ?? record.begin, odds)
            var metadata = self.metadata(record)
            metadata["spike.duration_ms"] = "\(record.duration ?? 0)"
            metadata["spike.ending"] = "\(record.ending ?? "")"
            metadata["spike.seen_by_poller"] = "\(record.isSeenByPoller)"
            self.logger.info("Spike over", metadata: metadata)
        }
        self.tell(self.spikeAlerts, BotAlerts.spike(event, record, now: self.clock.now().wall))
    }

    private func sendSpike(_ record: SpikeRecord, at time: Timestamp, _ odds: OddsSnapshot?) {
        self.send(Signal.Kind(of: record)) {
            Signal(
                id: $0, time: time, spike: record, odds: odds, microstructure: self.microstructure(record.market))
        }
    }

    private func metadata(_ record: SpikeRecord) -> Logger.Metadata {
        let name = self.name(record.slug, record.market)
        return [
            name.key: name.value, "spike.side": "\(record.side)", "spike.peak": "\(record.peak)",
            "spike.number": "\(record.number)", "odds.trust": "\(record.trust)", "odds.epoch": "\(record.epoch)",
        ]
    }

    /// What the log calls a market: its slug, or its id where there is none.
    private func name(_ slug: String?, _ id: MarketID) -> (key: String, value: Logger.MetadataValue) {
        if let slug, !slug.isEmpty { ("market.slug", "\(slug)") } else { ("market.id", "\(id)") }
    }

    // MARK: Trades

    /// One entry of the trading record, and what it changed in the ledger.
    func traded(_ entry: JournalEntry, _ changes: [TradeLedger.Change]) {
        for record in HistoryRecord.of(entry, changes) { self.history.record(record) }
        for change in changes {
            switch change {
            case .trade(let trade): self.trade(trade)
            case .refusal(let refusal):
                self.send(.orderRefused) {
                    Signal(
                        id: $0, refusal: refusal, odds: self.odds(refusal.market),
                        microstructure: self.microstructure(refusal.market))
                }
                let name = self.name(refusal.slug, refusal.market)
                self.logger.info(
                    "Not bought",
                    metadata: [
                        name.key: name.value, "order.side": "\(refusal.side)",
                        "reason": "\(refusal.reason)",
                    ])
            case .warning(let warning):
                let name = self.name(self.odds(warning.market)?.slug, warning.market)
                self.logger.warning(
                    "Trading on odds that nothing confirms",
                    metadata: [
                        name.key: name.value, "odds.trust": "\(warning.trust)",
                        "reason": "\(warning.reason ?? "")", "odds.age_ms": "\(warning.age)",
                    ])
            case .killSwitch(let isOn, let origin, let time):
                self.send(.killSwitch) { Signal(id: $0, time: time, killSwitch: isOn, by: origin.rawValue) }
                self.logger.warning(
                    isOn ? "Kill switch on: nothing is bought" : "Kill switch off",
                    metadata: ["kill.origin": "\(origin.rawValue)"])
                self.tell(self.tradeAlerts, BotAlerts.killSwitch(isOn, by: origin.rawValue, at: time))
            }
        }
    }

    private func trade(_ trade: TradeRecord) {
        self.send(Signal.Kind(of: trade)) {
            Signal(
                id: $0, time: self.clock.now().wall, trade: trade, odds: self.odds(trade.market),
                microstructure: self.microstructure(trade.market))
        }
        let name = self.name(trade.slug, trade.market)
        var metadata: Logger.Metadata = [
            name.key: name.value, "order.id": "\(trade.order)", "order.side": "\(trade.side)",
            "order.status": "\(trade.status.rawValue)",
        ]
        if let reason = trade.reason { metadata["reason"] = "\(reason)" }
        if trade.filled > 0 {
            metadata["order.filled"] = "\(trade.filled)"
            metadata["order.price"] = "\(trade.averagePrice ?? 0)"
            metadata["order.fee"] = "\(trade.fee)"
        }
        if let profit = trade.profit { metadata["order.profit"] = "\(profit)" }
        self.logger.info("Paper trade", metadata: metadata)
        if let alert = BotAlerts.trade(trade, now: self.clock.now().wall) { self.tell(self.tradeAlerts, alert) }
    }

    // MARK: People

    private func tell(_ sinks: [any AlertSink], _ alert: Alert?) {
        guard var alert, !sinks.isEmpty else { return }
        if !self.label.isEmpty { alert.title = "[\(self.label)] \(alert.title)" }
        for sink in sinks { sink.post(alert) }
    }
}

/// What people are told of spikes and trades, where they asked for it.
enum BotAlerts {
    /// A spike that began, or is over; nil while it only grows.
    static func spike(_ event: SpikeEvent, _ record: SpikeRecord, now: Timestamp) -> Alert? {
        let key = Alert.IncidentKey("spike \(record.market) \(record.side) \(record.begin.milliseconds)")
        let name = "\(record.slug.isEmpty ? record.market.rawValue : record.slug) \(record.side)"
        switch event {
        case .grew: return nil
        case .began:
            return Alert(
                severity: .info, kind: .spike, incident: key,
                title: "Spike: \(name) at \(OddsText.percent(record.peak))",
                text: "Threshold \(OddsText.percent(record.threshold)), trust \(record.trust).", time: now)
        case .ended(_, let ending):
            let lasted = DurationText.age(.milliseconds(Int64(record.duration ?? 0)))
            let poller = record.isSeenByPoller ? "A poller would have seen it." : "A poller would have missed it."
            return Alert(
                severity: .info, kind: .spike, incident: key,
                title: "Spike over: \(name), peak \(OddsText.percent(record.peak)), lasted \(lasted)",
                text: "\(poller) Ended: \(ending.rawValue).", time: now)
        }
    }

    /// An order that bought something, or was paid out; nil for the rest.
    static func trade(_ trade: TradeRecord, now: Timestamp) -> Alert? {
        let key = Alert.IncidentKey("order \(trade.order)")
        switch trade.status {
        case .pending, .rejected, .cancelled: return nil
        case .open:
            return Alert(
                severity: .info, kind: .trade, incident: key,
                title:
                    "Paper: bought \(trade.filled) \(trade.side) of \(trade.slug) at \(OddsText.dollars(trade.averagePrice ?? 0, digits: 3))",
                text: "Cost \(OddsText.dollars(trade.cost)), fee \(OddsText.dollars(trade.fee)).", time: now)
        case .settled:
            let profit = trade.profit ?? 0
            let outcome = trade.winner.map { $0 == "split" ? "was split" : "\($0) won" } ?? "is decided"
            return Alert(
                severity: .info, kind: .trade, incident: key,
                title:
                    "Paper: \(trade.slug) \(outcome), \(profit >= 0 ? "+" : "")\(OddsText.dollars(profit))",
                text: "Held \(trade.filled) \(trade.side), learned from \(trade.settledBy ?? "").", time: now)
        }
    }

    /// The kill switch was turned.
    static func killSwitch(_ isOn: Bool, by origin: String, at time: Timestamp) -> Alert {
        Alert(
            severity: isOn ? .warning : .info, kind: .killSwitch,
            incident: Alert.IncidentKey("kill switch \(time.milliseconds)"),
            title: isOn ? "Kill switch on: nothing is bought" : "Kill switch off", text: "Turned by \(origin).",
            time: time)
    }
}

extension HistoryRecord {
    /// How many records of earlier runs are given to the history again.
    private static let replayLimit = 5_000

    /// What the history may have missed of the trading record when an earlier run was killed, or while its file could not
    /// be written: the newest orders, fills and settlements. What it has already is only written again.
    ///
    /// - Parameter ledger: takes in the whole record.
    static func replayed(_ record: [JournalEntry], through ledger: inout TradeLedger) -> [HistoryRecord] {
        var records: [HistoryRecord] = []
        for entry in record {
            for kept in HistoryRecord.of(entry, ledger.apply(entry)) {
                switch kept {
                case .trade, .fill, .settlement: records.append(kept)
                // A refusal has no name that it could be known by.
                case .refusal, .market, .odds, .spike, .incident, .referencePrice, .signal: break
                }
            }
            if records.count >= 2 * Self.replayLimit { records.removeFirst(records.count - Self.replayLimit) }
        }
        return records.suffix(Self.replayLimit)
    }

    /// What the history keeps of one entry of the trading record.
    static func of(_ entry: JournalEntry, _ changes: [TradeLedger.Change]) -> [HistoryRecord] {
        var records = changes.compactMap { change -> HistoryRecord? in
            switch change {
            case .trade(let trade): .trade(trade)
            case .refusal(let refusal): .refusal(refusal)
            case .warning, .killSwitch: nil
            }
        }
        let slug = changes.lazy.compactMap { change -> String? in
            if case .trade(let trade) = change { trade.slug } else { nil }
        }.first
        switch entry {
        case .execution(.filled(let execution)):
            records += execution.fills.enumerated().map { index, fill in
                .fill(
                    FillRecord(
                        order: execution.order.rawValue, index: index, broker: "paper", market: execution.market,
                        slug: slug ?? "", side: execution.side, price: fill.price.doubleValue,
                        size: fill.size.doubleValue, time: execution.time))
            }
        case .execution(.settled(let settlement)):
            records.append(
                .settlement(
                    SettlementRecord(
                        broker: "paper", market: settlement.market, slug: slug ?? "", side: settlement.side,
                        winner: settlement.winner.map { $0 == .yes ? "yes" : "no" } ?? "split",
                        settledBy: settlement.source.rawValue, size: settlement.size.doubleValue,
                        cost: settlement.cost.doubleValue, fees: settlement.fees.doubleValue,
                        payout: settlement.payout.doubleValue, profit: settlement.netProfit.doubleValue,
                        time: settlement.time)))
        case .opened, .execution, .refused, .warned, .killSwitch: break
        }
        return records
    }
}
