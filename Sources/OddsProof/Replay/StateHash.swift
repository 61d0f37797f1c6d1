internal import Crypto
internal import OddsCore

/// SHA-256 over everything that came out of a replay, in order: the same for the same recording and settings, in every
/// process and on every machine.
///
/// What goes in is written with fixed widths and lengths, so that different outputs are different bytes.
struct StateHash {
    private var hash = SHA256()
    private var buffer: [UInt8] = []
    private var indices: [ObjectIdentifier: UInt64] = [:]
    /// Held so that their identities stay their own.
    private var markets: [Market] = []
    private var last: (market: Market, index: UInt64)?

    private static let room = 1 << 16

    init() { self.buffer.reserveCapacity(Self.room + 4096) }

    private enum Tag: UInt64 {
        case market = 1, published, text, depth
    }

    @inline(__always)
    private mutating func add(_ word: UInt64) {
        withUnsafeBytes(of: word.littleEndian) { self.buffer.append(contentsOf: $0) }
    }

    @inline(__always)
    private mutating func add(_ value: Int64) { self.add(UInt64(bitPattern: value)) }

    private mutating func add(_ text: some StringProtocol) {
        self.add(UInt64(text.utf8.count))
        self.buffer.append(contentsOf: text.utf8)
    }

    private mutating func flushIfFull() {
        guard self.buffer.count >= Self.room else { return }
        self.flush()
    }

    private mutating func flush() {
        self.buffer.withUnsafeBytes { self.hash.update(bufferPointer: $0) }
        self.buffer.removeAll(keepingCapacity: true)
    }

    private mutating func index(of market: Market) -> UInt64 {
        if let last, last.market === market { return last.index }
        if let known = self.indices[ObjectIdentifier(market)] {
            self.last = (market, known)
            return known
        }
        let index = UInt64(self.markets.count)
        self.markets.append(market)
        self.indices[ObjectIdentifier(market)] = index
        self.add(Tag.market.rawValue)
        self.add(market.id.rawValue)
        for asset in market.assets { self.add(asset.rawValue) }
        self.last = (market, index)
        return index
    }

    /// A version of a market was published.
    mutating func published(_ snapshot: OddsSnapshot) {
        let index = self.index(of: snapshot.market)
        self.add(Tag.published.rawValue)
        self.add(index)
        self.add(snapshot.sequence)
        self.add(snapshot.epoch)
        self.add(snapshot.exchangeTime.milliseconds)
        self.add(snapshot.receiveTime.unixNanoseconds)
        self.add(snapshot.trust.code)
        if case .stale(let since, _) = snapshot.trust { self.add(since.unixNanoseconds) }
        self.add(snapshot.source.code)
        self.add(snapshot.yes)
        self.add(snapshot.no)
        self.flushIfFull()
    }

    @inline(__always)
    private mutating func add(_ quote: Quote) {
        func word(_ price: Price?) -> UInt64 { UInt64(UInt32(bitPattern: price?.rawValue ?? -1)) }
        self.add(word(quote.bid) | word(quote.ask) << 32)
        self.add(word(quote.lastTrade))
        self.add(quote.bidSize.rawValue)
        self.add(quote.askSize.rawValue)
    }

    /// Something rarer, as text: a spike, an incident, an entry of the trading record.
    mutating func add(_ kind: String, _ text: String) {
        self.add(Tag.text.rawValue)
        self.add(kind)
        self.add(text)
        self.flushIfFull()
    }

    /// A token's book at the end.
    mutating func add(_ depth: TokenDepth) {
        self.add(Tag.depth.rawValue)
        self.add(depth.asset.rawValue)
        for side in [depth.bids, depth.asks] {
            self.add(UInt64(side.count))
            for level in side {
                self.add(Int64(level.price.rawValue))
                self.add(level.size.rawValue)
            }
        }
        self.flushIfFull()
    }

    /// The hash as hexadecimal digits. Nothing more is added.
    mutating func finish() -> String {
        self.flush()
        let digits = Array("0123456789abcdef".utf8)
        let bytes = self.hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Trust {
    /// Kind and reason as a number that stays the same.
    fileprivate var code: UInt64 {
        switch self {
        case .live: 0
        case .suspect(let reason): 1 << 8 | Self.place(reason, in: SuspectReason.allCases)
        case .stale(_, let reason): 2 << 8 | Self.place(reason, in: StaleReason.allCases)
        case .fallback: 3 << 8
        case .resolving: 4 << 8
        case .closed: 5 << 8
        }
    }

    private static func place<Reason: Equatable>(_ reason: Reason, in all: [Reason]) -> UInt64 {
        UInt64(all.firstIndex(of: reason) ?? 255)
    }
}

extension SnapshotSource {
    fileprivate var code: UInt64 {
        switch self {
        case .line(let line): 16 + UInt64(line)
        case .poller: 1
        case .replay: 2
        }
    }
}
