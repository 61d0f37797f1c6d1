import OddsCore

/// The updates worth a line of their own: rollovers, resolutions, lost trust. Spikes are told by their detector.
struct EventLog {
    private let style: TextStyle

    init(style: TextStyle) { self.style = style }

    /// The word and the sentence of each event an update holds; most updates hold none.
    func events(in update: OddsUpdate) -> [(word: String, text: String)] {
        switch update {
        case .odds: return []
        case .trust(let snapshot, let previous):
            guard snapshot.trust != previous else { return [] }
            let text =
                "\(OddsText.name(snapshot.market)): \(OddsText.trust(snapshot.trust)), was \(OddsText.trust(previous))"
            return [("trust", text)]
        case .rollover(let receipt):
            return [("rollover", OddsText.rollover(receipt, style: self.style))]
        case .resolution(let resolution):
            return [("resolved", OddsText.resolution(resolution))]
        case .overflow(let lost):
            return [("overflow", "\(lost) updates were lost: this reader was too slow")]
        }
    }
}

/// Messages per second, over the last two seconds or so.
struct MessageRate {
    private var samples: [(time: MonotonicTime, count: UInt64)] = []

    /// The rate after one more reading of the running count; 0 until two readings lie apart.
    mutating func rate(count: UInt64, at now: MonotonicTime) -> Double {
        self.samples.append((now, count))
        while self.samples.count > 2, self.samples[1].time.duration(to: now) >= .seconds(2) {
            self.samples.removeFirst()
        }
        guard let first = self.samples.first, count >= first.count else {
            self.samples = [(now, count)]
            return 0
        }
        let seconds = first.time.duration(to: now).secondsValue
        return seconds > 0 ? Double(count - first.count) / seconds : 0
    }
}
