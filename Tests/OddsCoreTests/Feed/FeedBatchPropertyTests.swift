import OddsCore
import OddsTestSupport
import Testing

/// An exchange in miniature: one book seen from both tokens, actions that touch several levels, trades.
private struct MiniatureExchange {
    var bids: [Int32: Int64] = [4800: 5_000_000]
    var asks: [Int32: Int64] = [5200: 5_000_000]

    var top: (bid: Int32, ask: Int32) { (self.bids.keys.max() ?? 0, self.asks.keys.min() ?? 10_000) }
    var best: (bid: Price, ask: Price) { (Price(rawValue: self.top.bid), Price(rawValue: self.top.ask)) }
    var name: String {
        func text(_ raw: Int32?) -> String { raw.map { Price(rawValue: $0).description } ?? "-" }
        let (bid, ask) = (self.bids.keys.max(), self.asks.keys.min())
        return [bid, ask, ask.map { 10_000 - $0 }, bid.map { 10_000 - $0 }].map(text).joined(separator: " ")
    }
    func lines(_ side: [Int32: Int64]) -> [WireFrames.Line] {
        side.map { (Price(rawValue: $0.key), Size(rawValue: $0.value)) }
    }
}

@Suite struct FeedBatchPropertyTests {
    /// Batches cut at random message boundaries into random reads, frames cut anywhere: whatever is published is the top
    /// at the end of some batch, in order, and the last one is the last.
    @Test(arguments: UInt64(0)..<40) func onlyEndsOfBatchesArePublished(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let feed = FeedHarness()
        var exchange = MiniatureExchange()
        var states = [exchange.name]
        var time: Int64 = 1_790_000_000_000
        var stream = frame(
            1, feed.dump(time, bids: exchange.lines(exchange.bids), asks: exchange.lines(exchange.asks)))
        for _ in 0..<150 {
            time += Int64.random(in: 1...20, using: &generator)
            var touched: [(BookSideKind, Int32)] = []
            let isTrade = Int.random(in: 0..<8, using: &generator) == 0
            if isTrade, let ask = exchange.asks.keys.min() {
                exchange.asks[ask] = nil
                if Bool.random(using: &generator), let bid = exchange.bids.keys.max() { exchange.bids[bid] = nil }
            }
            for _ in 0..<(isTrade ? 0 : Int.random(in: 1...6, using: &generator)) {
                let side: BookSideKind = Bool.random(using: &generator) ? .bids : .asks
                let own = side == .bids ? exchange.bids : exchange.asks
                let price: Int32
                if !own.isEmpty, Int.random(in: 0..<2, using: &generator) == 0 {
                    price = own.keys.sorted()[Int.random(in: 0..<own.count, using: &generator)]
                } else {
                    let step: Int32 = Bool.random(using: &generator) ? 100 : 10
                    price =
                        side == .bids
                        ? Int32.random(in: 1..<max(2, exchange.top.ask / step), using: &generator) * step
                        : 10_000 - Int32.random(in: 1..<max(2, (10_000 - exchange.top.bid) / step), using: &generator)
                            * step
                }
                guard side == .bids ? price < exchange.top.ask && price > 0 : price > exchange.top.bid && price < 10_000
                else { continue }
                let size = Bool.random(using: &generator) ? 0 : Int64.random(in: 1...9, using: &generator) * 1_000_000
                if side == .bids {
                    exchange.bids[price] = size == 0 ? nil : size
                } else {
                    exchange.asks[price] = size == 0 ? nil : size
                }
                if !touched.contains(where: { $0 == (side, price) }) { touched.append((side, price)) }
            }
            states.append(exchange.name)
            var messages: [String] = []
            if isTrade {
                let sides: [Side] = Bool.random(using: &generator) ? [.yes, .no] : [.no, .yes]
                messages = sides.map {
                    feed.book($0, time, bids: exchange.lines(exchange.bids), asks: exchange.lines(exchange.asks))
                }
            }
            for (side, price) in touched.shuffled(using: &generator) {
                let size = (side == .bids ? exchange.bids[price] : exchange.asks[price]) ?? 0
                messages.append(
                    feed.change(
                        time, side, Price(rawValue: price), Size(rawValue: size), best: exchange.best,
                        noFirst: Bool.random(using: &generator)))
            }
            for message in messages { stream += frame(1, message) }
        }
        feed.books.reportsEveryChange = true
        var position = 0
        feed.witness.onChange = { _ in
            let top = feed.top ?? "nothing"
            let next = states[position...].firstIndex(of: top)
            #expect(next != nil, "\(top) after \(states[position])")
            position = next ?? position
            #expect(feed.trust == .live)
        }
        var rest = stream[...]
        while !rest.isEmpty {
            let length = min(rest.count, Int.random(in: 1...3000, using: &generator))
            feed.read(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
            #expect(feed.snapshot == nil || states.contains(feed.top ?? ""))
        }
        #expect(feed.top == states.last)
        #expect(feed.counters.topMismatches == 0 && feed.counters.mirrorMismatches == 0)
        #expect(feed.counters.crossedBooks == 0 && feed.counters.malformedFrames == 0)
        #expect(feed.books.levels(of: feed.up)?.bids.count == exchange.bids.count)
        #expect(feed.books.levels(of: feed.down)?.asks.count == exchange.bids.count)
    }
}
