/// The masking of RFC 6455 section 5.3: byte `i` of a payload is combined with byte `i` modulo 4 of the key.
enum FrameMask {
    /// Masks or unmasks in place. The key's first byte is its lowest; `offset` is how much of the payload came before.
    static func apply(_ key: UInt32, to bytes: UnsafeMutableRawBufferPointer, offset: Int) {
        guard key != 0, let base = bytes.baseAddress else { return }
        let shift = UInt32(truncatingIfNeeded: offset & 3) * 8
        let turned = shift == 0 ? key : key >> shift | key << (32 - shift)
        let wide = UInt64(turned) << 32 | UInt64(turned)
        var index = 0
        while bytes.count - index >= 8 {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            base.storeBytes(of: (word ^ wide).littleEndian, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < bytes.count {
            let keyByte = UInt8(truncatingIfNeeded: turned >> (UInt32(truncatingIfNeeded: index & 3) * 8))
            base.storeBytes(
                of: base.load(fromByteOffset: index, as: UInt8.self) ^ keyByte, toByteOffset: index, as: UInt8.self)
            index += 1
        }
    }
}
