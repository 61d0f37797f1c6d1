import Foundation
import OddsTestSupport
import Synchronization
import Testing

@testable import OddsStore

/// A file that fails as it is told.
private final class BrittleFile: JournalFile {
    struct State {
        var bytes: [UInt8] = []
        /// How many bytes the disk still takes; nil for any number.
        var room: Int?
        var synchroniseFault: Int32?
        var truncateFault: Int32?
        var writes = 0
        var synchronised = 0
    }

    let state = Mutex(State())

    func append(_ bytes: [UInt8]) throws(SystemError) {
        let isFull = self.state.withLock { state -> Bool in
            let taken = min(bytes.count, state.room ?? .max)
            state.bytes += bytes.prefix(taken)
            state.writes += 1
            if let room = state.room { state.room = room - taken }
            return taken < bytes.count
        }
        if isFull { throw SystemError(number: ENOSPC) }
    }

    func synchronise() throws(SystemError) {
        let fault = self.state.withLock { state -> Int32? in
            if state.synchroniseFault == nil { state.synchronised = state.bytes.count }
            return state.synchroniseFault
        }
        if let fault { throw SystemError(number: fault) }
    }

    /// Nobody takes it away.
    func keepPlace() throws(SystemError) {}

    func truncate(to length: Int) throws(SystemError) {
        let fault = self.state.withLock { state -> Int32? in
            if state.truncateFault == nil { state.bytes.removeLast(state.bytes.count - length) }
            return state.truncateFault
        }
        if let fault { throw SystemError(number: fault) }
    }

    var entries: [String] {
        get throws {
            let content = try JournalContent(self.state.withLock { $0.bytes })
            return content.lines.map { String(decoding: $0.payload, as: UTF8.self) }
        }
    }
}

@Suite struct TradingJournalTests {
    private static let file = TradingJournal.fileName

    private static func entry(_ number: Int) -> [UInt8] { Array(#"{"order":\#(number),"price":"0.7"}"#.utf8) }

    private func code(_ body: () throws -> Void) -> JournalError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? JournalError)?.code
        }
    }

    @Test func whatWasAppendedIsThereAgain() throws {
        let directory = try TemporaryDirectory()
        let (journal, before) = try TradingJournal.open(directory: directory.path)
        #expect(before.isEmpty)
        try journal.append([Self.entry(1), Self.entry(2)])
        try journal.append([])
        try journal.append([Self.entry(3), []])
        #expect(journal.count == 4)
        // Somebody else may read while it is open.
        #expect(try TradingJournal.entries(in: directory.path) == [Self.entry(1), Self.entry(2), Self.entry(3), []])
    }

    @Test func numbersGoOnAfterOpeningAgain() throws {
        let directory = try TemporaryDirectory()
        do { try TradingJournal.open(directory: directory.path).journal.append([Self.entry(1)]) }
        let (journal, entries) = try TradingJournal.open(directory: directory.path)
        #expect(entries == [Self.entry(1)])
        #expect(journal.tornTail == nil)
        try journal.append([Self.entry(2)])
        #expect(try TradingJournal.entries(in: directory.path) == [Self.entry(1), Self.entry(2)])
    }

    @Test func linesAreAsDocumented() throws {
        let directory = try TemporaryDirectory()
        try TradingJournal.open(directory: directory.path).journal.append([Array("{}".utf8), Array("[1]".utf8)])
        let text = String(decoding: try directory.bytes(Self.file), as: UTF8.self)
        let sums = ["1 1 {}", "2 1 [1]"].map { String(CRC32.of($0.utf8), radix: 16) }
        #expect(text.hasPrefix("oddstream-journal 1\n1 1 "))
        #expect(text.split(separator: "\n").count == 3)
        #expect(sums.count == 2 && CRC32.of("123456789".utf8) == 0xCBF4_3926)
        #expect(JournalLine(Array("1 1 \(String(CRC32.of("1 1 {}".utf8), radix: 16)) {}".utf8)[...]) != nil)
    }

    @Test func nobodyElseWritesIt() throws {
        let directory = try TemporaryDirectory()
        let first = try TradingJournal.open(directory: directory.path).journal
        #expect(self.code { _ = try TradingJournal.open(directory: directory.path) } == .inUse)
        try first.append([Self.entry(1)])
        #expect(try TradingJournal.entries(in: directory.path).count == 1)
    }

    @Test func thereIsNothingToReadBeforeTheFirstStart() throws {
        let directory = try TemporaryDirectory()
        #expect(try TradingJournal.entries(in: directory.path).isEmpty)
        #expect(try directory.names().isEmpty)
        #expect(self.code { _ = try TradingJournal.open(directory: directory.file("none")) } == .inaccessible)
    }

    @Test func anEntryIsOneLine() throws {
        let directory = try TemporaryDirectory()
        let journal = try TradingJournal.open(directory: directory.path).journal
        #expect(self.code { try journal.append([Self.entry(1), Array("{\n}".utf8)]) } == .badEntry)
        #expect(try TradingJournal.entries(in: directory.path).isEmpty)
    }

    /// Three batches of one, three and two entries, and the length of the file after each entry.
    private func sample() throws -> (bytes: [UInt8], ends: [Int]) {
        let directory = try TemporaryDirectory()
        let journal = try TradingJournal.open(directory: directory.path).journal
        try journal.append([Self.entry(1)])
        try journal.append((2...4).map(Self.entry))
        try journal.append((5...6).map(Self.entry))
        let bytes = try directory.bytes(Self.file)
        let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
        return (bytes, ends)
    }

    @Test func aFileThatEndsAnywhereIsReadUpToItsLastWholeEntry() throws {
        let (bytes, ends) = try self.sample()
        for length in 0...bytes.count {
            let directory = try TemporaryDirectory()
            try directory.write(Array(bytes.prefix(length)), to: Self.file)
            let whole = ends.dropFirst().filter { $0 <= length }.count
            let (journal, entries) = try TradingJournal.open(directory: directory.path)
            #expect(entries == (0..<whole).map { Self.entry($0 + 1) })
            let torn = length - (ends.last { $0 <= length } ?? 0)
            #expect(journal.tornTail?.length == (torn == 0 ? nil : torn))
            if torn > 0 {
                #expect(
                    try directory.bytes("\(Self.file).torn")
                        == Array(bytes[(length - torn)..<length]) + [UInt8(ascii: "\n")])
            }
            // What comes next is whole.
            try journal.append([Self.entry(99)])
            #expect(try TradingJournal.entries(in: directory.path).last == Self.entry(99))
            #expect(try TradingJournal.entries(in: directory.path).count == whole + 1)
        }
    }

    @Test func zerosAtTheEndAreATornTail() throws {
        let (bytes, _) = try self.sample()
        let directory = try TemporaryDirectory()
        try directory.write(bytes + [UInt8](repeating: 0, count: 4096), to: Self.file)
        let (journal, entries) = try TradingJournal.open(directory: directory.path)
        #expect(entries.count == 6)
        #expect(journal.tornTail?.length == 4096)
    }

    /// A power failure may keep the second page of a batch and lose the first.
    @Test func aHoleInTheLastBatchIsATornTail() throws {
        let (bytes, ends) = try self.sample()
        var holed = bytes
        // The first entry of the last batch: nobody was promised any of it.
        for index in ends[4]..<(ends[5] - 1) { holed[index] = 0 }
        let directory = try TemporaryDirectory()
        try directory.write(holed, to: Self.file)
        let (journal, entries) = try TradingJournal.open(directory: directory.path)
        #expect(entries.count == 4)
        #expect(journal.tornTail?.length == bytes.count - ends[4])
    }

    @Test func damageInTheMiddleIsNamedAndNothingIsTouched() throws {
        let (bytes, ends) = try self.sample()
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            // Any bit of the first four entries; those of the last batch may count as torn.
            var damaged = bytes
            let index = Int.random(in: ends[0]..<ends[4], using: &generator)
            damaged[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            let directory = try TemporaryDirectory()
            try directory.write(damaged, to: Self.file)
            let line = (ends.firstIndex { $0 > index } ?? 0) + 1
            do {
                _ = try TradingJournal.open(directory: directory.path)
                Issue.record("Byte \(index) is not what was written, and nobody noticed")
            } catch {
                #expect(error.code == .damaged)
                #expect(error.message.contains("Line \(line) of the journal"))
            }
            #expect(try directory.bytes(Self.file) == damaged)
            #expect(try directory.names() == [Self.file])
        }
    }

    @Test func aMissingLineIsDamage() throws {
        let (bytes, ends) = try self.sample()
        for line in 0..<5 {
            let directory = try TemporaryDirectory()
            try directory.write(Array(bytes[..<ends[line]] + bytes[ends[line + 1]...]), to: Self.file)
            #expect(self.code { _ = try TradingJournal.open(directory: directory.path) } == .damaged)
        }
    }

    @Test func otherFilesAndLaterVersionsAreLeftAlone() throws {
        for (text, code) in [
            ("something else\n", JournalError.Code.damaged), ("oddstream-journal 2\n1 1 00000000 x\n", .newerVersion),
        ] {
            let directory = try TemporaryDirectory()
            try directory.write(Array(text.utf8), to: Self.file)
            #expect(self.code { _ = try TradingJournal.open(directory: directory.path) } == code)
            #expect(try directory.bytes(Self.file) == Array(text.utf8))
        }
    }

    @Test func aFullDiskLosesNothingAndTheNextEntryIsWhole() throws {
        for room in 0..<120 {
            let file = BrittleFile()
            let journal = try TradingJournal.onto(file, path: "trades.journal")
            try journal.append([Self.entry(1)])
            file.state.withLock { $0.room = room }
            let code = self.code { try journal.append([Self.entry(2), Self.entry(3)]) }
            let isEnough = room >= JournalLine(number: 2, batch: 2, payload: Self.entry(2)).bytes.count * 2
            #expect(code == (isEnough ? nil : .full))
            file.state.withLock { $0.room = nil }
            try journal.append([Self.entry(4)])
            let middle = isEnough ? [Self.entry(2), Self.entry(3)] : []
            let expected = [Self.entry(1)] + middle + [Self.entry(4)]
            #expect(try file.entries == expected.map { String(decoding: $0, as: UTF8.self) })
            #expect(journal.count == UInt64(2 + middle.count))
        }
    }

    @Test func whatTheDiskDidNotConfirmIsTakenBack() throws {
        let file = BrittleFile()
        let journal = try TradingJournal.onto(file, path: "trades.journal")
        try journal.append([Self.entry(1)])
        file.state.withLock { $0.synchroniseFault = EIO }
        #expect(self.code { try journal.append([Self.entry(2)]) } == .inaccessible)
        #expect(try file.entries.count == 1)
        // When it cannot even be taken back, that is done before anything else is written.
        file.state.withLock { $0.truncateFault = EIO }
        #expect(self.code { try journal.append([Self.entry(2)]) } == .inaccessible)
        #expect(self.code { try journal.append([Self.entry(2)]) } == .inaccessible)
        file.state.withLock { state in
            state.truncateFault = nil
            state.synchroniseFault = nil
        }
        try journal.append([Self.entry(3)])
        #expect(try file.entries == [Self.entry(1), Self.entry(3)].map { String(decoding: $0, as: UTF8.self) })
    }

    @Test func aBatchIsOneWriteAndSafeWhenItReturns() throws {
        let file = BrittleFile()
        let journal = try TradingJournal.onto(file, path: "trades.journal")
        let writes = file.state.withLock { $0.writes }
        try journal.append((1...50).map(Self.entry))
        file.state.withLock { state in
            #expect(state.writes == writes + 1)
            #expect(state.synchronised == state.bytes.count)
        }
    }

    #if os(Linux)
    @Test func theSystemSaysWhenTheDiskIsFull() throws {
        let file = try SystemJournalFile(path: "/dev/full")
        #expect(throws: SystemError(number: ENOSPC)) { try file.append(Self.entry(1)) }
        let error = JournalError(SystemError(number: ENOSPC), "written", path: "trades.journal")
        #expect(error.code == .full)
        #expect(error.message.contains("Free some space"))
    }
    #endif

    @Test func aJournalThatIsDeletedInUseIsPutBackWhole() throws {
        let directory = try TemporaryDirectory()
        let (journal, _) = try TradingJournal.open(directory: directory.path)
        try journal.append([Self.entry(1)])
        // With its whole directory: nothing can be promised until that is back.
        try FileManager.default.removeItem(atPath: directory.path)
        #expect(self.code { try journal.append([Self.entry(2)]) } != nil)
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: false)
        try journal.append([Self.entry(2)])
        try FileManager.default.removeItem(atPath: "\(directory.path)/\(Self.file)")
        try journal.append([Self.entry(3)])
        #expect(try TradingJournal.entries(in: directory.path) == (1...3).map(Self.entry))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [Self.file])
        #expect(self.code { _ = try TradingJournal.open(directory: directory.path) } == .inUse)
    }

    @Test func anotherFileInTheJournalsPlaceIsLeftAlone() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/\(Self.file)"
        let (journal, _) = try TradingJournal.open(directory: directory.path)
        try journal.append([Self.entry(1)])
        try FileManager.default.moveItem(atPath: path, toPath: "\(path).moved")
        try Data("another".utf8).write(to: URL(filePath: path))
        #expect(self.code { try journal.append([Self.entry(2)]) } != nil)
        #expect(try Data(contentsOf: URL(filePath: path)) == Data("another".utf8))
        try FileManager.default.removeItem(atPath: path)
        try journal.append([Self.entry(2)])
        #expect(try TradingJournal.entries(in: directory.path) == (1...2).map(Self.entry))
    }

    @Test func aFileOfTheSystemIsOneProcesssAlone() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.journal")
        let file = try SystemJournalFile(path: path)
        try file.append(Self.entry(1))
        #expect(try file.content() == Self.entry(1))
        #expect(throws: SystemJournalFile.OpenFault.self) { _ = try SystemJournalFile(path: path) }
    }
}
