import Foundation
import Synchronization
import Testing

@testable import OddsCore

private func moment(_ n: Int64) -> ReceiveTime {
    ReceiveTime(monotonic: MonotonicTime(nanoseconds: n), unixNanoseconds: n &* 3)
}

private final class Race: Sendable {
    let done = Atomic<Bool>(false)
    let reads = Atomic<Int>(0)
}

private let sample = Market(
    id: "0x1", slug: "s", yes: Outcome(label: "Up", asset: "1"), no: Outcome(label: "Down", asset: "2"))

@Suite struct MarketSlotTests {
    static let trusts: [Trust] =
        [.live, .fallback, .resolving, .closed] + SuspectReason.allCases.map { .suspect($0) }
        + StaleReason.allCases.map { .stale(since: moment(77), reason: $0) }

    @Test func anUnwrittenSlotHasNoOdds() {
        #expect(MarketSlot(market: sample).read() == nil)
        #expect(OddsBoard().currentOdds("0x1") == nil)
    }

    @Test(arguments: Self.trusts) func everyTrustIsReadBack(trust: Trust) throws {
        let slot = MarketSlot(market: sample)
        var words = SlotWords()
        words.setTrust(.stale(since: moment(1), reason: .stopped))
        words.setTrust(trust)
        slot.write(words)
        #expect(try #require(slot.read()).trust == trust)
    }

    @Test(arguments: [SnapshotSource.line(0), .line(1), .line(255), .poller, .replay])
    func everySourceIsReadBack(source: SnapshotSource) throws {
        let slot = MarketSlot(market: sample)
        var words = SlotWords()
        words.setTrust(.suspect(.crossed))
        words.setLastTrades(yes: 1, no: 9999)
        words.setSource(source)
        slot.write(words)
        let read = try #require(slot.read())
        #expect(read.source == source)
        #expect(read.trust == .suspect(.crossed))
        #expect(read.yes.lastTrade == 0.0001)
    }

    @Test func everyValueIsReadBack() throws {
        var generator = SplitMix64(seed: 4)
        let slot = MarketSlot(market: sample)
        for round in 1...2000 {
            func price() -> Int32 {
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: -1
                case 1: 10_000
                default: Int32.random(in: 0...10_000, using: &generator)
                }
            }
            func size() -> Int64 { Int64.random(in: 0...Int64.max, using: &generator) }
            func some(_ raw: Int32) -> Price? { raw < 0 ? nil : Price(rawValue: raw) }
            let prices = (price(), price(), price(), price())
            let sizes = (size(), size(), size(), size())
            let trades = (price(), price())
            let exchange = Int64.random(in: Int64.min...Int64.max, using: &generator)
            var words = SlotWords()
            words.setTimes(exchange: exchange, receive: moment(Int64(round)))
            words.setPrices(yesBid: prices.0, yesAsk: prices.1, noBid: prices.2, noAsk: prices.3)
            words.setSizes(yesBid: sizes.0, yesAsk: sizes.1, noBid: sizes.2, noAsk: sizes.3)
            words.setLastTrades(yes: trades.0, no: trades.1)
            words.epoch = UInt64(round)
            words.sequence = .max
            slot.write(words)
            let expected = OddsSnapshot(
                market: sample,
                yes: Quote(
                    bid: some(prices.0), bidSize: Size(rawValue: sizes.0), ask: some(prices.1),
                    askSize: Size(rawValue: sizes.1), lastTrade: some(trades.0)),
                no: Quote(
                    bid: some(prices.2), bidSize: Size(rawValue: sizes.2), ask: some(prices.3),
                    askSize: Size(rawValue: sizes.3), lastTrade: some(trades.1)),
                exchangeTime: Timestamp(milliseconds: exchange), receiveTime: moment(Int64(round)), trust: .live,
                epoch: UInt64(round), source: .line(0), sequence: .max)
            #expect(try #require(slot.read()) == expected)
        }
    }

    /// Every word of a write is a function of its number, so that a snapshot mixed from two writes shows.
    @Test func readersNeverSeeHalfAWrite() async {
        let slot = MarketSlot(market: sample)
        let race = Race()
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var last: UInt64 = 0
                    var mine = 0
                    while !race.done.load(ordering: .acquiring) || mine == 0 {
                        guard let snapshot = slot.read() else { continue }
                        mine += 1
                        let n = snapshot.sequence
                        let raw = Int32(n % 10_001)
                        let whole =
                            snapshot.exchangeTime.milliseconds == Int64(n) && snapshot.receiveTime == moment(Int64(n))
                            && snapshot.epoch == n && snapshot.yes.bid?.rawValue == raw
                            && snapshot.yes.ask?.rawValue == raw && snapshot.no.bid?.rawValue == raw
                            && snapshot.no.ask?.rawValue == raw && snapshot.yes.lastTrade?.rawValue == raw
                            && snapshot.yes.bidSize.rawValue == Int64(n) && snapshot.yes.askSize.rawValue == Int64(n)
                            && snapshot.no.bidSize.rawValue == Int64(n) && snapshot.no.askSize.rawValue == Int64(n)
                            && snapshot.trust
                                == (n % 2 == 0 ? .live : .stale(since: moment(Int64(n)), reason: .stopped))
                        if !whole || n < last { return false }
                        last = n
                    }
                    race.reads.add(mine, ordering: .relaxed)
                    return true
                }
            }
            // A thread of its own: readers that spin may not keep the writer from running.
            Thread.detachNewThread {
                for n in UInt64(1)...50_000 {
                    let raw = Int32(n % 10_001)
                    var words = SlotWords()
                    words.setTimes(exchange: Int64(n), receive: moment(Int64(n)))
                    words.setPrices(yesBid: raw, yesAsk: raw, noBid: raw, noAsk: raw)
                    words.setSizes(yesBid: Int64(n), yesAsk: Int64(n), noBid: Int64(n), noAsk: Int64(n))
                    words.setLastTrades(yes: raw, no: raw)
                    words.setTrust(n % 2 == 0 ? .live : .stale(since: moment(Int64(n)), reason: .stopped))
                    words.epoch = n
                    words.sequence = n
                    slot.write(words)
                }
                race.done.store(true, ordering: .releasing)
            }
            for await whole in group { #expect(whole) }
        }
        #expect(race.reads.load(ordering: .relaxed) >= 2)
    }

    @Test func aMarketKeepsItsSlotUnlessItsTokensChange() {
        let board = OddsBoard()
        let slot = board.add(sample)
        #expect(board.add(sample) === slot)
        #expect(board.slot("0x1") === slot)
        #expect(board.markets.count == 1)
        let other = Market(id: "0x1", slug: "s", yes: Outcome(label: "Up", asset: "9"), no: nil)
        #expect(board.add(other) !== slot)
        #expect(board.markets.count == 1)
        board.remove("0x1")
        #expect(board.slot("0x1") == nil)
    }
}
