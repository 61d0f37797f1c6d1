public import OddsCore
public import ServiceLifecycle

/// A source of odds that runs: the streamer, or the poller in its place. Programs can be built on either.
///
/// A source lives once: after `stop()` make a new one.
public protocol LiveOddsSource: OddsSource, Service {
    /// Begins in the background and returns at once. Further calls change nothing.
    func start()
    /// Ends; returns when every task and socket is gone. Sequences end, the last odds stay readable as stale.
    func stop() async
    /// Follows all markets, beginning with the values that are there. The sequence ends when the source stops.
    func updates(_ delivery: OddsUpdates.Delivery) -> OddsUpdates
    /// A token's whole book now, of the line that the board follows (of the poller: the last believed answer). Nil when the
    /// token is not followed, its book has not come, or the market's odds are `stale` or `closed`; nil by default.
    func depth(of asset: AssetID) async -> TokenDepth?
}

extension LiveOddsSource {
    /// No depth is known.
    public func depth(of asset: AssetID) async -> TokenDepth? { nil }

    /// The newest values of all markets; what is passed over is counted.
    public func updates() -> OddsUpdates { self.updates(.latest) }
}

extension RealtimeOddsStreamer: LiveOddsSource {}
