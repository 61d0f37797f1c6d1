package import OddsCore
package import PolymarketSimulator
package import RealtimeOdds
internal import ServiceLifecycle
internal import Synchronization

/// A long run under watch: looks many times a second at what a reader gets, and keeps what it sees in bounded memory.
///
/// It runs beside the sources and ends before them. What it has so far can be read at any time.
package final class SoakRun: Service {
    /// What it watches.
    package struct Setup: Sendable {
        /// The source under test.
        package var source: any LiveOddsSource
        package var clock: any StreamClock
        /// Where latency is measured; nil when it is not.
        package var latency: LatencyMeter?
        /// Where spikes are counted.
        package var spikes: SpikeCount
        /// The pollers beside it: how often each asks, and itself.
        package var pollers: [(interval: Duration, name: String, source: any LiveOddsSource)] = []
        /// What the exchange itself knows; nil when it is not in this process.
        package var exchange: Exchange?
        /// How long it takes.
        package var duration: Duration
        /// What is left out of slopes at the beginning.
        package var warmUp: Duration
        /// Counts of others, such as trades.
        package var counters: @Sendable () -> [(name: String, value: UInt64)] = { [] }

        package init(
            source: any LiveOddsSource, clock: any StreamClock, spikes: SpikeCount, duration: Duration
        ) {
            self.source = source
            self.clock = clock
            self.spikes = spikes
            self.duration = duration
            // Caches fill and pools grow at first, for a quarter of an hour rather than an hour.
            self.warmUp = min(max(duration / 4, .seconds(30)), .seconds(3600))
        }
    }

    /// The simulated exchange.
    package struct Exchange: Sendable {
        package var simulator: PolymarketSimulator
        package var seed: UInt64
        package var perMinute: Double?
        package var plan: FaultPlan

        package init(simulator: PolymarketSimulator, seed: UInt64, perMinute: Double?, plan: FaultPlan) {
            self.simulator = simulator
            self.seed = seed
            self.perMinute = perMinute
            self.plan = plan
        }
    }

    private let setup: Setup
    private let state: Mutex<SoakLog>
    private let write: @Sendable (SoakRecord) -> Void
    private let progress: @Sendable (_ share: Double, _ text: String) -> Void

    /// - Parameters:
    ///   - record: what is known of the run at the beginning.
    ///   - write: gets the record every minute, to be put on disk.
    ///   - progress: gets the share that is done and how it goes, every few seconds.
    package init(
        _ setup: Setup, record: SoakRecord, write: @escaping @Sendable (SoakRecord) -> Void,
        progress: @escaping @Sendable (_ share: Double, _ text: String) -> Void
    ) {
        self.setup = setup
        self.write = write
        self.progress = progress
        self.state = Mutex(SoakLog(setup, record: record))
    }

    private static let gaugePace = Duration.seconds(5)
    private static let writePace = Duration.seconds(60)
    private static let progressPace = Duration.seconds(10)

    package func run() async throws {
        let clock = self.setup.clock
        let begin = clock.now()
        let boot = ProcessGauge.timeSinceBoot()
        self.state.withLock { $0.begin(at: begin, sinceBoot: boot) }
        if let exchange = self.setup.exchange { exchange.simulator.follow(exchange.plan) }
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.watch(since: begin) }
                group.addTask { await self.keepWriting() }
                // The watch ends with the time; writing never does by itself.
                await group.next()
                group.cancelAll()
            }
        }
        self.state.withLock { log in
            if log.ending == "running" { log.ending = "interrupted" }
            log.look(at: clock.now())
            log.gauge(ProcessGauge.read(), sinceBoot: ProcessGauge.timeSinceBoot(), at: clock.now())
            log.close(at: clock.now())
        }
        self.write(self.record())
    }

    /// Beside the watch: slopes and pages take a moment.
    private func keepWriting() async {
        while (try? await self.setup.clock.sleep(for: Self.writePace)) != nil { self.write(self.record()) }
    }

    private func watch(since begin: ReceiveTime) async {
        let clock = self.setup.clock
        // With the truth at hand odds are held against it; without, nothing changes in so short a time.
        let pace: Duration = self.setup.exchange == nil ? .milliseconds(100) : .milliseconds(10)
        var gauged: MonotonicTime?
        var told = begin.monotonic
        while !Task.isCancelled {
            // The sleep throws only when the program ends.
            guard (try? await clock.sleep(for: pace)) != nil else { break }
            let now = clock.now()
            let elapsed = begin.monotonic.duration(to: now.monotonic)
            self.state.withLock { $0.look(at: now) }
            if gauged.map({ $0.duration(to: now.monotonic) >= Self.gaugePace }) ?? true {
                gauged = now.monotonic
                let gauge = ProcessGauge.read()
                let boot = ProcessGauge.timeSinceBoot()
                self.state.withLock { $0.gauge(gauge, sinceBoot: boot, at: now) }
            }
            if told.duration(to: now.monotonic) >= Self.progressPace {
                told = now.monotonic
                let line = self.state.withLock { $0.line }
                self.progress(elapsed.secondsValue / self.setup.duration.secondsValue, line)
            }
            if elapsed >= self.setup.duration {
                self.state.withLock { $0.ending = "time" }
                break
            }
        }
    }

    /// Everything so far.
    package func record() -> SoakRecord {
        let now = self.setup.clock.now()
        var record = self.state.withLock { $0.record(at: now) }
        // Sorting thousands of slopes takes a moment; nobody waits for it here.
        record.judge()
        return record
    }
}

/// What a soak has seen. Times come in.
struct SoakLog {
    private let setup: SoakRun.Setup
    private let hindrances: Hindrances
    private var soak: SoakRecord
    private var start: ReceiveTime
    private var startBoot: Duration?
    private var last: ReceiveTime
    private var lastStanding: MonotonicTime
    private var lastMarkets: MonotonicTime?
    private var lastIncidents: MonotonicTime?
    private var markets: [MarketStatus] = []
    private var meters: [MarketID: ChaosMeter] = [:]
    private var lineStates: [LineKey: LineState] = [:]
    private var failures: [(time: MonotonicTime, line: Int)] = []
    private var seenIncidents: Set<UInt64> = []
    private var durations = LatencyHistogram()
    private var owns = LatencyHistogram()
    private var delays = LatencyHistogram()
    private var kinds: [Incident.Kind: SoakRecord.Kind] = [:]
    private var pollersCaught: [Int]
    private var excused = Duration.zero
    private var standingNow = "pending"
    private var closed = false
    var ending = "running"

    private struct LineKey: Hashable {
        var line: Int
        var connection: Int
    }

    private struct LineState {
        var disconnects: UInt64
        var failures: Int
        /// How many losses it has not come back from.
        var down: UInt64
    }

    /// How often standings and lines are looked at.
    private static let standingPace = Duration.milliseconds(100)
    private static let incidentPace = Duration.seconds(5)
    /// The same incident may begin again for so long after it is over.
    private static let settling = Duration.seconds(12)
    private static let worstKept = 100
    private static let missedKept = 100
    private static let failuresKept = 2_000

    init(_ setup: SoakRun.Setup, record: SoakRecord) {
        self.setup = setup
        self.soak = record
        self.hindrances = setup.exchange.map { Hindrances($0.plan) } ?? Hindrances()
        let zero = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0)
        self.start = zero
        self.last = zero
        self.lastStanding = zero.monotonic
        self.pollersCaught = setup.pollers.map { _ in 0 }
    }

    // MARK: Looking

    mutating func begin(at now: ReceiveTime, sinceBoot boot: Duration?) {
        self.start = now
        self.startBoot = boot
        self.last = now
        self.lastStanding = now.monotonic
        self.soak.from = now.wall.milliseconds
        self.soak.warmUp = self.setup.warmUp.secondsValue
        if let exchange = self.setup.exchange {
            self.soak.wrong = SoakRecord.Wrong()
            self.soak.spikes.reference = "truth"
            var faults = SoakRecord.Faults(seed: exchange.seed, perMinute: exchange.perMinute)
            for planned in exchange.plan.faults { faults.planned[planned.fault.kind.planName, default: 0] += 1 }
            self.soak.faults = faults
            // Without faults nothing excuses odds that are wrong for longer than they take to arrive.
            if exchange.plan.faults.isEmpty { self.soak.limits.wrong = 1 }
        } else if let fastest = self.setup.pollers.min(by: { $0.interval < $1.interval }) {
            self.soak.spikes.reference = "poller \(fastest.name)"
            self.soak.spikes.shortest = 0
        }
    }

    private func elapsed(_ time: MonotonicTime) -> Duration { self.start.monotonic.duration(to: time) }

    mutating func look(at now: ReceiveTime) {
        guard !self.closed else { return }
        let step = self.last.monotonic.duration(to: now.monotonic)
        let wallStep = Duration.nanoseconds(now.unixNanoseconds - self.last.unixNanoseconds) - step
        if wallStep > .milliseconds(500) || wallStep < .milliseconds(-500) {
            self.soak.time.steps += 1
            self.soak.time.stepped += wallStep.secondsValue
        }
        if step > .seconds(1) { self.soak.time.pauses += 1 }
        self.soak.time.longestPause = max(self.soak.time.longestPause, step.secondsValue)
        self.last = now
        if self.lastMarkets.map({ $0.duration(to: now.monotonic) >= .seconds(1) }) ?? true {
            self.lastMarkets = now.monotonic
            self.markets = self.setup.source.markets
            let followed = Set(self.markets.map(\.market.id))
            self.meters = self.meters.filter { followed.contains($0.key) }
        }
        if let exchange = self.setup.exchange { self.compare(with: exchange.simulator, step, at: now) }
        let sinceStanding = self.lastStanding.duration(to: now.monotonic)
        if sinceStanding >= Self.standingPace {
            self.lastStanding = now.monotonic
            self.lookAtStandings(for: sinceStanding, at: now.monotonic)
            self.lookAtLines(at: now.monotonic)
        }
        if self.lastIncidents.map({ $0.duration(to: now.monotonic) >= Self.incidentPace }) ?? true {
            self.lastIncidents = now.monotonic
            self.lookAtIncidents(at: now)
            self.lookAtSpikes(at: now)
        }
    }

    /// Holds what a reader gets against what the exchange knows.
    private mutating func compare(with simulator: PolymarketSimulator, _ step: Duration, at now: ReceiveTime) {
        let time = self.elapsed(now.monotonic)
        self.soak.wrong?.looks += 1
        self.soak.wrong?.resolution = self.soak.time.longestPause
        for status in self.markets where status.subscribed {
            let market = status.market
            guard let truth = simulator.truth(market.id) else { continue }
            var meter = self.meters[market.id] ?? ChaosMeter(liveAllowance: .milliseconds(250))
            meter.sample(self.setup.source.currentOdds(market.id), truth: truth, at: time)
            self.meters[market.id] = meter
            let known = self.soak.wrong?.longest ?? 0
            if meter.longestWrong.secondsValue > known {
                self.soak.wrong?.longest = meter.longestWrong.secondsValue
                self.soak.wrong?.at = meter.wrongAt?.secondsValue
                self.soak.wrong?.market = market.slug
                let suspects = meter.wrongAt.map {
                    self.faults(from: $0 - .seconds(5), until: $0 + meter.longestWrong)
                }
                self.soak.wrong?.suspects = suspects ?? []
            }
            // After the window's end the website shows another market.
            let isOver = market.window.map { $0.end <= now.wall } ?? false
            let tops = MarketTops(truth)
            let basis = self.setup.spikes.basis
            self.setup.spikes.observe({ isOver ? nil : tops.odds($0, basis) }, of: market, by: .truth, at: now)
        }
    }

    private func faults(from begin: Duration, until end: Duration) -> [String] {
        guard let plan = self.setup.exchange?.plan else { return [] }
        return plan.faults.filter { planned in
            planned.at <= end && planned.at + (planned.fault.duration ?? .seconds(1)) >= begin
        }.prefix(8).map { planned in
            let length = planned.fault.duration.map { ":\(Self.seconds($0))" } ?? ""
            return "\(planned.fault.kind.planName)@\(Self.seconds(planned.at))\(length)"
        }
    }

    private static func seconds(_ duration: Duration) -> String {
        "\((duration.secondsValue * 10).rounded() / 10)s"
    }

    /// What each market's readers are given, and the worst of it.
    private mutating func lookAtStandings(for time: Duration, at now: MonotonicTime) {
        var worst: Int?
        if self.setup.exchange != nil {
            self.setup.latency?.setAside(self.hindrances.holdsBack(at: self.elapsed(now)))
        }
        for status in self.markets where status.role != .past && status.subscribed {
            guard let place = self.standing(of: status) else { continue }
            worst = max(worst ?? 0, place)
            if place > 0, self.hindrances.isInForce(for: .market(status.market), at: self.elapsed(now)) {
                self.excused += time
            }
        }
        self.standingNow = worst.map { StandingStrip.order[$0] } ?? "pending"
        self.soak.strip.take(self.standingNow, for: time.secondsValue, at: self.elapsed(now).secondsValue)
    }

    /// The place of a market's standing among those that may be due; nil when nothing is due.
    private func standing(of status: MarketStatus) -> Int? {
        switch self.setup.source.currentOdds(status.market.id)?.trust {
        case .live: 0
        case .suspect: 1
        case .fallback: 2
        case .stale: 3
        case .resolving, .closed: nil
        case nil: status.role == .current ? 4 : nil
        }
    }

    private mutating func lookAtLines(at now: MonotonicTime) {
        for line in self.setup.source.status.lines {
            let key = LineKey(line: line.line, connection: line.connection)
            var state = self.lineStates[key] ?? LineState(disconnects: 0, failures: 0, down: 0)
            if line.disconnects > state.disconnects {
                let lost = line.disconnects - state.disconnects
                self.soak.lines.disconnects += lost
                state.down += lost
            }
            if line.failuresInARow > state.failures {
                self.soak.lines.failures += UInt64(line.failuresInARow - state.failures)
                self.failures.append((now, line.line))
                if self.failures.count > Self.failuresKept { self.failures.removeFirst() }
            }
            // Each of them was live before it was lost.
            if line.state == "live" {
                self.soak.lines.reconnects += state.down
                state.down = 0
            }
            state.disconnects = max(state.disconnects, line.disconnects)
            state.failures = line.failuresInARow
            self.lineStates[key] = state
        }
    }

    // MARK: Incidents

    private mutating func lookAtIncidents(at now: ReceiveTime, isEnd: Bool = false) {
        let report = self.setup.source.incidents()
        self.soak.uptime = SoakRecord.Uptime(report.uptime.total)
        self.soak.series = report.uptime.series.mapValues { SoakRecord.Uptime($0) }
        if self.setup.exchange != nil {
            let excused = min(self.excused.secondsValue, self.soak.uptime.due - self.soak.uptime.up)
            self.soak.uptime.excused = excused
            let rest = self.soak.uptime.due - excused
            if rest > 0 { self.soak.uptime.ownShare = min(1, self.soak.uptime.up / rest) }
        }
        for (kind, count) in report.counts {
            self.kinds[kind, default: SoakRecord.Kind(kind: kind.rawValue, count: 0)].count = count
        }
        let limit = now.monotonic.advanced(by: .zero - Self.settling)
        var remembered: Set<UInt64> = []
        for incident in report.finished {
            guard let end = incident.end, isEnd || end.monotonic <= limit else { continue }
            remembered.insert(incident.id)
            if !self.seenIncidents.contains(incident.id) { self.take(incident, until: end) }
        }
        self.seenIncidents = remembered
        guard isEnd else { return }
        for incident in report.open { self.take(incident, until: now, isOpen: true) }
    }

    /// - Parameter isOpen: whether it lasts still, at the end of the run.
    private mutating func take(_ incident: Incident, until end: ReceiveTime, isOpen: Bool = false) {
        let duration = Self.recovery(of: incident, until: end)
        self.kinds[incident.kind, default: SoakRecord.Kind(kind: incident.kind.rawValue, count: 0)].longest = max(
            self.kinds[incident.kind]?.longest ?? 0, duration.secondsValue)
        self.kinds[incident.kind]?.total += duration.secondsValue
        self.kinds[incident.kind]?.lost += incident.lost.secondsValue
        if incident.kind == .missingMarket {
            let begin = self.elapsed(incident.begin.monotonic)
            let unlisted = self.hindrances.unlisted(from: begin, until: self.elapsed(end.monotonic))
            self.excused += min(incident.lost, unlisted)
        }
        guard incident.ending == .recovered || isOpen else { return }
        let subject: String
        switch incident.subject {
        case .market(let market):
            // What cost nothing was no outage: another line had the market.
            guard incident.lost > .zero else { return }
            subject = market.slug.isEmpty ? market.id.rawValue : market.slug
        case .line(let line, _): subject = "line \(line)"
        case .selection(let name): subject = name
        case .asset: return
        }
        let begin = end.monotonic.advanced(by: .zero - duration)
        var (own, hindrance) = self.own(incident, from: begin, until: end.monotonic)
        let limit = self.soak.limits.recovery
        if isOpen { hindrance = hindrance.isEmpty ? "not over yet" : "not over yet, \(hindrance)" }
        // One that began just before the end is told, and is neither in time nor too late.
        if !isOpen || own.secondsValue > limit {
            self.durations.record(duration.wholeNanoseconds)
            self.owns.record(own.wholeNanoseconds)
            self.soak.recoveries.count += 1
            if duration.secondsValue > limit { self.soak.recoveries.slow += 1 }
            if own.secondsValue > limit { self.soak.recoveries.ownSlow += 1 }
            self.soak.recoveries.longest = max(self.soak.recoveries.longest, duration.secondsValue)
            self.soak.recoveries.ownLongest = max(self.soak.recoveries.ownLongest, own.secondsValue)
        }
        let wallEnd = end.wall.milliseconds
        self.soak.recoveries.worst.append(
            SoakRecord.Recovery(
                incident: incident.id, subject: subject, kind: incident.kind.rawValue,
                begin: wallEnd - duration.wholeNanoseconds / 1_000_000, end: wallEnd,
                duration: duration.secondsValue, own: own.secondsValue, lost: incident.lost.secondsValue,
                hindrance: hindrance))
        self.soak.recoveries.worst.sort { ($0.own, $0.duration) > ($1.own, $1.duration) }
        if self.soak.recoveries.worst.count > Self.worstKept { self.soak.recoveries.worst.removeLast() }
    }

    /// From the last fresh data to live again. Of trouble that came several times within seconds, the calm in between is
    /// no part of it.
    private static func recovery(of incident: Incident, until end: ReceiveTime) -> Duration {
        guard incident.occurrences > 1 else { return incident.duration }
        let latest = incident.latestBegin.monotonic.duration(to: end.monotonic)
        return min(incident.duration, max(latest, incident.lost))
    }

    /// What of an outage is the program's own: the time since the exchange could be reached again.
    ///
    /// A planned hindrance is the exchange's, as long as it lasts; so is all up to the last attempt that failed.
    private func own(
        _ incident: Incident, from begin: MonotonicTime, until end: MonotonicTime
    ) -> (Duration, hindrance: String) {
        let from = self.elapsed(begin)
        let until = self.elapsed(end)
        let whole = until - from
        var own = whole
        var words: [String] = []
        let subject: Hindrances.Subject =
            switch incident.subject {
            case .market(let market): .market(market)
            case .line, .asset: .line
            case .selection: .series
            }
        let free = self.hindrances.free(for: subject, from: from, until: until)
        if free < whole {
            own = free
            words = self.hindrances.names(for: subject, from: from, until: until)
        }
        let lines = Set(self.setup.source.status.lines.map(\.line))
        var failed: [Int: MonotonicTime] = [:]
        var count = 0
        for failure in self.failures where failure.time >= begin && failure.time <= end {
            failed[failure.line] = failure.time
            count += 1
        }
        switch incident.subject {
        case .line(let line, _):
            if let last = failed[line] {
                own = min(own, last.duration(to: end))
                words.append("attempts failed")
            }
        case .market, .asset, .selection:
            // As long as one line could be had, nothing kept the market away.
            if !lines.isEmpty, lines.allSatisfy({ failed[$0] != nil }), let first = failed.values.min() {
                own = min(own, first.duration(to: end))
                words.append("\(count) failed attempts")
            }
        }
        return (max(.zero, own), words.joined(separator: ", "))
    }

    // MARK: Spikes

    private mutating func lookAtSpikes(at now: ReceiveTime) {
        let settled = Duration.seconds(3) + (self.setup.exchange == nil ? .seconds(2) : .zero)
        let reference: SpikeCount.Source
        var early = Duration.milliseconds(50)
        if self.setup.exchange != nil {
            reference = .truth
        } else {
            let fastest = self.setup.pollers.indices.min {
                self.setup.pollers[$0].interval < self.setup.pollers[$1].interval
            }
            guard let fastest else { return }
            reference = .poller(fastest)
            // A poller learns of it up to an interval later.
            early = self.setup.pollers[fastest].interval + .seconds(1)
        }
        let late = Duration.seconds(1)
        let closed = self.setup.spikes.takeClosed(
            by: reference, lasting: .seconds(self.soak.spikes.shortest), settledFor: settled, at: now)
        for over in closed {
            guard let end = over.end else { continue }
            let from = self.elapsed(over.begin.monotonic)
            let until = self.elapsed(end.monotonic)
            // Whatever came of it: to leave out only those that were missed would flatter.
            if self.hindrances.hides(from: from, until: until) {
                self.soak.spikes.hidden += 1
                continue
            }
            guard let caught = self.setup.spikes.first(like: over, by: .stream, early: early, late: late) else {
                self.soak.spikes.visible += 1
                if self.soak.spikes.missed.count < Self.missedKept {
                    self.soak.spikes.missed.append(
                        SoakRecord.Spikes.Missed(
                            market: over.slug, side: over.side == .yes ? "yes" : "no",
                            begin: over.begin.wall.milliseconds,
                            end: end.wall.milliseconds, peak: Double(over.peak.rawValue) / 1_000_000,
                            faults: self.faults(from: from - .seconds(2), until: until)))
                }
                self.countPollers(over)
                continue
            }
            self.soak.spikes.visible += 1
            self.soak.spikes.caught += 1
            self.delays.record(
                max(.zero, over.begin.monotonic.duration(to: caught)).wholeNanoseconds)
            self.countPollers(over)
        }
        self.setup.spikes.trim(at: now)
    }

    private mutating func countPollers(_ over: SpikeCount.Over) {
        for index in self.setup.pollers.indices
        where self.setup.spikes.first(
            like: over, by: .poller(index), early: .zero, late: .zero, carriedOver: true) != nil
        {
            self.pollersCaught[index] += 1
        }
    }

    // MARK: The process

    mutating func gauge(_ gauge: ProcessGauge, sinceBoot boot: Duration?, at now: ReceiveTime) {
        guard !self.closed else { return }
        self.soak.process.take(gauge, at: self.elapsed(now.monotonic).secondsValue)
        if let boot, let startBoot = self.startBoot {
            let slept = boot - startBoot - self.elapsed(now.monotonic)
            self.soak.time.slept = max(self.soak.time.slept ?? 0, slept > .milliseconds(100) ? slept.secondsValue : 0)
        }
    }

    /// How it goes, in a line.
    var line: String {
        let share = self.soak.uptime.share.map { SoakText.percent($0) } ?? "nothing due yet"
        let piece = self.soak.process.pieces.last
        let memory = piece?.mostResident.map { SoakText.bytes(Double($0)) } ?? "memory unknown"
        let descriptors = piece?.mostDescriptors.map { "\($0) descriptors" } ?? "descriptors unknown"
        let spikes = "\(self.soak.spikes.caught)/\(self.soak.spikes.visible) spikes"
        return "\(self.standingNow), up \(share), \(memory), \(descriptors), \(spikes), "
            + "\(self.soak.lines.disconnects) disconnects"
    }

    /// The last look, while the source still runs.
    mutating func close(at now: ReceiveTime) {
        guard !self.closed else { return }
        self.lookAtIncidents(at: now, isEnd: true)
        self.lookAtSpikes(at: now)
        self.closed = true
    }

    func record(at now: ReceiveTime) -> SoakRecord {
        var record = self.soak
        let end = self.closed ? self.last : now
        record.generated = now.wall.milliseconds
        record.until = end.wall.milliseconds
        record.ran = self.elapsed(end.monotonic).secondsValue
        record.ending = self.closed ? self.ending : "running"
        record.incidents = self.kinds.values.sorted { $0.kind < $1.kind }
        record.recoveries.durations = LatencyDistribution(self.durations)
        record.recoveries.owns = LatencyDistribution(self.owns)
        record.spikes.delays = LatencyDistribution(self.delays)
        record.spikes.streamed = self.setup.spikes.streamed
        record.spikes.pollers = self.setup.pollers.indices.map {
            SoakRecord.Spikes.Poller(interval: self.setup.pollers[$0].name, caught: self.pollersCaught[$0])
        }
        record.latency = self.setup.latency.map { LatencyRecord($0.report(at: now)) }
        if let counters = self.setup.exchange?.simulator.counters, counters.connectionsAccepted > 0 {
            record.faults?.begun = counters.faults
            record.faults?.accepted = counters.connectionsAccepted
            record.faults?.refused = counters.connectionsRefused
        }
        var counters = self.setup.source.status.counters
        counters += self.setup.counters()
        record.counters = Dictionary(counters.map { ($0.name, $0.value) }, uniquingKeysWith: +)
        return record
    }
}
