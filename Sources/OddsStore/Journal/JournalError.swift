/// Why a journal cannot be opened, read or written.
public struct JournalError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of fault, for decisions.
    public enum Code: String, Sendable, CaseIterable {
        /// Another journal object, here or in another process, has the file.
        case inUse
        /// The file holds something that was once whole and is not any more, or is no journal.
        case damaged
        /// The file was written by a newer version of the program.
        case newerVersion
        /// The disk is full.
        case full
        /// The file cannot be read or written for another reason.
        case inaccessible
        /// An entry cannot be written as one line.
        case badEntry
    }

    /// The kind of fault.
    public let code: Code
    /// What is wrong and what to do.
    public let message: String

    /// The message.
    public var description: String { self.message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: SystemError, _ what: String, path: String) {
        guard error != .displaced else {
            self.init(
                .inaccessible,
                "The journal \(path) cannot be \(what): another file lies in its place, which was not touched. Move that "
                    + "file away; the journal is put back by itself.")
            return
        }
        let isFull = error.isOutOfSpace
        self.init(
            isFull ? .full : .inaccessible,
            "The journal \(path) cannot be \(what) (\(error)). "
                + (isFull
                    ? "Free some space on that disk; it is tried again by itself."
                    : "Look at the permissions of the file and of its directory, and at the disk."))
    }

    init(_ fault: SystemJournalFile.OpenFault, path: String) {
        switch fault {
        case .inUse:
            self.init(
                .inUse,
                "The journal \(path) is in use by another program. End that one, or use another data directory.")
        case .system(let what, let error): self.init(error, what, path: path)
        }
    }

    init(_ fault: JournalContent.Fault, path: String) {
        switch fault {
        case .noJournal:
            self.init(
                .damaged, "\(path) is no journal of this program. Move it away, or use another data directory.")
        case .newerVersion:
            self.init(
                .newerVersion,
                "The journal \(path) was written by a newer version of this program. Use that version, or another data "
                    + "directory; the file was not touched.")
        case .damaged(let line, let offset):
            self.init(
                .damaged,
                "Line \(line) of the journal \(path) is damaged or missing (at byte \(offset)); the file was not "
                    + "touched. Restore it from a backup. To go on without what it says, move it away: the account then "
                    + "begins anew.")
        }
    }
}

extension SystemError {
    /// Whether there is no room: on the disk, in a quota, or within a limit of the process.
    var isOutOfSpace: Bool { SystemError.outOfSpace.contains(self.number) }
}
