import OddsCore
import OddsTestSupport
import Testing

/// Whatever happens in whatever order, the times add up.
@Suite struct IncidentPropertyTests {
    @Test(arguments: 0..<40)
    func timesAddUp(seed: Int) throws {
        var generator = SplitMix64(seed: UInt64(seed))
        var random = RandomContinuity()
        var configuration = IncidentJournal.Configuration()
        configuration.acceptsFallback = seed % 2 == 1
        var journal = IncidentJournal(configuration: configuration)
        var now: Int64 = 0
        /// When each market was followed, and how much time those had that were let go.
        var followed: [MarketID: Int64] = [:]
        var gone: Int64 = 0
        for _ in 0..<400 {
            // Now and then the clock stands still.
            now += Int64.random(in: 0...3, using: &generator) * Int64.random(in: 0...1_500_000_000, using: &generator)
            let event = random.next(now, using: &generator)
            switch event {
            case .unfollowed(let id): if let since = followed.removeValue(forKey: id) { gone += now - since }
            case .followed(let market), .trust(let market, _, _, _, _), .silence(let market, _):
                followed[market.id] = followed[market.id] ?? now
            case .resync(_, _, let market?, _): followed[market.id] = followed[market.id] ?? now
            case .resync, .resynced, .connection, .discovery: break
            }
            // Now and then an event is told with a time before that of the last one.
            _ = journal.tick(at: Self.at(now))
            let late =
                Int64.random(in: 0...1_000_000_000, using: &generator) * Int64.random(in: 0...1, using: &generator)
            _ = journal.record(event, at: Self.at(now - late))
            let elapsed = gone + followed.values.reduce(0) { $0 + now - $1 }
            try Self.check(journal.report(at: Self.at(now)), elapsed: elapsed)
        }
        now += 5_000_000_000
        let elapsed = gone + followed.values.reduce(0) { $0 + now - $1 }
        try Self.check(journal.report(at: Self.at(now)), elapsed: elapsed)
    }

    private static func at(_ nanoseconds: Int64) -> ReceiveTime {
        ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: nanoseconds),
            unixNanoseconds: 1_770_000_000_000_000_000 + nanoseconds)
    }

    private static func check(_ report: IncidentReport, elapsed: Int64) throws {
        let total = report.uptime.total
        try #require(total.elapsed == .nanoseconds(elapsed))
        try #require(total.lost.values.reduce(.zero, +) == total.due - total.up)
        for entry in report.uptime.markets {
            let lost = entry.uptime.lost.values.reduce(Duration.zero, +)
            try #require(lost == entry.uptime.due - entry.uptime.up)
        }
        for incident in report.all {
            let end = incident.end?.monotonic
            try #require(incident.begin.monotonic <= incident.detected.monotonic)
            try #require(end.map { incident.detected.monotonic <= $0 } ?? true)
            try #require(end.map { incident.begin.monotonic.duration(to: $0) == incident.duration } ?? true)
            try #require(incident.isOpen == (incident.ending == nil))
            if case .selection = incident.subject { continue }
            try #require(incident.served.total == incident.duration)
            try #require(incident.lost <= incident.duration)
        }
        let ids = report.all.map(\.id)
        try #require(Set(ids).count == ids.count)
        try #require(report.counts.values.reduce(0, +) == ids.count)
    }
}

/// Events of a feed that has lost its mind: nothing follows from anything.
private struct RandomContinuity {
    let markets = (0..<4).map { Market.sample("m\($0)") }

    mutating func next(_ now: Int64, using generator: inout SplitMix64) -> ContinuityEvent {
        let market = self.markets[Int.random(in: 0..<4, using: &generator)]
        let line = Int.random(in: 0..<2, using: &generator)
        let asset = market.assets[Int.random(in: 0..<2, using: &generator)]
        let past = MonotonicTime(nanoseconds: now - Int64.random(in: 0...20_000_000_000, using: &generator))
        switch Int.random(in: 0..<20, using: &generator) {
        case 0: return .followed(market)
        case 1: return .unfollowed(market.id)
        case 2...8:
            let trust = self.trust(past, using: &generator)
            return .trust(market, trust, previous: nil, epoch: UInt64(now), source: .line(line))
        case 9: return .connection(line: line, number: 0, .live)
        case 10: return .connection(line: line, number: 0, .lost(reason: "lost", lastData: past))
        case 11: return .connection(line: line, number: 0, .failed(reason: "failed", inARow: 1))
        case 12: return .connection(line: line, number: 0, Bool.random(using: &generator) ? .renewed : .closed)
        case 13: return .silence(market, .frozen(since: past, lines: [line]))
        case 14: return .silence(market, .unverified(reason: "silent"))
        case 15: return .silence(market, Bool.random(using: &generator) ? .verifiedQuiet : .over)
        case 16: return .resync(line: line, asset, Bool.random(using: &generator) ? market : nil, .crossed)
        case 17, 18: return .resynced(line: line, asset)
        default: return .discovery(name: "series", problem: Bool.random(using: &generator) ? "missing" : nil)
        }
    }

    private func trust(_ past: MonotonicTime, using generator: inout SplitMix64) -> Trust {
        let since = ReceiveTime(monotonic: past, unixNanoseconds: past.nanoseconds)
        switch Int.random(in: 0..<12, using: &generator) {
        case 0..<4: return .live
        case 4, 5: return .suspect(SuspectReason.allCases.randomElement(using: &generator) ?? .crossed)
        case 6..<9:
            return .stale(since: since, reason: StaleReason.allCases.randomElement(using: &generator) ?? .frozen)
        case 9: return .fallback
        case 10: return .resolving
        default: return .closed
        }
    }
}
