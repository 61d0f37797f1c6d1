#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the file system says about a path.
enum FileStatus {
    /// Whether something is there. What cannot be looked at counts as being there: a kill file in a directory that is
    /// closed to us is meant.
    static func exists(_ path: String) -> Bool {
        guard access(path, F_OK) != 0 else { return true }
        return errno != ENOENT && errno != ENOTDIR
    }
}
