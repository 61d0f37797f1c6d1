import Foundation
import OddsCore
import OddsTestSupport
import Testing

/// A window of 900 s from second 1000 on, in a time that begins at second 0.
@Suite struct ReferenceBookTests {
    private static let base: Int64 = 1_800_000_000
    private static let spot = ReferenceFeed(.chainlink, "btc/usd")
    private static let sixty = ReferenceFeed(.twapSixty, "btc/usd")

    private static func time(_ second: Double) -> Timestamp {
        Timestamp(milliseconds: Self.base * 1000 + Int64(second * 1000))
    }

    private static func now(_ second: Double) -> ReceiveTime {
        ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: Int64(second * 1_000_000_000)),
            unixNanoseconds: Self.time(second).milliseconds * 1_000_000)
    }

    private static func market(
        _ rule: ReferenceSettlement.Rule?, assumed: Bool = false, yes: String = "Up", from: Double = 1000,
        to: Double = 1900
    ) -> Market {
        Market(
            id: "0x1", slug: "btc-updown-15m-1", window: MarketWindow(start: Self.time(from), end: Self.time(to)),
            yes: Outcome(label: yes, asset: "1"), no: Outcome(label: "Down", asset: "2"),
            settlement: rule.map { ReferenceSettlement(symbol: "btc/usd", rule: $0, isAssumed: assumed) })
    }

    private static func price(_ dollars: Int64) -> ReferencePrice {
        ReferencePrice(rawValue: Int128(dollars) * ReferencePrice.dollar)
    }

    /// A book with a price for each of these seconds, each come in 1.1 s later.
    private static func book(
        _ seconds: some Sequence<Int64>, exact: Bool = true, limits: ReferenceBook.Limits = .init(),
        price: (Int64) -> Int64 = { 64_000 + $0 }
    ) -> ReferenceBook {
        var book = ReferenceBook(limits: limits)
        Self.add(to: &book, seconds, exact: exact, price: price)
        return book
    }

    private static func add(
        to book: inout ReferenceBook, _ seconds: some Sequence<Int64>, of feed: ReferenceFeed = Self.spot,
        exact: Bool = true, price: (Int64) -> Int64 = { 64_000 + $0 }
    ) {
        for second in seconds {
            book.record(
                ReferenceTick(
                    feed, price: Self.price(price(second)), time: Self.time(Double(second)), isExact: exact),
                at: Self.now(Double(second) + 1.1))
        }
    }

    // MARK: By the price of a second

    @Test func theBoundarysOwnPriceCounts() {
        let book = Self.book(900...1010)
        let reading = book.reading(for: Self.market(.spot), at: Self.now(1011.5))
        #expect(
            reading.priceToBeat
                == .known(
                    ReferenceMark(
                        price: Self.price(65_000), time: Self.time(1000), origin: .stamped, isExact: true)))
        #expect(reading.price.price == Self.price(65_010) && reading.lastPrice?.time == Self.time(1010))
        #expect(reading.age == .milliseconds(400))
        #expect(reading.distance == Self.price(10) && reading.leader == .yes)
        #expect(reading.distanceBasisPoints.map { abs($0 - 1.538_46) < 0.001 } == true)
        #expect(reading.timeLeft == .milliseconds(888_500))
        #expect(reading.projectedClose.price == Self.price(65_010))
        #expect(reading.closingPrice == .unknown(.notYetKnown) && reading.symbol == "btc/usd")
    }

    @Test func aTieIsUp() {
        let flat = Self.book(900...1910) { _ in 64_000 }
        #expect(flat.reading(for: Self.market(.spot), at: Self.now(1911)).leader == .yes)
        #expect(flat.outcome(of: Self.market(.spot), at: Self.now(1911.2)).winner == .yes)
        let lower = Self.book(900...1910) { $0 == 1900 ? 63_999 : 64_000 }
        #expect(lower.outcome(of: Self.market(.spot), at: Self.now(1911.2)).winner == .no)
        #expect(lower.reading(for: Self.market(.spot), at: Self.now(1911.2)).leader == .no)
    }

    /// What is said of the price to beat while time passes over the boundary.
    @Test func aBoundarysPriceMayBeOnItsWay() {
        var book = Self.book(900...999)
        func said(_ second: Double) -> ReferenceValue {
            book.reading(for: Self.market(.spot), at: Self.now(second)).priceToBeat
        }
        #expect(said(999.5) == .unknown(.notYetKnown))
        #expect(said(1001) == .unknown(.notYetKnown))
        #expect(said(1010) == .unknown(.notYetKnown))
        #expect(said(1010.1) == .unknown(.stale))
        // The feed goes on, without that second: the last before it is carried over, but nothing is settled by it.
        Self.add(to: &book, 1001...1910)
        #expect(said(1911).mark?.origin == .carried && said(1911).price == Self.price(64_999))
        #expect(book.outcome(of: Self.market(.spot), at: Self.now(1911)) == .unknown(.gapAtStart))
        // It comes after all.
        Self.add(to: &book, [1000])
        #expect(said(1911).mark?.origin == .stamped)
        #expect(book.outcome(of: Self.market(.spot), at: Self.now(1911)).winner == .yes)
    }

    @Test(
        arguments: [
            ([998], ReferenceMark.Origin.carried, nil), ([997], nil, ReferenceUnknown.gapAtStart),
            ([1000], .stamped, nil),
            ([], nil, .startedTooLate), ([1000, 990], .stamped, nil),
        ] as [([Int64], ReferenceMark.Origin?, ReferenceUnknown?)])
    func onlyWhatIsCloseBeforeTheBoundaryIsCarried(
        before: [Int64], origin: ReferenceMark.Origin?, reason: ReferenceUnknown?
    ) {
        let book = Self.book(before + Array(1001...1100))
        let value = book.reading(for: Self.market(.spot), at: Self.now(1101)).priceToBeat
        #expect(value.mark?.origin == origin && value.reason == reason)
    }

    @Test func whatIsMissingAtTheEndHasItsOwnReason() {
        var book = Self.book(Array(900...1800) + Array(1901...1950))
        let market = Self.market(.spot)
        #expect(book.reading(for: market, at: Self.now(1951)).closingPrice == .unknown(.gapAtEnd))
        #expect(book.outcome(of: market, at: Self.now(1951)) == .unknown(.gapAtEnd))
        #expect(book.reading(for: market, at: Self.now(1951)).projectedClose == .unknown(.gapAtEnd))
        // A history fills it.
        Self.add(to: &book, 1850...1900, exact: false)
        #expect(book.outcome(of: market, at: Self.now(1951)).winner == .yes)
        #expect(Self.book([1]).outcome(of: market, at: Self.now(1950)) == .unknown(.stale))
    }

    // MARK: What there is nothing to say of

    @Test func withoutPricesEverythingIsUnknown() {
        let reading = ReferenceBook().reading(for: Self.market(.spot), at: Self.now(1100))
        #expect(reading.price == .unknown(.noFeed) && reading.priceToBeat == .unknown(.noFeed))
        #expect(reading.closingPrice == .unknown(.notYetKnown) && reading.projectedClose == .unknown(.noFeed))
        #expect(reading.distance == nil && reading.leader == nil && reading.age == nil)
        let early = ReferenceBook().reading(for: Self.market(.twap(lookbackSeconds: 60)), at: Self.now(900))
        #expect(early.priceToBeat == .unknown(.notYetKnown))
    }

    @Test func aMarketMustSayHowItIsDecided() {
        let book = Self.book(900...1910)
        let unknown = book.reading(for: Self.market(nil), at: Self.now(1911))
        // Its slug tells the symbol, so that the price can be shown.
        #expect(unknown.price.price == Self.price(65_910) && unknown.priceToBeat == .unknown(.unsupportedMarket))
        #expect(unknown.projectedClose == .unknown(.unsupportedMarket) && unknown.leader == nil)
        #expect(book.outcome(of: Self.market(nil), at: Self.now(1911)) == .unknown(.unsupportedMarket))
        let match = Market(id: "0x2", slug: "rangers-islanders", yes: Outcome(label: "Rangers", asset: "1"), no: nil)
        let other = book.reading(for: match, at: Self.now(1911))
        #expect(other.price == .unknown(.unsupportedMarket) && other.symbol == nil && other.timeLeft == nil)
        // An assumed rule is good to look at, and not to settle by.
        let assumed = Self.market(.spot, assumed: true)
        #expect(book.reading(for: assumed, at: Self.now(1911)).leader == .yes)
        #expect(book.outcome(of: assumed, at: Self.now(1911)) == .unknown(.ruleAssumed))
        #expect(book.outcome(of: Self.market(.spot, yes: "Down"), at: Self.now(1911)) == .unknown(.unsupportedMarket))
    }

    @Test func anOldPriceIsStale() {
        let book = Self.book(900...1005)
        let market = Self.market(.spot)
        #expect(book.reading(for: market, at: Self.now(1016)).price.mark != nil)
        let late = book.reading(for: market, at: Self.now(1016.2))
        #expect(late.price == .unknown(.stale) && late.lastPrice?.price == Self.price(65_005))
        #expect(late.priceToBeat.mark != nil && late.distance == nil && late.leader == nil)
        #expect(late.projectedClose == .unknown(.stale) && late.age == .milliseconds(10_100))
        // A venue that is frozen serves an old history to whoever comes: it is no present price.
        var frozen = ReferenceBook()
        let tick = ReferenceTick(
            Self.spot, price: Self.price(1), time: Self.time(1000), isExact: false, isHistory: true)
        frozen.record(tick, at: Self.now(1031))
        #expect(frozen.reading(for: market, at: Self.now(1031)).price == .unknown(.stale))
    }

    // MARK: By a mean

    private static let mean = Self.market(.twap(lookbackSeconds: 60))

    @Test func theVenuesOwnMeanCounts() {
        var book = Self.book(900...1010)
        Self.add(to: &book, 950...1010, of: Self.sixty) { _ in 64_500 }
        let reading = book.reading(for: Self.mean, at: Self.now(1011.5))
        #expect(reading.priceToBeat.mark?.origin == .stamped && reading.priceToBeat.price == Self.price(64_500))
        #expect(reading.price.price == Self.price(65_010) && reading.leader == .yes)
    }

    @Test func aMeanIsTakenFromACompleteRow() throws {
        // 941 to 1000: the mean of 64,941 … 65,000.
        let expected = try #require(ReferencePrice("64970.5"))
        var book = Self.book(941...1010)
        let computed = book.reading(for: Self.mean, at: Self.now(1011.5)).priceToBeat
        #expect(
            computed.mark == ReferenceMark(price: expected, time: Self.time(1000), origin: .computed, isExact: true))
        #expect(
            Self.book(942...1010).reading(for: Self.mean, at: Self.now(1011.5)).priceToBeat
                == .unknown(.startedTooLate))
        let holed = Self.book((900...1010).filter { $0 != 970 })
        #expect(holed.reading(for: Self.mean, at: Self.now(1011.5)).priceToBeat == .unknown(.gapAtStart))
        // Where the venue tells means, its own is waited for, and taken from the row only when that second is left out.
        Self.add(to: &book, 990...999, of: Self.sixty) { _ in 64_500 }
        #expect(book.reading(for: Self.mean, at: Self.now(1001)).priceToBeat == .unknown(.notYetKnown))
        Self.add(to: &book, 1001...1010, of: Self.sixty) { _ in 64_500 }
        #expect(book.reading(for: Self.mean, at: Self.now(1011.5)).priceToBeat.mark?.origin == .computed)
        // Without a complete row, the last mean before the boundary is carried.
        var carried = holed
        Self.add(to: &carried, Array(980...998) + [1002], of: Self.sixty) { _ in 64_500 }
        #expect(carried.reading(for: Self.mean, at: Self.now(1011.5)).priceToBeat.mark?.origin == .carried)
        var gone = holed
        Self.add(to: &gone, Array(980...997) + [1002], of: Self.sixty) { _ in 64_500 }
        #expect(gone.reading(for: Self.mean, at: Self.now(1011.5)).priceToBeat == .unknown(.gapAtStart))
    }

    @Test func aMeanOfALengthWithoutATopicIsTakenHere() {
        let market = Self.market(.twap(lookbackSeconds: 10), to: 1030)
        let book = Self.book(990...1031)
        let reading = book.reading(for: market, at: Self.now(1032.2))
        #expect(reading.priceToBeat.price == ReferencePrice("64995.5"))
        #expect(reading.closingPrice.price == ReferencePrice("65025.5"))
        #expect(book.outcome(of: market, at: Self.now(1032.2)).winner == .yes)
        // The tenth second of the look-back is not there.
        #expect(
            Self.book(992...1031).outcome(of: market, at: Self.now(1032.2)) == .unknown(.startedTooLate))
    }

    /// Within the look-back a part of the closing price is known already: who leads now is who would win then.
    @Test func theProjectionKnowsWhatIsKnown() {
        let market = Self.market(.twap(lookbackSeconds: 60))
        // 64,000 all the time, from second 1850 on 64,060: at 1870 a third of the mean is higher by 60, and two thirds will be.
        var book = Self.book(900...1870) { $0 > 1850 ? 64_060 : 64_000 }
        let reading = book.reading(for: market, at: Self.now(1871.5))
        #expect(reading.projectedClose.price == ReferencePrice("64050"))
        #expect(reading.projectedClose.mark?.origin == .computed && reading.leader == .yes)
        // The price falls below the target for the last seconds: Up leads all the same.
        Self.add(to: &book, 1871...1899) { $0 > 1890 ? 63_900 : 64_060 }
        let late = book.reading(for: market, at: Self.now(1899.9))
        #expect(late.price.price == Self.price(63_900) && late.distance == Self.price(-100))
        #expect(late.leader == .yes)
        Self.add(to: &book, 1900...1901) { _ in 63_900 }
        #expect(book.outcome(of: market, at: Self.now(1902.5)).winner == .yes)
        let holed = Self.book((900...1870).filter { $0 != 1860 })
        #expect(holed.reading(for: market, at: Self.now(1871.5)).projectedClose == .unknown(.gapAtEnd))
    }

    // MARK: The rest

    @Test func roundedPricesDecideNothingThatIsClose() throws {
        var book = ReferenceBook()
        let prices: [(Int64, String, Bool)] = [(1000, "64000.00000001", false), (1900, "64000.000000009", true)]
        for (second, text, isExact) in prices {
            let price = try #require(ReferencePrice(text))
            book.record(
                ReferenceTick(Self.spot, price: price, time: Self.time(Double(second)), isExact: isExact),
                at: Self.now(Double(second)))
        }
        #expect(book.outcome(of: Self.market(.spot), at: Self.now(1901)) == .unknown(.tooClose))
        // The exact price takes the rounded one's place.
        let exact = try #require(ReferencePrice("64000.000000010000000001"))
        book.record(ReferenceTick(Self.spot, price: exact, time: Self.time(1000)), at: Self.now(1902))
        #expect(book.outcome(of: Self.market(.spot), at: Self.now(1903)).winner == .no)
        #expect(book.contradictions == 0)
    }

    @Test func aSecondHasOnePrice() {
        var book = Self.book(1...10)
        Self.add(to: &book, [5]) { _ in 99 }
        #expect(book.contradictions == 1 && book.count(Self.spot) == 10)
        Self.add(to: &book, [5])
        #expect(book.contradictions == 1)
    }

    /// One wrong stamp must not pass for the newest price until its time has come: the feed would look frozen.
    @Test func aStampOfALaterTimeIsNoPrice() {
        var book = Self.book(1...10)
        let wrong = ReferenceTick(Self.spot, price: Self.price(1), time: Self.time(4_000), isExact: true)
        let isTaken = book.record(wrong, at: Self.now(11))
        #expect(!isTaken && book.early == 1 && book.count(Self.spot) == 10)
        let right = ReferenceTick(Self.spot, price: Self.price(2), time: Self.time(11), isExact: true)
        let isNewest = book.record(right, at: Self.now(12))
        #expect(isNewest && book.latest(Self.spot)?.mark.price == Self.price(2))
    }

    @Test func olderPricesAreForgotten() {
        let book = Self.book(1...2_000, limits: .init(kept: 500))
        #expect((500...600).contains(book.count(Self.spot)))
        let reading = book.reading(for: Self.market(.spot), at: Self.now(2_001))
        #expect(reading.priceToBeat == .unknown(.forgotten) && reading.closingPrice.mark != nil)
        let mean = book.reading(for: Self.market(.twap(lookbackSeconds: 60)), at: Self.now(2_001))
        #expect(mean.priceToBeat == .unknown(.forgotten) && mean.closingPrice.mark?.origin == .computed)
    }

    /// Seconds left out at random, in any order of arrival: a price is what the definition says, or it is unknown.
    @Test func gapsNeverLeadToAGuess() {
        var random = SplitMix64(seed: 4)
        var known = 0
        var unknown = 0
        for _ in 0..<400 {
            let lookback = Int.random(in: 2...12, using: &random)
            let rule: ReferenceSettlement.Rule = Bool.random(using: &random) ? .spot : .twap(lookbackSeconds: lookback)
            let market = Self.market(rule, from: 40, to: 70)
            let share = Double.random(in: 0...0.2, using: &random)
            let from = Int64.random(in: 1...45, using: &random)
            let seconds = (from...80).filter { _ in Double.random(in: 0..<1, using: &random) >= share }
            let price: (Int64) -> Int64 = { 100 + ($0 * 7_919 + from) % 13 }
            let book = Self.book(seconds.shuffled(using: &random), price: price)
            let outcome = book.outcome(of: market, at: Self.now(90))
            func truth(_ boundary: Int64) -> ReferencePrice? {
                let needed = rule == .spot ? [boundary] : (0..<Int64(lookback)).map { boundary - $0 }
                guard needed.allSatisfy({ seconds.contains($0) }) else { return nil }
                return ReferencePrice.mean(of: needed.map { Self.price(price($0)) })
            }
            switch (truth(40), truth(70)) {
            case (let start?, let end?):
                known += 1
                #expect(outcome.winner == (end >= start ? .yes : .no))
            default:
                unknown += 1
                #expect(outcome.winner == nil && outcome.reason != nil)
            }
        }
        #expect(known > 50 && unknown > 50)
    }

    @Test func aRowHasEveryKey() throws {
        func row(_ reading: ReferenceReading) throws -> [String: Any] {
            let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(ReferenceRow(reading)))
            return try #require(object as? [String: Any])
        }
        var book = Self.book(900...1010)
        Self.add(to: &book, [1011], of: ReferenceFeed(.binance, "btcusdt")) { _ in 65_012 }
        let full = try row(book.reading(for: Self.mean, at: Self.now(1011.5)))
        #expect(Set(full.keys) == Set(ReferenceRow.CodingKeys.allCases.map(\.rawValue)))
        #expect(full["price"] as? Double == 65_010 && full["price_to_beat"] as? Double == 64_970.5)
        #expect(full["price_to_beat_source"] as? String == "computed" && full["leader"] as? String == "yes")
        #expect(full["rule"] as? String == "twap" && full["lookback_s"] as? Int == 60)
        #expect(full["distance"] as? Double == 39.5 && full["time_left_ms"] as? Int == 888_500)
        #expect(full["closing_price_unknown"] as? String == "not_yet_known" && full["closing_price"] is NSNull)
        #expect(full["binance_price"] as? Double == 65_012 && full["price_age_ms"] as? Int == 400)
        let empty = try row(ReferenceBook().reading(for: Self.market(nil), at: Self.now(1)))
        #expect(Set(empty.keys) == Set(ReferenceRow.CodingKeys.allCases.map(\.rawValue)))
        #expect(empty["price_unknown"] as? String == "no_feed" && empty["rule"] is NSNull)
    }
}
