/// Takes what a `WebSocketConnection` reads. The pointers are valid only during the call.
public protocol WebSocketMessageHandler {
    /// A whole text message, already known to be valid UTF-8.
    mutating func receivedText(_ payload: UnsafeRawBufferPointer)
    /// A whole binary message.
    mutating func receivedBinary(_ payload: UnsafeRawBufferPointer)
    /// The answer to a ping, or an unasked-for sign of life; at most 125 bytes.
    mutating func receivedPong(_ payload: UnsafeRawBufferPointer)
}
