public import OddsCore

/// Sees everything that happens to the followed markets, inline: each change where it is made, before anything is conflated.
///
/// The streamer calls on the feed's event loop, the poller under its step lock: one call at a time, in the order in which
/// things happened. What a call needs is taken from the feed, so it must be quick and must not block, and it must not stop
/// the source that calls. A source without an observer pays nothing for it.
public protocol MarketObserver: Sendable {
    /// A market's values, trust or epoch changed, and the board shows this now. Every single change is told exactly once;
    /// the first is the market's first publication. Changes that only renew the stamps of the same values are not told.
    ///
    /// - Parameters:
    ///   - snapshot: what the board shows.
    ///   - now: the moment of the publication; `snapshot.receiveTime` is when the message that led to it was read.
    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime)

    /// The market is closed, decided, or followed no more: nothing new comes of it. Told once for each time that a market is
    /// followed, after its last publication. When the source stops, its markets have not ended, and nothing is told.
    func ended(_ market: Market, at now: ReceiveTime)

    /// The outcome of a market became known. It may have ended long before, and need not be followed any more.
    func resolved(_ resolution: Resolution, at now: ReceiveTime)
}

extension MarketObserver {
    /// Passes it over.
    public func ended(_ market: Market, at now: ReceiveTime) {}
    /// Passes it over.
    public func resolved(_ resolution: Resolution, at now: ReceiveTime) {}
}
