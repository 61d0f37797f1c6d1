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

    /// What the system says about it.
    var description: String { String(cString: strerror(self.number)) }
}

/// A file that is read from its beginning to its end.
struct InputFile: ~Copyable {
    private let descriptor: Int32
    /// Its size when it was opened, in bytes.
    let size: UInt64

    init(path: String) throws(SystemError) {
        self.descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard self.descriptor >= 0 else {
            self.size = 0
            throw .last
        }
        var status = stat()
        self.size = fstat(self.descriptor, &status) == 0 ? UInt64(clamping: status.st_size) : 0
    }

    deinit { if self.descriptor >= 0 { close(self.descriptor) } }

    /// Reads the next bytes; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        while true {
            let count = system_read(self.descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw .last }
        }
    }

    /// Goes to a place in the file.
    func seek(to offset: UInt64) throws(SystemError) {
        guard lseek(self.descriptor, off_t(clamping: offset), SEEK_SET) >= 0 else { throw .last }
    }
}

/// `read` of the system, under a name that no method hides.
private func system_read(_ descriptor: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, start, count)
}

/// What is asked of directories and of files as a whole.
enum FileSystem {
    /// What a path leads to; nil when it leads nowhere.
    static func isDirectory(_ path: String) -> Bool? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    /// A file's size in bytes; nil when there is none.
    static func size(of path: String) -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(clamping: status.st_size) : nil
    }

    /// The names in a directory, sorted.
    static func names(in directory: String) throws(SystemError) -> [String] {
        guard let stream = opendir(directory) else { throw .last }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// How many bytes are free for this program on the disk of a directory; nil when that is not known.
    static func freeBytes(in directory: String) -> UInt64? {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) &* UInt64(status.f_frsize)
    }

    /// Deletes a file.
    static func remove(_ path: String) throws(SystemError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .last }
    }

    /// Makes a directory and those above it.
    static func makeDirectory(_ path: String) throws(SystemError) {
        if self.isDirectory(path) == true { return }
        let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        if !parent.isEmpty, self.isDirectory(parent) == nil { try self.makeDirectory(parent) }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST && self.isDirectory(path) == true else { throw .last }
    }

    /// Puts a file in the place of another, all of it or nothing of it, also when the power fails.
    static func replace(_ path: String, with bytes: [UInt8]) throws(SystemError) {
        let temporary = path + ".tmp"
        do throws(SystemError) {
            let file = try OutputFile(path: temporary, isNew: false)
            try file.write(bytes)
            try file.synchronise()
            guard rename(temporary, path) == 0 else { throw .last }
        } catch {
            unlink(temporary)
            throw error
        }
        try self.synchroniseDirectory(of: path)
    }

    /// Returns when a file's name is safe.
    static func synchroniseDirectory(of path: String) throws(SystemError) {
        let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let directory = parent.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : parent
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last }
        defer { close(descriptor) }
        // Some file systems cannot synchronise directories: they say EINVAL, and there is nothing else to do.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .last }
    }
}

/// The file under a recording, so that tests can let it fail.
protocol BlockFile: AnyObject {
    /// Writes bytes at the end. When that fails, what was written of them is taken back.
    func write(_ bytes: [UInt8]) throws(SystemError)
    /// Returns when everything written is safe, also from a failure of the power.
    func synchronise() throws(SystemError)
}

/// A file that is written at its end.
final class OutputFile: BlockFile {
    private let descriptor: Int32
    /// How many bytes it holds, as far as it is known to be whole.
    private(set) var size: UInt64 = 0

    /// - Parameter isNew: whether there must be none of the name yet; otherwise one that is there is emptied.
    init(path: String, isNew: Bool) throws(SystemError) {
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (isNew ? O_EXCL : O_TRUNC)
        self.descriptor = open(path, flags, 0o644)
        guard self.descriptor >= 0 else { throw .last }
    }

    deinit { if self.descriptor >= 0 { close(self.descriptor) } }

    func write(_ bytes: [UInt8]) throws(SystemError) {
        let failure: SystemError? = bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = system_write(self.descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
                if count >= 0 {
                    done += count
                } else if errno != EINTR {
                    return .last
                }
            }
            return nil
        }
        guard let failure else {
            self.size += UInt64(bytes.count)
            return
        }
        self.takeBack()
        throw failure
    }

    /// Cuts what was not written whole. If that fails too, the reader passes over the broken block.
    private func takeBack() {
        if ftruncate(self.descriptor, off_t(clamping: self.size)) == 0 {
            _ = lseek(self.descriptor, 0, SEEK_END)
        } else {
            let end = lseek(self.descriptor, 0, SEEK_END)
            if end >= 0 { self.size = UInt64(end) }
        }
    }

    func synchronise() throws(SystemError) {
        guard fdatasync(self.descriptor) == 0 else { throw .last }
    }
}

/// `write` of the system, under a name that no method hides.
private func system_write(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, start, count)
}
