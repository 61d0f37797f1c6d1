/// One message to a destination: one alert, or several that came close together.
public struct AlertMessage: Sendable, Equatable {
    /// Counts the messages of an outbox from 1; the same for every attempt at the same message.
    public var serial: Int
    /// What it says, in the order in which it happened; at least one alert.
    public var alerts: [Alert]
    /// The destination's id of the first message about this incident; nil when this is the first.
    public var replyTo: String?
    /// How many alerts were left out before this message because too many were waiting.
    public var leftOut: Int
    /// Which attempt this is, from 1.
    public var attempt: Int
    /// Whether an earlier attempt may have arrived although nobody confirmed it.
    public var mayRepeat: Bool

    /// A message from its parts.
    public init(
        serial: Int, alerts: [Alert], replyTo: String? = nil, leftOut: Int = 0, attempt: Int = 1,
        mayRepeat: Bool = false
    ) {
        self.serial = serial
        self.alerts = alerts
        self.replyTo = replyTo
        self.leftOut = leftOut
        self.attempt = attempt
        self.mayRepeat = mayRepeat
    }
}

/// What a destination made of a message.
public enum AlertOutcome: Sendable, Equatable {
    /// It arrived; with the destination's id for it, when it has one.
    case accepted(messageID: String?)
    /// It was not taken, and is not to be tried before the time given; nil when the destination names none.
    case postponed(Duration?)
    /// It can be tried again. `mayHaveArrived` when the request was sent and only the answer is missing or bad.
    case failed(reason: String, mayHaveArrived: Bool)
    /// Trying the same again is of no use; the reason says what to do.
    case refused(reason: String)
}
