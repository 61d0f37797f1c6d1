/// What one market's books and trades look like at one moment, beyond its best prices.
///
/// Nothing is made up: what is not known is nil. There are no figures of books while the odds are `stale` or `closed`, and
/// neither flow nor volatility while the feed does not carry the market (`fallback`, `stale`, a poller), because trades and
/// changes are missed then; they begin anew when the market's epoch has changed.
public struct Microstructure: Hashable, Sendable {
    /// The shorter time that trade flow is told of.
    public static let shortWindow = Duration.seconds(10)
    /// The longer time that trade flow and volatility are told of.
    public static let longWindow = Duration.seconds(60)

    /// The market's condition id.
    public let market: MarketID
    /// The moment it is about.
    public let time: ReceiveTime
    /// The venue's stamp on the odds that the board showed then.
    public let exchangeTime: Timestamp
    /// The market's epoch.
    public let epoch: UInt64
    /// The sequence of the publication that the board showed.
    public let sequence: UInt64
    /// How far the odds could be believed.
    public let trust: Trust
    /// Where they came from.
    public let source: SnapshotSource
    /// The YES token's own book; nil when it is not known.
    public let yes: BookFigures?
    /// The NO token's own book; nil when it is not known.
    public let no: BookFigures?
    /// Trades of the last 10 seconds; nil while trades may be missed.
    public let shortFlow: TradeFlow?
    /// Trades of the last 60 seconds; nil while trades may be missed.
    public let longFlow: TradeFlow?
    /// How fast the net flow changes, in shares per second per second: with the net flow of the last 5 seconds N and that
    /// of the 5 seconds before O, (N / 5 s − O / 5 s) / 5 s. Nil until 10 seconds were heard without a gap.
    public let flowAcceleration: Double?
    /// Time since the last trade was heard of; nil when none ever was.
    public let lastTradeAge: Duration?
    /// How much YES's midpoint moved within the last 60 seconds: sqrt(Σ d² / T) with the changes d from one sample, 0.25 s,
    /// to the next and their time T in minutes, in dollars per square root of a minute. Nil until 10 seconds were watched.
    public let volatility: Double?

    /// A value from its parts.
    public init(
        market: MarketID, time: ReceiveTime, exchangeTime: Timestamp, epoch: UInt64, sequence: UInt64, trust: Trust,
        source: SnapshotSource, yes: BookFigures?, no: BookFigures?, shortFlow: TradeFlow?, longFlow: TradeFlow?,
        flowAcceleration: Double?, lastTradeAge: Duration?, volatility: Double?
    ) {
        self.market = market
        self.time = time
        self.exchangeTime = exchangeTime
        self.epoch = epoch
        self.sequence = sequence
        self.trust = trust
        self.source = source
        self.yes = yes
        self.no = no
        self.shortFlow = shortFlow
        self.longFlow = longFlow
        self.flowAcceleration = flowAcceleration
        self.lastTradeAge = lastTradeAge
        self.volatility = volatility
    }
}

/// Measures one market: trades and samples go in, figures come out.
///
/// Confined to the feed's event loop in use, but a value: it has no clock and no books of its own.
public struct MicrostructureMeter: Sendable {
    /// A market's books, as the line that the board follows has them.
    public struct Books: Hashable, Sendable {
        /// The YES token's.
        public var yes: BookFigures
        /// The NO token's; nil when the market has none.
        public var no: BookFigures?

        /// Books from their figures.
        public init(yes: BookFigures, no: BookFigures?) {
            self.yes = yes
            self.no = no
        }
    }

    /// How far samples may be apart and still be neighbours.
    private static let longestStep = Duration.seconds(1)

    private var gate = TradeGate()
    private var flow = TradeFlowMeter(longest: Microstructure.longWindow)
    private var volatility = MidpointVolatility(window: Microstructure.longWindow, longestStep: Self.longestStep)
    private var epoch: UInt64?
    /// The last books that were no half of a batch.
    private var books: Books?

    /// A meter that has seen nothing.
    public init() {}

    /// A connection tells a trade: whether it is one that no other has told.
    ///
    /// - Parameters:
    ///   - trade: what it tells.
    ///   - seat: the connection's seat at the arbiter's tables.
    ///   - shown: what the board shows of the market; nil for nothing yet.
    ///   - now: when it was told.
    public mutating func admit(_ trade: Trade, from seat: Int, shown: OddsSnapshot?, at now: MonotonicTime) -> Bool {
        guard self.gate.admit(trade, from: seat, at: now) else { return false }
        if let shown { self.heed(shown, at: now) }
        self.flow.add(trade, at: now)
        return true
    }

    /// A sample at the fixed rate.
    ///
    /// - Parameters:
    ///   - shown: what the board shows of the market.
    ///   - books: the books that the snapshot was made of; nil in the middle of a batch, when the last ones are taken.
    ///   - now: the moment.
    public mutating func sample(_ shown: OddsSnapshot, books: Books?, at now: ReceiveTime) -> Microstructure {
        self.heed(shown, at: now.monotonic)
        self.books = books ?? self.books
        let midpoint = shown.isFed ? self.books?.yes.midpoint : nil
        self.volatility.sample(midpoint, at: now.monotonic)
        return self.read(shown, books: nil, at: now)
    }

    /// The figures at any moment, besides the samples.
    public func read(_ shown: OddsSnapshot, books: Books?, at now: ReceiveTime) -> Microstructure {
        let isFed = shown.isFed && self.epoch == shown.epoch
        let isSameEpoch = self.epoch == shown.epoch
        let books = shown.hasBooks ? books ?? (isSameEpoch ? self.books : nil) : nil
        return Microstructure(
            market: shown.marketID, time: now, exchangeTime: shown.exchangeTime, epoch: shown.epoch,
            sequence: shown.sequence, trust: shown.trust, source: shown.source, yes: books?.yes, no: books?.no,
            shortFlow: isFed ? self.flow.flow(Microstructure.shortWindow, at: now.monotonic) : nil,
            longFlow: isFed ? self.flow.flow(Microstructure.longWindow, at: now.monotonic) : nil,
            flowAcceleration: isFed ? self.flow.acceleration(Microstructure.shortWindow, at: now.monotonic) : nil,
            lastTradeAge: self.flow.lastTrade.map { max(.zero, $0.duration(to: now.monotonic)) },
            volatility: isFed ? self.volatility.value : nil)
    }

    /// Begins anew where continuity was lost.
    private mutating func heed(_ shown: OddsSnapshot, at now: MonotonicTime) {
        if !shown.isFed || shown.epoch != self.epoch {
            self.flow.interrupt()
            self.volatility.interrupt()
        }
        if !shown.hasBooks || shown.epoch != self.epoch { self.books = nil }
        self.epoch = shown.epoch
        if shown.isFed { self.flow.begin(at: now) }
    }
}

extension OddsSnapshot {
    /// Whether the books behind it are known.
    fileprivate var hasBooks: Bool {
        switch self.trust {
        case .live, .suspect, .fallback, .resolving: true
        case .stale, .closed: false
        }
    }

    /// Whether the feed carries the market, so that no trade is missed.
    fileprivate var isFed: Bool {
        switch (self.trust, self.source) {
        case (_, .poller), (.stale, _), (.closed, _), (.fallback, _): false
        case (.live, _), (.suspect, _), (.resolving, _): true
        }
    }
}

/// A market's books on one line, for its microstructure.
public struct OfferedFigures {
    /// The market's place on the board.
    public let slot: MarketSlot
    /// Whether the board follows this line for the market.
    public let isLeading: Bool
    /// The books; nil in the middle of a batch, and when one has not come.
    public let books: MicrostructureMeter.Books?
}

extension FeedBooks {
    /// Shows what the books of every market here look like.
    public func eachFigures(ticks: Int, _ body: (OfferedFigures) -> Void) {
        for index in self.marketIndices {
            guard let market = self.market(at: index) else { continue }
            body(self.figures(of: market, ticks: ticks))
        }
    }

    /// What the books of one market look like; nil when it is not followed here.
    public func figures(of market: MarketID, ticks: Int) -> OfferedFigures? {
        var figures: OfferedFigures?
        self.withMarket(market) { _, state in figures = self.figures(of: state, ticks: ticks) }
        return figures
    }

    private func figures(of market: UnsafeMutablePointer<MarketState>, ticks: Int) -> OfferedFigures {
        let isLeading = market.pointee.table.pointee.isLeading(self.seat)
        var books: MicrostructureMeter.Books?
        if isLeading, !market.pointee.held, let yes = self.figures(of: market.pointee.yes, market, ticks) {
            books = MicrostructureMeter.Books(yes: yes, no: self.figures(of: market.pointee.no, market, ticks))
        }
        return OfferedFigures(slot: market.pointee.slot, isLeading: isLeading, books: books)
    }

    private func figures(
        of asset: Int, _ market: UnsafeMutablePointer<MarketState>, _ ticks: Int
    ) -> BookFigures? {
        guard asset >= 0, let state = self.asset(at: asset), state.pointee.book.hasSnapshot else { return nil }
        let tickSize = state.pointee.book.tickSize ?? market.pointee.slot.market.tickSize
        return state.pointee.book.figures(tickSize: tickSize, ticks: ticks)
    }
}
