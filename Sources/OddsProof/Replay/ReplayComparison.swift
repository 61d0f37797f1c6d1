public import OddsCore

/// What a run of the program put on record, and what a replay of its recording gave: spikes, incidents and trades, one by
/// one.
///
/// The replay runs timers exactly at their deadlines, the live program a little later, as the machine lets it; and it
/// stamps what it publishes with the time of the read, the live program with that time plus what the work took. So moments
/// may differ by a little, and by nothing else may anything differ: not by a market, a side, a peak, a price, a share or a
/// fee.
public struct ReplayComparison: Hashable, Sendable, Codable {
    /// By how much moments may differ.
    public struct Tolerance: Hashable, Sendable {
        /// Of spikes and orders, which follow from messages: processing, and the timer that ends a batch.
        public var messages = Duration.milliseconds(100)
        /// Of incidents, which follow from looks at the lines four times a second, and from what is noticed once a second.
        public var incidents = Duration.milliseconds(1500)

        /// The defaults.
        public init() {}
    }

    /// One kind of record.
    public struct Count: Hashable, Sendable, Codable {
        /// On record live.
        public var live: Int
        /// In the replay.
        public var replayed: Int
        /// In both, and the same.
        public var same: Int
    }

    /// The records of a run.
    public struct Records: Sendable {
        /// The spikes.
        public var spikes: [SpikeRecord] = []
        /// The incidents.
        public var incidents: [IncidentRecord] = []
        /// The orders.
        public var trades: [TradeRecord] = []

        /// No records.
        public init() {}
    }

    /// Spikes, by market, side, begin and peak.
    public var spikes: Count
    /// Incidents, by kind, subject, market and begin.
    public var incidents: Count
    /// Orders, by market, side, moment, status, shares, price and fee.
    public var trades: Count
    /// The differences, a sentence each.
    public var differences: [String]

    /// Whether there is none.
    public var isSame: Bool { self.differences.isEmpty }

    /// Compares.
    ///
    /// - Parameters:
    ///   - live: what the program put on record. What lies outside of the recording's time is left out.
    ///   - outcome: what the replay gave.
    public init(_ live: Records, with outcome: ReplayOutcome, tolerance: Tolerance = Tolerance()) {
        let first = outcome.first?.milliseconds ?? .max
        let last = outcome.last?.milliseconds ?? .min
        // What begins in the last moments of either may lie on the other side of the end.
        let edge = tolerance.messages.wholeNanoseconds / 1_000_000
        func isInside(_ time: Timestamp) -> Bool {
            (first - edge...max(first, last) - edge).contains(time.milliseconds)
        }
        var differences: [String] = []
        self.spikes = Self.match(
            live.spikes.filter { isInside($0.begin) }, outcome.spikes.filter { isInside($0.begin) },
            within: tolerance.messages, time: \.begin,
            key: { "\($0.market) \($0.side)" }, text: Self.text, problem: Self.problem, &differences)
        self.trades = Self.match(
            live.trades.filter { isInside($0.decided) }, outcome.trades.filter { isInside($0.decided) },
            within: tolerance.messages, time: \.decided,
            key: { "\($0.market) \($0.side)" }, text: Self.text, problem: Self.problem, &differences)
        self.incidents = Self.match(
            live.incidents.filter { isInside($0.begin) }, outcome.incidents.filter { isInside($0.begin) },
            within: tolerance.incidents, time: \.begin,
            key: { "\($0.kind) \($0.subject) \($0.market?.rawValue ?? "") \($0.lines)" }, text: Self.text,
            problem: { _, _ in nil }, &differences)
        self.differences = differences
    }

    private static func match<Record>(
        _ live: [Record], _ replayed: [Record], within tolerance: Duration, time: KeyPath<Record, Timestamp>,
        key: (Record) -> String, text: (Record) -> String, problem: (Record, Record) -> String?,
        _ differences: inout [String]
    ) -> Count {
        var rest = replayed.sorted { $0[keyPath: time] < $1[keyPath: time] }
        var same = 0
        let limit = tolerance.wholeNanoseconds / 1_000_000
        for record in live.sorted(by: { $0[keyPath: time] < $1[keyPath: time] }) {
            let own = key(record)
            let near = rest.indices.filter {
                key(rest[$0]) == own && distance(rest[$0][keyPath: time], record[keyPath: time]) <= limit
            }
            let best = near.min {
                distance(rest[$0][keyPath: time], record[keyPath: time])
                    < distance(rest[$1][keyPath: time], record[keyPath: time])
            }
            guard let best else {
                differences.append("Live only: \(text(record)).")
                continue
            }
            let other = rest.remove(at: best)
            if let problem = problem(record, other) {
                differences.append("\(text(record)): \(problem).")
            } else {
                same += 1
            }
        }
        differences += rest.map { "Replay only: \(text($0))." }
        return Count(live: live.count, replayed: replayed.count, same: same)
    }

    private static func distance(_ a: Timestamp, _ b: Timestamp) -> Int64 { abs(a.milliseconds - b.milliseconds) }

    private static func name(_ slug: String, _ market: MarketID) -> String { slug.isEmpty ? market.rawValue : slug }

    private static func text(_ spike: SpikeRecord) -> String {
        "spike of \(spike.side) in \(self.name(spike.slug, spike.market)) from \(spike.begin.iso8601), peak \(spike.peak)"
    }

    private static func problem(_ live: SpikeRecord, _ replayed: SpikeRecord) -> String? {
        // One that lasts when a run ends may still grow.
        if live.ending == nil || live.ending == SpikeRecord.interrupted || replayed.ending == nil { return nil }
        return live.peak == replayed.peak ? nil : "its peak was \(live.peak) live and is \(replayed.peak) in the replay"
    }

    private static func text(_ trade: TradeRecord) -> String {
        "order of \(trade.side) in \(self.name(trade.slug, trade.market)) at \(trade.decided.iso8601)"
    }

    private static func problem(_ live: TradeRecord, _ replayed: TradeRecord) -> String? {
        func isOver(_ status: TradeRecord.Status) -> Bool { status != .pending }
        guard isOver(live.status), isOver(replayed.status) else { return nil }
        if live.reason == "stopped" || replayed.reason == "stopped" { return nil }
        var parts: [String] = []
        func compare<Value: Equatable>(_ name: String, _ a: Value, _ b: Value) {
            if a != b { parts.append("\(name) \(a) live, \(b) in the replay") }
        }
        compare("shares", live.filled, replayed.filled)
        compare("price", live.averagePrice ?? 0, replayed.averagePrice ?? 0)
        compare("fee", live.fee, replayed.fee)
        compare("reason", live.reason ?? "none", replayed.reason ?? "none")
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    private static func text(_ incident: IncidentRecord) -> String {
        "incident \(incident.kind) of \(incident.title) from \(incident.begin.iso8601)"
    }
}
