import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import OddsCore
import Testing

@testable import OddsServer

@Suite(.timeLimit(.minutes(5))) struct OddsServerTests {
    private struct Answer: Sendable {
        let status: Int
        let headers: HTTPFields
        let text: String

        func json() throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(self.text.utf8)) as? [String: Any])
        }

        func items() throws -> [[String: Any]] { try #require(try self.json()["items"] as? [[String: Any]]) }
    }

    private func server(_ source: FakeOdds) -> OddsServer {
        var configuration = OddsServerConfiguration()
        configuration.port = 0
        configuration.version = "1.2.3"
        return OddsServer(
            configuration: configuration, source: source, clock: FrozenClock(),
            logger: Logger(label: "test") { _ in
                SwiftLogNoOpLogHandler()
            })
    }

    private func ask(
        _ path: String, method: HTTPRequest.Method = .get, of source: FakeOdds = .typical
    ) async throws -> Answer {
        try await self.server(source).application().test(.router) { client in
            try await client.execute(uri: path, method: method) { response in
                Answer(
                    status: response.status.code, headers: response.headers, text: String(buffer: response.body))
            }
        }
    }

    @Test func healthIsAnsweredWithoutOdds() async throws {
        let answer = try await self.ask("/healthz", of: FakeOdds())
        #expect(answer.status == 200)
        #expect(answer.text == "{\"status\":\"ok\"}\n")
        #expect(answer.headers[.cacheControl] == "no-store")
    }

    @Test func statusTellsLinesSeriesAndCounters() async throws {
        let answer = try await self.ask("/v1/status")
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType] == "application/json")
        let json = try answer.json()
        #expect(json["version"] as? String == "1.2.3")
        #expect(json["uptime_s"] as? Double == 10)
        #expect(json["counters"] as? [String: Int] == ["frames.malformed": 0, "books.applied": 7])
        let line = try #require((json["lines"] as? [[String: Any]])?.first)
        #expect(line["state"] as? String == "live")
        #expect(line["data_age_s"] as? Double == 0.25)
        #expect(line["last_error"] is NSNull)
        let series = try #require((json["series"] as? [[String: Any]])?.first)
        #expect(series["current"] as? String == "0xa1")
        #expect(series["next_slug"] as? String == "btc-updown-15m-1764000900")
    }

    @Test func keysComeSorted() async throws {
        let text = try await self.ask("/healthz").text + (try await self.ask("/v1/odds/0xa1").text)
        let keys = text.split(separator: "{").last.map(String.init) ?? ""
        let names = keys.split(separator: ",").compactMap { $0.split(separator: "\"").first.map(String.init) }
        #expect(names.count > 20)
        #expect(names == names.sorted())
    }

    @Test func marketsAreListedAndNarrowed() async throws {
        let all = try await self.ask("/v1/markets")
        #expect(try all.json()["next"] is NSNull)
        #expect(try all.items().map { $0["market"] as? String } == ["0xa1", "0xa2", "0xb1"])
        let first = try #require(try all.items().first)
        #expect(first["role"] as? String == "current")
        #expect(first["first_odds_ms"] as? Int == -58_200)
        #expect(first["window_end_ms"] as? Int == 1_764_000_900_000)
        #expect((first["yes"] as? [String: String]) == ["label": "Up", "asset": "111"])
        let fixed = try #require(try all.items().last)
        #expect(fixed["series"] is NSNull)
        #expect(fixed["winner"] as? String == "no")

        let next = try await self.ask("/v1/markets?series=btc-updown-15m&role=next").items()
        #expect(next.map { $0["market"] as? String } == ["0xa2"])
    }

    @Test func oddsHaveTheDocumentedKeys() async throws {
        let items = try await self.ask("/v1/odds").items()
        #expect(items.count == 1)
        let row = try #require(items.first)
        let documented: Set = [
            "kind", "market", "slug", "yes_bid", "yes_ask", "no_bid", "no_ask", "yes_odds", "no_odds",
            "displayed_odds", "last_trade", "exchange_time_ms", "receive_time_ns", "trust", "reason", "epoch", "source",
        ]
        #expect(documented.isSubset(of: Set(row.keys)))
        #expect(row["market"] as? String == "0xa1")
        #expect(row["yes_bid"] as? Double == 0.71)
        #expect(row["no_odds"] as? Double == 0.29)
        #expect(row["displayed_odds"] as? Double == 0.72)
        #expect(row["trust"] as? String == "live")
        #expect(row["reason"] is NSNull)
    }

    @Test(arguments: [
        "/v1/odds/0xa1", "/v1/odds/btc-updown-15m-1764000000", "/v1/odds/current",
        "/v1/odds/current?series=btc-updown-15m",
    ])
    func oneMarketIsFoundByIDSlugAndSeries(path: String) async throws {
        let answer = try await self.ask(path)
        #expect(answer.status == 200)
        #expect(try answer.json()["market"] as? String == "0xa1")
    }

    @Test(arguments: [
        ("/nothing", 404, "There is nothing at /nothing"),
        ("/v1/odds/0xff", 404, "No market '0xff' is followed"),
        ("/v1/odds/0xa2", 404, "no odds have come for it yet"),
        ("/v1/odds/current?series=eth-updown-1h", 404, "not followed. Followed: btc-updown-15m"),
        ("/v1/markets?role=former", 400, "Allowed: current, next, past, fixed"),
        ("/v1/odds?serie=btc-updown-15m", 400, "no parameter 'serie' here. Allowed: series"),
        ("/healthz?verbose=1", 400, "Allowed: none"),
    ])
    func mistakesAreProblems(path: String, status: Int, detail: String) async throws {
        let answer = try await self.ask(path)
        #expect(answer.status == status)
        #expect(answer.headers[.contentType] == "application/problem+json")
        let problem = try answer.json()
        #expect(problem["status"] as? Int == status)
        #expect(problem["type"] as? String == "about:blank")
        #expect((problem["detail"] as? String)?.contains(detail) == true, "\(answer.text)")
    }

    @Test func currentNeedsASeriesWhenSeveralAreFollowed() async throws {
        var source = FakeOdds.typical
        let ether = FakeOdds.market(
            "eth-updown-1h-1764000000", id: "0xc1", series: "eth-updown-1h", start: 1_764_000_000)
        source.markets.append(
            MarketStatus(market: ether, role: .current, subscribed: true, firstOddsMilliseconds: nil, winner: nil))
        let unnamed = try await self.ask("/v1/odds/current", of: source)
        #expect(unnamed.status == 400)
        #expect(unnamed.text.contains("btc-updown-15m, eth-updown-1h"))
        let named = try await self.ask("/v1/odds/current?series=btc-updown-15m", of: source)
        #expect(named.status == 200)
    }

    @Test(arguments: [HTTPRequest.Method.post, .put, .delete, .patch])
    func writingIsRefused(method: HTTPRequest.Method) async throws {
        let answer = try await self.ask("/v1/odds", method: method)
        #expect(answer.status == 405)
        #expect(answer.headers[.allow] == "GET, HEAD")
        #expect(answer.headers[.contentType] == "application/problem+json")
    }

    @Test func headAnswersWithoutABody() async throws {
        let get = try await self.ask("/v1/odds")
        let head = try await self.ask("/v1/odds", method: .head)
        #expect(head.status == 200)
        #expect(head.text.isEmpty)
        #expect(head.headers[.contentLength] == String(get.text.utf8.count))
    }

    @Test func thePlainPageNamesEveryPath() async throws {
        let answer = try await self.ask("/")
        #expect(answer.headers[.contentType] == "text/plain; charset=utf-8")
        for path in ["/healthz", "/v1/status", "/v1/markets", "/v1/odds", "/v1/odds/{market}"] {
            #expect(answer.text.contains(path))
        }
    }

    @Test func servesOverARealSocket() async throws {
        try await self.server(.typical).application().test(.live) { client in
            try await client.execute(uri: "/v1/odds", method: .get) { response in
                #expect(response.status == .ok)
                #expect(response.headers[.server] == "oddstream")
            }
        }
    }

    @Test func aPortInUseSaysSoAndWhatToDo() async throws {
        let holder = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(holder.localAddress?.port)
        var configuration = OddsServerConfiguration()
        configuration.port = port
        let server = OddsServer(
            configuration: configuration, source: FakeOdds(), clock: FrozenClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let error = await #expect(throws: OddsServerError.self) { try await server.run() }
        #expect(error?.code == .portInUse)
        #expect(error?.message.contains("127.0.0.1:\(port)") == true)
        #expect(error?.message.contains("--http-port") == true)
        try await holder.close()
    }

    @Test func aHostThatIsNoneSaysSo() async throws {
        var configuration = OddsServerConfiguration()
        configuration.host = "256.1.1.1"
        let server = OddsServer(
            configuration: configuration, source: FakeOdds(), clock: FrozenClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let error = await #expect(throws: OddsServerError.self) { try await server.run() }
        #expect(error?.code == .noSuchAddress)
        #expect(error?.message.contains("--http-host") == true)
    }

    @Test func addressesAreWrittenAsInURLs() {
        #expect(OddsServer.inURL("127.0.0.1") == "127.0.0.1")
        #expect(OddsServer.inURL("::1") == "[::1]")
    }
}
