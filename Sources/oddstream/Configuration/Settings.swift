import Configuration
import OddsCore
import OddsSinks
import RealtimeOdds

/// Where a value was found, the strongest first.
enum Origin: Hashable, Sendable {
    case option
    case environment
    case file(String)
    /// The bot that ran beside the recorder of what is replayed.
    case recording

    /// How a message names the setting there: `--http-port`, `ODDSTREAM_HTTP_PORT`, `http-port in oddstream.json`.
    func name(of setting: Setting) -> String {
        switch self {
        case .option: setting.option
        case .environment: setting.variable
        case .file(let path): "\(setting.rawValue) in \(path)"
        case .recording: "the recording"
        }
    }
}

/// One layer of configuration: a provider and the name of its place.
struct SettingsSource: Sendable {
    let origin: Origin
    let provider: any ConfigProvider
}

/// What was set, after precedence and checks: options win over variables, variables over the file.
///
/// Defaults are not here: each stands once, in the configuration type it belongs to.
struct Settings: Sendable {
    /// One setting's values and where they came from; more than one value only where the setting is a list.
    struct Entry: Equatable, Sendable {
        let values: [String]
        let origin: Origin
    }

    private(set) var entries: [Setting: Entry] = [:]
    /// What was given in the variables for secrets.
    var secrets: [SecretSetting: Secret] = [:]

    /// What these were read from, to be read again; nil when they were not read from the program's surroundings.
    var origin: SettingsOrigin?

    /// Reads every setting from the sources, the strongest first.
    ///
    /// - Throws: `ConfigurationError` with a sentence for each value that cannot be used.
    init(reading sources: [SettingsSource]) throws(ConfigurationError) {
        var faults: [ConfigurationError.Fault] = []
        for setting in Setting.allCases {
            for source in sources {
                guard let values = Settings.values(of: setting, in: source) else { continue }
                // `--slug "$SLUG"` without a SLUG must not follow something else without a word.
                for value in values.isEmpty ? [""] : values {
                    guard let allowed = setting.kind.problem(with: value) else { continue }
                    let shown = setting.isSensitive ? "…" : value
                    faults.append(.badValue(setting, value: shown, origin: source.origin, allowed: allowed))
                }
                self.entries[setting] = Entry(values: values, origin: source.origin)
                break
            }
        }
        guard faults.isEmpty else { throw ConfigurationError(faults) }
        self.keepStrongestSelection(sources)
    }

    /// Puts one entry in another's place; nil takes it away.
    mutating func replace(_ setting: Setting, with entry: Entry?) { self.entries[setting] = entry }

    private static func values(of setting: Setting, in source: SettingsSource) -> [String]? {
        let key = AbsoluteConfigKey([setting.rawValue])
        // Every layer holds text, so a value of another type cannot occur and the look-up has nothing to throw.
        guard let found = try? source.provider.value(forKey: key, type: .string).value,
            case .string(let text) = found.content, !text.isEmpty || source.origin == .option
        else { return nil }
        guard setting.kind.isList else { return [text] }
        return text.split(separator: ",").map { part in
            let start = part.drop { $0 == " " }
            return String(start.prefix(through: start.lastIndex { $0 != " " } ?? start.startIndex))
        }
    }

    /// Markets named on the command line replace those of the file, whatever they are named by.
    private mutating func keepStrongestSelection(_ sources: [SettingsSource]) {
        let chosen = sources.first { source in
            Setting.selection.contains { self.entries[$0]?.origin == source.origin }
        }
        guard let chosen else { return }
        for setting in Setting.selection where self.entries[setting]?.origin != chosen.origin {
            self.entries[setting] = nil
        }
    }
}

extension Settings {
    /// The text of a setting; nil when it was not set.
    func text(_ setting: Setting) -> String? { self.entries[setting]?.values.first }
    /// The words of a list; empty when it was not set.
    func words(_ setting: Setting) -> [String] { self.entries[setting]?.values ?? [] }
    /// The number of a whole-number setting; nil when it was not set.
    func integer(_ setting: Setting) -> Int? { self.text(setting).flatMap { Int($0) } }
    /// The number of a decimal setting; nil when it was not set.
    func decimal(_ setting: Setting) -> Double? { self.text(setting).flatMap { Double($0) } }
    /// The time of a duration setting; nil when it was not set.
    func time(_ setting: Setting) -> Duration? { self.text(setting).flatMap { DurationText.parse($0) } }
    /// The time of a duration setting that may be off, where zero means off; nil when it was not set.
    func timeOrZero(_ setting: Setting) -> Duration? {
        self.text(setting).flatMap { DurationText.isZero($0) ? .zero : DurationText.parse($0) }
    }

    /// The markets chosen, in the order series, slugs, condition ids, tokens; `fallback` when none were.
    func markets(default fallback: String) throws(ConfigurationError) -> [MarketSelection] {
        let names = self.words(.series)
        var chosen = try self.series(names).map { MarketSelection.series($0) }
        chosen += self.words(.slug).map { .slug($0) }
        chosen += self.words(.condition).map { .condition(MarketID($0)) }
        if !self.words(.assets).isEmpty { chosen.append(.assets(self.words(.assets).map { AssetID($0) })) }
        if chosen.isEmpty { chosen = try self.series([fallback]).map { .series($0) } }
        return chosen
    }

    /// The series named, or the fallback when none was.
    func series(default fallback: String) throws(ConfigurationError) -> [MarketSeries] {
        try self.series(self.words(.series).isEmpty ? [fallback] : self.words(.series))
    }

    private func series(_ names: [String]) throws(ConfigurationError) -> [MarketSeries] {
        var series: [MarketSeries] = []
        for name in names {
            do {
                series.append(try MarketSeries(name))
            } catch {
                throw ConfigurationError([
                    .badValue(
                        .series, value: name, origin: self.entries[.series]?.origin ?? .option, allowed: error.message)
                ])
            }
        }
        return series
    }
}
