import Crypto
import Logging
import OddsCore

/// Makes a directory's manifest good after a run that did not end in order.
enum RecordingRepair {
    /// The directory's manifest, with every file that is there: those that a crash left unfinished are read through. A
    /// manifest that cannot be read is made anew from the files.
    static func mended(_ directory: String, logger: Logger) throws(RecordingError) -> RecordingManifest {
        let path = "\(directory)/\(RecordingManifest.fileName)"
        let names: [String]
        do throws(SystemError) {
            names = try FileSystem.names(in: directory).filter(RecordingNames.isFile)
        } catch {
            throw RecordingError("The directory \(directory) cannot be read. Check its permissions.", cause: error)
        }
        var manifest = RecordingManifest()
        if FileSystem.size(of: path) != nil {
            do throws(RecordingError) {
                manifest = try RecordingManifest.read(in: directory)
            } catch {
                if let schema = RecordingManifest.otherSchema(in: directory) {
                    throw RecordingError(
                        """
                        The file \(path) is none of a recording's: \(schema). It would be overwritten, so nothing is \
                        recorded here. Name another directory.
                        """)
                }
                logger.error(
                    "The recording's manifest cannot be read and is made anew from its files",
                    metadata: ["error": "\(error)"])
            }
        }
        let known = Set(manifest.files.map(\.name))
        var foreign: Set<String> = []
        let there = Set(names)
        manifest.files.removeAll { !there.contains($0.name) }
        manifest.files += names.filter { !known.contains($0) }.map { RecordingManifest.File(name: $0, run: "") }
        for index in manifest.files.indices where manifest.files[index].sha256 == nil {
            let scan = FileScan(path: "\(directory)/\(manifest.files[index].name)", file: manifest.files[index])
            // Of a name like ours, but of somebody else's.
            if scan.start == nil, !known.contains(scan.file.name), scan.file.rows > 0 {
                foreign.insert(scan.file.name)
                continue
            }
            manifest.files[index] = scan.file
            manifest.merge(scan)
            logger.notice(
                "A file of the recording was left unfinished and is listed as far as it is whole",
                metadata: [
                    "file": "\(scan.file.name)", "rows": "\(scan.file.rows)", "unreadable": "\(scan.unreadableBytes)",
                ])
        }
        manifest.files.removeAll { $0.rows == 0 && $0.bytes == 0 || foreign.contains($0.name) }
        return manifest
    }
}

extension RecordingManifest {
    /// What only the rows of a file know.
    fileprivate mutating func merge(_ scan: FileScan) {
        let known = Set(self.markets.map(\.id))
        self.markets += scan.markets.filter { !known.contains($0.id) }
        guard let start = scan.start else { return }
        if !self.runs.contains(where: { $0.run == start.run }) {
            self.runs.append(
                Run(
                    run: start.run, program: start.program, start: start.anchor.unixNanoseconds, end: nil,
                    isEndedInOrder: false, monotonicStart: start.anchor.monotonic.nanoseconds,
                    seed: start.seed.map(String.init), lines: start.lines, endpoints: [:]))
        }
        for index in self.runs.indices where self.runs[index].run == start.run && self.runs[index].end == nil {
            self.runs[index].end = scan.file.last
            self.runs[index].isEndedInOrder = scan.hasEnd
        }
    }
}

/// One file read through.
struct FileScan {
    private(set) var file: RecordingManifest.File
    private(set) var start: RecordingStart?
    private(set) var markets: [RecordingManifest.Market] = []
    private(set) var hasEnd = false
    private(set) var unreadableBytes: UInt64 = 0

    init(path: String, file: RecordingManifest.File) {
        self.file = RecordingManifest.File(name: file.name, run: file.run)
        self.file.isMended = true
        // A file that cannot even be opened has no rows.
        guard let recording = try? Recording(path: path) else { return }
        let reader = recording.reader()
        while let row = reader.next() { self.add(row) }
        self.file.plainBytes = reader.plainBytes
        self.unreadableBytes = reader.damage.reduce(0) { $0 + $1.bytes }
        let size = FileSystem.size(of: path) ?? 0
        // A cut at the end is left out; what is broken before it is part of the file.
        let cut = reader.damage.last.flatMap { $0.offset + $0.bytes == size ? $0.offset : nil }
        self.file.bytes = cut ?? size
        self.file.sha256 = FileDigest.sha256(path, first: self.file.bytes)
    }

    private mutating func add(_ row: RecordedRow) {
        self.file.rows += 1
        self.file.first = self.file.first ?? row.time
        self.file.last = max(self.file.last ?? row.time, row.time)
        switch row.kind {
        case .message:
            switch row.channel {
            case .line(let line): self.file.frames[String(line), default: 0] += 1
            default: self.file.frames["rtds", default: 0] += 1
            }
        case .answer: self.file.frames["rest", default: 0] += 1
        case .connection: break
        case .command:
            guard case .command(.follow(let market)) = row.content() else { return }
            guard !self.markets.contains(where: { $0.id == market.id.rawValue }) else { return }
            self.markets.append(RecordingManifest.Market(market))
        case .note: self.note(row)
        }
    }

    private mutating func note(_ row: RecordedRow) {
        switch row.content() {
        case .note(.start(let start)):
            self.start = start
            self.file.run = start.run
        case .note(.lost(let loss)):
            self.file.dropped += loss.rows
            self.file.gaps.append(
                RecordingManifest.Gap(kind: .lost, start: row.time, end: loss.until, rows: loss.rows))
        case .note(.end): self.hasEnd = true
        default: break
        }
    }
}

extension RecordingManifest.Market {
    /// A market as the manifest lists it.
    init(_ market: OddsCore.Market) {
        self.init(
            id: market.id.rawValue, slug: market.slug, windowStart: market.window?.start.milliseconds,
            windowEnd: market.window?.end.milliseconds, tokens: market.assets.map(\.rawValue))
    }
}

/// Checksums of files.
enum FileDigest {
    /// The SHA-256 of a file's first bytes; nil when it cannot be read that far.
    static func sha256(_ path: String, first bytes: UInt64) -> String? {
        guard let file = try? InputFile(path: path) else { return nil }
        var hasher = SHA256()
        var rest = bytes
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        while rest > 0 {
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(rest, UInt64(buffer.count)))])
            guard let count = try? file.read(into: part), count > 0 else { return nil }
            hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: part[..<count]))
            rest -= UInt64(count)
        }
        return RecordingNames.hex(hasher.finalize())
    }
}
