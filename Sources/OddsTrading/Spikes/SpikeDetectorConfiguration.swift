public import OddsCore

/// What counts as a spike.
public struct SpikeDetectorConfiguration: Hashable, Sendable {
    /// What is compared with the threshold; by default what the website shows.
    public var basis: OddsBasis
    /// Odds at or over this are a spike; by default 0.70.
    public var threshold: Odds
    /// How far below the threshold the odds must fall to have fallen back; by default 0.02. Zero ends with the threshold.
    public var hysteresis: Odds
    /// How long the odds must stay at or over the threshold before a spike is told; by default not at all.
    public var sustain: Duration
    /// How long after falling back a return still belongs to the same spike; by default 30 seconds. Zero joins nothing.
    public var cooldown: Duration
    /// The poller that is compared with; by default once a minute, on the full minute.
    public var poller: PollSchedule

    /// The defaults, or others.
    public init(
        basis: OddsBasis = .displayed, threshold: Odds = 0.70, hysteresis: Odds = 0.02, sustain: Duration = .zero,
        cooldown: Duration = .seconds(30), poller: PollSchedule = PollSchedule()
    ) {
        self.basis = basis
        self.threshold = threshold
        self.hysteresis = hysteresis
        self.sustain = sustain
        self.cooldown = cooldown
        self.poller = poller
    }

    /// Odds below this have fallen back.
    var floor: Odds { Odds(rawValue: Swift.max(0, self.threshold.rawValue - self.hysteresis.rawValue)) }
}
