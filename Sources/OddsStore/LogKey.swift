/// Keys of the log's metadata.
enum LogKey {
    /// The file the message is about.
    static let path = "file.path"
    /// What went wrong.
    static let error = "error"
    /// How many records.
    static let count = "history.records"
    /// How many records wait.
    static let queued = "history.queued"
}
