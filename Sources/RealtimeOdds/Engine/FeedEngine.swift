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
        let endpoint: WebSocketEndpoint
        let security: TransportSecurity?
        let eventLoop: any EventLoop
        let clock: any StreamClock
        let logger: Logger
        let board: OddsBoard
        let observer: (any AppliedMessageObserver)?
        /// Told of everything that bears on continuity.
        var incidents = IncidentRecorder()
    }

    /// Decides between the lines.
    let arbiter: FeedArbiter
    private let setup: Setup
    private let hub: UpdateHub
    /// Told of each market's first usable odds and of resolutions.
    private let onFirstOdds: (MarketID, Timestamp) -> Void
    private let onResolved: (MarketID, AssetID?, Timestamp) -> Void
    private let connectionList: ConnectionList
    private var lines: [[FeedConnection]]
    private var placement: [MarketID: [FeedConnection]] = [:]
    private var followed: [MarketID: Market] = [:]
    private var phaseTimers: [MarketID: Scheduled<Void>] = [:]
    private var awaitingFirstOdds: Set<MarketID> = []
    /// Markets of tokens named alone whose end was told; no more than there are such tokens.
    private var decidedBare: Set<MarketID> = []
    private var reportsEveryChange = false
    private var generator: SplitMix64
    private var lastLogs: [LoggedFault: MonotonicTime] = [:]
    private var resolvedMarkets: Set<MarketID> = []
    private var arbiterTimer: Scheduled<Void>?
    private var entries: UInt64 = 0
    private var isStopped = false

    /// How long the board waits for a line to catch up with what a failed one had.
    private static let catchUpLimit = Duration.milliseconds(250)

    init(
        setup: Setup, hub: UpdateHub, connectionList: ConnectionList, seed: UInt64,
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
        // A follower may have come before the engine was there to be told.
        self.heedFollowers()
    }

    // MARK: What is followed

    func follow(_ market: Market) {
        guard !self.isStopped, self.followed[market.id] == nil else { return }
        self.followed[market.id] = market
        self.awaitingFirstOdds.insert(market.id)
        var connections: [FeedConnection] = []
        for line in self.lines.indices {
            let connection = self.connection(of: line, withRoomFor: market.assets.count)
            connection.follow(market)
            connections.append(connection)
        }
        self.placement[market.id] = connections
        self.watchPhase(of: market)
    }

    func follow(bare assets: [AssetID]) {
        guard !self.isStopped else { return }
        let room = self.setup.configuration.maximumAssetsPerConnection
        for line in self.lines.indices {
            var rest = assets[...]
            while !rest.isEmpty {
                let connection = self.connection(of: line, withRoomFor: 1)
                let part = rest.prefix(max(1, room - connection.assetCount))
                connection.follow(bare: Array(part))
                rest = rest.dropFirst(part.count)
            }
        }
    }

    func unfollow(_ market: Market) {
        guard self.followed.removeValue(forKey: market.id) != nil else { return }
        self.phaseTimers.removeValue(forKey: market.id)?.cancel()
        self.awaitingFirstOdds.remove(market.id)
        self.resolvedMarkets.remove(market.id)
        for connection in self.placement.removeValue(forKey: market.id) ?? [] { connection.unfollow(market) }
        self.setup.board.remove(market.id)
    }

    private func connection(of line: Int, withRoomFor count: Int) -> FeedConnection {
        let limit = self.setup.configuration.maximumAssetsPerConnection
        if let free = self.lines[line].first(where: { $0.assetCount + count <= limit }) { return free }
        let connection = FeedConnection(
            line: line, number: self.lines[line].count, setup: self.setup, engine: self, seed: self.generator.next())
        connection.reportsEveryChange = self.reportsEveryChange
        self.lines[line].append(connection)
        self.connectionList.append(connection)
        return connection
    }

    /// Followers came or went: whether every single change is to be told is asked here, where changes happen.
    func heedFollowers() {
        self.reportsEveryChange = self.hub.hasLossless
        for connection in self.lines.joined() { connection.reportsEveryChange = self.reportsEveryChange }
        self.hub.settle(with: self.setup.board.markets.compactMap { self.setup.board.slot($0.id) })
    }

    /// Ends every connection; the future succeeds when all sockets are gone.
    func stop() -> EventLoopFuture<Void> {
        self.isStopped = true
        for timer in self.phaseTimers.values { timer.cancel() }
        self.phaseTimers = [:]
        self.arbiterTimer?.cancel()
        self.arbiterTimer = nil
        let gone = self.lines.joined().map { $0.stop() }
        let bound = NIOLoopBound(self, eventLoop: self.setup.eventLoop)
        return EventLoopFuture.andAllSucceed(Array(gone), on: self.setup.eventLoop).always { _ in
            // Engine and connections hold each other until here.
            bound.value.lines = []
            bound.value.placement = [:]
        }
    }

    // MARK: Phases

    /// How soon a step of the wall clock is noticed.
    private static let clockCheck = Duration.seconds(1)

    /// At its window's end a market's odds become `resolving`, whatever the feed says or does not say.
    private func watchPhase(of market: Market) {
        if market.closed { return self.setPhase(.closed, of: market.id) }
        guard let end = market.window?.end else { return }
        let rest = self.setup.clock.now().wall.duration(to: end)
        self.setPhase(rest > .zero ? .trading : .resolving, of: market.id)
        // The wall clock may be stepped meanwhile, in either direction, so the wait is taken in parts and goes on.
        let wait = rest > .zero ? min(rest, Self.clockCheck) : Self.clockCheck
        self.phaseTimers[market.id] = self.setup.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(wait)) {
            guard self.followed[market.id] != nil else { return }
            self.watchPhase(of: market)
        }
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
        for connection in self.lines.joined() { connection.setPhase(.closed, of: market) }
        guard self.decidedBare.insert(market).inserted else { return }
        let winner = winner.flatMap { known.side(of: $0) }
        self.hub.broadcast(.resolution(Resolution(market: known, winner: winner, exchangeTime: time)))
    }

    /// A market is decided, by whichever way that became known.
    func close(_ market: MarketID) {
        self.phaseTimers.removeValue(forKey: market)?.cancel()
        self.setPhase(.closed, of: market)
    }

    // MARK: Arbitration

    /// Looks again in a moment when a market waits for a line to catch up.
    func watchArbiter() {
        guard self.arbiter.waitingCount > 0, self.arbiterTimer == nil, !self.isStopped else { return }
        self.arbiterTimer = self.setup.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(Self.catchUpLimit)) {
            self.arbiterTimer = nil
            guard !self.isStopped else { return }
            let limit = self.setup.clock.now().monotonic.advanced(by: .zero - Self.catchUpLimit)
            for (market, line) in self.arbiter.overdue(before: limit) {
                for connection in self.lines[line] { connection.suspectBehind(market) }
            }
            self.watchArbiter()
        }
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
        self.hub.changed(slot, values: values, previousTrust: previousTrust)
    }

    func changedExactly(_ slot: MarketSlot, values: Bool, previousTrust: Trust?) {
        self.hub.changedExactly(slot, values: values, previousTrust: previousTrust)
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

    func append(_ connection: FeedConnection) {
        let box = connection.reportBox
        let entry = Entry(line: connection.line, number: connection.number) { box.read() }
        self.entries.withLock { $0.append(entry) }
    }
}

/// A report that one thread writes and others read.
final class ReportBox: Sendable {
    private let report = Mutex(FeedConnection.Report())
    func read() -> FeedConnection.Report { self.report.withLock { $0 } }
    func update(_ change: (inout FeedConnection.Report) -> Void) { self.report.withLock { change(&$0) } }
}
