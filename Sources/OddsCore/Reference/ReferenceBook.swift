/// The prices of the reference feed, and what follows from them for a market: prices and the time go in, readings come out.
///
/// Which price counts at a boundary is defined here once. By the price of a second it is the one stamped with the boundary.
/// By a mean it is the venue's own mean with that stamp; where the venue does not offer it or left that second out, it is
/// taken here from the prices of every second of the look-back, the boundary's included, and only when none is missing.
/// Failing that, the last one stamped at most `Limits.tolerance` before the boundary is carried over to it, to be shown but
/// not to be settled by. Whatever is not there is unknown, with its reason.
public struct ReferenceBook: Sendable {
    /// The numbers of the rules.
    public struct Limits: Sendable, Hashable {
        /// For how long a price counts as the present one, by the time it came in.
        public var staleAfter: Duration
        /// How old the newest price's stamp may be by the wall clock, whenever it came in.
        public var oldestStamp: Duration
        /// How long after its moment a price may still be on its way.
        public var patience: Duration
        /// How far before a boundary a price may lie that is carried over to it.
        public var tolerance: Duration
        /// How many prices of each feed are kept: four hours and a bit.
        public var kept: Int

        /// Limits from their parts.
        public init(
            staleAfter: Duration = .seconds(10), oldestStamp: Duration = .seconds(30),
            patience: Duration = .seconds(10), tolerance: Duration = .seconds(2), kept: Int = 15_000
        ) {
            self.staleAfter = staleAfter
            self.oldestStamp = oldestStamp
            self.patience = patience
            self.tolerance = tolerance
            self.kept = max(120, kept)
        }
    }

    /// The numbers of the rules.
    public let limits: Limits
    private var series: [ReferenceFeed: ReferenceSeries] = [:]
    /// Prices whose second was taken by another price, which stays.
    public private(set) var contradictions: UInt64 = 0
    /// Prices that were left out because their stamp lies more than an hour ahead of the wall clock: as the newest, one of
    /// them would keep every later price from being a sign of life.
    public private(set) var early: UInt64 = 0
    private static let furthestAhead = Duration.seconds(3600)

    /// A book without prices.
    public init(limits: Limits = Limits()) { self.limits = limits }

    /// Takes in a price.
    /// - Returns: whether its stamp is newer than every one before: only that is a sign of life.
    @discardableResult
    public mutating func record(_ tick: ReferenceTick, at now: ReceiveTime) -> Bool {
        guard now.wall.duration(to: tick.time) <= Self.furthestAhead else {
            self.early &+= 1
            return false
        }
        switch self.series[tick.feed, default: ReferenceSeries()].insert(tick, at: now, keeping: self.limits.kept) {
        case .newest: return true
        case .filled, .known: return false
        case .contradicted:
            self.contradictions &+= 1
            return false
        }
    }

    /// The newest price of a feed, and when it came in.
    public func latest(_ feed: ReferenceFeed) -> (mark: ReferenceMark, received: ReceiveTime)? {
        guard let series = self.series[feed], let last = series.last, let received = series.received else { return nil }
        return (Self.mark(last, .stamped), received)
    }

    /// How many prices of a feed are kept.
    public func count(_ feed: ReferenceFeed) -> Int { self.series[feed]?.samples.count ?? 0 }

    // MARK: Boundaries

    private static func mark(_ sample: ReferenceSeries.Sample, _ origin: ReferenceMark.Origin) -> ReferenceMark {
        ReferenceMark(price: sample.price, time: sample.time, origin: origin, isExact: sample.isExact)
    }

    /// The price that decides at a boundary.
    /// - Parameter gap: what to say when the feed went past the boundary and left out what was needed.
    public func value(
        of settlement: ReferenceSettlement, at boundary: Timestamp, now: ReceiveTime, gap: ReferenceUnknown
    ) -> ReferenceValue {
        let spot = ReferenceFeed(.chainlink, settlement.symbol)
        switch settlement.rule {
        case .spot:
            let stamped = self.stamped(spot, at: boundary, now: now, gap: gap)
            return stamped.reason == gap ? self.carried(spot, to: boundary) ?? stamped : stamped
        case .twap(let lookback):
            return self.mean(over: lookback, of: spot, at: boundary, now: now, gap: gap)
        }
    }

    private func mean(
        over lookback: Int, of spot: ReferenceFeed, at boundary: Timestamp, now: ReceiveTime, gap: ReferenceUnknown
    ) -> ReferenceValue {
        let feed = ReferenceTopic(lookbackSeconds: lookback).map { ReferenceFeed($0, spot.symbol) }
        let stamped = feed.map { self.stamped($0, at: boundary, now: now, gap: gap) }
        switch stamped {
        case .known, .unknown(.notYetKnown): return stamped ?? .unknown(.noFeed)
        case .unknown, nil: break
        }
        let begin = boundary.advanced(by: .seconds(-lookback))
        if let seconds = self.series[spot]?.everySecond(after: begin, through: boundary),
            let price = ReferencePrice.mean(of: seconds.map(\.price))
        {
            let isExact = seconds.allSatisfy(\.isExact)
            return .known(ReferenceMark(price: price, time: boundary, origin: .computed, isExact: isExact))
        }
        if let feed, stamped?.reason == gap, let carried = self.carried(feed, to: boundary) { return carried }
        if let reason = stamped?.reason, reason != .noFeed { return .unknown(reason) }
        // Why it could not be taken from the prices of every second.
        let last = self.stamped(spot, at: boundary, now: now, gap: gap)
        guard last.mark != nil || last.reason == gap else { return last }
        guard let first = self.series[spot]?.first, first.time > begin.advanced(by: .seconds(1)) else {
            return .unknown(gap)
        }
        return .unknown(self.series[spot]?.hasForgotten == true ? .forgotten : .startedTooLate)
    }

    /// The price with this very stamp.
    private func stamped(
        _ feed: ReferenceFeed, at boundary: Timestamp, now: ReceiveTime, gap: ReferenceUnknown
    ) -> ReferenceValue {
        guard let series = self.series[feed], let first = series.first, let last = series.last else {
            return .unknown(now.wall < boundary ? .notYetKnown : .noFeed)
        }
        if let sample = series.sample(at: boundary) { return .known(Self.mark(sample, .stamped)) }
        if last.time < boundary {
            let isDue = boundary.duration(to: now.wall) > self.limits.patience
            return .unknown(isDue ? .stale : .notYetKnown)
        }
        if first.time > boundary { return .unknown(series.hasForgotten ? .forgotten : .startedTooLate) }
        return .unknown(gap)
    }

    private func carried(_ feed: ReferenceFeed, to boundary: Timestamp) -> ReferenceValue? {
        guard let sample = self.series[feed]?.last(before: boundary),
            sample.time.duration(to: boundary) <= self.limits.tolerance
        else { return nil }
        return .known(Self.mark(sample, .carried))
    }

    // MARK: Readings

    /// Where a market stands.
    public func reading(for market: Market, at now: ReceiveTime) -> ReferenceReading {
        let symbol = market.settlement?.symbol ?? ReferenceSettlement.symbol(ofSlug: market.slug)
        let latest = symbol.flatMap { self.latest(ReferenceFeed(.chainlink, $0)) }
        let age = latest.map { $0.received.monotonic.duration(to: now.monotonic) }
        let price = symbol == nil ? .unknown(.unsupportedMarket) : self.present(latest, at: now)
        let ends = self.ends(of: market, at: now)
        return ReferenceReading(
            market: market, time: now.wall, symbol: symbol, settlement: market.settlement, price: price,
            lastPrice: latest?.mark, age: age, priceToBeat: ends.start, closingPrice: ends.end,
            projectedClose: self.projection(for: market, price: price, close: ends.end),
            second: symbol.flatMap { self.latest(ReferenceFeed(.binance, ReferenceFeed.binanceSymbol(of: $0))) }?.mark)
    }

    private func present(
        _ latest: (mark: ReferenceMark, received: ReceiveTime)?, at now: ReceiveTime
    ) -> ReferenceValue {
        guard let latest else { return .unknown(.noFeed) }
        let isStale =
            latest.received.monotonic.duration(to: now.monotonic) > self.limits.staleAfter
            || latest.mark.time.duration(to: now.wall) > self.limits.oldestStamp
        return isStale ? .unknown(.stale) : .known(latest.mark)
    }

    private func ends(of market: Market, at now: ReceiveTime) -> (start: ReferenceValue, end: ReferenceValue) {
        guard let settlement = market.settlement, let window = market.window else {
            return (.unknown(.unsupportedMarket), .unknown(.unsupportedMarket))
        }
        return (
            self.value(of: settlement, at: window.start, now: now, gap: .gapAtStart),
            self.value(of: settlement, at: window.end, now: now, gap: .gapAtEnd)
        )
    }

    private func projection(for market: Market, price: ReferenceValue, close: ReferenceValue) -> ReferenceValue {
        guard let settlement = market.settlement, let window = market.window else {
            return .unknown(.unsupportedMarket)
        }
        if close.mark != nil { return close }
        guard let last = price.mark else { return price }
        // Prices from behind the end say nothing about it.
        guard last.time < window.end else { return close }
        guard let lookback = settlement.lookbackSeconds else { return price }
        let begin = window.end.advanced(by: .seconds(-lookback))
        guard last.time > begin else { return price }
        let feed = ReferenceFeed(.chainlink, settlement.symbol)
        let known = Timestamp(seconds: last.time.seconds)
        guard let seconds = self.series[feed]?.everySecond(after: begin, through: known) else {
            return .unknown(.gapAtEnd)
        }
        let rest = Int128(lookback - seconds.count)
        let sum = seconds.reduce(Int128(0)) { $0 + $1.price.rawValue } + rest * last.price.rawValue
        return .known(
            ReferenceMark(
                price: ReferencePrice(rawValue: sum / Int128(lookback)), time: last.time, origin: .computed,
                isExact: last.isExact && seconds.allSatisfy(\.isExact)))
    }

    // MARK: The end

    /// How a market ended: only when both of its prices are known without a gap, by a rule that Gamma told.
    ///
    /// A tie is Up. Prices of a history are rounded; two that are closer than that decide nothing.
    public func outcome(of market: Market, at now: ReceiveTime) -> ReferenceOutcome {
        guard let settlement = market.settlement, market.window != nil,
            ["up", "yes"].contains(market.yes.label.lowercased())
        else { return .unknown(.unsupportedMarket) }
        guard !settlement.isAssumed else { return .unknown(.ruleAssumed) }
        let ends = self.ends(of: market, at: now)
        guard case .known(let end) = ends.end else { return .unknown(ends.end.reason ?? .noFeed) }
        guard case .known(let start) = ends.start else { return .unknown(ends.start.reason ?? .noFeed) }
        guard start.origin != .carried else { return .unknown(.gapAtStart) }
        guard end.origin != .carried else { return .unknown(.gapAtEnd) }
        let distance = end.price - start.price
        if !start.isExact || !end.isExact {
            let rounding = max(start.price, end.price).rawValue / ReferenceSeries.rounding
            guard Int128(distance.rawValue.magnitude) > rounding else { return .unknown(.tooClose) }
        }
        return .won(distance.rawValue >= 0 ? .yes : .no, start: start, end: end)
    }
}
