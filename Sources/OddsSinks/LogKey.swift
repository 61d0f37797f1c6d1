/// Metadata keys of this library's log messages.
enum LogKey {
    static let sink = "alert.sink"
    static let reason = "reason"
    static let count = "alert.count"
    static let attempt = "alert.attempt"
    static let signal = "signal.id"
    static let signalKind = "signal.kind"
    static let signalSink = "signal.sink"
    static let signalAttempt = "signal.attempt"
    static let output = "signal.output"
    static let errors = "signal.errors"
}
