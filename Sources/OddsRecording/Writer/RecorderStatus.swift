public import OddsCore

/// How a recording fares.
public struct RecorderStatus: Hashable, Sendable {
    /// What the recorder does.
    public enum State: Hashable, Sendable {
        /// It has not begun.
        case idle
        /// It writes.
        case recording
        /// It cannot write now, and tries again, every 30 s at least; what comes meanwhile is lost.
        case troubled(since: Timestamp)
        /// It has ended.
        case stopped
    }

    /// What the recorder does.
    public var state = State.idle
    /// The directory.
    public var directory: String
    /// The name of the file that is being written; nil before the first.
    public var file: String?
    /// Files of the recording that are there, those of earlier runs included.
    public var files = 0
    /// Their size together, in bytes.
    public var totalBytes: UInt64 = 0
    /// Rows written in this run.
    public var rows: UInt64 = 0
    /// Their size before compression, in bytes.
    public var plainBytes: UInt64 = 0
    /// Their size as they were written, in bytes.
    public var bytes: UInt64 = 0
    /// Messages and answers that are missing, because the writer did not keep up or the disk did not take them.
    public var dropped: UInt64 = 0
    /// Files that were deleted because of the limit.
    public var deleted = 0
    /// How many bytes are free on the disk; nil when that is not known.
    public var freeBytes: UInt64?
    /// The last trouble, for people; nil when there was none.
    public var lastError: String?

    /// The status before the beginning.
    public init(directory: String) { self.directory = directory }

    /// How many times smaller the rows are on the disk; nil before the first block.
    public var compression: Double? { self.bytes > 0 ? Double(self.plainBytes) / Double(self.bytes) : nil }
}
