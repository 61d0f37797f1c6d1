/// One side of a token's book: a ladder of prices with a bitmap of the occupied rungs.
///
/// Setting a level is O(1); finding the next best after the best is taken away looks at one bit per rung. The ladder is
/// as coarse as the prices seen allow (0.01, then 0.001, then 0.0001), so a usual book fits in a few cache lines.
struct BookSide: ~Copyable {
    let kind: BookSideKind
    /// Occupied rungs.
    private(set) var levelCount = 0
    /// The rung of the best price, -1 when the side is empty.
    private var best = -1
    /// Ten-thousandths per rung: 100, 10 or 1.
    private var step: Int
    private var rungs: Int
    private var sizes: UnsafeMutablePointer<Int64>
    /// The low 32 bits of the exchange's millisecond stamp of the rung's last update.
    private var stamps: UnsafeMutablePointer<UInt32>
    private var occupied: UnsafeMutablePointer<UInt64>
    /// The stamp of the last clearing: what a rung that was never touched since is compared with.
    private var cleared: UInt32 = 0

    init(_ kind: BookSideKind) {
        self.kind = kind
        self.step = 100
        self.rungs = 101
        (self.sizes, self.stamps, self.occupied) = Self.allocate(rungs: 101)
    }

    deinit {
        self.sizes.deallocate()
        self.stamps.deallocate()
        self.occupied.deallocate()
    }

    private static func words(_ rungs: Int) -> Int { (rungs + 63) / 64 }

    private static func allocate(
        rungs: Int
    ) -> (UnsafeMutablePointer<Int64>, UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt64>) {
        let sizes = UnsafeMutablePointer<Int64>.allocate(capacity: rungs)
        let stamps = UnsafeMutablePointer<UInt32>.allocate(capacity: rungs)
        let occupied = UnsafeMutablePointer<UInt64>.allocate(capacity: Self.words(rungs))
        sizes.initialize(repeating: 0, count: rungs)
        stamps.initialize(repeating: 0, count: rungs)
        occupied.initialize(repeating: 0, count: Self.words(rungs))
        return (sizes, stamps, occupied)
    }

    // MARK: Reading

    /// The best price in ten-thousandths, -1 when the side is empty.
    @inline(__always)
    var bestRaw: Int32 { self.best < 0 ? -1 : Int32(truncatingIfNeeded: self.best &* self.step) }

    /// Shares at the best price, in millionths; 0 when the side is empty.
    @inline(__always)
    var bestSizeRaw: Int64 { self.best < 0 ? 0 : self.sizes[self.best] }

    var bestLevel: Level? {
        guard self.best >= 0 else { return nil }
        return Level(price: Price(unchecked: self.bestRaw), size: Size(unchecked: self.bestSizeRaw))
    }

    /// All levels by ascending price.
    func levels() -> [Level] {
        var levels: [Level] = []
        levels.reserveCapacity(self.levelCount)
        for rung in 0..<self.rungs where self.sizes[rung] != 0 {
            levels.append(
                Level(price: Price(unchecked: Int32(rung * self.step)), size: Size(unchecked: self.sizes[rung])))
        }
        return levels
    }

    /// Hands over all levels by ascending price.
    @inline(__always)
    func forEachAscending(_ body: (Price, Size) -> Void) {
        for word in 0..<Self.words(self.rungs) {
            var bits = self.occupied[word]
            while bits != 0 {
                let rung = word << 6 + bits.trailingZeroBitCount
                bits &= bits &- 1
                body(Price(unchecked: Int32(truncatingIfNeeded: rung &* self.step)), Size(unchecked: self.sizes[rung]))
            }
        }
    }

    /// Hands over all levels by descending price.
    @inline(__always)
    func forEachDescending(_ body: (Price, Size) -> Void) {
        for word in (0..<Self.words(self.rungs)).reversed() {
            var bits = self.occupied[word]
            while bits != 0 {
                let bit = 63 &- bits.leadingZeroBitCount
                bits &= ~(1 << UInt64(bit))
                let rung = word << 6 + bit
                body(Price(unchecked: Int32(truncatingIfNeeded: rung &* self.step)), Size(unchecked: self.sizes[rung]))
            }
        }
    }

    /// Hands over the raw prices and sizes of the best level and of those up to `reach` ten-thousandths from it.
    func forEachNear(_ reach: Int32, _ body: (Int32, Int64) -> Void) {
        guard self.best >= 0 else { return }
        let span = Int(reach) / self.step
        let rungs =
            self.kind == .bids
            ? Swift.max(0, self.best - span)...self.best : self.best...Swift.min(self.rungs - 1, self.best + span)
        for rung in rungs where self.sizes[rung] != 0 { body(Int32(rung * self.step), self.sizes[rung]) }
    }

    /// Shares at one price; zero when there is no such level.
    func size(at price: Price) -> Size {
        let raw = Int(price.rawValue)
        guard raw % self.step == 0 else { return .zero }
        return Size(unchecked: self.sizes[raw / self.step])
    }

    // MARK: Writing

    /// Sets the total at one price; false when a newer update of that level is already in.
    @inline(__always)
    mutating func set(_ price: Price, to size: Size, stamp: UInt32) -> Bool {
        let rung = self.rung(of: Int(price.rawValue))
        // Wrapping difference: stamps are compared within a window of 24 days.
        guard Int32(bitPattern: stamp &- self.stamps[rung]) >= 0 else { return false }
        self.stamps[rung] = stamp
        let before = self.sizes[rung]
        self.sizes[rung] = size.rawValue
        if size.rawValue != 0 {
            if before == 0 { self.occupy(rung) }
        } else if before != 0 {
            self.vacate(rung)
        }
        return true
    }

    /// Takes all levels away; later updates are compared with `stamp`.
    mutating func removeAll(stamp: UInt32) {
        for rung in 0..<self.rungs {
            self.sizes[rung] = 0
            self.stamps[rung] = stamp
        }
        for word in 0..<Self.words(self.rungs) { self.occupied[word] = 0 }
        self.best = -1
        self.levelCount = 0
        self.cleared = stamp
    }

    /// Takes levels away that nothing newer than `stamp` has set: what an older snapshot did not have.
    mutating func removeAll(notNewerThan stamp: UInt32) {
        for rung in 0..<self.rungs where Int32(bitPattern: stamp &- self.stamps[rung]) >= 0 {
            self.stamps[rung] = stamp
            guard self.sizes[rung] != 0 else { continue }
            self.sizes[rung] = 0
            self.vacate(rung)
        }
        self.cleared = stamp
    }

    /// The exchange's clock was set back: whatever is stamped later than this counts as of then.
    mutating func forgetStamps(after stamp: UInt32) {
        for rung in 0..<self.rungs where Int32(bitPattern: self.stamps[rung] &- stamp) > 0 { self.stamps[rung] = stamp }
        if Int32(bitPattern: self.cleared &- stamp) > 0 { self.cleared = stamp }
    }

    @inline(__always)
    private mutating func rung(of raw: Int) -> Int {
        if self.step == 100 {
            let rung = raw / 100
            if rung &* 100 == raw { return rung }
        } else if self.step == 10 {
            let rung = raw / 10
            if rung &* 10 == raw { return rung }
        } else {
            return raw
        }
        self.refine(for: raw)
        return raw / self.step
    }

    /// Makes the ladder fine enough for a price that falls between two rungs.
    private mutating func refine(for raw: Int) {
        let step = raw % 10 == 0 ? 10 : 1
        let rungs = 10_000 / step + 1
        let factor = self.step / step
        let (sizes, stamps, occupied) = Self.allocate(rungs: rungs)
        for rung in 0..<self.rungs {
            let finer = rung * factor
            sizes[finer] = self.sizes[rung]
            if self.sizes[rung] != 0 { occupied[finer >> 6] |= 1 << UInt64(finer & 63) }
            stamps[finer] = self.stamps[rung]
            for between in (finer + 1)..<Swift.max(finer + 1, Swift.min(finer + factor, rungs)) {
                stamps[between] = self.cleared
            }
        }
        self.sizes.deallocate()
        self.stamps.deallocate()
        self.occupied.deallocate()
        (self.sizes, self.stamps, self.occupied) = (sizes, stamps, occupied)
        self.best = self.best < 0 ? -1 : self.best * factor
        self.step = step
        self.rungs = rungs
    }

    @inline(__always)
    private mutating func occupy(_ rung: Int) {
        self.occupied[rung >> 6] |= 1 << UInt64(rung & 63)
        self.levelCount &+= 1
        if self.best < 0 || (self.kind == .bids ? rung > self.best : rung < self.best) { self.best = rung }
    }

    @inline(__always)
    private mutating func vacate(_ rung: Int) {
        self.occupied[rung >> 6] &= ~(1 << UInt64(rung & 63))
        self.levelCount &-= 1
        if rung == self.best { self.best = self.kind == .bids ? self.highest(below: rung) : self.lowest(above: rung) }
    }

    private func highest(below rung: Int) -> Int {
        var word = rung >> 6
        var bits = self.occupied[word] & ((1 << UInt64(rung & 63)) - 1)
        while bits == 0 {
            word -= 1
            if word < 0 { return -1 }
            bits = self.occupied[word]
        }
        return word << 6 + (63 - bits.leadingZeroBitCount)
    }

    private func lowest(above rung: Int) -> Int {
        let words = Self.words(self.rungs)
        var word = rung >> 6
        var bits = self.occupied[word] & ~((2 << UInt64(rung & 63)) &- 1)
        while bits == 0 {
            word += 1
            if word == words { return -1 }
            bits = self.occupied[word]
        }
        return word << 6 + bits.trailingZeroBitCount
    }
}
