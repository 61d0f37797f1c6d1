public import Foundation
import Synchronization

/// Programs that tests start, so that none keeps another's pipes open.
///
/// A child inherits every descriptor that is open without close-on-exec at the moment it is started. When it inherits the
/// writing end of another child's pipe, that pipe's reader sees no end before both are gone. So pipes are made, marked
/// and handed over by one caller at a time.
public enum ChildProcess {
    private static let starting = Mutex(())

    /// Starts the process with pipes for what it says.
    ///
    /// - Returns: the ends to read from; they are at their end when the process and whoever inherited from it is gone.
    public static func start(_ process: Process) throws -> (output: FileHandle, errors: FileHandle) {
        try self.starting.withLock { _ in
            let output = try self.pipe()
            let errors = try self.pipe()
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            return (output.fileHandleForReading, errors.fileHandleForReading)
        }
    }

    private static func pipe() throws -> Pipe {
        let pipe = Pipe()
        for handle in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
            guard fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC) == 0 else {
                throw CocoaError(.fileReadUnknown, userInfo: [NSLocalizedDescriptionKey: "no pipe: errno \(errno)"])
            }
        }
        return pipe
    }

    /// Reads a pipe to its end on a thread of its own, so that no thread that tests share waits for it.
    public static func detachReader(of handle: FileHandle, _ received: @escaping @Sendable (Data?) -> Void) {
        Thread.detachNewThread {
            while true {
                let data = handle.availableData
                if data.isEmpty { break }
                received(data)
            }
            received(nil)
        }
    }
}
