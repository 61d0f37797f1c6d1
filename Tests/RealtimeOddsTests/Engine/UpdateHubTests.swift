import OddsCore
import OddsTestSupport
import Synchronization
import Testing

@testable import RealtimeOdds

/// A market on a board and a hub that hears of its changes, with the event loop's turns in the test's hands.
private final class HubHarness {
    let board = OddsBoard()
    let hub: UpdateHub
    private let questions: Counter
    private let pipeline: FeedPipeline
    private let ears = Ears()
    private var time: Int64 = 1_790_000_000_000
    private let market = Market(
        id: "0xhub", slug: "hub", yes: Outcome(label: "Up", asset: "1"), no: Outcome(label: "Down", asset: "2"))

    private final class Counter: Sendable {
        private let value = Mutex(0)
        func add() { self.value.withLock { $0 += 1 } }
        func take() -> Int {
            self.value.withLock { value in
                defer { value = 0 }
                return value
            }
        }
    }

    private final class Ears: FeedPipelineDelegate {
        var hub: UpdateHub?
        var tellsLossless = false

        func marketChanged(_ slot: MarketSlot, valuesChanged: Bool, previousTrust: Trust?) {
            if self.tellsLossless {
                guard let snapshot = slot.read() else { return }
                self.hub?.changedExactly(snapshot, values: valuesChanged, previousTrust: previousTrust)
            }
        }
        func snapshotArrived(_ asset: AssetID) {}
        func resyncNeeded(_ asset: AssetID, reason: SuspectReason) {}
        func marketResolved(_ market: MarketID, winner: AssetID?, at time: Timestamp?) {}
        func entryApplied(_ asset: AssetID, eventType: StaticString, at: Timestamp, bestBid: Price?, bestAsk: Price?) {}
        func pongReceived() {}
        func frameMalformed(_ fault: FrameFault, prefix: [UInt8]) {}
        func venueSaid(_ text: String) {}
    }

    init() {
        let questions = Counter()
        self.questions = questions
        self.hub = UpdateHub(losslessChanged: { questions.add() })
        let books = FeedBooks(board: self.board, source: .line(0))
        self.pipeline = FeedPipeline(books: books, maximumMessageSize: 1 << 16)
        self.pipeline.delegate = self.ears
        self.pipeline.open(maskingSeed: 1)
        books.reportsEveryChange = true
        books.add(self.market)
        self.ears.hub = self.hub
        self.bid(0.4)
    }

    private var slots: [MarketSlot] { self.board.markets.compactMap { self.board.slot($0.id) } }

    func subscribe(_ delivery: OddsUpdates.Delivery = .lossless(capacity: 100)) -> OddsUpdates {
        OddsUpdates(hub: self.hub, subscriber: self.hub.subscribe(delivery) { self.slots })
    }

    /// The event loop does what it was asked for, as the engine does.
    func turn() {
        guard self.questions.take() > 0 else { return }
        self.ears.tellsLossless = self.hub.hasLossless
        self.hub.settle(with: self.slots)
    }

    /// Both tokens' books come, in which YES is bid at this price.
    func bid(_ price: Price) {
        self.time += 1
        let yes = WireFrames.book(
            market: self.market.id, asset: "1", time: self.time, bids: [(price, 5)], asks: [(0.9, 5)])
        let no = WireFrames.book(
            market: self.market.id, asset: "2", time: self.time, bids: [(0.1, 5)], asks: [(price.complement, 5)])
        let payload = Array("[\(yes),\(no)]".utf8)
        var bytes = [0x81, 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)] + payload
        let now = ReceiveTime(monotonic: MonotonicTime(nanoseconds: self.time), unixNanoseconds: self.time)
        bytes.withUnsafeMutableBytes { self.pipeline.receive($0, at: now) }
    }

    /// The connection goes.
    func lose() { self.pipeline.books.connectionLost(reason: .disconnected) }
}

extension OddsUpdates {
    /// What waits, as text; the hub must be finished.
    fileprivate func rest() async -> [String] {
        await self.reduce(into: []) { texts, update in
            switch update {
            case .odds(let odds): texts.append("odds \(odds.yesOdds)")
            case .trust(let odds, let previous): texts.append("\(previous.name) to \(odds.trust.name)")
            case .overflow(let lost): texts.append("lost \(lost)")
            case .rollover, .resolution: texts.append("news")
            }
        }
    }
}

@Suite struct UpdateHubTests {
    @Test func aLosslessFollowerHearsEachChangeOnceAndInOrder() async {
        let feed = HubHarness()
        let updates = feed.subscribe()
        feed.turn()
        feed.bid(0.5)
        feed.bid(0.6)
        feed.hub.finish()
        #expect(await updates.rest() == ["odds 0.4", "odds 0.5", "odds 0.6"])
    }

    @Test func whatChangesBeforeTheFeedKnowsOfAFollowerIsToldWhenItDoes() async {
        let feed = HubHarness()
        let updates = feed.subscribe()
        feed.bid(0.5)
        feed.lose()
        feed.turn()
        feed.hub.finish()
        #expect(await updates.rest() == ["odds 0.4", "live to stale", "odds 0.5"])
    }

    @Test func aFollowerThatComesWhileAnotherIsHeardMissesAndRepeatsNothing() async {
        let feed = HubHarness()
        let first = feed.subscribe()
        feed.turn()
        let second = feed.subscribe()
        feed.bid(0.5)
        feed.turn()
        feed.bid(0.6)
        feed.hub.finish()
        #expect(await first.rest() == ["odds 0.4", "odds 0.5", "odds 0.6"])
        #expect(await second.rest() == ["odds 0.4", "odds 0.5", "odds 0.6"])
    }

    @Test func aFollowerThatComesWhileTheLastOneLeavesIsHeard() async {
        let feed = HubHarness()
        var first: OddsUpdates? = feed.subscribe()
        feed.turn()
        // The one that leaves may tell so only after the new one has told that it came.
        let second = feed.subscribe()
        first = nil
        feed.turn()
        feed.bid(0.5)
        feed.hub.finish()
        #expect(first == nil)
        #expect(await second.rest() == ["odds 0.4", "odds 0.5"])
    }

    @Test func noOneIsToldEverySingleChangeWhenNobodyWantsIt() {
        let feed = HubHarness()
        var updates: OddsUpdates? = feed.subscribe()
        feed.turn()
        #expect(feed.hub.hasLossless && updates != nil)
        updates = nil
        #expect(!feed.hub.hasLossless)
    }

    @Test func aFullMailboxSaysHowManyChangesWereLost() async {
        let feed = HubHarness()
        let updates = feed.subscribe(.lossless(capacity: 2))
        feed.turn()
        feed.bid(0.5)
        feed.bid(0.6)
        feed.bid(0.7)
        var iterator = updates.makeAsyncIterator()
        guard case .odds? = await iterator.next() else {
            Issue.record("the first update is no odds")
            return
        }
        feed.bid(0.8)
        feed.hub.finish()
        #expect(await updates.rest() == ["odds 0.5", "lost 2", "odds 0.8"])
        #expect(updates.skipped == 2)
    }

    @Test func aFollowerOfTheLatestGetsTheNewestValuesOnce() async {
        let feed = HubHarness()
        let updates = feed.subscribe(.latest)
        feed.turn()
        feed.bid(0.5)
        feed.bid(0.6)
        feed.hub.finish()
        #expect(await updates.rest() == ["odds 0.6"])
    }

    @Test func aCancelledReaderLeavesTheRestToTheNext() async {
        let feed = HubHarness()
        let updates = feed.subscribe()
        feed.turn()
        var iterator = updates.makeAsyncIterator()
        _ = await iterator.next()
        let reader = Task {
            var iterator = updates.makeAsyncIterator()
            return await iterator.next() == nil
        }
        reader.cancel()
        #expect(await reader.value)
        feed.bid(0.5)
        feed.hub.finish()
        #expect(await updates.rest() == ["odds 0.5"])
    }
}
