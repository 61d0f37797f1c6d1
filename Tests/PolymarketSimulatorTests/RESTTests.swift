import Foundation
import OddsCore
import OddsTestSupport
import Testing

@testable import PolymarketSimulator

@Suite(.timeLimit(.minutes(5))) struct RESTTests {
    @Test func booksAreThoseOfTheChannel() async throws {
        try await SimulatorHarness.with { harness in
            let market = try harness.market()
            try await harness.pass(.seconds(6))
            let clob = harness.endpoints.clobREST
            let (status, body) = try await harness.get("\(clob)/book?token_id=\(market.yes.asset)")
            #expect(status == 200)
            #expect(body.hasSuffix("}\n"))
            let book = try #require(try ReadFrame.readBook(body))
            #expect(
                body.range(
                    of: #""min_order_size":"5","tick_size":"0.01","neg_risk":false,"last_trade_price":"[0-9.]*"\}\n$"#,
                    options: .regularExpression) != nil)
            let rebuilt = try RebuiltBook(book.frame)
            #expect(
                rebuilt.hash(
                    market: market.id.rawValue, asset: market.yes.asset.rawValue, timestamp: book.frame.timestamp)
                    == book.frame.hash)
            let truth = try #require(harness.simulator.truth(market.id))
            #expect(rebuilt.bid == truth.up.bid && rebuilt.ask == truth.up.ask)
            let down = try #require(market.no?.asset)
            let both = try await harness.post(
                "\(clob)/books", #"[{"token_id":"\#(market.yes.asset)"},{"token_id":"99"},{"token_id":"\#(down)"}]"#)
            let list = try #require(try JSONSerialization.jsonObject(with: Data(both.body.utf8)) as? [[String: Any]])
            #expect(list.compactMap { $0["asset_id"] as? String } == [market.yes.asset.rawValue, down.rawValue])
        }
    }

    @Test func pricesFollowFromTheBook() async throws {
        try await SimulatorHarness.with { harness in
            let market = try harness.market()
            try await harness.pass(.seconds(4))
            let truth = try #require(harness.simulator.truth(market.id))
            let bid = try #require(truth.up.bid)
            let ask = try #require(truth.up.ask)
            let clob = harness.endpoints.clobREST
            let token = market.yes.asset
            func body(_ path: String) async throws -> String { try await harness.get(clob + path).body }
            #expect(try await body("/price?token_id=\(token)&side=BUY") == #"{"price":"\#(ask)"}"#)
            #expect(try await body("/price?token_id=\(token)&side=sell") == #"{"price":"\#(bid)"}"#)
            #expect(try await body("/midpoint?token_id=\(token)") == #"{"mid":"\#(Odds.midpoint(bid, ask))"}"#)
            #expect(
                try await body("/spread?token_id=\(token)")
                    == #"{"spread":"\#(Price(rawValue: ask.rawValue - bid.rawValue))"}"#)
            #expect(try await body("/tick-size?token_id=\(token)") == #"{"minimum_tick_size":0.01}"#)
            #expect(try await body("/neg-risk?token_id=\(token)") == #"{"neg_risk":false}"#)
            #expect(try await body("/fee-rate?token_id=\(token)") == #"{"base_fee":0}"#)
            #expect(try await body("/time") == "1800000004")
            #expect(try await body("/ok") == "\"OK\"")
            #expect(try await body("/last-trade-price?token_id=\(token)").hasPrefix(#"{"price":""#))
            let history = try await harness.object("\(clob)/prices-history?market=\(token)&interval=1h&fidelity=1")
            let points = try #require(history["history"] as? [[String: Any]])
            #expect(points.count == 60)
            #expect(points.last?["t"] as? Int == 1_800_000_000)
            let mids = try await harness.post("\(clob)/midpoints", #"[{"token_id":"\#(token)"}]"#)
            #expect(mids.body == #"{"\#(token)":"\#(Odds.midpoint(bid, ask))"}"#)
            let prices = try await harness.post("\(clob)/prices", #"[{"token_id":"\#(token)","side":"BUY"}]"#)
            #expect(prices.body == #"{"\#(token)":{"BUY":"\#(ask)"}}"#)
        }
    }

    @Test(arguments: ["fidelity", "startTs", "endTs"], [Int64.min, -1, 0, .max])
    func historiesOfAnySpanAreAnswered(name: String, value: Int64) async throws {
        try await SimulatorHarness.with { harness in
            let token = try harness.market().yes.asset
            let answer = try await harness.get(
                "\(harness.endpoints.clobREST)/prices-history?market=\(token)&\(name)=\(value)")
            #expect(answer.status == 200)
        }
    }

    @Test(arguments: [
        ("/book?token_id=abc", 400, "Invalid token id"),
        ("/book", 400, "Invalid token id"),
        ("/book?token_id=123", 404, "No orderbook exists for the requested token id"),
        ("/price?token_id=123&side=UP", 400, "Invalid side"),
        ("/markets/0x12", 404, "market not found"),
        ("/nothing", 404, "Not Found"),
        ("/ws/market", 400, "Bad Request"),
    ])
    func errorsHaveAStatusAndABody(_ path: String, _ status: Int, _ text: String) async throws {
        try await SimulatorHarness.with { harness in
            let answer = try await harness.get(harness.endpoints.clobREST + path)
            #expect(answer.status == status)
            #expect(answer.body == #"{"error":"\#(text)"}"#)
        }
    }

    @Test func brokenBatchesAreRefused() async throws {
        try await SimulatorHarness.with { harness in
            let clob = harness.endpoints.clobREST
            #expect(try await harness.post("\(clob)/books", "{").status == 400)
            let many = "[" + Array(repeating: #"{"token_id":"1"}"#, count: 501).joined(separator: ",") + "]"
            let answer = try await harness.post("\(clob)/books", many)
            #expect(answer.body == #"{"error":"Payload exceeds the limit"}"#)
        }
    }

    @Test func gammaFindsMarketsByEveryName() async throws {
        try await SimulatorHarness.with { harness in
            // The window before is decided by now.
            try await harness.pass(.seconds(3))
            let gamma = harness.endpoints.gammaREST
            let market = try harness.market()
            let next = try harness.market(start: 1_800_000_030)
            let found = try await harness.list("\(gamma)/markets?slug=\(market.slug)&slug=\(next.slug)&slug=none")
            #expect(found.compactMap { $0["slug"] as? String } == [market.slug, next.slug])
            let object = try #require(found.first)
            #expect(object["conditionId"] as? String == market.id.rawValue)
            #expect(object["outcomes"] as? String == #"["Up", "Down"]"#)
            let tokens = try #require(object["clobTokenIds"] as? String)
            #expect(tokens == "[\"\(market.yes.asset)\", \"\(try #require(market.no).asset)\"]")
            #expect(object["eventStartTime"] as? String == "2027-01-15T08:00:00Z")
            #expect(object["endDate"] as? String == "2027-01-15T08:00:30Z")
            #expect(object["startDate"] as? String == "2027-01-14T08:00:03Z")
            #expect(object["orderMinSize"] as? Int == 5)
            #expect(object["orderPriceMinTickSize"] as? Double == 0.01)
            #expect(object["closed"] as? Bool == false)
            #expect(object["acceptingOrders"] as? Bool == true)
            #expect(object["question"] as? String == "Bitcoin Up or Down - January 15, 3:00:00AM-3:00:30AM ET")
            #expect((object["feeSchedule"] as? [String: Any])?["rate"] as? Double == 0.07)
            #expect(object["cryptoMarketConfig"] is [String: Any])

            #expect(
                try await harness.object("\(gamma)/markets/slug/\(market.slug)")["id"] as? String == object["id"]
                    as? String)
            #expect(try await harness.get("\(gamma)/markets/slug/none").status == 404)
            #expect(try await harness.list("\(gamma)/markets?slug=none").isEmpty)
            #expect(
                try await harness.list("\(gamma)/markets?condition_ids=\(next.id)").first?["slug"] as? String
                    == next.slug)
            #expect(
                try await harness.list("\(gamma)/markets?clob_token_ids=\(market.yes.asset)").first?["slug"] as? String
                    == market.slug)

            let event = try #require(try await harness.list("\(gamma)/events?slug=\(market.slug)").first)
            #expect((event["markets"] as? [[String: Any]])?.first?["conditionId"] as? String == market.id.rawValue)
            let series = try #require((event["series"] as? [[String: Any]])?.first?["id"] as? String)
            let page = try await harness.list(
                "\(gamma)/events?series_id=\(series)&closed=false&order=endDate&ascending=true&limit=3&offset=1")
            #expect(
                page.compactMap { $0["slug"] as? String }
                    == [30, 60, 90].map { "btc-updown-30s-\(1_800_000_000 + $0)" })
        }
    }

    @Test func aDecidedWindowIsClosedWithItsPrices() async throws {
        try await SimulatorHarness.with { harness in
            let market = try harness.market()
            let gamma = harness.endpoints.gammaREST
            try await harness.pass(.seconds(31))
            let ended = try await harness.object("\(gamma)/markets/slug/\(market.slug)")
            #expect(ended["closed"] as? Bool == false)
            #expect(ended["acceptingOrders"] as? Bool == false)
            try await harness.pass(.seconds(2))
            let closed = try await harness.object("\(gamma)/markets/slug/\(market.slug)")
            #expect(closed["closed"] as? Bool == true)
            #expect(closed["closedTime"] as? String == "2027-01-15 08:00:32+00")
            #expect([#"["1", "0"]"#, #"["0", "1"]"#].contains(closed["outcomePrices"] as? String))
            #expect(try await harness.list("\(gamma)/markets?slug=\(market.slug)&closed=false").isEmpty)
            let clob = try await harness.object("\(harness.endpoints.clobREST)/markets/\(market.id)")
            let tokens = try #require(clob["tokens"] as? [[String: Any]])
            #expect(tokens.filter { $0["winner"] as? Bool == true }.count == 1)
            // The book of a window long gone is gone.
            try await harness.pass(.seconds(90))
            #expect(
                try await harness.get("\(harness.endpoints.clobREST)/book?token_id=\(market.yes.asset)").status == 404)
        }
    }
}

extension ReadFrame {
    /// A REST book as a frame: it has no event type.
    static func readBook(_ body: String) throws -> (frame: ReadFrame, text: String)? {
        let text = body.replacingOccurrences(of: #""min_order_size""#, with: #""event_type":"book","min_order_size""#)
        return try Self.read(text.utf8.dropLast()).first.map { ($0, text) }
    }
}
