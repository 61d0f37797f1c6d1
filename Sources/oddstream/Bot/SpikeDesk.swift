import OddsCore
import OddsTrading
import RealtimeOdds
import ServiceLifecycle
import Synchronization

/// The spike detector at its place: inline on every published change, before anything is conflated.
///
/// As an observer it is called by the source; as a service it lets time pass for the detector, because sustain times and
/// cooldowns end without a word from the market.
final class SpikeDesk: MarketObserver, Service {
    private struct State {
        var detector: SpikeDetector
        /// The last number of earlier runs: numbers go on over restarts.
        var earlier: UInt64 = 0
        /// The spikes that are remembered, by number, the oldest first; those that last included.
        var records: [SpikeRecord] = []
        /// The latest odds of each market that has not ended: a spike may be over long after the last of them.
        var latest: [MarketID: OddsSnapshot] = [:]
    }

    /// Something about a spike, with the market's odds at that moment, and whether these very odds brought it about: time
    /// alone may have.
    typealias Listener =
        @Sendable (SpikeEvent, SpikeRecord, _ odds: OddsSnapshot?, _ isByOdds: Bool) -> Void

    private let state: Mutex<State>
    private let clock: any StreamClock
    private let told: Listener

    /// How many spikes are remembered.
    private static let capacity = 1_000
    /// How often the detector is told the time.
    private static let pace = Duration.milliseconds(250)

    /// - Parameter told: hears of every spike, in order, on the source's event loop or on this service's task: it must be
    ///   quick and must not block.
    init(configuration: SpikeDetectorConfiguration, clock: any StreamClock, told: @escaping Listener) {
        self.state = Mutex(State(detector: SpikeDetector(configuration)))
        self.clock = clock
        self.told = told
    }

    /// Remembers spikes of earlier runs, the newest first; what lasted when its run ended is over. Called once, before the
    /// source runs.
    func remember(_ records: [SpikeRecord]) {
        self.state.withLock { state in
            state.earlier = records.map(\.number).max() ?? 0
            state.records = records.prefix(Self.capacity).reversed().map { record in
                var record = record
                record.ending = record.ending ?? SpikeRecord.interrupted
                return record
            }
        }
    }

    /// The spikes that are remembered, the newest first; those that last are accounted for up to now.
    var spikes: [SpikeRecord] {
        let now = self.clock.now()
        return self.state.withLock { state in
            var lasting: [UInt64: SpikeRecord] = [:]
            for spike in state.detector.current(at: now) {
                var record = SpikeRecord(spike)
                record.number += state.earlier
                lasting[record.number] = record
            }
            return state.records.reversed().map { lasting[$0.number] ?? $0 }
        }
    }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        // What time has decided by now is told with the odds that were there then.
        self.step(nil) { $0.detector.advance(to: now) }
        self.step(snapshot) { state in
            // Nothing is told of a closed market later; it may be published again after its end.
            state.latest[snapshot.marketID] = snapshot.trust == .closed ? nil : snapshot
            return state.detector.observe(snapshot, now: now)
        }
    }

    func ended(_ market: Market, at now: ReceiveTime) {
        self.step(nil) { $0.detector.marketEnded(market.id, now: now) }
        self.state.withLock { $0.latest[market.id] = nil }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // The sleep throws only when the program ends.
            while (try? await self.clock.sleep(for: Self.pace)) != nil {
                self.step(nil) { $0.detector.advance(to: self.clock.now()) }
            }
        }
    }

    /// One step; what it brought is told before the next, so that listeners hear of it in its order.
    private func step(_ snapshot: OddsSnapshot?, _ step: (inout State) -> [SpikeEvent]) {
        self.state.withLock { state in
            for event in step(&state) {
                var record = SpikeRecord(event)
                record.number += state.earlier
                if let index = state.records.lastIndex(where: { $0.number == record.number }) {
                    state.records[index] = record
                } else {
                    state.records.append(record)
                    if state.records.count > Self.capacity { state.records.removeFirst() }
                }
                let odds = snapshot.flatMap { $0.marketID == record.market ? $0 : nil }
                self.told(event, record, odds ?? state.latest[record.market], odds != nil)
            }
        }
    }
}

extension SpikeRecord {
    /// The record of a spike as an event tells it.
    init(_ event: SpikeEvent) {
        switch event {
        case .began(let spike), .grew(let spike): self.init(spike)
        case .ended(let spike, let ending): self.init(spike, ending: ending)
        }
    }
}
