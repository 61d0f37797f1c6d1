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
/// What is told of it again under the same epoch, or an earlier one, is no spike; a market that is followed again comes
/// back under a later epoch, and is judged anew.
///
/// **Stale odds** end a spike at once, at the last moment they were confirmed: they may have moved since, and an epoch
/// will have changed before anybody can see them again. Odds that come back over the threshold are a new spike, under the
/// new epoch, whatever the cooldown. A sustain time that runs out before the odds are said to be stale has run out, even
/// when they turn out not to have been confirmed for the last part of it: nobody knew at that moment, and what was told
/// stands. Such a spike is shorter than the sustain time.
///
/// Suspect odds and the poller's are odds, and a spike records which they were. An epoch that changes without the odds
/// going stale, as when the poller takes over, ends nothing: the spike keeps its first epoch.
///
/// Pure: times come in, and must not run backwards. Call `advance(to:)` at `nextDeadline`. Told the same, it tells the same
/// in the same order, whenever the timer came: each call first tells what time alone has decided by then, in every market.
public struct SpikeDetector: Sendable {
    private struct Track {
        var spike: Spike
        /// Up to when the time over the threshold is accounted for; nil while the odds are below it.
        var over: ReceiveTime?
        /// The last moment at which odds were known.
        var known: ReceiveTime
        /// The end of the market's window, at which a poller looks at the next market already; nil when there is none.
        let windowEnd: Int64?
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
    }

    /// What is known of a market from its first odds to its end, and for some time after.
    private struct Life {
        var sides = Sides()
        /// The latest epoch of its odds.
        var epoch: UInt64
        /// Its place among the ended ones; nil while it has not ended.
        var ended: UInt64?

        var isQuiet: Bool {
            if case .quiet = self.sides.yes, case .quiet = self.sides.no { true } else { false }
        }
    }

    /// What counts as a spike.
    public let configuration: SpikeDetectorConfiguration
    private var markets: [MarketID: Life] = [:]
    /// No deadline is earlier than this; nil when there is none.
    private var alarm: MonotonicTime?
    private var count: UInt64 = 0
    private var ends: UInt64 = 0
    /// How many of the markets have ended.
    private var ended = 0
    /// How many markets anything is kept of.
    var remembered: Int { self.markets.count }

    /// Of so many ended markets at least, the latest, odds are recognised as theirs, should any come.
    static let memory = 256

    /// A detector that has seen nothing.
    public init(_ configuration: SpikeDetectorConfiguration = SpikeDetectorConfiguration()) {
        self.configuration = configuration
    }

    /// The spikes that last, those that may still come back within their cooldown included, as they were last told of or
    /// observed; by number.
    public var current: [Spike] { self.lasting.map(\.spike).sorted { $0.number < $1.number } }

    /// The spikes that last at a moment, accounted for up to then: their time over the threshold, and whether a poller would
    /// have seen them by now. By number.
    public func current(at now: ReceiveTime) -> [Spike] {
        var then = self
        _ = then.advance(to: now)
        return then.lasting.map { track in
            var track = track
            then.account(&track, until: now)
            return track.spike
        }.sorted { $0.number < $1.number }
    }

    private var lasting: [Track] {
        self.markets.values.flatMap { life in
            Side.allCases.compactMap { side in
                switch life.sides[side] {
                case .quiet, .sustaining: nil
                case .up(let track), .fallen(let track, _): track
                }
            }
        }
    }

    /// When `advance(to:)` is due next; nil when nothing waits for time to pass.
    public var nextDeadline: MonotonicTime? {
        guard self.alarm != nil else { return nil }
        var earliest: MonotonicTime?
        for life in self.markets.values {
            for side in Side.allCases {
                guard let due = self.deadline(of: life.sides[side]) else { continue }
                earliest = earliest.map { Swift.min($0, due) } ?? due
            }
        }
        return earliest
    }

    // MARK: Events

    /// A market's values, trust or epoch changed.
    public mutating func observe(_ snapshot: OddsSnapshot, now: ReceiveTime) -> [SpikeEvent] {
        var events = self.advance(to: now)
        let known = self.markets[snapshot.marketID]
        var life = known ?? Life(epoch: snapshot.epoch)
        if life.ended != nil {
            guard snapshot.epoch > life.epoch else { return events }
            self.ended -= 1
            life = Life(epoch: snapshot.epoch)
        }
        life.epoch = Swift.max(life.epoch, snapshot.epoch)
        for side in Side.allCases {
            switch snapshot.trust {
            case .live, .suspect, .fallback:
                self.step(&life.sides[side], side, snapshot, now, &events)
                self.expect(life.sides[side])
            case .stale(let since, _): self.stop(&life.sides[side], .stale, at: since, now, &events)
            case .resolving, .closed: self.stop(&life.sides[side], .marketEnded, at: now, now, &events)
            }
        }
        if case .closed = snapshot.trust { self.end(&life) }
        // Nearly every change is of a quiet market that stays quiet.
        if let known, known.isQuiet, life.isQuiet, known.epoch == life.epoch, known.ended == life.ended {
            return events
        }
        self.markets[snapshot.marketID] = life
        self.forget()
        return events
    }

    /// A market's window ended, it was decided, or it is followed no more: whatever comes of it now is no spike any more,
    /// unless it comes under a later epoch.
    public mutating func marketEnded(_ market: MarketID, now: ReceiveTime) -> [SpikeEvent] {
        var events = self.advance(to: now)
        guard var life = self.markets[market], life.ended == nil else { return events }
        for side in Side.allCases { self.stop(&life.sides[side], .marketEnded, at: now, now, &events) }
        self.end(&life)
        self.markets[market] = life
        self.forget()
        return events
    }

    /// The clock shows `now`.
    public mutating func advance(to now: ReceiveTime) -> [SpikeEvent] {
        guard let alarm = self.alarm, alarm <= now.monotonic else { return [] }
        self.alarm = nil
        var due: [(time: MonotonicTime, market: MarketID, side: Side)] = []
        for (market, life) in self.markets {
            for side in Side.allCases {
                guard let time = self.deadline(of: life.sides[side]) else { continue }
                if time <= now.monotonic {
                    due.append((time, market, side))
                } else {
                    self.expect(life.sides[side])
                }
            }
        }
        due.sort { ($0.time, $0.market.rawValue, $0.side.rawValue) < ($1.time, $1.market.rawValue, $1.side.rawValue) }
        var events: [SpikeEvent] = []
        for (_, market, side) in due {
            guard var life = self.markets[market] else { continue }
            self.settleDue(&life.sides[side], now, &events)
            self.markets[market] = life
        }
        return events
    }

    /// A side may wait for time to pass.
    private mutating func expect(_ state: State) {
        guard let due = self.deadline(of: state) else { return }
        self.alarm = self.alarm.map { Swift.min($0, due) } ?? due
    }

    // MARK: Ended markets

    private mutating func end(_ life: inout Life) {
        guard life.ended == nil else { return }
        self.ends += 1
        self.ended += 1
        life.ended = self.ends
    }

    /// Forgets the markets that ended first, half of those remembered at a time.
    private mutating func forget() {
        guard self.ended > 2 * Self.memory else { return }
        let kept = self.markets.values.compactMap(\.ended).sorted().suffix(Self.memory)
        guard let first = kept.first else { return }
        self.markets = self.markets.filter { $0.value.ended.map { $0 >= first } ?? true }
        self.ended = kept.count
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
            over: now, known: now, windowEnd: snapshot.windowEnd?.unixNanoseconds)
    }

    /// The odds stood where they were until this moment.
    private func account(_ track: inout Track, until now: ReceiveTime) {
        track.known = now
        guard let over = track.over else { return }
        track.spike.timeOver += Swift.max(.zero, over.monotonic.duration(to: now.monotonic))
        let last = Swift.min(now.unixNanoseconds, track.windowEnd ?? .max)
        if self.configuration.poller.looks(from: over.unixNanoseconds, until: last) {
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
