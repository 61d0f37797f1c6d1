import Foundation
import OddsCore
import OddsTestSupport
import Testing

/// One market's meter, and the figures of lines.
@Suite struct MicrostructureTests {
    private let market = Market(
        id: "0xm", slug: "m", yes: Outcome(label: "Up", asset: "1"), no: Outcome(label: "Down", asset: "2"))

    private func time(_ milliseconds: Int64) -> ReceiveTime {
        ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: milliseconds * 1_000_000), unixNanoseconds: milliseconds * 1_000_000)
    }

    private func shown(
        _ trust: Trust = .live, epoch: UInt64 = 1, source: SnapshotSource = .line(0)
    ) -> OddsSnapshot {
        OddsSnapshot(
            market: self.market, yes: .empty, no: .empty, exchangeTime: Timestamp(milliseconds: 5),
            receiveTime: self.time(0), trust: trust, epoch: epoch, source: source, sequence: 9)
    }

    private func books(_ bid: Price = 0.48) -> MicrostructureMeter.Books {
        let figures = BookFigures(
            bids: [Level(price: bid, size: 30)], asks: [Level(price: 0.52, size: 10)], tickSize: 0.01)
        return MicrostructureMeter.Books(yes: figures, no: nil)
    }

    private func trade(_ size: Size) -> Trade {
        Trade(
            market: "0xm", asset: "1", side: .yes, price: 0.5, size: size, takerSide: .bids,
            exchangeTime: Timestamp(milliseconds: 1))
    }

    @Test func lostContinuityBeginsFlowAndVolatilityAnew() {
        var meter = MicrostructureMeter()
        for step in 0...80 { _ = meter.sample(self.shown(), books: self.books(), at: self.time(Int64(step) * 250)) }
        let isNew = meter.admit(self.trade(7), from: 0, shown: self.shown(), at: self.time(20_100).monotonic)
        #expect(isNew)
        let live = meter.sample(self.shown(), books: self.books(0.46), at: self.time(20_250))
        #expect(live.longFlow?.bought == 7 && live.longFlow?.covered == .milliseconds(20_250))
        #expect(live.shortFlow?.trades == 1 && live.flowAcceleration == 0.28)
        #expect(live.lastTradeAge == .milliseconds(150) && (live.volatility ?? 0) > 0)
        #expect(live.yes?.midpoint == 0.49 && live.sequence == 9 && live.epoch == 1)

        let since = self.time(20_250)
        let stale = meter.sample(
            self.shown(.stale(since: since, reason: .disconnected), epoch: 2), books: self.books(),
            at: self.time(20_500))
        #expect(stale.yes == nil && stale.shortFlow == nil && stale.longFlow == nil)
        #expect(stale.volatility == nil && stale.flowAcceleration == nil)
        #expect(stale.lastTradeAge == .milliseconds(400), "when the last trade was is still known")
        let fallback = meter.sample(
            self.shown(.fallback, epoch: 2, source: .poller), books: self.books(), at: self.time(20_750))
        #expect(fallback.yes?.midpoint == 0.5 && fallback.longFlow == nil && fallback.volatility == nil)
        // Trades that come before anything can be believed again are not counted, and what follows is.
        _ = meter.admit(
            self.trade(5), from: 1, shown: self.shown(.fallback, epoch: 2, source: .poller),
            at: self.time(20_800).monotonic)
        let again = meter.sample(self.shown(epoch: 2), books: self.books(), at: self.time(21_000))
        #expect(
            again.longFlow
                == TradeFlow(
                    window: .seconds(60), covered: .zero, trades: 0, bought: .zero, sold: .zero))
        #expect(again.longFlow?.netPerSecond == nil && again.volatility == nil)
        let closed = meter.sample(self.shown(.closed, epoch: 2), books: self.books(), at: self.time(21_250))
        #expect(closed.yes == nil && closed.longFlow == nil)
    }

    @Test func inTheMiddleOfABatchTheLastBooksStand() {
        var meter = MicrostructureMeter()
        _ = meter.sample(self.shown(), books: self.books(), at: self.time(0))
        #expect(meter.sample(self.shown(), books: nil, at: self.time(250)).yes?.midpoint == 0.5)
        #expect(meter.read(self.shown(), books: self.books(0.46), at: self.time(300)).yes?.midpoint == 0.49)
        #expect(meter.read(self.shown(epoch: 2), books: nil, at: self.time(300)).yes == nil)
        #expect(meter.sample(self.shown(epoch: 2), books: nil, at: self.time(500)).yes == nil, "those were another's")
    }

    @Test func onlyTheLeadingLineShowsItsBooks() throws {
        let board = OddsBoard()
        let arbiter = FeedArbiter(board: board)
        let lines = (0...1).map { FeedHarness(line: $0, board: board, arbiter: arbiter) }
        let id = lines[0].market.id
        for line in lines { line.receive(line.dump(10)) }
        let leading = try #require(lines[0].books.figures(of: id, ticks: 5))
        #expect(leading.isLeading && leading.books?.yes.midpoint == 0.5 && leading.books?.no?.midpoint == 0.5)
        #expect(leading.books?.yes.bidDepth.shares == 30 && leading.books?.yes.tickSize == 0.01)
        #expect(lines[1].books.figures(of: id, ticks: 5)?.books == nil)
        lines[0].receive(lines[0].change(20, .bids, 0.48, 0, best: (0.47, 0.52)))
        #expect(lines[0].books.figures(of: id, ticks: 5)?.books == nil, "half of a batch")
        lines[0].receive(lines[0].change(20, .bids, 0.47, 3, best: (0.47, 0.52)))
        var seen: [OfferedFigures] = []
        lines[0].books.eachFigures(ticks: 8) { seen.append($0) }
        #expect(seen.map(\.isLeading) == [true] && seen[0].books?.yes.bidDepth.shares == 15)
        #expect(lines[0].books.figures(of: "0xother", ticks: 5) == nil)
    }

    @Test func aTradeIsToldWithItsTakersSide() {
        let line = FeedHarness()
        line.receive(line.dump(10))
        func text(_ asset: AssetID, _ rest: String) -> String {
            #"{"market":"\#(line.market.id)","asset_id":"\#(asset)","price":"0.52","timestamp":"11",\#(rest)"#
                + #""event_type":"last_trade_price"}"#
        }
        line.receive(text(line.up, #""size":"2.5","side":"BUY","transaction_hash":"0xa","#))
        line.receive(text(line.up, #""size":"2.5","side":"BUY","transaction_hash":"0xb","#))
        line.receive(text(line.down, #""size":"1","side":"SELL","#))
        // What takers did is not guessed.
        line.receive(text(line.down, #""size":"1","#), text(line.down, #""side":"SELL","#))
        let trades = line.witness.trades
        #expect(trades.map(\.side) == [.yes, .yes, .no] && trades.map(\.size) == [2.5, 2.5, 1])
        #expect(trades.map(\.takerSide) == [.bids, .bids, .asks] && trades.allSatisfy(\.isForYes))
        #expect(trades.map(\.yesPrice) == [0.52, 0.52, 0.48])
        #expect(trades[0] != trades[1], "two settlements")
    }

    // MARK: Rows

    @Test func aRowHasEveryKeyAndCanBeReadBack() throws {
        var meter = MicrostructureMeter()
        let empty = MicrostructureRow(
            meter.sample(self.shown(.stale(since: self.time(0), reason: .frozen)), books: nil, at: self.time(1500)))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = String(decoding: try encoder.encode(empty), as: UTF8.self)
        #expect(
            text
                == #"{"depth_ticks":null,"epoch":1,"exchange_time_ms":5,"flow_10s":null,"flow_60s":null,"#
                + #""flow_acceleration":null,"last_trade_age_ms":null,"market":"0xm","no":null,"source":"line0","#
                + #""time_ms":1500,"trust":"stale","volatility":null,"yes":null}"#)
        _ = meter.admit(self.trade(7), from: 0, shown: self.shown(), at: self.time(2000).monotonic)
        let row = MicrostructureRow(meter.sample(self.shown(), books: self.books(), at: self.time(3000)))
        #expect(row.longFlow == row.shortFlow && row.longFlow?.covered == 1000 && row.longFlow?.net == 7)
        #expect(row.yes?.microprice == 0.51 && row.yes?.askDepthDollars == 5.2 && row.depthTicks == 5)
        #expect(row.lastTradeAge == 1000)
        #expect(try JSONDecoder().decode(MicrostructureRow.self, from: try encoder.encode(row)) == row)
        #expect(try JSONDecoder().decode(MicrostructureRow.self, from: try encoder.encode(empty)) == empty)
    }

    // MARK: A real recording

    /// Two lines read the same tape; the second is lost and comes back again and again.
    private final class Line: FeedPipelineDelegate {
        let seat: Int
        let feed: FeedBooks
        private let pipeline: FeedPipeline
        var traded: (Trade, MarketSlot, Int) -> Void = { _, _, _ in }

        init(_ seat: Int, board: OddsBoard, arbiter: FeedArbiter) {
            self.seat = seat
            self.feed = FeedBooks(board: board, source: .line(seat), seat: seat, arbiter: arbiter)
            self.pipeline = FeedPipeline(books: self.feed, maximumMessageSize: 1 << 20)
            self.pipeline.delegate = self
        }

        func receive(_ payload: [UInt8], at now: ReceiveTime) {
            if self.feed.hasHeld {
                self.feed.begin(at: now)
                self.feed.releaseHeld(before: now.monotonic.advanced(by: .milliseconds(-25)))
            }
            var bytes = frame(1, payload)
            bytes.withUnsafeMutableBytes { self.pipeline.receive($0, at: now) }
        }

        func traded(_ trade: Trade, in slot: MarketSlot) { self.traded(trade, slot, self.seat) }
        func marketChanged(_ slot: MarketSlot, valuesChanged: Bool, previousTrust: Trust?) {}
        func snapshotArrived(_ asset: AssetID) {}
        func resyncNeeded(_ asset: AssetID, reason: SuspectReason) {}
        func marketResolved(_ market: MarketID, winner: AssetID?, at time: Timestamp?) {}
        func entryApplied(
            _ asset: AssetID, eventType: StaticString, at time: Timestamp, bestBid: Price?, bestAsk: Price?
        ) {}
        func pongReceived() {}
        func frameMalformed(_ fault: FrameFault, prefix: [UInt8]) { Issue.record("malformed: \(fault)") }
        func venueSaid(_ text: String) {}
    }

    @Test(.enabled(if: Captures.has(CaptureTests.hockey), CaptureTests.advice))
    func theRecordedGame() throws {
        let board = OddsBoard()
        let arbiter = FeedArbiter(board: board)
        let lines = (0...1).map { Line($0, board: board, arbiter: arbiter) }
        var meters: [MarketID: MicrostructureMeter] = [:]
        var passed: (count: Int, volume: Int64) = (0, 0)
        var told: (count: Int, volume: Int64) = (0, 0)
        var now = self.time(0)
        for line in lines {
            line.traded = { trade, slot, seat in
                let isNew = meters[trade.market, default: MicrostructureMeter()].admit(
                    trade, from: seat, shown: slot.read(), at: now.monotonic)
                guard isNew else { return }
                passed.count += 1
                passed.volume += trade.size.rawValue
            }
        }
        let decoder = TestDecoder()
        var nextSample: Int64 = 0
        var samples: [Microstructure] = []
        var number = 0
        var isUp = true
        try Captures.frames(CaptureTests.hockey) { frame in
            number += 1
            var assets: [AssetID] = []
            for event in decoder.decode(frame.bytes).events {
                if case .trade(_, _, _, .some(let size), _, _, _, _) = event {
                    told.count += 1
                    told.volume += size.rawValue
                }
                if case .book(_, let asset, _, _, _, _, _, _) = event { assets.append(AssetID(asset)) }
            }
            if number == 1 { for line in lines { line.feed.add(bare: assets) } }
            now = self.time(max(frame.time, now.wall.milliseconds))
            // The second line misses every other stretch of 500 frames.
            if number > 1, number % 500 == 0 {
                isUp.toggle()
                if !isUp { lines[1].feed.connectionLost(reason: .disconnected) }
            }
            lines[0].receive(frame.bytes, at: now)
            if isUp { lines[1].receive(frame.bytes, at: now) }
            guard now.wall.milliseconds >= nextSample else { return }
            nextSample = now.wall.milliseconds + 250
            var books: [MarketID: MicrostructureMeter.Books] = [:]
            for line in lines {
                line.feed.eachFigures(ticks: 5) { if let found = $0.books { books[$0.slot.market.id] = found } }
            }
            for id in books.keys {
                guard let shown = board.currentOdds(id) else { continue }
                samples.append(
                    meters[id, default: MicrostructureMeter()].sample(shown, books: books[id], at: now))
            }
        }
        #expect(told.count == 277 && passed == told)
        #expect(samples.count > 10_000)
        var flows = 0
        var volatilities: [Double] = []
        for sample in samples {
            #expect(sample.epoch == samples[0].epoch, "one line was always there")
            if let microprice = sample.yes?.microprice, let bid = sample.yes?.bid, let ask = sample.yes?.ask {
                #expect(microprice >= bid.price.odds && microprice <= ask.price.odds)
            }
            for book in [sample.yes, sample.no] {
                for imbalance in [book?.topImbalance, book?.imbalance] {
                    #expect(imbalance.map { (-1...1).contains($0) } ?? true)
                }
            }
            if let yes = sample.yes?.midpoint, let no = sample.no?.midpoint, sample.trust == .live {
                #expect(yes == no.complement)
            }
            if let short = sample.shortFlow, let long = sample.longFlow {
                flows += short.trades
                #expect(short.trades <= long.trades && short.volume <= long.volume)
            }
            if let volatility = sample.volatility { volatilities.append(volatility) }
        }
        let median = try #require(volatilities.sorted().dropFirst(volatilities.count / 2).first)
        let highest = try #require(volatilities.max())
        print(
            "\(CaptureTests.hockey): \(passed.count) trades, \(Double(passed.volume) / 1e6) shares; volatility median",
            "\(median), highest \(highest) dollars per square root of a minute; \(samples.count) samples")
        #expect(flows > 1000)
        #expect(highest > 0.005 && highest < 1 && median < highest)
    }
}
