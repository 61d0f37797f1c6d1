/// Keeps what happens. Called from wherever it happens, the feed's event loop included.
public protocol HistoryRecorder: Sendable {
    /// Takes a record and returns at once: never blocks, never suspends, never fails. When records come faster than they
    /// can be kept, the least important are left out and counted.
    func record(_ record: HistoryRecord)
}

/// Keeps nothing.
public struct NoHistory: HistoryRecorder {
    /// The one there is.
    public init() {}
    /// Lets the record go.
    public func record(_ record: HistoryRecord) {}
}

/// How a history fares, for people and for the API.
public struct HistoryStatus: Hashable, Sendable {
    /// Whether records are being kept.
    public enum State: Hashable, Sendable {
        /// Not begun yet.
        case starting
        /// All is well.
        case writing
        /// Nothing can be written now; what comes is kept in memory, as far as there is room, and tried again.
        case troubled(since: Timestamp)
        /// Over.
        case stopped

        /// The word used in the API.
        public var name: String {
            switch self {
            case .starting: "starting"
            case .writing: "writing"
            case .troubled: "troubled"
            case .stopped: "stopped"
            }
        }
    }

    /// Whether records are being kept.
    public var state: State
    /// How many records wait to be written.
    public var queued: Int
    /// How many records were written since the start, by kind.
    public var written: [HistoryRecord.Kind: UInt64]
    /// How many records were left out because too many waited, by kind; odds that were not worth keeping are not counted.
    public var dropped: [HistoryRecord.Kind: UInt64]
    /// What went wrong last and what to do about it; nil when nothing has. Stays when the trouble is over.
    public var lastError: String?
    /// The size of the history on disk, in bytes; nil when it is not known.
    public var fileSize: Int64?

    /// What is wrong now, and what to do about it; nil while records are written.
    public var problem: String? { self.state == .writing ? nil : self.lastError }

    /// A status from its parts.
    public init(
        state: State = .starting, queued: Int = 0, written: [HistoryRecord.Kind: UInt64] = [:],
        dropped: [HistoryRecord.Kind: UInt64] = [:], lastError: String? = nil, fileSize: Int64? = nil
    ) {
        self.state = state
        self.queued = queued
        self.written = written
        self.dropped = dropped
        self.lastError = lastError
        self.fileSize = fileSize
    }
}
