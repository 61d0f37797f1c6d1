import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import OddsCore
import Testing

@testable import OddsServer

@Suite(.timeLimit(.minutes(5))) struct LatencyTests {
    private static func ask(_ path: String, latency: LatencyMeter?) async throws -> (Int, type: String?, String) {
        var configuration = OddsServerConfiguration()
        configuration.port = 0
        let server = OddsServer(
            configuration: configuration, source: FakeOdds.typical, latency: latency, clock: FrozenClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await server.application().test(.router) { client in
            try await client.execute(uri: path, method: .get) { response in
                (response.status.code, response.headers[.contentType], String(buffer: response.body))
            }
        }
    }

    /// A meter with one publication 2 ms after its read.
    private static var measured: LatencyMeter {
        let meter = LatencyMeter()
        let market = FakeOdds.typical.markets[0].market
        func snapshot(_ sequence: UInt64) -> OddsSnapshot {
            OddsSnapshot(
                market: market, yes: .empty, no: .empty, exchangeTime: Timestamp(milliseconds: 1_764_000_009_900),
                receiveTime: Self.time(0), trust: .live, epoch: 1, source: .line(0), sequence: sequence)
        }
        meter.published(snapshot(1), at: Self.time(0))
        meter.published(snapshot(2), at: Self.time(2_000_000))
        return meter
    }

    private static func time(_ nanoseconds: Int64) -> ReceiveTime {
        ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: nanoseconds),
            unixNanoseconds: 1_764_000_010_000_000_000 + nanoseconds)
    }

    @Test func latencyIsToldByStages() async throws {
        let (status, _, body) = try await Self.ask("/v1/latency", latency: Self.measured)
        #expect(status == 200)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        let stages = try #require(json["stages"] as? [String: Any])
        let odds = try #require(stages["odds"] as? [String: Any])
        let summary = try #require(odds["summary"] as? [String: Any])
        #expect(summary["count"] as? Int == 1)
        #expect(summary["max_ms"] as? Double == 2)
    }

    @Test func withoutAMeterThereIsNone() async throws {
        let (status, _, _) = try await Self.ask("/v1/latency", latency: nil)
        #expect(status == 404)
        let (metrics, _, body) = try await Self.ask("/metrics", latency: nil)
        #expect(metrics == 200)
        #expect(!body.contains("oddstream_wire_to_odds_seconds"))
    }

    @Test func metricsAreInTheTextFormat() async throws {
        let (status, type, body) = try await Self.ask("/metrics", latency: Self.measured)
        #expect(status == 200)
        #expect(type == "text/plain; version=0.0.4; charset=utf-8")
        var helps: Set<Substring> = []
        var types: [Substring: Substring] = [:]
        for line in body.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            if line.hasPrefix("# HELP ") {
                #expect(helps.insert(words[2]).inserted, "\(words[2]) is told once")
            } else if line.hasPrefix("# TYPE ") {
                #expect(helps.contains(words[2]))
                types[words[2]] = words[3]
            } else {
                let name = line.prefix { $0 != " " && $0 != "{" }
                #expect(name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }, "\(line)")
                let family = ["_bucket", "_sum", "_count"].reduce(name) { name, ending in
                    name.hasSuffix(ending) && types[name.dropLast(ending.count)] == "histogram"
                        ? name.dropLast(ending.count) : name
                }
                #expect(types[family] != nil, "\(line) belongs to no family")
                if types[family] == "counter" { #expect(family.hasSuffix("_total")) }
                #expect(words.last.flatMap { Double($0) } != nil, "\(line)")
            }
        }
        #expect(types.count == helps.count)
        #expect(body.contains("oddstream_wire_to_odds_seconds_bucket{le=\"0.001\"} 0\n"))
        #expect(body.contains("oddstream_wire_to_odds_seconds_bucket{le=\"0.0025\"} 1\n"))
        #expect(body.contains("oddstream_wire_to_odds_seconds_bucket{le=\"+Inf\"} 1\n"))
        #expect(body.contains("oddstream_wire_to_odds_seconds_sum 0.002\n"))
        #expect(body.contains("oddstream_line_live{line=\"0\",connection=\"0\"} 1\n"))
        #expect(body.contains("oddstream_books_applied_total 7\n"))
    }

    @Test func labelsAreEscaped() {
        var page = MetricsPage()
        page.add("a", .gauge, "one\ntwo", [([("x", "say \"no\"\\\n")], 0.5)])
        #expect(page.text == "# HELP a one\\ntwo\n# TYPE a gauge\na{x=\"say \\\"no\\\"\\\\\\n\"} 0.5\n")
    }
}
