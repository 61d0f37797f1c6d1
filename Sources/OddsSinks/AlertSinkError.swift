/// Why a sink, of alerts or of signals, cannot be made.
public struct AlertSinkError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of fault, for decisions.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The kind in words.
        public let description: String
        /// A configuration value cannot be used.
        public static let invalidConfiguration = Code(description: "invalid configuration")
        /// The file with a secret cannot be read, or holds none.
        public static let secretFile = Code(description: "secret file")
        /// A secret is empty.
        public static let emptySecret = Code(description: "empty secret")
        /// A command does not exist or may not be run.
        public static let command = Code(description: "command")
    }

    /// The kind of fault.
    public let code: Code
    /// What is wrong and what to do; never a secret.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { self.message }
}
