import OddsCore
import OddsTestSupport
import Testing

@testable import PolymarketSimulator

@Suite struct VirtualTimeTests {
    @Test func theVenueRunsWithoutSocketsAndGivesTheSameBytesTwice() throws {
        func run() throws -> (VirtualVenue, [VirtualVenue.Sent]) {
            let venue = try VirtualVenue()
            venue.subscribe(1, to: try venue.market())
            venue.subscribe(2, to: try venue.market(), custom: true)
            venue.pass(.seconds(10))
            return (venue, venue.sent(to: 1) + venue.sent(to: 2))
        }
        let (venue, sent) = try run()
        #expect(sent.count > 400)
        #expect(try run().1 == sent)
        #expect(venue.exchange.venueTime == Timestamp(seconds: 1_800_000_010))
        // What was sent is what is true.
        let market = try venue.market()
        let down = try #require(market.no?.asset)
        var books: [String: RebuiltBook] = [:]
        for text in venue.texts(1) {
            for frame in try ReadFrame.read(text.utf8) {
                if frame.event_type == "book" { books[try #require(frame.asset_id)] = try RebuiltBook(frame) }
                for change in frame.price_changes ?? [] { try books[change.asset_id]?.apply(change) }
            }
        }
        let truth = try #require(venue.exchange.truth(market.id))
        #expect(books[market.yes.asset.rawValue]?.bid == truth.up.bid)
        #expect(books[down.rawValue]?.ask == truth.down.ask)
        #expect(venue.clob("/time").text == "1800000010")
        #expect(venue.gamma("/markets?slug=\(market.slug)").text.contains(market.id.rawValue))
    }

    @Test func timeIsToldByTheClockAndNotByTheLastTick() throws {
        let venue = try VirtualVenue()
        venue.pass(.milliseconds(990))
        #expect(venue.clob("/time").text == "1800000000")
        // No tick comes in between.
        venue.clock.advance(to: venue.clock.now().monotonic.advanced(by: .milliseconds(10)))
        #expect(venue.clob("/time").text == "1800000001")
    }

    @Test func aConnectionThatSubscribesToNothingIsDropped() throws {
        let venue = try VirtualVenue()
        venue.open(1)
        venue.pass(.seconds(3))
        #expect(venue.sent(to: 1).map(\.command) == [.drop])
        #expect(venue.exchange.counters.connectionsOpen == 0)
    }
}
