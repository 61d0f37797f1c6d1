/// The checksum of zlib, PNG and Ethernet (polynomial 0xEDB88320).
struct CRC32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }

    private var state: UInt32 = .max

    /// Takes bytes in.
    mutating func update(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            self.state = CRC32.table[Int(UInt8(truncatingIfNeeded: self.state) ^ byte)] ^ (self.state >> 8)
        }
    }

    /// The checksum of everything taken in.
    var value: UInt32 { ~self.state }

    /// The checksum of bytes.
    static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var sum = CRC32()
        sum.update(bytes)
        return sum.value
    }
}
