import OddsCore
import OddsTestSupport
import Testing

@Suite struct BookVerificationPropertyTests {
    /// An exchange that acts at random, and a feed behind it that gets the frames in time.
    private struct Play {
        let feed = FeedHarness()
        var exchange: HashedExchange
        var generator: SplitMix64
        /// Frames on their way, by the time they arrive.
        private var due: [(time: Int64, frame: String)] = []
        private let start: Int64
        private var actions = 0
        private var sent: Int64 = 0

        init(seed: UInt64) {
            self.generator = SplitMix64(seed: seed)
            self.exchange = HashedExchange(self.feed)
            self.exchange.lastTrade = Bool.random(using: &self.generator) ? "0.480" : ""
            self.start = self.exchange.time
            self.feed.receive(self.exchange.dump)
        }

        private mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
            Int64.random(in: range, using: &self.generator)
        }

        /// One connection keeps the order, of frames that are sent before trades are told at least.
        private mutating func send(_ frame: String, at time: Int64) {
            self.sent = max(self.sent, time)
            self.due.append((self.sent, frame))
        }

        /// Hands over what is due until then, each frame at its time.
        mutating func arrive(until time: Int64) {
            let arriving = self.due.filter { $0.time <= time }
            self.due.removeAll { $0.time <= time }
            let inOrder = arriving.enumerated().sorted {
                ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
            }
            for next in inOrder.map(\.element) {
                self.feed.wait(next.time - self.start - self.feed.clock)
                self.feed.receive(next.frame)
            }
            self.feed.wait(time - self.start - self.feed.clock)
        }

        /// A price on its own side of the middle, away from the two levels that nothing else touches.
        private mutating func price(_ side: BookSideKind) -> Int32 {
            let step: Int32 = self.exchange.tickSize == "0.01" ? 100 : 10
            let best = self.exchange.best
            let raw =
                side == .bids
                ? Int32(self.number(Int64(1000 / step)...Int64((best.ask.rawValue - 1) / step))) * step
                : 10_000 - Int32(self.number(Int64(1000 / step)...Int64((9_999 - best.bid.rawValue) / step))) * step
            return raw
        }

        mutating func batch(messages: Int64, damaged: (Side, BookSideKind, Int32)? = nil) {
            var touched: [(BookSideKind, Int32)] = []
            for _ in 0..<messages {
                let side: BookSideKind = Bool.random(using: &self.generator) ? .bids : .asks
                let price = self.price(side)
                guard !touched.contains(where: { $0.1 == price }) else { continue }
                let size = self.number(0...3) == 0 ? 0 : self.number(1...90_000) * 10_000
                self.exchange.set(side, price, size)
                touched.append((side, price))
            }
            if let (_, side, price) = damaged {
                self.exchange.set(side, price, self.number(1...90_000) * 10_000)
                touched.append((side, price))
            }
            var arrival = self.exchange.time
            for (side, price) in touched.shuffled(using: &self.generator) {
                arrival += self.number(0...2)
                let victim = damaged.flatMap { $0.1 == side && $0.2 == price ? $0.0 : nil }
                self.send(self.exchange.priceChange(side, price, damaged: victim), at: arrival)
            }
        }

        /// The best level of one side is hit: both books at once, the trade 25 to 114 ms later.
        private mutating func trade() {
            let side: BookSideKind = Bool.random(using: &self.generator) ? .bids : .asks
            let levels = side == .bids ? self.exchange.bids : self.exchange.asks
            guard levels.count > 2, let raw = side == .bids ? levels.keys.max() : levels.keys.min() else { return }
            let left = (levels[raw] ?? 0) / 2 / 10_000 * 10_000
            self.exchange.set(side, raw, Bool.random(using: &self.generator) ? 0 : left)
            let token: Side = Bool.random(using: &self.generator) ? .yes : .no
            let price = Price(rawValue: token == .yes ? raw : 10_000 - raw)
            self.exchange.lastTrade = price.lastTradeText
            let isBare = self.number(0...3) > 0
            for side in Side.allCases.shuffled(using: &self.generator) {
                self.send(self.exchange.book(side, bare: isBare), at: self.exchange.time)
            }
            let told = self.exchange.time + self.number(25...114)
            self.due.append((told, self.exchange.trade(token, price.description, at: told)))
        }

        mutating func act() {
            self.actions += 1
            self.exchange.time += self.number(1...(self.number(0...4) == 0 ? 900 : 60))
            self.arrive(until: self.exchange.time - 1)
            switch self.number(0...40) {
            case 0: self.send(self.exchange.dump, at: self.exchange.time)
            case 1 where self.exchange.tickSize == "0.01" && self.actions > 100:
                self.exchange.tickSize = "0.001"
                for side in Side.allCases {
                    self.send(self.exchange.tickSizeChange(side, from: "0.01"), at: self.exchange.time)
                }
                self.send(self.exchange.dump, at: self.exchange.time)
            case 2...9: self.trade()
            default: self.batch(messages: self.number(1...4))
            }
        }
    }

    @Test(arguments: UInt64(0)..<16) func rightHashesAreNeverFoundWrong(seed: UInt64) {
        var play = Play(seed: seed)
        if seed % 2 == 0 { play.feed.books.changeCheckInterval = .zero }
        for _ in 0..<250 { play.act() }
        play.arrive(until: play.exchange.time + 1000)
        let counters = play.feed.counters
        #expect(counters.hashesMismatching == 0)
        #expect(counters.bookHashesVerified > 50)
        #expect(counters.changeHashesVerified > 50)
        // What stays open is what a burst of trades has hidden.
        #expect(
            counters.hashesUnverifiable * 20 < counters.hashesVerified,
            "\(counters.bookHashes) \(counters.changeHashes)")
        #expect(play.feed.trust == .live)
        #expect(!play.feed.books.hasPendingChecks)
        #expect(!play.feed.witness.log.contains { $0.contains("hashMismatch") })
    }

    @Test(arguments: UInt64(0)..<16) func oneDamagedLevelIsFoundWithinThreeChecks(seed: UInt64) {
        var play = Play(seed: seed)
        if seed % 2 == 0 { play.feed.books.changeCheckInterval = .zero }
        for _ in 0..<100 { play.act() }
        play.arrive(until: play.exchange.time + 1000)
        play.exchange.time += 1000
        let victim: Side = seed % 3 == 0 ? .yes : .no
        let before = play.feed.counters
        // One level, at a price that nothing else touches, is off by a millionth of a share.
        play.batch(messages: Int64(seed % 4), damaged: seed % 5 < 2 ? (victim, .bids, 500) : (victim, .asks, 9_500))
        for _ in 0..<3 {
            #expect(play.feed.trust == .live)
            play.exchange.time += Int64.random(in: 300...900, using: &play.generator)
            play.arrive(until: play.exchange.time)
            play.batch(messages: 2)
        }
        play.arrive(until: play.exchange.time + 300)
        #expect(play.feed.trust == .suspect(.hashMismatch))
        let wanted = victim == .yes ? play.feed.up : play.feed.down
        #expect(play.feed.witness.log.filter { $0.contains("hashMismatch") } == ["resync \(wanted) hashMismatch"])
        #expect(play.feed.counters.changeHashesMismatching - before.changeHashesMismatching <= 4)
        play.feed.receive(play.exchange.book(victim))
        #expect(play.feed.trust == .live)
        let mismatching = play.feed.counters.hashesMismatching
        for _ in 0..<20 {
            play.exchange.time += 300
            play.arrive(until: play.exchange.time)
            play.batch(messages: 2)
        }
        play.arrive(until: play.exchange.time + 300)
        #expect(play.feed.counters.hashesMismatching == mismatching)
        #expect(play.feed.trust == .live)
    }
}
