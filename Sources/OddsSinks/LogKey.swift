/// Metadata keys of this library's log messages.
enum LogKey {
    static let sink = "alert.sink"
    static let reason = "reason"
    static let count = "alert.count"
    static let attempt = "alert.attempt"
}
