/// Text on its way into the page.
enum Markup {
    /// The text as content or as the value of an attribute: nothing in it is markup, nothing in it is invisible.
    static func escaped(_ text: String) -> String {
        let visible = PlainText.visible(text)
        guard visible.utf8.contains(where: { Markup.isSpecial($0) }) else { return visible }
        var result = ""
        result.reserveCapacity(visible.utf8.count + 16)
        for scalar in visible.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The text with what stands between two backticks set as code.
    static func prose(_ text: String) -> String {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        // An odd one means nothing.
        guard parts.count % 2 == 1 else { return Markup.escaped(text) }
        return parts.enumerated().map { index, part in
            index % 2 == 0 ? Markup.escaped(String(part)) : "<code>\(Markup.escaped(String(part)))</code>"
        }.joined()
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "&") || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">")
            || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }

    /// A coordinate with one decimal at most.
    static func number(_ value: Double) -> String {
        let tenths = ReportText.whole(value * 10)
        let sign = tenths < 0 ? "-" : ""
        let (whole, rest) = (tenths.magnitude / 10, tenths.magnitude % 10)
        return rest == 0 ? "\(sign)\(whole)" : "\(sign)\(whole).\(rest)"
    }

    /// A place from 0 to 1 in per cent.
    static func percent(_ position: Double) -> String {
        let hundredths = ReportText.whole(position * 10_000)
        let (whole, rest) = (hundredths / 100, hundredths % 100)
        if rest == 0 { return "\(whole)%" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)%" : "\(whole).\(rest < 10 ? "0" : "")\(rest)%"
    }
}
