extension Settings {
    /// What `--print-config` shows: every setting of a command with its value and where that came from.
    func report(_ settings: [(Setting, default: String)]) -> String {
        var rows: [(name: String, value: String, origin: String)] = []
        for (setting, fallback) in settings {
            let entry = self.entries[setting]
            let value = entry.map { $0.values.joined(separator: ",") } ?? fallback
            let origin = entry.map { $0.origin.name(of: setting) } ?? "default"
            rows.append((setting.rawValue, value.isEmpty ? "-" : value, origin))
        }
        let width = rows.map(\.name.count).max() ?? 0
        let valueWidth = min(60, rows.map(\.value.count).max() ?? 0)
        return rows.map { row in
            "\(row.name.padded(to: width))  \(row.value.padded(to: valueWidth))  \(row.origin)"
        }.joined(separator: "\n")
    }
}

extension String {
    /// The text followed by as many spaces as reach the width; longer text stays whole.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - self.count)) }
    /// The text behind as many spaces as reach the width; longer text stays whole.
    func rightAligned(to width: Int) -> String { String(repeating: " ", count: max(0, width - self.count)) + self }
}
