/// One thing the doctor looked at.
struct Finding: Equatable, Sendable {
    enum Verdict: String, Sendable {
        case ok, warn, fail
    }

    let verdict: Verdict
    let subject: String
    /// What was found, and what to do about it.
    let text: String
    /// Whether the exchange is concerned, not this machine.
    var isExchange = false

    init(_ verdict: Verdict, _ subject: String, _ text: String, isExchange: Bool = false) {
        self.verdict = verdict
        self.subject = subject
        self.text = text
        self.isExchange = isExchange
    }
}

/// The doctor's findings as lines.
struct DoctorReport {
    let style: TextStyle

    /// `ok    clock          0.4 s behind the exchange`.
    func line(_ finding: Finding) -> String {
        let rendition =
            switch finding.verdict {
            case .ok: "32"
            case .warn: "33"
            case .fail: "1;31"
            }
        let word = self.style.dressed(finding.verdict.rawValue.padded(to: 5), rendition)
        let indent = "\n" + String(repeating: " ", count: 22)
        return "\(word) \(finding.subject.padded(to: 15)) \(finding.text.replacing("\n", with: indent))"
    }
}
