/// Why a report cannot be read or written, and what to do.
public struct ReportError: Error, Sendable, CustomStringConvertible {
    /// What kind of fault.
    public struct Code: Sendable, Hashable {
        private let name: String

        private init(_ name: String) { self.name = name }

        /// The file cannot be read or written.
        public static let file = Code("file")
        /// The file is no report, or damaged.
        public static let format = Code("format")
        /// The report is of a kind or version this program does not know.
        public static let unknownKind = Code("unknownKind")
    }

    /// What kind of fault.
    public let code: Code
    /// What happened and what to do.
    public let message: String
    /// The error underneath; nil when this is the first.
    public let cause: (any Error)?

    /// An error from its parts.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message alone: it says what to do, which the cause does not.
    public var description: String { self.message }
}
