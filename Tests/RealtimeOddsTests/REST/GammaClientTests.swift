import OddsCore
import OddsTestSupport
import Testing

@testable import RealtimeOdds

@Suite struct GammaClientTests {
    private let slug = "btc-updown-15m-1777428000"

    private func client(_ script: @escaping @Sendable (String) -> ScriptedTransport.Answer) -> GammaClient {
        GammaClient(base: "http://gamma/", transport: ScriptedTransport(script: script))
    }

    private func finding(_ changes: [String: String?]) async throws -> MarketFinding {
        let text = gammaMarket(self.slug, changes)
        return try await self.client { _ in .json(text) }.market(slug: self.slug)
    }

    @Test func aMarketIsReadByItsSlug() async throws {
        let transport = ScriptedTransport { _ in
            .json(
                gammaMarket(
                    "btc-updown-15m-1777428000",
                    ["eventStartTime": #""2026-04-29T02:00:00Z""#, "endDate": #""2026-04-29T02:15:00.000Z""#]))
        }
        let client = GammaClient(base: "http://gamma/", transport: transport)
        let finding = try await client.market(slug: self.slug)
        #expect(transport.asked.entries == ["/markets/slug/btc-updown-15m-1777428000"])
        let market = finding.market
        #expect(market.id == "0x-btc-updown-15m-1777428000")
        #expect(market.slug == self.slug)
        #expect(market.question == "Up or down?")
        #expect(market.yes == Outcome(label: "Up", asset: "111"))
        #expect(market.no == Outcome(label: "Down", asset: "222"))
        #expect(market.window?.start == Timestamp(seconds: 1_777_428_000))
        #expect(market.window?.end == Timestamp(seconds: 1_777_428_900))
        #expect(market.tickSize == 0.01)
        #expect(market.minimumOrderSize == 5)
        #expect(!market.negativeRisk)
        #expect(market.acceptingOrders)
        #expect(!market.closed)
        #expect(finding.hasOrderBook)
        #expect(finding.settlement == .open)
    }

    @Test(arguments: [
        (#"["Up","Down"]"#, "111"), (#"["Down","Up"]"#, "222"), (#"["NO","yes"]"#, "222"), (#"["Yes","No"]"#, "111"),
        (#"["down","Sideways"]"#, "222"), (#"["Sideways","UP"]"#, "222"), (#"["Rangers","Islanders"]"#, "111"),
        (#""[\"Down\", \" Up \"]""#, "222"),
    ])
    func yesIsFoundByItsLabel(labels: String, yes: AssetID) async throws {
        let market = try await self.finding(["outcomes": labels, "clobTokenIds": #"["111","222"]"#]).market
        #expect(market.yes.asset == yes)
        #expect(market.no?.asset == (yes == "111" ? "222" : "111"))
    }

    @Test(arguments: [
        ("false", #""[\"1\",\"0\"]""#, MarketSettlement.open), ("true", #""[\"1\",\"0\"]""#, .won(.yes)),
        ("true", #""[\"0\",\"1\"]""#, .won(.no)), ("true", #"["0.5","0.5"]"#, .split),
        (#""true""#, #""[\"0.999\",\"0.001\"]""#, .closed), ("true", "null", .closed), ("true", #""oops""#, .closed),
        ("true", #""[\"1\"]""#, .closed), ("null", "null", .open),
    ])
    func theEndIsReadFromTheOutcomePrices(closed: String, prices: String, settlement: MarketSettlement) async throws {
        let finding = try await self.finding(["closed": closed, "outcomePrices": prices])
        #expect(finding.settlement == settlement)
        #expect(finding.market.closed == (settlement != .open))
    }

    @Test func theWinnerBelongsToTheLabelNotToThePlace() async throws {
        let finding = try await self.finding([
            "closed": "true", "outcomes": #"["Down","Up"]"#, "outcomePrices": #"["1","0"]"#,
        ])
        #expect(finding.settlement == .won(.no))
    }

    @Test func numbersAndFlagsMayBeTexts() async throws {
        let finding = try await self.finding([
            "orderPriceMinTickSize": #""0.001""#, "orderMinSize": #""15""#, "negRisk": #""true""#,
            "acceptingOrders": "false", "enableOrderBook": #""false""#,
        ])
        #expect(finding.market.tickSize == 0.001)
        #expect(finding.market.minimumOrderSize == 15)
        #expect(finding.market.negativeRisk)
        #expect(!finding.market.acceptingOrders)
        #expect(!finding.hasOrderBook)
        let bare = try await self.finding([
            "orderPriceMinTickSize": nil as String?, "orderMinSize": "null", "negRisk": nil, "acceptingOrders": nil,
            "enableOrderBook": nil, "question": "7", "unknown": "{}",
        ])
        #expect(bare.market.tickSize == 0.01)
        #expect(bare.market.minimumOrderSize == 5)
        #expect(bare.market.acceptingOrders && bare.hasOrderBook && !bare.market.negativeRisk)
        #expect(bare.market.question == nil)
    }

    @Test func theWindowComesFromTheSlugWhenTheTimesAreMissing() async throws {
        // The listing time, a day earlier, is never taken for the start.
        let market = try await self.finding([:]).market
        #expect(market.window?.start == Timestamp(seconds: 1_777_428_000))
        #expect(market.window?.end == Timestamp(seconds: 1_777_428_900))
        let other = gammaMarket("rangers-islanders", ["endDate": #""2026-04-29T02:00:00Z""#])
        let match = try await self.client { _ in .json(other) }.market(slug: "rangers-islanders").market
        #expect(match.window == nil)
    }

    @Test(arguments: [
        ("conditionId", "null"), ("conditionId", "12"), ("outcomes", "null"), ("outcomes", #""Up,Down""#),
        ("outcomes", #"["Up","Yes"]"#), ("outcomes", #"["Up"]"#), ("outcomes", "[1,2]"), ("clobTokenIds", "null"),
        ("clobTokenIds", "[111,222]"), ("clobTokenIds", #"["111","111"]"#), ("clobTokenIds", #"["0xabc","2"]"#),
        ("clobTokenIds", #"["1","2","3"]"#), ("eventStartTime", #""yesterday""#), ("endDate", "5"),
        ("orderPriceMinTickSize", #""small""#), ("orderPriceMinTickSize", "0"), ("orderPriceMinTickSize", "[]"),
        ("orderMinSize", "-1"), ("negRisk", "3"), ("closed", #""perhaps""#), ("slug", #""another-market""#),
    ])
    func aFieldThatCannotBeUsedIsNamed(field: String, value: String) async throws {
        let error = await #expect(throws: RESTError.self) { try await self.finding([field: value]) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(self.slug) == true)
        let named = field == "outcomes" && value == #"["Up"]"# ? "clobTokenIds" : field
        #expect(error?.message.contains(named) == true, "\(error?.message ?? "")")
        #expect(error?.lookUpFailure.reason == .malformed)
    }

    @Test(arguments: ["[]", #""[]""#, #"["",""]"#, #""""#])
    func aMarketWithoutTokensIsNotThereYet(tokens: String) async throws {
        let error = await #expect(throws: RESTError.self) { try await self.finding(["clobTokenIds": tokens]) }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("no tokens yet") == true)
    }

    @Test func slugsAreTriedInOrder() async throws {
        let transport = ScriptedTransport { path in
            path.hasSuffix("older") ? .json(gammaMarket("older")) : .missing
        }
        let client = GammaClient(base: "http://gamma", transport: transport)
        #expect(try await client.market(slugs: ["newer", "older"]).market.slug == "older")
        #expect(transport.asked.entries == ["/markets/slug/newer", "/markets/slug/older"])
        let error = await #expect(throws: RESTError.self) { try await client.market(slugs: ["a", "b"]) }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("a or b") == true)
        // Only absence leads on to the next slug.
        transport.answer { _ in .error(RESTError(.timeout, "slow")) }
        transport.asked.takeAll()
        let late = await #expect(throws: RESTError.self) { try await client.market(slugs: ["a", "b"]) }
        #expect(late?.code == .timeout)
        #expect(transport.asked.entries == ["/markets/slug/a"])
    }

    @Test func aConditionIsAskedForOpenThenClosed() async throws {
        let transport = ScriptedTransport { path in
            .json(path.contains("closed=true") ? "[\(gammaMarket("match", ["conditionId": #""0xAB""#]))]" : "[]")
        }
        let client = GammaClient(base: "http://gamma", transport: transport)
        #expect(try await client.market(condition: "0xab").market.slug == "match")
        #expect(
            transport.asked.entries == ["/markets?condition_ids=0xab", "/markets?condition_ids=0xab&closed=true"])
        let other = await #expect(throws: RESTError.self) { try await client.market(condition: "0xcd") }
        #expect(other?.code == .malformed)
        transport.answer { _ in .json("[]") }
        let none = await #expect(throws: RESTError.self) { try await client.market(condition: "0xab") }
        #expect(none?.code == .notFound)
    }

    @Test(arguments: [
        (404, RESTError.Code.notFound, MarketLookUpFailure.Reason.missing),
        (429, .rateLimited, .rateLimited), (500, .serverFailure, .refused), (503, .serverFailure, .refused),
        (425, .serverFailure, .refused), (403, .refused, .refused), (301, .refused, .refused),
    ])
    func aStatusHasItsReason(status: Int, code: RESTError.Code, reason: MarketLookUpFailure.Reason) async throws {
        let client = self.client { _ in
            .response(RESTResponse(status: status, retryAfter: " 7", body: Array("no\nway".utf8)))
        }
        let error = await #expect(throws: RESTError.self) { try await client.market(slug: "x") }
        #expect(error?.code == code)
        #expect(error?.lookUpFailure.reason == reason)
        #expect(error?.message.contains("\(status)") == true)
        #expect(error?.retryAfter == (status == 404 ? nil : .seconds(7)))
    }

    @Test(arguments: ["", "{", "<html>busy</html>", #"{"slug":"x""#, "[1]", "5", #""x""#])
    func whatIsNoMarketIsMalformed(body: String) async throws {
        let client = self.client { _ in
            .response(RESTResponse(status: 200, contentType: "text/html", body: Array(body.utf8)))
        }
        let error = await #expect(throws: RESTError.self) { try await client.market(slug: "x") }
        #expect(error?.code == .malformed)
    }

    @Test func slugsAreEscaped() {
        #expect("a-b_c.d~9".urlEscaped == "a-b_c.d~9")
        #expect("a/b?c=ü\n".urlEscaped == "a%2Fb%3Fc%3D%C3%BC%0A")
    }

    @Test(arguments: [(nil, nil), ("5", 5), (" 12 ", 12), ("-3", nil), ("Wed, 21 Oct 2026 07:28:00 GMT", nil)])
    func retryAfterIsReadAsSeconds(text: String?, seconds: Int?) {
        #expect(RESTResponse(status: 429, retryAfter: text).retryAfterDuration == seconds.map { .seconds($0) })
    }
}
