/// What keeps the configuration from being used; one sentence per fault, each with the key, the value and what is allowed.
struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    struct Fault: Equatable, Sendable {
        let message: String
        /// Whether the command line is to blame, which is a matter of usage.
        let isUsage: Bool

        static func badValue(_ setting: Setting, value: String, origin: Origin, allowed: String) -> Fault {
            Fault(
                message: "\(origin.name(of: setting)): '\(value)' cannot be used. Allowed: \(allowed).",
                isUsage: origin == .option)
        }

        static func other(_ message: String) -> Fault { Fault(message: message, isUsage: false) }
    }

    let faults: [Fault]

    init(_ faults: [Fault]) { self.faults = faults }
    init(_ message: String) { self.faults = [.other(message)] }

    /// Usage when only the command line is at fault, else configuration.
    var status: ExitStatus { self.faults.allSatisfy(\.isUsage) ? .usage : .configuration }

    var description: String { self.faults.map(\.message).joined(separator: "\n") }
}
