import Logging
import NIOCore
import OddsCore
import OddsTestSupport
import Synchronization
import Testing

@testable import RealtimeOdds

/// Keeps what a tap is told.
private final class KeepingTap: FeedTap {
    enum Entry: Sendable {
        case message(String, FeedChannel, Int, ReceiveTime)
        case connection(FeedConnectionEvent, FeedChannel, Int)
        case answer(RESTExchange, ReceiveTime)
        case command(FeedCommand)
    }

    let journal = Journal<Entry>()

    func received(_ text: UnsafeRawBufferPointer, on channel: FeedChannel, connection: Int, at now: ReceiveTime) {
        self.journal.append(.message(String(decoding: text, as: UTF8.self), channel, connection, now))
    }
    func connection(_ event: FeedConnectionEvent, on channel: FeedChannel, connection: Int, at now: ReceiveTime) {
        self.journal.append(.connection(event, channel, connection))
    }
    func answered(_ exchange: RESTExchange, at now: ReceiveTime) { self.journal.append(.answer(exchange, now)) }
    func commanded(_ command: FeedCommand, at now: ReceiveTime) { self.journal.append(.command(command)) }
}

/// Keeps the receive times that the books saw.
private final class KeepingObserver: AppliedMessageObserver {
    let times = Journal<MonotonicTime>()
    func applied(_ message: AppliedMessage) { self.times.append(message.receiveTime) }
}

@Suite(.timeLimit(.minutes(1))) struct FeedTapTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func everythingOfALineIsToldAsItTakesEffect() async throws {
        let book = WireFrames.book(market: "0xm", asset: "1", time: 1, bids: [(0.4, 5)], asks: [(0.6, 5)])
        let text = "[\(book)]"
        let end = #"{"market":"0xm","winning_asset_id":"1","timestamp":"9","event_type":"market_resolved"}"#
        let frames = [text, end].flatMap { text -> [UInt8] in
            let payload = Array(text.utf8)
            guard payload.count > 125 else { return [0x81, UInt8(payload.count)] + payload }
            return [0x81, 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)] + payload
        }
        let server = try await ScriptedServer.start([.accept(then: frames)])
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = [.assets(["1"])]
        configuration.marketWebSocket = "ws://127.0.0.1:\(server.port)/ws/market"
        configuration.lines = 1
        let tap = KeepingTap()
        let observer = KeepingObserver()
        let streamer = try RealtimeOddsStreamer(
            configuration: configuration, logger: Self.logger, observer: observer, tap: tap)
        streamer.start()
        try await tap.journal.wait { $0.contains { if case .command(.resolved) = $0 { true } else { false } } }
        try await observer.times.wait(forCount: 1)
        await streamer.stop()
        try await server.stop()

        var told: [String] = []
        var numbers: Set<Int> = []
        var times: [MonotonicTime] = []
        for entry in tap.journal.entries {
            switch entry {
            case .command(.followTokens(let tokens)): told.append("follow \(tokens.count)")
            case .command(.resolved(let resolution)): told.append("resolved \(resolution.winner == .yes)")
            case .command: told.append("command")
            case .connection(.closed(_, let byUs, _), let channel, let number):
                told.append("closed by us: \(byUs)")
                numbers.insert(number)
                #expect(channel == .line(0))
            case .connection(let event, _, let number):
                told.append("\(event)")
                numbers.insert(number)
            case .message(let message, let channel, let number, let now):
                told.append(message == text ? "book" : message == end ? "end" : message)
                numbers.insert(number)
                times.append(now.monotonic)
                #expect(channel == .line(0))
            case .answer: break
            }
        }
        #expect(told == ["follow 1", "connecting", "open", "book", "end", "resolved true", "closed by us: true"])
        #expect(numbers.count == 1)
        // The very moment that the books saw.
        #expect(observer.times.entries.first == times.first)
    }

    @Test func aConnectionThatIsLostIsToldWithItsReason() async throws {
        let server = try await ScriptedServer.start([.close, .close])
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = [.assets(["1"])]
        configuration.marketWebSocket = "ws://127.0.0.1:\(server.port)/ws/market"
        configuration.lines = 1
        let tap = KeepingTap()
        let streamer = try RealtimeOddsStreamer(configuration: configuration, logger: Self.logger, tap: tap)
        streamer.start()
        try await tap.journal.wait { entries in
            entries.contains { if case .connection(.closed(_, false, _), _, _) = $0 { true } else { false } }
        }
        await streamer.stop()
        try await server.stop()
        let reasons = tap.journal.entries.compactMap { entry -> String? in
            if case .connection(.closed(let reason, false, _), _, _) = entry { reason } else { nil }
        }
        #expect(reasons.allSatisfy { !$0.isEmpty })
    }

    @Test func everyExchangeIsToldWithItsBodyOrItsFailure() async throws {
        let clock = ManualClock()
        let tap = KeepingTap()
        let server = ScriptedTransport(base: "http://gamma.example") { path in
            path == "/gone"
                ? .error(RESTError(.timeout, "too late"))
                : .response(RESTResponse(status: 404, body: Array("nothing".utf8)))
        }
        let transport = TappedTransport.over(server, .gamma, clock: clock, tap: tap)
        let response = try await transport.get("http://gamma.example/markets?slug=a", timeout: .seconds(1))
        #expect(response.status == 404)
        await #expect(throws: RESTError.self) {
            try await transport.get("http://gamma.example/gone", timeout: .seconds(1))
        }
        let exchanges = tap.journal.entries.compactMap { entry -> RESTExchange? in
            if case .answer(let exchange, _) = entry { exchange } else { nil }
        }
        #expect(exchanges.map(\.path) == ["/markets?slug=a", "/gone"])
        #expect(exchanges.map(\.status) == [404, nil])
        #expect(exchanges.map { String(decoding: $0.body, as: UTF8.self) } == ["nothing", ""])
        #expect(exchanges.map(\.failure) == [nil, "timeout: too late"])
        #expect(exchanges.allSatisfy { $0.service == .gamma })
        #expect(TappedTransport.over(server, .clob, clock: clock, tap: nil) is ScriptedTransport)
    }
}
