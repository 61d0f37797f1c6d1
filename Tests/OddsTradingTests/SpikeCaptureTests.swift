import OddsCore
import OddsTestSupport
import OddsTrading
import Testing

/// Spikes of a real recording, through the real pipeline; skipped where the recording is not there.
@Suite(.longWork) struct SpikeCaptureTests {
    static let hockey = "nhl-20260607-first12min.ndjson.gz"
    static let advice: Comment = "The recording is not there: put it into ../shared/captures beside the package."

    /// One reader of the tape: a pipeline, and what it published.
    private final class Reader: FeedPipelineDelegate {
        let board = OddsBoard()
        let feed: FeedBooks
        private let pipeline: FeedPipeline
        private(set) var now = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0)
        var published: (OddsSnapshot, ReceiveTime) -> Void = { _, _ in }

        init() {
            self.feed = FeedBooks(board: self.board, source: .replay)
            self.feed.reportsEveryChange = true
            self.pipeline = FeedPipeline(books: self.feed, maximumMessageSize: 1 << 20)
            self.pipeline.delegate = self
        }

        func receive(_ payload: [UInt8], at milliseconds: Int64) {
            // The tape's time is the exchange's; a few rows come late.
            let time = Swift.max(milliseconds * 1_000_000, self.now.unixNanoseconds)
            self.now = ReceiveTime(monotonic: MonotonicTime(nanoseconds: time), unixNanoseconds: time)
            // What the connection's timer does: a batch that is not completed is published as it is.
            if self.feed.hasHeld {
                self.feed.begin(at: self.now)
                self.feed.releaseHeld(before: self.now.monotonic.advanced(by: .milliseconds(-25)))
            }
            var bytes = Self.frame(payload)
            bytes.withUnsafeMutableBytes { self.pipeline.receive($0, at: self.now) }
        }

        /// One unmasked text frame, as a server sends it.
        private static func frame(_ payload: [UInt8]) -> [UInt8] {
            let count = payload.count
            let length: [UInt8] =
                count < 126
                ? [UInt8(count)]
                : count < 65_536
                    ? [126, UInt8(count >> 8), UInt8(count & 0xFF)]
                    : [127] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
            return [0x81] + length + payload
        }

        func marketChanged(_ slot: MarketSlot, valuesChanged: Bool, previousTrust: Trust?) {
            if let snapshot = slot.read() { self.published(snapshot, self.now) }
        }
        func snapshotArrived(_ asset: AssetID) {}
        func resyncNeeded(_ asset: AssetID, reason: SuspectReason) {}
        func marketResolved(_ market: MarketID, winner: AssetID?, at time: Timestamp?) {}
        func entryApplied(
            _ asset: AssetID, eventType: StaticString, at time: Timestamp, bestBid: Price?, bestAsk: Price?
        ) {}
        func pongReceived() {}
        func frameMalformed(_ fault: FrameFault, prefix: [UInt8]) { Issue.record("malformed: \(fault)") }
        func venueSaid(_ text: String) {}
    }

    /// Detectors of one basis: with poller intervals of 60 and 5 seconds.
    private struct Count {
        let basis: OddsBasis
        let isJoined: Bool
        var minute: SpikeDetector
        var five: SpikeDetector
        var spikes: [Spike] = []
        var seenByMinute = 0
        var seenByFive = 0

        init(_ basis: OddsBasis, isJoined: Bool) {
            func detector(_ seconds: Int) -> SpikeDetector {
                SpikeDetector(
                    SpikeDetectorConfiguration(
                        basis: basis, hysteresis: isJoined ? 0.02 : 0.0, cooldown: .seconds(isJoined ? 30 : 0),
                        poller: PollSchedule(interval: .seconds(seconds))))
            }
            self.basis = basis
            self.isJoined = isJoined
            self.minute = detector(60)
            self.five = detector(5)
        }

        mutating func take(_ minute: [SpikeEvent], _ five: [SpikeEvent]) {
            for case .ended(let spike, _) in minute {
                self.spikes.append(spike)
                self.seenByMinute += spike.isSeenByPoller ? 1 : 0
            }
            for case .ended(let spike, _) in five { self.seenByFive += spike.isSeenByPoller ? 1 : 0 }
        }
    }

    private struct Over: Hashable {
        let market: MarketID
        let side: Side
        let basis: OddsBasis
    }

    @Test(.enabled(if: Captures.has(Self.hockey), Self.advice))
    func spikesByBasisAndByReader() throws {
        let full = Reader()
        let booksOnly = Reader()
        var counts = OddsBasis.allCases.flatMap { [Count($0, isJoined: false), Count($0, isJoined: true)] }
        // When a reader of `book` alone was shown odds over the threshold.
        var shown: [Over: [Int64]] = [:]
        full.published = { snapshot, now in
            for index in counts.indices {
                counts[index].take(
                    counts[index].minute.advance(to: now) + counts[index].minute.observe(snapshot, now: now),
                    counts[index].five.advance(to: now) + counts[index].five.observe(snapshot, now: now))
            }
        }
        booksOnly.published = { snapshot, now in
            for basis in OddsBasis.allCases {
                for side in Side.allCases where (snapshot.odds(side, basis: basis) ?? 0.0) >= 0.70 {
                    shown[Over(market: snapshot.marketID, side: side, basis: basis), default: []]
                        .append(now.unixNanoseconds)
                }
            }
        }
        let finder = TokenFinder()
        try Captures.frames(Self.hockey) { frame in
            let text = String(decoding: frame.bytes, as: UTF8.self)
            let isBook = text.contains(#""event_type":"book""#)
            if isBook {
                let tokens = finder.tokens(in: text)
                full.feed.add(bare: tokens)
                booksOnly.feed.add(bare: tokens)
                booksOnly.receive(frame.bytes, at: frame.time)
            }
            full.receive(frame.bytes, at: frame.time)
        }
        for index in counts.indices {
            for market in full.board.markets.map(\.id).sorted(by: { $0.rawValue < $1.rawValue }) {
                counts[index].take(
                    counts[index].minute.marketEnded(market, now: full.now),
                    counts[index].five.marketEnded(market, now: full.now))
            }
        }
        print("\(Self.hockey): basis, spikes, seen by a 60 s poller, by a 5 s poller, by a reader of `book` alone")
        for count in counts {
            let byBooks = count.spikes.count { spike in
                let times = shown[Over(market: spike.market, side: spike.side, basis: count.basis)] ?? []
                let begin = spike.begin.unixNanoseconds
                let end = spike.end?.unixNanoseconds ?? .max
                return times.contains { $0 >= begin && $0 < end }
            }
            let rule = count.isJoined ? "hysteresis 0.02, cooldown 30 s" : "every crossing"
            print(
                "  \(count.basis.rawValue) (\(rule)): \(count.spikes.count), \(count.seenByMinute), "
                    + "\(count.seenByFive), \(byBooks)")
            #expect(count.seenByMinute <= count.seenByFive && count.seenByFive <= count.spikes.count)
            #expect(byBooks <= count.spikes.count)
            // Counted a second time for two bases by other means, from the exchange's own best prices at the end of each batch.
            guard !count.isJoined else { continue }
            let figures = [count.spikes.count, count.seenByMinute, count.seenByFive, byBooks]
            switch count.basis {
            case .bestBid: #expect(figures == [11, 5, 7, 7])
            case .displayed: #expect(figures == [7, 4, 4, 4])
            case .midpoint, .lastTrade: break
            }
        }
    }
}

/// Finds the tokens that books name.
private struct TokenFinder {
    func tokens(in text: String) -> [AssetID] {
        text.split(separator: #""asset_id":""#).dropFirst().map { AssetID(String($0.prefix { $0 != "\"" })) }
    }
}
