/// What the REST witness gives of one market, on its way to the board: shown while no line can be believed.
///
/// Confined to the event loop that all lines share; not thread-safe, on purpose.
public final class WitnessSeat {
    /// What a change did to the board.
    public struct Outcome {
        /// Whether prices, sizes or last trades changed.
        public let values: Bool
        /// The trust before, when it changed.
        public let previousTrust: Trust?
    }

    private let arbiter: FeedArbiter
    private let table: UnsafeMutablePointer<Arbitration>
    private var words = SlotWords()

    /// A seat at a market's table; it is given back when this is let go.
    public init(slot: MarketSlot, arbiter: FeedArbiter) {
        self.arbiter = arbiter
        self.table = arbiter.join(slot)
        self.words.setSource(.poller)
    }

    deinit { self.arbiter.leave(self.table, seat: FeedArbiter.witnessSeat) }

    /// Offers odds as `fallback`; nil when the board stays as it is.
    public func serve(yes: Quote, no: Quote, exchangeTime: Timestamp, at now: ReceiveTime) -> Outcome? {
        self.words.setTimes(exchange: exchangeTime.milliseconds, receive: now)
        self.words.setPrices(yesBid: yes.bid.raw, yesAsk: yes.ask.raw, noBid: no.bid.raw, noAsk: no.ask.raw)
        self.words.setSizes(
            yesBid: yes.bidSize.rawValue, yesAsk: yes.askSize.rawValue, noBid: no.bidSize.rawValue,
            noAsk: no.askSize.rawValue)
        self.words.setLastTrades(yes: yes.lastTrade.raw, no: no.lastTrade.raw)
        self.words.setTrust(.fallback)
        return self.offer(at: now.monotonic)
    }

    /// Says that what was offered last has not been confirmed since; nil when the board stays as it is.
    public func serveAsStale(reason: StaleReason, at now: ReceiveTime) -> Outcome? {
        guard self.words.sequence > 0 else { return nil }
        self.words.setTrust(.stale(since: self.words.receiveTime, reason: reason))
        return self.offer(at: now.monotonic)
    }

    /// Says that the market is over, or decided; nil when the board stays as it is.
    public func conclude(_ trust: Trust, at now: ReceiveTime) -> Outcome? {
        guard self.words.sequence > 0 else { return nil }
        self.words.setTrust(trust)
        return self.offer(at: now.monotonic)
    }

    /// Marks a line's odds on the board as confirmed, when they are shown.
    public func confirm(seat: Int, at now: ReceiveTime) { self.table.pointee.confirm(seat, at: now) }

    /// Offers nothing any more. What is on the board stays there until a line has something better.
    public func withdraw() { self.table.pointee.withdraw(FeedArbiter.witnessSeat) }

    private func offer(at now: MonotonicTime) -> Outcome? {
        self.words.sequence &+= 1
        let outcome = self.table.pointee.offer(self.words, count: 0, from: FeedArbiter.witnessSeat, at: now)
        return outcome.map { Outcome(values: $0.values, previousTrust: $0.previousTrust) }
    }
}

extension Price? {
    /// In ten-thousandths; -1 for none.
    fileprivate var raw: Int32 { self?.rawValue ?? -1 }
}
