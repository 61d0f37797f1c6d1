import CZlib

/// Compresses rows into a block: a whole gzip member by itself.
final class BlockPacker {
    // Behind a pointer of its own: zlib remembers where it lies.
    private let stream: UnsafeMutablePointer<z_stream>
    private var bytes: [UInt8] = []
    private var checksum: UInt = 0
    /// Rows in the block so far.
    private(set) var rows = 0
    /// Their size before compression, in bytes.
    private(set) var plainBytes = 0

    private static let step = 1 << 16

    /// - Parameter level: zlib's, from 1 (fast) to 9 (small).
    init(level: Int) throws(RecordingError) {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        // Without zlib's own head: ours tells the block's size (zlib.h, deflateInit2).
        let result = deflateInit2_(
            self.stream, Int32(clamping: level), Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            self.stream.deallocate()
            throw RecordingError("Nothing can be compressed: zlib says \(result). Is there memory left?")
        }
        self.clear()
    }

    deinit {
        deflateEnd(self.stream)
        self.stream.deallocate()
    }

    var isEmpty: Bool { self.rows == 0 }

    private func clear() {
        deflateReset(self.stream)
        self.bytes.removeAll(keepingCapacity: true)
        self.bytes.append(contentsOf: BlockHeader.bytes(size: 0, rows: 0))
        self.checksum = crc32(0, nil, 0)
        self.rows = 0
        self.plainBytes = 0
    }

    /// Adds whole rows.
    func add(_ text: UnsafeRawBufferPointer, rows: Int) {
        guard let start = text.baseAddress, text.count > 0 else { return }
        let typed = start.assumingMemoryBound(to: UInt8.self)
        self.checksum = crc32(self.checksum, typed, UInt32(clamping: text.count))
        self.rows += rows
        self.plainBytes += text.count
        // zlib promises not to change what it reads; its type does not say so.
        self.stream.pointee.next_in = UnsafeMutablePointer(mutating: typed)
        self.stream.pointee.avail_in = UInt32(clamping: text.count)
        self.run(Z_NO_FLUSH)
    }

    private func run(_ flush: Int32) {
        var isMore = true
        while isMore {
            let before = self.bytes.count
            self.bytes.append(contentsOf: repeatElement(0, count: Self.step))
            let produced = self.bytes.withUnsafeMutableBufferPointer { buffer in
                self.stream.pointee.next_out = buffer.baseAddress.map { $0 + before }
                self.stream.pointee.avail_out = UInt32(Self.step)
                // It cannot fail: the stream is in order and there is room (zlib.h, deflate).
                _ = deflate(self.stream, flush)
                return Self.step - Int(self.stream.pointee.avail_out)
            }
            self.bytes.removeLast(Self.step - produced)
            isMore = produced == Self.step
        }
    }

    /// Ends the block and gives it out; the next one begins.
    func finish() -> [UInt8] {
        self.run(Z_FINISH)
        self.bytes.append(contentsOf: BlockHeader.littleEndian(UInt32(truncatingIfNeeded: self.checksum)))
        self.bytes.append(contentsOf: BlockHeader.littleEndian(UInt32(truncatingIfNeeded: self.plainBytes)))
        let header = BlockHeader.bytes(size: self.bytes.count, rows: self.rows)
        self.bytes.replaceSubrange(0..<BlockHeader.size, with: header)
        let block = self.bytes
        self.clear()
        return block
    }

    /// Forgets the block.
    func discard() { self.clear() }
}
