/// The life of one market that was named by its slug or condition id: looked up until it is found, followed until it is
/// closed.
///
/// Takes the same events and returns the same actions as `MarketRollover`.
public struct FixedMarket: Sendable {
    private enum State {
        case searching(failures: Int)
        case following(Market)
        case ended(Market?, MarketSettlement)
    }

    /// What the market is asked for by.
    public let query: MarketLookUp
    private let schedule: MarketSchedule
    private var state = State.searching(failures: 0)
    private var lookUp = LookUpState.waiting(since: Timestamp(milliseconds: 0), delay: .zero)
    private var firstOdds: Timestamp?
    /// What is wrong, in a sentence for people; nil when nothing is.
    public private(set) var problem: String?

    /// A market about which nothing is known yet; `advance(to:)` gives the first question.
    public init(_ query: MarketLookUp, schedule: MarketSchedule = MarketSchedule()) {
        self.query = query
        self.schedule = schedule
    }

    /// The market; nil until it is found, and when it was closed before it could be followed.
    public var status: MarketStatus? {
        let market: Market
        var isSubscribed = false
        var winner: Side?
        switch self.state {
        case .searching, .ended(nil, _): return nil
        case .following(let followed): (market, isSubscribed) = (followed, true)
        case .ended(.some(let ended), let settlement): (market, winner) = (ended, settlement.winner)
        }
        let firstOdds = market.window.flatMap { window in
            self.firstOdds.map { $0.milliseconds - window.start.milliseconds }
        }
        return MarketStatus(
            market: market, role: .fixed, subscribed: isSubscribed, firstOddsMilliseconds: firstOdds, winner: winner)
    }

    /// When `advance(to:)` is due next; nil when nothing is left to do or an answer is awaited.
    public var nextDeadline: Timestamp? { self.lookUp.deadline }

    /// The clock shows `now`.
    public mutating func advance(to now: Timestamp) -> [MarketAction] {
        guard self.lookUp.isDue(now) else { return [] }
        self.lookUp = .asked
        return [.lookUp(self.query)]
    }

    /// The venue answered.
    public mutating func lookedUp(
        _ answer: Result<MarketFinding, MarketLookUpFailure>, now: Timestamp
    ) -> [MarketAction] {
        guard self.lookUp == .asked else { return [] }
        self.lookUp = .none
        switch self.state {
        case .searching(let failures): return self.searched(answer, failures: failures, now)
        case .following(let market): return self.checked(answer, market, now)
        case .ended(.some(let market), .closed):
            guard case .success(let finding) = answer, finding.settlement.isDecided else {
                self.checkAgain(market, now, answer)
                return []
            }
            return self.ended(market, finding.settlement, now, .gamma)
        case .ended: return []
        }
    }

    /// The first usable odds of a market are on the board, since `time`.
    public mutating func firstOdds(of id: MarketID, at time: Timestamp) {
        guard case .following(let market) = self.state, market.id == id, self.firstOdds == nil else { return }
        self.firstOdds = time
    }

    /// The feed said that a market is decided; a token that is none of the market's means that no side won.
    public mutating func resolved(_ id: MarketID, winner: AssetID?, at time: Timestamp) -> [MarketAction] {
        guard let status, status.market.id == id else { return [] }
        return self.ended(
            status.market, winner.flatMap(status.market.side(of:)).map { .won($0) } ?? .split, time, .feed)
    }

    private mutating func searched(
        _ answer: Result<MarketFinding, MarketLookUpFailure>, failures: Int, _ now: Timestamp
    ) -> [MarketAction] {
        switch answer {
        case .failure(let failure):
            return self.retry(failure, failures: failures, now)
        case .success(let finding) where finding.settlement != .open:
            self.state = .ended(nil, finding.settlement)
            return self.report("\(finding.market.slug) is closed: there is nothing to follow")
        case .success(let finding) where !finding.hasOrderBook:
            let failure = MarketLookUpFailure(.noOrderBook, "\(finding.market.slug) has no order book")
            return self.retry(failure, failures: failures, now)
        case .success(let finding):
            self.state = .following(finding.market)
            self.checkAgain(finding.market, now, answer)
            return [.subscribe(finding.market)] + self.report(nil)
        }
    }

    private mutating func retry(
        _ failure: MarketLookUpFailure, failures: Int, _ now: Timestamp
    ) -> [MarketAction] {
        self.state = .searching(failures: failures + 1)
        let delay = self.schedule.retryDelay(
            failures: failures + 1, startsIn: nil, retryAfter: failure.retryAfter)
        self.lookUp = .waiting(since: now, delay: delay)
        return self.report(failure.message)
    }

    private mutating func checked(
        _ answer: Result<MarketFinding, MarketLookUpFailure>, _ market: Market, _ now: Timestamp
    ) -> [MarketAction] {
        guard case .success(let finding) = answer, finding.settlement != .open else {
            self.checkAgain(market, now, answer)
            return []
        }
        return self.ended(market, finding.settlement, now, .gamma)
    }

    private mutating func ended(
        _ market: Market, _ settlement: MarketSettlement, _ time: Timestamp, _ source: ResolutionSource
    ) -> [MarketAction] {
        var actions: [MarketAction] = []
        switch self.state {
        case .following: actions.append(.unsubscribe(market))
        case .searching, .ended: break
        }
        if case .ended(_, let known) = self.state, known.isDecided { return [] }
        self.state = .ended(market, settlement)
        if settlement.isDecided {
            self.lookUp = .none
            actions.insert(
                .resolution(
                    Resolution(market: market, winner: settlement.winner, exchangeTime: time, source: source)),
                at: 0)
        } else {
            self.lookUp = .waiting(since: time, delay: self.schedule.slowCheckInterval)
        }
        return actions
    }

    /// Often around the announced end, seldom otherwise; that end is only a plan (a match may run late).
    private mutating func checkAgain(
        _ market: Market, _ now: Timestamp, _ answer: Result<MarketFinding, MarketLookUpFailure>
    ) {
        var delay = self.schedule.slowCheckInterval
        if let end = market.window?.end {
            let first = now.duration(to: end.advanced(by: self.schedule.firstSettlementCheck))
            let isNearEnd = now >= end && now < end.advanced(by: self.schedule.forgetAfterEnd)
            delay = isNearEnd ? self.schedule.settlementCheckInterval : first > .zero ? min(delay, first) : delay
        }
        if case .failure(let failure) = answer, let retryAfter = failure.retryAfter {
            delay = max(delay, min(retryAfter, .seconds(300)))
        }
        self.lookUp = .waiting(since: now, delay: max(delay, .seconds(1)))
    }

    private mutating func report(_ problem: String?) -> [MarketAction] {
        guard problem != self.problem else { return [] }
        self.problem = problem
        return [.problem(problem)]
    }
}
