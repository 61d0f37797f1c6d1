/// How a history is kept.
public struct HistoryStoreConfiguration: Sendable {
    /// The directory of the file; it must exist.
    public var directory: String
    /// The least time between two kept odds of one market; points at spikes are kept regardless. Zero keeps every change.
    public var oddsInterval: Duration = .seconds(1)
    /// How long odds are kept; nil for ever.
    public var oddsRetention: Duration? = .seconds(30 * 86_400)
    /// How long reference prices are kept; nil for ever.
    public var referenceRetention: Duration? = .seconds(30 * 86_400)
    /// How many records may wait to be written; at least 1. Beyond it the least important are left out.
    public var queueCapacity = 20_000
    /// How long records wait for company before they are written together.
    public var batchInterval: Duration = .milliseconds(250)
    /// How long to wait for somebody else who holds the file, before records are kept waiting instead.
    public var busyTimeout: Duration = .milliseconds(200)

    /// The defaults for a directory.
    public init(directory: String) { self.directory = directory }

    /// The name of the file in the directory.
    public static let fileName = "history.sqlite"

    /// The file.
    var path: String { "\(self.directory)/\(HistoryStoreConfiguration.fileName)" }
}
