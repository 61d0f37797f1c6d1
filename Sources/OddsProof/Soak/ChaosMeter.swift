package import OddsCore
package import PolymarketSimulator

/// What is measured of a run with a fault: how long odds were missing or wrong, and what it cost.
///
/// Fed with samples of what a reader gets beside what the exchange knows, many times a second.
package struct ChaosMeter {
    /// Best prices of both tokens.
    package struct Tops: Hashable, Sendable {
        package var yesBid: Price?
        package var yesAsk: Price?
        package var noBid: Price?
        package var noAsk: Price?

        package init(_ truth: MarketTruth) {
            self.yesBid = truth.up.bid
            self.yesAsk = truth.up.ask
            self.noBid = truth.down.bid
            self.noAsk = truth.down.ask
        }

        package init(_ odds: OddsSnapshot) {
            self.yesBid = odds.yes.bid
            self.yesAsk = odds.yes.ask
            self.noBid = odds.no.bid
            self.noAsk = odds.no.ask
        }
    }

    /// How old live odds may be: the way here, the rest of a batch, one tick of the exchange, and the sampling.
    package var liveAllowance: Duration
    /// How old the witness's odds may be: one interval of asking, and the way there and back.
    package var fallbackAllowance: Duration

    private var truths: [(tops: Tops, from: Duration)] = []
    private var wrongSince: Duration?
    private var missingSince: Duration?
    /// The longest time that odds were served as live and were not the exchange's.
    package private(set) var longestWrong = Duration.zero
    /// When that began.
    package private(set) var wrongAt: Duration?
    /// The longest time without odds that are right and said to be live, or recent and said to be from the witness.
    package private(set) var longestMissing = Duration.zero
    /// When trust first was anything but live.
    package private(set) var firstTrouble: Duration?
    /// Every trust there was, by name.
    package private(set) var trusts: Set<String> = []
    /// How long odds were live, of all the time.
    package private(set) var liveTime = Duration.zero
    package private(set) var totalTime = Duration.zero
    private var lastTime: Duration?

    package init(liveAllowance: Duration = .milliseconds(150), fallbackAllowance: Duration = .milliseconds(1500)) {
        self.liveAllowance = liveAllowance
        self.fallbackAllowance = fallbackAllowance
    }

    /// What a reader gets and what is true at a time; times ascend.
    package mutating func sample(_ odds: OddsSnapshot?, truth: MarketTruth?, at time: Duration) {
        guard let truth else { return }
        let tops = Tops(truth)
        if self.truths.last?.tops != tops { self.truths.append((tops, time)) }
        if self.truths.count > 64 { self.forget(before: time - self.fallbackAllowance * 2) }
        let step = self.lastTime.map { time - $0 } ?? .zero
        self.lastTime = time
        self.totalTime += step
        let trust = odds?.trust
        self.trusts.insert(
            odds.map { [$0.trust.name, $0.trust.reason].compactMap { $0 }.joined(separator: " ") } ?? "none")
        if trust == .live { self.liveTime += step }
        if trust != .live, self.firstTrouble == nil { self.firstTrouble = time }
        let isRight: Bool
        switch trust {
        case .live: isRight = self.wasTrue(odds.map { Tops($0) }, within: self.liveAllowance, at: time)
        case .fallback: isRight = self.wasTrue(odds.map { Tops($0) }, within: self.fallbackAllowance, at: time)
        case .suspect, .stale, .resolving, .closed, nil: isRight = false
        }
        self.judge(isWrong: trust == .live && !isRight, isMissing: !isRight, at: time)
    }

    private mutating func judge(isWrong: Bool, isMissing: Bool, at time: Duration) {
        if isWrong {
            let since = self.wrongSince ?? time
            self.wrongSince = since
            if time - since > self.longestWrong {
                self.longestWrong = time - since
                self.wrongAt = since
            }
        } else {
            self.wrongSince = nil
        }
        if isMissing {
            let since = self.missingSince ?? time
            self.missingSince = since
            self.longestMissing = max(self.longestMissing, time - since)
        } else {
            self.missingSince = nil
        }
    }

    /// Whether these were the exchange's best prices at any moment of the time before.
    private func wasTrue(_ tops: Tops?, within allowance: Duration, at time: Duration) -> Bool {
        guard let tops else { return false }
        for index in self.truths.indices.reversed() {
            if self.truths[index].tops == tops { return true }
            // It held until the next one came.
            if self.truths[index].from < time - allowance { return false }
        }
        return false
    }

    private mutating func forget(before time: Duration) {
        guard let keep = self.truths.lastIndex(where: { $0.from < time }) else { return }
        self.truths.removeFirst(keep)
    }
}
