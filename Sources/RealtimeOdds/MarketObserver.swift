public import OddsCore

/// Sees everything that happens to the followed markets, inline: each change where it is made, before anything is conflated.
///
/// The streamer calls on the feed's event loop, the poller under its step lock: one call at a time, in the order in which
/// things happened. What a call needs is taken from the feed, so it must be quick and must not block, and it must not stop
/// the source that calls. A source without an observer pays nothing for it.
public protocol MarketObserver: Sendable {
    /// The source is about to begin: this is what it can be asked while it runs. Told first, once per source. The reader
    /// does not keep the source alive, and answers nothing when the source is gone.
    func attached(to reader: any FeedReader)

    /// A market's values, trust or epoch changed, and the board shows this now. Every single change is told exactly once;
    /// the first is the market's first publication. Changes that only renew the stamps of the same values are not told.
    ///
    /// - Parameters:
    ///   - snapshot: what the board shows.
    ///   - now: the moment of the publication; `snapshot.receiveTime` is when the message that led to it was read.
    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime)

    /// The market is closed, decided, or followed no more: nothing new comes of it. Told once for each time that a market is
    /// followed, after its last publication that is not `closed`; a market that is followed again comes back under a later
    /// epoch. When the source stops, its markets have not ended, and nothing is told.
    func ended(_ market: Market, at now: ReceiveTime)

    /// A trade, told by the first line that brings it; each is told once, however many lines there are. A poller sees none.
    func traded(_ trade: Trade, of market: Market, at now: ReceiveTime)

    /// What a market's books and trades look like, four times a second while it is followed and not closed (of the poller:
    /// with each answer that is believed).
    func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime)

    /// The outcome of a market became known. It may have ended long before, and need not be followed any more.
    func resolved(_ resolution: Resolution, at now: ReceiveTime)
}

/// What an observer can ask the source that calls it.
public protocol FeedReader: Sendable {
    /// A token's book at this very moment: inside `published` it is the book that the snapshot was made of.
    ///
    /// Only from inside a call of the observer, or of an answer of this reader. Nil when the token is not followed, its book
    /// has not come, or the market's odds are `stale` or `closed`.
    func depth(of asset: AssetID) -> TokenDepth?

    /// A token's book at a later moment: the answer comes where the observer is called from, when the instant has come (soon
    /// when it is over already), once, with the moment at which the book was read. In virtual time it comes exactly then.
    /// Nil as with `depth(of:)`, and when the source has ended by then. From any thread.
    func depth(
        of asset: AssetID, at instant: MonotonicTime,
        _ answer: @escaping @Sendable (TokenDepth?, ReceiveTime) -> Void)

    /// What a market's books and trades look like at this very moment, not at the last sample. Only from inside a call of
    /// the observer, or of an answer of this reader. Nil when the market is not followed, has no data yet or is closed.
    func microstructure(of market: MarketID) -> Microstructure?
}

extension MarketObserver {
    /// Passes it over.
    public func attached(to reader: any FeedReader) {}
    /// Passes it over.
    public func ended(_ market: Market, at now: ReceiveTime) {}
    /// Passes it over.
    public func traded(_ trade: Trade, of market: Market, at now: ReceiveTime) {}
    /// Passes it over.
    public func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {}
    /// Passes it over.
    public func resolved(_ resolution: Resolution, at now: ReceiveTime) {}
}
