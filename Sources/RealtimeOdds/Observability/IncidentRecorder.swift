import Logging
import OddsCore

/// Takes what bears on continuity from wherever it happens, keeps it in the book, and logs each incident once when it
/// begins and once when it ends. May be used from any thread.
final class IncidentRecorder: Sendable {
    /// What is on record.
    let book: IncidentBook
    private let clock: any StreamClock
    private let logger: Logger

    init(
        book: IncidentBook = IncidentBook(), clock: any StreamClock = SystemClock(),
        logger: Logger = Logger(label: "incidents") { _ in SwiftLogNoOpLogHandler() }
    ) {
        self.book = book
        self.clock = clock
        self.logger = logger
    }

    /// Something happened at a time.
    func record(_ event: ContinuityEvent, at time: ReceiveTime) { self.log(self.book.record(event, at: time)) }

    /// Something happened just now.
    func record(_ event: ContinuityEvent) { self.record(event, at: self.clock.now()) }

    /// Everything up to now.
    func report() -> IncidentReport { self.book.report(at: self.clock.now()) }

    /// Notices, about once a second, what begins or ends by time. Returns when the task is cancelled.
    func keepTime() async {
        while (try? await self.clock.sleep(for: .seconds(1))) != nil { self.tick() }
    }

    /// Notices what begins or ends by time; for those who come by about once a second anyway.
    func tick() { self.log(self.book.tick(at: self.clock.now())) }

    private func log(_ changes: [IncidentChange]) {
        for change in changes {
            let incident = change.incident
            // What a lost connection does to its markets is warned of with the connection.
            let isNews = incident.market == nil || incident.kind != .connectionLost
            let level = isNews ? Logger.Level.warning : .info
            switch change {
            case .began: self.logger.log(level: level, "Incident began", metadata: Self.metadata(incident))
            case .grew: self.logger.info("Incident grew", metadata: Self.metadata(incident))
            case .flapping:
                self.logger.log(
                    level: level, "Incident comes and goes; counted from now on", metadata: Self.metadata(incident))
            case .ended: self.logger.notice("Incident ended", metadata: Self.metadata(incident))
            }
        }
    }

    private static func metadata(_ incident: Incident) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            LogKey.incident: "\(incident.id)", LogKey.incidentKind: "\(incident.kind.rawValue)",
            LogKey.summary: "\(incident.summary)",
        ]
        if let market = incident.market { metadata[LogKey.slug] = "\(market.slug)" }
        if let series = incident.series { metadata[LogKey.series] = "\(series)" }
        if !incident.lines.isEmpty {
            metadata[LogKey.line] = "\(incident.lines.map(String.init).joined(separator: ","))"
        }
        return metadata
    }
}

extension LogKey {
    static let incident = "incident.id"
    static let incidentKind = "incident.kind"
    static let summary = "incident.summary"
}
