/// Something that bears on whether odds are there and can be believed: what incidents and the uptime ledger are made of.
///
/// The feed tells each of them once, when it happens, with the time; nothing here is per message.
public enum ContinuityEvent: Sendable {
    /// What happened to one connection.
    public enum Connection: Sendable, Equatable {
        /// The handshake is through.
        case live
        /// A live connection is gone; `lastData` is when market data last came on it.
        case lost(reason: String, lastData: MonotonicTime?)
        /// An attempt failed; how many attempts and connections in a row that makes.
        case failed(reason: String, inARow: Int)
        /// It was replaced by a newer one as planned, without a gap.
        case renewed
        /// It was closed because nothing is followed on it any more, or the streamer ends.
        case closed
    }

    /// What came of a market's silence.
    public enum Silence: Sendable, Equatable {
        /// The witness has the same book: it is quiet.
        case verifiedQuiet
        /// The witness has a newer book, or a line's twin has: what should have come did not. `since` is when data last
        /// came; `lines` are those that keep silent.
        case frozen(since: MonotonicTime?, lines: [Int])
        /// The witness gave no answer that can be used.
        case unverified(reason: String)
        /// Data flows again on every line.
        case over
    }

    /// The market is on the board from now on.
    case followed(Market)
    /// The market is not followed any more.
    case unfollowed(MarketID)
    /// A market's trust changed, or its first odds came (`previous` is nil then).
    case trust(Market, Trust, previous: Trust?, epoch: UInt64, source: SnapshotSource)
    /// A connection of a line: `number` tells a line's connections apart.
    case connection(line: Int, number: Int, Connection)
    /// A market's silence.
    case silence(Market, Silence)
    /// A fresh book of a token was asked for on a line, and why.
    case resync(line: Int, AssetID, Market?, SuspectReason)
    /// The book that was asked for is in.
    case resynced(line: Int, AssetID)
    /// A series or a single market cannot be found, or can again (nil).
    case discovery(name: String, problem: String?)
}
