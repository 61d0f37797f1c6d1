import Foundation
import OddsCore
import OddsTestSupport
import Synchronization
import Testing

@testable import PolymarketSimulator

/// Listeners of the live data socket of a venue without sockets.
private final class Listeners: Sendable {
    let venue: VirtualVenue
    private let service: PriceService
    private let sent = Mutex<[Int: [WebSocketCommand]]>([:])

    init(_ change: (inout SimulatorConfiguration) -> Void = { _ in }) throws {
        self.venue = try VirtualVenue(change)
        self.service = PriceService(self.venue.exchange)
    }

    @discardableResult
    func open(_ id: Int = 1) -> Bool {
        guard self.service.refusal() == nil else { return false }
        self.service.opened(WebSocketLink(id: id) { [weak self] in self?.keep($0, id) })
        return true
    }

    private func keep(_ commands: [WebSocketCommand], _ id: Int) {
        self.sent.withLock { $0[id, default: []] += commands }
        if commands.contains(.drop) { self.service.closed(id) }
    }

    func say(_ text: String, on id: Int = 1) {
        self.keep(self.service.received(.text(Array(text.utf8)), from: id), id)
    }

    func subscribe(_ feeds: ReferenceFeed..., on id: Int = 1) {
        self.say(String(decoding: RTDSEncoder.subscribe(feeds), as: UTF8.self), on: id)
    }

    func take(_ id: Int = 1) -> [WebSocketCommand] { self.sent.withLock { $0.removeValue(forKey: id) ?? [] } }

    func texts(_ id: Int = 1) -> [String] {
        self.take(id).compactMap {
            if case .text(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
    }

    /// What came, as a client reads it; anything that it cannot read is an issue.
    func messages(_ id: Int = 1) -> [RTDSMessage] {
        var decoder = RTDSDecoder()
        let messages = self.texts(id).map { decoder.decode(Array($0.utf8)) }
        #expect(decoder.counters.malformed == 0 && decoder.counters.unknown == 0)
        return messages
    }

    func ticks(_ id: Int = 1) -> [ReferenceTick] {
        self.messages(id).compactMap { if case .update(let tick) = $0 { tick } else { nil } }
    }
}

@Suite struct PriceDeskTests {
    private static let start: Int64 = 1_800_000_000
    private static let spot = ReferenceFeed(.chainlink, "btc/usd")

    @Test func aHistoryPrecedesThePricesOfEachSecond() throws {
        let desk = try Listeners()
        desk.open()
        desk.subscribe(Self.spot)
        let first = desk.texts()
        // The topic is the one of all histories, whatever was asked for.
        #expect(first.count == 1 && first[0].contains(#""topic":"crypto_prices","type":"subscribe""#))
        desk.venue.pass(.seconds(10))
        let texts = desk.texts()
        let newest = try #require(texts.first)
        let update = try #require(try JSONSerialization.jsonObject(with: Data(newest.utf8)) as? [String: Any])
        #expect(update["topic"] as? String == "crypto_prices_chainlink" && update["type"] as? String == "update")
        let payload = try #require(update["payload"] as? [String: Any])
        #expect(payload["full_accuracy_value"] is String && payload["value"] is Double)
        let sent = try #require(update["timestamp"] as? Int64)
        let stamp = try #require(payload["timestamp"] as? Int64)
        #expect(stamp % 1000 == 0 && (900...1_400).contains(sent - stamp))

        var decoder = RTDSDecoder()
        guard case .history(Self.spot, let history) = decoder.decode(Array(first[0].utf8)) else {
            Issue.record("no history")
            return
        }
        #expect(history.count == 60)
        let ticks = texts.compactMap { text -> ReferenceTick? in
            if case .update(let tick) = decoder.decode(Array(text.utf8)) { tick } else { nil }
        }
        let seconds = (history + ticks).map(\.time.seconds)
        #expect(seconds == Array((seconds.first ?? 0)...(seconds.last ?? 0)), "every second once")
        #expect((9...10).contains(ticks.count) && ticks.allSatisfy(\.isExact))
        #expect((ticks.last?.time.seconds ?? 0) >= Self.start + 8)
    }

    @Test func topicsAreAskedForAndGivenUp() throws {
        let ether = try MarketSeries("eth-updown-30s")
        let desk = try Listeners { $0.series.append(ether) }
        desk.open()
        desk.say("PING")
        #expect(desk.texts() == ["PONG"])
        desk.say(
            #"{"action":"subscribe","subscriptions":[{"topic":"crypto_prices","type":"*","filters":"btcusdt, ETHUSDT"},{"topic":"comments","type":"*"},{"topic":"crypto_prices_twap_thirty","type":"*","filters":"{\"symbol\":\"btc/usd\"}"}]}"#
        )
        let histories = desk.messages().compactMap { message -> ReferenceFeed? in
            if case .history(let feed, _) = message { feed } else { nil }
        }
        let asked = [
            ReferenceFeed(.binance, "btcusdt"), ReferenceFeed(.binance, "ethusdt"),
            ReferenceFeed(.twapThirty, "btc/usd"),
        ]
        #expect(histories == asked)
        desk.venue.pass(.seconds(3))
        #expect(Set(desk.ticks().map(\.feed)) == Set(asked))
        #expect(desk.venue.exchange.counters.priceSubscriptions == 3)
        desk.say(#"{"action":"unsubscribe","subscriptions":[{"topic":"crypto_prices","type":"*","filters":""}]}"#)
        desk.venue.pass(.seconds(3))
        #expect(Set(desk.ticks().map(\.feed)) == [asked[2]])
        // Without a filter all symbols come, and no history.
        desk.say(#"{"action":"subscribe","subscriptions":[{"topic":"crypto_prices_chainlink","type":"update"}]}"#)
        #expect(desk.texts() == [])
        desk.venue.pass(.seconds(2))
        #expect(Set(desk.ticks().map(\.feed)).count == 3)
        for text in ["", "{", "[]", #"{"action":"dance"}"#, #"{"action":"subscribe"}"#] { desk.say(text) }
        #expect(desk.texts() == [])
    }

    @Test func sameSeedSamePrices() throws {
        func prices(_ seed: UInt64) throws -> [ReferenceTick] {
            let desk = try Listeners { $0.seed = seed }
            desk.open()
            desk.subscribe(Self.spot, ReferenceFeed(.twapSixty, "btc/usd"))
            desk.venue.pass(.seconds(20))
            return desk.ticks()
        }
        #expect(try prices(3) == prices(3))
        #expect(try prices(3) != prices(4))
    }

    /// Winner, odds and prices agree: what a client works out from the feed is what the exchange says, window for window.
    @Test(arguments: [
        ("btc-updown-30s", 30 as Int64, 12), ("btc-updown-1m", 60, 6), ("btc-updown-5m", 300, 3),
        ("eth-updown-15m", 900, 2), ("btc-updown-7s", 7, 20),
    ])
    func theFeedTellsWhoWins(series: String, length: Int64, count: Int) throws {
        for settlement in [SimulatorConfiguration.Settlement.twap, .spot] {
            let parsed = try MarketSeries(series)
            let desk = try Listeners {
                $0.series = [parsed]
                $0.settlement = settlement
                $0.flow.orders = 0.1
                $0.flow.quotes = 0.5
            }
            let venue = desk.venue
            let symbol = String(series.prefix(3)) + "/usd"
            desk.open()
            desk.subscribe(
                ReferenceFeed(.chainlink, symbol), ReferenceFeed(.twapThirty, symbol), ReferenceFeed(.twapSixty, symbol)
            )
            venue.pass(.seconds(length * Int64(count + 1) + 5))
            var book = ReferenceBook()
            for message in desk.messages() {
                switch message {
                case .update(let tick): book.record(tick, at: venue.clock.now())
                case .history(_, let ticks): for tick in ticks { book.record(tick, at: venue.clock.now()) }
                case .pong, .ignored: break
                }
            }
            #expect(book.contradictions == 0)
            let first = (Self.start + length - 1) / length * length
            for number in 0..<Int64(count) {
                let slug = "\(series)-\(first + number * length)"
                let market = try #require(venue.exchange.market(slug: slug))
                let told = try Self.gamma(venue, slug)
                let outcome = book.outcome(of: market, at: venue.clock.now())
                #expect(outcome.winner == told.winner && told.winner != nil, "\(slug): \(outcome)")
                #expect(told.settlement == market.settlement)
                let reading = book.reading(for: market, at: venue.clock.now())
                let expected: ReferenceMark.Origin =
                    [nil, 30, 60].contains(market.settlement?.lookbackSeconds) ? .stamped : .computed
                #expect(reading.priceToBeat.mark?.origin == expected)
            }
        }
    }

    /// What Gamma says of a market that is over.
    private static func gamma(
        _ venue: VirtualVenue, _ slug: String
    ) throws -> (winner: Side?, settlement: ReferenceSettlement?) {
        let answer = venue.gamma("/markets/slug/\(slug)")
        let market = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
        let prices = market["outcomePrices"] as? String
        let winner: Side? = prices == #"["1", "0"]"# ? .yes : prices == #"["0", "1"]"# ? .no : nil
        let config = try #require(market["cryptoMarketConfig"] as? [String: Any])
        let lookback = config["twapLookbackSeconds"] as? Int ?? 0
        let rule: ReferenceSettlement.Rule =
            config["twapEnabled"] as? Bool == true ? .twap(lookbackSeconds: lookback) : .spot
        return (winner, ReferenceSettlement(symbol: String(slug.prefix(3)) + "/usd", rule: rule))
    }

    /// The odds follow the distance: at the end they are with the side that wins, whatever the rule.
    @Test(arguments: [SimulatorConfiguration.Settlement.twap, .spot])
    func theOddsEndWithTheWinner(settlement: SimulatorConfiguration.Settlement) throws {
        for seed in UInt64(1)...40 {
            var configuration = try SimulatorConfiguration.halfMinutes()
            configuration.seed = seed
            configuration.settlement = settlement
            let engine = ExchangeEngine(configuration: configuration, start: Timestamp(seconds: Self.start))
            let window = try #require(engine.window(slug: "btc-updown-30s-\(Self.start)"))
            let prices = try #require(engine.prices(of: window))
            let last = prices.calmValue(at: window.end)
            #expect((last >= 0.5) == (prices.winner == .up))
            // Nowhere is there a jump that the price did not make.
            var before = prices.calmValue(at: window.start)
            for step in 1...3_000 as ClosedRange<Int64> {
                let value = prices.calmValue(at: window.start.advanced(by: .milliseconds(step * 10)))
                let limit = step > 2_900 ? 0.6 : 0.12
                #expect(abs(value - before) < limit, "seed \(seed), \(step * 10) ms: \(before) to \(value)")
                before = value
            }
        }
    }

    // MARK: Faults

    @Test func aFrozenSocketAnswersAndSaysNothing() throws {
        let desk = try Listeners()
        desk.open()
        desk.subscribe(Self.spot)
        desk.venue.subscribe(1, to: try desk.venue.market())
        _ = desk.take()
        desk.venue.forget()
        #expect(desk.venue.exchange.inject(SimulatorFault(.freeze, on: .rtds, for: .seconds(10))))
        desk.venue.pass(.seconds(9))
        desk.say("PING")
        #expect(desk.texts() == ["PONG"])
        // Neither does a new connection say anything, and the market channel is not concerned.
        desk.open(2)
        desk.subscribe(Self.spot, on: 2)
        #expect(desk.texts(2) == [] && desk.venue.texts(1).count > 50)
        desk.venue.pass(.seconds(3))
        #expect(desk.ticks().count >= 2 && !desk.ticks(2).isEmpty)
    }

    @Test func connectionsAreDroppedAndRefused() throws {
        let desk = try Listeners()
        desk.open(1)
        desk.open(2)
        desk.subscribe(Self.spot, on: 2)
        desk.venue.subscribe(1, to: try desk.venue.market())
        #expect(desk.venue.exchange.inject(SimulatorFault(.drop, on: FaultTarget(line: .oldest, api: .rtds))))
        desk.venue.pass(.seconds(2))
        #expect(desk.take(1).last == .drop && desk.ticks(2).count >= 1)
        #expect(!desk.venue.exchange.inject(SimulatorFault(.drop, on: FaultTarget(line: .number(1), api: .rtds))))
        #expect(desk.venue.exchange.counters.priceConnections == 1 && desk.venue.exchange.counters.connectionsOpen == 1)
        // A drop that names nobody is of the market channel.
        #expect(desk.venue.exchange.inject(.drop))
        desk.venue.pass(.seconds(1))
        #expect(desk.venue.exchange.counters.priceConnections == 1 && desk.venue.exchange.counters.connectionsOpen == 0)
        desk.venue.exchange.inject(SimulatorFault(.refuse(.status(503)), on: .rtds, for: .seconds(5)))
        #expect(!desk.open(3) && desk.venue.open(3))
        desk.venue.pass(.seconds(6))
        #expect(desk.open(3))
        desk.venue.exchange.inject(SimulatorFault(.refuse(.reset), on: .rtds))
        #expect(!desk.open(4))
        let list = desk.venue.clob("/_faults").text
        #expect(list.contains(#"{"fault":"reset","on":{"api":"rtds"},"left":null}"#))
        desk.venue.exchange.inject(.recover)
        #expect(desk.open(4) && desk.venue.clob("/_faults").text.contains(#""faults":[]"#))
    }

    @Test func secondsAreMissingEverywhere() throws {
        let desk = try Listeners()
        desk.open()
        desk.subscribe(Self.spot, ReferenceFeed(.twapSixty, "btc/usd"))
        desk.venue.exchange.schedule([PlannedFault(at: .seconds(5), SimulatorFault(.gap, for: .seconds(4)))])
        desk.venue.pass(.seconds(20))
        let missing = Set(Self.start + 5...Self.start + 8)
        for feed in [Self.spot, ReferenceFeed(.twapSixty, "btc/usd")] {
            desk.subscribe(feed)
        }
        var seconds: [ReferenceFeed: Set<Int64>] = [:]
        for message in desk.messages() {
            switch message {
            case .update(let tick): seconds[tick.feed, default: []].insert(tick.time.seconds)
            case .history(let feed, let ticks): seconds[feed, default: []].formUnion(ticks.map(\.time.seconds))
            case .pong, .ignored: break
            }
        }
        #expect(seconds.count == 2)
        for (_, told) in seconds {
            #expect(told.isDisjoint(with: missing))
            #expect(told.isSuperset(of: Set(Self.start...Self.start + 18).subtracting(missing)))
        }
        // It ends when everything does.
        desk.venue.exchange.inject(SimulatorFault(.gap))
        desk.venue.pass(.seconds(3))
        _ = desk.take()
        desk.venue.pass(.seconds(3))
        #expect(desk.ticks() == [])
        desk.venue.exchange.inject(.recover)
        desk.venue.pass(.seconds(3))
        #expect(!desk.ticks().isEmpty)
    }

    @Test func whatNobodyReadIsAnsweredLater() throws {
        let desk = try Listeners()
        desk.open()
        desk.venue.exchange.inject(SimulatorFault(.halfOpen, on: .rtds, for: .seconds(5)))
        desk.venue.pass(.seconds(1))
        desk.subscribe(Self.spot)
        desk.say("PING")
        desk.venue.pass(.seconds(3))
        #expect(desk.take() == [.pause])
        desk.venue.pass(.seconds(3))
        let commands = desk.take()
        #expect(commands.first == .resume && commands.contains(.text(Array("PONG".utf8))) && commands.count > 3)
    }

    @Test func aFrameCanBeSpoiled() throws {
        let desk = try Listeners()
        desk.open()
        desk.subscribe(Self.spot)
        _ = desk.take()
        desk.venue.exchange.inject(SimulatorFault(.corrupt(.syntax, .next(1)), on: .rtds))
        desk.venue.exchange.inject(SimulatorFault(.duplicate(.next(1)), on: .rtds))
        desk.venue.pass(.seconds(3))
        var decoder = RTDSDecoder()
        for text in desk.texts() { _ = decoder.decode(Array(text.utf8)) }
        #expect(decoder.counters.malformed >= 1 && decoder.counters.updates >= 1)
    }
}
