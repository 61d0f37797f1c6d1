import Logging
import OddsCore
import OddsRecording
import OddsSinks
import OddsStore
import OddsTrading
import RealtimeOdds
import ServiceLifecycle
import Synchronization

/// The bot beside the stream, put together: spike detector, trading loop, reference price, signals and history.
///
/// Made before the source, which calls its observer, and attached to the source afterwards. Its services run beside the
/// source's: `sinks` outlive it, `workers` end before it.
final class Bot: BotSource {
    /// What a command does its own way.
    struct Profile: Sendable {
        /// When a window may be entered, unless it is set.
        var entry = EntryWindow()
        /// How long after falling back a return belongs to the same spike, unless it is set.
        var cooldown: Duration?
        /// Put before the title of alerts; nothing when empty.
        var label = ""
    }

    private struct Made {
        var loop: TradingLoop?
        var source: (any LiveOddsSource)?
        var recorder: TradeRecorder?
        var ledger = TradeLedger()
    }

    /// Hears every published change, inline.
    let observer: BotObserver
    /// What the terminal tells.
    let news = NewsFeed()
    /// The reference price; nil when it is not followed.
    let reference: ReferencePriceStreamer?
    /// How old odds are when they can be read and are decided on.
    let latency = LatencyMeter()
    private let settings: Settings
    private let profile: Profile
    private let clock: any StreamClock
    private let logger: Logger
    private let spikeDesk: SpikeDesk
    private let signals: SignalDispatcher?
    private let store: HistoryStore?
    private let directory: String?
    private let recorder: Recorder?
    private let series: [MarketSeries]
    private let made: Mutex<Made>

    /// - Parameters:
    ///   - series: the series that are followed.
    ///   - directory: where history and the record of trades are kept; nil keeps them nowhere.
    ///   - rtds: the address of the reference price feed, in place of what is set.
    ///   - recorder: hears the reference price, and is told of on the status; nil when nothing is recorded.
    /// - Throws: `ConfigurationError` or `ProgramFailure` when something that is set cannot be used.
    init(
        settings: Settings, series: [MarketSeries], directory: String?, rtds: String? = nil,
        profile: Profile = Profile(), recorder: Recorder? = nil,
        clock: any StreamClock, logger: Logger
    ) throws {
        self.settings = settings
        self.profile = profile
        self.directory = directory
        self.recorder = recorder
        self.series = series
        self.clock = clock
        self.logger = logger
        let late = Late()
        var spikes = try settings.usableSpikeDetector()
        if settings.text(.spikeCooldown) == nil, let cooldown = profile.cooldown { spikes.cooldown = cooldown }
        self.spikeDesk = SpikeDesk(configuration: spikes, clock: clock) { [news] event, record, odds, isByOdds in
            late.reporter?.spike(event, record, odds, isByOdds: isByOdds)
            news.post(event, record, odds)
        }
        self.store = try settings.historyStore(directory: directory, clock: clock, logger: logger)
        self.signals = try settings.signalDispatcher(clock: clock, logger: logger, history: self.store)
        self.reference = try settings.reference(series: series, rtds: rtds).map { [store] configuration in
            try ReferencePriceStreamer(configuration: configuration, logger: logger, clock: clock, tap: recorder) {
                tick, now in
                store?.record(.referencePrice(ReferencePriceRecord(tick, at: now)))
            }
        }
        self.observer = BotObserver(spikes: self.spikeDesk, history: self.store, latency: self.latency, clock: clock)
        self.made = Mutex(Made())
        self.late = late
    }

    private let late: Late

    /// The reporter is made when the source is there.
    private final class Late: Sendable {
        private let box = Mutex<BotReporter?>(nil)
        var reporter: BotReporter? { self.box.withLock { $0 } }
        func set(_ reporter: BotReporter) { self.box.withLock { $0 = reporter } }
    }

    // MARK: Putting together

    /// Gives the bot its source, and returns its services.
    ///
    /// - Parameter alerts: where people are told of spikes and trades, when they asked for it.
    /// - Throws: `ProgramFailure` when the record of trades cannot be read.
    func attach(
        _ source: any LiveOddsSource, alerts: [any AlertSink], gamma: GammaOutcomes?
    ) async throws -> (sinks: [any Service], workers: [any Service]) {
        await self.rememberSpikes()
        let wantsAlerts = self.settings.flag(.alertSpikes) || self.settings.flag(.alertTrades)
        if wantsAlerts, alerts.isEmpty {
            self.logger.warning(
                "--alert-spikes and --alert-trades have nobody to tell: give --telegram-chat or --webhook-url")
        }
        let reporter = BotReporter(
            source: source, signals: self.signals, history: self.store ?? NoHistory(),
            spikeAlerts: self.settings.flag(.alertSpikes) ? alerts : [],
            tradeAlerts: self.settings.flag(.alertTrades) ? alerts : [], run: RunName.random(),
            label: self.profile.label, clock: self.clock, logger: self.logger)
        self.late.set(reporter)
        self.made.withLock { $0.source = source }
        var sinks: [any Service] = []
        if let store = self.store { sinks.append(store) }
        if let signals = self.signals { sinks.append(signals) }
        if let gamma { sinks.append(gamma) }
        var workers: [any Service] = [self.spikeDesk]
        if let reference = self.reference {
            workers.append(reference)
            workers.append(ReferenceFollower(reference: reference, source: source, clock: self.clock))
        }
        if let store = self.store {
            workers.append(HistoryFeeder(source: source, recorder: store, clock: self.clock))
        }
        if !self.settings.flag(.noTrading) {
            workers.append(try self.tradingLoop(source, reporter: reporter, gamma: gamma))
        }
        return (sinks, workers)
    }

    /// Asks the exchange for its time, by which latency is corrected.
    ///
    /// - Throws: `ProgramFailure` when the certificate authorities cannot be read.
    func clockProbe(_ configuration: RealtimeOddsConfiguration) throws(ProgramFailure) -> ClockProbe {
        do {
            return try ClockProbe(configuration: configuration, clock: self.clock, meter: self.latency)
        } catch {
            throw ProgramFailure(status: .configuration, message: error.message)
        }
    }

    private func tradingLoop(
        _ source: any LiveOddsSource, reporter: BotReporter, gamma: GammaOutcomes?
    ) throws -> TradingLoop {
        // What earlier runs left is needed to begin, and not held on to.
        let (journal, record) = try self.settings.tradingJournal(directory: self.directory, logger: self.logger)
        if journal == nil {
            self.logger.notice("The paper account is kept in memory only: name a directory with --data to keep it")
        }
        self.noteOpening(record)
        let append = journal.map { journal in { @Sendable lines in try journal.append(lines) } }
        let recorder = TradeRecorder(append: append, logger: self.logger)
        var setup = TradingLoop.Setup(
            source: source, recorder: recorder, depth: self.observer, clock: self.clock, logger: self.logger,
            delay: self.settings.fillDelay,
            killFile: self.settings.text(.killFile) ?? self.directory.map { "\($0)/KILL" })
        setup.decided = { [latency, clock] in latency.decided(on: $0, at: clock.now()) }
        if let gamma { setup.outcome = { market, slug in try await gamma.finding(of: market, slug: slug) } }
        if let reference = self.reference {
            setup.referenceOutcome = { market in reference.outcome(of: market).winner }
        }
        let strategy = self.settings.strategy(entry: self.profile.entry)
        for series in self.series {
            if let reason = self.settings.missingTime(in: series, strategy.entry) { self.logger.warning("\(reason)") }
        }
        let desk = TradingDesk(
            strategy: strategy, riskCheck: try self.settings.riskCheck(strategy),
            startingCash: self.settings.paperCash, delay: self.settings.fillDelay, record: record)
        let loop = TradingLoop(setup, desk: desk, isNew: record.isEmpty)
        self.made.withLock { made in
            made.loop = loop
            made.recorder = recorder
            let missed = HistoryRecord.replayed(record, through: &made.ledger)
            for record in missed { self.store?.record(record) }
        }
        recorder.connect(
            told: { [weak self] entries in
                for entry in entries {
                    let changes = self?.made.withLock { $0.ledger.apply(entry) } ?? []
                    reporter.traded(entry, changes)
                    for case .trade(let trade) in changes { self?.tellTerminal(trade) }
                }
            },
            recordable: { [weak loop] in loop?.setRecordable($0) })
        return loop
    }

    /// The spikes of earlier runs, as far as the history has them.
    private func rememberSpikes() async {
        guard let directory = self.directory, self.store != nil else { return }
        do {
            let page = try await HistoryArchive(directory: directory).spikes(
                HistoryQuery(limit: HistoryQuery.largestLimit))
            self.spikeDesk.remember(page.items)
        } catch {
            // A new directory has no history yet; anything else the history itself will meet and tell.
            guard error.code != .notFound else { return }
            self.logger.warning(
                "The spikes of earlier runs cannot be read; the list begins anew", metadata: ["reason": "\(error)"])
        }
    }

    private func tellTerminal(_ trade: TradeRecord) {
        let source = self.made.withLock { $0.source }
        self.news.post(trade, in: source?.markets.first { $0.market.id == trade.market }?.market)
    }

    /// An account keeps what it began with, whatever is set now.
    private func noteOpening(_ record: [JournalEntry]) {
        guard case .opened(let cash, let time)? = record.first else { return }
        self.logger.info(
            "The paper account goes on",
            metadata: ["account.starting_cash": "\(cash)", "account.opened_ms": "\(time.milliseconds)"])
        if self.settings.text(.paperCash) != nil, self.settings.paperCash != cash {
            self.logger.warning(
                "--paper-cash is for new accounts: this one began with another sum; another --data begins anew",
                metadata: ["account.starting_cash": "\(cash)"])
        }
    }

    // MARK: Reading

    func spikes() -> [SpikeRecord] { self.spikeDesk.spikes }
    func trades() -> [TradeRecord] { self.made.withLock { $0.ledger.trades } }
    func refusals() -> [RefusalRecord] { self.made.withLock { $0.ledger.refusals } }

    /// The account as it is on record, and the kill switch as it is: it holds at once.
    func account() -> AccountRecord? {
        let (made, account, exposure) = self.made.withLock { ($0.loop, $0.ledger.account, $0.ledger.exposure) }
        guard let loop = made else { return nil }
        let standing = loop.standing
        return AccountRecord(
            account ?? PaperAccount(startingCash: standing.account.startingCash), exposure: exposure,
            killSwitch: standing.killSwitch)
    }

    func setKillSwitch(_ isOn: Bool, by origin: String) async -> AccountRecord? {
        guard let loop = self.made.withLock({ $0.loop }), let origin = KillOrigin(rawValue: origin) else { return nil }
        await loop.setKillSwitch(isOn, by: origin)
        return self.account()
    }

    var parts: [PartStatus] {
        var parts: [PartStatus] = []
        if let status = self.store?.status {
            var counters = status.written.map { (name: "history.written.\($0.key.rawValue)", value: $0.value) }
            counters += status.dropped.map { (name: "history.dropped.\($0.key.rawValue)", value: $0.value) }
            counters.append((name: "history.queued", value: UInt64(status.queued)))
            if let size = status.fileSize { counters.append((name: "history.bytes", value: UInt64(size))) }
            parts.append(
                PartStatus(name: "history", state: status.state.name, problem: status.problem, counters: counters))
        }
        if let part = self.recorder?.status.part { parts.append(part) }
        for (sink, status) in self.signals?.status ?? [] {
            let counters: [(name: String, value: Int)] = [
                ("signals.delivered", status.delivered), ("signals.failed", status.failed),
                ("signals.dropped", status.dropped), ("signals.waiting", status.waiting),
                ("signals.retries", status.retries),
            ]
            parts.append(
                PartStatus(
                    name: "signals.\(sink)", state: status.problem == nil ? "ok" : "troubled", problem: status.problem,
                    counters: counters.map { ($0.name, UInt64($0.value)) }))
        }
        if let status = self.reference?.referenceStatus {
            parts.append(
                PartStatus(
                    name: "reference", state: status.state, problem: status.state == "live" ? nil : status.lastError,
                    counters: status.counters + [(name: "reference.disconnects", value: status.disconnects)]))
        }
        if let recorder = self.made.withLock({ $0.recorder }) {
            parts.append(
                PartStatus(
                    name: "trades", state: recorder.isFailing ? "troubled" : "ok",
                    problem: recorder.isFailing ? "the record of trades cannot be written: nothing is bought" : nil,
                    counters: [(name: "trades.unwritten", value: UInt64(recorder.waiting))]))
        }
        return parts
    }

    /// The history to read from; nil when none is kept.
    var history: (any HistoryReader)? { self.store }

    /// Turns the kill switch in the name of a signal to the process; nil when nothing is traded.
    var killSwitch: (@Sendable (Bool) async -> Void)? {
        guard !self.settings.flag(.noTrading) else { return nil }
        return { isOn in _ = await self.setKillSwitch(isOn, by: KillOrigin.signal.rawValue) }
    }

    /// What the terminal shows under the markets: the account, and the reference price of current markets.
    func notes() -> [String] {
        var lines: [String] = []
        if let source = self.made.withLock({ $0.source }), let reference = self.reference {
            for status in source.markets where status.role == .current {
                lines.append(BotText.reference(reference.reading(for: status.market), of: status.market))
            }
        }
        if let account = self.account() { lines.append(BotText.account(account)) }
        return lines
    }
}

/// Hears every published change and hands it on: to the detector at once, to the history as far as it wants it.
final class BotObserver: MarketObserver {
    private let spikes: SpikeDesk
    private let history: (any HistoryRecorder)?
    private let latency: LatencyMeter
    private let clock: any StreamClock
    /// Each market's latest microstructure, a quarter of a second old at most.
    private let samples = Mutex<[MarketID: OddsPoint.Micro]>([:])
    private let reader = Mutex<(any FeedReader)?>(nil)

    init(
        spikes: SpikeDesk, history: (any HistoryRecorder)?, latency: LatencyMeter = LatencyMeter(),
        clock: any StreamClock
    ) {
        self.spikes = spikes
        self.history = history
        self.latency = latency
        self.clock = clock
    }

    func attached(to reader: any FeedReader) { self.reader.withLock { $0 = reader } }

    /// Reads a token's book at a later moment, and answers then; nil without a book, at once without a source.
    func depth(
        of asset: AssetID, at instant: MonotonicTime,
        _ answer: @escaping @Sendable (TokenDepth?, ReceiveTime) -> Void
    ) {
        guard let reader = self.reader.withLock({ $0 }) else { return answer(nil, self.clock.now()) }
        reader.depth(of: asset, at: instant, answer)
    }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        self.latency.published(snapshot, at: now)
        self.spikes.published(snapshot, at: now)
        guard let history = self.history else { return }
        let micro = self.samples.withLock { $0[snapshot.marketID] }
        history.record(.odds(OddsPoint(snapshot, micro: micro ?? .none)))
    }

    func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {
        guard self.history != nil else { return }
        self.samples.withLock { $0[market.id] = OddsPoint.Micro(microstructure) }
    }

    func ended(_ market: Market, at now: ReceiveTime) {
        self.latency.ended(market.id)
        self.spikes.ended(market, at: now)
        self.samples.withLock { $0[market.id] = nil }
    }

    func resolved(_ resolution: Resolution, at now: ReceiveTime) {
        self.history?.record(
            .market(MarketRecord(resolution, by: resolution.source.rawValue, seen: now.wall)))
    }
}

/// Names for runs.
enum RunName {
    /// Twelve random letters and digits: no two runs have the same.
    static func random() -> String {
        let letters = Array("0123456789abcdefghijklmnopqrstuvwxyz")
        return String((0..<12).map { _ in letters[Int.random(in: letters.indices)] })
    }
}
