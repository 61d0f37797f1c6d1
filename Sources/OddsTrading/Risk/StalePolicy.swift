public import OddsCore

/// Whether to trade on odds that nothing confirms: stale ones, and those that something contradicts.
public enum StalePolicy: Hashable, Sendable {
    /// Go on with the last known odds, and say so: what the original specification wants. The default.
    case warn
    /// Trade only on odds that are live or the poller's.
    case halt
    /// Go on, and say so, until they are older than this.
    case maximumAge(Duration)

    /// What to do with odds of some trust.
    func judge(_ snapshot: OddsSnapshot, now: ReceiveTime) -> StaleJudgement {
        let age: Duration
        switch snapshot.trust {
        case .live, .fallback, .resolving, .closed: return .confirmed
        case .stale(let since, _): age = Swift.max(.zero, since.monotonic.duration(to: now.monotonic))
        case .suspect: age = snapshot.age(at: now.monotonic)
        }
        let warning = StaleWarning(market: snapshot.marketID, trust: snapshot.trust, age: age)
        switch self {
        case .warn: return .tolerated(warning)
        case .halt: return .forbidden
        case .maximumAge(let maximum): return age <= maximum ? .tolerated(warning) : .forbidden
        }
    }
}

/// An order was decided on odds that nothing confirms.
public struct StaleWarning: Hashable, Sendable {
    /// The market.
    public let market: MarketID
    /// What the odds are.
    public let trust: Trust
    /// How long they have not been confirmed; for suspect odds, how old they are.
    public let age: Duration
}

enum StaleJudgement {
    case confirmed
    case tolerated(StaleWarning)
    case forbidden
}
