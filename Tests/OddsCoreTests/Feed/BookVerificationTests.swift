import OddsCore
import OddsTestSupport
import Testing

@Suite struct BookVerificationTests {
    /// A market whose snapshot is in, and the exchange behind it; every batch is checked.
    private func live(every interval: Duration? = .zero) -> (FeedHarness, HashedExchange) {
        let feed = FeedHarness()
        feed.books.changeCheckInterval = interval
        let exchange = HashedExchange(feed)
        feed.receive(exchange.dump)
        #expect(feed.trust == .live)
        #expect(feed.counters.bookHashes == [2, 0, 0])
        _ = feed.witness.take()
        return (feed, exchange)
    }

    /// Batches of one message, a good second apart, that leave the levels at 0.30 and 0.35 alone.
    private func run(_ batches: Int, _ feed: FeedHarness, _ exchange: inout HashedExchange) {
        for _ in 0..<batches {
            feed.receive(exchange.change(after: 1000, .bids, 4500, 1_000_000 + exchange.time % 1000 * 10_000))
            feed.wait(999)
        }
    }

    // MARK: What is right

    @Test func aBatchIsVerifiedWhenANewerMessageEndsIt() {
        var (feed, exchange) = self.live()
        exchange.time += 5
        exchange.set(.bids, 4900, 0)
        exchange.set(.bids, 4700, 3_000_000)
        exchange.set(.asks, 5100, 4_000_000)
        // In the middle the book is none that the hash is of.
        feed.receive(exchange.priceChange(.asks, 5100))
        feed.receive(exchange.priceChange(.bids, 4700))
        #expect(feed.counters.changeHashes == [0, 0, 0])
        #expect(feed.books.hasPendingChecks)
        feed.receive(exchange.change(.bids, 4600, 2_000_000))
        #expect(feed.counters.changeHashes == [2, 0, 0])
        feed.wait(30)
        #expect(feed.counters.changeHashes == [4, 0, 0], "the last batch for a while is verified too")
        #expect(!feed.books.hasPendingChecks)
        #expect(feed.trust == .live && feed.witness.take() == [])
    }

    @Test func aBatchWhoseRestComesLateIsNotJudgedBeforeItsEnd() {
        var (feed, exchange) = self.live()
        exchange.time += 5
        exchange.set(.bids, 4700, 3_000_000)
        exchange.set(.asks, 5300, 4_000_000)
        feed.receive(exchange.priceChange(.asks, 5300))
        feed.wait(120)
        #expect(feed.counters.changeHashes == [0, 0, 0])
        feed.receive(exchange.priceChange(.bids, 4700))
        feed.wait(40)
        #expect(feed.counters.changeHashes == [2, 0, 0])
        // A rest that never comes is a book that is wrong.
        exchange.time += 5
        exchange.set(.bids, 4600, 3_000_000)
        exchange.set(.asks, 5400, 4_000_000)
        feed.receive(exchange.priceChange(.asks, 5400))
        feed.wait(300)
        #expect(feed.counters.changeHashes == [2, 0, 2])
        #expect(feed.trust == .live)
    }

    @Test func samplesAreTakenOncePerIntervalAndToken() {
        for (interval, expected) in [
            (Duration.milliseconds(250) as Duration?, UInt64(2 * 8)), (.seconds(1), 2 * 2), (.zero, 2 * 200), (nil, 0),
        ] {
            var (feed, exchange) = self.live(every: interval)
            // 200 messages in two seconds.
            for n in 0..<200 {
                feed.receive(exchange.change(after: 10, .bids, 4500, Int64(n + 1) * 1_000_000))
                feed.wait(9)
            }
            feed.wait(30)
            #expect(feed.counters.changeHashes == [expected, 0, 0], "\(String(describing: interval))")
        }
    }

    @Test func fourTimesASecondUnlessToldOtherwise() {
        let feed = FeedHarness()
        #expect(feed.books.changeCheckInterval == .milliseconds(250))
    }

    @Test func aLevelOfFinerTicksAndAnEmptySideAreVerified() {
        var (feed, exchange) = self.live()
        exchange.time += 1
        exchange.tickSize = "0.001"
        exchange.bids = [:]
        exchange.asks = [9_990: 1_250_000, 9_991: 1, 10: 2_000_000_000_000]
        exchange.lastTrade = ""
        feed.receive(exchange.dump)
        #expect(feed.counters.bookHashes == [4, 0, 0])
    }

    // MARK: Trades

    @Test func aTradesBookWaitsForTheTrade() {
        var (feed, exchange) = self.live()
        exchange.time += 10
        exchange.set(.asks, 5200, 0)
        exchange.lastTrade = "0.520"
        feed.receive(exchange.book(.yes, bare: true), exchange.book(.no, bare: true))
        #expect(feed.counters.bookHashes == [2, 0, 0])
        // A change in between holds the new price already.
        feed.receive(exchange.change(after: 3, .bids, 4600, 2_000_000))
        feed.wait(60)
        #expect(feed.counters.hashesVerified == 2)
        feed.receive(exchange.trade(.yes, "0.52", at: exchange.time + 30))
        feed.wait(30)
        #expect(feed.counters.bookHashes == [4, 0, 0])
        #expect(feed.counters.changeHashes == [2, 0, 0])
        #expect(feed.trust == .live)
        // The same price again, on the other token's side: known at once.
        exchange.time += 200
        exchange.set(.asks, 6000, 1_000_000)
        feed.receive(exchange.book(.yes, bare: true), exchange.book(.no, bare: true))
        #expect(feed.counters.bookHashes == [6, 0, 0])
    }

    @Test func aTradeThatIsNeverToldLeavesHashesUnverifiable() {
        var (feed, exchange) = self.live()
        exchange.time += 10
        exchange.lastTrade = "0.520"
        feed.receive(exchange.book(.yes, bare: true), exchange.book(.no, bare: true))
        feed.wait(300)
        #expect(feed.counters.bookHashes == [2, 2, 0])
        self.run(5, feed, &exchange)
        #expect(feed.counters.changeHashes == [0, 10, 0])
        #expect(feed.trust == .live && feed.witness.take() == ["snapshot \(feed.up)", "snapshot \(feed.down)"])
        // The next trade, or a book that tells the last one, ends the doubt.
        feed.receive(exchange.trade(.no, "0.52", at: exchange.time + 30))
        self.run(1, feed, &exchange)
        #expect(feed.counters.changeHashes == [2, 10, 0])
    }

    @Test func aChangeNearATradeIsNotHeldAgainstTheBook() {
        var (feed, exchange) = self.live()
        feed.receive(exchange.change(.bids, 4500, 1_000_000, wrongHash: .yes))
        feed.receive(exchange.trade(.yes, "0.47", at: exchange.time + 100))
        feed.wait(300)
        #expect(feed.counters.changeHashes == [1, 1, 0])
    }

    // MARK: What the feed does not tell

    @Test func bareTokensAreVerifiedWithTheUsualConstants() {
        let feed = FeedHarness(following: false)
        feed.books.add(bare: [feed.up, feed.down])
        feed.books.changeCheckInterval = .zero
        var exchange = HashedExchange(feed)
        feed.receive(exchange.dump)
        feed.receive(exchange.change(.bids, 4500, 1_000_000))
        feed.wait(50)
        #expect(feed.counters.bookHashes == [2, 0, 0])
        #expect(feed.counters.changeHashes == [2, 0, 0])
    }

    @Test func unusualConstantsAreLearntFromREST() {
        let feed = FeedHarness(following: false)
        feed.books.add(bare: [feed.up, feed.down])
        feed.books.changeCheckInterval = .zero
        var exchange = HashedExchange(feed)
        exchange.minimumOrderSize = "15"
        exchange.negativeRisk = true
        exchange.tickSize = "0.001"
        exchange.lastTrade = ""
        feed.receive(exchange.book(.yes, bare: true), exchange.book(.no, bare: true))
        self.run(4, feed, &exchange)
        #expect(feed.counters.bookHashes == [0, 2, 0])
        #expect(feed.counters.changeHashes == [0, 8, 0])
        #expect(feed.trust == .live && feed.counters.resyncs == 0)
        func rest(_ asset: AssetID) -> RESTBook {
            RESTBook(
                market: exchange.market, asset: asset, timestamp: Timestamp(milliseconds: exchange.time), bids: [],
                asks: [], tickSize: 0.001, minimumOrderSize: 15, negativeRisk: true)
        }
        feed.books.learn(rest("4444444444444444444444"))
        feed.receive(exchange.change(.bids, 4400, 1_000_000))
        feed.wait(50)
        feed.receive(exchange.change(.bids, 4400, 2_000_000))
        #expect(feed.counters.changeHashes == [0, 8, 0])
        feed.books.learn(rest(feed.up))
        feed.books.learn(rest(feed.down))
        #expect(feed.counters.changeHashes == [2, 8, 0], "what was open is looked at again")
        feed.wait(50)
        #expect(feed.counters.changeHashes == [4, 8, 0])
    }

    @Test func whatRESTTellsBeforeTheFeedIsRemembered() {
        let feed = FeedHarness(following: false)
        feed.books.add(bare: [feed.up, feed.down])
        var exchange = HashedExchange(feed)
        exchange.minimumOrderSize = "15"
        exchange.negativeRisk = true
        feed.books.learn(
            RESTBook(
                market: exchange.market, asset: feed.up, timestamp: Timestamp(milliseconds: exchange.time), bids: [],
                asks: [], minimumOrderSize: 15, negativeRisk: true))
        feed.receive(exchange.dump)
        #expect(feed.counters.bookHashes == [2, 0, 0])
    }

    @Test func aMarketFromDiscoveryBringsItsConstants() {
        let feed = FeedHarness(following: false)
        let market = Market(
            id: feed.market.id, slug: "", yes: feed.market.yes, no: feed.market.no, minimumOrderSize: 1,
            negativeRisk: true)
        feed.books.add(market)
        var exchange = HashedExchange(feed)
        exchange.minimumOrderSize = "1"
        exchange.negativeRisk = true
        feed.receive(exchange.dump)
        #expect(feed.counters.bookHashes == [2, 0, 0])
    }

    @Test func aNewTickSizeMayComeBeforeOrAfterItsHashes() {
        var (feed, exchange) = self.live()
        exchange.tickSize = "0.001"
        feed.receive(exchange.change(.bids, 4500, 1_000_000))
        feed.wait(50)
        feed.receive(exchange.tickSizeChange(.yes, from: "0.01"), exchange.tickSizeChange(.no, from: "0.01"))
        feed.receive(exchange.change(.bids, 4510, 1_000_000))
        feed.wait(50)
        #expect(feed.counters.changeHashes == [4, 0, 0])
        #expect(feed.trust == .suspect(.tickSizeChanged))
        feed.receive(exchange.dump)
        #expect(feed.trust == .live)
        #expect(feed.counters.bookHashes == [4, 0, 0])
    }

    @Test(arguments: ["", "0", String(repeating: "x", count: 40)])
    func aHashThatIsNoneIsUnverifiable(_ hash: String) {
        var (feed, exchange) = self.live()
        exchange.time += 1
        feed.receive(exchange.book(.yes, hash: hash), exchange.book(.no, hash: hash))
        #expect(feed.counters.bookHashes == [2, 2, 0])
        let change = exchange.change(.bids, 4500, 1_000_000).replacing(exchange.hash(.yes).description, with: hash)
            .replacing(exchange.hash(.no).description, with: hash)
        feed.receive(change)
        feed.wait(400)
        #expect(feed.counters.changeHashes == [0, 2, 0])
        #expect(feed.trust == .live && feed.counters.resyncs == 0)
    }

    // MARK: What is wrong

    @Test func oneWrongHashIsOnlyCounted() {
        var (feed, exchange) = self.live()
        feed.receive(exchange.change(.bids, 4500, 1_000_000, wrongHash: .no))
        feed.wait(1000)
        #expect(feed.counters.changeHashes == [1, 0, 1])
        self.run(2, feed, &exchange)
        feed.receive(exchange.change(.bids, 4500, 1_000_000, wrongHash: .no))
        feed.wait(1000)
        #expect(feed.counters.changeHashes == [6, 0, 2], "never two in a row")
        exchange.time += 1
        feed.receive(exchange.book(.yes, hash: String(repeating: "7", count: 40)))
        feed.wait(300)
        #expect(feed.counters.bookHashes == [2, 0, 1])
        #expect(feed.trust == .live && feed.counters.resyncs == 0)
    }

    @Test func oneWrongDigitIsFoundAndMadeGood() {
        var (feed, exchange) = self.live()
        feed.receive(exchange.change(.bids, 3000, 5_000_000, damaged: .no))
        feed.wait(1000)
        self.run(1, feed, &exchange)
        #expect(feed.trust == .live)
        #expect(feed.counters.changeHashes == [2, 0, 2])
        self.run(1, feed, &exchange)
        #expect(feed.counters.changeHashes == [3, 0, 3])
        #expect(feed.trust == .suspect(.hashMismatch))
        #expect(feed.witness.take() == ["resync \(feed.down) hashMismatch"])
        // Nothing else can see it, and nothing but a fresh book makes it good.
        self.run(3, feed, &exchange)
        #expect(feed.trust == .suspect(.hashMismatch))
        #expect(feed.counters.topMismatches == 0 && feed.counters.mirrorMismatches == 0)
        feed.receive(exchange.book(.no))
        #expect(feed.trust == .live)
        self.run(1, feed, &exchange)
        #expect(feed.counters.changeHashes == [8, 0, 6])
        #expect(feed.counters.bookHashes == [3, 0, 0] && feed.counters.resyncs == 1)
        // It may happen again, and is found again.
        feed.receive(exchange.change(.bids, 3000, 6_000_000, damaged: .yes))
        feed.wait(1000)
        self.run(2, feed, &exchange)
        #expect(feed.trust == .suspect(.hashMismatch))
        #expect(feed.counters.resyncs == 2)
    }

    @Test func aLateRowThatCompletesTheBookEndsTheDoubt() {
        var (feed, exchange) = self.live()
        exchange.time += 1
        exchange.set(.bids, 3000, 5_000_000)
        let late = exchange.priceChange(.bids, 3000)
        self.run(3, feed, &exchange)
        #expect(feed.trust == .suspect(.hashMismatch))
        #expect(feed.counters.resyncs == 2)
        feed.receive(late)
        #expect(feed.trust == .suspect(.hashMismatch))
        self.run(1, feed, &exchange)
        #expect(feed.trust == .live)
        #expect(feed.counters.changeHashes == [2, 0, 6])
    }

    @Test func aVenueThatIsWrongFromTheStartIsNotDoubted() {
        let feed = FeedHarness()
        feed.books.changeCheckInterval = .zero
        var exchange = HashedExchange(feed)
        exchange.spoilsBooks = true
        exchange.spoilsChanges = true
        feed.receive(exchange.dump)
        self.run(10, feed, &exchange)
        #expect(feed.counters.bookHashes == [0, 2, 0])
        #expect(feed.counters.changeHashes == [0, 20, 0])
        #expect(feed.trust == .live && feed.counters.resyncs == 0)
    }

    @Test func aVenueThatChangesItsRecipeIsAskedOnceAndBelievedThen() {
        var (feed, exchange) = self.live()
        exchange.spoilsBooks = true
        exchange.spoilsChanges = true
        self.run(3, feed, &exchange)
        #expect(feed.trust == .suspect(.hashMismatch))
        #expect(
            feed.witness.take() == ["resync \(feed.up) hashMismatch", "resync \(feed.down) hashMismatch"])
        feed.receive(exchange.dump)
        #expect(feed.trust == .live)
        self.run(600, feed, &exchange)  // ten minutes
        #expect(feed.trust == .live)
        #expect(feed.counters.resyncs == 2)
        #expect(feed.counters.bookHashes == [2, 2, 0])
        #expect(feed.counters.changeHashes == [0, 1200, 6])
        // Back at the old one, the hashes say something again.
        exchange.spoilsBooks = false
        exchange.spoilsChanges = false
        self.run(1, feed, &exchange)
        #expect(feed.counters.changeHashes == [2, 1200, 6])
        feed.receive(exchange.change(.bids, 3000, 6_000_000, damaged: .yes))
        feed.wait(1000)
        self.run(2, feed, &exchange)
        #expect(feed.trust == .suspect(.hashMismatch))
    }

    @Test func whereOnlyChangesAreWrongFreshBooksAreAskedForWithGrowingPatience() {
        var (feed, exchange) = self.live()
        exchange.spoilsChanges = true
        var asked: [Int64] = []
        let start = exchange.time
        for _ in 0..<(4 * 3600) {
            self.run(1, feed, &exchange)
            if feed.trust != .live {
                asked.append((exchange.time - start) / 1000)
                feed.receive(exchange.dump)
                #expect(feed.trust == .live)
            }
        }
        #expect(asked.count == 9)
        let waits = zip(asked.dropFirst(), asked).map { ($0 - $1) }
        #expect(waits.map { $0 / 60 } == [1, 2, 4, 8, 16, 32, 64, 64])
        #expect(feed.counters.bookHashesMismatching == 0)
    }

    @Test func aLostConnectionLeavesNothingOpen() {
        var (feed, exchange) = self.live()
        feed.receive(exchange.change(.bids, 3000, 5_000_000, damaged: .yes))
        feed.wait(600)
        self.run(2, feed, &exchange)
        #expect(feed.trust == .suspect(.hashMismatch))
        feed.receive(exchange.change(.bids, 4500, 5_000_000, wrongHash: .yes))
        feed.receive(exchange.change(.bids, 4400, 5_000_000))
        let before = feed.counters.hashesMismatching
        feed.books.connectionLost(reason: .disconnected)
        feed.wait(1000)
        #expect(!feed.books.hasPendingChecks)
        #expect(feed.counters.hashesMismatching == before)
        feed.receive(exchange.dump)
        #expect(feed.trust == .live)
        self.run(1, feed, &exchange)
        #expect(feed.trust == .live)
    }

    @Test func aForgottenMarketLeavesNothingOpen() {
        var (feed, exchange) = self.live()
        feed.receive(exchange.change(.bids, 4500, 5_000_000, wrongHash: .yes))
        feed.receive(exchange.change(.bids, 4400, 5_000_000))
        #expect(feed.books.hasPendingChecks)
        feed.books.remove(feed.market)
        #expect(!feed.books.hasPendingChecks)
        feed.wait(300)
        #expect(feed.counters.changeHashes == [1, 1, 0])
    }

    @Test func aFloodOfWrongHashesIsNotPiledUp() {
        var (feed, exchange) = self.live()
        for _ in 0..<1000 {
            exchange.time += 1
            feed.read(frame(1, exchange.book(.yes, hash: String(repeating: "7", count: 40))))
        }
        feed.wait(300)
        // What has a quarter of a second for its answer is judged, and so is the rest; three in a row are enough.
        #expect(feed.counters.bookHashes.reduce(0, +) == 1002)
        #expect(feed.counters.resyncs == 1)
        // As many at once are not.
        exchange.time += 1
        let one = exchange.book(.no, bare: true, hash: String(repeating: "7", count: 40))
        feed.read((0..<1000).flatMap { _ in frame(1, one) })
        #expect(feed.counters.bookHashes.reduce(0, +) == 1002 + 1000 - 256)
    }

    @Test func stampsAtTheEndsOfTimeAreSafe() {
        let (feed, exchange) = self.live()
        for stamp in [Int64.max, 0, Int64.max - 1] {
            var other = exchange
            other.time = stamp
            feed.receive(other.book(.yes), other.book(.no))
            feed.receive(other.trade(.yes, "0.5", at: stamp))
            other.set(.bids, 4700, 1_000_000)
            feed.receive(other.priceChange(.bids, 4700, wrongHash: .yes))
            feed.wait(300)
        }
        #expect(feed.counters.bookHashesVerified >= 4)
    }

    @Test func theCountersAreNamedAndAdded() {
        var counters = FeedCounters()
        counters.bookHashesVerified = 1
        counters.bookHashesUnverifiable = 2
        counters.bookHashesMismatching = 3
        counters.changeHashesVerified = 4
        counters.changeHashesUnverifiable = 5
        counters.changeHashesMismatching = 6
        let named = (counters + counters).named.filter { $0.name.hasPrefix("hash.") }
        #expect(named.map(\.value) == [2, 4, 6, 8, 10, 12])
        #expect(
            named.map(\.name) == [
                "hash.book.verified", "hash.book.unverifiable", "hash.book.mismatching", "hash.change.verified",
                "hash.change.unverifiable", "hash.change.mismatching",
            ])
        #expect(counters.hashesVerified == 5 && counters.hashesUnverifiable == 7 && counters.hashesMismatching == 9)
    }
}
