public import OddsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Goes through a recording, row by row, in memory that does not grow with it.
///
/// What cannot be read is passed over and told by `damage`: a block that was cut or changed, a row that is none, a file
/// that cannot be opened. Behind a broken block of ours it goes on with the next whole one, in a file of others' with the
/// next file. Not for several threads at once.
public final class RecordingReader {
    /// The recording.
    public let recording: Recording
    /// What could not be read so far, in order; of unreadable rows the first hundred of each file.
    public private(set) var damage: [RecordingDamage]
    /// How many rows were read.
    public private(set) var rows: UInt64 = 0
    /// How many rows there were that could not be read.
    public private(set) var unreadableRows: UInt64 = 0
    /// The size of the rows that were read, before compression and with their line feeds, in bytes.
    public private(set) var plainBytes: UInt64 = 0
    /// The file that the last row came from; nil before the first.
    public private(set) var file: Recording.File?
    /// How many files were begun.
    public var fileNumber: Int { self.nextFile }
    /// Whether the last row is one of a recording of ours, and not of a tape.
    public var isRecording: Bool { self.decoder.isRecording }

    private var decoder = RecordingRowDecoder()
    private var nextFile = 0
    /// Whether the next line is the first of its file.
    private var isFirstLine = false
    private var source: RowSource?
    private var bytesBefore: UInt64 = 0
    private var unreadableHere = 0
    /// The run of the last row that began a file.
    private var run: String?
    private var passesRepeated = true
    private var wasDamaged = false

    private static let damageLimit = 100
    /// How many damages are listed of all files together.
    private static let listLimit = 10_000

    init(_ recording: Recording) {
        self.recording = recording
        self.damage = recording.missing
    }

    /// How much of the recording was read, from 0 to 1, by the bytes of its files.
    public var share: Double {
        let total = self.recording.bytes
        guard total > 0 else { return 1 }
        return min(1, Double(self.bytesBefore + (self.source?.position ?? 0)) / Double(total))
    }

    /// The next row; nil at the end. It and its message are valid until the next call.
    ///
    /// Rows that only repeat what an earlier file has told come when that file was not read, or not whole.
    public func next() -> RecordedRow? {
        while true {
            guard let source = self.source else {
                if !self.openNext() { return nil }
                continue
            }
            guard var line = source.nextLine() else {
                self.close(source)
                continue
            }
            if self.isFirstLine {
                self.isFirstLine = false
                // Some editors begin a text file with a mark of its encoding.
                if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = UnsafeRawBufferPointer(rebasing: line.dropFirst(3)) }
            }
            guard let row = self.decoder.decode(line) else {
                if !Self.isBlank(line) { self.note(unreadable: line, source) }
                continue
            }
            if row.kind == .note {
                self.heed(row)
            } else if row.isRepeated, !self.passesRepeated {
                continue
            }
            self.rows += 1
            self.plainBytes += UInt64(line.count) + 1
            return row
        }
    }

    private func openNext() -> Bool {
        guard self.nextFile < self.recording.files.count else { return false }
        let file = self.recording.files[self.nextFile]
        self.nextFile += 1
        // A file of ours says everything itself; where its beginning is broken, the one before it still holds.
        if !self.continues(file) { self.decoder = RecordingRowDecoder() }
        self.isFirstLine = true
        self.file = file
        self.unreadableHere = 0
        do throws(SystemError) {
            self.source = try RowSource(file) { [unowned self] damage in self.noteDamage(damage) }
        } catch {
            self.noteDamage(
                RecordingDamage(file: file.name, offset: 0, bytes: 0, reason: "it cannot be opened: \(error)"))
        }
        return true
    }

    /// Whether a file goes on with what the file before it was about.
    private func continues(_ file: Recording.File) -> Bool {
        guard let before = self.file, RecordingNames.isFile(before.name), RecordingNames.isFile(file.name) else {
            return false
        }
        return before.path.dropLast(before.name.count) == file.path.dropLast(file.name.count)
    }

    private func close(_ source: RowSource) {
        self.bytesBefore += source.file.bytes
        self.source = nil
    }

    private func noteDamage(_ damage: RecordingDamage) {
        self.wasDamaged = true
        if self.damage.count < Self.listLimit { self.damage.append(damage) }
    }

    private func note(unreadable line: UnsafeRawBufferPointer, _ source: RowSource) {
        self.unreadableRows += 1
        self.unreadableHere += 1
        guard self.unreadableHere <= Self.damageLimit else { return }
        self.noteDamage(
            RecordingDamage(
                file: source.file.name, offset: source.position, bytes: UInt64(line.count),
                reason: "a row is neither {\"t\":…,\"m\":\"…\"} nor a JSON frame"))
    }

    private static func isBlank(_ line: UnsafeRawBufferPointer) -> Bool {
        line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    }

    private func heed(_ row: RecordedRow) {
        guard case .note(.start(let start)) = row.content() else { return }
        self.passesRepeated = start.run != self.run || self.wasDamaged
        self.run = start.run
        self.wasDamaged = false
    }
}
