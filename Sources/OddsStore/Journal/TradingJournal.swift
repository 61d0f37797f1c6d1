import Synchronization

/// What the trading loop did, on disk before anybody acts on it: an append-only file of opaque entries.
///
/// When `append(_:)` returns, its entries survive the end of the program by any means, and a failure of the power. The
/// file is `trades.journal` in the data directory: a line that names its version, then one line per entry with a number, a
/// checksum and the entry as it was given. A journal has one writer; others may read it meanwhile with `entries(in:)`.
///
/// May be used from any thread. Appending blocks until the disk has answered, usually some milliseconds: call it from
/// where that harms nobody, never from an event loop.
public final class TradingJournal: Sendable {
    /// The name of the file in the directory.
    public static let fileName = "trades.journal"

    /// What was left of a batch that was being written when the program or the machine ended: nothing in it was promised.
    public struct TornTail: Hashable, Sendable {
        /// How many bytes were cut off.
        public let length: Int
        /// The file they were added to; nil when they could not be kept.
        public let keptIn: String?
    }

    private struct State {
        /// How many bytes of the file are whole entries.
        var length: Int
        var lastNumber: UInt64
        /// Whether bytes may follow the whole entries that must be cut off before anything is written.
        var isDirty = false
    }

    /// What was cut off when the journal was opened; nil when it ended well.
    public let tornTail: TornTail?
    private let file: any JournalFile
    private let path: String
    private let state: Mutex<State>

    private init(file: any JournalFile, path: String, state: State, tornTail: TornTail?) {
        self.file = file
        self.path = path
        self.state = Mutex(state)
        self.tornTail = tornTail
    }

    /// Opens the journal of a directory for writing, creates it when it is not there, and reads what it holds.
    ///
    /// What an interrupted write left at the end is cut off and kept in `trades.journal.torn`.
    /// - Returns: the journal, and all its entries in the order they were appended.
    /// - Throws: `JournalError` when it is damaged, in use, or cannot be read or written; nothing is changed then.
    public static func open(
        directory: String
    ) throws(JournalError) -> (journal: TradingJournal, entries: [[UInt8]]) {
        let path = "\(directory)/\(TradingJournal.fileName)"
        let file: SystemJournalFile
        do {
            file = try SystemJournalFile(path: path)
        } catch {
            throw JournalError(error, path: path)
        }
        let bytes = try TradingJournal.attempt("read", path) { () throws(SystemError) in try file.content() }
        let content = try TradingJournal.content(bytes, path: path)
        let torn = Array(bytes[content.length...])
        let tail: TornTail? =
            torn.isEmpty ? nil : TornTail(length: torn.count, keptIn: TradingJournal.keep(torn, beside: path))
        try TradingJournal.attempt("opened", path) { () throws(SystemError) in
            if !torn.isEmpty { try file.truncate(to: content.length) }
            if content.length == 0 { try file.append(JournalContent.header) }
            // The name must be as safe as what is in the file.
            try file.synchronise()
            try SystemJournalFile.synchroniseDirectory(directory)
        }
        let state = State(
            length: max(content.length, JournalContent.header.count), lastNumber: UInt64(content.lines.count))
        return (TradingJournal(file: file, path: path, state: state, tornTail: tail), content.lines.map(\.payload))
    }

    private static func attempt<Value>(
        _ what: String, _ path: String, _ body: () throws(SystemError) -> Value
    ) throws(JournalError) -> Value {
        do {
            return try body()
        } catch {
            throw JournalError(error, what, path: path)
        }
    }

    /// A journal on a file that lets itself be told to fail.
    static func onto(_ file: any JournalFile, path: String) throws(SystemError) -> TradingJournal {
        try file.append(JournalContent.header)
        return TradingJournal(
            file: file, path: path, state: State(length: JournalContent.header.count, lastNumber: 0), tornTail: nil)
    }

    /// The entries of a directory's journal, in the order they were appended, without opening it for writing; somebody may
    /// be writing it meanwhile. Empty when there is none.
    ///
    /// - Throws: `JournalError` when it is damaged or cannot be read.
    public static func entries(in directory: String) throws(JournalError) -> [[UInt8]] {
        let path = "\(directory)/\(TradingJournal.fileName)"
        let bytes = try TradingJournal.attempt("read", path) { () throws(SystemError) in
            try SystemJournalFile.content(of: path)
        }
        return try TradingJournal.content(bytes ?? [], path: path).lines.map(\.payload)
    }

    /// Appends entries with one write and returns when they are safe. Either all are, or none is and it throws.
    ///
    /// - Parameter entries: texts without a line feed, such as compact JSON.
    /// - Throws: `JournalError`. The journal is as it was before, and may be tried again.
    public func append(_ entries: [[UInt8]]) throws(JournalError) {
        guard !entries.isEmpty else { return }
        guard !entries.contains(where: { $0.contains(UInt8(ascii: "\n")) }) else {
            throw JournalError(
                .badEntry, "An entry of the journal holds a line feed: write it as one line, such as compact JSON.")
        }
        let outcome: Result<Void, SystemError> = self.state.withLock { state in
            do throws(SystemError) {
                try self.file.keepPlace()
                if state.isDirty {
                    try self.file.truncate(to: state.length)
                    state.isDirty = false
                }
                let first = state.lastNumber + 1
                let bytes = entries.enumerated().flatMap { index, entry in
                    JournalLine(number: first + UInt64(index), batch: first, payload: entry).bytes
                }
                // Whatever happens from here on, what is written is not whole before it is known to be safe.
                state.isDirty = true
                try self.file.append(bytes)
                try self.file.synchronise()
                state.isDirty = false
                state.length += bytes.count
                state.lastNumber += UInt64(entries.count)
                return .success(())
            } catch {
                // When this fails too, it is done before the next entry is written.
                if (try? self.file.truncate(to: state.length)) != nil { state.isDirty = false }
                return .failure(error)
            }
        }
        if case .failure(let error) = outcome { throw JournalError(error, "written", path: self.path) }
    }

    /// How many entries there are.
    public var count: UInt64 { self.state.withLock { $0.lastNumber } }

    private static func content(_ bytes: [UInt8], path: String) throws(JournalError) -> JournalContent {
        do {
            return try JournalContent(bytes)
        } catch {
            throw JournalError(error, path: path)
        }
    }

    /// Adds what is cut off to a file of its own.
    ///
    /// - Returns: the file; nil when it cannot be written, as on a full disk: what is cut off was promised to nobody.
    private static func keep(_ torn: [UInt8], beside path: String) -> String? {
        let note = "\(path).torn"
        do {
            let file = try SystemJournalFile(path: note)
            try file.append(torn + [UInt8(ascii: "\n")])
            try file.synchronise()
            return note
        } catch {
            return nil
        }
    }
}
