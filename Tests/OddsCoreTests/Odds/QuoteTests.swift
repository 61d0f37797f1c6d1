import Foundation
import OddsCore
import Testing

/// Odds by every basis, and the rows they are told in.
@Suite struct QuoteTests {
    private let market = Market(
        id: "0xabc", slug: "btc-updown-15m-1777428000",
        window: MarketWindow(start: Timestamp(seconds: 1_777_428_000), end: Timestamp(seconds: 1_777_428_900)),
        yes: Outcome(label: "Up", asset: "1"), no: Outcome(label: "Down", asset: "2"))

    private func snapshot(yes: Quote, no: Quote, trust: Trust = .live) -> OddsSnapshot {
        OddsSnapshot(
            market: self.market, yes: yes, no: no, exchangeTime: Timestamp(milliseconds: 17),
            receiveTime: ReceiveTime(monotonic: MonotonicTime(nanoseconds: 5), unixNanoseconds: 18_000_001),
            trust: trust,
            epoch: 3, source: .line(1), sequence: 9)
    }

    private let wide = Quote(bid: 0.40, bidSize: 10, ask: 0.51, askSize: 20, lastTrade: 0.44)
    private let wideNo = Quote(bid: 0.49, bidSize: 20, ask: 0.60, askSize: 10, lastTrade: 0.56)

    @Test func everyBasisAnswersForBothSides() {
        let snapshot = self.snapshot(yes: self.wide, no: self.wideNo)
        #expect(snapshot.odds(.yes, basis: .bestBid) == 0.40)
        #expect(snapshot.odds(.yes, basis: .midpoint) == 0.455)
        #expect(snapshot.odds(.yes, basis: .displayed) == 0.44)
        #expect(snapshot.odds(.yes, basis: .lastTrade) == 0.44)
        #expect(snapshot.odds(.no, basis: .bestBid) == 0.49)
        #expect(snapshot.odds(.no, basis: .midpoint) == 0.545)
        #expect(snapshot.odds(.no, basis: .displayed) == 0.56)
        #expect(snapshot.odds(.no, basis: .lastTrade) == 0.56)
        #expect(snapshot.odds(.no) == snapshot.no.displayed)
    }

    @Test func theOriginalFormulaIsKept() {
        let snapshot = self.snapshot(yes: self.wide, no: self.wideNo)
        #expect(snapshot.yesOdds == 0.40)
        #expect(snapshot.noOdds == 0.60)
        let empty = self.snapshot(yes: .empty, no: .empty)
        #expect(empty.yesOdds == 0.50)
        #expect(empty.noOdds == 0.50)
    }

    @Test func aSpreadOfExactlyTenCentsStillShowsTheMidpoint() {
        #expect(Quote(bid: 0.40, ask: 0.50, lastTrade: 0.99).displayed == 0.45)
        #expect(Quote(bid: 0.40, ask: Price(rawValue: 5001), lastTrade: 0.99).displayed == 0.99)
        #expect(Quote(bid: 0.40, ask: 0.51, lastTrade: nil).displayed == nil)
    }

    @Test func oneSidedBooksCountTheAbsentSideAsTheVenueDoes() {
        #expect(Quote(bid: 0.99).displayed == 0.995)
        #expect(Quote(ask: 0.01).displayed == 0.005)
        #expect(Quote(bid: 0.90).displayed == 0.95)
        #expect(Quote(bid: 0.89, lastTrade: 0.9).displayed == 0.9)
        #expect(Quote(bid: 0.5).displayed == nil)
        #expect(Quote(bid: 0.99).midpoint == nil)
        #expect(Quote(ask: 0.5).odds(.bestBid) == nil)
        #expect(Quote(bid: 0.99).spread == 0.01)
    }

    @Test func anEmptyBookHasNoOddsOfItsOwn() {
        for basis in OddsBasis.allCases { #expect(Quote.empty.odds(basis) == nil) }
        #expect(Quote(lastTrade: 0.3).displayed == 0.3)
        #expect(Quote.empty.spread == 1.0)
    }

    @Test func aCrossedBookHasNoNegativeSpread() {
        let crossed = Quote(bid: 0.6, ask: 0.5)
        #expect(crossed.spread == 0.0)
        #expect(crossed.displayed == 0.55)
    }

    @Test func ageIsNeverNegative() {
        let snapshot = self.snapshot(yes: .empty, no: .empty)
        #expect(snapshot.age(at: MonotonicTime(nanoseconds: 8)) == .nanoseconds(3))
        #expect(snapshot.age(at: MonotonicTime(nanoseconds: 2)) == .zero)
    }

    // MARK: Rows

    private func row(_ row: OddsRow) throws -> [String: Any] {
        let data = try JSONEncoder().encode(row)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private static let contract: Set<String> = [
        "kind", "market", "slug", "yes_bid", "yes_ask", "no_bid", "no_ask", "yes_odds", "no_odds", "displayed_odds",
        "last_trade", "exchange_time_ms", "receive_time_ns", "trust", "reason", "epoch", "source",
    ]

    @Test func aRowHasEveryKeyOfTheContract() throws {
        let row = try self.row(OddsRow(self.snapshot(yes: self.wide, no: self.wideNo, trust: .suspect(.crossed))))
        #expect(Self.contract.isSubset(of: Set(row.keys)))
        #expect(row["kind"] as? String == "odds")
        #expect(row["market"] as? String == "0xabc")
        #expect(row["slug"] as? String == "btc-updown-15m-1777428000")
        #expect(row["yes_bid"] as? Double == 0.4)
        #expect(row["yes_ask"] as? Double == 0.51)
        #expect(row["no_bid"] as? Double == 0.49)
        #expect(row["no_ask"] as? Double == 0.6)
        #expect(row["yes_odds"] as? Double == 0.4)
        #expect(row["no_odds"] as? Double == 0.6)
        #expect(row["displayed_odds"] as? Double == 0.44)
        #expect(row["no_displayed_odds"] as? Double == 0.56)
        #expect(row["last_trade"] as? Double == 0.44)
        #expect(row["exchange_time_ms"] as? Int == 17)
        #expect(row["receive_time_ns"] as? Int == 18_000_001)
        #expect(row["trust"] as? String == "suspect")
        #expect(row["reason"] as? String == "crossed")
        #expect(row["epoch"] as? Int == 3)
        #expect(row["source"] as? String == "line1")
        #expect(row["yes_bid_size"] as? Double == 10)
        #expect(row["window_start_ms"] as? Int == 1_777_428_000_000)
        #expect(row["winner"] == nil)
        #expect(row["lost"] == nil)
    }

    @Test func absentSidesAreNullNotMissing() throws {
        let row = try self.row(OddsRow(self.snapshot(yes: .empty, no: .empty)))
        for key in ["yes_bid", "yes_ask", "no_bid", "no_ask", "displayed_odds", "last_trade", "reason"] {
            #expect(row[key] is NSNull, "\(key)")
        }
        #expect(row["yes_odds"] as? Double == 0.5)
    }

    @Test func everyKindOfUpdateHasItsRow() throws {
        let snapshot = self.snapshot(yes: self.wide, no: self.wideNo)
        let stale = Trust.stale(since: snapshot.receiveTime, reason: .disconnected)
        #expect(try self.row(OddsRow(.odds(snapshot)))["kind"] as? String == "odds")
        let trust = try self.row(
            OddsRow(.trust(self.snapshot(yes: self.wide, no: self.wideNo, trust: stale), previous: .live)))
        #expect(trust["kind"] as? String == "trust")
        #expect(trust["reason"] as? String == "disconnected")
        let receipt = RolloverReceipt(
            series: "btc-updown-15m", market: self.market, previous: nil, boundary: Timestamp(seconds: 1),
            firstOddsMilliseconds: -250)
        let rollover = try self.row(OddsRow(.rollover(receipt)))
        #expect(rollover["kind"] as? String == "rollover")
        #expect(rollover["first_odds_ms"] as? Int == -250)
        #expect(rollover["previous_market"] is NSNull)
        #expect(rollover["yes_bid"] is NSNull)
        #expect(rollover["epoch"] is NSNull)
        let resolution = Resolution(market: self.market, winner: .no, exchangeTime: Timestamp(seconds: 1))
        let decided = try self.row(OddsRow(.resolution(resolution), snapshot: snapshot))
        #expect(decided["exchange_time_ms"] as? Int64 == resolution.exchangeTime.milliseconds)
        let bare = try self.row(OddsRow(.resolution(resolution)))
        #expect(bare["exchange_time_ms"] as? Int64 == resolution.exchangeTime.milliseconds)
        #expect(decided["kind"] as? String == "resolution")
        #expect(decided["winner"] as? String == "no")
        #expect(decided["yes_bid"] as? Double == 0.4)
        let overflow = try self.row(OddsRow(.overflow(lost: 12)))
        #expect(overflow["kind"] as? String == "overflow")
        #expect(overflow["lost"] as? Int == 12)
        #expect(overflow["market"] is NSNull)
    }

    @Test func updatesNameTheirMarket() {
        let snapshot = self.snapshot(yes: self.wide, no: self.wideNo)
        #expect(OddsUpdate.odds(snapshot).marketID == "0xabc")
        #expect(OddsUpdate.trust(snapshot, previous: .live).marketID == "0xabc")
        #expect(OddsUpdate.overflow(lost: 1).marketID == nil)
    }
}
