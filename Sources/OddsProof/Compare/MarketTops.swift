package import OddsCore
package import PolymarketSimulator

/// Best prices and last trades of both tokens, small: what two sources are compared by, and what the website's odds follow
/// from. Sizes are left out.
package struct MarketTops: Hashable, Sendable, BitwiseCopyable {
    private static let none = UInt16.max

    private var yesBid: UInt16
    private var yesAsk: UInt16
    private var noBid: UInt16
    private var noAsk: UInt16
    private var yesTrade: UInt16
    private var noTrade: UInt16

    /// The tops of two quotes.
    package init(yes: Quote, no: Quote) {
        func raw(_ price: Price?) -> UInt16 { price.map { UInt16($0.rawValue) } ?? Self.none }
        self.yesBid = raw(yes.bid)
        self.yesAsk = raw(yes.ask)
        self.noBid = raw(no.bid)
        self.noAsk = raw(no.ask)
        self.yesTrade = raw(yes.lastTrade)
        self.noTrade = raw(no.lastTrade)
    }

    /// What a source shows.
    package init(_ odds: OddsSnapshot) { self.init(yes: odds.yes, no: odds.no) }

    /// What the simulated exchange itself knows.
    package init(_ truth: MarketTruth) {
        self.init(
            yes: Quote(bid: truth.up.bid, ask: truth.up.ask, lastTrade: truth.lastTradeOfUp),
            no: Quote(bid: truth.down.bid, ask: truth.down.ask, lastTrade: truth.lastTradeOfUp?.complement))
    }

    /// One side's quote, without sizes.
    package func quote(_ side: Side) -> Quote {
        func price(_ raw: UInt16) -> Price? { raw == Self.none ? nil : Price(rawValue: Int32(raw)) }
        return side == .yes
            ? Quote(bid: price(self.yesBid), ask: price(self.yesAsk), lastTrade: price(self.yesTrade))
            : Quote(bid: price(self.noBid), ask: price(self.noAsk), lastTrade: price(self.noTrade))
    }

    /// The odds of a side by a basis; nil when it has no answer.
    package func odds(_ side: Side, _ basis: OddsBasis) -> Odds? { self.quote(side).odds(basis) }

    /// Whether best bids, best asks and the displayed odds of both sides are the same.
    package func agrees(with other: MarketTops) -> Bool {
        guard self.yesBid == other.yesBid, self.yesAsk == other.yesAsk, self.noBid == other.noBid,
            self.noAsk == other.noAsk
        else { return false }
        return Side.allCases.allSatisfy { self.odds($0, .displayed) == other.odds($0, .displayed) }
    }

    /// Whether it has the shape of the venue's ghosts: bid at or below 0.01 and ask at or above 0.99, or empty.
    package var hasGhostShape: Bool {
        (self.yesBid == Self.none || self.yesBid <= 100) && (self.yesAsk == Self.none || self.yesAsk >= 9_900)
    }

    /// As people read it: bid, ask and displayed odds of YES, and bid and ask of NO.
    package var text: String {
        func text(_ price: Price?) -> String { price.map { "\($0)" } ?? "–" }
        let (yes, no) = (self.quote(.yes), self.quote(.no))
        let shown = yes.displayed.map { "\($0)" } ?? "–"
        return "\(text(yes.bid))/\(text(yes.ask)) shows \(shown), NO \(text(no.bid))/\(text(no.ask))"
    }
}

/// How far a source believed its odds, in one byte.
package struct TrustCode: Hashable, Sendable, BitwiseCopyable {
    private let index: UInt8

    private static let texts =
        ["live", "fallback", "resolving", "closed"] + SuspectReason.allCases.map { "suspect \($0.rawValue)" }
        + StaleReason.allCases.map { "stale \($0.rawValue)" }

    /// The code of a trust.
    package init(_ trust: Trust) {
        let text = [trust.name, trust.reason].compactMap { $0 }.joined(separator: " ")
        self.index = UInt8(Self.texts.firstIndex(of: text) ?? 0)
    }

    /// Name and reason: `live`, `stale disconnected`.
    package var text: String { Self.texts[Int(self.index)] }
    /// Whether odds under it are odds: everything but `stale` and `closed`.
    package var isUsable: Bool { !self.text.hasPrefix("stale") && self.index != 3 }
    /// Whether nothing contradicts the odds: `live`.
    package var isLive: Bool { self.index == 0 }
}

/// What a source showed from a moment on.
package struct Sighting: Hashable, Sendable, BitwiseCopyable {
    /// When it began to, in Unix nanoseconds of this machine (of the truth: when it became true).
    package var time: Int64
    /// The venue's stamp on it, in milliseconds.
    package var stamp: Int64
    /// The values.
    package var tops: MarketTops
    /// How far they were believed.
    package var trust: TrustCode

    /// A sighting from its parts.
    package init(time: Int64, stamp: Int64, tops: MarketTops, trust: TrustCode) {
        self.time = time
        self.stamp = stamp
        self.tops = tops
        self.trust = trust
    }
}

/// What a source showed over time. Each entry holds until the next.
package struct SightTimeline: Sendable {
    /// By time.
    package private(set) var entries: [Sighting] = []

    /// A timeline without entries.
    package init() {}

    /// Adds what was shown, unless it is what was shown before. Times that run backwards are taken as the last one.
    package mutating func add(_ sighting: Sighting) {
        if let last = self.entries.last, last.tops == sighting.tops, last.trust == sighting.trust { return }
        var sighting = sighting
        sighting.time = Swift.max(sighting.time, self.entries.last?.time ?? .min)
        self.entries.append(sighting)
    }

    /// The place of the entry that holds at a time; nil before the first.
    package func index(at time: Int64) -> Int? {
        let after = self.firstIndex(after: time)
        return after > 0 ? after - 1 : nil
    }

    /// What holds at a time; nil before the first entry.
    package func at(_ time: Int64) -> Sighting? { self.index(at: time).map { self.entries[$0] } }

    /// The place of the first entry later than a time.
    package func firstIndex(after time: Int64) -> Int {
        var (low, high) = (0, self.entries.count)
        while low < high {
            let middle = (low + high) / 2
            if self.entries[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Everything that holds at some moment between two times, the ends included.
    package func during(_ begin: Int64, _ end: Int64) -> ArraySlice<Sighting> {
        let first = self.index(at: begin) ?? 0
        let last = self.firstIndex(after: end)
        return self.entries[Swift.min(first, last)..<last]
    }

    /// How long each trust held between two times, the longest first; before the first entry there was `no odds`.
    package func trusts(_ begin: Int64, _ end: Int64) -> [(text: String, time: Int64)] {
        var times: [String: Int64] = [:]
        let held = self.during(begin, end)
        let first = held.first?.time ?? .max
        if first > begin { times["no odds"] = Swift.min(first, end) - begin }
        for index in held.indices {
            let until = index + 1 < held.endIndex ? held[index + 1].time : end
            let from = Swift.max(held[index].time, begin)
            if until > from || begin == end { times[held[index].trust.text, default: 0] += until - from }
        }
        return times.map { ($0.key, $0.value) }.sorted { ($1.time, $0.text) < ($0.time, $1.text) }
    }
}
