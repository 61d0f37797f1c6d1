import OddsCore

/// Tells when a side's displayed odds go over a threshold and when they come back.
struct SpikeWatch {
    /// A move over the threshold that began or ended.
    enum Event: Equatable {
        case began(market: String, side: String, odds: Odds)
        case ended(market: String, side: String, peak: Odds, lasted: Duration)
    }

    private struct Key: Hashable {
        let market: MarketID
        let side: Side
    }

    private struct Spike {
        let since: MonotonicTime
        var peak: Odds
    }

    /// At or over this a side stands out: the 70 % the original bot waited for.
    static let threshold: Odds = 0.70
    /// Below this the move is over; the gap keeps odds that tremble at the threshold from ringing all the time.
    private static let release: Odds = 0.67

    private var spikes: [Key: Spike] = [:]

    /// Looks at one snapshot. Odds that cannot be trusted begin and end nothing.
    mutating func look(at snapshot: OddsSnapshot) -> [Event] {
        guard snapshot.trust == .live else { return [] }
        var events: [Event] = []
        for side in Side.allCases {
            guard let odds = snapshot.odds(side) else { continue }
            let key = Key(market: snapshot.marketID, side: side)
            let time = snapshot.receiveTime.monotonic
            let market = OddsText.name(snapshot.market)
            let label = OddsText.label(side, of: snapshot.market)
            if var spike = self.spikes[key] {
                if odds < SpikeWatch.release {
                    self.spikes[key] = nil
                    events.append(
                        .ended(
                            market: market, side: label, peak: spike.peak, lasted: spike.since.duration(to: time)))
                } else {
                    spike.peak = max(spike.peak, odds)
                    self.spikes[key] = spike
                }
            } else if odds >= SpikeWatch.threshold {
                self.spikes[key] = Spike(since: time, peak: odds)
                events.append(.began(market: market, side: label, odds: odds))
            }
        }
        return events
    }

    /// Forgets a market that is over.
    mutating func forget(_ market: MarketID) {
        for side in Side.allCases { self.spikes[Key(market: market, side: side)] = nil }
    }
}

extension SpikeWatch.Event {
    /// The event in words.
    var text: String {
        switch self {
        case .began(let market, let side, let odds): "\(market): \(side) at \(OddsText.percent(odds))"
        case .ended(let market, let side, let peak, let lasted):
            "\(market): \(side) back after \(DurationText.age(lasted)), peak \(OddsText.percent(peak))"
        }
    }

    /// The word in front of it.
    var word: String {
        switch self {
        case .began: "spike"
        case .ended: "spike end"
        }
    }
}
