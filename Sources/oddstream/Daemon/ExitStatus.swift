/// How the program ends; the numbers are those of sysexits.h.
enum ExitStatus: Int32, Sendable {
    case done = 0
    case usage = 64
    case unreachable = 69
    case internalError = 70
    case configuration = 78
}

/// Why the program ends, for the person who started it.
struct ProgramFailure: Error, Equatable, CustomStringConvertible {
    let status: ExitStatus
    let message: String

    var description: String { self.message }
}
