import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import OddsCore
import Testing

@testable import OddsServer

@Suite(.timeLimit(.minutes(5))) struct IncidentTests {
    /// The current market froze for 8 s and was served by the poller for 3 of them; line 1 is down; a series is missing.
    private static var troubled: FakeOdds {
        var source = FakeOdds.typical
        let market = source.markets[0].market
        let book = IncidentBook()
        func at(_ milliseconds: Int64) -> ReceiveTime {
            ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: milliseconds * 1_000_000),
                unixNanoseconds: 1_764_000_000_000_000_000 + milliseconds * 1_000_000)
        }
        func tell(_ milliseconds: Int64, _ event: ContinuityEvent) { _ = book.record(event, at: at(milliseconds)) }
        tell(0, .followed(market))
        tell(0, .trust(market, .live, previous: nil, epoch: 1, source: .line(0)))
        tell(14_000, .silence(market, .frozen(since: at(9_000).monotonic, lines: [0, 1])))
        tell(14_000, .trust(market, .fallback, previous: .live, epoch: 2, source: .poller))
        tell(17_000, .trust(market, .live, previous: .fallback, epoch: 3, source: .line(0)))
        tell(18_000, .connection(line: 1, number: 0, .lost(reason: "reset", lastData: nil)))
        tell(19_000, .discovery(name: "btc-updown-15m", problem: "not listed"))
        source.report = book.report(at: at(20_000))
        return source
    }

    private func ask(_ path: String, of source: FakeOdds = Self.troubled) async throws -> (Int, [String: Any]) {
        var configuration = OddsServerConfiguration()
        configuration.port = 0
        let server = OddsServer(
            configuration: configuration, source: source, clock: FrozenClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await server.application().test(.router) { client in
            try await client.execute(uri: path, method: .get) { response in
                let json = try JSONSerialization.jsonObject(with: Data(String(buffer: response.body).utf8))
                return (response.status.code, try #require(json as? [String: Any]))
            }
        }
    }

    private func ids(_ path: String) async throws -> [Int] {
        let (status, json) = try await self.ask(path)
        #expect(status == 200)
        #expect(json["next"] is NSNull)
        return try #require(json["items"] as? [[String: Any]]).compactMap { $0["id"] as? Int }
    }

    @Test func anIncidentTellsItsStory() async throws {
        let (_, json) = try await self.ask("/v1/incidents?market=0xa1")
        let row = try #require((json["items"] as? [[String: Any]])?.first)
        #expect(
            Set(row.keys) == [
                "id", "kind", "subject", "title", "summary", "market", "slug", "series", "lines", "reason", "detail",
                "begin_ms", "detected_ms", "end_ms", "detection_s", "duration_s", "ending", "served_s", "lost_s",
                "epoch_before", "epoch_after", "occurrences", "resyncs", "attempts",
            ])
        #expect(row["kind"] as? String == "frozen")
        #expect(row["subject"] as? String == "market")
        #expect(row["slug"] as? String == "btc-updown-15m-1764000000")
        #expect(row["series"] as? String == "btc-updown-15m")
        #expect(row["lines"] as? [Int] == [0, 1])
        #expect(row["begin_ms"] as? Int == 1_764_000_009_000)
        #expect(row["detected_ms"] as? Int == 1_764_000_014_000)
        #expect(row["end_ms"] as? Int == 1_764_000_017_000)
        #expect(row["detection_s"] as? Double == 5)
        #expect(row["duration_s"] as? Double == 8)
        #expect(row["served_s"] as? [String: Double] == ["live": 5, "fallback": 3])
        #expect(row["lost_s"] as? Double == 3)
        #expect(row["epoch_before"] as? Int == 1)
        #expect(row["epoch_after"] as? Int == 3)
        #expect(row["ending"] as? String == "recovered")
        #expect(row["reason"] is NSNull)
        #expect((row["summary"] as? String)?.contains("frozen") == true)
    }

    @Test(
        arguments: [
            ("", [3, 2, 1]), ("?open=true", [3, 2]), ("?open=false", [1]), ("?series=btc-updown-15m", [3, 1]),
            ("?market=btc-updown-15m-1764000000", [1]), ("?market=0xa2", []), ("?since=1764000017000", [3, 2, 1]),
            ("?since=1764000017001", [3, 2]), ("?since=1764000017001&open=true&series=btc-updown-15m", [3]),
        ] as [(String, [Int])])
    func theyAreNarrowed(query: String, expected: [Int]) async throws {
        #expect(try await self.ids("/v1/incidents\(query)") == expected)
    }

    @Test(arguments: [
        ("?open=yes", 400, "Allowed: true, false"), ("?since=today", 400, "milliseconds since 1970"),
        ("?market=0xff", 404, "Nothing is known of a market '0xff'"),
        ("?series=eth-updown-1h", 404, "not followed. Followed: btc-updown-15m"),
        ("?marke=0xa1", 400, "Allowed: market, series, open, since"),
    ])
    func mistakesAreProblems(query: String, status: Int, detail: String) async throws {
        let (answered, json) = try await self.ask("/v1/incidents\(query)")
        #expect(answered == status)
        #expect((json["detail"] as? String)?.contains(detail) == true)
    }

    @Test func statusTellsTheUptime() async throws {
        let (_, json) = try await self.ask("/v1/status")
        #expect(json["open_incidents"] as? Int == 2)
        #expect(
            json["incidents_total"] as? [String: Int] == ["frozen": 1, "connection_lost": 1, "missing_market": 1])
        let uptime = try #require(json["uptime"] as? [String: Any])
        let total = try #require(uptime["total"] as? [String: Any])
        #expect(total["share_live"] as? Double == 0.85)
        #expect(total["due_s"] as? Double == 20)
        #expect(total["live_s"] as? Double == 17)
        #expect(total["times_s"] as? [String: Double] == ["live": 17, "fallback": 3])
        #expect(total["lost_s"] as? [String: Double] == ["frozen": 3])
        let series = try #require((uptime["series"] as? [String: Any])?["btc-updown-15m"] as? [String: Any])
        #expect(series["share_live"] as? Double == 0.85)
        let market = try #require((uptime["markets"] as? [[String: Any]])?.first)
        #expect(market["market"] as? String == "0xa1")
        #expect(market["share_live"] as? Double == 0.85)
    }

    @Test func withoutARecordThereIsNothing() async throws {
        let (_, list) = try await self.ask("/v1/incidents", of: .typical)
        #expect((list["items"] as? [Any])?.isEmpty == true)
        let (_, status) = try await self.ask("/v1/status", of: .typical)
        let uptime = try #require(status["uptime"] as? [String: Any])
        #expect((uptime["total"] as? [String: Any])?["share_live"] is NSNull)
    }
}
