import Logging
package import OddsCore
package import OddsRecording
import OddsTrading
import RealtimeOdds

/// The stream and pollers over a recording: the stream as its replay shows it, what was visible from everything that was
/// recorded on all lines, and pollers that are answered with that at their instants.
package struct RecordedComparison {
    /// How often each poller asks.
    package var pollers: [Duration] = [.seconds(60)]
    /// What is compared, and how strictly.
    package var configuration = CompareConfiguration()
    /// The tokens to follow; empty follows what was followed then.
    package var tokens: [AssetID] = []

    /// The defaults.
    package init() {
        self.configuration.truth = .recording
    }

    /// Runs it.
    ///
    /// - Parameters:
    ///   - progress: told of the share done, many times.
    ///   - isStopped: asked as often whether to end here, and say what was found so far.
    /// - Throws: `ProofError` when nothing can be compared.
    package func run(
        _ recording: Recording, progress: (Double) -> Void = { _ in }, isStopped: () -> Bool = { false }
    ) throws -> CompareFigures {
        let sources = [CompareSource.stream] + self.pollers.map { CompareSource.poller($0) }
        let truth = RecordedTruth()
        let desk = RecordedCompareDesk(
            CompareMeter(self.configuration, sources: sources), truth: truth, pollers: self.pollers)
        var setting = ReplayWorld.Setting()
        setting.tokens = self.tokens
        let world = ReplayWorld(
            setting, observer: desk, logger: Logger(label: "compare") { _ in SwiftLogNoOpLogHandler() },
            continuity: { _, _ in })
        let rows = RecordingRows(recording)
        var count: UInt64 = 0
        var last = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0)
        while let (row, received) = try rows.next() {
            last = received
            truth.take(row, at: received)
            world.take(row, at: received)
            count += 1
            if count % 4096 == 0 {
                progress(rows.share)
                if isStopped() { break }
            }
        }
        world.finish()
        guard count > 0 else { throw ProofError("The recording has no rows that can be read. Give another one.") }
        var figures = desk.finish(at: last.unixNanoseconds)
        world.end()
        figures.mode = "recording"
        figures.notes = [
            recording.files.map(\.name).joined(separator: ", "),
            "\(count) rows; the way of a quick message (1 %), offset of the clocks included, was "
                + CompareText.time(Double(truth.offset ?? 0) / 1e6),
        ]
        figures.notes += rows.damage.prefix(5).map { "damage: \($0)" }
        progress(1)
        return figures
    }
}

/// Writes down what the replay shows.
private final class RecordedCompareDesk: MarketObserver, @unchecked Sendable {
    // Touched on the one thread that drives the replay.
    private var meter: CompareMeter
    private let truth: RecordedTruth
    private let pollers: [Duration]
    private var markets: [MarketID: Market] = [:]
    private var isFinished = false

    init(_ meter: CompareMeter, truth: RecordedTruth, pollers: [Duration]) {
        self.meter = meter
        self.truth = truth
        self.pollers = pollers
    }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        guard !self.isFinished else { return }
        self.markets[snapshot.marketID] = snapshot.market
        self.meter.showed(snapshot, at: now.unixNanoseconds)
    }

    func ended(_ market: Market, at now: ReceiveTime) {
        guard !self.isFinished else { return }
        self.end(market, at: now.unixNanoseconds)
    }

    private func end(_ market: Market, at time: Int64) {
        self.meter.configuration.stampOffset = .nanoseconds(self.truth.offset ?? 0)
        var line = SightTimeline()
        for sighting in self.truth.take(market.id) {
            line.add(sighting)
            self.meter.truth(
                sighting.tops, of: market, stamp: Timestamp(milliseconds: sighting.stamp), at: sighting.time)
        }
        for (index, interval) in self.pollers.enumerated() {
            for answer in self.answers(index + 1, interval, market, line, until: time) { self.meter.polled(answer) }
        }
        self.meter.ended(market.id, at: time)
        self.markets[market.id] = nil
    }

    /// A poller at whole multiples of its interval, as the real one; it gets what is true at that instant, at once.
    private func answers(
        _ source: Int, _ interval: Duration, _ market: Market, _ truth: SightTimeline, until end: Int64
    ) -> [PollAnswer] {
        guard let first = truth.entries.first?.time else { return [] }
        let step = interval.wholeNanoseconds
        let begin = (first + step - 1) / step * step
        return stride(from: begin, to: end, by: Int(step)).compactMap { instant in
            truth.at(instant).map {
                PollAnswer(
                    source: source, market: market, asked: instant, answered: instant, stamp: $0.stamp, tops: $0.tops,
                    verdict: .believed)
            }
        }
    }

    func finish(at time: Int64) -> CompareFigures {
        for market in self.markets.values.sorted(by: { $0.id.rawValue < $1.id.rawValue }) { self.end(market, at: time) }
        self.isFinished = true
        return self.meter.finish(at: time)
    }
}
