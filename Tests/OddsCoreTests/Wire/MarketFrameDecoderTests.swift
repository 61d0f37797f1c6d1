import OddsCore
import OddsTestSupport
import Testing

/// What every event means, in current and older forms.
@Suite struct MarketFrameDecoderTests {
    private let market = WireFixtures.market.rawValue
    private let up = WireFixtures.up.rawValue
    private let down = WireFixtures.down.rawValue
    private let time = WireFixtures.time.milliseconds
    private let hash = "0123456789abcdef0123456789abcdef01234567"
    private let otherHash = "fedcba9876543210fedcba9876543210fedcba98"
    private let bids: Set<Level> = [
        Level(price: 0.01, size: 1500), Level(price: 0.4, size: 12.5), Level(price: 0.48, size: 30),
    ]
    private let asks: Set<Level> = [
        Level(price: 0.99, size: 1000.25), Level(price: 0.6, size: 7), Level(price: 0.52, size: 25),
    ]

    private func fixture(_ name: String) throws -> [RecordedEvent] {
        let decoded = TestDecoder().decode(try WireFixtures.bytes(name))
        #expect(decoded.fault == nil)
        return decoded.events
    }

    private var book: RecordedEvent {
        .book(
            market: self.market, asset: self.up, time: self.time, hash: self.hash, tick: 0.01, last: 0.48,
            bids: self.bids, asks: self.asks)
    }

    @Test func aBookIsRead() throws { #expect(try self.fixture("ws_book.json") == [self.book]) }

    @Test func aDumpIsAnArrayOfBooks() throws {
        let events = try self.fixture("ws_book_dump.json")
        #expect(events.count == 2)
        #expect(events.first == self.book)
        guard case .book(_, let asset, _, _, _, _, let bids, let asks) = events.last else {
            Issue.record("the second event is no book")
            return
        }
        #expect(asset == self.down)
        #expect(bids.count == 3 && asks.count == 3)
    }

    @Test func anEmptyBookIsABook() throws {
        #expect(
            try self.fixture("ws_book_empty.json") == [
                .book(
                    market: self.market, asset: self.up, time: self.time, hash: nil, tick: 0.01, last: nil, bids: [],
                    asks: [])
            ])
    }

    @Test func aTradeDrivenBookMayLackTickSizeAndLastTrade() throws {
        #expect(
            try self.fixture("ws_book_trade.json") == [
                .book(
                    market: self.market, asset: self.up, time: self.time, hash: self.hash, tick: nil, last: nil,
                    bids: self.bids, asks: [Level(price: 0.99, size: 1000.25)])
            ])
    }

    @Test(arguments: ["ws_book_buys_sells.json", "ws_book_pairs.json"])
    func olderAndOtherBooksAreRead(name: String) throws {
        let hash = name.contains("pairs") ? nil : self.hash
        #expect(
            try self.fixture(name) == [
                .book(
                    market: self.market, asset: self.up, time: self.time, hash: hash, tick: nil, last: nil,
                    bids: self.bids, asks: self.asks)
            ])
    }

    @Test func levelsMayBeListedInAnyOrder() throws {
        var generator = SplitMix64(seed: 3)
        let levels = [#"{"price":"0.01","size":"1500"}"#, #"{"size":"12.5","price":"0.4"}"#, #"["0.48","30"]"#]
        for _ in 0..<10 {
            let bids = levels.shuffled(using: &generator).joined(separator: " , ")
            let decoded = decode(#"{"event_type":"book","asset_id":"1","timestamp":"2","bids":[\#(bids)],"asks":[]}"#)
            #expect(
                decoded.events == [
                    .book(
                        market: nil, asset: "1", time: 2, hash: nil, tick: nil, last: nil, bids: self.bids, asks: [])
                ])
        }
    }

    @Test func aPriceChangeHasAnEntryPerToken() throws {
        #expect(
            try self.fixture("ws_price_change.json") == [
                .changes(
                    market: self.market, time: self.time,
                    [
                        .init(
                            asset: self.up, price: 0.37, size: 2525, side: .bids, hash: self.hash, bestBid: 0.48,
                            bestAsk: 0.52),
                        .init(
                            asset: self.down, price: 0.63, size: 2525, side: .asks, hash: self.otherHash, bestBid: 0.48,
                            bestAsk: 0.52),
                    ])
            ])
    }

    @Test func standInsForAnAbsentSideAreKeptAsTheyStand() throws {
        #expect(
            try self.fixture("ws_price_change_sentinels.json") == [
                .changes(
                    market: self.market, time: self.time,
                    [
                        .init(
                            asset: self.up, price: 0.48, size: 0, side: .bids, hash: self.hash, bestBid: .zero,
                            bestAsk: .one),
                        .init(
                            asset: self.down, price: 0.52, size: 0, side: .asks, hash: nil, bestBid: nil, bestAsk: nil),
                    ])
            ])
        #expect(
            try self.fixture("ws_best_bid_ask_empty.json") == [
                .best(market: self.market, asset: self.up, bid: .zero, ask: .zero, time: self.time)
            ])
    }

    @Test func theOlderChangesNameTheirTokenOnce() throws {
        #expect(
            try self.fixture("ws_price_change_changes.json") == [
                .changes(
                    market: self.market, time: self.time,
                    [
                        .init(asset: self.up, price: 0.4, size: 35, side: .asks, hash: self.hash),
                        .init(asset: self.up, price: 0.39, size: 0, side: .bids, hash: self.hash),
                    ])
            ])
    }

    @Test func theOldestChangeStandsFlatOnTheEvent() throws {
        #expect(
            try self.fixture("ws_price_change_flat.json") == [
                .changes(
                    market: self.market, time: self.time,
                    [.init(asset: self.up, price: 0.51, size: 119.5, side: .asks, hash: self.hash)])
            ])
    }

    @Test func aPriceChangeMayHaveAnyNumberOfEntries() {
        for count in [0, 1, 3, 100] {
            let entry = #"{"asset_id":"7","price":"0.5","size":"1","side":"BUY"}"#
            let list = Array(repeating: entry, count: count).joined(separator: ",")
            let decoded = decode(#"{"event_type":"price_change","timestamp":"1","price_changes":[\#(list)]}"#)
            let change = RecordedEvent.Change(asset: "7", price: 0.5, size: 1, side: .bids)
            #expect(decoded.events == [.changes(market: nil, time: 1, Array(repeating: change, count: count))])
        }
    }

    @Test func aTradeIsRead() throws {
        #expect(
            try self.fixture("ws_last_trade_price.json") == [
                .trade(
                    market: self.market, asset: self.up, price: 0.52, size: 3.141592, side: .bids, fee: 1000,
                    time: self.time, transaction: "0x" + String(repeating: "c4", count: 32))
            ])
        #expect(
            try self.fixture("ws_last_trade_price_old.json") == [
                .trade(
                    market: self.market, asset: self.up, price: 0.456, size: nil, side: .asks, fee: nil,
                    time: self.time,
                    transaction: nil)
            ])
    }

    @Test func theOtherEventsAreRead() throws {
        #expect(
            try self.fixture("ws_tick_size_change.json") == [
                .tick(market: self.market, asset: self.up, old: 0.01, new: 0.001, time: self.time)
            ])
        #expect(
            try self.fixture("ws_best_bid_ask.json") == [
                .best(market: self.market, asset: self.up, bid: 0.48, ask: 0.52, time: self.time)
            ])
        #expect(
            try self.fixture("ws_market_resolved.json") == [
                .resolved(market: self.market, asset: self.down, outcome: "Down", time: self.time)
            ])
    }

    @Test func anAnnouncementIsReadWithItsEscapes() throws {
        #expect(
            try self.fixture("ws_new_market.json") == [
                .newMarket(
                    market: self.market, slug: "btc-updown-15m-1790001000",
                    question: "Will it say \"Up\" \u{2013} or down?", assets: [self.up, self.down],
                    outcomes: ["Up", "Down"], time: self.time)
            ])
    }

    @Test func anAnnouncementMayNameItsMarketOnlyAsCondition() {
        #expect(
            decode(#"{"event_type":"new_market","condition_id":"0x1"}"#).events == [
                .newMarket(market: "0x1", slug: nil, question: nil, assets: [], outcomes: [], time: nil)
            ])
        let twice = decode(
            #"[{"event_type":"new_market","market":"1","assets_ids":["a","b"],"outcomes":["x","y"]},{"event_type":"new_market","market":"2"}]"#
        )
        #expect(
            twice.events.last
                == .newMarket(market: "2", slug: nil, question: nil, assets: [], outcomes: [], time: nil))
    }

    @Test func anArrayMayMixEvents() throws {
        let events = try self.fixture("ws_mixed.json")
        #expect(events.count == 2)
        guard case .changes? = events.first, case .trade? = events.last else {
            Issue.record("\(events)")
            return
        }
    }

    @Test func anEmptyArrayIsNothing() throws { #expect(try self.fixture("ws_empty_array.json").isEmpty) }

    @Test(arguments: ["PONG", "INVALID OPERATION", "NO NEW ASSETS", "too many {\"requests\"}"])
    func wordsArePassedOn(text: String) { #expect(decode(text) == Decoded(events: [.text(text)], unknownFields: 0)) }

    // MARK: What is not known

    @Test func unknownEventsArePassedOnWhateverTheirFieldsHold() throws {
        let decoded = TestDecoder().decode(try WireFixtures.bytes("ws_unknown.json"))
        #expect(decoded.fault == nil)
        #expect(decoded.events == [.unknown(type: "tea_time", error: nil)])
        for value in [
            "5", "null", "\"x\"", "{}", "{\"a\":[]}", "[1]", "[{}]", "[{\"price\":\"x\"}]", "[[]]", "[[1,2,3]]",
        ] {
            for key in ["bids", "asks", "changes", "price_changes", "assets_ids", "outcomes", "price", "timestamp"] {
                let decoded = decode(#"{"\#(key)":\#(value),"event_type":"new_thing"}"#)
                #expect(decoded.events == [.unknown(type: "new_thing", error: nil)], "\(key) \(value)")
                #expect(decoded.fault == nil, "\(key) \(value)")
            }
        }
    }

    @Test func listsOfTheWrongShapeAreStillFaultsWhereTheyMatter() {
        for value in ["5", "null", "\"x\"", "{}", "[1]", "[{}]", "[{\"price\":\"0.5\"}]", "[[]]", "[[0.5,1,3]]"] {
            let book = decode(
                #"{"event_type":"book","asset_id":"1","timestamp":"2","bids":\#(value),"asks":[]}"#)
            #expect(book.events.isEmpty && book.fault != nil, "\(value)")
            let change = decode(
                #"{"event_type":"price_change","asset_id":"1","timestamp":"2","price_changes":\#(value)}"#)
            #expect(change.events.isEmpty && change.fault != nil, "\(value)")
        }
    }

    @Test func errorsArePassedOn() throws {
        #expect(
            try self.fixture("ws_error.json") == [.unknown(type: nil, error: "too many \"assets\"")])
        #expect(decode("{}").events == [.unknown(type: nil, error: nil)])
    }

    @Test func unknownFieldsAreCountedAndSkipped() throws {
        let plain = String(decoding: try WireFixtures.bytes("ws_book.json"), as: UTF8.self)
        #expect(decode(plain).unknownFields == 0)
        let more = plain.replacing("{\"market\"", with: #"{"zzz":{"a":[1,{"b":"}]"}],"c":null},"y":[[]],"market""#)
        let decoded = decode(more)
        #expect(decoded.unknownFields == 2)
        #expect(decoded.events == [self.book])
        let entry = decode(
            #"{"event_type":"price_change","timestamp":"1","price_changes":[{"asset_id":"7","price":"0.5","size":"1","side":"BUY","what":{}}]}"#
        )
        #expect(entry.unknownFields == 1)
        #expect(entry.events.count == 1)
    }

    @Test func fixturesHaveNoUnknownFields() throws {
        for name in try WireFixtures.names() where name != "ws_unknown.json" && name != "ws_error.json" {
            #expect(TestDecoder().decode(try WireFixtures.bytes(name)).unknownFields == 0, "\(name)")
        }
    }

    // MARK: Spelling

    @Test func nullsAreAbsent() {
        let change = #"{"asset_id":null,"hash":null,"price":"0.5","size":"1","side":"BUY","best_bid":null}"#
        let decoded = decode(
            #"{"event_type":"price_change","market":null,"hash":null,"asset_id":"7","timestamp":"1","changes":[\#(change)]}"#
        )
        #expect(
            decoded.events == [
                .changes(market: nil, time: 1, [.init(asset: "7", price: 0.5, size: 1, side: .bids)])
            ])
        #expect(decode(#"{"event_type":null,"error":null}"#).events == [.unknown(type: nil, error: nil)])
        #expect(
            decode(#"{"event_type":"market_resolved","market":"1","winning_asset_id":null,"timestamp":null}"#).events
                == [.resolved(market: "1", asset: nil, outcome: nil, time: nil)])
    }

    @Test(arguments: [
        ("", false), (#","last_trade_price":null"#, false), (#","last_trade_price":"""#, true),
        (#","last_trade_price":"0.420""#, true),
    ])
    func noTradeAndNothingSaidAboutTradesAreTwoThings(_ field: String, _ tells: Bool) throws {
        struct Reader: MarketEventHandler {
            var tells: [Bool] = []
            mutating func book(_ event: WireBook) { self.tells.append(event.tellsLastTrade) }
            func priceChanges(
                market: WireText?, timestamp: Timestamp, entries: UnsafeBufferPointer<WirePriceChange>
            ) {}
            func trade(_ event: WireTrade) {}
            func tickSizeChange(_ event: WireTickSizeChange) {}
            func bestBidAsk(_ event: WireBestBidAsk) {}
            func newMarket(_ event: WireNewMarket) {}
            func marketResolved(_ event: WireMarketResolved) {}
            func plainText(_ text: WireText) {}
            func unknownEvent(type: WireText?, error: WireText?) {}
        }
        let frame = #"{"event_type":"book","asset_id":"1","timestamp":"1","bids":[],"asks":[]\#(field)}"#
        var reader = Reader()
        var decoder = MarketFrameDecoder()
        try Array(frame.utf8).withUnsafeBytes { try decoder.decode($0, into: &reader) }
        #expect(reader.tells == [tells])
    }

    @Test func numbersMayBeNumbers() {
        let decoded = decode(
            #"{"event_type":"price_change","timestamp":17,"price_changes":[{"asset_id":"7","price":0.5,"size":10,"side":"SELL","best_bid":0,"best_ask":0.501}]}"#
        )
        #expect(
            decoded.events == [
                .changes(
                    market: nil, time: 17,
                    [.init(asset: "7", price: 0.5, size: 10, side: .asks, bestBid: .zero, bestAsk: 0.501)])
            ])
    }

    @Test func theOrderOfKeysDoesNotMatter() {
        let members = [
            #""event_type":"price_change""#, #""timestamp":"17""#, #""market":"0x1""#, #""future":[1]"#,
            #""price_changes":[{"asset_id":"7","price":"0.5","size":"1","side":"BUY","hash":"h"}]"#,
        ]
        let expected: [RecordedEvent] = [
            .changes(market: "0x1", time: 17, [.init(asset: "7", price: 0.5, size: 1, side: .bids, hash: "h")])
        ]
        for order in permutations(members) {
            #expect(decode("{" + order.joined(separator: ",") + "}").events == expected)
        }
        let entry = [
            #""asset_id":"7""#, #""price":"0.5""#, #""size":"1""#, #""side":"BUY""#, #""hash":"h""#, #""best_bid":"""#,
        ]
        for order in permutations(entry) {
            let list = order.joined(separator: ",")
            #expect(
                decode(
                    #"{"price_changes":[{\#(list)}],"market":"0x1","timestamp":"17","event_type":"price_change"}"#
                ).events == expected)
        }
    }

    @Test func spacingDoesNotMatter() throws {
        for name in try WireFixtures.names() where name.hasSuffix(".json") {
            let bytes = try WireFixtures.bytes(name)
            let expected = TestDecoder().decode(bytes)
            for space in ["", " ", "\n", "\r\n\t "] {
                var spaced = Array(space.utf8)
                var inString = false
                var escaped = false
                for byte in bytes {
                    if !inString, byte == UInt8(ascii: " ") { continue }
                    let isMark = !inString && "{}[]:,".utf8.contains(byte)
                    if isMark { spaced += space.utf8 }
                    spaced.append(byte)
                    if isMark { spaced += space.utf8 }
                    if escaped {
                        escaped = false
                    } else if byte == 0x5C {
                        escaped = true
                    } else if byte == 0x22 {
                        inString.toggle()
                    }
                }
                #expect(TestDecoder().decode(spaced) == expected, "\(name)")
            }
        }
    }

    @Test func escapesAreResolvedWhereTextIsCopied() {
        let cases: [(String, String)] = [
            (#"a\"b\\c\/d"#, "a\"b\\c/d"), (#"\n\t\r\b\f"#, "\n\t\r\u{8}\u{c}"), (#"\u00e9\u20AC"#, "é€"),
            (#"\ud83d\ude00"#, "😀"), (#"\ud83d"#, "\u{FFFD}"), (#"\ud83dx"#, "\u{FFFD}x"), (#"\ude00"#, "\u{FFFD}"),
            ("é€😀", "é€😀"), (#"\\u0041"#, #"\u0041"#),
        ]
        for (written, meant) in cases {
            let decoded = decode(#"{"event_type":"new_market","market":"1","question":"\#(written)"}"#)
            #expect(
                decoded.events == [
                    .newMarket(market: "1", slug: nil, question: meant, assets: [], outcomes: [], time: nil)
                ], "\(written)")
        }
        #expect(decode(#"{"event_type":"new_market","market":"1","question":"\uZZZZ"}"#).fault == nil)
    }
}

/// All orders of a few things.
func permutations<Element>(_ items: [Element]) -> [[Element]] {
    guard items.count > 1 else { return [items] }
    return items.indices.flatMap { index in
        var rest = items
        let first = rest.remove(at: index)
        return permutations(rest).map { [first] + $0 }
    }
}
