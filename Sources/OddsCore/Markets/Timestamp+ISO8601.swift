extension Timestamp {
    /// Reads a date and time with its zone, as the venue writes them: `2026-04-29T02:00:00Z`,
    /// `2026-04-29T02:00:00.123456Z`, `2026-04-29 02:00:00+00`.
    ///
    /// The fraction may have any length and is cut to milliseconds; the zone is `Z` or `±hh`, `±hhmm`, `±hh:mm`. Nil for
    /// anything else, such as a date without a zone or the 31st of June.
    public init?(iso8601 text: some StringProtocol) {
        var rest = Array(text.utf8)[...]
        func number(_ digits: Int) -> Int64? {
            guard rest.count >= digits else { return nil }
            var value: Int64 = 0
            for byte in rest.prefix(digits) {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            rest.removeFirst(digits)
            return value
        }
        func take(_ allowed: String) -> UInt8? {
            guard let byte = rest.first, allowed.utf8.contains(byte) else { return nil }
            rest.removeFirst()
            return byte
        }
        guard let year = number(4), take("-") != nil, let month = number(2), take("-") != nil, let day = number(2),
            take("Tt ") != nil, let hour = number(2), take(":") != nil, let minute = number(2), take(":") != nil,
            let second = number(2)
        else { return nil }
        var milliseconds: Int64 = 0
        if take(".") != nil {
            var scale: Int64 = 100
            guard let first = rest.first, first >= 0x30, first <= 0x39 else { return nil }
            while let digit = number(1) {
                milliseconds += digit * scale
                scale /= 10
            }
        }
        var zone: Int64 = 0
        switch take("Zz+-") {
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            let isEast = text.utf8.dropLast(rest.count).last == UInt8(ascii: "+")
            guard let hours = number(2), hours < 24 else { return nil }
            let endsWithHours = rest.isEmpty
            _ = take(":")
            let minutes = endsWithHours ? 0 : number(2)
            guard let minutes, minutes < 60 else { return nil }
            zone = (hours * 60 + minutes) * (isEast ? 60 : -60)
        case .some: break
        case nil: return nil
        }
        let dayNumber = EasternTime.day(year: year, month: month, day: day)
        guard rest.isEmpty, (1...12).contains(month), EasternTime.date(day: dayNumber) == (year, month, day),
            hour < 24, minute < 60, second < 61
        else { return nil }
        let seconds = dayNumber * 86_400 + hour * 3600 + minute * 60 + second - zone
        self.init(milliseconds: seconds * 1000 + milliseconds)
    }

    /// The date and time in UTC: `2026-04-29T02:00:00Z`, with milliseconds only when there are any.
    public var iso8601: String {
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let day = self.seconds.flooredQuotient(86_400)
        let date = EasternTime.date(day: day)
        let second = self.seconds - day * 86_400
        let fraction = self.milliseconds - self.seconds * 1000
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
            + (fraction == 0 ? "" : ".\(padded(fraction, 3))") + "Z"
    }
}
