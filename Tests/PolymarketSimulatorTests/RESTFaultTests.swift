import Foundation
import OddsCore
import Testing

@testable import PolymarketSimulator

/// Every fault of the REST APIs, once, in virtual time and without sockets.
@Suite struct RESTFaultTests {
    private func book(_ venue: VirtualVenue, _ asset: AssetID) throws -> (frame: ReadFrame, book: RebuiltBook) {
        let found = try #require(try ReadFrame.readBook(venue.clob("/book?token_id=\(asset)").text))
        return (found.frame, try RebuiltBook(found.frame))
    }

    @Test(arguments: [(FaultTarget.all, true, true), (.clob, true, false), (.gamma, false, true)])
    func errorsHitTheirAPI(target: FaultTarget, clob: Bool, gamma: Bool) throws {
        let venue = try VirtualVenue()
        venue.exchange.inject(SimulatorFault(.restError(status: 500, retryAfter: nil), on: target, for: .seconds(2)))
        #expect(venue.clob("/time").status == (clob ? 500 : 200))
        #expect(venue.gamma("/markets").status == (gamma ? 500 : 200))
        venue.pass(.seconds(2))
        #expect(venue.clob("/time").status == 200)
        #expect(venue.gamma("/markets").status == 200)
    }

    @Test func tooManyRequestsSayWhenToComeBack() throws {
        let venue = try VirtualVenue()
        venue.exchange.inject(SimulatorFault(.restError(status: 429, retryAfter: .milliseconds(2_500)), on: .clob))
        let answer = venue.clob("/book?token_id=1")
        #expect(answer.status == 429)
        #expect(answer.text == #"{"error":"Too Many Requests"}"#)
        #expect(answer.fields == [HTTPAnswer.Field(name: "Retry-After", value: "3")])
    }

    @Test func answersAreSlowHangingOrReset() throws {
        let venue = try VirtualVenue()
        venue.exchange.inject(SimulatorFault(.restSlow(by: .seconds(3)), on: .gamma))
        #expect(venue.gamma("/status").arrival == .after(.seconds(3)))
        #expect(venue.clob("/ok").arrival == .atOnce)
        venue.exchange.inject(SimulatorFault(.restError(status: 503, retryAfter: nil), on: .gamma))
        #expect(venue.gamma("/status").status == 503)
        #expect(venue.gamma("/status").arrival == .after(.seconds(3)))
        venue.exchange.inject(SimulatorFault(.restHang))
        #expect(venue.gamma("/status").arrival == .never)
        #expect(venue.clob("/ok").arrival == .never)
        venue.exchange.inject(SimulatorFault(.restReset, on: .clob))
        #expect(venue.clob("/ok").arrival == .reset)
        venue.exchange.inject(.recover)
        #expect(venue.clob("/ok") == HTTPAnswer("\"OK\""))
    }

    @Test func staleBooksAreThoseOfSomeTimeAgo() throws {
        let venue = try VirtualVenue()
        let market = try venue.market()
        let token = market.yes.asset
        venue.pass(.seconds(5))
        venue.pass(.seconds(6))
        let fresh = try self.book(venue, token)
        venue.exchange.inject(SimulatorFault(.restStale(by: .seconds(6)), on: .current(.up)))
        let stale = try self.book(venue, token)
        let age = try #require(Int64(fresh.frame.timestamp)) - #require(Int64(stale.frame.timestamp))
        #expect((5_500...7_500).contains(age))
        let hash = stale.book.hash(
            market: stale.frame.market, asset: token.rawValue, timestamp: stale.frame.timestamp)
        #expect(hash == stale.frame.hash && hash != fresh.frame.hash)
        let ask = venue.clob("/price?token_id=\(token)&side=BUY").text
        #expect(try ask == #"{"price":"\#(#require(stale.book.ask))"}"#)
        // The other token is not touched, and time is told right.
        #expect(venue.clob("/time").text == "1800000011")
        let other = try self.book(venue, try #require(market.no?.asset))
        #expect(other.frame.timestamp == fresh.frame.timestamp)
        let both = venue.exchange.clobAnswer(
            HTTPQuestion(method: "POST", uri: "/books", body: Array(#"[{"token_id":"\#(token)"}]"#.utf8)))
        #expect(both.text.contains(stale.frame.timestamp))
    }

    @Test func aGhostIsNowhereNearTheBook() throws {
        let venue = try VirtualVenue()
        let token = try venue.market().yes.asset
        venue.pass(.seconds(5))
        let real = try self.book(venue, token)
        let price = venue.clob("/price?token_id=\(token)&side=SELL").text
        venue.exchange.inject(SimulatorFault(.ghostBook(age: .seconds(60)), for: .seconds(1)))
        let ghost = try self.book(venue, token)
        #expect(ghost.book.bid == 0.01 && ghost.book.ask == 0.99)
        #expect(ghost.frame.timestamp == "1799999945000")
        let hash = ghost.book.hash(
            market: ghost.frame.market, asset: token.rawValue, timestamp: ghost.frame.timestamp)
        #expect(hash == ghost.frame.hash)
        #expect(venue.clob("/price?token_id=\(token)&side=SELL").text == price)
        venue.exchange.inject(.recover)
        #expect(try self.book(venue, token).frame.hash == real.frame.hash)
    }

    @Test func wrongHashesAreThoseOfTheRESTBooksWhenAimedThere() throws {
        let venue = try VirtualVenue()
        let market = try venue.market()
        let real = try self.book(venue, market.yes.asset)
        venue.exchange.inject(SimulatorFault(.wrongHash(.every), on: .clob))
        let wrong = try self.book(venue, market.yes.asset)
        #expect(wrong.frame.hash != real.frame.hash && wrong.frame.bids == real.frame.bids)
        venue.subscribe(1, to: market)
        #expect(venue.texts(1).first?.contains(try #require(real.frame.hash)) == true)
    }

    @Test(arguments: [FaultTarget.all, .slug("btc-updown-30s-1800000030"), .series("btc-updown-30s")])
    func aMissingMarketIsFoundByNoName(target: FaultTarget) throws {
        let venue = try VirtualVenue()
        let next = try venue.market(start: 1_800_000_030)
        let paths = [
            "/markets?slug=\(next.slug)", "/markets?condition_ids=\(next.id)",
            "/markets?clob_token_ids=\(next.yes.asset)", "/events?slug=\(next.slug)",
            "/events?closed=false&limit=3&ascending=true",
        ]
        for path in paths { #expect(venue.gamma(path).text.contains(next.slug)) }
        venue.exchange.inject(SimulatorFault(.missingMarket(until: nil), on: target, for: .seconds(5)))
        for path in paths { #expect(!venue.gamma(path).text.contains("\"slug\":\"\(next.slug)\"")) }
        #expect(venue.gamma("/markets/slug/\(next.slug)").status == 404)
        let current = try venue.market()
        let isKnown = target == .slug(next.slug)
        #expect(venue.gamma("/markets?slug=\(current.slug)").text.contains(current.slug) == isKnown)
        venue.pass(.seconds(5))
        #expect(venue.gamma("/markets/slug/\(next.slug)").status == 200)
    }

    @Test func aMarketMayBeKnownLate() throws {
        let venue = try VirtualVenue()
        let next = try venue.market(start: 1_800_000_030)
        venue.exchange.inject(SimulatorFault(.missingMarket(until: .seconds(-10))))
        venue.pass(.milliseconds(19_900))
        #expect(venue.gamma("/markets?slug=\(next.slug)").text == "[]")
        venue.pass(.milliseconds(100))
        #expect(venue.gamma("/markets?slug=\(next.slug)").text.contains(next.slug))
    }
}
