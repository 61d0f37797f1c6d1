/// Words and numbers as all reports write them.
public enum ReportText {
    /// A whole number, its thousands set apart: `76,853`.
    public static func count(_ number: some BinaryInteger) -> String {
        NumberText.fixed(Double(number), decimals: 0)
    }

    /// The nearest whole number; the outermost ones for what is beyond them, and 0 for what is none.
    public static func whole(_ number: Double) -> Int64 {
        guard !number.isNaN else { return 0 }
        let rounded = number.rounded()
        if rounded >= 9.2e18 { return .max }
        return rounded <= -9.2e18 ? -.max : Int64(rounded)
    }

    /// A number with its noun: `1 spike`, `1,204 spikes`.
    public static func count(_ number: some BinaryInteger, _ what: String) -> String {
        "\(ReportText.count(number)) \(what)\(number == 1 ? "" : "s")"
    }

    /// A name that fits a headline: ids of more than 40 characters keep their first ten and last six.
    public static func name(_ text: String) -> String {
        text.count > 40 && text.hasPrefix("0x") ? "\(text.prefix(10))…\(text.suffix(6))" : text
    }

    /// The readable name of something, or its id when it has none.
    public static func name(_ slug: String, or id: String) -> String { ReportText.name(slug.isEmpty ? id : slug) }

    /// A key as words: `priceAboveCap` is `price above cap`, `connection_lost` is `connection lost`.
    public static func words(_ key: String) -> String {
        var text = ""
        for letter in key {
            if letter.isUppercase, text.last.map({ $0.isLowercase || $0.isNumber }) ?? false { text.append(" ") }
            text += letter == "_" ? " " : letter.lowercased()
        }
        return text
    }

    /// A moment in ISO 8601 as people read it: `2026-11-23 01:08:16.984`.
    public static func moment(_ iso8601: String) -> String {
        var text = iso8601.replacing("T", with: " ")
        if text.hasSuffix("Z") { text.removeLast() }
        return text
    }
}
