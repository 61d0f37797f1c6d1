/// What came of comparing a recording with its manifests.
public struct RecordingVerification: Hashable, Sendable {
    /// How a file compares.
    public enum State: String, Hashable, Sendable, Codable {
        /// It is what the manifest says.
        case intact
        /// Its bytes are others than those that were written.
        case changed
        /// The manifest names it, but it is not there.
        case missing
        /// It is being written, or its run did not end in order: there is nothing to compare with.
        case unfinished
        /// No manifest names it.
        case unlisted
    }

    /// One file.
    public struct File: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// How it compares.
        public var state: State
    }

    /// The files, those that are missing last.
    public var files: [File]

    /// Whether every file is what a manifest says.
    public var isIntact: Bool { self.files.allSatisfy { $0.state == .intact } }
}

extension Recording {
    /// Compares the files with what the manifests say of them; reads every byte of them, but no row.
    ///
    /// - Parameter progress: told how much was done, from 0 to 1.
    public func verify(progress: (Double) -> Void = { _ in }) -> RecordingVerification {
        let known = Dictionary(self.manifests.flatMap(\.files).map { ($0.name, $0) }) { first, _ in first }
        var done: UInt64 = 0
        var files: [RecordingVerification.File] = []
        for file in self.files {
            let state: RecordingVerification.State
            if let entry = known[file.name] {
                if let sum = entry.sha256 {
                    state = FileDigest.sha256(file.path, first: entry.bytes) == sum ? .intact : .changed
                } else {
                    state = .unfinished
                }
            } else {
                state = .unlisted
            }
            files.append(RecordingVerification.File(name: file.name, state: state))
            done += file.bytes
            progress(self.bytes > 0 ? Double(done) / Double(self.bytes) : 1)
        }
        files += self.missing.map { RecordingVerification.File(name: $0.file, state: .missing) }
        return RecordingVerification(files: files)
    }
}
