package import OddsCore
package import PolymarketSimulator

/// What keeps the exchange from serving anybody, as it was planned: time that no client can make good.
///
/// That is what hits every connection of the market channel, those to come too. A fault of one line is cured by the other
/// line or a new one, and the REST APIs are not where live odds come from. A series without a market is excused while the
/// exchange lists none.
package struct Hindrances: Sendable {
    /// Who was without odds.
    package enum Subject: Sendable {
        /// A market.
        case market(Market)
        /// A connection.
        case line
        /// A series that has no market.
        case series
    }

    /// One of them.
    package struct Span: Sendable {
        /// Since the plan began.
        package var from: Duration
        package var until: Duration
        package var name: String
        /// What it is about; nil for everything.
        package var about: FaultTarget.Subject?
        /// Whether markets are not listed because of it, and that is all.
        package var hidesMarkets: Bool
        /// Whether the website would not show new odds either.
        package var hidesOdds: Bool
        /// Whether messages come late of it, or stamps are wrong.
        package var holdsBack: Bool

        /// Whether it can have kept odds from a subject.
        func hits(_ subject: Subject) -> Bool {
            switch subject {
            case .series: self.hidesMarkets
            case .line: !self.hidesMarkets && self.about == nil
            case .market(let market): !self.hidesMarkets && self.isAbout(market)
            }
        }

        private func isAbout(_ market: Market) -> Bool {
            switch self.about {
            case nil: true
            case .asset(let asset): market.assets.contains { $0.rawValue == asset }
            case .outcome(_, slug: let slug), .slug(let slug): market.slug == slug
            case .series(let name), .current(_, series: let name?): market.series == name
            case .current(_, series: nil): false
            }
        }
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
            let hidesMarkets = fault.kind.hidesMarkets
            guard let duration = fault.duration, fault.target.line == nil,
                hidesMarkets || fault.kind.hinders && fault.target.api == nil
            else { return nil }
            return Span(
                from: planned.at, until: planned.at + duration, name: fault.kind.planName,
                about: fault.target.subject, hidesMarkets: hidesMarkets,
                hidesOdds: fault.kind.hidesOdds && fault.target.subject == nil, holdsBack: fault.kind.holdsBack)
        }
    }

    /// Whether one is in force for a subject at a moment.
    package func isInForce(for subject: Subject = .line, at time: Duration) -> Bool {
        self.spans.contains { $0.from <= time && time < $0.until && $0.hits(subject) }
    }

    /// How long of a time markets were not listed.
    package func unlisted(from begin: Duration, until end: Duration) -> Duration {
        // Those that overlap count once.
        var covered = Duration.zero
        var reached = begin
        for span in self.spans.filter(\.hidesMarkets).sorted(by: { $0.from < $1.from }) {
            let from = max(reached, span.from)
            let until = min(end, span.until)
            guard until > from else { continue }
            covered += until - from
            reached = until
        }
        return covered
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
    package func names(for subject: Subject = .line, from begin: Duration, until end: Duration) -> [String] {
        var names: [String] = []
        for span in self.spans
        where span.from <= end && begin <= span.until && span.hits(subject) && !names.contains(span.name) {
            names.append(span.name)
        }
        return names
    }

    /// How much of a time none of those that hit a subject is in force.
    package func free(for subject: Subject = .line, from begin: Duration, until end: Duration) -> Duration {
        var free = Duration.zero
        // Up to here all is accounted for.
        var at = begin
        for span in self.spans where span.until > at && span.from < end && span.hits(subject) {
            if span.from > at { free += span.from - at }
            at = span.until
            if at >= end { break }
        }
        return free + max(.zero, end - at)
    }
}

extension SimulatorFault.Kind {
    /// Whether it can keep a client without live odds for as long as it lasts, whatever the client does, when it hits
    /// every connection.
    var hinders: Bool {
        switch self {
        case .refuse, .freeze, .halfOpen, .noSnapshot, .delay, .clockSkew: true
        case .reorder(_, let frames), .corrupt(_, let frames), .truncate(let frames), .lose(let frames):
            // A single frame costs no longer than its loss takes to be noticed.
            if case .next = frames { false } else { true }
        case .drop, .close, .duplicate, .cut, .oversize, .wrongHash, .restError, .restSlow, .restHang, .restReset,
            .restStale, .ghostBook, .missingMarket, .gap, .recover:
            false
        }
    }

    /// Whether markets are not listed because of it.
    var hidesMarkets: Bool {
        if case .missingMarket = self { true } else { false }
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
