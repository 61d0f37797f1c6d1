/// One market as a poller knows it: answers and the clock go in, the board is written, and what changed comes out.
///
/// Its odds are never `live`: they are `fallback` while the last question was answered, `stale` since the last answer when
/// `patience` questions in a row brought nothing that can be believed, and `resolving` or `closed` by the market's phase.
/// The values of an answer that cannot be believed are never shown. One poller writes a market, so the slot has one writer.
public struct PolledMarket: Sendable {
    /// What came of the question for one token's book.
    public enum Answer: Sendable {
        /// A book.
        case book(RESTBook)
        /// The venue says that it has no book for the token.
        case absent
        /// Nothing that can be used.
        case failed
    }

    /// What an event did to the board.
    public struct Change: Sendable, Equatable {
        /// Whether prices, sizes or last trades changed.
        public var values: Bool
        /// The trust before, when it is another now.
        public var previousTrust: Trust?

        /// A change from its parts.
        public init(values: Bool, previousTrust: Trust?) {
            self.values = values
            self.previousTrust = previousTrust
        }
    }

    /// What came of one question for the market.
    public struct Outcome: Sendable, Equatable {
        /// Whether the odds on the board are those of this question, or confirmed by it.
        public var isConfirmed = false
        /// How the two books went together; nil when none was believed.
        public var agreement: RESTOdds.Agreement?
        /// How many of the books were taken for ghosts.
        public var ghosts = 0
        /// How many of the books were from before something that is known.
        public var older = 0
        /// How many of the books were about another market.
        public var foreign = 0
        /// What changed on the board; nil when nothing did.
        public var change: Change?
    }

    /// How many questions in a row must bring nothing before the odds are stale.
    public static let patience = 2

    /// The market's place on the board.
    public let slot: MarketSlot
    /// The market.
    public var market: Market { self.slot.market }
    /// Questions in a row that brought nothing that can be believed.
    public private(set) var failures = 0
    /// The last book that was believed, of the token that both quotes are made of; nil before the first.
    public private(set) var book: RESTBook?
    /// Where the market stands in its life.
    public private(set) var phase = MarketPhase.trading

    private let board: OddsBoard
    private var ghostGuard: GhostGuard
    private var lost: StaleReason?
    private var knownTrade: Price?
    /// What is on the board; sequence 0 before anything is.
    private var shown = SlotWords()

    /// A market of which nothing is known yet.
    public init(slot: MarketSlot, board: OddsBoard) {
        self.slot = slot
        self.board = board
        self.ghostGuard = GhostGuard(market: slot.market)
        self.shown.setSource(.poller)
        self.shown.epoch = board.epoch
        self.phase = slot.market.closed ? .closed : .trading
    }

    /// Whether there is anything to ask for.
    public var isClosed: Bool { self.phase == .closed }

    /// A question was answered.
    ///
    /// - Parameters:
    ///   - yes: what came for the YES token.
    ///   - no: what came for the NO token; nil when the market has none.
    ///   - now: when the later of the two answers was there.
    public mutating func answered(yes: Answer, no: Answer?, at now: ReceiveTime) -> Outcome {
        var outcome = Outcome()
        let believed = self.believed([yes, no].compactMap { $0 }, &outcome)
        let odds = RESTOdds(
            market: self.market, yes: believed.first { self.market.side(of: $0.asset) == .yes },
            no: believed.first { self.market.side(of: $0.asset) == .no }, knownTrade: self.knownTrade)
        guard let odds else {
            // A market whose time is over has no book any more.
            if self.phase == .resolving, outcome.ghosts + outcome.older + outcome.foreign == 0,
                yes.isAbsent, no?.isAbsent ?? true
            {
                self.failures = 0
                self.lost = nil
            } else {
                self.failures += 1
                self.lost = self.reason(yes, no)
            }
            outcome.change = self.showTrust()
            return outcome
        }
        self.failures = 0
        self.lost = nil
        self.knownTrade = odds.yes.lastTrade
        self.book = believed.first { self.market.side(of: $0.asset) == odds.agreement.side }
        outcome.isConfirmed = true
        outcome.agreement = odds.agreement
        outcome.change = self.show(odds, at: now)
        return outcome
    }

    /// Time has passed: at its window's end a market is to be resolved, whatever its book says.
    public mutating func advance(to now: Timestamp) -> Change? {
        guard self.phase != .closed, let end = self.market.window?.end else { return nil }
        let phase = now < end ? MarketPhase.trading : .resolving
        guard phase != self.phase else { return nil }
        self.phase = phase
        return self.showTrust()
    }

    /// The market is decided, by whichever way that became known.
    public mutating func close() -> Change? {
        self.phase = .closed
        return self.showTrust()
    }

    /// The poller ends: from now on nothing confirms the odds.
    public mutating func stop() -> Change? {
        self.failures = Self.patience
        self.lost = .stopped
        return self.showTrust()
    }

    // MARK: Believing

    /// The books that can be true, of at most two. The older is judged first, and a ghost's shape last, so that the answers to
    /// one question do not speak against each other for having come in the wrong order.
    private mutating func believed(_ answers: [Answer], _ outcome: inout Outcome) -> [RESTBook] {
        let books = answers.compactMap(\.book).sorted {
            ($0.timestamp, $0.hasGhostShape ? 1 : 0) < ($1.timestamp, $1.hasGhostShape ? 1 : 0)
        }
        return books.filter { book in
            switch self.ghostGuard.judge(book) {
            case .sane: return true
            case .ghost: outcome.ghosts += 1
            case .older: outcome.older += 1
            case .foreign: outcome.foreign += 1
            }
            return false
        }
    }

    private func reason(_ yes: Answer, _ no: Answer?) -> StaleReason {
        let answers = [yes, no].compactMap { $0 }
        // Something came, and it cannot be true: the venue's copy stands still.
        if answers.contains(where: { $0.book != nil }) { return .frozen }
        return answers.contains { $0.isAbsent } ? .awaitingSnapshot : .disconnected
    }

    // MARK: Showing

    private var trust: Trust {
        switch self.phase {
        case .closed: return .closed
        case .trading, .resolving:
            if let lost, self.failures >= Self.patience {
                return .stale(since: self.shown.receiveTime, reason: lost)
            }
            return self.phase == .resolving ? .resolving : .fallback
        }
    }

    private mutating func show(_ odds: RESTOdds, at now: ReceiveTime) -> Change? {
        var next = self.shown
        next.setTimes(exchange: odds.exchangeTime.milliseconds, receive: now)
        next.setPrices(
            yesBid: odds.yes.bid.raw, yesAsk: odds.yes.ask.raw, noBid: odds.no.bid.raw, noAsk: odds.no.ask.raw)
        next.setSizes(
            yesBid: odds.yes.bidSize.rawValue, yesAsk: odds.yes.askSize.rawValue, noBid: odds.no.bidSize.rawValue,
            noAsk: odds.no.askSize.rawValue)
        next.setLastTrades(yes: odds.yes.lastTrade.raw, no: odds.no.lastTrade.raw)
        next.setTrust(self.trust)
        return self.write(next)
    }

    /// The values stay, and what they are worth changes.
    private mutating func showTrust() -> Change? {
        guard self.shown.sequence > 0 else { return nil }
        var next = self.shown
        next.setTrust(self.trust)
        return next.trustCode == self.shown.trustCode ? nil : self.write(next)
    }

    private mutating func write(_ words: SlotWords) -> Change? {
        var next = words
        next.sequence = self.shown.sequence &+ 1
        let isFirst = self.shown.sequence == 0
        let trustChanged = !isFirst && next.trustCode != self.shown.trustCode
        if trustChanged, next.isStale, !self.shown.isStale {
            next.epoch = self.board.advanceEpoch()
        }
        let valuesChanged = isFirst || !next.hasSameValues(as: self.shown)
        let previous = trustChanged ? self.shown.trust : nil
        self.slot.write(next)
        self.shown = next
        return valuesChanged || trustChanged ? Change(values: valuesChanged, previousTrust: previous) : nil
    }
}

extension SlotWords {
    fileprivate var isStale: Bool {
        switch self.trust {
        case .stale: true
        case .live, .suspect, .fallback, .resolving, .closed: false
        }
    }
}

extension PolledMarket.Answer {
    fileprivate var book: RESTBook? {
        guard case .book(let book) = self else { return nil }
        return book
    }

    fileprivate var isAbsent: Bool {
        guard case .absent = self else { return false }
        return true
    }
}

extension Price? {
    /// In ten-thousandths, -1 for none: the form the board's words take.
    fileprivate var raw: Int32 { self?.rawValue ?? -1 }
}
