/// Several lines in, one stream out: decides which line's version of each market the board shows.
///
/// Confined to the event loop that all lines share; not thread-safe, on purpose.
public final class FeedArbiter {
    /// How many lines can carry one market.
    public static let maximumLines = 4
    /// How many versions of one market there can be: one of each line, one of a line's successor while the line is
    /// renewed, and one of the REST witness.
    public static let seats = 6
    /// Where the REST witness sits; connections have the others.
    public static let witnessSeat = 5

    private let board: OddsBoard
    private var tables: [ObjectIdentifier: UnsafeMutablePointer<Arbitration>] = [:]

    /// An arbiter for the lines that publish on a board.
    public init(board: OddsBoard) { self.board = board }

    deinit {
        for table in self.tables.values {
            table.deinitialize(count: 1)
            table.deallocate()
        }
    }

    /// A line's seat at a market's table; it is given back with `leave`.
    func join(_ slot: MarketSlot) -> UnsafeMutablePointer<Arbitration> {
        let key = ObjectIdentifier(slot)
        if let table = self.tables[key] {
            table.pointee.seats += 1
            return table
        }
        let table = UnsafeMutablePointer<Arbitration>.allocate(capacity: 1)
        table.initialize(to: Arbitration(slot: slot, board: self.board, arbiter: self))
        self.tables[key] = table
        return table
    }

    /// A line does not carry the market any more.
    func leave(_ table: UnsafeMutablePointer<Arbitration>, seat: Int) {
        table.pointee.withdraw(seat)
        table.pointee.seats -= 1
        guard table.pointee.seats == 0 else { return }
        table.pointee.setWaiting(nil)
        self.tables[ObjectIdentifier(table.pointee.slot)] = nil
        table.deinitialize(count: 1)
        table.deallocate()
    }

    /// Whether the board shows what the REST witness has of a market, or did so last.
    public func isWitnessLeading(_ slot: MarketSlot) -> Bool {
        self.tables[ObjectIdentifier(slot)]?.pointee.isLeading(Self.witnessSeat) ?? false
    }

    /// How many markets wait for a line to catch up with what another had before it failed.
    public fileprivate(set) var waitingCount = 0

    /// The markets that have waited since before `limit`, with the line that should have caught up: it has missed
    /// something, and its books are to be asked for again. By market.
    public func overdue(before limit: MonotonicTime) -> [(market: MarketID, line: Int)] {
        self.tables.values.compactMap { table in
            guard let since = table.pointee.waitingSince, since <= limit else { return nil }
            return table.pointee.candidate.map { (table.pointee.slot.market.id, $0) }
        }.sorted { $0.market.rawValue < $1.market.rawValue }
    }
}

/// One market's table: what each line offers, and what is on the board.
///
/// The line that can be believed most leads; among equals the one whose exchange time is ahead, then the one that has
/// more messages of that time. A follower's offers change nothing, so duplicates and late rows of the slower line are
/// never seen. When the leader fails and the next line has not yet had what is on the board, the board keeps what it has
/// until that line catches up, for a moment: killing one of two lines changes no value, no trust and no epoch.
struct Arbitration {
    /// What an offer did to the board.
    struct Outcome {
        var values: Bool
        var previousTrust: Trust?
    }

    private struct Offer {
        var words = SlotWords()
        /// Messages of the newest stamp.
        var count: UInt32 = 0
        /// How far it can be believed; 0 when the line has offered nothing.
        var rank: UInt8 = 0
    }

    let slot: MarketSlot
    /// How many lines carry the market.
    var seats = 1
    /// Since when the board waits for a line to catch up; nil while it does not.
    private(set) var waitingSince: MonotonicTime?

    private let board: OddsBoard
    private unowned(unsafe) let arbiter: FeedArbiter  // it owns the table and outlives it
    private var offers: InlineArray<6, Offer> = InlineArray(repeating: Offer())
    private var leader = 0
    /// What is on the board; sequence 0 before anything is.
    private var shown = SlotWords()

    init(slot: MarketSlot, board: OddsBoard, arbiter: FeedArbiter) {
        self.slot = slot
        self.arbiter = arbiter
        self.board = board
        self.shown.epoch = board.epoch
    }

    /// A line's newest version of the market; nil when the board stays as it is for everyone who looks at it.
    @inline(__always)
    mutating func offer(
        _ words: borrowing SlotWords, count: UInt32, from line: Int, at now: MonotonicTime
    ) -> Outcome? {
        let rank = words.rank
        self.offers[line].words = copy words
        self.offers[line].count = count
        self.offers[line].rank = rank
        if line == self.leader, rank >= SlotWords.liveRank {
            if self.waitingSince != nil { self.setWaiting(nil) }
            return self.show(line)
        }
        return self.reconsider(line, at: now)
    }

    private mutating func reconsider(_ line: Int, at now: MonotonicTime) -> Outcome? {
        if line != self.leader, !self.isBetter(line, than: self.leader) { return nil }
        guard let best = self.candidate else { return nil }
        if best != self.leader, self.offers[best].rank == SlotWords.liveRank, self.shown.sequence > 0,
            self.shown.rank == SlotWords.liveRank || self.shown.rank == SlotWords.fallbackRank,
            self.offers[best].words.exchangeTime < self.shown.exchangeTime
        {
            if self.waitingSince == nil { self.setWaiting(now) }
            return nil
        }
        self.setWaiting(nil)
        self.leader = best
        return self.show(best)
    }

    fileprivate mutating func setWaiting(_ since: MonotonicTime?) {
        if self.waitingSince == nil, since != nil { self.arbiter.waitingCount += 1 }
        if self.waitingSince != nil, since == nil { self.arbiter.waitingCount -= 1 }
        self.waitingSince = since
    }

    /// Whether the board shows what a seat has offered, or showed it last.
    func isLeading(_ seat: Int) -> Bool { seat == self.leader && self.shown.sequence > 0 }

    /// The line whose offer is the best there is; nil when there is none.
    var candidate: Int? {
        var best = self.leader
        for line in 0..<FeedArbiter.seats where line != best && self.isBetter(line, than: best) { best = line }
        return self.offers[best].rank > 0 ? best : nil
    }

    private func isBetter(_ a: Int, than b: Int) -> Bool {
        if self.offers[a].rank != self.offers[b].rank { return self.offers[a].rank > self.offers[b].rank }
        let times = (self.offers[a].words.exchangeTime, self.offers[b].words.exchangeTime)
        if times.0 != times.1 { return times.0 > times.1 }
        return self.offers[a].count > self.offers[b].count
    }

    /// A second witness has the very same books as a line: when that line leads, the board says so.
    mutating func confirm(_ line: Int, at time: ReceiveTime) {
        guard line == self.leader, self.shown.sequence > 0, self.shown.rank == SlotWords.liveRank else { return }
        self.shown.verifiedAt = time.unixNanoseconds
        self.slot.write(self.shown)
    }

    /// A line offers nothing any more. What it put on the board stays there until another has something newer.
    mutating func withdraw(_ line: Int) { self.offers[line] = Offer() }

    @inline(__always)
    private mutating func show(_ line: Int) -> Outcome? {
        var next = self.offers[line].words
        next.sequence = self.shown.sequence &+ 1
        next.epoch = self.shown.epoch
        let isFirst = self.shown.sequence == 0
        let trustChanged = !isFirst && next.trustCode != self.shown.trustCode
        if trustChanged, next.breaksContinuity, !self.shown.breaksContinuity {
            next.epoch = self.board.advanceEpoch()
        }
        let valuesChanged = isFirst || !next.hasSameValues(as: self.shown)
        let previous = trustChanged ? self.shown.trust : nil
        self.slot.write(next)
        self.shown = next
        return valuesChanged || trustChanged ? Outcome(values: valuesChanged, previousTrust: previous) : nil
    }
}

extension SlotWords {
    /// The rank of odds that can be believed.
    static let liveRank: UInt8 = 6
    /// The rank of odds that the REST witness gave.
    static let fallbackRank: UInt8 = 2

    /// How far the values can be believed, for comparing lines: a decided market is decided whichever line knew first,
    /// and any live line is better than one that something contradicts.
    @inline(__always)
    var rank: UInt8 {
        switch self.trustCode & 0xFF {
        case 0: Self.liveRank
        case 5: 7  // closed
        case 1: 4  // suspect
        case 4: 3  // resolving
        case 3: Self.fallbackRank
        default: 1  // stale
        }
    }

    @inline(__always)
    var exchangeTime: Int64 { Int64(bitPattern: self[0]) }

    /// Whether updates may have been missed while this is the trust.
    var breaksContinuity: Bool {
        switch self.trust {
        case .stale, .fallback: true
        case .suspect(let reason): reason == .behind
        case .live, .resolving, .closed: false
        }
    }
}
