public import OddsCore

/// Decides which odds are worth keeping: those that changed, at most one per market and interval, and all at spikes.
///
/// The first change after a pause is kept at once (`change`). Of the changes that follow within the interval the newest
/// is held back and kept when the interval is over (`interval`), so that what a market came to rest at is never missing.
/// Time is that of the points; a clock that was set back begins anew.
public struct OddsThinning: Sendable {
    private struct Market {
        var kept: OddsPoint
        /// The beginning of the interval in which one point has been kept.
        var slot: Int64
        var held: OddsPoint?
    }

    private var markets: [MarketID: Market] = [:]
    private let interval: Int64
    /// How long a market that says nothing is remembered, in nanoseconds.
    private static let memory: Int64 = 3600 * 1_000_000_000

    /// Nothing was seen yet.
    ///
    /// - Parameter interval: the least time between two kept points of one market; zero keeps every change.
    public init(interval: Duration) { self.interval = max(0, interval.wholeNanoseconds) }

    /// Takes a point; `keep` is called for each that is to be kept, none, one or two, in the order of their times.
    public mutating func take(_ point: OddsPoint, _ keep: (OddsPoint) -> Void) {
        guard var market = self.markets[point.market] else {
            self.markets[point.market] = Market(kept: point, slot: point.receiveTime)
            return keep(point)
        }
        if let held = market.held, self.isOver(market.slot, at: point.receiveTime) {
            market.slot += self.interval
            market.kept = OddsThinning.late(held)
            market.held = nil
            keep(market.kept)
        }
        if point.cause == .spike {
            market.slot = point.receiveTime
            market.kept = point
            market.held = nil
            keep(point)
        } else if point.saysTheSame(as: market.kept) {
            market.held = nil
        } else if self.isOver(market.slot, at: point.receiveTime) {
            market.slot = point.receiveTime
            market.kept = point
            keep(point)
        } else {
            market.held = point
        }
        self.markets[point.market] = market
    }

    /// Time has passed: `keep` is called for each point whose interval is over.
    public mutating func advance(to now: Int64, _ keep: (OddsPoint) -> Void) {
        for (id, var market) in self.markets where self.isOver(market.slot, at: now) {
            if let held = market.held {
                market.slot = now
                market.kept = OddsThinning.late(held)
                market.held = nil
                self.markets[id] = market
                keep(market.kept)
            } else if now - market.slot > OddsThinning.memory {
                self.markets[id] = nil
            }
        }
    }

    /// All is over: `keep` is called for each point that is held back.
    public mutating func finish(_ keep: (OddsPoint) -> Void) {
        for market in self.markets.values { if let held = market.held { keep(OddsThinning.late(held)) } }
        self.markets = [:]
    }

    private func isOver(_ slot: Int64, at now: Int64) -> Bool {
        let (passed, overflow) = now.subtractingReportingOverflow(slot)
        return overflow || passed < 0 || passed >= self.interval
    }

    private static func late(_ point: OddsPoint) -> OddsPoint {
        var point = point
        point.cause = .interval
        return point
    }
}
