import OddsCore
import OddsTestSupport

/// A journal that is told what happens in seconds, and says what became of it in short lines.
struct IncidentHarness {
    var journal: IncidentJournal
    let a = Market.sample("a")
    let b = Market.sample("b")

    init(configuration: IncidentJournal.Configuration = IncidentJournal.Configuration()) {
        self.journal = IncidentJournal(configuration: configuration)
    }

    static func time(_ seconds: Double) -> ReceiveTime {
        let nanoseconds = Int64((seconds * 1000).rounded()) * 1_000_000
        return ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: nanoseconds),
            unixNanoseconds: 1_770_000_000_000_000_000 + nanoseconds)
    }

    static func instant(_ seconds: Double) -> MonotonicTime { self.time(seconds).monotonic }

    mutating func tell(_ seconds: Double, _ event: ContinuityEvent) -> [String] {
        self.journal.record(event, at: Self.time(seconds)).map(Self.line)
    }

    mutating func tick(_ seconds: Double) -> [String] { self.journal.tick(at: Self.time(seconds)).map(Self.line) }

    mutating func trust(_ seconds: Double, _ market: Market, _ trust: Trust, epoch: UInt64 = 1) -> [String] {
        self.tell(seconds, .trust(market, trust, previous: nil, epoch: epoch, source: .line(0)))
    }

    /// Two markets, live since 0 s; both lines up since then.
    static func settled() -> IncidentHarness {
        var harness = IncidentHarness()
        for line in 0..<2 { _ = harness.tell(0, .connection(line: line, number: 0, .live)) }
        for market in [harness.a, harness.b] {
            _ = harness.tell(0, .followed(market))
            _ = harness.trust(0, market, .live)
        }
        return harness
    }

    func report(_ seconds: Double) -> IncidentReport { self.journal.report(at: Self.time(seconds)) }

    static func line(_ change: IncidentChange) -> String {
        switch change {
        case .began(let incident): "began \(incident.kind.rawValue) \(incident.title)"
        case .grew(let incident): "grew \(incident.kind.rawValue) \(incident.title)"
        case .flapping(let incident): "flapping \(incident.kind.rawValue) \(incident.title)"
        case .ended(let incident): "ended \(incident.kind.rawValue) \(incident.title)"
        }
    }
}

extension Trust {
    static func stale(_ seconds: Double, _ reason: StaleReason) -> Trust {
        .stale(since: IncidentHarness.time(seconds), reason: reason)
    }
}
