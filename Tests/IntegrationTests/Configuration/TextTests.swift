import OddsCore
import Testing

@testable import oddstream

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("500ms", 500), ("1ms", 1), ("30s", 30_000), ("1.5m", 90_000), ("5m", 300_000), ("1h", 3_600_000), (".5s", 500),
        ("10000h", 36_000_000_000), ("30d", 2_592_000_000),
    ])
    func timesAreRead(text: String, milliseconds: Int64) {
        #expect(DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", "s", "30", "-1s", "1e3s", "1 s", "1w", "417d", "0s", "0.5ms", "10001h", "inf", "nans", "1.2.3s", "٣s",
    ])
    func otherTextsAreNot(text: String) { #expect(DurationText.parse(text) == nil) }

    @Test func timesAreShownAsTheyAreTyped() {
        #expect(DurationText.setting(.seconds(2_592_000)) == "30d")
        #expect(DurationText.setting(.seconds(5400)) == "90m")
        #expect(DurationText.setting(.milliseconds(250)) == "250ms")
        #expect(DurationText.setting(.zero) == "0")
    }

    @Test func clocksCountDown() {
        #expect(DurationText.clock(.seconds(0)) == "0:00")
        #expect(DurationText.clock(.seconds(299)) == "4:59")
        #expect(DurationText.clock(.seconds(3723)) == "1:02:03")
        #expect(DurationText.clock(.seconds(-61)) == "-1:01")
    }

    @Test func agesKeepTheDigitsThatMatter() {
        #expect(DurationText.age(.milliseconds(12)) == "12 ms")
        #expect(DurationText.age(.milliseconds(1490)) == "1.4 s")
        #expect(DurationText.age(.seconds(37)) == "37 s")
        #expect(DurationText.age(.seconds(600)) == "10 min")
        #expect(DurationText.age(.seconds(7200)) == "2 h")
    }

    @Test func receiptsAreSigned() {
        #expect(DurationText.signedSeconds(milliseconds: -58_230) == "-58.2 s")
        #expect(DurationText.signedSeconds(milliseconds: 340) == "+0.3 s")
    }
}

@Suite struct ClockTextTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_764_000_009_905, "2025-11-24T16:00:09.905Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ])
    func momentsAreWrittenInUTC(milliseconds: Int64, text: String) {
        #expect(ClockText.full(Timestamp(milliseconds: milliseconds)) == text)
    }

    @Test func shorterFormsAreThere() {
        #expect(ClockText.minutes(Timestamp(seconds: 1_764_000_900)) == "16:15")
        #expect(ClockText.seconds(Timestamp(seconds: 1_764_000_930)) == "16:15:30")
    }
}

@Suite struct URLTextTests {
    @Test(arguments: [
        ("wss://example.test/ws/market", "example.test", 443, true),
        ("ws://127.0.0.1:8081/x?y#z", "127.0.0.1", 8081, false),
        ("WS://[::1]:99", "::1", 99, false), ("ws://[::1]/", "::1", 80, false),
    ])
    func partsAreFound(text: String, host: String, port: Int, isSecure: Bool) throws {
        let parts = try #require(URLText(text, schemes: ["ws", "wss"]))
        #expect(parts.host == host)
        #expect(parts.port == port)
        #expect(parts.isSecure == isSecure)
    }

    @Test(arguments: [
        "", "ws:", "ws://", "ws:///path", "http://example.test", "ws://a:0", "ws://a:65536", "ws://a:b", "ws://user@a",
        "ws://a b", "ws://[::1", "ws://[::1]x",
    ])
    func otherTextsAreRefused(text: String) { #expect(URLText(text, schemes: ["ws", "wss"]) == nil) }
}
