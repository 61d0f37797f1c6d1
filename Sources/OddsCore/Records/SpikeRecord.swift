/// One spike as it is told and kept: an item of `/v1/spikes`, a row of the history, the body of a signal.
///
/// Prices are JSON numbers from 0 to 1, times are Unix milliseconds by this machine's wall clock, durations milliseconds by
/// its monotonic clock. An absent value is null.
public struct SpikeRecord: Hashable, Sendable, Codable {
    /// Counts the spikes of one run from 1.
    public var number: UInt64
    /// The market's condition id.
    public var market: MarketID
    /// The market's readable name; empty when only the feed is known.
    public var slug: String
    /// The side that rose.
    public var side: Side
    /// What was compared with the threshold.
    public var basis: String
    /// The threshold that was reached.
    public var threshold: Double
    /// The first moment at or over the threshold.
    public var begin: Timestamp
    /// The highest odds so far.
    public var peak: Double
    /// When the peak was reached.
    public var peakTime: Timestamp
    /// The last moment it lasted; nil while it does.
    @NullWhenAbsent public var end: Timestamp?
    /// From the first moment to the last, in milliseconds; nil while it lasts.
    @NullWhenAbsent public var duration: Double?
    /// How long the odds really were at or over the threshold, dips left out, in milliseconds.
    public var timeOver: Double
    /// How often the odds came up over the threshold.
    public var crossings: Int
    /// Why it is over: `fellBack`, `marketEnded` or `stale`, or `interrupted` when the program ended first and nobody saw its
    /// end; nil while it lasts.
    @NullWhenAbsent public var ending: String?
    /// The market's epoch at the beginning.
    public var epoch: UInt64
    /// How far the odds could be believed at the beginning: the name of the trust.
    public var trust: String
    /// Where the odds came from at the beginning: `line0`, `poller`, …
    public var source: String
    /// Whether a poller of the configured interval would have met the spike at one of its looks.
    public var isSeenByPoller: Bool

    /// A record from its parts.
    public init(
        number: UInt64, market: MarketID, slug: String, side: Side, basis: String, threshold: Double,
        begin: Timestamp, peak: Double, peakTime: Timestamp, end: Timestamp?, duration: Double?, timeOver: Double,
        crossings: Int, ending: String?, epoch: UInt64, trust: String, source: String, isSeenByPoller: Bool
    ) {
        self.number = number
        self.market = market
        self.slug = slug
        self.side = side
        self.basis = basis
        self.threshold = threshold
        self.begin = begin
        self.peak = peak
        self.peakTime = peakTime
        self.end = end
        self.duration = duration
        self.timeOver = timeOver
        self.crossings = crossings
        self.ending = ending
        self.epoch = epoch
        self.trust = trust
        self.source = source
        self.isSeenByPoller = isSeenByPoller
    }

    /// The ending of a spike that lasted when the program ended.
    public static let interrupted = "interrupted"

    /// The keys, in the order they are documented.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case number, market, slug, side, basis, threshold
        case begin = "begin_ms"
        case peak
        case peakTime = "peak_ms"
        case end = "end_ms"
        case duration = "duration_ms"
        case timeOver = "time_over_ms"
        case crossings, ending, epoch, trust, source
        case isSeenByPoller = "seen_by_poller"
    }
}
