/// One connection's life: events go in, actions come out, nothing is performed here.
///
/// The rules are the design's: connect at once, then with growing waits; one initial subscription per connection, later
/// changes on the live socket; the text `PING` with a deadline; a first book for every asset with a deadline, asked for
/// again twice, then a new connection. Waits start over only after data has flowed for a while, because a connection
/// that opens and dies is no success.
public struct FeedSession: Sendable {
    /// The numbers of the rules.
    public struct Limits: Sendable, Equatable {
        /// How often the text `PING` is sent.
        public var heartbeatInterval: Duration
        /// How long the connection may stay mute after a `PING`.
        public var pongTimeout: Duration
        /// How long an asset's first book may take.
        public var snapshotTimeout: Duration
        /// How long data must flow before the waits start over.
        public var healthyAfter: Duration
        /// How often an asset whose book did not come even on a second connection is asked for again.
        public var patience: Duration
        /// The waits between attempts.
        public var backoff: Backoff

        /// Limits from their parts; the defaults are the design's.
        public init(
            heartbeatInterval: Duration = .seconds(5), pongTimeout: Duration = .seconds(5),
            snapshotTimeout: Duration = .seconds(3), healthyAfter: Duration = .seconds(5),
            patience: Duration = .seconds(30), backoff: Backoff = .standard
        ) {
            self.heartbeatInterval = heartbeatInterval
            self.pongTimeout = pongTimeout
            self.snapshotTimeout = snapshotTimeout
            self.healthyAfter = healthyAfter
            self.patience = patience
            self.backoff = backoff
        }
    }

    /// What the owner of the socket is to do, in order.
    public enum Action: Sendable, Equatable {
        /// Open a connection.
        case connect
        /// Send this first message.
        case sendInitialSubscription([AssetID])
        /// Add these assets on the live connection.
        case sendSubscribe([AssetID])
        /// Take these assets off the live connection.
        case sendUnsubscribe([AssetID])
        /// Send the text heartbeat.
        case sendPing
        /// Give the connection up: it is dead or of no use.
        case abandon(Reason)
        /// Close the connection in good order: nothing is followed on it any more, or the end has come.
        case close
    }

    /// Why a connection is given up.
    public enum Reason: Sendable, Equatable, CustomStringConvertible {
        /// Nothing at all came within the limit after a `PING`.
        case mute
        /// An asset's first book did not come, though it was asked for again.
        case noSnapshot(AssetID)
        /// The exchange has newer odds of a market than this connection brings, though fresh books were asked for.
        case frozen(MarketID)

        /// The reason as a sentence.
        public var description: String {
            switch self {
            case .mute: "nothing came from the exchange after a PING"
            case .frozen(let market): "nothing new came of market \(market), though the exchange has it"
            case .noSnapshot(let asset): "no book came for asset \(asset), though it was asked for again"
            }
        }
    }

    /// The phases of a connection.
    public enum Phase: String, Sendable {
        /// Nothing is followed, so there is no connection.
        case idle
        /// An attempt is under way.
        case connecting
        /// The connection is up.
        case live
        /// The next attempt is at a set time.
        case waiting
        /// The end.
        case closed
    }

    private enum State {
        case idle
        case connecting
        case live(Live)
        case waiting(until: MonotonicTime, isVenuesWish: Bool)
        case closed
    }

    private struct Live {
        let since: MonotonicTime
        var nextPing: MonotonicTime
        /// When the connection counts as mute; nil while no `PING` is out.
        var muteAt: MonotonicTime?
        var pingedAt: MonotonicTime
        var lastBytes: MonotonicTime
        var lastData: MonotonicTime?
        /// Assets whose first book has not come.
        var pending: [AssetID: Pending] = [:]
    }

    private struct Pending {
        var deadline: MonotonicTime
        var redrives = 0
    }

    private let limits: Limits
    private var generator: SplitMix64
    private var state = State.idle
    private var assets: [AssetID] = []
    /// Assets for which a whole new connection was in vain: asked for again with patience, but no reason to reconnect.
    private var unanswered: Set<AssetID> = []
    /// Assets of decided markets: a book may come or not.
    private var decided: Set<AssetID> = []
    /// Attempts and connections in a row that did not become healthy.
    public private(set) var failures = 0

    /// A session that follows nothing yet; the seed drives the jitter of its waits.
    public init(limits: Limits, seed: UInt64) {
        self.limits = limits
        self.generator = SplitMix64(seed: seed)
    }

    // MARK: What is followed

    /// More assets are to be followed.
    public mutating func follow(_ more: [AssetID], now: MonotonicTime) -> [Action] {
        let known = self.assets.count
        for asset in more where !self.assets.contains(asset) { self.assets.append(asset) }
        let new = Array(self.assets[known...])
        guard !new.isEmpty else { return [] }
        switch self.state {
        case .idle:
            self.state = .connecting
            return [.connect]
        case .live(var live):
            self.expect(new, &live, now: now)
            self.state = .live(live)
            return [.sendSubscribe(new)]
        case .connecting, .waiting, .closed:
            return []
        }
    }

    /// Assets are not to be followed any more. Without any left, the connection is closed: the venue would drop it.
    public mutating func unfollow(_ gone: [AssetID]) -> [Action] {
        let known = self.assets.filter { gone.contains($0) }
        guard !known.isEmpty else { return [] }
        self.assets.removeAll { known.contains($0) }
        self.unanswered.subtract(known)
        self.decided.subtract(known)
        switch self.state {
        case .live(var live):
            for asset in known { live.pending[asset] = nil }
            guard self.assets.isEmpty else {
                self.state = .live(live)
                return [.sendUnsubscribe(known)]
            }
            self.state = .idle
            self.failures = 0
            return [.close]
        case .connecting where self.assets.isEmpty:
            self.state = .idle
            return [.close]
        case .waiting where self.assets.isEmpty:
            self.state = .idle
            return []
        case .idle, .connecting, .waiting, .closed:
            return []
        }
    }

    /// Books cannot be believed: ask for them again on the live connection.
    public mutating func resync(_ assets: [AssetID], now: MonotonicTime) -> [Action] {
        guard case .live(var live) = self.state else { return [] }
        let wanted = assets.filter { self.assets.contains($0) && live.pending[$0] == nil }
        guard !wanted.isEmpty else { return [] }
        self.expect(wanted, &live, now: now)
        self.state = .live(live)
        return [.sendUnsubscribe(wanted), .sendSubscribe(wanted)]
    }

    /// The market of these assets is decided: the venue owes no book of them any more.
    public mutating func expectNothing(of assets: [AssetID]) {
        self.decided.formUnion(assets.filter { self.assets.contains($0) })
        guard case .live(var live) = self.state else { return }
        for asset in assets { live.pending[asset] = nil }
        self.state = .live(live)
    }

    /// The connection does not deliver a market: give it up, unless it is too young to have been given its chance.
    public mutating func giveUp(_ market: MarketID, now: MonotonicTime) -> [Action] {
        guard case .live(let live) = self.state,
            live.since.duration(to: now) >= self.limits.snapshotTimeout
        else { return [] }
        return [.abandon(.frozen(market))]
    }

    /// The exchange gave a sign of life elsewhere: what is left of the wait for the next attempt is cut to `limit`.
    ///
    /// A wait that the venue itself asked for is kept. A connection that has been refused for long although the exchange
    /// lives is not hurried as much: three times the limit after 30 failures in a row, eight times after 90.
    public mutating func hurry(_ limit: Duration, now: MonotonicTime) -> [Action] {
        guard case .waiting(let until, let isVenuesWish) = self.state, !isVenuesWish else { return [] }
        let patience = self.failures > 90 ? 8 : self.failures > 30 ? 3 : 1
        self.state = .waiting(until: min(until, now.advanced(by: limit * patience)), isVenuesWish: false)
        return []
    }

    // MARK: The connection

    /// The handshake is through.
    public mutating func connected(now: MonotonicTime) -> [Action] {
        guard case .connecting = self.state else { return [] }
        var live = Live(
            since: now, nextPing: now.advanced(by: self.limits.heartbeatInterval), pingedAt: now, lastBytes: now)
        self.expect(self.assets, &live, now: now)
        self.state = .live(live)
        return [.sendInitialSubscription(self.assets)]
    }

    /// Bytes of any kind came: the connection is not mute.
    @inline(__always)
    public mutating func bytesReceived(now: MonotonicTime) {
        guard case .live(var live) = self.state else { return }
        live.lastBytes = now
        self.state = .live(live)
    }

    /// Market data came. Pongs and other answers are no data.
    public mutating func dataReceived(now: MonotonicTime) {
        guard case .live(var live) = self.state else { return }
        live.lastData = now
        self.state = .live(live)
        if live.since.duration(to: now) >= self.limits.healthyAfter { self.failures = 0 }
    }

    /// An asset's book is in.
    public mutating func snapshotReceived(_ asset: AssetID) {
        guard case .live(var live) = self.state else { return }
        if live.pending.removeValue(forKey: asset) != nil { self.state = .live(live) }
        self.unanswered.remove(asset)
    }

    /// The attempt failed, or the connection is gone, whoever ended it. `retryAfter` is the venue's own wish, if any;
    /// it is kept up to five minutes.
    public mutating func disconnected(now: MonotonicTime, retryAfter: Duration? = nil) -> [Action] {
        switch self.state {
        case .idle, .closed, .waiting: return []
        case .connecting: return self.retry(now: now, atLeast: retryAfter)
        case .live(let live):
            if let data = live.lastData, live.since.duration(to: data) >= self.limits.healthyAfter { self.failures = 0 }
            return self.retry(now: now, atLeast: retryAfter)
        }
    }

    private mutating func retry(now: MonotonicTime, atLeast: Duration?) -> [Action] {
        let own = self.limits.backoff.delay(afterFailures: self.failures, using: &self.generator)
        let wish = min(atLeast ?? .zero, FeedSession.longestRetryAfter)
        let wait = max(own, wish)
        self.failures += 1
        guard wait > .zero else {
            self.state = .connecting
            return [.connect]
        }
        self.state = .waiting(until: now.advanced(by: wait), isVenuesWish: wish > own)
        return []
    }

    /// The end: no further connection.
    public mutating func stop() -> [Action] {
        switch self.state {
        case .closed: return []
        case .idle, .waiting:
            self.state = .closed
            return []
        case .connecting, .live:
            self.state = .closed
            return [.close]
        }
    }

    // MARK: Deadlines

    /// When `deadlineReached` is due; nil when nothing is.
    public var nextDeadline: MonotonicTime? {
        switch self.state {
        case .idle, .connecting, .closed: return nil
        case .waiting(let until, _): return until
        case .live(let live):
            var next = live.muteAt ?? live.nextPing
            for pending in live.pending.values { next = min(next, pending.deadline) }
            return next
        }
    }

    /// A deadline has passed; early calls are answered with nothing.
    public mutating func deadlineReached(now: MonotonicTime) -> [Action] {
        switch self.state {
        case .idle, .connecting, .closed: return []
        case .waiting(let until, _):
            guard until <= now else { return [] }
            self.state = .connecting
            return [.connect]
        case .live(var live):
            var actions = self.heartbeat(&live, now: now)
            if case .abandon? = actions.last { return actions }
            actions += self.overdueSnapshots(&live, now: now)
            self.state = .live(live)
            return actions
        }
    }

    private func heartbeat(_ live: inout Live, now: MonotonicTime) -> [Action] {
        if let muteAt = live.muteAt {
            if live.lastBytes > live.pingedAt {
                live.muteAt = nil
            } else if muteAt <= now {
                return [.abandon(.mute)]
            }
        }
        guard live.muteAt == nil, live.nextPing <= now else { return [] }
        live.pingedAt = now
        live.muteAt = now.advanced(by: self.limits.pongTimeout)
        live.nextPing = now.advanced(by: self.limits.heartbeatInterval)
        return [.sendPing]
    }

    private mutating func overdueSnapshots(_ live: inout Live, now: MonotonicTime) -> [Action] {
        let overdue = self.assets.filter { (live.pending[$0]?.deadline ?? now.advanced(by: .seconds(1))) <= now }
        guard !overdue.isEmpty else { return [] }
        let inVain = overdue.filter {
            (live.pending[$0]?.redrives ?? 0) >= FeedSession.redrivesInVain && !self.unanswered.contains($0)
        }
        if let first = inVain.first {
            // One new connection is tried for all of them together, not one for each.
            self.unanswered.formUnion(inVain)
            return [.abandon(.noSnapshot(first))]
        }
        for asset in overdue {
            let redrives = live.pending[asset]?.redrives ?? 0
            let patient = redrives >= FeedSession.redrivesInVain
            live.pending[asset] = Pending(
                deadline: now.advanced(by: patient ? self.limits.patience : self.limits.snapshotTimeout),
                redrives: redrives + 1)
        }
        return [.sendUnsubscribe(overdue), .sendSubscribe(overdue)]
    }

    /// The longest wait taken from a `Retry-After`: beyond it the venue is asked anyway.
    static let longestRetryAfter = Duration.seconds(300)
    /// How often an asset is asked for again before the connection is given up.
    static let redrivesInVain = 2

    private func expect(_ assets: [AssetID], _ live: inout Live, now: MonotonicTime) {
        for asset in assets where !self.decided.contains(asset) {
            live.pending[asset] = Pending(deadline: now.advanced(by: self.limits.snapshotTimeout))
        }
    }

    // MARK: For people

    /// Where the session stands.
    public var phase: Phase {
        switch self.state {
        case .idle: .idle
        case .connecting: .connecting
        case .live: .live
        case .waiting: .waiting
        case .closed: .closed
        }
    }

    /// How many assets are followed.
    public var assetCount: Int { self.assets.count }

    /// When data last came on this connection; nil when none has.
    public var lastData: MonotonicTime? {
        if case .live(let live) = self.state { live.lastData } else { nil }
    }
}
