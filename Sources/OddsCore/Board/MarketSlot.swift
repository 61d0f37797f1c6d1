import Synchronization

/// One market's place on the board: written by the feed's event loop, read from any thread.
///
/// A sequence lock over atomic words. The writer never waits; a reader that meets a write in progress reads again. All
/// words are atomics, so the scheme is free of data races in the memory model and for the thread sanitizer, not only on
/// the processors at hand.
public final class MarketSlot: Sendable {
    /// The market the slot belongs to.
    public let market: Market

    /// Word 0 is the sequence (odd while a write is in progress, 0 before the first), the others are `SlotWords`.
    private let words: InlineArray<15, Atomic<UInt64>>

    /// An empty slot.
    public init(market: Market) {
        self.market = market
        self.words = InlineArray { _ in Atomic<UInt64>(0) }
    }

    /// Replaces the slot's content as a whole. One writer at a time: the feed's event loop.
    @inline(__always)
    func write(_ content: borrowing SlotWords) {
        let sequence = self.words[0].load(ordering: .relaxed)
        self.words[0].store(sequence &+ 1, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        for index in 0..<SlotWords.count { self.words[index + 1].store(content[index], ordering: .relaxed) }
        self.words[0].store(sequence &+ 2, ordering: .releasing)
    }

    /// The content; nil before the first write. Safe from any thread, never waits for more than a write of 14 words.
    public func read() -> OddsSnapshot? {
        var content = SlotWords()
        while true {
            let before = self.words[0].load(ordering: .acquiring)
            if before == 0 { return nil }
            if before & 1 == 0 {
                for index in 0..<SlotWords.count { content[index] = self.words[index + 1].load(ordering: .relaxed) }
                atomicMemoryFence(ordering: .acquiring)
                if self.words[0].load(ordering: .relaxed) == before { return content.snapshot(of: self.market) }
            }
        }
    }
}

/// A snapshot's values as plain words.
struct SlotWords {
    static let count = 14

    private var storage: InlineArray<14, UInt64> = InlineArray(repeating: 0)

    @inline(__always)
    subscript(index: Int) -> UInt64 {
        get { self.storage[unchecked: index] }
        set { self.storage[unchecked: index] = newValue }
    }

    /// No price, in the 16 bits a price takes.
    private static let none: UInt16 = .max

    @inline(__always)
    private static func pack(_ raw: Int32) -> UInt64 { UInt64(raw < 0 ? Self.none : UInt16(truncatingIfNeeded: raw)) }

    private static func unpack(_ word: UInt64, _ shift: UInt64) -> Price? {
        let raw = UInt16(truncatingIfNeeded: word >> shift)
        return raw == Self.none ? nil : Price(unchecked: Int32(raw))
    }

    @inline(__always)
    mutating func setTimes(exchange: Int64, receive: ReceiveTime) {
        self[0] = UInt64(bitPattern: exchange)
        self[1] = UInt64(bitPattern: receive.monotonic.nanoseconds)
        self[2] = UInt64(bitPattern: receive.unixNanoseconds)
    }

    /// Best prices in ten-thousandths, -1 for none.
    @inline(__always)
    mutating func setPrices(yesBid: Int32, yesAsk: Int32, noBid: Int32, noAsk: Int32) {
        self[3] = Self.pack(yesBid) | Self.pack(yesAsk) << 16 | Self.pack(noBid) << 32 | Self.pack(noAsk) << 48
    }

    @inline(__always)
    mutating func setSizes(yesBid: Int64, yesAsk: Int64, noBid: Int64, noAsk: Int64) {
        self[5] = UInt64(bitPattern: yesBid)
        self[6] = UInt64(bitPattern: yesAsk)
        self[7] = UInt64(bitPattern: noBid)
        self[8] = UInt64(bitPattern: noAsk)
    }

    /// The last trade of both tokens in ten-thousandths, -1 for none.
    @inline(__always)
    mutating func setLastTrades(yes: Int32, no: Int32) {
        self[4] = self[4] & 0xFFFF_FFFF_0000_0000 | Self.pack(yes) | Self.pack(no) << 16
    }

    @inline(__always)
    mutating func setSource(_ source: SnapshotSource) {
        let code: UInt64 =
            switch source {
            case .line(let number): UInt64(min(number, 0xFF)) << 8
            case .poller: 1
            case .replay: 2
            }
        self[4] = self[4] & 0x0000_FFFF_FFFF_FFFF | code << 48
    }

    @inline(__always)
    mutating func setTrust(_ trust: Trust) {
        let code: UInt64 =
            switch trust {
            case .live: 0
            case .suspect(let reason): 1 | UInt64(reason.code) << 8
            case .stale(_, let reason): 2 | UInt64(reason.code) << 8
            case .fallback: 3
            case .resolving: 4
            case .closed: 5
            }
        self[4] = self[4] & 0xFFFF_0000_FFFF_FFFF | code << 32
        if case .stale(let since, _) = trust {
            self[10] = UInt64(bitPattern: since.monotonic.nanoseconds)
            self[11] = UInt64(bitPattern: since.unixNanoseconds)
        }
    }

    var trust: Trust {
        let reason = Int(self[4] >> 40 & 0xFF)
        switch self[4] >> 32 & 0xFF {
        case 0: return .live
        case 1: return .suspect(SuspectReason.allCases[reason])
        case 2:
            let since = ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: Int64(bitPattern: self[10])),
                unixNanoseconds: Int64(bitPattern: self[11]))
            return .stale(since: since, reason: StaleReason.allCases[reason])
        case 3: return .fallback
        case 4: return .resolving
        default: return .closed
        }
    }

    /// The trust's kind and reason, without the moment: equal when nothing changed that a follower is told.
    @inline(__always)
    var trustCode: UInt64 { self[4] >> 32 & 0xFFFF }

    var epoch: UInt64 {
        get { self[9] }
        set { self[9] = newValue }
    }

    var sequence: UInt64 {
        get { self[12] }
        set { self[12] = newValue }
    }

    /// When a second witness confirmed the values, in Unix nanoseconds; 0 when none has since they came.
    var verifiedAt: Int64 {
        get { Int64(bitPattern: self[13]) }
        set { self[13] = UInt64(bitPattern: newValue) }
    }

    var receiveTime: ReceiveTime {
        ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: Int64(bitPattern: self[1])),
            unixNanoseconds: Int64(bitPattern: self[2]))
    }

    /// Whether prices, sizes and last trades are the same, whichever line they came from.
    @inline(__always)
    func hasSameValues(as other: borrowing SlotWords) -> Bool {
        let difference: UInt64 =
            (self[3] ^ other[3]) | ((self[4] ^ other[4]) & 0x0000_0000_FFFF_FFFF) | (self[5] ^ other[5])
            | (self[6] ^ other[6]) | (self[7] ^ other[7]) | (self[8] ^ other[8])
        return difference == 0
    }

    func snapshot(of market: Market) -> OddsSnapshot {
        let source: SnapshotSource
        switch self[4] >> 48 & 0xFF {
        case 1: source = .poller
        case 2: source = .replay
        default: source = .line(Int(self[4] >> 56))
        }
        func size(_ index: Int) -> Size { Size(unchecked: Int64(bitPattern: self[index])) }
        return OddsSnapshot(
            market: market,
            yes: Quote(
                bid: Self.unpack(self[3], 0), bidSize: size(5), ask: Self.unpack(self[3], 16), askSize: size(6),
                lastTrade: Self.unpack(self[4], 0)),
            no: Quote(
                bid: Self.unpack(self[3], 32), bidSize: size(7), ask: Self.unpack(self[3], 48), askSize: size(8),
                lastTrade: Self.unpack(self[4], 16)),
            exchangeTime: Timestamp(milliseconds: Int64(bitPattern: self[0])), receiveTime: self.receiveTime,
            trust: self.trust, epoch: self.epoch, source: source, sequence: self.sequence,
            verifiedTime: self.verifiedAt == 0
                ? nil : Timestamp(milliseconds: self.verifiedAt.flooredQuotient(1_000_000)))
    }
}

extension SuspectReason {
    fileprivate var code: UInt8 {
        switch self {
        case .topMismatch: 0
        case .crossed: 1
        case .malformedFrame: 2
        case .tickSizeChanged: 3
        case .mirrorMismatch: 4
        case .resynchronising: 5
        case .behind: 6
        case .silent: 7
        case .hashMismatch: 8
        }
    }
}

extension StaleReason {
    fileprivate var code: UInt8 {
        switch self {
        case .disconnected: 0
        case .awaitingSnapshot: 1
        case .stopped: 2
        case .frozen: 3
        }
    }
}
