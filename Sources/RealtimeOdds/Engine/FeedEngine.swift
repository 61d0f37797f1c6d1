import Logging
import NIOCore
import OddsCore
import Synchronization

/// All lines and what they have in common: which market is on which connection, phases by the clock, and the way of a
/// change to its followers.
///
/// One event loop serves every line, so that what they share needs no lock; it reads a million messages a second, and the
/// venue's busiest hour is a thousandth of that. Methods are called on that loop.
final class FeedEngine {
    /// What every connection needs.
    struct Setup {
        let configuration: RealtimeOddsConfiguration
        let connector: any FeedConnector
        /// The REST witness; nil when there is none to ask.
        let witness: (any BookWitness)?
        let eventLoop: any EventLoop
        let clock: any StreamClock
        let logger: Logger
        let board: OddsBoard
        let observer: (any AppliedMessageObserver)?
        /// Told of everything that bears on continuity.
        let continuity: @Sendable (ContinuityEvent, ReceiveTime) -> Void
        /// Sees everything inline; nil costs nothing.
        var marketObserver: (any MarketObserver)?
        /// Hears everything raw; nil costs nothing.
        var tap: (any FeedTap)?
    }

    /// Decides between the lines.
    let arbiter: FeedArbiter
    let setup: Setup
    private let hub: UpdateHub
    /// Told of each market's first usable odds and of resolutions.
    private let onFirstOdds: (MarketID, Timestamp) -> Void
    private let onResolved: (MarketID, AssetID?, Timestamp) -> Void
    private let connectionList: ConnectionList
    var lines: [[FeedConnection]]
    /// Connections that are to take the place of another, and those whose place was taken, until their sockets are gone.
    var renewing: Renewal?
    var retired: [FeedConnection] = []
    var nextRenewal: MonotonicTime?
    private var watch: LivenessWatch?
    private var desk: MicrostructureDesk?
    private var watchTimer: Scheduled<Void>?
    /// When the lines are looked at next, or were last.
    private var nextLook: MonotonicTime?
    private var hasTold: Set<MarketID> = []
    private var placement: [MarketID: [FeedConnection]] = [:]
    private var followed: [MarketID: Market] = [:]
    private var phaseTimers: [MarketID: Scheduled<Void>] = [:]
    private var awaitingFirstOdds: Set<MarketID> = []
    /// Markets of tokens named alone whose end was told; no more than there are such tokens.
    private(set) var decidedBare: Set<MarketID> = []
    private var reportsEveryChange = false
    var generator: SplitMix64
    private var lastLogs: [LoggedFault: MonotonicTime] = [:]
    /// Followed markets that are decided, and those of which the feed itself has said so.
    private var closedMarkets: Set<MarketID> = []
    private var resolvedMarkets: Set<MarketID> = []
    /// Markets whose end the observer was told.
    private var endedMarkets: Set<MarketID> = []
    private var arbiterTimer: Scheduled<Void>?
    private var entries: UInt64 = 0
    private var serials = 0
    private(set) var isStopped = false

    /// How long the board waits for a line to catch up with what a failed one had.
    private static let catchUpLimit = Duration.milliseconds(250)

    init(
        setup: Setup, hub: UpdateHub, connectionList: ConnectionList,
        microstructures: MicrostructureShelf = MicrostructureShelf(), seed: UInt64,
        onFirstOdds: @escaping (MarketID, Timestamp) -> Void,
        onResolved: @escaping (MarketID, AssetID?, Timestamp) -> Void
    ) {
        self.setup = setup
        self.arbiter = FeedArbiter(board: setup.board)
        self.hub = hub
        self.connectionList = connectionList
        self.generator = SplitMix64(seed: seed)
        self.onFirstOdds = onFirstOdds
        self.onResolved = onResolved
        self.lines = Array(repeating: [], count: setup.configuration.lines)
        self.watch = LivenessWatch(engine: self)
        self.desk = MicrostructureDesk(engine: self, shelf: microstructures)
        setup.marketObserver?.attached(to: EngineReader(self))
        // A follower may have come before the engine was there to be told.
        self.heedFollowers()
    }

    // MARK: What is followed

    func follow(_ market: Market) {
        guard !self.isStopped, self.followed[market.id] == nil else { return }
        self.command(.follow(market))
        self.followed[market.id] = market
        self.awaitingFirstOdds.insert(market.id)
        self.tell(.followed(market))
        var connections: [FeedConnection] = []
        for line in self.lines.indices {
            let connection = self.connection(of: line, withRoomFor: market.assets.count)
            for carrier in self.withSuccessor(connection) {
                carrier.follow(market)
                connections.append(carrier)
            }
        }
        self.placement[market.id] = connections
        self.watchPhase(of: market)
        self.watchLiveness()
    }

    func follow(bare assets: [AssetID]) {
        guard !self.isStopped else { return }
        self.command(.followTokens(assets))
        let room = self.setup.configuration.maximumAssetsPerConnection
        for line in self.lines.indices {
            var rest = assets[...]
            while !rest.isEmpty {
                let connection = self.connection(of: line, withRoomFor: 1)
                let part = rest.prefix(max(1, room - connection.assetCount))
                for carrier in self.withSuccessor(connection) { carrier.follow(bare: Array(part)) }
                rest = rest.dropFirst(part.count)
            }
        }
        self.watchLiveness()
    }

    func unfollow(_ market: Market) {
        guard self.followed.removeValue(forKey: market.id) != nil else { return }
        self.command(.unfollow(market.id))
        self.phaseTimers.removeValue(forKey: market.id)?.cancel()
        self.awaitingFirstOdds.remove(market.id)
        self.closedMarkets.remove(market.id)
        self.resolvedMarkets.remove(market.id)
        self.watch?.forget(market.id)
        for connection in self.placement.removeValue(forKey: market.id) ?? [] { connection.unfollow(market) }
        self.hasTold.remove(market.id)
        self.tell(.unfollowed(market.id))
        self.setup.board.remove(market.id)
        self.ended(market)
        self.endedMarkets.remove(market.id)
    }

    /// A connection, and the one that is about to take its place: what is followed on one is followed on both.
    private func withSuccessor(_ connection: FeedConnection) -> [FeedConnection] {
        guard let renewal = self.renewing, renewal.old === connection else { return [connection] }
        return [connection, renewal.successor]
    }

    private func connection(of line: Int, withRoomFor count: Int) -> FeedConnection {
        let limit = self.setup.configuration.maximumAssetsPerConnection
        if let free = self.lines[line].first(where: { $0.assetCount + count <= limit }) { return free }
        let connection = FeedConnection(
            line: line, number: self.lines[line].count, seat: self.freeSeat(for: line), setup: self.setup, engine: self,
            seed: self.generator.next())
        connection.reportsEveryChange = self.reportsEveryChange
        connection.renewal = self.firstRenewal(of: connection)
        self.lines[line].append(connection)
        self.connectionList.put(connection)
        return connection
    }

    /// A line's connections share a seat, since each carries other markets.
    private func freeSeat(for line: Int) -> Int {
        if let sibling = self.lines[line].first { return sibling.seat }
        let taken = Set(self.lines.joined().map(\.seat))
        // There are more seats than lines.
        return (0..<FeedArbiter.witnessSeat).first { !taken.contains($0) } ?? line
    }

    /// Puts a connection in another's place, in every list.
    func replace(_ old: FeedConnection, with new: FeedConnection) {
        for index in self.lines[old.line].indices where self.lines[old.line][index] === old {
            self.lines[old.line][index] = new
        }
        for (market, connections) in self.placement where connections.contains(where: { $0 === old }) {
            self.placement[market] = connections.filter { $0 !== old }
        }
        self.connectionList.put(new)
    }

    /// Lets another connection carry what one carries, besides it.
    func add(_ connection: FeedConnection, besides old: FeedConnection) {
        connection.reportsEveryChange = self.reportsEveryChange
        for market in old.followed {
            connection.follow(market)
            connection.setPhase(self.phase(of: market), of: market.id)
            self.placement[market.id]?.append(connection)
        }
        if !old.followedBare.isEmpty { connection.follow(bare: old.followedBare) }
    }

    /// Takes back what `add` did.
    func remove(_ connection: FeedConnection) {
        for (market, connections) in self.placement {
            self.placement[market] = connections.filter { $0 !== connection }
        }
    }

    /// Followers came or went: whether every single change is to be told is asked here, where changes happen.
    func heedFollowers() {
        self.reportsEveryChange = self.hub.hasLossless || self.setup.marketObserver != nil
        for connection in self.allConnections { connection.reportsEveryChange = self.reportsEveryChange }
        self.hub.settle(with: self.setup.board.markets.compactMap { self.setup.board.slot($0.id) })
    }

    /// Ends every connection; the future succeeds when all sockets are gone.
    func stop() -> EventLoopFuture<Void> {
        self.isStopped = true
        for timer in self.phaseTimers.values { timer.cancel() }
        self.phaseTimers = [:]
        self.arbiterTimer?.cancel()
        self.arbiterTimer = nil
        self.watchTimer?.cancel()
        self.watchTimer = nil
        self.watch?.stop()
        self.desk?.stop()
        let gone = (self.allConnections + self.retired).map { $0.stop() }
        let bound = NIOLoopBound(self, eventLoop: self.setup.eventLoop)
        return EventLoopFuture.andAllSucceed(Array(gone), on: self.setup.eventLoop).always { _ in
            // Engine and connections hold each other until here.
            bound.value.lines = []
            bound.value.renewing = nil
            bound.value.retired = []
            bound.value.watch = nil
            bound.value.desk = nil
            bound.value.placement = [:]
        }
    }

    // MARK: Phases

    /// How soon a step of the wall clock is noticed.
    private static let clockCheck = Duration.seconds(1)

    /// At its window's end a market's odds become `resolving`, whatever the feed says or does not say.
    private func watchPhase(of market: Market) {
        if market.closed {
            self.setPhase(.closed, of: market.id)
            return self.ended(market)
        }
        guard let end = market.window?.end else { return }
        let rest = self.setup.clock.now().wall.duration(to: end)
        self.setPhase(self.phase(of: market), of: market.id)
        // The wall clock may be stepped meanwhile, in either direction, so the wait is taken in parts and goes on.
        let wait = rest > .zero ? min(rest, Self.clockCheck) : Self.clockCheck
        self.phaseTimers[market.id] = self.setup.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(wait)) {
            guard self.followed[market.id] != nil else { return }
            self.watchPhase(of: market)
        }
    }

    private func phase(of market: Market) -> MarketPhase {
        if market.closed || self.closedMarkets.contains(market.id) { return .closed }
        return market.window.map { self.setup.clock.now().wall < $0.end } ?? true ? .trading : .resolving
    }

    private func setPhase(_ phase: MarketPhase, of market: MarketID) {
        for connection in self.placement[market] ?? [] { connection.setPhase(phase, of: market) }
    }

    func resolved(_ market: MarketID, winner: AssetID?, at time: Timestamp) {
        guard self.followed[market] != nil else { return self.resolvedBare(market, winner: winner, at: time) }
        // Every line tells it.
        guard self.resolvedMarkets.insert(market).inserted else { return }
        self.close(market)
        self.onResolved(market, winner, time)
    }

    /// The end of a market of which only tokens were named: no discovery knows it.
    private func resolvedBare(_ market: MarketID, winner: AssetID?, at time: Timestamp) {
        guard let known = self.setup.board.slot(market)?.market else { return }
        // A line may learn of the market only after another has told its end.
        for connection in self.allConnections { connection.setPhase(.closed, of: market) }
        guard self.decidedBare.insert(market).inserted else { return }
        let winner = winner.flatMap { known.side(of: $0) }
        let resolution = Resolution(market: known, winner: winner, exchangeTime: time, source: .feed)
        self.ended(known)
        self.known(resolution)
        self.hub.broadcast(.resolution(resolution))
    }

    /// A market is decided, by whichever way that became known.
    func close(_ market: MarketID) {
        self.phaseTimers.removeValue(forKey: market)?.cancel()
        let known = self.followed[market]
        if known != nil { self.closedMarkets.insert(market) }
        self.setPhase(.closed, of: market)
        if let known { self.ended(known) }
    }

    /// Nothing new comes of a market.
    private func ended(_ market: Market) {
        guard let observer = self.setup.marketObserver, self.endedMarkets.insert(market.id).inserted else { return }
        observer.ended(market, at: self.setup.clock.now())
    }

    /// Tells the tap what is asked of the feed, where it takes effect.
    func command(_ command: FeedCommand) {
        self.setup.tap?.commanded(command, at: self.setup.clock.now())
    }

    /// The next connection's number in this run, from 1.
    func takeSerial() -> Int {
        self.serials += 1
        return self.serials
    }

    /// The outcome of a market became known.
    func known(_ resolution: Resolution) {
        self.command(.resolved(resolution))
        self.setup.marketObserver?.resolved(resolution, at: self.setup.clock.now())
    }

    // MARK: Arbitration

    /// Looks again in a moment when a market waits for a line to catch up.
    func watchArbiter() {
        guard self.arbiter.waitingCount > 0, self.arbiterTimer == nil, !self.isStopped else { return }
        self.arbiterTimer = self.setup.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(Self.catchUpLimit)) {
            self.arbiterTimer = nil
            guard !self.isStopped else { return }
            let limit = self.setup.clock.now().monotonic.advanced(by: .zero - Self.catchUpLimit)
            for (market, seat) in self.arbiter.overdue(before: limit) {
                for connection in self.allConnections where connection.seat == seat {
                    connection.suspectBehind(market)
                }
            }
            self.watchArbiter()
        }
    }

    // MARK: Liveness

    /// Every connection that carries something, one that is about to take another's place included.
    var allConnections: [FeedConnection] {
        Array(self.lines.joined()) + (self.renewing.map { [$0.successor] } ?? [])
    }

    /// How often the lines are looked at.
    private static let watchInterval = Duration.milliseconds(250)

    /// How long ago the last look should have been, when the next one should have been at `due` already.
    private static func sinceLook(_ due: MonotonicTime, _ now: MonotonicTime) -> Duration {
        .nanoseconds(due.duration(to: now).wholeNanoseconds % Self.watchInterval.wholeNanoseconds)
    }

    private func watchLiveness() {
        guard self.watchTimer == nil, !self.isStopped, self.allConnections.contains(where: { $0.assetCount > 0 })
        else { return }
        // Looks are at multiples of the interval after the first, however late one came: a replay looks at the same moments.
        let now = self.setup.clock.now().monotonic
        var next = (self.nextLook ?? now).advanced(by: Self.watchInterval)
        if next <= now { next = now.advanced(by: Self.watchInterval - Self.sinceLook(next, now)) }
        self.nextLook = next
        self.watchTimer = self.setup.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(now.duration(to: next))) {
            self.watchTimer = nil
            guard !self.isStopped else { return }
            self.watch?.look()
            self.renew()
            self.desk?.sample()
            self.watchLiveness()
            if self.watchTimer == nil { self.nextLook = nil }
        }
    }

    /// The exchange lives, as one connection or the witness shows: attempts of others need not wait.
    func signOfLife(within limit: Duration) {
        for connection in self.allConnections where connection.phase == .waiting { connection.hurry(limit) }
    }

    /// Something bears on continuity.
    func tell(_ event: ContinuityEvent) { self.setup.continuity(event, self.setup.clock.now()) }

    // MARK: Depth

    /// A token's book, of the line that the board follows, or of the one that it would follow next.
    func depth(of asset: AssetID) -> TokenDepth? {
        var next: TokenDepth?
        for connection in self.allConnections {
            guard let offered = connection.depth(of: asset) else { continue }
            if offered.isLeading { return offered.depth }
            next = offered.depth
        }
        return self.watch?.depth(of: asset) ?? next
    }

    // MARK: Microstructure

    /// A connection tells a trade.
    func traded(_ trade: Trade, in slot: MarketSlot, from seat: Int) {
        self.desk?.traded(trade, in: slot, from: seat)
    }

    /// What a market looks like at this very moment.
    func microstructure(of market: MarketID) -> Microstructure? { self.desk?.read(market) }

    /// The books of a market as the witness gave them, while the board shows that.
    func witnessBooks(of slot: MarketSlot, ticks: Int) -> MicrostructureMeter.Books? {
        guard self.arbiter.isWitnessLeading(slot) else { return nil }
        let market = slot.market
        guard let yes = self.watch?.depth(of: market.yes.asset) else { return nil }
        let no = market.no.flatMap { self.watch?.depth(of: $0.asset) }
        return MicrostructureMeter.Books(yes: yes.figures(ticks: ticks), no: no?.figures(ticks: ticks))
    }

    // MARK: Changes

    /// The number of the next applied entry, across all lines.
    func countEntry() -> UInt64 {
        self.entries += 1
        return self.entries
    }

    func changed(_ slot: MarketSlot, values: Bool, previousTrust: Trust?) {
        if !self.awaitingFirstOdds.isEmpty, self.awaitingFirstOdds.contains(slot.market.id),
            let snapshot = slot.read(), snapshot.trust == .live
        {
            self.awaitingFirstOdds.remove(slot.market.id)
            self.onFirstOdds(slot.market.id, snapshot.receiveTime.wall)
        }
        if let previousTrust { self.tellTrust(of: slot, previous: previousTrust) }
        if self.hasTold.insert(slot.market.id).inserted { self.tellTrust(of: slot, previous: nil) }
        self.hub.changed(slot, values: values, previousTrust: previousTrust)
    }

    private func tellTrust(of slot: MarketSlot, previous: Trust?) {
        guard let snapshot = slot.read() else { return }
        if let previous {
            guard previous.name != snapshot.trust.name || previous.reason != snapshot.trust.reason else { return }
        }
        self.tell(
            .trust(
                slot.market, snapshot.trust, previous: previous, epoch: snapshot.epoch, source: snapshot.source))
    }

    func changedExactly(_ slot: MarketSlot, values: Bool, previousTrust: Trust?) {
        guard let snapshot = slot.read() else { return }
        self.hub.changedExactly(snapshot, values: values, previousTrust: previousTrust)
        self.setup.marketObserver?.published(snapshot, at: self.setup.clock.now())
    }

    /// What the exchange can make us log with every frame.
    enum LoggedFault {
        case malformedFrame, exchangeText
    }

    /// Each kind is logged at most once a second; all are counted.
    func mayLog(_ fault: LoggedFault, now: MonotonicTime) -> Bool {
        if let last = self.lastLogs[fault], last.duration(to: now) < .seconds(1) { return false }
        self.lastLogs[fault] = now
        return true
    }
}

/// The connections there are, for readers on other threads: only their reports are read there.
final class ConnectionList: Sendable {
    struct Entry: Sendable {
        let line: Int
        let number: Int
        let report: @Sendable () -> FeedConnection.Report
    }

    private let entries = Mutex<[Entry]>([])

    var all: [Entry] { self.entries.withLock { $0 } }

    /// Adds a connection, in the place of the one with the same line and number, if there is one.
    func put(_ connection: FeedConnection) {
        let box = connection.reportBox
        let entry = Entry(line: connection.line, number: connection.number) { box.read() }
        self.entries.withLock { entries in
            if let place = entries.firstIndex(where: { $0.line == entry.line && $0.number == entry.number }) {
                entries[place] = entry
            } else {
                entries.append(entry)
            }
        }
    }
}

/// A report that one thread writes and others read.
final class ReportBox: Sendable {
    private let report = Mutex(FeedConnection.Report())
    func read() -> FeedConnection.Report { self.report.withLock { $0 } }
    func update(_ change: (inout FeedConnection.Report) -> Void) { self.report.withLock { change(&$0) } }
}
