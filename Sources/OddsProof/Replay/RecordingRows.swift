package import OddsCore
package import OddsRecording

/// A recording's rows as a replay takes them.
package final class RecordingRows: ReplaySource {
    private let reader: RecordingReader
    private var run: String?
    /// The number of the file that the last row came from.
    private var file = 0
    private var isRecording = false
    /// A row that waits behind the word that a tape begins.
    private var held: RecordedRow?

    package init(_ recording: Recording) { self.reader = recording.reader() }

    @inline(__always)
    package func next() throws -> (row: ReplayRow, received: ReceiveTime)? {
        guard let row = self.held ?? self.reader.next() else { return nil }
        if self.reader.fileNumber != self.file, self.isOtherKind(row) { return (.tape, row.received) }
        self.held = nil
        if row.kind == .message, case .line(let line) = row.channel {
            return (.message(row.message, line: line, connection: row.connection), row.received)
        }
        return (self.other(row), row.received)
    }

    /// Whether another file begins, and with it a tape behind a recording.
    private func isOtherKind(_ row: RecordedRow) -> Bool {
        self.file = self.reader.fileNumber
        let wasRecording = self.isRecording
        self.isRecording = self.reader.isRecording
        guard wasRecording, !self.isRecording else { return false }
        self.run = nil
        self.held = row
        return true
    }

    private func other(_ row: RecordedRow) -> ReplayRow {
        guard row.kind != .message else { return .other }
        switch row.content() {
        case .connection(let event):
            guard case .line(let line) = row.channel else { return .other }
            return .connection(event, line: line, connection: row.connection)
        case .answer(let exchange): return .answer(exchange)
        case .command(let command): return .command(command)
        case .note(.start(let start)):
            // Each file of a run begins with one.
            guard start.run != self.run else { return .other }
            self.run = start.run
            return .start(ReplayRun(lines: start.lines, seed: start.seed, renewalInterval: start.renewalInterval))
        case .note(.clock(let clock)): return .clock(step: clock.wallOffset)
        case .note(.lost(let loss)): return .lost(loss.rows)
        case .note(.end): return .end
        case .message, nil: return .other
        }
    }

    package var rows: UInt64 { self.reader.rows }
    package var share: Double { self.reader.share }
    package var damage: [String] {
        let notes = self.reader.recording.isSorted ? ["The recordings are read in the order of their times."] : []
        return notes + self.reader.damage.map(\.description)
    }
}
