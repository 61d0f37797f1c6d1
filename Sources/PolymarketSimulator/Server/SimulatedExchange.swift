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
    }

    private struct State: Sendable {
        var engine: ExchangeEngine
        var player: TapePlayer?
        var faults = FaultState()
        var connections: [Int: Connection] = [:]
        var subscribers: [String: Set<Int>] = [:]
        var counters = SimulatorCounters()
    }

    private let state: Mutex<State>
    private let clock: any StreamClock
    private let configuration: SimulatorConfiguration
    private let origin: ReceiveTime
    private let start: Timestamp

    /// An exchange whose time begins now.
    package init(configuration: SimulatorConfiguration, tape: Tape?, clock: any StreamClock) {
        self.configuration = configuration
        self.clock = clock
        self.origin = clock.now()
        self.start = configuration.start ?? self.origin.wall
        self.state = Mutex(
            State(
                engine: ExchangeEngine(configuration: configuration, start: self.start),
                player: tape.map { TapePlayer(tape: $0, speed: configuration.tape?.speed ?? 1) }))
    }

    /// The venue's time at a moment of the clock.
    private func venueTime(_ now: MonotonicTime) -> Timestamp {
        self.start.advanced(by: self.origin.monotonic.duration(to: now))
    }

    // MARK: Time

    /// Sends what is due.
    package func tick() {
        let now = self.clock.now().monotonic
        let outbox = self.state.withLock { state -> [(WebSocketLink, [WebSocketCommand])] in
            var commands: [Int: [WebSocketCommand]] = [:]
            let isFrozen = state.faults.isFrozen(now: now)
            func deliver(_ frame: [UInt8], to ids: some Sequence<Int>) {
                guard !isFrozen else { return }
                for id in ids {
                    commands[id, default: []].append(.text(state.faults.delivered(frame, to: id)))
                    state.counters.framesSent += 1
                }
            }
            var emissions: [Emission] = []
            let subscribers = state.subscribers
            state.engine.advance(
                to: self.venueTime(now), listening: { subscribers[$0] != nil }, into: &emissions)
            if state.player == nil {
                for emission in emissions { deliver(emission.frame, to: Self.recipients(of: emission.audience, state)) }
            } else if let rows = state.player?.advance(to: now) {
                for row in rows {
                    let ids =
                        row.assets.isEmpty
                        ? Set(state.connections.keys)
                        : row.assets.reduce(into: Set<Int>()) { $0.formUnion(subscribers[$1] ?? []) }
                    deliver(row.frame, to: ids)
                }
            }
            for (id, connection) in state.connections {
                if let deadline = connection.session.deadline, deadline <= now {
                    commands[id, default: []].append(.drop)
                }
            }
            // Connections get theirs in the order in which they came.
            return commands.sorted { $0.key < $1.key }.compactMap { id, commands in
                state.connections[id].map { ($0.link, commands) }
            }
        }
        for (link, commands) in outbox { link.perform(commands) }
    }

    private static func recipients(of audience: Emission.Audience, _ state: borrowing State) -> [Int] {
        switch audience {
        case .assets(let assets): return Self.subscribers(of: assets, state)
        case .customAssets(let assets):
            return Self.subscribers(of: assets, state).filter { Self.wantsCustomEvents($0, state) }
        case .custom: return state.connections.keys.filter { Self.wantsCustomEvents($0, state) }
        }
    }

    private static func subscribers(of assets: [String], _ state: borrowing State) -> [Int] {
        var ids: [Int] = []
        for asset in assets {
            guard let more = state.subscribers[asset] else { continue }
            for id in more where !ids.contains(id) { ids.append(id) }
        }
        return ids
    }

    private static func wantsCustomEvents(_ id: Int, _ state: borrowing State) -> Bool {
        state.connections[id]?.session.wantsCustomEvents ?? false
    }

    /// When the next tick is worth while: not before the configured tick, not after what is due next.
    package func nextTick() -> MonotonicTime {
        let now = self.clock.now().monotonic
        let next = self.state.withLock { $0.player == nil ? $0.engine.nextTime : nil }
        let wait = next.map { self.venueTime(now).duration(to: $0) } ?? self.configuration.tick
        return now.advanced(by: max(self.configuration.tick, min(wait, .milliseconds(50))))
    }

    // MARK: The market channel

    package func refusal() -> SimulatorFault.Refusal? {
        let now = self.clock.now().monotonic
        return self.state.withLock { $0.faults.refusal(now: now) }
    }

    package func opened(_ link: WebSocketLink) {
        let session = MarketChannelSession(
            now: self.clock.now().monotonic, idleLimit: self.configuration.idleLimit)
        self.state.withLock {
            $0.connections[link.id] = Connection(link: link, session: session)
            $0.counters.connectionsAccepted += 1
            $0.counters.connectionsOpen += 1
        }
    }

    package func received(_ message: WebSocketMessage, from id: Int) -> [WebSocketCommand] {
        let now = self.clock.now().monotonic
        return self.state.withLock { state in
            state.counters.messagesReceived += 1
            guard case .text(let text) = message else { return [.text(Array("INVALID OPERATION".utf8))] }
            guard let reply = state.connections[id]?.session.received(text, now: now) else { return [] }
            switch reply {
            case .none: return []
            case .text(let text): return [.text(Array(text.utf8))]
            case .subscribed(let assets, let dump):
                for asset in assets { state.subscribers[asset, default: []].insert(id) }
                state.counters.subscriptions += assets.count
                state.player?.subscribed(now: now)
                guard dump, !state.faults.isFrozen(now: now), let frame = Self.dump(assets, state) else { return [] }
                state.counters.framesSent += 1
                return [.text(state.faults.delivered(frame, to: id))]
            case .unsubscribed(let assets):
                Self.unsubscribe(id, from: assets, &state)
                return []
            }
        }
    }

    package func closed(_ id: Int) {
        self.state.withLock { state in
            guard let connection = state.connections.removeValue(forKey: id) else { return }
            state.counters.connectionsOpen -= 1
            Self.unsubscribe(id, from: connection.session.assets, &state)
        }
    }

    private static func unsubscribe(_ id: Int, from assets: some Sequence<String>, _ state: inout State) {
        for asset in assets {
            state.counters.subscriptions -= 1
            state.subscribers[asset]?.remove(id)
            if state.subscribers[asset]?.isEmpty == true { state.subscribers[asset] = nil }
        }
    }

    /// One array with the book of every known asset; nil when none is known.
    private static func dump(_ assets: [String], _ state: borrowing State) -> [UInt8]? {
        guard state.player == nil else { return nil }
        var frame: [UInt8] = [0x5B]
        for asset in assets {
            guard let book = state.engine.book(asset: asset, rest: false) else { continue }
            if frame.count > 1 { frame.append(0x2C) }
            frame.append(contentsOf: book)
        }
        return frame.count > 1 ? frame + [0x5D] : nil
    }

    // MARK: REST

    package func clobAnswer(_ question: HTTPQuestion) -> HTTPAnswer {
        if question.path == "/ws/market" {
            switch self.refusal() {
            case .status(let status): return self.refused(status)
            case .reset: return self.refused(503)
            case nil: return .error(400, "Bad Request")
            }
        }
        return self.state.withLock { state in
            state.counters.requests += 1
            return ClobAnswers(engine: state.engine).answer(question)
        }
    }

    private func refused(_ status: Int) -> HTTPAnswer {
        self.state.withLock { $0.counters.connectionsRefused += 1 }
        return .error(status, status == 429 ? "Too Many Requests" : "Service Unavailable")
    }

    package func gammaAnswer(_ question: HTTPQuestion) -> HTTPAnswer {
        self.state.withLock { state in
            state.counters.requests += 1
            return GammaAnswers(engine: state.engine).answer(question)
        }
    }

    // MARK: Control

    package func inject(_ fault: SimulatorFault) {
        let now = self.clock.now().monotonic
        let (links, action) = self.state.withLock { state in
            let action = state.faults.inject(fault, connections: state.connections.keys, now: now)
            return (state.connections.values.map(\.link), action)
        }
        switch action {
        case .none: break
        case .dropAll: for link in links { link.perform([.drop]) }
        case .sendToAll(let frame): for link in links { link.perform([.text(frame)]) }
        }
    }

    package var counters: SimulatorCounters { self.state.withLock { $0.counters } }

    package var venueTime: Timestamp { self.state.withLock { $0.engine.now } }

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
                acceptingOrders: state.engine.now < window.end, closed: state.engine.winner(of: window) != nil)
        }
    }
}
