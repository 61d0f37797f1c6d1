/// What to ask the venue for, when a market's tokens are not known yet or its end is awaited.
public enum MarketLookUp: Hashable, Sendable, CustomStringConvertible {
    /// The market of a series' window, under one of these slugs, the most likely first.
    case window(MarketWindow, slugs: [String])
    /// One market by its slug.
    case slug(String)
    /// One market by its condition id.
    case condition(MarketID)

    /// The first name asked for.
    public var description: String {
        switch self {
        case .window(let window, let slugs): slugs.first ?? "window \(window.start.seconds)"
        case .slug(let slug): slug
        case .condition(let id): id.rawValue
        }
    }
}

/// What the venue said about a market.
public struct MarketFinding: Sendable {
    /// The market as it was described.
    public let market: Market
    /// Whether it is over, and how it ended.
    public let settlement: MarketSettlement
    /// Whether it is traded in an order book at all.
    public let hasOrderBook: Bool

    /// A finding from its parts.
    public init(market: Market, settlement: MarketSettlement = .open, hasOrderBook: Bool = true) {
        self.market = market
        self.settlement = settlement
        self.hasOrderBook = hasOrderBook
    }
}

/// How far a market's end has come.
public enum MarketSettlement: Hashable, Sendable {
    /// Not over.
    case open
    /// Closed; who won is not known yet.
    case closed
    /// One side pays.
    case won(Side)
    /// Decided without one winning side: the payout is split.
    case split

    /// Whether the end is known for good.
    public var isDecided: Bool {
        switch self {
        case .open, .closed: false
        case .won, .split: true
        }
    }

    /// The winning side; nil when there is none or none yet.
    public var winner: Side? {
        switch self {
        case .won(let side): side
        case .open, .closed, .split: nil
        }
    }
}

/// Why a look-up gave no market; it is tried again.
public struct MarketLookUpFailure: Error, Hashable, Sendable {
    /// What went wrong.
    public enum Reason: String, Hashable, Sendable, CaseIterable {
        /// The venue does not know the market (yet).
        case missing
        /// The market is closed already.
        case closed
        /// The market does not take orders yet.
        case notAccepting
        /// The market is not traded in an order book.
        case noOrderBook
        /// The market found is about another time.
        case otherWindow
        /// The venue could not be reached, or answered too late.
        case unreachable
        /// The venue asked for fewer requests.
        case rateLimited
        /// The venue refused the request or failed.
        case refused
        /// The answer could not be read.
        case malformed
    }

    /// What went wrong.
    public let reason: Reason
    /// A sentence for people.
    public let message: String
    /// How long the venue asks to wait; nil when it does not say.
    public let retryAfter: Duration?

    /// A failure from its parts.
    public init(_ reason: Reason, _ message: String, retryAfter: Duration? = nil) {
        self.reason = reason
        self.message = message
        self.retryAfter = retryAfter
    }
}

/// What the machines that follow markets ask their shell to do, one step at a time.
public enum MarketAction: Sendable {
    /// Ask the venue; the answer goes back to the machine that asked, once, if only as a failure.
    case lookUp(MarketLookUp)
    /// Follow the market's tokens on the lines.
    case subscribe(Market)
    /// Stop following the market's tokens.
    case unsubscribe(Market)
    /// The series has a new current market since the boundary; nil while the venue does not have it.
    case becameCurrent(Market?, previous: Market?, boundary: Timestamp)
    /// A rollover and its cost.
    case receipt(RolloverReceipt)
    /// A market is decided.
    case resolution(Resolution)
    /// What is wrong now, in a sentence for people; nil when nothing is any more.
    case problem(String?)
}

extension MarketAction: CustomStringConvertible {
    /// One line, as logs and transcripts show it.
    public var description: String {
        switch self {
        case .lookUp(let query): return "look up \(query)"
        case .subscribe(let market): return "subscribe \(market.slug)"
        case .unsubscribe(let market): return "unsubscribe \(market.slug)"
        case .becameCurrent(let market, let previous, let boundary):
            return "current \(market?.slug ?? "none") after \(previous?.slug ?? "none") at \(boundary.seconds)"
        case .receipt(let receipt):
            let odds = receipt.firstOddsMilliseconds.map { "\($0) ms" } ?? "pending"
            return "receipt \(receipt.market.slug) after \(receipt.previous?.slug ?? "none"): \(odds)"
        case .resolution(let resolution):
            let winner = resolution.winner.map { $0 == .yes ? "yes" : "no" } ?? "none"
            return "resolved \(resolution.market.slug): \(winner)"
        case .problem(let problem): return "problem: \(problem ?? "none")"
        }
    }
}

/// When markets are looked up, subscribed and let go.
public struct MarketSchedule: Hashable, Sendable {
    /// How many windows after the current one are looked up ahead.
    public var windowsAhead = 2
    /// How long before its start a window is subscribed.
    public var subscribeAhead = Duration.seconds(60)
    /// How long after its end a window stays subscribed when nobody says that it is decided.
    public var keepAfterEnd = Duration.seconds(120)
    /// The waits between look-ups that failed; the last one repeats.
    public var retryDelays = [1, 2, 4, 8, 16, 30].map { Duration.seconds($0) }
    /// The longest wait between look-ups of a window that is due to be subscribed, until a minute after its start.
    public var urgentRetry = Duration.seconds(1)
    /// The longest wait between look-ups of a window that has been running for a minute or more.
    public var lateRetry = Duration.seconds(5)
    /// How long after the end the venue is first asked whether the market is closed (median there: 20 s).
    public var firstSettlementCheck = Duration.seconds(20)
    /// How long to wait between such questions while the market is kept.
    public var settlementCheckInterval = Duration.seconds(15)
    /// How long to wait between such questions otherwise.
    public var slowCheckInterval = Duration.seconds(60)
    /// How long after its end an undecided market is asked about at all.
    public var forgetAfterEnd = Duration.seconds(900)

    /// The defaults.
    public init() {}

    /// The wait before the next look-up of a market that is not there yet: growing, but short when it is needed.
    ///
    /// A wait the venue asks for is kept, up to five minutes. Never under a tenth of a second.
    func retryDelay(failures: Int, startsIn: Duration?, retryAfter: Duration?) -> Duration {
        precondition(!self.retryDelays.isEmpty, "a schedule needs at least one retry delay")
        var delay = self.retryDelays[min(max(0, failures - 1), self.retryDelays.count - 1)]
        if let startsIn {
            if startsIn > self.subscribeAhead {
                delay = min(delay, max(self.urgentRetry, startsIn - self.subscribeAhead))
            } else if startsIn > .seconds(-60) {
                delay = min(delay, self.urgentRetry)
            } else {
                delay = min(delay, self.lateRetry)
            }
        }
        return max(delay, min(retryAfter ?? .zero, .seconds(300)), .milliseconds(100))
    }
}

/// Whether a question to the venue is out, or when the next one is due.
enum LookUpState: Hashable, Sendable {
    case none
    case waiting(since: Timestamp, delay: Duration)
    case asked

    /// Whether the question is due; also when the wall clock was set back to well before the wait.
    func isDue(_ now: Timestamp) -> Bool {
        switch self {
        case .none, .asked: false
        case .waiting(let since, let delay): now >= since.advanced(by: delay) || now.advanced(by: .seconds(2)) < since
        }
    }

    /// When the question is due; nil when none is planned.
    var deadline: Timestamp? {
        switch self {
        case .none, .asked: nil
        case .waiting(let since, let delay): since.advanced(by: delay)
        }
    }
}
