internal import OddsCore

extension PlannedFault {
    /// The fault as a plan has it: JSON in one line.
    package var json: String { FaultText.json(self) }
}

extension SimulatorFault {
    /// The fault in words: `freeze of line 1, down, for 8.45 s`.
    package var text: String {
        var parts: [String] = []
        switch self.target.line {
        case .number(let number): parts.append("line \(number)")
        case .newest: parts.append("the newest line")
        case .oldest: parts.append("the oldest line")
        case nil: break
        }
        switch self.target.subject {
        case .asset(let id): parts.append("token \(id.count > 16 ? "\(id.prefix(6))…\(id.suffix(4))" : id)")
        case .current(let outcome, let series): parts.append("\(outcome.rawValue)\(series.map { " of \($0)" } ?? "")")
        case .outcome(let outcome, let slug): parts.append("\(outcome.rawValue) of \(slug)")
        case .slug(let name), .series(let name): parts.append(name)
        case nil: break
        }
        if let api = self.target.api { parts.append(api.rawValue) }
        var text = self.kind.name.rawValue
        if !parts.isEmpty { text += " of " + parts.joined(separator: ", ") }
        guard let duration = self.duration else { return text }
        let hundredths = duration.wholeNanoseconds / 10_000_000
        let rest = hundredths % 100
        let digits = rest == 0 ? "" : rest < 10 ? ".0\(rest)" : ".\(rest % 10 == 0 ? rest / 10 : rest)"
        return text + "\(parts.isEmpty ? "" : ",") for \(hundredths / 100)\(digits) s"
    }
}
