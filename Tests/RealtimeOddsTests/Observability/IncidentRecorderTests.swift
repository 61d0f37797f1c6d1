import Logging
import NIOPosix
import OddsCore
import OddsTestSupport
import Testing

@testable import RealtimeOdds

@Suite(.timeLimit(.minutes(1))) struct IncidentRecorderTests {
    /// Keeps level, message and title of each line.
    private struct Lines: LogHandler {
        let lines: Journal<String>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let summary = event.metadata?["incident.summary"].map { "\($0)" } ?? ""
            self.lines.append("\(event.level) \(event.message): \(summary)")
        }
    }

    private let lines = Journal<String>()
    private let clock = ManualClock()
    private let market = Market.sample("m")

    private func recorder() -> IncidentRecorder {
        IncidentRecorder(clock: self.clock, logger: Logger(label: "test") { _ in Lines(lines: self.lines) })
    }

    @Test func eachIncidentIsWarnedOfOnceAndItsEndIsNoticed() {
        let recorder = self.recorder()
        recorder.record(.followed(self.market))
        recorder.record(.trust(self.market, .live, previous: nil, epoch: 1, source: .line(0)))
        #expect(self.lines.takeAll() == [])
        for _ in 0..<10 {
            recorder.record(.trust(self.market, .suspect(.crossed), previous: .live, epoch: 1, source: .line(0)))
        }
        #expect(self.lines.takeAll() == ["warning Incident began: m: odds contradicted (crossed)"])
        self.clock.advance(by: .seconds(2))
        recorder.record(.trust(self.market, .live, previous: nil, epoch: 2, source: .line(0)))
        #expect(
            self.lines.takeAll() == [
                "notice Incident ended: m: odds contradicted (crossed) for 2.0 s; served suspect 2.0 s"
            ])
        #expect(recorder.report().finished.count == 1)
    }

    @Test func aLostConnectionIsWarnedOfAndItsMarketsAreMentioned() {
        let recorder = self.recorder()
        let since = self.clock.now()
        recorder.record(.trust(self.market, .live, previous: nil, epoch: 1, source: .line(0)))
        let stale = Trust.stale(since: since, reason: .disconnected)
        recorder.record(.trust(self.market, stale, previous: .live, epoch: 1, source: .line(0)))
        recorder.record(.connection(line: 0, number: 0, .lost(reason: "reset", lastData: nil)))
        #expect(
            self.lines.entries == [
                "info Incident began: m: no connection carried it",
                "warning Incident began: Line 0: connection lost: reset",
            ])
    }

    @Test func aConnectionThatComesAndGoesIsWarnedOfOnceForAllItsMarkets() {
        let recorder = self.recorder()
        recorder.record(.trust(self.market, .live, previous: nil, epoch: 1, source: .line(0)))
        for epoch: UInt64 in [2, 3] {
            let stale = Trust.stale(since: self.clock.now(), reason: .disconnected)
            recorder.record(.connection(line: 0, number: 0, .lost(reason: "reset", lastData: nil)))
            recorder.record(.trust(self.market, stale, previous: .live, epoch: epoch, source: .line(0)))
            recorder.record(.connection(line: 0, number: 0, .live))
            recorder.record(.trust(self.market, .live, previous: stale, epoch: epoch, source: .line(0)))
            self.clock.advance(by: .seconds(2))
        }
        let warnings = self.lines.entries.filter { $0.hasPrefix("warning") }
        #expect(
            warnings == [
                "warning Incident began: Line 0: connection lost: reset",
                "warning Incident comes and goes; counted from now on: "
                    + "Line 0: connection lost, 2 times within 2.0 s; served live 2.0 s: reset",
            ])
    }

    @Test func whatIsOverdueIsNoticedByTime() async throws {
        let recorder = self.recorder()
        recorder.record(.followed(self.market))
        let keeper = Task { await recorder.keepTime() }
        for _ in 0..<4 {
            try await self.clock.sleepers(atLeast: 1)
            self.clock.advance(by: .seconds(1))
        }
        try await self.lines.wait(forCount: 1)
        keeper.cancel()
        await keeper.value
        #expect(self.lines.entries.first?.hasPrefix("warning Incident began: m: no first book") == true)
    }

    @Test func theDiscoverysProblemsAreOnRecord() {
        let recorder = self.recorder()
        let relay = EngineRelay(eventLoop: MultiThreadedEventLoopGroup.singleton.next(), incidents: recorder)
        relay.discoveryProblem("not listed", of: "btc-updown-15m")
        relay.discoveryProblem("unreachable", of: "btc-updown-15m")
        self.clock.advance(by: .seconds(3))
        relay.discoveryProblem(nil, of: "btc-updown-15m")
        #expect(
            self.lines.entries == [
                "warning Incident began: btc-updown-15m: not to be found: not listed",
                "notice Incident ended: btc-updown-15m: not to be found for 3.0 s: unreachable",
            ])
    }
}
