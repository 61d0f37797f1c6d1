/// The head of one frame: two to fourteen bytes.
struct FrameHeader {
    enum Opcode {
        static let continuation: UInt8 = 0x0
        static let text: UInt8 = 0x1
        static let binary: UInt8 = 0x2
        static let close: UInt8 = 0x8
        static let ping: UInt8 = 0x9
        static let pong: UInt8 = 0xA
    }

    enum Outcome {
        case complete(FrameHeader)
        /// More bytes are needed; those here are right so far.
        case incomplete
        case fault(WebSocketFault)
    }

    static let longestSize = 14

    var opcode: UInt8
    var isFinal: Bool
    /// The payload's length in bytes, within the limits.
    var length: Int
    /// Zero when the payload is not masked: combining with zero changes nothing.
    var mask: UInt32
    /// How many bytes this header takes.
    var size: Int

    var isControl: Bool { self.opcode & 0x8 != 0 }

    /// Reads a header. Every rule is checked as soon as its bytes are there, so a cut header fails like a whole one.
    /// - Parameters:
    ///   - available: at least 1.
    ///   - masked: whether this peer has to mask.
    ///   - inMessage: whether a fragmented message has begun.
    ///   - room: how many bytes the message may still take.
    @inline(__always)
    static func parse(
        _ base: UnsafeRawPointer, available: Int, masked: Bool, inMessage: Bool, room: Int
    ) -> Outcome {
        guard available >= 2 else { return .incomplete }
        let first = base.load(as: UInt8.self)
        let second = base.load(fromByteOffset: 1, as: UInt8.self)
        if let fault = Self.fault(first, second, masked: masked, inMessage: inMessage) { return .fault(fault) }

        var length = Int(second & 0x7F)
        var size = 2
        if length == 126 {
            guard available >= 4 else { return .incomplete }
            length = Int(UInt16(bigEndian: base.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            guard length >= 126 else { return .fault(.wastefulLength) }
            size = 4
        } else if length == 127 {
            guard available >= 10 else { return .incomplete }
            let wide = UInt64(bigEndian: base.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            guard wide >> 63 == 0 else { return .fault(.impossibleLength) }
            guard wide > 0xFFFF else { return .fault(.wastefulLength) }
            length = Int(wide)
            size = 10
        }
        if first & 0x8 == 0, length > room { return .fault(.messageTooLarge) }

        var mask: UInt32 = 0
        if masked {
            guard available >= size + 4 else { return .incomplete }
            mask = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: size, as: UInt32.self))
            size += 4
        }
        return .complete(
            FrameHeader(opcode: first & 0x0F, isFinal: first & 0x80 != 0, length: length, mask: mask, size: size))
    }

    /// What the first two bytes say by themselves.
    @inline(__always)
    private static func fault(_ first: UInt8, _ second: UInt8, masked: Bool, inMessage: Bool) -> WebSocketFault? {
        if first & 0x70 != 0 { return .reservedBits }
        let opcode = first & 0x0F
        if opcode & 0x8 != 0 {
            if opcode > Opcode.pong { return .unknownOpcode }
            if first & 0x80 == 0 { return .fragmentedControlFrame }
            if second & 0x7F > 125 { return .longControlFrame }
        } else {
            if opcode > Opcode.binary { return .unknownOpcode }
            if (opcode == Opcode.continuation) != inMessage {
                return inMessage ? .interruptedMessage : .continuationOfNothing
            }
        }
        if (second & 0x80 != 0) != masked { return masked ? .unmaskedByClient : .maskedByServer }
        return nil
    }

    /// Appends a frame: `firstByte` is the final bit, the reserved bits and the opcode; no mask when `mask` is nil.
    static func append(
        firstByte: UInt8, mask: UInt32?, payload: UnsafeRawBufferPointer, to output: inout [UInt8]
    ) {
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        output.append(firstByte)
        switch payload.count {
        case ...125:
            output.append(maskBit | UInt8(payload.count))
        case ...0xFFFF:
            output.append(maskBit | 126)
            withUnsafeBytes(of: UInt16(payload.count).bigEndian) { output.append(contentsOf: $0) }
        default:
            output.append(maskBit | 127)
            withUnsafeBytes(of: UInt64(payload.count).bigEndian) { output.append(contentsOf: $0) }
        }
        guard let mask else {
            output.append(contentsOf: payload)
            return
        }
        withUnsafeBytes(of: mask.littleEndian) { output.append(contentsOf: $0) }
        let begin = output.count
        output.append(contentsOf: payload)
        output.withUnsafeMutableBytes { bytes in
            FrameMask.apply(mask, to: UnsafeMutableRawBufferPointer(rebasing: bytes[begin...]), offset: 0)
        }
    }
}
