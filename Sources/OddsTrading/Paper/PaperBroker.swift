public import OddsCore

/// What a paper order meets when it gets to the venue: one token's offers and its market's terms at that moment.
public struct PaperBook: Sendable {
    /// The token.
    public var asset: AssetID
    /// Everything that is offered, in any order.
    public var asks: [Level]
    /// The market's terms.
    public var terms: MarketTerms
    /// The market's epoch.
    public var epoch: UInt64

    /// A book from its parts.
    public init(asset: AssetID, asks: [Level], terms: MarketTerms, epoch: UInt64) {
        self.asset = asset
        self.asks = asks
        self.terms = terms
        self.epoch = epoch
    }
}

/// A broker that buys on paper, from the real book.
///
/// An order gets to the venue a delay after it was decided, and meets the offers that are there then: it takes them, the
/// cheapest first, up to its limit, in whole lots; what is not there is cancelled. Orders that get there together take from
/// one book, one after the other. Paper trades leave no trace in the real book: what they took is offered again afterwards.
///
/// Pure: the shell calls `fill` with a book for each order of `due(now:)`, at `nextDeadline`, and writes every returned
/// event to the record before it acts on it. Events are already in `account` when they are returned.
public struct PaperBroker: Broker, Codable {
    /// How long an order takes to the venue.
    public let delay: Duration
    /// The money and what it was put into.
    public private(set) var account: PaperAccount

    /// A broker for a fresh account, or for a stored one: then `restarted` comes first. The delay is 250 ms by default.
    public init(account: PaperAccount, delay: Duration = .milliseconds(250)) {
        self.account = account
        self.delay = delay
    }

    /// When the next order gets to the venue; nil when none is on its way.
    public var nextDeadline: MonotonicTime? { self.account.orders.map { self.arrival($0) }.min() }

    /// The orders that are at the venue by now, in the order they were accepted.
    public func due(now: MonotonicTime) -> [Order] { self.account.orders.filter { self.arrival($0) <= now } }

    private func arrival(_ order: Order) -> MonotonicTime { order.decidedInstant.advanced(by: self.delay) }

    // MARK: Orders

    /// Takes an order: rejected when its number was used, when its epoch is over, or when there is no money for it.
    public mutating func submit(_ approved: RiskApproved, epoch: UInt64, now: ReceiveTime) -> [ExecutionEvent] {
        let order = approved.order
        if order.id <= self.account.lastOrder { return self.record([.rejected(order, .duplicateOrder)]) }
        if order.epoch != epoch { return self.record([.rejected(order, .epochMoved)]) }
        if order.reserve > self.account.available { return self.record([.rejected(order, .insufficientFunds)]) }
        return self.record([.accepted(order)])
    }

    /// The orders for one token that are due meet its book. A token without a book has no offers: then they are cancelled.
    public mutating func fill(_ book: PaperBook, now: ReceiveTime) -> [ExecutionEvent] {
        var asks = book.asks.sorted { $0.price < $1.price }
        var events: [ExecutionEvent] = []
        for order in self.due(now: now.monotonic) where order.asset == book.asset {
            if order.epoch != book.epoch {
                events.append(.cancelled(order.id, .epochMoved, at: now.wall))
            } else if let objection = book.terms.objection(limit: order.limit, size: order.size) {
                events.append(.cancelled(order.id, objection, at: now.wall))
            } else {
                events.append(Self.take(order, from: &asks, now))
            }
        }
        return self.record(events)
    }

    private static func take(_ order: Order, from asks: inout [Level], _ now: ReceiveTime) -> ExecutionEvent {
        var rest = order.size
        var parts: [Level] = []
        for index in asks.indices where rest > .zero && asks[index].price <= order.limit {
            let size = Lot.floor(Swift.min(rest, asks[index].size))
            guard size > .zero else { continue }
            parts.append(Level(price: asks[index].price, size: size))
            asks[index].size = asks[index].size - size
            rest = rest - size
        }
        guard !parts.isEmpty else { return .cancelled(order.id, .nothingOffered, at: now.wall) }
        return .filled(
            Execution(
                order: order.id, market: order.market, side: order.side,
                fills: parts.map { Fill(price: $0.price, size: $0.size) },
                cost: parts.reduce(.zero) { $0 + .cost(of: $1.size, at: $1.price) }, fee: order.fees.fee(on: parts),
                unfilled: rest, time: now.wall))
    }

    /// Cancels every order on its way.
    public mutating func cancelAll(_ reason: RefusalReason, now: ReceiveTime) -> [ExecutionEvent] {
        self.record(self.account.orders.map { .cancelled($0.id, reason, at: now.wall) })
    }

    /// The program was started with a stored account: orders that were on their way are cancelled, because epochs and the
    /// monotonic clock have begun anew.
    public mutating func restarted(now: ReceiveTime) -> [ExecutionEvent] { self.cancelAll(.restarted, now: now) }

    /// Gives up orders that got to the venue long ago and met no book: whoever was to bring one brings it no more.
    public mutating func giveUp(now: ReceiveTime) -> [ExecutionEvent] {
        self.record(
            self.account.orders.filter { self.arrival($0).duration(to: now.monotonic) >= Self.patience }.map {
                .cancelled($0.id, .nothingOffered, at: now.wall)
            })
    }

    /// How long an order waits for the book it is to meet.
    static let patience = Duration.seconds(10)

    // MARK: Settlement

    /// A market is decided: orders on their way to it are cancelled, positions are paid out. Nothing happens the second
    /// time. `winner` nil splits the payout: half a dollar for each share of either side.
    public mutating func settle(
        _ market: MarketID, winner: Side?, source: ResolutionSource, now: ReceiveTime
    ) -> [ExecutionEvent] {
        let cancelled = self.account.orders.filter { $0.market == market }.map {
            ExecutionEvent.cancelled($0.id, .marketClosed, at: now.wall)
        }
        let settled = self.account.positions.filter { $0.market == market }.map { position in
            ExecutionEvent.settled(
                Settlement(
                    market: market, side: position.side, winner: winner, size: position.size, cost: position.cost,
                    fees: position.fees, payout: .payout(of: position.size, held: position.side, winner: winner),
                    source: source,
                    time: now.wall))
        }
        return self.record(cancelled + settled)
    }

    private mutating func record(_ events: [ExecutionEvent]) -> [ExecutionEvent] {
        for event in events { self.account.apply(event) }
        return events
    }
}
