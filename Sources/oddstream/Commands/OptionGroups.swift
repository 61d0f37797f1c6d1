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
