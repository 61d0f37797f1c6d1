internal import OddsCore

/// Plays a tape: time goes in, due frames come out, and what the tape has told so far can be asked for.
///
/// Time begins with the first subscription, so that nobody misses the books at the beginning; what lies before the first
/// frame, such as answers of Gamma, is known from the start. Of several recorded connections the one that brought a token
/// first leads for it: its frames are served, the others' are only remembered. When it ends, another one that has the
/// token's book takes over, with that book when it is another.
package final class TapeStage: @unchecked Sendable {
    // Used by one caller at a time: the exchange, under its lock.
    /// What is to be sent.
    enum Frame: Equatable {
        /// To the subscribers of these tokens; to everybody when there are none.
        case market([UInt8], assets: [String])
        /// On the live data socket.
        case reference([UInt8])
    }

    /// A recorded connection of the market channel.
    private struct Source: Hashable {
        var line: Int
        var connection: Int
    }

    /// No more rows than this become due at once, however far the clock has moved.
    private static let burst = 500
    /// So many broadcasts are remembered, that every connection brings once.
    private static let broadcastMemory = 1000

    private let reader: any FeedTapeReader
    private let speed: Double
    private var pending: FeedTapeRow?
    private var begin: MonotonicTime?
    private var first: Int64
    /// The time on the tape, in nanoseconds since 1970.
    private(set) var time: Int64
    private(set) var isAtEnd = false
    /// Whether its end has been told.
    var isEndTold = false

    private var sources: [Source: TapeBooks] = [:]
    /// In the order in which they came.
    private var order: [Source] = []
    private var leaders: [String: Source] = [:]
    /// The last books of tokens that nobody leads for.
    private var left: [String: TapeBook] = [:]
    private var broadcasts: [[UInt8]: Source] = [:]
    private var broadcastOrder: [[UInt8]] = []

    private(set) var markets = TapeMarkets()

    /// A stage before the first frame.
    ///
    /// - Throws: `SimulatorError` when there is no frame on the tape, or it cannot be read.
    init(_ tape: any FeedTape, speed: Double) throws(SimulatorError) {
        do {
            self.reader = try tape.open()
        } catch {
            throw SimulatorError(.tape, "The tape \(tape.name) cannot be read: \(error)", cause: error)
        }
        self.speed = speed
        self.first = 0
        self.time = 0
        while let row = self.reader.next() {
            if case .message(_, .line, _) = row.content {
                self.pending = row
                break
            }
            var none: [Frame] = []
            self.take(row, &none)
        }
        guard let pending else {
            throw SimulatorError(
                .tape,
                "The tape \(tape.name) holds no frame of the market channel. Check that it is a recording.\(Self.list(self.reader.problems))"
            )
        }
        self.first = pending.time
        self.time = pending.time
    }

    private static func list(_ problems: [String]) -> String { problems.prefix(3).map { " \($0)" }.joined() }

    /// What could not be read so far.
    var problems: [String] { self.reader.problems }

    // MARK: Time

    /// Somebody has subscribed.
    func subscribed(now: MonotonicTime) { if self.begin == nil { self.begin = now } }

    /// The frames that are due.
    func advance(to now: MonotonicTime) -> [Frame] {
        guard let begin = self.begin, !self.isAtEnd else { return [] }
        var due = Int64.max
        if self.speed < .infinity {
            let passed = Double(begin.duration(to: now).wholeNanoseconds) * self.speed
            due = self.first &+ Int64(Swift.min(passed, 4e18))
        }
        var frames: [Frame] = []
        var count = 0
        while count < Self.burst, let row = self.pending, row.time <= due {
            self.take(row, &frames)
            self.time = row.time
            self.pending = self.reader.next()
            count += 1
        }
        if self.pending == nil {
            self.isAtEnd = true
        } else if self.speed < .infinity, count < Self.burst {
            self.time = Swift.max(self.time, due)
        }
        return frames
    }

    private func take(_ row: FeedTapeRow, _ frames: inout [Frame]) {
        switch row.content {
        case .message(let text, .line(let line), let connection):
            self.heard(text, Source(line: line, connection: connection), &frames)
        case .message(let text, .reference, _):
            // Only what tells a price: the rest answers what was asked then.
            if text.first == 0x7B { frames.append(.reference(text)) }
        case .connection(.closed, .line(let line), let connection):
            self.ended(Source(line: line, connection: connection), &frames)
        case .connection: break
        case .answer(let exchange): self.markets.answered(exchange, at: row.time)
        case .command(let command): self.markets.commanded(command, at: row.time)
        case .run:
            for source in self.order { self.ended(source, &frames) }
        }
    }

    // MARK: Connections

    private func heard(_ text: [UInt8], _ source: Source, _ frames: inout [Frame]) {
        // `PONG` and the like answered somebody else.
        guard text.first == 0x7B || text.first == 0x5B else { return }
        if self.sources[source] == nil {
            self.sources[source] = TapeBooks()
            self.order.append(source)
        }
        self.sources[source]?.take(text)
        let assets = TapeScan.assets(in: text)
        guard !assets.isEmpty else {
            // An empty list answers a subscription to nothing known.
            guard text.count > 2 else { return }
            if self.isNews(text, from: source) { frames.append(.market(text, assets: [])) }
            return
        }
        var isLeading = false
        for asset in assets {
            let leader = self.leaders[asset]
            if leader == nil {
                self.leaders[asset] = source
                self.left[asset] = nil
            }
            if leader == nil || leader == source { isLeading = true }
        }
        if isLeading { frames.append(.market(text, assets: assets)) }
    }

    /// Whether a broadcast is not merely what another connection has brought already.
    private func isNews(_ text: [UInt8], from source: Source) -> Bool {
        if let known = self.broadcasts[text] { return known == source }
        self.broadcasts[text] = source
        self.broadcastOrder.append(text)
        if self.broadcastOrder.count > Self.broadcastMemory {
            self.broadcasts[self.broadcastOrder.removeFirst()] = nil
        }
        return true
    }

    private func ended(_ source: Source, _ frames: inout [Frame]) {
        guard let gone = self.sources.removeValue(forKey: source) else { return }
        self.order.removeAll { $0 == source }
        for (asset, _) in self.leaders.filter({ $0.value == source }).sorted(by: { $0.key < $1.key }) {
            let old = gone.books[asset]
            let next = self.order.first { self.sources[$0]?.books[asset]?.hasSnapshot == true }
            guard let next, let book = self.sources[next]?.books[asset] else {
                self.leaders[asset] = nil
                self.left[asset] = old
                continue
            }
            self.leaders[asset] = next
            if old?.hasSameLevels(as: book) == true { continue }
            frames.append(.market(self.text(of: book, rest: false), assets: [asset]))
        }
    }

    // MARK: Books

    /// A token's book as it was then; nil when none has come.
    func book(of asset: String) -> TapeBook? {
        let book = self.leaders[asset].flatMap { self.sources[$0]?.books[asset] } ?? self.left[asset]
        return book?.hasSnapshot == true ? book : nil
    }

    /// Whether the tape has told of a token.
    func knows(_ asset: String) -> Bool { self.book(of: asset) != nil || self.markets.market(of: asset) != nil }

    /// A token's whole book, spelled as the venue does: in a REST answer with what the channel leaves out.
    ///
    /// Its hash is the venue's when the venue told one of this very state, and empty when it did not.
    func text(of book: TapeBook, rest: Bool) -> [UInt8] {
        let market = self.markets.market(of: book.asset)
        var text = Text(reserving: 4096)
        text.add(#"{"market":"\#(book.market)","asset_id":"\#(book.asset)","timestamp":""#)
        text.add(String(book.time.milliseconds))
        text.add(#"","hash":""#)
        if let hash = book.hash { text.add(hash) }
        text.add(#"","bids":["#)
        Self.levels(book.bids, &text)
        text.add(#"],"asks":["#)
        Self.levels(book.asks, &text)
        text.add("]")
        if rest { text.add(#","min_order_size":"\#(market?.minimumOrderSize ?? 5)""#) }
        text.add(#","tick_size":"\#(book.step)""#)
        text.add(rest ? #","neg_risk":\#(market?.negativeRisk ?? false)"# : #","event_type":"book""#)
        text.add(#","last_trade_price":"\#(book.lastTrade?.lastTradeText ?? "")"}"#)
        return text.bytes
    }

    private static func levels(_ levels: [Level], _ text: inout Text) {
        var isFirst = true
        for level in levels {
            text.add(isFirst ? #"{"price":""# : #",{"price":""#)
            isFirst = false
            text.add(level.price)
            text.add(#"","size":""#)
            text.add(level.size)
            text.add(#""}"#)
        }
    }
}

/// Finds token ids in a frame without reading it as JSON.
enum TapeScan {
    private static let key = Array("\"asset_id\":".utf8)

    /// The values of `asset_id`, each once, in order.
    static func assets(in frame: [UInt8]) -> [String] {
        var found: [String] = []
        frame.withUnsafeBufferPointer { bytes in
            var index = 0
            let last = bytes.count - self.key.count
            while index <= last {
                guard bytes[index] == 0x22, bytes[index..<index + self.key.count].elementsEqual(self.key) else {
                    index += 1
                    continue
                }
                index += self.key.count
                while index < bytes.count, bytes[index] == 0x20 { index += 1 }
                guard index < bytes.count, bytes[index] == 0x22 else { continue }
                var end = index + 1
                while end < bytes.count, bytes[end] != 0x22 { end += 1 }
                let asset = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
                if !found.contains(asset) { found.append(asset) }
                index = end
            }
        }
        return found
    }
}
