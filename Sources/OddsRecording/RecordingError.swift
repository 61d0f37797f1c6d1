/// Why a recording cannot be written or read, and what to do.
public struct RecordingError: Error, Sendable, CustomStringConvertible {
    /// What happened and what to do.
    public let message: String
    /// The error underneath; nil when this is the first.
    public let cause: (any Error)?

    /// An error from its parts.
    public init(_ message: String, cause: (any Error)? = nil) {
        self.message = message
        self.cause = cause
    }

    /// Message and cause.
    public var description: String { self.cause.map { "\(self.message) (\($0))" } ?? self.message }
}
