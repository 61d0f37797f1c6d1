import OddsCore

/// An axis of time, in UTC.
struct TimeScale: Sendable {
    /// Its begin, in Unix milliseconds.
    let from: Int64
    /// Its end, in Unix milliseconds; later than its begin.
    let until: Int64

    /// An axis; one without length gets a second. Times outside the years 1 to 9999 are none.
    init(_ from: Int64, _ until: Int64) {
        let (first, last) = (TimeScale.bounded(from), TimeScale.bounded(until))
        self.from = min(first, last)
        self.until = max(first, last) > self.from ? max(first, last) : self.from + 1000
    }

    /// The time, kept within the years 1 to 9999.
    private static func bounded(_ time: Int64) -> Int64 { min(max(time, -62_135_596_800_000), 253_402_300_798_000) }

    /// The place of a time: from 0 at the begin to 1 at the end, kept on the axis.
    func position(_ time: Int64) -> Double {
        if time <= self.from { return 0 }
        if time >= self.until { return 1 }
        return Double(time - self.from) / Double(self.until - self.from)
    }

    private static let steps: [Int64] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
        900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000,
        604_800_000, 1_209_600_000, 2_592_000_000, 7_776_000_000, 31_536_000_000,
    ]

    /// Ticks at round times of day, or at midnights when it is long; no more than so many. The first one, and every one
    /// that begins a day, has its date under it.
    func ticks(atMost count: Int) -> [Tick] {
        let span = self.until - self.from
        var step = TimeScale.steps.first { span / $0 < Int64(max(1, count)) } ?? span
        while span / step >= Int64(max(1, count)) { step *= 2 }
        var ticks: [Tick] = []
        // An axis shorter than its smallest step has no time to name but its begin.
        var time = (self.from + step - 1).flooredQuotient(step) * step
        var lastDay: Int64?
        while time <= self.until {
            let day = time.flooredQuotient(86_400_000)
            let label = step >= 86_400_000 ? TimeScale.day(time) : TimeScale.clock(time, step: step)
            let isNewDay = day != lastDay && (lastDay == nil || step < 86_400_000)
            let date = step >= 86_400_000 ? TimeScale.year(time) : TimeScale.date(time)
            let zone = lastDay == nil ? " UTC" : ""
            ticks.append(Tick(position: self.position(time), label: label, under: isNewDay ? date + zone : ""))
            lastDay = day
            time += step
        }
        if ticks.isEmpty {
            ticks = [
                Tick(position: 0, label: TimeScale.clock(self.from, step: 1), under: TimeScale.date(self.from) + " UTC")
            ]
        }
        return ticks
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `22 Nov`.
    private static func day(_ time: Int64) -> String {
        let text = Timestamp(milliseconds: time).iso8601
        let month = Int(text.prefix(7).suffix(2)) ?? 1
        let day = Int(text.prefix(10).suffix(2)) ?? 1
        return "\(day) \(TimeScale.months[(month - 1) % 12])"
    }

    private static func year(_ time: Int64) -> String { String(Timestamp(milliseconds: time).iso8601.prefix(4)) }

    /// `22 Nov 2026`.
    static func date(_ time: Int64) -> String { "\(TimeScale.day(time)) \(TimeScale.year(time))" }

    /// The time of day, as fine as the step asks for.
    private static func clock(_ time: Int64, step: Int64) -> String {
        let text = Timestamp(milliseconds: time).iso8601.dropFirst(11)
        if step >= 60_000 { return String(text.prefix(5)) }
        if step >= 1000 { return String(text.prefix(8)) }
        return TimeScale.precise(time)
    }

    /// `14:05:01.250`.
    static func precise(_ time: Int64) -> String {
        let part = time - time.flooredQuotient(1000) * 1000
        let digits = String(part)
        return String(Timestamp(milliseconds: time).iso8601.dropFirst(11).prefix(8)) + "."
            + String(repeating: "0", count: 3 - digits.count) + digits
    }

    /// A moment as precise as it must be on this axis: with its date when the axis spans days.
    func moment(_ time: Int64) -> String {
        let time = TimeScale.bounded(time)
        let clock =
            self.until - self.from < 600_000
            ? TimeScale.precise(time) : String(Timestamp(milliseconds: time).iso8601.dropFirst(11).prefix(8))
        let spansDays = self.from.flooredQuotient(86_400_000) != self.until.flooredQuotient(86_400_000)
        return spansDays ? "\(TimeScale.day(time)) \(clock)" : clock
    }
}
