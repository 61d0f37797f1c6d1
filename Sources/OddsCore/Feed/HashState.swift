/// The hash of one price change, kept until the batch it belongs to is over.
struct SampledHash {
    var hash: BookHash
    var stamp: Timestamp
    /// When the batch's last message so far came, in monotonic nanoseconds.
    var received: Int64
    /// Looked at while the batch may have gone on, in vain: worth another look only when its end is sure.
    var tried = false
}

/// What a token's hashes have said so far.
struct AssetHashes {
    /// The next price change of this token that comes at or after this time is sampled; monotonic nanoseconds.
    var due = Int64.min
    var sample: SampledHash?
    /// Mismatches in a row, at checks that could be made.
    var mismatches = 0
    /// When the newest hash that was right had come: what came before says nothing about the book any more.
    var verified = Int64.min
    /// When the newest full book came: batches before it say nothing about the book any more.
    var replaced = Int64.min
    /// The market is suspect because of this token.
    var isAccused = false
    /// A fresh book was asked for because of the hashes: if not even that one has the hash it came with, the recipe or
    /// its ingredients are wrong, and not the book.
    var awaitsProof = false
    /// That was so: until a hash of this token is right again, none says anything about a book.
    var isUseless = false
    /// Fresh books in a row that were asked for because of the hashes, without a right hash after a batch in between.
    var complaints = 0
    /// Before this no fresh book is asked for because of the hashes; monotonic nanoseconds.
    var patience = Int64.min
    /// The tick size before the last change, and when that came.
    var previousTickSize: Price?
    var tickSizeChanged = Int64.min
    /// What REST told about the token's market, until that is known.
    var minimumOrderSize: Size?
    var negativeRisk: Bool?

    /// The connection is gone: what was open stays open, what was learnt stays learnt.
    mutating func forget() {
        self.sample = nil
        self.mismatches = 0
        self.isAccused = false
    }
}

/// The last trade prices that a market's hashes may hold, newest first: those of the feed and of REST, in the spelling
/// of the books, which do not say of which token a price is.
struct LastTrades {
    struct Entry {
        /// In ten-thousandths; -1 when there was no trade.
        var price: Int32
        /// The venue's stamp, and when it came; `.min` for what was known from the start.
        var stamp: Timestamp
        var received: Int64
    }

    private var entries: InlineArray<4, Entry> = .init(
        repeating: Entry(price: -1, stamp: Timestamp(milliseconds: .min), received: .min))
    /// 0 when nothing is known: then it may be that there was no trade.
    private(set) var count = 0

    var prices: some Sequence<Price?> { (0..<max(1, self.count)).lazy.map { self.price($0) } }

    func price(_ index: Int) -> Price? {
        let raw = self.entries[index].price
        return raw < 0 ? nil : Price(unchecked: raw)
    }

    /// Notes a price; false when it is the newest already.
    mutating func note(_ price: Price?, stamp: Timestamp, received: Int64) {
        let raw = price?.rawValue ?? -1
        let isFirst = self.count == 0
        if !isFirst, self.entries[0].price == raw {
            if stamp > self.entries[0].stamp, self.entries[0].received != .min {
                self.entries[0] = Entry(price: raw, stamp: stamp, received: received)
            }
            return
        }
        for index in (1..<self.entries.count).reversed() { self.entries[index] = self.entries[index - 1] }
        self.entries[0] = Entry(
            price: raw, stamp: isFirst ? Timestamp(milliseconds: .min) : stamp, received: isFirst ? .min : received)
        self.count = min(self.count + 1, self.entries.count)
    }

    /// Whether a trade lies so near that another price may have been in force.
    func isNear(stamp: Timestamp, received: Int64, within milliseconds: UInt64) -> Bool {
        for index in 0..<self.count where self.entries[index].received != .min {
            let entry = self.entries[index]
            if (entry.stamp.milliseconds &- stamp.milliseconds).magnitude <= milliseconds { return true }
            if (entry.received &- received).magnitude <= milliseconds * 1_000_000 { return true }
        }
        return false
    }
}

/// What a market's hashes are made of beside the levels.
struct MarketHashes {
    var minimumOrderSize: Size
    var negativeRisk: Bool
    var lastTrades = LastTrades()
    /// A hash of this market was right once: the recipe is known and so is what the feed does not tell.
    var isProven = false
    /// There was a trade whose price never came.
    var lastTradeIsInDoubt = false
    /// Some token's hash waits for the end of its batch.
    var isSampled = false
    /// Whether the market is on the list of sampled ones; it stays there until the list is gone through.
    var isListed = false

    init(_ market: Market) {
        self.minimumOrderSize = market.minimumOrderSize
        self.negativeRisk = market.negativeRisk
    }

    /// Takes over what REST told about a token: hashes that were right with other constants prove nothing any more.
    mutating func learn(_ minimumOrderSize: Size?, _ negativeRisk: Bool?) {
        let size = minimumOrderSize ?? self.minimumOrderSize
        let risk = negativeRisk ?? self.negativeRisk
        if size != self.minimumOrderSize || risk != self.negativeRisk { self.isProven = false }
        self.minimumOrderSize = size
        self.negativeRisk = risk
    }
}

/// A hash that no known last trade fits: the trade may be on its way, or the book is wrong.
struct OpenCheck {
    enum Kind {
        /// A full book, and what it says about the last trade: nothing, or a price (none).
        case book(tells: Bool, lastTrade: Price?, isProof: Bool)
        /// A batch of price changes.
        case batch
    }

    var asset: Int
    var kind: Kind
    var hash: BookHash
    var digest: BookDigest
    var stamp: Timestamp
    /// When the message came, in monotonic nanoseconds.
    var received: Int64
}

/// What a connection's checks share.
struct HashChecks: ~Copyable {
    var text = BookText()
    /// In the order in which they were opened.
    var open: [OpenCheck] = []
    /// How many may be open at once: beyond what trades in quick succession leave open, it is the venue that is wrong.
    static let maximumOpen = 256
    /// Markets with sampled hashes.
    var sampled: [Int] = []
    /// Nanoseconds between two samples of a token; nil when none are taken.
    var interval: Int64? = 250_000_000
}
