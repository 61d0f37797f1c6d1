import Foundation
import OddsCore
import Testing

@testable import PolymarketSimulator

@Suite struct EngineTests {
    @Test func theSameSeedAndStartGiveTheSameBytesWhateverThePacing() throws {
        var atOnce = ExchangeEngine(try .halfMinutes())
        let expected = atOnce.emissions(after: 40)
        #expect(expected.count > 1000)

        var inSteps = ExchangeEngine(try .halfMinutes())
        var paces = SplitMix64(seed: 3)
        var actual: [Emission] = []
        while inSteps.now < atOnce.now {
            let step = Duration.milliseconds(1 + paces.index(700))
            inSteps.advance(
                to: min(inSteps.now.advanced(by: step), atOnce.now), listening: { _ in true }, into: &actual)
        }
        #expect(actual == expected)
    }

    @Test func whoListensDoesNotChangeWhatIsSaid() throws {
        var whole = ExchangeEngine(try .halfMinutes())
        let window = try #require(whole.window(slug: "btc-updown-30s-1800000000"))
        let all = whole.emissions(after: 20)
        var part = ExchangeEngine(try .halfMinutes())
        var heard: [Emission] = []
        part.advance(to: whole.now, listening: { $0 == window.up }, into: &heard)
        let expected = all.filter { emission in
            switch emission.audience {
            case .assets(let assets), .customAssets(let assets):
                assets.contains(window.up) || assets.contains(window.down)
            case .custom: true
            }
        }
        #expect(heard == expected)
        #expect(heard.count < all.count)
    }

    @Test func anotherSeedGivesOtherTokensAndOtherFlow() throws {
        var one = ExchangeEngine(try .halfMinutes(seed: 1))
        var two = ExchangeEngine(try .halfMinutes(seed: 2))
        let slug = "btc-updown-30s-1800000000"
        #expect(one.window(slug: slug)?.condition != two.window(slug: slug)?.condition)
        #expect(one.emissions(after: 5) != two.emissions(after: 5))
    }

    @Test func aBookRebuiltFromTheFramesIsTheExchangesOwnAtEveryBatchEnd() throws {
        for seed in UInt64(1)...3 {
            var engine = ExchangeEngine(try .halfMinutes(seed: seed))
            let window = try #require(engine.window(slug: "btc-updown-30s-1800000000"))
            var books: [String: RebuiltBook] = [:]
            for asset in [window.up, window.down] {
                let first = try #require(engine.book(asset: asset, rest: false))
                books[asset] = try RebuiltBook(try #require(try ReadFrame.read(first).first))
            }
            var batches = 0
            var severalLevels = 0
            while engine.now < window.end.advanced(by: .seconds(1)) {
                var emissions: [Emission] = []
                // One millisecond at a time: what came is one batch.
                engine.advance(
                    to: engine.now.advanced(by: .milliseconds(1)), listening: { $0 == window.up }, into: &emissions)
                var messages = 0
                var last: [ReadFrame.Change] = []
                for frame in try emissions.flatMap({ try ReadFrame.read($0.frame) })
                where frame.market == window.condition {
                    switch frame.event_type {
                    case "book":
                        let asset = try #require(frame.asset_id)
                        books[asset] = try RebuiltBook(frame)
                        #expect(
                            books[asset]?.hash(market: frame.market, asset: asset, timestamp: frame.timestamp)
                                == frame.hash)
                        messages += 1
                    case "price_change":
                        let changes = try #require(frame.price_changes)
                        #expect(changes.count == 2)
                        for change in changes { try books[change.asset_id]?.apply(change) }
                        if !last.isEmpty {
                            #expect(Set(changes.map(\.hash)) == Set(last.map(\.hash)))
                        }
                        last = changes
                        messages += 1
                    case "tick_size_change":
                        let size = try #require(frame.new_tick_size.flatMap { Price($0) })
                        books[try #require(frame.asset_id)]?.tickSize = size
                    default: break
                    }
                }
                guard messages > 0, let process = engine.process(of: window) else { continue }
                batches += 1
                if messages > 1 { severalLevels += 1 }
                let truth = MarketTruth(process, time: engine.now)
                #expect(books[window.up]?.bid == truth.up.bid && books[window.up]?.ask == truth.up.ask)
                #expect(books[window.down]?.bid == truth.down.bid && books[window.down]?.ask == truth.down.ask)
                for change in last {
                    let book = try #require(books[change.asset_id])
                    #expect(change.best_bid == (book.bid ?? .zero).description)
                    #expect(change.best_ask == (book.ask ?? .one).description)
                    let stamp = String(process.bookTime.milliseconds)
                    #expect(
                        book.hash(market: window.condition, asset: change.asset_id, timestamp: stamp) == change.hash)
                }
            }
            #expect(batches > 500)
            #expect(severalLevels > 50)
            #expect(books[window.up]?.bids.isEmpty == true && books[window.up]?.asks.isEmpty == true)
        }
    }

    @Test func theBookNeverCrossesAndBothTokensMirror() throws {
        var engine = ExchangeEngine(try .halfMinutes(seed: 11))
        let window = try #require(engine.window(slug: "btc-updown-30s-1800000030"))
        for _ in 0..<600 {
            _ = engine.emissions(after: 0.1)
            guard let book = engine.process(of: window)?.book else { continue }
            if let bid = book.best(.bids), let ask = book.best(.asks) { #expect(bid.price < ask.price) }
            #expect(book.bids.elementsEqual(book.bids.sorted { $0.price < $1.price }))
            #expect(book.asks.elementsEqual(book.asks.sorted { $0.price > $1.price }))
            let down = Array(book.bids(of: .down)).map { "\($0.price.complement) \($0.size)" }
            #expect(down == Array(book.asks(of: .up)).map { "\($0.price) \($0.size)" })
        }
    }

    @Test func aTradeGivesBothBooksAndThenOneTradeThirtyMillisecondsLater() throws {
        var engine = ExchangeEngine(try .halfMinutes(seed: 5))
        let window = try #require(engine.window(slug: "btc-updown-30s-1800000000"))
        let frames = try engine.emissions(after: 30).flatMap { try ReadFrame.read($0.frame) }
            .filter { $0.market == window.condition }
        let books = frames.filter { $0.event_type == "book" }
        let trades = frames.filter { $0.event_type == "last_trade_price" }
        #expect(trades.count > 15)
        #expect(books.count == 2 * trades.count)
        for (number, trade) in trades.enumerated() {
            let pair = books[2 * number...2 * number + 1]
            #expect(Set(pair.map(\.asset_id)) == [window.up, window.down])
            let delay = try #require(Int64(trade.timestamp)) - (try #require(Int64(pair.first?.timestamp ?? "")))
            #expect((20...45).contains(delay))
            let price = try #require(trade.price.flatMap { Price($0) })
            #expect(pair.allSatisfy { $0.last_trade_price == price.lastTradeText })
        }
    }

    @Test func windowsEndAtOneSideEmptyAndAreResolved() throws {
        var ends: Set<String> = []
        for seed in UInt64(1)...6 {
            var engine = ExchangeEngine(try .halfMinutes(seed: seed))
            let window = try #require(engine.window(slug: "btc-updown-30s-1800000000"))
            _ = engine.emissions(after: 29.9)
            let process = try #require(engine.process(of: window))
            let winner = process.winner
            let winningBid = process.book.top(of: winner).bid?.price ?? .zero
            let close = abs(engine.calmValue(of: window, at: engine.now) - 0.5) < 0.45
            #expect(close || winningBid >= 0.9)
            #expect(engine.winner(of: window) == nil)
            let last = try engine.emissions(after: 3).flatMap { try ReadFrame.read($0.frame) }
                .filter { $0.market == window.condition }
            #expect(engine.process(of: window)?.book.bids.isEmpty == true)
            let resolved = try #require(last.last)
            #expect(resolved.event_type == "market_resolved")
            #expect(resolved.timestamp == String(window.end.milliseconds + 2_000))
            #expect(resolved.winning_asset_id == window.asset(winner))
            #expect(engine.winner(of: window) == winner)
            #expect(
                !last.contains {
                    $0.event_type == "price_change" && Int64($0.timestamp) ?? 0 > window.end.milliseconds + 500
                })
            ends.insert(winner.label)
        }
        #expect(ends == ["Up", "Down"])
    }

    /// Times over 0.70 that end below 0.65 within six seconds, on either side of every window, by the middle of the book.
    private func spikes(seed: UInt64, minutes: Int) throws -> [(token: Token, length: Double)] {
        var engine = ExchangeEngine(try .halfMinutes(seed: seed))
        var spikes: [(Token, Double)] = []
        var since: [String: Timestamp] = [:]
        for _ in 0..<(minutes * 1200) {
            var none: [Emission] = []
            engine.advance(to: engine.now.advanced(by: .milliseconds(50)), listening: { _ in false }, into: &none)
            let series = try #require(engine.configuration.series.first)
            let now = series.window(containing: engine.now)
            guard let window = engine.window(series: series, start: now.start.seconds),
                let process = engine.process(of: window)
            else { continue }
            for token in Token.allCases {
                let top = process.book.top(of: token)
                guard let bid = top.bid?.price, let ask = top.ask?.price else { continue }
                let middle = Odds.midpoint(bid, ask)
                let asset = window.asset(token)
                if middle > 0.7, since[asset] == nil { since[asset] = engine.now }
                if middle < 0.65, let begin = since.removeValue(forKey: asset) {
                    let length = begin.duration(to: engine.now).secondsValue
                    if length < 6 { spikes.append((token, length)) }
                }
            }
        }
        return spikes
    }

    @Test func spikesOverSeventyComeBackWithinSeconds() throws {
        for seed in UInt64(1)...4 {
            let spikes = try self.spikes(seed: seed, minutes: 3)
            #expect(spikes.count >= 6, "seed \(seed): \(spikes)")
            #expect(Set(spikes.map(\.token)).count == 2, "seed \(seed): \(spikes)")
        }
    }

    @Test func windowsAreListedADayAheadAndKnownByEveryName() throws {
        var configuration = try SimulatorConfiguration.halfMinutes()
        configuration.series += [
            try MarketSeries("btc-updown-15m"), try MarketSeries("btc-updown-1h"), try MarketSeries("eth-updown-4h"),
        ]
        let engine = ExchangeEngine(configuration)
        for series in configuration.series {
            var window = series.window(containing: engine.now)
            for _ in 0..<5 {
                let slug = try #require(series.slugs(for: window).first)
                let market = try #require(engine.window(slug: slug))
                #expect(market.slug == slug)
                #expect(engine.window(condition: market.condition)?.slug == slug)
                #expect(engine.token(asset: market.up)?.token == .up)
                #expect(engine.token(asset: market.down)?.window.slug == slug)
                #expect((77...78).contains(market.up.utf8.count) && (77...78).contains(market.down.utf8.count))
                #expect(market.condition.utf8.count == 66)
                #expect(engine.book(asset: market.up, rest: true) != nil)
                window = series.window(after: window)
            }
        }
        #expect(engine.window(slug: "btc-updown-30s-1799990000") == nil)
        #expect(engine.window(slug: "btc-updown-30s-1799990010")?.slug == "btc-updown-30s-1799990010")
        #expect(engine.window(slug: "btc-updown-30s-1800100000") == nil)
        #expect(engine.window(slug: "btc-updown-5m-1800000000") == nil)
        #expect(engine.token(asset: "12345") == nil)
    }

    @Test func newWindowsAreAnnouncedToEverybodyADayAhead() throws {
        var engine = ExchangeEngine(try .halfMinutes())
        let announced = try engine.emissions(after: 90).filter { $0.audience == .custom }
            .flatMap { try ReadFrame.read($0.frame) }.filter { $0.event_type == "new_market" }
        let own = announced.compactMap(\.slug).filter { $0.hasPrefix("btc-") }
        #expect(
            own
                == ["btc-updown-30s-1800086400", "btc-updown-30s-1800086430", "btc-updown-30s-1800086460"].filter(
                    own.contains))
        #expect(own.count == 3)
        #expect(announced.contains { $0.slug?.hasPrefix("xrp-") == true })
        for slug in own { #expect(engine.window(slug: slug) != nil) }
    }

    @Test func theBookOfAWindowThatSleepsIsTheOneItWakesWith() throws {
        var engine = ExchangeEngine(try .halfMinutes())
        let window = try #require(engine.window(slug: "btc-updown-30s-1800000150"))
        let asleep = try #require(engine.book(asset: window.up, rest: false))
        _ = engine.emissions(after: 59.9)
        #expect(engine.book(asset: window.up, rest: false) == asleep)
        _ = engine.emissions(after: 30)
        #expect(engine.book(asset: window.up, rest: false) != asleep)
    }

    @Test func theFlowIsBusy() throws {
        var engine = ExchangeEngine(try .halfMinutes(seed: 9))
        let window = try #require(engine.window(slug: "btc-updown-30s-1800000000"))
        let frames = engine.emissions(after: 30).filter { $0.audience == .assets([window.up, window.down]) }
        #expect((30...130).contains(Double(frames.count) / 30))
    }
}
