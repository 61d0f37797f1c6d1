internal import OddsCore
internal import OddsTrading
internal import RealtimeOdds

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Keeps what comes out of a replay, and hashes it in the order in which it came.
final class ReplayTally: MarketObserver, @unchecked Sendable {
    // Called on the one thread that drives the replay.
    private var hash = StateHash()
    private var detector: SpikeDetector
    private let journal = IncidentBook()
    private let trader: PaperTrader<ThresholdStrategy>?
    private let observer: (any MarketObserver)?
    private let updates: ((OddsUpdate, ReceiveTime) -> Void)?
    private let keepsPoints: Bool
    private let encoder: JSONEncoder

    private var outcome = ReplayOutcome()
    private var spikes: [UInt64: SpikeRecord] = [:]
    private var incidents: [UInt64: IncidentRecord] = [:]
    private var known: Set<ObjectIdentifier> = []
    private var lastMarket: Market?
    private var latest: [MarketID: OddsSnapshot] = [:]
    private var curves: [MarketID: Curve] = [:]
    /// Whether the recording is at its end: what the end of the feed does to markets is no part of it.
    private var isOver = false

    init(
        _ replay: Replay, observer: (any MarketObserver)?, updates: ((OddsUpdate, ReceiveTime) -> Void)?
    ) {
        self.detector = SpikeDetector(replay.spikes)
        self.keepsPoints = replay.keepsPoints
        self.observer = observer
        self.updates = updates
        self.encoder = JSONEncoder()
        self.encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.trader = replay.trading.map { PaperTrader($0) }
    }

    /// A record as it is hashed. Records are made of numbers and texts, all of which JSON can hold.
    private func add(_ kind: String, _ record: some Encodable) {
        guard let bytes = try? self.encoder.encode(record) else { return self.hash.add(kind, "unreadable") }
        self.hash.add(kind, String(decoding: bytes, as: UTF8.self))
    }

    // MARK: MarketObserver

    func attached(to reader: any FeedReader) {
        self.trader?.attached(to: reader)
        self.observer?.attached(to: reader)
    }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        guard !self.isOver else { return }
        self.outcome.publications &+= 1
        if self.lastMarket !== snapshot.market { self.meet(snapshot.market) }
        self.hash.published(snapshot)
        self.spiked(self.detector.observe(snapshot, now: now))
        self.trader?.published(snapshot, at: now)
        if self.keepsPoints { self.curves[snapshot.marketID, default: Curve()].add(snapshot, at: now) }
        if self.updates != nil { self.tell(snapshot, now) }
        self.observer?.published(snapshot, at: now)
    }

    private func meet(_ market: Market) {
        self.lastMarket = market
        guard self.known.insert(ObjectIdentifier(market)).inserted else { return }
        // Of a pair that became known in two steps the last counts.
        self.outcome.markets.removeAll { $0.id == market.id }
        self.outcome.markets.append(market)
    }

    func ended(_ market: Market, at now: ReceiveTime) {
        self.spiked(self.detector.marketEnded(market.id, now: now))
        self.trader?.ended(market, at: now)
        self.observer?.ended(market, at: now)
    }

    func traded(_ trade: Trade, of market: Market, at now: ReceiveTime) {
        self.outcome.venueTrades &+= 1
        self.trader?.traded(trade, of: market, at: now)
        self.observer?.traded(trade, of: market, at: now)
    }

    func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {
        self.trader?.sampled(microstructure, of: market, at: now)
        self.observer?.sampled(microstructure, of: market, at: now)
    }

    func resolved(_ resolution: Resolution, at now: ReceiveTime) {
        self.outcome.resolutions.append(resolution)
        self.hash.add(
            "resolved", "\(resolution.market.id) \(resolution.winner.map { "\($0)" } ?? "none") \(now.unixNanoseconds)")
        self.trader?.resolved(resolution, at: now)
        self.updates?(.resolution(resolution), now)
        self.observer?.resolved(resolution, at: now)
    }

    // MARK: Beside the markets

    func rolledOver(_ receipt: RolloverReceipt, at now: ReceiveTime) { self.updates?(.rollover(receipt), now) }

    func heard(_ event: ContinuityEvent, at time: ReceiveTime) {
        guard !self.isOver else { return }
        self.changed(self.journal.record(event, at: time))
    }

    /// A second passed.
    func passed(_ now: ReceiveTime) {
        self.changed(self.journal.tick(at: now))
        self.spiked(self.detector.advance(to: now))
        self.trader?.tick(now: now)
    }

    private func changed(_ changes: [IncidentChange]) {
        for change in changes {
            let record = IncidentRecord(change.incident)
            self.incidents[record.id] = record
        }
    }

    private func spiked(_ events: [SpikeEvent]) {
        for event in events {
            let record: SpikeRecord
            switch event {
            case .began(let spike), .grew(let spike): record = SpikeRecord(spike)
            case .ended(let spike, let ending): record = SpikeRecord(spike, ending: ending)
            }
            self.spikes[record.number] = record
            self.add("spike", record)
        }
    }

    /// A version as the updates of the live stream tell it: trust first, then values.
    private func tell(_ snapshot: OddsSnapshot, _ now: ReceiveTime) {
        let before = self.latest.updateValue(snapshot, forKey: snapshot.marketID)
        if let before, before.trust.name != snapshot.trust.name || before.trust.reason != snapshot.trust.reason {
            self.updates?(.trust(snapshot, previous: before.trust), now)
        }
        if before == nil || before?.yes != snapshot.yes || before?.no != snapshot.no {
            self.updates?(.odds(snapshot), now)
        }
    }

    // MARK: The end

    func finish(_ world: ReplayWorld, at now: ReceiveTime) -> ReplayOutcome {
        self.passed(now)
        let report = self.journal.report(at: now)
        for incident in report.all { self.incidents[incident.id] = IncidentRecord(incident) }
        self.trader?.end(now: now)
        self.outcome.uptime = report.uptime
        self.outcome.spikes = self.spikes.values.sorted { $0.number < $1.number }
        self.outcome.incidents = self.incidents.values.sorted { $0.id < $1.id }
        for incident in self.outcome.incidents { self.add("incident", incident) }
        if let trader {
            for entry in trader.entries { self.add("journal", entry) }
            self.outcome.trades = trader.trades.reversed()
            self.outcome.refusals = trader.refusals.reversed()
            self.outcome.account = trader.record
        }
        if let feed = world.feed {
            for asset in feed.markets.flatMap(\.assets) {
                if let depth = feed.depth(of: asset) { self.hash.add(depth) }
            }
        }
        self.outcome.points = self.curves.mapValues(\.points)
        self.outcome.stateHash = self.hash.finish()
        self.isOver = true
        return self.outcome
    }
}

/// Odds over time with a bounded number of points: when there are too many, every second one goes, and from then on they
/// are taken half as often. Changes of trust are always kept until then.
private struct Curve {
    private(set) var points: [ReplayPoint] = []
    private var interval: Int64 = 0

    private static let limit = 4000

    mutating func add(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        let point = ReplayPoint(
            time: now.wall, yes: snapshot.displayedOdds?.doubleValue,
            isLive: snapshot.trust == .live || snapshot.trust == .fallback)
        if let last = self.points.last {
            guard last.yes != point.yes || last.isLive != point.isLive else { return }
            if last.isLive == point.isLive, point.time.milliseconds - last.time.milliseconds < self.interval { return }
        }
        self.points.append(point)
        guard self.points.count > Self.limit, let first = self.points.first, let last = self.points.last else { return }
        self.points = self.points.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        self.interval = max(1, (last.time.milliseconds - first.time.milliseconds) / Int64(Self.limit / 2))
    }
}
