import Synchronization

/// Keeps incidents and the uptime ledger; told by the feed, read by everybody. May be used from any thread.
///
/// It is told of events that bear on continuity, never of single messages, and each costs about a microsecond.
public final class IncidentBook: Sendable {
    private let journal: Mutex<IncidentJournal>

    /// An empty book.
    public init(configuration: IncidentJournal.Configuration = IncidentJournal.Configuration()) {
        self.journal = Mutex(IncidentJournal(configuration: configuration))
    }

    /// Something happened.
    ///
    /// - Parameters:
    ///   - event: what.
    ///   - time: when; a time before that of an earlier event counts as that of the earlier one.
    /// - Returns: what is worth a line in the log; mostly nothing.
    public func record(_ event: ContinuityEvent, at time: ReceiveTime) -> [IncidentChange] {
        self.journal.withLock { $0.record(event, at: time) }
    }

    /// Time has passed; to be called about once a second, so that what begins or ends by time is noticed.
    public func tick(at time: ReceiveTime) -> [IncidentChange] { self.journal.withLock { $0.tick(at: time) } }

    /// Everything up to this moment. Changes nothing.
    public func report(at time: ReceiveTime) -> IncidentReport {
        // The copy is brought up to date outside of the lock.
        self.journal.withLock { $0 }.report(at: time)
    }
}
