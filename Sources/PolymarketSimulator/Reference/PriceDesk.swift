internal import OddsCore

/// The live data socket without sockets and clock, as a machine: time, messages and faults go in, commands come out.
///
/// It has its own connections and its own faults; its prices are those that the markets are decided by.
struct PriceDesk: Sendable {
    private struct Connection: Sendable {
        var link: WebSocketLink
        /// In the order in which they were asked for.
        var feeds: [ReferenceFeed] = []
        /// Whether it ever asked for prices.
        var hasAsked = false
        /// What came while nothing was read.
        var unread: [WebSocketMessage] = []
    }

    /// Seconds of which there are no prices: from the first one up to the second one.
    private struct Gap: Sendable {
        var from: Timestamp
        var to: Timestamp
    }

    private(set) var faults: FaultState
    private let frames: PriceFrames
    private let seed: UInt64
    private var connections: [Int: Connection] = [:]
    private var outbox: [Int: [WebSocketCommand]] = [:]
    private var gaps: [Gap] = []
    /// The next second to be told.
    private var nextSecond: Int64
    /// Frames of prices sent, histories included.
    private(set) var framesSent = 0
    /// Whether recorded frames are passed on, and none are made.
    private let isRelay: Bool

    init(configuration: SimulatorConfiguration, start: Timestamp, isRelay: Bool = false) {
        self.isRelay = isRelay
        var paths: [String: PricePath] = [:]
        for series in configuration.series {
            paths[series.asset] = PricePath(
                asset: series.asset, seed: configuration.seed, yearlyVolatility: configuration.volatility)
        }
        self.frames = PriceFrames(paths: paths)
        self.seed = configuration.seed
        self.faults = FaultState(seed: Deterministic.mix(configuration.seed ^ 0x9D5C), api: .rtds)
        self.nextSecond = start.seconds - 2
        while self.sending(self.nextSecond) <= start { self.nextSecond += 1 }
    }

    var connectionCount: Int { self.connections.count }
    var subscriptionCount: Int { self.connections.values.reduce(0) { $0 + $1.feeds.count } }

    // MARK: Time

    /// When the price of a second is told: some 1.1 s later, a little sooner or later each time.
    private func sending(_ second: Int64) -> Timestamp {
        let chance = Deterministic.mix(self.seed ^ Deterministic.mix(UInt64(bitPattern: second)))
        return Timestamp(milliseconds: second * 1000 + 900 + Int64(chance % 400))
    }

    /// The venue's time at which `advance` is next worth while; nil when nobody listens.
    var nextTime: Timestamp? {
        self.connections.isEmpty || self.isRelay ? nil : self.sending(self.nextSecond)
    }

    /// Lets time pass: what is due is sent.
    /// - Parameters:
    ///   - now: the clock, for the faults.
    ///   - venue: the venue's time.
    ///   - skew: how far its stamps of sending are ahead.
    mutating func advance(to now: MonotonicTime, venue: Timestamp, skew: Duration) {
        self.say(self.faults.due(now: now), now: now, venue: venue)
        while self.sending(self.nextSecond) <= venue {
            let second = self.nextSecond
            self.nextSecond += 1
            guard !self.isRelay, !self.isMissing(second) else { continue }
            let sent = self.sending(second).advanced(by: skew)
            for (id, connection) in self.connections.sorted(by: { $0.key < $1.key }) {
                for feed in connection.feeds {
                    let frame = self.frames.update(feed, second: second, sent: sent, connection: id)
                    if let frame { self.send(frame, to: id, now: now) }
                }
            }
        }
        self.gaps.removeAll { $0.to.seconds < self.nextSecond - 2 * PriceFrames.history }
    }

    /// Passes a recorded frame on to everybody who asked for prices.
    mutating func relay(_ frame: [UInt8], now: MonotonicTime) {
        for (id, connection) in self.connections.sorted(by: { $0.key < $1.key }) where connection.hasAsked {
            self.send(frame, to: id, now: now)
        }
    }

    private func isMissing(_ second: Int64) -> Bool {
        let time = Timestamp(seconds: second)
        return self.gaps.contains { $0.from <= time && time < $0.to }
    }

    private mutating func send(_ frame: [UInt8], to id: Int, now: MonotonicTime) {
        let commands = self.faults.send(DataFrame(bytes: frame, assets: []), to: id, now: now)
        self.framesSent += commands.count
        self.outbox[id, default: []] += commands
    }

    private mutating func say(_ outgoing: [FaultState.Outgoing], now: MonotonicTime, venue: Timestamp) {
        for (id, commands) in outgoing {
            self.outbox[id, default: []] += commands
            guard commands.contains(.resume) else { continue }
            // What was said to a connection that nobody read is answered now.
            let unread = self.connections[id]?.unread ?? []
            self.connections[id]?.unread = []
            for message in unread { self.answer(message, from: id, now: now, venue: venue) }
        }
    }

    /// What connections are to be told, in the order of their numbers.
    mutating func take() -> [(WebSocketLink, [WebSocketCommand])] {
        let all = self.outbox.sorted { $0.key < $1.key }
        self.outbox = [:]
        return all.compactMap { id, commands in
            commands.isEmpty ? nil : self.connections[id].map { ($0.link, commands) }
        }
    }

    // MARK: Connections

    func refusal(now: MonotonicTime) -> SimulatorFault.Refusal? { self.faults.refusal(now: now) }

    mutating func opened(_ link: WebSocketLink) {
        self.connections[link.id] = Connection(link: link)
        self.faults.opened(link.id)
    }

    mutating func closed(_ id: Int) {
        self.connections[id] = nil
        self.outbox[id] = nil
        self.faults.closed(id)
    }

    /// What is answered to a message, behind what else is to be sent.
    mutating func received(
        _ message: WebSocketMessage, from id: Int, now: MonotonicTime, venue: Timestamp
    ) -> [WebSocketCommand] {
        guard !self.faults.isHalfOpen(id) else {
            self.connections[id]?.unread.append(message)
            return []
        }
        self.answer(message, from: id, now: now, venue: venue)
        return self.outbox.removeValue(forKey: id) ?? []
    }

    private mutating func answer(_ message: WebSocketMessage, from id: Int, now: MonotonicTime, venue: Timestamp) {
        guard !self.faults.isDeaf(id), case .text(let text) = message else { return }
        if text.elementsEqual("PING".utf8) || text.elementsEqual("ping".utf8) {
            let reply = self.faults.reply(.text(Array("PONG".utf8)), to: id, now: now)
            self.outbox[id, default: []] += reply
            return
        }
        guard let request = PriceRequest(text) else { return }
        if request.isSubscription { self.connections[id]?.hasAsked = true }
        guard !self.isRelay else { return }
        for subscription in request.subscriptions {
            let feeds = self.frames.feeds(of: subscription.topic).filter {
                subscription.symbols.isEmpty || subscription.symbols.contains($0.symbol)
            }
            self.connections[id]?.feeds.removeAll { feeds.contains($0) }
            guard request.isSubscription else { continue }
            self.connections[id]?.feeds += feeds
            // Without a filter there is no history.
            guard !subscription.symbols.isEmpty else { continue }
            for feed in feeds { self.sendHistory(feed, to: id, now: now, venue: venue) }
        }
    }

    private mutating func sendHistory(_ feed: ReferenceFeed, to id: Int, now: MonotonicTime, venue: Timestamp) {
        let seconds = (self.nextSecond - PriceFrames.history..<self.nextSecond).filter { !self.isMissing($0) }
        if let frame = self.frames.history(feed, seconds: seconds, sent: venue) { self.send(frame, to: id, now: now) }
    }

    // MARK: Faults

    /// Whether there is anybody for a fault to hit.
    func hits(_ fault: SimulatorFault) -> Bool {
        !fault.kind.aim.contains(.line) || self.faults.lines(of: fault.target) != nil
    }

    /// A fault begins.
    mutating func begin(_ fault: SimulatorFault, now: MonotonicTime, venue: Timestamp) {
        switch fault.kind {
        case .gap:
            let end = fault.duration.map { venue.advanced(by: $0) } ?? Timestamp(milliseconds: .max)
            self.gaps.append(Gap(from: venue, to: end))
        case .recover:
            for index in self.gaps.indices { self.gaps[index].to = min(self.gaps[index].to, venue) }
        case .drop, .close, .refuse, .freeze, .halfOpen, .noSnapshot, .delay, .duplicate, .reorder, .corrupt, .truncate,
            .cut, .oversize, .wrongHash, .lose, .restError, .restSlow, .restHang, .restReset, .restStale, .ghostBook,
            .missingMarket, .clockSkew:
            break
        }
        self.say(self.faults.inject(fault, about: .everything, now: now), now: now, venue: venue)
    }
}
