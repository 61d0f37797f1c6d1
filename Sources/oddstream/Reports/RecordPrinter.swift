import OddsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes records to standard output, page by page.
struct RecordPrinter {
    let kind: HistoryRecord.Kind
    let format: RecordFormat
    /// Writes one record as JSON.
    private let json: (HistoryRecord) throws -> String
    private let table: RecordTable
    private var count = 0
    private var isEnded = false

    init(
        _ kind: HistoryRecord.Kind, _ format: RecordFormat,
        json: @escaping (HistoryRecord) throws -> String = { try RecordLines.json($0) }
    ) {
        self.json = json
        self.kind = kind
        self.format = format
        let environment = ProcessInfo.processInfo.environment
        let isTerminal = Terminal.isInteractive(environment)
        let style = TextStyle(environment: environment)
        self.table = RecordTable(
            width: isTerminal ? Terminal.size.width : 120,
            style: TextStyle(colour: style.colour && isTerminal, unicode: style.unicode))
    }

    /// Writes all pages that `next` gives, at most `limit` records; `next` is given a cursor and how many are wanted.
    ///
    /// - Throws: `ProgramFailure` when the output cannot be written. A reader that has gone ends it without a word.
    mutating func print(
        limit: Int, _ next: (String?, Int) async throws -> HistoryPage<HistoryRecord>
    ) async throws {
        var rows: [HistoryRecord] = []
        var cursor: String?
        try self.begin()
        repeat {
            let page = try await next(cursor, min(limit - self.count - rows.count, HistoryQuery.largestLimit))
            cursor = page.next
            // A table is as wide as its widest row, so all rows are needed before the first is written.
            if self.format == .table { rows += page.items } else { try self.write(page.items) }
        } while cursor != nil && self.count + rows.count < limit && !self.isEnded
        if self.format == .table { try self.writeTable(rows, isAll: cursor == nil) }
        if self.format == .json { try self.put(self.count == 0 ? "]\n" : "\n]\n") }
    }

    private mutating func begin() throws {
        switch self.format {
        case .table: break
        case .json: try self.put("[")
        case .csv: try self.put(RecordLines.csvHeader(RecordLines.keys(of: self.kind)) + "\r\n")
        }
    }

    private mutating func write(_ records: [HistoryRecord]) throws {
        var text = ""
        for record in records {
            switch self.format {
            case .table: break
            case .json: text += (self.count == 0 ? "\n" : ",\n") + (try self.json(record))
            case .csv: text += try RecordLines.csv(record, keys: RecordLines.keys(of: self.kind)) + "\r\n"
            }
            self.count += 1
        }
        try self.put(text)
    }

    private mutating func writeTable(_ rows: [HistoryRecord], isAll: Bool) throws {
        guard !rows.isEmpty else { return try self.put("Nothing was kept that matches.\n") }
        // The newest stand at the end, where a terminal shows them.
        var lines = self.table.lines(rows.reversed(), of: self.kind)
        if !isAll { lines.append("The newest \(rows.count) are shown; --limit shows more.") }
        if self.kind == .trade { lines.append(RecordPrinter.sum(rows)) }
        try self.put(lines.map { "\($0)\n" }.joined())
    }

    /// What the trades shown came to.
    static func sum(_ rows: [HistoryRecord]) -> String {
        let trades = rows.compactMap { if case .trade(let trade) = $0 { trade } else { nil } }
        let settled = trades.filter { $0.status == .settled }
        let won = settled.filter { ($0.profit ?? 0) > 0 }.count
        let profit = settled.reduce(0) { $0 + ($1.profit ?? 0) }
        let fees = trades.reduce(0) { $0 + $1.fee }
        return
            "\(trades.count) \(trades.count == 1 ? "order" : "orders"), \(settled.count) settled, \(won) won; profit "
            + "\(RecordText.signedMoney(profit)) after fees, fees \(RecordText.money(fees))"
    }

    private mutating func put(_ text: String) throws {
        guard !self.isEnded else { return }
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { systemWrite(1, $0.baseAddress, $0.count) }
            if count > 0 {
                written += count
            } else if errno == EPIPE {
                self.isEnded = true
                return
            } else if errno == EAGAIN {
                var wanted = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
                poll(&wanted, 1, -1)
            } else if errno != EINTR {
                throw ProgramFailure(
                    status: .internalError, message: "Standard output cannot be written (\(systemMessage(errno))).")
            }
        }
    }
}

/// The system's `write`, which a method of that name would hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
