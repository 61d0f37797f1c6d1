import CZlib

/// Unpacks gzip members one after the other.
final class Inflater {
    /// What became of a step.
    enum Outcome {
        /// More input or more room is needed.
        case more
        /// A member ended, and its checksum is right.
        case blockEnd
        /// What is there is no gzip, or was changed.
        case damaged(String)
    }

    // Behind a pointer of its own: zlib remembers where it lies.
    private let stream: UnsafeMutablePointer<z_stream>
    private let isReady: Bool
    /// Whether a member was begun and has not ended.
    private(set) var isInside = false
    /// Where the member begins in the file.
    private(set) var blockOffset: UInt64 = 0
    /// Whether the member is given out before its end is seen.
    var isStreaming = false

    init() {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        // 15 bits of window, and the head of gzip (zlib.h, inflateInit2).
        self.isReady =
            inflateInit2_(self.stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// A member begins.
    func begin(at offset: UInt64) {
        self.reset()
        self.blockOffset = offset
        self.isInside = true
    }

    /// Forgets the member.
    func reset() {
        inflateReset(self.stream)
        self.isInside = false
        self.isStreaming = false
    }

    func inflate(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> (outcome: Outcome, consumed: Int, produced: Int) {
        guard self.isReady else { return (.damaged("zlib has no memory"), 0, 0) }
        let count = UInt32(clamping: input.count)
        let room = UInt32(clamping: output.count)
        // zlib promises not to change what it reads; its type does not say so.
        self.stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        self.stream.pointee.avail_in = count
        self.stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.stream.pointee.avail_out = room
        let result = CZlib.inflate(self.stream, Z_NO_FLUSH)
        let consumed = Int(count - self.stream.pointee.avail_in)
        let produced = Int(room - self.stream.pointee.avail_out)
        switch result {
        case Z_OK, Z_BUF_ERROR: return (.more, consumed, produced)
        case Z_STREAM_END:
            self.isInside = false
            self.isStreaming = false
            return (.blockEnd, consumed, produced)
        default:
            let reason = self.stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(result)"
            return (.damaged(reason), consumed, produced)
        }
    }
}
