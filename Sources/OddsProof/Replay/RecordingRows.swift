package import OddsCore
package import OddsRecording

/// A recording's rows as a replay takes them.
package final class RecordingRows: ReplaySource {
    private let reader: RecordingReader
    private var run: String?

    package init(_ recording: Recording) { self.reader = recording.reader() }

    @inline(__always)
    package func next() throws -> (row: ReplayRow, received: ReceiveTime)? {
        guard let row = self.reader.next() else { return nil }
        if row.kind == .message, case .line(let line) = row.channel {
            return (.message(row.message, line: line, connection: row.connection), row.received)
        }
        return (self.other(row), row.received)
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
    package var damage: [String] { self.reader.damage.map(\.description) }
}
