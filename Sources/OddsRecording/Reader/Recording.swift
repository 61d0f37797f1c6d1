import OddsCore

/// A recording to read: a directory of ours with all its files, one file of it, a tape (`.ndjson`, `.ndjson.gz`), or
/// several of them one after the other.
///
/// ```swift
/// let reader = try Recording(path: "recording").reader()
/// while let row = reader.next() {
///     if row.kind == .message { use(row.message, row.feedChannel, row.received) }
/// }
/// ```
///
/// Opening reads no rows: a value to pass around. Each reader goes through it by itself, on any thread.
public struct Recording: Sendable {
    /// One file of it.
    public struct File: Hashable, Sendable {
        /// Where it lies.
        public var path: String
        /// Its size in bytes when the recording was opened.
        public var bytes: UInt64

        /// The last part of its path.
        public var name: String { self.path.split(separator: "/").last.map(String.init) ?? self.path }
    }

    /// What was opened, as it was named.
    public let paths: [String]
    /// Its files, in the order they are read.
    public let files: [File]
    /// The manifests of the directories among them, in order; a directory without one that can be read has none here.
    public let manifests: [RecordingManifest]
    /// What was wrong before a row was read: files that the manifest names and that are not there.
    public let missing: [RecordingDamage]

    /// Opens one recording.
    ///
    /// - Throws: `RecordingError` when there is nothing at the path, or nothing that could be rows.
    public init(path: String) throws(RecordingError) { try self.init(paths: [path]) }

    /// Opens several, to be read one after the other in the order of their times.
    ///
    /// - Throws: `RecordingError` when there is nothing at a path, nothing that could be rows, or when two overlap.
    public init(paths: [String]) throws(RecordingError) {
        var parts: [Part] = []
        var manifests: [RecordingManifest] = []
        var missing: [RecordingDamage] = []
        for path in paths {
            guard let isDirectory = FileSystem.isDirectory(path) else {
                throw RecordingError(
                    "There is no recording at \(path). Name a recording's directory, one of its files, or a tape.")
            }
            guard isDirectory else {
                let file = File(path: path, bytes: FileSystem.size(of: path) ?? 0)
                parts.append(Part(path: path, files: [file], manifest: nil))
                continue
            }
            var found = try Self.files(in: path)
            // Without a manifest the rows can be read all the same.
            let manifest = try? RecordingManifest.read(in: path)
            defer { parts.append(Part(path: path, files: found, manifest: manifest)) }
            guard let manifest else { continue }
            manifests.append(manifest)
            // The manifest has them in the order they were written, whatever the clock was when they were named.
            let places = Dictionary(manifest.files.enumerated().map { ($1.name, $0) }) { first, _ in first }
            found = found.enumerated().sorted { a, b in
                (places[a.element.name] ?? .max, a.offset) < (places[b.element.name] ?? .max, b.offset)
            }.map(\.element)
            let names = Set(found.map(\.name))
            missing += manifest.files.filter { !names.contains($0.name) }.map {
                RecordingDamage(
                    file: $0.name, offset: 0, bytes: 0, reason: "the manifest names it, but it is not there")
            }
        }
        guard !parts.isEmpty else {
            throw RecordingError("No recording was named. Name a recording's directory, one of its files, or a tape.")
        }
        self.paths = paths
        self.files = try Self.sorted(parts)
        self.manifests = manifests
        self.missing = missing
    }

    private static func files(in directory: String) throws(RecordingError) -> [File] {
        let names: [String]
        do throws(SystemError) {
            names = try FileSystem.names(in: directory)
        } catch {
            throw RecordingError("The directory \(directory) cannot be read. Check its permissions.", cause: error)
        }
        let files = names.filter { $0.hasSuffix(".ndjson.gz") || $0.hasSuffix(".ndjson") }.map { name in
            File(path: "\(directory)/\(name)", bytes: FileSystem.size(of: "\(directory)/\(name)") ?? 0)
        }
        guard !files.isEmpty else {
            throw RecordingError(
                "There is no recording in \(directory): no file ends in .ndjson.gz or .ndjson. Name another directory.")
        }
        return files
    }

    /// Whether its parts are read in another order than they were named in, because their times are in that order.
    public var isSorted: Bool {
        var place = 0
        for file in self.files {
            let belongs = { (path: String) in file.path == path || file.path.hasPrefix("\(path)/") }
            if belongs(self.paths[place]) { continue }
            guard let next = self.paths[place...].firstIndex(where: belongs) else { return true }
            place = next
        }
        return false
    }

    /// One path of several, with when its rows begin and, as far as its manifest says, end.
    private struct Part {
        let path: String
        let files: [File]
        let first: Int64?
        let last: Int64?

        init(path: String, files: [File], manifest: RecordingManifest?) {
            self.path = path
            self.files = files
            var decoder = RecordingRowDecoder()
            var first: Int64?
            // The first row that has a time is among the first few, or there is none.
            if let file = files.first, let source = try? RowSource(file, onDamage: { _ in }) {
                for _ in 0..<100 {
                    guard first == nil, let line = source.nextLine() else { break }
                    let hasMark = line.starts(with: [0xEF, 0xBB, 0xBF])
                    let row = decoder.decode(hasMark ? UnsafeRawBufferPointer(rebasing: line.dropFirst(3)) : line)
                    if let row, row.isTimed { first = row.time }
                }
            }
            self.first = first
            self.last = manifest?.files.compactMap(\.last).max()
        }
    }

    /// Several recordings in the order of their times; as they are when one has none.
    private static func sorted(_ parts: [Part]) throws(RecordingError) -> [File] {
        let times = parts.compactMap(\.first)
        guard parts.count > 1, times.count == parts.count else { return parts.flatMap(\.files) }
        let order = zip(parts, times).enumerated().sorted { a, b in
            (a.element.1, a.offset) < (b.element.1, b.offset)
        }.map(\.element)
        for (earlier, later) in zip(order, order.dropFirst()) {
            guard let last = earlier.0.last, last > later.1 else { continue }
            throw RecordingError(
                """
                The recordings \(earlier.0.path) and \(later.0.path) overlap in time, so they cannot be read one after the \
                other. Name one of them.
                """)
        }
        return order.flatMap(\.0.files)
    }

    /// How many bytes its files have, compressed as they are.
    public var bytes: UInt64 { self.files.reduce(0) { $0 &+ $1.bytes } }

    /// A reader that stands before the first row.
    public func reader() -> RecordingReader { RecordingReader(self) }
}
