import OddsCore

/// Records that wait to be written, the most important first. When there are too many, the oldest of the least important
/// kind is left out.
struct HistoryQueue: Sendable {
    /// Records of one importance, in the order they came.
    private struct Lane {
        var records: [HistoryRecord] = []
        var head = 0

        var count: Int { self.records.count - self.head }

        mutating func take(_ limit: Int) -> ArraySlice<HistoryRecord> {
            let taken = self.records[self.head..<min(self.records.count, self.head + limit)]
            self.head += taken.count
            // Moving what is left once in a while keeps the cost of taking one out constant on average.
            if self.head == self.records.count || self.head > 4096 {
                self.records.removeFirst(self.head)
                self.head = 0
            }
            return taken
        }
    }

    private var lanes: [Lane]
    private let capacity: Int
    /// How many wait.
    private(set) var count = 0

    /// An empty queue.
    init(capacity: Int) {
        self.capacity = max(1, capacity)
        let highest = HistoryRecord.Kind.allCases.map(\.importance).max() ?? 0
        self.lanes = Array(repeating: Lane(), count: highest + 1)
    }

    /// Takes a record in.
    ///
    /// - Parameter reserved: how many places are taken by records that have left the queue and are not written yet.
    /// - Returns: the kind of the record that had to go for it, which may be its own; nil when there was room.
    mutating func append(_ record: HistoryRecord, reserved: Int = 0) -> HistoryRecord.Kind? {
        let importance = record.kind.importance
        var dropped: HistoryRecord.Kind?
        if self.count + reserved >= self.capacity {
            guard let lane = self.lanes.firstIndex(where: { $0.count > 0 }), lane <= importance else {
                return record.kind
            }
            dropped = self.lanes[lane].take(1).first?.kind
            self.count -= 1
        }
        self.lanes[importance].records.append(record)
        self.count += 1
        return dropped
    }

    /// Takes records out, the most important first, at most `limit`.
    mutating func take(_ limit: Int) -> [HistoryRecord] {
        var taken: [HistoryRecord] = []
        for lane in self.lanes.indices.reversed() where taken.count < limit {
            taken += self.lanes[lane].take(limit - taken.count)
        }
        self.count -= taken.count
        return taken
    }
}
