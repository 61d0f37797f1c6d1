import OddsCore
import RealtimeOdds
import ServiceLifecycle

/// Gives the history what it is not told inline: the markets, their rollovers, and the incidents.
struct HistoryFeeder: Service {
    let source: any LiveOddsSource
    let recorder: any HistoryRecorder
    let clock: any StreamClock

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.follow() }
                group.addTask { await self.look() }
            }
        }
        // What began or ended in the last second; the source goes on for a moment.
        var seen = Seen()
        self.record(&seen)
    }

    private func follow() async {
        for await update in self.source.updates() {
            guard case .rollover(let receipt) = update else { continue }
            self.recorder.record(.market(MarketRecord(receipt, seen: self.clock.now().wall)))
        }
    }

    private func look() async {
        var seen = Seen()
        repeat {
            self.record(&seen)
            // It throws only when the program ends.
        } while (try? await self.clock.sleep(for: .seconds(1))) != nil
    }

    /// What was recorded before, so that only news is.
    private struct Seen {
        var markets: Set<MarketID> = []
        var incidents: [UInt64: Stage] = [:]
    }

    /// How far an incident has come; its length alone is no news.
    private struct Stage: Equatable {
        let end: Timestamp?
        let counts: [Int]

        init(_ record: IncidentRecord) {
            self.end = record.end
            self.counts = [record.occurrences, record.resyncs, record.attempts]
        }
    }

    private func record(_ seen: inout Seen) {
        let now = self.clock.now().wall
        let markets = self.source.markets.map(\.market)
        for market in markets where !seen.markets.contains(market.id) {
            self.recorder.record(.market(MarketRecord(market, seen: now)))
        }
        seen.markets = Set(markets.map(\.id))
        var incidents: [UInt64: Stage] = [:]
        for incident in self.source.incidents().all {
            let record = IncidentRecord(incident)
            let stage = Stage(record)
            if seen.incidents[record.id] != stage { self.recorder.record(.incident(record)) }
            incidents[record.id] = stage
        }
        seen.incidents = incidents
    }
}
