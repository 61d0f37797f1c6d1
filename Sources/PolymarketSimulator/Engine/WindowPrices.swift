internal import OddsCore

/// The prices one window is decided by: a pure function of its asset's path, so that winner, odds and price feed agree.
struct WindowPrices: Sendable {
    let path: PricePath
    let window: MarketWindow
    /// How many seconds the mean goes over; nil when the price of the boundary's second decides.
    let lookback: Int?
    /// The price to beat.
    let target: ReferencePrice

    init(path: PricePath, window: MarketWindow, lookback: Int?) {
        self.path = path
        self.window = window
        self.lookback = lookback
        self.target = path.settlement(at: window.start, lookback: lookback)
    }

    /// The closing price, whether or not its time has come.
    var closing: ReferencePrice { self.path.settlement(at: self.window.end, lookback: self.lookback) }

    /// The side that wins: Up unless the closing price lies below the price to beat.
    var winner: Token { self.closing >= self.target ? .up : .down }

    /// The chance of Up by the price alone: how far the closing price must be expected from the price to beat, against what
    /// can still happen to it.
    func calmValue(at time: Timestamp) -> Double {
        let price = self.path.price(at: time)
        guard time >= self.window.start else {
            let before = self.path.price(at: time.advanced(by: .seconds(-20)))
            return 0.5 + max(-0.03, min(0.03, (price / before - 1) / self.path.volatilityPerSecond * 0.004))
        }
        let left = Double(max(0, self.window.end.milliseconds - time.milliseconds)) / 1000
        let (mean, spread) = self.expectation(of: price, at: time, left: left)
        let deviation = self.path.volatilityPerSecond * spread.squareRoot()
        return Deterministic.normalBelow((mean / self.target.doubleValue - 1) / deviation)
    }

    /// The closing price to be expected, and the seconds of a random walk that its uncertainty is worth.
    private func expectation(of price: Double, at time: Timestamp, left: Double) -> (mean: Double, spread: Double) {
        guard let lookback = self.lookback.map(Double.init), lookback > 0 else { return (price, left + 0.15) }
        // A mean over n steps of a random walk wanders a third as far as the walk itself.
        guard left < lookback else { return (price, left - lookback * 2 / 3 + 0.15) }
        let begin = self.window.end.advanced(by: .seconds(-lookback))
        let known = max(0, min(time, self.window.end).seconds - begin.seconds)
        var sum = 0.0
        for second in 0..<known {
            sum += self.path.reference(at: Timestamp(seconds: begin.seconds + 1 + second)).doubleValue
        }
        let rest = lookback - Double(known)
        let share = rest / lookback
        return ((sum + rest * price) / lookback, share * share * (left / 3 + 0.15) + 0.000_5)
    }
}

extension PricePath {
    /// The price as the feed tells it: to 1e-8 dollars.
    func reference(at time: Timestamp) -> ReferencePrice {
        ReferencePrice(rawValue: Int128((self.price(at: time) * 100_000_000).rounded()) * 10_000_000_000)
    }

    /// The mean of the feed's prices, one a second, over so many seconds up to and with a moment's.
    func mean(at time: Timestamp, over seconds: Int) -> ReferencePrice {
        var sum: Int128 = 0
        for second in 0..<max(1, seconds) {
            sum += self.reference(at: Timestamp(seconds: time.seconds - Int64(second))).rawValue
        }
        return ReferencePrice(rawValue: sum / Int128(max(1, seconds)))
    }

    /// The price that decides at a boundary.
    func settlement(at boundary: Timestamp, lookback: Int?) -> ReferencePrice {
        lookback.map { self.mean(at: boundary, over: $0) } ?? self.reference(at: boundary)
    }
}
