import OddsTestSupport
import Testing

@testable import OddsCore

@Suite struct MarketSeriesTests {
    @Test(arguments: [
        ("btc-updown-15m", "btc", 900), ("eth-updown-5m", "eth", 300), ("sol-updown-30s", "sol", 30),
        ("BTC-updown-1h", "btc", 3600), ("xrp-updown-4h", "xrp", 14_400), ("doge-updown-59m", "doge", 3540),
    ])
    func namesAreRead(name: String, asset: String, seconds: Int) throws {
        let series = try MarketSeries(name)
        #expect(series.name == name.lowercased())
        #expect(series.asset == asset)
        #expect(series.period == .seconds(seconds))
    }

    @Test(arguments: [
        ("", MarketSeriesError.Code.form), ("btc", .form), ("btc-up-15m", .form), ("btc-updown", .form),
        ("btc-updown-15m-1777428000", .form), ("-updown-15m", .asset), ("b c-updown-15m", .asset),
        ("btc-updown-", .length), ("btc-updown-m", .length), ("btc-updown-0m", .length), ("btc-updown-015m", .length),
        ("btc-updown-60m", .length), ("btc-updown-3600s", .length), ("btc-updown-2h", .length),
        ("btc-updown-1d", .length), ("btc-updown-+5m", .length), ("btc-updown-99999999999999999999s", .length),
    ])
    func otherNamesAreRefusedWithWhatIsAllowed(name: String, code: MarketSeriesError.Code) {
        let error = #expect(throws: MarketSeriesError.self) { try MarketSeries(name) }
        #expect(error?.code == code)
        #expect(error?.message.contains("btc-updown-15m") == true)
        #expect(error?.message.contains("'\(name)'") == true)
    }

    @Test func shortWindowsLieOnTheUTCGrid() throws {
        let series = try MarketSeries("btc-updown-15m")
        let start = Timestamp(seconds: 1_777_428_000)
        let window = MarketWindow(start: start, end: start.advanced(by: .seconds(900)))
        #expect(series.window(containing: start) == window)
        #expect(series.window(containing: Timestamp(milliseconds: 1_777_428_899_999)) == window)
        #expect(series.window(containing: window.end) == series.window(after: window))
        #expect(series.window(after: window).start == window.end)
        #expect(series.window(before: window).end == start)
        #expect(series.window(containing: Timestamp(milliseconds: -1)).start == Timestamp(seconds: -900))
        #expect(series.slugs(for: window) == ["btc-updown-15m-1777428000"])
    }

    @Test(arguments: ["btc-updown-30s", "btc-updown-7m", "eth-updown-1h", "sol-updown-4h"])
    func windowsCoverTheYearWithoutGapOrOverlap(name: String) throws {
        let series = try MarketSeries(name)
        for base in [1_772_900_000, 1_793_400_000] as [Int64] {  // days around both switches of 2026
            var window = series.window(containing: Timestamp(seconds: base))
            for _ in 0..<200 {
                let next = series.window(after: window)
                #expect(next.start == window.end)
                #expect(series.window(before: next) == window)
                #expect(next.contains(next.start) && !next.contains(next.end))
                window = next
            }
        }
    }

    @Test func hourlySlugsArePhrasesInEasternTime() throws {
        let series = try MarketSeries("btc-updown-1h")
        // 2026-03-23 20:00 UTC is 16:00 in New York, in summer time.
        let window = series.window(containing: Timestamp(seconds: 1_774_296_000 + 59))
        #expect(window.start == Timestamp(seconds: 1_774_296_000))
        #expect(
            series.slugs(for: window) == [
                "bitcoin-up-or-down-march-23-2026-4pm-et", "bitcoin-up-or-down-march-23-4pm-et",
            ])
        func slug(_ name: String, _ seconds: Int64) throws -> String? {
            let series = try MarketSeries(name)
            return series.slugs(for: series.window(containing: Timestamp(seconds: seconds))).first
        }
        // 2026-01-01 04:00, 05:00 and 17:00 UTC: the year turns in New York, midnight and noon are 12.
        #expect(try slug("eth-updown-1h", 1_767_240_000) == "ethereum-up-or-down-december-31-2025-11pm-et")
        #expect(try slug("sol-updown-1h", 1_767_243_600) == "solana-up-or-down-january-1-2026-12am-et")
        #expect(try slug("xrp-updown-1h", 1_767_286_800) == "xrp-up-or-down-january-1-2026-12pm-et")
        #expect(try slug("abc-updown-1h", 1_767_286_800) == "abc-up-or-down-january-1-2026-12pm-et")
    }

    @Test func fourHourWindowsFollowNewYorkAcrossBothSwitches() throws {
        let series = try MarketSeries("btc-updown-4h")
        // 2026-03-08 07:00 UTC: 02:00 becomes 03:00. Midnight is 05:00 UTC, four o'clock is 08:00 UTC.
        let spring = series.window(containing: Timestamp(seconds: 1_772_953_200))
        #expect(spring.start == Timestamp(seconds: 1_772_946_000))
        #expect(spring.end == Timestamp(seconds: 1_772_946_000 + 3 * 3600))
        #expect(series.slugs(for: spring) == ["btc-updown-4h-1772946000"])
        // 2026-11-01 06:00 UTC: 02:00 becomes 01:00. Midnight is 04:00 UTC, four o'clock is 09:00 UTC.
        let autumn = series.window(containing: Timestamp(seconds: 1_793_512_800))
        #expect(autumn.start == Timestamp(seconds: 1_793_505_600))
        #expect(autumn.end == Timestamp(seconds: 1_793_505_600 + 5 * 3600))
        // An ordinary summer day: 04:00 to 08:00 UTC.
        let summer = series.window(containing: Timestamp(seconds: 1_782_880_000))
        #expect(summer.start.seconds % 14_400 == 0)
        #expect(summer.end.seconds - summer.start.seconds == 14_400)
    }

    @Test func easternOffsetChangesAtTheRightSecond() {
        // (last second of winter, last second of summer) of 2024 to 2027, from the published switching dates.
        let switches: [(Int64, Int64)] = [
            (1_710_053_999, 1_730_613_599), (1_741_503_599, 1_762_063_199), (1_772_953_199, 1_793_512_799),
            (1_805_007_599, 1_825_567_199),
        ]
        for (spring, autumn) in switches {
            #expect(EasternTime.offset(at: Timestamp(seconds: spring)) == -18_000)
            #expect(EasternTime.offset(at: Timestamp(seconds: spring + 1)) == -14_400)
            #expect(EasternTime.offset(at: Timestamp(seconds: autumn)) == -14_400)
            #expect(EasternTime.offset(at: Timestamp(seconds: autumn + 1)) == -18_000)
        }
    }

    @Test func daysAndDatesAreInverse() {
        for day in stride(from: Int64(-200_000), through: 200_000, by: 37) {
            let date = EasternTime.date(day: day)
            #expect(EasternTime.day(year: date.year, month: date.month, day: date.day) == day)
        }
        #expect(EasternTime.date(day: 0) == (1970, 1, 1))
        #expect(EasternTime.date(day: 11_016) == (2000, 2, 29))
    }

    @Test func slugsThatCarryTheirStartNameTheirWindow() {
        let window = MarketSeries.window(ofSlug: "btc-updown-15m-1777428000")
        #expect(window?.start == Timestamp(seconds: 1_777_428_000))
        #expect(window?.end == Timestamp(seconds: 1_777_428_900))
        #expect(MarketSeries.window(ofSlug: "btc-updown-15m-1777428001") == nil)
        #expect(MarketSeries.window(ofSlug: "bitcoin-up-or-down-march-23-4pm-et") == nil)
        #expect(MarketSeries.window(ofSlug: "btc-updown-15m") == nil)
        #expect(MarketSeries.window(ofSlug: "btc-updown-15m-9223372036854775807") == nil)
    }
}
