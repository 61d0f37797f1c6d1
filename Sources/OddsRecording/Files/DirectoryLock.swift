#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A directory taken for this process until it is let go, or the process ends.
final class DirectoryLock {
    private let descriptor: Int32

    init(_ directory: String) throws(RecordingError) {
        self.descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard self.descriptor >= 0 else {
            throw RecordingError(
                "The directory \(directory) cannot be opened. Check its permissions.", cause: SystemError.last)
        }
        guard flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError.last
            close(self.descriptor)
            throw RecordingError(
                "Another process records into \(directory). End it, or name another directory.", cause: error)
        }
    }

    deinit { close(self.descriptor) }
}

extension SystemError {
    /// There is a file of the name.
    static let exists = SystemError(number: EEXIST)
    /// There is no file to write into.
    static let closed = SystemError(number: EBADF)
}
