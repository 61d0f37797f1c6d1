public import OddsCore

/// One rise of one side of a market over the threshold, from the first moment over it to the last.
public struct Spike: Hashable, Sendable {
    /// Counts this detector's spikes from 1.
    public internal(set) var number: UInt64
    /// The market's condition id.
    public let market: MarketID
    /// The market's readable name.
    public let slug: String
    /// The side that rose.
    public let side: Side
    /// What was compared with the threshold.
    public let basis: OddsBasis
    /// The threshold that was reached.
    public let threshold: Odds
    /// When the odds reached the threshold, also when they had to be sustained before this was told.
    public let begin: ReceiveTime
    /// The highest odds so far.
    public internal(set) var peak: Odds
    /// When the peak was reached.
    public internal(set) var peakTime: ReceiveTime
    /// When the odds last held: nil while they do, or may still come back within the cooldown.
    public internal(set) var end: ReceiveTime?
    /// The market's epoch at the beginning, also when the spike goes on through a change of epoch (as when the poller takes
    /// over without the odds going stale). Not what an order is decided under: that is the epoch of the odds it is decided on.
    public let epoch: UInt64
    /// How far the odds could be believed at the beginning.
    public let trust: Trust
    /// Where the odds came from at the beginning.
    public let source: SnapshotSource
    /// How often the odds came up over the threshold: more than once when they fell back and returned within the cooldown.
    public internal(set) var crossings: Int
    /// How long the odds were really at or over the threshold, dips left out. Complete once `end` is set; before, as far as
    /// the market's last change, and with `current(at:)` up to that moment.
    public internal(set) var timeOver: Duration
    /// Whether a poller would have met the odds at or over the threshold at one of its looks. Complete once `end` is set;
    /// before, likewise.
    public internal(set) var isSeenByPoller: Bool

    /// From the first moment over the threshold to the last; nil while the spike lasts.
    public var duration: Duration? { self.end.map { self.begin.monotonic.duration(to: $0.monotonic) } }
}

/// What became of a spike.
public enum SpikeEvent: Hashable, Sendable {
    /// A side reached the threshold, and held it for as long as asked for.
    case began(Spike)
    /// It reached new highest odds.
    case grew(Spike)
    /// It is over.
    case ended(Spike, SpikeEnd)

    /// The spike.
    public var spike: Spike {
        switch self {
        case .began(let spike), .grew(let spike), .ended(let spike, _): spike
        }
    }
}

/// Why a spike is over.
public enum SpikeEnd: String, Hashable, Sendable, CaseIterable {
    /// The odds fell back, or had no answer, and did not return within the cooldown; or they had fallen back when the
    /// market ended or went stale.
    case fellBack
    /// The market's window ended, it was closed, or it is followed no more, with the odds still up.
    case marketEnded
    /// The odds went stale while they were up: what they do from here on, nobody can say.
    case stale
}
