/// Tells whether a book from the REST API can be true, by what is known of the market: one guard per market.
///
/// Two kinds of wrong answers have been met in the field. A **ghost** is a book of 0.01/0.99 (or an empty one) that was
/// never there. A **late** answer comes from a copy that is behind, from before the last change that is known. Neither may
/// be served, and neither says anything about the feed. But a book can really become empty, so a ghost's shape alone
/// condemns nothing for ever:
///
/// 1. An answer whose timestamp lies before the newest stamp seen, from REST or from the feed, is `older`. (A book's
///    timestamp is that of its last change, and every change touches both tokens, so one clock serves both.) Stamps can
///    be wrong once, or the exchange's clock set back: when the stamps of older answers have themselves moved on by
///    `clockPatience`, step by step, and nothing newer has come from anywhere, time starts over from there.
/// 2. An answer of any other shape than a ghost's is `sane`.
/// 3. A ghost's shape is believed at once when nothing contradicts it:
///    - no sane book of the market was seen yet;
///    - the last sane book was all but decided, bid at 0.95 or more, or ask at 0.05 or less (YES or NO): after that,
///      an empty book is what comes;
///    - it is from the window's end or later;
///    - the last word of the feed was such a book too: what a second witness shows is no ghost.
/// 4. Otherwise it is a `ghost`, until it is confirmed: `confirmations` answers in a row for each of the market's tokens,
///    all newer than the last sane book, none sane between them, the newest of the two tokens mirrors of each other with
///    one timestamp. A book whose timestamp moves while its levels stay the same is no book: it confirms nothing, and the
///    count starts over. A copy that is stuck on an old book never gets here, because its timestamp is old.
///
/// The guard has no clock: it knows only the exchange's stamps and the order in which it is told.
public struct GhostGuard: Sendable {
    /// What a REST book is worth.
    public enum Verdict: Sendable, Hashable {
        /// Nothing contradicts it.
        case sane
        /// It has the shape of a ghost, and something says that it is one.
        case ghost
        /// It is from before something that is known already.
        case older
        /// It is not about this market.
        case foreign
    }

    /// The bid from which on, and below whose complement for the ask, a market is all but decided.
    public static let nearlyDecided = Price(rawValue: 9_500)

    /// In how many steps at least the stamps of older answers must move on: a copy that moves on is no leap between two
    /// that are stuck.
    private static let clockSteps = 4

    /// The market that is guarded.
    public let market: Market
    private let confirmations: Int
    private let clockPatience: Duration

    /// The newest stamp seen anywhere; nil before the first.
    private var newest: Timestamp?
    /// Best prices of YES in the last book that was not ghost-shaped; nil before, and after an emptied book was believed.
    private var lastSane: (bid: Price?, ask: Price?)?
    private var lastSaneTime = Timestamp(milliseconds: .min)
    /// Ghost-shaped answers in a row, by side.
    private var ghosts: [Side: (count: Int, last: RESTBook)] = [:]
    /// A row of older stamps, none before the one that came before it; nil when the last was not older.
    private var behind: (first: Timestamp, last: Timestamp, steps: Int)?

    /// A guard that has seen nothing yet.
    ///
    /// - Parameters:
    ///   - market: the market; its tokens say which side a book is of, and its window when it is over.
    ///   - confirmations: how many answers in a row, for each token, make a ghost's shape believed; at least 1.
    ///   - clockPatience: how far the stamps of older answers must move on before they are believed after all.
    public init(market: Market, confirmations: Int = 3, clockPatience: Duration = .seconds(300)) {
        precondition(confirmations > 0, "at least one answer confirms a book")
        self.market = market
        self.confirmations = confirmations
        self.clockPatience = clockPatience
    }

    /// Another witness, such as a live line, shows this of the market.
    ///
    /// - Parameters:
    ///   - bid: the best bid of YES; nil when nobody bids.
    ///   - ask: the best ask of YES; nil when nobody offers.
    ///   - time: the exchange's stamp on it.
    public mutating func saw(bid: Price?, ask: Price?, at time: Timestamp) {
        if let newest = self.newest, time < newest {
            guard self.clockWasSetBack(to: time) else { return }
            self.startOver()
        }
        self.accept(bid: bid, ask: ask, at: time)
    }

    /// What an answer is worth. What is sane is remembered.
    public mutating func judge(_ book: RESTBook) -> Verdict {
        guard book.market == self.market.id, let side = self.market.side(of: book.asset) else { return .foreign }
        if let newest = self.newest, book.timestamp < newest {
            guard self.clockWasSetBack(to: book.timestamp) else { return .older }
            self.startOver()
        }
        guard book.hasGhostShape else {
            self.accept(book, side)
            return .sane
        }
        guard self.isExpected(book) || self.isConfirmed(by: book, side) else { return .ghost }
        self.accept(book, side)
        return .sane
    }

    // MARK: Time

    private mutating func clockWasSetBack(to time: Timestamp) -> Bool {
        guard let row = self.behind, time >= row.last else {
            // Two copies of different age may answer in turn; only a row that moves on is a clock.
            self.behind = (first: time, last: time, steps: 0)
            return false
        }
        let steps = time > row.last ? row.steps + 1 : row.steps
        self.behind = (first: row.first, last: time, steps: steps)
        return steps >= Self.clockSteps && row.first.duration(to: time) >= self.clockPatience
    }

    private mutating func startOver() {
        self.newest = nil
        self.lastSaneTime = Timestamp(milliseconds: .min)
        self.ghosts = [:]
        self.behind = nil
    }

    // MARK: Ghosts

    private func isExpected(_ book: RESTBook) -> Bool {
        guard let sane = self.lastSane else { return true }
        if sane.bid ?? .zero >= Self.nearlyDecided || sane.ask ?? .one <= Self.nearlyDecided.complement { return true }
        return self.market.window.map { book.timestamp >= $0.end } ?? false
    }

    private mutating func isConfirmed(by book: RESTBook, _ side: Side) -> Bool {
        guard book.timestamp > self.lastSaneTime else { return false }
        var count = 1
        if let row = self.ghosts[side] {
            let moved = book.timestamp != row.last.timestamp
            let changed = book.bids != row.last.bids || book.asks != row.last.asks
            guard moved == changed else {
                self.ghosts = [:]
                return false
            }
            count = row.count + 1
        }
        self.ghosts[side] = (count, book)
        guard count >= self.confirmations else { return false }
        guard self.market.no != nil else { return true }
        guard let other = self.ghosts[side.opposite] else { return false }
        return other.count >= self.confirmations && other.last.timestamp == book.timestamp && other.last.mirrors(book)
    }

    // MARK: Memory

    private mutating func accept(_ book: RESTBook, _ side: Side) {
        let (bid, ask) = (book.bestBid?.price, book.bestAsk?.price)
        switch side {
        case .yes: self.accept(bid: bid, ask: ask, at: book.timestamp)
        case .no: self.accept(bid: ask?.complement, ask: bid?.complement, at: book.timestamp)
        }
    }

    private mutating func accept(bid: Price?, ask: Price?, at time: Timestamp) {
        self.newest = max(self.newest ?? time, time)
        self.ghosts = [:]
        self.behind = nil
        if Self.isGhostShape(bid: bid, ask: ask) {
            self.lastSane = nil
        } else {
            self.lastSane = (bid, ask)
            self.lastSaneTime = time
        }
    }

    private static func isGhostShape(bid: Price?, ask: Price?) -> Bool {
        (bid?.rawValue ?? 0) <= 100 && (ask?.rawValue ?? 10_000) >= 9_900
    }
}
