/// From a token id's bytes, as they stand in a frame, to a small number: open addressing, no copy, no allocation.
///
/// Token ids are 256-bit values spelled in decimal, so their last bytes are as good as random.
struct AssetTable: ~Copyable {
    private struct Entry {
        var key: UnsafeMutablePointer<UInt8>?
        var count: Int32
        var value: Int32
    }

    private var entries: UnsafeMutablePointer<Entry>
    private var mask: Int
    private(set) var count = 0

    init() {
        self.mask = 63
        self.entries = .allocate(capacity: 64)
        self.entries.initialize(repeating: Entry(key: nil, count: 0, value: -1), count: 64)
    }

    deinit {
        for index in 0...self.mask { self.entries[index].key?.deallocate() }
        self.entries.deallocate()
    }

    @inline(__always)
    private static func hash(_ bytes: UnsafeRawPointer, count: Int) -> Int {
        var hash: UInt64
        if count >= 16 {
            hash = bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            hash ^= bytes.loadUnaligned(fromByteOffset: count &- 16, as: UInt64.self) &* 0x9E37_79B9_7F4A_7C15
        } else {
            hash = UInt64(count)
            for index in 0..<count { hash = hash &* 31 &+ UInt64(bytes.load(fromByteOffset: index, as: UInt8.self)) }
        }
        hash = hash &* 0xD6E8_FEB8_6659_FD93
        return Int(truncatingIfNeeded: hash >> 33)
    }

    /// The number of a token; -1 when it is not in the table.
    @inline(__always)
    func find(_ text: WireText) -> Int { self.find(UnsafeRawPointer(text.start), count: text.count) }

    func find(_ asset: AssetID) -> Int {
        var text = asset.rawValue
        return text.withUTF8 { bytes in
            bytes.count == 0 ? -1 : self.find(UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped), count: bytes.count)
        }
    }

    @inline(__always)
    private func find(_ bytes: UnsafeRawPointer, count: Int) -> Int {
        var index = Self.hash(bytes, count: count) & self.mask
        while let key = self.entries[index].key {
            if Int(self.entries[index].count) == count, UnsafeRawPointer(key).isEqual(to: bytes, count: count) {
                return Int(self.entries[index].value)
            }
            index = (index &+ 1) & self.mask
        }
        return -1
    }

    /// Puts a token in that is not there yet.
    mutating func insert(_ asset: AssetID, value: Int) {
        if (self.count + 1) * 2 > self.mask { self.rebuild(capacity: (self.mask + 1) * 2, without: -1) }
        var text = asset.rawValue
        text.withUTF8 { bytes in
            let key = UnsafeMutablePointer<UInt8>.allocate(capacity: Swift.max(1, bytes.count))
            if let start = bytes.baseAddress { key.initialize(from: start, count: bytes.count) }
            self.place(Entry(key: key, count: Int32(bytes.count), value: Int32(value)))
        }
    }

    /// Takes a token out by its number.
    mutating func remove(value: Int) { self.rebuild(capacity: self.mask + 1, without: Int32(value)) }

    private mutating func place(_ entry: Entry) {
        guard let key = entry.key else { return }
        var index = Self.hash(UnsafeRawPointer(key), count: Int(entry.count)) & self.mask
        while self.entries[index].key != nil { index = (index + 1) & self.mask }
        self.entries[index] = entry
        self.count += 1
    }

    private mutating func rebuild(capacity: Int, without value: Int32) {
        let old = self.entries
        let oldMask = self.mask
        self.entries = .allocate(capacity: capacity)
        self.entries.initialize(repeating: Entry(key: nil, count: 0, value: -1), count: capacity)
        self.mask = capacity - 1
        self.count = 0
        for index in 0...oldMask {
            guard let key = old[index].key else { continue }
            if old[index].value == value { key.deallocate() } else { self.place(old[index]) }
        }
        old.deallocate()
    }
}
