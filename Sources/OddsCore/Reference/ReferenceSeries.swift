/// The prices of one feed by their stamps, the latest so many.
struct ReferenceSeries: Sendable {
    struct Sample: Hashable, Sendable {
        var time: Timestamp
        var price: ReferencePrice
        var isExact: Bool
    }

    /// What became of a price.
    enum Entry: Sendable {
        /// The newest stamp so far.
        case newest
        /// It filled a place between others.
        case filled
        /// Its place was taken: a repetition, or one with fewer decimals.
        case known
        /// Its place was taken by another price, which stays.
        case contradicted
    }

    private(set) var samples: [Sample] = []
    /// When the newest stamp came in.
    private(set) var received: ReceiveTime?
    /// Whether older prices have been dropped.
    private(set) var hasForgotten = false

    /// Rounded to what a `Double` holds, prices differ by less than this part of themselves.
    static let rounding: Int128 = 1_000_000_000_000

    mutating func insert(_ tick: ReferenceTick, at now: ReceiveTime, keeping limit: Int) -> Entry {
        let sample = Sample(time: tick.time, price: tick.price, isExact: tick.isExact)
        guard let last = self.samples.last, last.time >= tick.time else {
            self.samples.append(sample)
            self.received = now
            // In portions, so that each costs little.
            if self.samples.count > limit + limit / 8 + 16 {
                self.samples.removeFirst(self.samples.count - limit)
                self.hasForgotten = true
            }
            return .newest
        }
        let place = self.place(of: tick.time)
        guard self.samples[place].time == tick.time else {
            // What is older than all that is kept was forgotten, or would be next.
            guard place > 0 || !self.hasForgotten else { return .known }
            self.samples.insert(sample, at: place)
            return .filled
        }
        let other = self.samples[place]
        guard other.price != tick.price else {
            if tick.isExact { self.samples[place].isExact = true }
            return .known
        }
        let difference = Int128((other.price.rawValue - tick.price.rawValue).magnitude)
        guard !(other.isExact && tick.isExact), difference <= other.price.rawValue / Self.rounding else {
            return .contradicted
        }
        if tick.isExact { self.samples[place] = sample }
        return .known
    }

    /// The index of the first sample at or after a time.
    private func place(of time: Timestamp) -> Int {
        var low = 0
        var high = self.samples.count
        while low < high {
            let middle = (low + high) / 2
            if self.samples[middle].time < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The price stamped exactly so.
    func sample(at time: Timestamp) -> Sample? {
        let place = self.place(of: time)
        guard place < self.samples.count, self.samples[place].time == time else { return nil }
        return self.samples[place]
    }

    /// The last price before a time.
    func last(before time: Timestamp) -> Sample? {
        let place = self.place(of: time)
        return place > 0 ? self.samples[place - 1] : nil
    }

    /// The prices of every second behind `begin` up to and with `end`; nil when one of them is missing.
    func everySecond(after begin: Timestamp, through end: Timestamp) -> [Sample]? {
        let seconds = begin.duration(to: end).components.seconds
        guard seconds > 0 else { return [] }
        var place = self.place(of: Timestamp(milliseconds: begin.milliseconds + 1000))
        var found: [Sample] = []
        found.reserveCapacity(Int(seconds))
        for second in 1...seconds {
            let time = Timestamp(milliseconds: begin.milliseconds + second * 1000)
            while place < self.samples.count, self.samples[place].time < time { place += 1 }
            guard place < self.samples.count, self.samples[place].time == time else { return nil }
            found.append(self.samples[place])
        }
        return found
    }

    var first: Sample? { self.samples.first }
    var last: Sample? { self.samples.last }
}
