/// Hears everything that comes from the venue, as it came, and everything that was decided about what to follow: what a
/// recording is made of, and all that a replay needs.
///
/// Messages, connections of the feed and commands are told on the feed's event loop, in the order in which they take
/// effect there; answers and the reference price on threads of their own. A call must copy what it keeps and return.
public protocol FeedTap: AnyObject, Sendable {
    /// A text message came, whole; its bytes are the caller's and gone after the call.
    ///
    /// - Parameters:
    ///   - connection: the connection's number, which no other connection of this run has.
    ///   - now: when the read from the socket was made that completed it; the same for all messages of one read.
    func received(_ text: UnsafeRawBufferPointer, on channel: FeedChannel, connection: Int, at now: ReceiveTime)
    /// Something happened to a connection.
    func connection(_ event: FeedConnectionEvent, on channel: FeedChannel, connection: Int, at now: ReceiveTime)
    /// A server answered a request, or did not.
    func answered(_ exchange: RESTExchange, at now: ReceiveTime)
    /// The feed was told what to follow, or learned what the discovery found out.
    func commanded(_ command: FeedCommand, at now: ReceiveTime)
}

/// Which socket a message came on.
public enum FeedChannel: Hashable, Sendable {
    /// A line of the market channel.
    case line(Int)
    /// The live data socket with the reference prices (RTDS).
    case reference
}

/// What happens to a connection.
public enum FeedConnectionEvent: Hashable, Sendable {
    /// An attempt begins.
    case connecting
    /// The handshake is through.
    case open
    /// The attempt failed, or the open connection ended: by the other side, or by us (`byUs`).
    case closed(reason: String, byUs: Bool, retryAfter: Duration?)
}

/// One request to a REST API and what came of it.
public struct RESTExchange: Hashable, Sendable {
    /// Which API.
    public enum Service: String, Hashable, Sendable, Codable {
        case clob, gamma
    }

    /// Which API was asked.
    public var service: Service
    /// The request's path with its query, without the host.
    public var path: String
    /// When it was asked.
    public var asked: ReceiveTime
    /// The status; nil when there was no answer.
    public var status: Int?
    /// The answer's body; empty when there was none.
    public var body: [UInt8]
    /// Why there was no answer; nil when there was one.
    public var failure: String?

    /// An exchange from its parts.
    public init(
        service: Service, path: String, asked: ReceiveTime, status: Int?, body: [UInt8] = [], failure: String? = nil
    ) {
        self.service = service
        self.path = path
        self.asked = asked
        self.status = status
        self.body = body
        self.failure = failure
    }
}

/// What the feed is told, beside messages.
public enum FeedCommand: Sendable {
    /// Follow a market.
    case follow(Market)
    /// Follow tokens of which nothing else is known.
    case followTokens([AssetID])
    /// Follow a market no more.
    case unfollow(MarketID)
    /// A market is decided, or closed.
    case resolved(Resolution)
    /// The clock passed a boundary.
    case rollover(RolloverReceipt)
    /// A series or a market cannot be found, or can again (nil).
    case discovery(name: String, problem: String?)
}
