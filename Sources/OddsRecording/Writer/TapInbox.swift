import OddsCore
import Synchronization

/// What the taps say, waiting to be written: bytes in one of two regions that change places, so that the writer never
/// holds up those who tell.
final class TapInbox: Sendable {
    /// Something other than a message.
    enum Thing: Sendable {
        case connection(FeedConnectionEvent, FeedChannel, Int)
        case answer(RESTExchange)
        case command(FeedCommand)
        /// So many messages were left out here.
        case loss(RecordingLossCount)
    }

    /// What did not fit.
    struct RecordingLossCount: Sendable {
        var rows: UInt64 = 0
        var bytes: UInt64 = 0
        var last: MonotonicTime
    }

    /// What lies before each message, and in the place of each thing.
    private struct Head: BitwiseCopyable {
        var size: UInt32
        /// The line; -1 for the reference price, -2 for a thing.
        var channel: Int32
        /// The connection, or where the thing is.
        var number: Int
        var monotonic: Int64
        var unixNanoseconds: Int64
    }

    /// One of the two regions. Whoever has it has it alone: the inbox under its lock, or the writer.
    final class Region: @unchecked Sendable {
        fileprivate let start: UnsafeMutableRawPointer
        fileprivate let capacity: Int
        fileprivate var count = 0
        fileprivate var things: [Thing] = []
        /// The bodies of answers among them, in bytes.
        fileprivate var thingBytes = 0
        /// Whether a message was left out since the last thing.
        fileprivate var isLosing = false

        fileprivate init(capacity: Int) {
            self.capacity = capacity
            self.start = .allocate(byteCount: capacity, alignment: 8)
        }

        deinit { self.start.deallocate() }

        /// How many bytes wait in it.
        var waiting: Int { self.count + self.thingBytes }

        fileprivate func clear() {
            self.count = 0
            self.things.removeAll(keepingCapacity: true)
            self.thingBytes = 0
            self.isLosing = false
        }

        /// Goes through everything, in the order it was told.
        func each(
            message: (UnsafeRawBufferPointer, FeedChannel, Int, ReceiveTime) -> Void,
            thing: (Thing, ReceiveTime) -> Void
        ) {
            var place = 0
            while place < self.count {
                let head = (self.start + place).load(as: Head.self)
                let time = ReceiveTime(
                    monotonic: MonotonicTime(nanoseconds: head.monotonic), unixNanoseconds: head.unixNanoseconds)
                place += MemoryLayout<Head>.stride
                if head.channel == -2 {
                    thing(self.things[head.number], time)
                } else {
                    let text = UnsafeRawBufferPointer(start: self.start + place, count: Int(head.size))
                    message(text, head.channel < 0 ? .reference : .line(Int(head.channel)), head.number, time)
                }
                place += (Int(head.size) + 7) & ~7
            }
        }
    }

    private struct State {
        var filling: Region
        var spare: Region?
        var isClosed = false
        var dropped: UInt64 = 0
        /// What was left out without even a word of it, because there was no room for one.
        var untold: (loss: RecordingLossCount, first: ReceiveTime)?
    }

    private let state: Mutex<State>
    /// Room that messages leave for things, which are never left out while it lasts.
    private static let reserve = 1 << 16
    /// How many bytes of answers may wait in each region.
    private let answerLimit: Int

    /// - Parameter capacity: how many bytes may wait; half of it in each region.
    init(capacity: Int) {
        let half = max(1 << 18, capacity / 2) & ~7
        self.answerLimit = half
        self.state = Mutex(
            State(filling: Region(capacity: half + Self.reserve), spare: Region(capacity: half + Self.reserve)))
    }

    /// How many messages and answers were left out because the writer did not keep up.
    var dropped: UInt64 { self.state.withLock { $0.dropped } }

    @inline(__always)
    func add(_ text: UnsafeRawBufferPointer, on channel: FeedChannel, connection: Int, at now: ReceiveTime) {
        let line: Int32 =
            switch channel {
            case .line(let line): Int32(truncatingIfNeeded: line)
            case .reference: -1
            }
        self.state.withLock { state in
            let region = state.filling
            let size = MemoryLayout<Head>.stride + (text.count + 7) & ~7
            guard !state.isClosed, region.count + size <= region.capacity - Self.reserve, !region.isLosing else {
                return Self.lose(&state, bytes: text.count, at: now)
            }
            let place = region.start + region.count
            place.storeBytes(
                of: Head(
                    size: UInt32(truncatingIfNeeded: text.count), channel: line, number: connection,
                    monotonic: now.monotonic.nanoseconds, unixNanoseconds: now.unixNanoseconds), as: Head.self)
            if let start = text.baseAddress {
                (place + MemoryLayout<Head>.stride).copyMemory(from: start, byteCount: text.count)
            }
            region.count += size
        }
    }

    func add(_ thing: Thing, at now: ReceiveTime) {
        self.state.withLock { state in
            guard !state.isClosed else { return }
            var bytes = 0
            if case .answer(let exchange) = thing {
                bytes = exchange.body.count
                guard state.filling.thingBytes + bytes <= self.answerLimit else {
                    return Self.lose(&state, bytes: bytes, at: now, holdsBack: false)
                }
            }
            if Self.put(thing, bytes: bytes, into: state.filling, at: now) { state.filling.isLosing = false }
        }
    }

    private static func put(_ thing: Thing, bytes: Int, into region: Region, at now: ReceiveTime) -> Bool {
        let size = MemoryLayout<Head>.stride
        guard region.count + size <= region.capacity else { return false }
        (region.start + region.count).storeBytes(
            of: Head(
                size: 0, channel: -2, number: region.things.count, monotonic: now.monotonic.nanoseconds,
                unixNanoseconds: now.unixNanoseconds), as: Head.self)
        region.things.append(thing)
        region.thingBytes += bytes
        region.count += size
        return true
    }

    @inline(never)
    private static func lose(_ state: inout State, bytes: Int, at now: ReceiveTime, holdsBack: Bool = true) {
        guard !state.isClosed else { return }
        state.dropped += 1
        let region = state.filling
        if region.isLosing, case .loss(var loss)? = region.things.last {
            loss.rows += 1
            loss.bytes += UInt64(bytes)
            loss.last = now.monotonic
            region.things[region.things.count - 1] = .loss(loss)
        } else {
            let loss = RecordingLossCount(rows: 1, bytes: UInt64(bytes), last: now.monotonic)
            let isTold = Self.put(.loss(loss), bytes: 0, into: region, at: now)
            // For messages there may be room where there is none for an answer.
            region.isLosing = region.isLosing || isTold && holdsBack
            guard !isTold else { return }
            var untold = state.untold ?? (RecordingLossCount(last: now.monotonic), now)
            untold.loss.rows += 1
            untold.loss.bytes += UInt64(bytes)
            untold.loss.last = now.monotonic
            state.untold = untold
        }
    }

    /// Takes everything that waits; `giveBack` must follow. Nil when nothing waits.
    func take() -> Region? {
        self.state.withLock { state in
            guard state.filling.count > 0, let spare = state.spare else { return nil }
            let full = state.filling
            state.filling = spare
            state.spare = nil
            if let untold = state.untold, Self.put(.loss(untold.loss), bytes: 0, into: spare, at: untold.first) {
                state.untold = nil
            }
            return full
        }
    }

    /// Gives a region back that was gone through.
    func giveBack(_ region: Region) {
        region.clear()
        self.state.withLock { $0.spare = region }
    }

    /// Takes in nothing any more.
    func close() { self.state.withLock { $0.isClosed = true } }
}
