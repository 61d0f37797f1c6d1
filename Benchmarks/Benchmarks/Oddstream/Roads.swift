import Foundation
import OddsCore
import Synchronization

/// A pipeline with a board, fed by hand.
final class Road {
    let board = OddsBoard()
    let books: FeedBooks
    private let pipeline: FeedPipeline
    private var reads: Int64 = 0

    init() {
        self.books = FeedBooks(board: self.board, source: .line(0))
        self.pipeline = FeedPipeline(books: self.books, maximumMessageSize: 8 << 20)
        self.books.add(
            Market(
                id: Frames.market, slug: "bench", yes: Outcome(label: "Up", asset: Frames.yes),
                no: Outcome(label: "Down", asset: Frames.no)))
        self.pipeline.open(maskingSeed: 1)
    }

    func receive(_ bytes: inout [UInt8]) {
        self.reads += 1
        let now = ReceiveTime(monotonic: MonotonicTime(nanoseconds: self.reads), unixNanoseconds: self.reads)
        bytes.withUnsafeMutableBytes { self.pipeline.receive($0, at: now) }
        self.books.drainChanges { _, _, _ in }
    }
}

/// Writes one market as fast as a thread can, until it is stopped.
final class BusyWriter: Sendable {
    let board = OddsBoard()
    private let stopWanted = Atomic<Bool>(false)
    private let isWriting = Atomic<Bool>(false)
    private let written = Atomic<Int>(0)
    private let ended = DispatchSemaphore(value: 0)

    /// Returns when the first messages are on the board.
    func start() {
        Thread.detachNewThread {
            let books = FeedBooks(board: self.board, source: .line(0))
            let pipeline = FeedPipeline(books: books, maximumMessageSize: 8 << 20)
            books.add(
                Market(
                    id: Frames.market, slug: "bench", yes: Outcome(label: "Up", asset: Frames.yes),
                    no: Outcome(label: "Down", asset: Frames.no)))
            pipeline.open(maskingSeed: 1)
            var bytes = Frames.webSocketBytes(Frames.snapshot)
            for index in 0..<1000 { bytes += Frames.webSocketBytes(Frames.flows[1].1(index)) }
            var reads: Int64 = 0
            while !self.stopWanted.load(ordering: .relaxed) {
                reads += 1
                let now = ReceiveTime(monotonic: MonotonicTime(nanoseconds: reads), unixNanoseconds: reads)
                bytes.withUnsafeMutableBytes { pipeline.receive($0, at: now) }
                books.drainChanges { _, _, _ in }
                self.written.add(1000, ordering: .relaxed)
                self.isWriting.store(true, ordering: .releasing)
            }
            self.ended.signal()
        }
        while !self.isWriting.load(ordering: .acquiring) {}
    }

    /// Ends the thread; how many messages it wrote.
    func stop() -> Int {
        self.stopWanted.store(true, ordering: .relaxed)
        self.ended.wait()
        return self.written.load(ordering: .relaxed)
    }
}

/// Takes events and does nothing but count them.
struct CountingHandler: MarketEventHandler {
    var events = 0
    mutating func book(_ event: WireBook) { self.events &+= 1 }
    mutating func priceChanges(
        market: WireText?, timestamp: Timestamp, entries: UnsafeBufferPointer<WirePriceChange>
    ) { self.events &+= 1 }
    mutating func trade(_ event: WireTrade) { self.events &+= 1 }
    mutating func tickSizeChange(_ event: WireTickSizeChange) { self.events &+= 1 }
    mutating func bestBidAsk(_ event: WireBestBidAsk) { self.events &+= 1 }
    mutating func newMarket(_ event: WireNewMarket) { self.events &+= 1 }
    mutating func marketResolved(_ event: WireMarketResolved) { self.events &+= 1 }
    mutating func plainText(_ text: WireText) { self.events &+= 1 }
    mutating func unknownEvent(type: WireText?, error: WireText?) { self.events &+= 1 }
}
