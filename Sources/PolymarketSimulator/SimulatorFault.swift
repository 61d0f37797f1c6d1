/// Misbehaviour on cue: what happens to the venue's clients, told to a running simulator with `inject`.
public enum SimulatorFault: Sendable, Hashable {
    /// How a new connection to the market channel is turned away.
    public enum Refusal: Sendable, Hashable {
        /// The connection is reset.
        case reset
        /// The upgrade is answered with an HTTP status, such as 429 or 503.
        case status(Int)
    }

    /// Every connection of the market channel is closed without a close frame.
    case drop
    /// New connections to the market channel are turned away for a while.
    case refuse(Refusal, for: Duration)
    /// Sockets stay open and `PING` is answered, but no data comes, on new connections neither. What would have been
    /// sent is lost. Nil for as long as it takes until `recover`.
    case freeze(for: Duration?)
    /// The next frame of data to each connection is cut in half: the change it carried is lost.
    case malformedFrame
    /// Every connection gets one text frame of this many bytes.
    case oversizeFrame(bytes: Int)
    /// Everything that lasts ends now.
    case recover
}
