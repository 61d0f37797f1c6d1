import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import OddsCore
import OddsTestSupport
import Testing

@testable import PolymarketSimulator

/// Rows in memory.
struct RowTape: FeedTape {
    var rows: [FeedTapeRow]
    var name: String { "rows" }

    func open() throws -> any FeedTapeReader { Reader(self.rows) }

    private final class Reader: FeedTapeReader {
        private var rows: ArraySlice<FeedTapeRow>
        init(_ rows: [FeedTapeRow]) { self.rows = rows[...] }
        func next() -> FeedTapeRow? { self.rows.popFirst() }
        var problems: [String] { self.rows.isEmpty ? ["the last row is cut"] : [] }
    }
}

@Suite(.timeLimit(.minutes(5))) struct TapeTests {
    private static let hash = String(repeating: "ab", count: 20)

    private static func book(
        _ asset: String = "11", bid: String = "0.50", ask: String = "0.52", at time: Int = 1_000, hash: String = ""
    ) -> String {
        #"[{"market":"0x01","asset_id":"\#(asset)","timestamp":"\#(time)","hash":"\#(hash)","#
            + #""bids":[{"price":"\#(bid)","size":"10"}],"asks":[{"price":"\#(ask)","size":"20"}],"#
            + #""tick_size":"0.01","event_type":"book","last_trade_price":""}]"#
    }

    private static func change(
        _ asset: String = "11", price: String, size: String, side: String = "BUY", at time: Int, hash: String = ""
    ) -> String {
        #"{"market":"0x01", "price_changes":[{"asset_id":"\#(asset)", "price":"\#(price)", "size":"\#(size)", "#
            + #""side":"\#(side)", "hash":"\#(hash)"}], "timestamp":"\#(time)", "event_type":"price_change"}"#
    }

    private static func message(_ milliseconds: Int64, _ text: String, line: Int = 0, connection: Int = 0)
        -> FeedTapeRow
    {
        FeedTapeRow(
            time: milliseconds * 1_000_000, content: .message(Array(text.utf8), on: .line(line), connection: connection)
        )
    }

    private static func closed(_ milliseconds: Int64, connection: Int) -> FeedTapeRow {
        FeedTapeRow(
            time: milliseconds * 1_000_000,
            content: .connection(
                .closed(reason: "gone", byUs: false, retryAfter: nil), on: .line(connection), connection: connection))
    }

    private static func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    private static func texts(_ frames: [TapeStage.Frame]) -> [String] {
        frames.map {
            switch $0 {
            case .market(let bytes, _), .reference(let bytes): String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    // MARK: The stage

    @Test func timeBeginsWithTheFirstSubscriptionAndRunsAtTheSpeedAsked() throws {
        let frames = [Self.book(), Self.change(price: "0.51", size: "5", at: 1_001), Self.book(at: 2_000)]
        let stage = try TapeStage(
            RowTape(rows: [
                Self.message(1_000, frames[0]), Self.message(1_000, frames[1]), Self.message(2_000, frames[2]),
                Self.message(9_000, frames[1]),
            ]), speed: 2)
        #expect(stage.advance(to: Self.at(5_000)).isEmpty)
        stage.subscribed(now: Self.at(5_000))
        #expect(Self.texts(stage.advance(to: Self.at(5_000))) == Array(frames[0...1]))
        #expect(stage.advance(to: Self.at(5_499)).isEmpty && stage.time == 1_998_000_000)
        #expect(Self.texts(stage.advance(to: Self.at(5_500))) == [frames[2]])
        #expect(!stage.isAtEnd)
        #expect(stage.advance(to: Self.at(9_000)).count == 1)
        #expect(stage.isAtEnd && stage.advance(to: Self.at(99_000)).isEmpty && stage.time == 9_000_000_000)
        #expect(stage.problems == ["the last row is cut"])
    }

    @Test func aTapeWithoutFramesIsRefused() {
        for rows in [[], [Self.closed(1, connection: 0)]] {
            #expect { _ = try TapeStage(RowTape(rows: rows), speed: 1) } throws: {
                ($0 as? SimulatorError)?.code == .tape
            }
        }
    }

    /// Two recorded lines bring the same; one is served, and the other takes over without a break.
    @Test func oneLineIsServedAndTheNextTakesOver() throws {
        let first = Self.change(price: "0.51", size: "5", at: 1_100)
        let second = Self.change(price: "0.49", size: "7", at: 1_200)
        let third = Self.change(price: "0.48", size: "9", at: 1_300)
        let news = #"{"event_type":"new_market","market":"0x02"}"#
        let stage = try TapeStage(
            RowTape(rows: [
                Self.message(1_000, Self.book(), connection: 0),
                Self.message(1_001, Self.book(), line: 1, connection: 1),
                Self.message(1_002, "PONG", connection: 0), Self.message(1_003, "[]", connection: 0),
                Self.message(1_010, news, connection: 0), Self.message(1_011, news, line: 1, connection: 1),
                Self.message(1_100, first, connection: 0), Self.message(1_101, first, line: 1, connection: 1),
                // The first line does not hear of this any more.
                Self.message(1_201, second, line: 1, connection: 1), Self.closed(1_250, connection: 0),
                Self.message(1_301, third, line: 1, connection: 1), Self.closed(1_400, connection: 1),
            ]), speed: .infinity)
        stage.subscribed(now: Self.at(0))
        let texts = Self.texts(stage.advance(to: Self.at(0)))
        #expect(texts.count == 5)
        #expect(Array(texts.prefix(3)) == [Self.book(), news, first] && texts.last == third)
        // What the first line missed comes as a book.
        #expect(texts[3].contains(#""event_type":"book""#) && texts[3].contains(#"{"price":"0.49","size":"7"}"#))
        // Nobody is connected any more: the last book stays.
        let book = try #require(stage.book(of: "11"))
        #expect(book.bids.map(\.price) == [0.48, 0.49, 0.50, 0.51] && stage.isAtEnd)
    }

    @Test func aSecondConnectionWithTheSameBookTakesOverWithoutAWord() throws {
        let stage = try TapeStage(
            RowTape(rows: [
                Self.message(1_000, Self.book(), connection: 0),
                Self.message(1_001, Self.book(), line: 1, connection: 1),
                Self.closed(1_250, connection: 0),
                FeedTapeRow(time: 2_000_000_000, content: .run),
                Self.message(3_000, Self.book(bid: "0.40"), connection: 7),
            ]), speed: .infinity)
        stage.subscribed(now: Self.at(0))
        #expect(Self.texts(stage.advance(to: Self.at(0))) == [Self.book(), Self.book(bid: "0.40")])
        #expect(stage.book(of: "11")?.bestBid == 0.40)
    }

    /// The hash is the venue's as long as it is known, and none afterwards.
    @Test func aBookIsToldWithTheHashOfItsStateOrNone() throws {
        func text(_ more: [String]) throws -> String {
            let rows = [Self.book(hash: String(repeating: "0", count: 40))] + more
            let stage = try TapeStage(RowTape(rows: rows.map { Self.message(1_000, $0) }), speed: .infinity)
            stage.subscribed(now: Self.at(0))
            _ = stage.advance(to: Self.at(0))
            let book = try #require(stage.book(of: "11"))
            return String(decoding: stage.text(of: book, rest: false), as: UTF8.self)
        }
        let trade =
            #"{"market":"0x01","asset_id":"12","price":"0.51","size":"5","side":"BUY","timestamp":"1050","event_type":"last_trade_price"}"#
        #expect(try text([]).contains(#""hash":"0000"#))
        let changed = try text([Self.change(price: "0.51", size: "5", at: 1_100, hash: Self.hash)])
        #expect(changed.contains(#""timestamp":"1100","hash":"\#(Self.hash)""#))
        let unsaid = try text([Self.change(price: "0.51", size: "5", at: 1_100)])
        #expect(unsaid.contains(#""hash":"""#))
        // Both tokens' hashes hold the market's last trade.
        #expect(try text([trade]).contains(#""hash":"""#) && text([trade]).contains(#""last_trade_price":"0.51"#))
    }

    // MARK: Over the protocol

    private static let sample = Market(
        id: "0x01", slug: "btc-updown-15m-1800000000",
        window: MarketWindow(start: Timestamp(seconds: 1_800_000_000), end: Timestamp(seconds: 1_800_000_900)),
        yes: Outcome(label: "Up", asset: "11"), no: Outcome(label: "Down", asset: "12"), tickSize: 0.01)

    private func get(_ url: String) async throws -> (status: UInt, body: String) {
        let answer = try await HTTPClient.shared.get(url: url).get()
        return (answer.status.code, answer.body.map { String(buffer: $0) } ?? "")
    }

    @Test func whoComesLateGetsWholeBooksAndRESTTellsTheSame() async throws {
        let change = Self.change(price: "0.51", size: "5", at: 1_100, hash: Self.hash)
        let recorded = #"[{"slug":"recorded"}]"#
        let asked = ReceiveTime(monotonic: Self.at(0), unixNanoseconds: 0)
        let tape = RowTape(rows: [
            FeedTapeRow(time: 0, content: .command(.follow(Self.sample))),
            FeedTapeRow(
                time: 1,
                content: .answer(
                    RESTExchange(
                        service: .gamma, path: "/markets?slug=recorded", asked: asked, status: 200,
                        body: Array(recorded.utf8)))),
            Self.message(1_000, Self.book()), Self.message(1_100, change),
            FeedTapeRow(
                time: 1_200_000_000,
                content: .message(Array(#"{"topic":"crypto_prices"}"#.utf8), on: .reference, connection: 3)),
            FeedTapeRow(
                time: 1_300_000_000,
                content: .command(
                    .resolved(
                        Resolution(market: Self.sample, winner: .no, exchangeTime: Timestamp(seconds: 2))))),
        ])
        try await SimulatorHarness.with {
            $0.tape = .init(tape, speed: 1)
        } _: { harness in
            let gamma = harness.endpoints.gammaREST
            let clob = harness.endpoints.clobREST
            // Markets are known before the first frame.
            let open = try await self.get("\(gamma)/markets?slug=\(Self.sample.slug)")
            #expect(open.body.contains(#""conditionId":"0x01""#) && open.body.contains(#""closed":false"#))
            #expect(try await self.get("\(gamma)/markets?slug=recorded").body == recorded)
            #expect(try await self.get("\(gamma)/markets?slug=nobody").body == "[]")
            #expect(try await self.get("\(clob)/book?token_id=11").status == 404)

            let prices = try await TestSocket.connect(to: harness.endpoints.rtdsWebSocket, path: "/")
            try await prices.journal.wait(for: .status(101))
            prices.send(
                #"{"action":"subscribe","subscriptions":[{"topic":"crypto_prices","type":"*","filters":""}]}"#)
            try await prices.settle()
            let early = try await harness.connect()
            early.send(#"{"type":"market","assets_ids":["11"]}"#)
            try await early.settle()
            try await harness.pass(.milliseconds(50))
            #expect(try await self.get("\(clob)/midpoint?token_id=11").body == #"{"mid":"0.51"}"#)
            try await harness.pass(.milliseconds(100))
            let late = try await harness.connect()
            late.send(#"{"type":"market","assets_ids":["11","99"]}"#)
            try await late.settle()
            let dump = try #require(late.texts.first { $0.hasPrefix("[") })
            #expect(dump.contains(#"{"price":"0.51","size":"5"}"#) && dump.contains(Self.hash))
            try await early.settle()
            #expect(early.texts.filter { $0 != "PONG" } == [Self.book(), change])
            let book = try await self.get("\(clob)/book?token_id=11")
            #expect(book.status == 200 && book.body.contains(Self.hash) && book.body.contains(#""neg_risk":false"#))
            #expect(try await self.get("\(clob)/price?token_id=11&side=BUY").body == #"{"price":"0.52"}"#)
            #expect(try await self.get("\(clob)/time").body == "1")

            try await harness.pass(.seconds(10))
            try await prices.settle()
            #expect(prices.texts.contains(#"{"topic":"crypto_prices"}"#))
            #expect(harness.simulator.counters.hasTapeEnded)
            let closed = try await self.get("\(gamma)/markets?slug=\(Self.sample.slug)")
            #expect(closed.body.contains(#""closed":true"#) && closed.body.contains(#"[\"0\", \"1\"]"#))
            // The tape is over and its last books are served on.
            #expect(try await self.get("\(clob)/book?token_id=11").body == book.body)
        }
    }

    @Test func aTapeThatCannotBeReadSaysSo() async throws {
        struct Nothing: FeedTape {
            struct Missing: Error {}
            var name: String { "nothing" }
            func open() throws -> any FeedTapeReader { throw Missing() }
        }
        await #expect {
            try await SimulatorHarness.with({ $0.tape = .init(Nothing()) }, { _ in })
        } throws: { ($0 as? SimulatorError)?.code == .tape }
    }
}
