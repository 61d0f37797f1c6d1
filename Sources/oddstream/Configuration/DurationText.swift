import OddsCore

/// Times as people type and read them.
enum DurationText {
    private static let units: [(suffix: String, nanoseconds: Double)] = [
        ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86_400e9),
    ]

    /// A time such as `500ms`, `30s`, `1.5m`, `1h` or `30d`, from 1 ms to 10,000 h; nil when the text is anything else.
    static func parse(_ text: String) -> Duration? {
        guard let unit = DurationText.units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let number = text.dropLast(unit.suffix.count)
        guard !number.isEmpty, number.allSatisfy({ ($0.isASCII && $0.isNumber) || $0 == "." }),
            let value = Double(number)
        else { return nil }
        let nanoseconds = value * unit.nanoseconds
        guard nanoseconds >= 1e6, nanoseconds <= 10_000 * 3600e9 else { return nil }
        return .nanoseconds(Int64(nanoseconds.rounded()))
    }

    /// Whether the text says no time at all: `0`, with or without a unit.
    static func isZero(_ text: String) -> Bool {
        let unit = DurationText.units.first { text.hasSuffix($0.suffix) }?.suffix ?? ""
        return text.dropLast(unit.count) == "0"
    }

    /// A time as it is typed: `0`, `250ms`, `30s`, `15m`, `2h`, `30d`.
    static func setting(_ duration: Duration) -> String {
        let nanoseconds = duration.wholeNanoseconds
        let unit = DurationText.units.last { nanoseconds.isMultiple(of: Int64($0.nanoseconds)) }
        guard nanoseconds != 0, let unit else { return nanoseconds == 0 ? "0" : "\(duration.secondsValue)s" }
        return "\(nanoseconds / Int64(unit.nanoseconds))\(unit.suffix)"
    }

    /// A time left or passed, to the second: `4:59`, `1:02:03`; negative times begin with `-`.
    static func clock(_ duration: Duration) -> String {
        let seconds = abs(duration.components.seconds)
        let sign = duration.components.seconds < 0 ? "-" : ""
        let tail = "\(DurationText.two(seconds / 60 % 60)):\(DurationText.two(seconds % 60))"
        guard seconds >= 3600 else { return sign + (tail.hasPrefix("0") ? String(tail.dropFirst()) : tail) }
        return "\(sign)\(seconds / 3600):\(tail)"
    }

    /// An age, in as many digits as matter: `12 ms`, `1.4 s`, `37 s`, `5 min`, `3 h`.
    static func age(_ duration: Duration) -> String {
        let seconds = duration.secondsValue
        if seconds < 1 { return "\(Int((seconds * 1000).rounded(.down))) ms" }
        if seconds < 10 { return "\(DurationText.oneDecimal(seconds)) s" }
        if seconds < 120 { return "\(Int(seconds)) s" }
        if seconds < 7200 { return "\(Int(seconds / 60)) min" }
        return "\(Int(seconds / 3600)) h"
    }

    /// A number with one decimal, rounded down.
    static func oneDecimal(_ value: Double) -> String {
        let tenths = Int64((value * 10).rounded(.down))
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// Signed milliseconds as seconds with one decimal: `-58.2 s`, `+0.3 s`.
    static func signedSeconds(milliseconds: Int64) -> String {
        let tenths = (abs(milliseconds) + 50) / 100
        return "\(milliseconds < 0 ? "-" : "+")\(tenths / 10).\(tenths % 10) s"
    }

    static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// Moments as people read them, in UTC.
enum ClockText {
    /// `14:55:01`.
    static func seconds(_ time: Timestamp) -> String {
        let second = time.seconds - time.seconds.flooredQuotient(86_400) * 86_400
        return
            "\(DurationText.two(second / 3600)):\(DurationText.two(second / 60 % 60)):\(DurationText.two(second % 60))"
    }

    /// `14:55:01.123`.
    static func milliseconds(_ time: Timestamp) -> String {
        let part = time.milliseconds - time.seconds * 1000
        return ClockText.seconds(time) + "." + (part < 100 ? "0" : "") + DurationText.two(part)
    }

    /// `14:55`.
    static func minutes(_ time: Timestamp) -> String { String(ClockText.seconds(time).dropLast(3)) }

    /// `2026-11-22T14:55:01.123Z`.
    static func full(_ time: Timestamp) -> String {
        // Howard Hinnant's civil-from-days: the era of 400 years makes every year begin in March.
        let days = time.seconds.flooredQuotient(86_400) + 719_468
        let era = days.flooredQuotient(146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(year)-\(DurationText.two(month))-\(DurationText.two(day))T\(ClockText.milliseconds(time))Z"
    }
}
