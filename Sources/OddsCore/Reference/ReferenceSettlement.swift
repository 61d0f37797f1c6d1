/// How an up/down market is decided: by which price, measured how at the start and at the end of its window.
///
/// Up wins when the price at the end is at least the price at the start.
public struct ReferenceSettlement: Hashable, Sendable {
    /// Which number of the price is compared.
    public enum Rule: Hashable, Sendable {
        /// Chainlink's price of the boundary's second.
        case spot
        /// The mean of Chainlink's prices, one a second, over so many whole seconds up to and with the boundary's.
        case twap(lookbackSeconds: Int)
    }

    /// The price's name in the feed, such as `btc/usd`.
    public let symbol: String
    /// What is compared.
    public let rule: Rule
    /// Whether the rule follows from the venue's announcements and not from what Gamma says of this very market.
    public let isAssumed: Bool

    /// A settlement from its parts.
    public init(symbol: String, rule: Rule, isAssumed: Bool = false) {
        self.symbol = symbol
        self.rule = rule
        self.isAssumed = isAssumed
    }

    /// How many seconds the mean goes over; nil for spot.
    public var lookbackSeconds: Int? {
        switch self.rule {
        case .spot: nil
        case .twap(let seconds): seconds
        }
    }

    /// When the venue went from the price of the boundary's second to a mean: windows that start then or later.
    public static let twapBegin = Timestamp(seconds: 1_786_060_800)  // 2026-08-07 00:00 UTC

    /// What is known of a market of which Gamma tells no rule: by the length in its slug and by the date.
    ///
    /// Nil for a market that is no crypto up/down market, and where nothing is established: the hourly and longer ones,
    /// and, from `twapBegin` on, other lengths than 5 and 15 minutes.
    public static func assumed(slug: String, start: Timestamp?) -> ReferenceSettlement? {
        guard let symbol = self.symbol(ofSlug: slug) else { return nil }
        let parts = slug.lowercased().split(separator: "-")
        guard parts.count == 4, parts[1] == "updown", parts[2].hasSuffix("m") || parts[2].hasSuffix("s"),
            let start = start ?? MarketSeries.window(ofSlug: slug)?.start
        else { return nil }
        guard start >= Self.twapBegin else { return ReferenceSettlement(symbol: symbol, rule: .spot, isAssumed: true) }
        switch parts[2] {
        case "15m": return ReferenceSettlement(symbol: symbol, rule: .twap(lookbackSeconds: 60), isAssumed: true)
        case "5m": return ReferenceSettlement(symbol: symbol, rule: .twap(lookbackSeconds: 30), isAssumed: true)
        default: return nil
        }
    }

    /// The price an up/down market is about, from its slug: `btc-updown-15m-1777428000` and
    /// `bitcoin-up-or-down-march-23-2026-4pm-et` are about `btc/usd`. Nil for other markets.
    public static func symbol(ofSlug slug: String) -> String? {
        let slug = slug.lowercased()
        for separator in ["-updown-", "-up-or-down-"] {
            guard let place = slug.firstRange(of: separator) else { continue }
            let name = String(slug[..<place.lowerBound])
            guard !name.isEmpty, name.utf8.allSatisfy({ Self.isWord($0) }) else { return nil }
            // The short forms carry the asset's short name; a phrase spells it out, and then it must be one we know.
            guard separator == "-up-or-down-" else { return name + "/usd" }
            return MarketSeries.asset(spelledOut: name).map { $0 + "/usd" }
        }
        return nil
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
