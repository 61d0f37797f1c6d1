/// Reads rows one after the other: those of our recordings, of the tapes that others made (`{"t": <ms>, "m": "<frame>"}`)
/// and bare frames, one a line.
///
/// **Units of `t`.** Behind a row that begins a recording of ours, nanoseconds. Elsewhere by magnitude: below 10^14
/// milliseconds, below 10^17 microseconds, else nanoseconds; the same moment of our century can be meant by one only.
public struct RecordingRowDecoder: ~Copyable {
    /// Whether a row was read that begins a recording of ours.
    public private(set) var isRecording = false
    /// The time of the last row, in nanoseconds since 1970; 0 before the first that has one.
    public private(set) var lastTime: Int64 = 0
    /// How much the rows' clock is ahead of the monotonic one.
    private var shift: Int64 = 0
    /// How much the wall clock is ahead of the rows' clock.
    private var wallOffset: Int64 = 0
    private var scratch: ByteStore

    /// A decoder that has read nothing.
    public init() { self.scratch = ByteStore(capacity: 1 << 12) }

    /// The parts of a row as they are come upon.
    private struct Parts {
        var time: Int64 = 0
        var channel = RecordedChannel.line(0)
        var connection: Int64 = 0
        var message: UnsafeRawBufferPointer?
        var event: WireText?
        var isRepeated = false
    }

    /// Reads a row; nil when it is none.
    ///
    /// - Parameter line: the row without its line feed. The row that comes back points into it, and into the decoder's
    ///   own memory until the next call.
    public mutating func decode(_ line: UnsafeRawBufferPointer) -> RecordedRow? {
        // Files that were made elsewhere may end their lines with a carriage return too.
        let line = line.last == 0x0D ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
        guard line.count >= 2, let start = line.baseAddress else { return nil }
        let begin = start.assumingMemoryBound(to: UInt8.self)
        if begin[0] == UInt8(ascii: "{"), let row = self.timed(line, begin) { return row }
        return self.bare(line)
    }

    @inline(__always)
    private mutating func timed(
        _ line: UnsafeRawBufferPointer, _ begin: UnsafePointer<UInt8>
    ) -> RecordedRow? {
        var cursor = JSONCursor(line)
        cursor.p = begin + 1
        guard let first = cursor.takeKey(), first.count == 1, first.bytes[0] == UInt8(ascii: "t"),
            let time = Self.takeInteger(&cursor)
        else { return nil }
        var parts = Parts()
        while cursor.take(UInt8(ascii: ",")) {
            guard let key = cursor.takeKey(), self.take(key, &cursor, &parts) else { return nil }
        }
        guard cursor.take(UInt8(ascii: "}")) else { return nil }
        cursor.skipSpace()
        guard cursor.atEnd, let kind = self.kind(parts) else { return nil }
        if kind == .note { self.heed(line) }
        guard let nanoseconds = self.nanoseconds(time) else { return nil }
        parts.time = nanoseconds
        self.lastTime = parts.time
        return self.row(kind, parts, line, isTimed: true)
    }

    @inline(__always)
    private mutating func take(_ key: WireText, _ cursor: inout JSONCursor, _ parts: inout Parts) -> Bool {
        guard key.count == 1 else {
            if key.equals("again") { parts.isRepeated = true }
            return cursor.skipValue()
        }
        switch key.bytes[0] {
        case UInt8(ascii: "m"):
            guard cursor.take(UInt8(ascii: "\"")) else { return false }
            return self.takeMessage(&cursor, &parts)
        case UInt8(ascii: "c"): return Self.takeChannel(&cursor, &parts)
        case UInt8(ascii: "k"):
            guard let connection = Self.takeInteger(&cursor) else { return false }
            parts.connection = connection
            return true
        case UInt8(ascii: "e"):
            guard let event = cursor.takeString() else { return false }
            parts.event = event
            return true
        default: return cursor.skipValue()
        }
    }

    @inline(__always)
    private mutating func takeMessage(_ cursor: inout JSONCursor, _ parts: inout Parts) -> Bool {
        self.scratch.removeAll()
        self.scratch.reserve(cursor.end - cursor.p)
        guard let count = JSONStringCodec.unescape(&cursor.p, end: cursor.end, into: self.scratch.start) else {
            return false
        }
        parts.message = UnsafeRawBufferPointer(start: self.scratch.start, count: count)
        return true
    }

    @inline(__always)
    private static func takeChannel(_ cursor: inout JSONCursor, _ parts: inout Parts) -> Bool {
        guard cursor.peek() == UInt8(ascii: "\"") else {
            guard let line = Self.takeInteger(&cursor), let line = Int(exactly: line), line >= 0 else { return false }
            parts.channel = .line(line)
            return true
        }
        guard let name = cursor.takeString() else { return false }
        if name.equals("rtds") {
            parts.channel = .reference
        } else if name.equals("rest") {
            parts.channel = .rest
        } else if name.equals("feed") {
            parts.channel = .feed
        } else {
            return false
        }
        return true
    }

    /// A whole number of up to 18 digits, or 19 that fit.
    @inline(__always)
    private static func takeInteger(_ cursor: inout JSONCursor) -> Int64? {
        cursor.skipSpace()
        let isNegative = !cursor.atEnd && cursor.p.pointee == UInt8(ascii: "-")
        if isNegative { cursor.p += 1 }
        let start = cursor.p
        var value: UInt64 = 0
        while cursor.p < cursor.end {
            let digit = cursor.p.pointee &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value &* 10 &+ UInt64(digit)
            cursor.p += 1
        }
        let digits = cursor.p - start
        guard digits > 0, digits <= 19, value <= UInt64(Int64.max) else { return nil }
        return isNegative ? -Int64(value) : Int64(value)
    }

    private func nanoseconds(_ time: Int64) -> Int64? {
        if self.isRecording { return time }
        let factor: Int64 =
            time.magnitude < 100_000_000_000_000
            ? 1_000_000 : time.magnitude < 100_000_000_000_000_000 ? 1_000 : 1
        let (product, overflow) = time.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    private func kind(_ parts: Parts) -> RecordedRow.Kind? {
        switch parts.channel {
        case .line, .reference: return parts.event != nil ? .connection : parts.message != nil ? .message : nil
        case .rest: return .answer
        case .feed:
            guard let event = parts.event else { return nil }
            let isNote = event.equals("start") || event.equals("clock") || event.equals("lost") || event.equals("end")
            return isNote ? .note : .command
        }
    }

    /// Notes about clocks hold for the rows behind them, and for their own.
    @inline(never)
    private mutating func heed(_ line: UnsafeRawBufferPointer) {
        switch RecordedValue(line).flatMap(RecordingNote.init) {
        case .start(let start):
            self.isRecording = true
            self.shift = start.anchor.unixNanoseconds &- start.anchor.monotonic.nanoseconds
            self.wallOffset = 0
        case .clock(let clock): self.wallOffset = clock.wallOffset
        case .lost, .end, nil: break
        }
    }

    /// A frame by itself.
    private func bare(_ line: UnsafeRawBufferPointer) -> RecordedRow? {
        guard !self.isRecording, let first = line.first, let last = line.last,
            first == UInt8(ascii: "{") && last == UInt8(ascii: "}")
                || first == UInt8(ascii: "[") && last == UInt8(ascii: "]")
        else { return nil }
        // A row that cannot be read is not taken for a frame.
        if UnsafeRawBufferPointer(rebasing: line.prefix(5)).elementsEqual(#"{"t":"#.utf8) { return nil }
        var parts = Parts()
        parts.time = self.lastTime
        parts.message = line
        return self.row(.message, parts, line, isTimed: false)
    }

    @inline(__always)
    private func row(
        _ kind: RecordedRow.Kind, _ parts: Parts, _ line: UnsafeRawBufferPointer, isTimed: Bool
    ) -> RecordedRow {
        RecordedRow(
            kind: kind, channel: parts.channel, time: parts.time, isTimed: isTimed,
            connection: Int(truncatingIfNeeded: parts.connection), isRepeated: parts.isRepeated,
            message: parts.message ?? UnsafeRawBufferPointer(start: nil, count: 0),
            received: ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: parts.time &- self.shift),
                unixNanoseconds: parts.time &+ self.wallOffset),
            line: line, shift: self.shift)
    }
}

extension RecordedRow {
    /// The socket it came on; nil for rows that are no socket's.
    public var feedChannel: FeedChannel? {
        switch self.channel {
        case .line(let line): .line(line)
        case .reference: .reference
        case .rest, .feed: nil
        }
    }
}
