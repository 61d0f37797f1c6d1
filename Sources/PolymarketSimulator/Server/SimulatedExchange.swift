package import OddsCore
internal import Synchronization

/// The running exchange: engine or tape, connections and faults as one value under one lock.
///
/// Time moves and messages are answered on one event loop, so what a connection is sent keeps its order. No socket is
/// needed: whoever calls `tick` when `nextTick` says so, and carries out what links and answers ask for, has the whole
/// venue in virtual time, every fault included. The same calls in the same order give the same bytes.
package final class SimulatedExchange: WebSocketService {
    private struct Connection: Sendable {
        var link: WebSocketLink
        var session: MarketChannelSession
        /// What came while nothing was read.
        var unread: [WebSocketMessage] = []
    }

    /// Commands for connections, in the order in which they are to be given.
    private struct Outbox: Sendable {
        private var commands: [Int: [WebSocketCommand]] = [:]

        mutating func add(_ more: [WebSocketCommand], for id: Int) {
            if !more.isEmpty { self.commands[id, default: []] += more }
        }

        mutating func take(_ id: Int) -> [WebSocketCommand] { self.commands.removeValue(forKey: id) ?? [] }

        mutating func add(_ more: [FaultState.Outgoing]) { for (id, commands) in more { self.add(commands, for: id) } }

        /// Connections get theirs in the order of their numbers.
        func addressed(_ state: State) -> [(WebSocketLink, [WebSocketCommand])] {
            var list: [(WebSocketLink, [WebSocketCommand])] = []
            for (id, commands) in self.commands.sorted(by: { $0.key < $1.key }) {
                if let link = state.connections[id]?.link { list.append((link, commands)) }
            }
            return list
        }
    }

    private struct State: Sendable {
        var engine: ExchangeEngine
        var player: TapeStage?
        var faults: FaultState
        var prices: PriceDesk
        /// Faults to come, the next one first.
        var planned: [(time: MonotonicTime, fault: SimulatorFault)] = []
        /// The exchange second by second, for answers that are old.
        var past: [PastExchange] = []
        /// What faults that began between two ticks ask for.
        var unsent = Outbox()
        /// The series of every asset somebody listens to, as far as the engine knows it.
        var series: [String: String] = [:]
        var connections: [Int: Connection] = [:]
        var subscribers: [String: Set<Int>] = [:]
        var counters = SimulatorCounters()
    }

    private let state: Mutex<State>
    private let clock: any StreamClock
    private let configuration: SimulatorConfiguration
    private let origin: ReceiveTime
    private let start: Timestamp
    private let report: @Sendable (SimulatorFault, Bool) -> Void
    private let tapeEnded: @Sendable (_ problems: [String]) -> Void
    private let later: @Sendable (@escaping @Sendable () -> Void) -> Void

    /// How long the past is kept.
    private static let pastKept = Duration.seconds(61)

    /// An exchange whose time begins now.
    /// - Parameters:
    ///   - configuration: seed, series and the rest; what has to do with sockets is not looked at.
    ///   - tape: frames to be played instead of the seeded flow.
    ///   - clock: what the venue's time runs by; it is only read.
    ///   - later: calls what it is given where `tick` is called, so that what connections are sent keeps its order;
    ///     at once, where all is done on one thread.
    ///   - tapeEnded: told when the tape has ended, with what of it could not be read.
    ///   - report: told of every fault when it begins, and whether there was anybody for it to hit.
    package init(
        configuration: SimulatorConfiguration, tape: TapeStage?, clock: any StreamClock,
        later: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void = { $0() },
        tapeEnded: @escaping @Sendable (_ problems: [String]) -> Void = { _ in },
        report: @escaping @Sendable (SimulatorFault, _ isHit: Bool) -> Void = { _, _ in }
    ) {
        self.tapeEnded = tapeEnded
        self.configuration = configuration
        self.clock = clock
        self.report = report
        self.later = later
        self.origin = clock.now()
        self.start = configuration.start ?? self.origin.wall
        self.state = Mutex(
            State(
                engine: ExchangeEngine(configuration: configuration, start: self.start),
                player: tape,
                faults: FaultState(seed: configuration.seed),
                prices: PriceDesk(configuration: configuration, start: self.start, isRelay: tape != nil)))
    }

    /// The venue's time at a moment of the clock.
    private func venueTime(_ now: MonotonicTime) -> Timestamp {
        self.start.advanced(by: self.origin.monotonic.duration(to: now))
    }

    // MARK: Time

    /// Sends what is due.
    package func tick() {
        let now = self.clock.now().monotonic
        let (outbox, begun, ended) = self.state.withLock { state in
            var outbox = state.unsent
            state.unsent = Outbox()
            var begun: [(fault: SimulatorFault, isHit: Bool)] = []
            // Time stops at each planned fault, so that it hits what comes behind it and nothing before.
            while let (time, fault) = state.planned.first, time <= now {
                self.advance(to: time, &state, &outbox)
                state.planned.removeFirst()
                let outgoing = self.begin(fault, now: time, &state)
                Self.hear(outgoing ?? [], now: time, &state, &outbox)
                begun.append((fault, outgoing != nil))
            }
            self.advance(to: now, &state, &outbox)
            for (id, connection) in state.connections where !state.faults.isDeaf(id) {
                if let deadline = connection.session.deadline, deadline <= now { outbox.add([.drop], for: id) }
            }
            return (outbox.addressed(state) + state.prices.take(), begun, Self.endOfTape(state.player))
        }
        for (fault, isHit) in begun { self.report(fault, isHit) }
        for (link, commands) in outbox { link.perform(commands) }
        if let ended { self.tapeEnded(ended) }
    }

    /// What could not be read of a tape that has just ended; nil while it runs, and once its end has been told.
    private static func endOfTape(_ player: TapeStage?) -> [String]? {
        guard let player, player.isAtEnd, !player.isEndTold else { return nil }
        player.isEndTold = true
        return player.problems
    }

    private func advance(to now: MonotonicTime, _ state: inout State, _ outbox: inout Outbox) {
        Self.hear(state.faults.due(now: now), now: now, &state, &outbox)
        state.engine.skew = state.faults.clockSkew(now: now)
        state.prices.advance(to: now, venue: self.venueTime(now), skew: state.engine.skew)
        var emissions: [Emission] = []
        let subscribers = state.subscribers
        state.engine.advance(to: self.venueTime(now), listening: { subscribers[$0] != nil }, into: &emissions)
        if state.player == nil {
            for emission in emissions {
                let frame = DataFrame(bytes: emission.frame, assets: emission.audience.named)
                Self.deliver(frame, to: Self.recipients(of: emission.audience, state), now: now, &state, &outbox)
            }
        } else if let frames = state.player?.advance(to: now) {
            for case .reference(let frame) in frames { state.prices.relay(frame, now: now) }
            for case .market(let frame, let assets) in frames {
                let ids = assets.isEmpty ? Array(state.connections.keys) : Self.subscribers(of: assets, state)
                Self.deliver(DataFrame(bytes: frame, assets: assets), to: ids, now: now, &state, &outbox)
            }
        }
        if state.past.last.map({ $0.time.duration(to: now) >= .seconds(1) }) ?? true {
            state.past.append(PastExchange(time: now, engine: state.engine.still()))
            state.past.removeAll { $0.time.duration(to: now) > Self.pastKept }
        }
    }

    private static func deliver(
        _ frame: DataFrame, to ids: some Sequence<Int>, now: MonotonicTime, _ state: inout State,
        _ outbox: inout Outbox
    ) {
        let series = state.series
        for id in ids {
            let commands = state.faults.send(frame, to: id, now: now, series: { series[$0] })
            state.counters.framesSent += commands.count
            outbox.add(commands, for: id)
        }
    }

    private static func recipients(of audience: Emission.Audience, _ state: State) -> [Int] {
        switch audience {
        case .assets(let assets): return Self.subscribers(of: assets, state)
        case .customAssets(let assets):
            return Self.subscribers(of: assets, state).filter { Self.wantsCustomEvents($0, state) }
        case .custom: return state.connections.keys.filter { Self.wantsCustomEvents($0, state) }
        }
    }

    private static func subscribers(of assets: [String], _ state: State) -> [Int] {
        var ids: [Int] = []
        for asset in assets {
            guard let more = state.subscribers[asset] else { continue }
            for id in more where !ids.contains(id) { ids.append(id) }
        }
        return ids
    }

    private static func wantsCustomEvents(_ id: Int, _ state: State) -> Bool {
        state.connections[id]?.session.wantsCustomEvents ?? false
    }

    /// When the next tick is worth while: not before the configured tick, not after what is due next.
    package func nextTick() -> MonotonicTime {
        let now = self.clock.now().monotonic
        let (next, due) = self.state.withLock { state in
            (
                [state.player == nil ? state.engine.nextTime : nil, state.prices.nextTime].compactMap { $0 }.min(),
                [state.faults.nextDue, state.prices.faults.nextDue, state.planned.first?.time].compactMap { $0 }.min()
            )
        }
        let wait = next.map { self.venueTime(now).duration(to: $0) } ?? self.configuration.tick
        let soonest = min(wait, due.map { now.duration(to: $0) } ?? wait, .milliseconds(50))
        return now.advanced(by: max(self.configuration.tick, soonest))
    }

    // MARK: The market channel

    /// How a new connection is turned away, asked once for each; nil lets it in.
    package func refusal() -> SimulatorFault.Refusal? {
        let now = self.clock.now().monotonic
        return self.state.withLock { state in
            let refusal = state.faults.refusal(now: now)
            if refusal != nil { state.counters.connectionsRefused += 1 }
            return refusal
        }
    }

    package func opened(_ link: WebSocketLink) {
        let session = MarketChannelSession(
            now: self.clock.now().monotonic, idleLimit: self.configuration.idleLimit)
        self.state.withLock {
            $0.connections[link.id] = Connection(link: link, session: session)
            $0.counters.connectionsAccepted += 1
            $0.counters.connectionsOpen += 1
            $0.faults.opened(link.id)
        }
    }

    package func received(_ message: WebSocketMessage, from id: Int) -> [WebSocketCommand] {
        let now = self.clock.now().monotonic
        return self.state.withLock { state in
            guard !state.faults.isHalfOpen(id) else {
                state.connections[id]?.unread.append(message)
                return []
            }
            let unsent = state.unsent.take(id)
            return unsent + Self.answer(message, from: id, now: now, &state)
        }
    }

    private static func answer(
        _ message: WebSocketMessage, from id: Int, now: MonotonicTime, _ state: inout State
    ) -> [WebSocketCommand] {
        guard !state.faults.isDeaf(id) else { return [] }
        state.counters.messagesReceived += 1
        guard case .text(let text) = message else {
            return state.faults.reply(.text(Array("INVALID OPERATION".utf8)), to: id, now: now)
        }
        guard let reply = state.connections[id]?.session.received(text, now: now) else { return [] }
        switch reply {
        case .none: return []
        case .text(let text): return state.faults.reply(.text(Array(text.utf8)), to: id, now: now)
        case .subscribed(let assets, let dump):
            for asset in assets { Self.subscribe(id, to: asset, &state) }
            state.player?.subscribed(now: now)
            return dump ? Self.dump(assets, to: id, now: now, &state) : []
        case .unsubscribed(let assets):
            Self.unsubscribe(id, from: assets, &state)
            return []
        }
    }

    /// What the connections that have healed said meanwhile is answered behind what they are sent.
    private static func hear(
        _ outgoing: [FaultState.Outgoing], now: MonotonicTime, _ state: inout State, _ outbox: inout Outbox
    ) {
        outbox.add(outgoing)
        for (id, commands) in outgoing where commands.contains(.resume) {
            let unread = state.connections[id]?.unread ?? []
            state.connections[id]?.unread = []
            for message in unread { outbox.add(Self.answer(message, from: id, now: now, &state), for: id) }
        }
    }

    package func closed(_ id: Int) {
        self.state.withLock { state in
            guard let connection = state.connections.removeValue(forKey: id) else { return }
            state.counters.connectionsOpen -= 1
            state.faults.closed(id)
            Self.unsubscribe(id, from: connection.session.assets, &state)
        }
    }

    private static func unsubscribe(_ id: Int, from assets: some Sequence<String>, _ state: inout State) {
        for asset in assets {
            state.counters.subscriptions -= 1
            state.subscribers[asset]?.remove(id)
            if state.subscribers[asset]?.isEmpty == true {
                state.subscribers[asset] = nil
                state.series[asset] = nil
            }
        }
    }

    private static func subscribe(_ id: Int, to asset: String, _ state: inout State) {
        state.subscribers[asset, default: []].insert(id)
        state.counters.subscriptions += 1
        state.series[asset] = state.engine.token(asset: asset)?.window.series.name
    }

    /// One array with the book of every known asset; nothing when none is known, or none is to be sent.
    private static func dump(
        _ assets: [String], to id: Int, now: MonotonicTime, _ state: inout State
    ) -> [WebSocketCommand] {
        var frame = DataFrame(bytes: [0x5B], assets: [])
        for asset in assets
        where state.faults.sendsSnapshot(of: asset, series: state.series[asset], to: id, now: now) {
            guard let book = Self.book(of: asset, &state) else { continue }
            if !frame.assets.isEmpty { frame.bytes.append(0x2C) }
            frame.bytes.append(contentsOf: book)
            frame.assets.append(asset)
        }
        guard !frame.assets.isEmpty else { return [] }
        frame.bytes.append(0x5D)
        let series = state.series
        let commands = state.faults.send(frame, to: id, now: now, series: { series[$0] })
        state.counters.framesSent += commands.count
        return commands
    }

    /// A token's whole book as it is now.
    private static func book(of asset: String, _ state: inout State) -> [UInt8]? {
        guard let player = state.player else { return state.engine.book(asset: asset, rest: false) }
        return player.book(of: asset).map { player.text(of: $0, rest: false) }
    }

    // MARK: The live data socket

    func priceRefusal() -> SimulatorFault.Refusal? {
        let now = self.clock.now().monotonic
        return self.state.withLock { $0.prices.refusal(now: now) }
    }

    func priceOpened(_ link: WebSocketLink) { self.state.withLock { $0.prices.opened(link) } }

    func priceReceived(_ message: WebSocketMessage, from id: Int) -> [WebSocketCommand] {
        let now = self.clock.now().monotonic
        return self.state.withLock {
            $0.prices.received(message, from: id, now: now, venue: self.venueTime(now))
        }
    }

    func priceClosed(_ id: Int) { self.state.withLock { $0.prices.closed(id) } }

    // MARK: REST

    /// What the CLOB REST API says; its `/_faults` takes faults and is hit by none.
    package func clobAnswer(_ question: HTTPQuestion) -> HTTPAnswer {
        if question.path == FaultDesk.path { return self.deskAnswer(question) }
        let now = self.clock.now().monotonic
        if question.path == "/ws/market" {
            return Self.notUpgraded(self.state.withLock { $0.faults.refusal(now: now) })
        }
        return self.state.withLock { state in
            state.counters.requests += 1
            let trouble = state.faults.trouble(of: .clob, now: now)
            if let answer = trouble.answer { return answer }
            if let player = state.player {
                return trouble.applied(to: TapeAnswers(stage: player).answer(question))
            }
            let faults = BookFaults(
                active: state.faults.newestFirst(now), engine: state.engine, past: state.past, now: now)
            let clock = self.venueTime(now).advanced(by: state.engine.skew)
            return trouble.applied(
                to: ClobAnswers(engine: state.engine, faults: faults, clock: clock).answer(question))
        }
    }

    /// The answer to a request that did not become a WebSocket.
    private static func notUpgraded(_ refusal: SimulatorFault.Refusal?) -> HTTPAnswer {
        switch refusal {
        case .status(429): .error(429, "Too Many Requests")
        case .status(let status): .error(status, "Service Unavailable")
        case .reset: .error(503, "Service Unavailable")
        case nil: .error(400, "Bad Request")
        }
    }

    /// What the live data socket's port says to whoever gets no WebSocket there.
    func priceAnswer(_ question: HTTPQuestion) -> HTTPAnswer {
        question.path == "/" ? Self.notUpgraded(self.priceRefusal()) : .error(404, "Not Found")
    }

    /// What the Gamma REST API says.
    package func gammaAnswer(_ question: HTTPQuestion) -> HTTPAnswer {
        let now = self.clock.now().monotonic
        return self.state.withLock { state in
            state.counters.requests += 1
            let trouble = state.faults.trouble(of: .gamma, now: now)
            if let answer = trouble.answer { return answer }
            if let player = state.player { return trouble.applied(to: player.markets.answer(question)) }
            let faults = MarketFaults(active: state.faults.newestFirst(now), now: state.engine.now)
            let answers = GammaAnswers(engine: state.engine, faults: faults)
            return trouble.applied(to: answers.answer(question))
        }
    }

    // MARK: Control

    /// Misbehaves from now on.
    /// - Returns: false when the target names a connection or a market that is not there: nothing happens then.
    @discardableResult
    package func inject(_ fault: SimulatorFault) -> Bool {
        let now = self.clock.now().monotonic
        let isHit = self.state.withLock { state in
            guard let outgoing = self.begin(fault, now: now, &state) else { return false }
            var unsent = state.unsent
            Self.hear(outgoing, now: now, &state, &unsent)
            state.unsent = unsent
            return true
        }
        self.report(fault, isHit)
        if isHit { self.later { self.sendUnsent() } }
        return isHit
    }

    private func sendUnsent() {
        let outbox = self.state.withLock { state in
            let outbox = state.unsent.addressed(state) + state.prices.take()
            state.unsent = Outbox()
            return outbox
        }
        for (link, commands) in outbox { link.perform(commands) }
    }

    /// Misbehaves as planned, from now on, beside what has been planned before.
    package func schedule(_ faults: [PlannedFault]) {
        let now = self.clock.now().monotonic
        self.state.withLock { state in
            let new = faults.map { (time: now.advanced(by: $0.at), fault: $0.fault) }
            // Stable: what is planned for the same moment comes in the order in which it was planned.
            state.planned = (state.planned + new).enumerated()
                .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
        }
    }

    /// A fault begins; nil when there is nobody for it to hit.
    private func begin(
        _ fault: SimulatorFault, now: MonotonicTime, _ state: inout State
    ) -> [FaultState.Outgoing]? {
        guard Self.hits(fault, state), let subject = state.engine.subject(of: fault.target) else { return nil }
        if fault.kind == .recover { state.planned = [] }
        if fault.isAboutPrices || fault.kind == .recover {
            state.prices.begin(fault, now: now, venue: self.venueTime(now))
        }
        if fault.isAboutPrices {
            state.counters.faults += 1
            return []
        }
        let outgoing = state.faults.inject(fault, about: subject, now: now)
        state.engine.skew = state.faults.clockSkew(now: now)
        state.counters.faults += 1
        return outgoing
    }

    private static func hits(_ fault: SimulatorFault, _ state: State) -> Bool {
        if fault.isAboutPrices { return state.prices.hits(fault) }
        let needsLine = fault.kind.aim.contains(.line)
        return state.engine.subject(of: fault.target) != nil
            && (!needsLine || state.faults.lines(of: fault.target) != nil)
    }

    // MARK: On cue over HTTP

    private func deskAnswer(_ question: HTTPQuestion) -> HTTPAnswer {
        switch question.method {
        case "GET": return self.deskList()
        case "DELETE":
            self.inject(.recover)
            return self.deskList()
        case "POST":
            let planned: [PlannedFault]
            do {
                planned = try FaultPlan(json: question.body).faults
            } catch {
                return .error(400, error.message)
            }
            // All or nothing: what comes at once must have somebody to hit.
            let missed = self.state.withLock { state in planned.first { $0.at == .zero && !Self.hits($0.fault, state) }
            }
            if let missed {
                let what = FaultText.json(missed)
                return .error(409, "There is no such connection, market or series now: \(what). Nothing was done.")
            }
            for fault in planned where fault.at == .zero { self.inject(fault.fault) }
            self.schedule(planned.filter { $0.at > .zero })
            return self.deskList()
        default: return .error(405, "Use GET, POST or DELETE.")
        }
    }

    private func deskList() -> HTTPAnswer {
        let now = self.clock.now().monotonic
        return self.state.withLock { state in
            FaultDesk.list(
                Array(state.faults.newestFirst(now).reversed()) + state.prices.faults.newestFirst(now).reversed(),
                planned: state.planned.map { ($0.time, $0.fault) },
                connections: state.faults.lines(of: .all)?.count ?? 0, now: now)
        }
    }

    // MARK: What it knows

    package var counters: SimulatorCounters {
        self.state.withLock { state in
            var counters = state.counters
            counters.hasTapeEnded = state.player?.isAtEnd ?? false
            counters.priceConnections = state.prices.connectionCount
            counters.priceSubscriptions = state.prices.subscriptionCount
            counters.priceFrames = state.prices.framesSent
            return counters
        }
    }

    package var venueTime: Timestamp {
        self.state.withLock { state in
            state.player.map { Timestamp(milliseconds: $0.time.flooredQuotient(1_000_000)) } ?? state.engine.now
        }
    }

    package func truth(_ market: MarketID) -> MarketTruth? {
        self.state.withLock { state in
            guard let window = state.engine.window(condition: market.rawValue),
                let process = state.engine.process(of: window)
            else { return nil }
            return MarketTruth(process, time: state.engine.now)
        }
    }

    package func market(slug: String) -> Market? {
        self.state.withLock { state in
            guard let window = state.engine.window(slug: slug) else { return nil }
            return Market(
                id: MarketID(window.condition), slug: window.slug, question: window.title, series: window.series.name,
                window: MarketWindow(start: window.start, end: window.end),
                yes: Outcome(label: "Up", asset: AssetID(window.up)),
                no: Outcome(label: "Down", asset: AssetID(window.down)),
                tickSize: state.engine.process(of: window)?.tickSize ?? 0.01,
                acceptingOrders: state.engine.now < window.end, closed: state.engine.winner(of: window) != nil,
                fees: MarketFees(
                    areEnabled: true,
                    schedule: .init(rate: 70_000, takerOnly: true, rebateRate: 200_000)),
                settlement: state.engine.settlement(of: window))
        }
    }
}

extension SimulatorFault {
    /// Whether it hits the live data socket, and nothing else.
    var isAboutPrices: Bool { self.kind == .gap || self.target.api == .rtds }
}

extension Emission.Audience {
    /// The assets it tells of; none for a broadcast.
    var named: [String] {
        switch self {
        case .assets(let assets), .customAssets(let assets): assets
        case .custom: []
        }
    }
}
