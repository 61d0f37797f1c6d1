import OddsCore

/// Why a history cannot be written or read now, and what can be done about it.
enum HistoryTrouble: Error, Hashable, Sendable {
    /// Somebody else holds the file.
    case busy
    /// The disk, or what may be used of it, is full.
    case full
    /// The file's content makes no sense.
    case damaged(String)
    /// The file cannot be opened, read or written.
    case inaccessible(String)
    /// The file was written by a newer version of the program.
    case newerVersion
    /// The file is some other program's.
    case foreign
    /// The file was written by an older version and has to be brought up to date first.
    case olderVersion

    /// Whether the file should be moved away so that a new one can be begun.
    var isDamage: Bool {
        if case .damaged = self { return true }
        return false
    }

    /// Whether the open file has to be closed and opened again.
    var needsReopening: Bool {
        switch self {
        case .busy, .full: false
        case .damaged, .inaccessible, .newerVersion, .foreign, .olderVersion: true
        }
    }

    /// The same for a reader.
    func error(path: String) -> HistoryError {
        switch self {
        case .busy: HistoryError(.busy, self.message(path: path))
        case .full, .inaccessible: HistoryError(.inaccessible, self.message(path: path))
        case .damaged, .foreign: HistoryError(.damaged, self.message(path: path))
        case .newerVersion, .olderVersion: HistoryError(.newerVersion, self.message(path: path))
        }
    }

    /// What is wrong and what to do.
    func message(path: String) -> String {
        switch self {
        case .busy:
            "The history \(path) is locked by another program. Close whatever else has the file open."
        case .full:
            "There is no room left for the history \(path). Free some space on that disk."
        case .damaged(let what):
            "The history \(path) is damaged (\(what)). The service moves such a file aside and begins a new one."
        case .inaccessible(let what):
            "The history \(path) cannot be used (\(what)). Look at the permissions of the file and of its directory, "
                + "and at the disk."
        case .newerVersion:
            "The history \(path) was written by a newer version of this program. Use that version, or another data "
                + "directory; the file was not touched."
        case .foreign:
            "\(path) is a database of some other program. Move it away, or use another data directory; the file was "
                + "not touched."
        case .olderVersion:
            "The history \(path) was written by an older version of this program. Start the service on it once, which "
                + "brings it up to date."
        }
    }
}
