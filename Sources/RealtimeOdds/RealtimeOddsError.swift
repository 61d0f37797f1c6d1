/// Why a streamer cannot be made or started.
public struct RealtimeOddsError: Error, Sendable, CustomStringConvertible {
    /// The kind of fault, for decisions.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private let name: String
        private init(_ name: String) { self.name = name }

        /// A configuration value cannot be used.
        public static let invalidConfiguration = Code("invalid configuration")
        /// The file with certificate authorities cannot be read.
        public static let certificateFile = Code("certificate file")
        /// The streamer was started or stopped before.
        public static let alreadyStarted = Code("already started")

        /// The kind in words.
        public var description: String { self.name }
    }

    /// The kind of fault.
    public let code: Code
    /// What is wrong and what to do.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Kind and message.
    public var description: String { "\(self.code): \(self.message)" }
}
