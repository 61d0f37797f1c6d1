/// Keys of the log's metadata.
enum LogKey {
    /// The file the message is about.
    static let path = "file.path"
}
