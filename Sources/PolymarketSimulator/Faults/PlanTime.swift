internal import OddsCore

/// Times as plans spell them: `250ms`, `10s`, `1.5m`, `1h`, negative where that means something.
enum PlanTime {
    static let allowed = "a time such as 250ms, 10s, 5m or 1h"
    private static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]
    private static let longest = Duration.seconds(36_000_000)

    /// Nil for anything else, and beyond 10,000 h.
    static func parse(_ text: String) -> Duration? {
        let isNegative = text.hasPrefix("-")
        let digits = isNegative ? text.dropFirst() : text[...]
        guard let unit = Self.units.first(where: { digits.hasSuffix($0.suffix) }) else { return nil }
        let parts = digits.dropLast(unit.suffix.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, Self.areDigits(whole), whole.count <= 12,
            let number = Int64(whole)
        else { return nil }
        var time = Duration.nanoseconds(unit.nanoseconds) * Int(number)
        if parts.count == 2 {
            guard Self.areDigits(parts[1]), parts[1].count <= 9, let fraction = Int64(parts[1]) else { return nil }
            let scale = (0..<parts[1].count).reduce(Int64(1)) { value, _ in value * 10 }
            // At most 1e9 of hundredths of minutes: within 64 bits after the division.
            time += .nanoseconds(Int64(Double(fraction) / Double(scale) * Double(unit.nanoseconds)))
        }
        guard time <= Self.longest else { return nil }
        return isNegative ? .zero - time : time
    }

    private static func areDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    /// The time to the millisecond, so that `parse` gives it back.
    static func text(_ time: Duration) -> String {
        let milliseconds = time.wholeNanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}
