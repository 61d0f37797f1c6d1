extension Settings {
    /// What `--print-config` shows: every setting of a command with its value and where that came from.
    ///
    /// Of secrets it shows only whether and where they are set, of addresses that may hold one only the host.
    func report(_ settings: [(Setting, default: String)], secrets: [SecretSetting] = []) -> String {
        var rows: [(name: String, value: String, origin: String)] = []
        for (setting, fallback) in settings {
            let entry = self.entries[setting]
            var value = entry.map { $0.values.joined(separator: ",") } ?? fallback
            if setting.isSensitive { value = Settings.withoutPath(value) }
            let origin = entry.map { $0.origin.name(of: setting) } ?? "default"
            rows.append((setting.rawValue, value.isEmpty ? "-" : value, origin))
        }
        for secret in secrets {
            let isSet = self.secrets[secret] != nil
            rows.append((secret.rawValue, isSet ? "(set, not shown)" : "-", isSet ? secret.variable : "default"))
        }
        let width = rows.map(\.name.count).max() ?? 0
        let valueWidth = min(60, rows.map(\.value.count).max() ?? 0)
        return rows.map { row in
            "\(row.name.padded(to: width))  \(row.value.padded(to: valueWidth))  \(row.origin)"
        }.joined(separator: "\n")
    }

    private static func withoutPath(_ address: String) -> String {
        guard let mark = address.firstRange(of: "://") else { return address }
        let host = address[mark.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let rest = address[host.endIndex...]
        return address[..<host.endIndex] + (rest.isEmpty ? "" : "/…")
    }
}

extension String {
    /// The text followed by as many spaces as reach the width; longer text stays whole.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - self.count)) }
    /// The text behind as many spaces as reach the width; longer text stays whole.
    func rightAligned(to width: Int) -> String { String(repeating: " ", count: max(0, width - self.count)) + self }
}
