import OddsCore
import Testing

@Suite struct TimestampISO8601Tests {
    @Test(arguments: [
        ("2026-04-29T02:00:00Z", 1_777_428_000_000), ("2026-04-29T02:00:00.5Z", 1_777_428_000_500),
        ("2026-04-29T02:00:00.123456Z", 1_777_428_000_123), ("2026-04-29 02:00:00+00", 1_777_428_000_000),
        ("2026-04-28T22:00:00-04:00", 1_777_428_000_000), ("2026-04-29T07:30:00+0530", 1_777_428_000_000),
        ("1969-12-31T23:59:59.999Z", -1), ("2028-02-29T00:00:00Z", 1_835_395_200_000),
    ])
    func theVenuesSpellingsAreRead(text: String, milliseconds: Int64) {
        #expect(Timestamp(iso8601: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "2026-04-29", "2026-04-29T02:00:00", "2026-04-29T02:00Z", "2026-13-01T00:00:00Z", "2026-06-31T00:00:00Z",
        "2027-02-29T00:00:00Z", "2026-00-10T00:00:00Z", "2026-04-29T24:00:00Z", "2026-04-29T02:60:00Z",
        "2026-04-29T02:00:00.Z", "2026-04-29T02:00:00Zulu", "2026-04-29T02:00:00+0", "2026-04-29T02:00:00+00:",
        "2026-04-29T02:00:00+99", "٢٠٢٦-04-29T02:00:00Z", "1777428000",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(Timestamp(iso8601: text) == nil)
    }

    @Test func whatIsPrintedReadsBack() {
        for milliseconds in stride(from: Int64(-3_000_000_000_123), through: 9_000_000_000_000, by: 77_777_777_777) {
            let time = Timestamp(milliseconds: milliseconds)
            #expect(Timestamp(iso8601: time.iso8601) == time)
        }
        #expect(Timestamp(seconds: 1_777_428_000).iso8601 == "2026-04-29T02:00:00Z")
        #expect(Timestamp(milliseconds: 1_777_428_000_007).iso8601 == "2026-04-29T02:00:00.007Z")
    }
}
