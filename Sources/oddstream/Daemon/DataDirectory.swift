import Synchronization

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

/// The directory the program keeps its state in: created, known to be writable, and used by one program at a time.
final class DataDirectory: Sendable {
    /// The path as it was given.
    let path: String
    private let isTemporary: Bool
    private let lock: Int32

    /// Creates the directory and takes it for this process.
    ///
    /// - Throws: `ProgramFailure` when it cannot be created or written, or when another process has it.
    init(_ path: String, isTemporary: Bool = false) throws(ProgramFailure) {
        self.path = path
        self.isTemporary = isTemporary
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw DataDirectory.failure("The data directory \(path) cannot be created")
        }
        self.lock = open("\(path)/oddstream.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard self.lock >= 0 else {
            throw DataDirectory.failure("The data directory \(path) cannot be written (\(systemMessage(errno)))")
        }
        guard flock(self.lock, LOCK_EX | LOCK_NB) == 0 else {
            let message = "The data directory \(path) is in use by another oddstream"
            close(self.lock)
            throw DataDirectory.failure(message)
        }
    }

    /// A directory of its own in the system's temporary place; `leave()` deletes it.
    static func temporary() throws(ProgramFailure) -> DataDirectory {
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        return try DataDirectory("\(base)/oddstream-demo-\(getpid())", isTemporary: true)
    }

    /// Gives the directory back, and deletes it when it was temporary.
    func leave() {
        close(self.lock)
        // Nothing is lost when this fails: the system clears its temporary place itself.
        if self.isTemporary { try? FileManager.default.removeItem(atPath: self.path) }
    }

    private static func failure(_ what: String) -> ProgramFailure {
        ProgramFailure(
            status: .configuration, message: "\(what). Choose another with --data DIR, or mend its permissions.")
    }
}
