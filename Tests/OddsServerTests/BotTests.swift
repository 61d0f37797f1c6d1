import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import OddsCore
import OddsTestSupport
import Testing

@testable import OddsServer

@Suite(.timeLimit(.minutes(5))) struct BotTests {
    private struct Answer: Sendable {
        let status: Int
        let headers: HTTPFields
        let text: String

        func json() throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(self.text.utf8)) as? [String: Any])
        }

        func items() throws -> [[String: Any]] { try #require(try self.json()["items"] as? [[String: Any]]) }
        func detail() throws -> String { try self.json()["detail"] as? String ?? "" }
    }

    private func server(bot: FakeBot?, history: FakeHistory? = nil) -> OddsServer {
        var configuration = OddsServerConfiguration()
        configuration.port = 0
        return OddsServer(
            configuration: configuration, source: FakeOdds.typical, bot: bot, history: history, clock: FrozenClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func ask(
        _ path: String, method: HTTPRequest.Method = .get, bot: FakeBot? = FakeBot(), history: FakeHistory? = nil
    ) async throws -> Answer {
        try await self.server(bot: bot, history: history).application().test(.router) { client in
            try await client.execute(uri: path, method: method) { response in
                Answer(
                    status: response.status.code, headers: response.headers, text: String(buffer: response.body))
            }
        }
    }

    /// Over a real socket: what may be changed depends on where the connection comes from.
    private func turn(
        _ body: String, method: HTTPRequest.Method = .put, headers: HTTPFields = [.contentType: "application/json"],
        bot: FakeBot
    ) async throws -> Answer {
        try await self.server(bot: bot).application().test(.live) { client in
            try await client.execute(
                uri: "/v1/kill-switch", method: method, headers: headers, body: ByteBuffer(string: body)
            ) { response in
                Answer(
                    status: response.status.code, headers: response.headers, text: String(buffer: response.body))
            }
        }
    }

    // MARK: Lists

    private static let bot = FakeBot(
        spikes: [
            SpikeRecord.sample("btc-updown-15m-1764000000", number: 3),
            .sample("gone", number: 2, end: Timestamp(milliseconds: 1_767_225_602_000)),
            .sample("btc-updown-15m-1763999100", number: 1, end: Timestamp(milliseconds: 1_767_225_601_000)),
        ],
        trades: [
            TradeRecord.sample("gone", order: 2, .open), .sample("btc-updown-15m-1763999100", order: 1, .rejected),
        ],
        refusals: [RefusalRecord.sample("gone"), .sample("gone", reason: "killSwitch")])

    @Test func spikesHaveTheKeysOfTheirRecord() async throws {
        let answer = try await self.ask("/v1/spikes", bot: Self.bot)
        #expect(answer.status == 200)
        let items = try answer.items()
        #expect(items.map { $0["number"] as? Int } == [3, 2, 1])
        #expect(Set(try #require(items.first).keys) == Set(SpikeRecord.CodingKeys.allCases.map(\.rawValue)))
        #expect(items.first?["end_ms"] is NSNull)
        #expect(try answer.json()["next"] is NSNull)
    }

    @Test(
        arguments: [
            ("/v1/spikes?market=gone", [2]), ("/v1/spikes?market=0x-gone", [2]),
            // The venue's id of a followed market, whatever the record's own says; nothing happened there.
            ("/v1/spikes?market=will-it-rain", []),
            // A market that is not followed any more is known by its slug.
            ("/v1/spikes?series=btc-updown-15m", [3, 1]),
            // What lasts, or ended then or later.
            ("/v1/spikes?since=1767225602000", [3, 2]), ("/v1/spikes?since=1767225602001", [3]),
            ("/v1/spikes?series=btc-updown-15m&since=1767225601500", [3]),
        ] as [(String, [Int])])
    func spikesAreNarrowed(path: String, numbers: [Int]) async throws {
        let items = try await self.ask(path, bot: Self.bot).items()
        #expect(items.compactMap { $0["number"] as? Int } == numbers)
    }

    @Test func tradesAndRefusalsAreListed() async throws {
        let trades = try await self.ask("/v1/trades", bot: Self.bot).items()
        #expect(trades.map { $0["order"] as? Int } == [2, 1])
        #expect(trades.map { $0["status"] as? String } == ["open", "rejected"])
        let open = try await self.ask("/v1/trades?since=1767225600001", bot: Self.bot).items()
        #expect(open.map { $0["order"] as? Int } == [2])
        let refusals = try await self.ask("/v1/refusals?market=gone", bot: Self.bot).items()
        #expect(refusals.map { $0["reason"] as? String } == ["epochMoved", "killSwitch"])
    }

    @Test func pagesMissNothingAndRepeatNothing() async throws {
        var path = "/v1/spikes?limit=2"
        var numbers: [Int] = []
        for _ in 0..<5 {
            let answer = try await self.ask(path, bot: Self.bot)
            numbers += try answer.items().compactMap { $0["number"] as? Int }
            guard let next = try answer.json()["next"] as? String else { break }
            path = "/v1/spikes?limit=2&cursor=\(next)"
        }
        #expect(numbers == [3, 2, 1])
    }

    /// Lists grow at their beginning and are forgotten at their end while somebody turns pages.
    @Test func aPageBeginsBehindTheLastOneWhateverCameMeanwhile() throws {
        struct Item: Encodable, Sendable, Equatable { let key: Int64, name: String }
        let items = [(9, "a"), (7, "b"), (7, "c"), (7, "d"), (5, "e"), (4, "f")].map { Item(key: $0.0, name: $0.1) }
        let first = try Page(limit: "2", cursor: nil).cut(items, key: \.key)
        #expect(first.items.map(\.name) == ["a", "b"])
        let cursor = try #require(first.next)
        // Two newer ones, one of them with the key the page ended on.
        let grown = [Item(key: 10, name: "y"), Item(key: 9, name: "x")] + items
        let second = try Page(limit: "3", cursor: cursor).cut(grown, key: \.key)
        #expect(second.items.map(\.name) == ["c", "d", "e"])
        // The end is forgotten.
        let last = try Page(limit: "3", cursor: second.next).cut(Array(grown.dropLast(1)), key: \.key)
        #expect(last.items.isEmpty)
        #expect(last.next == nil)
        let forgotten = try Page(limit: "3", cursor: cursor).cut([items[0]], key: \.key)
        #expect(forgotten.items.isEmpty)
    }

    @Test(arguments: [
        ("/v1/spikes?limit=0", "It takes 1 to 1000"), ("/v1/spikes?limit=many", "It takes 1 to 1000"),
        ("/v1/trades?cursor=x", "It takes the 'next' of a page before"),
        ("/v1/trades?cursor=1.-1", "It takes the 'next' of a page before"),
        ("/v1/refusals?since=today", "milliseconds since 1970"),
        ("/v1/spikes?side=yes", "Allowed: market, series, since, limit, cursor"),
        ("/v1/account?x=1", "Allowed: none"),
    ])
    func wrongParametersSayWhatIsAllowed(path: String, detail: String) async throws {
        let answer = try await self.ask(path, bot: Self.bot)
        #expect(answer.status == 400)
        #expect(answer.headers[.contentType] == "application/problem+json")
        #expect(try answer.detail().contains(detail), "\(answer.text)")
    }

    @Test(arguments: ["/v1/spikes?market=nowhere", "/v1/trades?series=eth-updown-1h"])
    func whatIsNotKnownIsNotFound(path: String) async throws {
        #expect(try await self.ask(path, bot: Self.bot).status == 404)
    }

    @Test(arguments: ["/v1/spikes", "/v1/trades", "/v1/refusals", "/v1/account", "/v1/kill-switch"])
    func withoutABotItIsSaidHowToGetOne(path: String) async throws {
        let answer = try await self.ask(path, bot: nil)
        #expect(answer.status == 404)
        #expect(try answer.detail().contains("oddstream run"))
    }

    @Test func theAccountIsTold() async throws {
        let answer = try await self.ask("/v1/account")
        #expect(answer.status == 200)
        let json = try answer.json()
        #expect(json["starting_cash"] as? Double == 1000)
        #expect(json["hit_rate"] is NSNull)
        #expect(json["killed"] as? Bool == false)
        let none = try await self.ask("/v1/account", bot: FakeBot(hasAccount: false))
        #expect(none.status == 404)
        #expect(try none.detail().contains("--no-trading"))
    }

    @Test func thePlainPageNamesEveryPath() async throws {
        let text = try await self.ask("/").text
        for path in [
            "/v1/spikes", "/v1/trades", "/v1/refusals", "/v1/account", "/v1/kill-switch", "/v1/history/{market}",
        ] { #expect(text.contains(path)) }
    }

    // MARK: Kill switch

    @Test(arguments: [HTTPRequest.Method.put, .post])
    func theSwitchIsTurned(method: HTTPRequest.Method) async throws {
        let bot = FakeBot()
        let on = try await self.turn(#"{"on":true}"#, method: method, bot: bot)
        #expect(on.status == 200)
        #expect(try on.json() as NSDictionary == ["on": true, "by": "http"])
        let read = try await self.ask("/v1/kill-switch", bot: bot)
        #expect(try read.json() as NSDictionary == ["on": true, "by": "http"])
        let off = try await self.turn(#"{"on":false}"#, method: method, bot: bot)
        #expect(try off.json() as NSDictionary == ["on": false, "by": NSNull()])
        #expect(bot.turns.entries == ["true http", "false http"])
    }

    @Test func theKillFileWins() async throws {
        let answer = try await self.turn(#"{"on":false}"#, bot: FakeBot(hasKillFile: true))
        #expect(answer.status == 409)
        #expect(try answer.detail().contains("Remove the file"))
    }

    @Test(
        arguments: [
            ("", 400), ("true", 400), (#"{"on":1}"#, 400), (#"{"off":true}"#, 400), (#"{"on":true,"by":false}"#, 400),
            (#"{"on":true}"# + String(repeating: " ", count: 300), 413),
        ])
    func aBodyThatIsNoneIsRefused(body: String, status: Int) async throws {
        let bot = FakeBot()
        let answer = try await self.turn(body, bot: bot)
        #expect(answer.status == status)
        #expect(answer.headers[.contentType] == "application/problem+json")
        #expect(bot.turns.entries.isEmpty)
    }

    @Test(
        arguments: [
            ([.contentType: "text/plain"], 415), ([:], 415), ([.contentType: "application/x-www-form-urlencoded"], 415),
            ([.contentType: "application/json", .origin: "https://evil.example"], 403),
            ([.contentType: "application/json", .origin: "null"], 403),
            ([.contentType: "application/json", .origin: "http://localhost"], 200),
            ([.contentType: "Application/JSON; charset=utf-8"], 200),
        ] as [(HTTPFields, Int)])
    func aWebPageCannotTurnTheSwitch(headers: HTTPFields, status: Int) async throws {
        let bot = FakeBot()
        let answer = try await self.turn(#"{"on":true}"#, headers: headers, bot: bot)
        #expect(answer.status == status)
        #expect(bot.turns.entries.isEmpty == (status != 200))
    }

    @Test(
        arguments: [
            ("127.0.0.1:8787", true), ("localhost", true), ("LOCALHOST:1", true), ("[::1]:8787", true), ("[::1]", true),
            ("evil.example", false), ("evil.example:8787", false), ("localhost.evil.example", false), ("", false),
            ("127.0.0.1:", false), ("127.0.0.1:80@evil.example", false), ("192.168.1.5:8787", false),
        ] as [(String, Bool)])
    func onlyOurOwnNamesAreTaken(host: String, isOwn: Bool) {
        #expect(KillSwitchGuard.isOwnName(host) == isOwn)
        let check = {
            try KillSwitchGuard.check(host: host, origins: [], site: nil, type: "application/json", isLocal: true)
        }
        if isOwn { #expect(throws: Never.self) { try check() } } else { #expect(throws: Problem.self) { try check() } }
    }

    @Test func whoComesFromElsewhereIsRefused() {
        #expect(throws: Problem.self) {
            try KillSwitchGuard.check(
                host: "localhost", origins: [], site: nil, type: "application/json", isLocal: false)
        }
        #expect(throws: Problem.self) {
            try KillSwitchGuard.check(
                host: "localhost", origins: [], site: "cross-site", type: "application/json", isLocal: true)
        }
        #expect(!PeerRequestContext.isLoopback(try? SocketAddress(ipAddress: "192.168.1.5", port: 1)))
        #expect(!PeerRequestContext.isLoopback(nil))
        for address in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            #expect(PeerRequestContext.isLoopback(try? SocketAddress(ipAddress: address, port: 1)), "\(address)")
        }
    }

    @Test(arguments: [HTTPRequest.Method.delete, .patch])
    func otherMethodsAreRefused(method: HTTPRequest.Method) async throws {
        let answer = try await self.ask("/v1/kill-switch", method: method)
        #expect(answer.status == 405)
        #expect(answer.headers[.allow] == "GET, HEAD, PUT, POST")
        #expect(try await self.ask("/v1/account", method: .put).headers[.allow] == "GET, HEAD")
    }

    // MARK: History

    @Test func theHistoryIsAskedAsItWasAskedFor() async throws {
        let history = FakeHistory()
        let path =
            "/v1/history/old-market?kind=spike,trade&from=5&until=9&order=oldest_first&limit=7&cursor=there"
        let answer = try await self.ask(path, history: history)
        #expect(answer.status == 200)
        #expect(
            history.queries.entries == [
                HistoryQuery(
                    kinds: [.spike, .trade], market: "0xd1", from: Timestamp(milliseconds: 5),
                    until: Timestamp(milliseconds: 9), order: .oldestFirst, limit: 7, cursor: "there")
            ])
        #expect(try answer.json()["next"] as? String == "more")
        #expect(try answer.items().first?["record"] as? String == "spike")
    }

    @Test func oddsOfAFollowedMarketAreTheDefault() async throws {
        let history = FakeHistory()
        #expect(try await self.ask("/v1/history/will-it-rain", history: history).status == 200)
        #expect(history.queries.entries == [HistoryQuery(kinds: [.odds], market: "0xb1")])
    }

    @Test func allMarketsAndReferencePricesAreAskedTogether() async throws {
        let history = FakeHistory()
        #expect(try await self.ask("/v1/history", history: history).status == 200)
        let path = "/v1/history?kind=reference_price&symbol=btc/usd"
        #expect(try await self.ask(path, history: history).status == 200)
        #expect(
            history.queries.entries == [HistoryQuery(), HistoryQuery(kinds: [.referencePrice], symbol: "btc/usd")])
    }

    @Test(
        arguments: [
            ("/v1/history/0xa1?kind=spikes", 400, "Allowed, with commas between several: market, odds, spike"),
            ("/v1/history/0xa1?kind=", 400, "Allowed"),
            ("/v1/history/0xa1?kind=reference_price", 400, "/v1/history?kind=reference_price"),
            ("/v1/history/0xa1?order=newest", 400, "newest_first, oldest_first"),
            ("/v1/history/0xa1?from=9&until=9", 400, "nothing lies between"),
            ("/v1/history/0xa1?from=x", 400, "milliseconds"), ("/v1/history/0xa1?limit=1001", 400, "1 to 1000"),
            ("/v1/history/0xa1?symbol=btc", 400, "no parameter 'symbol'"),
            ("/v1/history/old-markt", 404, "Like it are: old-market"),
            ("/v1/history/zzz", 404, "Nothing was kept of a market 'zzz'"),
        ])
    func mistakesAreProblems(path: String, status: Int, detail: String) async throws {
        let answer = try await self.ask(path, history: FakeHistory())
        #expect(answer.status == status)
        #expect(try answer.detail().contains(detail), "\(answer.text)")
    }

    @Test(
        arguments: [
            (.unavailable, 501), (.notFound, 404), (.badCursor, 400), (.busy, 503), (.damaged, 503),
            (.inaccessible, 503), (.newerVersion, 503),
        ] as [(HistoryError.Code, Int)])
    func troubleOfTheHistoryIsToldInItsWords(code: HistoryError.Code, status: Int) async throws {
        let history = FakeHistory(error: HistoryError(code, "Do this."))
        let answer = try await self.ask("/v1/history/0xa1", history: history)
        #expect(answer.status == status)
        #expect(try answer.detail() == "Do this.")
    }

    @Test(arguments: ["/v1/history", "/v1/history/0xa1"])
    func withoutAHistoryItIsSaidHowToKeepOne(path: String) async throws {
        let answer = try await self.ask(path)
        #expect(answer.status == 404)
        #expect(try answer.detail().contains("--data"))
    }
}
