/// Lets each trade of a market pass once, though every line tells it.
///
/// Trades that look the same (one token, stamp, price, size, taker's side and settlement) are counted per line, and as many
/// pass as the line that told most of them has told. So it does not matter which line tells first, whether one is lost
/// between two trades, or whether it comes back; and two trades that really are the same are two. (Only of trades that are
/// the same even in their settlement may one be passed over, when every line was lost for a part of them.)
///
/// What was told is remembered for `memory`, and no more than `capacity` different trades.
public struct TradeGate: Sendable {
    private struct Key: Hashable {
        let side: Side
        let time: Int64
        let price: Int32
        let size: Int64
        let takerSide: BookSideKind
        let transaction: UInt64
    }

    private struct Tally {
        var told: InlineArray<6, UInt16> = InlineArray(repeating: 0)
        var passed: UInt16 = 0
    }

    /// How long a line may be behind another with a trade.
    public static let memory = Duration.seconds(120)
    /// How many different trades are remembered.
    public static let capacity = 4096

    private var tallies: [Key: Tally] = [:]
    private var order = TimeQueue<Key>()

    /// A gate that has seen nothing.
    public init() {}

    /// How many different trades are remembered now.
    public var count: Int { self.tallies.count }

    /// A connection tells a trade: whether it is one that no other has told.
    ///
    /// - Parameters:
    ///   - trade: what it tells.
    ///   - seat: the connection's seat at the arbiter's tables.
    ///   - now: when it was told, by this machine.
    public mutating func admit(_ trade: Trade, from seat: Int, at now: MonotonicTime) -> Bool {
        let limit = now.advanced(by: .zero - Self.memory)
        while let oldest = self.order.first, oldest.time < limit || self.tallies.count >= Self.capacity {
            self.tallies[oldest.element] = nil
            self.order.removeFirst()
        }
        let key = Key(
            side: trade.side, time: trade.exchangeTime.milliseconds, price: trade.price.rawValue,
            size: trade.size.rawValue, takerSide: trade.takerSide, transaction: trade.transaction)
        if self.tallies[key] == nil { self.order.append(key, at: now) }
        var tally = self.tallies[key] ?? Tally()
        if tally.told[seat] < .max { tally.told[seat] += 1 }
        let isNew = tally.told[seat] > tally.passed
        if isNew { tally.passed = tally.told[seat] }
        self.tallies[key] = tally
        return isNew
    }
}

/// Elements by time, added at one end and taken away at the other, each at a constant cost on average.
struct TimeQueue<Element: Sendable>: Sendable {
    private var storage: [(time: MonotonicTime, element: Element)] = []
    private var head = 0

    var count: Int { self.storage.count - self.head }
    var first: (time: MonotonicTime, element: Element)? { self.count == 0 ? nil : self.storage[self.head] }
    var last: (time: MonotonicTime, element: Element)? { self.count == 0 ? nil : self.storage.last }
    /// What is there, the oldest first.
    var elements: ArraySlice<(time: MonotonicTime, element: Element)> { self.storage[self.head...] }

    mutating func append(_ element: Element, at time: MonotonicTime) { self.storage.append((time, element)) }

    /// Changes the last one, which must be there.
    mutating func changeLast(_ change: (inout Element) -> Void) {
        change(&self.storage[self.storage.count - 1].element)
    }

    mutating func removeFirst() {
        self.head += 1
        guard self.head > 32, self.head * 2 > self.storage.count else { return }
        self.storage.removeFirst(self.head)
        self.head = 0
    }

    mutating func removeAll() {
        self.storage.removeAll()
        self.head = 0
    }
}
