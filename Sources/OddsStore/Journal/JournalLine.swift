/// One line of a journal: `<number> <first number of its batch> <checksum> <payload>`.
///
/// Numbers grow by one from 1, so that a line that is missing is noticed. The batch tells which lines were written
/// together: when the power fails before they are safe, any of them may be missing, and none was promised to anybody.
struct JournalLine: Equatable {
    var number: UInt64
    var batch: UInt64
    var payload: [UInt8]

    /// The line, with its end.
    var bytes: [UInt8] {
        let head = "\(self.number) \(self.batch) "
        var sum = CRC32()
        sum.update(head.utf8)
        sum.update(self.payload)
        let digits = String(sum.value, radix: 16)
        let checksum = String(repeating: "0", count: 8 - digits.count) + digits
        return Array(head.utf8) + Array("\(checksum) ".utf8) + self.payload + [UInt8(ascii: "\n")]
    }

    init(number: UInt64, batch: UInt64, payload: [UInt8]) {
        self.number = number
        self.batch = batch
        self.payload = payload
    }

    /// Reads a line without its end; nil when it is not whole.
    init?(_ bytes: ArraySlice<UInt8>) {
        let parts = bytes.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[2].count == 8, let number = JournalLine.number(parts[0]),
            let batch = JournalLine.number(parts[1]), batch >= 1, batch <= number,
            let checksum = UInt32(String(decoding: parts[2], as: UTF8.self), radix: 16)
        else { return nil }
        var sum = CRC32()
        sum.update(bytes[bytes.startIndex..<parts[2].startIndex])
        sum.update(parts[3])
        guard sum.value == checksum else { return nil }
        self.init(number: number, batch: batch, payload: Array(parts[3]))
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return UInt64(String(decoding: digits, as: UTF8.self))
    }
}

/// What a journal's bytes hold.
struct JournalContent: Equatable {
    /// The first line of every journal.
    static let header = Array("oddstream-journal 1\n".utf8)

    enum Fault: Error, Equatable {
        /// The file begins with something else.
        case noJournal
        /// The file is of a later version.
        case newerVersion
        /// A line that was promised to be safe is not whole. Lines count from 1, bytes from 0.
        case damaged(line: Int, offset: Int)
    }

    /// The whole lines.
    var lines: [JournalLine] = []
    /// How many bytes they take, the header included; what follows was never promised.
    var length = 0

    /// Reads a file's bytes: all whole lines, up to a batch that was not finished when the program or the machine ended.
    init(_ bytes: [UInt8]) throws(Fault) {
        guard bytes.starts(with: JournalContent.header) else {
            // The first write of all was cut off.
            if JournalContent.header.starts(with: bytes) || bytes.allSatisfy({ $0 == 0 }) { return }
            let name = Array("oddstream-journal ".utf8)
            throw bytes.starts(with: name) ? .newerVersion : .noJournal
        }
        self.length = JournalContent.header.count
        var start = self.length
        while start < bytes.count {
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")),
                let line = JournalLine(bytes[start..<end]), line.number == UInt64(self.lines.count) + 1
            else {
                try self.judge(bytes, from: start)
                return
            }
            self.lines.append(line)
            start = end + 1
            self.length = start
        }
    }

    /// Whether what is not whole is the rest of an unfinished batch, or damage.
    private func judge(_ bytes: [UInt8], from start: Int) throws(Fault) {
        let rest = bytes[start...].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
        let first = UInt64(self.lines.count) + 1
        // A whole line of another number: lines before it were taken out.
        if let line = rest.first.flatMap({ JournalLine($0) }), line.number != first {
            throw .damaged(line: self.lines.count + 2, offset: start)
        }
        // Nothing but the last line is not whole.
        if rest.count <= 1 { return }
        // Lines after it were written together with it.
        let whole = rest.dropFirst().compactMap { JournalLine($0) }
        if !whole.isEmpty, whole.allSatisfy({ $0.batch <= first && $0.number > first }) { return }
        throw .damaged(line: self.lines.count + 2, offset: start)
    }
}
