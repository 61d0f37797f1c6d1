/// What takers did to a market within a time that slides along, in terms of YES: who buys NO sells YES.
public struct TradeFlow: Hashable, Sendable {
    /// How far back it looks.
    public let window: Duration
    /// How much of that was watched without a gap; as much as `window` once the feed has been heard for that long.
    public let covered: Duration
    /// How many trades.
    public let trades: Int
    /// Shares that takers bet on YES: YES bought, NO sold.
    public let bought: Size
    /// Shares that takers bet against YES: YES sold, NO bought.
    public let sold: Size

    /// A flow from its parts.
    public init(window: Duration, covered: Duration, trades: Int, bought: Size, sold: Size) {
        self.window = window
        self.covered = covered
        self.trades = trades
        self.bought = bought
        self.sold = sold
    }

    /// All shares traded.
    public var volume: Size { Size(rawValue: self.bought.rawValue.saturatingSum(self.sold.rawValue)) }

    /// Shares bet on YES minus shares bet against it.
    public var net: Double { self.bought.doubleValue - self.sold.doubleValue }

    /// `net` per second of the time covered; nil before any time has passed.
    public var netPerSecond: Double? { self.covered > .zero ? self.net / self.covered.secondsValue : nil }
}

/// Gathers a market's trades, to tell how they flow.
///
/// Trades are kept by tenths of a second of their arrival, as far back as the longest window reaches: however many there
/// are, memory and the cost of a look are bounded, and a window is exact to a tenth of a second.
struct TradeFlowMeter: Sendable {
    private struct Tenth {
        let number: Int64
        var trades = 0
        var bought: Int64 = 0
        var sold: Int64 = 0

        mutating func add(_ trade: Trade) {
            self.trades += 1
            if trade.isForYes {
                self.bought = self.bought.saturatingSum(trade.size.rawValue)
            } else {
                self.sold = self.sold.saturatingSum(trade.size.rawValue)
            }
        }
    }

    private static let tenth: Int64 = 100_000_000

    private let longest: Duration
    private var tenths = TimeQueue<Tenth>()
    /// Since when every trade was heard; nil while the feed is not.
    private(set) var since: MonotonicTime?
    /// When the last trade came, ever.
    private(set) var lastTrade: MonotonicTime?

    init(longest: Duration) { self.longest = longest }

    /// How many tenths of a second are kept.
    var tenthCount: Int { self.tenths.count }

    /// Every trade is heard from now on.
    mutating func begin(at now: MonotonicTime) {
        guard self.since == nil else { return }
        self.tenths.removeAll()
        self.since = now
    }

    /// Trades may be missed: what was gathered tells of no flow any more.
    mutating func interrupt() {
        self.since = nil
        self.tenths.removeAll()
    }

    mutating func add(_ trade: Trade, at now: MonotonicTime) {
        self.lastTrade = now
        guard self.since != nil else { return }
        let number = now.nanoseconds.flooredQuotient(Self.tenth)
        let oldest = now.advanced(by: .zero - self.longest)
        while let first = self.tenths.first, first.time < oldest { self.tenths.removeFirst() }
        if self.tenths.last.map({ $0.element.number < number }) ?? true {
            self.tenths.append(Tenth(number: number), at: now)
        }
        self.tenths.changeLast { $0.add(trade) }
    }

    /// The flow of the last `window`; nil while trades may be missed.
    func flow(_ window: Duration, at now: MonotonicTime) -> TradeFlow? {
        guard let since = self.since else { return nil }
        let sum = self.sum(from: now.advanced(by: .zero - window), to: now)
        return TradeFlow(
            window: window, covered: min(window, max(.zero, since.duration(to: now))), trades: sum.trades,
            bought: Size(rawValue: sum.bought), sold: Size(rawValue: sum.sold))
    }

    /// How fast the net flow changes, in shares per second per second: with the window's newer half N and older half O,
    /// each of length h, it is (net(N) / h − net(O) / h) / h. Nil until the whole window was heard.
    func acceleration(_ window: Duration, at now: MonotonicTime) -> Double? {
        guard let since = self.since, since.duration(to: now) >= window else { return nil }
        let half = window / 2
        let middle = now.advanced(by: .zero - half)
        let newer = self.sum(from: middle, to: now)
        let older = self.sum(from: now.advanced(by: .zero - window), to: middle)
        let seconds = half.secondsValue
        return (newer.net - older.net) / (seconds * seconds)
    }

    private func sum(
        from begin: MonotonicTime, to end: MonotonicTime
    ) -> (trades: Int, bought: Int64, sold: Int64, net: Double) {
        let first = begin.nanoseconds.flooredQuotient(Self.tenth)
        let last = end.nanoseconds.flooredQuotient(Self.tenth)
        var (trades, bought, sold) = (0, Int64(0), Int64(0))
        for (_, tenth) in self.tenths.elements.reversed() {
            if tenth.number <= first { break }
            guard tenth.number <= last else { continue }
            trades += tenth.trades
            bought = bought.saturatingSum(tenth.bought)
            sold = sold.saturatingSum(tenth.sold)
        }
        return (trades, bought, sold, (Double(bought) - Double(sold)) / 1_000_000)
    }
}

extension Int64 {
    /// The sum, kept within 64 bits.
    func saturatingSum(_ other: Int64) -> Int64 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
