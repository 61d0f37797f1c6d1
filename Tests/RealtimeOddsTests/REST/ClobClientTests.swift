import OddsCore
import OddsTestSupport
import Testing

@testable import RealtimeOdds

@Suite struct ClobClientTests {
    private func client(_ script: @escaping @Sendable (String) -> ScriptedTransport.Answer) -> ClobClient {
        ClobClient(base: "http://clob/", transport: ScriptedTransport(base: "http://clob", script: script))
    }

    private func book(_ changes: [String: String?] = [:]) async throws -> RESTBook {
        let text = clobBook("111", changes)
        return try await self.client { _ in .json(text) }.book(of: "111")
    }

    private static func levels(_ levels: [(String, String)]) -> String {
        "[" + levels.map { #"{"size":"\#($1)","price":"\#($0)"}"# }.joined(separator: ",") + "]"
    }

    @Test func aBookIsReadWhateverTheOrderOfItsLevels() async throws {
        let text = clobBook(
            "111",
            [
                "bids": Self.levels([("0.48", "30"), (".01", "5"), ("0.481", "2.5")]),
                "asks": Self.levels([("0.5", "1"), ("0.49", "100.123456"), ("0.7", "0")]),
            ])
        let transport = ScriptedTransport(base: "http://clob") { _ in .json(text) }
        let book = try await ClobClient(base: "http://clob", transport: transport).book(of: "111")
        #expect(transport.asked.entries == ["/book?token_id=111"])
        #expect(book.market == "0xm")
        #expect(book.asset == "111")
        #expect(book.timestamp == Timestamp(milliseconds: 1_777_428_645_794))
        #expect(book.bids.map(\.price) == [0.01, 0.48, 0.481])
        #expect(book.bestBid == Level(price: 0.481, size: 2.5))
        #expect(book.asks.map(\.price) == [0.49, 0.5])
        #expect(book.bestAsk?.size == Size(rawValue: 100_123_456))
        #expect(book.tickSize == 0.01)
        #expect(book.minimumOrderSize == 5)
        #expect(book.negativeRisk == false)
        #expect(book.lastTradePrice == 0.42)
        #expect(book.hash == BookHash(hex: String(repeating: "ab", count: 20)))
    }

    @Test func whatMayBeMissingIsNil() async throws {
        let bare = try await self.book([
            "tick_size": nil as String?, "min_order_size": "null", "neg_risk": nil, "last_trade_price": #""""#,
            "hash": #""""#, "bids": "[]", "asks": "[]", "unknown": "{}",
        ])
        #expect(bare.tickSize == nil && bare.minimumOrderSize == nil && bare.negativeRisk == nil)
        #expect(bare.lastTradePrice == nil && bare.hash == nil)
        #expect(bare.bestBid == nil && bare.bestAsk == nil && bare.hasGhostShape)
        let numbers = try await self.book([
            "tick_size": "0.001", "min_order_size": "15", "last_trade_price": "0.5", "timestamp": "1777428645794",
        ])
        #expect(numbers.tickSize == 0.001 && numbers.minimumOrderSize == 15 && numbers.lastTradePrice == 0.5)
        #expect(numbers.timestamp == Timestamp(milliseconds: 1_777_428_645_794))
    }

    @Test(arguments: [
        ("asset_id", #""222""#), ("asset_id", "null"), ("asset_id", "111"), ("market", #""""#), ("market", "null"),
        ("timestamp", "null"), ("timestamp", #""yesterday""#), ("timestamp", #""-5""#), ("bids", "null"),
        ("bids", "{}"), ("bids", "[1]"), ("bids", #"[{"price":"0.48"}]"#), ("bids", #"[{"price":0.48,"size":"5"}]"#),
        ("asks", #"[{"price":"1.5","size":"5"}]"#), ("asks", #"[{"price":"0.50001","size":"5"}]"#),
        ("asks", #"[{"price":"0.5","size":"-5"}]"#), ("asks", #"[{"price":"0,5","size":"5"}]"#),
        ("asks", #"[{"price":"0.5","size":"5"},{"price":"0.50","size":"6"}]"#),
        ("bids", #"[{"price":"0.5","size":"5"}]"#), ("tick_size", #""small""#), ("tick_size", "0"),
        ("tick_size", "[]"), ("min_order_size", #""-1""#), ("neg_risk", #""maybe""#),
        ("last_trade_price", #""2""#), ("last_trade_price", "{}"),
    ])
    func aFieldThatCannotBeUsedIsNamed(field: String, value: String) async throws {
        let error = await #expect(throws: RESTError.self) { try await self.book([field: value]) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(field) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("111") == true)
    }

    @Test(arguments: [
        (404, RESTError.Code.notFound), (429, .rateLimited), (425, .serverFailure), (500, .serverFailure),
        (503, .serverFailure), (400, .refused),
    ])
    func aStatusHasItsReason(status: Int, code: RESTError.Code) async throws {
        let client = self.client { _ in .response(RESTResponse(status: status, retryAfter: "7")) }
        let error = await #expect(throws: RESTError.self) { try await client.book(of: "111") }
        #expect(error?.code == code)
        #expect(error?.retryAfter == (status == 404 ? nil : .seconds(7)))
    }

    @Test(arguments: ["", "{", "<html>busy</html>", "[]", "5", "null"])
    func whatIsNoBookIsMalformed(body: String) async throws {
        let client = self.client { _ in
            .response(RESTResponse(status: 200, contentType: "text/html", body: Array(body.utf8)))
        }
        let error = await #expect(throws: RESTError.self) { try await client.book(of: "111") }
        #expect(error?.code == .malformed)
    }

    @Test func tokensAreEscaped() async throws {
        let transport = ScriptedTransport(base: "http://clob")
        await #expect(throws: RESTError.self) {
            try await ClobClient(base: "http://clob", transport: transport).book(of: "1&x=ü")
        }
        #expect(transport.asked.entries == ["/book?token_id=1%26x%3D%C3%BC"])
    }

    @Test(arguments: ["1764612536", #""1764612536""#, "1764612536.0"])
    func theVenuesClockIsInSeconds(body: String) async throws {
        let transport = ScriptedTransport(base: "http://clob") { _ in .json(body) }
        let time = try await ClobClient(base: "http://clob", transport: transport).time()
        #expect(time == Timestamp(seconds: 1_764_612_536))
        #expect(transport.asked.entries == ["/time"])
    }

    @Test(arguments: ["1764612536000", "-5", #""soon""#, "null", "{}"])
    func aTimeThatIsNoneIsMalformed(body: String) async throws {
        let client = self.client { _ in .json(body) }
        let error = await #expect(throws: RESTError.self) { try await client.time() }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains("/time") == true)
    }
}

/// The CLOB's answer about a token's book, with its usual types; members can be replaced or taken out.
func clobBook(_ asset: AssetID, _ changes: [String: String?] = [:]) -> String {
    var members: [String: String] = [
        "market": #""0xm""#, "asset_id": "\"\(asset)\"", "timestamp": #""1777428645794""#,
        "hash": "\"\(String(repeating: "ab", count: 20))\"", "bids": #"[{"price":"0.48","size":"30"}]"#,
        "asks": #"[{"price":"0.49","size":"100"}]"#, "min_order_size": #""5""#, "tick_size": #""0.01""#,
        "neg_risk": "false", "last_trade_price": #""0.420""#,
    ]
    for (name, value) in changes { members[name] = value }
    return "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
}
