import Foundation
import OddsCore
import OddsTestSupport
import Testing

/// Real recordings, read where they lie; skipped where there are none.
@Suite(.longWork) struct CaptureTests {
    static let verbatim = "updown-15m-ws-verbatim.ndjson.gz"
    static let rest = "updown-15m-rest-books.ndjson.gz"
    static let hockey = "nhl-20260607-first12min.ndjson.gz"
    static let solana = "sol-updown-15m-1765450800-books-trades.ndjson.gz"
    static let advice: Comment = "The recording is not there: put it into ../shared/captures beside the package."

    private func receive(_ bytes: [UInt8], at time: Int64, _ pipeline: FeedPipeline) {
        var bytes = frame(1, bytes)
        let now = ReceiveTime(monotonic: MonotonicTime(nanoseconds: time * 1_000_000), unixNanoseconds: time)
        bytes.withUnsafeMutableBytes { pipeline.receive($0, at: now) }
    }

    /// The tokens a frame names, in order.
    private func assets(_ frame: Captures.Frame) -> [AssetID] {
        TestDecoder().decode(frame.bytes).events.flatMap { event -> [AssetID] in
            if case .book(_, let asset, _, _, _, _, _, _) = event { [AssetID(asset)] } else { [] }
        }
    }

    @Test(.enabled(if: Captures.has(Self.verbatim), Self.advice))
    func everyVerbatimFrameIsReadAndEveryPairMirrors() throws {
        let decoder = TestDecoder()
        var books = 0
        var pairs = 0
        var mirrored = 0
        try Captures.frames(Self.verbatim) { frame in
            let decoded = decoder.decode(frame.bytes)
            #expect(decoded.fault == nil)
            #expect(decoded.unknownFields == 0)
            var open: [String: (Int64, Set<Level>, Set<Level>)] = [:]
            for event in decoded.events {
                switch event {
                case .unknown:
                    Issue.record("unknown event in \(String(decoding: frame.bytes.prefix(300), as: UTF8.self))")
                case .book(let market, _, let time, _, _, _, let bids, let asks):
                    books += 1
                    if let other = open[market ?? ""] {
                        pairs += 1
                        func turned(_ levels: Set<Level>) -> Set<Level> {
                            Set(levels.map { Level(price: $0.price.complement, size: $0.size) })
                        }
                        if other == (time, turned(asks), turned(bids)) { mirrored += 1 }
                    }
                    open[market ?? ""] = (time, bids, asks)
                default: break
                }
            }
            // The same through the books, as the first frames of a connection.
            let assets = self.assets(frame)
            guard !assets.isEmpty else { return }
            let board = OddsBoard()
            let feed = FeedBooks(board: board, source: .replay)
            feed.add(bare: assets)
            let pipeline = FeedPipeline(books: feed, maximumMessageSize: 1 << 20)
            self.receive(frame.bytes, at: frame.time, pipeline)
            #expect(feed.counters.malformedFrames == 0 && feed.counters.mirrorMismatches == 0)
            for market in board.markets {
                let odds = try #require(board.currentOdds(market.id))
                #expect(odds.trust == .live)
                #expect(odds.no.bid == odds.yes.ask?.complement && odds.no.ask == odds.yes.bid?.complement)
                #expect(odds.no.bidSize == odds.yes.askSize && odds.no.askSize == odds.yes.bidSize)
            }
        }
        print("\(Self.verbatim): \(books) books, \(mirrored) of \(pairs) pairs mirror each other")
        #expect(pairs > 100)
        #expect(mirrored == pairs)
    }

    /// One line of the REST recording.
    private struct RecordedRESTBook: Decodable {
        var market: String
        var asset_id: String
        var timestamp: String
        var min_order_size: String
        var neg_risk: Bool
        var last_trade_price: String

        func book() throws -> RESTBook {
            let smallest: Size = try #require(Size(self.min_order_size))
            return RESTBook(
                market: MarketID(self.market), asset: AssetID(self.asset_id),
                timestamp: Timestamp(milliseconds: try #require(Int64(self.timestamp))), bids: [], asks: [],
                minimumOrderSize: smallest, negativeRisk: self.neg_risk,
                lastTradePrice: Price(self.last_trade_price))
        }
    }

    @Test(
        .enabled(if: Captures.has(Self.verbatim) && Captures.has(Self.rest), Self.advice), arguments: [true, false])
    func everyHashOfACompleteBookIsVerified(withREST: Bool) throws {
        var told: [AssetID: RESTBook] = [:]
        try Captures.frames(Self.rest) { frame in
            let book = try JSONDecoder().decode(RecordedRESTBook.self, from: Data(frame.bytes)).book()
            told[book.asset] = book
        }
        var total = FeedCounters()
        var entries = 0
        var learnt = 0
        var connection: (FeedBooks, FeedPipeline)?
        var last: Int64 = 0

        /// The connection's timer, some time after the last frame.
        func wait(_ milliseconds: Int64, _ books: FeedBooks) {
            let now = MonotonicTime(nanoseconds: (last + milliseconds) * 1_000_000)
            books.begin(at: ReceiveTime(monotonic: now, unixNanoseconds: now.nanoseconds))
            books.verifyPending(before: now.advanced(by: .milliseconds(-25)))
        }
        func end() {
            guard let (books, _) = connection else { return }
            // What is right is found so; what a batch that the recorder cut off leaves open stays open.
            wait(30, books)
            books.connectionLost(reason: .disconnected)
            total = total + books.counters
        }
        let decoder = TestDecoder()
        var batches: Set<String> = []
        try Captures.frames(Self.verbatim) { frame in
            let assets = self.assets(frame)
            if !assets.isEmpty {
                // Each dump is the beginning of a connection.
                end()
                let books = FeedBooks(board: OddsBoard(), source: .replay)
                books.changeCheckInterval = .zero
                books.add(bare: assets)
                connection = (books, FeedPipeline(books: books, maximumMessageSize: 1 << 20))
            }
            let (books, pipeline) = try #require(connection)
            self.receive(frame.bytes, at: frame.time, pipeline)
            last = frame.time
            if withREST, !assets.isEmpty {
                for asset in assets {
                    guard let book = told[asset] else { continue }
                    learnt += 1
                    books.learn(book)
                }
            }
            for case .changes(_, let time, let changes) in decoder.decode(frame.bytes).events {
                for change in changes {
                    entries += 1
                    batches.insert("\(total.frames) \(change.asset) \(time)")
                }
            }
        }
        end()
        print(
            "\(Self.verbatim), \(withREST ? "\(learnt) tokens told by REST" : "usual constants"): "
                + "books \(total.bookHashesVerified) verified, \(total.bookHashesUnverifiable) unverifiable, "
                + "\(total.bookHashesMismatching) mismatching of \(total.books); batch ends of a token "
                + "\(total.changeHashesVerified) verified, \(total.changeHashesUnverifiable) unverifiable, "
                + "\(total.changeHashesMismatching) mismatching of \(batches.count) (\(entries) entries)")
        #expect(total.bookHashes == [total.books, 0, 0])
        #expect(total.books == 234)
        #expect(total.changeHashesMismatching == 0 && total.changeHashesUnverifiable == 0)
        // One batch of four messages was cut off by the recorder: neither token's hash can be had.
        #expect(total.changeHashesVerified == UInt64(batches.count) - 2)
    }

    @Test(.enabled(if: Captures.has(Self.solana), Self.advice))
    func everyBookAndTradeOfAWindowIsRead() throws {
        let board = OddsBoard()
        let feed = FeedBooks(board: board, source: .replay)
        let pipeline = FeedPipeline(books: feed, maximumMessageSize: 1 << 20)
        var frames = 0
        try Captures.frames(Self.solana) { frame in
            frames += 1
            feed.add(bare: self.assets(frame))
            self.receive(frame.bytes, at: frame.time, pipeline)
        }
        print("\(Self.solana): \(frames) frames, \(feed.counters.books) books, \(feed.counters.trades) trades")
        #expect(frames > 700)
        #expect(feed.counters.books + feed.counters.trades == UInt64(frames))
        #expect(feed.counters.malformedFrames == 0 && feed.counters.unknownEvents == 0)
        #expect(feed.counters.unknownFields == 0 && feed.counters.foreignEntries == 0)
        #expect(board.markets.count == 1)
    }

    /// The last message of a same-timestamp run of one market, and what the exchange said in it.
    private struct Batch {
        var time: Int64
        var best: [AssetID: (bid: Price, ask: Price)] = [:]
        var changes = 0
        var books = 0
        /// A row older than one seen before.
        var late = false
    }

    @Test(.enabled(if: Captures.has(Self.hockey), Self.advice))
    func theRebuiltTopIsTheExchangesAtTheEndOfABatch() throws {
        let board = OddsBoard()
        let feed = FeedBooks(board: board, source: .replay)
        let witness = FeedWitness()
        let pipeline = FeedPipeline(books: feed, maximumMessageSize: 1 << 20)
        pipeline.delegate = witness
        let decoder = TestDecoder()
        var open: [String: Batch] = [:]
        var newest: [String: Int64] = [:]
        var batches = 0
        var misses: [String: Int] = [:]
        var examples: [String] = []

        func close(_ market: String) {
            guard let batch = open.removeValue(forKey: market), !batch.best.isEmpty else { return }
            batches += 1
            var wrong: [String] = []
            for (asset, best) in batch.best {
                guard let levels = feed.levels(of: asset) else { continue }
                let bid = levels.bids.last?.price ?? .zero
                let ask = levels.asks.last?.price ?? .one
                if bid != best.bid || ask != best.ask {
                    wrong.append("\(bid)/\(ask) instead of \(best.bid)/\(best.ask)")
                }
            }
            guard !wrong.isEmpty else { return }
            // The tape's books after trades are inferred: a level that a trade took may have stayed in one.
            let isCrossed = batch.best.keys.contains { asset in
                guard let levels = feed.levels(of: asset), let bid = levels.bids.last, let ask = levels.asks.last else {
                    return false
                }
                return bid.price >= ask.price
            }
            let category =
                isCrossed
                ? "crossed by a level that a trade took and the inferred book kept"
                : batch.late
                    ? "late row"
                    : batch.books > 0
                        ? "inferred book in the batch" : batch.changes > 1 ? "long batch" : "single message"
            misses[category, default: 0] += 1
            if examples.count < 12 { examples.append("\(batch.time) \(category): \(wrong.joined(separator: ", "))") }
        }

        try Captures.frames(Self.hockey) { frame in
            feed.add(bare: self.assetsOfBooks(frame))
            for event in decoder.decode(frame.bytes).events {
                switch event {
                case .changes(let market?, let time, let changes):
                    if let batch = open[market], batch.time != time { close(market) }
                    var batch = open[market] ?? Batch(time: time, late: time < newest[market] ?? 0)
                    batch.changes += 1
                    for change in changes {
                        if let bid = change.bestBid, let ask = change.bestAsk {
                            batch.best[AssetID(change.asset)] = (bid, ask)
                        }
                    }
                    open[market] = batch
                    newest[market] = max(newest[market] ?? 0, time)
                case .book(let market?, let asset, let time, _, _, _, _, _):
                    if let batch = open[market], batch.time != time { close(market) }
                    var batch = open[market] ?? Batch(time: time)
                    batch.books += 1
                    batch.best[AssetID(asset)] = nil  // what was said before the trade
                    open[market] = batch
                    newest[market] = max(newest[market] ?? 0, time)
                default: break
                }
            }
            self.receive(frame.bytes, at: frame.time, pipeline)
        }
        for market in Array(open.keys) { close(market) }
        let missed = misses.values.reduce(0, +)
        let resyncs = witness.log.count { $0.hasPrefix("resync") }
        print("\(Self.hockey): \(missed) of \(batches) batch ends differ \(misses), \(resyncs) resyncs")
        for example in examples { print("  \(example)") }
        for (name, value) in feed.counters.named where value > 0 { print("  \(name) \(value)") }
        #expect(batches > 50_000)
        #expect(Double(missed) <= Double(batches) * 0.001)
        #expect(feed.counters.malformedFrames == 0 && feed.counters.unknownFields == 0)
        #expect(feed.counters.unknownEvents == 0 && feed.counters.foreignEntries == 0)
    }

    /// Only books name tokens here; most frames hold none, and are not decoded twice for it.
    private func assetsOfBooks(_ frame: Captures.Frame) -> [AssetID] {
        frame.bytes.first == UInt8(ascii: "[") ? self.assets(frame) : []
    }
}
