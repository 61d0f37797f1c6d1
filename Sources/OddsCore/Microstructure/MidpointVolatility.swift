/// How much a midpoint moves: gathered from samples at a fixed rate.
///
/// With the changes d of the midpoint from one sample to the next within the window, and T the time that they took
/// together in minutes, it is sqrt(Σ d² / T): in dollars per square root of a minute, so that it is the standard deviation
/// that a random walk of this kind has after one minute. A midpoint that is missing breaks the chain: the change across
/// the gap and its time count for nothing.
struct MidpointVolatility: Sendable {
    private struct Step {
        let time: Int64
        let square: Int64
    }

    /// How much must have been watched before there is an answer.
    static let leastCoverage = Duration.seconds(10)

    private let window: Duration
    private let longestStep: Duration
    private var steps = TimeQueue<Step>()
    private var time: Int64 = 0
    private var squares: Int64 = 0
    private var last: (midpoint: Odds, at: MonotonicTime)?

    /// - Parameters:
    ///   - window: how far back it looks.
    ///   - longestStep: samples further apart than this are not compared.
    init(window: Duration, longestStep: Duration) {
        self.window = window
        self.longestStep = longestStep
    }

    /// A sample; nil for none.
    mutating func sample(_ midpoint: Odds?, at now: MonotonicTime) {
        let oldest = now.advanced(by: .zero - self.window)
        while let first = self.steps.first, first.time <= oldest {
            self.time -= first.element.time
            self.squares -= first.element.square
            self.steps.removeFirst()
        }
        if let midpoint, let last = self.last {
            let time = last.at.duration(to: now)
            if time > .zero, time <= self.longestStep {
                let change = Int64(midpoint.rawValue) - Int64(last.midpoint.rawValue)
                let step = Step(time: time.wholeNanoseconds, square: change * change)
                self.time += step.time
                self.squares += step.square
                self.steps.append(step, at: now)
            }
        }
        self.last = midpoint.map { ($0, now) }
    }

    mutating func interrupt() {
        self.steps.removeAll()
        (self.time, self.squares, self.last) = (0, 0, nil)
    }

    /// Dollars per square root of a minute; nil until enough was watched.
    var value: Double? {
        guard Duration.nanoseconds(self.time) >= Self.leastCoverage else { return nil }
        let minutes = Double(self.time) / 60_000_000_000
        return (Double(self.squares) / minutes).squareRoot() / 1_000_000
    }
}
