import OddsCore
import Testing

@testable import OddsCore

private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

/// A trade of the market that all of this is about.
private func trade(
    _ side: Side = .yes, _ takerSide: BookSideKind = .bids, size: Size = 10, time: Int64 = 1, transaction: UInt64 = 0
) -> Trade {
    Trade(
        market: "0xm", asset: side == .yes ? "1" : "2", side: side, price: 0.6, size: size, takerSide: takerSide,
        exchangeTime: Timestamp(milliseconds: time), transaction: transaction)
}

/// Every line tells every trade, and each passes once.
@Suite struct TradeGateTests {
    private var gate = TradeGate()

    @Test mutating func eachLineTellsATradeAndItPassesOnce() {
        for (index, first) in [0, 1, 0].enumerated() {
            let trade = trade(time: Int64(index))
            let isNew = self.gate.admit(trade, from: first, at: at(1))
            let isNewAgain = self.gate.admit(trade, from: 1 - first, at: at(2))
            #expect(isNew && !isNewAgain)
        }
    }

    @Test mutating func twoTradesThatAreTheSameAreTwo() {
        let told = [0, 1, 1, 0].map { self.gate.admit(trade(), from: $0, at: at(1)) }
        #expect(told == [true, false, true, false])
    }

    @Test mutating func whatDiffersInAnythingIsAnother() {
        let trades = [
            trade(), trade(.no), trade(.yes, .asks), trade(size: 11), trade(time: 2), trade(transaction: 7),
        ]
        for trade in trades {
            let isNew = self.gate.admit(trade, from: 0, at: at(1))
            #expect(isNew)
        }
        for trade in trades {
            let isNew = self.gate.admit(trade, from: 1, at: at(1))
            #expect(!isNew)
        }
    }

    /// Lines that come and go, each a little behind the other: as many trades pass as there were.
    @Test(arguments: 0..<50) func aLineThatDiesAndComesBackNeitherLosesNorDoubles(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var gate = TradeGate()
        var passed = 0
        var queues: [[Trade]] = [[], []]
        var isUp = [true, true]
        var now: Int64 = 0
        func deliver(_ line: Int, _ count: Int) {
            for trade in queues[line].prefix(count) where gate.admit(trade, from: line, at: at(now)) { passed += 1 }
            queues[line].removeFirst(min(count, queues[line].count))
        }
        for number in 0..<400 {
            now += 250
            // Few stamps and few sizes: many trades are the same.
            let trade = trade(size: Size(integerLiteral: Int64(number % 3 + 1)), time: now / 1000)
            for line in 0...1 where isUp[line] { queues[line].append(trade) }
            for line in 0...1 { deliver(line, Int.random(in: 0...3, using: &generator)) }
            if isUp == [true, true], number % 7 == 0, Bool.random(using: &generator) {
                // What was on its way is lost with the line; the other has it all.
                let lost = Int.random(in: 0...1, using: &generator)
                isUp[lost] = false
                queues[lost] = []
                deliver(1 - lost, .max)
            } else if number % 5 == 0, isUp != [true, true] {
                // The line that comes back tells only what comes from then on, and the other is not ahead by then.
                for line in 0...1 { deliver(line, .max) }
                now += 1000
                isUp = [true, true]
            }
        }
        for line in 0...1 { deliver(line, .max) }
        #expect(passed == 400)
    }

    @Test mutating func memoryIsBounded() {
        for number in 0..<10_000 {
            let isNew = self.gate.admit(trade(time: Int64(number)), from: 0, at: at(1))
            #expect(isNew)
        }
        #expect(self.gate.count == TradeGate.capacity)
        _ = self.gate.admit(trade(time: -1), from: 0, at: at(1 + 121_000))
        #expect(self.gate.count == 1)
    }
}

/// Trades within sliding windows.
@Suite struct TradeFlowTests {
    private var meter = TradeFlowMeter(longest: .seconds(60))

    private func flow(_ seconds: Int, at now: Int64) -> TradeFlow? { self.meter.flow(.seconds(seconds), at: at(now)) }

    @Test func whoBuysNOSellsYES() {
        #expect(trade(.yes, .bids).isForYes && trade(.no, .asks).isForYes)
        #expect(!trade(.yes, .asks).isForYes && !trade(.no, .bids).isForYes)
        #expect(trade(.yes).yesPrice == 0.6 && trade(.no).yesPrice == 0.4)
    }

    @Test mutating func oldTradesDropOutOfTheWindows() throws {
        self.meter.begin(at: at(0))
        self.meter.add(trade(size: 5), at: at(1000))
        self.meter.add(trade(.no, size: 3), at: at(1050))
        self.meter.add(trade(.no, .asks, size: 2), at: at(9000))
        let first = try #require(self.flow(10, at: 10_000))
        #expect(first.trades == 3 && first.bought == 7 && first.sold == 3 && first.volume == 10 && first.net == 4)
        #expect(first.covered == .seconds(10) && first.netPerSecond == 0.4)
        #expect(self.flow(10, at: 10_900)?.trades == 3)
        #expect(self.flow(10, at: 11_100)?.trades == 1)
        #expect(self.flow(10, at: 19_100)?.trades == 0)
        #expect(self.flow(60, at: 19_100)?.trades == 3)
        #expect(
            self.flow(60, at: 70_000)
                == TradeFlow(
                    window: .seconds(60), covered: .seconds(60), trades: 0, bought: .zero, sold: .zero))
        #expect(self.meter.lastTrade == at(9000))
    }

    @Test mutating func whatWasNotHeardIsNotToldAsCalm() {
        #expect(self.flow(10, at: 0) == nil)
        self.meter.add(trade(), at: at(10))
        #expect(self.flow(10, at: 20) == nil && self.meter.lastTrade == at(10))
        self.meter.begin(at: at(1000))
        #expect(self.flow(10, at: 4000)?.covered == .seconds(3))
        #expect(self.flow(10, at: 4000)?.trades == 0, "what came before it began is no part of it")
        self.meter.add(trade(), at: at(4500))
        self.meter.interrupt()
        #expect(self.flow(10, at: 5000) == nil)
        self.meter.begin(at: at(6000))
        #expect(self.flow(10, at: 6500)?.trades == 0)
    }

    @Test mutating func accelerationComparesTheHalvesOfTheWindow() {
        self.meter.begin(at: at(0))
        self.meter.add(trade(size: 10), at: at(2000))
        self.meter.add(trade(size: 60), at: at(7000))
        #expect(self.meter.acceleration(.seconds(10), at: at(9900)) == nil, "half of it was not heard")
        // (60 / 5 − 10 / 5) / 5
        #expect(self.meter.acceleration(.seconds(10), at: at(10_000)) == 2)
        #expect(self.meter.acceleration(.seconds(10), at: at(15_000)) == -2.4)
        #expect(self.meter.acceleration(.seconds(10), at: at(30_000)) == 0)
    }

    @Test mutating func manyTradesTakeNoMoreRoomThanTenthsOfASecond() throws {
        self.meter.begin(at: at(0))
        for number in 0..<200_000 { self.meter.add(trade(size: 1), at: at(Int64(number))) }
        let flow = try #require(self.flow(60, at: 200_000))
        #expect(abs(flow.trades - 60_000) <= 100)
        #expect(self.meter.tenthCount <= 1300)
        self.meter.add(trade(size: Size(rawValue: .max)), at: at(200_000))
        #expect(self.flow(10, at: 200_000)?.bought == Size(rawValue: .max), "kept within 64 bits")
    }
}

/// How much a midpoint moves.
@Suite struct MidpointVolatilityTests {
    private var meter = MidpointVolatility(window: .seconds(60), longestStep: .seconds(1))

    @Test mutating func changesAreSquaredAndSummed() throws {
        // A cent up and down every half second: 120 changes of 0.01 a minute.
        for step in 0..<400 {
            self.meter.sample(step.isMultiple(of: 2) ? 0.5 : 0.51, at: at(Int64(step) * 500))
            let isThere = step >= 20
            #expect((self.meter.value != nil) == isThere)
        }
        let value = try #require(self.meter.value)
        #expect(abs(value - 0.01 * 120.0.squareRoot()) < 1e-9)
    }

    @Test mutating func whatIsOldDropsOutAndGapsCountForNothing() throws {
        self.meter.sample(0.3, at: at(0))
        for step in 1...50 { self.meter.sample(0.5, at: at(Int64(step) * 250)) }
        let moved = try #require(self.meter.value)
        #expect(abs(moved - (0.04 / (12.5 / 60)).squareRoot()) < 1e-9)
        self.meter.sample(nil, at: at(12_750))
        self.meter.sample(0.9, at: at(13_000))
        #expect(self.meter.value == moved, "the leap came while nothing was seen")
        self.meter.sample(0.1, at: at(20_000))
        #expect(self.meter.value == moved, "too far apart")
        for step in 0...200 { self.meter.sample(0.1, at: at(20_250 + Int64(step) * 250)) }
        #expect(self.meter.value == 0)
        self.meter.interrupt()
        #expect(self.meter.value == nil)
    }
}
