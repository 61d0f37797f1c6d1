import Dispatch
import Foundation
import Logging
import OddsStore
import OddsTrading
import Synchronization

/// Puts the trading loop's entries on record, and tells them to others only then: what nobody could lose is not told.
///
/// Disk writes have a queue of their own. While the record cannot be written, entries wait in order and are tried again
/// every second; the loop is told, so that it buys nothing meanwhile.
final class TradeRecorder: Sendable {
    /// Puts lines where they are safe when it returns; nil keeps entries in memory alone.
    private let append: (@Sendable ([[UInt8]]) throws -> Void)?
    private let queue = DispatchQueue(label: "oddstream.trades")
    private let logger: Logger
    private let state: Mutex<State>

    private struct State {
        var waiting: [JournalEntry] = []
        var isFailing = false
        var isRetrying = false
        var told: (@Sendable ([JournalEntry]) -> Void)?
        var recordable: (@Sendable (Bool) -> Void)?
    }

    /// How long after a failure the next attempt is made.
    private static let pause = DispatchTimeInterval.seconds(1)

    /// - Parameter append: puts lines where they are safe when it returns, all or none; nil keeps entries in memory alone.
    init(append: (@Sendable ([[UInt8]]) throws -> Void)?, logger: Logger) {
        self.append = append
        self.logger = logger
        self.state = Mutex(State())
    }

    /// Who hears of entries once they are on record, and whether they can be put there at all. Set once, before the first.
    func connect(
        told: @escaping @Sendable ([JournalEntry]) -> Void, recordable: @escaping @Sendable (Bool) -> Void
    ) {
        self.state.withLock { state in
            state.told = told
            state.recordable = recordable
        }
    }

    /// Puts entries on record, in the order of the calls.
    func put(_ entries: [JournalEntry]) {
        guard !entries.isEmpty else { return }
        self.state.withLock { $0.waiting += entries }
        self.queue.async { self.write() }
    }

    /// Returns when everything that was put before is on record, or could not be.
    func settle() async {
        await withCheckedContinuation { continuation in
            self.queue.async { continuation.resume() }
        }
    }

    /// Nothing more is put: says what could not be put on record and is lost with the program.
    func end() async {
        await self.settle()
        let lost = self.waiting
        guard lost > 0 else { return }
        self.logger.error(
            "The program ended before the record of trades could be written; what happened since then is lost",
            metadata: ["record.entries": "\(lost)"])
    }

    /// How many entries are not on record yet.
    var waiting: Int { self.state.withLock { $0.waiting.count } }

    /// Whether the last attempt to write failed.
    var isFailing: Bool { self.state.withLock { $0.isFailing } }

    private func write() {
        let (batch, told, recordable) = self.state.withLock { ($0.waiting, $0.told, $0.recordable) }
        guard !batch.isEmpty else { return }
        do {
            if let append = self.append { try append(try batch.map(Self.line)) }
        } catch {
            let isNews = self.state.withLock { state in
                defer { state.isFailing = true }
                return !state.isFailing
            }
            if isNews {
                self.logger.error(
                    "The record of trades cannot be written; nothing is bought until it can",
                    metadata: ["reason": "\(error)"])
                recordable?(false)
            }
            return self.retry()
        }
        let hasRecovered = self.state.withLock { state in
            state.waiting.removeFirst(batch.count)
            defer { state.isFailing = false }
            return state.isFailing
        }
        told?(batch)
        guard hasRecovered else { return }
        self.logger.notice("The record of trades can be written again")
        recordable?(true)
    }

    private func retry() {
        let isFirst = self.state.withLock { state in
            defer { state.isRetrying = true }
            return !state.isRetrying
        }
        guard isFirst else { return }
        self.queue.asyncAfter(deadline: .now() + Self.pause) {
            self.state.withLock { $0.isRetrying = false }
            self.write()
        }
    }

    // MARK: Lines

    private static func line(_ entry: JournalEntry) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(entry))
    }

    /// The entries of a journal's lines.
    ///
    /// - Throws: `ProgramFailure` that names the line which is no entry.
    static func entries(_ lines: [[UInt8]], path: String) throws(ProgramFailure) -> [JournalEntry] {
        var entries: [JournalEntry] = []
        for (number, line) in lines.enumerated() {
            do {
                entries.append(try JSONDecoder().decode(JournalEntry.self, from: Data(line)))
            } catch {
                throw ProgramFailure(
                    status: .configuration,
                    message: """
                        Line \(number + 1) of \(path) is whole, but no entry that this version knows (\(error)). Use the \
                        version that wrote it, or another --data.
                        """)
            }
        }
        if let first = entries.first {
            guard case .opened = first else {
                throw ProgramFailure(
                    status: .configuration,
                    message: "\(path) does not begin with the opening of an account. Restore it, or use another --data."
                )
            }
        }
        return entries
    }
}
