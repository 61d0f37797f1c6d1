public import OddsCore

extension SpikeRecord {
    /// The spike as it is told and kept; `ending` is nil while it lasts.
    public init(_ spike: Spike, ending: SpikeEnd? = nil) {
        self.init(
            number: spike.number, market: spike.market, slug: spike.slug, side: spike.side,
            basis: spike.basis.rawValue, threshold: spike.threshold.doubleValue, begin: spike.begin.wall,
            peak: spike.peak.doubleValue, peakTime: spike.peakTime.wall, end: spike.end?.wall,
            duration: spike.duration?.milliseconds, timeOver: spike.timeOver.milliseconds,
            crossings: spike.crossings, ending: ending?.rawValue, epoch: spike.epoch, trust: spike.trust.name,
            source: spike.source.description, isSeenByPoller: spike.isSeenByPoller)
    }
}

extension Duration {
    /// As milliseconds with a fraction, for people and JSON.
    var milliseconds: Double {
        let parts = self.components
        return Double(parts.seconds) * 1000 + Double(parts.attoseconds) / 1e15
    }
}
