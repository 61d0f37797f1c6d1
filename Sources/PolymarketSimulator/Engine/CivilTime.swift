internal import OddsCore

/// Calendar spelling of Unix time, in UTC and in the Eastern time of the venue's titles.
struct CivilTime: Sendable {
    var year: Int64
    var month: Int64
    var day: Int64
    var hour: Int64
    var minute: Int64
    var second: Int64

    private static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// The calendar reading of whole Unix seconds in UTC.
    init(utc seconds: Int64) {
        // Days to date after Howard Hinnant's "chrono-compatible low-level date algorithms".
        let days = seconds.flooredQuotient(86_400)
        let rest = seconds - days * 86_400
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * month + 2) / 5 + 1
        self.month = month < 10 ? month + 3 : month - 9
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
        self.hour = rest / 3600
        self.minute = rest % 3600 / 60
        self.second = rest % 60
    }

    /// The calendar reading in US Eastern time.
    init(eastern time: Timestamp) { self.init(utc: time.seconds + EasternTime.offset(at: time)) }

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// `2026-06-08`.
    var date: String { "\(self.year)-\(Self.two(self.month))-\(Self.two(self.day))" }
    /// `00:05:00`.
    var time: String { "\(Self.two(self.hour)):\(Self.two(self.minute)):\(Self.two(self.second))" }
    /// `2026-06-08T00:05:00Z`, for a reading in UTC.
    var iso: String { "\(self.date)T\(self.time)Z" }
    /// `June 8`.
    var monthAndDay: String { "\(Self.monthNames[Int(self.month) - 1]) \(self.day)" }

    /// `7:55PM`, with seconds where asked: `7:55:30PM`.
    func clock(seconds: Bool) -> String {
        let hour = self.hour % 12 == 0 ? 12 : self.hour % 12
        return "\(hour):\(Self.two(self.minute))" + (seconds ? ":\(Self.two(self.second))" : "")
            + (self.hour < 12 ? "AM" : "PM")
    }
}
