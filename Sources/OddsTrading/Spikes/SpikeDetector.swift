public import OddsCore

/// Finds spikes: feed it every published change, on the feed's own path, so that none is lost to conflation.
///
/// Each side of a market is judged by itself, on its own token's book.
///
/// **Begin.** The first odds at or over the threshold. With a sustain time every value until then must be at or over the
/// threshold too, else nothing was there; the spike still begins at its first moment.
///
/// **Falling back.** Odds below threshold − hysteresis, or a basis without an answer (a market that shows nothing is not
/// over 70 %). Odds in the band between hold a spike, and neither begin nor revive one.
///
/// **Cooldown.** A spike that fell back and reaches the threshold again within the cooldown is the same spike, so a market
/// that flickers is told once and nothing over the threshold is ever left out. Therefore an end by falling back is told one
/// cooldown late; it names the moment of the fall.
///
/// **The market ends** (its window, or trust `resolving` or `closed`): a spike that is up ends at that moment and at once.
///
/// **Stale odds** end a spike at once, at the last moment they were confirmed: they may have moved since, and an epoch
/// will have changed before anybody can see them again. Odds that come back over the threshold are a new spike, under the
/// new epoch, whatever the cooldown. Suspect odds and the poller's are odds, and a spike records which they were. An epoch
/// that changes without the odds going stale ends nothing.
///
/// Pure: times come in. Call `advance(to:)` at `nextDeadline`. Told the same, it tells the same, whenever the timer came.
public struct SpikeDetector: Sendable {
    private struct Track {
        var spike: Spike
        /// Up to when the time over the threshold is accounted for; nil while the odds are below it.
        var over: ReceiveTime?
        /// The last moment at which odds were known.
        var known: ReceiveTime
    }

    private enum State {
        case quiet
        /// Over the threshold, and not for long enough yet.
        case sustaining(Track)
        case up(Track)
        case fallen(Track, at: ReceiveTime)
    }

    private struct Sides {
        var yes = State.quiet
        var no = State.quiet

        subscript(side: Side) -> State {
            get { side == .yes ? self.yes : self.no }
            set { if side == .yes { self.yes = newValue } else { self.no = newValue } }
        }

        var isQuiet: Bool {
            if case .quiet = self.yes, case .quiet = self.no { true } else { false }
        }
    }

    /// What counts as a spike.
    public let configuration: SpikeDetectorConfiguration
    private var markets: [MarketID: Sides] = [:]
    private var ended: [MarketID: MonotonicTime] = [:]
    private var count: UInt64 = 0

    /// How long odds of an ended market are still recognised as such, should any come.
    static let memory: Duration = .seconds(3600)

    /// A detector that has seen nothing.
    public init(_ configuration: SpikeDetectorConfiguration = SpikeDetectorConfiguration()) {
        self.configuration = configuration
    }

    /// The spikes that last now, those that may still come back within their cooldown included; by number.
    public var current: [Spike] {
        self.markets.values.flatMap { sides in
            Side.allCases.compactMap { side in
                switch sides[side] {
                case .quiet, .sustaining: nil
                case .up(let track), .fallen(let track, _): track.spike
                }
            }
        }.sorted { $0.number < $1.number }
    }

    /// When `advance(to:)` is due next; nil when nothing waits for time to pass.
    public var nextDeadline: MonotonicTime? {
        var earliest: MonotonicTime?
        for sides in self.markets.values {
            for side in Side.allCases {
                guard let due = self.deadline(of: sides[side]) else { continue }
                earliest = earliest.map { Swift.min($0, due) } ?? due
            }
        }
        return earliest
    }

    // MARK: Events

    /// A market's values, trust or epoch changed.
    public mutating func observe(_ snapshot: OddsSnapshot, now: ReceiveTime) -> [SpikeEvent] {
        guard self.ended[snapshot.marketID] == nil else { return [] }
        var events: [SpikeEvent] = []
        var sides = self.markets[snapshot.marketID] ?? Sides()
        let wasQuiet = sides.isQuiet
        for side in Side.allCases {
            switch snapshot.trust {
            case .live, .suspect, .fallback:
                self.settleDue(&sides[side], now, &events)
                self.step(&sides[side], side, snapshot, now, &events)
            case .stale(let since, _):
                // What was not sustained when the odds were last confirmed has not been sustained.
                self.settleDue(&sides[side], since.monotonic < now.monotonic ? since : now, &events)
                self.stop(&sides[side], .stale, at: since, now, &events)
            case .resolving, .closed:
                self.settleDue(&sides[side], now, &events)
                self.stop(&sides[side], .marketEnded, at: now, now, &events)
            }
        }
        if !wasQuiet || !sides.isQuiet { self.markets[snapshot.marketID] = sides.isQuiet ? nil : sides }
        return events
    }

    /// A market's window ended, or it was decided: whatever comes of it now is no spike any more.
    public mutating func marketEnded(_ market: MarketID, now: ReceiveTime) -> [SpikeEvent] {
        self.ended = self.ended.filter { $0.value.duration(to: now.monotonic) < Self.memory }
        self.ended[market] = now.monotonic
        guard var sides = self.markets.removeValue(forKey: market) else { return [] }
        var events: [SpikeEvent] = []
        for side in Side.allCases {
            self.settleDue(&sides[side], now, &events)
            self.stop(&sides[side], .marketEnded, at: now, now, &events)
        }
        return events
    }

    /// The clock shows `now`.
    public mutating func advance(to now: ReceiveTime) -> [SpikeEvent] {
        var due: [(time: MonotonicTime, market: MarketID, side: Side)] = []
        for (market, sides) in self.markets {
            for side in Side.allCases {
                guard let time = self.deadline(of: sides[side]), time <= now.monotonic else { continue }
                due.append((time, market, side))
            }
        }
        due.sort { ($0.time, $0.market.rawValue, $0.side.rawValue) < ($1.time, $1.market.rawValue, $1.side.rawValue) }
        var events: [SpikeEvent] = []
        for (_, market, side) in due {
            guard var sides = self.markets[market] else { continue }
            self.settleDue(&sides[side], now, &events)
            self.markets[market] = sides.isQuiet ? nil : sides
        }
        return events
    }

    // MARK: One side

    private func deadline(of state: State) -> MonotonicTime? {
        switch state {
        case .quiet, .up: nil
        case .sustaining(let track): track.spike.begin.monotonic.advanced(by: self.configuration.sustain)
        case .fallen(_, let time): time.monotonic.advanced(by: self.configuration.cooldown)
        }
    }

    /// What time alone has decided by now.
    private mutating func settleDue(_ state: inout State, _ now: ReceiveTime, _ events: inout [SpikeEvent]) {
        guard let due = self.deadline(of: state), due <= now.monotonic else { return }
        switch state {
        case .quiet, .up: break
        case .sustaining(let track): state = self.began(track, &events)
        case .fallen(let track, let time):
            state = .quiet
            self.end(track, .fellBack, at: time, &events)
        }
    }

    private mutating func step(
        _ state: inout State, _ side: Side, _ snapshot: OddsSnapshot, _ now: ReceiveTime,
        _ events: inout [SpikeEvent]
    ) {
        let odds = snapshot.odds(side, basis: self.configuration.basis)
        let over = odds.flatMap { $0 >= self.configuration.threshold ? $0 : nil }
        switch state {
        case .quiet:
            guard let over else { return }
            let track = self.track(side, snapshot, over, now)
            state = self.configuration.sustain > .zero ? .sustaining(track) : self.began(track, &events)
        case .sustaining(var track):
            guard let over else {
                state = .quiet
                return
            }
            self.account(&track, until: now)
            _ = self.raise(&track, over, now)
            state = .sustaining(track)
        case .up(var track):
            self.account(&track, until: now)
            track.over = over == nil ? nil : now
            if let over, self.raise(&track, over, now) { events.append(.grew(track.spike)) }
            let holds = odds.map { $0 >= self.configuration.floor } ?? false
            state = holds ? .up(track) : .fallen(track, at: now)
            // A cooldown of zero is over at once.
            self.settleDue(&state, now, &events)
        case .fallen(var track, _):
            guard let over else { return }
            track.known = now
            track.over = now
            track.spike.crossings += 1
            if self.raise(&track, over, now) { events.append(.grew(track.spike)) }
            state = .up(track)
        }
    }

    /// Ends a side's spike for a reason other than its odds.
    private mutating func stop(
        _ state: inout State, _ reason: SpikeEnd, at time: ReceiveTime, _ now: ReceiveTime,
        _ events: inout [SpikeEvent]
    ) {
        switch state {
        case .quiet: return
        case .sustaining: break
        case .fallen(let track, let fell): self.end(track, .fellBack, at: fell, &events)
        case .up(var track):
            // Not before the odds were last known, and not later than now.
            let moment =
                time.monotonic < track.known.monotonic ? track.known : time.monotonic > now.monotonic ? now : time
            self.account(&track, until: moment)
            self.end(track, reason, at: moment, &events)
        }
        state = .quiet
    }

    private mutating func began(_ track: Track, _ events: inout [SpikeEvent]) -> State {
        self.count += 1
        var track = track
        track.spike.number = self.count
        events.append(.began(track.spike))
        return .up(track)
    }

    private func end(_ track: Track, _ reason: SpikeEnd, at time: ReceiveTime, _ events: inout [SpikeEvent]) {
        var spike = track.spike
        spike.end = time
        events.append(.ended(spike, reason))
    }

    private func track(_ side: Side, _ snapshot: OddsSnapshot, _ odds: Odds, _ now: ReceiveTime) -> Track {
        Track(
            spike: Spike(
                number: 0, market: snapshot.marketID, slug: snapshot.slug, side: side,
                basis: self.configuration.basis, threshold: self.configuration.threshold, begin: now, peak: odds,
                peakTime: now, end: nil, epoch: snapshot.epoch, trust: snapshot.trust, source: snapshot.source,
                crossings: 1, timeOver: .zero, isSeenByPoller: false),
            over: now, known: now)
    }

    /// The odds stood where they were until this moment.
    private func account(_ track: inout Track, until now: ReceiveTime) {
        track.known = now
        guard let over = track.over else { return }
        track.spike.timeOver += Swift.max(.zero, over.monotonic.duration(to: now.monotonic))
        if self.configuration.poller.looks(from: over.unixNanoseconds, until: now.unixNanoseconds) {
            track.spike.isSeenByPoller = true
        }
        track.over = now
    }

    private func raise(_ track: inout Track, _ odds: Odds, _ now: ReceiveTime) -> Bool {
        guard odds > track.spike.peak else { return false }
        track.spike.peak = odds
        track.spike.peakTime = now
        return true
    }
}
