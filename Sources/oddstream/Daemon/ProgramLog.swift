import Logging
import OddsCore
import RealtimeOdds
import Synchronization

/// Where log lines go: to standard error, or into the terminal table while that owns the screen.
final class ProgramLog: Sendable {
    private let kept = Mutex<[String]?>(nil)
    /// The place of the level among all levels: read with every message that might be logged.
    private let levelIndex = Atomic(Logger.Level.allCases.firstIndex(of: .info) ?? 0)
    private let sink = ByteSink(descriptor: 2, label: "log")

    /// A logger of this log. From now on everything of at least this level is written.
    func logger(label: String, level: Logger.Level) -> Logger {
        self.level = level
        return Logger(label: label) { _ in ProgramLogHandler(log: self) }
    }

    /// What is written at least, by every logger that was not given a level of its own.
    var level: Logger.Level {
        get { Logger.Level.allCases[self.levelIndex.load(ordering: .relaxed)] }
        set { self.levelIndex.store(Logger.Level.allCases.firstIndex(of: newValue) ?? 0, ordering: .relaxed) }
    }

    /// The last lines, while they are kept for the table.
    var lastLines: [String] { self.kept.withLock { $0 ?? [] } }

    /// From now on lines are kept for the table.
    func keep() { self.kept.withLock { $0 = [] } }

    /// Writes what was kept and goes on writing to standard error.
    func release() {
        let lines = self.kept.withLock { kept in
            defer { kept = nil }
            return kept ?? []
        }
        for line in lines { self.sink.append(line + "\n") }
    }

    /// Returns when everything logged so far is written.
    func flush() async { await self.sink.flush() }

    fileprivate func write(_ line: String) {
        let isKept = self.kept.withLock { kept in
            guard kept != nil else { return false }
            kept?.append(line)
            if let count = kept?.count, count > 20 { kept?.removeFirst(count - 20) }
            return true
        }
        if !isKept { self.sink.append(line + "\n") }
    }
}

/// One line per message: `2026-11-22T14:55:01.123Z info    Feed connected  connection.id=1`.
private struct ProgramLogHandler: LogHandler {
    let log: ProgramLog
    var metadata: Logger.Metadata = [:]
    private var ownLevel: Logger.Level?

    init(log: ProgramLog) { self.log = log }

    var logLevel: Logger.Level {
        get { self.ownLevel ?? self.log.level }
        set { self.ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = self.metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
            .map { "  \($0.key)=\($0.value)" }.joined()
        let time = ClockText.full(SystemClock().now().wall)
        // A message from outside may carry control characters; a terminal would obey them.
        let text = String(
            ("\(event.message)" + facts).map { $0.isNewline || $0.asciiValue.map { $0 < 32 } == true ? " " : $0 })
        self.log.write("\(time) \(event.level.rawValue.padded(to: 8)) \(text)")
    }
}
