import OddsCore
import Testing

@testable import OddsCore

/// What a book looks like near its top.
@Suite struct BookFiguresTests {
    private func levels(_ lines: [(Price, Size)]) -> [Level] { lines.map { Level(price: $0, size: $1) } }

    private func figures(
        bids: [(Price, Size)], asks: [(Price, Size)], tick: Price = 0.01, ticks: Int = 5
    ) -> BookFigures {
        BookFigures(bids: self.levels(bids), asks: self.levels(asks), tickSize: tick, ticks: ticks)
    }

    @Test func figuresOfASmallBook() {
        let book = self.figures(
            bids: [(0.48, 30), (0.47, 10), (0.43, 5), (0.42, 99)], asks: [(0.52, 10), (0.57, 20), (0.58, 7)])
        #expect(book.spread == 0.04 && book.spreadTicks == 4)
        #expect(book.midpoint == 0.5)
        // (0.48 · 10 + 0.52 · 30) / 40: three times as much is bid, so it lies nearer to the ask.
        #expect(book.microprice == 0.51)
        #expect(book.topImbalance == 0.5)
        // Five ticks from the best are in, the sixth is not.
        #expect(book.bidDepth == NearDepth(shares: 45, dollars: 14.4 + 4.7 + 2.15))
        #expect(book.askDepth == NearDepth(shares: 30, dollars: 5.2 + 11.4))
        #expect(book.imbalance == 0.2)
    }

    @Test func aFinerTickReachesLessFar() {
        let book = self.figures(bids: [(0.978, 4), (0.973, 6), (0.972, 9)], asks: [(0.98, 3)], tick: 0.001)
        #expect(book.spreadTicks == 2)
        #expect(book.bidDepth.shares == 10)
        #expect(self.figures(bids: [(0.4, 1), (0.39, 2)], asks: [], ticks: 0).bidDepth.shares == 1)
    }

    @Test func whatIsNotThereIsNil() {
        let oneSided = self.figures(bids: [(0.99, 5)], asks: [])
        #expect(oneSided.spread == nil && oneSided.spreadTicks == nil)
        #expect(oneSided.midpoint == nil && oneSided.microprice == nil)
        #expect(oneSided.topImbalance == 1 && oneSided.imbalance == 1)
        #expect(oneSided.askDepth == NearDepth(shares: .zero, dollars: 0))
        let empty = self.figures(bids: [], asks: [])
        #expect(empty.topImbalance == nil && empty.imbalance == nil && empty.midpoint == nil)
        let crossed = self.figures(bids: [(0.52, 5)], asks: [(0.5, 5)])
        #expect(crossed.spread == nil && crossed.midpoint == nil && crossed.microprice == nil)
        #expect(crossed.topImbalance == 0)
    }

    @Test func sizesBeyondAllReasonDoNotTrap() {
        let huge = Size(rawValue: .max)
        let book = self.figures(bids: [(0.48, huge), (0.47, huge)], asks: [(0.5, huge)])
        #expect(book.bidDepth.shares == huge)
        #expect(book.microprice == 0.49 && book.topImbalance == 0)
    }

    /// Books of all ladders, with the same levels in a list and in an `OrderBook`.
    @Test(arguments: 0..<200) func everyBook(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let tick = [Price(rawValue: 100), Price(rawValue: 10), Price(rawValue: 1)][Int(seed % 3)]
        let ticks = Int.random(in: 0...12, using: &generator)
        let top = 10_000 / tick.rawValue
        let middle = Int32.random(in: 2...(top - 2), using: &generator)
        func side(_ range: ClosedRange<Int32>) -> [Level] {
            (0..<Int.random(in: 0...20, using: &generator)).reduce(into: [Int32: Level]()) { levels, _ in
                let price = Int32.random(in: range, using: &generator)
                let size = Size(rawValue: Int64.random(in: 1...9_000_000_000, using: &generator))
                levels[price] = Level(price: Price(rawValue: price * tick.rawValue), size: size)
            }.values.sorted { $0.price < $1.price }
        }
        let bids = side(max(1, middle - 15)...(middle - 1)).reversed()
        let asks = side(middle...min(top - 1, middle + 15))
        let yes = BookFigures(bids: Array(bids), asks: asks, tickSize: tick, ticks: ticks)

        if let microprice = yes.microprice, let bid = yes.bid, let ask = yes.ask, let midpoint = yes.midpoint {
            #expect(microprice >= bid.price.odds && microprice <= ask.price.odds)
            let balance = try #require(yes.topImbalance)
            if balance > 0.001 { #expect(microprice >= midpoint) }
            if balance < -0.001 { #expect(microprice <= midpoint) }
        } else {
            #expect(bids.isEmpty || asks.isEmpty)
        }
        for imbalance in [yes.topImbalance, yes.imbalance] {
            if let imbalance { #expect((-1...1).contains(imbalance)) } else { #expect(bids.isEmpty && asks.isEmpty) }
        }
        #expect(yes.bidDepth.shares >= yes.bid?.size ?? .zero)
        #expect(yes.bidDepth.dollars <= yes.bidDepth.shares.doubleValue * (yes.bid?.price.doubleValue ?? 0) + 1e-6)
        #expect(yes.askDepth.dollars >= yes.askDepth.shares.doubleValue * (yes.ask?.price.doubleValue ?? 0) - 1e-6)

        // The same book from the other side gives the same figures from the other side.
        func turned(_ levels: some Sequence<Level>) -> [Level] {
            levels.map { Level(price: $0.price.complement, size: $0.size) }
        }
        let no = BookFigures(bids: turned(asks), asks: turned(bids), tickSize: tick, ticks: ticks)
        #expect(no.spread == yes.spread && no.spreadTicks == yes.spreadTicks)
        #expect(no.midpoint == yes.midpoint?.complement)
        #expect(no.topImbalance == yes.topImbalance.map { -$0 } && no.imbalance == yes.imbalance.map { -$0 })
        #expect(no.bidDepth.shares == yes.askDepth.shares && no.askDepth.shares == yes.bidDepth.shares)
        if let one = yes.microprice, let other = no.microprice {
            #expect(abs(one.rawValue + other.rawValue - 1_000_000) <= 1, "each is rounded to a millionth")
        }
        // A share of YES at p is one of NO at 1 − p.
        #expect(abs(no.bidDepth.dollars - (yes.askDepth.shares.doubleValue - yes.askDepth.dollars)) < 1e-6)

        var book = OrderBook()
        book.replace(bids: bids, asks: asks, at: Timestamp(milliseconds: 1))
        #expect(book.figures(tickSize: tick, ticks: ticks) == yes)
    }
}
