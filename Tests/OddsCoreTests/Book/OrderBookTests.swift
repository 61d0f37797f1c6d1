@testable import OddsCore
import Testing

/// The book against a dictionary that does the same in the obvious way.
private struct BookModel {
    struct Key: Hashable {
        var side: BookSideKind
        var price: Price
    }

    var sizes: [Key: Size] = [:]
    var stamps: [Key: Int64] = [:]
    var snapshotTime: Int64?
    var lastTime: Int64 = 0

    mutating func replace(bids: [Level], asks: [Level], at time: Int64) -> OrderBook.Applied {
        if let snapshotTime, time < self.lastTime, self.lastTime - time <= 6000 {
            guard time >= snapshotTime else { return .superseded }
            return self.merge(bids: bids, asks: asks, at: time, since: snapshotTime)
        }
        self.sizes = [:]
        self.stamps = [:]
        for (side, levels) in [(BookSideKind.bids, bids), (.asks, asks)] {
            for level in levels { self.sizes[Key(side: side, price: level.price)] = level.size }
        }
        self.snapshotTime = time
        self.lastTime = time
        return .applied
    }

    /// An overtaken snapshot: it speaks for every level that nothing newer has spoken for.
    private mutating func merge(
        bids: [Level], asks: [Level], at time: Int64, since snapshotTime: Int64
    ) -> OrderBook.Applied {
        self.sizes = self.sizes.filter { self.stamps[$0.key] ?? snapshotTime > time }
        self.stamps = self.stamps.filter { $0.value > time }
        for (side, levels) in [(BookSideKind.bids, bids), (.asks, asks)] {
            for level in levels where self.stamps[Key(side: side, price: level.price)] == nil {
                self.sizes[Key(side: side, price: level.price)] = level.size
            }
        }
        self.snapshotTime = time
        return .merged
    }

    mutating func apply(_ side: BookSideKind, _ level: Level, at time: Int64) -> OrderBook.Applied {
        guard let snapshotTime else { return .awaitingSnapshot }
        guard time >= snapshotTime else { return .superseded }
        self.lastTime = max(self.lastTime, time)
        let key = Key(side: side, price: level.price)
        guard time >= self.stamps[key] ?? snapshotTime else { return .superseded }
        self.stamps[key] = time
        self.sizes[key] = level.size
        return .applied
    }

    func levels(_ side: BookSideKind) -> [Level] {
        self.sizes.filter { $0.key.side == side && $0.value != .zero }
            .map { Level(price: $0.key.price, size: $0.value) }
            .sorted { side == .bids ? $0.price < $1.price : $0.price > $1.price }
    }
}

/// A book that expectations can look into.
private final class TestBook {
    private var book = OrderBook()
    var bestBid: Level? { self.book.bestBid }
    var bestAsk: Level? { self.book.bestAsk }
    var hasSnapshot: Bool { self.book.hasSnapshot }
    var isCrossed: Bool { self.book.isCrossed }
    var levelCount: Int { self.book.levelCount }
    var snapshotTime: Timestamp { self.book.snapshotTime }
    var lastTime: Timestamp { self.book.lastTime }
    func bidLevels() -> [Level] { self.book.bidLevels() }
    func askLevels() -> [Level] { self.book.askLevels() }
    func size(_ side: BookSideKind, at price: Price) -> Size { self.book.size(side, at: price) }
    func reset() { self.book.reset() }

    @discardableResult
    func replace(bids: [Level], asks: [Level], at time: Timestamp) -> OrderBook.Applied {
        self.book.replace(bids: bids, asks: asks, at: time)
    }

    @discardableResult
    func apply(_ side: BookSideKind, price: Price, size: Size, at time: Timestamp) -> OrderBook.Applied {
        self.book.apply(side, price: price, size: size, at: time)
    }
}

@Suite struct OrderBookTests {
    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    @Test(arguments: [[100], [100, 10], [100, 10, 1], [10], [1], [1, 100]])
    func randomUpdatesLeaveWhatADictionaryWouldHold(steps: [Int32]) {
        for seed in UInt64(0)..<30 {
            var generator = SplitMix64(seed: seed)
            let book = TestBook()
            var model = BookModel()
            var now: Int64 = 1_790_000_000_000
            var done: [(BookSideKind, Level, Int64)] = []
            for round in 0..<400 {
                // The ladder gets finer as the market moves on.
                let step = steps[min(round * steps.count / 400, steps.count - 1)]
                func price() -> Price {
                    Price(rawValue: Int32.random(in: 1..<(10_000 / step), using: &generator) * step)
                }
                func size() -> Size {
                    Bool.random(using: &generator)
                        ? .zero : Size(rawValue: .random(in: 1...9_000_000, using: &generator))
                }
                switch Int.random(in: 0..<100, using: &generator) {
                case 0..<2:
                    let at = now - Int64.random(in: 0...3, using: &generator) * 4000
                    func side() -> [Level] {
                        (0..<Int.random(in: 0...20, using: &generator)).map { _ in Level(price: price(), size: size()) }
                    }
                    let (bids, asks) = (side(), side())
                    #expect(
                        book.replace(bids: bids, asks: asks, at: self.time(at))
                            == model.replace(bids: bids, asks: asks, at: at))
                case 2..<8 where !done.isEmpty:
                    let (side, level, at) = done[Int.random(in: 0..<done.count, using: &generator)]
                    #expect(
                        book.apply(side, price: level.price, size: level.size, at: self.time(at))
                            == model.apply(side, level, at: at))
                default:
                    now += Int64.random(in: 0...3, using: &generator)
                    let at = now - (Int.random(in: 0..<10, using: &generator) == 0 ? 1500 : 0)
                    let side: BookSideKind = Bool.random(using: &generator) ? .bids : .asks
                    let level = Level(price: price(), size: size())
                    done.append((side, level, at))
                    #expect(
                        book.apply(side, price: level.price, size: level.size, at: self.time(at))
                            == model.apply(side, level, at: at))
                }
                #expect(book.bestBid == model.levels(.bids).last)
                #expect(book.bestAsk == model.levels(.asks).last)
            }
            #expect(book.bidLevels() == model.levels(.bids))
            #expect(book.askLevels() == model.levels(.asks))
            #expect(book.levelCount == model.levels(.bids).count + model.levels(.asks).count)
            for raw in stride(from: Int32(0), through: 10_000, by: 7) {
                let price = Price(rawValue: raw)
                #expect(book.size(.bids, at: price) == model.sizes[.init(side: .bids, price: price)] ?? .zero)
            }
        }
    }

    @Test(arguments: UInt64(0)..<20) func levelsAreHandedOverInBothOrders(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let side = BookSideKind.bids
        var book = OrderBook()
        book.replace(bids: [], asks: [], at: Timestamp(milliseconds: 0))
        let step = [100, 10, 1][Int(seed % 3)]
        for _ in 0..<Int.random(in: 0...150, using: &generator) {
            let price = Price(rawValue: Int32(Int.random(in: 0...(10_000 / step), using: &generator) * step))
            let size = Size(rawValue: Int64.random(in: 0...3, using: &generator))
            book.apply(side, price: price, size: size, at: Timestamp(milliseconds: 1))
        }
        var ascending: [Level] = []
        book.bids.forEachAscending { ascending.append(Level(price: $0, size: $1)) }
        var descending: [Level] = []
        book.bids.forEachDescending { descending.append(Level(price: $0, size: $1)) }
        #expect(ascending == book.bidLevels())
        #expect(descending == book.bidLevels().reversed())
    }

    @Test func updatesWaitForASnapshot() {
        let book = TestBook()
        #expect(book.apply(.bids, price: 0.5, size: 1, at: self.time(1)) == .awaitingSnapshot)
        #expect(!book.hasSnapshot)
        #expect(book.bestBid == nil)
        book.replace(bids: [], asks: [], at: self.time(2))
        #expect(book.hasSnapshot)
        #expect(book.apply(.bids, price: 0.5, size: 1, at: self.time(2)) == .applied)
    }

    @Test func theNextBestIsFoundWhenTheBestIsTakenAway() {
        let book = TestBook()
        let prices: [Price] = [0.48, 0.4, 0.01]
        book.replace(
            bids: prices.map { Level(price: $0, size: 1) }, asks: prices.map { Level(price: $0.complement, size: 2) },
            at: self.time(1))
        var left: [Price?] = []
        for price in prices {
            book.apply(.bids, price: price, size: 0, at: self.time(2))
            book.apply(.asks, price: price.complement, size: 0, at: self.time(2))
            left.append(book.bestBid?.price)
            #expect(book.bestAsk?.price == book.bestBid?.price.complement)
        }
        #expect(left == [0.4, 0.01, nil])
        #expect(book.levelCount == 0)
    }

    @Test func theEdgesOfTheLadderAreLevelsLikeAnyOther() {
        for step in [100, 10, 1] as [Int32] {
            let book = TestBook()
            book.replace(bids: [], asks: [], at: self.time(1))
            for raw in [0, step, 10_000 - step, 10_000] {
                book.apply(.bids, price: Price(rawValue: raw), size: 1, at: self.time(1))
                book.apply(.asks, price: Price(rawValue: raw), size: 1, at: self.time(1))
            }
            #expect(book.bestBid?.price == .one)
            #expect(book.bestAsk?.price == .zero)
            #expect(book.isCrossed)
            book.apply(.bids, price: .one, size: 0, at: self.time(1))
            book.apply(.asks, price: .zero, size: 0, at: self.time(1))
            #expect(book.bestBid?.price.rawValue == 10_000 - step)
            #expect(book.bestAsk?.price.rawValue == step)
        }
    }

    @Test func aLateRowChangesOnlyWhatNothingNewerHasChanged() {
        let book = TestBook()
        book.replace(bids: [Level(price: 0.4, size: 1)], asks: [], at: self.time(1000))
        #expect(book.apply(.bids, price: 0.4, size: 5, at: self.time(2000)) == .applied)
        #expect(book.apply(.bids, price: 0.4, size: 7, at: self.time(1500)) == .superseded)
        #expect(book.apply(.bids, price: 0.3, size: 7, at: self.time(1500)) == .applied)
        #expect(book.apply(.bids, price: 0.2, size: 7, at: self.time(999)) == .superseded)
        #expect(book.bidLevels() == [Level(price: 0.3, size: 7), Level(price: 0.4, size: 5)])
        #expect(book.lastTime == self.time(2000))
    }

    @Test func aFinerLevelIsNotOlderThanTheSnapshotItWasMissingFrom() {
        let book = TestBook()
        book.replace(bids: [Level(price: 0.4, size: 1)], asks: [], at: self.time(1000))
        book.apply(.bids, price: 0.4, size: 5, at: self.time(2000))
        // 0.405 has never been touched: a row that is late, but newer than the snapshot, is its newest.
        #expect(book.apply(.bids, price: 0.405, size: 3, at: self.time(1500)) == .applied)
        #expect(book.bestBid == Level(price: 0.405, size: 3))
        #expect(book.apply(.bids, price: 0.4, size: 9, at: self.time(1500)) == .superseded)
    }

    @Test func aSnapshotThatWasOvertakenTellsWhatNothingNewerHasTold() {
        let book = TestBook()
        book.replace(bids: [Level(price: 0.3, size: 3)], asks: [], at: self.time(10_000))
        book.apply(.bids, price: 0.4, size: 5, at: self.time(20_000))
        let older = [Level(price: 0.1, size: 1), Level(price: 0.4, size: 9)]
        #expect(book.replace(bids: older, asks: [], at: self.time(15_000)) == .merged)
        #expect(book.bidLevels() == [Level(price: 0.1, size: 1), Level(price: 0.4, size: 5)])
        #expect(book.lastTime == self.time(20_000))
        #expect(book.apply(.bids, price: 0.2, size: 1, at: self.time(14_999)) == .superseded)
        #expect(book.apply(.bids, price: 0.2, size: 1, at: self.time(15_001)) == .applied)
    }

    @Test func aSnapshotOlderThanTheLastOneIsSuperseded() {
        let book = TestBook()
        book.replace(bids: [], asks: [], at: self.time(19_000))
        book.apply(.bids, price: 0.4, size: 5, at: self.time(20_000))
        let older = [Level(price: 0.1, size: 1)]
        #expect(book.replace(bids: older, asks: [], at: self.time(18_999)) == .superseded)
        #expect(book.replace(bids: older, asks: [], at: self.time(14_000)) == .superseded)
        #expect(book.bidLevels() == [Level(price: 0.4, size: 5)])
    }

    @Test func aSnapshotMuchOlderMeansThatTheExchangeStartedOver() {
        let book = TestBook()
        book.replace(bids: [Level(price: 0.4, size: 1)], asks: [], at: self.time(20_000))
        #expect(book.replace(bids: [], asks: [], at: self.time(13_999)) == .applied)
        #expect(book.snapshotTime == self.time(13_999))
        #expect(book.apply(.bids, price: 0.2, size: 1, at: self.time(14_000)) == .applied)
        #expect(book.bestBid?.price == 0.2)
    }

    @Test func stampsAreComparedAcrossTheWrapOfTheirLowHalf() {
        let wrap: Int64 = 417 << 32
        let book = TestBook()
        book.replace(bids: [], asks: [], at: self.time(wrap - 2))
        #expect(book.apply(.asks, price: 0.5, size: 1, at: self.time(wrap + 1)) == .applied)
        #expect(book.apply(.asks, price: 0.5, size: 2, at: self.time(wrap - 1)) == .superseded)
        #expect(book.bestAsk?.size == 1)
    }

    @Test func aResetBookWaitsAgain() {
        let book = TestBook()
        book.replace(bids: [Level(price: 0.405, size: 1)], asks: [], at: self.time(20_000))
        book.reset()
        #expect(book.bestBid == nil && book.levelCount == 0)
        #expect(book.apply(.bids, price: 0.4, size: 1, at: self.time(20_001)) == .awaitingSnapshot)
        #expect(book.replace(bids: [], asks: [], at: self.time(19_000)) == .applied)
    }
}
