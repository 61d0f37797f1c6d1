/// How far a snapshot can be believed right now.
public enum Trust: Hashable, Sendable {
    /// Both books are complete, current and agree with the exchange.
    case live
    /// Served from the feed, but something contradicts it; the reason says what.
    case suspect(SuspectReason)
    /// Nothing has confirmed these odds since `since`; the values are the last known ones.
    case stale(since: ReceiveTime, reason: StaleReason)
    /// From the REST poller, because no line delivers.
    case fallback
    /// The window has ended and the venue has not said who won.
    case resolving
    /// The market is decided or closed; the values are its last.
    case closed

    /// The word used in rows and in the API.
    public var name: String {
        switch self {
        case .live: "live"
        case .suspect: "suspect"
        case .stale: "stale"
        case .fallback: "fallback"
        case .resolving: "resolving"
        case .closed: "closed"
        }
    }

    /// Why, in one word of a closed set; nil when the name says it all.
    public var reason: String? {
        switch self {
        case .suspect(let reason): reason.rawValue
        case .stale(_, let reason): reason.rawValue
        case .live, .fallback, .resolving, .closed: nil
        }
    }
}

/// What contradicts a book that is still being served.
public enum SuspectReason: String, Hashable, Sendable, CaseIterable {
    /// The exchange's best prices differ from the rebuilt book at the end of a batch.
    case topMismatch
    /// Best bid at or above best ask.
    case crossed
    /// A frame could not be read, and it may have carried an update.
    case malformedFrame
    /// The tick size changed and no fresh book has come since.
    case tickSizeChanged
    /// YES and NO books are not mirrors of each other.
    case mirrorMismatch
    /// A fresh book was asked for and has not come yet.
    case resynchronising
    /// Another line had an update, before it failed, that this one has not had.
    case behind
    /// Nothing has come for longer than the market's own rhythm, and no second witness has confirmed the odds.
    case silent
    /// The exchange's hash of the whole book keeps differing from that of the rebuilt book.
    case hashMismatch
}

/// What took the feed away.
public enum StaleReason: String, Hashable, Sendable, CaseIterable {
    /// The connection is down.
    case disconnected
    /// The connection is up and the token's first book has not come.
    case awaitingSnapshot
    /// The streamer was stopped.
    case stopped
    /// The connection is up and silent, though the exchange has newer odds.
    case frozen
}

/// Where a snapshot's values came from.
public enum SnapshotSource: Hashable, Sendable, CustomStringConvertible {
    /// A feed line, by its number.
    case line(Int)
    /// The REST poller.
    case poller
    /// A recording.
    case replay

    /// The word used in rows and in the API: `line0`, `poller`, `replay`.
    public var description: String {
        switch self {
        case .line(let number): "line\(number)"
        case .poller: "poller"
        case .replay: "replay"
        }
    }
}
