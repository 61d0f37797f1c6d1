import OddsCore
import OddsTestSupport
import Synchronization

@testable import PolymarketSimulator

/// The exchange without sockets, on a clock that the test moves: what each connection is sent is kept.
final class VirtualVenue: Sendable {
    struct Sent: Equatable {
        var time: Duration
        var command: WebSocketCommand
    }

    let clock = ManualClock(wall: Timestamp(seconds: 1_800_000_000))
    let exchange: SimulatedExchange
    private let begin: MonotonicTime
    private let sent = Mutex<[Int: [Sent]]>([:])

    init(_ change: (inout SimulatorConfiguration) -> Void = { _ in }) throws {
        var configuration = try SimulatorConfiguration.halfMinutes()
        change(&configuration)
        self.begin = self.clock.now().monotonic
        self.exchange = SimulatedExchange(configuration: configuration, tape: nil, clock: self.clock)
    }

    var now: Duration { self.begin.duration(to: self.clock.now().monotonic) }

    /// Lets time pass from tick to tick.
    func pass(_ duration: Duration) {
        let end = self.clock.now().monotonic.advanced(by: duration)
        while true {
            let next = self.exchange.nextTick()
            guard next <= end else { break }
            self.clock.advance(to: next)
            self.exchange.tick()
        }
        self.clock.advance(to: end)
        self.exchange.tick()
    }

    /// A new connection; false when it was turned away.
    @discardableResult
    func open(_ id: Int) -> Bool {
        guard self.exchange.refusal() == nil else { return false }
        self.exchange.opened(WebSocketLink(id: id) { [weak self] in self?.keep($0, id) })
        return true
    }

    private func keep(_ commands: [WebSocketCommand], _ id: Int) {
        let time = self.now
        self.sent.withLock { $0[id, default: []] += commands.map { Sent(time: time, command: $0) } }
        let isOver = commands.contains { command in
            switch command {
            case .drop, .cut, .close: true
            case .text, .binary, .pause, .resume: false
            }
        }
        if isOver { self.exchange.closed(id) }
    }

    func say(_ text: String, on id: Int) {
        self.keep(self.exchange.received(.text(Array(text.utf8)), from: id), id)
    }

    /// A new connection that is subscribed to both tokens of a market.
    func subscribe(_ id: Int, to market: Market, custom: Bool = false) {
        self.open(id)
        let assets = market.assets.map { "\"\($0)\"" }.joined(separator: ",")
        self.say(#"{"type":"market","assets_ids":[\#(assets)],"custom_feature_enabled":\#(custom)}"#, on: id)
    }

    func sent(to id: Int) -> [Sent] { self.sent.withLock { $0[id] ?? [] } }

    func forget() { self.sent.withLock { $0 = [:] } }

    /// The texts a connection was sent.
    func texts(_ id: Int) -> [String] {
        self.sent(to: id).compactMap {
            if case .text(let bytes) = $0.command { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
    }

    func market(start: Int64 = 1_800_000_000) throws -> Market {
        guard let market = self.exchange.market(slug: "btc-updown-30s-\(start)") else {
            throw SimulatorHarness.Failure(text: "no market at \(start)")
        }
        return market
    }

    func clob(_ uri: String) -> HTTPAnswer { self.exchange.clobAnswer(HTTPQuestion(method: "GET", uri: uri)) }
    func gamma(_ uri: String) -> HTTPAnswer { self.exchange.gammaAnswer(HTTPQuestion(method: "GET", uri: uri)) }
}

extension HTTPAnswer {
    var text: String { String(decoding: self.body, as: UTF8.self) }
}
