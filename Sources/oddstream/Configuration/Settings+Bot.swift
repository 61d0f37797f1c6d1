import OddsCore
import OddsTrading

extension Settings {
    /// Whether a flag is set.
    func flag(_ setting: Setting) -> Bool { self.text(setting) == "true" }

    /// What counts as a spike.
    var spikeDetector: SpikeDetectorConfiguration {
        var configuration = SpikeDetectorConfiguration()
        configuration.basis = self.basis ?? configuration.basis
        configuration.threshold = self.odds(.threshold) ?? configuration.threshold
        configuration.hysteresis = self.odds(.spikeHysteresis) ?? configuration.hysteresis
        configuration.sustain = self.timeOrZero(.spikeSustain) ?? configuration.sustain
        configuration.cooldown = self.timeOrZero(.spikeCooldown) ?? configuration.cooldown
        return configuration
    }

    /// What counts as a spike, in the program that tells of them.
    ///
    /// - Throws: `ConfigurationError` when no spike could ever fall back.
    func usableSpikeDetector() throws(ConfigurationError) -> SpikeDetectorConfiguration {
        let configuration = self.spikeDetector
        guard configuration.hysteresis < configuration.threshold else {
            throw ConfigurationError(
                """
                --spike-hysteresis \(configuration.hysteresis) is not less than --threshold \(configuration.threshold): \
                no spike would fall back. Change one of them.
                """)
        }
        return configuration
    }

    /// What is bought; `entry` is when, unless it is set.
    func strategy(entry: EntryWindow) -> ThresholdStrategy {
        var strategy = ThresholdStrategy()
        strategy.basis = self.basis ?? strategy.basis
        strategy.threshold = self.odds(.threshold) ?? strategy.threshold
        strategy.priceCap = self.price(.priceCap) ?? strategy.priceCap
        strategy.slippage = self.price(.slippage) ?? strategy.slippage
        strategy.stake = self.money(.stake) ?? strategy.stake
        strategy.entry = EntryWindow(
            opensAfterStart: self.timeOrZero(.entryAfter) ?? entry.opensAfterStart,
            closesBeforeEnd: self.timeOrZero(.entryBeforeEnd) ?? entry.closesBeforeEnd)
        return strategy
    }

    /// Why nothing would be bought in the windows of a series; nil when there is time to.
    func missingTime(in series: MarketSeries, _ entry: EntryWindow) -> String? {
        guard series.period <= entry.opensAfterStart + entry.closesBeforeEnd else { return nil }
        return """
            Nothing will be bought in \(series.name): its windows take \(DurationText.setting(series.period)), \
            --entry-after is \(DurationText.setting(entry.opensAfterStart)) and --entry-before-end \
            \(DurationText.setting(entry.closesBeforeEnd)). Make one of them shorter.
            """
    }

    /// How much may be risked, and on which odds.
    ///
    /// - Throws: `ConfigurationError` when nothing could ever be bought with what is set.
    func riskCheck(_ strategy: ThresholdStrategy) throws(ConfigurationError) -> RiskCheck {
        var limits = RiskLimits()
        limits.maximumStake = self.money(.maximumStake) ?? limits.maximumStake
        limits.maximumExposure = self.money(.maximumExposure) ?? limits.maximumExposure
        limits.maximumDailyLoss = self.money(.maximumDailyLoss) ?? limits.maximumDailyLoss
        limits.maximumOrdersPerMinute = self.integer(.maximumOrdersPerMinute) ?? limits.maximumOrdersPerMinute
        let dearest = strategy.dearestEntry
        if let most = limits.maximumStake, dearest > most {
            throw ConfigurationError(
                """
                --stake \(strategy.stake) is up to \(dearest) with the fee, and --max-stake is \(most): orders would be \
                refused. Change one of them.
                """)
        }
        if let most = limits.maximumExposure, strategy.stake > most {
            throw ConfigurationError(
                """
                --stake \(strategy.stake) is more than --max-exposure \(most): every order would be refused. \
                Change one of them.
                """)
        }
        if strategy.priceCap.odds < strategy.threshold {
            throw ConfigurationError(
                """
                --price-cap \(strategy.priceCap) lies below --threshold \(strategy.threshold): nothing would be bought. \
                Change one of them.
                """)
        }
        return RiskCheck(
            limits: limits, stalePolicy: self.text(.stalePolicy).flatMap { StalePolicy(text: $0) } ?? .warn)
    }

    /// What a new paper account begins with: 1,000 dollars unless it is set.
    var paperCash: Money { self.money(.paperCash) ?? Settings.defaultPaperCash }
    /// How long a paper order takes to the venue.
    var fillDelay: Duration { self.timeOrZero(.fillDelay) ?? Settings.defaultFillDelay }

    private static let defaultPaperCash: Money = 1000
    private static let defaultFillDelay = Duration.milliseconds(250)

    private var basis: OddsBasis? { self.text(.basis).flatMap { OddsBasis(rawValue: $0) } }

    private func odds(_ setting: Setting) -> Odds? {
        self.decimal(setting).map { Odds(floatLiteral: $0) }
    }

    private func price(_ setting: Setting) -> Price? {
        self.decimal(setting).map { Price(floatLiteral: $0) }
    }

    private func money(_ setting: Setting) -> Money? {
        self.decimal(setting).map { Money(floatLiteral: $0) }
    }

    /// What `--print-config` shows of spikes and trading.
    static func botReport(entry: EntryWindow, cooldown: Duration? = nil) -> [(Setting, default: String)] {
        let spikes = SpikeDetectorConfiguration()
        let strategy = ThresholdStrategy()
        let limits = RiskLimits()
        func text(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "" }
        return [
            (.basis, spikes.basis.rawValue), (.threshold, "\(spikes.threshold)"),
            (.spikeHysteresis, "\(spikes.hysteresis)"), (.spikeSustain, DurationText.setting(spikes.sustain)),
            (.spikeCooldown, DurationText.setting(cooldown ?? spikes.cooldown)), (.noTrading, "false"),
            (.stake, "\(strategy.stake)"), (.priceCap, "\(strategy.priceCap)"), (.slippage, "\(strategy.slippage)"),
            (.entryAfter, DurationText.setting(entry.opensAfterStart)),
            (.entryBeforeEnd, DurationText.setting(entry.closesBeforeEnd)),
            (.maximumStake, text(limits.maximumStake)), (.maximumExposure, text(limits.maximumExposure)),
            (.maximumDailyLoss, text(limits.maximumDailyLoss)),
            (.maximumOrdersPerMinute, text(limits.maximumOrdersPerMinute)), (.stalePolicy, "warn"), (.killFile, ""),
            (.paperCash, "\(Settings.defaultPaperCash)"), (.fillDelay, DurationText.setting(Settings.defaultFillDelay)),
            (.alertSpikes, "false"), (.alertTrades, "false"),
        ]
    }
}

extension ThresholdStrategy {
    /// The most one entry can cost with the usual fee, which is highest at the lowest price that is bought.
    var dearestEntry: Money {
        let price = Price(rawValue: Swift.max(1, self.threshold.rawValue / 100))
        return self.stake + FeeSchedule.crypto.fee(on: Lot.affordable(self.stake, at: price), at: price)
    }
}

extension StalePolicy {
    /// The policy from its text: `warn`, `halt`, or the age that odds may have.
    init?(text: String) {
        switch text {
        case "warn": self = .warn
        case "halt": self = .halt
        default:
            guard let age = DurationText.parse(text) else { return nil }
            self = .maximumAge(age)
        }
    }
}
