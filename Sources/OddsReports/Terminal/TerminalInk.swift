/// Text as a terminal can show it: colours, signs and widths.
struct TerminalInk: Sendable {
    let colour: Bool
    let unicode: Bool

    /// How text is dressed.
    enum Dress: Equatable {
        case plain, strong, soft
        case tone(ReportDocument.Tone)

        /// Green, red, or yellow for what cannot be told.
        init(_ isMet: Bool?) { self = .tone(isMet.map { $0 ? .good : .bad } ?? .warning) }

        fileprivate var rendition: String? {
            switch self {
            case .plain, .tone(.neutral): nil
            case .strong: "1"
            case .soft: "2"
            case .tone(.good): "1;32"
            case .tone(.warning): "1;33"
            case .tone(.bad): "1;31"
            case .tone(.first): "36"
            case .tone(.second): "33"
            case .tone(.third): "35"
            case .tone(.fourth): "34"
            }
        }
    }

    var ellipsis: String { self.unicode ? "…" : "..." }

    /// A check, a cross, a question mark.
    func sign(_ isMet: Bool?) -> String {
        guard self.unicode else { return isMet.map { $0 ? "+" : "x" } ?? "?" }
        return isMet.map { $0 ? "✓" : "✗" } ?? "?"
    }

    /// The text in colour, when there is any.
    func dressed(_ text: String, _ dress: Dress) -> String {
        guard self.colour, let rendition = dress.rendition, !text.isEmpty else { return self.plain(text) }
        return "\u{1B}[\(rendition)m\(self.plain(text))\u{1B}[0m"
    }

    /// The text as the terminal's characters allow.
    private func plain(_ text: String) -> String {
        guard !self.unicode, !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        let replacements: [Character: String] = [
            "−": "-", "–": "-", "—": "-", "…": ".", "±": "+/-", "µ": "u", "μ": "u", "→": ">", "×": "x", "≥": ">=",
            "≤": "<=", "·": "-", "€": "EUR", "\u{A0}": " ", "\u{202F}": " ", "✓": "+", "✗": "x",
        ]
        return text.map { $0.isASCII ? String($0) : replacements[$0] ?? "?" }.joined()
    }

    /// How many columns a text takes; it holds no control characters and no colours.
    func width(_ text: String) -> Int { self.plain(text).reduce(0) { $0 + self.width($1) } }

    private func width(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first, scalar.value >= 0x1100 else { return 1 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }

    /// Harmless text, cut to so many columns, the cut marked.
    func cut(_ text: String, to width: Int) -> String {
        let text = self.plain(PlainText.visible(text))
        guard self.width(text) > width else { return text }
        let mark = self.unicode ? "…" : "~"
        var (result, used) = ("", 0)
        for character in text {
            let next = self.width(character)
            guard used + next < width else { break }
            result.append(character)
            used += next
        }
        return width > 0 ? result + mark : ""
    }

    func padded(_ text: String, to width: Int) -> String {
        let text = self.plain(text)
        return text + String(repeating: " ", count: max(0, width - self.width(text)))
    }

    func rightAligned(_ text: String, to width: Int) -> String {
        let text = self.plain(text)
        return String(repeating: " ", count: max(0, width - self.width(text))) + text
    }

    /// The text without spaces at its end.
    func trimmed(_ text: String) -> String {
        guard let end = text.lastIndex(where: { $0 != " " }) else { return "" }
        return String(text[...end])
    }

    /// Harmless text in lines of so many columns, broken between words; a word that is longer is cut.
    func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in self.plain(PlainText.visible(text)).split(separator: " ") {
            let word = self.cut(String(word), to: width)
            if line.isEmpty {
                line = word
            } else if self.width(line) + 1 + self.width(word) <= width {
                line += " " + word
            } else {
                lines.append(line)
                line = word
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
