package import OddsCore
import OddsTrading

/// Says of several sources of odds how far they agree, and which of the spikes that were visible each of them caught.
///
/// Pure: what was true, what each source showed and what pollers were answered goes in as it happens, each with its time in
/// Unix nanoseconds; figures come out. A market is judged when it has ended, and then forgotten.
///
/// **Caught** is a spike when the source showed odds at or over the threshold on that side while it was visible, or within
/// the allowance after. A stream must have come up in that time (what it shows from before counts only when the exchange's
/// stamp on it is from the spike); of a poller an answer that it believed counts, at the moment it was there. Odds that are
/// `stale` are no sight; `suspect` ones and the witness's are.
///
/// **Paid for the delay** is what the odds were at the catch minus what they were when the spike began, in ticks: above zero
/// the buyer paid more for coming late.
package struct CompareMeter: Sendable {
    /// What is known of one market until it is judged.
    struct Track: Sendable {
        let market: Market
        var truth = SightTimeline()
        /// By source; those of pollers stay empty.
        var shown: [SightTimeline]
        var answers: [PollAnswer] = []
    }

    /// What is compared, and how strictly.
    package internal(set) var configuration: CompareConfiguration
    /// The stream, then the pollers.
    package let sources: [CompareSource]
    private var tracks: [MarketID: Track] = [:]
    private var judged: Set<MarketID> = []
    private(set) var faults: [CompareFault] = []
    private var figures = CompareFigures()
    private var first: Int64?
    private var last: Int64 = .min

    /// A meter that has seen nothing.
    ///
    /// - Parameter sources: the stream first, then any number of pollers.
    package init(_ configuration: CompareConfiguration = CompareConfiguration(), sources: [CompareSource]) {
        precondition(sources.first?.isPoller == false, "the first source is the stream")
        precondition(sources.dropFirst().allSatisfy(\.isPoller), "the others are pollers")
        self.configuration = configuration
        self.sources = sources
        self.figures.sources = sources
        self.figures.truth = configuration.truth.rawValue
        self.figures.basis = configuration.basis.rawValue
        self.figures.threshold = configuration.threshold.doubleValue
        self.figures.hysteresis = configuration.hysteresis.doubleValue
        self.figures.allowanceMs = configuration.allowance.secondsValue * 1000
        self.figures.toleranceMs = configuration.tolerance.secondsValue * 1000
        self.figures.agreement = sources.dropFirst().map { CompareFigures.Agreement(source: $0.name) }
        self.figures.catches = sources.map { CompareFigures.SourceCatches(source: $0.name) }
    }

    // MARK: What happens

    /// From now on this is what can be seen of a market. Not needed when the truth is the union of the sources.
    package mutating func truth(_ tops: MarketTops, of market: Market, stamp: Timestamp, at time: Int64) {
        self.change(market, at: time) {
            $0.truth.add(Sighting(time: time, stamp: stamp.milliseconds, tops: tops, trust: TrustCode(.live)))
        }
    }

    /// The stream shows this from now on.
    package mutating func showed(_ odds: OddsSnapshot, at time: Int64) {
        let sighting = Sighting(
            time: time, stamp: odds.exchangeTime.milliseconds, tops: MarketTops(odds), trust: TrustCode(odds.trust))
        self.change(odds.market, at: time) { $0.shown[0].add(sighting) }
    }

    /// A poller's question was answered, or is given up.
    package mutating func polled(_ answer: PollAnswer) {
        self.change(answer.market, at: answer.answered) { $0.answers.append(answer) }
    }

    /// A fault is in force. Tell it before the markets that it hits have ended.
    package mutating func fault(_ fault: CompareFault) { self.faults.append(fault) }

    private mutating func change(_ market: Market, at time: Int64, _ change: (inout Track) -> Void) {
        guard !self.judged.contains(market.id) else { return }
        self.first = Swift.min(self.first ?? time, time)
        self.last = Swift.max(self.last, time)
        var track =
            self.tracks.removeValue(forKey: market.id)
            ?? Track(market: market, shown: self.sources.map { _ in SightTimeline() })
        change(&track)
        self.tracks[market.id] = track
    }

    /// Nothing more is told of a market: it is judged and forgotten.
    package mutating func ended(_ market: MarketID, at time: Int64) {
        guard let track = self.tracks.removeValue(forKey: market) else { return }
        self.judged.insert(market)
        CompareJudge(meter: self, track: track, end: time).judge(into: &self.figures)
    }

    // MARK: What came out

    /// How many spikes ended markets had so far, and how many of them the stream caught.
    package var soFar: (spikes: Int, caught: Int) {
        (self.figures.spikes.count, self.figures.spikes.count { $0.sights.first?.caught == true })
    }

    /// Judges what is left; the end.
    package mutating func finish(at time: Int64) -> CompareFigures {
        for market in self.tracks.keys.sorted(by: { $0.rawValue < $1.rawValue }) { self.ended(market, at: time) }
        var figures = self.figures
        figures.beginMs = (self.first ?? time) / 1_000_000
        figures.endMs = time / 1_000_000
        figures.faults = self.faults
        figures.finish(self.configuration)
        return figures
    }
}

extension CompareFigures {
    /// Puts spikes in order and sums them up.
    fileprivate mutating func finish(_ configuration: CompareConfiguration) {
        let order = self.spikes.indices.sorted {
            (self.spikes[$0].beginMs, self.spikes[$0].number) < (self.spikes[$1].beginMs, self.spikes[$1].number)
        }
        var numbers: [Int: Int] = [:]
        for (place, index) in order.enumerated() { numbers[self.spikes[index].number] = place + 1 }
        self.spikes = order.map { self.spikes[$0] }
        for index in self.spikes.indices { self.spikes[index].number = index + 1 }
        self.plots.sort { ($1.interest, $0.market) < ($0.interest, $1.market) }
        for index in self.plots.indices {
            self.plots[index].spikes = self.plots[index].spikes.compactMap { numbers[$0] }
        }
        self.disagreements.sort { $0.answeredMs < $1.answeredMs }
        for index in self.catches.indices {
            self.catches[index].lengths = Length.allCases.map { self.sum(up: index, $0) }
            let sights = self.spikes.filter { $0.visibleMs >= Length.tenth.leastMs }.map { $0.sights[index] }
            self.catches[index].delaysMs = sights.compactMap(\.delayMs).sorted()
            self.catches[index].missed = sights.compactMap(\.missed).reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
    }

    private func sum(up source: Int, _ length: Length) -> Caught {
        var caught = Caught(length: length)
        let sights = self.spikes.filter { $0.visibleMs >= length.leastMs }.map { $0.sights[source] }
        caught.spikes = sights.count
        caught.caught = sights.count { $0.caught }
        let delays = sights.compactMap(\.delayMs).sorted()
        func quantile(_ share: Double) -> Double? {
            guard !delays.isEmpty else { return nil }
            return delays[Swift.max(0, Int((Double(delays.count) * share).rounded(.up)) - 1)]
        }
        func mean(_ values: [Double]) -> Double? {
            values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        caught.delayP50Ms = quantile(0.5)
        caught.delayP90Ms = quantile(0.9)
        caught.delayP99Ms = quantile(0.99)
        caught.delayMaxMs = delays.last
        caught.paidDisplayedTicks = mean(sights.compactMap(\.paidDisplayedTicks))
        caught.paidAskTicks = mean(sights.compactMap(\.paidAskTicks))
        return caught
    }
}
