/// One end of a WebSocket connection after its handshake (RFC 6455), without a socket.
///
/// Bytes from the socket go into `receive`; whole messages come out of it in order, and answers to control frames
/// gather in the output, which `takeOutput` hands over. A message that lies whole in the bytes received is given to
/// the handler where it lies; only one that is cut or fragmented is copied, into a buffer that is used again.
///
/// Once the peer has closed or broken the protocol the state is `closed`, but the close frame that answers it is added
/// only when the output is taken: what is sent in reply to the messages before it still goes out in front.
public struct WebSocketConnection: ~Copyable, Sendable {
    /// What we are. A client masks what it sends and refuses masked frames; a server does the reverse.
    public enum Role: Sendable {
        /// We opened the connection.
        case client
        /// We accepted it.
        case server
    }

    /// Where the connection stands.
    public enum State: Sendable, Equatable {
        /// Messages flow both ways.
        case open
        /// Our close frame is in the output; messages are still read until the peer's close frame comes.
        case closing
        /// Over: close the socket once the output is written. Further bytes are ignored.
        case closed
    }

    /// A frame whose payload has begun and is not all here.
    private struct OpenFrame {
        var header: FrameHeader
        var received = 0
    }

    /// Buffers that grew beyond this are given back after use.
    private static let keptCapacity = 1024 * 1024

    /// What we are.
    public let role: Role
    /// The largest message accepted, in bytes, over all its fragments.
    public let maximumMessageSize: Int
    /// Where the connection stands.
    public private(set) var state = State.open
    /// How it ended; nil while it is open.
    public private(set) var closeStatus: WebSocketCloseStatus?

    private var maskingKeys: SplitMix64
    private var output: [UInt8] = []
    /// The answer to the peer's close frame or fault, which goes behind everything else.
    private var lastFrame: [UInt8]?
    private var sentClose = false

    /// The beginning of a header that the end of a read cut off.
    private var partialHeader: [UInt8] = []
    private var openFrame: OpenFrame?
    /// The kind of the message in `message`; nil when there is none.
    private var messageOpcode: UInt8?
    private var message: [UInt8] = []
    private var text = UTF8Validator()
    private var control: [UInt8] = []

    /// A connection whose handshake has just been completed.
    /// - Parameters:
    ///   - role: what we are.
    ///   - maximumMessageSize: the largest message accepted, in bytes; a larger one closes the connection with 1009
    ///     before it is stored.
    ///   - maskingSeed: where a client's masking keys come from. Take it from the system's randomness outside of tests.
    public init(role: Role, maximumMessageSize: Int = 8 * 1024 * 1024, maskingSeed: UInt64) {
        precondition(maximumMessageSize >= 0, "the largest message size cannot be negative")
        self.role = role
        self.maximumMessageSize = maximumMessageSize
        self.maskingKeys = SplitMix64(seed: maskingSeed)
    }

    // MARK: Reading

    /// Reads bytes that came from the socket, all of them: whole messages go to `handler` in order, control frames are
    /// answered into the output. The bytes may be changed in place. After the end they are ignored.
    public mutating func receive<Handler: WebSocketMessageHandler>(
        _ bytes: UnsafeMutableRawBufferPointer, into handler: inout Handler
    ) {
        guard let base = bytes.baseAddress else { return }
        let end = bytes.count
        let masked = self.role == .server
        var position = 0
        while position < end, self.state != .closed {
            if self.openFrame != nil || !self.partialHeader.isEmpty {
                let rest = UnsafeMutableRawBufferPointer(start: base + position, count: end - position)
                position += self.resume(with: rest, into: &handler)
                continue
            }
            let outcome = FrameHeader.parse(
                base + position, available: end - position, masked: masked, inMessage: self.messageOpcode != nil,
                room: self.maximumMessageSize - self.message.count)
            switch outcome {
            case .complete(let header):
                position += header.size
                guard header.length <= end - position else {
                    self.openFrame = OpenFrame(header: header)
                    continue
                }
                let payload = UnsafeMutableRawBufferPointer(start: base + position, count: header.length)
                position += header.length
                self.take(header, payload, into: &handler)
            case .incomplete:
                let cut = UnsafeRawBufferPointer(start: base + position, count: end - position)
                self.partialHeader.append(contentsOf: cut)
                return
            case .fault(let fault):
                self.fail(fault)
            }
        }
    }

    /// A whole frame, where it lies.
    @inline(__always)
    private mutating func take<Handler: WebSocketMessageHandler>(
        _ header: FrameHeader, _ payload: UnsafeMutableRawBufferPointer, into handler: inout Handler
    ) {
        FrameMask.apply(header.mask, to: payload, offset: 0)
        let bytes = UnsafeRawBufferPointer(payload)
        if header.opcode == FrameHeader.Opcode.text, header.isFinal {
            guard UTF8Validator.isValid(bytes) else { return self.fail(.invalidText) }
            handler.receivedText(bytes)
        } else if header.opcode == FrameHeader.Opcode.binary, header.isFinal {
            handler.receivedBinary(bytes)
        } else if header.isControl {
            self.takeControl(header.opcode, bytes, into: &handler)
        } else {
            guard self.store(bytes, of: header) else { return }
            self.endFrame(header, into: &handler)
        }
    }

    /// Goes on with what the end of the last read cut off; says how many bytes that took.
    @inline(never)
    private mutating func resume<Handler: WebSocketMessageHandler>(
        with bytes: UnsafeMutableRawBufferPointer, into handler: inout Handler
    ) -> Int {
        guard var frame = self.openFrame else { return self.resumeHeader(with: bytes, into: &handler) }
        let count = min(frame.header.length - frame.received, bytes.count)
        let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
        FrameMask.apply(frame.header.mask, to: part, offset: frame.received)
        frame.received += count
        if frame.header.isControl {
            self.control.append(contentsOf: UnsafeRawBufferPointer(part))
        } else {
            guard self.store(UnsafeRawBufferPointer(part), of: frame.header) else { return count }
        }
        guard frame.received == frame.header.length else {
            self.openFrame = frame
            return count
        }
        self.openFrame = nil
        self.endFrame(frame.header, into: &handler)
        return count
    }

    /// Adds bytes to the cut header one by one until it is whole: it never takes a byte of the payload.
    private mutating func resumeHeader<Handler: WebSocketMessageHandler>(
        with bytes: UnsafeMutableRawBufferPointer, into handler: inout Handler
    ) -> Int {
        for (index, byte) in bytes.enumerated() {
            self.partialHeader.append(byte)
            let outcome = self.partialHeader.withUnsafeBytes { head -> FrameHeader.Outcome in
                guard let base = head.baseAddress else { return .incomplete }
                return FrameHeader.parse(
                    base, available: head.count, masked: self.role == .server, inMessage: self.messageOpcode != nil,
                    room: self.maximumMessageSize - self.message.count)
            }
            switch outcome {
            case .incomplete:
                continue
            case .fault(let fault):
                self.fail(fault)
            case .complete(let header):
                self.partialHeader.removeAll(keepingCapacity: true)
                if header.length > 0 {
                    self.openFrame = OpenFrame(header: header)
                } else {
                    let nothing = UnsafeMutableRawBufferPointer(rebasing: bytes[..<0])
                    self.take(header, nothing, into: &handler)
                }
            }
            return index + 1
        }
        return bytes.count
    }

    /// Adds a piece of a cut or fragmented message; false when that ended the connection.
    private mutating func store(_ bytes: UnsafeRawBufferPointer, of header: FrameHeader) -> Bool {
        let opcode = self.messageOpcode ?? header.opcode
        if self.messageOpcode == nil {
            self.messageOpcode = opcode
            self.text = UTF8Validator()
        }
        guard opcode != FrameHeader.Opcode.text || self.text.consume(bytes) else {
            self.fail(.invalidText)
            return false
        }
        self.message.append(contentsOf: bytes)
        return true
    }

    /// The last byte of a frame that was not taken where it lay.
    private mutating func endFrame<Handler: WebSocketMessageHandler>(
        _ header: FrameHeader, into handler: inout Handler
    ) {
        if header.isControl {
            let payload = self.control
            payload.withUnsafeBytes { self.takeControl(header.opcode, $0, into: &handler) }
            self.control.removeAll(keepingCapacity: true)
            return
        }
        guard header.isFinal else { return }
        if self.messageOpcode == FrameHeader.Opcode.text {
            guard self.text.isComplete else { return self.fail(.invalidText) }
            self.message.withUnsafeBytes { handler.receivedText($0) }
        } else {
            self.message.withUnsafeBytes { handler.receivedBinary($0) }
        }
        self.messageOpcode = nil
        self.message.removeAll(keepingCapacity: self.message.capacity <= Self.keptCapacity)
    }

    @inline(never)
    private mutating func takeControl<Handler: WebSocketMessageHandler>(
        _ opcode: UInt8, _ payload: UnsafeRawBufferPointer, into handler: inout Handler
    ) {
        switch opcode {
        case FrameHeader.Opcode.ping: self.send(FrameHeader.Opcode.pong, payload)
        case FrameHeader.Opcode.pong: handler.receivedPong(payload)
        default: self.takeClose(payload)
        }
    }

    private mutating func takeClose(_ payload: UnsafeRawBufferPointer) {
        guard payload.count != 1 else { return self.fail(.shortClose) }
        var code: UInt16?
        if payload.count >= 2 {
            let received = UInt16(payload[0]) << 8 | UInt16(payload[1])
            guard WebSocketCloseStatus.isSendable(received) else { return self.fail(.invalidCloseCode) }
            code = received
        }
        let reason = UnsafeRawBufferPointer(rebasing: payload.dropFirst(2))
        guard UTF8Validator.isValid(reason) else { return self.fail(.invalidCloseReason) }
        let status = WebSocketCloseStatus(code: code, reason: String(decoding: reason, as: UTF8.self), origin: .remote)
        self.end(status, answer: Self.closePayload(code: code, reason: ""))
    }

    @inline(never)
    private mutating func fail(_ fault: WebSocketFault) {
        let status = WebSocketCloseStatus(code: fault.code, reason: fault.sentence, origin: .failure)
        self.end(status, answer: Self.closePayload(code: fault.code, reason: fault.sentence))
    }

    private mutating func end(_ status: WebSocketCloseStatus, answer: [UInt8]) {
        self.state = .closed
        self.closeStatus = self.closeStatus ?? status
        if !self.sentClose { self.lastFrame = answer }
        self.message = []
        self.control = []
    }

    // MARK: Writing

    /// Sends a text message in one frame; `text` must be valid UTF-8.
    /// - Returns: false when nothing was sent because our close frame went before.
    @discardableResult
    public mutating func sendText(_ text: UnsafeRawBufferPointer) -> Bool { self.send(FrameHeader.Opcode.text, text) }

    /// Sends a text message in one frame; `text` must be valid UTF-8.
    /// - Returns: false when nothing was sent because our close frame went before.
    @discardableResult
    public mutating func sendText(_ text: [UInt8]) -> Bool {
        text.withUnsafeBytes { self.send(FrameHeader.Opcode.text, $0) }
    }

    /// Sends a text message in one frame.
    /// - Returns: false when nothing was sent because our close frame went before.
    @discardableResult
    public mutating func sendText(_ text: String) -> Bool { self.sendText(Array(text.utf8)) }

    /// Sends a binary message in one frame.
    /// - Returns: false when nothing was sent because our close frame went before.
    @discardableResult
    public mutating func sendBinary(_ payload: UnsafeRawBufferPointer) -> Bool {
        self.send(FrameHeader.Opcode.binary, payload)
    }

    /// Sends a binary message in one frame.
    /// - Returns: false when nothing was sent because our close frame went before.
    @discardableResult
    public mutating func sendBinary(_ payload: [UInt8]) -> Bool {
        payload.withUnsafeBytes { self.send(FrameHeader.Opcode.binary, $0) }
    }

    /// Sends a ping, which the peer answers with a pong of the same payload, at most 125 bytes.
    /// - Returns: false when nothing was sent because our close frame went before.
    @discardableResult
    public mutating func sendPing(_ payload: [UInt8] = []) -> Bool {
        precondition(payload.count <= 125, "a ping carries at most 125 bytes")
        return payload.withUnsafeBytes { self.send(FrameHeader.Opcode.ping, $0) }
    }

    /// Begins to close: our close frame goes into the output, and the connection waits for the peer's.
    /// Does nothing when it is closing already.
    /// - Parameters:
    ///   - code: nil for a close frame without a code; otherwise one for which `WebSocketCloseStatus.isSendable` is true.
    ///   - reason: for people; cut to 123 bytes at a character. Needs a code.
    public mutating func close(code: UInt16? = WebSocketCloseStatus.normal, reason: String = "") {
        precondition(code.map(WebSocketCloseStatus.isSendable) ?? reason.isEmpty, "this close code must not be sent")
        guard self.state == .open else { return }
        self.state = .closing
        self.closeStatus = WebSocketCloseStatus(code: code, reason: reason, origin: .local)
        self.appendClose(Self.closePayload(code: code, reason: reason))
    }

    /// Appends a frame as it is told, without any check: for those who want to see how the other end takes it.
    /// - Parameters:
    ///   - opcode: 0 to 15.
    ///   - isFinal: whether the message ends with it.
    ///   - reservedBits: 0 to 7; the first reserved bit is the highest.
    ///   - payload: as it should arrive.
    ///   - masked: nil for what our role demands.
    public mutating func appendRawFrame(
        opcode: UInt8, isFinal: Bool = true, reservedBits: UInt8 = 0, payload: [UInt8], masked: Bool? = nil
    ) {
        let firstByte = (isFinal ? 0x80 : 0) | (reservedBits & 0x7) << 4 | opcode & 0x0F
        let mask = masked ?? (self.role == .client) ? self.nextMask() : nil
        payload.withUnsafeBytes {
            FrameHeader.append(firstByte: firstByte, mask: mask, payload: $0, to: &self.output)
        }
    }

    /// Appends bytes that need not be frames at all; like `appendRawFrame`, without any check.
    public mutating func appendRawBytes(_ bytes: [UInt8]) { self.output.append(contentsOf: bytes) }

    /// Whether there is anything to write.
    public var hasOutput: Bool { !self.output.isEmpty || self.lastFrame != nil }

    /// Hands over the bytes to write to the socket, in order.
    public mutating func takeOutput() -> [UInt8] {
        if let frame = self.lastFrame {
            self.lastFrame = nil
            self.appendClose(frame)
        }
        var taken: [UInt8] = []
        swap(&taken, &self.output)
        return taken
    }

    @discardableResult
    private mutating func send(_ opcode: UInt8, _ payload: UnsafeRawBufferPointer) -> Bool {
        guard !self.sentClose else { return false }
        let mask = self.role == .client ? self.nextMask() : nil
        FrameHeader.append(firstByte: 0x80 | opcode, mask: mask, payload: payload, to: &self.output)
        return true
    }

    private mutating func appendClose(_ payload: [UInt8]) {
        payload.withUnsafeBytes { _ = self.send(FrameHeader.Opcode.close, $0) }
        self.sentClose = true
    }

    private mutating func nextMask() -> UInt32 { UInt32(truncatingIfNeeded: self.maskingKeys.next() >> 32) }

    private static func closePayload(code: UInt16?, reason: String) -> [UInt8] {
        guard let code else { return [] }
        var payload = [UInt8(code >> 8), UInt8(code & 0xFF)]
        for character in reason.unicodeScalars.map({ UTF8.encode($0) }) {
            guard let character, payload.count + character.count <= 125 else { break }
            payload.append(contentsOf: character)
        }
        return payload
    }
}
