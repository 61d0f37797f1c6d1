import OddsCore
import OddsTestSupport
import Testing

@testable import OddsStore

@Suite struct HistoryQueueTests {
    @Test func theMostImportantIsTakenFirstAndTheRestInOrder() {
        var queue = HistoryQueue(capacity: 10)
        for record in [Sample.odds(1), Sample.trade(1), Sample.odds(2), Sample.spike(1)] {
            #expect(queue.append(record) == nil)
        }
        #expect(queue.take(2) == [Sample.trade(1), Sample.spike(1)])
        #expect(queue.count == 2)
        #expect(queue.take(9) == [Sample.odds(1), Sample.odds(2)])
        #expect(queue.take(1).isEmpty)
    }

    @Test func oddsGoFirstWhenThereIsNoRoom() {
        var queue = HistoryQueue(capacity: 3)
        _ = queue.append(Sample.odds(1))
        _ = queue.append(Sample.odds(2))
        _ = queue.append(Sample.trade(1))
        // The oldest odds go for newer ones, and for everything that matters more.
        #expect(queue.append(Sample.odds(3)) == .odds)
        #expect(queue.append(Sample.spike(1)) == .odds)
        #expect(queue.append(Sample.trade(2)) == .odds)
        #expect(queue.append(Sample.trade(3)) == .spike)
        // Nothing that matters more goes for odds.
        #expect(queue.append(Sample.odds(4)) == .odds)
        #expect(queue.take(9) == [Sample.trade(1), Sample.trade(2), Sample.trade(3)])
    }

    @Test func whatIsUnderWayTakesRoom() {
        var queue = HistoryQueue(capacity: 2)
        #expect(queue.append(Sample.odds(1), reserved: 1) == nil)
        #expect(queue.append(Sample.odds(2), reserved: 1) == .odds)
        #expect(queue.append(Sample.trade(1), reserved: 2) == .odds)
        #expect(queue.append(Sample.odds(3), reserved: 2) == .odds)
        #expect(queue.take(9) == [Sample.trade(1)])
    }

    @Test func aLongQueueIsTakenApartInOrder() {
        var queue = HistoryQueue(capacity: 20_000)
        for number in 0..<10_000 { _ = queue.append(Sample.odds(number)) }
        var taken: [HistoryRecord] = []
        while queue.count > 0 {
            taken += queue.take(700)
            if taken.count < 9000 { _ = queue.append(Sample.trade(taken.count)) }
        }
        #expect(taken.filter { $0.kind == .odds } == (0..<10_000).map { Sample.odds($0) })
    }
}
