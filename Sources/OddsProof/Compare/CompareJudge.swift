import OddsCore
import OddsTrading

/// Judges one market that has ended.
struct CompareJudge {
    let configuration: CompareConfiguration
    let sources: [CompareSource]
    let faults: [CompareFault]
    let track: CompareMeter.Track
    let end: Int64
    /// What was visible.
    let truth: SightTimeline

    init(meter: CompareMeter, track: CompareMeter.Track, end: Int64) {
        self.configuration = meter.configuration
        self.sources = meter.sources
        self.faults = meter.faults
        self.track = track
        let window = track.market.window?.end.unixNanoseconds ?? .max
        // After the window's end nothing is a spike any more.
        self.end = Swift.min(end, window)
        self.truth = meter.configuration.truth == .union ? Self.union(of: track) : track.truth
    }

    var name: String { self.track.market.slug.isEmpty ? self.track.market.id.rawValue : self.track.market.slug }

    /// What the stream showed while it had odds, and what pollers were answered while it had none.
    private static func union(of track: CompareMeter.Track) -> SightTimeline {
        var sightings = track.shown[0].entries.filter(\.trust.isUsable)
        for answer in track.answers where answer.verdict == .believed {
            guard let tops = answer.tops, let stamp = answer.stamp else { continue }
            let shown = track.shown[0].at(answer.answered)
            guard shown?.trust.isUsable != true else { continue }
            sightings.append(
                Sighting(time: answer.answered, stamp: stamp, tops: tops, trust: TrustCode(.fallback)))
        }
        var union = SightTimeline()
        for sighting in sightings.sorted(by: { $0.time < $1.time }) { union.add(sighting) }
        return union
    }

    func judge(into figures: inout CompareFigures) {
        figures.markets += 1
        let spikes = self.spikes()
        var numbers: [Int] = []
        for spike in spikes {
            let number = figures.spikes.count + 1
            numbers.append(number)
            figures.spikes.append(self.row(spike, number: number, next: self.next(after: spike, in: spikes)))
        }
        let listedBefore = figures.disagreements.count
        self.agree(into: &figures)
        self.tryPhases(spikes, into: &figures)
        let missed = figures.spikes.suffix(spikes.count).count { $0.sights.first?.caught == false }
        let disagreed = figures.disagreements.count - listedBefore
        let interest = spikes.count + 20 * missed + disagreed
        guard interest > 0 else { return }
        figures.plots.append(self.plot(numbers, interest: interest))
        figures.plots.sort { $0.interest > $1.interest }
        if figures.plots.count > self.configuration.plots { figures.plots.removeLast() }
    }

    // MARK: Spikes

    /// A rise over the threshold that was visible.
    struct Visible {
        var side: Side
        var begin: Int64
        var end: Int64
        var peak: Odds
        var peakTime: Int64
        /// The times at or over the threshold in it.
        var over: [(from: Int64, until: Int64)]

        /// How long the odds were really at or over the threshold, in nanoseconds.
        var visible: Int64 { self.over.reduce(0) { $0 + $1.until - $1.from } }
    }

    private func next(after spike: Visible, in spikes: [Visible]) -> Int64 {
        spikes.filter { $0.side == spike.side && $0.begin > spike.begin }.map(\.begin).min() ?? .max
    }

    private func isOver(_ sighting: Sighting, _ side: Side) -> Bool {
        (sighting.tops.odds(side, self.configuration.basis) ?? Odds(rawValue: 0)) >= self.configuration.threshold
    }

    /// Every spike of the market, by begin.
    func spikes() -> [Visible] {
        var detector = SpikeDetector(self.configuration.detector)
        var found: [Visible] = []
        func take(_ events: [SpikeEvent]) {
            for case .ended(let spike, _) in events {
                guard let end = spike.end else { continue }
                let (from, until) = (spike.begin.unixNanoseconds, end.unixNanoseconds)
                found.append(
                    Visible(
                        side: spike.side, begin: from, end: until, peak: spike.peak,
                        peakTime: spike.peakTime.unixNanoseconds, over: self.over(spike.side, from, until)))
            }
        }
        for (index, sighting) in self.truth.entries.enumerated() where sighting.time < self.end {
            take(detector.observe(self.snapshot(sighting, number: UInt64(index + 1)), now: Self.time(sighting.time)))
        }
        take(detector.marketEnded(self.track.market.id, now: Self.time(self.end)))
        if self.configuration.truth == .union { found += self.pollerOnly(found) }
        return found.sorted { ($0.begin, $0.side.rawValue) < ($1.begin, $1.side.rawValue) }
    }

    private func over(_ side: Side, _ begin: Int64, _ end: Int64) -> [(from: Int64, until: Int64)] {
        let held = self.truth.during(begin, end)
        return held.indices.compactMap { index in
            let until = Swift.min(index + 1 < held.endIndex ? held[index + 1].time : end, end)
            let from = Swift.max(held[index].time, begin)
            return self.isOver(held[index], side) && until > from ? (from, until) : nil
        }
    }

    /// Spikes that only a poller saw, although the stream had odds: nobody knows how long they were, so they begin and end
    /// with the answers.
    private func pollerOnly(_ known: [Visible]) -> [Visible] {
        let slack = self.configuration.tolerance.wholeNanoseconds
        var found: [Visible] = []
        for source in self.sources.indices.dropFirst() {
            for side in Side.allCases {
                var open: Visible?
                func close() {
                    if let open { found.append(open) }
                    open = nil
                }
                for answer in self.track.answers
                where answer.source == source && answer.verdict == .believed && answer.answered < self.end {
                    guard let tops = answer.tops, let odds = tops.odds(side, self.configuration.basis),
                        odds >= self.configuration.threshold,
                        self.alignment(of: answer)?.isAgreement != true,
                        !known.contains(where: {
                            $0.side == side && $0.begin - slack <= answer.answered && answer.asked <= $0.end + slack
                        })
                    else {
                        close()
                        continue
                    }
                    var spike =
                        open
                        ?? Visible(
                            side: side, begin: answer.answered, end: answer.answered, peak: odds,
                            peakTime: answer.answered, over: [])
                    spike.end = answer.answered
                    if spike.end > spike.begin { spike.over = [(spike.begin, spike.end)] }
                    if odds > spike.peak { (spike.peak, spike.peakTime) = (odds, answer.answered) }
                    open = spike
                }
                close()
            }
        }
        // Several pollers may have seen the same one.
        var merged: [Visible] = []
        for spike in found.sorted(by: { $0.begin < $1.begin }) {
            let twin = merged.firstIndex { $0.side == spike.side && spike.begin <= $0.end + slack }
            if let twin {
                merged[twin].end = Swift.max(merged[twin].end, spike.end)
                merged[twin].peak = Swift.max(merged[twin].peak, spike.peak)
                merged[twin].over =
                    merged[twin].end > merged[twin].begin ? [(merged[twin].begin, merged[twin].end)] : []
            } else {
                merged.append(spike)
            }
        }
        return merged
    }

    private static func time(_ nanoseconds: Int64) -> ReceiveTime {
        ReceiveTime(monotonic: MonotonicTime(nanoseconds: nanoseconds), unixNanoseconds: nanoseconds)
    }

    private func snapshot(_ sighting: Sighting, number: UInt64) -> OddsSnapshot {
        OddsSnapshot(
            market: self.track.market, yes: sighting.tops.quote(.yes), no: sighting.tops.quote(.no),
            exchangeTime: Timestamp(milliseconds: sighting.stamp), receiveTime: Self.time(sighting.time), trust: .live,
            epoch: 0, source: .replay, sequence: number)
    }

    // MARK: Who caught it

    private func row(_ spike: Visible, number: Int, next: Int64) -> CompareFigures.SpikeRow {
        let begin = self.truth.at(spike.begin)
        return CompareFigures.SpikeRow(
            number: number, market: self.name, side: "\(spike.side)", beginMs: Self.milliseconds(spike.begin),
            endMs: Self.milliseconds(spike.end), peak: spike.peak.doubleValue,
            peakMs: Self.milliseconds(spike.peakTime), durationMs: Self.milliseconds(spike.end - spike.begin),
            visibleMs: Self.milliseconds(spike.visible), threshold: self.configuration.threshold.doubleValue,
            odds: begin?.tops.odds(spike.side, self.configuration.basis)?.doubleValue,
            ask: begin?.tops.quote(spike.side).ask?.doubleValue,
            sights: self.sources.indices.map { self.sight($0, of: spike, next: next) })
    }

    private func sight(_ source: Int, of spike: Visible, next: Int64) -> CompareFigures.Sight {
        var sight = CompareFigures.Sight(source: self.sources[source].name, caught: false)
        let latest = spike.end + self.configuration.allowance.wholeNanoseconds
        let seen = self.sources[source].isPoller ? self.answer(source, spike, latest) : self.showing(spike, latest)
        guard let seen else {
            let why = self.sources[source].isPoller ? self.whyPollerMissed(source, spike) : self.whyMissed(spike, next)
            (sight.missed, sight.explanation) = (why.kind, why.text)
            return sight
        }
        sight.caught = true
        sight.delayMs = Self.milliseconds(Swift.max(0, seen.time - spike.begin))
        let tick = Double(self.track.market.tickSize.rawValue)
        let begin = self.truth.at(spike.begin)?.tops
        if let then = begin?.odds(spike.side, self.configuration.basis),
            let now = seen.tops.odds(spike.side, self.configuration.basis)
        {
            sight.paidDisplayedTicks = Double(now.rawValue - then.rawValue) / 100 / tick
        }
        // What a buyer would have met at that moment, whatever the source showed.
        if let then = begin?.quote(spike.side).ask, let now = self.truth.at(seen.time)?.tops.quote(spike.side).ask {
            sight.paidAskTicks = Double(now.rawValue - then.rawValue) / tick
        }
        return sight
    }

    /// How much earlier than a change is seen the exchange may have stamped it, in milliseconds.
    private static let stampSlack: Int64 = 100

    /// The first time that the stream showed a spike.
    private func showing(_ spike: Visible, _ latest: Int64) -> (time: Int64, tops: MarketTops)? {
        let held = self.track.shown[0].during(spike.begin, latest)
        let offset = self.configuration.stampOffset.wholeNanoseconds
        let earliest = (spike.begin - offset) / 1_000_000 - Self.stampSlack
        // While it goes on to show what was before, nothing of this spike has come.
        var isCarriedOver = (held.first?.time ?? .max) < spike.begin
        for sighting in held {
            guard sighting.trust.isUsable, self.isOver(sighting, spike.side) else {
                isCarriedOver = false
                continue
            }
            if isCarriedOver, sighting.stamp < earliest { continue }
            return (Swift.max(sighting.time, spike.begin), sighting.tops)
        }
        return nil
    }

    /// The first answer of a poller that has a spike.
    private func answer(_ source: Int, _ spike: Visible, _ latest: Int64) -> (time: Int64, tops: MarketTops)? {
        for answer in self.track.answers where answer.source == source && answer.verdict == .believed {
            guard answer.answered >= spike.begin, answer.answered <= latest, let tops = answer.tops,
                let odds = tops.odds(spike.side, self.configuration.basis), odds >= self.configuration.threshold
            else { continue }
            return (answer.answered, tops)
        }
        return nil
    }

    // MARK: Why not

    private func whyMissed(_ spike: Visible, _ next: Int64) -> (kind: String, text: String) {
        let latest = spike.end + self.configuration.allowance.wholeNanoseconds
        let trusts = self.track.shown[0].trusts(spike.begin, spike.end)
        let trustText = trusts.prefix(3)
            .map { "\($0.text) for \(CompareText.time(Self.milliseconds($0.time)))" }.joined(separator: ", ")
        let faults = self.faultText(spike.begin, spike.end)
        var text = "stream \(trustText.isEmpty ? "without odds" : trustText); \(faults ?? "no fault in force")"
        let until = Swift.min(next, latest + 30_000_000_000)
        let late = self.track.shown[0].entries[self.track.shown[0].firstIndex(after: latest)...]
            .first { $0.time < until && $0.trust.isUsable && self.isOver($0, spike.side) }
        if let late {
            text += "; shown \(CompareText.time(Self.milliseconds(late.time - spike.begin))) after it began"
        }
        let unusable = trusts.filter { $0.text.hasPrefix("stale") || $0.text == "no odds" || $0.text == "closed" }
        if unusable.reduce(0, { $0 + $1.time }) * 2 >= Swift.max(1, spike.end - spike.begin) {
            return ("stream_not_live", text)
        }
        if self.isFeedHit(spike.begin, spike.end) { return (late == nil ? "fault" : "late", text) }
        if late != nil { return ("late", text) }
        return (spike.visible < 100_000_000 ? "brief" : "unexplained", text)
    }

    private func whyPollerMissed(_ source: Int, _ spike: Visible) -> (kind: String, text: String) {
        let latest = spike.end + self.configuration.allowance.wholeNanoseconds
        let answers = self.track.answers.filter {
            $0.source == source && $0.answered >= spike.begin && $0.asked <= latest
        }
        guard let answer = answers.first else {
            let before = self.track.answers.last { $0.source == source && $0.answered < spike.begin }
            let text = before.map {
                "the last answer came \(CompareText.time(Self.milliseconds(spike.begin - $0.answered))) before it"
            }
            return ("between_polls", text ?? "no answer had come yet")
        }
        switch answer.verdict {
        case .failed(let why): return ("no_answer", why)
        case .refused(let why): return ("refused", why)
        case .believed:
            return ("between_polls", "asked while it was there, and the answer was from before or after")
        }
    }

    /// The faults in force between two times, or over for so short that they may still matter; nil when there was none.
    func faultText(_ begin: Int64, _ end: Int64) -> String? {
        let texts = self.faults.filter {
            ($0.from - 100) * 1_000_000 <= end && ($0.until + Self.aftermath) * 1_000_000 >= begin
        }.map(\.text)
        return texts.isEmpty ? nil : "in force or just over: " + texts.joined(separator: "; ")
    }

    /// Whether faults were in force that can keep odds from a stream that has not noticed yet: one on every line, or two on
    /// single ones. What else goes wrong at the same time explains nothing.
    func isFeedHit(_ begin: Int64, _ end: Int64) -> Bool {
        let hits = self.faults.filter {
            $0.from * 1_000_000 <= end && ($0.until + Self.aftermath) * 1_000_000 >= begin && $0.reach != .none
        }
        return hits.contains { $0.reach == .feed } || hits.count > 1
    }

    /// How long a fault may matter after it is over, in milliseconds: connections are made again, books asked for anew.
    private static let aftermath: Int64 = 3_000

    static func milliseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds / 1000) / 1000 }

    // MARK: Any phase

    /// What a poller that answers at once and never fails would have met.
    private func tryPhases(_ spikes: [Visible], into figures: inout CompareFigures) {
        let count = self.configuration.phases
        guard count > 0 else { return }
        for source in self.sources {
            guard let interval = source.interval else { continue }
            let nanoseconds = Int64(interval * 1e9)
            for length in CompareFigures.Length.allCases {
                let long = spikes.filter { Self.milliseconds($0.visible) >= length.leastMs }
                var place = figures.phases.firstIndex { $0.source == source.name && $0.length == length }
                if place == nil {
                    place = figures.phases.count
                    figures.phases.append(
                        CompareFigures.Phases(
                            source: source.name, length: length, spikes: 0, met: Array(repeating: 0, count: count)))
                }
                guard let place else { continue }
                figures.phases[place].spikes += long.count
                for phase in 0..<count {
                    let schedule = PollSchedule(
                        interval: .nanoseconds(nanoseconds),
                        phase: .nanoseconds(nanoseconds / Int64(count) * Int64(phase)))
                    figures.phases[place].met[phase] += long.count { spike in
                        spike.over.contains { schedule.looks(from: $0.from, until: $0.until) }
                    }
                }
            }
        }
    }
}
