import Foundation
import OddsCore
import OddsTestSupport
import Testing

@Suite struct RTDSDecoderTests {
    private static let update =
        #"{"connection_id":"c1","payload":{"full_accuracy_value":"64000125000000000000000","symbol":"btc/usd","timestamp":1800000001000,"value":64000.125},"timestamp":1800000002080,"topic":"crypto_prices_chainlink","type":"update"}"#

    private func decode(_ text: String) -> RTDSMessage {
        var decoder = RTDSDecoder()
        return decoder.decode(Array(text.utf8))
    }

    private func tick(
        _ topic: ReferenceTopic, _ symbol: String, _ price: String, _ second: Int64, exact: Bool = true,
        history: Bool = false
    ) throws -> ReferenceTick {
        ReferenceTick(
            ReferenceFeed(topic, symbol), price: try #require(ReferencePrice(price)), time: Timestamp(seconds: second),
            isExact: exact, isHistory: history)
    }

    @Test func aPriceIsReadInWhateverOrderItsPartsCome() throws {
        let expected = RTDSMessage.update(try self.tick(.chainlink, "btc/usd", "64000.125", 1_800_000_001))
        #expect(self.decode(Self.update) == expected)
        let other = #"""
            { "type" : "update", "topic" : "crypto_prices_chainlink", "extra" : [ { "a" : "}" } , null ],
              "payload" : { "value" : 64000.12, "timestamp" : 1800000001000, "more" : { }, "symbol" : "BTC/USD",
                            "full_accuracy_value" : "64000125000000000000000" } }
            """#
        #expect(self.decode(other) == expected)
    }

    @Test func eighteenDecimalsAreKept() throws {
        let text = Self.update.replacing("64000125000000000000000", with: "64000125000000000000001")
        let tick = try self.tick(.chainlink, "btc/usd", "64000.125000000000000001", 1_800_000_001)
        #expect(self.decode(text) == .update(tick))
        // A coin of a hundred-millionth of a dollar has few digits and is no eleven dollars.
        let small = Self.update.replacing("64000125000000000000000", with: "10000000000").replacing("btc", with: "pepe")
        let cheap = try self.tick(.chainlink, "pepe/usd", "0.00000001", 1_800_000_001)
        #expect(self.decode(small) == .update(cheap))
    }

    @Test func withoutItsDecimalsAPriceIsNotExact() throws {
        let text = Self.update.replacing(#""full_accuracy_value":"64000125000000000000000","#, with: "")
        let tick = try self.tick(.chainlink, "btc/usd", "64000.125", 1_800_000_001, exact: false)
        #expect(self.decode(text) == .update(tick))
    }

    @Test func meansAreTold() throws {
        let sixty =
            #"{"payload":{"full_accuracy_value":"64000500000000000000000","symbol":"btc/usd","timestamp":1800000001000,"value":64000.5,"window_s":60},"topic":"crypto_prices_twap_sixty","type":"update"}"#
        let tick = try self.tick(.twapSixty, "btc/usd", "64000.5", 1_800_000_001)
        #expect(self.decode(sixty) == .update(tick))
        #expect(self.decode(sixty.replacing(#","window_s":60"#, with: "")) == .update(tick))
        // Told in whole units, as a text or bare.
        for value in [#""64000500000000000000000""#, "64000500000000000000000"] {
            let text =
                #"{"payload":{"symbol":"btc/usd","timestamp":1800000001000,"value":\#(value),"window_s":30},"topic":"crypto_prices_twap_thirty","type":"update"}"#
            let thirty = try self.tick(.twapThirty, "btc/usd", "64000.5", 1_800_000_001, exact: false)
            #expect(self.decode(text) == .update(thirty))
        }
    }

    @Test func binanceSpeaksInDollars() throws {
        let text =
            #"{"payload":{"full_accuracy_value":"64001.12","symbol":"btcusdt","timestamp":1800000001000,"value":64001.12},"topic":"crypto_prices","type":"update"}"#
        let tick = try self.tick(.binance, "btcusdt", "64001.12", 1_800_000_001)
        #expect(self.decode(text) == .update(tick))
    }

    @Test func aHistoryIsOfTheFeedThatItsSymbolTells() throws {
        let text =
            #"{"topic":"crypto_prices","type":"subscribe","payload":{"symbol":"btc/usd","data":[{"timestamp":1800000000000,"value":64000},{"value":64000.25,"timestamp":1800000001000}]}}"#
        let ticks = try [
            self.tick(.chainlink, "btc/usd", "64000", 1_800_000_000, exact: false, history: true),
            self.tick(.chainlink, "btc/usd", "64000.25", 1_800_000_001, exact: false, history: true),
        ]
        #expect(self.decode(text) == .history(ReferenceFeed(.chainlink, "btc/usd"), ticks))
        guard case .history(let feed, let binance) = self.decode(text.replacing("btc/usd", with: "btcusdt")) else {
            Issue.record("no history")
            return
        }
        #expect(feed == ReferenceFeed(.binance, "btcusdt") && binance.count == 2)
        let mean = text.replacing(#""symbol""#, with: #""window_s":60,"symbol""#)
        guard case .history(ReferenceFeed(.twapSixty, "btc/usd"), _) = self.decode(mean) else {
            Issue.record("no history of a mean")
            return
        }
        let empty = #"{"topic":"crypto_prices","type":"subscribe","payload":{"symbol":"btc/usd","data":[]}}"#
        #expect(self.decode(empty) == .history(ReferenceFeed(.chainlink, "btc/usd"), []))
    }

    @Test func whatIsNoPriceIsCountedAndPassedOver() {
        var decoder = RTDSDecoder()
        for text in ["PONG", "pong"] { #expect(decoder.decode(Array(text.utf8)) == .pong) }
        for text in ["", "INVALID OPERATION", "[]", "7"] { #expect(decoder.decode(Array(text.utf8)) == .ignored) }
        #expect(decoder.counters.pongs == 2 && decoder.counters.plainTexts == 4)
        let unknown = [
            "{}", #"{"topic":"comments","type":"comment_created","payload":{"id":1}}"#,
            #"{"message":"Internal server error","connectionId":"x"}"#,
            Self.update.replacing(#""update""#, with: #""something""#),
            Self.update.replacing("crypto_prices_chainlink", with: "equity_prices"),
        ]
        for text in unknown { #expect(decoder.decode(Array(text.utf8)) == .ignored) }
        #expect(decoder.counters.unknown == 5 && decoder.counters.malformed == 0)
        let malformed = [
            Self.update.replacing(#""btc/usd""#, with: #""""#), Self.update.replacing(#""btc/usd""#, with: "7"),
            Self.update.replacing("1800000001000", with: "-5"), Self.update.replacing("1800000001000", with: #""now""#),
            Self.update.replacing("1800000001000", with: "0"), Self.update.replacing("64000.125", with: "{}"),
            Self.update.replacing("64000.125", with: "-1"), Self.update.replacing("64000.125", with: "0"),
            Self.update.replacing("64000125000000000000000", with: "much"), Self.update + "}",
            #"{"topic":"crypto_prices","type":"subscribe","payload":{"symbol":"btc/usd"}}"#,
            #"{"topic":"crypto_prices","type":"subscribe","payload":{"symbol":"btc/usd","data":[{"value":1}]}}"#,
            #"{"topic":"crypto_prices","type":"subscribe","payload":{"symbol":"btc/usd","data":[1,2]}}"#,
        ]
        for text in malformed { #expect(decoder.decode(Array(text.utf8)) == .ignored, "\(text)") }
        #expect(decoder.counters.malformed == UInt64(malformed.count) && decoder.counters.updates == 0)
        #expect(decoder.counters.frames == UInt64(6 + unknown.count + malformed.count))
    }

    /// Cut anywhere it is malformed, and with any byte changed it is a price or not, and nothing worse.
    @Test func brokenMessagesDoNoHarm() {
        let bytes = Array(Self.update.utf8)
        var decoder = RTDSDecoder()
        for count in 1..<bytes.count { #expect(decoder.decode(Array(bytes[..<count])) == .ignored) }
        #expect(decoder.counters.malformed == UInt64(bytes.count - 1))
        var random = SplitMix64(seed: 9)
        for _ in 0..<5_000 {
            var broken = bytes
            for _ in 0...Int.random(in: 0...3, using: &random) {
                broken[Int.random(in: 0..<broken.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if case .update(let tick) = decoder.decode(broken) { #expect(tick.price.rawValue > 0) }
        }
    }

    @Test func whatIsAskedForIsSpelledAsTheVenueWantsIt() throws {
        let feeds = [ReferenceFeed(.chainlink, "btc/usd"), ReferenceFeed(.binance, "btc\"usdt")]
        #expect(
            String(decoding: RTDSEncoder.subscribe(feeds), as: UTF8.self)
                == #"{"action":"subscribe","subscriptions":[{"topic":"crypto_prices_chainlink","type":"*","filters":"{\"symbol\":\"btc/usd\"}"},{"topic":"crypto_prices","type":"*","filters":"{\"symbol\":\"btcusdt\"}"}]}"#
        )
        let gone = try JSONSerialization.jsonObject(with: Data(RTDSEncoder.unsubscribe(feeds.prefix(1))))
        #expect((gone as? [String: Any])?["action"] as? String == "unsubscribe")
    }

    private static let capture = "rtds-chainlink-verbatim.ndjson.gz"

    @Test(.enabled(if: Captures.has(Self.capture), "the captures are not beside the package"))
    func realMessagesAreAllUnderstood() throws {
        var decoder = RTDSDecoder()
        var book = ReferenceBook()
        try Captures.frames(Self.capture) { frame in
            let now = ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: frame.time * 1_000_000),
                unixNanoseconds: frame.time * 1_000_000)
            switch decoder.decode(frame.bytes) {
            case .update(let tick): book.record(tick, at: now)
            case .history(_, let ticks): for tick in ticks { book.record(tick, at: now) }
            case .pong, .ignored: break
            }
        }
        #expect(decoder.counters.malformed == 0 && decoder.counters.unknown == 0)
        #expect(decoder.counters.updates > 800 && decoder.counters.histories > 50)
        #expect(book.contradictions == 0)
        #expect(book.count(ReferenceFeed(.chainlink, "btc/usd")) > 500)
    }
}
