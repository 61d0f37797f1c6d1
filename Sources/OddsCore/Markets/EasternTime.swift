/// US Eastern time, which the venue's hourly and four-hourly markets follow, from the daylight-saving rules of 2007.
///
/// A pure function of the moment: no time-zone database, no process-wide zone.
package enum EasternTime {
    /// What a wall clock in New York shows.
    struct Reading: Equatable {
        let year: Int64
        /// 1 to 12.
        let month: Int64
        /// 1 to 31.
        let day: Int64
        /// 0 to 23.
        let hour: Int64
    }

    /// Seconds to add to Unix time: −4 h in summer, −5 h in winter.
    ///
    /// Summer runs from the second Sunday of March, 02:00 standard time, to the first Sunday of November, 02:00
    /// daylight time.
    package static func offset(at time: Timestamp) -> Int64 {
        let year = self.date(day: (time.seconds - 5 * 3600).flooredQuotient(86_400)).year
        let summerStart = self.sunday(2, ofMonth: 3, year: year) * 86_400 + 7 * 3600
        let summerEnd = self.sunday(1, ofMonth: 11, year: year) * 86_400 + 6 * 3600
        return (summerStart..<summerEnd).contains(time.seconds) ? -4 * 3600 : -5 * 3600
    }

    /// What the wall clock shows at a moment.
    static func reading(at time: Timestamp) -> Reading {
        let local = time.seconds + self.offset(at: time)
        let day = local.flooredQuotient(86_400)
        let date = self.date(day: day)
        return Reading(year: date.year, month: date.month, day: date.day, hour: (local - day * 86_400) / 3600)
    }

    /// The moment at which the wall clock shows `local`, given as seconds since 1970 of that wall clock.
    ///
    /// For the skipped hour it is the moment an hour later, for the repeated hour the first of the two.
    static func moment(local: Int64) -> Timestamp {
        let summer = Timestamp(seconds: local + 4 * 3600)
        return self.offset(at: summer) == -4 * 3600 ? summer : Timestamp(seconds: local + 5 * 3600)
    }

    /// The day number (1970-01-01 is 0) of the n-th Sunday of a month.
    private static func sunday(_ n: Int64, ofMonth month: Int64, year: Int64) -> Int64 {
        let first = self.day(year: year, month: month, day: 1)
        // 1970-01-01 was a Thursday, so day numbers ≡ 3 modulo 7 are Sundays.
        let untilSunday = ((3 - first) % 7 + 7) % 7
        return first + untilSunday + (n - 1) * 7
    }

    /// The day number of a date of the Gregorian calendar; years are counted from March, so leap days come last.
    static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year.flooredQuotient(400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date of a day number.
    static func date(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }
}
