/// What a peer can do wrong, each with the close code that answers it and a sentence for the log.
enum WebSocketFault: Equatable {
    case reservedBits
    case unknownOpcode
    case fragmentedControlFrame
    case longControlFrame
    case maskedByServer
    case unmaskedByClient
    case wastefulLength
    case impossibleLength
    case continuationOfNothing
    case interruptedMessage
    case messageTooLarge
    case invalidText
    case shortClose
    case invalidCloseCode
    case invalidCloseReason

    /// The close code of RFC 6455 section 7.4.1.
    var code: UInt16 {
        switch self {
        case .invalidText, .invalidCloseReason: WebSocketCloseStatus.invalidPayload
        case .messageTooLarge: WebSocketCloseStatus.messageTooBig
        case .reservedBits, .unknownOpcode, .fragmentedControlFrame, .longControlFrame, .maskedByServer,
            .unmaskedByClient, .wastefulLength, .impossibleLength, .continuationOfNothing, .interruptedMessage,
            .shortClose, .invalidCloseCode:
            WebSocketCloseStatus.protocolError
        }
    }

    /// Fits into a close frame: at most 123 bytes.
    var sentence: String {
        switch self {
        case .reservedBits: "a frame has reserved bits set although no extension was agreed"
        case .unknownOpcode: "a frame has a reserved opcode"
        case .fragmentedControlFrame: "a control frame is fragmented"
        case .longControlFrame: "a control frame is longer than 125 bytes"
        case .maskedByServer: "the server masked a frame"
        case .unmaskedByClient: "the client did not mask a frame"
        case .wastefulLength: "a frame's length is not in its shortest form"
        case .impossibleLength: "a frame's length has its top bit set"
        case .continuationOfNothing: "a continuation frame continues no message"
        case .interruptedMessage: "a new message begins before the fragmented one ended"
        case .messageTooLarge: "a message is larger than the limit"
        case .invalidText: "a text message is not valid UTF-8"
        case .shortClose: "a close frame has one byte of payload"
        case .invalidCloseCode: "a close frame has a code that must not be sent"
        case .invalidCloseReason: "a close frame's reason is not valid UTF-8"
        }
    }
}
