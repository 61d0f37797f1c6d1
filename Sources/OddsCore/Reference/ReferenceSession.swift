/// One connection to the live data socket over its life: events go in, actions come out, nothing is performed here.
///
/// It connects at once, then with growing waits; asks for feeds; sends the text `PING` with a deadline. The socket is known
/// to freeze silently while it goes on answering `PING`, so only a price with a new stamp counts as a sign of life: without
/// one for a while the connection is given up. Waits start over only after prices have flowed for a while.
public struct ReferenceSession: Sendable {
    /// The numbers of the rules.
    public struct Limits: Sendable, Equatable {
        /// How often the text `PING` is sent.
        public var heartbeatInterval: Duration
        /// How long the connection may stay mute after a `PING`.
        public var pongTimeout: Duration
        /// How long no feed may bring a new price before the connection is given up.
        public var dataTimeout: Duration
        /// How long one feed may bring nothing, while others do, before it is asked for again; then this long after each time.
        public var redriveInterval: Duration
        /// How long the history of a price may take before the means of the same symbol are asked for.
        public var historyTimeout: Duration
        /// How long prices must flow before the waits start over.
        public var healthyAfter: Duration
        /// The waits between attempts.
        public var backoff: Backoff

        /// Limits from their parts.
        public init(
            heartbeatInterval: Duration = .seconds(5), pongTimeout: Duration = .seconds(5),
            dataTimeout: Duration = .seconds(10), redriveInterval: Duration = .seconds(30),
            historyTimeout: Duration = .seconds(2), healthyAfter: Duration = .seconds(5), backoff: Backoff = .standard
        ) {
            self.heartbeatInterval = heartbeatInterval
            self.pongTimeout = pongTimeout
            self.dataTimeout = dataTimeout
            self.redriveInterval = redriveInterval
            self.historyTimeout = historyTimeout
            self.healthyAfter = healthyAfter
            self.backoff = backoff
        }
    }

    /// What the owner of the socket is to do, in order.
    public enum Action: Sendable, Hashable {
        /// Open a connection.
        case connect
        /// Ask for these feeds on the live connection.
        case subscribe([ReferenceFeed])
        /// Take these feeds off the live connection.
        case unsubscribe([ReferenceFeed])
        /// Send the text heartbeat.
        case sendPing
        /// Give the connection up: it is dead or of no use.
        case abandon(Reason)
        /// Close the connection in good order.
        case close
    }

    /// Why a connection is given up.
    public enum Reason: String, Sendable, Hashable, CustomStringConvertible {
        /// Nothing at all came within the limit after a `PING`.
        case mute
        /// No new price came, though the connection is alive.
        case frozen

        /// The reason as a sentence.
        public var description: String {
            switch self {
            case .mute: "nothing came from the price feed after a PING"
            case .frozen: "no new price came, though the connection is open"
            }
        }
    }

    private struct Feed {
        /// When it brought something new, or was asked for.
        var since: MonotonicTime
        /// Whether it has brought anything on this connection.
        var isAnswered = false
    }

    private struct Live {
        let since: MonotonicTime
        var nextPing: MonotonicTime
        /// When the connection counts as mute; nil while no `PING` is out.
        var muteAt: MonotonicTime?
        var lastData: MonotonicTime
        /// Asked for on this connection.
        var feeds: [ReferenceFeed: Feed] = [:]
        /// Means that wait for the history of the price they are taken of.
        var held: [ReferenceFeed] = []
        /// Symbols of which means were asked for: a history that names none may be of any of them.
        var mixed: Set<String> = []
    }

    private enum State {
        case idle
        case connecting
        case live(Live)
        case waiting(until: MonotonicTime)
        case closed
    }

    private let limits: Limits
    private var generator: SplitMix64
    private var state = State.idle
    /// What is to be had, in the order in which it was asked for.
    public private(set) var feeds: [ReferenceFeed] = []
    /// Attempts and connections in a row that did not become healthy.
    public private(set) var failures = 0

    /// A session that follows nothing yet; the seed drives the jitter of its waits.
    public init(limits: Limits, seed: UInt64) {
        self.limits = limits
        self.generator = SplitMix64(seed: seed)
    }

    // MARK: What is followed

    /// From now on exactly these feeds are wanted; without any there is no connection.
    public mutating func follow(_ wanted: [ReferenceFeed], now: MonotonicTime) -> [Action] {
        let gone = self.feeds.filter { !wanted.contains($0) }
        var new: [ReferenceFeed] = []
        for feed in wanted where !self.feeds.contains(feed) && !new.contains(feed) { new.append(feed) }
        self.feeds = self.feeds.filter { wanted.contains($0) } + new
        switch self.state {
        case .idle:
            guard !self.feeds.isEmpty else { return [] }
            self.state = .connecting
            return [.connect]
        case .live(var live):
            guard !self.feeds.isEmpty else {
                self.state = .idle
                self.failures = 0
                return [.close]
            }
            live.held.removeAll { gone.contains($0) }
            let asked = gone.filter { live.feeds.removeValue(forKey: $0) != nil }
            var actions: [Action] = asked.isEmpty ? [] : [.unsubscribe(asked)]
            // What is asked for first may take its time.
            if live.feeds.isEmpty { live.lastData = now }
            actions += self.ask(for: new, &live, now: now)
            self.state = .live(live)
            return actions
        case .connecting where self.feeds.isEmpty:
            self.state = .idle
            return [.close]
        case .waiting where self.feeds.isEmpty:
            self.state = .idle
            return []
        case .connecting, .waiting, .closed: return []
        }
    }

    /// Asks for feeds, means only behind the history of their price: that does not tell what it is a history of.
    private func ask(for feeds: [ReferenceFeed], _ live: inout Live, now: MonotonicTime) -> [Action] {
        var ready: [ReferenceFeed] = []
        for feed in feeds {
            let price = live.feeds[ReferenceFeed(.chainlink, feed.symbol)]
            let waits = price.map { !$0.isAnswered } ?? feeds.contains(ReferenceFeed(.chainlink, feed.symbol))
            if feed.topic.lookbackSeconds != nil, waits {
                live.held.append(feed)
            } else {
                ready.append(feed)
            }
        }
        return Self.subscribe(ready, &live, now: now)
    }

    private static func subscribe(_ feeds: [ReferenceFeed], _ live: inout Live, now: MonotonicTime) -> [Action] {
        guard !feeds.isEmpty else { return [] }
        for feed in feeds {
            live.feeds[feed] = Feed(since: now)
            if feed.topic.lookbackSeconds != nil { live.mixed.insert(feed.symbol) }
        }
        return [.subscribe(feeds)]
    }

    private static func release(_ symbol: String, _ live: inout Live, now: MonotonicTime) -> [Action] {
        let ready = live.held.filter { $0.symbol == symbol }
        live.held.removeAll { $0.symbol == symbol }
        return Self.subscribe(ready, &live, now: now)
    }

    // MARK: The connection

    /// The handshake is through.
    public mutating func connected(now: MonotonicTime) -> [Action] {
        guard case .connecting = self.state else { return [] }
        var live = Live(
            since: now, nextPing: now.advanced(by: self.limits.heartbeatInterval), lastData: now)
        let actions = self.ask(for: self.feeds, &live, now: now)
        self.state = .live(live)
        return actions
    }

    /// Bytes of any kind came: the connection is not mute.
    public mutating func bytesReceived() {
        guard case .live(var live) = self.state, live.muteAt != nil else { return }
        live.muteAt = nil
        self.state = .live(live)
    }

    /// A feed brought a price with a stamp newer than all before.
    public mutating func priceReceived(_ feed: ReferenceFeed, now: MonotonicTime) -> [Action] {
        guard case .live(var live) = self.state, live.feeds[feed] != nil else { return [] }
        live.feeds[feed] = Feed(since: now, isAnswered: true)
        // A second opinion is no sign that the first one lives.
        if self.isProof(feed) { live.lastData = now }
        if live.since.duration(to: now) >= self.limits.healthyAfter { self.failures = 0 }
        let actions = feed.topic == .chainlink ? Self.release(feed.symbol, &live, now: now) : []
        self.state = .live(live)
        return actions
    }

    private func isProof(_ feed: ReferenceFeed) -> Bool {
        feed.topic != .binance || self.feeds.allSatisfy { $0.topic == .binance }
    }

    /// A history came, of this feed as far as it tells.
    /// - Returns: what to do, and whether it can be believed to be of that feed.
    public mutating func historyReceived(
        _ feed: ReferenceFeed, now: MonotonicTime
    ) -> (isUsable: Bool, actions: [Action]) {
        guard case .live(var live) = self.state, live.feeds[feed] != nil else { return (false, []) }
        live.feeds[feed]?.isAnswered = true
        guard feed.topic == .chainlink else {
            self.state = .live(live)
            return (true, [])
        }
        let isUsable = !live.mixed.contains(feed.symbol)
        let actions = Self.release(feed.symbol, &live, now: now)
        self.state = .live(live)
        return (isUsable, actions)
    }

    /// The connection is gone, or the attempt failed.
    /// - Parameter retryAfter: how long the venue asked to wait.
    public mutating func disconnected(now: MonotonicTime, retryAfter: Duration? = nil) -> [Action] {
        switch self.state {
        case .connecting, .live: break
        case .idle, .waiting, .closed: return []
        }
        guard !self.feeds.isEmpty else {
            self.state = .idle
            return []
        }
        let wait = self.limits.backoff.delay(afterFailures: self.failures, using: &self.generator)
        self.failures += 1
        let longest = max(wait, min(retryAfter ?? .zero, .seconds(600)))
        guard longest > .zero else {
            self.state = .connecting
            return [.connect]
        }
        self.state = .waiting(until: now.advanced(by: longest))
        return []
    }

    /// The end.
    public mutating func stop() -> [Action] {
        let wasOpen =
            switch self.state {
            case .connecting, .live: true
            case .idle, .waiting, .closed: false
            }
        self.state = .closed
        return wasOpen ? [.close] : []
    }

    // MARK: Time

    /// When `deadlineReached` is to be called next; nil when nothing is waited for.
    public var nextDeadline: MonotonicTime? {
        switch self.state {
        case .idle, .connecting, .closed: return nil
        case .waiting(let until): return until
        case .live(let live):
            var next = min(live.nextPing, live.lastData.advanced(by: self.limits.dataTimeout))
            if let muteAt = live.muteAt { next = min(next, muteAt) }
            for (feed, state) in live.feeds {
                next = min(next, state.since.advanced(by: self.limits.redriveInterval))
                if !state.isAnswered, live.held.contains(where: { $0.symbol == feed.symbol }) {
                    next = min(next, state.since.advanced(by: self.limits.historyTimeout))
                }
            }
            return next
        }
    }

    /// A deadline may have passed; too early a call does no harm.
    public mutating func deadlineReached(now: MonotonicTime) -> [Action] {
        switch self.state {
        case .waiting(let until):
            guard until <= now else { return [] }
            self.state = .connecting
            return [.connect]
        case .live(var live):
            if let muteAt = live.muteAt, muteAt <= now { return [.abandon(.mute)] }
            guard live.lastData.advanced(by: self.limits.dataTimeout) > now else { return [.abandon(.frozen)] }
            var actions: [Action] = []
            if live.nextPing <= now {
                actions.append(.sendPing)
                live.muteAt = live.muteAt ?? now.advanced(by: self.limits.pongTimeout)
                live.nextPing = now.advanced(by: self.limits.heartbeatInterval)
            }
            actions += self.releaseLate(&live, now: now)
            actions += self.redrive(&live, now: now)
            self.state = .live(live)
            return actions
        case .idle, .connecting, .closed: return []
        }
    }

    /// Means whose price has brought nothing are waited for no longer.
    private func releaseLate(_ live: inout Live, now: MonotonicTime) -> [Action] {
        let late = Set(live.held.map(\.symbol)).filter { symbol in
            guard let price = live.feeds[ReferenceFeed(.chainlink, symbol)] else { return true }
            return price.since.advanced(by: self.limits.historyTimeout) <= now
        }
        return late.sorted().flatMap { Self.release($0, &live, now: now) }
    }

    /// Feeds that bring nothing while others do are asked for again.
    private func redrive(_ live: inout Live, now: MonotonicTime) -> [Action] {
        let silent = self.feeds.filter { feed in
            live.feeds[feed].map { $0.since.advanced(by: self.limits.redriveInterval) <= now } ?? false
        }
        guard !silent.isEmpty else { return [] }
        for feed in silent { live.feeds[feed]?.since = now }
        return [.unsubscribe(silent), .subscribe(silent)]
    }

    // MARK: For reports

    /// Where the connection stands.
    public var phase: FeedSession.Phase {
        switch self.state {
        case .idle: .idle
        case .connecting: .connecting
        case .live: .live
        case .waiting: .waiting
        case .closed: .closed
        }
    }
}
