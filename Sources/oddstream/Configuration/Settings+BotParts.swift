import Logging
import OddsCore
import OddsSinks
import OddsStore
import OddsTrading
import RealtimeOdds

extension Settings {
    /// Whether a history is to be kept where there is a directory for it.
    private var wantsHistory: Bool { !self.flag(.noHistory) }

    /// The history; nil without a directory, when none is wanted, and in a program that was built without SQLite.
    ///
    /// - Throws: `ConfigurationError` when what is set cannot be used.
    func historyStore(
        directory: String?, clock: any StreamClock, logger: Logger
    ) throws(ConfigurationError) -> HistoryStore? {
        guard let directory, self.wantsHistory else { return nil }
        guard HistoryStore.isAvailable else {
            logger.notice("No history is kept: this program was built without SQLite (make build has it)")
            return nil
        }
        var configuration = HistoryStoreConfiguration(directory: directory)
        configuration.oddsInterval = self.time(.historyInterval) ?? configuration.oddsInterval
        if let retention = self.timeOrZero(.retention) {
            configuration.oddsRetention = retention == .zero ? nil : retention
            configuration.referenceRetention = configuration.oddsRetention
        }
        do {
            return try HistoryStore(configuration: configuration, clock: clock, logger: logger)
        } catch {
            throw ConfigurationError(error.message)
        }
    }

    /// The record of trades and what it holds; none without a directory, or when nothing is traded.
    ///
    /// - Throws: `ProgramFailure` when there is one that cannot be used.
    func tradingJournal(
        directory: String?, logger: Logger
    ) throws(ProgramFailure) -> (journal: TradingJournal?, record: [JournalEntry]) {
        guard let directory, !self.flag(.noTrading) else { return (nil, []) }
        let lines: [[UInt8]]
        let journal: TradingJournal
        do {
            (journal, lines) = try TradingJournal.open(directory: directory)
        } catch {
            throw ProgramFailure(status: .configuration, message: error.message)
        }
        if let torn = journal.tornTail {
            logger.warning(
                "The record of trades ended in the middle of a write; what was not whole was cut off",
                metadata: ["record.bytes": "\(torn.length)", "file.path": "\(torn.keptIn ?? "")"])
        }
        return (journal, try TradeRecorder.entries(lines, path: "\(directory)/\(TradingJournal.fileName)"))
    }

    /// Where signals go; nil when nobody wants them.
    ///
    /// - Throws: `ConfigurationError` when an address or a command cannot be used.
    func signalDispatcher(
        clock: any StreamClock, logger: Logger, history: HistoryStore?
    ) throws(ConfigurationError) -> SignalDispatcher? {
        var configuration = SignalDispatcherConfiguration()
        // The program has this long for its whole end.
        configuration.drainLimit = .milliseconds(800)
        do {
            let kinds = try self.entries[.signalKinds].map {
                try Set<Signal.Kind>(parsing: $0.values.joined(separator: ","))
            }
            if let url = self.text(.signalWebhook) {
                var webhook = SignalWebhookConfiguration(url: url, secret: try self.secret(.signalSecret))
                webhook.kinds = kinds ?? webhook.kinds
                webhook.timeout = self.time(.signalTimeout) ?? webhook.timeout
                webhook.outbox.maximumAge = self.time(.signalMaxAge) ?? webhook.outbox.maximumAge
                configuration.webhooks.append(webhook)
            } else if try self.secret(.signalSecret) != nil {
                throw ConfigurationError("Signals have a secret but no address: give --signal-webhook.")
            }
            if let line = self.text(.signalCommand) {
                var command = try SignalCommandConfiguration(commandLine: line)
                command.kinds = kinds ?? command.kinds
                command.timeout = self.time(.signalTimeout) ?? command.timeout
                // The drain and this together leave the rest of the program's end some time.
                command.grace = .milliseconds(500)
                command.outbox.maximumAge = self.time(.signalMaxAge) ?? command.outbox.maximumAge
                configuration.commands.append(command)
            }
            guard !configuration.isEmpty else {
                guard kinds == nil else {
                    throw ConfigurationError(
                        "--signal-kinds chooses among signals that nobody gets: give --signal-webhook or --signal-command."
                    )
                }
                return nil
            }
            return try SignalDispatcher(configuration: configuration, clock: clock, logger: logger) { delivery in
                history?.record(.signal(SignalRecord(delivery)))
            }
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError("\(error)")
        }
    }

    /// Where the reference price comes from; nil when it is not wanted.
    ///
    /// - Parameters:
    ///   - series: whose prices are followed from the start, before the first market is found.
    ///   - rtds: the address, in place of what is set.
    func reference(series: [MarketSeries], rtds: String? = nil) -> ReferencePriceConfiguration? {
        guard !self.flag(.noReference) else { return nil }
        var configuration = ReferencePriceConfiguration()
        configuration.url = rtds ?? self.text(.rtdsWS) ?? configuration.url
        configuration.symbols = Set(series.compactMap { ReferenceSettlement.symbol(ofSlug: "\($0.name)-0") })
        configuration.binance = self.flag(.binance)
        configuration.certificateAuthorityFile = rtds == nil ? self.text(.tlsCA) : nil
        return configuration
    }

    /// What `--print-config` shows of signals.
    static var signalReport: [(Setting, default: String)] {
        [
            (.signalWebhook, ""), (.signalSecretFile, ""), (.signalCommand, ""), (.signalKinds, "all"),
            (.signalTimeout, "5s, a command 10s"),
            (.signalMaxAge, DurationText.setting(SignalOutbox.Configuration().maximumAge)),
        ]
    }

    /// What `--print-config` shows of the reference price.
    static var referenceReport: [(Setting, default: String)] {
        [(.rtdsWS, ReferencePriceConfiguration().url), (.noReference, "false"), (.binance, "false")]
    }

    /// What `--print-config` shows of the history.
    static var historyReport: [(Setting, default: String)] {
        let history = HistoryStoreConfiguration(directory: "")
        return [
            (.noHistory, "false"), (.historyInterval, DurationText.setting(history.oddsInterval)),
            (.retention, DurationText.setting(history.oddsRetention ?? .zero)),
        ]
    }
}

extension SignalRecord {
    /// A delivery as the history keeps it.
    init(_ delivery: SignalDelivery) {
        let code = delivery.httpStatus.map { "HTTP \($0)" } ?? delivery.exitCode.map { "exit \($0)" }
        let detail = [code, delivery.error].compactMap { $0 }.joined(separator: ": ")
        self.init(
            id: delivery.id, kind: delivery.kind.rawValue, sink: delivery.sink, market: delivery.market,
            attempts: delivery.attempts, outcome: delivery.outcome.rawValue, detail: detail.isEmpty ? nil : detail,
            time: delivery.last)
    }
}

extension ReferencePriceRecord {
    /// A price as the history keeps it.
    init(_ tick: ReferenceTick, at now: ReceiveTime) {
        self.init(
            symbol: tick.feed.symbol, source: tick.feed.topic.rawValue, price: tick.price.doubleValue, time: tick.time,
            received: now.wall)
    }
}
