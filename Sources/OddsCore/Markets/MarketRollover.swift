/// The life of one series: which market is current, which are made ready, which are let go.
///
/// Events and the wall clock go in, actions come out; nothing is performed here. Only the clock moves the series from one
/// window to the next: a dying market sends nothing, and a missing market must not keep the old one current. Every
/// method returns all actions due at `now`; the shell calls `advance(to:)` at `nextDeadline`, and at least every second so
/// that a clock that was stepped or a machine that slept is noticed.
///
/// **Receipts.** Each rollover gives one at the boundary, complete when the new market had odds before; otherwise a
/// second, complete one follows with the first odds. The window that was running when the series was started gives none:
/// its odds were missed because nobody was there, which says nothing about a rollover. When boundaries were slept through,
/// the receipt counts from the boundary of the window that is current on waking: the odds were in fact late by that much.
/// A series that goes back because the clock was set back gives none either.
public struct MarketRollover: Sendable {
    private struct Slot {
        let window: MarketWindow
        var market: Market?
        var isSubscribed = false
        var firstOdds: Timestamp?
        var settlement = MarketSettlement.open
        var failures = 0
        var problem: String?
        var lookUp: LookUpState

        var firstOddsMilliseconds: Int64? {
            self.firstOdds.map { $0.milliseconds - self.window.start.milliseconds }
        }
    }

    /// The series.
    public let series: MarketSeries
    private let schedule: MarketSchedule
    /// By window start; each window once.
    private var slots: [Slot] = []
    private var currentWindow: MarketWindow?
    private var previous: Market?
    private var isReceiptWanted = false
    /// What is wrong, in a sentence for people; nil when nothing is.
    public private(set) var problem: String?

    /// A series about which nothing is known yet; `advance(to:)` gives the first actions.
    public init(_ series: MarketSeries, schedule: MarketSchedule = MarketSchedule()) {
        self.series = series
        self.schedule = schedule
    }

    // MARK: Reading

    /// The market of the window that runs now; nil while the venue does not have it.
    public var current: Market? { self.currentSlot?.market }
    /// The market of the window after it; nil while it is being looked up.
    public var next: Market? { self.slots.first { self.isAhead($0) }?.market }
    /// The series for people.
    public var status: SeriesStatus {
        SeriesStatus(series: self.series.name, current: self.current, next: self.next, problem: self.problem)
    }
    /// Every market known, the oldest first.
    public var markets: [MarketStatus] {
        self.slots.compactMap { slot in
            slot.market.map {
                MarketStatus(
                    market: $0, role: self.isPast(slot) ? .past : self.isAhead(slot) ? .next : .current,
                    subscribed: slot.isSubscribed, firstOddsMilliseconds: slot.firstOddsMilliseconds,
                    winner: slot.settlement.winner)
            }
        }
    }

    /// When `advance(to:)` is due next; nil before the first call.
    public var nextDeadline: Timestamp? {
        guard let currentWindow else { return nil }
        return self.slots.reduce(currentWindow.end) { earliest, slot in
            ([slot.lookUp.deadline, self.stepDeadline(of: slot)].compactMap { $0 } + [earliest]).min() ?? earliest
        }
    }

    private func stepDeadline(of slot: Slot) -> Timestamp? {
        guard self.isPast(slot) else {
            let isWaiting = slot.market != nil && !slot.isSubscribed && slot.settlement == .open
            return isWaiting ? slot.window.start.advanced(by: .zero - self.schedule.subscribeAhead) : nil
        }
        let release = slot.window.end.advanced(by: self.schedule.keepAfterEnd)
        return slot.isSubscribed || slot.settlement.isDecided ? release : self.forgetTime(of: slot)
    }

    // MARK: Events

    /// The clock shows `now`.
    public mutating func advance(to now: Timestamp) -> [MarketAction] {
        var actions: [MarketAction] = []
        self.move(to: self.window(at: now), &actions)
        self.prepareWindowsAhead(now)
        for index in self.slots.indices { self.step(index, now, &actions) }
        self.slots = self.slots.filter { !self.isFinished($0, now) }
        self.reviewProblem(now, &actions)
        return actions
    }

    /// The venue answered the question about a window.
    public mutating func lookedUp(
        _ window: MarketWindow, _ answer: Result<MarketFinding, MarketLookUpFailure>, now: Timestamp
    ) -> [MarketAction] {
        var actions: [MarketAction] = []
        if let index = self.slots.firstIndex(where: { $0.window == window && $0.lookUp == .asked }) {
            switch self.judged(answer, for: index, now) {
            case .success(let finding): self.found(finding, at: index, now, &actions)
            case .failure(let failure): self.failed(failure, at: index, now)
            }
        }
        return actions + self.advance(to: now)
    }

    /// The first usable odds of a market are on the board, since `time`.
    public mutating func firstOdds(of id: MarketID, at time: Timestamp, now: Timestamp) -> [MarketAction] {
        var actions: [MarketAction] = []
        if let index = self.slots.firstIndex(where: { $0.market?.id == id }), self.slots[index].firstOdds == nil {
            self.slots[index].firstOdds = time
            if self.slots[index].window == self.currentWindow { self.completeReceipt(&actions) }
        }
        return actions + self.advance(to: now)
    }

    /// The feed said that a market is decided; a token that is none of the market's means that no side won.
    public mutating func resolved(
        _ id: MarketID, winner: AssetID?, at time: Timestamp, now: Timestamp
    ) -> [MarketAction] {
        var actions: [MarketAction] = []
        if let index = self.slots.firstIndex(where: { $0.market?.id == id }), let market = self.slots[index].market {
            self.settle(
                index, winner.flatMap(market.side(of:)).map { .won($0) } ?? .split, at: time, .feed, &actions)
        }
        return actions + self.advance(to: now)
    }

    // MARK: Windows

    private var currentSlot: Slot? { self.slots.first { $0.window == self.currentWindow } }
    private func isPast(_ slot: Slot) -> Bool { self.currentWindow.map { slot.window.start < $0.start } ?? false }
    private func isAhead(_ slot: Slot) -> Bool { self.currentWindow.map { slot.window.start > $0.start } ?? true }

    /// The window to be in. A clock set back a little across a boundary does not undo the rollover.
    private func window(at now: Timestamp) -> MarketWindow {
        let tolerance = min(.seconds(2), self.series.period / 4)
        if let currentWindow, now < currentWindow.start, now.advanced(by: tolerance) >= currentWindow.start {
            return currentWindow
        }
        return self.series.window(containing: now)
    }

    private mutating func move(to window: MarketWindow, _ actions: inout [MarketAction]) {
        guard window != self.currentWindow else { return }
        let last = self.currentWindow
        self.previous = self.current ?? self.previous
        self.currentWindow = window
        self.isReceiptWanted = last.map { $0.start < window.start } ?? false
        // A series that has just been started has nothing to take back.
        if last != nil || self.current != nil { self.announceCurrent(&actions) }
    }

    private func receipt() -> RolloverReceipt? {
        guard let slot = self.currentSlot, let market = slot.market else { return nil }
        return RolloverReceipt(
            series: self.series.name, market: market, previous: self.previous, boundary: slot.window.start,
            firstOddsMilliseconds: slot.firstOddsMilliseconds)
    }

    private mutating func announceCurrent(_ actions: inout [MarketAction]) {
        guard let currentWindow else { return }
        actions.append(.becameCurrent(self.current, previous: self.previous, boundary: currentWindow.start))
        guard self.isReceiptWanted, let receipt = self.receipt() else { return }
        actions.append(.receipt(receipt))
        self.isReceiptWanted = receipt.firstOddsMilliseconds == nil
    }

    private mutating func completeReceipt(_ actions: inout [MarketAction]) {
        guard self.isReceiptWanted, let receipt = self.receipt(), receipt.firstOddsMilliseconds != nil else { return }
        actions.append(.receipt(receipt))
        self.isReceiptWanted = false
    }

    /// Makes sure that the current window and those after it have slots, and takes out what lies further ahead.
    private mutating func prepareWindowsAhead(_ now: Timestamp) {
        guard var window = self.currentWindow else { return }
        for _ in 0...max(0, self.schedule.windowsAhead) {
            if !self.slots.contains(where: { $0.window == window }) {
                self.slots.append(Slot(window: window, lookUp: .waiting(since: now, delay: .zero)))
            }
            window = self.series.window(after: window)
        }
        self.slots.sort { $0.window.start < $1.window.start }
    }

    // MARK: One window

    private mutating func step(_ index: Int, _ now: Timestamp, _ actions: inout [MarketAction]) {
        let window = self.slots[index].window
        if self.isPast(self.slots[index]) {
            self.planSettlementCheck(index, now)
        } else if self.shouldSubscribe(self.slots[index], now), let market = self.slots[index].market {
            self.slots[index].isSubscribed = true
            actions.append(.subscribe(market))
        }
        if self.slots[index].lookUp.isDue(now) {
            let isOver = self.isOver(self.slots[index], now)
            self.slots[index].lookUp = isOver ? .none : .asked
            if !isOver { actions.append(.lookUp(.window(window, slugs: self.series.slugs(for: window)))) }
        }
        self.letGo(index, now, &actions)
    }

    private mutating func letGo(_ index: Int, _ now: Timestamp, _ actions: inout [MarketAction]) {
        guard self.slots[index].isSubscribed, self.shouldLetGo(self.slots[index], now),
            let market = self.slots[index].market
        else { return }
        self.slots[index].isSubscribed = false
        actions.append(.unsubscribe(market))
    }

    private func shouldSubscribe(_ slot: Slot, _ now: Timestamp) -> Bool {
        guard slot.market != nil, !slot.isSubscribed, slot.settlement == .open, !self.isTooFarAhead(slot) else {
            return false
        }
        return slot.window == self.currentWindow
            || now >= slot.window.start.advanced(by: .zero - self.schedule.subscribeAhead)
    }

    private func shouldLetGo(_ slot: Slot, _ now: Timestamp) -> Bool {
        guard self.isPast(slot) else { return self.isTooFarAhead(slot) }
        return slot.settlement != .open || now >= slot.window.end.advanced(by: self.schedule.keepAfterEnd)
    }

    /// After a clock was set back, windows remain that are not wanted yet.
    private func isTooFarAhead(_ slot: Slot) -> Bool {
        guard let currentWindow else { return false }
        var last = currentWindow
        for _ in 0..<max(0, self.schedule.windowsAhead) { last = self.series.window(after: last) }
        return slot.window.start > last.start
    }

    private func forgetTime(of slot: Slot) -> Timestamp {
        slot.window.end.advanced(by: max(self.schedule.forgetAfterEnd, self.schedule.keepAfterEnd))
    }

    /// Whether there is nothing left to learn about the slot.
    private func isOver(_ slot: Slot, _ now: Timestamp) -> Bool {
        guard self.isPast(slot) else { return self.isTooFarAhead(slot) }
        return slot.market == nil || slot.settlement.isDecided || now >= self.forgetTime(of: slot)
    }

    private func isFinished(_ slot: Slot, _ now: Timestamp) -> Bool {
        guard self.isPast(slot) else { return self.isTooFarAhead(slot) }
        guard slot.market != nil else { return true }
        // A decided market stays readable as long as it would have been kept.
        let release = slot.window.end.advanced(by: self.schedule.keepAfterEnd)
        return slot.settlement.isDecided ? now >= release : now >= self.forgetTime(of: slot)
    }

    private mutating func planSettlementCheck(_ index: Int, _ now: Timestamp) {
        let slot = self.slots[index]
        guard slot.lookUp == .none, slot.market != nil, !slot.settlement.isDecided else { return }
        let due = slot.window.end.advanced(by: self.schedule.firstSettlementCheck)
        self.slots[index].lookUp = .waiting(since: now, delay: max(.zero, now.duration(to: due)))
    }

    // MARK: Answers

    /// The answer, or why it cannot be used for the window.
    private func judged(
        _ answer: Result<MarketFinding, MarketLookUpFailure>, for index: Int, _ now: Timestamp
    ) -> Result<MarketFinding, MarketLookUpFailure> {
        guard case .success(let finding) = answer else { return answer }
        let slug = finding.market.slug
        let slot = self.slots[index]
        if let start = finding.market.window?.start, start != slot.window.start {
            return .failure(
                MarketLookUpFailure(
                    .otherWindow, "\(slug) starts at \(start.seconds), not at \(slot.window.start.seconds)"))
        }
        guard slot.market == nil else { return answer }
        if finding.settlement != .open {
            return .failure(MarketLookUpFailure(.closed, "\(slug) is closed already"))
        }
        if !finding.hasOrderBook {
            return .failure(MarketLookUpFailure(.noOrderBook, "\(slug) has no order book"))
        }
        return answer
    }

    private mutating func found(
        _ finding: MarketFinding, at index: Int, _ now: Timestamp, _ actions: inout [MarketAction]
    ) {
        let slot = self.slots[index]
        self.slots[index].lookUp = .none
        self.slots[index].problem = nil
        guard finding.settlement == .open else {
            self.settle(index, finding.settlement, at: now, .gamma, &actions)
            if !finding.settlement.isDecided { self.checkAgain(index, now) }
            return
        }
        if self.isPast(slot) {
            self.checkAgain(index, now)
        } else {
            self.adopt(finding.market, at: index, now, &actions)
        }
    }

    private mutating func adopt(
        _ found: Market, at index: Int, _ now: Timestamp, _ actions: inout [MarketAction]
    ) {
        let slot = self.slots[index]
        let market = found.placed(in: self.series.name, window: slot.window)
        let isNew = slot.market?.id != market.id
        if isNew, slot.isSubscribed, let replaced = slot.market {
            self.slots[index].isSubscribed = false
            actions.append(.unsubscribe(replaced))
        }
        if isNew || !slot.isSubscribed { self.slots[index].market = market }
        if isNew {
            self.slots[index].firstOdds = nil
            if slot.window == self.currentWindow { self.announceCurrent(&actions) }
        }
        // It is followed when the time comes even so: the tokens are right, and a paused market still has a book.
        guard !market.acceptingOrders, now < slot.window.start else {
            self.slots[index].failures = 0
            return
        }
        self.failed(
            MarketLookUpFailure(.notAccepting, "\(market.slug) does not take orders yet"), at: index, now)
    }

    private mutating func failed(_ failure: MarketLookUpFailure, at index: Int, _ now: Timestamp) {
        guard !self.isPast(self.slots[index]) else {
            self.checkAgain(index, now, retryAfter: failure.retryAfter)
            return
        }
        self.slots[index].failures += 1
        self.slots[index].problem = failure.message
        let delay = self.schedule.retryDelay(
            failures: self.slots[index].failures, startsIn: now.duration(to: self.slots[index].window.start),
            retryAfter: failure.retryAfter)
        self.slots[index].lookUp = .waiting(since: now, delay: delay)
    }

    private mutating func checkAgain(_ index: Int, _ now: Timestamp, retryAfter: Duration? = nil) {
        let isKept = now < self.slots[index].window.end.advanced(by: self.schedule.keepAfterEnd)
        let delay = isKept ? self.schedule.settlementCheckInterval : self.schedule.slowCheckInterval
        self.slots[index].lookUp = .waiting(since: now, delay: max(delay, min(retryAfter ?? .zero, .seconds(300))))
    }

    private mutating func settle(
        _ index: Int, _ settlement: MarketSettlement, at time: Timestamp, _ source: ResolutionSource,
        _ actions: inout [MarketAction]
    ) {
        guard let market = self.slots[index].market, !self.slots[index].settlement.isDecided else { return }
        self.slots[index].settlement = settlement
        guard settlement.isDecided else { return }
        if self.slots[index].lookUp != .asked { self.slots[index].lookUp = .none }
        actions.append(
            .resolution(
                Resolution(market: market, winner: settlement.winner, exchangeTime: time, source: source)))
    }

    // MARK: What is wrong

    /// The trouble of the first window that is needed now; a window that has time left is only retried.
    private mutating func reviewProblem(_ now: Timestamp, _ actions: inout [MarketAction]) {
        let problem = self.slots.first { slot in
            !self.isPast(slot) && slot.problem != nil
                && now >= slot.window.start.advanced(by: .zero - self.schedule.subscribeAhead)
        }?.problem
        guard problem != self.problem else { return }
        self.problem = problem
        actions.append(.problem(problem))
    }
}
