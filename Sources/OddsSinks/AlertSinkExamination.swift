/// What asking a destination, without sending anything, has shown about one thing it needs.
public struct AlertSinkExamination: Sendable, Equatable {
    /// What was looked at: `token`, `chat`.
    public let subject: String
    /// Whether it can be used.
    public let isUsable: Bool
    /// What was found, or what is wrong and what to do.
    public let message: String

    /// A result from its parts.
    public init(subject: String, isUsable: Bool, message: String) {
        self.subject = subject
        self.isUsable = isUsable
        self.message = message
    }
}
