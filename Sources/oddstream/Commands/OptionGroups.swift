import ArgumentParser

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Options as they were typed. Their values are checked later, together with variables and file, by one set of rules.
protocol SettingOptions {
    /// The options given, with their text; a list's values joined by commas.
    var given: [Setting: String] { get }
}

extension Setting {
    /// The settings whose option was typed.
    static func given(_ options: (Setting, String?)...) -> [Setting: String] {
        Dictionary(uniqueKeysWithValues: options.compactMap { setting, text in text.map { (setting, $0) } })
    }
}

/// Which markets.
struct MarketOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.series.rawValue), help: Setting.series.help)
    var series: [String] = []
    @Option(name: .customLong(Setting.slug.rawValue), help: Setting.slug.help)
    var slugs: [String] = []
    @Option(name: .customLong(Setting.condition.rawValue), help: Setting.condition.help)
    var conditions: [String] = []
    @Option(name: .customLong(Setting.assets.rawValue), help: Setting.assets.help)
    var assets: [String] = []

    var given: [Setting: String] {
        let lists: [(Setting, [String])] = [
            (.series, self.series), (.slug, self.slugs), (.condition, self.conditions), (.assets, self.assets),
        ]
        return Dictionary(
            uniqueKeysWithValues: lists.filter { !$0.1.isEmpty }.map { ($0.0, $0.1.joined(separator: ",")) })
    }
}

/// Which exchange.
struct EndpointOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.marketWS.rawValue), help: Setting.marketWS.help)
    var marketWS: String?
    @Option(name: .customLong(Setting.clobREST.rawValue), help: Setting.clobREST.help)
    var clobREST: String?
    @Option(name: .customLong(Setting.gammaREST.rawValue), help: Setting.gammaREST.help)
    var gammaREST: String?
    @Option(name: .customLong(Setting.tlsCA.rawValue), help: Setting.tlsCA.help)
    var tlsCA: String?

    var given: [Setting: String] {
        Setting.given(
            (.marketWS, self.marketWS), (.clobREST, self.clobREST), (.gammaREST, self.gammaREST),
            (.tlsCA, self.tlsCA))
    }
}

/// How it is read.
struct FeedOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.lines.rawValue), help: Setting.lines.help)
    var lines: String?
    @Option(name: .customLong(Setting.renewEvery.rawValue), help: Setting.renewEvery.help)
    var renewEvery: String?
    @Option(name: .customLong(Setting.source.rawValue), help: Setting.source.help)
    var source: String?
    @Option(name: .customLong(Setting.pollInterval.rawValue), help: Setting.pollInterval.help)
    var pollInterval: String?

    var given: [Setting: String] {
        Setting.given(
            (.lines, self.lines), (.renewEvery, self.renewEvery), (.source, self.source),
            (.pollInterval, self.pollInterval))
    }
}

/// What counts as a spike, and what the trading loop does about it.
struct BotOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.basis.rawValue), help: Setting.basis.help)
    var basis: String?
    @Option(name: .customLong(Setting.threshold.rawValue), help: Setting.threshold.help)
    var threshold: String?
    @Option(name: .customLong(Setting.spikeHysteresis.rawValue), help: Setting.spikeHysteresis.help)
    var spikeHysteresis: String?
    @Option(name: .customLong(Setting.spikeSustain.rawValue), help: Setting.spikeSustain.help)
    var spikeSustain: String?
    @Option(name: .customLong(Setting.spikeCooldown.rawValue), help: Setting.spikeCooldown.help)
    var spikeCooldown: String?
    @Option(name: .customLong(Setting.stake.rawValue), help: Setting.stake.help)
    var stake: String?
    @Option(name: .customLong(Setting.priceCap.rawValue), help: Setting.priceCap.help)
    var priceCap: String?
    @Option(name: .customLong(Setting.slippage.rawValue), help: Setting.slippage.help)
    var slippage: String?
    @Option(name: .customLong(Setting.entryAfter.rawValue), help: Setting.entryAfter.help)
    var entryAfter: String?
    @Option(name: .customLong(Setting.entryBeforeEnd.rawValue), help: Setting.entryBeforeEnd.help)
    var entryBeforeEnd: String?
    @Option(name: .customLong(Setting.maximumStake.rawValue), help: Setting.maximumStake.help)
    var maximumStake: String?
    @Option(name: .customLong(Setting.maximumExposure.rawValue), help: Setting.maximumExposure.help)
    var maximumExposure: String?
    @Option(name: .customLong(Setting.maximumDailyLoss.rawValue), help: Setting.maximumDailyLoss.help)
    var maximumDailyLoss: String?
    @Option(name: .customLong(Setting.maximumOrdersPerMinute.rawValue), help: Setting.maximumOrdersPerMinute.help)
    var maximumOrdersPerMinute: String?
    @Option(name: .customLong(Setting.stalePolicy.rawValue), help: Setting.stalePolicy.help)
    var stalePolicy: String?
    @Option(name: .customLong(Setting.killFile.rawValue), help: Setting.killFile.help)
    var killFile: String?
    @Option(name: .customLong(Setting.paperCash.rawValue), help: Setting.paperCash.help)
    var paperCash: String?
    @Option(name: .customLong(Setting.fillDelay.rawValue), help: Setting.fillDelay.help)
    var fillDelay: String?
    @Flag(name: .customLong(Setting.noTrading.rawValue), help: Setting.noTrading.help)
    var noTrading = false
    @Flag(name: .customLong(Setting.alertSpikes.rawValue), help: Setting.alertSpikes.help)
    var alertSpikes = false
    @Flag(name: .customLong(Setting.alertTrades.rawValue), help: Setting.alertTrades.help)
    var alertTrades = false

    var given: [Setting: String] {
        Setting.given(
            (.basis, self.basis), (.threshold, self.threshold), (.spikeHysteresis, self.spikeHysteresis),
            (.spikeSustain, self.spikeSustain), (.spikeCooldown, self.spikeCooldown), (.stake, self.stake),
            (.priceCap, self.priceCap), (.slippage, self.slippage), (.entryAfter, self.entryAfter),
            (.entryBeforeEnd, self.entryBeforeEnd), (.maximumStake, self.maximumStake),
            (.maximumExposure, self.maximumExposure), (.maximumDailyLoss, self.maximumDailyLoss),
            (.maximumOrdersPerMinute, self.maximumOrdersPerMinute), (.stalePolicy, self.stalePolicy),
            (.killFile, self.killFile), (.paperCash, self.paperCash), (.fillDelay, self.fillDelay),
            (.noTrading, self.noTrading ? "true" : nil), (.alertSpikes, self.alertSpikes ? "true" : nil),
            (.alertTrades, self.alertTrades ? "true" : nil))
    }
}

/// Whom a bot of the owner's own hears from.
struct SignalOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.signalWebhook.rawValue), help: Setting.signalWebhook.help)
    var signalWebhook: String?
    @Option(name: .customLong(Setting.signalSecretFile.rawValue), help: Setting.signalSecretFile.help)
    var signalSecretFile: String?
    @Option(name: .customLong(Setting.signalCommand.rawValue), help: Setting.signalCommand.help)
    var signalCommand: String?
    @Option(name: .customLong(Setting.signalKinds.rawValue), help: Setting.signalKinds.help)
    var signalKinds: String?
    @Option(name: .customLong(Setting.signalTimeout.rawValue), help: Setting.signalTimeout.help)
    var signalTimeout: String?
    @Option(name: .customLong(Setting.signalMaxAge.rawValue), help: Setting.signalMaxAge.help)
    var signalMaxAge: String?

    var given: [Setting: String] {
        Setting.given(
            (.signalWebhook, self.signalWebhook), (.signalSecretFile, self.signalSecretFile),
            (.signalCommand, self.signalCommand), (.signalKinds, self.signalKinds),
            (.signalTimeout, self.signalTimeout), (.signalMaxAge, self.signalMaxAge))
    }
}

/// The reference price.
struct ReferenceOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.rtdsWS.rawValue), help: Setting.rtdsWS.help)
    var rtdsWS: String?
    @Flag(name: .customLong(Setting.noReference.rawValue), help: Setting.noReference.help)
    var noReference = false
    @Flag(name: .customLong(Setting.binance.rawValue), help: Setting.binance.help)
    var binance = false

    var given: [Setting: String] {
        Setting.given(
            (.rtdsWS, self.rtdsWS), (.noReference, self.noReference ? "true" : nil),
            (.binance, self.binance ? "true" : nil))
    }
}

/// What is kept.
struct HistoryOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.historyInterval.rawValue), help: Setting.historyInterval.help)
    var historyInterval: String?
    @Option(name: .customLong(Setting.retention.rawValue), help: Setting.retention.help)
    var retention: String?
    @Flag(name: .customLong(Setting.noHistory.rawValue), help: Setting.noHistory.help)
    var noHistory = false

    var given: [Setting: String] {
        Setting.given(
            (.historyInterval, self.historyInterval), (.retention, self.retention),
            (.noHistory, self.noHistory ? "true" : nil))
    }
}

/// Where the API listens and state is kept.
struct ServiceOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.httpHost.rawValue), help: Setting.httpHost.help)
    var httpHost: String?
    @Option(name: .customLong(Setting.httpPort.rawValue), help: Setting.httpPort.help)
    var httpPort: String?
    @Option(name: .customLong(Setting.data.rawValue), help: Setting.data.help)
    var data: String?

    var given: [Setting: String] {
        Setting.given(
            (.httpHost, self.httpHost), (.httpPort, self.httpPort), (.data, self.data))
    }
}

/// What every command takes.
struct GeneralOptions: ParsableArguments, SettingOptions {
    @Option(name: .customLong(Setting.logLevel.rawValue), help: Setting.logLevel.help)
    var logLevel: String?
    @Option(help: ArgumentHelp("A JSON file with settings; its keys are the options' names.", valueName: "file"))
    var config: String?
    @Flag(help: "Show every setting with its value and where that came from, and end.")
    var printConfig = false

    var given: [Setting: String] {
        Setting.given(
            (.logLevel, self.logLevel))
    }

    /// Everything set, from these and the command's other options, the environment and the file.
    func settings(_ groups: any SettingOptions...) throws(ConfigurationError) -> Settings {
        let options = groups.reduce(into: self.given) { $0.merge($1.given) { _, new in new } }
        return try Settings(
            options: options, environment: ProcessInfo.processInfo.environment, file: self.config)
    }
}
