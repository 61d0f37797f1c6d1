/// Turns what the feed tells into incidents and uptime: events and `now` in, what is worth a log line out.
///
/// A market's own trouble and a connection's trouble are separate incidents. A market's lasts while any of its symptoms
/// does: a trust that is not `live`, a silence that is not explained, a fresh book that was asked for. What is over stays
/// at hand for `flapWindow`; when it begins again within that time, it is the same incident. Times only go forwards.
public struct IncidentJournal: Sendable {
    /// The limits.
    public struct Configuration: Sendable {
        /// How long after a market is followed its first odds are due.
        public var firstOddsDue = Duration.seconds(3)
        /// Within which time trouble that begins again is the same incident.
        public var flapWindow = Duration.seconds(10)
        /// How long before its loss a connection may have been dead at most: heartbeats prove it alive until then.
        public var heartbeatProof = Duration.seconds(10)
        /// Whether odds from the poller (`fallback`) are as good as it gets: true for a source that only polls, whose
        /// whole run would be one incident otherwise.
        public var acceptsFallback = false
        /// How many finished incidents are kept.
        public var finishedLimit = 1000

        /// The defaults.
        public init() {}
    }

    enum Key: Hashable {
        case market(MarketID)
        case line(Int, Int)
        case selection(String)
        case asset(AssetID)
    }

    private struct Track {
        var market: Market
        let followed: MonotonicTime
        var standing = Standing.pending
        /// Since when it stands like this.
        var since: MonotonicTime
        /// Up to when time has been counted.
        var counted: MonotonicTime
        /// Before this the market had no trouble that could still be told.
        var clear: MonotonicTime
        var epoch: UInt64?
        var uptime: Uptime

        /// The order in which markets are told of.
        func precedes(_ other: Track) -> Bool {
            (self.followed, self.market.slug, self.market.id.rawValue)
                < (other.followed, other.market.slug, other.market.id.rawValue)
        }
    }

    private let configuration: Configuration
    private var now: ReceiveTime?
    private var tracks: [MarketID: Track] = [:]
    private var owners: [AssetID: MarketID] = [:]
    private var troubles: [Key: Trouble] = [:]
    /// The keys of those among `troubles` that are no market's: time passes for them with every event.
    private var lineTroubles: Set<Key> = []
    private var finished: [Incident] = []
    private var counts: [Incident.Kind: Int] = [:]
    private var lastID: UInt64 = 0
    private var retired: Uptime
    private var retiredSeries: [String: Uptime] = [:]
    /// How many markets stand how, and the worst that any due one is given.
    private var standings: [Int] = Array(repeating: 0, count: Standing.allCases.count)
    private var worst = Standing.pending
    /// The last changes of `worst`, the newest last.
    private var history: [(standing: Standing, since: MonotonicTime)] = []
    /// Before this a connection had no trouble that could still be told.
    private var lineClear: [Key: MonotonicTime] = [:]
    private var nextSettling: MonotonicTime?
    private var nextDue: MonotonicTime?
    private var changes: [IncidentChange] = []

    /// A journal without entries.
    public init(configuration: Configuration = Configuration()) {
        self.configuration = configuration
        self.retired = Uptime(acceptsFallback: configuration.acceptsFallback)
    }

    // MARK: Events

    /// Something happened; returns what is worth a line in the log.
    public mutating func record(_ event: ContinuityEvent, at time: ReceiveTime) -> [IncidentChange] {
        let now = self.advance(to: time)
        switch event {
        case .followed(let market): self.follow(market, now)
        case .unfollowed(let market): self.unfollow(market, now)
        case .trust(let market, let trust, _, let epoch, _):
            self.follow(market, now)
            self.trusted(market, trust, epoch: epoch, now)
        case .connection(let line, let number, let connection):
            self.connection(line, number, connection, now)
        case .silence(let market, let silence):
            self.follow(market, now)
            self.silence(market, silence, now)
        case .resync(let line, let asset, let market, let reason):
            self.resync(Resync(line: line, asset: asset), market, reason, now)
        case .resynced(let line, let asset):
            self.resynced(Resync(line: line, asset: asset), now)
        case .discovery(let name, let problem):
            self.discovery(name, problem, now)
        }
        return self.takeChanges()
    }

    /// Time has passed.
    public mutating func tick(at time: ReceiveTime) -> [IncidentChange] {
        _ = self.advance(to: time)
        return self.takeChanges()
    }

    private mutating func takeChanges() -> [IncidentChange] {
        defer { self.changes = [] }
        return self.changes
    }

    private var noUptime: Uptime { Uptime(acceptsFallback: self.configuration.acceptsFallback) }

    // MARK: Markets

    private mutating func follow(_ market: Market, _ now: ReceiveTime) {
        guard self.tracks[market.id] == nil else {
            self.tracks[market.id]?.market = market
            return
        }
        let at = now.monotonic
        self.tracks[market.id] = Track(
            market: market, followed: at, since: at, counted: at, clear: at, uptime: self.noUptime)
        for asset in market.assets {
            self.owners[asset] = market.id
            // A token's own trouble is its market's from now on.
            self.end(.asset(asset), .released, now)
        }
        self.standings[Standing.pending.index] += 1
        let due = at.advanced(by: self.configuration.firstOddsDue)
        self.nextDue = min(self.nextDue ?? due, due)
    }

    private mutating func unfollow(_ id: MarketID, _ now: ReceiveTime) {
        guard self.tracks[id] != nil else { return }
        self.count(id, to: now.monotonic)
        self.end(.market(id), .released, now)
        guard let track = self.tracks.removeValue(forKey: id) else { return }
        for asset in track.market.assets where self.owners[asset] == id { self.owners[asset] = nil }
        self.standings[track.standing.index] -= 1
        self.reviewWorst(now.monotonic)
        self.retired += track.uptime
        guard let series = track.market.series else { return }
        let before = self.retiredSeries[series] ?? self.noUptime
        self.retiredSeries[series] = before + track.uptime
    }

    private mutating func trusted(_ market: Market, _ trust: Trust, epoch: UInt64, _ now: ReceiveTime) {
        let id = market.id
        let key = Key.market(id)
        let was = self.stand(Standing(trust), id, now)
        // A loss is told with the epoch it begins, and what it ends is known until then.
        defer { self.tracks[id]?.epoch = epoch }
        let standing = Standing(trust)
        switch standing {
        case .live,
            .fallback where !standing.isLost(acceptingFallback: self.configuration.acceptsFallback):
            self.change(key) { trouble in
                trouble.symptoms.isDown = false
                // What was silent and is live again has been heard of.
                if was.standing != standing { trouble.symptoms.isSilent = false }
                trouble.incident.epochAfter = epoch
            }
            self.endIfOver(key, now)
        case .suspect, .stale, .fallback:
            let (kind, begin) = self.meaning(of: trust, now)
            self.trouble(
                key, .market(market), kind, reason: trust.reason, detail: nil, begin: begin, before: was, now
            ) {
                $0.symptoms.isDown = true
                $0.incident.epochAfter = epoch
            }
        case .resolving, .closed, .pending, .missing:
            let ending: Incident.Ending = if case .stale = trust { .released } else { .decided }
            self.end(key, ending, now)
        }
    }

    /// What kind of trouble a trust tells of, and since when.
    private func meaning(of trust: Trust, _ now: ReceiveTime) -> (Incident.Kind, MonotonicTime?) {
        switch trust {
        case .suspect(let reason):
            switch reason {
            case .silent: return (.silentUnverified, nil)
            case .resynchronising: return (.resync, nil)
            case .topMismatch, .crossed, .malformedFrame, .tickSizeChanged, .mirrorMismatch, .behind, .hashMismatch:
                return (.suspect, nil)
            }
        case .stale(let since, let reason):
            switch reason {
            case .disconnected: return (.connectionLost, self.lastProof(since.monotonic, now))
            case .frozen: return (.frozen, since.monotonic)
            case .awaitingSnapshot: return (.noSnapshot, nil)
            case .stopped: return (.stale, nil)
            }
        case .fallback: return (.fallback, nil)
        case .live, .resolving, .closed: return (.stale, nil)
        }
    }

    private func lastProof(_ lastData: MonotonicTime?, _ now: ReceiveTime) -> MonotonicTime? {
        lastData.map { max($0, now.monotonic.advanced(by: .zero - self.configuration.heartbeatProof)) }
    }

    private mutating func silence(_ market: Market, _ silence: ContinuityEvent.Silence, _ now: ReceiveTime) {
        let key = Key.market(market.id)
        self.count(market.id, to: now.monotonic)
        switch silence {
        case .verifiedQuiet, .over:
            self.change(key) { $0.symptoms.isSilent = false }
            if case .verifiedQuiet = silence { self.tracks[market.id]?.clear = now.monotonic }
            self.endIfOver(key, now)
        case .frozen(let since, let lines):
            guard self.canHaveTrouble(market.id) else { return }
            self.trouble(key, .market(market), .frozen, reason: nil, detail: nil, begin: since, now) {
                $0.symptoms.isSilent = true
                $0.incident.involve(lines)
            }
        case .unverified(let reason):
            guard self.canHaveTrouble(market.id) else { return }
            self.trouble(key, .market(market), .silentUnverified, reason: nil, detail: reason, begin: nil, now) {
                $0.symptoms.isSilent = true
            }
        }
    }

    private func canHaveTrouble(_ id: MarketID) -> Bool {
        switch self.tracks[id]?.standing {
        case .resolving, .closed, nil: false
        case .pending, .missing, .live, .suspect, .stale, .fallback: true
        }
    }

    private mutating func resync(_ resync: Resync, _ market: Market?, _ reason: SuspectReason, _ now: ReceiveTime) {
        if let market { self.follow(market, now) }
        let owner = market?.id ?? self.owners[resync.asset]
        if let owner, let track = self.tracks[owner] {
            guard self.canHaveTrouble(owner) else { return }
            self.count(owner, to: now.monotonic)
            let hasOdds = track.epoch != nil
            self.trouble(
                .market(owner), .market(track.market), hasOdds ? .resync : .noSnapshot,
                reason: hasOdds ? reason.rawValue : nil, detail: nil, begin: hasOdds ? nil : track.followed, now
            ) { $0.ask(resync) }
        } else {
            self.trouble(
                .asset(resync.asset), .asset(resync.asset), .noSnapshot, reason: nil, detail: nil, begin: nil, now
            ) { $0.ask(resync) }
        }
    }

    private mutating func resynced(_ resync: Resync, _ now: ReceiveTime) {
        let key = self.owners[resync.asset].map { Key.market($0) } ?? .asset(resync.asset)
        self.change(key) { $0.symptoms.resyncs.remove(resync) }
        self.endIfOver(key, now)
    }

    /// Nobody answers any more what was asked for on the line.
    private mutating func forgetResyncs(of line: Int, _ now: ReceiveTime) {
        let byNumber = self.troubles.sorted { $0.value.incident.id < $1.value.incident.id }
        for (key, trouble) in byNumber where trouble.symptoms.resyncs.contains(where: { $0.line == line }) {
            self.change(key) { trouble in
                trouble.symptoms.resyncs = trouble.symptoms.resyncs.filter { $0.line != line }
            }
            self.endIfOver(key, now)
        }
    }

    // MARK: Connections and selections

    private mutating func connection(
        _ line: Int, _ number: Int, _ what: ContinuityEvent.Connection, _ now: ReceiveTime
    ) {
        let key = Key.line(line, number)
        switch what {
        case .live:
            self.change(key) { $0.symptoms.isDown = false }
            self.endIfOver(key, now)
            self.lineClear[key] = now.monotonic
        case .lost(let reason, let lastData):
            self.forgetResyncs(of: line, now)
            self.trouble(
                key, .line(line, connection: number), .connectionLost, reason: nil, detail: reason,
                begin: self.lastProof(lastData, now), now
            ) {
                $0.symptoms.isDown = true
                $0.incident.involve([line])
            }
        case .failed(let reason, _):
            self.trouble(
                key, .line(line, connection: number), .connectionFailed, reason: nil, detail: reason, begin: nil, now
            ) {
                $0.symptoms.isDown = true
                $0.incident.attempts += 1
                $0.incident.involve([line])
            }
        case .renewed:
            self.forgetResyncs(of: line, now)
            self.end(key, .recovered, now)
        case .closed:
            self.forgetResyncs(of: line, now)
            self.end(key, .released, now)
            // Its successor, which carries the same number, may be at work already.
            self.lineClear[key] = now.monotonic
        }
    }

    private mutating func discovery(_ name: String, _ problem: String?, _ now: ReceiveTime) {
        let key = Key.selection(name)
        if let problem {
            self.trouble(key, .selection(name), .missingMarket, reason: nil, detail: problem, begin: nil, now) {
                $0.symptoms.isDown = true
            }
        } else {
            self.change(key) { $0.symptoms.isDown = false }
            self.endIfOver(key, now)
        }
    }

    // MARK: One incident

    /// A symptom: of new trouble, or of trouble that is known.
    ///
    /// - Parameters:
    ///   - begin: since when, where that is known. The market's time is counted up to now already.
    ///   - before: how the market stood before this symptom and since when; nil when it stands as before.
    ///   - mark: notes the symptom.
    private mutating func trouble(
        _ key: Key, _ subject: Incident.Subject, _ kind: Incident.Kind, reason: String?, detail: String?,
        begin: MonotonicTime?, before: (standing: Standing, since: MonotonicTime)? = nil, _ now: ReceiveTime,
        _ mark: (inout Trouble) -> Void
    ) {
        let standing = self.standing(of: key)
        guard var known = self.troubles.removeValue(forKey: key) else {
            var new = self.newTrouble(key, subject, kind, before: before, now)
            new.incident.reason = reason
            new.incident.detail = detail ?? ""
            self.start(&new, key, at: begin)
            new.worst = standing
            mark(&new)
            self.troubles[key] = new
            switch key {
            case .line, .asset: self.lineTroubles.insert(key)
            case .market, .selection: break
            }
            self.changes.append(.began(new.incident.lasting(until: now)))
            return
        }
        let isBack = known.settles != nil
        if isBack {
            known.resume(at: now)
        } else if known.incident.occurrences == 1 {
            self.start(&known, key, at: begin)
        }
        mark(&known)
        let isMore = kind.weight > known.incident.kind.weight
        if isMore {
            self.counts[known.incident.kind, default: 0] -= 1
            self.counts[kind, default: 0] += 1
            known.incident.kind = kind
            known.incident.reason = reason
            // What was said about the symptom explains nothing of its cause.
            known.incident.detail = ""
        } else if kind == known.incident.kind {
            known.incident.reason = reason ?? known.incident.reason
        }
        if let detail { known.incident.detail = detail }
        let isWorse = standing.isWorse(than: known.worst)
        if isWorse { known.worst = standing }
        if isBack, known.incident.occurrences == 2 {
            // With what it is now: it may have come back as something graver.
            self.changes.append(.flapping(known.incident.lasting(until: now)))
        } else if case .market = key, isMore || isWorse, known.incident.occurrences == 1 {
            self.changes.append(.grew(known.incident.lasting(until: now)))
        }
        self.troubles[key] = known
    }

    private mutating func newTrouble(
        _ key: Key, _ subject: Incident.Subject, _ kind: Incident.Kind,
        before: (standing: Standing, since: MonotonicTime)?, _ now: ReceiveTime
    ) -> Trouble {
        self.lastID += 1
        self.counts[kind, default: 0] += 1
        var incident = Incident(id: self.lastID, subject: subject, kind: kind, at: now)
        if case .market(let id) = key, let track = self.tracks[id] {
            // First odds that are overdue are noticed a little after they were due, and time is counted from then.
            incident.begin = now.back(to: track.counted)
            incident.latestBegin = incident.begin
            incident.epochBefore = track.epoch
            incident.epochAfter = track.epoch
            let stands = before ?? (track.standing, track.since)
            return Trouble(
                incident, before: stands.standing, since: max(stands.since, track.clear),
                acceptsFallback: self.configuration.acceptsFallback)
        }
        return Trouble(
            incident, before: self.worst, since: self.lineClear[key] ?? now.monotonic,
            acceptsFallback: self.configuration.acceptsFallback)
    }

    /// Moves the beginning back to an instant; never before what came before it.
    private func start(_ trouble: inout Trouble, _ key: Key, at begin: MonotonicTime?) {
        guard let begin else { return }
        let old = trouble.incident.begin.monotonic
        let new = max(begin, trouble.floor)
        guard new < old else { return }
        let earlier = new.duration(to: old)
        trouble.incident.begin = trouble.incident.begin.back(to: new)
        trouble.incident.latestBegin = trouble.incident.begin
        switch key {
        case .market: trouble.incident.served[trouble.before] += earlier
        case .line, .asset:
            let served = self.served(from: new, to: old)
            trouble.incident.served += served
            let acceptsFallback = self.configuration.acceptsFallback
            for spent in served.spent where spent.standing.isLost(acceptingFallback: acceptsFallback) {
                trouble.incident.lost += spent.time
            }
        case .selection: break
        }
    }

    private mutating func change(_ key: Key, _ change: (inout Trouble) -> Void) {
        guard var trouble = self.troubles[key], trouble.settles == nil else { return }
        change(&trouble)
        self.troubles[key] = trouble
    }

    private mutating func endIfOver(_ key: Key, _ now: ReceiveTime) {
        guard let trouble = self.troubles[key], trouble.settles == nil, trouble.symptoms.isEmpty else { return }
        self.end(key, .recovered, now)
    }

    private mutating func end(_ key: Key, _ ending: Incident.Ending, _ now: ReceiveTime) {
        if case .market(let id) = key { self.count(id, to: now.monotonic) }
        guard var trouble = self.troubles[key] else { return }
        if trouble.settles == nil {
            trouble.symptoms = Symptoms()
            trouble.incident.finish(at: now, ending)
            trouble.ended = now.monotonic
            if trouble.incident.occurrences == 1 {
                trouble.isEndTold = true
                self.changes.append(.ended(trouble.incident))
            }
        }
        let settles = now.monotonic.advanced(by: ending == .recovered ? self.configuration.flapWindow : .zero)
        trouble.settles = min(trouble.settles ?? settles, settles)
        self.troubles[key] = trouble
        self.nextSettling = min(self.nextSettling ?? settles, settles)
        if ending != .recovered { self.settle(key) }
    }

    /// Nothing can begin this one again: it goes to the finished ones, and its lost time into the ledger.
    private mutating func settle(_ key: Key) {
        guard let trouble = self.troubles.removeValue(forKey: key) else { return }
        self.lineTroubles.remove(key)
        if case .market(let id) = key {
            self.tracks[id]?.uptime.lose(trouble.unbooked, to: trouble.incident.kind)
            self.tracks[id]?.clear = trouble.ended ?? trouble.floor
        }
        if !trouble.isEndTold { self.changes.append(.ended(trouble.incident)) }
        self.finished.append(trouble.incident)
        // In blocks, so that a full list is not moved each time.
        if self.finished.count >= self.configuration.finishedLimit * 5 / 4 + 1 {
            self.finished.removeFirst(self.finished.count - self.configuration.finishedLimit)
        }
    }

    // MARK: Time

    /// Brings everything that happens by time up to this moment; times before the last one count as the last one.
    private mutating func advance(to time: ReceiveTime) -> ReceiveTime {
        let last = self.now ?? time
        let now = time.monotonic < last.monotonic ? last : time
        self.now = now
        let passed = last.monotonic.duration(to: now.monotonic)
        for key in self.lineTroubles { self.troubles[key]?.pass(passed, self.worst) }
        self.reviewDue(now)
        if let next = self.nextSettling, next <= now.monotonic { self.settleDue(now.monotonic) }
        return now
    }

    private mutating func settleDue(_ now: MonotonicTime) {
        // By number: what is told of several at once must not follow from how keys are hashed.
        for (key, trouble) in self.troubles.sorted(by: { $0.value.incident.id < $1.value.incident.id }) {
            guard let settles = trouble.settles, settles <= now else { continue }
            if case .market(let id) = key { self.count(id, to: now) }
            self.settle(key)
        }
        self.nextSettling = self.troubles.values.compactMap(\.settles).min()
    }

    /// First odds that are overdue.
    private mutating func reviewDue(_ now: ReceiveTime) {
        guard let next = self.nextDue, next <= now.monotonic else { return }
        self.nextDue = nil
        let pending = self.tracks.filter { $0.value.standing == .pending }
        for (id, track) in pending.sorted(by: { $0.value.precedes($1.value) }) {
            let due = track.followed.advanced(by: self.configuration.firstOddsDue)
            guard due <= now.monotonic else {
                self.nextDue = min(self.nextDue ?? due, due)
                continue
            }
            let was = self.stand(.missing, id, now, since: due)
            self.trouble(
                .market(id), .market(track.market), .noSnapshot, reason: nil, detail: nil, begin: track.followed,
                before: was, now
            ) { $0.symptoms.isDown = true }
        }
    }

    /// Counts a market's time up to an instant.
    private mutating func count(_ id: MarketID, to instant: MonotonicTime) {
        guard var track = self.tracks[id], track.counted < instant else { return }
        let time = track.counted.duration(to: instant)
        track.counted = instant
        track.uptime.times[track.standing] += time
        self.tracks[id] = track
        self.troubles[.market(id)]?.pass(time, track.standing)
    }

    /// The market stands differently from now on, or from an instant since it was last counted.
    private mutating func stand(
        _ standing: Standing, _ id: MarketID, _ now: ReceiveTime, since: MonotonicTime? = nil
    ) -> (standing: Standing, since: MonotonicTime) {
        let at = since ?? now.monotonic
        self.count(id, to: at)
        guard let track = self.tracks[id] else { return (.pending, at) }
        let was = (standing: track.standing, since: track.since)
        guard standing != track.standing else { return was }
        self.tracks[id]?.standing = standing
        self.tracks[id]?.since = at
        self.standings[track.standing.index] -= 1
        self.standings[standing.index] += 1
        self.reviewWorst(now.monotonic)
        return was
    }

    private mutating func reviewWorst(_ now: MonotonicTime) {
        let worst = Standing.byMerit.last { self.standings[$0.index] > 0 } ?? .pending
        guard worst != self.worst else { return }
        self.worst = worst
        self.history.append((worst, now))
        if self.history.count > Self.historyLimit { self.history.removeFirst() }
    }

    /// More changes than one moment brings, so that what was served a few seconds ago is still known.
    private static let historyLimit = 32

    /// What the worst market was given between two instants.
    private func served(from begin: MonotonicTime, to end: MonotonicTime) -> StandingTimes {
        var times = StandingTimes()
        var rest = end
        for (standing, since) in self.history.reversed() where rest > begin {
            guard since < rest else { continue }
            let start = max(since, begin)
            times[standing] += start.duration(to: rest)
            rest = start
        }
        // What came before the oldest change is not known any more, or nothing was due.
        if rest > begin { times[.pending] += begin.duration(to: rest) }
        return times
    }

    private func standing(of key: Key) -> Standing {
        switch key {
        case .market(let id): self.tracks[id]?.standing ?? .pending
        case .line, .asset, .selection: self.worst
        }
    }

    // MARK: Reading

    /// Everything up to this moment.
    public func report(at time: ReceiveTime) -> IncidentReport {
        var copy = self
        return copy.reportNow(copy.advance(to: time))
    }

    private mutating func reportNow(_ now: ReceiveTime) -> IncidentReport {
        for id in self.tracks.keys { self.count(id, to: now.monotonic) }
        var report = IncidentReport()
        report.counts = self.counts
        var over: [Incident] = []
        for (key, trouble) in self.troubles {
            if case .market(let id) = key {
                self.tracks[id]?.uptime.lose(trouble.unbooked, to: trouble.incident.kind)
            }
            if trouble.settles != nil {
                over.append(trouble.incident)
            } else {
                report.open.append(trouble.incident.lasting(until: now))
            }
        }
        report.open.sort { $0.id > $1.id }
        over.sort { $0.id > $1.id }
        report.finished = Array((over + self.finished.reversed()).prefix(self.configuration.finishedLimit))
        report.uptime = self.ledger()
        return report
    }

    private func ledger() -> UptimeLedger {
        var ledger = UptimeLedger()
        ledger.total = self.retired
        ledger.series = self.retiredSeries
        for track in self.tracks.values.sorted(by: { $0.precedes($1) }) {
            ledger.total += track.uptime
            if let series = track.market.series {
                ledger.series[series] = (ledger.series[series] ?? self.noUptime) + track.uptime
            }
            ledger.markets.append(UptimeLedger.Entry(market: track.market, uptime: track.uptime))
        }
        return ledger
    }
}
