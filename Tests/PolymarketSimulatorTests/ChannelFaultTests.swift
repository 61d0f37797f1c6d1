import OddsCore
import Testing

@testable import PolymarketSimulator

/// Every fault of the market channel, once, in virtual time and without sockets.
@Suite struct ChannelFaultTests {
    private static let lines = [1, 2]

    /// Two connections subscribed to the running market; what came so far is forgotten.
    private func venue(_ change: (inout SimulatorConfiguration) -> Void = { _ in }) throws -> (VirtualVenue, Market) {
        let venue = try VirtualVenue(change)
        let market = try venue.market()
        for line in Self.lines { venue.subscribe(line, to: market, custom: true) }
        venue.pass(.seconds(2))
        venue.forget()
        return (venue, market)
    }

    /// What the second connection gets is what the first would have got.
    private func undisturbed(_ seconds: Int = 3) throws -> [String] {
        let (venue, _) = try self.venue()
        venue.pass(.seconds(seconds))
        return venue.texts(2)
    }

    @Test(arguments: [
        (FaultTarget.all, [1, 2]), (.line(0), [1]), (.line(1), [2]), (.oldest, [1]), (.newest, [2]),
    ])
    func aDropHitsItsTarget(target: FaultTarget, lines: [Int]) throws {
        let (venue, _) = try self.venue()
        #expect(venue.exchange.inject(SimulatorFault.drop.on(target)))
        for line in Self.lines {
            #expect(venue.sent(to: line).map(\.command) == (lines.contains(line) ? [.drop] : []))
        }
    }

    @Test func aFaultForAConnectionThatIsNotThereIsNone() throws {
        let (venue, _) = try self.venue()
        #expect(!venue.exchange.inject(SimulatorFault.drop.on(.line(2))))
        #expect(!venue.exchange.inject(SimulatorFault(.freeze, on: .series("eth-updown-5m"))))
        #expect(!venue.exchange.inject(SimulatorFault(.freeze, on: .slug("btc-updown-30s-1"))))
        #expect(venue.exchange.counters.faults == 0)
        venue.pass(.seconds(1))
        #expect(!venue.texts(1).isEmpty)
    }

    @Test func aCloseHasACodeAndAReason() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.close(code: 1012, reason: "restart"), on: .line(1)))
        #expect(venue.sent(to: 2).map(\.command) == [.close(code: 1012, reason: "restart")])
        #expect(venue.sent(to: 1).isEmpty)
    }

    @Test func aRefusalEndsByItselfOrByRecover() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(.refuse(.status(429), for: .seconds(2)))
        #expect(venue.exchange.refusal() == .status(429))
        #expect(venue.clob("/ws/market").status == 429)
        venue.pass(.seconds(2))
        #expect(venue.exchange.refusal() == nil)
        venue.exchange.inject(.refuse(.reset, for: nil))
        #expect(!venue.open(3))
        venue.exchange.inject(.recover)
        #expect(venue.open(3))
    }

    @Test func aFreezeOfAllMutesDataOnNewConnectionsToo() throws {
        let (venue, market) = try self.venue()
        venue.exchange.inject(.freeze(for: .seconds(3)))
        venue.subscribe(3, to: market)
        venue.pass(.milliseconds(2_900))
        venue.say("PING", on: 1)
        #expect(venue.texts(1) == ["PONG"])
        #expect(venue.texts(2) == [] && venue.texts(3) == [])
        venue.pass(.seconds(1))
        // What was not sent is lost: the books do not come after all.
        #expect(venue.texts(3).contains { $0.contains("price_change") })
        #expect(!venue.texts(3).contains { $0.hasPrefix("[") })
    }

    @Test func aFreezeOfOneLineLeavesTheOtherAlone() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.freeze, on: .line(0)))
        venue.pass(.seconds(3))
        #expect(venue.texts(1).isEmpty)
        #expect(try venue.texts(2) == self.undisturbed())
    }

    @Test func aFreezeOfOneAssetLeavesNothingOfIt() throws {
        let (venue, market) = try self.venue()
        let up = market.yes.asset.rawValue
        let down = try #require(market.no?.asset.rawValue)
        venue.exchange.inject(SimulatorFault(.freeze, on: .current(.up)))
        venue.say(#"{"operation":"unsubscribe","assets_ids":["\#(up)","\#(down)"]}"#, on: 1)
        venue.say(#"{"operation":"subscribe","assets_ids":["\#(up)","\#(down)"]}"#, on: 1)
        venue.pass(.seconds(6))
        let whole = venue.texts(1)
        #expect(whole.first?.hasPrefix("[") == true)
        #expect(!whole.contains { $0.contains(up) && !$0.contains("new_market") })
        let frames = try whole.flatMap { try ReadFrame.read($0.utf8) }
        #expect(Set(frames.map(\.event_type)).isSuperset(of: ["book", "price_change", "best_bid_ask"]))
        #expect(frames.compactMap(\.price_changes).allSatisfy { $0.map(\.asset_id) == [down] })
        // What is left of it is right: the other token's book is the exchange's own.
        var book: RebuiltBook?
        for frame in frames {
            if frame.event_type == "book" { book = try RebuiltBook(frame) }
            for change in frame.price_changes ?? [] { try book?.apply(change) }
        }
        #expect(book?.bid == venue.exchange.truth(market.id)?.down.bid)
        #expect(book?.ask == venue.exchange.truth(market.id)?.down.ask)
    }

    @Test(arguments: [FaultTarget.series("btc-updown-30s"), .slug("btc-updown-30s-1800000000")])
    func aFreezeOfAMarketIsAFreezeOfBothItsTokens(target: FaultTarget) throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.freeze, on: target, for: .seconds(3)))
        venue.pass(.milliseconds(2_900))
        #expect(venue.texts(1).allSatisfy { $0.contains("new_market") })
        venue.pass(.seconds(1))
        #expect(venue.texts(1).contains { $0.contains("price_change") })
    }

    @Test func halfOpenSaysNothingAndHearsNothing() throws {
        let (venue, market) = try self.venue()
        venue.exchange.inject(SimulatorFault(.halfOpen, on: .line(0), for: .seconds(3)))
        venue.say("PING", on: 1)
        venue.pass(.milliseconds(2_900))
        #expect(venue.sent(to: 1).map(\.command) == [.pause])
        let other = venue.texts(2)
        #expect(other.count > 20)
        #expect(try other == Array(self.undisturbed(3).prefix(other.count)))
        // It is not counted among the lines: line 0 is the other one now.
        #expect(venue.exchange.inject(SimulatorFault(.delay(by: .zero), on: .line(0))))
        #expect(!venue.exchange.inject(SimulatorFault.drop.on(.line(1))))
        // A new connection lives.
        venue.subscribe(3, to: market)
        #expect(venue.texts(3).count == 1)
        venue.pass(.seconds(1))
        // What was said into the dark is heard when it heals.
        #expect(venue.sent(to: 1).map(\.command).dropFirst().first == .resume)
        #expect(venue.texts(1).first == "PONG")
        #expect(venue.texts(1).contains { $0.contains("price_change") })
    }

    @Test(arguments: [(FaultTarget.all, 0), (.current(.up), 1)])
    func noSnapshotLeavesBooksOut(target: FaultTarget, books: Int) throws {
        let (venue, market) = try self.venue()
        venue.exchange.inject(SimulatorFault(.noSnapshot, on: target))
        venue.subscribe(3, to: market)
        #expect(try venue.texts(3).flatMap { try ReadFrame.read($0.utf8) }.count == books)
        venue.pass(.seconds(1))
        #expect(venue.texts(3).contains { $0.contains("price_change") && $0.contains(market.yes.asset.rawValue) })
    }

    @Test func aDelayKeepsOrderAndMakesEverythingLate() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.delay(by: .milliseconds(1_500)), on: .line(0), for: .seconds(2)))
        venue.say("PING", on: 1)
        venue.pass(.milliseconds(1_400))
        #expect(venue.sent(to: 1).isEmpty)
        venue.pass(.milliseconds(3_600))
        let late = venue.sent(to: 1).filter { $0.command != .text(Array("PONG".utf8)) }
        let right = venue.sent(to: 2)
        #expect(late.map(\.command) == right.map(\.command))
        let pong = try #require(venue.sent(to: 1).first { $0.command == .text(Array("PONG".utf8)) })
        #expect(pong.time - .seconds(2) >= .milliseconds(1_500) && pong.time - .seconds(2) < .milliseconds(1_560))
        // Behind the end of the fault nothing overtakes what is still late; then all is on time again.
        let delays = zip(late, right).map { $0.time - $1.time }
        #expect(delays.max().map { $0 >= .milliseconds(1_490) && $0 <= .milliseconds(1_560) } == true)
        #expect(delays.last == .zero)
    }

    @Test func recoverBringsWhatWasLateAtOnceAndInOrder() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.delay(by: .seconds(60)), on: .line(0)))
        venue.pass(.seconds(2))
        #expect(venue.sent(to: 1).isEmpty)
        venue.exchange.inject(.recover)
        #expect(venue.texts(1) == venue.texts(2))
        venue.pass(.seconds(1))
        #expect(venue.texts(1) == venue.texts(2))
    }

    @Test func duplicatesComeTwiceAndOthersOnce() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.duplicate(.every), on: .line(0)))
        venue.exchange.inject(SimulatorFault(.duplicate(.share(0.3)), on: .line(1)))
        venue.pass(.seconds(3))
        let right = try self.undisturbed()
        #expect(venue.texts(1) == right.flatMap { [$0, $0] })
        let share = Double(venue.texts(2).count - right.count) / Double(right.count)
        #expect(share > 0.15 && share < 0.45)
    }

    @Test func neighboursChangePlaces() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.reorder(.neighbours, .every), on: .line(0)))
        venue.pass(.seconds(3))
        let right = venue.texts(2)
        let swapped = stride(from: 0, to: right.count - 1, by: 2).flatMap { [right[$0 + 1], right[$0]] }
        #expect(venue.texts(1).prefix(swapped.count) == swapped[...])
    }

    @Test func lateRowsAreOvertaken() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(
            SimulatorFault(.reorder(.late(upTo: .milliseconds(2_900)), .share(0.2)), on: .line(0), for: .seconds(3)))
        venue.pass(.seconds(8))
        let late = venue.texts(1)
        #expect(late != venue.texts(2))
        #expect(late.sorted() == venue.texts(2).sorted())
    }

    @Test func brokenSyntaxIsNoJSON() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.corrupt(.syntax, .next(200)), on: .line(0)))
        venue.pass(.seconds(8))
        let right = venue.texts(2)
        #expect(right.count > 220)
        for (index, text) in venue.texts(1).enumerated() {
            #expect(text.utf8.count == right[index].utf8.count)
            if index < 200 {
                #expect(throws: (any Error).self) { try ReadFrame.read(text.utf8) }
            } else {
                #expect(text == right[index])
            }
        }
    }

    @Test func brokenEncodingIsNoText() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.corrupt(.encoding, .next(1)), on: .line(0)))
        venue.pass(.seconds(1))
        guard case .text(let bytes)? = venue.sent(to: 1).first?.command else {
            Issue.record("no text")
            return
        }
        #expect(String(validating: bytes, as: UTF8.self) == nil)
    }

    @Test func aWrongSizeIsSeenByTheHashAlone() throws {
        let (venue, market) = try self.venue()
        venue.exchange.inject(SimulatorFault(.corrupt(.size, .every), on: .line(0)))
        venue.subscribe(3, to: market)
        venue.pass(.seconds(4))
        let (wrong, right) = (venue.texts(1), venue.texts(2))
        #expect(wrong.count == right.count)
        var changed = 0
        for (wrong, right) in zip(wrong, right) where wrong != right {
            changed += 1
            let differing = zip(wrong.utf8, right.utf8).count { $0 != $1 }
            #expect(differing == 1 && wrong.utf8.count == right.utf8.count)
            for frame in try ReadFrame.read(wrong.utf8) where frame.event_type == "book" {
                let asset = try #require(frame.asset_id)
                let hash = try RebuiltBook(frame).hash(market: frame.market, asset: asset, timestamp: frame.timestamp)
                #expect(hash != frame.hash)
            }
        }
        #expect(changed > 50)
    }

    @Test func theNextFrameIsCutAndNoMore() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(.malformedFrame)
        venue.pass(.seconds(1))
        for line in Self.lines {
            let texts = venue.texts(line)
            #expect(throws: (any Error).self) { try ReadFrame.read(texts[0].utf8) }
            for text in texts.dropFirst() { #expect(try !ReadFrame.read(text.utf8).isEmpty) }
        }
    }

    @Test func aCutEndsTheConnectionInTheMiddleOfAFrame() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.cut, on: .line(0)))
        venue.pass(.seconds(1))
        let sent = venue.sent(to: 1).map(\.command)
        #expect(sent.count == 1)
        #expect(sent == venue.texts(2).prefix(1).map { .cut(Array($0.utf8)) })
        #expect(venue.exchange.counters.connectionsOpen == 1)
    }

    @Test func anOversizeFrameHasItsSize() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(.oversizeFrame(bytes: 100_000).on(.newest))
        #expect(venue.texts(2).map(\.utf8.count) == [100_000])
        #expect(venue.texts(1).isEmpty)
    }

    @Test func wrongHashesComeWithRightData() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.wrongHash(.every), on: .line(0)))
        venue.pass(.seconds(4))
        var hashes = 0
        for (wrong, right) in zip(venue.texts(1), venue.texts(2)) {
            for (wrong, right) in try zip(ReadFrame.read(wrong.utf8), ReadFrame.read(right.utf8)) {
                #expect(wrong.bids == right.bids && wrong.asks == right.asks && wrong.timestamp == right.timestamp)
                if let hash = wrong.hash {
                    hashes += 1
                    #expect(hash != right.hash && BookHash(hex: hash) != nil)
                }
                for (wrong, right) in zip(wrong.price_changes ?? [], right.price_changes ?? []) {
                    hashes += 1
                    #expect(wrong.hash != right.hash && BookHash(hex: wrong.hash) != nil)
                    #expect(wrong.price == right.price && wrong.size == right.size)
                }
            }
        }
        #expect(hashes > 100)
    }

    @Test func lostFramesAreMissingAndNothingElse() throws {
        let (venue, market) = try self.venue()
        venue.exchange.inject(
            SimulatorFault(.lose(.next(3)), on: FaultTarget(line: .number(0), subject: .slug(market.slug))))
        venue.pass(.seconds(3))
        let right = try self.undisturbed()
        let mine = right.filter { !$0.contains("new_market") }
        #expect(venue.texts(1).filter { !$0.contains("new_market") } == Array(mine.dropFirst(3)))
        #expect(venue.texts(2) == right)
    }

    @Test func aSkewedClockStampsAndHashesAlike() throws {
        let (venue, market) = try self.venue()
        venue.exchange.inject(SimulatorFault(.clockSkew(by: .seconds(-5)), for: .seconds(10)))
        venue.subscribe(3, to: market)
        venue.pass(.seconds(4))
        #expect(venue.clob("/time").text == "1800000001")
        #expect(venue.exchange.venueTime == Timestamp(seconds: 1_800_000_006))
        let texts = venue.texts(3)
        let frames = try texts.flatMap { try ReadFrame.read($0.utf8) }
        var books: [String: RebuiltBook] = [:]
        for frame in frames where frame.event_type == "book" {
            let asset = try #require(frame.asset_id)
            let book = try RebuiltBook(frame)
            #expect(book.hash(market: frame.market, asset: asset, timestamp: frame.timestamp) == frame.hash)
            books[asset] = book
        }
        #expect(books.count == 2)
        let stamps = frames.dropFirst(2).compactMap { Int64($0.timestamp) }
        #expect(stamps.allSatisfy { (1_799_999_996_000...1_800_000_001_000).contains($0) })
        #expect(
            try ReadFrame.readBook(venue.clob("/book?token_id=\(market.yes.asset)").text)?.frame.timestamp
                == frames.last { $0.asset_id == market.yes.asset.rawValue || $0.price_changes != nil }?.timestamp)
        venue.pass(.seconds(7))
        #expect(venue.clob("/time").text == "1800000013")
    }

    @Test func aFaultOnALineEndsWithIt() throws {
        let (venue, market) = try self.venue()
        venue.exchange.inject(SimulatorFault(.freeze, on: .line(0)))
        venue.exchange.inject(SimulatorFault.drop.on(.oldest))
        venue.subscribe(1, to: market)
        venue.pass(.seconds(1))
        #expect(venue.texts(1).contains { $0.contains("price_change") })
        #expect(!venue.clob("/_faults").text.contains("freeze"))
    }

    @Test func faultsAddUp() throws {
        let (venue, _) = try self.venue()
        venue.exchange.inject(SimulatorFault(.wrongHash(.every), on: .line(0)))
        venue.exchange.inject(
            SimulatorFault(.freeze, on: FaultTarget(line: .number(0), subject: .current(.down, series: nil))))
        venue.exchange.inject(SimulatorFault(.duplicate(.every), on: .line(0)))
        venue.exchange.inject(SimulatorFault(.delay(by: .milliseconds(100)), on: .line(0)))
        venue.pass(.seconds(3))
        let texts = venue.texts(1)
        #expect(texts.count > 40)
        #expect(texts.count.isMultiple(of: 2))
        for pair in stride(from: 0, to: texts.count, by: 2) { #expect(texts[pair] == texts[pair + 1]) }
        let changes = try texts.flatMap { try ReadFrame.read($0.utf8) }.compactMap(\.price_changes)
        #expect(changes.allSatisfy { $0.count == 1 })
    }
}
