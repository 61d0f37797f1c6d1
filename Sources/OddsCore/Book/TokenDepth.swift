/// One token's whole book at one moment: every level of both sides, with what the board shows of its market then.
public struct TokenDepth: Hashable, Sendable {
    /// The market's condition id.
    public let market: MarketID
    /// The token.
    public let asset: AssetID
    /// The side that the token stands for.
    public let side: Side
    /// All bids, the best (highest) first.
    public let bids: [Level]
    /// All asks, the best (lowest) first.
    public let asks: [Level]
    /// The smallest price step, by the feed, or by the look-up where the feed has not said.
    public let tickSize: Price
    /// The venue's stamp on the book's last change.
    public let exchangeTime: Timestamp
    /// When this machine read the message that led to what the board shows.
    public let receiveTime: ReceiveTime
    /// The market's epoch.
    public let epoch: UInt64
    /// How far the market's odds can be believed: never `stale` or `closed`, which have no depth.
    public let trust: Trust
    /// Where the book is from.
    public let source: SnapshotSource
    /// The sequence of the market's latest publication.
    public let sequence: UInt64
    /// Whether this is the very book of that publication. False in the middle of a batch of messages, and while the board
    /// waits for a line to catch up with what a failed one had: then the newest publication and this book may differ.
    public let isPublished: Bool

    /// A book with what the board shows; nil for a token of another market, and when nothing confirms the board.
    ///
    /// - Parameters:
    ///   - asset: the token.
    ///   - shown: the market's snapshot on the board at this moment.
    ///   - bids: the best first.
    ///   - asks: the best first.
    ///   - tickSize: the smallest price step, as far as the book knows.
    ///   - exchangeTime: the venue's stamp on the book.
    ///   - isPublished: whether the snapshot was made of this book.
    public init?(
        of asset: AssetID, shown: OddsSnapshot, bids: [Level], asks: [Level], tickSize: Price?,
        exchangeTime: Timestamp, isPublished: Bool
    ) {
        guard let side = shown.market.side(of: asset) else { return nil }
        switch shown.trust {
        case .stale, .closed: return nil
        case .live, .suspect, .fallback, .resolving: break
        }
        self.market = shown.market.id
        self.asset = asset
        self.side = side
        self.bids = bids
        self.asks = asks
        self.tickSize = tickSize ?? shown.market.tickSize
        self.exchangeTime = exchangeTime
        self.receiveTime = shown.receiveTime
        self.epoch = shown.epoch
        self.trust = shown.trust
        self.source = shown.source
        self.sequence = shown.sequence
        self.isPublished = isPublished
    }

    /// A token's book as the REST API tells it; the book of the other token of the market is seen from the other side.
    public init?(of asset: AssetID, in book: RESTBook, shown: OddsSnapshot) {
        guard book.market == shown.market.id, shown.market.side(of: book.asset) != nil else { return nil }
        func turned(_ levels: [Level]) -> [Level] {
            levels.map { Level(price: $0.price.complement, size: $0.size) }
        }
        let isOwn = book.asset == asset
        self.init(
            of: asset, shown: shown, bids: isOwn ? book.bids.reversed() : turned(book.asks),
            asks: isOwn ? book.asks : turned(book.bids.reversed()), tickSize: book.tickSize,
            exchangeTime: book.timestamp,
            isPublished: shown.source == .poller && shown.exchangeTime == book.timestamp)
    }
}

/// A token's book and how the board stands to it.
public struct OfferedDepth {
    /// The book.
    public let depth: TokenDepth
    /// Whether the board follows this line for the market; otherwise the line is the best there is, and the one that the
    /// board follows may have no book any more.
    public let isLeading: Bool
}

extension FeedBooks {
    /// A token's book here, when the board follows this line for its market or would follow it next; nil otherwise, when
    /// the token is not followed or its snapshot has not come, and while the market's odds are `stale` or `closed`.
    public func depth(of asset: AssetID) -> OfferedDepth? {
        guard let (state, market) = self.state(of: asset), state.pointee.book.hasSnapshot else { return nil }
        let isLeading = market.pointee.table.pointee.isLeading(self.seat)
        guard isLeading || market.pointee.table.pointee.candidate == self.seat,
            let shown = market.pointee.slot.read()
        else { return nil }
        let depth = TokenDepth(
            of: asset, shown: shown, bids: state.pointee.book.bidLevels().reversed(),
            asks: state.pointee.book.askLevels().reversed(), tickSize: state.pointee.book.tickSize,
            exchangeTime: state.pointee.book.lastTime, isPublished: isLeading && !market.pointee.held)
        return depth.map { OfferedDepth(depth: $0, isLeading: isLeading) }
    }

    /// A followed token and its market.
    func state(
        of asset: AssetID
    ) -> (UnsafeMutablePointer<AssetState>, UnsafeMutablePointer<MarketState>)? {
        let index = self.hot.pointee.table.find(asset)
        guard index >= 0, let state = self.asset(at: index), state.pointee.market >= 0,
            let market = self.market(at: state.pointee.market)
        else { return nil }
        return (state, market)
    }
}
