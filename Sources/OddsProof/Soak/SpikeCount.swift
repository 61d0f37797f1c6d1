package import OddsCore
package import RealtimeOdds
internal import Synchronization

/// Times in which a side of a market was at or over a threshold, as different sources had it.
///
/// Bounded: what is judged or old is forgotten. May be used from any thread.
package final class SpikeCount: Sendable {
    /// Who says so.
    package enum Source: Hashable, Sendable {
        /// The exchange itself.
        case truth
        /// The streamer under test.
        case stream
        /// A poller, by its place in the list.
        case poller(Int)
    }

    /// A time at or over the threshold.
    package struct Over: Sendable {
        package var market: MarketID
        package var slug: String
        package var side: Side
        package var begin: ReceiveTime
        /// When it fell below the threshold and the hysteresis; nil while it has not.
        package var end: ReceiveTime?
        package var peak: Odds
        /// How long it was at or over the threshold, up to the last time that it was told of.
        package var visible = Duration.zero
        /// Since when it is; nil while it is in the band below.
        fileprivate var overSince: MonotonicTime?
        /// When it was told to be over, each time.
        fileprivate var told: [MonotonicTime] = []

        fileprivate mutating func pass(to now: MonotonicTime) {
            if let since = self.overSince { self.visible += max(.zero, since.duration(to: now)) }
            self.overSince = nil
        }

        fileprivate mutating func tell(_ odds: Odds, at now: MonotonicTime) {
            self.peak = max(self.peak, odds)
            self.overSince = now
            self.told.append(now)
        }
    }

    private struct Key: Hashable {
        var market: MarketID
        var side: Side
    }

    private struct State {
        var open: [Source: [Key: Over]] = [:]
        var closed: [Source: [Over]] = [:]
        var streamed = 0
    }

    private let threshold: Odds
    private let floor: Odds
    /// What is held against the threshold.
    package let basis: OddsBasis
    private let memory: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - threshold: odds at or over this are a spike.
    ///   - hysteresis: how far below it they must fall for the spike to be over, so that a flicker counts once.
    ///   - basis: what is held against the threshold.
    ///   - slowest: the longest interval of the pollers.
    package init(
        threshold: Odds = 0.70, hysteresis: Odds = 0.02, basis: OddsBasis = .displayed, slowest: Duration = .zero
    ) {
        self.threshold = threshold
        self.floor = Odds(rawValue: max(0, threshold.rawValue - hysteresis.rawValue))
        self.basis = basis
        // What a poller learns an interval late must still be known of the others.
        self.memory = max(.seconds(180), slowest * 2 + .seconds(60))
    }

    /// A source says what a market's odds are now.
    package func observe(_ quote: (Side) -> Odds?, of market: Market, by source: Source, at now: ReceiveTime) {
        self.state.withLock { state in
            for side in Side.allCases {
                let key = Key(market: market.id, side: side)
                let odds = quote(side)
                let isOver = odds.map { $0 >= self.threshold } ?? false
                guard state.open[source]?[key] != nil || isOver else { continue }
                if state.open[source]?[key] == nil, source == .stream { state.streamed += 1 }
                // Taken out and put back, so that nothing is copied.
                var over =
                    state.open[source]?.removeValue(forKey: key)
                    ?? Over(
                        market: market.id, slug: market.slug, side: side, begin: now, end: nil, peak: odds ?? self.floor
                    )
                over.pass(to: now.monotonic)
                if let odds, isOver { over.tell(odds, at: now.monotonic) }
                if let odds, odds >= self.floor {
                    state.open[source, default: [:]][key] = over
                } else {
                    over.end = now
                    state.closed[source, default: []].append(over)
                }
            }
        }
    }

    /// A source knows nothing of a market any more.
    package func ended(_ market: Market, by source: Source, at now: ReceiveTime) {
        self.observe({ _ in nil }, of: market, by: source, at: now)
    }

    /// Takes out what a source had at or over the threshold for at least a time, and that is over for another: now all
    /// others have told of it.
    package func takeClosed(
        by source: Source, lasting: Duration, settledFor: Duration, at now: ReceiveTime
    ) -> [Over] {
        self.state.withLock { state in
            let limit = now.monotonic.advanced(by: .zero - settledFor)
            let closed = state.closed[source] ?? []
            state.closed[source] = closed.filter { ($0.end?.monotonic ?? limit) > limit }
            return closed.filter { over in
                guard let end = over.end?.monotonic, end <= limit else { return false }
                return over.visible >= lasting
            }
        }
    }

    /// When a source first told of the same, from a while before it began to a while after it was over; nil when it had not.
    ///
    /// What a source went on to show from earlier, and did not tell anew, is not of this spike.
    ///
    /// - Parameter carriedOver: whether it is all the same, as of a poller that tells of changes only: its answers are not
    ///   known here, and it is given the benefit.
    package func first(
        like over: Over, by source: Source, early: Duration, late: Duration, carriedOver: Bool = false
    ) -> MonotonicTime? {
        self.state.withLock { state in
            let from = over.begin.monotonic.advanced(by: .zero - early)
            let until = (over.end ?? over.begin).monotonic.advanced(by: late)
            var all = state.closed[source] ?? []
            if let open = state.open[source]?[Key(market: over.market, side: over.side)] { all.append(open) }
            return all.filter { other in
                other.market == over.market && other.side == over.side && other.begin.monotonic <= until
                    && (other.end?.monotonic ?? until) >= from
            }.compactMap { other in
                if carriedOver, other.begin.monotonic < from { return from }
                return other.told.first { $0 >= from && $0 <= until }
            }.min()
        }
    }

    /// Forgets what is long over.
    package func trim(at now: ReceiveTime) {
        self.state.withLock { state in
            let limit = now.monotonic.advanced(by: .zero - self.memory)
            for source in state.closed.keys {
                state.closed[source]?.removeAll { ($0.end?.monotonic ?? limit) < limit }
            }
            for (source, open) in state.open {
                for key in open.keys { state.open[source]?[key]?.told.removeAll { $0 < limit } }
            }
        }
    }

    /// How many times the stream was over the threshold.
    package var streamed: Int { self.state.withLock { $0.streamed } }
}

/// Tells a count what a source publishes.
package final class SpikeListener: MarketObserver {
    private let count: SpikeCount
    private let source: SpikeCount.Source

    package init(_ count: SpikeCount, _ source: SpikeCount.Source) {
        self.count = count
        self.source = source
    }

    package func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        switch snapshot.trust {
        case .live, .suspect, .fallback:
            let basis = self.count.basis
            self.count.observe(
                { ($0 == .yes ? snapshot.yes : snapshot.no).odds(basis) }, of: snapshot.market, by: self.source, at: now
            )
        case .stale, .resolving, .closed: self.count.ended(snapshot.market, by: self.source, at: now)
        }
    }

    package func ended(_ market: Market, at now: ReceiveTime) {
        self.count.ended(market, by: self.source, at: now)
    }
}

/// Tells a meter what a source publishes.
package final class LatencyListener: MarketObserver {
    private let meter: LatencyMeter

    package init(_ meter: LatencyMeter) { self.meter = meter }

    package func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) { self.meter.published(snapshot, at: now) }
    package func ended(_ market: Market, at now: ReceiveTime) { self.meter.ended(market.id) }
}

/// Several observers of one source, told one after the other.
package final class ObserverGroup: MarketObserver {
    private let observers: [any MarketObserver]

    package init(_ observers: [any MarketObserver]) { self.observers = observers }

    package func attached(to reader: any FeedReader) {
        for observer in self.observers { observer.attached(to: reader) }
    }

    package func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        for observer in self.observers { observer.published(snapshot, at: now) }
    }

    package func ended(_ market: Market, at now: ReceiveTime) {
        for observer in self.observers { observer.ended(market, at: now) }
    }

    package func traded(_ trade: Trade, of market: Market, at now: ReceiveTime) {
        for observer in self.observers { observer.traded(trade, of: market, at: now) }
    }

    package func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {
        for observer in self.observers { observer.sampled(microstructure, of: market, at: now) }
    }

    package func resolved(_ resolution: Resolution, at now: ReceiveTime) {
        for observer in self.observers { observer.resolved(resolution, at: now) }
    }
}
