import Configuration

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where settings were read from.
struct SettingsOrigin: Sendable {
    let options: [Setting: String]
    let environment: [String: String]
    /// The configuration file; nil when there is none.
    let file: String?

    /// Reads everything again: of the three only the file can have changed.
    func read() throws(ConfigurationError) -> Settings {
        try Settings(options: self.options, environment: self.environment, file: self.file)
    }
}

extension Settings {
    /// Reads options, environment and the configuration file, in this order of precedence.
    ///
    /// - Parameters:
    ///   - options: the text of each option given, lists joined by commas.
    ///   - environment: the process's variables.
    ///   - file: the path of `--config`; nil takes `ODDSTREAM_CONFIG`, and without that there is no file.
    /// - Throws: `ConfigurationError` for unknown variables and keys, an unreadable file and bad values.
    init(
        options: [Setting: String], environment: [String: String], file: String?
    ) throws(ConfigurationError) {
        try Settings.refuseUnknownVariables(environment)
        var sources = [
            SettingsSource(origin: .option, provider: Settings.layer("options", options)),
            SettingsSource(
                origin: .environment,
                provider: EnvironmentVariablesProvider(environmentVariables: environment)
                    .prefixKeys(with: ConfigKey("oddstream"))),
        ]
        let named = environment[Setting.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
        let origin = SettingsOrigin(options: options, environment: environment, file: file ?? named)
        if let path = origin.file {
            let values = try Settings.readFile(path)
            sources.append(SettingsSource(origin: .file(path), provider: Settings.layer(path, values)))
        }
        try self.init(reading: sources)
        self.secrets = Settings.secrets(in: environment)
        self.origin = origin
    }

    private static func layer(_ name: String, _ values: [Setting: String]) -> InMemoryProvider {
        let pairs = values.map {
            (AbsoluteConfigKey([$0.key.rawValue]), ConfigValue(.string($0.value), isSecret: false))
        }
        return InMemoryProvider(name: name, values: Dictionary(uniqueKeysWithValues: pairs))
    }

    /// A misspelt variable that is silently ignored costs somebody an evening.
    private static func refuseUnknownVariables(_ environment: [String: String]) throws(ConfigurationError) {
        let known = Set(Setting.allCases.map(\.variable) + SecretSetting.allCases.map(\.variable))
            .union([Setting.fileVariable])
        let unknown = environment.keys
            .filter { $0.hasPrefix(Setting.variablePrefix) }
            .filter { !known.contains($0) && !Setting.reservedVariables.contains($0) }
            .sorted()
        guard !unknown.isEmpty else { return }
        throw ConfigurationError(
            unknown.map { name in
                let value = "it is set in the environment; unset it or correct its name"
                return .other("There is no variable \(name): \(value).\(Settings.suggestion(for: name, among: known))")
            })
    }

    /// Reads a JSON file whose keys are the options' names.
    static func readFile(_ path: String) throws(ConfigurationError) -> [Setting: String] {
        let values: [String: FileValue]
        do {
            let data = try Data(contentsOf: URL(filePath: path))
            values = try JSONDecoder().decode([String: FileValue].self, from: data)
        } catch let error as DecodingError {
            throw ConfigurationError(
                "The configuration file \(path) is not a JSON object that can be read: \(Settings.reason(error)).")
        } catch {
            throw ConfigurationError(
                "The configuration file \(path) cannot be read. Check the path and its permissions, or leave --config out."
            )
        }
        return try Settings.checked(values, path: path)
    }

    private static func checked(
        _ values: [String: FileValue], path: String
    ) throws(ConfigurationError) -> [Setting: String] {
        var settings: [Setting: String] = [:]
        var faults: [ConfigurationError.Fault] = []
        let known = Set(Setting.allCases.map(\.rawValue))
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let setting = Setting(rawValue: key) else {
                let hint = Settings.suggestion(for: key, among: known)
                faults.append(
                    .other(
                        "There is no key '\(key)' (in \(path)). Keys are the options' names without the dashes.\(hint)")
                )
                continue
            }
            switch value {
            case .null: continue
            case .scalar(let text): settings[setting] = text
            case .list(let words) where setting.kind.isList: settings[setting] = words.joined(separator: ",")
            case .list(let words):
                let text = words.joined(separator: ", ")
                faults.append(
                    .badValue(setting, value: "[\(text)]", origin: .file(path), allowed: setting.kind.allowed))
            case .other:
                faults.append(
                    .badValue(setting, value: "an object", origin: .file(path), allowed: setting.kind.allowed))
            }
        }
        guard faults.isEmpty else { throw ConfigurationError(faults) }
        return settings
    }

    private static func reason(_ error: DecodingError) -> String {
        switch error {
        case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context),
            .keyNotFound(_, let context):
            let cause = context.underlyingError.map { " (\($0))" } ?? ""
            return context.debugDescription.replacing(".", with: "") + cause
        @unknown default: return "\(error)"
        }
    }

    /// ` Did you mean …?` when one of the known names is at most two letters away; else empty.
    static func suggestion(for name: String, among known: Set<String>) -> String {
        let near = known.map { (name: $0, distance: Settings.distance(name, $0)) }
            .filter { $0.distance <= 2 }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        return near.map { " Did you mean \($0.name)?" } ?? ""
    }

    /// Levenshtein's distance: how many letters must be put in, taken out or changed.
    private static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a), Array(b))
        var row = Array(0...b.count)
        for i in 0..<a.count {
            var diagonal = row[0]
            row[0] = i + 1
            for j in 0..<b.count {
                let change = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}

/// A value of the configuration file, as text: numbers keep their spelling, so every layer is checked the same way.
enum FileValue: Decodable, Equatable {
    case null
    case scalar(String)
    case list([String])
    case other

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let values = try? container.decode([FileValue].self) {
            self = .list(
                try values.map { value in
                    if case .scalar(let text) = value { return text }
                    throw DecodingError.dataCorruptedError(
                        in: container, debugDescription: "a list holds only texts and numbers")
                })
        } else {
            self = FileValue.scalar(in: container)
        }
    }

    private static func scalar(in container: any SingleValueDecodingContainer) -> FileValue {
        if let value = try? container.decode(Bool.self) { return .scalar(String(value)) }
        if let value = try? container.decode(Int.self) { return .scalar(String(value)) }
        if let value = try? container.decode(Double.self) { return .scalar(String(value)) }
        if let value = try? container.decode(String.self) { return .scalar(value) }
        return .other
    }
}
