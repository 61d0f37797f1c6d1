/// The head of a block: a gzip member's, with a field of ours that tells its size, so that a reader finds the next whole
/// block behind a broken one.
///
/// 24 bytes: the gzip head (RFC 1952) with an extra field `OS` of 8 bytes: the whole block's size and its number of rows,
/// both little-endian in 4 bytes.
enum BlockHeader {
    static let size = 24

    /// What every block begins with; the rest is its size and its rows.
    static let mark: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x04, 0, 0, 0, 0, 0, 0xFF, 12, 0, UInt8(ascii: "O"), UInt8(ascii: "S"), 8, 0,
    ]

    /// A block's head.
    static func bytes(size: Int, rows: Int) -> [UInt8] {
        Self.mark + Self.littleEndian(UInt32(clamping: size)) + Self.littleEndian(UInt32(clamping: rows))
    }

    static func littleEndian(_ value: UInt32) -> [UInt8] {
        [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// Where the first block begins.
    static func find(in bytes: [UInt8]) -> Int? {
        guard bytes.count >= Self.mark.count else { return nil }
        var index = 0
        while index <= bytes.count - Self.mark.count {
            guard let next = bytes[index...].firstIndex(of: 0x1F), next <= bytes.count - Self.mark.count else {
                return nil
            }
            if bytes[next..<next + Self.mark.count].elementsEqual(Self.mark) { return next }
            index = next + 1
        }
        return nil
    }
}
