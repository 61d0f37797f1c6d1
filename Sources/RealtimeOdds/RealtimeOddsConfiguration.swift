public import OddsCore

/// What to follow.
public enum MarketSelection: Hashable, Sendable {
    /// A series of windows that replace each other, such as `btc-updown-15m`; current and next windows by the clock.
    case series(MarketSeries)
    /// One market by its slug.
    case slug(String)
    /// One market by its condition id.
    case condition(MarketID)
    /// Tokens without any look-up: two tokens of one market form a pair, and the first named is YES.
    case assets([AssetID])
}

/// Everything the streamer can be told; every default stands here, once.
public struct RealtimeOddsConfiguration: Sendable {
    /// What to follow.
    public var markets: [MarketSelection] = []
    /// The market channel, `ws://` or `wss://`.
    public var marketWebSocket = "wss://ws-subscriptions-clob.polymarket.com/ws/market"
    /// Base of the CLOB REST API.
    public var clobREST = "https://clob.polymarket.com"
    /// Base of the Gamma REST API.
    public var gammaREST = "https://gamma-api.polymarket.com"
    /// A PEM file with the certificate authorities to trust instead of the system's; nil for the system's.
    public var certificateAuthorityFile: String?
    /// How many independent lines carry the same assets, 1 to 4. With two, the loss of one loses nothing.
    public var lines = 2
    /// The largest message accepted, in bytes; a larger one closes the connection with code 1009.
    public var maximumMessageSize = 8 * 1024 * 1024
    /// How many assets one connection carries; more are spread over further connections (venue limit: 500).
    public var maximumAssetsPerConnection = 500
    /// How long a connection attempt may take, from the name look-up to the end of the handshake.
    public var connectTimeout = Duration.seconds(5)
    /// How often the text `PING` is sent; the venue asks for at most 10 s.
    public var heartbeatInterval = Duration.seconds(5)
    /// How long the answer `PONG` may take before the connection counts as dead.
    public var pongTimeout = Duration.seconds(5)
    /// How long an asset's first book may take after subscribing before it is asked for again.
    public var snapshotTimeout = Duration.seconds(3)
    /// How often each connection is replaced by a new one while it is healthy, without a gap; zero for never.
    public var renewalInterval = Duration.seconds(600)
    /// How silence is told from calm.
    public var livenessLimits = MarketLiveness.Limits()
    /// The waits between connection attempts.
    public var backoff = Backoff.standard
    /// How long data must flow before the backoff starts from the beginning again.
    public var healthyAfter = Duration.seconds(5)
    /// How many windows after the current one are looked up ahead.
    public var windowsAhead = 2
    /// How long before its start a window is subscribed on the live connections.
    public var subscribeAhead = Duration.seconds(60)
    /// How long after its end a window is kept when nobody says that it is decided.
    public var keepAfterEnd = Duration.seconds(120)
    /// How long one REST call may take.
    public var requestTimeout = Duration.seconds(5)
    /// How far from the best price levels count as near in `Microstructure`, in ticks, 0 to 1000.
    public var depthTicks = BookFigures.defaultTicks
    /// How often `MarketOddsPoller` asks for each market's books, 100 ms to 1 h; rounds are at multiples of it.
    public var pollInterval = Duration.seconds(60)
    /// Seeds jitter and masking keys; nil takes randomness from the system.
    public var seed: UInt64?

    /// The defaults: production endpoints, nothing followed yet.
    public init() {}
}
