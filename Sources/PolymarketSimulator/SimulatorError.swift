/// Why the simulator, or a plan for it, cannot be used.
public struct SimulatorError: Error, Sendable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }

        /// A port could not be listened on.
        public static let bind = Code("bind")
        /// The certificate or its key could not be used.
        public static let certificate = Code("certificate")
        /// The tape could not be read.
        public static let tape = Code("tape")
        /// A plan of faults could not be read.
        public static let plan = Code("plan")
        /// The simulator was used in a way it does not offer, such as started twice.
        public static let usage = Code("usage")
    }

    /// What kind of thing went wrong.
    public let code: Code
    /// What went wrong and what to do next.
    public let message: String
    /// What the system or a library said; nil when nothing else was involved.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message; `cause` is for programs.
    public var description: String { self.message }
}
