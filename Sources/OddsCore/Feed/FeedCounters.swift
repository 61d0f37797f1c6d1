/// What one connection has seen since it was made; plain numbers, kept by its event loop.
public struct FeedCounters: Sendable, Equatable {
    /// Complete messages, of any kind.
    public var frames: UInt64 = 0
    /// Their payload bytes.
    public var bytes: UInt64 = 0
    /// `book` events.
    public var books: UInt64 = 0
    /// `price_change` events.
    public var priceChanges: UInt64 = 0
    /// `last_trade_price` events.
    public var trades: UInt64 = 0
    /// `tick_size_change` events.
    public var tickSizeChanges: UInt64 = 0
    /// `best_bid_ask` events.
    public var bestBidAsks: UInt64 = 0
    /// `new_market` events, of any market.
    public var newMarkets: UInt64 = 0
    /// `market_resolved` events, of any market.
    public var marketsResolved: UInt64 = 0
    /// Plain-text frames other than `PONG`.
    public var plainTexts: UInt64 = 0
    /// `PONG` frames.
    public var pongs: UInt64 = 0
    /// Objects without an event type known here.
    public var unknownEvents: UInt64 = 0
    /// Fields that no event of the protocol reference has.
    public var unknownFields: UInt64 = 0
    /// Frames that could not be read.
    public var malformedFrames: UInt64 = 0
    /// Binary messages, which the venue does not send.
    public var binaryFrames: UInt64 = 0
    /// Entries about tokens that are not followed here.
    public var foreignEntries: UInt64 = 0
    /// Level updates that went in.
    public var appliedEntries: UInt64 = 0
    /// Level updates that came before their token's snapshot.
    public var gatedEntries: UInt64 = 0
    /// Rows older than what was in already: late rows, and snapshots that a newer update overtook.
    public var supersededEntries: UInt64 = 0
    /// Publications held back because a batch was not complete.
    public var held: UInt64 = 0
    /// Batches at whose end the exchange's best prices differed from the rebuilt book.
    public var topMismatches: UInt64 = 0
    /// Batches at whose end YES and NO were not mirrors of each other.
    public var mirrorMismatches: UInt64 = 0
    /// Batches at whose end a book was crossed.
    public var crossedBooks: UInt64 = 0
    /// Fresh books asked for because something contradicted the old one.
    public var resyncs: UInt64 = 0
    /// Full books whose hash was that of the book as it is kept here.
    public var bookHashesVerified: UInt64 = 0
    /// Full books about whose hash nothing can be said: none came, an ingredient is unknown, or the trade behind it was
    /// never told.
    public var bookHashesUnverifiable: UInt64 = 0
    /// Full books whose hash differed although all its ingredients are known.
    public var bookHashesMismatching: UInt64 = 0
    /// Batches of price changes, sampled ones, at whose end the hash was that of the rebuilt book: one per token.
    public var changeHashesVerified: UInt64 = 0
    /// Sampled batches about whose hash nothing can be said: as for books, or a trade or a new tick size lay near.
    public var changeHashesUnverifiable: UInt64 = 0
    /// Sampled batches whose hash differed although all its ingredients are known.
    public var changeHashesMismatching: UInt64 = 0

    /// Hashes that proved a book exact and complete, of books and of batches.
    public var hashesVerified: UInt64 { self.bookHashesVerified + self.changeHashesVerified }
    /// Hashes about which nothing can be said, of books and of batches.
    public var hashesUnverifiable: UInt64 { self.bookHashesUnverifiable + self.changeHashesUnverifiable }
    /// Hashes that differed although all ingredients are known, of books and of batches.
    public var hashesMismatching: UInt64 { self.bookHashesMismatching + self.changeHashesMismatching }

    /// All zero.
    public init() {}

    /// The counts with their stable dotted names.
    public var named: [(name: String, value: UInt64)] {
        [
            ("frames.received", self.frames), ("frames.bytes", self.bytes), ("frames.malformed", self.malformedFrames),
            ("frames.binary", self.binaryFrames), ("frames.text", self.plainTexts), ("frames.pong", self.pongs),
            ("events.book", self.books), ("events.price_change", self.priceChanges),
            ("events.last_trade_price", self.trades), ("events.tick_size_change", self.tickSizeChanges),
            ("events.best_bid_ask", self.bestBidAsks), ("events.new_market", self.newMarkets),
            ("events.market_resolved", self.marketsResolved), ("events.unknown", self.unknownEvents),
            ("fields.unknown", self.unknownFields), ("entries.applied", self.appliedEntries),
            ("entries.foreign", self.foreignEntries), ("entries.gated", self.gatedEntries),
            ("entries.superseded", self.supersededEntries), ("books.held", self.held),
            ("books.top_mismatch", self.topMismatches), ("books.mirror_mismatch", self.mirrorMismatches),
            ("books.crossed", self.crossedBooks), ("books.resync", self.resyncs),
            ("hash.book.verified", self.bookHashesVerified), ("hash.book.unverifiable", self.bookHashesUnverifiable),
            ("hash.book.mismatching", self.bookHashesMismatching),
            ("hash.change.verified", self.changeHashesVerified),
            ("hash.change.unverifiable", self.changeHashesUnverifiable),
            ("hash.change.mismatching", self.changeHashesMismatching),
        ]
    }

    /// The sums of both.
    public static func + (a: FeedCounters, b: FeedCounters) -> FeedCounters {
        var sum = a
        sum.frames += b.frames
        sum.bytes += b.bytes
        sum.books += b.books
        sum.priceChanges += b.priceChanges
        sum.trades += b.trades
        sum.tickSizeChanges += b.tickSizeChanges
        sum.bestBidAsks += b.bestBidAsks
        sum.newMarkets += b.newMarkets
        sum.marketsResolved += b.marketsResolved
        sum.plainTexts += b.plainTexts
        sum.pongs += b.pongs
        sum.unknownEvents += b.unknownEvents
        sum.unknownFields += b.unknownFields
        sum.malformedFrames += b.malformedFrames
        sum.binaryFrames += b.binaryFrames
        sum.foreignEntries += b.foreignEntries
        sum.appliedEntries += b.appliedEntries
        sum.gatedEntries += b.gatedEntries
        sum.supersededEntries += b.supersededEntries
        sum.held += b.held
        sum.topMismatches += b.topMismatches
        sum.mirrorMismatches += b.mirrorMismatches
        sum.crossedBooks += b.crossedBooks
        sum.resyncs += b.resyncs
        sum.bookHashesVerified += b.bookHashesVerified
        sum.bookHashesUnverifiable += b.bookHashesUnverifiable
        sum.bookHashesMismatching += b.bookHashesMismatching
        sum.changeHashesVerified += b.changeHashesVerified
        sum.changeHashesUnverifiable += b.changeHashesUnverifiable
        sum.changeHashesMismatching += b.changeHashesMismatching
        return sum
    }
}
