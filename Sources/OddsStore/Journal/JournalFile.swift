#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// An error of the system, by its number.
struct SystemError: Error, Equatable, CustomStringConvertible {
    let number: Int32

    /// The last one.
    static var last: SystemError { SystemError(number: errno) }

    /// Another file has the name.
    static let displaced = SystemError(number: ESTALE)

    /// The errors that say that there is no room.
    static let outOfSpace: Set<Int32> = [ENOSPC, EDQUOT, EFBIG]

    /// What the system says about it.
    var description: String { String(cString: strerror(self.number)) }
}

/// The file under a journal, so that tests can let it fail.
protocol JournalFile: Sendable {
    /// Writes bytes at the end; what was written of them when it throws is not known.
    func append(_ bytes: [UInt8]) throws(SystemError)
    /// Returns when everything written is safe, also from a failure of the power.
    func synchronise() throws(SystemError)
    /// Returns when the file's name leads to it: of a file that was deleted in use, everything is put back under its name.
    func keepPlace() throws(SystemError)
    /// Cuts the file.
    func truncate(to length: Int) throws(SystemError)
}

/// A file of the system, held by this process alone.
final class SystemJournalFile: JournalFile {
    private let descriptor: Int32
    private let path: String

    /// Why a file cannot be had.
    enum OpenFault: Error {
        case inUse
        case system(String, SystemError)
    }

    /// Opens a file, creates it when it is not there, and takes it for this process.
    init(path: String) throws(OpenFault) {
        self.path = path
        self.descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard self.descriptor >= 0 else { throw .system("opened", .last) }
        guard flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError.last
            close(self.descriptor)
            throw error.number == EWOULDBLOCK ? .inUse : .system("locked", error)
        }
    }

    deinit { close(self.descriptor) }

    /// Everything in a file that is open.
    func content() throws(SystemError) -> [UInt8] { try SystemJournalFile.content(self.descriptor) }

    /// Everything in a file; nil when there is none.
    static func content(of path: String) throws(SystemError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .last
        }
        defer { close(descriptor) }
        return try self.content(descriptor)
    }

    private static func content(_ descriptor: Int32) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = pread(descriptor, &part, part.count, off_t(content.count))
            if count > 0 {
                content += part.prefix(count)
            } else if count == 0 {
                return content
            } else if errno != EINTR {
                throw .last
            }
        }
    }

    func append(_ bytes: [UInt8]) throws(SystemError) { try SystemJournalFile.append(bytes, to: self.descriptor) }

    private static func append(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                written += count
            } else if count == 0 {
                throw SystemError(number: EIO)
            } else if errno != EINTR {
                throw .last
            }
        }
    }

    func synchronise() throws(SystemError) { try SystemJournalFile.synchronise(self.descriptor) }

    private static func synchronise(_ descriptor: Int32) throws(SystemError) {
        #if canImport(Darwin)
        // `fsync` alone leaves the bytes in the drive's own memory there.
        guard fcntl(descriptor, F_FULLFSYNC) == 0 || fsync(descriptor) == 0 else { throw .last }
        #else
        guard fdatasync(descriptor) == 0 else { throw .last }
        #endif
    }

    func keepPlace() throws(SystemError) {
        var own = stat()
        guard fstat(self.descriptor, &own) == 0 else { throw .last }
        var found = stat()
        if stat(self.path, &found) == 0 {
            guard found.st_dev == own.st_dev, found.st_ino == own.st_ino else { throw .displaced }
            return
        }
        guard errno == ENOENT else { throw .last }
        try self.putBack()
    }

    /// Writes everything that is in this file, which has no name any more, to a new one under its name, and goes on there.
    private func putBack() throws(SystemError) {
        let draft = "\(self.path).new"
        let copy = open(draft, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o644)
        guard copy >= 0 else { throw .last }
        defer { close(copy) }
        guard flock(copy, LOCK_EX | LOCK_NB) == 0 else { throw .last }
        try SystemJournalFile.append(try self.content(), to: copy)
        try SystemJournalFile.synchronise(copy)
        guard rename(draft, self.path) == 0 else { throw .last }
        let directory = self.path.lastIndex(of: "/").map { String(self.path[...$0]) } ?? "."
        try SystemJournalFile.synchroniseDirectory(directory)
        // The lock is the open file's and comes along.
        guard dup2(copy, self.descriptor) >= 0, fcntl(self.descriptor, F_SETFD, FD_CLOEXEC) == 0 else { throw .last }
    }

    func truncate(to length: Int) throws(SystemError) {
        guard ftruncate(self.descriptor, off_t(length)) == 0 else { throw .last }
    }

    /// Makes the names in a directory safe: that of a new file among them.
    static func synchroniseDirectory(_ path: String) throws(SystemError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .last }
    }
}
