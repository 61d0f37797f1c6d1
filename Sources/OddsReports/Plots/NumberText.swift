/// Numbers as people read them, in plain decimals with a point; thousands are set apart by a comma.
enum NumberText {
    /// With so many decimals, `1,234.50`.
    static func fixed(_ value: Double, decimals: Int) -> String {
        guard value.isFinite else { return "–" }
        guard abs(value) < 1e15 else { return "\(value)" }
        var unit: Int64 = 1
        for _ in 0..<max(0, min(decimals, 9)) { unit *= 10 }
        guard abs(value) * Double(unit) < 9e18 else { return NumberText.fixed(value, decimals: 0) }
        let scaled = Int64((value * Double(unit)).rounded())
        let whole = scaled.magnitude / UInt64(unit)
        let rest = scaled.magnitude % UInt64(unit)
        var text = (scaled < 0 ? "−" : "") + NumberText.grouped(whole)
        if unit > 1 {
            let digits = String(rest)
            text += "." + String(repeating: "0", count: String(unit).count - 1 - digits.count) + digits
        }
        return text
    }

    /// With as many digits as tell, about three: `0.0123`, `4.56`, `78.9`, `1,234`; zeros at the end are left out.
    static func significant(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "–" }
        var decimals = 2
        var magnitude = abs(value)
        while magnitude >= 10, decimals > 0 {
            magnitude /= 10
            decimals -= 1
        }
        while magnitude < 1, decimals < 9 {
            magnitude *= 10
            decimals += 1
        }
        return NumberText.trimmed(NumberText.fixed(value, decimals: decimals))
    }

    /// In thousands and millions when it is large: `950`, `1.2 k`, `34 k`, `1.2 M`.
    static func short(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let scales: [(Double, String)] = [(1e9, " G"), (1e6, " M"), (1e3, " k")]
        for (scale, name) in scales where abs(value) >= scale * 0.9995 {
            let scaled = value / scale
            return NumberText.trimmed(NumberText.fixed(scaled, decimals: abs(scaled) < 9.95 ? 1 : 0)) + name
        }
        return NumberText.trimmed(NumberText.fixed(value, decimals: abs(value) < 9.95 ? 1 : 0))
    }

    private static func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        var text = text
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    private static func grouped(_ value: UInt64) -> String {
        let digits = Array(String(value))
        guard digits.count > 3 else { return String(digits) }
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }
}
