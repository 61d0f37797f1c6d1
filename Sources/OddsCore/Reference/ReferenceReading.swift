/// Why something about the reference price is not known. It is never guessed.
public enum ReferenceUnknown: String, Hashable, Sendable, CaseIterable, Codable {
    /// The moment has not come, or its price has not come yet.
    case notYetKnown = "not_yet_known"
    /// The feed lacks what was needed around the window's start.
    case gapAtStart = "gap_at_start"
    /// The feed lacks what was needed around the window's end, or in the seconds before now.
    case gapAtEnd = "gap_at_end"
    /// The first price that came is of a later time.
    case startedTooLate = "started_too_late"
    /// It was known, and is longer ago than prices are kept.
    case forgotten
    /// No price has come at all.
    case noFeed = "no_feed"
    /// Prices came, and have stayed away since before then.
    case stale
    /// It is not known by which price the market is decided, or it has no window.
    case unsupportedMarket = "unsupported_market"
    /// By which price the market is decided is only assumed: good enough to watch, not to settle by.
    case ruleAssumed = "rule_assumed"
    /// The two prices are closer than the rounding of the history they come from.
    case tooClose = "too_close"
}

/// A price at a boundary of a window, and what it stands on.
public struct ReferenceMark: Hashable, Sendable {
    /// What a price stands on.
    public enum Origin: String, Hashable, Sendable, CaseIterable, Codable {
        /// The venue's own price with the stamp of the boundary.
        case stamped
        /// The mean, taken here from a complete row of Chainlink's prices, one a second.
        case computed
        /// The price stamped last before the boundary, within the tolerance: the boundary's own is missing.
        case carried
    }

    /// The price.
    public let price: ReferencePrice
    /// The stamp it has.
    public let time: Timestamp
    /// What it stands on.
    public let origin: Origin
    /// Whether all its decimals are known.
    public let isExact: Bool

    /// A mark from its parts.
    public init(price: ReferencePrice, time: Timestamp, origin: Origin, isExact: Bool) {
        self.price = price
        self.time = time
        self.origin = origin
        self.isExact = isExact
    }
}

/// A price, or why it is not known.
public enum ReferenceValue: Hashable, Sendable {
    /// It is known.
    case known(ReferenceMark)
    /// It is not.
    case unknown(ReferenceUnknown)

    /// The price and what it stands on; nil when it is not known.
    public var mark: ReferenceMark? {
        if case .known(let mark) = self { return mark }
        return nil
    }

    /// The price; nil when it is not known.
    public var price: ReferencePrice? { self.mark?.price }

    /// Why it is not known; nil when it is.
    public var reason: ReferenceUnknown? {
        if case .unknown(let reason) = self { return reason }
        return nil
    }
}

/// How a market ended by the reference price.
public enum ReferenceOutcome: Hashable, Sendable {
    /// Both prices are known without a gap, and this side won.
    case won(Side, start: ReferenceMark, end: ReferenceMark)
    /// Not to be told.
    case unknown(ReferenceUnknown)

    /// The side that won; nil when it is not known.
    public var winner: Side? {
        if case .won(let side, _, _) = self { return side }
        return nil
    }

    /// Why it is not known; nil when it is.
    public var reason: ReferenceUnknown? {
        if case .unknown(let reason) = self { return reason }
        return nil
    }
}

/// Where a market stands by the reference price at a moment.
public struct ReferenceReading: Sendable {
    /// The market.
    public let market: Market
    /// When this was read, by this machine's wall clock.
    public let time: Timestamp
    /// The price's name, such as `btc/usd`; nil when the market is about no price known here.
    public let symbol: String?
    /// How the market is decided; nil when that is not known.
    public let settlement: ReferenceSettlement?

    /// Chainlink's latest price; unknown when there is none, and when it is stale.
    public let price: ReferenceValue
    /// The latest price even when it is stale.
    public let lastPrice: ReferenceMark?
    /// How long ago the latest price came in, by the monotonic clock; nil when none has.
    public let age: Duration?
    /// The price that decides at the window's start: what the closing price must reach for Up to win.
    public let priceToBeat: ReferenceValue
    /// The price that decides at the window's end.
    public let closingPrice: ReferenceValue
    /// The closing price if the price stays as it is: of a mean, the part of it that is known already, and the latest price
    /// for the rest. After the end it is the closing price. Unknown with the reason.
    public let projectedClose: ReferenceValue
    /// Binance's latest price, when it is followed.
    public let second: ReferenceMark?

    /// How far the latest price lies above (or, negative, below) the price to beat; nil when either is not known.
    public var distance: ReferencePrice? {
        guard let price = self.price.price, let target = self.priceToBeat.price else { return nil }
        return price - target
    }

    /// The distance in basis points of the price to beat.
    public var distanceBasisPoints: Double? {
        guard let distance = self.distance, let target = self.priceToBeat.price else { return nil }
        return distance.basisPoints(of: target)
    }

    /// The side that would win if the price stayed as it is: by the projected close, and a tie is Up. Nil when it is unknown.
    public var leader: Side? {
        guard let close = self.projectedClose.price, let target = self.priceToBeat.price else { return nil }
        return close >= target ? .yes : .no
    }

    /// The time to the window's end, zero after it; nil without a window.
    public var timeLeft: Duration? {
        self.market.window.map { max(.zero, self.time.duration(to: $0.end)) }
    }
}

/// A reading as a row: one JSON object with every key in it, prices as numbers in dollars, absent values null.
public struct ReferenceRow: Encodable, Sendable {
    /// What the row tells.
    public let reading: ReferenceReading

    /// The row of a reading.
    public init(_ reading: ReferenceReading) { self.reading = reading }

    /// The keys. `…_source` is `stamped`, `computed` or `carried`; `…_unknown` says why a price is null.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case market, slug, symbol, rule
        case lookback = "lookback_s"
        case isRuleAssumed = "rule_assumed"
        case time = "time_ms"
        case price
        case priceTime = "price_time_ms"
        case priceAge = "price_age_ms"
        case priceUnknown = "price_unknown"
        case priceToBeat = "price_to_beat"
        case priceToBeatTime = "price_to_beat_time_ms"
        case priceToBeatSource = "price_to_beat_source"
        case priceToBeatUnknown = "price_to_beat_unknown"
        case distance
        case distanceBasisPoints = "distance_bp"
        case projectedClose = "projected_close"
        case leader
        case timeLeft = "time_left_ms"
        case closingPrice = "closing_price"
        case closingPriceSource = "closing_price_source"
        case closingPriceUnknown = "closing_price_unknown"
        case binancePrice = "binance_price"
        case binancePriceTime = "binance_price_time_ms"
    }

    /// Writes every key.
    public func encode(to encoder: any Encoder) throws {
        let reading = self.reading
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(reading.market.id.rawValue, forKey: .market)
        try row.encode(reading.market.slug, forKey: .slug)
        try row.encode(reading.symbol, forKey: .symbol)
        let rule = reading.settlement.map { $0.rule == .spot ? "spot" : "twap" }
        try row.encode(rule, forKey: .rule)
        try row.encode(reading.settlement?.lookbackSeconds, forKey: .lookback)
        try row.encode(reading.settlement?.isAssumed, forKey: .isRuleAssumed)
        try row.encode(reading.time.milliseconds, forKey: .time)
        try row.encode(reading.price.price?.doubleValue, forKey: .price)
        try row.encode(reading.lastPrice?.time.milliseconds, forKey: .priceTime)
        try row.encode(reading.age.map { $0.wholeNanoseconds / 1_000_000 }, forKey: .priceAge)
        try row.encode(reading.price.reason, forKey: .priceUnknown)
        try row.encode(reading.priceToBeat.price?.doubleValue, forKey: .priceToBeat)
        try row.encode(reading.priceToBeat.mark?.time.milliseconds, forKey: .priceToBeatTime)
        try row.encode(reading.priceToBeat.mark?.origin, forKey: .priceToBeatSource)
        try row.encode(reading.priceToBeat.reason, forKey: .priceToBeatUnknown)
        try row.encode(reading.distance?.doubleValue, forKey: .distance)
        try row.encode(reading.distanceBasisPoints, forKey: .distanceBasisPoints)
        try row.encode(reading.projectedClose.price?.doubleValue, forKey: .projectedClose)
        try row.encode(reading.leader, forKey: .leader)
        try row.encode(reading.timeLeft.map { $0.wholeNanoseconds / 1_000_000 }, forKey: .timeLeft)
        try row.encode(reading.closingPrice.price?.doubleValue, forKey: .closingPrice)
        try row.encode(reading.closingPrice.mark?.origin, forKey: .closingPriceSource)
        try row.encode(reading.closingPrice.reason, forKey: .closingPriceUnknown)
        try row.encode(reading.second?.price.doubleValue, forKey: .binancePrice)
        try row.encode(reading.second?.time.milliseconds, forKey: .binancePriceTime)
    }
}
