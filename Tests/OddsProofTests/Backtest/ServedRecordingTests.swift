import Foundation
import Logging
import OddsCore
import OddsRecording
import OddsTrading
import PolymarketSimulator
import RealtimeOdds
import Testing

@testable import OddsProof

/// A recording that is served over real sockets, and drunk by the real streamer.
@Suite(.timeLimit(.minutes(5))) struct ServedRecordingTests {
    private static func logger() -> Logger { Logger(label: "test.served") { _ in SwiftLogNoOpLogHandler() } }

    /// Two markets on two lines, one of which breaks off on the way: at the end the streamer shows what the feed showed that
    /// was recorded.
    @Test func whatIsServedIsWhatWasRecorded() async throws {
        let setting = try RecordedWorld.setting(lines: 2, seed: 11, series: ["btc-updown-15m", "eth-updown-15m"])
        let drop = try FaultPlan(json: Array(#"[{"at":"8s","fault":"drop","on":"line 0"}]"#.utf8)).faults
        let recorded = RecordedWorld(setting, seed: 11, faults: drop)
        try recorded.follow("btc-updown-15m")
        try recorded.follow("eth-updown-15m")
        recorded.pass(.seconds(20))
        let file = try TemporaryFile(recorded.finish())
        var expected: [MarketID: OddsSnapshot] = [:]
        for snapshot in recorded.world.story.published { expected[snapshot.marketID] = snapshot }
        recorded.end()
        #expect(expected.count == 2)

        var exchange = SimulatorConfiguration()
        exchange.series = setting.exchange.series
        exchange.tape = SimulatorConfiguration.Tape(RecordedFeed(path: file.path), speed: .infinity)
        let simulator = PolymarketSimulator(configuration: exchange, clock: SystemClock(), logger: Self.logger())
        let endpoints = try await simulator.start()
        var feed = RealtimeOddsConfiguration()
        feed.markets = recorded.markets.map { .slug($0.slug) }
        feed.marketWebSocket = endpoints.marketWebSocket
        feed.clobREST = endpoints.clobREST
        feed.gammaREST = endpoints.gammaREST
        let streamer = try RealtimeOddsStreamer(configuration: feed, logger: Self.logger())
        let updates = streamer.updates(.lossless(capacity: 100_000))
        streamer.start()
        for await _ in updates {
            // The last frames are sent when the tape ends: what they lead to comes after that.
            guard simulator.counters.hasTapeEnded else { continue }
            let isSame = expected.allSatisfy { market, shown in
                guard let now = streamer.currentOdds(market) else { return false }
                return Self.top(now) == Self.top(shown)
            }
            if isSame { break }
        }
        for (market, shown) in expected {
            #expect(streamer.currentOdds(market).map { Self.top($0) } == Self.top(shown))
        }
        await streamer.stop()
        await simulator.stop()
    }

    private static func top(_ snapshot: OddsSnapshot) -> [Int64] {
        [snapshot.yes, snapshot.no].flatMap { quote in
            [
                Int64(quote.bid?.rawValue ?? -1), quote.bidSize.rawValue, Int64(quote.ask?.rawValue ?? -1),
                quote.askSize.rawValue,
            ]
        }
    }

    /// What an exchange plays is what a replay hears: the rows of a recording, frame by frame.
    @Test func aRecordingIsReadAsATape() throws {
        let setting = try RecordedWorld.setting(lines: 1, seed: 3)
        let recorded = RecordedWorld(setting, seed: 3)
        try recorded.follow()
        recorded.pass(.seconds(5))
        let file = try TemporaryFile(recorded.finish())
        let reader = try RecordedFeed(path: file.path).open()
        var counts: [String: Int] = [:]
        var last = Int64.min
        while let row = reader.next() {
            #expect(row.time >= last)
            last = row.time
            switch row.content {
            case .message: counts["message", default: 0] += 1
            case .connection: counts["connection", default: 0] += 1
            case .answer: counts["answer", default: 0] += 1
            case .command: counts["command", default: 0] += 1
            case .run: counts["run", default: 0] += 1
            }
        }
        #expect(counts["run"] == 1 && counts["command"] == 1 && (counts["connection"] ?? 0) >= 2)
        #expect((counts["message"] ?? 0) > 50 && reader.problems.isEmpty)
        #expect(throws: RecordingError.self) { try RecordedFeed(path: "/nowhere/tape").open() }
    }

    /// A back-test of a recording trades as the desk did when it was recorded.
    @Test func aRecordingIsTradedAsTheWorldWas() async throws {
        let strategy = ThresholdStrategy(threshold: 0.5)
        let trader = PaperTrader(PaperTrader<ThresholdStrategy>.Setup(strategy: strategy))
        let setting = try RecordedWorld.setting(lines: 2, seed: 4)
        let recorded = RecordedWorld(setting, seed: 4, observer: trader)
        try recorded.follow()
        recorded.pass(.seconds(60))
        let file = try TemporaryFile(recorded.finish())
        let report = try await Backtest([file.path]) { strategy }.run(
            generatedAt: Timestamp(seconds: 1_800_000_000))
        #expect(!trader.trades.isEmpty)
        #expect(report.results.trades == trader.trades.reversed())
        #expect(report.results.markets == 1 && report.results.messages > 100)
        #expect(report.results.sets[0].unsettled.count == 1)
        recorded.end()
    }
}
