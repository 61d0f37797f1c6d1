internal import OddsCore

/// What the process held over time, kept in a bounded number of pieces: as time goes on, neighbours are put together.
///
/// A piece keeps the least and the most of each value, so that neither a peak nor the ground beneath it is lost.
package struct SoakSamples: Sendable, Codable {
    /// A piece of time.
    package struct Piece: Sendable, Codable, Hashable {
        /// When it begins, in seconds since the start.
        package var from: Double
        /// When its last sample was taken, in seconds since the start.
        package var until: Double
        /// Resident memory, in bytes, the least and the most; nil when the system does not tell.
        package var leastResident: Int?
        package var mostResident: Int?
        /// Open files and sockets, the fewest and the most.
        package var leastDescriptors: Int?
        package var mostDescriptors: Int?
        /// Threads, the most.
        package var mostThreads: Int?
        /// The processor time used up to its end since the start of the process, in seconds.
        package var processor: Double?

        private enum CodingKeys: String, CodingKey {
            case from = "from_s"
            case until = "until_s"
            case leastResident = "resident_min"
            case mostResident = "resident_max"
            case leastDescriptors = "descriptors_min"
            case mostDescriptors = "descriptors_max"
            case mostThreads = "threads_max"
            case processor = "processor_s"
        }

        fileprivate mutating func take(_ other: Piece) {
            self.until = other.until
            self.leastResident = Self.least(self.leastResident, other.leastResident)
            self.mostResident = Self.most(self.mostResident, other.mostResident)
            self.leastDescriptors = Self.least(self.leastDescriptors, other.leastDescriptors)
            self.mostDescriptors = Self.most(self.mostDescriptors, other.mostDescriptors)
            self.mostThreads = Self.most(self.mostThreads, other.mostThreads)
            self.processor = other.processor ?? self.processor
        }

        private static func least(_ a: Int?, _ b: Int?) -> Int? { a.map { min($0, b ?? $0) } ?? b }
        private static func most(_ a: Int?, _ b: Int?) -> Int? { a.map { max($0, b ?? $0) } ?? b }
    }

    /// The pieces, the oldest first.
    package private(set) var pieces: [Piece] = []
    /// How long a piece is, in seconds.
    package private(set) var width: Double

    private static let mostPieces = 4_000

    /// No samples.
    ///
    /// - Parameter width: how long a piece is at first, in seconds.
    package init(width: Double = 5) { self.width = width }

    private enum CodingKeys: String, CodingKey {
        case pieces
        case width = "width_s"
    }

    /// Takes a sample; times ascend.
    package mutating func take(_ gauge: ProcessGauge, at time: Double) {
        let piece = Piece(
            from: time, until: time, leastResident: gauge.resident, mostResident: gauge.resident,
            leastDescriptors: gauge.descriptors, mostDescriptors: gauge.descriptors, mostThreads: gauge.threads,
            processor: gauge.processor?.secondsValue)
        self.add(piece)
        guard self.pieces.count > Self.mostPieces else { return }
        self.width *= 2
        let all = self.pieces
        self.pieces = []
        for piece in all { self.add(piece) }
    }

    private mutating func add(_ piece: Piece) {
        if let last = self.pieces.last,
            (last.from / self.width).rounded(.down) == (piece.from / self.width).rounded(.down)
        {
            self.pieces[self.pieces.count - 1].take(piece)
        } else {
            self.pieces.append(piece)
        }
    }

    /// The least values of a bounded number of equal spans of time after the warm-up: what a large frame takes and gives
    /// back lies above them, and what grows grows beneath that.
    package func ground(
        after warmUp: Double, _ value: (Piece) -> Int?
    ) -> [(time: Double, value: Double)] {
        let settled = self.pieces.filter { $0.from >= warmUp }
        guard let first = settled.first, let last = settled.last, last.until > first.from else { return [] }
        // Several samples make a least value; with fewer the ground is not seen.
        let count = min(Trend.mostPoints, settled.count / 4)
        guard count >= Trend.leastPoints else { return [] }
        let span = (last.until - first.from) / Double(count)
        var least: [Int: Double] = [:]
        for piece in settled {
            guard let number = value(piece) else { continue }
            let place = min(count - 1, Int((piece.from - first.from) / span))
            least[place] = min(least[place] ?? .infinity, Double(number))
        }
        return least.sorted { $0.key < $1.key }
            .map { (time: first.from + (Double($0.key) + 0.5) * span, value: $0.value) }
    }
}

/// What readers were given over time, in a bounded number of pieces of which each knows how long it was what.
package struct StandingStrip: Sendable, Codable {
    /// A piece of time.
    package struct Piece: Sendable, Codable, Hashable {
        /// When it begins, in seconds since the start.
        package var from: Double
        /// How long each standing lasted in it, in seconds; of several markets the worst counts.
        package var seconds: [String: Double]

        /// The worst standing in it.
        package var worst: String? {
            StandingStrip.order.last { self.seconds[$0, default: 0] > 0 } ?? self.seconds.keys.min()
        }

        private enum CodingKeys: String, CodingKey {
            case from = "from_s"
            case seconds
        }
    }

    /// The pieces, the oldest first.
    package private(set) var pieces: [Piece] = []
    /// How long a piece is, in seconds.
    package private(set) var width: Double

    private static let mostPieces = 2_880
    /// What may be due, the best first.
    package static let order = ["live", "suspect", "fallback", "stale", "missing"]

    /// Nothing yet.
    package init(width: Double = 1) { self.width = width }

    private enum CodingKeys: String, CodingKey {
        case pieces
        case width = "width_s"
    }

    /// What was served for a time that ends now; times ascend.
    package mutating func take(_ standing: String, for seconds: Double, at time: Double) {
        self.add(Piece(from: time, seconds: [standing: seconds]))
        guard self.pieces.count > Self.mostPieces else { return }
        self.width *= 2
        let all = self.pieces
        self.pieces = []
        for piece in all { self.add(piece) }
    }

    private mutating func add(_ piece: Piece) {
        let begin = (piece.from / self.width).rounded(.down) * self.width
        if self.pieces.last?.from == begin {
            self.pieces[self.pieces.count - 1].seconds.merge(piece.seconds, uniquingKeysWith: +)
        } else {
            self.pieces.append(Piece(from: begin, seconds: piece.seconds))
        }
    }
}
