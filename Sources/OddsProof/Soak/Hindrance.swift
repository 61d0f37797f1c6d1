internal import OddsCore
package import PolymarketSimulator

/// What keeps the exchange from serving anybody, as it was planned: time that no client can make good.
package struct Hindrances: Sendable {
    /// One of them.
    package struct Span: Sendable {
        /// Since the plan began.
        package var from: Duration
        package var until: Duration
        package var name: String
        /// Whether everybody is hit, on whatever connection.
        package var hitsAll: Bool
        /// Whether the website would not show new odds either.
        package var hidesOdds: Bool
        /// Whether messages come late of it, or stamps are wrong.
        package var holdsBack: Bool
    }

    /// In the order in which they begin.
    package let spans: [Span]

    /// No plan, no hindrance.
    package init() { self.spans = [] }

    /// What a plan holds.
    package init(_ plan: FaultPlan) {
        // A plan is in the order in which its faults begin.
        self.spans = plan.faults.compactMap { planned in
            let fault = planned.fault
            guard fault.kind.hinders, let duration = fault.duration else { return nil }
            let hitsAll = fault.target.line == nil
            return Span(
                from: planned.at, until: planned.at + duration, name: fault.kind.planName,
                hitsAll: hitsAll, hidesOdds: hitsAll && fault.kind.hidesOdds,
                holdsBack: fault.kind.holdsBack)
        }
    }

    /// Whether one is in force at a moment.
    package func isInForce(at time: Duration) -> Bool {
        self.spans.contains { $0.from <= time && time < $0.until }
    }

    /// Whether the exchange keeps its odds to itself for all of a time.
    package func hides(from begin: Duration, until end: Duration) -> Bool {
        self.spans.contains { $0.hidesOdds && $0.from <= begin && end <= $0.until + .milliseconds(250) }
    }

    /// Whether the exchange holds messages back at a moment, or has a wrong clock, or has just had.
    package func holdsBack(at time: Duration) -> Bool {
        self.spans.contains { $0.holdsBack && $0.from - .milliseconds(300) <= time && time < $0.until + .seconds(5) }
    }

    /// The names of those that touch a time.
    package func names(from begin: Duration, until end: Duration) -> [String] {
        var names: [String] = []
        for span in self.spans where span.from <= end && begin <= span.until && !names.contains(span.name) {
            names.append(span.name)
        }
        return names
    }

    /// How much of a time none of them is in force.
    package func free(from begin: Duration, until end: Duration) -> Duration {
        var free = Duration.zero
        // Up to here all is accounted for.
        var at = begin
        for span in self.spans where span.until > at && span.from < end {
            if span.from > at { free += span.from - at }
            at = span.until
            if at >= end { break }
        }
        return free + max(.zero, end - at)
    }
}

extension SimulatorFault.Kind {
    /// Whether it can keep a client without odds for as long as it lasts, whatever the client does.
    var hinders: Bool {
        switch self {
        case .refuse, .freeze, .halfOpen, .noSnapshot, .delay, .reorder, .corrupt, .truncate, .wrongHash, .lose,
            .restError, .restSlow, .restHang, .restReset, .restStale, .ghostBook, .missingMarket, .clockSkew:
            true
        case .drop, .close, .duplicate, .cut, .oversize, .gap, .recover: false
        }
    }

    /// Whether new odds reach nobody, or late.
    var hidesOdds: Bool {
        switch self {
        case .freeze, .delay: true
        default: false
        }
    }

    /// Whether messages come late of it, or stamps are wrong.
    var holdsBack: Bool {
        switch self {
        case .delay, .reorder, .clockSkew: true
        default: false
        }
    }

    /// What it is called in a plan.
    var planName: String {
        switch self {
        case .drop: "drop"
        case .close: "close"
        case .refuse(.reset): "reset"
        case .refuse: "refuse"
        case .freeze: "freeze"
        case .halfOpen: "half-open"
        case .noSnapshot: "no-snapshot"
        case .delay: "delay"
        case .duplicate: "duplicate"
        case .reorder: "reorder"
        case .corrupt: "corrupt"
        case .truncate: "truncate"
        case .cut: "cut"
        case .oversize: "oversize"
        case .wrongHash: "wrong-hash"
        case .lose: "lose"
        case .restError: "rest-error"
        case .restSlow: "rest-slow"
        case .restHang: "rest-hang"
        case .restReset: "rest-reset"
        case .restStale: "rest-stale"
        case .ghostBook: "ghost-book"
        case .missingMarket: "missing-market"
        case .clockSkew: "clock-skew"
        case .gap: "gap"
        case .recover: "recover"
        }
    }
}
